//! The fabric: which nodes are near each other.
//!
//! What: a tree of domains (rail, leaf, spine; of any depth) over the ready nodes, each with what is free in it, and the
//! choice of nodes for a gang that one node cannot hold: the deepest domain that has room for all of it, the tightest of
//! those, and within it as few as possible of the next, and so on down; ranks follow the tree. Why domains keep sums:
//! one that is too full is passed over without a look at its nodes. Absent: gangs on fleets of which no fabric is known.

use crate::Shape;
use crate::fleet::{Rank, Sums};
use crate::place::{candidates, choose};
use eaf_model::NodeId;
use imbl::{OrdMap, OrdSet};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The domains that a node is in, outermost first.
pub(crate) type Path = Arc<[String]>;

/// What is ready in one domain.
#[derive(Clone, Debug, Default, PartialEq)]
struct Domain {
    /// How many ready nodes are in it or below it.
    nodes: u32,
    /// What is free on them together.
    free: Sums,
    /// The ready nodes that are in it and in none below it.
    ready: OrdSet<Rank>,
}

/// The tree of domains. Domains without a ready node are not in it. A clone is O(1).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fabric {
    /// By path: a domain stands before those in it, and they stand together.
    domains: OrdMap<Path, Domain>,
}

impl Fabric {
    /// A ready node that has a path is put in.
    pub(crate) fn enter(&mut self, path: &Path, rank: &Rank) {
        for depth in 1..=path.len() {
            let domain = self.domains.entry(prefix(path, depth)).or_default();
            domain.nodes += 1;
            domain.free.add(rank);
            if depth == path.len() {
                domain.ready.insert(rank.clone());
            }
        }
    }

    /// It is taken out again.
    pub(crate) fn leave(&mut self, path: &Path, rank: &Rank) {
        for depth in 1..=path.len() {
            let key = prefix(path, depth);
            let domain = self.domains.get_mut(&key).expect("a ready node is in its domains");
            domain.nodes -= 1;
            domain.free.subtract(rank);
            if depth == path.len() {
                assert!(domain.ready.remove(rank).is_some(), "{} has its place in its domain", rank.node);
            }
            if domain.nodes == 0 {
                self.domains.remove(&key);
            }
        }
    }

    /// True where no ready node has a fabric.
    pub(crate) fn is_empty(&self) -> bool {
        self.domains.is_empty()
    }

    /// Nodes for a gang, each with its number of tasks, in rank order. `loose` are the ready nodes of which no fabric is
    /// known. `None` where there is no room for all tasks.
    pub(crate) fn choose(&self, shape: &Shape, loose: &OrdSet<Rank>, looks: &mut u32) -> Option<Vec<(NodeId, u32)>> {
        let mut rooms = Rooms { fabric: self, shape, known: BTreeMap::new(), looks };
        let depths = self.domains.keys().map(|path| path.len()).max().unwrap_or(0);
        for depth in (1..=depths).rev() {
            let level = self.domains.iter().filter(|(path, domain)| path.len() == depth && domain.free.may_fit(shape));
            let fitting = level.map(|(path, _)| (rooms.of(path), path));
            let tightest = fitting.filter(|(room, _)| *room >= u64::from(shape.tasks)).min();
            if let Some((_, path)) = tightest {
                return Some(rooms.take(path, shape.tasks));
            }
        }
        rooms.take_across(loose)
    }
}

fn prefix(path: &Path, depth: usize) -> Path {
    if depth == path.len() { path.clone() } else { path[..depth].into() }
}

/// How many tasks of a gang each domain could take; reckoned once a choice.
struct Rooms<'a, 'l> {
    fabric: &'a Fabric,
    shape: &'a Shape,
    known: BTreeMap<&'a Path, u64>,
    looks: &'l mut u32,
}

