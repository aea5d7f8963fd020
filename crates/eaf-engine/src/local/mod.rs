//! The local engine: real processes on this machine.
//!
//! What: a client in the factory's process (`LocalEngine`) and a small supervisor in a process of its own (`supervise`)
//! that outlives the factory, so that running work and exit codes do. Absent: other machines.

mod config;
mod engine;
mod supervisor;

pub use config::{LocalConfig, Sandbox, SupervisorCommand};
pub use engine::LocalEngine;
pub use supervisor::{SuperviseConfig, supervise};
