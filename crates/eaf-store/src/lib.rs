//! The journal of the factory and the history of what has ended.
//!
//! What: [`Store`] is the contract; [`SqliteStore`] keeps it on a disk, [`model::ModelStore`] on a modelled one that loses
//! what was not synced. Around them: the hash chain over steps, [`recover`] at start-up, [`verify`], [`backup`] and
//! [`restore`]. Why SQLite: one file, one writer, ordered commits, and queries over history without a server.
//! Absent: the meaning of a step (that is `eaf-core`), clocks, and the choice of how long anything is kept.

mod backup;
mod chain;
pub mod conformance;
mod contract;
mod error;

pub mod model;
mod policy;
mod recover;
pub mod sample;
mod sqlite;
mod verify;

pub use backup::{BackupError, BackupReport, backup, restore};
pub use chain::{Breach, Broken, Chain, NotAHash, NotAHead, link};
pub use contract::{
    Batch, EndedFilter, EndedWorkload, Hash, Head, LIST_MAX, PRUNE_MAX, Pruned, Snapshot, Source, Store, StoredBatch,
};
pub use error::{Cause, OpenError, StoreError};

pub use policy::SnapshotPolicy;
pub use recover::{RecoverError, Recovered, recover};
pub use sqlite::{FORMAT, JOURNAL_FILE, OpenOptions, Snapshots, SqliteReader, SqliteSource, SqliteStore};
pub use verify::{Progress, VerifyError, VerifyOptions, VerifyReport, verify};
