//! The live factory: one driver that owns the state, and the HTTP door around it.
//!
//! What: `Server::start` recovers the journal, brings the engine and the state together, and serves `/v1`. Why one
//! driver thread: it takes a batch of inputs, makes it durable with one write, and only then answers and acts.
//! Absent: the command line, signals and logging set-up (the binary's), and every rule of the factory (the core's).

mod clock;
pub mod config;
mod driver;
mod error;
mod http;
mod metrics;
mod secrets;
mod server;
mod view;

pub use config::{
    Config, DoorLimits, EmbeddedError, EngineConfig, Retention, Site, SiteNode, TlsFiles, embedded_settings,
};
pub use error::{Fatal, StartError, exit_code};
pub use server::{EngineParts, RunFile, RunningServer, Server, Stopper, TOKEN_FILE};
