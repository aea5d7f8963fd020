//! What one node has, and what of it is free.
//!
//! What: totals, free parts, and the arithmetic of how many tasks fit and which accelerators they get. Why here alone:
//! placing, forecasting and explaining must agree on what fits. Absent: the choice between nodes (`place`).

use eaf_model::{
    AcceleratorRequest, Allotment, AllottedAccelerator, Bytes, CpuMilli, GpuMilli, NodeId, NodeSpec, NodeState,
    TaskRequest,
};
use std::sync::Arc;

/// A place in the fabric: the domains that a node is in, outermost first.
pub(crate) type Path = Arc<[String]>;

/// One accelerator, whole.
pub(crate) const WHOLE: GpuMilli = GpuMilli(1_000);

/// What a node has when it is empty. Nodes of one kind share one value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    /// How many accelerators; the first field, so that the greatest kinds are the likeliest to fit anything.
    accelerators: usize,
    pub(crate) cpu: CpuMilli,
    pub(crate) memory: Bytes,
    models: Vec<String>,
    /// The shares of accelerators that nobody holds: all whole.
    shares: Arc<[GpuMilli]>,
}

impl Kind {
    pub(crate) fn of(spec: &NodeSpec) -> Self {
        Self {
            accelerators: spec.accelerators.len(),
            cpu: spec.cpu,
            memory: spec.memory,
            models: spec.accelerators.iter().map(|accelerator| accelerator.model.clone()).collect(),
            shares: spec.accelerators.iter().map(|_| WHOLE).collect(),
        }
    }

    /// How many accelerators.
    pub(crate) fn accelerators(&self) -> usize {
        self.accelerators
    }

    /// The model of each accelerator, by index.
    pub(crate) fn models(&self) -> &[String] {
        &self.models
    }

    /// Everything that an empty node of this kind offers.
    pub(crate) fn parts(&self) -> Parts<'_> {
        Parts { cpu: self.cpu, memory: self.memory, shares: &self.shares, models: &self.models }
    }
}

/// Parts that a task may be put into: of a node as it is, or of an empty one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) cpu: CpuMilli,
    pub(crate) memory: Bytes,
    /// Free share of each accelerator, by index.
    pub(crate) shares: &'a [GpuMilli],
    /// Model of each accelerator, by index.
    pub(crate) models: &'a [String],
}

impl Parts<'_> {
    /// How many tasks of this size fit at once.
    pub(crate) fn tasks(&self, request: &TaskRequest) -> u32 {
        let by_cpu = self.cpu.0.checked_div(request.cpu.0).unwrap_or(u64::MAX);
        let by_memory = self.memory.0.checked_div(request.memory.0).unwrap_or(u64::MAX);
        let fit = by_cpu.min(by_memory);
        // The accelerators are looked at last: most nodes that fail do so before.
        let fit = if fit == 0 { 0 } else { fit.min(self.tasks_by_accelerators(&request.accelerators)) };
        u32::try_from(fit).unwrap_or(u32::MAX)
    }

    /// How many tasks the accelerators alone would take. A request that the words forbid (a part of each of several
    /// accelerators, a share of nothing or of more than one) fits nowhere.
    pub(crate) fn tasks_by_accelerators(&self, request: &AcceleratorRequest) -> u64 {
        if request.count == 0 {
            return u64::MAX;
        }
        let lawful =
            request.share == WHOLE || (request.count == 1 && !request.share.is_zero() && request.share < WHOLE);
        if !lawful {
            return 0;
        }
        let slots = self.suiting(request).map(|(_, free)| free.0 / request.share.0).sum::<u64>();
        slots / u64::from(request.count)
    }

    /// Index and free share of the accelerators whose model will do.
    pub(crate) fn suiting(&self, request: &AcceleratorRequest) -> impl Iterator<Item = (usize, GpuMilli)> {
        let suits = |model: &String| request.models.is_empty() || request.models.contains(model);
        let both = self.models.iter().zip(self.shares).enumerate();
        both.filter(move |(_, (model, _))| suits(model)).map(|(index, (_, free))| (index, *free))
    }
}

