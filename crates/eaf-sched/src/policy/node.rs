//! Nodes, shapes and what fits where.
//!
//! What: the free capacity of one node, what one pod asks, the filter of the protocol, and taking what was given.
//! Why a fixed array of eight: every node of the fleet has at most eight GPUs, and a node that is one cache line is scored
//! without a pointer.
//! Absent: names and the order of nodes; a node is its index in the tie-break order.

use eaf_model::Ask;

/// The most GPUs that a node has.
pub const GPUS_MAX: usize = 8;
/// One whole GPU in milli-GPU.
pub const WHOLE: u16 = 1000;
/// The most pods on one node.
pub const PODS_MAX: u16 = 1000;

/// The free capacity of a node. Equal values are interchangeable for every policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// Free CPU in milli-CPU.
    pub cpu: u32,
    /// Free memory, in the unit of the shapes.
    pub memory: u64,
    /// Free milli-GPU of each GPU by index; 0 beyond `gpus`.
    pub free: [u16; GPUS_MAX],
    /// How many GPUs the node has.
    pub gpus: u8,
    /// The model of its GPUs, an index below 32.
    pub model: u8,
    /// Pods on the node.
    pub pods: u16,
    /// Which classes of GPU pods it hosts, a bit each: shared, 1, 2, 4, 8.
    pub classes: u8,
}

/// What a pod asks. Two pods with the same shape are placed alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    /// CPU in milli-CPU.
    pub cpu: u32,
    /// Milli-GPU on each GPU; below 1000 only with one GPU; 0 for a pod without GPU.
    pub milli: u16,
    /// How many GPUs.
    pub gpus: u8,
    /// Allowed models, a bit each.
    pub models: u32,
    /// Memory, in the unit of the nodes.
    pub memory: u64,
}

/// A set of GPUs of one node, a bit each.
pub type GpuSet = u8;

impl Shape {
    /// A request as nodes with these models see it; `None` where no node that is priced could take it.
    pub fn of(ask: &Ask, memory: u64, models: &[String]) -> Option<Self> {
        let wanted = &ask.accelerators;
        let is_priced =
            wanted.slice.is_none() && wanted.count as usize <= GPUS_MAX && wanted.share.0 <= u64::from(WHOLE);
        let mask = match wanted.models.as_slice() {
            _ if wanted.count == 0 => u32::MAX,
            [] => u32::MAX,
            names => models.iter().zip(0..32).filter(|(model, _)| names.contains(model)).map(|(_, bit)| 1 << bit).sum(),
        };
        let (cpu, gpus) = (u32::try_from(ask.cpu.0).ok()?, wanted.count as u8);
        let milli = if gpus == 0 { 0 } else { wanted.share.0 as u16 };
        is_priced.then_some(Self { cpu, milli, gpus, models: mask, memory })
    }

    /// Milli-GPU over all GPUs asked.
    pub fn demand(&self) -> u32 {
        u32::from(self.gpus) * u32::from(self.milli)
    }

    /// A part of one GPU.
    pub fn is_shared(&self) -> bool {
        self.gpus == 1 && self.milli < WHOLE
    }

    /// The class bit of `GpuClustering`; 0 without GPU.
    pub fn class(&self) -> u8 {
        match self.gpus {
            0 => 0,
            1 if self.milli < WHOLE => 1,
            1 => 2,
            2 => 4,
            4 => 8,
            _ => 16,
        }
    }
}

impl Node {
    /// Free milli-GPU over all GPUs.
    pub fn free_total(&self) -> u32 {
        self.free.iter().map(|&free| u32::from(free)).sum()
    }

    /// A node on which nothing fits.
    pub fn closed() -> Self {
        Self { cpu: 0, memory: 0, free: [0; GPUS_MAX], gpus: 0, model: 0, pods: PODS_MAX, classes: 0 }
    }

    /// GPUs with at least `milli` free.
    pub fn count_at_least(&self, milli: u16) -> u8 {
        // A padding entry is 0 free, so it never counts where something is asked.
        self.free.iter().map(|&free| u8::from(free >= milli)).sum()
    }

    /// The filter of the protocol.
    pub fn fits(&self, shape: &Shape) -> bool {
        self.cpu >= shape.cpu
            && self.memory >= shape.memory
            && self.pods < PODS_MAX
            && shape.models >> self.model & 1 == 1
            && (shape.gpus == 0 || self.count_at_least(shape.milli) >= shape.gpus)
    }

    /// The lowest-index GPUs that fit; all that the protocol leaves open is which GPU a shared pod takes.
    pub fn lowest_index(&self, shape: &Shape) -> GpuSet {
        let (mut set, mut missing) = (0, shape.gpus);
        for (index, &free) in self.free.iter().enumerate() {
            if missing > 0 && free >= shape.milli {
                set |= 1 << index;
                missing -= 1;
            }
        }
        set
    }

    /// The GPU with the least that suffices, the lowest index on ties.
    pub fn tightest(&self, shape: &Shape) -> GpuSet {
        let fits = self.free.iter().enumerate().filter(|&(_, &free)| free >= shape.milli);
        fits.min_by_key(|&(index, &free)| (free, index)).map_or(0, |(index, _)| 1 << index)
    }

    /// The node after the pod. The caller has checked that it fits.
    #[must_use]
    pub fn after(&self, shape: &Shape, set: GpuSet) -> Self {
        let mut next = *self;
        next.cpu -= shape.cpu;
        next.memory -= shape.memory;
        next.pods += 1;
        next.classes |= shape.class();
        for (index, free) in next.free.iter_mut().enumerate() {
            if set >> index & 1 == 1 {
                *free -= shape.milli;
            }
        }
        next
    }
}
