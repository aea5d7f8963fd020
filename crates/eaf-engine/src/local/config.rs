//! Settings of the local engine.
//!
//! What: everything an operator can choose. Why most of it is sent to the supervisor on every connection: the supervisor
//! outlives the factory, and a restart with other settings must count. Absent: limits of a task; an order carries those.

use eaf_model::{Bytes, Span};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;

/// How a task is kept from what is not its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sandbox {
    /// The kernel's Landlock; the factory refuses to run where the kernel has none.
    #[default]
    Landlock,
    /// The program `bwrap`, with namespaces of its own.
    Bubblewrap,
    /// Nothing but the user's own rights.
    None,
}

/// The program that is run as the supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupervisorCommand {
    /// The executable; it must call `supervise`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
}

/// Settings of the local engine.
#[derive(Clone, Debug)]
pub struct LocalConfig {
    /// The factory's data directory; the engine keeps `engine/`, `work/` and `logs/` in it.
    pub data_dir: PathBuf,
    /// The supervisor; `None` for this executable with `supervise --data-dir DIR`.
    pub supervisor: Option<SupervisorCommand>,
    /// How a task is kept from what is not its own.
    pub sandbox: Sandbox,
    /// System users by project, where `eaf` runs as root; other projects get an automatic user each.
    pub users: BTreeMap<String, String>,
    /// The first automatic user id.
    pub automatic_uid_first: u32,
    /// Projects whose tasks may run as root.
    pub allow_root: BTreeSet<String>,
    /// The most bytes that are kept of each output stream of a task.
    pub log_bytes_max: Bytes,
    /// Directories below which an absolute working directory may lie.
    pub working_roots: Vec<PathBuf>,
    /// Accelerators that are not there, such as `8xMI355X`, for trying things out.
    pub pretend_accelerators: Option<String>,
    /// A catalogue of accelerators in place of the built-in one.
    pub catalogue: Option<PathBuf>,
    /// How often a running task's usage is reported.
    pub used_every: Span,
    /// Memory that is kept for the factory itself and never offered to workloads.
    pub memory_reserved: Bytes,
}

impl LocalConfig {
    /// The defaults for a data directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            supervisor: None,
            sandbox: Sandbox::default(),
            users: BTreeMap::new(),
            automatic_uid_first: 790_000,
            allow_root: BTreeSet::new(),
            log_bytes_max: Bytes(64 << 20),
            working_roots: Vec::new(),
            pretend_accelerators: None,
            catalogue: None,
            used_every: Span::from_secs(60),
            memory_reserved: Bytes(256 << 20),
        }
    }
}
