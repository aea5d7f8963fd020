//! The sandbox: what a task may write and read.
//!
//! What: a Landlock ruleset for each task. It may write its own directory (with its TMPDIR in it), `/dev/null`,
//! `/dev/shm` and the device files of its accelerators; it may read everything but the factory's data directory, and of
//! `/dev` only what every program expects. Why an allow-list of siblings: Landlock can only allow, so "everything but
//! D" is said as "everything beside the path to D"; it is made again when a directory on that path changes.
//! Absent: the network, which is not restricted here.

use crate::local::spawn;
use landlock::{ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetError, Scope};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The newest set of rights that this code knows; the kernel's own is used where it is older.
const ABI_KNOWN: ABI = ABI::V7;

/// Devices that a task may read, and that only `/dev/null` may be written of.
const READABLE_DEVICES: [&str; 6] = ["zero", "full", "random", "urandom", "tty", "null"];

/// What a directory on the way looked like when the rules were made.
type Stamp = (i64, i64, u64);

/// The part of the rules that all tasks share, kept as open files.
pub(crate) struct Sandboxes {
    data_dir: PathBuf,
    way: Vec<(PathBuf, Option<Stamp>)>,
    shared: Vec<(OwnedFd, BitFlags<AccessFs>)>,
    supported: Option<BitFlags<AccessFs>>,
}

/// Why a sandbox could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SandboxError {
    /// The kernel's refusal.
    #[error("the kernel refused the sandbox")]
    Ruleset(#[from] RulesetError),
    /// The kernel's refusal of a rule.
    #[error("the kernel refused a rule of the sandbox")]
    Rule(#[source] io::Error),
    /// A file for a rule.
    #[error("cannot open {} for the sandbox", path.display())]
    Open { path: PathBuf, source: io::Error },
    /// No Landlock.
    #[error("this kernel has no Landlock; set sandbox = \"bubblewrap\" or sandbox = \"none\"")]
    Absent,
}

/// True where this kernel has Landlock.
pub(crate) fn available() -> bool {
    let made = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    made.handle_access(AccessFs::from_all(ABI::V1)).and_then(Ruleset::create).is_ok()
}

impl Sandboxes {
    pub(crate) const fn new(data_dir: PathBuf) -> Self {
        Self { data_dir, way: Vec::new(), shared: Vec::new(), supported: None }
    }

    /// A ruleset for a task that owns these directories and devices.
    pub(crate) fn ruleset(&mut self, owned: &[BorrowedFd], devices: &[PathBuf]) -> Result<OwnedFd, SandboxError> {
        self.refresh()?;
        let ruleset = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(ABI_KNOWN))?
            .scope(Scope::from_all(ABI_KNOWN))?
            .create()?;
        let ruleset = Option::<OwnedFd>::from(ruleset).ok_or(SandboxError::Absent)?;
        let supported = self.supported();
        let allow = |file: BorrowedFd, access: BitFlags<AccessFs>| {
            // What the kernel does not know it does not handle, and must not be told.
            spawn::allow_path(ruleset.as_fd(), file, (access & supported).bits())
        };
        for (file, access) in &self.shared {
            allow(file.as_fd(), *access).map_err(SandboxError::Rule)?;
        }
        for directory in owned {
            allow(*directory, AccessFs::from_all(ABI_KNOWN)).map_err(SandboxError::Rule)?;
        }
        for device in devices {
            let open = open(device).map_err(|source| SandboxError::Open { path: device.clone(), source })?;
            allow(open.as_fd(), use_device()).map_err(SandboxError::Rule)?;
        }
        Ok(ruleset)
    }

    /// The rights that this kernel handles.
    fn supported(&mut self) -> BitFlags<AccessFs> {
        *self.supported.get_or_insert_with(|| {
            let handled = |abi| {
                let hard = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
                hard.handle_access(AccessFs::from_all(abi)).and_then(Ruleset::create).is_ok()
            };
            let known = [ABI::V5, ABI::V3, ABI::V2, ABI::V1];
            known.into_iter().find(|abi| handled(*abi)).map_or(BitFlags::EMPTY, AccessFs::from_all)
        })
    }

    /// Makes the shared rules anew where a directory on the way to the data directory has changed.
    fn refresh(&mut self) -> Result<(), SandboxError> {
        if !self.way.is_empty() && self.way.iter().all(|(path, stamp)| stamp_of(path) == *stamp) {
            return Ok(());
        }
        self.way.clear();
        self.shared.clear();
        let read = AccessFs::from_read(ABI_KNOWN);
        let parts: Vec<OsString> = self.data_dir.iter().skip(1).map(Into::into).collect();
        let mut directory = PathBuf::from("/");
        for part in parts {
            // The stamp is taken first: a change during the listing is seen by the next task.
            self.way.push((directory.clone(), stamp_of(&directory)));
            for entry in list(&directory)? {
                let path = directory.join(&entry);
                if entry != part && path != Path::new("/dev") {
                    self.allow(&path, read);
                }
            }
            directory.push(part);
        }
        self.allow_devices();
        Ok(())
    }

    fn allow_devices(&mut self) {
        self.allow(Path::new("/dev"), AccessFs::ReadDir.into());
        for name in READABLE_DEVICES {
            self.allow(&Path::new("/dev").join(name), AccessFs::ReadFile.into());
        }
        self.allow(
            Path::new("/dev/null"),
            AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev,
        );
        let never = AccessFs::MakeChar | AccessFs::MakeBlock;
        self.allow(Path::new("/dev/shm"), AccessFs::from_all(ABI_KNOWN) & !never);
    }

    /// Adds a rule; what cannot be opened (a link to elsewhere, a file that has just gone) stays forbidden.
    fn allow(&mut self, path: &Path, access: BitFlags<AccessFs>) {
        let Ok(file) = open(path) else { return };
        let Ok(metadata) = file.metadata() else { return };
        if metadata.is_symlink() {
            return;
        }
        let of_files = AccessFs::from_file(ABI_KNOWN);
        let access = if metadata.is_dir() { access } else { access & of_files };
        self.shared.push((file.into(), access));
    }
}

fn use_device() -> BitFlags<AccessFs> {
    AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev
}

/// Opens a file only to name it.
fn open(path: &Path) -> io::Result<File> {
    let flags = libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    fs::OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn list(directory: &Path) -> Result<Vec<OsString>, SandboxError> {
    let fail = |source| SandboxError::Open { path: directory.to_owned(), source };
    match fs::read_dir(directory) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.file_name()).collect()),
        // A directory that we may pass but not list: what is beside the way stays forbidden.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(Vec::new()),
        Err(error) => Err(fail(error)),
    }
}

fn stamp_of(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.mtime(), metadata.mtime_nsec(), metadata.ino()))
}

/// The arguments that put a program into bubblewrap, before the program's own.
pub(crate) fn bubblewrap(data_dir: &Path, owned: &[PathBuf], cwd: &Path, devices: &[PathBuf]) -> Vec<OsString> {
    let mut args: Vec<OsString> = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"].map(Into::into).into();
    args.extend(
        ["--die-with-parent", "--unshare-pid", "--unshare-ipc", "--bind", "/dev/shm", "/dev/shm"].map(Into::into),
    );
    args.extend(["--tmpfs".into(), data_dir.into()]);
    for directory in owned {
        args.extend(["--bind".into(), directory.into(), directory.into()]);
    }
    for device in devices {
        args.extend(["--dev-bind".into(), device.into(), device.into()]);
    }
    args.extend(["--chdir".into(), cwd.into(), "--".into()]);
    args
}
