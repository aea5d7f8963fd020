//! What becomes of the state by new settings.
//!
//! What: the settings and every index that follows from them. Absent: refusals.

use crate::State;
use crate::index::Index;
use crate::work::service;
use eaf_model::Settings;
use std::sync::Arc;

/// New settings move deadlines and the shapes of those who named no wall time, so every index is built again.
pub(crate) fn configured(state: &mut State, settings: &Settings) {
    state.settings = Arc::new(settings.clone());
    crate::work::apply::forget_surplus(state);
    level_again(state);
    state.index = Index::build(state);
}

/// Those that do not run stand in the levels that are in force now; those that run keep theirs until they end or rise.
fn level_again(state: &mut State) {
    let queue = &state.settings.queue;
    let level = |workload: &crate::Workload| {
        let has_levels = service::has_levels(queue, &workload.spec);
        if has_levels { service::level_of(queue, service::attained(workload)) } else { 0 }
    };
    let idle = state.workloads.values().filter(|workload| workload.lease.is_none());
    let changed: Vec<_> = idle.filter(|workload| workload.level != level(workload)).map(|w| (w.id, level(w))).collect();
    for (id, level) in changed {
        if let Some(workload) = state.workloads.get_mut(&id) {
            Arc::make_mut(workload).level = level;
        }
    }
}
