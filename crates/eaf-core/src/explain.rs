//! `explain`: why a workload is where it is, and when it will start.
//!
//! What: dependencies and backoff from the state, the rest from the scheduler on the same snapshot that it plans on.
//! Absent: words for people.

use crate::State;
use crate::work::plan::snapshot;
use eaf_model::{Blocker, Explanation, Time, WorkloadId, WorkloadState};

/// How many dependencies an explanation names.
const DEPENDENCIES_NAMED_MAX: usize = 10;

/// Explains a live workload; `None` where it is not live.
pub fn explain(state: &State, now: Time, id: WorkloadId) -> Option<Explanation> {
    let workload = state.workload(id)?;
    let empty = |blockers| Explanation {
        workload: id,
        state: workload.state,
        blockers,
        nodes_total: 0,
        nodes_fitting: 0,
        failing: Vec::new(),
        ahead: 0,
        estimated_start: None,
        estimate_is_lower_bound: false,
    };
    if workload.state != WorkloadState::Queued {
        return Some(empty(Vec::new()));
    }
    let pending = state.waits_for(id).count();
    if pending > 0 {
        let workloads = state.waits_for(id).take(DEPENDENCIES_NAMED_MAX).copied().collect();
        let pending = u32::try_from(pending).unwrap_or(u32::MAX);
        return Some(empty(vec![Blocker::Dependencies { workloads, pending }]));
    }
    if let Some(until) = workload.not_before {
        let mut explanation = empty(vec![Blocker::Backoff { until }]);
        explanation.estimated_start = Some(until);
        explanation.estimate_is_lower_bound = true;
        return Some(explanation);
    }
    eaf_sched::explain(&snapshot(state, now.max(state.last_time())), id)
}
