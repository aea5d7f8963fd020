//! Engines: they make true what the factory has decided.
//!
//! What: the contract that every engine keeps, and the local engine, which runs real processes on this machine.
//! Absent: policy. Nothing here chooses a node, retries, or gives up a task by itself.

pub mod conformance;
mod contract;
mod error;
pub mod local;

pub use contract::*;
pub use error::EngineError;
