//! Free capacity by node.
//!
//! What: every node with what is free on it, and four indexes that make a pass cheap: the ready nodes by what is free
//! (best fit without a scan), their sums (a gang that cannot fit is seen at once), the fabric (a gang stays together), and
//! the kinds of nodes (whether a request could ever fit). Why maintained and not built: a pass follows every batch of inputs. Absent: leases; the fleet
//! knows how much is held, not by whom.

use crate::Shape;
use crate::capacity::{Kind, NodeCapacity, WHOLE};
use crate::cuts::Book;
use crate::fabric::Fabric;
use crate::rank::{Rank, Sums};
use eaf_model::{Allotment, CpuMilli, LargestFit, NodeId, NodeSpec, NodeState, PartitionBook};
use imbl::{OrdMap, OrdSet};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Free capacity by node. A clone is O(1) and shares structure; every change is O(log nodes).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fleet {
    nodes: OrdMap<NodeId, Arc<NodeCapacity>>,
    /// The ready nodes, those with the least left first.
    ready: OrdSet<Rank>,
    /// Those of them that have no accelerator.
    plain: OrdSet<Rank>,
    /// The ready nodes of which the fabric is known, by their place in it.
    fabric: Fabric,
    /// What is free on the ready nodes together.
    free: Sums,
    /// How many nodes there are of each kind, ready or not.
    kinds: OrdMap<Arc<Kind>, u32>,
    /// How many ready nodes there are of each kind.
    kinds_ready: OrdMap<Arc<Kind>, u32>,
    /// The models of all kinds, in order; another value only where they are others.
    models: Arc<[String]>,
    /// How accelerators can be cut.
    book: Book,
    /// The nodes on which not every accelerator is whole and takes work.
    cut: OrdSet<NodeId>,
}

impl Fleet {
    /// No nodes.
    pub fn new() -> Self {
        Self::default()
    }

    /// No nodes; accelerators can be cut as the book says.
    pub fn with_book(book: &PartitionBook) -> Self {
        Self { book: Book::of(book), ..Self::default() }
    }

    /// Adds a node, ready and empty, its accelerators whole. Asserts that it is new.
    pub fn add(&mut self, id: NodeId, spec: &NodeSpec) {
        let kind = self.kind(Kind::of(spec, &self.book));
        self.count(&kind, true);
        let node = Arc::new(NodeCapacity::empty(kind, spec.fabric.as_slice().into()));
        self.enter(id, &node);
        assert!(self.nodes.insert(id, node).is_none(), "{id} is added once");
    }

    /// Changes what a node has and keeps what is held. Asserts that it is there and that `covers_held`.
    pub fn change(&mut self, id: NodeId, spec: &NodeSpec) {
        let kind = self.kind(Kind::of(spec, &self.book));
        self.count(&kind, true);
        let old = self.node(id).kind().clone();
        self.mutate(id, |node| {
            node.change_kind(kind);
            node.set_fabric(spec.fabric.as_slice().into());
        });
        self.count(&old, false);
    }

    /// Takes a node out. Asserts that it is there and that nothing is held.
    pub fn remove(&mut self, id: NodeId) {
        let node = self.nodes.remove(&id).unwrap_or_else(|| panic!("{id} is in the fleet"));
        assert!(node.is_empty(), "{id}: nothing is held on a node that is removed");
        self.leave(id, &node);
        self.cut.remove(&id);
        self.count(node.kind(), false);
    }

    /// Says what may be placed on a node. Asserts that it is there.
    pub fn set_state(&mut self, id: NodeId, state: NodeState) {
        self.mutate(id, |node| node.set_state(state));
    }

