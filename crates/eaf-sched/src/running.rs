//! What runs and may be stopped for others, and what was told to stop for others.
//!
//! What: leases by class, the worst last, with what each would lose. Why maintained: a pass must see at once that nobody
//! may be stopped, which is so nearly always. Why persistent: a plan and every reader take a copy. Absent: leases that
//! may not be stopped by anybody; nobody need look at them.

use crate::Class;
use eaf_model::{Allotment, LeaseId, Span, Time};
use imbl::{OrdMap, OrdSet};
use std::sync::Arc;

/// A lease that may be stopped for a workload of a better class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evictable {
    /// Which.
    pub lease: LeaseId,
    /// Its workload's class.
    pub class: Class,
    /// Whose it is, where that decides anything.
    pub project: Option<Arc<str>>,
    /// True where its own project may stop it for a better class; else only other projects may, by their shares.
    pub preemptible: bool,
    /// What it holds.
    pub tasks: Arc<[Allotment]>,
    /// How many tasks it needs to start again.
    pub needs: u32,
    /// Accelerators that it holds, in thousandths.
    pub milli: u64,
    /// Since when it runs.
    pub started_at: Time,
    /// Since when its progress would be lost; `None` where it keeps it.
    pub loses_since: Option<Time>,
    /// How long it may take to leave once it is told.
    pub notice: Span,
    /// When it is expected back by itself.
    pub until: Time,
}

impl Evictable {
    /// When it is gone at the latest if it is told now.
    pub(crate) fn gone(&self, now: Time) -> Time {
        now.after(self.notice)
    }
}

/// What stopping something costs; the least goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cost {
    /// Accelerator time that is lost, in thousandths times milliseconds.
    lost: u128,
    /// Accelerator time since the start, lost or not.
    ran: u128,
    leases: usize,
}

impl Cost {
    pub(crate) fn of(lease: &Evictable, now: Time) -> Self {
        let time = |since: Time| u128::from(now.since(since).0) * u128::from(lease.milli);
        Self { lost: lease.loses_since.map_or(0, time), ran: time(lease.started_at), leases: 1 }
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self { lost: self.lost + other.lost, ran: self.ran + other.ran, leases: self.leases + other.leases }
    }

    /// The cost for each task that finds room by it.
    pub(crate) fn per(self, tasks: u32) -> (u128, u128) {
        let tasks = u128::from(tasks.max(1));
        (self.lost / tasks, self.ran / tasks)
    }
}

/// A lease that was told to stop for others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// Whose it is, where that decides anything.
    pub project: Option<Arc<str>>,
    /// What it still holds.
    pub tasks: Arc<[Allotment]>,
    /// How many tasks it needs to start again.
    pub needs: u32,
}

/// Whether its own project may stop a lease, its class, and which it is.
type OfProject = (bool, Class, LeaseId);

/// What may be stopped, and what is stopping for others. A clone is O(1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Running {
    evictable: OrdMap<LeaseId, Arc<Evictable>>,
    by_class: OrdSet<(Class, LeaseId)>,
    /// By project, with those last that it may stop itself, and of those the worst class; none is empty.
    by_project: OrdMap<Option<Arc<str>>, OrdSet<OfProject>>,
    /// Those that were told to stop for others.
    leaving: OrdMap<LeaseId, Leaving>,
}

impl Running {
    /// A lease may be stopped for others. Asserts that it is new.
    pub fn insert(&mut self, lease: Evictable) {
        if lease.preemptible {
            self.by_class.insert((lease.class, lease.lease));
        }
        let of_project = self.by_project.entry(lease.project.clone()).or_default();
        of_project.insert((lease.preemptible, lease.class, lease.lease));
        let old = self.evictable.insert(lease.lease, Arc::new(lease));
        assert!(old.is_none(), "a lease may be stopped once");
    }

    /// A lease is gone, or may not be stopped any more; nothing where it could not be.
    pub fn remove(&mut self, lease: LeaseId) {
        if let Some(old) = self.evictable.remove(&lease) {
            self.by_class.remove(&(old.class, lease));
            if let Some(of_project) = self.by_project.get_mut(&old.project) {
                of_project.remove(&(old.preemptible, old.class, lease));
                if of_project.is_empty() {
                    self.by_project.remove(&old.project);
                }
            }
        }
        self.leaving.remove(&lease);
    }

    /// A lease was told to stop for others.
    pub fn leaves(&mut self, lease: LeaseId, leaving: Leaving) {
        self.leaving.insert(lease, leaving);
    }

    /// A lease that may be stopped.
    pub fn get(&self, lease: LeaseId) -> Option<&Evictable> {
        self.evictable.get(&lease).map(AsRef::as_ref)
    }

    /// True where nothing may be stopped by anybody, and nothing is leaving.
    pub(crate) fn is_idle(&self) -> bool {
        self.leaving.is_empty() && self.evictable.is_empty()
    }

    /// True where nothing of this class, or a better one, gains by a look: nothing worse runs, and nothing is leaving.
    pub(crate) fn is_idle_for(&self, class: Class) -> bool {
        self.leaving.is_empty() && self.by_class.get_max().is_none_or(|(worst, _)| *worst <= class)
    }

    /// Those of a worse class, the worst first.
    pub(crate) fn worse_than(&self, class: Class) -> impl Iterator<Item = &Arc<Evictable>> {
        let worse = self.by_class.iter().rev().take_while(move |(theirs, _)| *theirs > class);
        worse.filter_map(|(_, lease)| self.evictable.get(lease))
    }

    /// Those of a project that it may stop itself for a better class, the worst first.
    pub(crate) fn worse_of(&self, project: Option<&Arc<str>>, class: Class) -> impl Iterator<Item = &Arc<Evictable>> {
        let of_project = self.by_project.get(&project.cloned()).into_iter().flat_map(|leases| leases.iter().rev());
        let worse = of_project.take_while(move |(own, theirs, _)| *own && *theirs > class);
        worse.filter_map(|(.., lease)| self.evictable.get(lease))
    }

    /// True where anything of a project may be stopped by others.
    pub(crate) fn has_of(&self, project: Option<&Arc<str>>) -> bool {
        self.by_project.contains_key(&project.cloned())
    }

    /// Everything that may be stopped by anybody, what was granted last first.
    pub(crate) fn youngest_first(&self) -> impl Iterator<Item = &Arc<Evictable>> {
        self.evictable.values().rev()
    }

    /// True where a lease was told to stop for others, and still holds something.
    pub(crate) fn is_leaving(&self, lease: LeaseId) -> bool {
        self.leaving.contains_key(&lease)
    }

    /// Those that were told to stop for others.
    pub(crate) fn leaving(&self) -> impl Iterator<Item = &Leaving> {
        self.leaving.values()
    }

    /// What those hold that were told to stop for others.
    pub(crate) fn left(&self) -> impl Iterator<Item = &Allotment> {
        self.leaving.values().flat_map(|leaving| leaving.tasks.iter())
    }
}