/// What a node has in all and what of it is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCapacity {
    kind: Arc<Kind>,
    cpu_free: CpuMilli,
    memory_free: Bytes,
    shares_free: Arc<[GpuMilli]>,
    state: NodeState,
    /// Its place in the fabric; empty where nobody has said.
    fabric: Path,
}

impl NodeCapacity {
    pub(crate) fn empty(kind: Arc<Kind>, fabric: Path) -> Self {
        let (cpu_free, memory_free, shares_free) = (kind.cpu, kind.memory, kind.shares.clone());
        Self { kind, cpu_free, memory_free, shares_free, state: NodeState::Ready, fabric }
    }

    /// CPU threads in all, in thousandths.
    pub fn cpu_total(&self) -> CpuMilli {
        self.kind.cpu
    }

    /// CPU threads that nobody holds.
    pub fn cpu_free(&self) -> CpuMilli {
        self.cpu_free
    }

    /// CPU threads that leases hold.
    pub fn cpu_held(&self) -> CpuMilli {
        CpuMilli(self.kind.cpu.0 - self.cpu_free.0)
    }

    /// Memory in all.
    pub fn memory_total(&self) -> Bytes {
        self.kind.memory
    }

    /// Memory that nobody holds.
    pub fn memory_free(&self) -> Bytes {
        self.memory_free
    }

    /// Memory that leases hold.
    pub fn memory_held(&self) -> Bytes {
        Bytes(self.kind.memory.0 - self.memory_free.0)
    }

    /// Model and free share of each accelerator, by index.
    pub fn accelerators(&self) -> impl ExactSizeIterator<Item = (&str, GpuMilli)> {
        self.kind.models.iter().zip(self.shares_free.iter()).map(|(model, free)| (model.as_str(), *free))
    }

    /// What may be placed on it.
    pub fn state(&self) -> NodeState {
        self.state
    }

    pub(crate) fn set_state(&mut self, state: NodeState) {
        self.state = state;
    }

    /// The fabric domains that it is in, outermost first.
    pub fn fabric(&self) -> &Arc<[String]> {
        &self.fabric
    }

    pub(crate) fn set_fabric(&mut self, fabric: Path) {
        self.fabric = fabric;
    }

    pub(crate) fn kind(&self) -> &Arc<Kind> {
        &self.kind
    }

    pub(crate) fn shares_free(&self) -> &Arc<[GpuMilli]> {
        &self.shares_free
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.state == NodeState::Ready
    }

    pub(crate) fn has_accelerators(&self) -> bool {
        self.kind.accelerators > 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cpu_free == self.kind.cpu && self.memory_free == self.kind.memory && self.shares_free == self.kind.shares
    }

