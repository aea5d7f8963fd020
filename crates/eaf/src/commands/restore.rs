//! `eaf restore`: a data directory from a backup.
//!
//! What: verifies the backup, then makes the data directory, whole or not at all. Absent: writing over one that is there.

use super::{Context, verify};
use crate::exit;
use crate::failure::Failure;
use crate::journal;
use crate::say::Say;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The backup.
    #[arg(value_name = "FROM")]
    from: PathBuf,
    /// A JSON document for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let dir = context.data_dir();
    let report = eaf_store::restore(&args.from, &dir).map_err(|error| {
        let say = Say::new("fail-restore").with("from", args.from.display()).with("to", dir.display());
        Failure::Said { code: exit::FAILED, say, why: journal::backup(context.lang, &error) }
    })?;
    if !args.json {
        let done = context.say(&Say::new("restore-done").with("to", dir.display()));
        context.screen.line(&done)?;
    }
    verify::print(&report, args.json, context).map(|()| exit::OK)
}
