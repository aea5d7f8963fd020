//! The tables, and which form of them this program knows.
//!
//! What: creation, the check of format, connections. Why a number in the file's header: a program that is too old must
//! see that before it reads a table. Absent: migrations; format 1 is the first.

use super::errors::{failed, is_corrupt, is_not_a_database};
use super::{length, rows};
use crate::{OpenError, StoreError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row};
use std::path::Path;
use std::time::Duration;

/// The newest format of the journal that this program reads, and the one it writes.
pub const FORMAT: u32 = 1;

/// The name of the database in a data directory.
pub const JOURNAL_FILE: &str = "journal.db";

/// `EAFJ`: tells the `file` utility and us that this database is a journal.
const APPLICATION_ID: i64 = 0x4541_464a;

/// Bytes of page cache of one connection; the writer's indexes by name fit for some hundred thousand ended workloads.
const CACHE_KIB: i64 = 16 << 10;

/// Rows are found by: the last step of a batch; the id of a workload (its array is a range of ids); state, project with
/// state, name and key, each with the id behind it, so that a list comes in order; the end, for pruning.
const TABLES: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE journal (
    last_step INTEGER PRIMARY KEY, first_step INTEGER NOT NULL, at INTEGER NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE ended (
    id INTEGER PRIMARY KEY, step INTEGER NOT NULL, hash BLOB NOT NULL, submitted_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL, state TEXT NOT NULL, project TEXT NOT NULL, name TEXT NOT NULL, key TEXT,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE spec (list INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE INDEX ended_by_state ON ended (state);
CREATE INDEX ended_by_project ON ended (project, state);
CREATE INDEX ended_by_name ON ended (name);
CREATE INDEX ended_by_key ON ended (key) WHERE key IS NOT NULL;
CREATE INDEX ended_by_time ON ended (ended_at);
";

/// Runs a future of this crate to its end on the calling thread.
///
/// # Panics
/// On a thread of an async runtime, which must not be held up.
pub(crate) fn blocking() -> Result<tokio::runtime::Runtime, StoreError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| StoreError::Failed { what: "starting the store's runtime", source: error.into() })
}

/// How the writer connects.
pub(super) fn writing(path: &Path, checkpoint_pages: u32) -> SqliteConnectOptions {
    common(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", checkpoint_pages.to_string())
        // After a burst the log file shrinks to this again.
        .pragma("journal_size_limit", (64 << 20).to_string())
}

/// How readers connect. They may have to wait for the moment in which a log is being recovered.
pub(super) fn reading(path: &Path) -> SqliteConnectOptions {
    common(path).read_only(true).pragma("query_only", "1")
}

fn common(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(Duration::from_secs(10))
        .foreign_keys(false)
        .pragma("cache_size", format!("-{CACHE_KIB}"))
        .disable_statement_logging()
}

/// Makes the tables in an empty database, and checks the format of any other.
pub(super) async fn prepare(conn: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    if !is_empty(conn, path).await? {
        return check_format(conn, path).await;
    }
    let create = format!(
        "BEGIN IMMEDIATE; {TABLES} INSERT INTO meta VALUES ('anchor', '{}'), ('created_by', 'eaf {}'), ('history_from', '{}');
         PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; COMMIT;",
        crate::Head::default(),
        env!("CARGO_PKG_VERSION"),
        i64::MIN,
    );
    // The tables go into the database at once: from then on an empty one is one that never held a journal.
    for statements in [create.as_str(), "PRAGMA wal_checkpoint(TRUNCATE)"] {
        let statements = sqlx::AssertSqlSafe(statements.to_owned());
        sqlx::raw_sql(statements).execute(&mut *conn).await.map_err(failed("making the journal"))?;
    }
    Ok(())
}

/// True for a database without tables: a new one, or one whose making was cut short.
pub(super) async fn is_empty(conn: &mut SqliteConnection, path: &Path) -> Result<bool, OpenError> {
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
        .fetch_one(conn)
        .await
        .map_err(|error| unreadable(path, error, 0))?;
    Ok(tables == 0)
}

/// Refuses what is not a journal, or one of a later format.
pub(super) async fn check_format(conn: &mut SqliteConnection, path: &Path) -> Result<(), OpenError> {
    let mut number = async |pragma: &'static str| -> Result<i64, OpenError> {
        let row = sqlx::query(pragma).fetch_one(&mut *conn).await.map_err(|error| unreadable(path, error, 0))?;
        row.try_get(0).map_err(|error| failed("reading the format")(error).into())
    };
    if number("PRAGMA application_id").await? != APPLICATION_ID {
        return Err(OpenError::NotAJournal { path: path.to_owned() });
    }
    let found = number("PRAGMA user_version").await?;
    let found = u32::try_from(found).map_err(|_| OpenError::NotAJournal { path: path.to_owned() })?;
    match found {
        FORMAT => Ok(()),
        0 => Err(OpenError::NotAJournal { path: path.to_owned() }),
        _ => Err(OpenError::TooNew { path: path.to_owned(), found, known: FORMAT }),
    }
}

/// Refuses a file that was cut.
pub(super) fn check_length(path: &Path) -> Result<(), OpenError> {
    let missing = length::missing_page(path).map_err(|source| OpenError::Path { path: path.to_owned(), source })?;
    missing.map_or(Ok(()), |page| {
        let source = format!("page {page} is neither in the file nor in its log").into();
        Err(OpenError::Damaged { path: path.to_owned(), readable_to: 0, source })
    })
}

/// What an error of the first reads means; `readable_to` is what can be read all the same.
pub(super) fn unreadable(path: &Path, error: sqlx::Error, readable_to: u64) -> OpenError {
    if is_not_a_database(&error) {
        OpenError::NotAJournal { path: path.to_owned() }
    } else if is_corrupt(&error) {
        OpenError::Damaged { path: path.to_owned(), readable_to, source: error.into() }
    } else {
        failed("reading the journal")(error).into()
    }
}

/// Fills in how far a damaged journal can be read. SQLite refuses a file that is shorter than its header says as a
/// whole; with this setting it gives the pages that are there.
pub(crate) async fn measure_damage(error: OpenError) -> OpenError {
    let OpenError::Damaged { path, source, .. } = error else { return error };
    let readable_to = readable_to(&path).await.unwrap_or(0);
    OpenError::Damaged { path, readable_to, source }
}

async fn readable_to(path: &Path) -> Result<u64, sqlx::Error> {
    let mut conn = reading(path).pragma("writable_schema", "1").connect().await?;
    let mut readable_to = rows::anchor(&mut conn).await.map_or(0, |anchor| anchor.step);
    while let Ok(batches) = rows::batches(&mut conn, readable_to, 1).await {
        match batches.first() {
            Some(batch) if batch.first_step == readable_to + 1 => readable_to = batch.head.step,
            _ => break,
        }
    }
    conn.close().await?;
    Ok(readable_to)
}
