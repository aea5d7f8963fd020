//! `eaf explain`: why a workload waits, and when it is expected to start.
//!
//! What: what blocks it, how many nodes fail which test, its place in the queue, what would let it start now, and when it
//! will. Absent: advice that the planner itself would not follow; and an estimate that does not say what it assumes.

use super::{Context, workload_id};
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use crate::screen::{Cell, Paint, Table, now};
use eaf_api::messages;
use eaf_model::{Explanation, Span, StartEstimate, Time, WorkloadState};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The workload, such as wl-12.
    #[arg(value_name = "ID")]
    id: String,
    /// A JSON document for programs.
    #[arg(long)]
    json: bool,
}

/// What blocks it, and when it starts.
pub(super) fn waiting(explanation: &Explanation, context: &mut Context) -> Result<(), Failure> {
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
    let failed = explanation.failing.iter().map(|failing| u64::from(failing.nodes)).sum::<u64>();
    if failed + u64::from(explanation.nodes_fitting) > explanation.nodes_total.into() {
        context.screen.line(&format!("  {}", context.say(&Say::new("explain-nodes-several"))))?;
    }
    let mut table = Table::bare();
    for failing in &explanation.failing {
        table.row([
            Cell::figure(format!("    {}", failing.nodes)).paint(Paint::Waiting),
            Cell::text(messages::test(lang, failing.test)),
        ]);
    }
    context.screen.table(&table)?;
    let ahead = if explanation.by_share { "explain-ahead-by-share" } else { "explain-ahead" };
    let ahead = Say::new(ahead).count("ahead", explanation.ahead);
    context.screen.line(&format!("  {}", context.say(&ahead)))?;
    if !explanation.would_start.is_empty() {
        context.screen.line(&format!("  {}", context.say(&Say::new("explain-would-start"))))?;
    }
    for change in &explanation.would_start {
        context.screen.line(&format!("    {}", messages::change(lang, change)))?;
    }
    if let Some(at) = explanation.state_deadline {
        context.screen.line(&format!("  {}", context.say(&timed(Say::new("explain-gives-up"), at))))?;
    }
    explanation.estimate.as_ref().map_or(Ok(()), |estimate| starts(estimate, context))
}

/// When it starts, and what that rests on.
pub(super) fn starts(estimate: &StartEstimate, context: &mut Context) -> Result<(), Failure> {
    for say in start_lines(estimate) {
        context.screen.line(&format!("  {}", context.say(&say)))?;
    }
    Ok(())
}

/// The same with a time, and how far ahead that is.
fn timed(say: Say, at: Time) -> Say {
    say.with("at", messages::instant(at)).with("span", messages::span(at.since(now())))
}

fn start_lines(estimate: &StartEstimate) -> Vec<Say> {
    let basis = if estimate.learned_from > 0 {
        Say::new("explain-basis-learned").count("runs", estimate.runs.into()).count("attempts", estimate.learned_from)
    } else {
        Say::new("explain-basis-wall-times")
    };
    let mut lines = match (estimate.p50, estimate.p90, estimate.not_before) {
        (None, _, Some(at)) => return vec![timed(Say::new("explain-start-not-before"), at)],
        (None, ..) => return vec![Say::new("explain-start-unknown")],
        (Some(p50), Some(p90), _) if p50 == p90 => vec![timed(Say::new("explain-start"), p50)],
        (Some(p50), Some(p90), _) => {
            vec![timed(Say::new("explain-start-half"), p50), timed(Say::new("explain-start-ninety"), p90)]
        }
        (Some(p50), None, _) => {
            vec![timed(Say::new("explain-start-half"), p50), Say::new("explain-start-tail-unknown")]
        }
    };
    if estimate.stops > 0 {
        lines.push(Say::new("explain-start-stops").count("stops", estimate.stops.into()));
    }
    lines.push(basis);
    lines
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
    if let Some(lease) = view.status.lease.filter(|_| explanation.state == WorkloadState::Running) {
        let say = match lease.checkpointed_at {
            Some(at) => {
                Say::new("explain-checkpoint").with("at", messages::instant(at)).with("ago", context.screen.ago(at))
            }
            None => Say::new("explain-no-checkpoint"),
        };
        context.screen.line(&format!("  {}", context.say(&say)))?;
    }
    Ok(exit::OK)
}
