//! The records of live work: workloads, their attempts, leases and tasks.
//!
//! What: what `State` holds of each. Why they are plain data: the history keeps an ended `Workload` as it was, and doors
//! read both alike. Absent: rules; each command has a file of its own.

use eaf_model::{
    Allotment, Bill, Checkpoint, Exit, LeaseId, NodeId, Reason, Span, Time, Usage, WorkloadId, WorkloadSpec,
    WorkloadState,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A workload, live or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// Its id; for a member of an array, the array's id is `id.list()`.
    pub id: WorkloadId,
    /// What to run.
    pub spec: Arc<WorkloadSpec>,
    /// Its index value in an array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array_index: Option<u16>,
    /// Who submitted it.
    pub by: Arc<str>,
    /// The idempotency key that it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Arc<str>>,
    /// When it was submitted.
    pub submitted_at: Time,
    /// Its state.
    pub state: WorkloadState,
    /// Since when.
    pub state_since: Time,
    /// Why.
    pub state_reason: Reason,
    /// When the state is overdue, if it can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_deadline: Option<Time>,
    /// Counts the changes of this record, from 1.
    pub version: u64,
    /// Not to be started before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// Retries spent.
    pub retries_spent: u32,
    /// Attempts lost through no fault of its own.
    pub losses: u32,
    /// True once it has waited so long that it goes before those that have not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub aged: bool,
    /// Set once it has had its turn: it was told when it starts at the latest, or has started. Where it waits, it keeps that turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u64>,
    /// The same between projects that have shares; not set where it has made room for others since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_between: Option<u64>,
    /// The level of its attained service.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub level: u8,
    /// The lease that it holds now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseId>,
    /// Attempts that are over, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
}

/// One try of a workload, when it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its lease.
    pub lease: LeaseId,
    /// Where each task was, by rank.
    pub nodes: Vec<NodeId>,
    /// How each task ended, by rank.
    pub exits: Vec<Exit>,
    /// The last checkpoint of the whole gang.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpointed_at: Option<Time>,
    /// What it held, used and costs.
    pub bill: Bill,
}

/// A granted right on capacity, alive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Its id, which fences every report.
    pub id: LeaseId,
    /// Whose it is.
    pub workload: WorkloadId,
    /// The attempt, from 1.
    pub attempt: u32,
    /// What each task holds, by rank.
    pub placement: Arc<[Allotment]>,
    /// By rank.
    pub tasks: Vec<Task>,
    /// When it was granted.
    pub granted_at: Time,
    /// When all of its tasks must have started.
    pub start_by: Time,
    /// When its wall time is over; set once all of its tasks have started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_until: Option<Time>,
    /// True once it has run long enough to be stopped for others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub evictable: bool,
    /// Set once it was told to stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopping: Option<Stopping>,
    /// The last checkpoint of which one task said that it holds what the whole gang needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole_checkpoint_at: Option<Time>,
}

impl Lease {
    /// True where it was told to leave for another workload.
    pub(crate) fn is_preempted(&self) -> bool {
        self.stopping.as_ref().is_some_and(|stopping| matches!(stopping.reason, Reason::Preempted { .. }))
    }

    /// True where the gang went on without a task that was lost.
    fn went_on_without(&self, task: &Task) -> bool {
        let lost_at = task.state.is_lost().then(|| task.state.ended_at()).flatten();
        lost_at.is_some_and(|at| match &self.stopping {
            None => true,
            Some(Stopping { reason: Reason::TaskFailed { .. } | Reason::NodeLost { .. }, .. }) => false,
            Some(stopping) => at < stopping.since,
        })
    }

    /// The last time from which the whole gang could go on: the oldest of its tasks' latest checkpoints, or the latest that
    /// one task wrote for all of them. A task that has finished needs none, nor does one that is lost where the gang goes on.
    pub fn checkpointed_at(&self) -> Option<Time> {
        let finished = |task: &Task| matches!(&task.state, TaskState::Exited { exit, .. } if exit.is_success());
        let goes_on = |task: &&Task| !finished(task) && !self.went_on_without(task);
        let mut tasks: Vec<&Task> = self.tasks.iter().filter(goes_on).collect();
        if tasks.is_empty() {
            tasks = self.tasks.iter().collect();
        }
        let latest = tasks.iter().map(|task| Some(task.checkpoint.as_ref()?.at));
        let own = latest.collect::<Option<Vec<Time>>>().and_then(|latest| latest.into_iter().min());
        own.max(self.whole_checkpoint_at)
    }
}

pub(crate) fn is_zero<T: Default + PartialEq>(count: &T) -> bool {
    *count == T::default()
}

impl Lease {
    /// When the last of its tasks had started; `None` where not all of them have.
    pub fn started_at(&self) -> Option<Time> {
        let starts = self.tasks.iter().map(|task| task.state.started_at()).collect::<Option<Vec<_>>>()?;
        starts.into_iter().max()
    }
}

/// A lease that was told to stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopping {
    /// Why.
    pub reason: Reason,
    /// When it was told.
    pub since: Time,
    /// Between the polite and the hard stop.
    pub grace: Span,
    /// When the stop is overdue.
    pub stop_by: Time,
}

/// One process group of a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Where it is in its life.
    pub state: TaskState,
    /// What it has used, as last reported.
    pub usage: Usage,
    /// The latest checkpoint that it has reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
}

/// Where a task is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// The engine owes its start.
    Ordered,
    /// The engine has the order.
    Accepted,
    /// Its process runs.
    Started {
        /// Since when.
        at: Time,
    },
    /// It is gone, and what it held is free.
    Exited {
        /// When it had started, if it had.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started_at: Option<Time>,
        /// When it was gone.
        at: Time,
        /// How.
        exit: Exit,
    },
    /// Its node is lost: the attempt goes on without it, and the node keeps its capacity from others.
    Abandoned {
        /// When it had started, if it had.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        started_at: Option<Time>,
        /// When it was given up.
        at: Time,
    },
}

impl TaskState {
    /// When its process started, if it has.
    pub const fn started_at(&self) -> Option<Time> {
        match self {
            Self::Ordered | Self::Accepted => None,
            Self::Started { at } => Some(*at),
            Self::Exited { started_at, .. } | Self::Abandoned { started_at, .. } => *started_at,
        }
    }

    /// When it was gone, or given up.
    pub const fn ended_at(&self) -> Option<Time> {
        match self {
            Self::Exited { at, .. } | Self::Abandoned { at, .. } => Some(*at),
            Self::Ordered | Self::Accepted | Self::Started { .. } => None,
        }
    }

    /// True where nothing more is expected of it: it is gone, or given up with its node.
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Exited { .. } | Self::Abandoned { .. })
    }

    /// True where it was lost through no fault of its own.
    pub const fn is_lost(&self) -> bool {
        matches!(self, Self::Exited { exit: Exit::Lost(_), .. } | Self::Abandoned { .. })
    }
}

/// A task that was given up with its node; it holds its place there until an engine has said that it is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbandonedTask {
    /// What it holds.
    pub allotment: Allotment,
    /// When it was given up.
    pub since: Time,
    /// Between the polite and the hard stop, once its node is back.
    pub grace: Span,
}

/// What memory keeps of a workload that has ended, for those that depend on it and for its idempotency key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// Its id.
    pub id: WorkloadId,
    /// How it ended.
    pub state: WorkloadState,
    /// The idempotency key that it came with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Arc<str>>,
}
