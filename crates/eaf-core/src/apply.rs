//! `apply`: history is folded into the state.
//!
//! What: one arm an event, handed to the domain it speaks of. It never refuses, never chooses, never looks at a clock.
//! Absent: policy; an event carries every number that its arm needs.

use crate::{State, Workload, fleet, settings, tenancy, work};
use eaf_model::{Event, Time};
use std::sync::Arc;

/// Folds one event into the state.
pub fn apply(state: &mut State, at: Time, event: &Event) {
    apply_ending(state, at, event);
}

/// Folds one event into the state, and gives the workload that left memory by it.
pub(crate) fn apply_ending(state: &mut State, at: Time, event: &Event) -> Option<Arc<Workload>> {
    match event {
        Event::Configured(new) => settings::apply::configured(state, at, new),
        Event::PolicyApplied { policy, .. } => tenancy::apply::policy_applied(state, at, policy),
        Event::WindowsMoved { over, .. } => tenancy::apply::windows_moved(state, at, over),
        Event::NodeAdded { node, spec } => fleet::apply::added(state, at, *node, spec),
        Event::NodeChanged { node, spec } => fleet::apply::changed(state, *node, spec),
        Event::NodeLost { node, why } => fleet::apply::lost(state, at, *node, why),
        Event::NodeGivenUp { node } => fleet::apply::given_up(state, *node),
        Event::NodeBack { node } => fleet::apply::back(state, at, *node),
        Event::NodeCordoned { node, why } => fleet::apply::cordoned(state, at, *node, Some(why)),
        Event::NodeUncordoned { node } => fleet::apply::cordoned(state, at, *node, None),
        Event::NodeRemoved { node } => fleet::apply::removed(state, *node),
        Event::ModeDraining { .. }
        | Event::ModeKept { .. }
        | Event::ModeOrdered { .. }
        | Event::ModeVerified { .. }
        | Event::ModeFailed { .. } => fleet::apply::modes(state, at, event),
        Event::WorkloadEnded { workload, state: end, reason } => {
            return Some(work::apply::ended(state, at, *workload, *end, reason));
        }
        _ => work::apply::apply(state, at, event),
    }
    None
}
