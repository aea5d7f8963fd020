//! What one node has, and what of it is free.
//!
//! What: totals, free parts, and the arithmetic of how many tasks fit and which accelerators they get. Why here alone:
//! placing, forecasting and explaining must agree on what fits. Absent: the choice between nodes (`place`).

use crate::cuts::{Board, Book, Cuts, Mode, best_start, offered, places, room};
use eaf_model::{
    AcceleratorRequest, Allotment, AllottedAccelerator, Bytes, CpuMilli, GpuMilli, HeldSlice, ModeScope, NodeId,
    NodeSpec, NodeState, PartitionMode, SliceProfile, TaskRequest, WHOLE_MODE,
};
use std::cmp::Reverse;
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
    /// How each accelerator can be cut.
    cuts: Cuts,
}

impl Kind {
    pub(crate) fn of(spec: &NodeSpec, book: &Book) -> Self {
        Self {
            accelerators: spec.accelerators.len(),
            cpu: spec.cpu,
            memory: spec.memory,
            models: spec.accelerators.iter().map(|accelerator| accelerator.model.clone()).collect(),
            shares: spec.accelerators.iter().map(|_| WHOLE).collect(),
            cuts: Cuts(spec.accelerators.iter().map(|accelerator| book.modes(&accelerator.model)).collect()),
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

    /// Everything that an empty node of this kind offers, its accelerators in whatever mode is asked for.
    pub(crate) fn parts(&self) -> Parts<'_> {
        let (shares, models, cuts) = (&self.shares, &self.models, &self.cuts.0);
        Parts { cpu: self.cpu, memory: self.memory, shares, models, cuts, boards: None }
    }

    /// The modes of an accelerator, besides whole.
    pub(crate) fn modes(&self, index: usize) -> &[PartitionMode] {
        self.cuts.0.get(index).map_or(&[], AsRef::as_ref)
    }

    /// True where some accelerator can be cut.
    pub(crate) fn can_be_cut(&self) -> bool {
        self.cuts.0.iter().any(|modes| !modes.is_empty())
    }
}

/// Parts that a task may be put into: of a node as it is, or of an empty one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) cpu: CpuMilli,
    pub(crate) memory: Bytes,
    /// Free share of each accelerator, by index; nothing of one that is cut.
    pub(crate) shares: &'a [GpuMilli],
    /// Model of each accelerator, by index.
    pub(crate) models: &'a [String],
    /// The modes of each accelerator, by index.
    pub(crate) cuts: &'a [Arc<[PartitionMode]>],
    /// Each accelerator as it is, by index (none at all where all are whole and take work); `None` for whatever mode is
    /// asked for.
    pub(crate) boards: Option<&'a [Board]>,
}

impl<'a> Parts<'a> {
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
        let slots = match (&request.slice, self.boards) {
            (None, _) if request.share == WHOLE => {
                self.suiting(request).map(|(_, free)| u64::from(free == WHOLE)).sum::<u64>()
            }
            (None, _) => self.suiting(request).map(|(_, free)| free.0 / request.share.0).sum::<u64>(),
            (Some(_), Some(_)) => self.offering(request).map(|offer| u64::from(room(offer.profile, offer.taken))).sum(),
            (Some(slice), None) => self.in_some_mode(request).map(|index| u64::from(self.most(index, slice))).sum(),
        };
        slots / u64::from(request.count)
    }

    fn board(&self, index: usize) -> Board {
        self.boards.and_then(|boards| boards.get(index)).copied().unwrap_or_default()
    }

    /// The accelerators that would do in some mode.
    pub(crate) fn in_some_mode(&self, request: &AcceleratorRequest) -> impl Iterator<Item = usize> {
        let by_model = self.models.iter().enumerate().filter(|(_, model)| request.suits(model)).map(|(index, _)| index);
        let (slice, cuts) = (request.slice.as_deref(), self.cuts);
        by_model.filter(move |index| {
            let offers = |slice| cuts[*index].iter().any(|mode| offered(mode, slice).is_some());
            slice.is_none_or(offers)
        })
    }

    /// Index and free share of the accelerators that are whole, take work, and whose model will do.
    pub(crate) fn suiting(&self, request: &AcceleratorRequest) -> impl Iterator<Item = (usize, GpuMilli)> {
        let both = self.models.iter().zip(self.shares).enumerate();
        let both = both.filter(|(_, (model, _))| request.suits(model)).map(|(index, (_, free))| (index, *free));
        both.filter(|(index, _)| matches!(self.board(*index), Board { mode: Mode::Whole, closed: false, .. }))
    }

    /// The accelerators that are in a mode that offers the slice, and take work.
    fn offering(&self, request: &AcceleratorRequest) -> impl Iterator<Item = Offer<'a>> {
        let (slice, parts) = (request.slice.as_deref().unwrap_or_default(), *self);
        self.in_some_mode(request).filter_map(move |index| {
            let Board { mode, closed, taken } = parts.board(index);
            let mode = mode.in_book(&parts.cuts[index]).filter(|_| !closed)?;
            Some(Offer { index, mode, profile: offered(mode, slice)?, taken })
        })
    }

    /// True where an accelerator that would do is in a mode that offers what is asked for, and takes work.
    pub(crate) fn has_mode_for(&self, request: &AcceleratorRequest) -> bool {
        match request.slice {
            None => self.suiting(request).next().is_some(),
            Some(_) => self.offering(request).next().is_some(),
        }
    }

    /// The most slices that an accelerator offers in any of its modes.
    fn most(&self, index: usize, slice: &str) -> u32 {
        let offers = self.cuts[index].iter().filter_map(|mode| offered(mode, slice));
        offers.map(|profile| room(profile, 0)).max().unwrap_or(0)
    }
}

