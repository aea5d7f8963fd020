//! Becoming a newer program in place.
//!
//! What: the supervisor executes the new program in its own process, so that every task stays its child; open files stay
//! open and a file in memory says which is which. What is on file is read from there. Why the name of the variable and
//! the shape of the state may only grow: the program that reads it is newer than the one that wrote it.
//! Absent: going back to an older program.

use super::recover::exit_being_cleared;
use super::{Supervisor, Token};
use crate::EngineError;
use crate::local::spawn;
use eaf_model::{Exit, StartOrder, TaskKey};
use rustix::fs::MemfdFlags;
use rustix::io::FdFlags;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Names the file with the state to the program that takes over.
pub(super) const STATE_VARIABLE: &str = "EAF_SUPERVISOR_STATE";

/// What is handed over of a live task beside what is on file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Handed {
    pub(super) key: TaskKey,
    pub(super) outputs: [Option<i32>; 2],
    /// Of a process that is not our child; absent for one that is.
    pub(super) pidfd: Option<i32>,
    pub(super) kill_in_ms: Option<u64>,
    /// How the main process ended, where the rest of the tree is being cleared away.
    pub(super) exit: Option<Exit>,
}

/// The state, as written.
#[derive(Serialize, Deserialize)]
struct State {
    listener: i32,
    lock: i32,
    open_files: (u64, u64),
    queue: VecDeque<StartOrder>,
    tasks: Vec<Handed>,
}

/// The state, as taken over.
pub(super) struct Handover {
    pub(super) listener: UnixListener,
    pub(super) lock: File,
    pub(super) open_files: (u64, u64),
    pub(super) queue: VecDeque<StartOrder>,
    pub(super) tasks: Vec<Handed>,
}

/// Takes over from the program that was this process before.
pub(super) fn take_over(state: OwnedFd) -> Result<Handover, EngineError> {
    let broken = |why: String| EngineError::Protocol { why };
    let mut text = String::new();
    let mut file = File::from(state);
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut text));
    read.map_err(|error| broken(format!("the state of the earlier supervisor cannot be read: {error}")))?;
    let State { listener, lock, open_files, queue, tasks } = serde_json::from_str(&text)
        .map_err(|error| broken(format!("the state of the earlier supervisor is not understood: {error}")))?;
    let open = |number, what: &str| {
        spawn::inherited(number).ok_or_else(|| broken(format!("the earlier supervisor did not leave its {what} open")))
    };
    let listener = UnixListener::from(open(listener, "socket")?);
    Ok(Handover { listener, lock: open(lock, "lock")?.into(), open_files, queue, tasks })
}

impl Supervisor {
    /// Becomes `executable`; comes back only with the reason why that failed, and then goes on as before.
    pub(super) fn upgrade(&mut self, executable: &Path, args: &[String]) -> io::Error {
        self.publish();
        let failed = match self.hand_over() {
            Ok(state) => {
                tracing::info!(executable = %executable.display(), "the supervisor becomes another program");
                let number = state.as_raw_fd().to_string();
                Command::new(executable).args(args).env(STATE_VARIABLE, number).exec()
            }
            Err(error) => error,
        };
        spawn::close_on_execute();
        // The attempt has let signals through; they are caught again, and what they told is looked for.
        match spawn::signal_file().and_then(|file| self.poller.add(&file, Token::Signals).map(|()| file)) {
            Ok(file) => self.signals = file,
            Err(error) => return error,
        }
        self.reap();
        failed
    }

    /// Writes the state and leaves open what it names.
    fn hand_over(&self) -> io::Result<OwnedFd> {
        let now = Instant::now();
        let live = self.tasks.iter().filter(|(_, task)| task.is_live());
        let handed = live.clone().map(|(key, task)| Handed {
            key: *key,
            outputs: [0, 1].map(|at: usize| task.outputs[at].as_ref().map(|output| output.pipe.as_raw_fd())),
            pidfd: task.pidfd.as_ref().map(AsRawFd::as_raw_fd),
            kill_in_ms: task
                .kill_at
                .map(|at| u64::try_from(at.saturating_duration_since(now).as_millis()).unwrap_or(u64::MAX)),
            exit: exit_being_cleared(&task.phase).cloned(),
        });
        let state = State {
            listener: self.listener.as_raw_fd(),
            lock: self.lock.as_raw_fd(),
            open_files: self.open_files,
            queue: self.queue.clone(),
            tasks: handed.collect(),
        };
        let mut file = File::from(rustix::fs::memfd_create("eaf-supervisor", MemfdFlags::empty())?);
        file.write_all(&serde_json::to_vec(&state)?)?;
        let mut open: Vec<BorrowedFd> = vec![self.listener.as_fd(), self.lock.as_fd()];
        for (_, task) in live {
            open.extend(task.outputs.iter().flatten().map(|output| output.pipe.as_fd()));
            open.extend(task.pidfd.as_ref().map(AsFd::as_fd));
        }
        for file in open {
            rustix::io::fcntl_setfd(file, FdFlags::empty())?;
        }
        Ok(file.into())
    }
}
