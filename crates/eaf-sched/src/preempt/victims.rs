//! Which leases are stopped for one workload.
//!
//! What: a set without which it does not fit, or its share does not let it, and of which none can be spared; the one that loses
//! the least accelerator time. Absent: which may be stopped at all (`allowance`).

use super::allowance::{Allowance, Booked};
use super::{Claimant, Soon, release};
use crate::reference::place_by;
use crate::running::{Cost, Evictable};
use crate::shares::{Barred, Less, Shares, held_by};
use crate::{Fleet, Shape, Snapshot};
use eaf_model::{LeaseId, NodeId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Leases by the nodes that they hold something of.
type OnNode = BTreeMap<NodeId, Vec<Arc<Evictable>>>;

/// The choice of victims for one workload.
pub(super) struct Choice<'a> {
    snapshot: &'a Snapshot,
    shares: &'a Shares,
    /// What is free, or will be; `None` where its share alone keeps it from starting.
    open: Option<&'a Fleet>,
    claimant: Claimant<'a>,
    shape: &'a Shape,
    allowance: Allowance<'a>,
}

impl<'a> Choice<'a> {
    pub(super) fn new(
        snapshot: &'a Snapshot,
        shares: &'a Shares,
        open: Option<&'a Fleet>,
        claimant: Claimant<'a>,
    ) -> Self {
        let allowance = Allowance::new(snapshot, shares, claimant);
        Self { snapshot, shares, open, claimant, shape: claimant.shape, allowance }
    }

    /// Whom to stop; nobody where enough is leaving already.
    pub(super) fn victims(mut self, soon: &Soon) -> Option<Vec<Arc<Evictable>>> {
        if self.does_without(&[]) {
            return Some(Vec::new());
        }
        let candidates = self.allowance.candidates(soon);
        let mut chosen = if self.fits_without(&[]) {
            Vec::new()
        } else {
            let mut on_node = OnNode::new();
            for lease in &candidates {
                let nodes: BTreeSet<NodeId> = lease.tasks.iter().map(|task| task.node).collect();
                for node in nodes {
                    on_node.entry(node).or_default().push(lease.clone());
                }
            }
            if self.shape.tasks == 1 { self.on_one_node(&on_node) } else { self.on_many(&on_node) }?
        };
        if self.claimant.is_barred {
            self.open_share(&mut chosen, candidates)?;
        }
        Some(self.spared(chosen))
    }

    fn cost(&self, lease: &Evictable) -> Cost {
        Cost::of(lease, self.snapshot.now)
    }

    fn fits_without(&self, leases: &[Arc<Evictable>]) -> bool {
        let Some(mut fleet) = self.open.cloned() else { return true };
        release(&mut fleet, leases);
        place_by(self.snapshot.placing, &fleet, self.shape, &mut 0).is_some()
    }

    /// True where it fits without these, and its share lets it.
    fn does_without(&self, leases: &[Arc<Evictable>]) -> bool {
        let mut less = Less::default();
        if self.claimant.is_barred {
            for lease in leases {
                less.add(self.shares, lease.project.as_deref(), &held_by(&self.snapshot.fleet, &lease.tasks));
            }
        }
        (!self.claimant.is_barred || self.bar(&less).is_none()) && self.fits_without(leases)
    }

    /// What keeps it from having what it asks for, were there so much less.
    fn bar(&self, less: &Less) -> Option<Barred> {
        let asks = Shares::asks(&self.snapshot.fleet, self.shape);
        let project = self.shape.project.as_deref();
        asks.iter().find_map(|(model, ask)| self.shares.bar_with(&self.snapshot.fleet, project, (model, *ask), less))
    }

    /// Adds the cheapest of a share that is at its maximum until it is not.
    fn open_share(&mut self, chosen: &mut Vec<Arc<Evictable>>, mut candidates: Vec<Arc<Evictable>>) -> Option<()> {
        let mut booked = Booked::default();
        for lease in &*chosen {
            self.allowance.book(&mut booked, lease);
        }
        candidates.retain(|lease| !chosen.iter().any(|other| other.lease == lease.lease));
        candidates.sort_by_key(|lease| (self.cost(lease), Reverse(lease.lease)));
        let mut candidates = candidates.into_iter();
        while let Some(barred) = self.bar(&booked.less) {
            let share = barred.share?;
            let lease = candidates.find(|lease| {
                let mut way = self.shares.up(self.shares.part_of(lease.project.as_deref()));
                let is_of_it = way.any(|at| self.shares.parts()[at].name() == Some(&share));
                is_of_it && self.allowance.book(&mut booked, lease)
            })?;
            chosen.push(lease);
        }
        Some(())
    }

