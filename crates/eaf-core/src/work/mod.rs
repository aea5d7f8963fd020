//! Work: workloads, leases and tasks.
//!
//! What: one file a command, and the records they speak of. Absent: where things go (`eaf-sched`) and what they cost
//! (`eaf-energy`).

pub(crate) mod apply;
pub(crate) mod cancel;
mod depend;
pub(crate) mod learned;
pub(crate) mod plan;
mod records;
pub(crate) mod reported;
pub(crate) mod service;
pub(crate) mod settle;
pub(crate) mod submit;
pub(crate) mod validate;
pub(crate) use validate::labels as validate_labels;
pub(crate) mod wake;

pub use learned::{Learned, LearnedBin};
pub(crate) use records::is_zero;
pub use records::{AbandonedTask, Attempt, Lease, Remembered, Stopping, Task, TaskState, Workload};
