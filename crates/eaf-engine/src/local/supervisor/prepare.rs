//! What a task finds when it starts: directories, a script, an environment, pipes.
//!
//! What: everything of a start that is made in the file system, as the task's user. Why by open directories and without
//! following links: the directory belongs to a user who may have put anything into it. Absent: the process itself.

use super::{Supervisor, make_dir, open_dir};
use crate::local::config::Identity;
use crate::local::{Settings, devices};
use eaf_model::{Run, StartOrder};
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use rustix::pipe::PipeFlags;
use rustix::process::{Gid, Uid};
use std::ffi::{CString, OsString};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path, PathBuf};

/// Why a task cannot be started.
#[derive(Debug)]
pub(super) enum Unready {
    /// By a fault of the specification.
    Specification(String),
    /// By a fault of this machine.
    Machine(String),
}

impl Unready {
    /// A failure of this machine, ready for `map_err`.
    pub(super) fn machine(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| Self::Machine(format!("cannot {what}: {error}"))
    }
}

/// The directories of a task.
pub(super) struct Directories {
    /// The workload's own.
    pub(super) work: OwnedFd,
    /// Its path.
    pub(super) work_path: PathBuf,
    /// Where the task starts.
    pub(super) cwd: OwnedFd,
    /// Its path.
    pub(super) cwd_path: PathBuf,
    /// True where the task starts in a directory that is not below the workload's own.
    pub(super) elsewhere: bool,
}

fn owner(identity: Option<&Identity>) -> Option<(Uid, Gid)> {
    identity.map(|identity| (Uid::from_raw(identity.uid), Gid::from_raw(identity.gid)))
}

impl Supervisor {
    /// Makes or finds the directories.
    pub(super) fn directories(
        &self,
        order: &StartOrder,
        settings: &Settings,
        identity: Option<&Identity>,
    ) -> Result<Directories, Unready> {
        let work_path = self.dirs.work(order.workload);
        let made = make_dir(&work_path, 0o700).map_err(Unready::machine("make the working directory"))?;
        if let Some((uid, gid)) = owner(identity).filter(|_| made) {
            let chown = rustix::fs::chown(&work_path, Some(uid), Some(gid));
            chown.map_err(|error| Unready::machine("give away the working directory")(error.into()))?;
        }
        let work = open_dir(&work_path).map_err(Unready::machine("open the working directory"))?;
        let again = || open_dir(&work_path).map_err(Unready::machine("open the working directory"));
        let (cwd, cwd_path, elsewhere) = match order.spec.working_directory.as_deref().map(Path::new) {
            None => (again()?, work_path.clone(), false),
            Some(path) if path.is_absolute() => {
                let (cwd, path) = open_elsewhere(path, settings)?;
                (cwd, path, true)
            }
            Some(path) => (open_below(&work, path, identity)?, work_path.join(path), false),
        };
        Ok(Directories { work, work_path, cwd, cwd_path, elsewhere })
    }
}

/// Opens an absolute directory, which must lie below one that the operator has opened.
fn open_elsewhere(path: &Path, settings: &Settings) -> Result<(OwnedFd, PathBuf), Unready> {
    let fault = |why: &str| Unready::Specification(format!("the working directory {} {why}", path.display()));
    let real = path.canonicalize().map_err(|error| fault(&format!("cannot be used: {error}")))?;
    let opened = settings.working_roots.iter().filter_map(|root| root.canonicalize().ok());
    if !opened.into_iter().any(|root| real.starts_with(root)) {
        return Err(fault("is not below a directory that the operator has opened (working_roots)"));
    }
    let directory = open_dir(&real).map_err(|error| fault(&format!("cannot be used: {error}")))?;
    Ok((directory, real))
}

/// Opens a directory below the workload's own, making what is missing; links may not lead out of it.
fn open_below(work: &OwnedFd, path: &Path, identity: Option<&Identity>) -> Result<OwnedFd, Unready> {
    let fault = |why: String| Unready::Specification(format!("the working directory {} {why}", path.display()));
    if path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(fault("must lie within the workload's own directory".to_owned()));
    }
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let open = |below: &Path| rustix::fs::openat2(work, below, flags, Mode::empty(), resolve);
    let mut walked = PathBuf::from(".");
    let mut directory = open(&walked).map_err(|error| fault(format!("cannot be opened: {error}")))?;
    for part in path.components().filter(|part| matches!(part, Component::Normal(_))) {
        match rustix::fs::mkdirat(&directory, part.as_os_str(), Mode::RWXU) {
            Ok(()) => {
                if let Some((uid, gid)) = owner(identity) {
                    let flags = AtFlags::SYMLINK_NOFOLLOW;
                    let chown = rustix::fs::chownat(&directory, part.as_os_str(), Some(uid), Some(gid), flags);
                    chown.map_err(|error| fault(format!("cannot be given to the task's user: {error}")))?;
                }
            }
            Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(fault(format!("cannot be made: {error}"))),
        }
        walked.push(part);
        directory = open(&walked).map_err(|error| fault(format!("cannot be opened: {error}")))?;
    }
    Ok(directory)
}