    /// Brings accelerators into modes, each with whether it takes work. Asserts that they are there, and that no mode
    /// changes under what is held.
    pub fn set_modes<'a>(&mut self, id: NodeId, modes: impl IntoIterator<Item = (u16, &'a str, bool)>) {
        self.mutate(id, |node| {
            for (index, mode, takes_work) in modes {
                node.set_mode(usize::from(index), mode, takes_work);
            }
        });
    }

    /// An accelerator as it will be when its mode is changed: in that mode, empty, and taking work.
    pub(crate) fn imagine(&mut self, id: NodeId, index: u16, mode: &str) {
        if self.nodes.contains_key(&id) {
            self.mutate(id, |node| node.imagine(usize::from(index), mode));
        }
    }

    /// True where some node has an accelerator that can be cut.
    pub fn can_be_cut(&self) -> bool {
        self.kinds.keys().any(|kind| kind.can_be_cut())
    }

    /// The nodes on which not every accelerator is whole and takes work, by id.
    pub fn cut_nodes(&self) -> impl Iterator<Item = NodeId> {
        self.cut.iter().copied()
    }

    /// Takes an allotment away from what is free, on a node in any state. Asserts that it was free.
    pub fn hold(&mut self, allotment: &Allotment) {
        self.mutate(allotment.node, |node| node.hold(allotment));
    }

    /// Gives an allotment back. Asserts that it was held.
    pub fn release(&mut self, allotment: &Allotment) {
        self.mutate(allotment.node, |node| node.release(allotment));
    }

    /// What a node has and what of it is free.
    pub fn get(&self, id: NodeId) -> Option<&NodeCapacity> {
        self.nodes.get(&id).map(AsRef::as_ref)
    }

    /// Every node, by id.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeId, &NodeCapacity)> {
        self.nodes.iter().map(|(id, node)| (*id, node.as_ref()))
    }

    /// How many nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// True where there are no nodes.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Could the fleet, with nothing running on it, hold this? Nodes in any state count. O(kinds of nodes), and O(1)
    /// where the greatest kind has room.
    ///
    /// # Errors
    /// The largest that would fit.
    pub fn ever_fits(&self, shape: &Shape) -> Result<(), LargestFit> {
        if fits_empty(&self.kinds, shape) { Ok(()) } else { Err(self.largest(shape)) }
    }

    /// True where the node, changed to `spec`, would still have everything that is held on it. Asserts that it is there.
    pub fn covers_held(&self, id: NodeId, spec: &NodeSpec) -> bool {
        self.node(id).is_covered_by(&Kind::of(spec, &self.book))
    }

    /// Could the ready nodes, with nothing running on them, hold this?
    pub(crate) fn ready_fit(&self, shape: &Shape) -> bool {
        fits_empty(&self.kinds_ready, shape)
    }

    /// The ready nodes, those with the least left first.
    pub(crate) fn ready(&self) -> &OrdSet<Rank> {
        &self.ready
    }

    /// Those of them that have no accelerator.
    pub(crate) fn plain(&self) -> &OrdSet<Rank> {
        &self.plain
    }

    /// Every node by id.
    pub(crate) fn by_id(&self) -> &OrdMap<NodeId, Arc<NodeCapacity>> {
        &self.nodes
    }

    /// The models of accelerators that there are, in order.
    pub fn models(&self) -> &Arc<[String]> {
        &self.models
    }

    /// The kinds of nodes that there are.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.keys().map(AsRef::as_ref)
    }

    /// Accelerators of one model on ready nodes, in thousandths. O(kinds of nodes).
    pub(crate) fn ready_of(&self, model: &str) -> u64 {
        count_of(&self.kinds_ready, model)
    }

    /// Accelerators of one model on nodes in any state, in thousandths. O(kinds of nodes).
    pub fn all_of(&self, model: &str) -> u64 {
        count_of(&self.kinds, model)
    }

    /// Accelerators of ready nodes, in thousandths.
    pub(crate) fn accelerators_ready(&self) -> u64 {
        let of = |(kind, nodes): (&Arc<Kind>, &u32)| kind.accelerators() as u64 * WHOLE.0 * u64::from(*nodes);
        self.kinds_ready.iter().map(of).sum()
    }

    /// Free accelerators of ready nodes, in thousandths.
    pub(crate) fn accelerators_free(&self) -> u64 {
        self.free.share()
    }

    /// Accelerators and CPU of every kind of ready node.
    pub(crate) fn sizes_ready(&self) -> impl Iterator<Item = (usize, CpuMilli)> {
        self.kinds_ready.keys().map(|kind| (kind.accelerators(), kind.cpu))
    }

    /// False where the ready nodes together have too little for the whole gang.
    pub(crate) fn may_fit(&self, shape: &Shape) -> bool {
        self.free.may_fit(shape)
    }

    /// The ready nodes by their place in the fabric.
    pub(crate) fn fabric(&self) -> &Fabric {
        &self.fabric
    }

    /// The ready nodes of which no fabric is known. O(nodes), and O(1) where it is known of all.
    pub(crate) fn loose(&self) -> OrdSet<Rank> {
        if self.fabric.nodes() == self.ready.len() {
            return OrdSet::new();
        }
        self.ready.iter().filter(|rank| self.node(rank.node).fabric().is_empty()).cloned().collect()
    }

    /// Lowers what is free on a node to what is free in both.
    pub(crate) fn limit(&mut self, id: NodeId, other: &NodeCapacity) {
        self.mutate(id, |node| node.limit(other));
    }

    fn largest(&self, shape: &Shape) -> LargestFit {
        let tasks_max = shape.tasks_per_node_max.unwrap_or(u32::MAX);
        let mut tasks = 0_u64;
        let mut largest = LargestFit::default();
        for (kind, nodes) in &self.kinds {
            let (parts, task) = (kind.parts(), &shape.task);
            tasks = tasks.saturating_add(u64::from(parts.tasks(task).min(tasks_max)) * u64::from(*nodes));
            let suiting = parts.in_some_mode(&task.accelerators).count();
            let (cpu, memory) = (parts.cpu >= task.cpu, parts.memory >= task.memory);
            let accelerators = parts.tasks_by_accelerators(&task.accelerators) > 0;
            if memory && accelerators {
                largest.cpu = largest.cpu.max(parts.cpu);
            }
            if cpu && accelerators {
                largest.memory = largest.memory.max(parts.memory);
            }
            if cpu && memory {
                largest.accelerators = largest.accelerators.max(u32::try_from(suiting).unwrap_or(u32::MAX));
            }
        }
        LargestFit { tasks: u32::try_from(tasks).unwrap_or(u32::MAX), ..largest }
    }

    fn node(&self, id: NodeId) -> &NodeCapacity {
        self.get(id).unwrap_or_else(|| panic!("{id} is in the fleet"))
    }

    /// One node of this kind more, or less.
    fn count(&mut self, kind: &Arc<Kind>, more: bool) {
        let before = self.kinds.len();
        count(&mut self.kinds, kind, more);
        if self.kinds.len() != before {
            let models: BTreeSet<&String> = self.kinds.keys().flat_map(|kind| kind.models()).collect();
            if !models.iter().copied().eq(self.models.iter()) {
                self.models = models.into_iter().cloned().collect();
            }
        }
    }

    /// The one value that stands for this kind.
    fn kind(&self, kind: Kind) -> Arc<Kind> {
        self.kinds.get_key_value(&kind).map_or_else(|| Arc::new(kind), |(known, _)| known.clone())
    }

    fn mutate(&mut self, id: NodeId, change: impl FnOnce(&mut NodeCapacity)) {
        let node = self.nodes.get_mut(&id).unwrap_or_else(|| panic!("{id} is in the fleet"));
        let before = node.clone();
        change(Arc::make_mut(node));
        let after = node.clone();
        if !after.is_all_whole() {
            self.cut.insert(id);
        } else if !before.is_all_whole() {
            self.cut.remove(&id);
        }
        self.leave(id, &before);
        self.enter(id, &after);
    }

    /// Takes a node out of the indexes of ready nodes.
    fn leave(&mut self, id: NodeId, node: &NodeCapacity) {
        if node.is_ready() {
            let rank = Rank::of(id, node);
            self.free.subtract(&rank);
            self.fabric.leave(node.fabric(), &rank);
            assert!(self.ready.remove(&rank).is_some(), "{id} has its place among the ready nodes");
            if !node.has_accelerators() {
                self.plain.remove(&rank);
            }
            count(&mut self.kinds_ready, node.kind(), false);
        }
    }

    /// Puts a node into the indexes of ready nodes.
    fn enter(&mut self, id: NodeId, node: &NodeCapacity) {
        if node.is_ready() {
            let rank = Rank::of(id, node);
            self.free.add(&rank);
            self.fabric.enter(node.fabric(), &rank);
            if !node.has_accelerators() {
                self.plain.insert(rank.clone());
            }
            self.ready.insert(rank);
            count(&mut self.kinds_ready, node.kind(), true);
        }
    }
}

