//! `NodeLost`: a node is not heard of.
//!
//! What: nothing more is placed on it, and its workloads get a grace in which it may come back. Absent: giving its
//! capacity away; what ran there may still run.

use crate::draft::Draft;
use eaf_model::{Event, NodeId, Rejection};

pub(crate) fn node_lost(draft: &mut Draft<'_>, node: NodeId, why: &str) -> Result<(), Rejection> {
    let record = draft.node(node).ok_or(Rejection::UnknownNode { node })?;
    if record.lost.is_some() {
        return Err(Rejection::NodeUnchanged { node });
    }
    draft.emit(Event::NodeLost { node, why: why.to_owned() });
    Ok(())
}
