//! Where a gang goes: best fit over the ready nodes.
//!
//! What: one node where one will do, nodes that are near each other where the fabric is known, few nodes otherwise; and what
//! each task gets on them. Absent: time (`forecast`) and order (`plan`).

use crate::candidates::{candidates, choose};
use crate::capacity::NodeCapacity;
use crate::spread::spread;
use crate::{Fleet, Shape};
use eaf_model::{NodeId, Placement};
use std::collections::BTreeMap;

/// Places a gang on what is free, or nothing of it. Adds to `looks` how many classes of nodes were looked at.
pub(crate) fn place(fleet: &Fleet, shape: &Shape, looks: &mut u32) -> Option<Placement> {
    if !fleet.may_fit(shape) {
        return None;
    }
    let found = candidates(fleet.ready(), shape, shape.tasks, looks);
    let alone = matches!(found.as_slice(), [one] if one.tasks == shape.tasks);
    let room = found.iter().map(|candidate| u64::from(candidate.tasks)).sum::<u64>();
    let chosen = if alone || room < u64::from(shape.tasks) || fleet.fabric().is_empty() {
        choose(found, shape.tasks)?
    } else {
        spread(fleet, shape, looks)?
    };
    let capacity = |node| fleet.get(node).expect("a candidate is in the fleet").clone();
    Some(allot(&chosen, shape, capacity).0)
}

/// What each task of the gang gets on the chosen nodes, and what is left of each. Ranks follow the nodes in the order in
/// which they were chosen.
pub(crate) fn allot(
    chosen: &[(NodeId, u32)],
    shape: &Shape,
    capacity: impl Fn(NodeId) -> NodeCapacity,
) -> (Placement, BTreeMap<NodeId, NodeCapacity>) {
    let mut tasks = Vec::with_capacity(shape.tasks as usize);
    let mut left = BTreeMap::new();
    for &(node, count) in chosen {
        let mut capacity = capacity(node);
        let taken = (0..count).map(|_| capacity.take(node, &shape.task).expect("a chosen node has room for its tasks"));
        tasks.extend(taken);
        left.insert(node, capacity);
    }
    (Placement { tasks }, left)
}
