//! Where the engine keeps its files in the data directory.
//!
//! What: names and modes of directories. Absent: what is in the files.

use crate::EngineError;
use eaf_model::WorkloadId;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The directories, made where they were not there.
#[derive(Clone, Debug)]
pub(crate) struct Dirs {
    data: PathBuf,
}

impl Dirs {
    /// Finds or makes the directories. Tasks must be able to pass through `data` and `work` to their own, and see
    /// neither `engine` nor `logs`.
    pub(crate) fn new(data: &Path) -> Result<Self, EngineError> {
        let make = |path: &Path, mode: u32| {
            let made = fs::DirBuilder::new().recursive(true).mode(mode).create(path);
            // The mode is set apart from the making, which the file mode creation mask would thin.
            made.and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
                .map_err(EngineError::file("make", path))
        };
        if !data.is_dir() {
            // The mode of a directory that is there already is its owner's business.
            make(data, 0o711)?;
        }
        let data = data.canonicalize().map_err(EngineError::file("find", data))?;
        let dirs = Self { data };
        make(&dirs.engine(), 0o700)?;
        make(&dirs.logs(), 0o700)?;
        make(&dirs.data.join("work"), 0o711)?;
        Ok(dirs)
    }

    /// The data directory, without links on the way.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn engine(&self) -> PathBuf {
        self.data.join("engine")
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.data.join("logs")
    }

    pub(crate) fn work(&self, workload: WorkloadId) -> PathBuf {
        self.data.join("work").join(workload.to_string())
    }

    pub(crate) fn records(&self) -> PathBuf {
        self.engine().join("tasks.log")
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.engine().join("settings.json")
    }

    pub(crate) fn secret(&self) -> PathBuf {
        self.engine().join("secret")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.engine().join("supervisor.sock")
    }

    /// The socket by way of the open `engine` directory: a name short enough for any socket call.
    pub(crate) fn socket_through(engine: &File) -> PathBuf {
        format!("/proc/self/fd/{}/supervisor.sock", engine.as_raw_fd()).into()
    }

    /// The name of this factory's control groups, which differs between data directories.
    pub(crate) fn group_name(&self) -> String {
        // FNV-1a: the name must be the same in every release, which the standard hasher does not promise.
        let bytes = self.data.as_os_str().as_encoded_bytes().iter();
        let hash = bytes
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        format!("eaf-{hash:016x}")
    }
}
