//! The fabric: which nodes are near each other.
//!
//! What: a tree of domains (rail, leaf, spine; of any depth) over the ready nodes, each with what is free in it. Why domains
//! keep sums: one that is too full is passed over without a look at its nodes. Absent: the choice among them (`spread`).

use crate::Shape;
use crate::capacity::Path;
use crate::rank::{Rank, Sums};
use imbl::{OrdMap, OrdSet};

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
    /// How many ready nodes are in a domain.
    nodes: usize,
}

impl Fabric {
    /// A ready node that has a path is put in.
    pub(crate) fn enter(&mut self, path: &Path, rank: &Rank) {
        self.nodes += usize::from(!path.is_empty());
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
        self.nodes -= usize::from(!path.is_empty());
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

    /// How many ready nodes are in a domain.
    pub(crate) fn nodes(&self) -> usize {
        self.nodes
    }

    /// True where all that is free in a domain is enough for this.
    pub(crate) fn may_fit(&self, path: &Path, shape: &Shape) -> bool {
        self.domains.get(path).is_some_and(|domain| domain.free.may_fit(shape))
    }

    /// The length of the longest path.
    pub(crate) fn depth(&self) -> usize {
        self.domains.keys().map(|path| path.len()).max().unwrap_or(0)
    }

    /// The domains with paths of this length, in order, in which all that is free is enough for the whole gang.
    pub(crate) fn roomy(&self, depth: usize, shape: &Shape) -> impl Iterator<Item = &Path> {
        let level = self.domains.iter().filter(move |(path, _)| path.len() == depth);
        level.filter(|(_, domain)| domain.free.may_fit(shape)).map(|(path, _)| path)
    }

    /// The domains that are in no other, in order.
    pub(crate) fn outermost(&self) -> impl Iterator<Item = &Path> {
        self.domains.keys().filter(|path| path.len() == 1)
    }

    /// The domains right below one, in order.
    pub(crate) fn children(&self, path: &Path) -> Vec<&Path> {
        let below = self.domains.range::<_, Path>(path..).skip(1).map(|(path, _)| path);
        let below = below.take_while(|other| other.starts_with(path));
        below.filter(|other| other.len() == path.len() + 1).collect()
    }

    /// The ready nodes that are in a domain and in none below it.
    pub(crate) fn own(&self, path: &Path) -> Option<&OrdSet<Rank>> {
        self.domains.get(path).map(|domain| &domain.ready)
    }
}

fn prefix(path: &Path, depth: usize) -> Path {
    if depth == path.len() { path.clone() } else { path[..depth].into() }
}
