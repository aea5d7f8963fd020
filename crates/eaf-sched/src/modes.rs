//! When an accelerator changes its mode, and which.
//!
//! What: looks at those who still wait behind a pass, and proposes changes that let them start: of empty accelerators,
//! where that is sooner than what is expected back; and of those that are emptied first, where nothing that is expected back
//! ever helps. Why a step of its own behind the pass: what fits as things are goes first, and a change is only for what is
//! left. Why drains: without them a slice could wait for ever on a fleet that is always busy in another mode, and whole work
//! on one that is always busy with slices. One drain at a time towards a mode: more would empty a fleet on a guess.
//! Absent: carrying a change out, and choosing for anyone who does not wait.

use crate::cuts::offered;
use crate::order::Place;
use crate::place::fit;
use crate::rank::Rank;
use crate::timeline::{Forecast, RELEASES_MAX, Timeline};
use crate::{Fleet, Hold, NodeCapacity, Plan, Queue, Shape, Snapshot};
use eaf_model::{
    AcceleratorRequest, Allotment, NodeId, PartitionMode, Passing, Placement, Span, Time, WHOLE_MODE, WorkloadId,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The most waiting workloads that one step looks at.
const WORKLOADS_MAX: usize = 256;
/// The most nodes that are tried for one of them.
const NODES_MAX: usize = 64;
/// The most times at which a drain is tried to be over.
const DRAIN_TRIES_MAX: usize = 1_024;
/// The most nodes that are looked at to find those.
const NODES_SEEN_MAX: usize = 4_096;

/// What a step of changes works with.
#[derive(Clone, Copy, Debug)]
pub struct ModeRules {
    /// How long a change is expected to take.
    pub change: Span,
    /// The most accelerators whose change one step begins.
    pub changes_max: u32,
}

/// A change that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnderWay {
    /// The node.
    pub node: NodeId,
    /// Which accelerator.
    pub accelerator: u16,
    /// The mode that it is to have.
    pub to: String,
    /// Whom it is for; `None` where an operator ordered it.
    pub workload: Option<WorkloadId>,
    /// True while something is held on it.
    pub draining: bool,
}

/// Accelerators of a node should change their mode, together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeChange {
    /// The node.
    pub node: NodeId,
    /// Which, by rising index.
    pub accelerators: Vec<u16>,
    /// The mode that they are to have.
    pub to: String,
    /// Whom it is for.
    pub workload: WorkloadId,
    /// When they are expected to be empty; `None` where they are.
    pub drained_at: Option<Time>,
}

/// Proposes changes for those who wait behind a pass. `snapshot` is what the pass has left, `plan` what it promised and for whom
/// others stop: neither is changed under those who count on it.
/// O(1) where nothing can be cut; else at most some hundred placements, and one look at what is expected back for each
/// workload that no empty accelerator helps.
pub fn modes(snapshot: &Snapshot, plan: &Plan, under_way: &[UnderWay], rules: ModeRules) -> Vec<ModeChange> {
    let may_change = snapshot.fleet.can_be_cut() || snapshot.fleet.cut_nodes().next().is_some();
    if snapshot.queue.is_empty() || !may_change {
        return Vec::new();
    }
    let mut trial = snapshot.fleet.clone();
    for change in under_way {
        trial.imagine(change.node, change.accelerator, &change.to);
    }
    let changing = under_way.iter().map(|change| (change.node, change.accelerator));
    let taken = changing.chain(plan.claims.iter().flat_map(|claim| boards_of(&claim.placement))).collect();
    let drains = under_way.iter().filter(|change| change.draining);
    let drained = drains.map(|change| (change.node, change.accelerator, change.to.clone())).collect();
    let mut step = Step {
        snapshot,
        rules,
        promised: promised(&snapshot.queue, &plan.holds),
        turn: None,
        trial,
        taken,
        drained,
        served: Served::of(snapshot, plan, under_way),
        counted_on: BTreeSet::new(),
        changes: Vec::new(),
        looks: 0,
        timeline: Timeline::new(&snapshot.releases, snapshot.now),
    };
    let mut walk = snapshot.queue.walk(snapshot.shapes_max);
    let mut looked = 0;
    while looked < WORKLOADS_MAX && step.may_go_on() {
        let Some((turn, shape)) = walk.next() else { break };
        step.turn = Some(turn);
        if step.concerns(&shape.task.accelerators) {
            looked += 1;
            step.keep_what_is_counted_on(shape);
            if step.consider(turn.workload(), shape) {
                walk.again();
            } else if snapshot.passing == Passing::Strict && snapshot.fleet.ready_fit(shape) {
                break;
            }
        }
    }
    step.changes
}

