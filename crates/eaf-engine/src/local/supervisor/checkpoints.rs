//! The door through which a task reports a checkpoint: a file in its workload's directory.
//!
//! What: looks for the file of every live task now and then, and tells of each that is new; its time is that of the
//! checkpoint. Why a file: it is there while no supervisor runs, it passes every sandbox, and any program can write it.
//! Why nothing of it is trusted: it belongs to the task's user, who may have put anything there.
//! Absent: the checkpoint itself, and what it is good for.

use super::task::Phase;
use super::{Due, Supervisor};
use crate::local::records::Intent;
use eaf_model::{CHECKPOINT_LABEL_MAX, Checkpoint, TaskKey, TaskReport, Time};
use serde::Deserialize;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The most bytes of the file that are read; more than the longest label takes.
const READ_BYTES_MAX: u64 = 4_096;

/// The name of the file, in the workload's directory.
pub(super) fn door(attempt: u32, task: u32) -> String {
    format!(".eaf-checkpoint-{attempt}.{task}")
}

/// What a task may say of its checkpoint; an empty file says nothing more.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Said {
    label: Option<String>,
    whole_gang: bool,
}

impl Said {
    /// Reads what a task has written; what is no such text is a label of its own.
    fn read(text: &str) -> Self {
        let plain =
            || Some(text.trim().chars().take(CHECKPOINT_LABEL_MAX).collect()).filter(|text: &String| !text.is_empty());
        serde_json::from_str(text).unwrap_or_else(|_| Self { label: plain(), whole_gang: false })
    }
}

impl Supervisor {
    /// Looks for the checkpoints of every live task.
    pub(super) fn look_for_checkpoints(&mut self) {
        self.due.insert((Instant::now() + LOOK_EVERY, Due::Checkpoints));
        let live = self.tasks.iter().filter(|(_, task)| matches!(task.phase, Phase::Running)).map(|(key, _)| *key);
        for key in live.collect::<Vec<_>>() {
            self.look_for_checkpoint(key);
        }
    }

    /// Tells of the latest checkpoint of a task, if it is a new one.
    pub(super) fn look_for_checkpoint(&mut self, key: TaskKey) {
        let Some(task) = self.tasks.get_mut(&key) else { return };
        let Some(intent) = &task.intent else { return };
        let path = self.dirs.work(intent.workload).join(door(intent.attempt, key.task));
        let Some(found) = found(&path, intent, task.checkpoint_told) else { return };
        task.checkpoint_told = Some(found.at);
        self.report(key, TaskReport::Checkpointed(found));
    }
}

/// The checkpoint that a file tells of; `None` where there is none, it is known, or the file is not the task's own.
fn found(path: &std::path::Path, intent: &Intent, known: Option<Time>) -> Option<Checkpoint> {
    // Most looks end here: no file, or the same as before.
    let written = |file: &std::fs::Metadata| Time(file.mtime() * 1_000 + file.mtime_nsec() / 1_000_000);
    let seen = std::fs::symlink_metadata(path).ok()?;
    if known == Some(written(&seen)) {
        return None;
    }
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
    let file: File = OpenOptions::new().read(true).custom_flags(flags).open(path).ok()?;
    let metadata = file.metadata().ok()?;
    let own = intent.identity.as_ref().is_none_or(|identity| metadata.uid() == identity.uid);
    if !metadata.is_file() || metadata.nlink() != 1 || !own {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(READ_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    let Said { label, whole_gang } = Said::read(&String::from_utf8_lossy(&bytes));
    Some(Checkpoint { at: written(&metadata), label, whole_gang })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_task_writes_is_a_checkpoint() {
        let check = |text: &str, label: Option<&str>, whole_gang: bool| {
            assert_eq!(Said::read(text), Said { label: label.map(str::to_owned), whole_gang }, "{text:?}");
        };
        check("", None, false);
        check("{\"label\":\"epoch 2\",\"whole_gang\":true}", Some("epoch 2"), true);
        check("{\"label\":null}", None, false);
        check("step 900\n", Some("step 900"), false);
        check(&"x".repeat(9_000), Some(&"x".repeat(CHECKPOINT_LABEL_MAX)), false);
    }
}
