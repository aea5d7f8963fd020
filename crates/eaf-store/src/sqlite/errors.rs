//! What SQLite says, in the words of this crate.
//!
//! What: result codes to [`StoreError`]. Why by code: the texts are for logs, the codes are documented
//! (<https://www.sqlite.org/rescode.html>). Absent: retries; the one writer has nobody to wait for.

use crate::StoreError;
use std::io;

const SQLITE_PERM: u32 = 3;
const SQLITE_READONLY: u32 = 8;
const SQLITE_CORRUPT: u32 = 11;
const SQLITE_FULL: u32 = 13;
const SQLITE_NOTADB: u32 = 26;

/// The primary result code, where the database said one.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    // The extended code carries the primary one in its low byte.
    error.as_database_error()?.code()?.parse::<u32>().ok().map(|code| code & 0xff)
}

/// True where the database says that its file is not what it wrote.
pub(super) fn is_corrupt(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(SQLITE_CORRUPT)
}

/// True where the file is no database at all.
pub(super) fn is_not_a_database(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(SQLITE_NOTADB)
}

/// Turns what the database said while `what` into an error of the store.
pub(crate) fn failed(what: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |error| match primary_code(&error) {
        Some(SQLITE_FULL) => StoreError::Full { what, source: error.into() },
        Some(SQLITE_READONLY | SQLITE_PERM) => StoreError::ReadOnly { what, source: error.into() },
        _ => StoreError::Failed { what, source: error.into() },
    }
}

/// Turns what the file system said while `what` into an error of the store.
pub(crate) fn failed_io(what: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            StoreError::Full { what, source: error.into() }
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            StoreError::ReadOnly { what, source: error.into() }
        }
        _ => StoreError::Failed { what, source: error.into() },
    }
}
