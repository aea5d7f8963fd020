//! Why a workload waits.
//!
//! What: which test fails on how many nodes, what blocks it, how many go before it, and what would let it start now. Why the planner is asked: an
//! explanation by other rules than those that decide would be wrong in the cases that people ask about.
//! Absent: when it starts, which is asked of the core itself (`eaf_core::estimate`), and words for people.

use crate::order::Place;
use crate::plan::{Grant, Hold, Plan, Snapshot, plan_with_head};
use crate::{Amounts, Entry, Fleet, NodeCapacity, Scores, Shape, Shares, relax};
use eaf_model::{
    AcceleratorRequest, Blocker, Bytes, CpuMilli, Explanation, Failing, GpuMilli, NodeId, NodeState, Short, Test, Time,
    WorkloadId, WorkloadState,
};
use std::collections::{BTreeMap, BTreeSet};

/// Why a workload of the queue waits; `None` where it is not in the queue. O(workloads before it + nodes).
pub fn explain(snapshot: &Snapshot, workload: WorkloadId) -> Option<Explanation> {
    let entry = snapshot.queue.get(workload)?;
    let mut scores = Scores::default();
    let (plan, head) = plan_with_head(snapshot, &mut scores);
    let is_next = plan.grants.iter().any(|grant| grant.workload == workload);
    // Those that the coming pass starts instead of it leave it what they do not take.
    let mut fleet = snapshot.fleet.clone();
    if !is_next {
        make(&mut fleet, &plan.grants);
    }
    let tests = Tests::run(&fleet, &entry.shape);
    let barred = barred(snapshot, &plan.grants, &entry.shape);
    let claim = plan.claims.iter().find(|claim| claim.workload == workload);
    let hold = plan.holds.iter().find(|hold| hold.workload == workload);
    let project = entry.shape.project.as_deref();
    let end = snapshot.now.after(entry.shape.wall);
    let closed: BTreeSet<NodeId> =
        snapshot.windows.closing(project, snapshot.now, end).map(|window| window.node).collect();
    let blockers = if is_next {
        vec![Blocker::NextPass]
    } else if let Some(claim) = claim {
        vec![Blocker::Preemption { workloads: u32::try_from(claim.victims.len()).unwrap_or(u32::MAX) }]
    } else if !fleet.ready_fit(&entry.shape) {
        vec![never(&fleet, &entry.shape)]
    } else if let Some(never) = never_let(snapshot, &entry.shape) {
        vec![never]
    } else if let Some(barred) = barred {
        vec![barred]
    } else if tests.tasks_placeable < entry.shape.tasks {
        short(&fleet, &entry.shape, tests.tasks_placeable)
    } else if let Some(reserved) = reserved(snapshot, &fleet, &entry.shape) {
        vec![reserved]
    } else if let Some((workload, at)) =
        in_the_way(snapshot, &plan, &fleet, &entry.shape).or(head).filter(|(head, _)| *head != workload)
    {
        vec![Blocker::Hold { workload, at }]
    } else if hold.is_some() {
        Vec::new()
    } else {
        // Only a pass that was cut short leaves something that fits and goes before everyone.
        vec![Blocker::NextPass]
    };
    let held = hold.map(|hold| Blocker::Planned { at: hold.at, latest: hold.latest });
    let blockers = blockers.into_iter().chain(held).collect();
    let would_start = if is_next { Vec::new() } else { relax::changes(snapshot, &entry, &mut scores) };
    let shown = Tests::run_but(&fleet, &entry.shape, &closed);
    Some(Explanation {
        workload,
        state: WorkloadState::Queued,
        blockers,
        nodes_total: u32::try_from(fleet.len()).unwrap_or(u32::MAX),
        nodes_fitting: shown.nodes_fitting,
        failing: shown.failing,
        ahead: ahead(snapshot, &entry),
        by_share: !snapshot.shares.is_empty(),
        would_start,
        state_deadline: None,
        estimate: None,
    })
}

/// How many go before it: with shares, of its own project, or because they have waited too long or had their turn before.
fn ahead(snapshot: &Snapshot, entry: &Entry) -> u64 {
    let shares = &snapshot.shares;
    let of_its =
        |shape: &Shape| shares.part_of(shape.project.as_deref()) == shares.part_of(entry.shape.project.as_deref());
    let before = snapshot.queue.ahead_of(entry);
    let own = entry.turn_between.unwrap_or(u64::MAX);
    let is_before = |place: &Place| place.is_aged() || place.turn_between() < own;
    before.filter(|(place, shape)| shares.is_empty() || is_before(place) || of_its(shape)).count() as u64
}

