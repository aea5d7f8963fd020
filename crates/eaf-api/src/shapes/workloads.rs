//! Workloads as they are asked for and shown.

use eaf_model::{
    Allotment, Bill, Checkpoint, Exit, Explanation, LeaseId, NodeId, Reason, StartEstimate, Time, Usage, WorkloadId,
    WorkloadSpec, WorkloadState,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// `POST /v1/workloads`. The header `Idempotency-Key` makes a repetition safe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubmitRequest {
    /// What to run.
    pub spec: WorkloadSpec,
    /// The index values of an array; empty for one workload.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub array: Vec<u16>,
}

/// The answer to a submission: it is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submitted {
    /// The workload, or the array as a whole (its members are `ID.0`, `ID.1`, … in the order of the index values).
    pub id: WorkloadId,
}

/// `POST /v1/workloads/what-if`: what would come of a submission. Nothing was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// How many workloads it makes: one, or the members of an array.
    pub workloads: u32,
    /// How many of them would start at once.
    pub starting: u32,
    /// Where the tasks of the first of these would go, by rank; empty where none would start at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<PlannedTask>,
    /// Why the first of the others would wait, and when it would start. Its id is the one that it would get now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<Explanation>,
    /// When the last of the others would start, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<StartEstimate>,
}

/// Where a task would go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTask {
    /// The name of the node.
    pub name: String,
    /// What it would hold.
    pub allotment: Allotment,
}

/// A workload, live or ended, or an array as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadView {
    /// Its id.
    pub id: WorkloadId,
    /// Its name.
    pub name: String,
    /// What was asked for.
    pub spec: Arc<WorkloadSpec>,
    /// What became of it so far.
    pub status: WorkloadStatus,
    /// Free labels, as in the specification.
    pub labels: BTreeMap<String, String>,
    /// Counts the changes of the record, from 1; of an array, those of all its members.
    pub version: u64,
    /// Its state. An array's is `running` once a member is past `queued` and until all have ended; then the worst of
    /// its members' (failed, cancelled, expired, finished).
    pub state: WorkloadState,
    /// Since when.
    pub state_since: Time,
    /// Why. An array's is that of its first member in that state.
    pub state_reason: Reason,
    /// When the state is overdue, where it can be.
    #[serde(default)]
    pub state_deadline: Option<Time>,
}

/// What became of a workload so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadStatus {
    /// Who submitted it.
    pub by: String,
    /// When.
    pub submitted_at: Time,
    /// For a member of an array: its index value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array_index: Option<u16>,
    /// For an array as a whole: its members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array: Option<ArraySummary>,
    /// Not to be started before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Time>,
    /// Retries spent.
    pub retries_spent: u32,
    /// Attempts lost through no fault of its own.
    pub losses: u32,
    /// What it holds now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseView>,
    /// Attempts that are over, in order.
    pub attempts: Vec<AttemptView>,
}

/// The members of an array.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArraySummary {
    /// How many are known; fewer than were submitted once the oldest have left the history.
    pub members: u32,
    /// How many are in each state, by the state's word; states without members are absent.
    pub by_state: BTreeMap<WorkloadState, u32>,
}

/// A granted right on capacity, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseView {
    /// Its id.
    pub id: LeaseId,
    /// The attempt, from 1.
    pub attempt: u32,
    /// When it was granted.
    pub granted_at: Time,
    /// The last time from which the whole gang could go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpointed_at: Option<Time>,
    /// By rank.
    pub tasks: Vec<TaskView>,
}

/// One task of a lease.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskView {
    /// What it holds, and on which node.
    pub allotment: Allotment,
    /// Where it is in its life.
    pub state: TaskWord,
    /// When its process started, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// How it ended, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// What it has used, as last reported.
    pub usage: Usage,
    /// The latest checkpoint that it has reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
}

/// Where a task is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskWord {
    /// The engine owes its start.
    Ordered,
    /// The engine has the order.
    Accepted,
    /// Its process runs.
    Started,
    /// It is gone.
    Exited,
    /// Its node is lost and the attempt goes on without it.
    Abandoned,
}

/// One try of a workload, when it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptView {
    /// The number, from 1.
    pub attempt: u32,
    /// Its lease.
    pub lease: LeaseId,
    /// Where each task was, by rank.
    pub nodes: Vec<NodeId>,
    /// How each task ended, by rank.
    pub exits: Vec<Exit>,
    /// The last time from which the whole gang could go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpointed_at: Option<Time>,
    /// What it held, used and costs.
    pub bill: Bill,
}

/// `GET /v1/workloads`, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadPage {
    /// One page.
    pub items: Vec<WorkloadView>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What `GET /v1/workloads` may be asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuery {
    /// Only these states; empty for any.
    pub states: Vec<WorkloadState>,
    /// Only this project.
    pub project: Option<String>,
    /// Only this name.
    pub name: Option<String>,
    /// Only the members of this array (or this one workload).
    pub list: Option<WorkloadId>,
    /// Ended ones too; naming an ended state asks for them as well.
    pub all: bool,
    /// At most so many on a page; 1 to `PAGE_MAX`.
    pub limit: Option<u32>,
    /// `next` of the page before.
    pub cursor: Option<String>,
}

/// The most workloads on a page.
pub const PAGE_MAX: u32 = 1_000;
/// The workloads on a page that names no limit.
pub const PAGE_DEFAULT: u32 = 100;

/// Which output of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    #[default]
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// The word in a query.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// What `GET /v1/workloads/{id}/logs` may be asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// The attempt, from 1; `None` for the latest.
    pub attempt: Option<u32>,
    /// The rank of the task.
    pub task: u32,
    /// Which output.
    pub stream: Stream,
    /// The position of the first byte wanted.
    pub offset: u64,
    /// At most so many bytes; 1 to `LOG_BYTES_MAX`.
    pub limit: Option<u32>,
}

/// The most bytes of a log in one answer that does not follow.
pub const LOG_BYTES_MAX: u32 = 4 << 20;

/// A piece of a log. The bytes are the body; the positions are headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPiece {
    /// The position of the first byte (`Eaf-Log-Offset`); above what was asked for where older bytes are gone.
    pub offset: u64,
    /// The position to ask for next (`Eaf-Log-Next`).
    pub next: u64,
    /// True where the task is over and nothing comes behind `next` (`Eaf-Log-End`).
    pub end: bool,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A directory below a workload's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The path that was asked for, relative to the workload's directory; empty for that directory itself.
    pub path: String,
    /// What is in it, by name.
    pub entries: Vec<ListingEntry>,
    /// True where there are more than are listed.
    pub cut: bool,
}

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListingEntry {
    /// Its name; bytes that are no UTF-8 are replaced.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// Anything else; it cannot be fetched.
    Other,
}
