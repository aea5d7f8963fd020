//! How a plan breaks the rules.
//!
//! What: one case a rule, with whose and where. Absent: words for people; a broken rule is a fault of ours.

use eaf_model::{LeaseId, NodeId, Test, WorkloadId};

/// How a plan breaks the rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// More grants than one pass may make.
    #[error("{grants} grants in one pass, and {max} are allowed")]
    TooManyGrants {
        /// How many.
        grants: usize,
        /// How many are allowed.
        max: u32,
    },
    /// It does not wait.
    #[error("{workload} is not in the queue")]
    NotQueued {
        /// Which.
        workload: WorkloadId,
    },
    /// It is granted twice, or granted and held for.
    #[error("{workload} is in the plan twice")]
    Twice {
        /// Which.
        workload: WorkloadId,
    },
    /// A gang is not whole.
    #[error("{workload} has {placed} of its {wanted} tasks placed")]
    GangNotWhole {
        /// Whose.
        workload: WorkloadId,
        /// Tasks with a place.
        placed: usize,
        /// Tasks that it needs.
        wanted: u32,
    },
    /// Too many tasks share a node.
    #[error("{workload} has more than {max} tasks on {node}")]
    TasksPerNode {
        /// Whose.
        workload: WorkloadId,
        /// Where.
        node: NodeId,
        /// How many may be there.
        max: u32,
    },
    /// A task gets something else than it asks for.
    #[error("a task of {workload} gets something else on {node} than it asks for")]
    NotAsAsked {
        /// Whose.
        workload: WorkloadId,
        /// Where.
        node: NodeId,
    },
    /// There is no such node.
    #[error("{workload} is placed on {node}, which is not there")]
    UnknownNode {
        /// Whose.
        workload: WorkloadId,
        /// Where.
        node: NodeId,
    },
    /// A node cannot take what is placed on it.
    #[error("{workload} is placed on {node}, which fails {test:?}")]
    Unfit {
        /// Whose.
        workload: WorkloadId,
        /// Where.
        node: NodeId,
        /// What the node fails.
        test: Test,
    },
    /// Grants are not in queue order, or one goes before another of its own shape.
    #[error("{workload} is granted out of order")]
    OutOfOrder {
        /// Which.
        workload: WorkloadId,
    },
    /// Something passes the first that waits, and that has no hold to protect it.
    #[error("{by} passes {workload}, which has no hold")]
    Passed {
        /// Who waits.
        workload: WorkloadId,
        /// Who passes.
        by: WorkloadId,
    },
    /// More holds than one pass may make.
    #[error("{holds} holds in one pass, and {max} are allowed")]
    TooManyHolds {
        /// How many.
        holds: usize,
        /// How many are allowed.
        max: u32,
    },
    /// It may start later than is said.
    #[error("{workload} may start later than is said")]
    LatestTooSoon {
        /// Whose.
        workload: WorkloadId,
    },
    /// A hold does not lie in the future.
    #[error("the hold of {workload} is not after the pass")]
    HoldNotLater {
        /// Whose.
        workload: WorkloadId,
    },
    /// A lease is told to stop that may not be, or not for this workload.
    #[error("{lease} may not be stopped for {workload}")]
    MayNotStop {
        /// For whom.
        workload: WorkloadId,
        /// Which.
        lease: LeaseId,
    },
    /// A lease is told to stop that could be spared.
    #[error("{lease} need not stop for {workload}")]
    NeedNotStop {
        /// For whom.
        workload: WorkloadId,
        /// Which.
        lease: LeaseId,
    },
    /// Something would be held on a node that is kept for others at that time.
    #[error("{workload} would hold {node} while that is kept for others")]
    Closed {
        /// Whose.
        workload: WorkloadId,
        /// Where.
        node: NodeId,
    },
    /// A share gets more than it may have.
    #[error("{workload} takes more of {model} than its shares let it")]
    AboveShare {
        /// Whose.
        workload: WorkloadId,
        /// Of which model.
        model: String,
    },
    /// What the hold needs on a node is not free when it begins.
    #[error("the hold of {workload} is delayed on {node}: {test:?}")]
    HoldDelayed {
        /// Whose.
        workload: WorkloadId,
        /// Where.
        node: NodeId,
        /// What is not free.
        test: Test,
    },
    /// A change of mode breaks a rule.
    #[error("accelerator {accelerator} of {node} may not become {to}: {why}")]
    ModeChange {
        /// Where.
        node: NodeId,
        /// Which.
        accelerator: u16,
        /// The mode.
        to: String,
        /// The rule.
        why: &'static str,
    },
}
