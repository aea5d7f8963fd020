//! The contract of a store, and what passes through it.
//!
//! What: append a batch of steps durably, keep a snapshot, read steps back, keep what has ended. Why it is blocking: one
//! thread owns the state and does nothing while its batch goes to disk; the next batch gathers meanwhile. Absent: what
//! the steps mean; a store keeps bytes, hashes and rows.

use crate::StoreError;
use eaf_core::Workload;
use eaf_model::{Time, WorkloadId, WorkloadState};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// SHA-256 over the hash before it and the bytes of a step: what the receipt calls `HASH`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Hash(pub [u8; 32]);

/// A place in the journal: the number of a step and the hash up to and with it. Shown as `STEP:HASH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Head {
    /// The step; 0 for an empty journal.
    pub step: u64,
    /// The hash; zeros for an empty journal.
    pub hash: Hash,
}

/// A workload that left memory in a batch, with the place in the journal where it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct EndedWorkload {
    /// The workload as it ended.
    pub workload: Arc<Workload>,
    /// The step that ended it.
    pub head: Head,
}

/// What one commit makes durable: one journal row, and what ended in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The first step in it.
    pub first_step: u64,
    /// The instant of its last step.
    pub at: Time,
    /// One JSON document a step, each followed by a newline.
    pub body: Vec<u8>,
    /// The journal's head once the batch is in it.
    pub head: Head,
    /// What ended.
    pub ended: Vec<EndedWorkload>,
}

/// A batch as it was read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBatch {
    /// The first step in it.
    pub first_step: u64,
    /// The instant of its last step.
    pub at: Time,
    /// The bytes that were appended.
    pub body: Vec<u8>,
    /// The head that was stored with it.
    pub head: Head,
}

/// The state at a place in the journal, as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The place.
    pub head: Head,
    /// The state, as JSON.
    pub body: Vec<u8>,
}

/// The most ended workloads that one call lists.
pub const LIST_MAX: u32 = 10_000;

/// What ended workloads to list. Newest first, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedFilter {
    /// Only ids below this one (the cursor).
    pub below: Option<WorkloadId>,
    /// Only members of this array (or this one workload).
    pub list: Option<WorkloadId>,
    /// Only these states; empty for all.
    pub states: Vec<WorkloadState>,
    /// Only this project.
    pub project: Option<String>,
    /// Only this name.
    pub name: Option<String>,
    /// At most so many; a store gives at most `LIST_MAX` at once.
    pub limit: u32,
}

/// The most batches, and the most ended workloads, that one call of `prune` forgets.
pub const PRUNE_MAX: u32 = 1_000;

/// What one call of `prune` did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Batches forgotten.
    pub batches: u64,
    /// Ended workloads forgotten.
    pub ended: u64,
    /// True where another call may forget more.
    pub more: bool,
}

/// A journal that can be read back: what a start-up and a twin ask of a data directory.
pub trait Source {
    /// The first thing asked: the head of what is durable.
    fn head(&mut self) -> Result<Head, StoreError>;
    /// The steps of the kept snapshots, newest first; bodies are not read.
    fn snapshots(&mut self) -> Result<Vec<u64>, StoreError>;
    /// The kept snapshot at this step, or `None`. One whose bytes are not what was saved is
    /// `StoreError::SnapshotDamaged`, after which the source goes on.
    fn snapshot(&mut self, step: u64) -> Result<Option<Snapshot>, StoreError>;
    /// The head behind which the journal begins: the empty head until something has been pruned.
    fn anchor(&mut self) -> Result<Head, StoreError>;
    /// Batches that end behind step `after`, oldest first, at most `limit` of them.
    fn batches(&mut self, after: u64, limit: u32) -> Result<Vec<StoredBatch>, StoreError>;
}

/// What a data directory's one writer asks of it. Every implementation passes `conformance::check`.
pub trait Store: Source + Send {
    /// Appends a batch right behind the head. When this returns `Ok`, it is durable. `OutOfOrder` changes nothing; after
    /// any other `Err` the store takes nothing more: the process ends, and a restart reads what is there.
    fn append(&mut self, batch: &Batch) -> Result<(), StoreError>;
    /// Keeps a snapshot of the state at a step that is durable; the newest two are kept. It is durable on `Ok`.
    fn save_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StoreError>;
    /// Forgets batches that both kept snapshots cover, and ended workloads, where they are older than these times.
    /// With fewer than two snapshots no batch is forgotten, so that a damaged one never costs the state. One call does a
    /// bounded piece of the work, because the driver waits for it.
    fn prune(&mut self, journal_before: Time, history_before: Time) -> Result<Pruned, StoreError>;
    /// One ended workload.
    fn ended(&mut self, id: WorkloadId) -> Result<Option<EndedWorkload>, StoreError>;
    /// Ended workloads, newest first.
    fn list_ended(&mut self, filter: &EndedFilter) -> Result<Vec<EndedWorkload>, StoreError>;
    /// The workload that came with this idempotency key, among those that have ended; of an array, its first ended member
    /// (`id.list()` is the array).
    fn ended_with_key(&mut self, key: &str) -> Result<Option<EndedWorkload>, StoreError>;
}
