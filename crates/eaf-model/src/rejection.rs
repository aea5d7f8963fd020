//! Rejections: why an input changes nothing, as data.
//!
//! What: a code, the numbers, and what would make it pass. Absent: words; doors have them in Korean and English, one
//! message a code.

use crate::{Bytes, CpuMilli, LeaseId, NodeId, PolicyProblem, Time, WorkloadId, WorkloadState};
use serde::{Deserialize, Serialize};

/// What can be wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "problem")]
pub enum FieldProblem {
    /// It may not be empty.
    Empty,
    /// It is below the least.
    TooSmall {
        /// What was given.
        given: i64,
        /// The least that passes.
        min: i64,
    },
    /// It is above the most.
    TooLarge {
        /// What was given.
        given: i64,
        /// The most that passes.
        max: i64,
    },
    /// It names something twice.
    Twice {
        /// What.
        what: String,
    },
    /// It has characters that are not allowed there.
    Malformed {
        /// What would pass.
        expected: String,
    },
    /// It does not go together with another field.
    Conflicts {
        /// The other field.
        with: String,
    },
}

impl FieldProblem {
    /// More bytes, or more things, than the most that pass.
    pub fn too_many(given: usize, max: usize) -> Self {
        let signed = |count| i64::try_from(count).unwrap_or(i64::MAX);
        Self::TooLarge { given: signed(given), max: signed(max) }
    }
}

/// The most that the fleet, with nothing running on it, could give to this kind of request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargestFit {
    /// Tasks of this size at once.
    pub tasks: u32,
    /// CPU of one task, everything else as asked.
    pub cpu: CpuMilli,
    /// Memory of one task, everything else as asked.
    pub memory: Bytes,
    /// Accelerators of one task, everything else as asked.
    pub accelerators: u32,
}

/// Why an input changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum Rejection {
    /// A field of a request is wrong.
    Invalid {
        /// The field's path, such as `task.cpu`.
        field: String,
        /// What is wrong with it.
        #[serde(flatten)]
        problem: FieldProblem,
    },
    /// The fleet could never hold it, even if nothing else ran.
    NeverFits {
        /// The most that would fit.
        largest: LargestFit,
    },
    /// No node has an accelerator of a model that would do.
    ModelUnknown {
        /// The models that would do; none where any would.
        models: Vec<String>,
        /// Those that the fleet has.
        offered: Vec<String>,
    },
    /// There are no nodes yet.
    NoNodes,
    /// Too many workloads are live.
    QueueFull {
        /// The bound.
        max: u64,
    },
    /// This idempotency key was used for another request.
    KeyReused {
        /// The workload that has it.
        workload: WorkloadId,
    },
    /// No such workload is live.
    UnknownWorkload {
        /// The id.
        workload: WorkloadId,
    },
    /// A dependency names no known workload.
    UnknownDependency {
        /// The id.
        workload: WorkloadId,
    },
    /// A dependency has already ended in a way that can never satisfy it.
    DependencyFailed {
        /// The id.
        workload: WorkloadId,
        /// How it ended.
        state: WorkloadState,
    },
    /// Started at once, it would not end by its deadline.
    DeadlineTooSoon {
        /// What was given.
        deadline: Time,
        /// When it would end.
        earliest: Time,
    },
    /// The workload is already stopping.
    AlreadyStopping {
        /// The id.
        workload: WorkloadId,
    },
    /// No such node.
    UnknownNode {
        /// The id.
        node: NodeId,
    },
    /// The node is already in that state.
    NodeUnchanged {
        /// The id.
        node: NodeId,
    },
    /// Work on the node holds more than it would have left; cordon it and wait.
    NodeHoldsMore {
        /// The id.
        node: NodeId,
        /// Leases on it.
        leases: u32,
    },
    /// Too many nodes.
    TooManyNodes {
        /// The bound.
        max: u64,
    },
    /// A late, doubled or foreign report: it changes nothing.
    StaleReport {
        /// The lease it spoke of.
        lease: LeaseId,
    },
    /// A model of accelerator does not offer this slice.
    SliceUnknown {
        /// What was asked for.
        slice: String,
        /// The model; `None` where none offers it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// What is offered there.
        offered: Vec<String>,
    },
    /// An accelerator cannot be brought into this mode.
    ModeUnknown {
        /// What was asked for.
        mode: String,
        /// Its model.
        model: String,
        /// Its modes.
        offered: Vec<String>,
    },
    /// A mode is changed only on accelerators on which nothing is held and no change is under way.
    AcceleratorBusy {
        /// The node.
        node: NodeId,
        /// Which.
        accelerator: u16,
    },
    /// A report of a mode that is late, doubled or of an older order: it changes nothing.
    StaleModeReport {
        /// The node it spoke of.
        node: NodeId,
    },
    /// The clock went back; time is passed in and never falls.
    TimeWentBack {
        /// The time of the last step.
        last: Time,
        /// What was passed.
        now: Time,
    },
    /// The settings do not hold together.
    SettingsInvalid {
        /// The field's path.
        field: String,
    },
    /// The policy does not hold together, or the factory cannot keep it.
    PolicyInvalid {
        /// Where in the policy.
        place: String,
        /// What is wrong there.
        problem: PolicyProblem,
    },
}

