//! `eaf explain`: why a workload waits, and when it is expected to start.
//!
//! What: what blocks it, how many nodes fail which test, its place in the queue. Absent: advice that the factory could
//! not keep; the estimate says what it assumes.

use super::{Context, workload_id};
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use crate::screen::{Cell, Paint, Table, now, short_span};
use eaf_api::messages;
use eaf_model::{Explanation, Span, WorkloadState};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The workload, such as wl-12.
    #[arg(value_name = "ID")]
    id: String,
    /// A JSON document for programs.
    #[arg(long)]
    json: bool,
}

fn waiting(explanation: &Explanation, context: &mut Context) -> Result<(), Failure> {
    let lang = context.lang;
    for blocker in &explanation.blockers {
        context.screen.line(&format!("  {}", messages::blocker(lang, blocker)))?;
    }
    if explanation.nodes_total > 0 {
        let fitting = Say::new("explain-nodes")
            .count("total", explanation.nodes_total.into())
            .count("fitting", explanation.nodes_fitting.into());
        context.screen.line(&format!("  {}", context.say(&fitting)))?;
    }
    let mut table = Table::bare();
    for failing in &explanation.failing {
        table.row([
            Cell::figure(format!("    {}", failing.nodes)).paint(Paint::Waiting),
            Cell::text(messages::test(lang, failing.test)),
        ]);
    }
    context.screen.table(&table)?;
    let ahead = Say::new("explain-ahead").count("ahead", explanation.ahead);
    context.screen.line(&format!("  {}", context.say(&ahead)))?;
    let start = match explanation.estimated_start {
        Some(at) => {
            let id = if explanation.estimate_is_lower_bound { "explain-start-not-before" } else { "explain-start" };
            Say::new(id).with("at", messages::instant(at)).with("span", short_span(now(), at))
        }
        None => Say::new("explain-start-unknown"),
    };
    context.screen.line(&format!("  {}", context.say(&start)))
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let (client, id) = (context.client()?, workload_id(&args.id)?);
    let view = client.workload(id)?;
    if view.state.is_ended() && !args.json {
        let state = messages::state(context.lang, view.state);
        let reason = messages::reason(context.lang, &view.state_reason);
        return context.screen.line(&format!("{id}  {state}: {reason}")).map(|()| exit::OK);
    }
    let explanation = client.explanation(id)?;
    if args.json {
        return context.screen.json(&explanation).map(|()| exit::OK);
    }
    let state = messages::state(context.lang, explanation.state);
    let reason = messages::reason(context.lang, &view.state_reason);
    let painted = Paint::of_state(explanation.state).on(&state, context.screen.colours);
    context.screen.line(&format!("{id}  {painted}: {reason}"))?;
    let lost = view.status.attempts.iter().filter_map(|attempt| attempt.bill.preempted);
    let (times, lost) = lost.fold((0, 0_u64), |(times, sum), one| (times + 1, sum.saturating_add(one.lost.0)));
    if times > 0 {
        let made_room = Say::new("explain-made-room").count("times", times).with("lost", messages::span(Span(lost)));
        context.screen.line(&format!("  {}", context.say(&made_room)))?;
    }
    if explanation.state == WorkloadState::Queued {
        waiting(&explanation, context)?;
    }
    Ok(exit::OK)
}
