//! Events: what has happened, for ever.
//!
//! What: the history that `apply` folds into the state. Why they carry every number: policy may change between
//! releases, history may not. Absent: anything that `apply` would have to choose or look up.

use crate::{
    Bill, Checkpoint, Exit, LeaseId, ModeReason, NodeId, NodeSpec, Placement, Policy, Ran, Reason, Settings, TaskKey,
    Time, Usage, Valuation, WorkloadId, WorkloadSpec, WorkloadState,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Settings are in force.
    Configured(Box<Settings>),
    /// A policy is in force.
    PolicyApplied {
        /// The policy, without windows that were over.
        policy: Box<Policy>,
        /// Who applied it.
        by: String,
    },
    /// Time has come to the begin or the end of windows of the policy; those that are over leave it.
    WindowsMoved {
        /// Windows that have begun, by name.
        begun: Vec<String>,
        /// Windows that are over, by name.
        over: Vec<String>,
    },
    /// A node joined the site.
    NodeAdded {
        /// Its id.
        node: NodeId,
        /// What it has.
        spec: NodeSpec,
    },
    /// A node has other parts than before.
    NodeChanged {
        /// The node.
        node: NodeId,
        /// What it has now.
        spec: NodeSpec,
    },
    /// A node is not heard of.
    NodeLost {
        /// The node.
        node: NodeId,
        /// What was seen.
        why: String,
    },
    /// A lost node did not come back in time; its workloads go on without it.
    NodeGivenUp {
        /// The node.
        node: NodeId,
    },
    /// A node is heard of again.
    NodeBack {
        /// The node.
        node: NodeId,
    },
    /// A node takes no more work.
    NodeCordoned {
        /// The node.
        node: NodeId,
        /// Why.
        why: String,
    },
    /// A node takes work again.
    NodeUncordoned {
        /// The node.
        node: NodeId,
    },
    /// A node left the site.
    NodeRemoved {
        /// The node.
        node: NodeId,
    },
    /// Accelerators take no more work, and change their mode when they are empty.
    ModeDraining {
        /// The node.
        node: NodeId,
        /// Which.
        accelerators: Vec<u16>,
        /// The mode that they are to have.
        to: String,
        /// The workload that waits for it.
        workload: WorkloadId,
        /// When the last that is held on them is expected to end.
        until: Time,
    },
    /// Accelerators keep the mode that they have, and take work again.
    ModeKept {
        /// The node.
        node: NodeId,
        /// Which.
        accelerators: Vec<u16>,
    },
    /// An engine owes a change of mode.
    ModeOrdered {
        /// The node.
        node: NodeId,
        /// Which.
        accelerators: Vec<u16>,
        /// The mode.
        to: String,
        /// Why.
        reason: ModeReason,
        /// The step that orders it.
        order: u64,
        /// When it must be done.
        until: Time,
    },
    /// An engine has said that a mode is in force.
    ModeVerified {
        /// The node.
        node: NodeId,
        /// Which.
        accelerators: Vec<u16>,
        /// The mode.
        mode: String,
    },
    /// Accelerators are out of service.
    ModeFailed {
        /// The node.
        node: NodeId,
        /// Which.
        accelerators: Vec<u16>,
        /// What was seen.
        why: String,
    },
    /// A workload, or every member of an array, is queued.
    WorkloadSubmitted {
        /// The id of the workload, or of the array as a whole.
        workload: WorkloadId,
        /// What to run.
        spec: Arc<WorkloadSpec>,
        /// The index values of an array.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        array: Vec<u16>,
        /// The dependencies that have not ended, arrays resolved to their live members.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        waits_for: Vec<WorkloadId>,
        /// The idempotency key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
        /// Who asked.
        by: String,
    },
    /// Placement reasons from here on from what has been asked for by now and from this.
    FleetValued {
        /// What is free.
        valuation: Box<Valuation>,
        /// True where every count of what has been asked for is halved first.
        forget: bool,
    },
    /// Capacity is held for an attempt, and the engine owes its start.
    LeaseGranted {
        /// The lease.
        lease: LeaseId,
        /// The workload.
        workload: WorkloadId,
        /// Where.
        placement: Placement,
        /// When all of its tasks must have started.
        start_by: Time,
        /// True where the workload has had its turn by this and keeps it, should it wait again through no fault of its own.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        keeps_turn: bool,
    },
    /// An engine has the order.
    TaskAccepted {
        /// The task.
        key: TaskKey,
    },
    /// A task's process runs.
    TaskStarted {
        /// The task.
        key: TaskKey,
        /// When its process started.
        at: Time,
        /// When the wall time of the attempt is over; set with the last task of the gang.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run_until: Option<Time>,
    },
    /// A reading of a running task.
    TaskUsed {
        /// The task.
        key: TaskKey,
        /// Since its start.
        usage: Usage,
    },
    /// A task has written a checkpoint, later than the one before.
    TaskCheckpointed {
        /// The task.
        key: TaskKey,
        /// The checkpoint.
        checkpoint: Checkpoint,
    },
    /// A task's whole process tree is gone, and what it held is free.
    TaskExited {
        /// The task.
        key: TaskKey,
        /// When.
        at: Time,
        /// How.
        exit: Exit,
        /// Since its start.
        usage: Usage,
    },
    /// A task was on a node that is lost: the attempt goes on without it, and the node keeps its capacity from others
    /// until an engine has said that it is gone.
    TaskAbandoned {
        /// The task.
        key: TaskKey,
        /// When.
        at: Time,
    },
    /// An abandoned task is known to be gone; what it held is free.
    AbandonedTaskGone {
        /// The task.
        key: TaskKey,
        /// Its node.
        node: NodeId,
    },
    /// Every task of this lease is told to stop.
    LeaseStopping {
        /// The lease.
        lease: LeaseId,
        /// Why.
        reason: Reason,
        /// When the stop is said to be overdue; it goes on being ordered.
        stop_by: Time,
    },
    /// Nothing of this attempt runs any more.
    LeaseClosed {
        /// The lease.
        lease: LeaseId,
        /// What it used and costs.
        bill: Box<Bill>,
        /// How long it ran, where that says something of like work: it had started whole and nothing cut it short.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ran: Option<Ran>,
    },
    /// A workload waits again after an attempt.
    WorkloadRequeued {
        /// The workload.
        workload: WorkloadId,
        /// Why.
        reason: Reason,
        /// Not before.
        not_before: Time,
        /// True where this spent one of its retries.
        spent_retry: bool,
    },
    /// The wait before the next attempt is over.
    WorkloadEligible {
        /// The workload.
        workload: WorkloadId,
    },
    /// A workload that waits is told when it starts at the latest, and keeps its turn until then.
    WorkloadPromised {
        /// The workload.
        workload: WorkloadId,
        /// When it starts at the latest, if no node is lost and nothing of more right comes to stand before it.
        latest: Time,
    },
    /// Others that have more right to go first were told when they start: a workload keeps its turn between projects no more.
    WorkloadPassed {
        /// The workload.
        workload: WorkloadId,
    },
    /// A workload has waited so long that it goes before those that have not.
    WorkloadAged {
        /// The workload.
        workload: WorkloadId,
    },
    /// A running workload has attained the service of a higher level.
    ServiceLevelReached {
        /// The workload.
        workload: WorkloadId,
        /// The level.
        level: u8,
    },
    /// A lease has run long enough to be stopped for others.
    LeaseEvictable {
        /// The lease.
        lease: LeaseId,
    },
    /// A workload that was stopped to make room waits again, in its old place.
    WorkloadPreempted {
        /// The workload.
        workload: WorkloadId,
        /// For whom it was stopped.
        by: WorkloadId,
    },
    /// A workload is over and leaves memory.
    WorkloadEnded {
        /// The workload.
        workload: WorkloadId,
        /// `Finished`, `Failed`, `Cancelled` or `Expired`.
        state: WorkloadState,
        /// Why.
        reason: Reason,
    },
}

