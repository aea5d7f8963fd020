//! The checker: is this plan lawful?
//!
//! What: every rule that a plan may not break, tested from the snapshot and the plan alone. Why independent: it shares no
//! arithmetic and no search with the planner, so that a fault in those shows here. Absent: taste; a plan that is lawful
//! and poor passes.

mod claims;
mod holds;
mod leaving;
mod modes;
mod order;
mod rooms;
mod shares;
mod violation;
mod windows;

pub use modes::check_modes;
pub use violation::Violation;

use crate::{Entry, Plan, Snapshot};
use eaf_model::{AcceleratorRequest, AllottedAccelerator, NodeId, Placement};
use rooms::Rooms;
use std::collections::{BTreeMap, BTreeSet};

/// Tests a plan against the snapshot that it was made from: no accelerator over 1000, no node over its parts, ready nodes
/// only, gangs whole, models right, `tasks_per_node_max`, workloads queued and once, in order, and no hold
/// delayed. O(grants + shapes met + leases on the nodes of holds, and in the shares of those); O(nodes + leases) where
/// something passes a workload that only what never ends keeps from starting.
///
/// # Errors
/// The first rule that is broken.
pub fn check(snapshot: &Snapshot, plan: &Plan) -> Result<(), Violation> {
    let grants = plan.grants.len();
    if grants > snapshot.grants_max as usize {
        return Err(Violation::TooManyGrants { grants, max: snapshot.grants_max });
    }
    let mut seen = BTreeSet::new();
    let mut granted = Vec::with_capacity(grants);
    let mut rooms = Rooms::new(snapshot);
    for grant in &plan.grants {
        let workload = grant.workload;
        let entry = snapshot.queue.get(workload).ok_or(Violation::NotQueued { workload })?;
        if !seen.insert(workload) {
            return Err(Violation::Twice { workload });
        }
        as_asked(&entry, &grant.placement)?;
        rooms.put(&entry, &grant.placement, |node, test| Violation::Unfit { workload, node, test })?;
        granted.push((entry, &grant.placement));
    }
    order::in_order(snapshot, &granted)?;
    windows::outside_windows(snapshot, plan)?;
    let open = shares::within_shares(snapshot, plan)?;
    order::nobody_passed(snapshot, plan, &granted)?;
    holds::holds_kept(snapshot, plan, &granted, &mut seen)?;
    claims::claims_hold(snapshot, plan, &granted, &open, seen)
}

/// The gang is whole, and each task gets what it asks for.
fn as_asked(entry: &Entry, placement: &Placement) -> Result<(), Violation> {
    let (workload, shape) = (entry.workload, &entry.shape);
    let placed = placement.tasks.len();
    if !(shape.tasks as usize..=shape.tasks_max as usize).contains(&placed) {
        return Err(Violation::GangNotWhole { workload, placed, wanted: shape.tasks });
    }
    let mut on_node: BTreeMap<NodeId, u32> = BTreeMap::new();
    for task in &placement.tasks {
        let node = task.node;
        let asked = &shape.task;
        let boards = &task.accelerators;
        let same =
            (task.cpu, task.memory, boards.len()) == (asked.cpu, asked.memory, asked.accelerators.count as usize);
        let place = |board: &AllottedAccelerator| (board.index, board.slice.as_ref().map(|slice| slice.start));
        let rising = boards.windows(2).all(|pair| place(&pair[0]) < place(&pair[1]));
        if !same || !rising || !boards.iter().all(|board| is_as_asked(board, &asked.accelerators)) {
            return Err(Violation::NotAsAsked { workload, node });
        }
        let tasks = on_node.entry(node).or_default();
        *tasks += 1;
        match shape.tasks_per_node_max {
            Some(max) if *tasks > max => return Err(Violation::TasksPerNode { workload, node, max }),
            _ => {}
        }
    }
    Ok(())
}

/// A share where a share is asked for, and a slice where a slice is.
fn is_as_asked(board: &AllottedAccelerator, asked: &AcceleratorRequest) -> bool {
    match (&board.slice, &asked.slice) {
        (None, None) => board.share == asked.share,
        (Some(held), Some(wanted)) => {
            held.profile == *wanted || held.profile.split_once('/').is_some_and(|(front, _)| front == wanted)
        }
        _ => false,
    }
}
