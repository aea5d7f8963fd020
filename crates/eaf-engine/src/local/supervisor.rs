//! The supervisor's process.
//!
//! What: starts tasks, watches them, keeps their exits until they are settled. Absent: policy.

use crate::EngineError;
use std::path::PathBuf;

/// Settings of the supervisor's process; everything else comes from the factory over the socket.
#[derive(Clone, Debug)]
pub struct SuperviseConfig {
    /// The factory's data directory.
    pub data_dir: PathBuf,
}

/// Runs the supervisor until it is told to end. The hidden verb `eaf supervise` is a call of this.
pub fn supervise(config: SuperviseConfig) -> Result<(), EngineError> {
    Err(EngineError::Unreachable { why: config.data_dir.display().to_string() })
}
