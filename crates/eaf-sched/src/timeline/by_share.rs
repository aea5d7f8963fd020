//! When one starts that its share keeps from starting now.
//!
//! What: first the time from which its shares let it, by what comes back to the part that is at its maximum and by nothing
//! else; then room at that time, from as little of what else comes back until then as gives it. Why: the fleet may give back
//! a hundred times more than that part before the part has enough, and nothing of that makes the start any earlier. Why it errs
//! to the safe side: what was not looked at is not counted as free, and a part that was not looked at has no more than now; of
//! the nodes of a planned start everything is looked at, so that nobody is kept from what that leaves.
//! Absent: what is kept for others; that depends on everything that anybody gives back.

use super::{Next, RELEASES_MAX, Search, Timeline};
use crate::releases::Return;
use crate::{Fleet, Shape};
use eaf_model::{NodeId, Placement, Time};
use std::iter::Peekable;

/// What comes back to one part, by rising time.
type Own<'a> = Peekable<Box<dyn Iterator<Item = Return<'a>> + 'a>>;

/// How many leases are looked at first; twice as many each time after that, where there is no room yet.
const FIRST_LOOK: usize = 64;

impl<'a> Timeline<'a> {
    /// What comes back to the topmost part with a maximum for a gang; `None` where nothing but that can tell when its shares
    /// let it.
    pub(super) fn own_returns(&self, fleet: &Fleet, shape: &Shape) -> Option<Own<'a>> {
        let projects = self.ahead.as_ref()?.bound_with(fleet, shape)?;
        let own: Box<dyn Iterator<Item = Return<'a>> + 'a> = Box::new(self.releases.of_projects(&projects));
        Some(own.peekable())
    }

    /// Moves a search that its shares do not let at some time to the first at which they do, with all that comes back to them
    /// up to there.
    pub(super) fn let_from(&mut self, fleet: &Fleet, search: &mut Search<'_>, own: &mut Own<'a>, mut at: Time) -> Next {
        loop {
            while let Some(back) = own.next_if(|back| back.at.max(self.soonest) <= at) {
                self.take_in_early(fleet, back);
            }
            search.ask_shares(self, fleet, at);
            if search.is_let {
                return Next::Stop(at);
            }
            let known = self.ahead.as_ref().and_then(|ahead| ahead.changes_after(at));
            let coming = own.peek().map(|back| back.at.max(self.soonest)).filter(|at| *at < Time::NEVER);
            at = match (known, coming) {
                (None, None) => return Next::Nothing,
                (Some(known), None) => known,
                (Some(known), Some(coming)) if known < coming => known,
                (_, Some(coming)) if self.looked >= RELEASES_MAX => return Next::Cut(coming),
                (_, Some(coming)) => coming,
            };
        }
    }

    /// Looks at all that comes back on a node up to some time, so that what a planned start leaves of it is not told as less
    /// than it is.
    pub(super) fn know(&mut self, fleet: &Fleet, node: NodeId, at: Time) {
        let (releases, soonest) = (self.releases, self.soonest);
        for back in releases.of_node(node).take_while(|back| back.at.max(soonest) <= at) {
            self.take_in_early(fleet, back);
        }
    }

    /// Takes in something that comes back, unless that was done.
    fn take_in_early(&mut self, fleet: &Fleet, back: Return<'_>) {
        let is_past = self.rest.peek().is_none_or(|next| back.key() < next.key());
        if !is_past && self.ahead_of_turn.insert(back.key()) {
            self.take_in(fleet, back);
        }
    }

    /// The places of a gang at a time at which its shares let it. Looks at the first that come back, so that it is not planned where
    /// something is free now and others have left room for somebody else; then no further than it needs, and at nothing that comes
    /// back later.
    pub(super) fn room_at(&mut self, fleet: &Fleet, search: &mut Search<'_>, at: Time) -> Option<Placement> {
        search.catch_up(self, at);
        let mut looks = FIRST_LOOK;
        loop {
            let mut changed = Vec::new();
            for _ in 0..looks {
                if self.looked >= RELEASES_MAX || self.coming().is_none_or(|next| next > at) {
                    break;
                }
                let Some(back) = self.rest.next() else { break };
                self.take_in(fleet, back);
                changed.extend(back.tasks.iter().filter_map(|task| self.places.get(&task.node)));
            }
            let is_all = changed.is_empty();
            search.look_again_at(self, changed, at);
            let found = search.placement(self, fleet, at);
            if found.is_some() || is_all {
                return found;
            }
            looks *= 2;
        }
    }
}
