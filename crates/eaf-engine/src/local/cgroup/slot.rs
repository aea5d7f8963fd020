//! One slot: the groups that one task lives in.
//!
//! What: limits in, counters out, and every process of the task. Why files stay open: a task costs one read or write of
//! each, not an open as well. Absent: freezing; with no new process allowed (version 1) or the kernel's own kill
//! (version 2) nothing can outrun the killer.

use super::{Controller, Flavour, Hierarchy, slot_dir, write};
use rustix::io::pread;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

/// Memory that an earlier task may leave in a slot (its share of the page cache) before the slot is emptied by force.
const LEFT_BYTES_MAX: u64 = 4 << 20;
/// The period of processor quotas, in microseconds: the kernel's default.
const PERIOD_MICROS: u64 = 100_000;
/// The kernel refuses smaller quotas.
const QUOTA_MICROS_MIN: u64 = 1_000;

/// The limits of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) memory: u64,
    pub(crate) cpu_milli: u64,
    pub(crate) processes: u32,
}

/// What a slot has counted since it was prepared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Processor time in microseconds.
    pub(crate) cpu_micros: Option<u64>,
    /// The most memory at once, in bytes.
    pub(crate) memory_peak: Option<u64>,
    /// Processes that were ended for want of memory.
    pub(crate) oom_kills: u64,
}

/// The groups of one task.
pub(crate) struct Slot {
    number: u32,
    flavour: Flavour,
    dirs: Vec<PathBuf>,
    joins: Vec<OwnedFd>,
    born_in: Option<OwnedFd>,
    pids_dir: PathBuf,
    memory_dir: Option<PathBuf>,
    cpu_dir: Option<PathBuf>,
    limits_pids: bool,
    populated: File,
    cpu_usage: Option<File>,
    peak: Option<File>,
    oom: Option<File>,
    memory_now: Option<File>,
    applied: Option<Limits>,
    cpu_base: u64,
    oom_base: u64,
}

