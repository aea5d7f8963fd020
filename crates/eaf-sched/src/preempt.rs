//! Whom to stop so that one that waits can start.
//!
//! What: first whether what is leaving already makes room; then, of the leases of a worse class, a set without which the
//! workload does not fit and of which none can be spared, that loses the least accelerator time. Why no cycles: only a
//! lease that began before this instant is stopped, so that within one instant there are fewer of them with every one
//! that is. Absent: the stop itself, and the start, which follows once they are gone.

use crate::reference::place_by;
use crate::running::{Cost, Evictable};
use crate::shares::{Asker, Room, Shares, held_by};
use crate::turns::Turn;
use crate::{Fleet, Shape, Snapshot};
use eaf_model::{LeaseId, NodeId, NodeState, Placement, Span, WorkloadId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
    /// How many grants of the plan go before it.
    pub behind: usize,
    /// The models of accelerators that shares let it take beside planned starts as well; empty where it named none and may
    /// take any.
    pub models: Vec<String>,
}

/// What is free once everybody is gone who leaves, less what is claimed of it.
pub(crate) struct Soon {
    pub(crate) fleet: Fleet,
    told: BTreeSet<LeaseId>,
}

/// For whom others may stop.
#[derive(Clone, Copy)]
pub(crate) struct Claimant<'a> {
    pub(crate) turn: &'a Turn<'a, 'a>,
    pub(crate) shape: &'a Shape,
    /// The parts of which somebody of its project waits before it who would borrow there.
    pub(crate) borrows: &'a BTreeSet<usize>,
}

impl Soon {
    /// Before any claim; `fleet` is what is free now.
    pub(crate) fn new(snapshot: &Snapshot, fleet: &Fleet) -> Self {
        let mut fleet = fleet.clone();
        snapshot.running.leaving().flat_map(|tasks| tasks.iter()).for_each(|task| fleet.release(task));
        Self { fleet, told: BTreeSet::new() }
    }

