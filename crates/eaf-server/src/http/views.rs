//! Records as the API shows them.
//!
//! What: workloads, arrays and nodes, from the state or the history. Absent: where a record comes from; `history` knows.

use eaf_api::{
    ArraySummary, AttemptView, LeaseView, NodeStatus, NodeView, TaskView, TaskWord, WorkloadStatus, WorkloadView,
};
use eaf_core::{Lease, Node, State, TaskState, Workload};
use eaf_model::{NodeId, NodeState, WorkloadState};
use eaf_sched::NodeCapacity;
use std::collections::BTreeMap;

/// A workload, with what it holds where it is live.
pub(super) fn workload(state: &State, record: &Workload) -> WorkloadView {
    let attempts = record.attempts.iter().zip(1..);
    let attempts = attempts.map(|(attempt, number)| AttemptView {
        attempt: number,
        lease: attempt.lease,
        nodes: attempt.nodes.clone(),
        exits: attempt.exits.clone(),
        checkpointed_at: attempt.checkpointed_at,
        bill: attempt.bill.clone(),
    });
    WorkloadView {
        id: record.id,
        name: record.spec.name.clone(),
        spec: record.spec.clone(),
        status: WorkloadStatus {
            by: record.by.to_string(),
            submitted_at: record.submitted_at,
            array_index: record.array_index,
            array: None,
            not_before: record.not_before,
            retries_spent: record.retries_spent,
            losses: record.losses,
            lease: record.lease.and_then(|id| state.lease(id)).map(|held| lease(held)),
            attempts: attempts.collect(),
        },
        labels: record.spec.labels.clone(),
        version: record.version,
        state: record.state,
        state_since: record.state_since,
        state_reason: record.state_reason.clone(),
        state_deadline: record.state_deadline,
    }
}

fn lease(lease: &Lease) -> LeaseView {
    let tasks = lease.tasks.iter().zip(lease.placement.iter()).map(|(task, allotment)| TaskView {
        allotment: allotment.clone(),
        state: match task.state {
            TaskState::Ordered => TaskWord::Ordered,
            TaskState::Accepted => TaskWord::Accepted,
            TaskState::Started { .. } => TaskWord::Started,
            TaskState::Exited { .. } => TaskWord::Exited,
            TaskState::Abandoned { .. } => TaskWord::Abandoned,
        },
        started_at: task.state.started_at(),
        exit: match &task.state {
            TaskState::Exited { exit, .. } => Some(exit.clone()),
            _ => None,
        },
        usage: task.usage,
        checkpoint: task.checkpoint.clone(),
    });
    LeaseView {
        id: lease.id,
        attempt: lease.attempt,
        granted_at: lease.granted_at,
        checkpointed_at: lease.checkpointed_at(),
        tasks: tasks.collect(),
    }
}

/// An array as a whole, from its members; `None` where there are none.
pub(super) fn array(members: &[WorkloadView]) -> Option<WorkloadView> {
    let mut by_state: BTreeMap<WorkloadState, u32> = BTreeMap::new();
    for member in members {
        *by_state.entry(member.state).or_default() += 1;
    }
    let state = array_state(&by_state)?;
    let first = members.iter().min_by_key(|member| member.id)?;
    let speaker = members.iter().filter(|member| member.state == state).min_by_key(|member| member.id).unwrap_or(first);
    let members_count = u32::try_from(members.len()).unwrap_or(u32::MAX);
    Some(WorkloadView {
        id: first.id.list(),
        name: first.name.clone(),
        spec: first.spec.clone(),
        status: WorkloadStatus {
            by: first.status.by.clone(),
            submitted_at: first.status.submitted_at,
            array_index: None,
            array: Some(ArraySummary { members: members_count, by_state }),
            not_before: None,
            retries_spent: members.iter().map(|member| member.status.retries_spent).sum(),
            losses: members.iter().map(|member| member.status.losses).sum(),
            lease: None,
            attempts: Vec::new(),
        },
        labels: first.labels.clone(),
        version: members.iter().map(|member| member.version).sum(),
        state,
        state_since: members.iter().map(|member| member.state_since).max().unwrap_or_default(),
        state_reason: speaker.state_reason.clone(),
        state_deadline: members.iter().filter_map(|member| member.state_deadline).min(),
    })
}

/// Queued until the first member moves, running until the last has ended, then the worst of the ends.
fn array_state(by_state: &BTreeMap<WorkloadState, u32>) -> Option<WorkloadState> {
    let has = |state| by_state.contains_key(&state);
    let all_ended = by_state.keys().all(|state| state.is_ended());
    if by_state.is_empty() {
        None
    } else if by_state.keys().all(|state| *state == WorkloadState::Queued) {
        Some(WorkloadState::Queued)
    } else if !all_ended {
        Some(WorkloadState::Running)
    } else {
        let worst = [WorkloadState::Failed, WorkloadState::Cancelled, WorkloadState::Expired, WorkloadState::Finished];
        worst.into_iter().find(|state| has(*state))
    }
}

/// How many tasks hold something on each node.
pub(super) fn tasks_by_node(state: &State) -> BTreeMap<NodeId, u32> {
    let mut tasks: BTreeMap<NodeId, u32> = BTreeMap::new();
    for lease in state.leases() {
        for (allotment, task) in lease.placement.iter().zip(&lease.tasks) {
            if !task.state.is_over() {
                *tasks.entry(allotment.node).or_default() += 1;
            }
        }
    }
    for (_, task) in state.abandoned() {
        *tasks.entry(task.allotment.node).or_default() += 1;
    }
    tasks
}

/// A node.
pub(super) fn node(state: &State, id: NodeId, node: &Node, tasks: &BTreeMap<NodeId, u32>) -> NodeView {
    let capacity = state.fleet().get(id);
    let grace = state.settings().timing.lost_node_grace;
    NodeView {
        id,
        name: node.spec.name.clone(),
        spec: (*node.spec).clone(),
        status: NodeStatus {
            cpu_held: capacity.map(NodeCapacity::cpu_held).unwrap_or_default(),
            memory_held: capacity.map(NodeCapacity::memory_held).unwrap_or_default(),
            accelerators_held: capacity
                .map(|capacity| (0..capacity.accelerators().len()).map(|index| capacity.share_held(index)).collect())
                .unwrap_or_default(),
            modes: node.modes.clone(),
            tasks: tasks.get(&id).copied().unwrap_or(0),
        },
        labels: node.spec.labels.clone(),
        version: node.version,
        state: node.state(),
        state_since: Some(node.state_since),
        state_reason: match node.state() {
            NodeState::Ready => None,
            NodeState::Cordoned => node.cordoned.clone(),
            NodeState::Lost => node.lost.as_ref().map(|lost| lost.why.clone()),
        },
        state_deadline: node.lost.as_ref().filter(|lost| !lost.given_up).map(|lost| lost.since.after(grace)),
    }
}