/// An accelerator that offers a slice.
struct Offer<'a> {
    index: usize,
    mode: &'a PartitionMode,
    profile: &'a SliceProfile,
    taken: u32,
}

/// What a node has in all and what of it is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCapacity {
    kind: Arc<Kind>,
    cpu_free: CpuMilli,
    memory_free: Bytes,
    shares_free: Arc<[GpuMilli]>,
    /// Each accelerator, by index; none at all where all are whole and take work.
    boards: Arc<[Board]>,
    state: NodeState,
    /// Its place in the fabric; empty where nobody has said.
    fabric: Path,
}

impl NodeCapacity {
    pub(crate) fn empty(kind: Arc<Kind>, fabric: Path) -> Self {
        let (cpu_free, memory_free, shares_free) = (kind.cpu, kind.memory, kind.shares.clone());
        Self { kind, cpu_free, memory_free, shares_free, boards: Arc::default(), state: NodeState::Ready, fabric }
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

    /// The mode of an accelerator, and whether it takes work.
    pub fn mode(&self, index: usize) -> (&str, bool) {
        let board = self.board(index);
        let name = match board.mode {
            Mode::Whole => WHOLE_MODE,
            mode => mode.in_book(self.kind.modes(index)).map_or("", |mode| mode.name.as_str()),
        };
        (name, !board.closed)
    }

    /// The places of an accelerator that are taken, a bit each; of one that is cut.
    pub fn places_taken(&self, index: usize) -> u32 {
        self.board(index).taken
    }

    /// How much of an accelerator leases hold, in thousandths; of one that is cut, by places.
    pub fn share_held(&self, index: usize) -> GpuMilli {
        let board = self.board(index);
        match board.mode.in_book(self.kind.modes(index)) {
            Some(mode) => GpuMilli(u64::from(board.taken.count_ones()) * 1_000 / u64::from(mode.slots.max(1))),
            None if board.mode == Mode::Whole => {
                GpuMilli(WHOLE.0.saturating_sub(self.shares_free.get(index).map_or(WHOLE.0, |free| free.0)))
            }
            None => {
                if board.taken == 0 {
                    GpuMilli::ZERO
                } else {
                    WHOLE
                }
            }
        }
    }

    /// The modes that an accelerator can have, besides whole.
    pub fn modes(&self, index: usize) -> &[PartitionMode] {
        self.kind.modes(index)
    }

    /// The accelerators that change their mode together with one that is to come into mode `to`. A mode of the whole node
    /// is left together, even where not all of them are in it; those that have come into `to` by now stay there.
    pub fn together(&self, index: usize, to: &str) -> Vec<usize> {
        let (model, modes) = (self.kind.models.get(index), self.modes(index));
        let alike: Vec<usize> =
            (0..self.kind.models.len()).filter(|other| self.kind.models.get(*other) == model).collect();
        let by_node = |name: &str| modes.iter().any(|mode| mode.name == name && mode.scope == ModeScope::Node);
        let together = by_node(to) || alike.iter().any(|other| by_node(self.mode(*other).0));
        let is_there = |other: &usize| self.mode(*other) == (to, true);
        if together { alike.into_iter().filter(|other| !is_there(other)).collect() } else { vec![index] }
    }

    fn board(&self, index: usize) -> Board {
        self.boards.get(index).copied().unwrap_or_default()
    }

    /// True where something of an accelerator is held.
    pub fn is_held(&self, index: usize) -> bool {
        let board = self.board(index);
        let whole = self.shares_free.get(index).is_none_or(|free| *free == WHOLE);
        if board.mode == Mode::Whole { !whole } else { board.taken != 0 }
    }

    /// Brings an accelerator into a mode, and says whether it takes work. Asserts that a mode does not change under what
    /// is held.
    pub(crate) fn set_mode(&mut self, index: usize, mode: &str, takes_work: bool) {
        let mut board = self.board(index);
        let mode = Mode::named(mode, self.kind.modes(index));
        if mode != board.mode {
            assert!(!self.is_held(index), "no mode changes under what is held");
            board = Board { mode, ..Board::default() };
            let share = Arc::make_mut(&mut self.shares_free).get_mut(index);
            *share.expect("an accelerator that has a mode is there") =
                if mode == Mode::Whole { WHOLE } else { GpuMilli::ZERO };
        }
        board.closed = !takes_work;
        self.set_board(index, board);
    }

    /// The accelerator as it will be in a mode: empty, and taking work.
    pub(crate) fn imagine(&mut self, index: usize, mode: &str) {
        let mode = Mode::named(mode, self.kind.modes(index));
        if let Some(share) = Arc::make_mut(&mut self.shares_free).get_mut(index) {
            *share = if mode == Mode::Whole { WHOLE } else { GpuMilli::ZERO };
            self.set_board(index, Board { mode, ..Board::default() });
        }
    }

    /// Accelerators that are all whole and take work are not kept, so that nodes that are alike are equal.
    fn set_board(&mut self, index: usize, board: Board) {
        if self.boards.is_empty() {
            if board == Board::default() {
                return;
            }
            self.boards = vec![Board::default(); self.kind.models.len()].into();
        }
        Arc::make_mut(&mut self.boards)[index] = board;
        if self.boards.iter().all(|board| *board == Board::default()) {
            self.boards = Arc::default();
        }
    }

    /// True where every accelerator is whole and takes work.
    pub(crate) fn is_all_whole(&self) -> bool {
        self.boards.is_empty()
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

    pub(crate) fn boards(&self) -> &Arc<[Board]> {
        &self.boards
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
        let boards = (0..self.kind.models.len()).all(|index| !self.is_held(index));
        self.cpu_free == self.kind.cpu && self.memory_free == self.kind.memory && boards
    }

    /// The same node with nothing on it, its accelerators in the modes that they are in.
    pub(crate) fn emptied(&self) -> Self {
        let modes = (0..self.kind.models.len()).map(|index| self.board(index).mode);
        Self {
            cpu_free: self.kind.cpu,
            memory_free: self.kind.memory,
            shares_free: modes.map(|mode| if mode == Mode::Whole { WHOLE } else { GpuMilli::ZERO }).collect(),
            boards: self.boards.iter().map(|board| Board { taken: 0, ..*board }).collect(),
            ..self.clone()
        }
    }

    /// What is free of it, whatever its state.
    pub(crate) fn parts_free(&self) -> Parts<'_> {
        let (cpu, memory) = (self.cpu_free, self.memory_free);
        let (models, cuts) = (&self.kind.models, &self.kind.cuts.0);
        Parts { cpu, memory, shares: &self.shares_free, models, cuts, boards: Some(&self.boards) }
    }

    /// True where a node of this kind would cover what is held here. An accelerator that is held keeps its model.
    pub(crate) fn is_covered_by(&self, kind: &Kind) -> bool {
        let covers = |index| !self.is_held(index) || kind.models.get(index) == self.kind.models.get(index);
        kind.cpu >= self.cpu_held() && kind.memory >= self.memory_held() && (0..self.kind.models.len()).all(covers)
    }

    /// The same holdings on a node of another kind, which covers them. An accelerator that keeps its model keeps its mode.
    pub(crate) fn change_kind(&mut self, kind: Arc<Kind>) {
        assert!(self.is_covered_by(&kind), "a changed node covers what is held on it");
        self.cpu_free = CpuMilli(kind.cpu.0 - self.cpu_held().0);
        self.memory_free = Bytes(kind.memory.0 - self.memory_held().0);
        let stays = |index: &usize| kind.models.get(*index) == self.kind.models.get(*index);
        let (shares, boards) = (&self.shares_free, &self.boards);
        let share = |index| shares.get(index).filter(|_| stays(&index)).copied().unwrap_or(WHOLE);
        let board = |index| boards.get(index).filter(|_| stays(&index)).copied().unwrap_or_default();
        let shares: Arc<[GpuMilli]> = (0..kind.models.len()).map(share).collect();
        let boards: Vec<Board> = (0..kind.models.len()).map(board).collect();
        self.shares_free = shares;
        self.boards =
            if boards.iter().all(|board| *board == Board::default()) { Arc::default() } else { boards.into() };
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
            if let Some(slice) = &held.slice {
                let (mut board, wanted) = (self.board(usize::from(held.index)), places(slice.start, slice.slots));
                assert!(board.taken & wanted == 0, "{node}: the slice to be held is free");
                let mode = self.mode(usize::from(held.index)).0;
                assert!(board.mode == Mode::Unknown || mode == slice.mode, "{node}: a slice is of the mode in force");
                board.taken |= wanted;
                self.set_board(usize::from(held.index), board);
                continue;
            }
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
            if let Some(slice) = &held.slice {
                let (mut board, given) = (self.board(usize::from(held.index)), places(slice.start, slice.slots));
                assert!(board.taken & given == given, "{node}: the slice to be released is held");
                board.taken &= !given;
                self.set_board(usize::from(held.index), board);
                continue;
            }
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
        if wanted.slice.is_some() && wanted.count > 0 {
            let accelerators = self.pick_slices(wanted);
            let allotment = Allotment { node, cpu: request.cpu, memory: request.memory, accelerators };
            self.hold(&allotment);
            return Some(allotment);
        }
        let mut picked: Vec<_> = if wanted.count == 0 {
            Vec::new()
        } else {
            parts.suiting(wanted).filter(|(_, free)| *free >= wanted.share).map(|(index, free)| (free, index)).collect()
        };
        picked.sort_unstable();
        picked.truncate(wanted.count as usize);
        picked.sort_unstable_by_key(|(_, index)| *index);
        let accelerators =
            picked.into_iter().map(|(_, index)| AllottedAccelerator::of(board(index), wanted.share)).collect();
        let allotment = Allotment { node, cpu: request.cpu, memory: request.memory, accelerators };
        self.hold(&allotment);
        Some(allotment)
    }

    /// Holds one task of this size that takes a part of this accelerator, which has it.
    pub(crate) fn take_part(&mut self, node: NodeId, request: &TaskRequest, index: usize) -> Allotment {
        let accelerators =
            vec![AllottedAccelerator { index: board(index), share: request.accelerators.share, slice: None }];
        let allotment = Allotment { node, cpu: request.cpu, memory: request.memory, accelerators };
        self.hold(&allotment);
        allotment
    }

    /// The slices that a task gets, for which there is room: from the fullest accelerator that has a place, so that empty
    /// ones stay empty and can change their mode, and there at the best start.
    fn pick_slices(&self, request: &AcceleratorRequest) -> Vec<AllottedAccelerator> {
        let mut offers: Vec<Offer<'_>> = self.parts_free().offering(request).collect();
        let mut picked = Vec::new();
        for _ in 0..request.count {
            let found = offers.iter_mut().filter_map(|offer| {
                let start = best_start(offer.mode, offer.profile, offer.taken)?;
                Some(((Reverse(offer.taken.count_ones()), offer.index), start, offer))
            });
            let (_, start, offer) = found.min_by_key(|(key, _, _)| *key).expect("there is room for every slice");
            offer.taken |= places(start, offer.profile.slots);
            let slice = HeldSlice {
                mode: offer.mode.name.clone(),
                profile: offer.profile.profile.clone(),
                start,
                slots: offer.profile.slots,
            };
            picked.push((board(offer.index), slice, offer.profile.share));
        }
        picked.sort_unstable_by_key(|(index, slice, _)| (*index, slice.start));
        picked
            .into_iter()
            .map(|(index, slice, share)| AllottedAccelerator { index, share, slice: Some(slice) })
            .collect()
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
        for index in 0..other.boards.len() {
            let mut board = self.board(index);
            board.taken |= other.board(index).taken;
            self.set_board(index, board);
        }
    }
}

fn board(index: usize) -> u16 {
    u16::try_from(index).expect("a node has at most 65,535 accelerators")
}

fn share_of<'a>(shares: &'a mut Arc<[GpuMilli]>, held: &AllottedAccelerator, node: NodeId) -> &'a mut GpuMilli {
    let share = Arc::make_mut(shares).get_mut(usize::from(held.index));
    share.unwrap_or_else(|| panic!("{node}: accelerator {} is there", held.index))
}
