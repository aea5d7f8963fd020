//! Whom to stop so that one that waits can start.
//!
//! What: first whether what is leaving already makes room; then, of the leases of a worse class, a set without which the
//! workload does not fit and of which none can be spared, that loses the least accelerator time. Why no cycles: only a
//! lease that began before this instant is stopped, so that within one instant there are fewer of them with every one
//! that is. Absent: the stop itself, and the start, which follows once they are gone.

mod allowance;
mod standing;
mod victims;

pub(crate) use standing::{Giver, Open, Standing};

use crate::reference::place_by;
use crate::releases::Return;
use crate::running::Evictable;
use crate::shares::{Shares, held_by};
use crate::turns::Turn;
use crate::{Fleet, Shape, Snapshot};
use eaf_model::{LeaseId, NodeId, NodeState, Placement, Span, Time, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use victims::Choice;

/// The most leases that are looked at for one workload, the worst classes first.
const LOOKED_AT_MAX: usize = 4_096;

/// For how long those that leave may hold what they are told to leave, where windows are looked at.
pub(crate) const NOTICE: Span = Span::from_secs(3_600);

/// A workload starts as soon as those are gone that are told, or were told, to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Whose.
    pub workload: WorkloadId,
    /// Who must be told to leave now; empty where enough is leaving already.
    pub victims: Vec<LeaseId>,
    /// Where it will fit.
    pub placement: Placement,
    /// When all who leave there are gone at the latest.
    pub by: Time,
    /// How many grants of the plan go before it.
    pub behind: usize,
    /// How many planned starts of the plan go before it.
    pub beside: usize,
    /// The models of accelerators that shares let it take beside planned starts as well; empty where it named none and may
    /// take any.
    pub models: Vec<String>,
}

/// A claim that can be made.
pub(crate) struct Found {
    pub(crate) claim: Claim,
    /// Who must be told to leave now.
    pub(crate) victims: Vec<Arc<Evictable>>,
    /// What projects have once they are gone.
    pub(crate) without: Shares,
}

/// What is free once everybody is gone who leaves, less what is claimed of it.
pub(crate) struct Soon {
    pub(crate) fleet: Fleet,
    /// Who is told to leave in this pass, and when each is gone at the latest.
    told: BTreeMap<LeaseId, Time>,
}

/// For whom others may stop.
#[derive(Clone, Copy)]
pub(crate) struct Claimant<'a> {
    pub(crate) turn: &'a Turn<'a, 'a>,
    pub(crate) shape: &'a Shape,
    /// The parts of which somebody of its project waits before it who would borrow there.
    pub(crate) borrows: &'a BTreeSet<usize>,
    /// How many grants and planned starts of the plan go before it.
    pub(crate) after: (usize, usize),
    /// True where its share lets it have nothing as long as nobody leaves; `shape` is of one model then.
    pub(crate) is_barred: bool,
}

impl Claimant<'_> {
    /// How it asks for its turn.
    pub(crate) fn standing(&self, shares: &Shares) -> Standing {
        let way = shares.way_up(shares.part_of(self.shape.project.as_deref()));
        Standing { way, asks: self.turn.asks_within.clone(), borrows: self.borrows.clone() }
    }
}

impl Soon {
    /// Before any claim; `fleet` is what is free now.
    pub(crate) fn new(snapshot: &Snapshot, fleet: &Fleet) -> Self {
        let mut fleet = fleet.clone();
        snapshot.running.left().for_each(|task| fleet.release(task));
        Self { fleet, told: BTreeMap::new() }
    }