impl Slot {
    /// Makes the groups, or opens them where they are.
    pub(super) fn make(flavour: Flavour, hierarchies: &[Hierarchy], number: u32) -> io::Result<Self> {
        let mut dirs = Vec::new();
        let mut joins = Vec::new();
        // A process that enters as a thread (it has only one) need not wait until no process anywhere is being made or
        // ended, which takes the kernel some milliseconds. Version 2 has that only for groups of threads.
        let join = if flavour == Flavour::V1 { "tasks" } else { "cgroup.procs" };
        for hierarchy in hierarchies {
            let dir = slot_dir(hierarchy, number);
            match fs::create_dir(&dir) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => joins.push(fs::OpenOptions::new().write(true).open(dir.join(join))?.into()),
            }
            dirs.push(dir);
        }
        let of = |controller| {
            hierarchies.iter().position(|h| h.controllers.contains(&controller)).map(|at| dirs[at].clone())
        };
        let open = |dir: &Option<PathBuf>, name: &str| dir.as_ref().and_then(|dir| File::open(dir.join(name)).ok());
        let v1 = flavour == Flavour::V1;
        let memory_dir = of(Controller::Memory);
        let account = if v1 { of(Controller::CpuAccount) } else { dirs.first().cloned() };
        let pids_dir = if v1 { of(Controller::Pids) } else { dirs.first().cloned() };
        let pids_dir = pids_dir.ok_or_else(|| io::Error::other("no hierarchy tells the processes of a task"))?;
        let peak = memory_dir.as_ref().and_then(|dir| {
            let name = if v1 { "memory.max_usage_in_bytes" } else { "memory.peak" };
            // Older kernels of version 2 have a peak that cannot be reset; it is read all the same.
            fs::OpenOptions::new()
                .read(true)
                .write(true)
                .open(dir.join(name))
                .or_else(|_| File::open(dir.join(name)))
                .ok()
        });
        Ok(Self {
            number,
            flavour,
            joins,
            born_in: if v1 { None } else { Some(File::open(&pids_dir)?.into()) },
            populated: File::open(pids_dir.join(if v1 { "pids.current" } else { "cgroup.events" }))?,
            cpu_usage: open(&account, if v1 { "cpuacct.usage" } else { "cpu.stat" }),
            oom: open(&memory_dir, if v1 { "memory.oom_control" } else { "memory.events" }),
            memory_now: open(&memory_dir, if v1 { "memory.usage_in_bytes" } else { "memory.current" }),
            limits_pids: of(Controller::Pids).is_some(),
            cpu_dir: of(Controller::Cpu),
            dirs,
            pids_dir,
            memory_dir,
            peak,
            applied: None,
            cpu_base: 0,
            oom_base: 0,
        })
    }

    /// Its number, for the records.
    pub(crate) const fn number(&self) -> u32 {
        self.number
    }

    /// What the counters stood at when the task began, for the records.
    pub(crate) const fn bases(&self) -> (u64, u64) {
        (self.cpu_base, self.oom_base)
    }

    /// Restores what the records say the counters stood at.
    pub(crate) const fn set_bases(&mut self, (cpu, oom): (u64, u64)) {
        self.cpu_base = cpu;
        self.oom_base = oom;
    }

    /// The files by which a process enters.
    pub(crate) fn joins(&self) -> &[OwnedFd] {
        &self.joins
    }

    /// The group that a process can be born in, where there is one for all.
    pub(crate) fn born_in(&self) -> Option<BorrowedFd<'_>> {
        self.born_in.as_ref().map(AsFd::as_fd)
    }

    /// Sets limits and starts counting from here.
    pub(super) fn prepare(&mut self, limits: &Limits) -> io::Result<()> {
        if self.applied.is_none_or(|applied| applied != *limits) {
            self.apply(limits)?;
            self.applied = Some(*limits);
        }
        self.cpu_base = self.cpu_now().unwrap_or(0);
        self.oom_base = self.oom_now();
        if let Some(peak) = &self.peak {
            // Any write resets the peak to what is in use now (version 2 since Linux 6.12; before, it stays).
            let _ = peak.write_at(b"0", 0);
        }
        Ok(())
    }

    fn apply(&self, limits: &Limits) -> io::Result<()> {
        let v1 = self.flavour == Flavour::V1;
        if let Some(dir) = &self.memory_dir {
            let bytes = limits.memory.max(1 << 20).to_string();
            if v1 {
                // The limit with swap may never be below the one without, so it is lifted first. It is absent where
                // the kernel does not count swap.
                let _ = write(&dir.join("memory.memsw.limit_in_bytes"), "-1");
                write(&dir.join("memory.limit_in_bytes"), &bytes)?;
                let _ = write(&dir.join("memory.memsw.limit_in_bytes"), &bytes);
            } else {
                write(&dir.join("memory.max"), &bytes)?;
                let _ = write(&dir.join("memory.swap.max"), "0");
            }
        }
        if let Some(dir) = &self.cpu_dir {
            let quota = (limits.cpu_milli * PERIOD_MICROS / 1_000).max(QUOTA_MICROS_MIN);
            if v1 {
                write(&dir.join("cpu.cfs_period_us"), &PERIOD_MICROS.to_string())?;
                write(&dir.join("cpu.cfs_quota_us"), &quota.to_string())?;
                write(&dir.join("cpu.shares"), &(limits.cpu_milli * 1_024 / 1_000).clamp(2, 262_144).to_string())?;
            } else {
                write(&dir.join("cpu.max"), &format!("{quota} {PERIOD_MICROS}"))?;
                write(&dir.join("cpu.weight"), &(limits.cpu_milli / 10).clamp(1, 10_000).to_string())?;
            }
        }
        if self.limits_pids {
            write(&self.pids_dir.join("pids.max"), &limits.processes.to_string())?;
        }
        Ok(())
    }

    /// True where no process is left.
    pub(crate) fn is_empty(&self) -> bool {
        let text = read(&self.populated);
        let none = match self.flavour {
            Flavour::V1 => text.trim() == "0",
            Flavour::V2 => text.lines().any(|line| line == "populated 0"),
        };
        // The counter of version 1 holds processes that have ended and that nobody has reaped.
        none || self.pids().is_empty()
    }

    /// Every process.
    pub(crate) fn pids(&self) -> Vec<u32> {
        let text = fs::read_to_string(self.pids_dir.join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).filter(|pid| *pid != 0).collect()
    }

    /// Ends every process there is; no new one comes to be meanwhile. May have to be called again.
    pub(crate) fn kill(&mut self) {
        if self.flavour == Flavour::V2 && write(&self.pids_dir.join("cgroup.kill"), "1").is_ok() {
            return;
        }
        if self.limits_pids {
            let _ = write(&self.pids_dir.join("pids.max"), "0");
            self.applied = None;
        }
        for pid in self.pids() {
            crate::local::tree::signal(pid, rustix::process::Signal::KILL);
        }
    }

    /// What was counted since `prepare`.
    pub(crate) fn counters(&self) -> Counters {
        Counters {
            cpu_micros: self.cpu_now().map(|now| now.saturating_sub(self.cpu_base)),
            memory_peak: self.peak.as_ref().and_then(|file| read(file).trim().parse().ok()),
            oom_kills: self.oom_now().saturating_sub(self.oom_base),
        }
    }

    fn cpu_now(&self) -> Option<u64> {
        let text = read(self.cpu_usage.as_ref()?);
        match self.flavour {
            Flavour::V1 => text.trim().parse::<u64>().ok().map(|nanos| nanos / 1_000),
            Flavour::V2 => field(&text, "usage_usec"),
        }
    }

    fn oom_now(&self) -> u64 {
        self.oom.as_ref().and_then(|file| field(&read(file), "oom_kill")).unwrap_or(0)
    }

    /// True where another task may live here: nothing runs, and nothing to speak of is left in memory.
    pub(super) fn is_reusable(&self) -> bool {
        let left = || self.memory_now.as_ref().and_then(|file| read(file).trim().parse::<u64>().ok()).unwrap_or(0);
        if left() > LEFT_BYTES_MAX {
            let Some(dir) = &self.memory_dir else { return self.is_empty() };
            let _ = match self.flavour {
                Flavour::V1 => write(&dir.join("memory.force_empty"), "0"),
                Flavour::V2 => write(&dir.join("memory.reclaim"), &left().to_string()),
            };
        }
        left() <= LEFT_BYTES_MAX && self.is_empty()
    }

    /// Removes the groups.
    pub(super) fn remove(self) {
        for dir in &self.dirs {
            if let Err(error) = fs::remove_dir(dir) {
                tracing::warn!(group = %dir.display(), %error, "cannot remove a control group");
            }
        }
    }
}

/// The number behind a name, in a file of names and numbers.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

/// Reads a small file of the kernel anew.
fn read(file: &File) -> String {
    let mut bytes = [0; 1_024];
    let length = pread(file, &mut bytes, 0).unwrap_or(0);
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}
