//! One task, as the supervisor holds it.
//!
//! What: a process with its groups and outputs while it lives, and only its end after that. Absent: what is done to it.

use crate::local::cgroup::Slot;
use crate::local::logs::LogWriter;
use crate::local::records::{Ended, Intent, Process, Recorded};
use eaf_model::{CpuMicros, Exit, TaskReport, Time};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Where a task is in its life here.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// Its main process runs.
    Running,
    /// Its main process has ended like this; the rest of its tree is being cleared away.
    Clearing(Exit),
    /// Nothing of it is left.
    Ended(Ended),
}

/// One output: the pipe that is read and the file that is written.
pub(super) struct Output {
    pub(super) pipe: File,
    pub(super) log: LogWriter,
}

/// What was measured of a task between samples.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Metered {
    /// Processor time at the last sample, in microseconds.
    pub(super) cpu_seen: u64,
    /// Energy attributed, in microjoules.
    pub(super) microjoules: u64,
    /// Time its accelerators were busy, in microseconds.
    pub(super) busy_micros: u64,
    /// False where a supervisor began to measure in the middle of the task's life.
    pub(super) whole: bool,
}

/// A task.
pub(super) struct Task {
    pub(super) serial: u32,
    pub(super) intent: Option<Intent>,
    pub(super) process: Option<Process>,
    pub(super) slot: Option<Slot>,
    pub(super) outputs: [Option<Output>; 2],
    /// Of a process that is not our child.
    pub(super) pidfd: Option<OwnedFd>,
    pub(super) phase: Phase,
    /// When what is left is killed.
    pub(super) kill_at: Option<Instant>,
    /// What `wait` told of the main process: processor time and peak memory.
    pub(super) waited: Option<(u64, u64)>,
    pub(super) metered: Metered,
    /// The processor time that was last reported; reported figures only grow.
    pub(super) cpu_reported: CpuMicros,
    /// The time of the checkpoint that was last told.
    pub(super) checkpoint_told: Option<Time>,
}

impl Task {
    /// A task that has ended, or never began.
    pub(super) fn ended(ended: Ended) -> Self {
        Self {
            serial: 0,
            intent: None,
            process: None,
            slot: None,
            outputs: [None, None],
            pidfd: None,
            phase: Phase::Ended(ended),
            kill_at: None,
            waited: None,
            metered: Metered::default(),
            cpu_reported: CpuMicros::ZERO,
            checkpoint_told: None,
        }
    }

    /// A task whose process runs.
    pub(super) fn running(serial: u32, intent: Intent, process: Process, slot: Option<Slot>) -> Self {
        let ended = Ended { at: process.started_at, exit: Exit::Code(0), usage: eaf_model::Usage::default() };
        Self { serial, intent: Some(intent), process: Some(process), slot, phase: Phase::Running, ..Self::ended(ended) }
    }

    /// True until nothing of it is left.
    pub(super) const fn is_live(&self) -> bool {
        !matches!(self.phase, Phase::Ended(_))
    }

    /// Its latest report.
    pub(super) fn report(&self) -> TaskReport {
        match (&self.phase, self.process) {
            (Phase::Ended(Ended { at, exit, usage }), _) => {
                TaskReport::Exited { at: *at, exit: exit.clone(), usage: *usage }
            }
            (_, Some(process)) => TaskReport::Started { at: process.started_at },
            (_, None) => TaskReport::Accepted,
        }
    }

    /// What is to be on file about it.
    pub(super) fn recorded(&self) -> Recorded {
        let ended = match &self.phase {
            Phase::Ended(ended) => Some(ended.clone()),
            _ => None,
        };
        Recorded { intent: self.intent.clone(), process: self.process, ended }
    }

    /// Between the polite and the hard stop, where nobody says otherwise.
    pub(super) fn grace(&self) -> Duration {
        Duration::from_millis(self.intent.as_ref().map_or(0, |intent| intent.grace.0))
    }
}