/// Accelerators that change together, and the mode that they would have.
#[derive(Clone, Debug)]
struct Unit {
    node: NodeId,
    boards: Vec<u16>,
    to: String,
}

/// Workloads for which a change is under way, or others stop; the former by their shape: the one that is met first speaks for all
/// of a shape.
#[derive(Default)]
struct Served {
    workloads: BTreeSet<WorkloadId>,
    by_shape: BTreeMap<Arc<Shape>, BTreeMap<WorkloadId, Vec<Unit>>>,
}

impl Served {
    fn of(snapshot: &Snapshot, plan: &Plan, under_way: &[UnderWay]) -> Self {
        let mut served = Self::default();
        served.workloads.extend(plan.claims.iter().map(|claim| claim.workload));
        for change in under_way {
            let Some(workload) = change.workload else { continue };
            served.workloads.insert(workload);
            let Some(entry) = snapshot.queue.get(workload) else { continue };
            let units = served.by_shape.entry(entry.shape).or_default().entry(workload).or_default();
            match units.iter_mut().find(|unit| unit.node == change.node && unit.to == change.to) {
                Some(unit) => unit.boards.push(change.accelerator),
                None => {
                    units.push(Unit { node: change.node, boards: vec![change.accelerator], to: change.to.clone() });
                }
            }
        }
        served
    }
}

/// What a search for the soonest time may change.
enum MayChange<'a> {
    /// Whatever serves such a request.
    Serving(&'a AcceleratorRequest),
    /// What is being changed already.
    Only(&'a [Unit]),
}

/// Where a workload would be once some accelerators are empty and changed.
struct Soonest {
    at: Time,
    changed: Vec<Unit>,
    placement: Placement,
}

struct Step<'a> {
    snapshot: &'a Snapshot,
    rules: ModeRules,
    /// Accelerators that are part of a promise, and to whom; of several, to whoever goes first.
    promised: BTreeMap<(NodeId, u16), Place>,
    /// Who is looked at.
    turn: Option<Place>,
    /// What will be free once the changes so far are done and those who can have started.
    trial: Fleet,
    /// Accelerators that are part of a change already, or of what others stop for.
    taken: BTreeSet<(NodeId, u16)>,
    /// What is drained, and towards which mode.
    drained: BTreeSet<(NodeId, u16, String)>,
    /// Workloads for which something is done already.
    served: Served,
    /// Accelerators on which somebody met before counts, now or once a change for it is done.
    counted_on: BTreeSet<(NodeId, u16)>,
    changes: Vec<ModeChange>,
    looks: u32,
    /// What comes back, as modes are.
    timeline: Timeline<'a>,
}

