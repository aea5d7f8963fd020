//! Workloads: what someone asks to run.
//!
//! What: the specification, the states and the reasons for them. Absent: where it runs (`Lease`) and what it cost
//! (`Bill`).

use crate::{Bytes, CpuMilli, Exit, GpuMilli, NodeId, Span, Time, WorkloadId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a task asks for in accelerators.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AcceleratorRequest {
    /// How many accelerators; 0 for none.
    #[serde(default)]
    pub count: u32,
    /// The share of each, in thousandths; less than 1000 only where `count` is 1.
    #[serde(default = "whole")]
    pub share: GpuMilli,
    /// The models that will do; empty for any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// A slice with memory of its own, by its profile, such as `1g.10gb` or `CPX`: `count` is how many of them. `None` for
    /// whole accelerators and shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
}

const fn whole() -> GpuMilli {
    GpuMilli(1_000)
}

impl AcceleratorRequest {
    /// No accelerator.
    pub const fn none() -> Self {
        Self { count: 0, share: whole(), models: Vec::new(), slice: None }
    }

    /// True where an accelerator of this model will do.
    pub fn suits(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|suits| suits == model)
    }
}

/// What one task asks for; it runs on one node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskRequest {
    /// CPU threads, in thousandths.
    #[serde(default = "one_cpu")]
    pub cpu: CpuMilli,
    /// Memory.
    #[serde(default = "default_memory")]
    pub memory: Bytes,
    /// Accelerators.
    #[serde(
        default = "AcceleratorRequest::none",
        skip_serializing_if = "asks_none",
        deserialize_with = "crate::strict::object"
    )]
    pub accelerators: AcceleratorRequest,
}

fn asks_none(request: &AcceleratorRequest) -> bool {
    *request == AcceleratorRequest::none()
}

const fn one_cpu() -> CpuMilli {
    CpuMilli(1_000)
}

const fn default_memory() -> Bytes {
    Bytes(256 << 20)
}

impl Default for TaskRequest {
    fn default() -> Self {
        Self { cpu: one_cpu(), memory: default_memory(), accelerators: AcceleratorRequest::none() }
    }
}

/// What a task executes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Run {
    /// A program and its arguments, not seen by a shell.
    Command(Vec<String>),
    /// A text that is written to a file and executed; it starts with `#!` or is given to `/bin/sh`.
    Script(String),
}

/// What to do with a workload whose attempt was lost through no fault of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLoss {
    /// Queue it again at its old place. This costs none of its retries.
    #[default]
    Requeue,
    /// End it as failed.
    Fail,
}

/// What someone asks to run. Immutable once submitted; shared by the members of an array.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadSpec {
    /// A name for people.
    #[serde(default = "unnamed")]
    pub name: String,
    /// Who shares the quota, and as which system user it runs.
    #[serde(default = "default_project")]
    pub project: String,
    /// How many tasks; more than one is a gang that starts whole or not at all, unless it may start with fewer.
    #[serde(default = "one_task")]
    pub tasks: u32,
    /// The fewest of them with which it may start and go on; `None`, or as many as there are or more, where it needs all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks_min: Option<u32>,
    /// The most tasks that may share a node; `None` for no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks_per_node_max: Option<u32>,
    /// What each task asks for.
    #[serde(default, deserialize_with = "crate::strict::object")]
    pub task: TaskRequest,
    /// How long it may run; `None` takes the factory's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_time: Option<Span>,
    /// Higher goes first; -1000 to 1000.
    #[serde(default)]
    pub priority: i32,
    /// True where it may be stopped to make room for a workload that goes before it; it then waits again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preemptible: bool,
    /// True where it goes on from where it was when it is stopped and started again, so that nothing of it is lost.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_progress: bool,
    /// How many more attempts after one that failed by itself.
    #[serde(default)]
    pub retries: u32,
    /// What to do when an attempt is lost.
    #[serde(default)]
    pub on_loss: OnLoss,
    /// Wait until all of these have finished with success.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_ok: Vec<WorkloadId>,
    /// Wait until all of these have ended, however they ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after_any: Vec<WorkloadId>,
    /// Give up when not started this long after submission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_after: Option<Span>,
    /// Give up as soon as it could not end by this time any more, were it to run for its whole wall time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Time>,
    /// Between the polite and the hard stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_grace: Option<Span>,
    /// Environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "crate::strict::unique_keys")]
    pub environment: BTreeMap<String, String>,
    /// Where it runs: absent for a fresh directory of its own, relative for one within that, absolute only below a
    /// directory that the operator has opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// Free labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "crate::strict::unique_keys")]
    pub labels: BTreeMap<String, String>,
    /// What it executes.
    pub run: Run,
}

