//! `next_wakeup`: when time itself becomes an input.
//!
//! What: the nearest deadline and why it is one. Absent: timers; whoever owns the clock sends `Input::Wake` then.

use crate::State;
use crate::index::Deadline;
use eaf_model::{LeaseId, NodeId, Time, WorkloadId};

/// When to send `Input::Wake`, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wakeup {
    /// When.
    pub at: Time,
    /// Why.
    pub reason: WakeupReason,
}

/// Why time matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeupReason {
    /// The wall time of this lease is over.
    WallTime(LeaseId),
    /// This lease did not start in time.
    StartTimeout(LeaseId),
    /// This workload may be tried again.
    Retry(WorkloadId),
    /// This workload did not start in time.
    Expire(WorkloadId),
    /// This workload has waited so long that it goes before others.
    Age(WorkloadId),
    /// This lease brings its workload to the next level of attained service.
    Level(LeaseId),
    /// This lease has run long enough to be stopped for others.
    Evictable(LeaseId),
    /// This lost node did not come back in time.
    LostNode(NodeId),
    /// A change of mode on this node was not done in time.
    ModeChange(NodeId),
    /// A window of the policy begins or is over.
    Windows,
}

/// The nearest deadline, if there is one.
pub fn next_wakeup(state: &State) -> Option<Wakeup> {
    let (at, deadline) = state.index.deadlines.get_min().copied()?;
    let reason = match deadline {
        Deadline::WallTime(lease) => WakeupReason::WallTime(lease),
        Deadline::StartTimeout(lease) => WakeupReason::StartTimeout(lease),
        Deadline::Retry(workload) => WakeupReason::Retry(workload),
        Deadline::Expire(workload) | Deadline::TooLate(workload) => WakeupReason::Expire(workload),
        Deadline::Age(workload) => WakeupReason::Age(workload),
        Deadline::Level(lease) => WakeupReason::Level(lease),
        Deadline::Evictable(lease) => WakeupReason::Evictable(lease),
        Deadline::LostNode(node) => WakeupReason::LostNode(node),
        Deadline::ModeChange(node) => WakeupReason::ModeChange(node),
        Deadline::Windows => WakeupReason::Windows,
    };
    (at < Time::NEVER).then_some(Wakeup { at, reason })
}