impl Step<'_> {
    fn may_go_on(&self) -> bool {
        let begun: usize = self.changes.iter().map(|change| change.accelerators.len()).sum();
        begun < self.rules.changes_max as usize
    }

    /// False for those whom no change of mode could help.
    fn concerns(&self, asked: &AcceleratorRequest) -> bool {
        asked.count > 0 && (asked.slice.is_some() || self.snapshot.fleet.cut_nodes().next().is_some())
    }

    /// Looks at one who waits. True where the next of the same shape should be looked at as well.
    fn consider(&mut self, workload: WorkloadId, shape: &Shape) -> bool {
        let closed = self.closed(&self.trial, shape);
        if let Some(placement) = fit(closed.as_ref().unwrap_or(&self.trial), shape, &mut self.looks) {
            self.counted_on.extend(boards_of(&placement));
            placement.tasks.iter().for_each(|task| self.trial.hold(task));
            return true;
        }
        if self.served.workloads.contains(&workload) || !self.snapshot.fleet.ready_fit(shape) {
            return false;
        }
        let (fleet, now) = (&self.snapshot.fleet, self.snapshot.now);
        let hopeless = match self.timeline.soonest(fleet, &self.snapshot.windows, shape, Time::NEVER) {
            Forecast::Fits { at, .. } if at <= now.after(self.rules.change) => return false,
            Forecast::Fits { .. } | Forecast::NotBefore(_) => false,
            Forecast::Never => true,
        };
        self.change_empty(workload, shape) || (hopeless && self.drain(workload, shape))
    }

    /// Leaves to those of a shape for whom a change is under way all that they will start on, changed or not. Without this, two
    /// who want different modes of the same accelerators would take turns at changing them and neither would start.
    fn keep_what_is_counted_on(&mut self, shape: &Arc<Shape>) {
        let Some(waiting) = self.served.by_shape.remove(shape) else { return };
        for units in waiting.values() {
            if let Some(soonest) = self.soonest(shape, &MayChange::Only(units)) {
                self.counted_on.extend(boards_of(&soonest.placement));
            }
        }
    }

    /// Changes accelerators on which nothing is held.
    fn change_empty(&mut self, workload: WorkloadId, shape: &Shape) -> bool {
        let asked = &shape.task.accelerators;
        let mut future = self.closed(&self.trial, shape).unwrap_or_else(|| self.trial.clone());
        let mut changed = Vec::new();
        for node in self.nodes(shape) {
            let Some(capacity) = self.snapshot.fleet.get(node) else { continue };
            if !future.get(node).is_some_and(NodeCapacity::is_ready) {
                continue;
            }
            let units: Vec<Unit> =
                self.units(node, capacity, asked).into_iter().filter(|unit| is_empty(capacity, unit)).collect();
            if units.is_empty() {
                continue;
            }
            for unit in units {
                unit.boards.iter().for_each(|board| future.imagine(node, *board, &unit.to));
                changed.push(unit);
            }
            if let Some(placement) = fit(&future, shape, &mut self.looks) {
                return self.adopt(workload, changed, &placement, None);
            }
        }
        false
    }

    /// The fleet without nodes that windows close to a workload while it would run.
    fn closed(&self, fleet: &Fleet, shape: &Shape) -> Option<Fleet> {
        let now = self.snapshot.now;
        let end = now.after(self.rules.change).after(shape.wall);
        self.snapshot.windows.close(fleet, shape.project.as_deref(), now, end)
    }

    /// Nodes on which an accelerator may be changed: those that are cut already, then those with the least that is free
    /// beside a whole accelerator.
    fn nodes(&self, shape: &Shape) -> Vec<NodeId> {
        let fleet = &self.snapshot.fleet;
        let takes = |node: &NodeId| fleet.get(*node).is_some_and(NodeCapacity::is_ready);
        let mut nodes: Vec<NodeId> = fleet.cut_nodes().filter(takes).take(NODES_MAX).collect();
        let from = Rank::at_least(crate::capacity::WHOLE, shape.task.cpu, shape.task.memory);
        let roomy = fleet.ready().range::<_, Rank>(from..).take(NODES_SEEN_MAX).map(|rank| rank.node);
        let able = roomy.filter(|node| fleet.get(*node).is_some_and(|node| node.kind().can_be_cut()));
        let able = able.filter(|node| fleet.get(*node).is_some_and(NodeCapacity::is_all_whole));
        nodes.extend(able.take(NODES_MAX));
        nodes
    }

    /// The accelerators of a node that could change to serve a request, held or not, those that change together together.
    fn units(&self, node: NodeId, capacity: &NodeCapacity, asked: &AcceleratorRequest) -> Vec<Unit> {
        let mut units = Vec::new();
        let mut seen = BTreeSet::new();
        for (index, (model, _)) in capacity.accelerators().enumerate() {
            let may_serve = asked.suits(model) && !seen.contains(&index);
            let other = |to: &&str| may_serve && capacity.mode(index).0 != *to;
            let Some(to) = target(capacity.modes(index), asked).filter(other) else { continue };
            let together = capacity.together(index, to);
            seen.extend(together.iter().copied());
            let boards: Vec<u16> = together.iter().filter_map(|index| u16::try_from(*index).ok()).collect();
            let may = |board: &u16| {
                let (mode, takes_work) = capacity.mode(usize::from(*board));
                let is_free = |set: &BTreeSet<(NodeId, u16)>| !set.contains(&(node, *board));
                let is_left = is_free(&self.taken) && is_free(&self.counted_on) && !self.is_promised(node, *board);
                takes_work && mode != to && is_left
            };
            if boards.iter().all(may) {
                units.push(Unit { node, boards, to: to.to_owned() });
            }
        }
        units
    }

    /// True where an accelerator is part of a promise to somebody who goes first.
    fn is_promised(&self, node: NodeId, board: u16) -> bool {
        self.promised.get(&(node, board)).is_some_and(|holder| self.turn.is_none_or(|turn| *holder < turn))
    }

    /// True where something is drained already that will serve such a request.
    fn is_drained_for(&self, asked: &AcceleratorRequest) -> bool {
        self.drained.iter().any(|(node, board, to)| {
            let Some(capacity) = self.snapshot.fleet.get(*node) else { return false };
            let model = capacity.accelerators().nth(usize::from(*board)).map(|(model, _)| model);
            let suits = model.is_some_and(|model| asked.suits(model));
            let mode = capacity.modes(usize::from(*board)).iter().find(|mode| mode.name == *to);
            suits
                && match &asked.slice {
                    None => to == WHOLE_MODE,
                    Some(slice) => mode.is_some_and(|mode| offered(mode, slice).is_some()),
                }
        })
    }

    /// Takes of what was changed in thought only what the placement uses.
    fn adopt(&mut self, workload: WorkloadId, changed: Vec<Unit>, placement: &Placement, at: Option<Time>) -> bool {
        let used: BTreeSet<(NodeId, u16)> = boards_of(placement).collect();
        self.counted_on.extend(used.iter().copied());
        let mut grouped: BTreeMap<(NodeId, String), Vec<u16>> = BTreeMap::new();
        for unit in changed {
            if unit.boards.iter().any(|board| used.contains(&(unit.node, *board))) {
                grouped.entry((unit.node, unit.to)).or_default().extend(unit.boards);
            }
        }
        let made = !grouped.is_empty();
        for ((node, to), mut accelerators) in grouped {
            accelerators.sort_unstable();
            let capacity = self.snapshot.fleet.get(node);
            let held = |board: &u16| capacity.is_some_and(|capacity| capacity.is_held(usize::from(*board)));
            let drained_at = at.filter(|_| accelerators.iter().any(held));
            for board in &accelerators {
                self.taken.insert((node, *board));
                if drained_at.is_none() {
                    self.trial.imagine(node, *board, &to);
                }
            }
            if drained_at.is_some() {
                self.drained.extend(accelerators.iter().map(|board| (node, *board, to.clone())));
            }
            self.changes.push(ModeChange { node, accelerators, to, workload, drained_at });
        }
        self.served.workloads.insert(workload);
        if at.is_none() {
            placement.tasks.iter().for_each(|task| self.trial.hold(task));
        }
        made
    }

    /// Lets accelerators run empty that are free the soonest, where nothing that comes back helps as modes are.
    fn drain(&mut self, workload: WorkloadId, shape: &Shape) -> bool {
        let asked = &shape.task.accelerators;
        if self.is_drained_for(asked) {
            return false;
        }
        let Some(soonest) = self.soonest(shape, &MayChange::Serving(asked)) else { return false };
        self.adopt(workload, soonest.changed, &soonest.placement, Some(soonest.at))
    }

    /// The soonest time at which a workload fits, where accelerators may be changed as they become empty.
    fn soonest(&mut self, shape: &Shape, may: &MayChange<'_>) -> Option<Soonest> {
        let fleet = &self.snapshot.fleet;
        let mut future = self.closed(fleet, shape).unwrap_or_else(|| fleet.clone());
        let mut changed: Vec<Unit> = Vec::new();
        let mut tried = 0;
        let begin: Vec<NodeId> = match may {
            MayChange::Serving(_) => self.nodes(shape),
            MayChange::Only(units) => units.iter().map(|unit| unit.node).collect(),
        };
        self.imagine_empty(&begin, may, &mut future, &mut changed);
        let now = self.snapshot.now.after(Span::from_ms(1));
        if let MayChange::Only(_) = may
            && let Some(placement) = fit(&future, shape, &mut self.looks)
        {
            return Some(Soonest { at: now, changed, placement });
        }
        let mut returns = self.snapshot.releases.iter().take(RELEASES_MAX).peekable();
        while let Some((at, _, tasks)) = returns.next() {
            if at == Time::NEVER || tried >= DRAIN_TRIES_MAX {
                return None;
            }
            tasks.iter().for_each(|task: &Allotment| future.release(task));
            let nodes: Vec<NodeId> = tasks.iter().map(|task| task.node).collect::<BTreeSet<_>>().into_iter().collect();
            self.imagine_empty(&nodes, may, &mut future, &mut changed);
            // All that comes back at one time is taken together.
            if changed.is_empty() || returns.peek().is_some_and(|(next, _, _)| *next <= at) {
                continue;
            }
            tried += 1;
            if let Some(placement) = fit(&future, shape, &mut self.looks) {
                return Some(Soonest { at: at.max(now), changed, placement });
            }
        }
        None
    }

    /// Changes in thought what is empty by now on some nodes.
    fn imagine_empty(&self, nodes: &[NodeId], may: &MayChange<'_>, future: &mut Fleet, changed: &mut Vec<Unit>) {
        for node in nodes {
            let Some(capacity) = future.get(*node).filter(|capacity| capacity.is_ready()).cloned() else { continue };
            let units = match may {
                MayChange::Serving(asked) => self.units(*node, &capacity, asked),
                MayChange::Only(units) => units.iter().filter(|unit| unit.node == *node).cloned().collect(),
            };
            for unit in units {
                if is_empty(&capacity, &unit) {
                    unit.boards.iter().for_each(|board| future.imagine(*node, *board, &unit.to));
                    changed.push(unit);
                }
            }
        }
    }
}

