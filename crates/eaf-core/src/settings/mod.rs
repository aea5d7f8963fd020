//! Settings of the core.
//!
//! What: the one command that changes them. Absent: settings of doors and engines.

pub(crate) mod apply;
pub(crate) mod configure;

pub use configure::settings_problem;
