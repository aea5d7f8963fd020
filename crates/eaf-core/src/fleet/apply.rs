//! What becomes of the fleet by each event.
//!
//! What: the record of the node and the indexes that follow from it. Absent: refusals.

use crate::{Lost, Node, State};
use eaf_model::{BoardMode, Event, ModeReason, ModeState, NodeId, NodeSpec, Time, WHOLE_MODE};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) fn added(state: &mut State, at: Time, id: NodeId, spec: &NodeSpec) {
    let spec_of = Arc::new(spec.clone());
    let (cordoned, lost, modes) = (None, None, BTreeMap::new());
    let node = Node { id, spec: spec_of, cordoned, lost, modes, state_since: at, version: 1 };
    state.index.fleet.add(id, spec);
    state.index.names.insert(spec.name.clone(), id);
    state.nodes.insert(id, Arc::new(node));
}

pub(crate) fn changed(state: &mut State, id: NodeId, spec: &NodeSpec) {
    state.index.fleet.change(id, spec);
    change(state, id, |node| {
        // An accelerator of another model, or one that is gone, takes its mode with it.
        let model =
            |spec: &NodeSpec, board: u16| spec.accelerators.get(usize::from(board)).map(|one| one.model.clone());
        let old = std::mem::replace(&mut node.spec, Arc::new(spec.clone()));
        node.modes.retain(|board, _| model(&old, *board) == model(spec, *board));
    });
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

/// What becomes of modes.
pub(crate) fn modes(state: &mut State, at: Time, event: &Event) {
    match event {
        Event::ModeDraining { node, accelerators, to, workload, until } => {
            set(state, *node, accelerators, |mode| {
                mode.state = ModeState::Draining;
                mode.state_since = at;
                mode.state_reason = ModeReason::Wanted { workload: *workload };
                mode.state_deadline = Some(*until);
                mode.to = Some(to.clone());
            });
        }
        Event::ModeKept { node, accelerators } => set(state, *node, accelerators, |mode| settle(mode, at)),
        Event::ModeOrdered { node, accelerators, to, reason, order, until } => {
            set(state, *node, accelerators, |mode| {
                mode.state = ModeState::Changing;
                mode.state_since = at;
                mode.state_reason = reason.clone();
                mode.state_deadline = Some(*until);
                mode.to = Some(to.clone());
                mode.order = *order;
            });
        }
        Event::ModeVerified { node, accelerators, mode: verified } => set(state, *node, accelerators, |mode| {
            mode.mode.clone_from(verified);
            settle(mode, at);
        }),
        Event::ModeFailed { node, accelerators, why } => set(state, *node, accelerators, |mode| {
            mode.state = ModeState::OutOfService;
            mode.state_since = at;
            mode.state_reason = ModeReason::Failed { why: why.clone() };
            mode.state_deadline = None;
        }),
        _ => unreachable!("{} is not an event of modes", event.kind()),
    }
}

fn settle(mode: &mut BoardMode, at: Time) {
    mode.state = ModeState::Settled;
    mode.state_since = at;
    mode.state_reason = ModeReason::Verified;
    mode.state_deadline = None;
    mode.to = None;
}

/// Changes the modes of accelerators. One that is whole again keeps its record: the order in it fences late answers.
fn set(state: &mut State, id: NodeId, accelerators: &[u16], how: impl Fn(&mut BoardMode)) {
    change(state, id, |node| {
        for board in accelerators.iter().filter(|board| usize::from(**board) < node.spec.accelerators.len()) {
            let fresh = || BoardMode {
                mode: WHOLE_MODE.to_owned(),
                state: ModeState::Settled,
                state_since: Time(0),
                state_reason: ModeReason::Verified,
                state_deadline: None,
                to: None,
                order: 0,
            };
            let mode = node.modes.entry(*board).or_insert_with(fresh);
            how(mode);
        }
    });
}

/// Takes a node out of the indexes, changes it, and puts it back in.
fn change(state: &mut State, id: NodeId, how: impl FnOnce(&mut Node)) {
    let Some(mut node) = state.nodes.get(&id).cloned() else {
        return;
    };
    let mut index = std::mem::take(&mut state.index);
    index.remove_node(state, &node);
    let record = Arc::make_mut(&mut node);
    let had_modes = !record.modes.is_empty();
    how(record);
    record.version += 1;
    index.fleet.set_state(id, record.state());
    if had_modes || !record.modes.is_empty() {
        index.fleet.set_modes(id, record.modes_for_fleet());
    }
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
