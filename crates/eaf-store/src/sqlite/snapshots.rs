//! Snapshots: files beside the database.
//!
//! What: `snapshots/STEP.json`, a line with the head and the digest of the body, then the body. Why files: the driver
//! hands the bytes to another thread, and a large snapshot holds up neither its commits nor the write-ahead log.
//! Why rename: a snapshot is there whole or not at all. Absent: the choice of when (`SnapshotPolicy`).

use super::errors::failed_io;
use crate::{Hash, Head, Snapshot, StoreError};
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Their folder in a data directory.
pub(crate) const FOLDER: &str = "snapshots";

/// The first word of every snapshot; the number is the form of the file.
const MAGIC: &str = "eaf-snapshot-1";

/// How many are kept.
const KEPT: usize = 2;

/// The snapshots of a data directory. A clone may save from another thread while the store appends.
#[derive(Clone, Debug)]
pub struct Snapshots {
    dir: PathBuf,
}

impl Snapshots {
    /// The snapshots of the data directory `dir`; nothing is read yet.
    pub fn of(dir: &Path) -> Self {
        Self { dir: dir.join(FOLDER) }
    }

    /// Makes the folder, and clears away what a crash left half-written.
    pub(super) fn prepare(&self) -> io::Result<()> {
        match fs::create_dir(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => fs::set_permissions(&self.dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))?,
        }
        for entry in fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "part") {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Keeps a snapshot of a step that is durable, and lets go of all but the newest two. It is durable on `Ok`; one
    /// thread at a time may save.
    ///
    /// # Errors
    /// What was kept before is still there.
    pub fn save(&self, snapshot: &Snapshot) -> Result<(), StoreError> {
        self.write(snapshot).map_err(failed_io("a snapshot"))?;
        for step in self.steps()?.into_iter().skip(KEPT) {
            fs::remove_file(self.path(step)).map_err(failed_io("an old snapshot"))?;
        }
        Ok(())
    }

    fn write(&self, snapshot: &Snapshot) -> io::Result<()> {
        let path = self.path(snapshot.head.step);
        let part = path.with_extension("part");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(header(snapshot).as_bytes())?;
        file.write_all(&snapshot.body)?;
        file.sync_all()?;
        fs::rename(&part, &path)?;
        sync_dir(&self.dir)
    }

    /// The steps of the kept snapshots, newest first.
    ///
    /// # Errors
    /// Where the folder cannot be read; one that is missing has no snapshots.
    pub fn steps(&self) -> Result<Vec<u64>, StoreError> {
        let failed = failed_io("listing snapshots");
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut steps = Vec::new();
        for entry in entries {
            let path = entry.map_err(&failed)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                steps.extend(path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u64>().ok()));
            }
        }
        steps.sort_unstable_by(|a, b| b.cmp(a));
        Ok(steps)
    }

    /// The snapshot at this step, or `None`.
    ///
    /// # Errors
    /// `SnapshotDamaged` where its bytes are not what was saved.
    pub fn load(&self, step: u64) -> Result<Option<Snapshot>, StoreError> {
        let mut bytes = Vec::new();
        match File::open(self.path(step)).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed_io("reading a snapshot")(error)),
            Ok(_) => {}
        }
        parse(step, bytes).map(Some).map_err(|why| StoreError::SnapshotDamaged { step, why: why.to_owned() })
    }

    pub(crate) fn path(&self, step: u64) -> PathBuf {
        // Twenty digits hold every step, so that names sort as numbers do.
        self.dir.join(format!("{step:020}.json"))
    }
}

fn header(snapshot: &Snapshot) -> String {
    format!("{MAGIC} {} {}\n", snapshot.head, Hash(Sha256::digest(&snapshot.body).into()))
}

fn parse(step: u64, mut bytes: Vec<u8>) -> Result<Snapshot, &'static str> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or("it has no first line")?;
    let line = std::str::from_utf8(&bytes[..end]).map_err(|_| "its first line is not text")?;
    let mut words = line.split(' ');
    if words.next() != Some(MAGIC) {
        return Err("its first line is not that of a snapshot of this format");
    }
    let head: Head = words.next().and_then(|word| word.parse().ok()).ok_or("its first line names no step")?;
    let digest: Hash = words.next().and_then(|word| word.parse().ok()).ok_or("its first line has no digest")?;
    let body = bytes.split_off(end + 1);
    if head.step != step {
        return Err("it is of another step than its name says");
    }
    if Hash(Sha256::digest(&body).into()) != digest {
        return Err("its bytes are not those that were saved");
    }
    Ok(Snapshot { head, body })
}

/// Makes names in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}
