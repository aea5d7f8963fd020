//! What becomes of the state by new settings.
//!
//! What: the settings and every index that follows from them. Absent: refusals.

use crate::State;
use crate::index::Index;
use eaf_model::Settings;
use std::sync::Arc;

/// New settings move deadlines and the shapes of those who named no wall time, so every index is built again.
pub(crate) fn configured(state: &mut State, settings: &Settings) {
    state.settings = Arc::new(settings.clone());
    crate::work::apply::forget_surplus(state);
    state.index = Index::build(state);
}
