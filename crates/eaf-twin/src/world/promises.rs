//! Nobody starts later than told.
//!
//! What: remembers the earliest of the times at which each planned start was told to begin at the latest, and refuses a start
//! behind it. Why told times are forgotten one by one: each reason for which they may move back is named (`docs/queues.md`), and
//! whoever is not touched by it is still owed its time. Absent: guarantees and priorities of shares, by which others come before
//! whoever was told anything; and worlds in which a fault has struck.

use super::reference::{Checked, broken};
use eaf_core::{Lease, State, Step, planned_starts};
use eaf_model::{Event, LeaseId, Policy, Share, Time, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};

const RULE: &str = "nobody starts later than told";

/// What was told.
#[derive(Clone, Debug, Default)]
pub(super) struct Promises {
    told: BTreeMap<WorkloadId, Promise>,
    /// When what each lease holds is expected back.
    back: BTreeMap<LeaseId, Time>,
    /// True once a fault has struck.
    has_ended: bool,
}

/// What one that waits was told.
#[derive(Clone, Debug)]
struct Promise {
    latest: Time,
    /// Who stands before it in the queue.
    before: BTreeSet<WorkloadId>,
}

impl Promises {
    /// A fault has struck: from now on nothing is promised.
    pub(super) fn end(&mut self) {
        *self = Self { has_ended: true, ..Self::default() };
    }

    /// A step is durable, and this is the state behind it.
    pub(super) fn durable(&mut self, step: &Step, state: &State) -> Checked {
        if self.has_ended {
            return Ok(());
        }
        let back = state.leases().map(|lease| (lease.id, expected_back(state, lease))).collect();
        let before = std::mem::replace(&mut self.back, back);
        let is_late = |(lease, at): (&LeaseId, &Time)| *at < step.at || self.back.get(lease) > Some(at);
        if before.iter().any(is_late) || step.events.iter().any(changes_the_factory) {
            self.told.clear();
        }
        self.are_kept(step)?;
        self.forget_those_who_are_passed(state);
        Ok(())
    }

    fn are_kept(&mut self, step: &Step) -> Checked {
        let late = self.told.iter().find(|(_, promise)| promise.latest < step.at);
        if let Some((workload, Promise { latest, .. })) = late {
            let what = format!("{workload} was to start by {} and has not by {}", latest.0, step.at.0);
            return broken(RULE, what);
        }
        for event in &step.events {
            if let Event::LeaseGranted { workload, .. } | Event::WorkloadEnded { workload, .. } = event {
                self.told.remove(workload);
            }
        }
        Ok(())
    }

    /// Where somebody has come to stand before one, that one may start later.
    fn forget_those_who_are_passed(&mut self, state: &State) {
        if self.told.is_empty() {
            return;
        }
        let mut before = BTreeSet::new();
        for entry in state.queue().iter() {
            if let Some(promise) = self.told.get_mut(&entry.workload) {
                if before.is_subset(&promise.before) {
                    promise.before.clone_from(&before);
                } else {
                    self.told.remove(&entry.workload);
                }
            }
            before.insert(entry.workload);
        }
    }

    /// Nothing more happens in this turn: what would those be told now who ask?
    pub(super) fn tell(&mut self, state: &State, now: Time) {
        if self.has_ended || state.queue().is_empty() || !turns_are_kept(state.policy()) {
            return;
        }
        for (workload, latest) in planned_starts(state, now) {
            if self.told.get(&workload).is_none_or(|promise| latest < promise.latest) {
                let queue = state.queue().iter().map(|entry| entry.workload);
                let before = queue.take_while(|other| *other != workload).collect();
                self.told.insert(workload, Promise { latest, before });
            }
        }
    }
}

/// True where nobody has more right to go first than others by what its share is guaranteed or by the priority of that.
fn turns_are_kept(policy: &Policy) -> bool {
    let guarantees = |share: &Share| share.accelerators.values().any(|quota| quota.guaranteed > 0);
    policy.shares.values().all(|share| !guarantees(share) && share.priority == 0)
}

/// When what a lease holds is expected back: whatever is on it then has been told to stop, and has had its grace.
fn expected_back(state: &State, lease: &Lease) -> Time {
    let asked = state.workload(lease.workload).and_then(|workload| workload.spec.wall_time);
    let wall = asked.unwrap_or(state.settings().timing.wall_time_default);
    let over = lease.run_until.unwrap_or_else(|| lease.granted_at.after(wall));
    lease.stopping.as_ref().map_or(over, |stopping| stopping.stop_by)
}

/// True where an event changes what may be promised to anybody.
const fn changes_the_factory(event: &Event) -> bool {
    matches!(
        event,
        Event::Configured(_)
            | Event::PolicyApplied { .. }
            | Event::NodeAdded { .. }
            | Event::NodeChanged { .. }
            | Event::NodeCordoned { .. }
            | Event::NodeUncordoned { .. }
            | Event::NodeLost { .. }
            | Event::NodeGivenUp { .. }
            | Event::NodeBack { .. }
            | Event::NodeRemoved { .. }
            | Event::ModeDraining { .. }
            | Event::ModeKept { .. }
            | Event::ModeOrdered { .. }
            | Event::ModeVerified { .. }
            | Event::ModeFailed { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::{Promise, Promises};
    use eaf_core::{State, Step};
    use eaf_model::{Event, LeaseId, Placement, Time, WorkloadId};
    use std::collections::{BTreeMap, BTreeSet};

    const WORKLOAD: WorkloadId = WorkloadId::of_step(1);

    fn start(at: i64) -> Step {
        let (lease, placement) = (LeaseId::of_step(2), Placement { tasks: Vec::new() });
        step(at, Event::LeaseGranted { lease, workload: WORKLOAD, placement, start_by: Time(at), keeps_turn: true })
    }

    fn step(at: i64, event: Event) -> Step {
        Step { number: 1, at: Time(at), events: vec![event], ended: Vec::new() }
    }

    fn is_kept(told: i64, steps: &[Step]) -> bool {
        let promise = Promise { latest: Time(told), before: BTreeSet::new() };
        let mut promises = Promises { told: BTreeMap::from([(WORKLOAD, promise)]), ..Promises::default() };
        steps.iter().all(|step| promises.durable(step, &State::new()).is_ok())
    }

    #[test]
    fn a_start_behind_the_time_that_was_told_is_refused_unless_the_factory_has_changed() {
        let change = || step(5, Event::Configured(Box::default()));
        assert!(is_kept(10, &[start(10)]) && !is_kept(10, &[start(11)]));
        assert!(
            is_kept(10, &[change(), start(11)])
                && !is_kept(4, &[step(6, Event::LeaseEvictable { lease: LeaseId::of_step(2) })])
        );
    }
}
