//! Tenancy: who has which part of the fleet.
//!
//! What: the policy in force, what each project holds and held, and the windows in which nodes are kept. Absent: people,
//! credits and money.

pub(crate) mod apply;
pub(crate) mod policy;
mod problems;
mod usage;
pub(crate) mod used;

pub use problems::policy_problem;
pub use usage::share_uses;
pub use used::Average;
