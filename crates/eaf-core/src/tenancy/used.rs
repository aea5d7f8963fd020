//! What projects hold, and what they held on the average of the time that counts.
//!
//! What: an average that forgets: after one half-life without use it is half of what it was, and with steady use it comes
//! near to what is held. Why an average of what is held, and not a sum: it is in the unit of what is held, so that both
//! count in one number. Why straight lines between the halves: the state has integers alone, and every machine must find
//! the same. Absent: which project goes first by it.

use crate::{Lease, State};
use eaf_model::{LeaseId, Span, Time, WorkloadSpec};
use eaf_sched::{Amounts, Shares, Use, held_by};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A project that has a share; `None` for all others together.
pub(crate) type Account = Option<Arc<str>>;

/// What an account held on the average of the time that counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Average {
    /// Thousandths of accelerators.
    milli: u64,
    /// When that was so.
    at: Time,
}

impl Average {
    /// The average at a later time, with so much held since then.
    fn at(self, now: Time, held: u64, half_life: Span) -> u64 {
        let since = now.since(self.at);
        faded(self.milli, since, half_life) + (held - faded(held, since, half_life))
    }
}

/// What is left of a value after some time: half of it after each half-life, on a straight line between.
fn faded(value: u64, since: Span, half_life: Span) -> u64 {
    let half_life = half_life.0.max(1);
    let halves = u32::try_from(since.0 / half_life).unwrap_or(u32::MAX);
    let whole = value.checked_shr(halves).unwrap_or(0);
    let line = u128::from(whole) * u128::from(since.0 % half_life) / (2 * u128::from(half_life));
    whole - u64::try_from(line).unwrap_or(whole)
}

/// What each account holds now of each model, in thousandths.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Holdings(OrdMap<Account, OrdMap<Arc<str>, u64>>);

impl Holdings {
    fn of(&self, account: &Account) -> u64 {
        self.0.get(account).map_or(0, |models| models.values().sum())
    }

    pub(crate) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.0.keys()
    }

    pub(crate) fn add(&mut self, account: Account, held: Amounts) {
        let models = self.0.entry(account).or_default();
        for (model, milli) in held {
            *models.entry(model).or_default() += milli;
        }
    }

    /// Takes away what was added.
    pub(crate) fn subtract(&mut self, account: &Account, held: &Amounts) {
        let Some(models) = self.0.get_mut(account) else { return };
        for (model, milli) in held {
            let left = models.get(model).and_then(|held| held.checked_sub(*milli));
            match left.expect("what a project holds was added") {
                0 => models.remove(model),
                left => models.insert(model.clone(), left),
            };
        }
        if models.is_empty() {
            self.0.remove(account);
        }
    }
}

/// The account on which a workload draws.
pub(crate) fn account(state: &State, spec: &WorkloadSpec) -> Account {
    let has_share = state.policy.shares.contains_key(&spec.project);
    has_share.then(|| Arc::from(spec.project.as_str()))
}

/// What a lease holds of its account's share: nothing once it was told to leave for another, since that is given back.
pub(crate) fn held(
    state: &State,
    fleet: &eaf_sched::Fleet,
    lease: &Lease,
    still: &[eaf_model::Allotment],
) -> Option<(Account, Amounts)> {
    if !state.policy.has_shares() || lease.is_preempted() {
        return None;
    }
    let workload = state.workloads.get(&lease.workload)?;
    let held = held_by(fleet, still);
    (!held.is_empty()).then(|| (account(state, &workload.spec), held))
}

/// The average of an account is brought up to an instant; what it holds changes now.
pub(crate) fn settle(state: &mut State, at: Time, account: Account) {
    let average = Average { milli: average(state, at, &account), at };
    state.averages.insert(account, average);
}

/// The same for the account of a lease.
pub(crate) fn settle_lease(state: &mut State, at: Time, lease: LeaseId) {
    let workload = state.leases.get(&lease).and_then(|lease| state.workloads.get(&lease.workload));
    if let Some(account) = workload.map(|workload| account(state, &workload.spec)) {
        settle(state, at, account);
    }
}

fn average(state: &State, at: Time, account: &Account) -> u64 {
    let held = state.index.holdings.of(account);
    // Nothing is known of the time before the first change.
    state.averages.get(account).map_or(0, |average| average.at(at, held, state.policy.half_life))
}

/// Shares as a pass sees them.
pub(crate) fn shares(state: &State, now: Time) -> Shares {
    let Holdings(holdings) = &state.index.holdings;
    let accounts: std::collections::BTreeSet<&Account> = holdings.keys().chain(state.averages.keys()).collect();
    let uses = accounts.into_iter().map(|account| {
        let held = holdings.get(account).into_iter().flatten();
        let held = held.map(|(model, milli)| (model.clone(), *milli)).collect();
        (account.as_deref(), Use { held, average: average(state, now, account) })
    });
    Shares::new(&state.policy, uses)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(begin: u64, held: u64, half_lives_milli: u64, expect: u64) {
        let half_life = Span::from_secs(1_000);
        let average = Average { milli: begin, at: Time(7) };
        assert_eq!(average.at(Time(7).after(Span(half_life.0 / 1_000 * half_lives_milli)), held, half_life), expect);
    }

    #[test]
    fn an_average_forgets_by_halves_and_comes_near_to_what_is_held() {
        check(8_000, 0, 0, 8_000);
        check(8_000, 0, 500, 6_000);
        check(8_000, 0, 1_000, 4_000);
        check(8_000, 0, 3_000, 1_000);
        check(0, 8_000, 1_000, 4_000);
        check(0, 8_000, 2_000, 6_000);
        check(8_000, 8_000, 1_234, 8_000);
        check(u64::MAX / 2, 0, 64_000, 0);
        check(1, 1, 100_000, 1);
    }
}
