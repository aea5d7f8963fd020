//! The end of a task.
//!
//! What: outputs, stops, and the way from "the main process has ended" to "nothing is left": the rest of the tree is
//! killed, what is still in the pipes is written, usage is read, the end goes on file, and only then it is told. Absent:
//! wall time; the core orders a stop.

use super::events::Due;
use super::prepare;
use super::task::{Phase, Task};
use super::{Supervisor, now};
use crate::local::records::Ended;
use crate::local::spawn::{self, Reaped};
use crate::local::tree;
use eaf_model::{Exit, TaskKey};
use rustix::process::Signal;
use std::io::{ErrorKind, Read};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Read from one output before others have their turn.
const READS_A_TURN: usize = 8;
pub(super) const READ_BYTES: usize = 64 << 10;
/// Between two looks at a tree that is being killed.
const KILL_AGAIN: Duration = Duration::from_millis(5);

/// What is left in an output.
#[derive(PartialEq, Eq)]
enum Reading {
    More,
    Nothing,
    End,
}

fn copy(output: &mut super::task::Output, buffer: &mut [u8], turns: usize) -> Reading {
    for _ in 0..turns {
        match output.pipe.read(buffer) {
            Ok(0) => return Reading::End,
            Ok(length) => {
                if let Err(error) = output.log.write(&buffer[..length]) {
                    // The task goes on: a full disk loses output, not work.
                    tracing::warn!(%error, bytes = length, "output of a task is lost");
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Reading::Nothing,
            Err(_) => return Reading::End,
        }
    }
    Reading::More
}

/// How a process ended, by its wait status.
pub(super) fn exit_of(status: i32) -> Exit {
    if libc::WIFSIGNALED(status) { Exit::Signal(libc::WTERMSIG(status)) } else { Exit::Code(libc::WEXITSTATUS(status)) }
}

impl Supervisor {
    /// Writes what a task has put out.
    pub(super) fn read_output(&mut self, serial: u32, at: usize) {
        let Some(task) = self.by_serial.get(&serial).and_then(|key| self.tasks.get_mut(key)) else { return };
        let Some(output) = &mut task.outputs[at] else { return };
        if copy(output, &mut self.buffer, READS_A_TURN) == Reading::End {
            task.outputs[at] = None;
        }
    }

    /// Reaps every child that has ended: main processes, and orphans of tasks that fell to us.
    pub(super) fn reap(&mut self) {
        while let Some(Reaped { pid, status, cpu_micros, memory_peak }) = spawn::reap() {
            let Some(key) = self.by_pid.remove(&pid) else { continue };
            if let Some(task) = self.tasks.get_mut(&key) {
                task.waited = Some((cpu_micros, memory_peak));
            }
            self.main_ended(key, exit_of(status));
        }
    }

    /// A process that is not our child has ended.
    pub(super) fn adopted_ended(&mut self, serial: u32) {
        let Some(&key) = self.by_serial.get(&serial) else { return };
        let Some(task) = self.tasks.get_mut(&key) else { return };
        let Some(pidfd) = task.pidfd.take() else { return };
        // Until its parent has reaped it, its state in `/proc` tells; after that, the kernel's memory does.
        let zombie =
            || task.process.and_then(|process| tree::stat(process.pid).filter(|s| s.start_ticks == process.ticks));
        let status = spawn::exit_status(pidfd.as_fd())
            .or_else(|| zombie().filter(|stat| stat.state == b'Z').map(|stat| stat.exit_status));
        let status = status.or_else(|| spawn::exit_status(pidfd.as_fd()));
        let unseen = || Exit::Lost("the supervisor was killed and nobody saw the exit".to_owned());
        self.main_ended(key, status.map_or_else(unseen, exit_of));
    }

    /// The main process has ended; what is left of its tree goes now.
    pub(super) fn main_ended(&mut self, key: TaskKey, exit: Exit) {
        if let Some(task) = self.tasks.get_mut(&key)
            && matches!(task.phase, Phase::Running)
        {
            task.phase = Phase::Clearing(exit);
            self.clear(key);
        }
    }

    /// Ends the task where nothing of its tree is left, or kills what is and looks again.
    fn clear(&mut self, key: TaskKey) {
        let Some(task) = self.tasks.get_mut(&key) else { return };
        let Phase::Clearing(exit) = &task.phase else { return };
        let exit = exit.clone();
        if !tree_is_empty(key, task) {
            kill_tree(key, task);
            self.due.insert((Instant::now() + KILL_AGAIN, Due::Task(key)));
            return;
        }
        // What it has written last counts too.
        self.look_for_checkpoint(key);
        let usage = self.usage_of(key);
        let Some(task) = self.tasks.get_mut(&key) else { return };
        for output in task.outputs.iter_mut().flatten() {
            // Nobody writes any more, so this ends when the pipe is empty.
            while copy(output, &mut self.buffer, READS_A_TURN) == Reading::More {}
        }
        let oom_kills = task.slot.as_ref().map_or(0, |slot| slot.counters().oom_kills);
        let exit = if oom_kills > 0 && !exit.is_success() { Exit::OutOfMemory } else { exit };
        let ended = Ended { at: now(), exit, usage };
        let before = std::mem::replace(task, Task::ended(ended.clone()));
        self.records.ended(key, &ended);
        let report = self.tasks[&key].report();
        self.report(key, report);
        self.let_go(before);
    }

    /// Frees what an ended task has held.
    fn let_go(&mut self, task: Task) {
        self.live -= 1;
        self.by_serial.remove(&task.serial);
        if let Some(process) = task.process {
            self.by_pid.remove(&process.pid);
        }
        // The directory for temporary files goes with the workload's: removing it here would cost more than the rest.
        self.give_back(task.slot);
    }

    /// Stops a running task: politely now, hard when `grace` is over. A repeated order never lengthens the grace.
    pub(super) fn stop(&mut self, key: TaskKey, grace: Duration) {
        let Some(task) = self.tasks.get_mut(&key) else { return };
        let kill_at = Instant::now() + grace;
        let first = task.kill_at.is_none();
        if task.kill_at.is_none_or(|before| kill_at < before) {
            task.kill_at = Some(kill_at);
            self.due.insert((kill_at, Due::Task(key)));
        }
        if first && !grace.is_zero() {
            let wrapper = task.process.filter(|_| task.intent.as_ref().is_some_and(|intent| intent.wrapped));
            let pids = pids_of(key, task);
            let alone = pids.len() == 1;
            // The wrapper ends when what is in it does, and would take it down at once if it were told first.
            for pid in pids.into_iter().filter(|pid| alone || wrapper.is_none_or(|wrapper| wrapper.pid != *pid)) {
                tree::signal(pid, Signal::TERM);
                // One that was stopped must run to hear it.
                tree::signal(pid, Signal::CONT);
            }
        }
    }

    /// The time of a task has come: to be killed, or to be looked at again.
    pub(super) fn task_is_due(&mut self, key: TaskKey, at: Instant) {
        let Some(task) = self.tasks.get_mut(&key) else { return };
        match task.phase {
            Phase::Clearing(_) => self.clear(key),
            Phase::Running if task.kill_at.is_some_and(|kill_at| kill_at <= at) => {
                kill_tree(key, task);
                self.due.insert((Instant::now() + KILL_AGAIN, Due::Task(key)));
            }
            Phase::Running | Phase::Ended(_) => {}
        }
    }

    /// The outputs of a process, found again by the inodes of its pipes.
    pub(super) fn find_pipes(pids: &[u32], inodes: [u64; 2]) -> [Option<std::fs::File>; 2] {
        inodes.map(|inode| {
            let open = |path: std::path::PathBuf| {
                use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
                let here = std::fs::metadata(&path).is_ok_and(|metadata| metadata.ino() == inode);
                let mut options = std::fs::OpenOptions::new();
                let file = options.read(true).custom_flags(libc::O_NONBLOCK).open(&path);
                // Looked at again: the number may have been used for something else meanwhile.
                file.ok().filter(|file| here && prepare::inode(file) == inode)
            };
            let files = |pid: &u32| std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            (inode != 0).then(|| pids.iter().flat_map(files).find_map(|entry| open(entry.path()))).flatten()
        })
    }
}

/// Every process of a task.
pub(super) fn pids_of(key: TaskKey, task: &Task) -> Vec<u32> {
    let main = task.process.map(|process| process.pid);
    task.slot.as_ref().map_or_else(|| tree::tree_of(key, main), crate::local::cgroup::Slot::pids)
}

fn tree_is_empty(key: TaskKey, task: &Task) -> bool {
    match &task.slot {
        Some(slot) => slot.is_empty(),
        // The main process has ended and its id may be another's by now; its session's id is not given away before
        // the last of the session has gone.
        None => tree::tree_of(key, task.process.map(|process| process.pid)).is_empty(),
    }
}

fn kill_tree(key: TaskKey, task: &mut Task) {
    if let Some(slot) = &mut task.slot {
        slot.kill();
    } else {
        for pid in pids_of(key, task) {
            tree::signal(pid, Signal::KILL);
        }
    }
}
