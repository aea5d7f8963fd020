//! Settings of the local engine.
//!
//! What: everything an operator can choose (`LocalConfig`), and what of it the supervisor needs (`Settings`), which is
//! sent on every connection because the supervisor outlives the factory and a restart with other settings must count.
//! Absent: limits of a task; an order carries those.

use crate::local::devices::Device;
use eaf_model::{Bytes, Span};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;

/// The path of programs where the factory itself has none.
const PATH_DEFAULT: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How a task is kept from what is not its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sandbox {
    /// The kernel's Landlock; the engine refuses to start where the kernel has none.
    #[default]
    Landlock,
    /// The program `bwrap`, with namespaces of its own.
    Bubblewrap,
    /// Nothing but the user's own rights.
    None,
}

/// Which control groups keep a task's limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CgroupMode {
    /// Version 2 where its controllers are there and may be written, else version 1, else none.
    #[default]
    Auto,
    /// Version 2, with whatever controllers it has.
    V2,
    /// Version 1.
    V1,
    /// None: the stated fallback.
    None,
}

/// The program that is run as the supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupervisorCommand {
    /// The executable; it must call `supervise`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
}

/// Where the machine describes itself; tests point these at recorded trees and tools.
#[derive(Clone, Debug)]
pub struct MachinePaths {
    /// `/sys`.
    pub sys: PathBuf,
    /// `/proc`.
    pub proc: PathBuf,
    /// `/dev`.
    pub dev: PathBuf,
    /// The tool `nvidia-smi`.
    pub nvidia_smi: OsString,
    /// The tool `amd-smi`, asked where sysfs does not tell.
    pub amd_smi: OsString,
    /// The tool `rocm-smi`, asked where there is no `amd-smi`.
    pub rocm_smi: OsString,
}

impl Default for MachinePaths {
    fn default() -> Self {
        Self {
            sys: "/sys".into(),
            proc: "/proc".into(),
            dev: "/dev".into(),
            nvidia_smi: "nvidia-smi".into(),
            amd_smi: "amd-smi".into(),
            rocm_smi: "rocm-smi".into(),
        }
    }
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
    /// Which control groups keep a task's limits.
    pub cgroups: CgroupMode,
    /// System users by project (a name, `UID` or `UID:GID`), where `eaf` runs as root; other projects get an automatic
    /// user each.
    pub users: BTreeMap<String, String>,
    /// The first automatic user id.
    pub automatic_uid_first: u32,
    /// Projects whose tasks may run as root.
    pub allow_root: BTreeSet<String>,
    /// The most bytes that are kept of each output stream of a task.
    pub log_bytes_max: Bytes,
    /// The most processes and threads of a task.
    pub processes_max: u32,
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
    /// The tasks' `PATH`.
    pub path: String,
    /// The tasks' `LANG`.
    pub lang: String,
    /// Where the machine describes itself.
    pub machine: MachinePaths,
}

impl LocalConfig {
    /// The defaults for a data directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            supervisor: None,
            sandbox: Sandbox::default(),
            cgroups: CgroupMode::default(),
            users: BTreeMap::new(),
            automatic_uid_first: 790_000,
            allow_root: BTreeSet::new(),
            log_bytes_max: Bytes(64 << 20),
            processes_max: 8_192,
            working_roots: Vec::new(),
            pretend_accelerators: None,
            catalogue: None,
            used_every: Span::from_secs(60),
            memory_reserved: Bytes(256 << 20),
            path: std::env::var("PATH").ok().filter(|path| !path.is_empty()).unwrap_or_else(|| PATH_DEFAULT.to_owned()),
            lang: "C.UTF-8".to_owned(),
            machine: MachinePaths::default(),
        }
    }
}

/// A system user that tasks run as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The name, for `USER`.
    pub(crate) name: String,
    /// The user.
    pub(crate) uid: u32,
    /// Its group.
    pub(crate) gid: u32,
    /// Its other groups.
    #[serde(default)]
    pub(crate) groups: Vec<u32>,
}

/// As whom tasks run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Identities {
    /// As the user that the factory runs as.
    Own {
        /// Its name.
        name: String,
    },
    /// As the user of the project.
    ByProject {
        /// Mapped by the operator; root only where the operator allowed it by name.
        mapped: BTreeMap<String, Identity>,
        /// The first user id of those that are made up.
        automatic_first: u32,
    },
}

/// What the supervisor needs to know to start tasks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) sandbox: Sandbox,
    pub(crate) cgroups: CgroupMode,
    pub(crate) identities: Identities,
    pub(crate) log_bytes_max: Bytes,
    pub(crate) processes_max: u32,
    pub(crate) working_roots: Vec<PathBuf>,
    pub(crate) devices: Vec<Device>,
    pub(crate) used_every: Span,
    pub(crate) path: String,
    pub(crate) lang: String,
    pub(crate) powercap: PathBuf,
}
