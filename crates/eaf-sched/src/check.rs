//! The checker: is this plan lawful?
//!
//! What: every rule that a plan may not break, tested from the snapshot and the plan alone. Why independent: it shares no
//! arithmetic and no search with the planner, so that a fault in those shows here. Absent: taste; a plan that is lawful
//! and poor passes.

use crate::check_shares::within_shares;
use crate::preempt::NOTICE;
use crate::{Class, Entry, Evictable, Hold, ModeChange, ModeRules, NodeCapacity, Plan, Shape, Snapshot, Window};
use eaf_model::{
    AcceleratorRequest, Allotment, AllottedAccelerator, LeaseId, ModeScope, NodeId, NodeState, Order, PartitionMode,
    Passing, Placement, Placing, Test, Time, WHOLE_MODE, WorkloadId,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How a plan breaks the rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// More grants than one pass may make.
    #[error("{grants} grants in one pass, and {max} are allowed")]
    TooManyGrants {
        /// How many.
        grants: usize,
        /// How many are allowed.
        max: u32,
    },
    /// It does not wait.
    #[error("{workload} is not in the queue")]
    NotQueued {
        /// Which.
        workload: WorkloadId,
    },
    /// It is granted twice, or granted and held for.
    #[error("{workload} is in the plan twice")]
    Twice {
        /// Which.
        workload: WorkloadId,
    },
    /// A gang is not whole.
    #[error("{workload} has {placed} of its {wanted} tasks placed")]
    GangNotWhole {
        /// Whose.
        workload: WorkloadId,
        /// Tasks with a place.
        placed: usize,
        /// Tasks that it has.
        wanted: u32,
    },
    /// Too many tasks share a node.
    #[error("{workload} has more than {max} tasks on {node}")]
    TasksPerNode {
        /// Whose.
        workload: WorkloadId,
        /// Where.
        node: NodeId,
        /// How many may be there.
        max: u32,
    },
    /// A task gets something else than it asks for.
    #[error("a task of {workload} gets something else on {node} than it asks for")]
    NotAsAsked {
        /// Whose.
        workload: WorkloadId,
        /// Where.
        node: NodeId,
    },
    /// There is no such node.
    #[error("{workload} is placed on {node}, which is not there")]
    UnknownNode {
        /// Whose.
        workload: WorkloadId,
        /// Where.
        node: NodeId,
    },
    /// A node cannot take what is placed on it.
    #[error("{workload} is placed on {node}, which fails {test:?}")]
    Unfit {
        /// Whose.
        workload: WorkloadId,
        /// Where.
        node: NodeId,
        /// What the node fails.
        test: Test,
    },
    /// Grants are not in queue order, or one goes before another of its own shape.
    #[error("{workload} is granted out of order")]
    OutOfOrder {
        /// Which.
        workload: WorkloadId,
    },
    /// Something passes the first that waits, and that has no hold to protect it.
    #[error("{by} passes {workload}, which has no hold")]
    Passed {
        /// Who waits.
        workload: WorkloadId,
        /// Who passes.
        by: WorkloadId,
    },
    /// A hold does not lie in the future.
    #[error("the hold of {workload} is not after the pass")]
    HoldNotLater {
        /// Whose.
        workload: WorkloadId,
    },
    /// A lease is told to stop that may not be, or not for this workload.
    #[error("{lease} may not be stopped for {workload}")]
    MayNotStop {
        /// For whom.
        workload: WorkloadId,
        /// Which.
        lease: LeaseId,
    },
    /// A lease is told to stop that could be spared.
    #[error("{lease} need not stop for {workload}")]
    NeedNotStop {
        /// For whom.
        workload: WorkloadId,
        /// Which.
        lease: LeaseId,
    },
    /// Something would be held on a node that is kept for others at that time.
    #[error("{workload} would hold {node} while that is kept for others")]
    Closed {
        /// Whose.
        workload: WorkloadId,
        /// Where.
        node: NodeId,
    },
    /// A share gets more than it may have.
    #[error("{workload} takes more of {model} than its shares let it")]
    AboveShare {
        /// Whose.
        workload: WorkloadId,
        /// Of which model.
        model: String,
    },
    /// What the hold needs on a node is not free when it begins.
    #[error("the hold of {workload} is delayed on {node}: {test:?}")]
    HoldDelayed {
        /// Whose.
        workload: WorkloadId,
        /// Where.
        node: NodeId,
        /// What is not free.
        test: Test,
    },
    /// A change of mode breaks a rule.
    #[error("accelerator {accelerator} of {node} may not become {to}: {why}")]
    ModeChange {
        /// Where.
        node: NodeId,
        /// Which.
        accelerator: u16,
        /// The mode.
        to: String,
        /// The rule.
        why: &'static str,
    },
}

