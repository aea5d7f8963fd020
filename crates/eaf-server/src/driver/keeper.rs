//! Work that the driver has done elsewhere: snapshots and files that nobody needs any more.
//!
//! What: a thread a snapshot, and a look through the folders of logs and directories. Absent: when either is due; the
//! driver and the server know.

use super::Message;
use crate::clock::instant;
use crate::view::{Published, View};
use eaf_model::{Time, WorkloadId};
use eaf_store::{Snapshot, Snapshots, SqliteReader, StoreError};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use tracing::{info, warn};

/// The most workloads whose files are forgotten in one go.
pub(crate) const FORGET_MAX: usize = 1_000;

/// Saves the state at a durable place from a thread of its own, and tells the driver. False where none could be started.
pub(super) fn save_snapshot(published: Arc<Published>, snapshots: Snapshots, own: SyncSender<Message>) -> bool {
    let save = move || {
        let bytes = match serde_json::to_vec(&published.state) {
            Ok(body) => {
                let bytes = body.len() as u64;
                match snapshots.save(&Snapshot { head: published.head, body }) {
                    Ok(()) => Some(bytes),
                    Err(error) => {
                        warn!(%error, step = published.head.step, "no snapshot could be saved; the journal has everything");
                        None
                    }
                }
            }
            Err(error) => {
                warn!(%error, "the state could not be written as JSON");
                None
            }
        };
        info!(step = published.head.step, bytes, "a snapshot was made");
        // A driver that has ended needs no news.
        let _ = own.send(Message::SnapshotSaved { bytes });
    };
    match std::thread::Builder::new().name("eaf-snapshot".to_owned()).spawn(save) {
        Ok(_) => true,
        Err(error) => {
            warn!(%error, "no thread for a snapshot");
            false
        }
    }
}

/// Workloads with files in the data directory that ended before `before`, or that the history has forgotten; at most
/// `FORGET_MAX` of them.
pub(crate) async fn stale_files(
    data_dir: &Path,
    view: &View,
    reader: &SqliteReader,
    before: Time,
) -> Result<Vec<WorkloadId>, StoreError> {
    let data_dir = data_dir.to_owned();
    // A folder may have a million entries; the threads that serve HTTP do not wait for it.
    let untouched = tokio::task::spawn_blocking(move || untouched(&data_dir, before)).await.unwrap_or_default();
    let mut stale = Vec::new();
    for id in untouched {
        if stale.len() == FORGET_MAX {
            break;
        }
        if view.latest().state.workload(id).is_some() {
            continue;
        }
        match reader.ended(id).await? {
            Some(ended) if ended.workload.state_since >= before => {}
            _ => stale.push(id),
        }
    }
    Ok(stale)
}

/// Workloads whose folders were last changed before `before`, so that most of what is kept costs no query.
fn untouched(data_dir: &Path, before: Time) -> BTreeSet<WorkloadId> {
    let mut ids = BTreeSet::new();
    for folder in ["logs", "work"] {
        let Ok(entries) = std::fs::read_dir(data_dir.join(folder)) else { continue };
        for entry in entries.flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<WorkloadId>().ok()) else {
                continue;
            };
            let changed = entry.metadata().and_then(|metadata| metadata.modified());
            if changed.is_ok_and(|changed| instant(changed) < before) {
                ids.insert(id);
            }
        }
    }
    ids
}
