//! What becomes of the fleet by each event.
//!
//! What: the record of the node and the indexes that follow from it. Absent: refusals.

use crate::{Lost, Node, State};
use eaf_model::{NodeId, NodeSpec, Time};
use std::sync::Arc;

pub(crate) fn added(state: &mut State, at: Time, id: NodeId, spec: &NodeSpec) {
    let node = Node { id, spec: Arc::new(spec.clone()), cordoned: None, lost: None, state_since: at, version: 1 };
    state.index.fleet.add(id, spec);
    state.index.names.insert(spec.name.clone(), id);
    state.nodes.insert(id, Arc::new(node));
}

pub(crate) fn changed(state: &mut State, id: NodeId, spec: &NodeSpec) {
    state.index.fleet.change(id, spec);
    change(state, id, |node| node.spec = Arc::new(spec.clone()));
}

pub(crate) fn lost(state: &mut State, at: Time, id: NodeId, why: &str) {
    change(state, id, |node| {
        node.lost = Some(Lost { since: at, why: why.to_owned(), given_up: false });
        node.state_since = at;
    });
    reindex_abandoned(state, id);
}

pub(crate) fn given_up(state: &mut State, id: NodeId) {
    change(state, id, |node| {
        if let Some(lost) = &mut node.lost {
            lost.given_up = true;
        }
    });
}

pub(crate) fn back(state: &mut State, at: Time, id: NodeId) {
    change(state, id, |node| {
        node.lost = None;
        node.state_since = at;
    });
    reindex_abandoned(state, id);
}

pub(crate) fn cordoned(state: &mut State, at: Time, id: NodeId, why: Option<&String>) {
    change(state, id, |node| {
        node.cordoned = why.cloned();
        node.state_since = at;
    });
}

pub(crate) fn removed(state: &mut State, id: NodeId) {
    if let Some(node) = state.nodes.remove(&id) {
        let mut index = std::mem::take(&mut state.index);
        index.remove_node(state, &node);
        index.names.remove(&node.spec.name);
        index.fleet.remove(id);
        state.index = index;
    }
}

/// Takes a node out of the indexes, changes it, and puts it back in.
fn change(state: &mut State, id: NodeId, how: impl FnOnce(&mut Node)) {
    let Some(mut node) = state.nodes.get(&id).cloned() else {
        return;
    };
    let mut index = std::mem::take(&mut state.index);
    index.remove_node(state, &node);
    let record = Arc::make_mut(&mut node);
    how(record);
    record.version += 1;
    index.fleet.set_state(id, record.state());
    index.add_node(state, record);
    state.nodes.insert(id, node);
    state.index = index;
}

/// The stop of an abandoned task is owed only while its node is heard of.
fn reindex_abandoned(state: &mut State, id: NodeId) {
    let heard = state.nodes.get(&id).is_some_and(|node| node.lost.is_none());
    for (key, task) in &state.abandoned {
        if task.allotment.node == id {
            if heard {
                state.index.due.insert(*key);
            } else {
                state.index.due.remove(key);
            }
        }
    }
}
