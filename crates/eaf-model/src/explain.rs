//! Explanations: why a workload is not placed and when it will be, as data.
//!
//! What: what blocks it, how many nodes fail which test, what would make it start now, and an estimated start with its
//! spread. Absent: words for people; doors turn
//! this into Korean or English.

use crate::{Bytes, CpuMilli, GpuMilli, NodeId, Span, Time, WorkloadId, WorkloadState};
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
    /// No accelerator that would do is in a mode that offers what is asked for and takes work.
    Mode,
    /// Too few accelerators, or too small shares or slices, are free.
    Accelerators,
    /// It is kept for others, or for a repair, at some time of the wall time.
    Reserved,
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
        /// What alone is short: with enough of it, and everything else as it is, all tasks would find a place. Empty
        /// where several things are short at once.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        short: Vec<Short>,
    },
    /// As many accelerators are free as it wants, and lie scattered over nodes that lack something else or have too few.
    Scattered {
        /// Free accelerators of models that will do, on ready nodes, in thousandths.
        free: GpuMilli,
        /// What all of its tasks want together.
        wanted: GpuMilli,
    },
    /// Accelerators are being brought into a mode for it.
    ModeChange {
        /// The node.
        node: NodeId,
        /// The mode.
        mode: String,
        /// True while what is held on them must end first.
        draining: bool,
        /// When that is expected to be done, or is overdue.
        until: Option<Time>,
    },
    /// Its start is planned, and nothing that goes behind it may delay that.
    Planned {
        /// When, if everything takes its whole wall time and those before it start where that is planned now.
        at: Time,
        /// When at the latest, if no node is lost and nothing of more right comes to go before it; `None` where that is not promised,
        /// because too many wait before it.
        latest: Option<Time>,
    },
    /// It would fit, and might delay the planned start of one that goes before it.
    Hold {
        /// Whose planned start.
        workload: WorkloadId,
        /// When that is planned.
        at: Time,
    },
    /// What is free is not its to take.
    Share {
        /// The share that is at its maximum; `None` where what is free is kept for others.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        share: Option<String>,
        /// The model of accelerator.
        model: String,
        /// What the share (or everybody) holds of it, in thousandths.
        held: GpuMilli,
        /// What it (or everybody who borrows) may hold of it, in thousandths.
        limit: GpuMilli,
    },
    /// It asks for more than its share may ever hold, however little the share holds.
    ShareTooSmall {
        /// The share whose maximum that is above; `None` where others do not lend enough.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        share: Option<String>,
        /// The model of accelerator.
        model: String,
        /// What it asks for, in thousandths.
        wanted: GpuMilli,
        /// The most that it could ever have, in thousandths.
        limit: GpuMilli,
    },
    /// Nodes on which it would fit are kept for others at some time of its wall time, or for a repair.
    Reserved {
        /// How many of the nodes are closed to it.
        nodes: u32,
        /// When the first of those windows is over.
        until: Time,
    },
    /// Others are stopping, or are about to, to make room for it.
    Preemption {
        /// How many of them the coming pass still has to stop.
        workloads: u32,
    },
    /// It fits and is next; the coming planning pass takes it.
    NextPass,
    /// The ready nodes can never hold it; with those that are cordoned or lost, the fleet could.
    NodesNotReady {
        /// Cordoned nodes.
        cordoned: u32,
        /// Lost nodes.
        lost: u32,
    },
    /// The whole fleet can never hold it, ready or not.
    FleetTooSmall,
}

/// What can be short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Short {
    /// Threads.
    Cpu,
    /// Memory.
    Memory,
    /// Accelerators.
    Accelerators,
    /// Accelerators of the models that it names; others would do.
    AcceleratorModel,
    /// Nodes, because so few of its tasks may share one.
    TasksPerNode,
}

/// One thing that would make a waiting workload start now, everything else as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum Change {
    /// At most so many tasks.
    FewerTasks {
        /// How many.
        tasks: u32,
    },
    /// At most so many accelerators a task.
    FewerAccelerators {
        /// How many.
        count: u32,
    },
    /// At most such a share of an accelerator.
    SmallerShare {
        /// The share.
        share: GpuMilli,
    },
    /// At most so many threads a task.
    LessCpu {
        /// How many.
        cpu: CpuMilli,
    },
    /// At most so much memory a task.
    LessMemory {
        /// How much.
        memory: Bytes,
    },
    /// Accelerators of one of these models.
    OtherModels {
        /// Which.
        models: Vec<String>,
    },
    /// No bound on how many of its tasks share a node.
    AnyTasksPerNode,
    /// A wall time of at most this: it would be over before it is in the way of another's planned start.
    ShorterWallTime {
        /// How long.
        wall_time: Span,
    },
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
    /// How many nodes fail which test; a node may fail several.
    pub failing: Vec<Failing>,
    /// Workloads that go before it in the queue.
    pub ahead: u64,
    /// True where projects have shares: `ahead` counts those of its own project, and of others those that have waited too
    /// long; between projects it goes by share.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_share: bool,
    /// What would make it start now, each alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub would_start: Vec<Change>,
    /// When it gives up if it has not started by then; `None` where it waits for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_deadline: Option<Time>,
    /// When it is expected to start; `None` where it does not wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<StartEstimate>,
}

impl Explanation {
    /// Of a workload in this state, with nothing else said.
    pub const fn of(workload: WorkloadId, state: WorkloadState) -> Self {
        Self {
            workload,
            state,
            blockers: Vec::new(),
            nodes_total: 0,
            nodes_fitting: 0,
            failing: Vec::new(),
            ahead: 0,
            would_start: Vec::new(),
            by_share: false,
            state_deadline: None,
            estimate: None,
        }
    }
}

/// When a workload is expected to start, from forward runs of the factory's own core over what runs and waits: nothing
/// else arrives, nothing fails, a lost node stays lost, and work runs for as long as like work did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartEstimate {
    /// It has started by then in half of the runs; `None` where it has not, within the bound of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50: Option<Time>,
    /// It has started by then in nine of ten runs; `None` where it has not, within the bound of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90: Option<Time>,
    /// How far the run came that was cut by its bound the soonest: where `p50` is absent, it starts no sooner than that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// Running work that is stopped by `p50` to make room for it, and is not told so yet.
    #[serde(default, skip_serializing_if = "stops_nobody")]
    pub stops: u32,
    /// Forward runs that were made: one where nothing was learned, for they would all be alike.
    pub runs: u32,
    /// Attempts that durations were learned from; 0 where work was taken to run for its whole wall time.
    pub learned_from: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
const fn stops_nobody(stops: &u32) -> bool {
    *stops == 0
}