impl Event {
    /// Every kind, in the order of the variants.
    pub const KINDS: [&'static str; 37] = [
        "configured",
        "policy_applied",
        "windows_moved",
        "node_added",
        "node_changed",
        "node_lost",
        "node_given_up",
        "node_back",
        "node_cordoned",
        "node_uncordoned",
        "node_removed",
        "mode_draining",
        "mode_kept",
        "mode_ordered",
        "mode_verified",
        "mode_failed",
        "workload_submitted",
        "fleet_valued",
        "lease_granted",
        "task_accepted",
        "task_started",
        "task_used",
        "task_checkpointed",
        "task_exited",
        "task_abandoned",
        "abandoned_task_gone",
        "lease_stopping",
        "lease_closed",
        "workload_requeued",
        "workload_eligible",
        "workload_promised",
        "workload_passed",
        "workload_aged",
        "service_level_reached",
        "lease_evictable",
        "workload_preempted",
        "workload_ended",
    ];

    /// The name of its kind, as in the journal.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Configured(_) => "configured",
            Self::PolicyApplied { .. } => "policy_applied",
            Self::WindowsMoved { .. } => "windows_moved",
            Self::NodeAdded { .. } => "node_added",
            Self::NodeChanged { .. } => "node_changed",
            Self::NodeLost { .. } => "node_lost",
            Self::NodeGivenUp { .. } => "node_given_up",
            Self::NodeBack { .. } => "node_back",
            Self::NodeCordoned { .. } => "node_cordoned",
            Self::NodeUncordoned { .. } => "node_uncordoned",
            Self::NodeRemoved { .. } => "node_removed",
            Self::ModeDraining { .. } => "mode_draining",
            Self::ModeKept { .. } => "mode_kept",
            Self::ModeOrdered { .. } => "mode_ordered",
            Self::ModeVerified { .. } => "mode_verified",
            Self::ModeFailed { .. } => "mode_failed",
            Self::WorkloadSubmitted { .. } => "workload_submitted",
            Self::FleetValued { .. } => "fleet_valued",
            Self::LeaseGranted { .. } => "lease_granted",
            Self::TaskAccepted { .. } => "task_accepted",
            Self::TaskStarted { .. } => "task_started",
            Self::TaskUsed { .. } => "task_used",
            Self::TaskCheckpointed { .. } => "task_checkpointed",
            Self::TaskExited { .. } => "task_exited",
            Self::TaskAbandoned { .. } => "task_abandoned",
            Self::AbandonedTaskGone { .. } => "abandoned_task_gone",
            Self::LeaseStopping { .. } => "lease_stopping",
            Self::LeaseClosed { .. } => "lease_closed",
            Self::WorkloadRequeued { .. } => "workload_requeued",
            Self::WorkloadEligible { .. } => "workload_eligible",
            Self::WorkloadPromised { .. } => "workload_promised",
            Self::WorkloadPassed { .. } => "workload_passed",
            Self::WorkloadAged { .. } => "workload_aged",
            Self::ServiceLevelReached { .. } => "service_level_reached",
            Self::LeaseEvictable { .. } => "lease_evictable",
            Self::WorkloadPreempted { .. } => "workload_preempted",
            Self::WorkloadEnded { .. } => "workload_ended",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_kinds_is_complete() {
        // The match is exhaustive, so its arms are all the kinds there are.
        let arms =
            include_str!("event.rs").split("pub const fn kind").nth(1).and_then(|rest| rest.split("\n    }\n").next());
        let arms: Vec<&str> = arms.unwrap_or_default().split('"').skip(1).step_by(2).collect();
        assert_eq!(arms, Event::KINDS);
    }
}
