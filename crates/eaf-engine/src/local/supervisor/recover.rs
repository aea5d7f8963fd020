//! Finding again what an earlier supervisor has left.
//!
//! What: every task on file is running (found by id and start time, or in its control group), has ended unseen, or was
//! never started. Why a process is looked for before anything is started: a task must never run twice. Absent: guesses;
//! an end that nobody saw is reported as lost.

use super::task::{Phase, Task};
use super::upgrade::Handed;
use super::{Supervisor, Token, now};
use crate::LogStream;
use crate::local::cgroup::Slot;
use crate::local::logs::{LogName, LogWriter};
use crate::local::records::{Intent, Left, Process, Recorded};
use crate::local::{records, spawn, tree};
use eaf_model::{Exit, TaskKey, Usage};
use rustix::process::{Pid, PidfdFlags};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::time::{Duration, Instant};

const RESTARTED: &str = "the machine restarted";
const UNSEEN: &str = "the supervisor was killed and nobody saw the exit";

impl Supervisor {
    /// Takes up every task that is on file. `handed` holds open files where the program before us handed over in place.
    pub(super) fn recover(&mut self, left: Left, boot: &str, handed: Option<Vec<Handed>>) {
        let same_boot = left.boot.as_deref() == Some(boot.trim());
        let mut handed: Option<BTreeMap<TaskKey, Handed>> =
            handed.map(|handed| handed.into_iter().map(|handed| (handed.key, handed)).collect());
        let mut used = BTreeSet::new();
        for (key, Recorded { intent, process, ended }) in left.tasks {
            match (ended, intent) {
                (Some(ended), _) => {
                    self.tasks.insert(key, Task::ended(ended));
                }
                (None, Some(_)) if !same_boot => self.end_unseen(key, RESTARTED),
                (None, Some(intent)) => {
                    used.extend(intent.slot.map(|(number, _)| number));
                    let ours = handed.is_some();
                    let handed = handed.as_mut().and_then(|handed| handed.remove(&key));
                    self.find_again(intent, process, ours, handed);
                }
                (None, None) => self.records.settled(key),
            }
        }
        self.clear_strays(&used);
        tracing::info!(live = self.live, known = self.tasks.len(), "tasks of an earlier supervisor");
    }

    fn end_unseen(&mut self, key: TaskKey, why: &str) {
        let ended = records::Ended { at: now(), exit: Exit::Lost(why.to_owned()), usage: Usage::default() };
        self.records.ended(key, &ended);
        self.tasks.insert(key, Task::ended(ended));
    }

    fn find_again(&mut self, intent: Intent, process: Option<Process>, ours: bool, handed: Option<Handed>) {
        let key = intent.key;
        let slot = self.reopen_slot(&intent);
        let Some(process) = process.or_else(|| find_process(key, slot.as_ref())) else {
            // It was about to be started and never was; it will be ordered again.
            self.records.settled(key);
            return self.give_back(slot);
        };
        self.records.process(key, process);
        let mut task = self.begin_task(intent, process, slot);
        self.attach_outputs(key, &mut task, handed.as_ref());
        if let Some(kill_in) = handed.as_ref().and_then(|handed| handed.kill_in_ms) {
            let at = Instant::now() + Duration::from_millis(kill_in);
            task.kill_at = Some(at);
            self.due.insert((at, super::Due::Task(key)));
        }
        let exit = match handed {
            Some(Handed { exit: Some(exit), .. }) => Some(exit),
            Some(Handed { pidfd: None, .. }) if ours => {
                self.by_pid.insert(process.pid, key);
                None
            }
            handed => self.watch_process(&mut task, process, handed.and_then(|handed| handed.pidfd)),
        };
        self.tasks.insert(key, task);
        if let Some(exit) = exit {
            self.main_ended(key, exit);
        }
    }