/// Tests a plan against the snapshot that it was made from: no accelerator over 1000, no node over its parts, ready nodes
/// only, gangs whole, models right, `tasks_per_node_max`, workloads queued and once, in order, and the hold not delayed.
/// O(grants + shapes met + leases that end before the hold); O(nodes + leases) where something passes a workload that only
/// what never ends keeps from starting.
///
/// # Errors
/// The first rule that is broken.
pub fn check(snapshot: &Snapshot, plan: &Plan) -> Result<(), Violation> {
    let grants = plan.grants.len();
    if grants > snapshot.grants_max as usize {
        return Err(Violation::TooManyGrants { grants, max: snapshot.grants_max });
    }
    let mut seen = BTreeSet::new();
    let mut granted = Vec::with_capacity(grants);
    let mut rooms = Rooms::new(snapshot);
    for grant in &plan.grants {
        let workload = grant.workload;
        let entry = snapshot.queue.get(workload).ok_or(Violation::NotQueued { workload })?;
        if !seen.insert(workload) {
            return Err(Violation::Twice { workload });
        }
        as_asked(&entry, &grant.placement)?;
        rooms.put(&entry, &grant.placement, |node, test| Violation::Unfit { workload, node, test })?;
        granted.push((entry, &grant.placement));
    }
    in_order(snapshot, &granted)?;
    outside_windows(snapshot, plan)?;
    let open = within_shares(snapshot, plan)?;
    nobody_passed(snapshot, plan, &granted)?;
    hold_kept(snapshot, plan, &granted, &seen)?;
    claims_hold(snapshot, plan, &granted, &open, seen)
}

/// Nothing that is granted, promised or claimed would hold a node while that is kept for others.
fn outside_windows(snapshot: &Snapshot, plan: &Plan) -> Result<(), Violation> {
    let now = snapshot.now;
    let grants = plan.grants.iter().map(|grant| (grant.workload, now, &grant.placement));
    let claims = plan.claims.iter().map(|claim| (claim.workload, now, &claim.placement));
    let holds = plan.hold.iter().map(|hold| (hold.workload, hold.at, &hold.placement));
    for (workload, from, placement) in grants.chain(claims).chain(holds) {
        let entry = snapshot.queue.get(workload).ok_or(Violation::NotQueued { workload })?;
        let until = from.after(entry.shape.wall);
        let is_others = |window: &&Window| window.project.is_none() || window.project != entry.shape.project;
        for window in snapshot.windows.iter().filter(is_others) {
            let meets = window.until > from && window.from < until;
            if meets && placement.tasks.iter().any(|task| task.node == window.node) {
                return Err(Violation::Closed { workload, node: window.node });
            }
        }
    }
    Ok(())
}