    /// What is free of it, whatever its state.
    pub(crate) fn parts_free(&self) -> Parts<'_> {
        let (cpu, memory) = (self.cpu_free, self.memory_free);
        Parts { cpu, memory, shares: &self.shares_free, models: &self.kind.models }
    }

    /// True where a node of this kind would cover what is held here. An accelerator that is held keeps its model.
    pub(crate) fn is_covered_by(&self, kind: &Kind) -> bool {
        let covers_share =
            |(index, free): (usize, &GpuMilli)| *free == WHOLE || kind.models.get(index) == self.kind.models.get(index);
        kind.cpu >= self.cpu_held()
            && kind.memory >= self.memory_held()
            && self.shares_free.iter().enumerate().all(covers_share)
    }

    /// The same holdings on a node of another kind, which covers them.
    pub(crate) fn change_kind(&mut self, kind: Arc<Kind>) {
        assert!(self.is_covered_by(&kind), "a changed node covers what is held on it");
        self.cpu_free = CpuMilli(kind.cpu.0 - self.cpu_held().0);
        self.memory_free = Bytes(kind.memory.0 - self.memory_held().0);
        let old = &self.shares_free;
        self.shares_free = (0..kind.models.len()).map(|index| old.get(index).copied().unwrap_or(WHOLE)).collect();
        self.kind = kind;
    }

    /// Takes an allotment away from what is free.
    pub(crate) fn hold(&mut self, allotment: &Allotment) {
        let node = allotment.node;
        let cpu = self.cpu_free.checked_sub(allotment.cpu);
        self.cpu_free = cpu.unwrap_or_else(|| panic!("{node}: the CPU to be held is free"));
        let memory = self.memory_free.checked_sub(allotment.memory);
        self.memory_free = memory.unwrap_or_else(|| panic!("{node}: the memory to be held is free"));
        for held in &allotment.accelerators {
            let free = share_of(&mut self.shares_free, held, node);
            *free =
                free.checked_sub(held.share).unwrap_or_else(|| panic!("{node}: the accelerator to be held is free"));
        }
    }

    /// Gives an allotment back to what is free.
    pub(crate) fn release(&mut self, allotment: &Allotment) {
        let node = allotment.node;
        self.cpu_free = self.cpu_free.saturating_add(allotment.cpu);
        assert!(self.cpu_free <= self.kind.cpu, "{node}: the CPU to be released is held");
        self.memory_free = self.memory_free.saturating_add(allotment.memory);
        assert!(self.memory_free <= self.kind.memory, "{node}: the memory to be released is held");
        for held in &allotment.accelerators {
            let free = share_of(&mut self.shares_free, held, node);
            *free = free.saturating_add(held.share);
            assert!(*free <= WHOLE, "{node}: the accelerator to be released is held");
        }
    }

    /// Holds one task of this size and says what it got: of the accelerators that will do, those that are left with the
    /// least, the lowest indexes first. `None`, and nothing held, where it does not fit.
    pub(crate) fn take(&mut self, node: NodeId, request: &TaskRequest) -> Option<Allotment> {
        let parts = self.parts_free();
        if parts.tasks(request) == 0 {
            return None;
        }
        let wanted = &request.accelerators;
        let mut picked: Vec<_> = if wanted.count == 0 {
            Vec::new()
        } else {
            parts.suiting(wanted).filter(|(_, free)| *free >= wanted.share).map(|(index, free)| (free, index)).collect()
        };
        picked.sort_unstable();
        picked.truncate(wanted.count as usize);
        picked.sort_unstable_by_key(|(_, index)| *index);
        let accelerators = picked
            .into_iter()
            .map(|(_, index)| AllottedAccelerator { index: board(index), share: wanted.share })
            .collect();
        let allotment = Allotment { node, cpu: request.cpu, memory: request.memory, accelerators };
        self.hold(&allotment);
        Some(allotment)
    }

    /// Holds one task of this size that takes a part of this accelerator, which has it.
    pub(crate) fn take_part(&mut self, node: NodeId, request: &TaskRequest, index: usize) -> Allotment {
        let accelerators = vec![AllottedAccelerator { index: board(index), share: request.accelerators.share }];
        let allotment = Allotment { node, cpu: request.cpu, memory: request.memory, accelerators };
        self.hold(&allotment);
        allotment
    }

    /// How many tasks of this size could be placed on it now.
    pub(crate) fn room(&self, request: &TaskRequest) -> u32 {
        if self.is_ready() { self.parts_free().tasks(request) } else { 0 }
    }

    /// Lowers what is free to what is free in both.
    pub(crate) fn limit(&mut self, other: &Self) {
        self.cpu_free = self.cpu_free.min(other.cpu_free);
        self.memory_free = self.memory_free.min(other.memory_free);
        let both = self.shares_free.iter().zip(other.shares_free.iter());
        self.shares_free = both.map(|(mine, theirs)| *mine.min(theirs)).collect();
    }
}

fn board(index: usize) -> u16 {
    u16::try_from(index).expect("a node has at most 65,535 accelerators")
}

fn share_of<'a>(shares: &'a mut Arc<[GpuMilli]>, held: &AllottedAccelerator, node: NodeId) -> &'a mut GpuMilli {
    let share = Arc::make_mut(shares).get_mut(usize::from(held.index));
    share.unwrap_or_else(|| panic!("{node}: accelerator {} is there", held.index))
}