    /// Watches a process that is not our child; its end where it has ended.
    fn watch_process(&self, task: &mut Task, process: Process, pidfd: Option<i32>) -> Option<Exit> {
        let unseen = || Some(Exit::Lost(UNSEEN.to_owned()));
        let open = || {
            let pid = Pid::from_raw(i32::try_from(process.pid).ok()?)?;
            let pidfd = rustix::process::pidfd_open(pid, PidfdFlags::empty()).ok()?;
            // Looked at after it is open: an id that is used again shows another start.
            tree::stat(process.pid).filter(|stat| stat.start_ticks == process.ticks).map(|_| pidfd)
        };
        let Some(pidfd) = pidfd.and_then(spawn::inherited).or_else(open) else { return unseen() };
        if self.poller.add(&pidfd, Token::Process(task.serial)).is_err() {
            return unseen();
        }
        task.pidfd = Some(pidfd);
        None
    }

    fn attach_outputs(&self, key: TaskKey, task: &mut Task, handed: Option<&Handed>) {
        let (Some(intent), Some(process)) = (&task.intent, task.process) else { return };
        let pipes = match handed {
            Some(handed) => handed.outputs.map(|number| number.and_then(spawn::inherited).map(File::from)),
            None => Self::find_pipes(&super::finish::pids_of(key, task), process.pipes),
        };
        let mut outputs = [None, None];
        for (at, (pipe, stream)) in (0..).zip(pipes.into_iter().zip([LogStream::Stdout, LogStream::Stderr])) {
            let name = LogName::new(&self.dirs.logs(), intent.workload, intent.attempt, key.task, stream);
            match (pipe, LogWriter::resume(name, intent.log_bytes_max)) {
                (Some(pipe), Ok(log)) => outputs[usize::from(at)] = self.watch_output(task.serial, at, pipe, log),
                (Some(_), Err(error)) => tracing::error!(%error, "the log of a task cannot be taken up"),
                (None, _) => {}
            }
        }
        task.outputs = outputs;
    }

    fn reopen_slot(&mut self, intent: &Intent) -> Option<Slot> {
        let (number, bases) = intent.slot?;
        match self.cgroups.as_mut()?.reopen(number) {
            Ok(mut slot) => {
                slot.set_bases(bases);
                Some(slot)
            }
            Err(error) => {
                tracing::error!(number, %error, "the control groups of a task cannot be opened");
                None
            }
        }
    }

    /// Empties slots that no task on file lives in.
    fn clear_strays(&mut self, used: &BTreeSet<u32>) {
        let Some(cgroups) = &mut self.cgroups else { return };
        for number in cgroups.existing().difference(used).copied().collect::<Vec<_>>() {
            let Ok(mut slot) = cgroups.reopen(number) else { continue };
            if slot.is_empty() {
                cgroups.give_back(slot);
            } else {
                tracing::warn!(number, "processes that are on no file are ended");
                slot.kill();
            }
        }
    }
}

/// The main process of a task whose start was put on file and whose process was not.
fn find_process(key: TaskKey, slot: Option<&Slot>) -> Option<Process> {
    let pids = slot.map_or_else(|| tree::tree_of(key, None), Slot::pids);
    let stats = pids.into_iter().filter_map(|pid| Some((pid, tree::stat(pid)?)));
    // The oldest leader of a session; what it has started is younger.
    let (pid, stat) = stats.min_by_key(|(pid, stat)| (stat.session != *pid, stat.start_ticks, *pid))?;
    let pipe = |number: u32| {
        use std::os::unix::fs::{FileTypeExt, MetadataExt};
        let metadata = std::fs::metadata(format!("/proc/{pid}/fd/{number}")).ok()?;
        metadata.file_type().is_fifo().then(|| metadata.ino())
    };
    let pipes = [pipe(1).unwrap_or(0), pipe(2).unwrap_or(0)];
    Some(Process { pid, ticks: stat.start_ticks, started_at: now(), pipes })
}

/// True for a task that runs or is being cleared away; used when handing over.
pub(super) const fn exit_being_cleared(phase: &Phase) -> Option<&Exit> {
    match phase {
        Phase::Clearing(exit) => Some(exit),
        Phase::Running | Phase::Ended(_) => None,
    }
}
