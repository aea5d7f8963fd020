//! Inputs: everything that can happen to the state machine.
//!
//! What: requests (imperative) and reports (past). Why time is not in them: the caller passes `now` beside the input.
//! Absent: who may ask; doors check that before an input is made.

use crate::{
    ModeReport, NodeId, NodeSpec, Policy, Settings, TaskKey, TaskReport, WorkloadId, WorkloadSpec, WorkloadState,
};
use serde::{Deserialize, Serialize};

/// Someone asks to run something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// What to run.
    pub spec: WorkloadSpec,
    /// The index values of an array; empty for a single workload.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub array: Vec<u16>,
    /// The client's idempotency key: a second submission with it gives the first one's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Who asks.
    pub by: String,
    /// How the dependencies ended that have left memory; looked up by the caller in the history.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ended: Vec<(WorkloadId, WorkloadState)>,
}

/// Everything that can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// Use these settings from now on.
    Configure(Box<Settings>),
    /// Share and reserve by this policy from now on.
    ApplyPolicy {
        /// The policy.
        policy: Box<Policy>,
        /// Who asks.
        by: String,
    },
    /// A node announced itself, by discovery or a site file: new, changed, or back.
    NodeSeen(NodeSpec),
    /// A node is not heard of any more.
    NodeLost {
        /// The node.
        node: NodeId,
        /// What was seen.
        why: String,
    },
    /// Place nothing more on this node.
    Cordon {
        /// The node.
        node: NodeId,
        /// Why, for the next one on call.
        why: String,
    },
    /// Place work on this node again.
    Uncordon {
        /// The node.
        node: NodeId,
    },
    /// Take an empty node out of the site.
    RemoveNode {
        /// The node.
        node: NodeId,
    },
    /// Bring empty accelerators of a node into a mode; also those that are out of service.
    SetMode {
        /// The node.
        node: NodeId,
        /// Which, by rising index.
        accelerators: Vec<u16>,
        /// `whole`, or a mode of the partition book.
        mode: String,
        /// Who asks.
        by: String,
    },
    /// An engine answers an order of a mode.
    ModeReported {
        /// The node.
        node: NodeId,
        /// Which, by rising index.
        accelerators: Vec<u16>,
        /// The order that this answers.
        order: u64,
        /// What was seen.
        report: ModeReport,
    },
    /// An engine was asked for everything, and these are the modes that are in force.
    ModesSeen {
        /// The node, by its name.
        name: String,
        /// The mode of each accelerator that it can tell of, by rising index.
        modes: Vec<(u16, String)>,
    },
    /// Run this.
    Submit(Box<Submission>),
    /// End this workload, or every live member of this array.
    Cancel {
        /// The workload or the array.
        workload: WorkloadId,
        /// Who asks.
        by: String,
    },
    /// An engine observed a task.
    Reported {
        /// The task.
        key: TaskKey,
        /// What was seen.
        report: TaskReport,
    },
    /// The time that `next_wakeup` named has come.
    Wake,
    /// Place what waits. Sent once after all inputs of one instant or batch.
    Plan,
}
