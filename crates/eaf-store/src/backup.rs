//! Backup and restore.
//!
//! What: a copy of the journal, its snapshots and the keys, made while the factory runs; and a data directory from one.
//! Why `VACUUM INTO`: one read transaction sees one moment, and the writer goes on. Why a folder that is renamed at the
//! end: a backup is there whole or not at all. Absent: the token, working directories and logs; a restored factory makes
//! a new token, and what ran is known from the journal.

use crate::sqlite::{self, JOURNAL_FILE, SNAPSHOT_FOLDER, Snapshots};
use crate::{Head, OpenError, StoreError, VerifyError, VerifyOptions, VerifyReport, verify};
use sqlx::{AssertSqlSafe, Connection};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The folder of the keys in a data directory.
const KEYS: &str = "keys";

/// How often a backup begins anew because the factory pruned its journal meanwhile.
const TRIES: u32 = 5;

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupReport {
    /// The head of the journal in it.
    pub head: Head,
    /// Its size.
    pub bytes: u64,
}

/// Why there is no backup, or why it was not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something is there already.
    #[error("{} is not empty; nothing is written over", path.display())]
    NotEmpty {
        /// Where.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("{} cannot be copied", path.display())]
    Path {
        /// Which.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The journal could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The backup does not verify, so it was not restored.
    #[error("the backup is not whole")]
    NotWhole(#[source] Box<VerifyError>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal was pruned again and again while it was copied.
    #[error("the journal was pruned while it was copied, {TRIES} times; try again later")]
    Pruned,
}

fn at(path: &Path) -> impl Fn(io::Error) -> BackupError {
    move |source| BackupError::Path { path: path.to_owned(), source }
}

/// Copies what is needed to go on from the data directory `dir` to `to`, which must be missing or empty. The factory may
/// run meanwhile.
///
/// # Errors
/// Then there is no backup at `to`.
pub fn backup(dir: &Path, to: &Path) -> Result<BackupReport, BackupError> {
    refuse_non_empty(to)?;
    let part = beside(to);
    for _ in 0..TRIES {
        remove_all(&part)?;
        // Snapshots go first: each is then of a step that the copy of the journal has.
        let steps = copy_snapshots(dir, &part)?;
        let (head, anchor) = copy_journal(dir, &part)?;
        if anchor.step > 0 && steps.iter().all(|step| *step < anchor.step) {
            continue;
        }
        copy_folder(&dir.join(KEYS), &part.join(KEYS))?;
        return Ok(BackupReport { head, bytes: publish(&part, to)? });
    }
    remove_all(&part)?;
    Err(BackupError::Pruned)
}

/// Makes the data directory `dir`, which must be missing or empty, from the backup `from`, which is verified first.
///
/// # Errors
/// Then there is no data directory at `dir`.
pub fn restore(from: &Path, dir: &Path) -> Result<VerifyReport, BackupError> {
    refuse_non_empty(dir)?;
    let report =
        verify(from, VerifyOptions::default(), &mut |_| {}).map_err(|error| BackupError::NotWhole(Box::new(error)))?;
    let part = beside(dir);
    remove_all(&part)?;
    copy_snapshots(from, &part)?;
    copy_journal(from, &part)?;
    copy_folder(&from.join(KEYS), &part.join(KEYS))?;
    // Users pass through a data directory to their working directories.
    fs::set_permissions(&part, std::os::unix::fs::PermissionsExt::from_mode(0o711)).map_err(at(&part))?;
    publish(&part, dir)?;
    Ok(report)
}

fn refuse_non_empty(path: &Path) -> Result<(), BackupError> {
    match fs::read_dir(path) {
        Ok(mut entries) => match entries.next() {
            Some(_) => Err(BackupError::NotEmpty { path: path.to_owned() }),
            None => Ok(()),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(path)(error)),
    }
}

/// The folder that becomes `path` once it is whole.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}

fn remove_all(path: &Path) -> Result<(), BackupError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

fn copy_snapshots(dir: &Path, part: &Path) -> Result<Vec<u64>, BackupError> {
    let folder = part.join(SNAPSHOT_FOLDER);
    make_private(&folder)?;
    let (snapshots, mut copied) = (Snapshots::of(dir), Vec::new());
    for step in snapshots.steps()? {
        let source = snapshots.path(step);
        let target = folder.join(source.file_name().expect("a snapshot has a name"));
        match copy_file(&source, &target) {
            Ok(()) => copied.push(step),
            // The factory has let go of it since it was listed.
            Err(BackupError::Path { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(copied)
}

fn copy_journal(dir: &Path, part: &Path) -> Result<(Head, Head), BackupError> {
    let target = part.join(JOURNAL_FILE);
    let text = target.to_str().ok_or_else(|| at(&target)(io::Error::other("the name is not UTF-8")))?;
    let vacuum = format!("VACUUM INTO '{}'", text.replace('\'', "''"));
    let runtime = sqlite::blocking()?;
    runtime.block_on(async {
        let (mut conn, _) = sqlite::read_only(dir).await?;
        let what = "copying the journal";
        // A reader may not write, this database included; the copy is another one.
        sqlx::query("PRAGMA query_only = 0").execute(&mut conn).await.map_err(sqlite::failed(what))?;
        sqlx::query(AssertSqlSafe(vacuum)).execute(&mut conn).await.map_err(sqlite::failed(what))?;
        conn.close().await.map_err(sqlite::failed(what))?;
        Ok::<(), BackupError>(())
    })?;
    fs::set_permissions(&target, std::os::unix::fs::PermissionsExt::from_mode(0o600)).map_err(at(&target))?;
    File::open(&target).and_then(|file| file.sync_all()).map_err(at(&target))?;
    runtime.block_on(async {
        let (mut conn, _) = sqlite::read_only(part).await?;
        let heads = (sqlite::head(&mut conn).await?, sqlite::anchor(&mut conn).await?);
        conn.close().await.map_err(sqlite::failed("reading the copy"))?;
        Ok(heads)
    })
}

/// Copies the files of a folder, none where it is missing.
fn copy_folder(from: &Path, to: &Path) -> Result<(), BackupError> {
    let entries = match fs::read_dir(from) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(at(from)(error)),
    };
    make_private(to)?;
    for entry in entries {
        let entry = entry.map_err(at(from))?;
        copy_file(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn make_private(dir: &Path) -> Result<(), BackupError> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(at(dir))
}

/// Copies a file for the owner's eyes, and syncs it.
fn copy_file(from: &Path, to: &Path) -> Result<(), BackupError> {
    let mut source = File::open(from).map_err(at(from))?;
    let mut target = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(at(to))?;
    io::copy(&mut source, &mut target).and_then(|_| target.sync_all()).map_err(at(to))
}

/// Gives a whole folder its name, durably, and says how many bytes it holds.
fn publish(part: &Path, to: &Path) -> Result<u64, BackupError> {
    let mut bytes = 0;
    let mut folders = vec![part.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(at(&folder))? {
            let entry = entry.map_err(at(&folder))?;
            let metadata = entry.metadata().map_err(at(&folder))?;
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                bytes += metadata.len();
            }
        }
        sqlite::sync_dir(&folder).map_err(at(&folder))?;
    }
    // An empty folder may be there already; a rename puts the whole one in its place.
    fs::rename(part, to).map_err(at(to))?;
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sqlite::sync_dir(parent).map_err(at(parent))?;
    Ok(bytes)
}
