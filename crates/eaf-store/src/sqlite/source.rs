//! A journal at one moment, read beside the factory that writes it.
//!
//! What: one read-only connection in one transaction, so that everything it gives belongs to the same moment. Why not the
//! writer's store: that takes the lock of the data directory. Absent: writing, and what has ended.

use super::errors::failed;
use super::{Snapshots, read_only, rows, schema};
use crate::{Head, OpenError, Snapshot, Source, StoreError, StoredBatch};
use sqlx::sqlite::SqliteConnection;
use std::path::Path;
use tokio::runtime::Runtime;

/// The journal of a data directory as it is when this is opened. Use it from a plain thread: its calls block.
pub struct SqliteSource {
    runtime: Runtime,
    conn: SqliteConnection,
    snapshots: Snapshots,
    /// Listed before the moment, so that none of them is ahead of the journal.
    steps: Vec<u64>,
}

impl SqliteSource {
    /// Opens the journal of a data directory for reading. The factory may run meanwhile; nothing is locked.
    ///
    /// # Errors
    /// As `SqliteStore::open`, but for `Locked`.
    pub fn open(dir: &Path) -> Result<Self, OpenError> {
        let runtime = schema::blocking()?;
        let snapshots = Snapshots::of(dir);
        let steps = snapshots.steps()?;
        let conn = runtime.block_on(async {
            let (mut conn, _) = read_only(dir).await?;
            sqlx::query("BEGIN").execute(&mut conn).await.map_err(failed("reading the journal"))?;
            Ok::<_, OpenError>(conn)
        })?;
        Ok(Self { runtime, conn, snapshots, steps })
    }
}

impl Source for SqliteSource {
    fn head(&mut self) -> Result<Head, StoreError> {
        self.runtime.block_on(rows::head(&mut self.conn))
    }

    fn snapshots(&mut self) -> Result<Vec<u64>, StoreError> {
        Ok(self.steps.clone())
    }

    fn snapshot(&mut self, step: u64) -> Result<Option<Snapshot>, StoreError> {
        self.snapshots.load(step)
    }

    fn anchor(&mut self) -> Result<Head, StoreError> {
        self.runtime.block_on(rows::anchor(&mut self.conn))
    }

    fn batches(&mut self, after: u64, limit: u32) -> Result<Vec<StoredBatch>, StoreError> {
        self.runtime.block_on(rows::batches(&mut self.conn, after, limit))
    }
}
