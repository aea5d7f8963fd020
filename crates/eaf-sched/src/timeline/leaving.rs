//! What will be free where others make room.
//!
//! What: who is told to leave is back when its notice is over at the latest, instead of at the end of its wall time; and from then
//! on whoever it leaves for has what it claims, for its own wall time. Until then there is no more than what will be left, for
//! it may all be gone sooner. Why planned starts go on meanwhile: a notice may be an hour long, and those who wait behind have
//! nothing to do with it.
//! Absent: who leaves for whom (`preempt`).

use super::Timeline;
use crate::preempt::Claim;
use crate::releases::Return;
use crate::running::Evictable;
use crate::shares::Amounts;
use crate::{Fleet, Shape};
use eaf_model::Time;
use std::collections::BTreeSet;

impl<'a> Timeline<'a> {
    /// The time up to which planned starts were told so far that the share of a lease has what it holds.
    pub(crate) fn told_until(&mut self, lease: &Evictable) -> Time {
        let back = self.expected(lease).filter(|back| self.is_known(back));
        back.map_or(Time::NEVER, |back| back.at.max(self.soonest))
    }

    /// A lease is told to leave, and is gone at some time at the latest; its share has what it holds no more. Gives `told_until`.
    pub(crate) fn leaves(&mut self, fleet: &Fleet, lease: &Evictable, held: &Amounts, gone: Time) -> Time {
        let until = self.told_until(lease);
        let Some(back) = self.expected(lease) else { return until };
        let is_known = self.is_known(&back);
        // From here on it is not looked at any more.
        if !is_known {
            self.ahead_of_turn.insert(back.key());
        }
        // What was planned to begin when its wall time is over can.
        let gone = gone.max(self.soonest).min(back.at.max(self.soonest));
        for task in back.tasks {
            let place = self.place(fleet, task.node);
            self.courses[place].change(gone, until, |free| free.release(task));
            self.stop(gone, place);
        }
        if let Some(ahead) = &mut self.ahead {
            ahead.leaves(lease.project.as_ref(), held, is_known.then_some(until));
        }
        until
    }

    /// When a lease is expected back by its wall time.
    fn expected(&self, lease: &Evictable) -> Option<Return<'a>> {
        let (releases, task) = (self.releases, lease.tasks.first()?);
        releases.of_node(task.node).find(|back| back.lease == lease.lease)
    }

    /// True where something that comes back was looked at.
    fn is_known(&mut self, back: &Return<'_>) -> bool {
        self.ahead_of_turn.contains(&back.key()) || self.rest.peek().is_none_or(|next| back.key() < next.key())
    }

    /// A workload starts once those are gone who leave for it. `fleet` is what is free now, and `soon` what will be then.
    pub(crate) fn claim(&mut self, fleet: &Fleet, soon: &Fleet, claim: &Claim, shape: &Shape) {
        let by = claim.by.max(self.soonest);
        let until = by.after(shape.wall);
        let mut places = BTreeSet::new();
        for task in &claim.placement.tasks {
            self.know(fleet, task.node, by);
            let place = self.place(fleet, task.node);
            self.courses[place].change(by, until, |free| free.hold(task));
            places.insert(place);
        }
        for place in places {
            let left = soon.get(self.courses[place].node).expect("a claimed node is in the fleet");
            self.courses[place].change(self.now, by, |free| free.limit(left));
            self.stop(by, place);
            self.stop(until, place);
        }
    }
}
