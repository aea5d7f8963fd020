//! `explain`: why a workload is where it is, and when it will start.
//!
//! What: dependencies and backoff from the state, the rest from the scheduler on the same snapshot that it plans on, and
//! an estimated start from forward runs. Absent: words for people.

use crate::State;
use crate::forward::{Durations, estimate};
use crate::work::plan::snapshot;
use eaf_model::{
    Blocker, BoardMode, Explanation, ModeReason, ModeState, StartEstimate, Time, WorkloadId, WorkloadState,
};
use eaf_sched::Scores;

/// How many dependencies an explanation names.
const DEPENDENCIES_NAMED_MAX: usize = 10;

/// Explains a live workload; `None` where it is not live.
pub fn explain(state: &State, now: Time, id: WorkloadId) -> Option<Explanation> {
    let workload = state.workload(id)?;
    if workload.state != WorkloadState::Queued {
        return Some(Explanation::of(id, workload.state));
    }
    let mut explanation = why(state, now, id)?;
    // Between two attempts the deadline of the state is the next attempt.
    let is_tried_again = workload.not_before.is_some();
    explanation.state_deadline = if is_tried_again { state.start_by(&workload.spec) } else { workload.state_deadline };
    let never = |blocker: &Blocker| {
        matches!(blocker, Blocker::FleetTooSmall | Blocker::NodesNotReady { .. } | Blocker::ShareTooSmall { .. })
    };
    explanation.estimate = if explanation.blockers.iter().any(never) {
        Some(StartEstimate::default())
    } else {
        estimate(state, now, id, Durations::Learned)
    };
    Some(explanation)
}

/// When those begin at the latest that are told so, in their order: what an explanation tells each of them. Nobody where the coming
/// pass starts somebody first.
pub fn planned_starts(state: &State, now: Time) -> Vec<(WorkloadId, Time)> {
    let plan = eaf_sched::plan(&snapshot(state, now.max(state.last_time())), &mut Scores::default());
    let holds = plan.holds.iter().filter(|_| plan.grants.is_empty());
    holds.filter_map(|hold| Some((hold.workload, hold.latest?))).collect()
}

/// What blocks a workload that waits.
fn why(state: &State, now: Time, id: WorkloadId) -> Option<Explanation> {
    let blocked = |blocker| Explanation { blockers: vec![blocker], ..Explanation::of(id, WorkloadState::Queued) };
    let pending = state.waits_for(id).count();
    if pending > 0 {
        let workloads = state.waits_for(id).take(DEPENDENCIES_NAMED_MAX).copied().collect();
        let pending = u32::try_from(pending).unwrap_or(u32::MAX);
        return Some(blocked(Blocker::Dependencies { workloads, pending }));
    }
    if let Some(until) = state.workload(id)?.not_before {
        return Some(blocked(Blocker::Backoff { until }));
    }
    let mut explanation = eaf_sched::explain(&snapshot(state, now.max(state.last_time())), id)?;
    let changes = changes_for(state, id);
    if !changes.is_empty() && !explanation.blockers.contains(&Blocker::NextPass) {
        explanation.blockers.splice(0..0, changes);
    }
    Some(explanation)
}

/// Changes of mode that are made for a workload, a node each.
fn changes_for(state: &State, id: WorkloadId) -> Vec<Blocker> {
    let change = state.settings().timing.mode_change;
    let mut found = Vec::new();
    for node in state.fleet().cut_nodes().filter_map(|node| state.node(node)) {
        let for_it = |mode: &&BoardMode| mode.state_reason == ModeReason::Wanted { workload: id };
        let Some(mode) = node.modes.values().find(for_it) else { continue };
        let draining = mode.state == ModeState::Draining;
        let until = if draining {
            mode.state_deadline.map(|at| at.after(change))
        } else {
            Some(mode.state_since.after(change))
        };
        found.push(Blocker::ModeChange { node: node.id, mode: mode.to.clone().unwrap_or_default(), draining, until });
    }
    found
}