/// Whoever is told to stop may be told so, is needed, and together they make room.
fn claims_hold<'a>(
    snapshot: &'a Snapshot,
    plan: &Plan,
    granted: &[(Entry, &Placement)],
    open: &[Vec<String>],
    mut seen: BTreeSet<WorkloadId>,
) -> Result<(), Violation> {
    if plan.claims.is_empty() {
        return Ok(());
    }
    let by = snapshot.queue.order();
    let mut told: BTreeSet<LeaseId> = BTreeSet::new();
    let mut rooms: Rooms<'a> = Rooms::all(snapshot);
    // The hold goes before every claim, which keeps off its nodes.
    for task in plan.hold.iter().flat_map(|hold| &hold.placement.tasks) {
        rooms.room(task.node).into_iter().for_each(|room| room.state = NodeState::Cordoned);
    }
    snapshot.running.leaving().flat_map(|tasks| tasks.iter()).for_each(|task| rooms.give_back(task));
    let mut coming = granted.iter().enumerate().peekable();
    for (at, claim) in plan.claims.iter().enumerate() {
        let workload = claim.workload;
        let mut shape = None;
        let entry = snapshot.queue.get(workload).ok_or(Violation::NotQueued { workload })?;
        let hold = plan.hold.as_ref().is_some_and(|hold| hold.workload == workload);
        if hold || !seen.insert(workload) {
            return Err(Violation::Twice { workload });
        }
        as_asked(&entry, &claim.placement)?;
        let is_before = |(granted, _): &(Entry, &Placement)| turn(by, granted) < turn(by, &entry);
        if snapshot.shares.is_empty() && granted.partition_point(is_before) != claim.behind {
            return Err(Violation::OutOfOrder { workload });
        }
        while let Some((_, (_, placement))) = coming.next_if(|(at, _)| *at < claim.behind) {
            rooms.take(placement);
        }
        for lease in &claim.victims {
            let class = Class::of(by, entry.priority, entry.level);
            let same = |victim: &Evictable| victim.preemptible && victim.class > class;
            let between = |victim: &Evictable| !snapshot.shares.is_empty() && victim.project != entry.shape.project;
            let may = |victim: &Evictable| (between(victim) || same(victim)) && victim.started_at < snapshot.now;
            if !snapshot.running.get(*lease).is_some_and(may) || !told.insert(*lease) {
                return Err(Violation::MayNotStop { workload, lease: *lease });
            }
        }
        for lease in &claim.victims {
            let mut without = rooms.clone();
            let end = snapshot.now.after(entry.shape.wall).after(NOTICE);
            for window in snapshot.windows.closing(entry.shape.project.as_deref(), snapshot.now, end) {
                without.room(window.node).into_iter().for_each(|room| room.state = NodeState::Cordoned);
            }
            claim.victims.iter().filter(|other| *other != lease).for_each(|other| without.give_back_lease(*other));
            let shape = shape.get_or_insert_with(|| open_shape(&entry, open.get(at)));
            if without.fits(shape) {
                return Err(Violation::NeedNotStop { workload, lease: *lease });
            }
        }
        claim.victims.iter().for_each(|lease| rooms.give_back_lease(*lease));
        rooms.put(&entry, &claim.placement, |node, test| Violation::Unfit { workload, node, test })?;
    }
    // What is granted behind a claim leaves it what it needs.
    let first = plan.claims[0].workload;
    coming.try_for_each(|(_, (entry, placement))| {
        let fits = rooms.take(placement);
        if fits { Ok(()) } else { Err(Violation::Passed { workload: first, by: entry.workload }) }
    })
}

/// What a workload asks for, of the models that its shares let it take.
fn open_shape(entry: &Entry, open: Option<&Vec<String>>) -> Shape {
    let mut shape = Shape::clone(&entry.shape);
    if let Some(open) = open.filter(|_| shape.task.accelerators.count > 0) {
        shape.task.accelerators.models.clone_from(open);
    }
    shape
}

/// The gang is whole, and each task gets what it asks for.
fn as_asked(entry: &Entry, placement: &Placement) -> Result<(), Violation> {
    let (workload, shape) = (entry.workload, &entry.shape);
    let placed = placement.tasks.len();
    if placed != shape.tasks as usize {
        return Err(Violation::GangNotWhole { workload, placed, wanted: shape.tasks });
    }
    let mut on_node: BTreeMap<NodeId, u32> = BTreeMap::new();
    for task in &placement.tasks {
        let node = task.node;
        let asked = &shape.task;
        let boards = &task.accelerators;
        let same =
            (task.cpu, task.memory, boards.len()) == (asked.cpu, asked.memory, asked.accelerators.count as usize);
        let place = |board: &AllottedAccelerator| (board.index, board.slice.as_ref().map(|slice| slice.start));
        let rising = boards.windows(2).all(|pair| place(&pair[0]) < place(&pair[1]));
        if !same || !rising || !boards.iter().all(|board| is_as_asked(board, &asked.accelerators)) {
            return Err(Violation::NotAsAsked { workload, node });
        }
        let tasks = on_node.entry(node).or_default();
        *tasks += 1;
        match shape.tasks_per_node_max {
            Some(max) if *tasks > max => return Err(Violation::TasksPerNode { workload, node, max }),
            _ => {}
        }
    }
    Ok(())
}

