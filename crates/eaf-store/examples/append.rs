//! The smallest writer: appends batches to a data directory, and says each time that one is durable.
//!
//! `append DIR COUNT` writes a line `acknowledged STEP:HASH` after each of COUNT batches; a failure ends it with its
//! causes on the standard error and code 1. `append DIR hold` opens the store, says `open`, and keeps it until its
//! standard input ends. The tests of durability watch it from outside.

use eaf_model::{Span, Time};
use eaf_store::sample::{Factory, spec};
use eaf_store::{OpenOptions, SqliteStore, Store, recover};
use std::error::Error;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    let [_, dir, what] = args.as_slice() else {
        return fail(Box::<dyn Error>::from("usage: append DIR COUNT, or append DIR hold").as_ref());
    };
    match run(Path::new(dir), what) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error.as_ref()),
    }
}

fn fail(error: &dyn Error) -> ExitCode {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    let _ = writeln!(std::io::stderr(), "{text}");
    ExitCode::FAILURE
}

fn run(dir: &Path, what: &str) -> Result<(), Box<dyn Error>> {
    let mut store = SqliteStore::open(dir, OpenOptions::default())?;
    let mut out = std::io::stdout();
    if what == "hold" {
        out.write_all(b"open\n")?;
        std::io::stdin().read_to_end(&mut Vec::new())?;
        return Ok(());
    }
    let recovered = recover(&mut store)?;
    let now = recovered.state.last_time().after(Span::from_secs(1)).max(Time(1_760_000_000_000));
    let mut factory = Factory::from(recovered.state, recovered.head, now);
    factory.add_node("node", 8);
    for number in 0..what.parse::<u64>()? {
        // Every other batch ends workloads, so that both ways through the store are taken.
        factory.submit(spec(&format!("job-{number}"), "p"), Vec::new(), None);
        if number % 2 == 1 {
            factory.start_placed();
            factory.wait(Span::from_secs(1));
            factory.end_running();
        }
        let batch = factory.batch();
        store.append(&batch)?;
        // One write each, without a buffer: whoever reads the line knows that the batch is on the disk.
        out.write_all(format!("acknowledged {}\n", batch.head).as_bytes())?;
    }
    Ok(())
}
