//! Processes by id: signals, what `/proc` tells, and the tree of a task where no control group finds it.
//!
//! What: a process is named by its id and its start time, since ids are used again. The fallback tree is the task's
//! session, whatever names the task in its environment, and what descends from either. Absent: control groups.

use eaf_model::TaskKey;
use rustix::process::{Pid, Signal};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;

/// Sends a signal; a process that is gone is no error.
pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// What `/proc/PID/stat` tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// `Z` for a process that has ended and is not reaped.
    pub(crate) state: u8,
    pub(crate) parent: u32,
    pub(crate) session: u32,
    /// Processor time in ticks, of it and of the children that it has waited for.
    pub(crate) cpu_ticks: u64,
    /// When it started, in ticks since the machine did.
    pub(crate) start_ticks: u64,
    /// As of `wait`; 0 while it runs.
    pub(crate) exit_status: i32,
}

/// Reads a process; `None` where there is none.
pub(crate) fn stat(pid: u32) -> Option<Stat> {
    // One read of a buffer on the stack: this is done for every task that starts.
    let mut bytes = [0; 1_024];
    let length = File::open(format!("/proc/{pid}/stat")).and_then(|mut file| file.read(&mut bytes)).ok()?;
    parse_stat(&String::from_utf8_lossy(&bytes[..length]))
}

fn parse_stat(text: &str) -> Option<Stat> {
    // The name in parentheses may hold anything, parentheses as well.
    let fields: Vec<&str> = text[text.rfind(')')? + 1..].split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Stat {
        state: *fields.first()?.as_bytes().first()?,
        parent: fields.get(1)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        cpu_ticks: number(11)? + number(12)? + number(13)? + number(14)?,
        start_ticks: number(19)?,
        exit_status: fields.get(49).and_then(|status| status.parse().ok()).unwrap_or(0),
    })
}

/// Every process of a task, without control groups.
pub(crate) fn tree_of(key: TaskKey, main: Option<u32>) -> Vec<u32> {
    let mark = [format!("EAF_LEASE_ID={}", key.lease), format!("EAF_TASK_RANK={}", key.task)];
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    let mut roots = Vec::new();
    let own = std::process::id();
    for pid in all_pids(own) {
        let Some(stat) = stat(pid).filter(|stat| stat.state != b'Z') else { continue };
        children.entry(stat.parent).or_default().push(pid);
        // Whatever has lost its parent fell to a supervisor, or to the first process where that had died; only there
        // the environment is looked at. The rest descends from what is found.
        let orphan = stat.parent == 1 || stat.parent == own;
        if main.is_some_and(|main| pid == main || stat.session == main) || orphan && names(pid, &mark) {
            roots.push(pid);
        }
    }
    let mut tree = BTreeSet::new();
    while let Some(pid) = roots.pop() {
        if tree.insert(pid) {
            roots.extend(children.remove(&pid).unwrap_or_default());
        }
    }
    tree.into_iter().collect()
}

fn names(pid: u32, mark: &[String; 2]) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
    mark.iter().all(|mark| environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()))
}

fn all_pids(own: u32) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(move |pid| *pid != own && *pid > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let tail = "S 10 20 30 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 4242 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 \
                    21 22 23 24 25 26 27 28 29 256";
        let stat = parse_stat(&format!("7 (a) b (c) {tail}")).expect("a process");
        let expect = Stat {
            state: b'S',
            parent: 10,
            session: 30,
            cpu_ticks: 5 + 6 + 7 + 8,
            start_ticks: 4242,
            exit_status: 256,
        };
        assert_eq!(stat, expect);
        assert_eq!(parse_stat("7 (x"), None);
    }
}
