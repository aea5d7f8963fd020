//! The store on SQLite: the embedded default.
//!
//! What: one writer with its own connection, snapshots as files beside the database, and readers that never wait for
//! the writer. Why WAL and `synchronous=FULL`: a commit is one sequential write and one sync, and readers go on.
//! Absent: a pool for the writer; its calls are a few, in order, and each waits for its own end.

mod append;
mod errors;
mod length;
mod lock;
mod reader;
mod rows;
mod schema;
mod snapshots;
mod source;
mod store;

pub(crate) use errors::failed;
pub(crate) use lock::DataLock;
pub use reader::SqliteReader;
pub(crate) use reader::read_only;
pub(crate) use rows::{anchor, batches, each_ended, ended_within, head, history_from, integrity};
pub(crate) use schema::blocking;
pub use schema::{FORMAT, JOURNAL_FILE};
pub use snapshots::Snapshots;
pub(crate) use snapshots::{FOLDER as SNAPSHOT_FOLDER, sync_dir};
pub use source::SqliteSource;
pub use store::{OpenOptions, SqliteStore};
