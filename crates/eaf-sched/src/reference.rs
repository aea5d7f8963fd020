//! The placement rule of the published queueing benchmark.
//!
//! What: a gang that an empty node could hold goes to the node that is left with the fewest accelerators, the lowest id on
//! ties; a larger one takes whole free nodes by rising id, and its rest goes to the first other node that takes it.
//! Why: figures can be compared only where both sides place alike. Absent: topology, and any thought of what comes next.

use crate::candidates::candidates;
use crate::place::{allot, fit};
use crate::{Fleet, Shape};
use eaf_model::{NodeId, Placement, Placing};

/// Could a gang be placed on what is free, and where? By the rule that is chosen, without a thought of worth.
pub(crate) fn place_by(rule: Placing, fleet: &Fleet, shape: &Shape, looks: &mut u32) -> Option<Placement> {
    match rule {
        Placing::Eaf => fit(fleet, shape, looks),
        Placing::Reference => place_by_reference(fleet, shape, looks),
    }
}

/// Places a gang on what is free, or nothing of it.
pub(crate) fn place_by_reference(fleet: &Fleet, shape: &Shape, looks: &mut u32) -> Option<Placement> {
    if !fleet.may_fit(shape) {
        return None;
    }
    let most = shape.tasks_on_a_node();
    let whole = |node: &crate::NodeCapacity| node.emptied().parts_free().tasks(&shape.task).min(most);
    let chosen = if fleet.nodes().any(|(_, node)| whole(node) >= shape.tasks) {
        let found = candidates(fleet.ready(), shape, shape.tasks, looks);
        let one = found.first().filter(|one| one.tasks == shape.tasks)?;
        vec![(one.rank.node, shape.tasks)]
    } else {
        let mut left = shape.tasks;
        let mut chosen: Vec<(NodeId, u32)> = Vec::new();
        for (id, node) in fleet.nodes() {
            let takes = whole(node);
            if node.is_ready() && node.is_empty() && takes > 0 && takes <= left {
                chosen.push((id, takes));
                left -= takes;
            }
        }
        if left > 0 {
            let takes_rest = |id: &NodeId, room: u32| room >= left && chosen.iter().all(|(taken, _)| taken != id);
            let rest = fleet.nodes().find(|(id, node)| takes_rest(id, node.room(&shape.task).min(most)))?;
            chosen.push((rest.0, left));
        }
        *looks += u32::try_from(fleet.len()).unwrap_or(u32::MAX);
        chosen
    };
    let capacity = |node| fleet.get(node).expect("a candidate is in the fleet").clone();
    Some(allot(&chosen, shape, capacity))
}
