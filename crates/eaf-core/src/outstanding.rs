//! `outstanding`: what the world still owes to the state.
//!
//! What: a start for every task that was ordered, a stop for every task that should be gone, a
//! mode for every accelerator that is to change. Why a function of state: a
//! crash between a decision and its order loses nothing, and there is no outbox. Absent: what was already sent; orders
//! are idempotent.

use crate::{State, fleet};
use eaf_model::{Effect, Event, LeaseId, NodeId, StartOrder, StopOrder, TaskKey};
use std::sync::Arc;

/// Everything that is owed: by task, then by node.
pub fn outstanding(state: &State) -> Vec<Effect> {
    let tasks = state.index.due.iter().filter_map(|key| effect(state, *key));
    let nodes = state.index.fleet.cut_nodes();
    tasks.chain(nodes.flat_map(|node| modes_of(state, node))).collect()
}

/// What these events, the latest of the state, have made due.
pub fn effects_of(state: &State, events: &[Event]) -> Vec<Effect> {
    let mut effects = Vec::new();
    for event in events {
        match event {
            Event::LeaseGranted { lease, .. } | Event::LeaseStopping { lease, .. } => {
                of_lease(state, *lease, &mut effects);
            }
            Event::NodeBack { node } => {
                of_node(state, *node, &mut effects);
                effects.extend(modes_of(state, *node));
            }
            Event::ModeOrdered { node, .. } => effects.extend(modes_of(state, *node)),
            _ => {}
        }
    }
    effects
}

/// The changes of mode that are owed on a node that is heard of.
fn modes_of(state: &State, node: NodeId) -> impl Iterator<Item = Effect> {
    let heard = state.nodes.get(&node).filter(|node| node.lost.is_none());
    heard.into_iter().flat_map(|node| fleet::modes::owed(node)).map(Effect::SetMode)
}

fn of_lease(state: &State, lease: LeaseId, effects: &mut Vec<Effect>) {
    let range = TaskKey { lease, task: 0 }..=TaskKey { lease, task: u32::MAX };
    effects.extend(state.index.due.range(range).filter_map(|key| effect(state, *key)));
}

fn of_node(state: &State, node: NodeId, effects: &mut Vec<Effect>) {
    let there = state.abandoned.iter().filter(|(_, task)| task.allotment.node == node);
    effects.extend(there.filter_map(|(key, _)| effect(state, *key)));
}

/// What is owed to one task.
fn effect(state: &State, key: TaskKey) -> Option<Effect> {
    if let Some(task) = state.abandoned.get(&key) {
        return Some(Effect::Stop(StopOrder { key, ordered_at: task.since, grace: task.grace }));
    }
    let lease = state.leases.get(&key.lease)?;
    if let Some(stopping) = &lease.stopping {
        return Some(Effect::Stop(StopOrder { key, ordered_at: stopping.since, grace: stopping.grace }));
    }
    let workload = state.workloads.get(&lease.workload)?;
    Some(Effect::Start(StartOrder {
        key,
        workload: workload.id,
        attempt: lease.attempt,
        tasks: u32::try_from(lease.placement.len()).ok(),
        array_index: workload.array_index,
        allotment: lease.placement.get(key.task as usize)?.clone(),
        spec: Arc::clone(&workload.spec),
    }))
}
