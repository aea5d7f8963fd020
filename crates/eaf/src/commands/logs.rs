//! `eaf logs`: the output of a workload.
//!
//! What: standard output or standard error of one task, from the beginning of what is kept, or followed to its end.
//! Absent: mixing tasks; name the task.

use super::{Context, workload_id};
use crate::exit;
use crate::failure::Failure;
use crate::follow::{self, Source};
use eaf_api::{LogQuery, Stream};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The workload, such as wl-12 or wl-12.0.
    #[arg(value_name = "ID")]
    id: String,
    /// Go on until the task is over.
    #[arg(short, long)]
    follow: bool,
    /// Standard error instead of standard output.
    #[arg(short = 'e', long)]
    stderr: bool,
    /// The task of a gang, from 0.
    #[arg(short, long, value_name = "RANK", default_value_t = 0)]
    task: u32,
    /// The attempt, from 1. Otherwise the latest.
    #[arg(short, long, value_name = "N")]
    attempt: Option<u32>,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let (client, id) = (context.client()?, workload_id(&args.id)?);
    let stream = if args.stderr { Stream::Stderr } else { Stream::Stdout };
    if args.follow {
        let source = Source { id, attempt: args.attempt, task: args.task, stream };
        follow::copy(&client, &source, &mut |bytes| {
            context.screen.bytes(bytes)?;
            context.screen.flush()
        })?;
        return Ok(exit::OK);
    }
    let mut query = LogQuery { attempt: args.attempt, task: args.task, stream, offset: 0, limit: None };
    loop {
        let piece = client.log(id, &query)?;
        if piece.bytes.is_empty() {
            return Ok(exit::OK);
        }
        context.screen.bytes(&piece.bytes)?;
        query.offset = piece.next;
    }
}
