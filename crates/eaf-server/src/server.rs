//! A factory in this process: started, running, stopped.

use crate::{Config, StartError};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// `run.json` in the data directory: where the running factory is. Written once it serves, removed when it stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFile {
    /// Its process.
    pub pid: u32,
    /// Its door, such as `http://127.0.0.1:7070`.
    pub url: String,
    /// Its version.
    pub version: String,
}

impl RunFile {
    /// Its name in the data directory.
    pub const NAME: &'static str = "run.json";
}

/// The name of the token's file in the data directory: mode 0600, one line.
pub const TOKEN_FILE: &str = "token";

/// Starts factories.
#[derive(Debug)]
pub struct Server;

impl Server {
    /// Opens the data directory (making it where it is missing), recovers, starts the engine, and serves. Returns once
    /// the door is open; blocks meanwhile. Needs no runtime around it.
    ///
    /// # Errors
    /// Everything that the operator must put right first; nothing is left running.
    pub fn start(config: Config) -> Result<RunningServer, StartError>;
}

/// A running factory. Dropping it stops it as `Stopper::stop(false)` does.
pub struct RunningServer;

impl RunningServer {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr;
    /// Its door, such as `http://127.0.0.1:7070`.
    pub fn url(&self) -> String;
    /// Stops it from another thread, such as a signal's.
    pub fn stopper(&self) -> Stopper;
    /// Blocks until it has stopped, by a `Stopper` or by `POST /v1/stop`. A failed append does not return: the process
    /// exits with a code of `exit_code`.
    pub fn wait(self);
}

/// Stops a running factory. Cheap to clone; the first call counts, except that `stop_work` may be added later.
#[derive(Clone, Debug)]
pub struct Stopper;

impl Stopper {
    /// Begins a graceful stop and returns at once. False leaves tasks running; true ends them and their supervisor.
    pub fn stop(&self, stop_work: bool);
}
