//! The live factory: one driver that owns the state, and the HTTP door around it.
//!
//! What: `Server::start` recovers the journal, brings the engine and the state together, and serves `/v1`. Why one
//! driver thread: it takes a batch of inputs, makes it durable with one write, and only then answers and acts.
//! Absent: the command line, signals and logging set-up (the binary's), and every rule of the factory (the core's).

pub mod config;
mod error;
mod server;

pub use config::{Config, DoorLimits, EngineConfig, Retention, TlsFiles};
pub use error::{Fatal, StartError, exit_code};
pub use server::{RunFile, RunningServer, Server, Stopper, TOKEN_FILE};
