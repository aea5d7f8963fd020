//! The bare loop: fork, exec, wait, and nothing else.
//!
//! What: eight at a time, each with its own pair of log files, since nobody runs anything without. Absent: cgroups, users,
//! sandboxes, a journal; that is the point.

use super::factory::{new_folder, remove};
use super::{BenchError, Plan};
use std::fs::File;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// As many as the trivial workloads of `throughput` run at once on two processors.
const AT_ONCE: u32 = 8;

/// Runs `true` so many times; gives how many a second.
pub(super) fn fork_and_exec(plan: &Plan, count: u32) -> Result<f64, BenchError> {
    let folder = new_folder(plan)?;
    let next = AtomicU32::new(0);
    let run = || -> std::io::Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(());
            }
            let log = |kind: &str| File::create(folder.join(format!("{number}.{kind}")));
            Command::new("/bin/true").stdin(Stdio::null()).stdout(log("out")?).stderr(log("err")?).status()?;
        }
    };
    let begun = Instant::now();
    let results: Vec<std::io::Result<()>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().expect("the loop does not panic")).collect()
    });
    let elapsed = begun.elapsed();
    remove(&folder);
    for result in results {
        result.map_err(BenchError::io("running the bare loop"))?;
    }
    Ok(f64::from(count) / elapsed.as_secs_f64())
}
