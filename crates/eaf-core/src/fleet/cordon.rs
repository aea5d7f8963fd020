//! `Cordon` and `Uncordon`: an operator keeps new work off a node, and lets it on again.
//!
//! What: work that is there stays. Absent: draining by force.

use crate::draft::Draft;
use eaf_model::{Event, FieldProblem, NodeId, Rejection};

/// The longest reason, in bytes.
const WHY_MAX: usize = 1_000;

pub(crate) fn cordon(draft: &mut Draft<'_>, node: NodeId, why: &str) -> Result<(), Rejection> {
    let record = draft.node(node).ok_or(Rejection::UnknownNode { node })?;
    if record.cordoned.as_deref() == Some(why) {
        return Err(Rejection::NodeUnchanged { node });
    }
    if why.len() > WHY_MAX {
        let problem = FieldProblem::too_many(why.len(), WHY_MAX);
        return Err(Rejection::Invalid { field: "why".to_owned(), problem });
    }
    draft.emit(Event::NodeCordoned { node, why: why.to_owned() });
    Ok(())
}

pub(crate) fn uncordon(draft: &mut Draft<'_>, node: NodeId) -> Result<(), Rejection> {
    let record = draft.node(node).ok_or(Rejection::UnknownNode { node })?;
    if record.cordoned.is_none() {
        return Err(Rejection::NodeUnchanged { node });
    }
    draft.emit(Event::NodeUncordoned { node });
    Ok(())
}
