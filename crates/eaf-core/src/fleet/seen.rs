//! `NodeSeen`: a node announced itself.
//!
//! What: a new name joins the site, a lost node is back (with whatever parts), other parts are taken over if they cover
//! what is held.
//! Absent: leaving; a node that is silent is lost, and only an operator removes it.

use crate::Node;
use crate::draft::Draft;
use crate::work::validate_labels;
use eaf_model::{Event, FieldProblem, NodeSpec, Rejection};

/// The most threads, in thousandths, that a node may state: far above any machine, far below overflow.
const NODE_CPU_MAX: u64 = 1_000_000_000;
/// The most memory that a node may state: 1 EiB.
const NODE_MEMORY_MAX: u64 = 1 << 60;
/// The most fabric domains that a node may be in, one within the other.
const FABRIC_DEPTH_MAX: usize = 8;
/// The most accelerators that a node may state.
const NODE_ACCELERATORS_MAX: usize = 4_096;

pub(crate) fn node_seen(draft: &mut Draft<'_>, spec: &NodeSpec) -> Result<(), Rejection> {
    check(draft, spec)?;
    let Some(node) = draft.node_named(&spec.name).cloned() else {
        let max = draft.settings().limits.nodes_max;
        if draft.nodes.len() as u64 >= max {
            return Err(Rejection::TooManyNodes { max });
        }
        let event = Event::NodeAdded { node: draft.new_node_id(), spec: spec.clone() };
        draft.emit(event);
        return Ok(());
    };
    let changed = *node.spec != *spec;
    if changed && !draft.fleet().covers_held(node.id, spec) {
        if node.lost.is_some() {
            back_with_less(draft, &node);
            return Ok(());
        }
        let on_it = |lease: &&std::sync::Arc<crate::Lease>| lease.placement.iter().any(|part| part.node == node.id);
        let leases = draft.leases().filter(on_it).count();
        return Err(Rejection::NodeHoldsMore { node: node.id, leases: u32::try_from(leases).unwrap_or(u32::MAX) });
    }
    if node.lost.is_some() {
        draft.emit(Event::NodeBack { node: node.id });
    }
    if changed {
        draft.emit(Event::NodeChanged { node: node.id, spec: spec.clone() });
    }
    Ok(())
}

/// It is heard of, so that what runs there can be stopped, and takes nothing new while it lacks what is held on it. Its
/// parts are taken over when it announces itself with room for what is then held.
fn back_with_less(draft: &mut Draft<'_>, node: &Node) {
    draft.emit(Event::NodeBack { node: node.id });
    if node.cordoned.is_none() {
        let why = "it came back with fewer parts than work on it holds".to_owned();
        draft.emit(Event::NodeCordoned { node: node.id, why });
    }
}

fn check(draft: &Draft<'_>, spec: &NodeSpec) -> Result<(), Rejection> {
    let invalid = |field: &str, problem| Err(Rejection::Invalid { field: field.to_owned(), problem });
    let named = !spec.name.is_empty() && spec.name.len() <= 253 && !spec.name.chars().any(char::is_control);
    if !named {
        return invalid("name", FieldProblem::Malformed { expected: "1 to 253 printable characters".to_owned() });
    }
    let too_large = |given: u64, max: u64| FieldProblem::TooLarge {
        given: i64::try_from(given).unwrap_or(i64::MAX),
        max: i64::try_from(max).unwrap_or(i64::MAX),
    };
    if spec.cpu.0 > NODE_CPU_MAX {
        return invalid("cpu", too_large(spec.cpu.0, NODE_CPU_MAX));
    }
    if spec.memory.0 > NODE_MEMORY_MAX {
        return invalid("memory", too_large(spec.memory.0, NODE_MEMORY_MAX));
    }
    if spec.fabric.len() > FABRIC_DEPTH_MAX {
        return invalid("fabric", FieldProblem::too_many(spec.fabric.len(), FABRIC_DEPTH_MAX));
    }
    let named = |domain: &String| (1..=128).contains(&domain.len()) && !domain.chars().any(char::is_control);
    if !spec.fabric.iter().all(named) {
        let expected = "names of 1 to 128 printable characters".to_owned();
        return invalid("fabric", FieldProblem::Malformed { expected });
    }
    if spec.accelerators.len() > NODE_ACCELERATORS_MAX {
        return invalid("accelerators", too_large(spec.accelerators.len() as u64, NODE_ACCELERATORS_MAX as u64));
    }
    validate_labels(&spec.labels, draft.settings().limits.labels_max)
}
