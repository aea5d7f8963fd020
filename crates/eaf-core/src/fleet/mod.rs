//! The fleet: nodes as they are announced, cordoned, lost and back, and the modes of their accelerators.
//!
//! What: one file a command. Absent: what is free on a node; that is a derived index of the scheduler's.

pub(crate) mod apply;
pub(crate) mod cordon;
pub(crate) mod lost;
pub(crate) mod modes;
mod records;
pub(crate) mod remove;
pub(crate) mod seen;

pub use records::{Lost, Node};