    /// The cheapest set on any one node.
    fn on_one_node(&mut self, on_node: &OnNode) -> Option<Vec<Arc<Evictable>>> {
        let mut best = None;
        for (node, leases) in on_node {
            let mut leases = leases.clone();
            leases.sort_by_key(|lease| (self.cost(lease), Reverse(lease.lease)));
            let mut set = self.on_this_node(*node, &leases);
            if set.is_none() {
                // What may be stopped of a share may be used up by small ones that do not help.
                leases.sort_by_key(|lease| (Reverse(lease.milli), self.cost(lease), Reverse(lease.lease)));
                set = self.on_this_node(*node, &leases);
            }
            let Some(set) = set else { continue };
            let cost = set.iter().fold(Cost::default(), |sum, lease| sum.plus(self.cost(lease)));
            let key = (cost, youngest(&set));
            if best.as_ref().is_none_or(|(least, _)| key < *least) {
                best = Some((key, set));
            }
        }
        best.map(|(_, set)| set)
    }

    /// The first of these that make room on a node, without those that can be spared.
    fn on_this_node(&mut self, node: NodeId, leases: &[Arc<Evictable>]) -> Option<Vec<Arc<Evictable>>> {
        let mut capacity = self.open?.get(node)?.clone();
        let task = &self.shape.task;
        let (mut chosen, mut booked) = (Vec::new(), Booked::default());
        let mut rest = leases.iter();
        while capacity.room(task) == 0 {
            let lease = rest.find(|lease| self.allowance.book(&mut booked, lease))?;
            lease.tasks.iter().filter(|task| task.node == node).for_each(|task| capacity.release(task));
            chosen.push(lease.clone());
        }
        // The last are spared first: the dearest, as a rule.
        for at in (0..chosen.len()).rev() {
            let mut without = capacity.clone();
            chosen[at].tasks.iter().filter(|task| task.node == node).for_each(|task| without.hold(task));
            if without.room(task) > 0 {
                capacity = without;
                chosen.remove(at);
            }
        }
        Some(chosen)
    }

    /// Node by node, those first where a task costs the least, until the gang fits.
    fn on_many(&mut self, on_node: &OnNode) -> Option<Vec<Arc<Evictable>>> {
        let mut nodes = Vec::new();
        for (node, leases) in on_node {
            let gain = self.gain(*node, leases.iter());
            let cost = leases.iter().fold(Cost::default(), |sum, lease| sum.plus(self.cost(lease)));
            if gain > 0 {
                nodes.push(((cost.per(gain), youngest(leases)), *node, leases));
            }
        }
        nodes.sort_by_key(|(key, node, _)| (*key, *node));
        let (mut leases, mut booked) = (Vec::new(), Booked::default());
        let mut seen = BTreeSet::new();
        for (_, node, here) in nodes {
            let mut with = booked.clone();
            let may = |lease: &&Arc<Evictable>| seen.contains(&lease.lease) || self.allowance.book(&mut with, lease);
            let may: Vec<_> = here.iter().filter(may).collect();
            // What shares give is not spent where it makes no room.
            if self.gain(node, may.iter().copied()) > 0 {
                booked = with;
                leases.extend(may.into_iter().filter(|lease| seen.insert(lease.lease)).cloned());
            }
        }
        if !self.fits_without(&leases) {
            return None;
        }
        // The more are gone the more fits, so the shortest beginning that will do is found by halving.
        let (mut short, mut enough) = (0, leases.len());
        while short + 1 < enough {
            let middle = usize::midpoint(short, enough);
            if self.fits_without(&leases[..middle]) {
                enough = middle;
            } else {
                short = middle;
            }
        }
        leases.truncate(enough);
        Some(leases)
    }

    /// How many more tasks would find room on a node without these.
    fn gain<'l>(&self, node: NodeId, leases: impl Iterator<Item = &'l Arc<Evictable>>) -> u32 {
        let Some(before) = self.open.and_then(|open| open.get(node)) else { return 0 };
        let mut capacity = before.clone();
        let here = leases.flat_map(|lease| lease.tasks.iter()).filter(|task| task.node == node);
        here.for_each(|task| capacity.release(task));
        let room = |of: &crate::NodeCapacity| of.room(&self.shape.task).min(self.shape.tasks_on_a_node());
        room(&capacity) - room(before)
    }

    /// None of the set can be spared, the dearest least of all. They stay in the order in which they were booked: what a share
    /// gives may be enough for all of them in that order alone.
    fn spared(&self, chosen: Vec<Arc<Evictable>>) -> Vec<Arc<Evictable>> {
        let mut dearest = chosen.clone();
        dearest.sort_by_key(|lease| Reverse((self.cost(lease), Reverse(lease.lease))));
        let mut kept = chosen;
        for lease in dearest {
            let without: Vec<_> = kept.iter().filter(|other| other.lease != lease.lease).cloned().collect();
            if self.does_without(&without) {
                kept = without;
            }
        }
        kept
    }
}

/// Of what costs the same, what was granted last goes first.
fn youngest(leases: &[Arc<Evictable>]) -> Option<Reverse<LeaseId>> {
    leases.iter().map(|lease| Reverse(lease.lease)).min()
}
