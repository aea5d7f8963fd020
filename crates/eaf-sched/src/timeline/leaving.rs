//! What will be free where others make room.
//!
//! What: who is told to leave is back when its notice is over at the latest, instead of at the end of its wall time; and from then
//! on whoever it leaves for has what it claims, for its own wall time. Until then there is no more than what will be left, for
//! it may all be gone sooner. Why planned starts go on meanwhile: a notice may be an hour long, and those who wait behind have
//! nothing to do with it.
//! Absent: who leaves for whom (`preempt`).

use super::{Course, Timeline};
use crate::capacity::NodeCapacity;
use crate::preempt::Claim;
use crate::releases::Return;
use crate::running::Evictable;
use crate::shares::Amounts;
use crate::{Fleet, Shape};
use eaf_model::{LeaseId, NodeId, Time};
use std::collections::BTreeSet;

impl Timeline<'_> {
    /// The time up to which planned starts were told so far that the share of a lease has what it holds.
    pub(crate) fn told_until(&mut self, lease: &Evictable) -> Time {
        let is_past = self.rest.peek().is_none_or(|next| key(lease) < next.key());
        let is_known = is_past || self.ahead_of_turn.contains(&key(lease));
        if is_known { lease.until.max(self.soonest) } else { Time::NEVER }
    }

    /// A lease is told to leave, and is gone at some time at the latest; its share has what it holds no more. Gives `told_until`.
    pub(crate) fn leaves(&mut self, fleet: &Fleet, lease: &Evictable, held: &Amounts, gone: Time) -> Time {
        let until = self.told_until(lease);
        // From here on it is not looked at any more.
        if until == Time::NEVER {
            self.ahead_of_turn.insert(key(lease));
        }
        let gone = gone.max(self.soonest);
        for task in lease.tasks.iter() {
            let place = self.place(fleet, task.node);
            self.courses[place].change(gone, until, |free| free.release(task));
            self.stop(gone, place);
        }
        if let Some(ahead) = &mut self.ahead {
            ahead.leaves(lease.project.as_ref(), held, (until < Time::NEVER).then_some(until));
        }
        until
    }

    /// A workload starts once those are gone who leave for it. `fleet` is what is free now, `soon` what will be then, and `gone`
    /// says by when one is gone that was told to leave.
    pub(crate) fn claim(
        &mut self,
        fleet: &Fleet,
        soon: &Fleet,
        gone: impl Fn(&Return<'_>) -> Option<Time>,
        (claim, shape): (&Claim, &Shape),
    ) {
        let until = claim.by.max(self.soonest).after(shape.wall);
        let nodes: BTreeSet<NodeId> = claim.placement.tasks.iter().map(|task| task.node).collect();
        for node in nodes {
            let by = self.releases.of_node(node).filter_map(|back| gone(&back)).max();
            let by = by.map_or(self.now, |by| by.max(self.soonest));
            self.know(fleet, node, by);
            let place = self.place(fleet, node);
            // Those may leave one by one, and it may start as soon as they are gone.
            let left = soon.get(node).expect("a claimed node is in the fleet");
            let stays: Vec<Return<'_>> = self.releases.of_node(node).filter(|back| gone(back).is_none()).collect();
            let soonest = self.soonest;
            self.courses[place].limit(self.now, by, |at| {
                let mut left = left.clone();
                let back = stays.iter().filter(|back| back.at.max(soonest) <= at).flat_map(|back| back.tasks);
                back.filter(|task| task.node == node).for_each(|task| left.release(task));
                left
            });
            for task in claim.placement.tasks.iter().filter(|task| task.node == node) {
                self.courses[place].change(by, until, |free| free.hold(task));
            }
            self.stop(by, place);
            self.stop(until, place);
        }
    }
}

impl Course {
    /// Lowers what is free over a stretch of time to what is told of each time.
    fn limit(&mut self, from: Time, until: Time, left: impl Fn(Time) -> NodeCapacity) {
        // Splits the steps where the stretch begins and ends.
        self.change(from, until, |_| ());
        let begun = self.steps.partition_point(|(at, _)| *at < from);
        let meant = self.steps[begun..].iter_mut().take_while(|(at, _)| *at < until);
        meant.for_each(|(at, free)| free.limit(&left(*at)));
    }
}

/// The place of a lease among all that come back.
fn key(lease: &Evictable) -> (Time, LeaseId) {
    (lease.until, lease.lease)
}
