//! Modes of this machine's accelerators, and slices of them for tasks.
//!
//! What: a thread of its own that carries out what takes a maker's tool seconds: orders of modes, MIG instances for tasks that
//! start and their end; and a file of what must not be forgotten (the last order of each accelerator, the modes of
//! accelerators that are only pretended, which instance is whose). Why modes are read back from the tool and not believed: the
//! factory gives out what is in force, not what was asked for. Absent: which accelerator and when; the core says that.

mod amd;
mod nvidia;
mod tool;

use crate::local::devices::Part;
use crate::local::{Device, Dirs, MachinePaths, Vendor};
use eaf_model::{AllottedAccelerator, ModeOrder, ModeReport, StartOrder, StopOrder, TaskKey, WHOLE_MODE};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// How many slices are pretended of an accelerator that is only pretended: more places than any mode has.
const PRETENDED_PARTS: u8 = 32;

/// What the thread does.
pub(super) enum Job {
    /// Bring accelerators into a mode.
    Mode(ModeOrder),
    /// Make the slices of a task, and then start it.
    Start(Box<StartOrder>),
    /// Stop a task whose start may still be waiting here.
    Stop(StopOrder),
    /// A task is gone; so are its slices.
    Gone(TaskKey),
}

/// What is kept of one accelerator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// The newest order, and what came of it.
    order: u64,
    report: Option<ModeReport>,
    /// The mode of one that is only pretended.
    pretended: Option<String>,
    /// Slices that were made for tasks.
    made: Vec<Made>,
}

/// A slice that was made for a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Made {
    task: TaskKey,
    /// The maker's number of it.
    instance: u32,
    part: Part,
}

/// The modes of a machine. One thread changes them; others read.
#[derive(Clone, Debug, Default)]
pub(super) struct Modes {
    file: PathBuf,
    boards: BTreeMap<u16, Kept>,
    /// What live tasks hold of each accelerator.
    holders: BTreeMap<TaskKey, Vec<u16>>,
    /// Tasks whose slices are still being made.
    waiting: BTreeSet<TaskKey>,
}

/// What is known of an order of a mode.
pub(super) enum KnownOrder {
    /// It is to be carried out.
    New,
    /// It was, and this came of it.
    Answered(ModeReport),
    /// A newer order has taken its place.
    Superseded,
}

/// Why a task cannot start on its slices.
pub(super) struct NoSlice(pub(super) String);

impl Modes {
    /// What is on file; nothing where there is no file, or none that reads.
    pub(super) fn open(dirs: &Dirs) -> Self {
        let file = dirs.engine().join("modes.json");
        let text = std::fs::read(&file).unwrap_or_default();
        let boards = serde_json::from_slice(&text).unwrap_or_default();
        Self { file, boards, ..Self::default() }
    }

