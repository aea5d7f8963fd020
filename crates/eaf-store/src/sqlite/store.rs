//! The one writer.
//!
//! What: appends a batch as one row, with what ended in it, in one transaction. Why it blocks: its caller owns the state
//! and has nothing to do until the batch is durable. Why a failed write closes it: what the disk took is not known until
//! the journal is read again. Absent: reading by others; see `SqliteReader`.

use super::append::{Binder, append, step_bits};
use super::errors::failed;
use super::{DataLock, Snapshots, rows, schema};
use crate::{
    Batch, EndedFilter, EndedWorkload, Head, OpenError, PRUNE_MAX, Pruned, Snapshot, Source, Store, StoreError,
    StoredBatch,
};
use eaf_model::{Time, WorkloadId, WorkloadSpec};
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// Arrays whose shared specification is known to be stored, so that it is not sent with each batch.
const SPECS_KNOWN_MAX: usize = 1 << 12;

/// How to open a store for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// Makes the directory and an empty journal where there is none.
    pub create: bool,
    /// Pages (4 KiB) of write-ahead log after which a commit also moves them into the database; 0 for never.
    pub checkpoint_pages: u32,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { create: true, checkpoint_pages: 4_096 }
    }
}

/// The store on SQLite, open for writing. Use it from a plain thread: its calls block.
pub struct SqliteStore {
    runtime: Runtime,
    /// `None` once dropping has begun.
    conn: Option<SqliteConnection>,
    dir: PathBuf,
    head: Head,
    closed: bool,
    snapshots: Snapshots,
    specs_known: BTreeSet<WorkloadId>,
    /// Let go last: no other writer may come while the connection is being closed.
    _lock: DataLock,
}

impl SqliteStore {
    /// Opens the store of a data directory for writing.
    ///
    /// # Errors
    /// `Locked` where another process writes to it, `TooNew` where a later program wrote it, `Damaged` where its pages
    /// cannot be read, `Missing` where there is none and none was to be made.
    pub fn open(dir: &Path, options: OpenOptions) -> Result<Self, OpenError> {
        let path = dir.join(schema::JOURNAL_FILE);
        if options.create {
            make_dir(dir).map_err(|source| OpenError::Path { path: dir.to_owned(), source })?;
        } else if !path.exists() {
            return Err(OpenError::Missing { dir: dir.to_owned() });
        }
        let lock = DataLock::take(dir)?;
        let snapshots = Snapshots::of(dir);
        snapshots.prepare().map_err(|source| OpenError::Path { path: dir.join(super::SNAPSHOT_FOLDER), source })?;
        make_file(&path).map_err(|source| OpenError::Path { path: path.clone(), source })?;
        let runtime = schema::blocking()?;
        let (conn, head) = runtime.block_on(async {
            match connect(&path, options).await {
                Ok(opened) => Ok(opened),
                Err(error) => Err(schema::measure_damage(error).await),
            }
        })?;
        Ok(Self {
            runtime,
            conn: Some(conn),
            dir: dir.to_owned(),
            head,
            closed: false,
            snapshots,
            specs_known: BTreeSet::new(),
            _lock: lock,
        })
    }

    /// Its data directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// A handle that saves snapshots from another thread while this store appends.
    pub fn snapshots_handle(&self) -> Snapshots {
        self.snapshots.clone()
    }

    fn ask<T>(
        &mut self,
        ask: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let conn = self.conn.as_mut().ok_or(StoreError::Closed)?;
        self.runtime.block_on(ask(conn))
    }

    /// Like `ask`, for writes: after a failure there are no more.
    fn write<T>(
        &mut self,
        write: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.closed {
            return Err(StoreError::Closed);
        }
        let result = self.ask(write);
        self.closed = result.is_err();
        result
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        let Some(conn) = self.conn.take() else { return };
        // A panic that unwinds through an async runtime must not become a second one here; then the connection's own
        // thread closes it a little later.
        if tokio::runtime::Handle::try_current().is_err() {
            // What was acknowledged is in the log whether or not closing moves it into the database.
            let _ = self.runtime.block_on(conn.close());
        }
    }
}

