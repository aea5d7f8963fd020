//! The local engine: real processes on this machine.
//!
//! What: a client in the factory's process (`LocalEngine`) and a small supervisor in a process of its own (`supervise`)
//! that outlives the factory, so that running work and exit codes do. Absent: other machines.

mod catalogue;
mod cgroup;
mod config;
mod devices;
mod dirs;
mod discover;
mod engine;
mod link;
mod logs;
mod modes;
mod records;
mod sandbox;
mod spawn;
mod supervisor;
mod tree;
mod users;
mod wire;

pub use catalogue::{Catalogue, CatalogueError, CatalogueModel};
pub use config::{CgroupMode, LocalConfig, MachinePaths, Sandbox, SupervisorCommand};
pub use devices::{Device, Part, Vendor};
pub use engine::LocalEngine;
pub use supervisor::{SuperviseConfig, supervise};
pub use wire::Version;

pub(crate) use config::{Identity, Settings};
pub(crate) use dirs::Dirs;
