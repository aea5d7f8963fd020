//! `preview`: what would come of a submission, without submitting it.
//!
//! What: the submission is taken and planned for on a copy of the state; what starts is told with its place, what waits
//! with its explanation and estimate. Why the same turn as the real one: it is refused for the same reasons in the same
//! words, and starts where the planner would put it. Absent: a promise; the next to submit may be faster.

use crate::{Machine, State, explain};
use eaf_model::{Explanation, Input, Placement, Rejection, StartEstimate, Submission, Time, WorkloadId};

/// The most turns of planning for one answer: an array of the default bound needs ten.
const TURNS_MAX: usize = 64;

/// What would come of a submission.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// How many workloads it makes: one, or the members of an array.
    pub workloads: u32,
    /// How many of them would start at once.
    pub starting: u32,
    /// Where the first of these would go.
    pub placement: Option<Placement>,
    /// Why the first of the others would wait, and when it would start. Its id is the one that it would get now.
    pub explanation: Option<Explanation>,
    /// When the last of the others would start, where there are several.
    pub last: Option<StartEstimate>,
}

/// What would come of a submission at this instant. Costs what an explanation costs.
///
/// # Errors
/// As the submission itself.
pub fn preview(state: &State, now: Time, submission: &Submission) -> Result<Preview, Rejection> {
    let mut machine = Machine::new(state.clone(), false);
    let input = Input::Submit(Box::new(submission.clone()));
    let turn = |machine: &mut Machine, inputs: &[Input]| {
        machine.turn(now, inputs).expect("a preview does not look for broken invariants")
    };
    let taken = turn(&mut machine, &[input]).results.remove(0)?;
    let list = taken.workload.expect("a submission that passes has an id");
    // A pass that was cut short goes on, as it would.
    for _ in 1..TURNS_MAX {
        if machine.due() != Some(Time(i64::MIN)) {
            break;
        }
        turn(&mut machine, &[]);
    }
    let state = machine.state();
    let held = state.members(list).find_map(|member| state.lease(member.lease?));
    let waiting: Vec<WorkloadId> =
        state.members(list).filter(|member| member.lease.is_none()).map(|member| member.id).collect();
    let workloads = state.members(list).count();
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let last = waiting.last().filter(|_| waiting.len() > 1);
    Ok(Preview {
        workloads: count(workloads),
        starting: count(workloads - waiting.len()),
        placement: held.map(|lease| Placement { tasks: lease.placement.to_vec() }),
        explanation: waiting.first().and_then(|id| explain(state, now, *id)),
        last: last.and_then(|id| explain(state, now, *id)?.estimate),
    })
}
