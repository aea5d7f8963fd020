//! Placement that is priced: which node loses the least when a workload of this shape goes there.
//!
//! What: nodes and shapes (`node`); the loop that places, with an index that answers "which node scores best for this
//! shape" without looking at nodes that did not change (`placer` on `ladder` and `classes`); the policy `eaf` on `value`,
//! `room` and `reserve` by what `worth` learned. Why a trait for policies: the score is the only part that differs, so peers of other authors are
//! measured in the same loop. Why floats: a score is made inside a decision and never kept in the state.
//! Absent: gangs over several nodes (`spread`), and the fleet of the planner (`scores` carries it here).

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "indices and figures far below the limits of their types, clamped where they might not be"
)]

pub mod classes;
pub mod eaf;
pub mod ladder;
pub mod node;
pub mod placer;
pub mod reserve;
pub mod room;
pub mod value;
pub mod worth;

pub use eaf::Eaf;
pub use node::{GpuSet, Node, Shape};
pub use placer::{Decision, Placer, Policy};