/// One node of this kind more, or less.
fn count(kinds: &mut OrdMap<Arc<Kind>, u32>, kind: &Arc<Kind>, more: bool) {
    let nodes = kinds.get(kind).copied().unwrap_or(0);
    let nodes = if more { nodes.checked_add(1) } else { nodes.checked_sub(1) };
    match nodes.expect("the nodes of a kind are counted") {
        0 => kinds.remove(kind),
        nodes => kinds.insert(kind.clone(), nodes),
    };
}

fn count_of(kinds: &OrdMap<Arc<Kind>, u32>, model: &str) -> u64 {
    let on = |kind: &Kind| kind.models().iter().filter(|of| *of == model).count() as u64 * WHOLE.0;
    kinds.iter().map(|(kind, nodes)| on(kind) * u64::from(*nodes)).sum()
}

/// True where empty nodes of these kinds hold the whole gang. The greatest kinds are looked at first.
fn fits_empty(kinds: &OrdMap<Arc<Kind>, u32>, shape: &Shape) -> bool {
    let mut wanted = u64::from(shape.tasks);
    for (kind, nodes) in kinds.iter().rev() {
        let fit = kind.parts().tasks(&shape.task).min(shape.tasks_on_a_node());
        wanted = wanted.saturating_sub(u64::from(fit) * u64::from(*nodes));
        if wanted == 0 {
            return true;
        }
    }
    false
}
