//! The deterministic core of the factory: one state machine for the live factory and its twin.
//!
//! What: `decide` turns an input into events by today's policy, `apply` folds events into the state for ever,
//! `outstanding` says what the world still owes, `next_wakeup` says when time itself becomes an input.
//! Why: whatever runs the factory can also foresee it, and a crash loses nothing that was written down.
//! Absent: clocks, I/O, threads, async, random sources, hash-iteration order, and floats in the state.

mod apply;
mod decide;
mod draft;
mod explain;
mod fleet;
mod forward;
mod index;
mod invariants;
mod machine;
mod outstanding;
mod preview;
mod reconcile;
mod settings;
mod state;
mod stored;
mod tenancy;
mod wakeup;
mod work;

pub use decide::{Step, decide, replay, step, step_with};
pub use explain::{explain, planned_starts};
pub use fleet::{Lost, Node};
pub use forward::{Durations, estimate};
pub use invariants::{Violation, check_invariants};
pub use machine::{BrokenStep, Machine, Taken, Turn};
pub use outstanding::{effects_of, outstanding};
pub use preview::{Preview, preview};
pub use reconcile::{Expected, Met, Reconciled, reconcile, taken_on};
pub use settings::settings_problem;
pub use state::State;
pub use tenancy::{Average, policy_problem, share_uses};
pub use wakeup::{Wakeup, WakeupReason, next_wakeup};
pub use work::{AbandonedTask, Attempt, Learned, LearnedBin, Lease, Remembered, Stopping, Task, TaskState, Workload};

pub use apply::apply;
