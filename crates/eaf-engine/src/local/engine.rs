//! The factory's end of the local engine.
//!
//! What: implements the contract by talking to the supervisor. Absent: starting tasks; the supervisor does that.

use crate::local::LocalConfig;
use crate::{Engine, EngineError, Known, LogChunk, LogStream, Sink};
use eaf_model::{Effect, NodeSpec, TaskKey, WorkloadId};
use std::path::PathBuf;

/// The local engine. Dropping it leaves the supervisor and every task running.
pub struct LocalEngine {
    config: LocalConfig,
    _sink: Sink,
}

impl LocalEngine {
    /// Connects to the supervisor of the data directory, or starts one.
    pub fn start(config: LocalConfig, sink: Sink) -> Result<Self, EngineError> {
        Ok(Self { config, _sink: sink })
    }

    /// Ends the supervisor: with `stop_work` every task is stopped first (TERM, then KILL); without it, running tasks go
    /// on and the next supervisor finds them.
    pub fn shutdown(&self, _stop_work: bool) -> Result<(), EngineError> {
        Err(unreachable_yet())
    }

    /// What keeps the limits of a task here, in words for a log line: cgroups, or what stands in for them.
    pub fn limits_in_force(&self) -> Result<String, EngineError> {
        Err(unreachable_yet())
    }
}

fn unreachable_yet() -> EngineError {
    EngineError::Unreachable { why: "no supervisor".to_owned() }
}

impl Engine for LocalEngine {
    fn discover(&self) -> Result<Vec<NodeSpec>, EngineError> {
        Err(unreachable_yet())
    }
    fn order(&self, _effects: &[Effect]) -> Result<(), EngineError> {
        Err(unreachable_yet())
    }
    fn reconcile(&self) -> Result<Vec<Known>, EngineError> {
        Err(unreachable_yet())
    }
    fn settle(&self, _keys: &[TaskKey]) -> Result<(), EngineError> {
        Err(unreachable_yet())
    }
    fn read_log(
        &self,
        _workload: WorkloadId,
        _attempt: u32,
        _task: u32,
        _stream: LogStream,
        _offset: u64,
        _limit: usize,
    ) -> Result<LogChunk, EngineError> {
        Err(unreachable_yet())
    }
    fn directory(&self, workload: WorkloadId) -> Option<PathBuf> {
        let path = self.config.data_dir.join("work").join(workload.to_string());
        path.is_dir().then_some(path)
    }
    fn forget_files(&self, _workloads: &[WorkloadId]) -> Result<(), EngineError> {
        Err(unreachable_yet())
    }
}
