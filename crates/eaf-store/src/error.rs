//! What can go wrong with a store, one enum per operation.
//!
//! What: the errors of opening, using and snapshotting; `recover`, `verify` and `backup` have theirs beside them. Why
//! structured: doors say them in Korean and English. Absent: recovery; a writer whose append failed ends.

use crate::Head;
use std::path::PathBuf;

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk, or its quota, is full.
    #[error("no space is left for {what}; free some and start again, nothing acknowledged is lost")]
    Full {
        /// What was being written.
        what: &'static str,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// The files may not be written.
    #[error("{what} cannot be written, the file or its file system is read-only; nothing acknowledged is lost")]
    ReadOnly {
        /// What was being written.
        what: &'static str,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// Anything else that the database or the file system says.
    #[error("{what} failed")]
    Failed {
        /// What was being done.
        what: &'static str,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// What was read is not what this store writes.
    #[error("{what} is damaged: {why}")]
    Damaged {
        /// What was being read.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// The bytes of this snapshot are not what was saved.
    #[error("the snapshot at step {step} is damaged: {why}")]
    SnapshotDamaged {
        /// Its step.
        step: u64,
        /// What is wrong with it.
        why: String,
    },
    /// A batch does not follow the head.
    #[error("a batch from step {first_step} does not follow the journal's head {head}")]
    OutOfOrder {
        /// The first step of the batch.
        first_step: u64,
        /// The head.
        head: Head,
    },
    /// An earlier write failed, so this store takes nothing more.
    #[error("an earlier write failed; the store takes nothing more until it is opened again")]
    Closed,
}

/// What the database or the file system said.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process writes to this data directory.
    #[error("the data directory {} is in use by {}; one factory at a time may write to it", dir.display(), holder(*pid))]
    Locked {
        /// The data directory.
        dir: PathBuf,
        /// The process that holds it, where it has said so.
        pid: Option<u32>,
    },
    /// There is no journal here, and none was to be made.
    #[error("there is no journal in {}", dir.display())]
    Missing {
        /// The data directory.
        dir: PathBuf,
    },
    /// The file is some other database.
    #[error("{} is not a journal of eaf", path.display())]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// A later eaf wrote this.
    #[error(
        "{} has format {found}, and this eaf reads up to format {known}; use the eaf that wrote it or a later one",
        path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this program knows.
        known: u32,
    },
    /// The database cannot be read as a whole.
    #[error("{} is damaged: it can be read up to step {readable_to} only", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The last step of the unbroken run of batches that can be read; 0 for none.
        readable_to: u64,
        /// The cause.
        #[source]
        source: Cause,
    },
    /// The directory or a file in it cannot be used.
    #[error("{} cannot be opened", path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}
