//! One writer a data directory.
//!
//! What: a lock on the file `lock`, which carries the process id of its holder. Why `flock`: the kernel lets go of it
//! when the holder is gone, however it went. Absent: a lock for readers; they need none.

use crate::OpenError;
use rustix::fs::{FlockOperation, flock};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// Held as long as this lives.
pub(crate) struct DataLock {
    file: File,
}

impl DataLock {
    /// Takes the lock of a data directory, or says who has it.
    pub(crate) fn take(dir: &Path) -> Result<Self, OpenError> {
        let path = dir.join("lock");
        let at = |source: std::io::Error| OpenError::Path { path: path.clone(), source };
        let mut file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o644)
            .open(&path)
            .map_err(at)?;
        if let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if error != rustix::io::Errno::WOULDBLOCK {
                return Err(at(error.into()));
            }
            let mut text = String::new();
            // A holder that has just begun has not written its number yet: then it stays unnamed.
            let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(OpenError::Locked { dir: dir.to_owned(), pid });
        }
        file.set_len(0).map_err(at)?;
        file.write_all_at(format!("{}\n", std::process::id()).as_bytes(), 0).map_err(at)?;
        file.flush().map_err(at)?;
        Ok(Self { file })
    }
}

impl Drop for DataLock {
    fn drop(&mut self) {
        // Let go of by name: a child that is being started holds a copy of the descriptor until it executes, and a mere
        // close would leave the lock with that copy. Where it fails, the close that follows does the same a little later.
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}
