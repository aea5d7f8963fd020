//! What is free, by the checker's own arithmetic.
//!
//! What: nodes with their CPU, memory and accelerators, which takes what a plan places and gives back what ends. Why again,
//! beside `capacity`: the checker may not share the planner's faults. Absent: a choice of nodes.

use super::Violation;
use crate::{Entry, NodeCapacity, Shape, Snapshot};
use eaf_model::{
    AcceleratorRequest, Allotment, AllottedAccelerator, LeaseId, NodeId, NodeState, PartitionMode, Placement, Placing,
    Test, Time, WHOLE_MODE,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is free on the nodes that were looked at.
#[derive(Clone)]
pub(super) struct Rooms<'a> {
    snapshot: &'a Snapshot,
    rooms: BTreeMap<NodeId, Room<'a>>,
}

#[derive(Clone)]
pub(super) struct Room<'a> {
    pub(super) state: NodeState,
    cpu: u64,
    memory: u64,
    boards: Vec<Board<'a>>,
}

/// An accelerator: what is free of it, by share where it is whole and by place where it is cut.
#[derive(Clone, PartialEq)]
struct Board<'a> {
    model: &'a str,
    mode: &'a str,
    /// What the mode offers; `None` for whole.
    cut: Option<&'a PartitionMode>,
    takes_work: bool,
    free: u64,
    taken: BTreeSet<u8>,
}

impl Board<'_> {
    fn suits(&self, asked: &AcceleratorRequest) -> bool {
        asked.models.is_empty() || asked.models.iter().any(|suits| suits == self.model)
    }

    /// Takes what an allotment names, which must be lawful and free.
    fn take(&mut self, held: &AllottedAccelerator) -> Result<(), Test> {
        let Some(slice) = &held.slice else {
            if self.mode != WHOLE_MODE || !self.takes_work {
                return Err(Test::Mode);
            }
            self.free = self.free.checked_sub(held.share.0).ok_or(Test::Accelerators)?;
            return Ok(());
        };
        let cut = self.cut.filter(|cut| self.takes_work && cut.name == slice.mode).ok_or(Test::Mode)?;
        let profile = cut.slices.iter().find(|profile| profile.profile == slice.profile).ok_or(Test::Mode)?;
        let lawful =
            profile.slots == slice.slots && profile.share == held.share && profile.starts.contains(&slice.start);
        let mut places = slice.start..slice.start.saturating_add(slice.slots);
        if !lawful || places.end > cut.slots || places.clone().any(|place| self.taken.contains(&place)) {
            return Err(Test::Accelerators);
        }
        places.all(|place| self.taken.insert(place));
        Ok(())
    }

    fn give_back(&mut self, held: &AllottedAccelerator) {
        match &held.slice {
            None => self.free += held.share.0,
            Some(slice) => self.taken.retain(|place| !(slice.start..slice.start + slice.slots).contains(place)),
        }
    }

    /// Takes a share or a slice of what is free; false where there is none.
    fn take_any(&mut self, asked: &AcceleratorRequest) -> bool {
        if !self.takes_work || !self.suits(asked) {
            return false;
        }
        let Some(wanted) = &asked.slice else {
            let enough = self.mode == WHOLE_MODE && self.free >= asked.share.0;
            self.free -= if enough { asked.share.0 } else { 0 };
            return enough;
        };
        let meant = |name: &str| name == wanted || name.split_once('/').is_some_and(|(front, _)| front == wanted);
        let slices = self.cut.map_or(&[][..], |cut| &cut.slices);
        let Some(profile) = slices.iter().find(|profile| meant(&profile.profile)) else { return false };
        let free = |start: &&u8| (**start..**start + profile.slots).all(|place| !self.taken.contains(&place));
        let Some(start) = profile.starts.iter().find(free).copied() else { return false };
        self.taken.extend(start..start + profile.slots);
        true
    }
}