fn make_dir(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    // Users may pass through to their working directories, and list nothing.
    fs::DirBuilder::new().recursive(true).mode(0o711).create(dir)?;
    dir.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), super::sync_dir)
}

/// Makes an empty file for the owner's eyes; SQLite gives its log the same mode.
fn make_file(path: &Path) -> io::Result<()> {
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => path.parent().map_or(Ok(()), super::sync_dir),
    }
}

async fn connect(path: &Path, options: OpenOptions) -> Result<(SqliteConnection, Head), OpenError> {
    // What is not a journal of this format is refused before anything of it is changed, its journal mode included.
    if fs::metadata(path).is_ok_and(|file| file.len() > 0) {
        schema::check_length(path)?;
        let mut conn = schema::reading(path).connect().await.map_err(|error| schema::unreadable(path, error, 0))?;
        let checked = match schema::is_empty(&mut conn, path).await {
            Ok(false) => schema::check_format(&mut conn, path).await,
            other => other.map(drop),
        };
        let closed = conn.close().await;
        checked?;
        closed.map_err(failed("closing the journal"))?;
    }
    let mut conn = schema::writing(path, options.checkpoint_pages)
        .connect()
        .await
        .map_err(|error| schema::unreadable(path, error, 0))?;
    schema::prepare(&mut conn, path).await?;
    let head = rows::head(&mut conn).await?;
    Ok((conn, head))
}

impl Source for SqliteStore {
    fn head(&mut self) -> Result<Head, StoreError> {
        Ok(self.head)
    }

    fn snapshots(&mut self) -> Result<Vec<u64>, StoreError> {
        self.snapshots.steps()
    }

    fn snapshot(&mut self, step: u64) -> Result<Option<Snapshot>, StoreError> {
        self.snapshots.load(step)
    }

    fn anchor(&mut self) -> Result<Head, StoreError> {
        self.ask(async |conn| rows::anchor(conn).await)
    }

    fn batches(&mut self, after: u64, limit: u32) -> Result<Vec<StoredBatch>, StoreError> {
        self.ask(async |conn| rows::batches(conn, after, limit).await)
    }
}

impl Store for SqliteStore {
    fn append(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if self.closed {
            return Err(StoreError::Closed);
        }
        if batch.first_step != self.head.step + 1 || batch.head.step < batch.first_step {
            return Err(StoreError::OutOfOrder { first_step: batch.first_step, head: self.head });
        }
        let specs = self.new_specs(batch);
        self.write(async |conn| append(conn, batch, &specs).await)?;
        self.head = batch.head;
        if self.specs_known.len() + specs.len() > SPECS_KNOWN_MAX {
            self.specs_known.clear();
        }
        self.specs_known.extend(specs.into_iter().map(|(list, _)| list));
        Ok(())
    }

    fn save_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        if self.closed {
            return Err(StoreError::Closed);
        }
        assert!(snapshot.head.step <= self.head.step, "a snapshot is of a step that is durable");
        self.snapshots.save(snapshot)
    }

    fn prune(&mut self, journal_before: Time, history_before: Time) -> Result<Pruned, StoreError> {
        let covered = self.snapshots.steps()?.get(1).copied().unwrap_or(0);
        // The specifications that go with the last of their members are not tracked one by one.
        self.specs_known.clear();
        self.write(async |conn| {
            let batches = prune_journal(conn, covered, journal_before).await?;
            let ended = prune_history(conn, history_before).await?;
            let more = batches == u64::from(PRUNE_MAX) || ended == u64::from(PRUNE_MAX);
            Ok(Pruned { batches, ended, more })
        })
    }

    fn ended(&mut self, id: WorkloadId) -> Result<Option<EndedWorkload>, StoreError> {
        self.ask(async |conn| rows::ended(conn, id).await)
    }

    fn list_ended(&mut self, filter: &EndedFilter) -> Result<Vec<EndedWorkload>, StoreError> {
        self.ask(async |conn| rows::list_ended(conn, filter).await)
    }

    fn ended_with_key(&mut self, key: &str) -> Result<Option<EndedWorkload>, StoreError> {
        self.ask(async |conn| rows::ended_with_key(conn, key).await)
    }
}

