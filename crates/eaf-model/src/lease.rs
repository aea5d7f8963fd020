//! Leases: a granted right on capacity, and what engines report of it.
//!
//! What: placements, tasks, exits and usage. Why the lease id fences: engines report late and twice, and a report of an
//! old attempt must change nothing. Absent: how an engine does it.

use crate::{Bytes, CpuMicros, CpuMilli, GpuMilli, HeldSlice, MilliJoules, NodeId, Span, TaskKey, Time};
use serde::{Deserialize, Serialize};

/// A part of one accelerator of a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AllottedAccelerator {
    /// Its index on the node.
    pub index: u16,
    /// The share of it, in thousandths; of a slice, what it counts for.
    pub share: GpuMilli,
    /// Which slice of it, where it is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<HeldSlice>,
}

impl AllottedAccelerator {
    /// A share of an accelerator that is not cut.
    pub const fn of(index: u16, share: GpuMilli) -> Self {
        Self { index, share, slice: None }
    }
}

/// What one task holds on one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allotment {
    /// The node.
    pub node: NodeId,
    /// CPU threads, in thousandths.
    pub cpu: CpuMilli,
    /// Memory.
    pub memory: Bytes,
    /// Accelerators, by rising index and place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accelerators: Vec<AllottedAccelerator>,
}

/// Where a gang goes: one allotment a task, in rank order. A value; not yet true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Placement {
    /// By rank.
    pub tasks: Vec<Allotment>,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// Its process returned this code.
    Code(i32),
    /// Its process was ended by this signal.
    Signal(i32),
    /// It asked for more memory than it holds and was ended for it.
    OutOfMemory,
    /// It could not be started, by a fault of the specification (no such program, no such directory).
    CannotStart(String),
    /// It is gone and nobody saw how it ended; a fault of the factory.
    Lost(String),
}

impl Exit {
    /// True for an exit with 0.
    pub const fn is_success(&self) -> bool {
        matches!(self, Self::Code(0))
    }

    /// True where the factory, not the workload, is at fault.
    pub const fn is_loss(&self) -> bool {
        matches!(self, Self::Lost(_))
    }
}

/// How long a whole gang ran by itself, against the wall time that it was given: what is learned from an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// From the start of its last task to the end of its last task.
    pub time: Span,
    /// Its wall time.
    pub wall: Span,
    /// True where the workload named that wall time; false where it is the factory's default.
    pub stated: bool,
}

/// What a task has used since it started; every figure only grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Processor time of all its processes.
    pub cpu: CpuMicros,
    /// The most memory at once; `None` where no counter tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_peak: Option<Bytes>,
    /// Time its accelerators were busy, summed over them; `None` where no counter tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerator_busy: Option<Span>,
    /// Measured energy; `None` where the machine offers no counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<MilliJoules>,
}

/// The longest text that a task may put on a checkpoint, in characters.
pub const CHECKPOINT_LABEL_MAX: usize = 200;

/// A checkpoint, as the task that has written it reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// When it was written.
    pub at: Time,
    /// What the task says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// True where it holds what every task of the gang would need, not only what this one would.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole_gang: bool,
}

/// What an engine observed of one task. Engines send each at least once, late, doubled or out of order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskReport {
    /// The engine has the order and will carry it out.
    Accepted,
    /// The process is running.
    Started {
        /// When it started, by the engine's clock.
        at: Time,
    },
    /// A reading while it runs.
    Used {
        /// Since its start.
        usage: Usage,
    },
    /// It says that a checkpoint is written.
    Checkpointed(Checkpoint),
    /// The process and its whole tree are gone.
    Exited {
        /// When, by the engine's clock.
        at: Time,
        /// How.
        exit: Exit,
        /// Since its start.
        usage: Usage,
    },
    /// The engine was asked and knows nothing of this task: it does not run there.
    Unknown,
}

/// What an engine knows of one task, when asked for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The task.
    pub key: TaskKey,
    /// Its latest report: `Accepted`, `Started`, or `Exited` where that is not yet settled.
    pub report: TaskReport,
}