    fn keep(&self) {
        let new = self.file.with_extension("new");
        let text = serde_json::to_vec(&self.boards).expect("indexes and texts");
        if let Err(error) = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, &self.file)) {
            tracing::error!(%error, "the modes of accelerators cannot be kept on file");
        }
    }

    /// A task is being started, or is known to run.
    pub(super) fn begins(&mut self, key: TaskKey, held: &[AllottedAccelerator]) {
        if !held.is_empty() {
            self.holders.insert(key, held.iter().map(|held| held.index).collect());
        }
    }

    /// The start of a task waits for its slices, or does so no more.
    pub(super) fn waits(&mut self, key: TaskKey, waits: bool) {
        if waits {
            self.waiting.insert(key);
        } else {
            self.waiting.remove(&key);
        }
    }

    /// True where the start of a task waits for its slices.
    pub(super) fn is_waiting(&self, key: TaskKey) -> bool {
        self.waiting.contains(&key)
    }

    /// A task is gone; true where slices of it are to be taken apart.
    pub(super) fn ends(&mut self, key: TaskKey) -> bool {
        self.holders.remove(&key);
        self.boards.values().any(|board| board.made.iter().any(|made| made.task == key))
    }

    /// What is known of an order.
    pub(super) fn known(&self, order: &ModeOrder) -> KnownOrder {
        let of = order.accelerators.iter().filter_map(|board| self.boards.get(board));
        match of.max_by_key(|kept| kept.order) {
            Some(newest) if newest.order > order.order => KnownOrder::Superseded,
            Some(Kept { order: number, report: Some(report), .. }) if *number == order.order => {
                KnownOrder::Answered(report.clone())
            }
            _ => KnownOrder::New,
        }
    }

    /// The accelerator of an order on which a task runs.
    pub(super) fn tenant(&self, order: &ModeOrder) -> Option<u16> {
        let held = |board: &&u16| self.holders.values().any(|boards| boards.contains(board));
        order.accelerators.iter().find(held).copied()
    }

    /// Notes what came of an order.
    pub(super) fn done(&mut self, order: &ModeOrder, pretended: bool, report: &ModeReport) {
        for board in &order.accelerators {
            let kept = self.boards.entry(*board).or_default();
            kept.order = order.order;
            kept.report = Some(report.clone());
            if let (true, ModeReport::InForce { mode }) = (pretended, report) {
                kept.pretended = Some(mode.clone());
            }
        }
        self.keep();
    }

    /// The modes that are in force, of those accelerators that can be told of.
    pub(super) fn in_force(&self, devices: &[Device], pretended: bool, paths: &MachinePaths) -> Vec<(u16, String)> {
        let number = |index: usize| u16::try_from(index).unwrap_or(u16::MAX);
        if pretended {
            let kept = |index: usize| self.boards.get(&number(index)).and_then(|kept| kept.pretended.clone());
            let mode = |index| kept(index).unwrap_or_else(|| WHOLE_MODE.to_owned());
            return (0..devices.len()).map(|index| (number(index), mode(index))).collect();
        }
        let of = |vendor| devices.iter().any(|device: &Device| device.vendor == Some(vendor));
        let nvidia = if of(Vendor::Nvidia) { nvidia::modes(paths) } else { BTreeMap::new() };
        let amd = if of(Vendor::Amd) { amd::modes(paths) } else { BTreeMap::new() };
        let boards = devices.iter().enumerate().filter_map(|(index, device)| {
            let mode = match device.vendor? {
                Vendor::Nvidia => nvidia.get(&device.ordinal),
                Vendor::Amd => amd.get(&board_number(devices, index)),
                Vendor::Furiosa | Vendor::Rebellions => None,
            };
            Some((number(index), mode?.clone()))
        });
        boards.collect()
    }

    /// Adds to the devices the slices that a task can be shown.
    pub(super) fn furnish(&self, devices: &mut [Device], pretended: bool) {
        for (index, device) in (0u16..).zip(devices) {
            let kept = self.boards.get(&index);
            let cut = kept.and_then(|kept| kept.pretended.as_ref()).is_some_and(|mode| mode != WHOLE_MODE);
            if pretended && cut {
                device.parts = (0..PRETENDED_PARTS).map(|start| pretended_part(device, start)).collect();
            } else if let Some(kept) = kept.filter(|kept| !kept.made.is_empty()) {
                device.parts = kept.made.iter().map(|made| made.part.clone()).collect();
            }
        }
    }

    /// The MIG instances that a task still lacks, on a real machine.
    pub(super) fn lacking(&self, order: &StartOrder, devices: &[Device]) -> Vec<AllottedAccelerator> {
        let lacks = |held: &&AllottedAccelerator| {
            let nvidia = devices.get(usize::from(held.index)).is_some_and(|one| one.vendor == Some(Vendor::Nvidia));
            let made = self.boards.get(&held.index).map_or(&[][..], |kept| &kept.made);
            let start = held.slice.as_ref().map(|slice| slice.start);
            nvidia && start.is_some_and(|at| !made.iter().any(|made| made.task == order.key && made.part.start == at))
        };
        order.allotment.accelerators.iter().filter(lacks).cloned().collect()
    }

    /// Notes an instance that was made.
    pub(super) fn made(&mut self, task: TaskKey, board: u16, (instance, part): (u32, Part)) {
        let kept = self.boards.entry(board).or_default();
        kept.made.retain(|made| made.part.start != part.start);
        kept.made.push(Made { task, instance, part });
        self.keep();
    }

    /// The instances of a task.
    pub(super) fn of_task(&self, key: TaskKey) -> Vec<(u16, u32)> {
        let boards = self.boards.iter().flat_map(|(board, kept)| kept.made.iter().map(move |made| (*board, made)));
        boards.filter(|(_, made)| made.task == key).map(|(board, made)| (board, made.instance)).collect()
    }

    /// Notes that an instance is gone.
    pub(super) fn unmade(&mut self, board: u16, instance: u32) {
        if let Some(kept) = self.boards.get_mut(&board) {
            kept.made.retain(|made| made.instance != instance);
        }
        self.keep();
    }
}

/// The number of an AMD board among its maker's, in the order of the tool.
fn board_number(devices: &[Device], index: usize) -> u32 {
    let before = devices[..index].iter().filter(|device| device.vendor == Some(Vendor::Amd)).count();
    u32::try_from(before).unwrap_or(u32::MAX)
}

fn pretended_part(device: &Device, start: u8) -> Part {
    let name = match device.vendor {
        Some(Vendor::Nvidia) => format!("MIG-pretended-{}-{start}", device.ordinal),
        _ => (device.ordinal * u32::from(PRETENDED_PARTS) + u32::from(start)).to_string(),
    };
    Part { start, name, files: Vec::new() }
}

/// Changes the mode of accelerators of a real machine, and says what is in force then.
pub(super) fn change(order: &ModeOrder, devices: &[Device], paths: &MachinePaths) -> Result<(), String> {
    let boards = order.accelerators.iter().map(|board| {
        let index = usize::from(*board);
        devices.get(index).map(|device| (index, device)).ok_or_else(|| format!("there is no accelerator {board}"))
    });
    let boards: Vec<(usize, &Device)> = boards.collect::<Result<_, _>>()?;
    for (index, device) in &boards {
        match device.vendor {
            Some(Vendor::Nvidia) => nvidia::change(paths, device.ordinal, &order.mode)?,
            Some(Vendor::Amd) => amd::change(paths, board_number(devices, *index), &order.mode)?,
            _ => return Err(format!("nothing is known of how to cut a {}", device.model)),
        }
    }
    Ok(())
}

/// Makes the MIG instance that is held of an accelerator, and tells its number and how it is found.
pub(super) fn make(
    held: &AllottedAccelerator,
    devices: &[Device],
    paths: &MachinePaths,
) -> Result<(u32, Part), NoSlice> {
    let device = devices.get(usize::from(held.index));
    match (device, &held.slice) {
        (Some(device), Some(slice)) => nvidia::make(paths, device, slice).map_err(NoSlice),
        _ => Err(NoSlice(format!("there is no accelerator {}", held.index))),
    }
}

/// Takes a MIG instance apart.
pub(super) fn unmake(board: u16, instance: u32, devices: &[Device], paths: &MachinePaths) -> Result<(), String> {
    let device = devices.get(usize::from(board)).ok_or_else(|| format!("there is no accelerator {board}"))?;
    nvidia::unmake(paths, device, instance)
}
