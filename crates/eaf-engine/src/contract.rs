//! The contract of an engine: orders in, observations out.
//!
//! What: the factory decides where; an engine makes it so and reports what it observes. Orders may come twice and are
//! keyed by lease and task; reports are sent at least once, until `settle` says that the exit is durable in the journal.
//! Absent: policy. An engine never chooses a node, never retries, never gives up a task by itself.

use crate::EngineError;
use eaf_model::{Effect, Known, ModeReport, NodeId, NodeSpec, SeenModes, TaskKey, TaskReport, WorkloadId};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What an engine tells the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observation {
    /// A task was seen to do something.
    Task {
        /// The task.
        key: TaskKey,
        /// What it did.
        report: TaskReport,
    },
    /// What came of an order of a mode.
    Mode {
        /// The node.
        node: NodeId,
        /// Which accelerators.
        accelerators: Vec<u16>,
        /// The order's number.
        order: u64,
        /// What was seen.
        report: ModeReport,
    },
    /// The engine's arm (the supervisor, the cluster's controller) is out of reach; it is being brought back.
    Unreachable {
        /// What was seen.
        why: String,
    },
    /// It is reachable again; the driver must call `reconcile`.
    Reachable,
}

/// Where the observations go; called from the engine's own threads, never blocks for long.
pub type Sink = Box<dyn Fn(Observation) + Send + Sync>;

/// Which output of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A piece of a log, by its position since the task's start (rotation does not change positions).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogChunk {
    /// The position of the first byte; above what was asked for where older bytes have been rotated away.
    pub offset: u64,
    /// The bytes; empty at the end of what is there now.
    pub bytes: Vec<u8>,
}

/// An engine. Every implementation passes `conformance::check` on the real thing.
pub trait Engine: Send + Sync {
    /// Nodes as they are found now.
    fn discover(&self) -> Result<Vec<NodeSpec>, EngineError>;
    /// Carries out orders; returns as soon as they are on their way. An order for a task that is already known, running
    /// or exited, only repeats its report; a stop of a task that is not known is answered with `Unknown`.
    fn order(&self, effects: &[Effect]) -> Result<(), EngineError>;
    /// The modes that are in force on the accelerators of its nodes, as it reads them now.
    ///
    /// An order of a mode (`Effect::SetMode`) is answered with `Observation::Mode`: the mode that was read back when it was
    /// done, or why not. A doubled order is answered again, an older one than the last is not carried out, and one that
    /// would change a mode under a running task fails. A start that asks for a part of an accelerator that is in another mode
    /// is not begun, and reported as lost.
    fn modes(&self) -> Result<Vec<SeenModes>, EngineError>;
    /// Everything that this engine knows, running or not yet settled.
    fn reconcile(&self) -> Result<Vec<Known>, EngineError>;
    /// These exits are durable in the journal; the engine may forget them.
    fn settle(&self, keys: &[TaskKey]) -> Result<(), EngineError>;
    /// A piece of a task's output, at most `limit` bytes from `offset`.
    fn read_log(
        &self,
        workload: WorkloadId,
        attempt: u32,
        task: u32,
        stream: LogStream,
        offset: u64,
        limit: usize,
    ) -> Result<LogChunk, EngineError>;
    /// The directory that a workload runs in, where it has one on this machine.
    fn directory(&self, workload: WorkloadId) -> Option<PathBuf>;
    /// Removes logs and directories of these workloads; the history no longer needs them.
    fn forget_files(&self, workloads: &[WorkloadId]) -> Result<(), EngineError>;
}
