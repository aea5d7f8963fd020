//! Who holds what of which share.
//!
//! What: the shares as the planner sees them now, in figures for people. Absent: who goes first by it.

use super::used::shares;
use crate::State;
use eaf_model::{ShareUse, Time};

/// What each share holds, may hold and has held, and how much of it waits; empty where the policy has no shares.
pub fn share_uses(state: &State, now: Time) -> Vec<ShareUse> {
    shares(state, now).uses(&state.index.queue)
}
