//! Which leases may be stopped for one workload, and how many of them together.
//!
//! What: of its own project those of a worse class; of others what shares give it, booked lease by lease as they are chosen. Why
//! booked by whoever chooses: what a share gives is enough for some of its leases, and only those that are chosen make use of it.
//! Absent: which of them are chosen (`victims`).

use super::{Claimant, LOOKED_AT_MAX, Soon};
use crate::running::Evictable;
use crate::shares::{Less, Room, Shares, held_by};
use crate::{Class, Snapshot};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What may be stopped for one workload.
pub(super) struct Allowance<'a> {
    snapshot: &'a Snapshot,
    shares: &'a Shares,
    claimant: Claimant<'a>,
    class: Class,
    /// By project, what of it may be asked back; `None` of a part of its own share, or of that which its share is a part of.
    rooms: BTreeMap<Option<Arc<str>>, Option<Room>>,
}

/// What was chosen of it so far.
#[derive(Clone, Default)]
pub(super) struct Booked {
    /// What parts have less by it.
    pub(super) less: Less,
    rooms: BTreeMap<usize, Room>,
}

impl<'a> Allowance<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, shares: &'a Shares, claimant: Claimant<'a>) -> Self {
        let class = claimant.turn.place.class(snapshot.queue.order());
        Self { snapshot, shares, claimant, class, rooms: BTreeMap::new() }
    }

    /// Who may be stopped, were it alone: first those of its own project, then those of others, what was granted last first.
    pub(super) fn candidates(&mut self, soon: &Soon) -> Vec<Arc<Evictable>> {
        let snapshot = self.snapshot;
        // Who ends by itself before it would have to be gone gains nobody anything by it.
        let may = |lease: &&Arc<Evictable>| {
            let is_of_use = lease.started_at < snapshot.now && lease.gone(snapshot.now) < lease.until;
            is_of_use && !soon.told.contains_key(&lease.lease)
        };
        if self.shares.is_empty() {
            return snapshot.running.worse_than(self.class).filter(may).take(LOOKED_AT_MAX).cloned().collect();
        }
        let project = self.claimant.shape.project.as_ref();
        let own = snapshot.running.worse_of(project, self.class);
        let others = snapshot.running.youngest_first().filter(|lease| lease.project.as_ref() != project);
        let mut found = Vec::new();
        for lease in own.chain(others).filter(may).take(LOOKED_AT_MAX) {
            if self.book(&mut Booked::default(), lease) {
                found.push(lease.clone());
            }
        }
        found
    }

    /// Books one more; false where it may not be stopped beside those that are booked.
    pub(super) fn book(&mut self, booked: &mut Booked, lease: &Evictable) -> bool {
        if self.shares.is_empty() {
            return true;
        }
        let (project, held) = (lease.project.as_deref(), held_by(&self.snapshot.fleet, &lease.tasks));
        if !self.rooms.contains_key(&lease.project) {
            let Claimant { turn, shape, borrows, .. } = self.claimant;
            let room = self.shares.claim(&self.snapshot.fleet, shape, project, (turn.within, borrows));
            self.rooms.insert(lease.project.clone(), room);
        }
        let may = match &self.rooms[&lease.project] {
            // What a part of its own share has is not its own, nor is what that share has itself the part's.
            None => {
                let of = |project: Option<&str>| self.shares.part_of(project);
                of(project) == of(self.claimant.shape.project.as_deref())
                    && lease.preemptible
                    && lease.class > self.class
            }
            Some(room) => {
                let left = booked.rooms.entry(room.part).or_insert_with(|| room.clone());
                self.shares.is_borrowed_below(room.part, project, &held, &booked.less) && left.takes(&held)
            }
        };
        if may {
            booked.less.add(self.shares, project, &held);
        }
        may
    }
}