impl SqliteStore {
    /// The shared specifications of arrays that this batch may be the first to need.
    fn new_specs(&self, batch: &Batch) -> Vec<(WorkloadId, Arc<WorkloadSpec>)> {
        let mut specs: Vec<(WorkloadId, Arc<WorkloadSpec>)> = Vec::new();
        for EndedWorkload { workload, .. } in &batch.ended {
            let list = workload.id.list();
            // Members of an array end side by side, so the last few are where a repetition is.
            let seen = || specs.iter().rev().take(8).any(|(known, _)| *known == list);
            if workload.id.member().is_some() && !self.specs_known.contains(&list) && !seen() {
                specs.push((list, Arc::clone(&workload.spec)));
            }
        }
        specs
    }
}

/// Forgets the oldest batches up to step `covered`, and moves the anchor behind them.
async fn prune_journal(conn: &mut SqliteConnection, covered: u64, before: Time) -> Result<u64, StoreError> {
    let oldest = rows::oldest(conn, covered).await?;
    let old = oldest.iter().take_while(|(at, _)| *at < before).count();
    let Some((_, anchor)) = oldest[..old].last() else { return Ok(0) };
    run(conn, "BEGIN IMMEDIATE", SqliteArguments::default()).await?;
    let mut arguments = SqliteArguments::default();
    Binder(&mut arguments).int(step_bits(anchor.step));
    run(conn, "DELETE FROM journal WHERE last_step <= ?", arguments).await?;
    let mut arguments = SqliteArguments::default();
    Binder(&mut arguments).text(&anchor.to_string());
    run(conn, "UPDATE meta SET value = ? WHERE name = 'anchor'", arguments).await?;
    run(conn, "COMMIT", SqliteArguments::default()).await?;
    Ok(old as u64)
}

/// Forgets ended workloads, and specifications that none of them shares any more.
async fn prune_history(conn: &mut SqliteConnection, before: Time) -> Result<u64, StoreError> {
    let oldest: Option<i64> = sqlx::query_scalar("SELECT min(ended_at) FROM ended")
        .fetch_one(&mut *conn)
        .await
        .map_err(failed("reading history"))?;
    if oldest.is_none_or(|oldest| oldest >= before.0) {
        return Ok(0);
    }
    run(conn, "BEGIN IMMEDIATE", SqliteArguments::default()).await?;
    let mut arguments = SqliteArguments::default();
    Binder(&mut arguments).int(before.0);
    // Never back: a shorter retention that was set for a while has forgotten what a longer one would keep.
    let from = "UPDATE meta SET value = max(CAST(value AS INTEGER), ?) WHERE name = 'history_from'";
    run(conn, from, arguments).await?;
    let mut arguments = SqliteArguments::default();
    Binder(&mut arguments).int(before.0).int(i64::from(PRUNE_MAX));
    let old = "DELETE FROM ended WHERE id IN (SELECT id FROM ended WHERE ended_at < ? ORDER BY ended_at LIMIT ?)";
    let ended = run(conn, old, arguments).await?;
    let unshared =
        "DELETE FROM spec WHERE NOT EXISTS (SELECT 1 FROM ended WHERE id BETWEEN spec.list AND spec.list + 65535)";
    run(conn, unshared, SqliteArguments::default()).await?;
    run(conn, "COMMIT", SqliteArguments::default()).await?;
    Ok(ended)
}

/// Runs one statement, and says how many rows it changed.
async fn run(conn: &mut SqliteConnection, sql: &'static str, arguments: SqliteArguments) -> Result<u64, StoreError> {
    let done = sqlx::query_with(sql, arguments).execute(conn).await;
    done.map(|done| done.rows_affected()).map_err(failed("the journal"))
}