/// The first planned start that begins before this could be over, on a node where a task of it would fit now.
fn in_the_way(snapshot: &Snapshot, plan: &Plan, fleet: &Fleet, shape: &Shape) -> Option<(WorkloadId, Time)> {
    let end = snapshot.now.after(shape.wall);
    let takes = |node| fleet.get(node).is_some_and(|node| node.room(&shape.task) > 0);
    let meets = |hold: &&Hold| hold.at < end && hold.placement.tasks.iter().any(|task| takes(task.node));
    plan.holds.iter().filter(meets).min_by_key(|hold| hold.at).map(|hold| (hold.workload, hold.at))
}

/// Is what it would fit on kept for others?
fn reserved(snapshot: &Snapshot, fleet: &Fleet, shape: &Shape) -> Option<Blocker> {
    let (project, now) = (shape.project.as_deref(), snapshot.now);
    let end = now.after(shape.wall);
    let open = snapshot.windows.close(fleet, project, now, end)?;
    if Tests::run(&open, shape).tasks_placeable >= shape.tasks {
        return None;
    }
    let closing: Vec<_> = snapshot.windows.closing(project, now, end).collect();
    let nodes: BTreeSet<_> = closing.iter().map(|window| window.node).collect();
    let until = closing.iter().map(|window| window.until).min()?;
    Some(Blocker::Reserved { nodes: u32::try_from(nodes.len()).unwrap_or(u32::MAX), until })
}

/// Does its share let it start, once those start that go before it?
fn barred(snapshot: &Snapshot, grants: &[Grant], shape: &Shape) -> Option<Blocker> {
    let mut shares = Shares::clone(&snapshot.shares);
    for grant in grants {
        let project = snapshot.queue.get(grant.workload).and_then(|entry| entry.shape.project.clone());
        shares.take(project.as_deref(), &shares.amounts(&snapshot.fleet, &grant.placement.tasks));
    }
    let barred = shares.barred(&snapshot.fleet, shape)?;
    let share = barred.share.map(|share| share.to_string());
    Some(Blocker::Share {
        share,
        model: barred.model.to_string(),
        held: GpuMilli(barred.held),
        limit: GpuMilli(barred.limit),
    })
}

/// Is it more than its share may ever hold, of the models that it fits on, or do those lack nodes that are not ready?
fn never_let(snapshot: &Snapshot, shape: &Shape) -> Option<Blocker> {
    let (shares, fleet) = (&snapshot.shares, &snapshot.fleet);
    let asks = if shares.is_empty() { Amounts::new() } else { Shares::asks(fleet, shape) };
    let part = shares.part_of(shape.project.as_deref());
    let (barred, wanted) = shares.barred_for_ever(fleet, part, &asks)?;
    let may = shares.may_ever(fleet, part, &asks);
    if !may.is_empty() {
        let shape = shape.on(may.keys());
        if fleet.ready_fit(&shape) {
            return None;
        }
        if fleet.ever_fits(&shape).is_ok() {
            return Some(never(fleet, &shape));
        }
    }
    Some(Blocker::ShareTooSmall {
        share: barred.share.map(|share| share.to_string()),
        model: barred.model.to_string(),
        wanted: GpuMilli(wanted),
        limit: GpuMilli(barred.limit),
    })
}

/// The ready nodes can never hold it: are those missing that are not ready?
fn never(fleet: &Fleet, shape: &Shape) -> Blocker {
    if fleet.ever_fits(shape).is_err() {
        return Blocker::FleetTooSmall;
    }
    let count = |state| fleet.nodes().filter(|(_, node)| node.state() == state).count();
    let count = |state| u32::try_from(count(state)).unwrap_or(u32::MAX);
    Blocker::NodesNotReady { cordoned: count(NodeState::Cordoned), lost: count(NodeState::Lost) }
}