fn unnamed() -> String {
    "unnamed".to_owned()
}

fn default_project() -> String {
    "default".to_owned()
}

const fn one_task() -> u32 {
    1
}

impl WorkloadSpec {
    /// The fewest tasks with which it may start and go on.
    pub fn tasks_needed(&self) -> u32 {
        self.tasks_min.unwrap_or(self.tasks).min(self.tasks)
    }

    /// The smallest specification of a command: one task, one CPU, defaults for the rest.
    pub fn command(argv: &[&str]) -> Self {
        Self {
            name: unnamed(),
            project: default_project(),
            tasks: 1,
            tasks_min: None,
            tasks_per_node_max: None,
            task: TaskRequest::default(),
            wall_time: None,
            priority: 0,
            preemptible: false,
            keeps_progress: false,
            retries: 0,
            on_loss: OnLoss::Requeue,
            after_ok: Vec::new(),
            after_any: Vec::new(),
            expires_after: None,
            deadline: None,
            stop_grace: None,
            environment: BTreeMap::new(),
            working_directory: None,
            labels: BTreeMap::new(),
            run: Run::Command(argv.iter().map(|arg| (*arg).to_owned()).collect()),
        }
    }
}

/// Where a workload is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkloadState {
    /// Waits for dependencies, for a retry, or for capacity.
    Queued,
    /// Has a lease; its engine has not yet said that it took the order.
    Granted,
    /// Some of its tasks are under way, not all of them.
    Starting,
    /// All of its tasks have started.
    Running,
    /// Was told to stop; capacity is held until the exit is seen.
    Stopping,
    /// Every task exited with 0.
    Finished,
    /// Ended by itself with something else than success, or could not be run.
    Failed,
    /// Ended by order of its owner or an operator.
    Cancelled,
    /// Did not start in time, or could not end by its deadline.
    Expired,
}

impl WorkloadState {
    /// Every state, in the order of a life.
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Granted,
        Self::Starting,
        Self::Running,
        Self::Stopping,
        Self::Finished,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// True where nothing more will happen to it.
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Finished | Self::Failed | Self::Cancelled | Self::Expired)
    }

    /// The word that is shown and filtered by.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Granted => "granted",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

/// Why a workload is in its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum Reason {
    /// Queued: waits for capacity.
    WaitingForCapacity,
    /// Queued: waits for these to end.
    WaitingForDependencies {
        /// How many have not ended.
        pending: u32,
    },
    /// Queued: an attempt failed and the next is not yet due.
    RetryAfterFailure {
        /// How the attempt ended.
        exit: Exit,
    },
    /// Queued: an attempt was lost through no fault of its own.
    RetryAfterLoss {
        /// What was lost.
        why: String,
    },
    /// Queued: an attempt was stopped to make room for another workload.
    WaitingAfterPreemption {
        /// For whom.
        by: WorkloadId,
    },
    /// Granted: capacity is held and the order is out.
    Placed,
    /// Starting: the engine has the order, or some tasks have started.
    TasksStarting {
        /// How many tasks have started.
        started: u32,
        /// Of how many.
        of: u32,
    },
    /// Running.
    TasksStarted,
    /// Stopping or cancelled: someone asked for it.
    CancelRequested {
        /// Who asked.
        by: String,
    },
    /// Stopping: it makes room for another workload.
    Preempted {
        /// For whom.
        by: WorkloadId,
    },
    /// Stopping or failed: the wall time is over.
    WallTimeReached,
    /// Stopping or failed: a task did not start in time.
    StartTimedOut,
    /// Stopping or failed: a task ended with something else than success.
    TaskFailed {
        /// Its rank in the gang.
        task: u32,
        /// How it ended.
        exit: Exit,
    },
    /// Stopping: a node of the gang was lost.
    NodeLost {
        /// The node.
        node: NodeId,
    },
    /// Failed: lost too often, or not to be queued again after a loss.
    Lost {
        /// What was lost.
        why: String,
    },
    /// Failed: something it must follow did not finish.
    DependencyFailed {
        /// The workload that it waited for.
        workload: WorkloadId,
    },
    /// Expired: did not start in time.
    DidNotStartInTime,
    /// Expired: could not end by its deadline any more.
    DeadlineOutOfReach,
    /// Finished: every task exited with 0.
    AllTasksExitedZero,
}
