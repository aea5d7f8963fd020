//! `RemoveNode`: an empty node leaves the site.
//!
//! What: only a node on which nothing is held. Absent: moving work away; cordon it and wait.

use crate::draft::Draft;
use eaf_model::{Event, NodeId, Rejection};

pub(crate) fn remove_node(draft: &mut Draft<'_>, node: NodeId) -> Result<(), Rejection> {
    if draft.node(node).is_none() {
        return Err(Rejection::UnknownNode { node });
    }
    let held = |lease: &&std::sync::Arc<crate::Lease>| {
        let mut tasks = lease.placement.iter().zip(&lease.tasks);
        tasks.any(|(part, task)| part.node == node && !task.state.is_over())
    };
    let leases =
        draft.leases().filter(held).count() + draft.abandoned().filter(|(_, t)| t.allotment.node == node).count();
    if leases > 0 {
        return Err(Rejection::NodeHoldsMore { node, leases: u32::try_from(leases).unwrap_or(u32::MAX) });
    }
    draft.emit(Event::NodeRemoved { node });
    Ok(())
}