/// A share where a share is asked for, and a slice where a slice is.
fn is_as_asked(board: &AllottedAccelerator, asked: &AcceleratorRequest) -> bool {
    match (&board.slice, &asked.slice) {
        (None, None) => board.share == asked.share,
        (Some(held), Some(wanted)) => {
            held.profile == *wanted || held.profile.split_once('/').is_some_and(|(front, _)| front == wanted)
        }
        _ => false,
    }
}

/// Grants follow the queue, and of each shape the first go first.
fn in_order(snapshot: &Snapshot, granted: &[(Entry, &Placement)]) -> Result<(), Violation> {
    let mut by_shape: BTreeMap<&Arc<Shape>, Vec<WorkloadId>> = BTreeMap::new();
    // Between projects that have shares the order moves with every grant.
    let line = |entry: &Entry| entry.shape.project.clone().filter(|_| !snapshot.shares.is_empty());
    let mut last = BTreeMap::new();
    let by = snapshot.queue.order();
    for (entry, _) in granted {
        let place = turn(by, entry);
        if last.insert(line(entry), place).is_some_and(|last| place < last) {
            return Err(Violation::OutOfOrder { workload: entry.workload });
        }
        by_shape.entry(&entry.shape).or_default().push(entry.workload);
    }
    for (shape, workloads) in by_shape {
        let firsts = snapshot.queue.of_shape(shape);
        if let Some((_, workload)) = firsts.zip(workloads).find(|(first, workload)| first != workload) {
            return Err(Violation::OutOfOrder { workload });
        }
    }
    Ok(())
}

/// Whoever starts behind the first that waits does so beside that one's hold; where whatever fits may pass, that is kept
/// for those that have waited too long. Those that cannot start, whatever comes back, hold nobody up.
fn nobody_passed(snapshot: &Snapshot, plan: &Plan, granted: &[(Entry, &Placement)]) -> Result<(), Violation> {
    let Some((last, _)) = granted.last() else { return Ok(()) };
    // Who goes before whom between projects is told by shares; each grant is tested against those.
    if !snapshot.shares.is_empty() {
        return Ok(());
    }
    let turn = |entry: &Entry| turn(snapshot.queue.order(), entry);
    let mut granted_of: BTreeMap<&Arc<Shape>, usize> = BTreeMap::new();
    for (entry, _) in granted {
        *granted_of.entry(&entry.shape).or_default() += 1;
    }
    // For whom others stop is not passed: what it will take is kept for it.
    let claimed: Vec<Entry> = plan.claims.iter().filter_map(|claim| snapshot.queue.get(claim.workload)).collect();
    for entry in &claimed {
        *granted_of.entry(&entry.shape).or_default() += 1;
    }
    let mut passed = Vec::new();
    for first in snapshot.queue.firsts().take_while(|first| turn(first) < turn(last)) {
        let granted = granted_of.get(&first.shape).copied().unwrap_or(0);
        let waits = snapshot.queue.of_shape(&first.shape).nth(granted).and_then(|next| snapshot.queue.get(next));
        let is_passed =
            |waits: &Entry| turn(waits) < turn(last) && (snapshot.passing != Passing::Skip || waits.is_aged);
        passed.extend(waits.filter(is_passed));
    }
    passed.sort_by_key(&turn);
    for waits in passed {
        let workload = waits.workload;
        if plan.hold.as_ref().is_some_and(|hold| hold.workload == workload) {
            return Ok(());
        }
        let before = granted.partition_point(|(entry, _)| turn(entry) < turn(&waits));
        if !is_hopeless(snapshot, &waits.shape, &granted[..before]) {
            return Err(Violation::Passed { workload, by: granted[before].0.workload });
        }
    }
    Ok(())
}

/// A place in the queue; the least goes first.
fn turn(order: Order, entry: &Entry) -> (bool, Reverse<i32>, u64, Time, WorkloadId) {
    let (priority, key) = match order {
        _ if entry.is_aged => (0, 0),
        Order::Priority => (entry.priority, u64::from(entry.level)),
        Order::Fifo => (0, 0),
        Order::Sjf => (0, entry.shape.wall.0),
        Order::Las => (0, u64::from(entry.level)),
    };
    (!entry.is_aged, Reverse(priority), key, entry.submitted_at, entry.workload)
}

