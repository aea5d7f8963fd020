//! What becomes of the state by new settings.
//!
//! What: the settings and every index that follows from them. Absent: refusals.

use crate::index::Index;
use crate::work::service;
use crate::{State, Workload};
use eaf_model::{Settings, Time};
use std::sync::Arc;

/// New settings move deadlines and the shapes of those who named no wall time, so every index is built again.
pub(crate) fn configured(state: &mut State, at: Time, settings: &Settings) {
    state.settings = Arc::new(settings.clone());
    crate::work::apply::forget_surplus(state);
    level_again(state, at);
    state.index = Index::build(state);
}

/// Everybody stands in the levels that are in force now, those that run by what they have had up to now.
fn level_again(state: &mut State, at: Time) {
    let level = |workload: &Workload| {
        let lease = workload.lease.and_then(|lease| state.leases.get(&lease));
        match lease {
            _ if !service::has_levels(&state.settings.queue, &workload.spec) => 0,
            Some(lease) => service::level_at(state, lease, workload, at),
            None => service::level_of(&state.settings.queue, service::attained(workload)),
        }
    };
    let workloads = state.workloads.values().map(|workload| (workload.id, workload.level, level(workload)));
    let changed: Vec<_> = workloads.filter(|(_, old, new)| old != new).map(|(id, _, new)| (id, new)).collect();
    for (id, level) in changed {
        if let Some(workload) = state.workloads.get_mut(&id) {
            Arc::make_mut(workload).level = level;
        }
    }
}
