//! The places of ready nodes among each other, and sums over them.
//!
//! What: a rank orders nodes by what is free on them, so that the first that fits is the best fit and nodes that are alike
//! stand together. Absent: which nodes there are (`Fleet`) and where they stand in the fabric.

use crate::Shape;
use crate::capacity::{Kind, NodeCapacity, Parts};
use crate::cuts::Board;
use eaf_model::{AcceleratorRequest, Bytes, CpuMilli, GpuMilli, NodeId, TaskRequest};
use std::cmp::Ordering;
use std::sync::Arc;

/// Sums over ready nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    cpu: u128,
    memory: u128,
    share: u128,
}

impl Sums {
    pub(crate) fn add(&mut self, rank: &Rank) {
        self.cpu += u128::from(rank.cpu.0);
        self.memory += u128::from(rank.memory.0);
        self.share += u128::from(rank.share.0);
    }

    /// Free accelerators, in thousandths.
    pub(crate) fn share(&self) -> u64 {
        u64::try_from(self.share).unwrap_or(u64::MAX)
    }

    pub(crate) fn subtract(&mut self, rank: &Rank) {
        self.cpu -= u128::from(rank.cpu.0);
        self.memory -= u128::from(rank.memory.0);
        self.share -= u128::from(rank.share.0);
    }

    /// False where all of it together is too little for the whole gang.
    pub(crate) fn may_fit(&self, shape: &Shape) -> bool {
        let tasks = u128::from(shape.tasks);
        let TaskRequest { cpu, memory, accelerators } = &shape.task;
        let share = u128::from(share_needed(accelerators).0);
        tasks * u128::from(cpu.0) <= self.cpu
            && tasks * u128::from(memory.0) <= self.memory
            && tasks * share <= self.share
    }
}

/// The least that must be free in whole accelerators for a request. Slices are not of those.
pub(crate) fn share_needed(request: &AcceleratorRequest) -> GpuMilli {
    match request.slice {
        Some(_) => GpuMilli::ZERO,
        None => request.share.saturating_mul(u64::from(request.count)),
    }
}

/// Where a ready node stands among the others: by free accelerators, then free CPU, then free memory. The first that
/// fits in this order is the best fit. Nodes that differ in their id alone are alike, and stand next to each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) share: GpuMilli,
    pub(crate) cpu: CpuMilli,
    pub(crate) memory: Bytes,
    /// Between level nodes only, so that those that are alike stand together.
    boards: Option<Boards>,
    pub(crate) node: NodeId,
}

/// The accelerators of a node: their free shares and their models. Nodes without any have none.
#[derive(Clone, Debug)]
struct Boards {
    shares: Arc<[GpuMilli]>,
    state: Arc<[Board]>,
    kind: Arc<Kind>,
}

impl Ord for Boards {
    fn cmp(&self, other: &Self) -> Ordering {
        // Nodes of one kind share the value, so the models are seldom compared.
        let kinds = || {
            if Arc::ptr_eq(&self.kind, &other.kind) { Ordering::Equal } else { self.kind.cmp(&other.kind) }
        };
        let boards = || self.state.cmp(&other.state);
        self.shares.cmp(&other.shares).then_with(boards).then_with(kinds)
    }
}
impl PartialOrd for Boards {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Boards {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Boards {}

impl Rank {
    pub(crate) fn of(node: NodeId, capacity: &NodeCapacity) -> Self {
        let shares = capacity.shares_free();
        let boards =
            || Boards { shares: shares.clone(), state: capacity.boards().clone(), kind: capacity.kind().clone() };
        Self {
            share: GpuMilli(shares.iter().map(|free| free.0).sum()),
            cpu: capacity.cpu_free(),
            memory: capacity.memory_free(),
            boards: (!shares.is_empty()).then(boards),
            node,
        }
    }

    /// How much is free, and so how much would be left.
    pub(crate) fn level(&self) -> (GpuMilli, CpuMilli, Bytes) {
        (self.share, self.cpu, self.memory)
    }

    /// The first place of nodes with this much free.
    pub(crate) fn at_least(share: GpuMilli, cpu: CpuMilli, memory: Bytes) -> Self {
        Self { share, cpu, memory, boards: None, node: NodeId::from_bits(0) }
    }

    /// The last place of nodes that are alike with this one.
    pub(crate) fn last_alike(&self) -> Self {
        Self { node: NodeId::from_bits(u64::MAX), ..self.clone() }
    }

    /// What is free.
    pub(crate) fn parts(&self) -> Parts<'_> {
        let (cpu, memory) = (self.cpu, self.memory);
        match &self.boards {
            None => Parts { cpu, memory, shares: &[], models: &[], cuts: &[], boards: Some(&[]) },
            Some(boards) => {
                Parts { cpu, memory, shares: &boards.shares, boards: Some(&boards.state), ..boards.kind.parts() }
            }
        }
    }
}
