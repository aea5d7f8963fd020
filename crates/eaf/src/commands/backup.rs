//! `eaf backup`: a copy to go on from.
//!
//! What: journal, snapshots and keys, while the factory runs. Absent: working directories and logs; schedules.

use super::Context;
use crate::exit;
use crate::failure::Failure;
use crate::journal;
use crate::say::Say;
use eaf_api::messages;
use eaf_model::Bytes;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where to: a directory that is missing or empty.
    #[arg(value_name = "TO")]
    to: PathBuf,
    /// A JSON document for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let dir = context.data_dir();
    let report = eaf_store::backup(&dir, &args.to).map_err(|error| {
        let say = Say::new("fail-backup").with("from", dir.display()).with("to", args.to.display());
        Failure::Said { code: exit::FAILED, say, why: journal::backup(context.lang, &error) }
    })?;
    if args.json {
        let document = serde_json::json!({ "head": report.head.to_string(), "bytes": report.bytes });
        return context.screen.json(&document).map(|()| exit::OK);
    }
    let done = Say::new("backup-done")
        .with("to", args.to.display())
        .with("size", messages::bytes(Bytes(report.bytes)))
        .with("head", report.head);
    let done = context.say(&done);
    context.screen.line(&done).map(|()| exit::OK)
}
