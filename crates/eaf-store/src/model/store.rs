//! The contract of a store, kept on the modelled disk.
//!
//! What: every change is one frame of the log, and memory holds what the frames add up to. Why no compaction: its lives
//! are short. Absent: readers beside the writer.

use super::disk::{Disk, DiskError};
use super::log::Log;
use crate::{
    Batch, EndedFilter, EndedWorkload, Head, LIST_MAX, PRUNE_MAX, Pruned, Snapshot, Source, Store, StoreError,
    StoredBatch,
};
use eaf_core::Workload;
use eaf_model::{Time, WorkloadId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a store on a modelled disk could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ModelOpenError {
    /// The disk failed.
    #[error("the disk failed while the log was opened")]
    Disk(#[from] DiskError),
    /// A whole frame is not a record: the log was not written by this store.
    #[error("a record of the log cannot be read")]
    Record(#[from] serde_json::Error),
}

/// What a frame holds, before the bytes that go with it.
#[derive(Serialize, Deserialize)]
enum Record {
    Batch { first_step: u64, at: Time, head: Head, ended: Vec<(Head, Arc<Workload>)> },
    Snapshot { head: Head },
    Prune { anchor: Head, ended: Vec<WorkloadId> },
}

/// A store on a modelled disk.
pub struct ModelStore {
    log: Log,
    kept: Kept,
    closed: bool,
}

/// What the frames add up to.
#[derive(Default)]
struct Kept {
    anchor: Head,
    head: Head,
    /// By last step.
    batches: BTreeMap<u64, StoredBatch>,
    ended: BTreeMap<WorkloadId, EndedWorkload>,
    /// By step.
    snapshots: BTreeMap<u64, Snapshot>,
}

impl Kept {
    fn fold(&mut self, record: Record, bytes: &[u8]) {
        match record {
            Record::Batch { first_step, at, head, ended } => {
                self.head = head;
                self.batches.insert(head.step, StoredBatch { first_step, at, body: bytes.to_vec(), head });
                self.ended
                    .extend(ended.into_iter().map(|(head, workload)| (workload.id, EndedWorkload { workload, head })));
            }
            Record::Snapshot { head } => {
                self.snapshots.insert(head.step, Snapshot { head, body: bytes.to_vec() });
                while self.snapshots.len() > 2 {
                    self.snapshots.pop_first();
                }
            }
            Record::Prune { anchor, ended } => {
                self.anchor = anchor;
                self.batches = self.batches.split_off(&(anchor.step + 1));
                for id in ended {
                    self.ended.remove(&id);
                }
            }
        }
    }
}

impl ModelStore {
    /// Opens the store of a disk: an empty one, or one that `into_disk` gave back.
    ///
    /// # Errors
    /// Where the disk fails, or its log was not written by this store.
    pub fn open(disk: Disk) -> Result<Self, ModelOpenError> {
        let mut kept = Kept::default();
        let mut failure = None;
        let log = Log::open(disk, |payload| match split(payload) {
            Ok((record, bytes)) => kept.fold(record, bytes),
            Err(error) => failure = failure.take().or(Some(error)),
        })?;
        match failure {
            Some(error) => Err(error.into()),
            None => Ok(Self { log, kept, closed: false }),
        }
    }

    /// The disk, as the end of the process leaves it.
    pub fn into_disk(self) -> Disk {
        self.log.disk
    }

    /// The disk, to see it and to put faults on it.
    pub fn disk_mut(&mut self) -> &mut Disk {
        &mut self.log.disk
    }

    fn write(&mut self, record: Record, bytes: &[u8], what: &'static str) -> Result<(), StoreError> {
        if self.closed {
            return Err(StoreError::Closed);
        }
        let mut payload = serde_json::to_vec(&record).expect("a record is JSON and memory takes it");
        payload.push(b'\n');
        payload.extend_from_slice(bytes);
        self.log.append(&payload).map_err(|error| {
            self.closed = true;
            match error {
                DiskError::Full => StoreError::Full { what, source: error.into() },
                DiskError::Failed | DiskError::NoPower => StoreError::Failed { what, source: error.into() },
            }
        })?;
        self.kept.fold(record, bytes);
        Ok(())
    }
}

fn split(payload: &[u8]) -> Result<(Record, &[u8]), serde_json::Error> {
    let end = payload.iter().position(|byte| *byte == b'\n').unwrap_or(payload.len());
    let record = serde_json::from_slice(&payload[..end])?;
    Ok((record, payload.get(end + 1..).unwrap_or_default()))
}

impl Source for ModelStore {
    fn head(&mut self) -> Result<Head, StoreError> {
        Ok(self.kept.head)
    }

    fn snapshots(&mut self) -> Result<Vec<u64>, StoreError> {
        Ok(self.kept.snapshots.keys().rev().copied().collect())
    }

    fn snapshot(&mut self, step: u64) -> Result<Option<Snapshot>, StoreError> {
        Ok(self.kept.snapshots.get(&step).cloned())
    }

    fn anchor(&mut self) -> Result<Head, StoreError> {
        Ok(self.kept.anchor)
    }

    fn batches(&mut self, after: u64, limit: u32) -> Result<Vec<StoredBatch>, StoreError> {
        let behind = self.kept.batches.range(after.saturating_add(1)..);
        Ok(behind.take(limit as usize).map(|(_, batch)| batch.clone()).collect())
    }
}

impl Store for ModelStore {
    fn append(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let head = self.kept.head;
        if self.closed {
            return Err(StoreError::Closed);
        }
        if batch.first_step != head.step + 1 || batch.head.step < batch.first_step {
            return Err(StoreError::OutOfOrder { first_step: batch.first_step, head });
        }
        let ended = batch.ended.iter().map(|ended| (ended.head, Arc::clone(&ended.workload))).collect();
        let record = Record::Batch { first_step: batch.first_step, at: batch.at, head: batch.head, ended };
        self.write(record, &batch.body, "the journal")
    }

    fn save_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        assert!(snapshot.head.step <= self.kept.head.step, "a snapshot is of a step that is durable");
        self.write(Record::Snapshot { head: snapshot.head }, &snapshot.body, "a snapshot")
    }

    fn prune(&mut self, journal_before: Time, history_before: Time) -> Result<Pruned, StoreError> {
        let kept = &self.kept;
        let covered = kept.snapshots.keys().rev().nth(1).copied().unwrap_or(0);
        let old = kept.batches.range(..=covered).map(|(_, batch)| batch).take_while(|batch| batch.at < journal_before);
        let old: Vec<Head> = old.take(PRUNE_MAX as usize).map(|batch| batch.head).collect();
        let mut ended: Vec<_> =
            kept.ended.values().filter(|ended| ended.workload.state_since < history_before).collect();
        ended.sort_by_key(|ended| (ended.workload.state_since, ended.workload.id));
        let ended: Vec<WorkloadId> =
            ended.into_iter().take(PRUNE_MAX as usize).map(|ended| ended.workload.id).collect();
        let more = old.len() == PRUNE_MAX as usize || ended.len() == PRUNE_MAX as usize;
        let pruned = Pruned { batches: old.len() as u64, ended: ended.len() as u64, more };
        if pruned.batches + pruned.ended > 0 {
            let anchor = old.last().copied().unwrap_or(kept.anchor);
            self.write(Record::Prune { anchor, ended }, &[], "the journal")?;
        }
        Ok(pruned)
    }

    fn ended(&mut self, id: WorkloadId) -> Result<Option<EndedWorkload>, StoreError> {
        Ok(self.kept.ended.get(&id).cloned())
    }

    fn list_ended(&mut self, filter: &EndedFilter) -> Result<Vec<EndedWorkload>, StoreError> {
        let passes = |ended: &&EndedWorkload| {
            let workload = &ended.workload;
            let in_list =
                |list: WorkloadId| workload.id == list || (list.member().is_none() && workload.id.list() == list);
            filter.below.is_none_or(|below| workload.id < below)
                && filter.list.is_none_or(in_list)
                && (filter.states.is_empty() || filter.states.contains(&workload.state))
                && filter.project.as_ref().is_none_or(|project| *project == workload.spec.project)
                && filter.name.as_ref().is_none_or(|name| *name == workload.spec.name)
        };
        let limit = filter.limit.min(LIST_MAX) as usize;
        Ok(self.kept.ended.values().rev().filter(passes).take(limit).cloned().collect())
    }

    fn ended_with_key(&mut self, key: &str) -> Result<Option<EndedWorkload>, StoreError> {
        Ok(self.kept.ended.values().find(|ended| ended.workload.key.as_deref() == Some(key)).cloned())
    }
}