    /// A claim for a workload that does not fit now, on nodes other than those of `kept`; it is taken from what is free, and
    /// what victims held from their shares.
    pub(crate) fn claim<'k>(
        &mut self,
        snapshot: &Snapshot,
        shares: &mut Shares,
        behind: usize,
        claimant: Claimant<'_>,
        kept: impl Iterator<Item = &'k NodeId>,
    ) -> Option<Claim> {
        let shape = claimant.shape;
        let mut open = self.fleet.clone();
        kept.for_each(|node| open.set_state(*node, NodeState::Cordoned));
        let end = snapshot.now.after(shape.wall).after(NOTICE);
        if let Some(closed) = snapshot.windows.close(&open, shape.project.as_deref(), snapshot.now, end) {
            open = closed;
        }
        let fits = |fleet: &Fleet| place_by(snapshot.placing, fleet, shape, &mut 0);
        let mut victims = Vec::new();
        let placement = if let Some(placement) = fits(&open) {
            placement
        } else {
            let worse = self.candidates(snapshot, shares, claimant);
            victims = Choice { snapshot, open: &open, shape, worse: &worse }.victims()?;
            release(&mut open, &victims);
            fits(&open)?
        };
        if !shares.is_empty() {
            let mut without = shares.clone();
            for lease in &victims {
                without.give_back(lease.project.as_deref(), &held_by(&snapshot.fleet, &lease.tasks));
            }
            // A victim may have held what its own project does not lend, and that is then kept for the project again.
            if !without.lets(&snapshot.fleet, shape.project.as_deref(), &held_by(&snapshot.fleet, &placement.tasks)) {
                return None;
            }
            if !victims.iter().all(|lease| goes_before(snapshot, &without, claimant, lease)) {
                return None;
            }
            *shares = without;
        }
        release(&mut self.fleet, &victims);
        placement.tasks.iter().for_each(|task| self.fleet.hold(task));
        let victims: Vec<LeaseId> = victims.iter().map(|lease| lease.lease).collect();
        self.told.extend(&victims);
        let models = shape.task.accelerators.models.clone();
        Some(Claim { workload: claimant.turn.place.workload(), victims, placement, behind, models })
    }

    /// Who may be stopped for a workload: of its own project a worse class, and of others what shares give it.
    fn candidates(&self, snapshot: &Snapshot, shares: &Shares, claimant: Claimant<'_>) -> Vec<Arc<Evictable>> {
        let Claimant { turn, shape, borrows } = claimant;
        let class = turn.place.class(snapshot.queue.order());
        let may = |lease: &&Arc<Evictable>| lease.started_at < snapshot.now && !self.told.contains(&lease.lease);
        if shares.is_empty() {
            return snapshot.running.worse_than(class).filter(may).take(LOOKED_AT_MAX).cloned().collect();
        }
        let mut rooms: BTreeMap<usize, Room> = BTreeMap::new();
        // What everybody has once those are gone who were found.
        let mut left = shares.clone();
        let mut found = Vec::new();
        for lease in snapshot.running.youngest_first().filter(may).take(LOOKED_AT_MAX) {
            let is_given = match shares.claim(&snapshot.fleet, shape, lease.project.as_deref(), (turn.within, borrows))
            {
                // What a part of its own share has is not its own, nor is what that share has itself the part's.
                None => {
                    let of = |project: &Option<Arc<str>>| shares.part_of(project.as_deref());
                    of(&lease.project) == of(&shape.project) && lease.preemptible && lease.class > class
                }
                Some(room) => {
                    let (project, held) = (lease.project.as_deref(), held_by(&snapshot.fleet, &lease.tasks));
                    let room = rooms.entry(room.part).or_insert(room);
                    let is_given = left.is_borrowed_below(room.part, project, &held) && room.takes(&held);
                    if is_given {
                        left.give_back(project, &held);
                    }
                    is_given
                }
            };
            if is_given {
                found.push(lease.clone());
            }
        }
        found
    }
}

/// True where a claimant has its turn before one that made room for it and waits again, or both are of one part: else what was made
/// would go back to who made it, and be made again.
fn goes_before(snapshot: &Snapshot, without: &Shares, claimant: Claimant<'_>, victim: &Evictable) -> bool {
    let held = held_by(&snapshot.fleet, &victim.tasks);
    let ways = [claimant.shape.project.as_deref(), victim.project.as_deref()];
    let [ours, theirs] = ways.map(|project| without.way_up(without.part_of(project)));
    if ours[0] == theirs[0] {
        return true;
    }
    let by_guarantee = without.within(ours[0], claimant.turn.asks_within);
    let by_guarantee: Vec<usize> = by_guarantee.filter(|at| !claimant.borrows.contains(at)).collect();
    let within: Vec<usize> = without.within(theirs[0], &held).collect();
    let askers =
        vec![Asker { line: 0, way: &ours, within: &by_guarantee }, Asker { line: 1, way: &theirs, within: &within }];
    without.next_of(askers).iter().any(|first| first.line == 0)
}

fn release(fleet: &mut Fleet, leases: &[Arc<Evictable>]) {
    leases.iter().flat_map(|lease| lease.tasks.iter()).for_each(|task| fleet.release(task));
}

/// The choice of victims for one workload.
struct Choice<'a> {
    snapshot: &'a Snapshot,
    /// What is free, or will be.
    open: &'a Fleet,
    shape: &'a Shape,
    worse: &'a [Arc<Evictable>],
}

