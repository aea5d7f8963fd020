//! Explanations: why a workload is not placed and when it will be, as data.
//!
//! What: what blocks it, how many nodes fail which test, and an estimated start. Absent: words for people; doors turn
//! this into Korean or English.

use crate::{Time, WorkloadId, WorkloadState};
use serde::{Deserialize, Serialize};

/// What a node can fail for a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// The node is cordoned.
    Cordoned,
    /// The node is lost.
    Lost,
    /// It has no accelerator of a model that will do.
    AcceleratorModel,
    /// Too few threads are free.
    Cpu,
    /// Too little memory is free.
    Memory,
    /// Too few accelerators, or too small shares, are free.
    Accelerators,
}

/// How many nodes fail a test. A node counts at the first test that it fails, in the order of `Test`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// The test.
    pub test: Test,
    /// How many nodes.
    pub nodes: u32,
}

/// What blocks a workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum Blocker {
    /// These must end first.
    Dependencies {
        /// The first few of them.
        workloads: Vec<WorkloadId>,
        /// How many in all.
        pending: u32,
    },
    /// The next attempt is not due before this time.
    Backoff {
        /// When.
        until: Time,
    },
    /// Not enough is free now.
    Capacity {
        /// Tasks that would find a place now.
        tasks_placeable: u32,
        /// Tasks that need one.
        tasks_wanted: u32,
    },
    /// It would fit, and might delay the planned start of one that goes before it.
    Hold {
        /// Whose planned start.
        workload: WorkloadId,
        /// When that is planned.
        at: Time,
    },
    /// Others are stopping, or are about to, to make room for it.
    Preemption {
        /// How many of them the coming pass still has to stop.
        workloads: u32,
    },
    /// It fits and is next; the coming planning pass takes it.
    NextPass,
    /// The fleet as it stands (cordoned and lost nodes left out) can never hold it.
    FleetTooSmall,
}

/// Why a workload is where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The workload.
    pub workload: WorkloadId,
    /// Its state; the rest is empty where it does not wait.
    pub state: WorkloadState,
    /// What blocks it, the nearest first.
    pub blockers: Vec<Blocker>,
    /// Nodes that one task of it was tested against.
    pub nodes_total: u32,
    /// Nodes that could take a task now.
    pub nodes_fitting: u32,
    /// Nodes by the first test that they fail.
    pub failing: Vec<Failing>,
    /// Workloads that go before it in the queue.
    pub ahead: u64,
    /// When it is expected to start if every running workload uses its whole wall time; `None` where nobody can say.
    pub estimated_start: Option<Time>,
    /// True where the queue before it was too long to look through, and the estimate is a lower bound.
    pub estimate_is_lower_bound: bool,
}