impl<'a> Rooms<'a, '_> {
    /// Tasks that a domain could take.
    fn of(&mut self, path: &'a Path) -> u64 {
        if let Some(room) = self.known.get(path) {
            return *room;
        }
        let mut room = self.own(path);
        for child in self.children(path) {
            room += self.of(child);
        }
        self.known.insert(path, room);
        room
    }

    /// Tasks that the nodes could take that are in a domain and in none below it.
    fn own(&mut self, path: &Path) -> u64 {
        self.fabric.domains.get(path).map_or(0, |domain| room_of(&domain.ready, self.shape, self.looks))
    }

    /// The domains right below one, in order.
    fn children(&self, path: &Path) -> Vec<&'a Path> {
        let below = self.fabric.domains.range::<_, Path>(path..).skip(1);
        let below = below.map(|(path, _)| path).take_while(|other| other.starts_with(path));
        below.filter(|other| other.len() == path.len() + 1).collect()
    }

    /// Takes so many tasks, for which there is room, in a domain.
    fn take(&mut self, path: &'a Path, tasks: u32) -> Vec<(NodeId, u32)> {
        let children = self.children(path);
        let own = self.fabric.domains.get(path).map(|domain| &domain.ready).filter(|ready| !ready.is_empty());
        self.divide(&children, own, tasks).expect("a domain with room takes its tasks")
    }

    /// Takes the gang across the outermost domains, and from nodes without any.
    fn take_across(&mut self, loose: &'a OrdSet<Rank>) -> Option<Vec<(NodeId, u32)>> {
        let outermost: Vec<&Path> = self.fabric.domains.keys().filter(|path| path.len() == 1).collect();
        self.divide(&outermost, Some(loose), self.shape.tasks)
    }

    /// Divides tasks among domains and, as one more of them, nodes that stand beside these: the roomiest until one takes
    /// the rest, and for the rest the tightest.
    fn divide(
        &mut self,
        domains: &[&'a Path],
        beside: Option<&OrdSet<Rank>>,
        tasks: u32,
    ) -> Option<Vec<(NodeId, u32)>> {
        let mut parts: Vec<(u64, Option<&'a Path>)> = domains.iter().map(|path| (self.of(path), Some(*path))).collect();
        parts.extend(beside.map(|ready| (room_of(ready, self.shape, self.looks), None)));
        parts.retain(|(room, _)| *room > 0);
        parts.sort_by_key(|(room, path)| (Reverse(*room), *path));
        let mut chosen = Vec::new();
        let mut left = tasks;
        for (index, (room, part)) in parts.iter().enumerate() {
            let (mut part, mut taken) = (*part, left);
            if let Some(room) = u32::try_from(*room).ok().filter(|room| *room < left) {
                taken = room;
            } else {
                let enough = parts[index..].iter().take_while(|(room, _)| *room >= u64::from(left));
                (_, part) = *enough.min().expect("the roomiest is enough");
            }
            match (part, beside) {
                (Some(path), _) => chosen.extend(self.take(path, taken)),
                (None, Some(ready)) => chosen.extend(choose(candidates(ready, self.shape, taken, self.looks), taken)?),
                (None, None) => {}
            }
            left -= taken;
            if left == 0 {
                return Some(chosen);
            }
        }
        None
    }
}

/// How many tasks these nodes could take together.
fn room_of(ready: &OrdSet<Rank>, shape: &Shape, looks: &mut u32) -> u64 {
    let most = shape.tasks_on_a_node();
    let mut room = 0;
    let mut from = Rank::at_least(
        shape.task.accelerators.share.saturating_mul(u64::from(shape.task.accelerators.count)),
        shape.task.cpu,
        shape.task.memory,
    );
    while let Some(rank) = ready.get_next(&from) {
        *looks += 1;
        from = rank.last_alike();
        let tasks = u64::from(rank.parts().tasks(&shape.task).min(most));
        if tasks > 0 {
            room += tasks * ready.range::<_, Rank>(rank..=&from).count() as u64;
        }
    }
    room
}
