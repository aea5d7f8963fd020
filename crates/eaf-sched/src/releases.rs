//! When held capacity is expected back.
//!
//! What: leases that are alive, by the time at which their wall time is over. Why persistent: a plan and every reader
//! take a copy. Absent: what is free now (`Fleet`).

use eaf_model::{Allotment, LeaseId, Time};
use imbl::OrdMap;
use std::sync::Arc;

/// When held capacity is expected back: at `run_until`, or the grant plus the wall time for those not yet running.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Releases {
    by_time: OrdMap<(Time, LeaseId), Held>,
}

/// What a lease holds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    tasks: Arc<[Allotment]>,
    counts: Counts,
}

/// In whose share something counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Of a project, where that decides anything.
    For(Option<Arc<str>>),
    /// It was given back already, though it is still held: it was told to make room.
    NoMore,
}

/// When something comes back, in whose share it counts, and what.
pub(crate) type Return<'a> = (Time, &'a Counts, &'a [Allotment]);

impl Releases {
    /// Nothing is held.
    pub fn new() -> Self {
        Self::default()
    }

    /// A lease is expected to give `tasks` back at `at`. `tasks` are those that the fleet still holds for it: when some
    /// tasks of a gang end before the others, remove the lease and insert it with the rest. Asserts that the lease is new.
    pub fn insert(&mut self, at: Time, lease: LeaseId, tasks: Arc<[Allotment]>, counts: Counts) {
        let old = self.by_time.insert((at, lease), Held { tasks, counts });
        assert!(old.is_none(), "{lease} is expected back once");
    }

    /// It is back, or is expected at another time. Asserts that it was inserted with this time.
    pub fn remove(&mut self, at: Time, lease: LeaseId) {
        let old = self.by_time.remove(&(at, lease));
        assert!(old.is_some(), "{lease} is expected back at {at:?}");
    }

    /// How many leases.
    pub fn len(&self) -> usize {
        self.by_time.len()
    }

    /// True where no lease is alive.
    pub fn is_empty(&self) -> bool {
        self.by_time.is_empty()
    }

    /// By rising time, then by lease.
    pub fn iter(&self) -> impl Iterator<Item = (Time, LeaseId, &Arc<[Allotment]>)> {
        self.by_time.iter().map(|((at, lease), held)| (*at, *lease, &held.tasks))
    }

    /// The same, with what it counts for instead of the lease.
    pub(crate) fn by_project(&self) -> impl Iterator<Item = Return<'_>> {
        self.by_time.iter().map(|((at, _), held)| (*at, &held.counts, held.tasks.as_ref()))
    }
}
