//! Explanations.
use crate::Snapshot;
use eaf_model::{Explanation, WorkloadId};

/// Why a workload of the queue waits.
pub fn explain(snapshot: &Snapshot, workload: WorkloadId) -> Option<Explanation> {
    snapshot.queue.iter().find(|entry| entry.workload == workload)?;
    None
}
