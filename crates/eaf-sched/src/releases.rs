//! When held capacity is expected back.
//!
//! What: leases that are alive, by the time at which their wall time is over, and the same of one project and of one node: of
//! all that comes back, few count for one share or on the nodes of one planned start. Why persistent: a plan and every reader
//! take a copy.
//! Absent: what is free now (`Fleet`).

use eaf_model::{Allotment, LeaseId, NodeId, Time};
use imbl::{OrdMap, OrdSet};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter;
use std::sync::Arc;

/// When a lease is expected back, and which.
type Key = (Time, LeaseId);

/// When held capacity is expected back: at `run_until`, or the grant plus the wall time for those not yet running.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Releases {
    leases: OrdMap<Key, Held>,
    /// Those that count for a project; none is empty.
    projects: OrdMap<Arc<str>, OrdSet<Key>>,
    /// Those that hold something of a node; none is empty.
    nodes: OrdMap<NodeId, OrdSet<Key>>,
}

/// What a lease holds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    tasks: Arc<[Allotment]>,
    counts: Counts,
}

impl Held {
    fn back(&self, (at, lease): Key) -> Return<'_> {
        Return { at, lease, counts: &self.counts, tasks: &self.tasks }
    }
}

/// In whose share something counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Of a project, where that decides anything.
    For(Option<Arc<str>>),
    /// It was given back already, though it is still held: it was told to make room.
    NoMore,
}

/// Something that comes back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Return<'a> {
    pub(crate) at: Time,
    pub(crate) lease: LeaseId,
    pub(crate) counts: &'a Counts,
    pub(crate) tasks: &'a [Allotment],
}

impl Return<'_> {
    /// Its place among all.
    pub(crate) const fn key(&self) -> Key {
        (self.at, self.lease)
    }
}

impl Releases {
    /// Nothing is held.
    pub fn new() -> Self {
        Self::default()
    }

    /// A lease is expected to give `tasks` back at `at`. `tasks` are those that the fleet still holds for it: when some
    /// tasks of a gang end before the others, remove the lease and insert it with the rest. Asserts that the lease is new.
    pub fn insert(&mut self, at: Time, lease: LeaseId, tasks: Arc<[Allotment]>, counts: Counts) {
        if let Counts::For(Some(project)) = &counts {
            self.projects.entry(project.clone()).or_default().insert((at, lease));
        }
        for task in tasks.iter() {
            self.nodes.entry(task.node).or_default().insert((at, lease));
        }
        let old = self.leases.insert((at, lease), Held { tasks, counts });
        assert!(old.is_none(), "{lease} is expected back once");
    }

    /// It is back, or is expected at another time. Asserts that it was inserted with this time.
    pub fn remove(&mut self, at: Time, lease: LeaseId) {
        let old = self.leases.remove(&(at, lease));
        let Held { tasks, counts } = old.unwrap_or_else(|| panic!("{lease} is expected back at {at:?}"));
        if let Counts::For(Some(project)) = counts {
            remove_from(&mut self.projects, &project, (at, lease));
        }
        for task in tasks.iter() {
            remove_from(&mut self.nodes, &task.node, (at, lease));
        }
    }

    /// How many leases.
    pub fn len(&self) -> usize {
        self.leases.len()
    }

    /// True where no lease is alive.
    pub fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    /// By rising time, then by lease.
    pub fn iter(&self) -> impl Iterator<Item = (Time, LeaseId, &Arc<[Allotment]>)> {
        self.leases.iter().map(|((at, lease), held)| (*at, *lease, &held.tasks))
    }

    /// The same, with what each counts for.
    pub(crate) fn returns(&self) -> impl Iterator<Item = Return<'_>> {
        self.leases.iter().map(|(key, held)| held.back(*key))
    }

    /// What counts for one project, by rising time, then by lease.
    pub(crate) fn of_project<'a>(&'a self, project: &str) -> impl Iterator<Item = Return<'a>> + use<'a> {
        self.find(self.projects.get(project))
    }

    /// What holds something of a node, by rising time, then by lease.
    pub(crate) fn of_node(&self, node: NodeId) -> impl Iterator<Item = Return<'_>> {
        self.find(self.nodes.get(&node))
    }

    fn find<'a>(&'a self, keys: Option<&'a OrdSet<Key>>) -> impl Iterator<Item = Return<'a>> + use<'a> {
        let held = |key| self.leases.get(key).expect("what is found by project or node is expected back");
        keys.into_iter().flatten().map(move |key| held(key).back(*key))
    }

    /// The same of several projects at once.
    pub(crate) fn of_projects<'a>(&'a self, projects: &[Arc<str>]) -> impl Iterator<Item = Return<'a>> + use<'a> {
        let mut each: Vec<_> = projects.iter().map(|project| self.of_project(project).peekable()).collect();
        let first =
            |(at, of): (usize, &mut iter::Peekable<_>)| of.peek().map(|next: &Return<'_>| Reverse((next.key(), at)));
        let mut firsts: BinaryHeap<_> = each.iter_mut().enumerate().filter_map(first).collect();
        iter::from_fn(move || {
            let Reverse((_, at)) = firsts.pop()?;
            let found = each[at].next();
            firsts.extend(each[at].peek().map(|next| Reverse((next.key(), at))));
            found
        })
    }
}

fn remove_from<K: Clone + Ord>(map: &mut OrdMap<K, OrdSet<Key>>, of: &K, key: Key) {
    if let Some(keys) = map.get_mut(of) {
        keys.remove(&key);
        if keys.is_empty() {
            map.remove(of);
        }
    }
}
