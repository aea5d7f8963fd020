//! The scheduler: order, place, preempt, reserve, backfill, explain, check.
//!
//! What: a pipeline of values. `Snapshot` goes in, `plan` gives a `Plan`, `check` tests it without knowing how it was
//! made, `explain` says why a workload still waits. `Fleet`, `Queue`, `Running` and `Releases` are the parts of a snapshot; the
//! core maintains them as things happen, and a clone of each is O(1).
//! Why values: the live factory and its twin plan with the same code, and a plan can be tried before it is true.
//! Behind a plan, `modes` proposes which accelerators change their mode for those who still wait.
//! Absent: a clock, the world, and a choice left to whoever carries a plan out.

mod ahead;
mod beside;
mod candidates;
mod capacity;
mod check;
mod cuts;
mod explain;
mod fabric;
mod fleet;
mod mix;
mod modes;
mod order;
mod place;
mod plan;
pub mod policy;
mod preempt;
mod queue;
mod rank;
mod reference;
mod relax;
mod releases;
mod running;
mod scores;
mod shape;
mod shares;
mod spread;
mod timeline;
mod told;
mod turns;
mod valuation;
mod windows;

pub use capacity::NodeCapacity;
pub use check::{Violation, check, check_modes};
pub use explain::explain;
pub use fleet::Fleet;
pub use mix::{ASKS_MAX, Mix};
pub use modes::{ModeChange, ModeRules, UnderWay, modes};
pub use order::Class;
pub use place::place;
pub use plan::{Grant, Hold, Plan, Snapshot, plan};
pub use preempt::Claim;
pub use queue::{Entry, Queue};
pub use releases::{Counts, Releases};
pub use running::{Evictable, Leaving, Running};
pub use scores::Scores;
pub use shape::Shape;
pub use shares::{Amounts, Shares, Use, held_by};
pub use told::Told;
pub use valuation::{Basis, Valued, due};
pub use windows::{Window, Windows};
