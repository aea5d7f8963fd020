//! Dependencies: what a submission must wait for.
//!
//! What: each id is live, remembered, known to the history (the caller looked it up), or unknown. An array stands for
//! all of its members. Absent: looking into the history; the core holds only what is alive.

use crate::State;
use eaf_model::{Rejection, Submission, WorkloadId, WorkloadState};

/// The live workloads that a submission waits for.
pub(super) fn waits_for(state: &State, submission: &Submission) -> Result<Vec<WorkloadId>, Rejection> {
    let mut waits = Vec::new();
    for id in &submission.spec.after_ok {
        let live = wait_for(state, submission, *id, &mut waits)?;
        let failed = ended_of(state, submission, *id).find(|(_, end)| *end != WorkloadState::Finished);
        if let Some((workload, end)) = failed {
            return Err(Rejection::DependencyFailed { workload, state: end });
        }
        known(state, submission, *id, live)?;
    }
    for id in &submission.spec.after_any {
        let live = wait_for(state, submission, *id, &mut waits)?;
        known(state, submission, *id, live)?;
    }
    waits.sort_unstable();
    waits.dedup();
    Ok(waits)
}

/// Adds the live workloads of an id, and says whether there are any.
fn wait_for(state: &State, of: &Submission, id: WorkloadId, waits: &mut Vec<WorkloadId>) -> Result<bool, Rejection> {
    let before = waits.len();
    waits.extend(state.members(id).map(|workload| workload.id));
    let max = state.settings().limits.array_max as usize + of.spec.after_ok.len() + of.spec.after_any.len();
    if waits.len() > max {
        let problem = eaf_model::FieldProblem::too_many(waits.len(), max);
        return Err(Rejection::Invalid { field: "after_ok".to_owned(), problem });
    }
    Ok(waits.len() > before)
}

/// The ended workloads of an id, as memory and the caller know them.
fn ended_of<'a>(
    state: &'a State,
    submission: &'a Submission,
    id: WorkloadId,
) -> impl Iterator<Item = (WorkloadId, WorkloadState)> + 'a {
    let last = WorkloadId::of_member(id.step(), eaf_model::MEMBER_MAX);
    let last = if id.member().is_some() { id } else { last };
    let remembered = state.index.ended.range(id..=last).map(|(id, end)| (*id, *end));
    let looked_up = submission.ended.iter().copied().filter(move |(ended, _)| (id..=last).contains(ended));
    remembered.chain(looked_up)
}

fn known(state: &State, submission: &Submission, id: WorkloadId, live: bool) -> Result<(), Rejection> {
    if live || ended_of(state, submission, id).next().is_some() {
        return Ok(());
    }
    Err(Rejection::UnknownDependency { workload: id })
}
