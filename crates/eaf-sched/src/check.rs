//! The checker.
use crate::{Plan, Snapshot};

/// What is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {}

/// Checks.
pub fn check(_snapshot: &Snapshot, _plan: &Plan) -> Result<(), Violation> {
    Ok(())
}