    /// How a workload that cannot start now would start once others are gone, on nodes other than those of `kept`.
    pub(crate) fn find<'k>(
        &self,
        snapshot: &Snapshot,
        shares: &Shares,
        claimant: Claimant<'_>,
        kept: impl Iterator<Item = &'k NodeId>,
    ) -> Option<Found> {
        let shape = claimant.shape;
        let mut open = self.fleet.clone();
        kept.for_each(|node| open.set_state(*node, NodeState::Cordoned));
        let end = snapshot.now.after(shape.wall).after(NOTICE);
        if let Some(closed) = snapshot.windows.close(&open, shape.project.as_deref(), snapshot.now, end) {
            open = closed;
        }
        let victims = Choice::new(snapshot, shares, Some(&open), claimant).victims(self)?;
        release(&mut open, &victims);
        let placement = place_by(snapshot.placing, &open, shape, &mut 0)?;
        let without = without(snapshot, shares, claimant, &victims)?;
        // A victim may have held what its own project does not lend, and that is then kept for the project again.
        let held = without.amounts(&snapshot.fleet, &placement.tasks);
        if !without.is_empty() && !without.lets(&snapshot.fleet, shape.project.as_deref(), &held) {
            return None;
        }
        let by = self.gone_by(snapshot, &placement).max(victims.iter().map(|lease| lease.gone(snapshot.now)).max());
        let by = by.unwrap_or(snapshot.now).max(snapshot.now);
        let (workload, (behind, beside)) = (claimant.turn.place.workload(), claimant.after);
        let models = shape.task.accelerators.models.clone();
        let told = victims.iter().map(|lease| lease.lease).collect();
        let claim = Claim { workload, victims: told, placement, by, behind, beside, models };
        Some(Found { claim, victims, without })
    }

    /// Who must leave so that the share of a workload lets it start, wherever they are, and what projects have once they are gone.
    pub(crate) fn give_way(
        &self,
        snapshot: &Snapshot,
        shares: &Shares,
        claimant: Claimant<'_>,
    ) -> Option<(Vec<Arc<Evictable>>, Shares)> {
        let victims = Choice::new(snapshot, shares, None, claimant).victims(self)?;
        let without = without(snapshot, shares, claimant, &victims)?;
        Some((victims, without))
    }

    /// A claim is made: it is taken from what is free, and so is what victims hold.
    pub(crate) fn take(&mut self, snapshot: &Snapshot, found: &Found) {
        self.tell(snapshot, &found.victims);
        found.claim.placement.tasks.iter().for_each(|task| self.fleet.hold(task));
    }

    /// These are told to leave.
    pub(crate) fn tell(&mut self, snapshot: &Snapshot, victims: &[Arc<Evictable>]) {
        release(&mut self.fleet, victims);
        self.told.extend(victims.iter().map(|lease| (lease.lease, lease.gone(snapshot.now))));
    }

    /// When one of a node is gone at the latest, where it was told to leave.
    pub(crate) fn gone(&self, snapshot: &Snapshot, back: &Return<'_>) -> Option<Time> {
        let leaves = || snapshot.running.is_leaving(back.lease).then_some(back.at);
        self.told.get(&back.lease).copied().or_else(leaves)
    }

    /// When those are gone at the latest who were told before and leave the nodes of a placement.
    fn gone_by(&self, snapshot: &Snapshot, placement: &Placement) -> Option<Time> {
        let nodes: BTreeSet<NodeId> = placement.tasks.iter().map(|task| task.node).collect();
        let there = nodes.iter().flat_map(|node| snapshot.releases.of_node(*node));
        there.filter_map(|back| self.gone(snapshot, &back)).max()
    }
}

/// What projects have once victims are gone; `None` where one of those would have its turn first once it waits again.
fn without(snapshot: &Snapshot, shares: &Shares, claimant: Claimant<'_>, victims: &[Arc<Evictable>]) -> Option<Shares> {
    let mut without = shares.clone();
    if shares.is_empty() {
        return Some(without);
    }
    for lease in victims {
        without.give_back(lease.project.as_deref(), &held_by(&snapshot.fleet, &lease.tasks));
    }
    let standing = claimant.standing(&without);
    let goes_before = |lease: &Arc<Evictable>| {
        let theirs = Giver::new(&snapshot.fleet, lease.project.as_ref(), &lease.tasks, lease.needs);
        standing.goes_before(&without, &theirs)
    };
    victims.iter().all(goes_before).then_some(without)
}

fn release(fleet: &mut Fleet, leases: &[Arc<Evictable>]) {
    leases.iter().flat_map(|lease| lease.tasks.iter()).for_each(|task| fleet.release(task));
}
