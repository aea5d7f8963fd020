//! What may be asked back of whom.
//!
//! What: how much of the leases of another project may be stopped for a workload, by what shares give to both; and what parts have
//! less once some are gone. Why apart from what they have now: many sets of leases are tried before one is told to leave, and a
//! copy of all shares for each would cost more than all else.
//! Absent: which leases (`preempt`).

use super::{Amounts, Barred, Shares};
use crate::{Fleet, Shape};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What parts have less than now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Less {
    by_part: BTreeMap<usize, Amounts>,
}

impl Less {
    /// A project has so much less.
    pub(crate) fn add(&mut self, shares: &Shares, project: Option<&str>, held: &Amounts) {
        for at in shares.up(shares.part_of(project)) {
            let less = self.by_part.entry(at).or_default();
            for (model, milli) in held {
                *less.entry(model.clone()).or_default() += milli;
            }
        }
    }

    fn of(&self, at: usize, model: &str) -> u64 {
        self.by_part.get(&at).and_then(|less| less.get(model)).copied().unwrap_or(0)
    }
}

impl Shares {
    /// What keeps a project from taking so much of a model, were there so much less held.
    pub(crate) fn bar_with(
        &self,
        fleet: &Fleet,
        project: Option<&str>,
        (model, ask): (&Arc<str>, u64),
        less: &Less,
    ) -> Option<Barred> {
        let held = |at: usize| self.parts[at].held(model).saturating_sub(less.of(at, model));
        self.bar_over(fleet.ready_of(model), self.part_of(project), model, ask, held)
    }

    /// True where nothing below the part that gives is disturbed within its own guarantee, if a lease of this project goes.
    pub(crate) fn is_borrowed_below(&self, giver: usize, project: Option<&str>, held: &Amounts, less: &Less) -> bool {
        let mut below = self.up(self.part_of(project)).take_while(|at| *at != giver);
        below.all(|at| held.keys().any(|model| self.parts[at].beyond(model) > less.of(at, model)))
    }

    /// How much of the leases of another project may be stopped so that a workload of this shape can start, by model: as long
    /// as that project's part holds more than its guarantee, for one that stays within its own; between two that both borrow,
    /// as long as the one that gives has a lower priority, or of one priority has more for its weight than the one that takes.
    /// `None` for one and the same project. `within` are the parts whose guarantee it stays within, as they gave it its turn;
    /// `borrows` those of which somebody of its project waits before it who would borrow there: it then has its turn by priority
    /// and use alone, and what it is given must not go to the one who gave.
    pub(crate) fn claim(
        &self,
        fleet: &Fleet,
        shape: &Shape,
        other: Option<&str>,
        (within, borrows): (&[usize], &BTreeSet<usize>),
    ) -> Option<Room> {
        let (ours, theirs) = (self.way_up(self.part_of(shape.project.as_deref())), self.way_up(self.part_of(other)));
        let common = ours.iter().rev().zip(theirs.iter().rev()).take_while(|(one, two)| one == two).count();
        let (ours_at, theirs_at) = (ours.len().checked_sub(common + 1)?, theirs.len().checked_sub(common + 1)?);
        let (taker, giver) = (&self.parts[ours[ours_at]], &self.parts[theirs[theirs_at]]);
        let mut by_model = BTreeMap::new();
        let mut used_stays = 0;
        let asks = Self::asks(fleet, shape);
        let mut by_guarantee = ours[..=ours_at].iter().filter(|at| within.contains(at)).peekable();
        let within = by_guarantee.peek().is_some();
        let leads = by_guarantee.any(|at| !borrows.contains(at));
        // Who asks for nothing of a model gets nothing back by it: it would come before the one that gives by no more than a tie.
        for (model, ask) in asks.into_iter().filter(|(_, ask)| *ask > 0) {
            let beyond = giver.beyond(&model);
            // What gives must come after what takes in the turns that follow, or it would go first again once it has given.
            let by_turn = if within && leads { Ordering::Greater } else { taker.priority.cmp(&giver.priority) };
            if by_turn.is_lt() {
                continue;
            }
            if by_turn.is_eq() {
                used_stays = used_stays.max((taker.used + ask).saturating_mul(giver.weight).div_ceil(taker.weight));
            }
            let rule = if within {
                Rule::WhileBeyond
            } else if by_turn.is_gt() {
                // No further than its guarantee, or what was stopped would be within that, and go first.
                Rule::DownTo(0)
            } else {
                let takes = (taker.held(&model) + ask).saturating_sub(taker.limits(&model).guaranteed);
                Rule::DownTo(takes.saturating_mul(giver.weight).div_ceil(taker.weight))
            };
            by_model.insert(model, (beyond, rule));
        }
        Some(Room { part: theirs[theirs_at], by_model, used: giver.used, used_stays })
    }
}

/// What may be taken from one part.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    /// The part that gives, whichever of its projects it is taken from.
    pub(crate) part: usize,
    /// What it holds beyond its guarantee, and how far it may go down.
    by_model: BTreeMap<Arc<str>, (u64, Rule)>,
    /// What it uses, over all models, and how far that may go down where turns go by that.
    used: u64,
    used_stays: u64,
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    /// The next may be stopped while anything is held beyond the guarantee.
    WhileBeyond,
    /// So much beyond the guarantee stays.
    DownTo(u64),
}

impl Room {
    /// True where anything may be taken at all.
    pub(crate) fn is_open(&self) -> bool {
        let may = |(beyond, rule): &(u64, Rule)| match rule {
            Rule::WhileBeyond => *beyond > 0,
            Rule::DownTo(stays) => beyond > stays,
        };
        self.by_model.values().any(may)
    }

    /// Takes a lease out of the room; false where it may not be stopped, or holds nothing that would help.
    pub(crate) fn takes(&mut self, held: &Amounts) -> bool {
        let helps = held.keys().any(|model| self.by_model.contains_key(model));
        let may = held.iter().all(|(model, milli)| {
            let left = |has: u64, stays: u64| has.checked_sub(*milli).is_some_and(|left| left >= stays);
            match self.by_model.get(model) {
                None => true,
                Some((beyond, Rule::WhileBeyond)) => {
                    *beyond > 0 && (self.used_stays == 0 || left(self.used, self.used_stays))
                }
                Some((beyond, Rule::DownTo(stays))) => left(*beyond, *stays) && left(self.used, self.used_stays),
            }
        });
        if helps && may {
            self.used = self.used.saturating_sub(held.values().sum());
            for (model, milli) in held {
                if let Some((beyond, _)) = self.by_model.get_mut(model) {
                    *beyond = beyond.saturating_sub(*milli);
                }
            }
        }
        helps && may
    }
}