impl Choice<'_> {
    fn victims(&self) -> Option<Vec<Arc<Evictable>>> {
        let mut on_node: BTreeMap<NodeId, Vec<&Arc<Evictable>>> = BTreeMap::new();
        for lease in self.worse {
            let nodes: BTreeSet<NodeId> = lease.tasks.iter().map(|task| task.node).collect();
            for node in nodes {
                on_node.entry(node).or_default().push(lease);
            }
        }
        let found = if self.shape.tasks == 1 { self.on_one_node(&on_node) } else { self.on_many(&on_node) }?;
        Some(self.spared(found))
    }

    fn cost(&self, lease: &Evictable) -> Cost {
        Cost::of(lease, self.snapshot.now)
    }

    fn fits_without(&self, leases: &[Arc<Evictable>]) -> bool {
        let mut fleet = self.open.clone();
        release(&mut fleet, leases);
        place_by(self.snapshot.placing, &fleet, self.shape, &mut 0).is_some()
    }

    /// The cheapest set on any one node.
    fn on_one_node(&self, on_node: &BTreeMap<NodeId, Vec<&Arc<Evictable>>>) -> Option<Vec<Arc<Evictable>>> {
        let sets = on_node.iter().filter_map(|(node, leases)| {
            let mut capacity = self.open.get(*node)?.clone();
            let mut leases = leases.clone();
            leases.sort_by_key(|lease| (self.cost(lease), Reverse(lease.lease)));
            let mut chosen = Vec::new();
            let mut rest = leases.into_iter();
            while capacity.room(&self.shape.task) == 0 {
                let lease = rest.next()?;
                lease.tasks.iter().filter(|task| task.node == *node).for_each(|task| capacity.release(task));
                chosen.push(lease);
            }
            // The dearest is spared first.
            for at in (0..chosen.len()).rev() {
                let mut without = capacity.clone();
                chosen[at].tasks.iter().filter(|task| task.node == *node).for_each(|task| without.hold(task));
                if without.room(&self.shape.task) > 0 {
                    capacity = without;
                    chosen.remove(at);
                }
            }
            let cost = chosen.iter().fold(Cost::default(), |sum, lease| sum.plus(self.cost(lease)));
            Some((cost, *node, chosen))
        });
        let (.., chosen) = sets.min_by_key(|(cost, node, _)| (*cost, *node))?;
        Some(chosen.into_iter().cloned().collect())
    }

    /// Node by node, those first where a task costs the least, until the gang fits.
    fn on_many(&self, on_node: &BTreeMap<NodeId, Vec<&Arc<Evictable>>>) -> Option<Vec<Arc<Evictable>>> {
        let most = self.shape.tasks_on_a_node();
        let mut nodes = Vec::new();
        for (node, leases) in on_node {
            let Some(before) = self.open.get(*node) else { continue };
            let mut capacity = before.clone();
            let here = leases.iter().flat_map(|lease| lease.tasks.iter()).filter(|task| task.node == *node);
            here.for_each(|task| capacity.release(task));
            let room = |node: &crate::NodeCapacity| node.room(&self.shape.task).min(most);
            let gain = room(&capacity) - room(before);
            let cost = leases.iter().fold(Cost::default(), |sum, lease| sum.plus(self.cost(lease)));
            if gain > 0 {
                nodes.push((cost.per(gain), *node, leases));
            }
        }
        nodes.sort_by_key(|(cost, node, _)| (*cost, *node));
        let mut seen = BTreeSet::new();
        let in_turn = nodes.into_iter().flat_map(|(.., leases)| leases.iter().copied());
        let leases: Vec<_> = in_turn.filter(|lease| seen.insert(lease.lease)).cloned().collect();
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
        Some(leases[..enough].to_vec())
    }

    /// None of the set can be spared, the dearest least of all.
    fn spared(&self, mut chosen: Vec<Arc<Evictable>>) -> Vec<Arc<Evictable>> {
        chosen.sort_by_key(|lease| (self.cost(lease), Reverse(lease.lease)));
        for at in (0..chosen.len()).rev() {
            let spared = chosen.remove(at);
            if !self.fits_without(&chosen) {
                chosen.insert(at, spared);
            }
        }
        chosen
    }
}
