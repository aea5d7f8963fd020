//! The supervisor's memory of its tasks, in a file.
//!
//! What: an append-only file of JSON lines: what is about to be started (before the process exists), its process, its
//! exit, and that it is settled. A new supervisor reads it and finds every process again. Why no fsync: what a crash of
//! the machine takes from the file, it has taken from the processes as well, and the id of the machine's start tells.
//! Absent: orders; what was not started is ordered again.

use crate::local::config::Identity;
use eaf_model::{Bytes, Exit, Span, TaskKey, Time, Usage, WorkloadId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The file is written anew when it has grown to this and to twice what is alive.
const COMPACT_BYTES: u64 = 4 << 20;

/// What is about to be started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) key: TaskKey,
    pub(crate) workload: WorkloadId,
    pub(crate) attempt: u32,
    /// The number of its slot of control groups and what the counters stood at; absent in the fallback.
    pub(crate) slot: Option<(u32, (u64, u64))>,
    pub(crate) grace: Span,
    pub(crate) log_bytes_max: Bytes,
    /// Indexes and shares (in thousandths) of its accelerators.
    pub(crate) accelerators: Vec<(u16, u64)>,
    pub(crate) identity: Option<Identity>,
    /// True where the main process is bubblewrap and not the task's own.
    pub(crate) wrapped: bool,
}

/// Its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// Its start in ticks since the machine's; an id is used again, the pair is not.
    pub(crate) ticks: u64,
    pub(crate) started_at: Time,
    /// The inodes of its output pipes.
    pub(crate) pipes: [u64; 2],
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) at: Time,
    pub(crate) exit: Exit,
    pub(crate) usage: Usage,
}

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Boot(String),
    Intent(Box<Intent>),
    Process { key: TaskKey, process: Process },
    Ended { key: TaskKey, ended: Box<Ended> },
    Settled(TaskKey),
}

/// Everything on file about one task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Recorded {
    /// Absent for a task that ended before it was ever going to start.
    pub(crate) intent: Option<Intent>,
    pub(crate) process: Option<Process>,
    pub(crate) ended: Option<Ended>,
}

/// The open file.
pub(crate) struct Records {
    path: PathBuf,
    boot: String,
    file: File,
    bytes: u64,
    compact_at: u64,
    pending: Vec<u8>,
}

/// What an earlier supervisor left.
pub(crate) struct Left {
    /// The id of the machine's start that the file was written in; `None` for a new file.
    pub(crate) boot: Option<String>,
    pub(crate) tasks: BTreeMap<TaskKey, Recorded>,
}

/// Reads what an earlier supervisor left.
pub(crate) fn read(path: &Path) -> io::Result<Left> {
    let mut left = Left { boot: None, tasks: BTreeMap::new() };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(left),
        Err(error) => return Err(error),
    };
    for line in BufReader::new(file).split(b'\n') {
        let line = line?;
        let Ok(line) = serde_json::from_slice::<Line>(&line) else {
            // Only the last line can be torn, by a full disk or a kill in mid-write; it was not acted on.
            tracing::warn!(path = %path.display(), "a line of the task records cannot be read and is skipped");
            continue;
        };
        let empty = || Recorded { intent: None, process: None, ended: None };
        match line {
            Line::Boot(boot) => left.boot = Some(boot),
            Line::Intent(intent) => {
                left.tasks.insert(intent.key, Recorded { intent: Some(*intent), ..empty() });
            }
            Line::Process { key, process } => {
                left.tasks.entry(key).and_modify(|task| task.process = Some(process));
            }
            Line::Ended { key, ended } => left.tasks.entry(key).or_insert_with(empty).ended = Some(*ended),
            Line::Settled(key) => {
                left.tasks.remove(&key);
            }
        }
    }
    Ok(left)
}

fn put(bytes: &mut Vec<u8>, line: &Line) {
    serde_json::to_writer(&mut *bytes, line).expect("records have only text as keys");
    bytes.push(b'\n');
}

