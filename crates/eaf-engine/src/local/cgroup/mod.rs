//! Control groups: what keeps a task within its limits, tells what it used, and finds all of its processes.
//!
//! What: a pool of slots, each a group in every hierarchy that is used. Why a pool: making and removing a memory group
//! costs more than starting a process, so an empty slot is reset and used again. Absent: what to do where no hierarchy
//! can be written; `tree` has the stated fallback.

mod find;
mod slot;

pub(crate) use slot::{Limits, Slot};

use crate::local::CgroupMode;
use find::Hierarchies;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What a hierarchy is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Controller {
    /// The limit and the counters of memory.
    Memory,
    /// The share of processor time.
    Cpu,
    /// The counter of processor time (version 1 keeps it apart).
    CpuAccount,
    /// The number of processes; in version 1 also the way to find them.
    Pids,
}

/// A hierarchy: where our groups are, and what it does there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hierarchy {
    /// The directory of the factory's own groups.
    pub(crate) base: PathBuf,
    /// What it does.
    pub(crate) controllers: BTreeSet<Controller>,
}

/// Which kind of groups, for the names of their files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    V1,
    V2,
}

/// The groups of one factory.
pub(crate) struct Cgroups {
    flavour: Flavour,
    hierarchies: Vec<Hierarchy>,
    free: Vec<Slot>,
    next: u32,
}

impl Cgroups {
    /// Finds hierarchies that can be written, and makes a group named `name` in each; `None` where there are none.
    pub(crate) fn find(mode: CgroupMode, name: &str) -> Option<Self> {
        let Hierarchies { flavour, hierarchies } = find::hierarchies(mode, name)?;
        let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
        if let Some(cpu) = hierarchies.iter().find(|hierarchy| hierarchy.controllers.contains(&Controller::Cpu)) {
            // All tasks together weigh as much as one ordinary process on each thread, not as one process in all.
            let (file, weight) = match flavour {
                Flavour::V1 => ("cpu.shares", (1_024 * threads).min(262_144)),
                Flavour::V2 => ("cpu.weight", (100 * threads).min(10_000)),
            };
            let _ = write(&cpu.base.join(file), &weight.to_string());
        }
        Some(Self { flavour, hierarchies, free: Vec::new(), next: 0 })
    }

    /// What keeps the limits, in words.
    pub(crate) fn describe(&self) -> String {
        let names = |wanted: Controller| self.hierarchies.iter().any(|h| h.controllers.contains(&wanted));
        let mut kept = Vec::new();
        let mut missing = Vec::new();
        for (controller, word) in
            [(Controller::Memory, "memory"), (Controller::Cpu, "processor time"), (Controller::Pids, "processes")]
        {
            if names(controller) { kept.push(word) } else { missing.push(word) }
        }
        let version = if self.flavour == Flavour::V1 { 1 } else { 2 };
        let lack = if missing.is_empty() { String::new() } else { format!("; not limited: {}", missing.join(", ")) };
        let kept = if kept.is_empty() { "nothing".to_owned() } else { kept.join(", ") };
        format!("control groups version {version} limit {kept}{lack}")
    }

    /// True where memory is limited by a group.
    pub(crate) fn limit_memory(&self) -> bool {
        self.hierarchies.iter().any(|hierarchy| hierarchy.controllers.contains(&Controller::Memory))
    }

    /// An empty slot with these limits.
    pub(crate) fn take(&mut self, limits: &Limits) -> std::io::Result<Slot> {
        let mut slot = if let Some(slot) = self.free.pop() {
            slot
        } else {
            self.next += 1;
            Slot::make(self.flavour, &self.hierarchies, self.next)?
        };
        slot.prepare(limits)?;
        Ok(slot)
    }

    /// The slot of this number, as an earlier supervisor left it.
    pub(crate) fn reopen(&mut self, number: u32) -> std::io::Result<Slot> {
        self.next = self.next.max(number);
        Slot::make(self.flavour, &self.hierarchies, number)
    }

    /// Takes back a slot whose processes are gone.
    pub(crate) fn give_back(&mut self, slot: Slot) {
        if slot.is_reusable() {
            self.free.push(slot);
        } else {
            slot.remove();
        }
    }

    /// Numbers of the slots that exist, used or not.
    pub(crate) fn existing(&self) -> BTreeSet<u32> {
        let number = |name: &str| name.strip_prefix("s").and_then(|digits| digits.parse().ok());
        let entries = self.hierarchies.iter().filter_map(|hierarchy| fs::read_dir(&hierarchy.base).ok());
        entries.flatten().flatten().filter_map(|entry| number(entry.file_name().to_str()?)).collect()
    }

    /// Removes the groups that are empty, at the end of the factory's life.
    pub(crate) fn remove_all(&mut self) {
        for slot in self.free.drain(..) {
            slot.remove();
        }
        for hierarchy in &self.hierarchies {
            // Fails where a slot is in use; the next supervisor needs it then.
            let _ = fs::remove_dir(&hierarchy.base);
        }
    }
}

/// The directory of slot `number` in a hierarchy.
fn slot_dir(hierarchy: &Hierarchy, number: u32) -> PathBuf {
    hierarchy.base.join(format!("s{number}"))
}

/// Writes a file of a group.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    fs::OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}
