//! `eaf twin`: the factory in virtual time.
//!
//! What: one file a verb. Absent: the running factory; a twin works on traces, scripts, and copies of what is.

mod page;
pub(crate) mod refused;
mod replay;
mod run;
mod runs;
mod search;
mod table;
mod what_if;

pub(crate) use table::{percent, time};

use super::Context;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// What can be asked of a twin.
#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Replay the work of a trace in virtual time, and report waits, use, and energy.
    Replay(Box<replay::Args>),
    /// Say what would change on a factory with other nodes or more work; it is only read.
    WhatIf(what_if::Args),
    /// Play scenarios and compare them with their outputs.
    Run(run::Args),
    /// Search random factories, workloads and faults for a broken rule.
    Search(search::Args),
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    match &args.verb {
        Verb::Replay(args) => replay::run(args, context),
        Verb::WhatIf(args) => what_if::run(args, context),
        Verb::Run(args) => run::run(args, context),
        Verb::Search(args) => search::run(args, context),
    }
}
