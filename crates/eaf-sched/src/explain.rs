//! Why a workload waits, and when it will start.
//!
//! What: which test fails on how many nodes, what blocks it, how many go before it, and an estimated start: the planner
//! itself, run forward over what is expected back. Why the planner: an estimate by other rules than those that decide
//! would be wrong in the cases that people ask about. Absent: words for people.

use crate::plan::{Grant, Plan, Snapshot, plan, plan_with_head};
use crate::{Entry, Fleet, NodeCapacity, Running, Shape};
use eaf_model::{Blocker, Explanation, Failing, LeaseId, NodeState, Span, Test, Time, WorkloadId, WorkloadState};
use std::collections::BTreeMap;

/// The most work that one estimate may cost, in steps of about a tenth of a microsecond: a pass costs `PASS_WORK`, the
/// leases and shapes that it may look at, and `GRANT_WORK` a grant. An estimate that is cut is a lower bound.
const WORK_MAX: u64 = 500_000;
const PASS_WORK: u64 = 50;
const GRANT_WORK: u64 = 50;

/// Why a workload of the queue waits; `None` where it is not in the queue. O(workloads before it + nodes), and the
/// estimate costs at most some tens of milliseconds.
pub fn explain(snapshot: &Snapshot, workload: WorkloadId) -> Option<Explanation> {
    let entry = snapshot.queue.get(workload)?;
    let (plan, head) = plan_with_head(snapshot);
    let is_next = plan.grants.iter().any(|grant| grant.workload == workload);
    // Those that the coming pass starts instead of it leave it what they do not take.
    let mut fleet = snapshot.fleet.clone();
    if !is_next {
        make(&mut fleet, &plan.grants);
    }
    let tests = Tests::run(&fleet, &entry.shape);
    let claim = plan.claims.iter().find(|claim| claim.workload == workload);
    let blocker = if is_next {
        Blocker::NextPass
    } else if let Some(claim) = claim {
        Blocker::Preemption { workloads: u32::try_from(claim.victims.len()).unwrap_or(u32::MAX) }
    } else if !fleet.ready_fit(&entry.shape) {
        Blocker::FleetTooSmall
    } else if tests.tasks_placeable < entry.shape.tasks {
        Blocker::Capacity { tasks_placeable: tests.tasks_placeable, tasks_wanted: entry.shape.tasks }
    } else if let Some((workload, at)) = head {
        Blocker::Hold { workload, at }
    } else {
        // Only a pass that was cut short leaves something that fits and goes before everyone.
        Blocker::NextPass
    };
    let (estimated_start, estimate_is_lower_bound) = match blocker {
        Blocker::FleetTooSmall => (None, false),
        _ => estimate(snapshot, plan, &entry),
    };
    Some(Explanation {
        workload,
        state: WorkloadState::Queued,
        blockers: vec![blocker],
        nodes_total: u32::try_from(fleet.len()).unwrap_or(u32::MAX),
        nodes_fitting: tests.nodes_fitting,
        failing: tests.failing,
        ahead: snapshot.queue.ahead_of(&entry) as u64,
        estimated_start,
        estimate_is_lower_bound,
    })
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
        let mut tests = Self::default();
        let mut failed: BTreeMap<Test, u32> = BTreeMap::new();
        let mut room = 0_u64;
        for (_, node) in fleet.nodes() {
            if let Some(test) = first_failing(node, shape) {
                *failed.entry(test).or_default() += 1;
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

/// The first test, in the order of `Test`, that a node fails for one task.
fn first_failing(node: &NodeCapacity, shape: &Shape) -> Option<Test> {
    let (task, parts) = (&shape.task, node.parts_free());
    let wanted = &task.accelerators;
    match node.state() {
        NodeState::Cordoned => Some(Test::Cordoned),
        NodeState::Lost => Some(Test::Lost),
        NodeState::Ready if wanted.count > 0 && parts.suiting(wanted).next().is_none() => Some(Test::AcceleratorModel),
        NodeState::Ready if parts.cpu < task.cpu => Some(Test::Cpu),
        NodeState::Ready if parts.memory < task.memory => Some(Test::Memory),
        NodeState::Ready if parts.tasks_by_accelerators(wanted) == 0 => Some(Test::Accelerators),
        NodeState::Ready => None,
    }
}

fn make(fleet: &mut Fleet, grants: &[Grant]) {
    grants.iter().flat_map(|grant| &grant.placement.tasks).for_each(|task| fleet.hold(task));
}

/// When the planner starts it, if everything runs for its whole wall time and nothing else comes; and whether that is
/// only a lower bound. `first` is the plan of the snapshot itself.
fn estimate(snapshot: &Snapshot, first: Plan, entry: &Entry) -> (Option<Time>, bool) {
    if first.claims.iter().any(|claim| claim.workload == entry.workload) {
        // It starts as soon as others are gone, which takes their grace at the most.
        return (Some(snapshot.now), true);
    }
    // Whom others will be stopped for later is not foreseen.
    let mut future = Snapshot { running: Running::default(), ..snapshot.clone() };
    let mut coming = first;
    let mut work = 0;
    // Grants of the future get leases from the far end, where no real one is.
    let mut lease = u64::MAX;
    loop {
        if coming.grants.iter().any(|grant| grant.workload == entry.workload) {
            return (Some(future.now), false);
        }
        if let Some(hold) = coming.hold.filter(|hold| hold.workload == entry.workload) {
            return (Some(hold.at), false);
        }
        let looks = future.releases.len() as u64 + (future.queue.shapes() as u64).min(u64::from(future.shapes_max));
        work += PASS_WORK + looks + GRANT_WORK * coming.grants.len() as u64;
        let was_cut = !coming.grants.is_empty() && coming.grants.len() >= future.grants_max as usize;
        make(&mut future.fleet, &coming.grants);
        for grant in coming.grants {
            let started = future.queue.get(grant.workload).expect("a granted workload was queued");
            future.queue.remove(&started);
            let end = future.now.after(started.shape.wall);
            future.releases.insert(end, LeaseId::from_bits(lease), grant.placement.tasks.into());
            lease -= 1;
        }
        if !was_cut && !advance(&mut future) {
            return (None, false);
        }
        if work > WORK_MAX {
            return (Some(future.now), true);
        }
        coming = plan(&future);
    }
}

/// Moves to the next time at which something comes back. False where nothing ever does.
fn advance(future: &mut Snapshot) -> bool {
    let soonest = future.now.after(Span::from_ms(1));
    let Some(next) = future.releases.iter().next().map(|(at, _, _)| at.max(soonest)) else {
        return false;
    };
    if next == Time::NEVER {
        return false;
    }
    future.now = next;
    let due: Vec<_> = future.releases.iter().take_while(|(at, _, _)| *at <= next).collect();
    let due: Vec<_> = due.into_iter().map(|(at, lease, tasks)| (at, lease, tasks.clone())).collect();
    for (at, lease, tasks) in due {
        tasks.iter().for_each(|task| future.fleet.release(task));
        future.releases.remove(at, lease);
    }
    true
}