/// True where a gang does not fit, by the rule in force, once all is back that ever comes back.
fn is_hopeless(snapshot: &Snapshot, shape: &Shape, granted_before: &[(Entry, &Placement)]) -> bool {
    // The one index that the checker shares with the planner: a deep queue for nodes that are away, with other work
    // flowing past it, would otherwise cost a look at every node in every pass.
    if !snapshot.fleet.ready_fit(shape) {
        return true;
    }
    // Where windows lie ahead, what is free once all is back may be closed to it whenever it is free.
    if snapshot.windows.next_over(shape.project.as_deref(), snapshot.now).is_some() {
        return true;
    }
    let endless = granted_before.iter().filter(|(entry, _)| snapshot.now.after(entry.shape.wall) == Time::NEVER);
    !Rooms::when_all_is_back(snapshot, endless).fits(shape)
}

/// What the hold needs is free when it begins, with every grant made.
fn hold_kept(
    snapshot: &Snapshot,
    plan: &Plan,
    granted: &[(Entry, &Placement)],
    seen: &BTreeSet<WorkloadId>,
) -> Result<(), Violation> {
    let Some(hold) = &plan.hold else { return Ok(()) };
    let workload = hold.workload;
    let entry = snapshot.queue.get(workload).ok_or(Violation::NotQueued { workload })?;
    if seen.contains(&workload) {
        return Err(Violation::Twice { workload });
    }
    if hold.at <= snapshot.now {
        return Err(Violation::HoldNotLater { workload });
    }
    as_asked(&entry, &hold.placement)?;
    let needed: BTreeSet<NodeId> = hold.placement.tasks.iter().map(|task| task.node).collect();
    let mut rooms = Rooms::new(snapshot);
    for (_, _, tasks) in snapshot.releases.iter().take_while(|(at, _, _)| *at <= hold.at) {
        tasks.iter().filter(|task| needed.contains(&task.node)).for_each(|task| rooms.give_back(task));
    }
    for (entry, placement) in granted {
        if snapshot.now.after(entry.shape.wall) > hold.at {
            rooms.put(entry, placement, |node, test| Violation::HoldDelayed { workload, node, test })?;
        }
    }
    rooms.put(&entry, &hold.placement, |node, test| Violation::HoldDelayed { workload, node, test })
}

/// What is free on the nodes that were looked at.
#[derive(Clone)]
struct Rooms<'a> {
    snapshot: &'a Snapshot,
    rooms: BTreeMap<NodeId, Room<'a>>,
}