/// The accelerators that are part of a promise, each with the first to whom.
fn promised(queue: &Queue, holds: &[Hold]) -> BTreeMap<(NodeId, u16), Place> {
    let mut promised = BTreeMap::new();
    for hold in holds {
        let Some(entry) = queue.get(hold.workload) else { continue };
        let place = Place::of(queue.order(), &entry);
        for board in boards_of(&hold.placement) {
            promised.entry(board).and_modify(|first: &mut Place| *first = place.min(*first)).or_insert(place);
        }
    }
    promised
}

/// The accelerators of a placement.
fn boards_of(placement: &Placement) -> impl Iterator<Item = (NodeId, u16)> {
    placement.tasks.iter().flat_map(|task| task.accelerators.iter().map(|one| (task.node, one.index)))
}

fn is_empty(capacity: &NodeCapacity, unit: &Unit) -> bool {
    unit.boards.iter().all(|board| !capacity.is_held(usize::from(*board)))
}

/// The mode that a model should have to serve a request: the first of the book that offers it.
fn target<'a>(modes: &'a [PartitionMode], asked: &AcceleratorRequest) -> Option<&'a str> {
    match &asked.slice {
        None => Some(WHOLE_MODE),
        Some(slice) => modes.iter().find(|mode| offered(mode, slice).is_some()).map(|mode| mode.name.as_str()),
    }
}
