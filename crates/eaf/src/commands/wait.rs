//! `eaf wait`: until workloads have ended.
//!
//! What: one line for each as it ends, in the order given; exits with 0 only if all finished. Absent: a bound on the
//! waiting; `timeout 1h eaf wait …` has one.

use super::{Context, workload_ids};
use crate::exit;
use crate::failure::Failure;
use crate::follow;
use crate::screen::Paint;
use eaf_api::messages;
use eaf_model::WorkloadState;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The workloads or arrays, such as wl-12.
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// A JSON array of the workloads as they ended.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let (client, ids) = (context.client()?, workload_ids(&args.ids)?);
    let mut views = Vec::new();
    for id in ids {
        let view = follow::wait_ended(&client, id)?;
        if !args.json {
            let state = messages::state(context.lang, view.state);
            let state = Paint::of_state(view.state).on(&state, context.screen.colours);
            let reason = messages::reason(context.lang, &view.state_reason);
            context.screen.line(&format!("{id}  {state}: {reason}"))?;
            context.screen.flush()?;
        }
        views.push(view);
    }
    if args.json {
        context.screen.json(&views)?;
    }
    let finished = views.iter().all(|view| view.state == WorkloadState::Finished);
    Ok(if finished { exit::OK } else { exit::FAILED })
}
