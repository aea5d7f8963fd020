//! `Plan`: what waits is placed.
//!
//! What: where the last valuation is too old, one of what is free now; then a snapshot of what is free and what waits goes
//! to the scheduler; its plan is checked by code that does not know how it was made, and becomes leases and stops. Behind
//! it, accelerators change their modes for those who still wait. Absent: choices; they are the scheduler's.

use super::settle;
use crate::draft::Draft;
use crate::tenancy::policy::windows;
use crate::tenancy::used::shares;
use crate::{State, fleet};
use eaf_model::{Event, Reason, Time};
use eaf_sched::{Mix, Snapshot, Told};
use std::sync::Arc;

/// What the scheduler sees. Shares structure with the state.
pub(crate) fn snapshot(state: &State, now: Time) -> Snapshot {
    let limits = &state.settings.limits;
    Snapshot {
        now,
        fleet: state.index.fleet.clone(),
        queue: state.index.queue.clone(),
        releases: state.index.releases.clone(),
        basis: state.basis.clone(),
        running: state.index.running.clone(),
        shares: Arc::new(shares(state, now)),
        windows: windows(state),
        holds_max: state.settings.queue.holds,
        grants_max: limits.grants_per_plan_max,
        shapes_max: limits.shapes_per_plan_max,
        passing: state.settings.queue.passing,
        placing: state.settings.queue.placing,
    }
}

/// What has been asked for so far, counted; before the first valuation, what waits.
pub(crate) fn asked(state: &State) -> Mix {
    if state.basis.is_some() {
        return state.mix.clone();
    }
    let mut mix = Mix::default();
    state.index.queue.iter().for_each(|entry| mix.record(&entry.shape, 1));
    mix
}

pub(crate) fn plan(draft: &mut Draft<'_>) {
    fleet::modes::settle_drains(draft);
    if draft.index.queue.is_empty() {
        return;
    }
    if let Some(due) = eaf_sched::due(draft.fleet(), draft.basis.as_deref(), || asked(draft)) {
        draft.emit(Event::FleetValued { valuation: Box::new(due.valuation), forget: due.forget });
    }
    let snapshot = snapshot(draft, draft.now());
    let mut plan = eaf_sched::plan(&snapshot, draft.scores());
    if let Err(violation) = eaf_sched::check(&snapshot, &plan) {
        panic!("the scheduler made a plan that does not hold: {violation:?}");
    }
    let told = Told::of(&snapshot, &plan);
    // The draft owns its state alone again, so that granting copies nothing.
    drop(snapshot);
    let start_by = draft.now().after(draft.settings().timing.start_timeout);
    for (grant, member) in std::mem::take(&mut plan.grants).into_iter().zip(0u16..) {
        let (lease, workload) = (draft.new_lease_id(member), grant.workload);
        for victim in grant.victims {
            settle::stop(draft, victim, Reason::Preempted { by: workload });
        }
        draft.emit(Event::LeaseGranted { lease, workload, placement: grant.placement, start_by, keeps_turn: true });
    }
    for claim in &plan.claims {
        for victim in &claim.victims {
            settle::stop(draft, *victim, Reason::Preempted { by: claim.workload });
        }
    }
    for (workload, latest) in told.told {
        draft.emit(Event::WorkloadPromised { workload, latest });
    }
    for workload in told.passed {
        draft.emit(Event::WorkloadPassed { workload });
    }
    fleet::modes::settle_drains(draft);
    fleet::modes::propose(draft, &plan);
}