/// Too little is free now: of what?
fn short(fleet: &Fleet, shape: &Shape, tasks_placeable: u32) -> Vec<Blocker> {
    let request = &shape.task.accelerators;
    let asked = [
        (Short::Cpu, true, &(|shape: &mut Shape| shape.task.cpu = CpuMilli::ZERO) as &dyn Fn(&mut Shape)),
        (Short::Memory, true, &|shape| shape.task.memory = Bytes::ZERO),
        (Short::Accelerators, request.count > 0, &|shape| shape.task.accelerators = AcceleratorRequest::none()),
        (Short::AcceleratorModel, !request.models.is_empty(), &|shape| shape.task.accelerators.models.clear()),
        (Short::TasksPerNode, shape.tasks_per_node_max.is_some(), &|shape| shape.tasks_per_node_max = None),
    ];
    let asked: Vec<Part<'_>> =
        asked.into_iter().filter(|(_, asks, _)| *asks).map(|(part, _, without)| (part, without)).collect();
    let short = missing(fleet, shape, &asked);
    let by_accelerators = !short.iter().any(|short| matches!(short, Short::Cpu | Short::Memory));
    let mut blockers = vec![Blocker::Capacity { tasks_placeable, tasks_wanted: shape.tasks, short }];
    let wanted = u64::from(shape.tasks) * u64::from(request.count) * request.share.0;
    let ready = fleet.nodes().filter(|(_, node)| node.state() == NodeState::Ready);
    let suiting = |node: &NodeCapacity| node.parts_free().suiting(request).map(|(_, free)| free.0).sum::<u64>();
    let free = ready.map(|(_, node)| suiting(node)).sum::<u64>();
    if by_accelerators && wanted > 0 && free >= wanted {
        blockers.push(Blocker::Scattered { free: GpuMilli(free), wanted: GpuMilli(wanted) });
    }
    blockers
}

/// A part of a request, and the request without it.
type Part<'a> = (Short, &'a dyn Fn(&mut Shape));

/// What each alone is all that is short, or else the fewest that are short together.
fn missing(fleet: &Fleet, shape: &Shape, asked: &[Part<'_>]) -> Vec<Short> {
    let fits_without = |parts: &[Part<'_>]| {
        let mut shape = shape.clone();
        for (_, without) in parts {
            without(&mut shape);
        }
        Tests::run(fleet, &shape).tasks_placeable >= shape.tasks
    };
    let mut short: Vec<Part<'_>> = asked.iter().copied().filter(|part| fits_without(&[*part])).collect();
    if short.is_empty() && fits_without(asked) {
        short = asked.to_vec();
        for part in asked {
            let fewer: Vec<Part<'_>> = short.iter().copied().filter(|other| other.0 != part.0).collect();
            if fits_without(&fewer) {
                short = fewer;
            }
        }
    }
    short.into_iter().map(|(part, _)| part).collect()
}

/// What every node says to one task.
#[derive(Default)]
struct Tests {
    nodes_fitting: u32,
    tasks_placeable: u32,
    failing: Vec<Failing>,
}

impl Tests {
    fn run(fleet: &Fleet, shape: &Shape) -> Self {
        Self::run_but(fleet, shape, &BTreeSet::new())
    }

    /// The same, with some nodes closed to it.
    fn run_but(fleet: &Fleet, shape: &Shape, closed: &BTreeSet<NodeId>) -> Self {
        let mut tests = Self::default();
        let mut failed: BTreeMap<Test, u32> = BTreeMap::new();
        let mut room = 0_u64;
        for (id, node) in fleet.nodes() {
            let reserved = closed.contains(&id).then_some(Test::Reserved);
            let mut fits = true;
            for test in failing(node, shape).chain(reserved) {
                *failed.entry(test).or_default() += 1;
                fits = false;
            }
            if !fits {
                continue;
            }
            tests.nodes_fitting += 1;
            room += u64::from(node.room(&shape.task).min(shape.tasks_on_a_node()));
        }
        tests.tasks_placeable = u32::try_from(room).unwrap_or(u32::MAX).min(shape.tasks);
        tests.failing = failed.into_iter().map(|(test, nodes)| Failing { test, nodes }).collect();
        tests
    }
}

/// Every test that a node fails for one task. Where it takes no work or has none of the models, the tests that follow from that are
/// left out.
fn failing(node: &NodeCapacity, shape: &Shape) -> impl Iterator<Item = Test> {
    let (task, parts) = (&shape.task, node.parts_free());
    let wanted = &task.accelerators;
    let is_ready = node.state() == NodeState::Ready;
    let any = is_ready && wanted.count > 0;
    let model = any && parts.in_some_mode(wanted).next().is_none();
    let mode = any && !model && !parts.has_mode_for(wanted);
    let tests = [
        (Test::Cordoned, node.state() == NodeState::Cordoned),
        (Test::Lost, node.state() == NodeState::Lost),
        (Test::AcceleratorModel, model),
        (Test::Cpu, is_ready && parts.cpu < task.cpu),
        (Test::Memory, is_ready && parts.memory < task.memory),
        (Test::Mode, mode),
        (Test::Accelerators, any && !model && !mode && parts.tasks_by_accelerators(wanted) == 0),
    ];
    tests.into_iter().filter(|(_, fails)| *fails).map(|(test, _)| test)
}

fn make(fleet: &mut Fleet, grants: &[Grant]) {
    grants.iter().flat_map(|grant| &grant.placement.tasks).for_each(|task| fleet.hold(task));
}
