//! `eaf cancel`: end workloads.
//!
//! What: asks for each, goes on after a refusal, fails if any was refused. Absent: waiting for the end; `eaf wait` does.

use super::{Context, workload_ids};
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use crate::screen;
use eaf_api::messages;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The workloads or arrays, such as wl-12.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// A JSON array of the workloads as they are then.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let (client, ids) = (context.client()?, workload_ids(&args.ids)?);
    let (mut code, mut views) = (exit::OK, Vec::new());
    for id in ids {
        match client.cancel(id).map_err(Failure::from) {
            Ok(view) => {
                if !args.json {
                    let state = messages::state(context.lang, view.state);
                    let line = Say::new("cancel-done").with("id", id).with("state", state);
                    let line = context.say(&line);
                    context.screen.line(&line)?;
                }
                views.push(view);
            }
            Err(failure) => {
                screen::report(context.lang, &failure);
                code = failure.code();
            }
        }
    }
    if args.json {
        context.screen.json(&views)?;
    }
    Ok(code)
}