impl<'a> Room<'a> {
    fn of(node: &'a NodeCapacity) -> Self {
        let board = |(index, (model, free)): (usize, (&'a str, eaf_model::GpuMilli))| {
            let (mode, takes_work) = node.mode(index);
            let cut = node.modes(index).iter().find(|cut| cut.name == mode);
            let bits = node.places_taken(index);
            let taken = (0..32).filter(|place| bits & (1 << place) != 0).collect();
            Board { model, mode, cut, takes_work, free: free.0, taken }
        };
        let boards = node.accelerators().enumerate().map(board).collect();
        Self { state: node.state(), cpu: node.cpu_free().0, memory: node.memory_free().0, boards }
    }

    /// The same node with nothing on it.
    fn emptied(node: &'a NodeCapacity) -> Self {
        let mut room = Self::of(node);
        for board in &mut room.boards {
            board.free = if board.cut.is_none() { 1_000 } else { 0 };
            board.taken.clear();
        }
        Self { cpu: node.cpu_total().0, memory: node.memory_total().0, ..room }
    }

    /// True where as much is free on both.
    fn same(&self, other: &Self) -> bool {
        (self.cpu, self.memory, &self.boards) == (other.cpu, other.memory, &other.boards)
    }
}

impl<'a> Rooms<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, rooms: BTreeMap::new() }
    }

    /// Every node, with all back that ever comes back.
    pub(super) fn when_all_is_back<'g>(
        snapshot: &'a Snapshot,
        endless: impl Iterator<Item = (&'g Entry, &'g Placement)>,
    ) -> Self {
        let mut all = Self::new(snapshot);
        all.rooms.extend(snapshot.fleet.nodes().map(|(id, node)| (id, Room::of(node))));
        for (_, _, tasks) in snapshot.releases.iter().filter(|(at, _, _)| *at < Time::NEVER) {
            tasks.iter().for_each(|task| all.give_back(task));
        }
        for (entry, placement) in endless {
            let ignored =
                all.put(entry, placement, |node, test| Violation::Unfit { workload: entry.workload, node, test });
            debug_assert!(ignored.is_ok(), "grants were tested before");
        }
        all
    }

    /// Every node as it is.
    pub(super) fn all(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, rooms: snapshot.fleet.nodes().map(|(id, node)| (id, Room::of(node))).collect() }
    }

    /// Nothing may be placed on a node.
    pub(super) fn close(&mut self, node: NodeId) {
        self.room(node).into_iter().for_each(|room| room.state = NodeState::Cordoned);
    }

    /// What a lease that may be stopped holds is back.
    pub(super) fn give_back_lease(&mut self, lease: LeaseId) {
        let tasks = self.snapshot.running.get(lease).map(|lease| lease.tasks.clone());
        tasks.iter().flat_map(|tasks| tasks.iter()).for_each(|task| self.give_back(task));
    }

    /// Takes what was tested before; false where it is not all there.
    pub(super) fn take(&mut self, placement: &Placement) -> bool {
        placement.tasks.iter().all(|task| {
            let Some(room) = self.room(task.node) else { return false };
            let parts = (room.cpu.checked_sub(task.cpu.0), room.memory.checked_sub(task.memory.0));
            let (Some(cpu), Some(memory)) = parts else { return false };
            (room.cpu, room.memory) = (cpu, memory);
            task.accelerators
                .iter()
                .all(|held| room.boards.get_mut(usize::from(held.index)).is_some_and(|board| board.take(held).is_ok()))
        })
    }

    /// True where the whole gang finds room by the rule in force.
    pub(super) fn fits(&self, shape: &Shape) -> bool {
        let wanted = u64::from(shape.tasks);
        if self.snapshot.placing == Placing::Eaf {
            return self.tasks(shape) >= wanted;
        }
        let most = shape.tasks_per_node_max.unwrap_or(shape.tasks).min(shape.tasks);
        let ready = || self.rooms.iter().filter(|(_, room)| room.state == NodeState::Ready);
        let empty = |id: &NodeId| self.snapshot.fleet.get(*id).map(Room::emptied);
        let most_empty = self.snapshot.fleet.nodes().map(|(_, node)| Room::emptied(node).fill(shape, most)).max();
        let (mut left, mut taken) = (shape.tasks, BTreeSet::new());
        if most_empty < Some(shape.tasks) {
            for (id, room) in ready() {
                let takes = room.clone().fill(shape, most);
                if takes > 0 && takes <= left && empty(id).is_some_and(|empty| empty.same(room)) {
                    left -= takes;
                    taken.insert(*id);
                }
            }
        }
        left == 0 || ready().any(|(id, room)| !taken.contains(id) && room.clone().fill(shape, most) >= left)
    }

    pub(super) fn room(&mut self, id: NodeId) -> Option<&mut Room<'a>> {
        if !self.rooms.contains_key(&id) {
            self.rooms.insert(id, Room::of(self.snapshot.fleet.get(id)?));
        }
        self.rooms.get_mut(&id)
    }

    pub(super) fn give_back(&mut self, task: &Allotment) {
        let Some(room) = self.room(task.node) else { return };
        room.cpu += task.cpu.0;
        room.memory += task.memory.0;
        for board in &task.accelerators {
            room.boards[usize::from(board.index)].give_back(board);
        }
    }

    /// Puts every task of a placement into its node.
    pub(super) fn put(
        &mut self,
        entry: &Entry,
        placement: &Placement,
        unfit: impl Fn(NodeId, Test) -> Violation,
    ) -> Result<(), Violation> {
        let asked = &entry.shape.task.accelerators;
        for task in &placement.tasks {
            let node = task.node;
            let room = self.room(node).ok_or(Violation::UnknownNode { workload: entry.workload, node })?;
            match room.state {
                NodeState::Ready => {}
                NodeState::Cordoned => return Err(unfit(node, Test::Cordoned)),
                NodeState::Lost => return Err(unfit(node, Test::Lost)),
            }
            room.cpu = room.cpu.checked_sub(task.cpu.0).ok_or_else(|| unfit(node, Test::Cpu))?;
            room.memory = room.memory.checked_sub(task.memory.0).ok_or_else(|| unfit(node, Test::Memory))?;
            for held in &task.accelerators {
                let there = room.boards.get_mut(usize::from(held.index));
                let board = there.ok_or_else(|| unfit(node, Test::Accelerators))?;
                if !board.suits(asked) {
                    return Err(unfit(node, Test::AcceleratorModel));
                }
                board.take(held).map_err(|test| unfit(node, test))?;
            }
        }
        Ok(())
    }

    /// How many tasks of this shape find room, node by node and task by task.
    fn tasks(&self, shape: &Shape) -> u64 {
        let most = shape.tasks_per_node_max.unwrap_or(shape.tasks).min(shape.tasks);
        let ready = self.rooms.values().filter(|room| room.state == NodeState::Ready);
        ready.map(|room| u64::from(room.clone().fill(shape, most))).sum()
    }
}

impl Room<'_> {
    /// Takes tasks one by one until the next does not fit.
    fn fill(mut self, shape: &Shape, most: u32) -> u32 {
        let asked = &shape.task.accelerators;
        for placed in 0..most {
            if self.cpu < shape.task.cpu.0 || self.memory < shape.task.memory.0 {
                return placed;
            }
            self.cpu -= shape.task.cpu.0;
            self.memory -= shape.task.memory.0;
            for _ in 0..asked.count {
                if !self.boards.iter_mut().any(|board| board.take_any(asked)) {
                    return placed;
                }
            }
        }
        most
    }
}