impl Rejection {
    /// Every code, in the order of the variants.
    pub const CODES: [&'static str; 23] = [
        "invalid",
        "never_fits",
        "model_unknown",
        "no_nodes",
        "queue_full",
        "key_reused",
        "unknown_workload",
        "unknown_dependency",
        "dependency_failed",
        "deadline_too_soon",
        "already_stopping",
        "unknown_node",
        "node_unchanged",
        "node_holds_more",
        "too_many_nodes",
        "stale_report",
        "slice_unknown",
        "mode_unknown",
        "accelerator_busy",
        "stale_mode_report",
        "time_went_back",
        "settings_invalid",
        "policy_invalid",
    ];

    /// The code, stable between releases.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::NeverFits { .. } => "never_fits",
            Self::ModelUnknown { .. } => "model_unknown",
            Self::NoNodes => "no_nodes",
            Self::QueueFull { .. } => "queue_full",
            Self::KeyReused { .. } => "key_reused",
            Self::UnknownWorkload { .. } => "unknown_workload",
            Self::UnknownDependency { .. } => "unknown_dependency",
            Self::DependencyFailed { .. } => "dependency_failed",
            Self::DeadlineTooSoon { .. } => "deadline_too_soon",
            Self::AlreadyStopping { .. } => "already_stopping",
            Self::UnknownNode { .. } => "unknown_node",
            Self::NodeUnchanged { .. } => "node_unchanged",
            Self::NodeHoldsMore { .. } => "node_holds_more",
            Self::TooManyNodes { .. } => "too_many_nodes",
            Self::StaleReport { .. } => "stale_report",
            Self::SliceUnknown { .. } => "slice_unknown",
            Self::ModeUnknown { .. } => "mode_unknown",
            Self::AcceleratorBusy { .. } => "accelerator_busy",
            Self::StaleModeReport { .. } => "stale_mode_report",
            Self::TimeWentBack { .. } => "time_went_back",
            Self::SettingsInvalid { .. } => "settings_invalid",
            Self::PolicyInvalid { .. } => "policy_invalid",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_codes_is_complete() {
        // The match is exhaustive, so its arms are all the codes there are.
        let arms = include_str!("rejection.rs")
            .split("pub const fn code")
            .nth(1)
            .and_then(|rest| rest.split("\n    }\n").next());
        let arms: Vec<&str> = arms.unwrap_or_default().split('"').skip(1).step_by(2).collect();
        assert_eq!(arms, Rejection::CODES);
    }
}
