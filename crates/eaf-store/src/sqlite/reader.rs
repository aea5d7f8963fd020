//! Readers: queries that never wait for the writer.
//!
//! What: a few read-only connections for the doors, and one that sees the journal at one moment for `verify` and
//! `backup`. Why apart: WAL lets readers go on while a batch is being written, in this process or another.
//! Absent: what is alive; doors read that from the driver's snapshot.

use super::errors::failed;
use super::{rows, schema};
use crate::{EndedFilter, EndedWorkload, Head, OpenError, StoreError, StoredBatch};
use eaf_model::WorkloadId;
use sqlx::sqlite::{SqliteConnection, SqlitePool, SqlitePoolOptions};
use sqlx::{ConnectOptions, Connection};
use std::path::{Path, PathBuf};

/// Connections of one reader.
const CONNECTIONS_MAX: u32 = 4;

/// Reads a journal and its history while another connection writes. Clones share the connections.
#[derive(Clone, Debug)]
pub struct SqliteReader {
    pool: SqlitePool,
}

impl SqliteReader {
    /// Opens the journal of a data directory for reading.
    ///
    /// # Errors
    /// As `SqliteStore::open`, but for `Locked`: readers need no lock.
    pub async fn open(dir: &Path) -> Result<Self, OpenError> {
        // One connection looks first: its errors say what is wrong, a pool's only that it waited.
        let (conn, _) = read_only(dir).await?;
        conn.close().await.map_err(failed("closing the journal"))?;
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS_MAX)
            .connect_lazy_with(schema::reading(&dir.join(schema::JOURNAL_FILE)));
        Ok(Self { pool })
    }

    async fn ask<T>(
        &self,
        ask: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut conn = self.pool.acquire().await.map_err(failed("opening the journal"))?;
        ask(&mut conn).await
    }

    /// The head of what is durable.
    pub async fn head(&self) -> Result<Head, StoreError> {
        self.ask(async |conn| rows::head(conn).await).await
    }

    /// The head behind which the journal begins; what was before it has been pruned.
    pub async fn anchor(&self) -> Result<Head, StoreError> {
        self.ask(async |conn| rows::anchor(conn).await).await
    }

    /// Batches that end behind step `after`, oldest first, at most `limit` of them.
    pub async fn batches(&self, after: u64, limit: u32) -> Result<Vec<StoredBatch>, StoreError> {
        self.ask(async |conn| rows::batches(conn, after, limit).await).await
    }

    /// One ended workload.
    pub async fn ended(&self, id: WorkloadId) -> Result<Option<EndedWorkload>, StoreError> {
        self.ask(async |conn| rows::ended(conn, id).await).await
    }

    /// Ended workloads, newest first.
    pub async fn list_ended(&self, filter: &EndedFilter) -> Result<Vec<EndedWorkload>, StoreError> {
        self.ask(async |conn| rows::list_ended(conn, filter).await).await
    }

    /// The workload that came with this idempotency key, among those that have ended; of an array, its first ended
    /// member.
    pub async fn ended_with_key(&self, key: &str) -> Result<Option<EndedWorkload>, StoreError> {
        self.ask(async |conn| rows::ended_with_key(conn, key).await).await
    }

    /// How many ended workloads the history holds. Reads all of an index: a second for some ten millions.
    pub async fn count_ended(&self) -> Result<u64, StoreError> {
        self.ask(async |conn| rows::count_ended(conn).await).await
    }

    /// Closes its connections, of all clones.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// One read-only connection to a journal, its length and format checked.
pub(crate) async fn read_only(dir: &Path) -> Result<(SqliteConnection, PathBuf), OpenError> {
    let path = dir.join(schema::JOURNAL_FILE);
    if !path.exists() {
        return Err(OpenError::Missing { dir: dir.to_owned() });
    }
    let connect = async || {
        schema::check_length(&path)?;
        let mut conn = schema::reading(&path).connect().await.map_err(|error| schema::unreadable(&path, error, 0))?;
        schema::check_format(&mut conn, &path).await?;
        Ok(conn)
    };
    match connect().await {
        Ok(conn) => Ok((conn, path)),
        Err(error) => Err(schema::measure_damage(error).await),
    }
}
