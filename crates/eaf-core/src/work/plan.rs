//! `Plan`: what waits is placed.
//!
//! What: a snapshot of what is free and what waits goes to the scheduler; its plan is checked by code that does not know
//! how it was made, and becomes leases and stops. Absent: choices; they are the scheduler's.

use super::settle;
use crate::State;
use crate::draft::Draft;
use eaf_model::{Event, Reason, Time};
use eaf_sched::Snapshot;

/// What the scheduler sees. Shares structure with the state.
pub(crate) fn snapshot(state: &State, now: Time) -> Snapshot {
    let limits = &state.settings.limits;
    Snapshot {
        now,
        fleet: state.index.fleet.clone(),
        queue: state.index.queue.clone(),
        releases: state.index.releases.clone(),
        running: state.index.running.clone(),
        grants_max: limits.grants_per_plan_max,
        shapes_max: limits.shapes_per_plan_max,
        passing: state.settings.queue.passing,
        placing: state.settings.queue.placing,
    }
}

pub(crate) fn plan(draft: &mut Draft) {
    if draft.index.queue.is_empty() {
        return;
    }
    let snapshot = snapshot(draft, draft.now());
    let plan = eaf_sched::plan(&snapshot);
    if let Err(violation) = eaf_sched::check(&snapshot, &plan) {
        panic!("the scheduler made a plan that does not hold: {violation:?}");
    }
    // The draft owns its state alone again, so that granting copies nothing.
    drop(snapshot);
    let start_by = draft.now().after(draft.settings().timing.start_timeout);
    for (grant, member) in plan.grants.into_iter().zip(0u16..) {
        let (lease, workload) = (draft.new_lease_id(member), grant.workload);
        draft.emit(Event::LeaseGranted { lease, workload, placement: grant.placement, start_by });
    }
    for claim in plan.claims {
        for victim in claim.victims {
            settle::stop(draft, victim, Reason::Preempted { by: claim.workload });
        }
    }
}