#[derive(Clone)]
struct Room<'a> {
    state: NodeState,
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
    fn new(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, rooms: BTreeMap::new() }
    }

    /// Every node, with all back that ever comes back.
    fn when_all_is_back<'g>(snapshot: &'a Snapshot, endless: impl Iterator<Item = &'g (Entry, &'g Placement)>) -> Self {
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
    fn all(snapshot: &'a Snapshot) -> Self {
        Self { snapshot, rooms: snapshot.fleet.nodes().map(|(id, node)| (id, Room::of(node))).collect() }
    }

    /// What a lease that may be stopped holds is back.
    fn give_back_lease(&mut self, lease: LeaseId) {
        let tasks = self.snapshot.running.get(lease).map(|lease| lease.tasks.clone());
        tasks.iter().flat_map(|tasks| tasks.iter()).for_each(|task| self.give_back(task));
    }

    /// Takes what was tested before; false where it is not all there.
    fn take(&mut self, placement: &Placement) -> bool {
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
    fn fits(&self, shape: &Shape) -> bool {
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

    fn room(&mut self, id: NodeId) -> Option<&mut Room<'a>> {
        if !self.rooms.contains_key(&id) {
            self.rooms.insert(id, Room::of(self.snapshot.fleet.get(id)?));
        }
        self.rooms.get_mut(&id)
    }

    fn give_back(&mut self, task: &Allotment) {
        let Some(room) = self.room(task.node) else { return };
        room.cpu += task.cpu.0;
        room.memory += task.memory.0;
        for board in &task.accelerators {
            room.boards[usize::from(board.index)].give_back(board);
        }
    }

    /// Puts every task of a placement into its node.
    fn put(
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

/// Tests changes of mode against the snapshot behind a pass: ready nodes, accelerators that take work and are in another
/// mode, empty where nothing is said of draining, those together that change together, each once, for somebody who waits
/// and whom the mode serves, and none that is promised to whoever goes first. O(changes).
///
/// # Errors
/// The first rule that is broken.
pub fn check_modes(
    snapshot: &Snapshot,
    hold: Option<&Hold>,
    changes: &[ModeChange],
    rules: ModeRules,
) -> Result<(), Violation> {
    let mut seen = BTreeSet::new();
    for change in changes {
        let wrong = |accelerator, why| {
            Err(Violation::ModeChange { node: change.node, accelerator, to: change.to.clone(), why })
        };
        let first = change.accelerators.first().copied().unwrap_or_default();
        let Some(entry) = snapshot.queue.get(change.workload) else {
            return Err(Violation::NotQueued { workload: change.workload });
        };
        let ready = snapshot.fleet.get(change.node).filter(|node| node.state() == NodeState::Ready);
        let Some(node) = ready else { return wrong(first, "its node takes no work") };
        if change.accelerators.is_empty() || !change.accelerators.windows(2).all(|pair| pair[0] < pair[1]) {
            return wrong(first, "its accelerators do not rise");
        }
        if change.drained_at.is_some_and(|at| at <= snapshot.now) {
            return wrong(first, "it is drained in the past");
        }
        for board in &change.accelerators {
            if !seen.insert((change.node, *board)) {
                return wrong(*board, "it changes twice");
            }
            if let Some(why) = unlawful(snapshot, hold, change, &entry, node, *board) {
                return wrong(*board, why);
            }
        }
        if seen.len() > rules.changes_max as usize + change.accelerators.len() {
            return wrong(first, "too many change in one pass");
        }
    }
    Ok(())
}

/// Why one accelerator may not change.
fn unlawful(
    snapshot: &Snapshot,
    hold: Option<&Hold>,
    change: &ModeChange,
    entry: &Entry,
    node: &NodeCapacity,
    board: u16,
) -> Option<&'static str> {
    let index = usize::from(board);
    let asked = &entry.shape.task.accelerators;
    let Some(model) = node.accelerators().nth(index).map(|(model, _)| model) else { return Some("it is not there") };
    let (mode, takes_work) = node.mode(index);
    let cut = node.modes(index).iter().find(|cut| cut.name == change.to);
    let serves = match &asked.slice {
        None => change.to == WHOLE_MODE,
        Some(slice) => cut.is_some_and(|cut| cut.slices.iter().any(|profile| profile.is_meant_by(slice))),
    };
    let alike = || node.accelerators().enumerate().filter(|(_, (other, _))| *other == model).map(|(index, _)| index);
    let by_node = node
        .modes(index)
        .iter()
        .filter(|cut| cut.scope == ModeScope::Node)
        .any(|cut| cut.name == change.to || alike().any(|other| node.mode(other).0 == cut.name));
    let listed = |index: usize| {
        let is_there = node.mode(index) == (change.to.as_str(), true);
        is_there || change.accelerators.iter().any(|listed| usize::from(*listed) == index)
    };
    let order = snapshot.queue.order();
    let goes_first = |hold: &&Hold| {
        let holder = snapshot.queue.get(hold.workload);
        holder.is_some_and(|holder| turn(order, &holder) < turn(order, entry))
    };
    let promised = |hold: &Hold| {
        let mut there = hold.placement.tasks.iter().filter(|task| task.node == change.node);
        there.any(|task| task.accelerators.iter().any(|one| one.index == board))
    };
    match () {
        () if !takes_work => Some("it takes no work"),
        () if mode == change.to => Some("it is so already"),
        () if !serves => Some("that serves nobody"),
        () if change.drained_at.is_none() && node.is_held(index) => Some("something is held on it"),
        () if by_node && !alike().all(listed) => Some("others change with it"),
        () if hold.filter(goes_first).is_some_and(promised) => Some("it is promised"),
        () => None,
    }
}