/// Writes the script into the workload's directory and returns the program and arguments that run it.
pub(super) fn command(
    order: &StartOrder,
    dirs: &Directories,
    identity: Option<&Identity>,
) -> Result<Vec<OsString>, Unready> {
    match &order.spec.run {
        Run::Command(argv) if argv.is_empty() => Err(Unready::Specification("there is no command".to_owned())),
        Run::Command(argv) => Ok(argv.iter().map(Into::into).collect()),
        Run::Script(text) => {
            let name = format!(".eaf-script-{}.{}", order.attempt, order.key.task);
            write_script(&dirs.work, &name, text, identity).map_err(Unready::machine("write the script"))?;
            let path = dirs.work_path.join(name).into_os_string();
            Ok(if text.starts_with("#!") { vec![path] } else { vec!["/bin/sh".into(), path] })
        }
    }
}

fn write_script(work: &OwnedFd, name: &str, text: &str, identity: Option<&Identity>) -> io::Result<()> {
    // A new file, never an old one: whatever has this name is not followed and not written.
    let _ = rustix::fs::unlinkat(work, name, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(work, name, flags, Mode::RWXU)?);
    file.write_all(text.as_bytes())?;
    if let Some((uid, gid)) = owner(identity) {
        rustix::fs::fchown(&file, Some(uid), Some(gid))?;
    }
    Ok(())
}

/// A pipe for one output: our end, and the task's.
pub(super) struct Pipe {
    pub(super) ours: OwnedFd,
    pub(super) theirs: OwnedFd,
}

/// Makes a pipe that a task can go on writing to after our death, because it holds both directions itself.
pub(super) fn pipe(identity: Option<&Identity>) -> io::Result<Pipe> {
    let (ours, writing) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    // Opened anew, so that the task's end blocks while ours does not.
    let path = format!("/proc/self/fd/{}", writing.as_raw_fd());
    let theirs = rustix::fs::open(path, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    if let Some((uid, gid)) = owner(identity) {
        // So that `/dev/stderr` can be opened by the task's user.
        rustix::fs::fchown(&theirs, Some(uid), Some(gid))?;
    }
    Ok(Pipe { ours, theirs })
}

/// The variables of a task, as `NAME=value`.
pub(super) fn environment(
    order: &StartOrder,
    settings: &Settings,
    dirs: &Directories,
    user: &str,
    temporary: &str,
) -> Result<Vec<CString>, Unready> {
    let spec = &order.spec;
    let work = dirs.work_path.to_string_lossy();
    let cpus = order.allotment.cpu.0.div_ceil(1_000).max(1).to_string();
    let mut variables: Vec<(&str, String)> = vec![
        ("PATH", settings.path.clone()),
        ("HOME", work.clone().into_owned()),
        ("LANG", settings.lang.clone()),
        ("TMPDIR", format!("{work}/{temporary}")),
        ("USER", user.to_owned()),
        ("LOGNAME", user.to_owned()),
    ];
    variables.extend(spec.environment.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let held = &order.allotment.accelerators;
    // After the workload's own, so that these can be relied on.
    variables.extend([
        ("EAF_WORKLOAD_ID", order.workload.to_string()),
        ("EAF_LEASE_ID", order.key.lease.to_string()),
        ("EAF_ATTEMPT", order.attempt.to_string()),
        ("EAF_TASK_RANK", order.key.task.to_string()),
        ("EAF_TASKS", order.tasks.unwrap_or(spec.tasks).to_string()),
        ("EAF_CPUS", cpus),
        ("EAF_MEMORY_BYTES", order.allotment.memory.0.to_string()),
        ("EAF_ACCELERATORS", held.len().to_string()),
        ("EAF_CHECKPOINT", format!("{work}/{}", super::checkpoints::door(order.attempt, order.key.task))),
    ]);
    variables.extend(order.array_index.map(|index| ("EAF_ARRAY_INDEX", index.to_string())));
    variables.extend(devices::visibility(&settings.devices, held));
    let ours = variables.len();
    let mut lines = Vec::with_capacity(ours);
    for (at, (name, value)) in variables.iter().enumerate() {
        // The last of a name counts; C programs would take the first.
        if variables[at + 1..].iter().any(|(later, _)| later == name) {
            continue;
        }
        let fault = || Unready::Specification(format!("the environment variable {name:?} cannot be passed on"));
        if name.is_empty() || name.contains('=') {
            return Err(fault());
        }
        lines.push(CString::new(format!("{name}={value}")).map_err(|_| fault())?);
    }
    Ok(lines)
}

/// Text for the kernel.
pub(super) fn text(value: OsString) -> Result<CString, Unready> {
    CString::new(value.into_vec())
        .map_err(|error| Unready::Specification(format!("the command holds a zero byte: {error}")))
}

/// What to try to execute for a command's name: itself where it names a file, else each directory of `PATH`.
pub(super) fn programs(name: &OsString, path: &str) -> Result<Vec<CString>, Unready> {
    if name.is_empty() {
        return Err(Unready::Specification("the command is empty".to_owned()));
    }
    if name.as_encoded_bytes().contains(&b'/') {
        return Ok(vec![text(name.clone())?]);
    }
    let directories = path.split(':').filter(|directory| directory.starts_with('/'));
    directories.map(|directory| text(Path::new(directory).join(name).into_os_string())).collect()
}

/// The inode of a pipe.
pub(super) fn inode(file: &impl AsFd) -> u64 {
    rustix::fs::fstat(file).map_or(0, |stat| stat.st_ino)
}
