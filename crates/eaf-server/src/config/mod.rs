//! Settings of the server, as `eaf.toml` states them.
//!
//! What: where the data is, which door is opened how, bounds, retention, and what is passed on to the core and the
//! engine. Absent: how the file is found and how flags and variables override it; the command line does that.

mod duration;
mod embedded;
mod site;

pub use embedded::{EmbeddedError, embedded_settings};
pub use site::{Site, SiteNode};

use eaf_engine::local::{CgroupMode, LocalConfig, Sandbox, SupervisorCommand};
use eaf_model::{Bytes, Settings, Span};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// Settings of the server.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The factory's name, shown on every receipt.
    pub name: String,
    /// The data directory.
    pub data_dir: PathBuf,
    /// The address to listen on. Any other than loopback needs `tls` or `insecure_http`.
    pub bind: IpAddr,
    /// The port; 0 lets the system choose.
    pub port: u16,
    /// Certificate and key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsFiles>,
    /// Serve plain HTTP on an address that others can reach.
    pub insecure_http: bool,
    /// A site file (TOML): labels and limits of nodes, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<PathBuf>,
    /// How long things are kept.
    pub retention: Retention,
    /// Bounds of the HTTP door and of the driver.
    pub limits: DoorLimits,
    /// Settings of the core; what is left out comes from the embedded price book, grid and power figures.
    pub settings: Settings,
    /// Settings of the local engine.
    pub engine: EngineConfig,
    /// Accelerators that are not there, such as `8xMI355X`, for trying things out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pretend_accelerators: Option<String>,
    /// Check the invariants of the state after every step, in release builds too.
    pub check_invariants: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: "Eco-AI Factory".to_owned(),
            data_dir: PathBuf::from("/var/lib/eaf"),
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 7070,
            tls: None,
            insecure_http: false,
            site: None,
            retention: Retention::default(),
            limits: DoorLimits::default(),
            settings: Settings::default(),
            engine: EngineConfig::default(),
            pretend_accelerators: None,
            check_invariants: false,
        }
    }
}

impl Config {
    /// The address to listen on.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::new(self.bind, self.port)
    }

    /// What the local engine is started with.
    pub(crate) fn local_engine(&self) -> LocalConfig {
        let mut local = LocalConfig::new(&self.data_dir);
        let engine = &self.engine;
        local.supervisor.clone_from(&engine.supervisor);
        local.sandbox = engine.sandbox;
        local.cgroups = engine.cgroups;
        local.processes_max = engine.processes_max;
        local.path.clone_from(&engine.path);
        local.lang.clone_from(&engine.lang);
        local.users.clone_from(&engine.users);
        local.automatic_uid_first = engine.automatic_uid_first;
        local.allow_root.clone_from(&engine.allow_root);
        local.log_bytes_max = engine.log_bytes_max;
        local.working_roots.clone_from(&engine.working_roots);
        local.pretend_accelerators.clone_from(&self.pretend_accelerators);
        local.catalogue.clone_from(&engine.catalogue);
        local.used_every = engine.used_every;
        local.memory_reserved = engine.memory_reserved;
        local
    }
}

/// Certificate and key of the HTTPS door.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The chain of certificates, PEM.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// How long things are kept, as texts such as `90d`, `12h` or `30m`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Steps of the journal that a snapshot covers.
    #[serde(with = "duration")]
    pub journal: Span,
    /// Ended workloads and their receipts.
    #[serde(with = "duration")]
    pub history: Span,
    /// Logs and working directories of ended workloads.
    #[serde(with = "duration")]
    pub logs: Span,
}

const DAY: u64 = 24 * 3_600;

impl Default for Retention {
    fn default() -> Self {
        Self {
            journal: Span::from_secs(400 * DAY),
            history: Span::from_secs(10 * 365 * DAY),
            logs: Span::from_secs(30 * DAY),
        }
    }
}

/// Bounds of the HTTP door and of the driver.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DoorLimits {
    /// The most bytes of a request's body.
    pub body_bytes_max: u64,
    /// Open connections.
    pub connections_max: u32,
    /// Requests a second of one peer address; 0 for no bound.
    pub requests_per_second: u32,
    /// Inputs that wait for the driver; more are answered with 503.
    pub waiting_inputs_max: u32,
    /// Inputs of one batch, which is one write to the disk.
    pub batch_inputs_max: u32,
    /// Events of late that memory keeps for the event stream; older ones are read from the journal.
    pub recent_events_max: u32,
    /// Threads that serve HTTP; 0 for half of the processors, at least one and at most eight. The driver and the store
    /// need the others.
    pub http_threads: u32,
}

impl Default for DoorLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 2 << 20,
            connections_max: 4_096,
            requests_per_second: 0,
            waiting_inputs_max: 8_192,
            batch_inputs_max: 256,
            recent_events_max: 16_384,
            http_threads: 0,
        }
    }
}

/// Settings of the local engine.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// How a task is kept from what is not its own.
    pub sandbox: Sandbox,
    /// Which control groups keep a task's limits.
    pub cgroups: CgroupMode,
    /// System users by project, where `eaf` runs as root; other projects get an automatic user each.
    pub users: BTreeMap<String, String>,
    /// The first automatic user id.
    pub automatic_uid_first: u32,
    /// Projects whose tasks may run as root.
    pub allow_root: BTreeSet<String>,
    /// The most bytes that are kept of each output stream of a task.
    pub log_bytes_max: Bytes,
    /// The most processes and threads of a task.
    pub processes_max: u32,
    /// The tasks' `PATH`.
    pub path: String,
    /// The tasks' `LANG`.
    pub lang: String,
    /// Directories below which an absolute working directory may lie.
    pub working_roots: Vec<PathBuf>,
    /// A catalogue of accelerators in place of the built-in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<PathBuf>,
    /// How often a running task's usage is reported.
    #[serde(with = "duration")]
    pub used_every: Span,
    /// Memory that is kept for the factory itself and never offered to workloads.
    pub memory_reserved: Bytes,
    /// The program that is run as the supervisor; absent for this one.
    #[serde(skip)]
    pub supervisor: Option<SupervisorCommand>,
}

impl Default for EngineConfig {
    fn default() -> Self {
        let local = LocalConfig::new("");
        Self {
            sandbox: local.sandbox,
            cgroups: local.cgroups,
            processes_max: local.processes_max,
            path: local.path,
            lang: local.lang,
            users: local.users,
            automatic_uid_first: local.automatic_uid_first,
            allow_root: local.allow_root,
            log_bytes_max: local.log_bytes_max,
            working_roots: local.working_roots,
            catalogue: local.catalogue,
            used_every: local.used_every,
            memory_reserved: local.memory_reserved,
            supervisor: None,
        }
    }
}
