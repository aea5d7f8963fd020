//! `eaf down`: stop the factory of this machine.
//!
//! What: asks it, and waits until its process is gone. Absent: killing it; a factory that does not answer is ended by its
//! process id, which is shown.

use super::Context;
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use std::time::{Duration, Instant};

/// How long a graceful stop may take before this verb gives up waiting.
const STOP_WITHIN: Duration = Duration::from_secs(60);
/// Between two looks at the process.
const LOOK_EVERY: Duration = Duration::from_millis(20);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// End running work too.
    #[arg(long)]
    stop_work: bool,
}

/// True while the process lives (a zombie that nobody has waited for is gone).
fn lives(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().next().map(str::to_owned));
    state.is_some_and(|state| state != "Z" && state != "X")
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let client = context.client()?;
    let stopping = client.stop(args.stop_work)?;
    let local = crate::connect::is_local(client.base());
    let begun = Instant::now();
    while local && lives(stopping.pid) {
        if begun.elapsed() > STOP_WITHIN {
            return Err(Failure::new(exit::FAILED, Say::new("fail-still-stopping").with("pid", stopping.pid)));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    let id = if args.stop_work { "down-work-too" } else { "down" };
    let line = context.say(&Say::new(id));
    context.screen.line(&line).map(|()| exit::OK)
}
