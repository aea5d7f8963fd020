//! Words of a script for states and reasons.
//!
//! What: one short word a reason, so that `expect` and the log speak alike. Absent: whole sentences.

use eaf_model::{Exit, ModeState, NodeState, Reason, WorkloadState};

/// The word for a reason: `exit 1`, `wall time`, `dependency`.
pub fn reason_word(reason: &Reason) -> String {
    match reason {
        Reason::WaitingForCapacity => "capacity".to_owned(),
        Reason::WaitingForDependencies { .. } => "dependencies".to_owned(),
        Reason::RetryAfterFailure { exit } => format!("retry after {}", exit_word(exit)),
        Reason::RetryAfterLoss { .. } => "retry after loss".to_owned(),
        Reason::WaitingAfterPreemption { .. } => "preempted".to_owned(),
        Reason::Preempted { by } => format!("preempted for {by}"),
        Reason::Placed => "placed".to_owned(),
        Reason::TasksStarting { started, of } => format!("{started} of {of} started"),
        Reason::TasksStarted => "started".to_owned(),
        Reason::CancelRequested { .. } => "cancelled".to_owned(),
        Reason::WallTimeReached => "wall time".to_owned(),
        Reason::StartTimedOut => "start time".to_owned(),
        Reason::TaskFailed { exit, .. } => exit_word(exit),
        Reason::NodeLost { .. } => "node lost".to_owned(),
        Reason::Lost { .. } => "lost".to_owned(),
        Reason::DependencyFailed { .. } => "dependency".to_owned(),
        Reason::DidNotStartInTime => "not started in time".to_owned(),
        Reason::DeadlineOutOfReach => "its deadline is out of reach".to_owned(),
        Reason::AllTasksExitedZero => "exit 0".to_owned(),
    }
}

/// The word for how a task ended.
pub(crate) fn exit_word(exit: &Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
        Exit::OutOfMemory => "out of memory".to_owned(),
        Exit::CannotStart(_) => "cannot start".to_owned(),
        Exit::Lost(_) => "lost".to_owned(),
    }
}

/// The word for what may be placed on a node.
pub(crate) const fn node_word(state: NodeState) -> &'static str {
    match state {
        NodeState::Ready => "ready",
        NodeState::Cordoned => "cordoned",
        NodeState::Lost => "lost",
    }
}

/// The word for where an accelerator is between two modes.
pub(crate) const fn mode_word(state: ModeState) -> &'static str {
    match state {
        ModeState::Settled => "settled",
        ModeState::Draining => "draining",
        ModeState::Changing => "changing",
        ModeState::OutOfService => "out-of-service",
    }
}

/// Where an accelerator is that this word is for.
pub(super) fn mode_state(word: &str) -> Option<ModeState> {
    let all = [ModeState::Settled, ModeState::Draining, ModeState::Changing, ModeState::OutOfService];
    all.into_iter().find(|state| mode_word(*state) == word)
}

/// The state that this word is for.
pub(super) fn workload_state(word: &str) -> Option<WorkloadState> {
    WorkloadState::ALL.into_iter().find(|state| state.word() == word)
}

/// The state of a node that this word is for.
pub(super) fn node_state(word: &str) -> Option<NodeState> {
    [NodeState::Ready, NodeState::Cordoned, NodeState::Lost].into_iter().find(|state| node_word(*state) == word)
}
