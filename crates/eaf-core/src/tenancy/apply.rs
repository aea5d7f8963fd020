//! What becomes of tenancy by each event.
//!
//! What: the policy and every index that follows from it. Absent: refusals.

use super::used;
use crate::State;
use crate::index::Index;
use eaf_model::{Policy, Time};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What was used so far counts by the half-life that was in force.
pub(crate) fn policy_applied(state: &mut State, at: Time, policy: &Policy) {
    let accounts: BTreeSet<used::Account> = state.averages.keys().cloned().collect();
    for account in accounts {
        used::settle(state, at, account);
    }
    state.policy = Arc::new(policy.clone());
    let keeps = |account: &used::Account| account.as_ref().is_none_or(|name| policy.shares.contains_key(name.as_ref()));
    state.averages = state
        .averages
        .iter()
        .filter(|(account, _)| policy.has_shares() && keeps(account))
        .map(|(account, average)| (account.clone(), *average))
        .collect();
    state.windows_seen = at;
    state.index = Index::build(state);
    // Whoever holds something now is counted from now on.
    let holders: Vec<used::Account> =
        state.index.holdings.accounts().filter(|account| !state.averages.contains_key(*account)).cloned().collect();
    for account in holders {
        used::settle(state, at, account);
    }
}

/// Windows that are over leave the policy.
pub(crate) fn windows_moved(state: &mut State, at: Time, over: &[String]) {
    if !over.is_empty() {
        let policy = Arc::make_mut(&mut state.policy);
        policy.reservations.retain(|name, _| !over.contains(name));
        policy.maintenance.retain(|name, _| !over.contains(name));
    }
    state.windows_seen = at;
    state.index = Index::build(state);
}