impl Records {
    /// Begins a new file with what is still of interest.
    pub(crate) fn begin(path: PathBuf, boot: String, tasks: &BTreeMap<TaskKey, Recorded>) -> io::Result<Self> {
        let temporary = path.with_extension("new");
        let mut bytes = Vec::new();
        put(&mut bytes, &Line::Boot(boot.clone()));
        for (&key, task) in tasks {
            if let Some(intent) = &task.intent {
                put(&mut bytes, &Line::Intent(Box::new(intent.clone())));
            }
            if let Some(process) = task.process {
                put(&mut bytes, &Line::Process { key, process });
            }
            if let Some(ended) = &task.ended {
                put(&mut bytes, &Line::Ended { key, ended: Box::new(ended.clone()) });
            }
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(&bytes)?;
        std::fs::rename(&temporary, &path)?;
        let length = bytes.len() as u64;
        Ok(Self { path, boot, file, bytes: length, compact_at: COMPACT_BYTES.max(2 * length), pending: Vec::new() })
    }

    /// Writes the file anew, with what is alive, where it has grown enough.
    pub(crate) fn compact(&mut self, tasks: impl FnOnce() -> BTreeMap<TaskKey, Recorded>) -> io::Result<()> {
        if self.bytes < self.compact_at {
            return Ok(());
        }
        *self = Self::begin(self.path.clone(), self.boot.clone(), &tasks())?;
        Ok(())
    }

    /// What is about to be started. On file when this returns.
    pub(crate) fn intent(&mut self, intent: &Intent) -> io::Result<()> {
        put(&mut self.pending, &Line::Intent(Box::new(intent.clone())));
        self.flush()
    }

    /// Its process. On file with the next `flush`.
    pub(crate) fn process(&mut self, key: TaskKey, process: Process) {
        put(&mut self.pending, &Line::Process { key, process });
    }

    /// Its end. On file with the next `flush`.
    pub(crate) fn ended(&mut self, key: TaskKey, ended: &Ended) {
        put(&mut self.pending, &Line::Ended { key, ended: Box::new(ended.clone()) });
    }

    /// It may be forgotten. On file with the next `flush`.
    pub(crate) fn settled(&mut self, key: TaskKey) {
        put(&mut self.pending, &Line::Settled(key));
    }

    /// Puts everything on file.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if !self.pending.is_empty() {
            self.file.write_all(&self.pending)?;
            self.bytes += self.pending.len() as u64;
            self.pending.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eaf_model::LeaseId;

    #[test]
    fn what_is_written_is_read_and_what_is_settled_is_gone() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("tasks.log");
        let key = |task| TaskKey { lease: LeaseId::of_step(5), task };
        let intent = |task| Intent {
            key: key(task),
            workload: WorkloadId::of_step(4),
            attempt: 1,
            slot: Some((task, (7, 0))),
            grace: Span::from_secs(1),
            log_bytes_max: Bytes(100),
            accelerators: vec![(1, 500)],
            identity: None,
            wrapped: false,
        };
        let process = Process { pid: 12, ticks: 99, started_at: Time(5), pipes: [1, 2] };
        let ended = Ended { at: Time(9), exit: Exit::Code(3), usage: Usage::default() };
        let mut records = Records::begin(path.clone(), "boot-a".into(), &BTreeMap::new()).expect("begun");
        for task in 0..3 {
            records.intent(&intent(task)).expect("written");
            records.process(key(task), process);
        }
        records.ended(key(1), &ended);
        records.settled(key(2));
        records.flush().expect("written");
        let expect = BTreeMap::from([
            (key(0), Recorded { intent: Some(intent(0)), process: Some(process), ended: None }),
            (key(1), Recorded { intent: Some(intent(1)), process: Some(process), ended: Some(ended) }),
        ]);
        let left = read(&path).expect("read");
        assert_eq!((left.boot.as_deref(), &left.tasks), (Some("boot-a"), &expect));
        // A torn last line, and a file begun anew from what was read.
        OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(b"{\"settled\":"))
            .expect("torn");
        assert_eq!(read(&path).expect("read").tasks, expect);
        Records::begin(path.clone(), "boot-b".into(), &expect).expect("begun");
        let left = read(&path).expect("read");
        assert_eq!((left.boot.as_deref(), &left.tasks), (Some("boot-b"), &expect));
    }
}
