//! A far simpler model of the factory, that runs beside it and must agree.
//!
//! What: who holds what, what was promised, what has begun and what is gone; told of durable events, of acknowledgements
//! and of what the engine really does, and of nothing else. Why apart: it is written from the words of the design, so that
//! a mistake of the core is not made here too. Absent: policy; it never says what should be placed, only what may not be.

use super::sharing::told;
use eaf_core::{State, Step, Violation};
use eaf_model::{
    Allotment, Event, Exit, LeaseId, ModeState, NodeId, NodeSpec, PartitionBook, Passing, Policy, Reason, Span,
    TaskKey, Time, Timing, WHOLE_MODE, WorkloadId, WorkloadSpec, WorkloadState,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(super) type Checked = Result<(), Violation>;

pub(super) fn broken(rule: &'static str, what: String) -> Checked {
    Err(Violation { rule, what })
}

/// Every task that a lease can have.
const fn tasks_of(lease: LeaseId) -> std::ops::RangeInclusive<TaskKey> {
    TaskKey { lease, task: 0 }..=TaskKey { lease, task: u32::MAX }
}

/// A task, by its lease and its rank: `ls-7.0/1`.
pub(crate) fn key_text(key: TaskKey) -> String {
    format!("{}/{}", key.lease, key.task)
}

/// What is held of a node, or really used of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Load {
    cpu: u64,
    memory: u64,
    accelerators: BTreeMap<u16, u64>,
    /// How often each place of an accelerator that is cut is held.
    places: BTreeMap<(u16, u8), u64>,
    /// How many parts of each accelerator are held, by the mode that they are of.
    modes: BTreeMap<(u16, String), u64>,
}

/// The fewest tasks that a gang may start and go on with.
fn needed(spec: &WorkloadSpec) -> u32 {
    spec.tasks_min.unwrap_or(spec.tasks).min(spec.tasks)
}

/// The places of an accelerator that an allotment names.
fn places(one: &eaf_model::AllottedAccelerator) -> impl Iterator<Item = (u16, u8)> {
    let slices = one.slice.iter().flat_map(|slice| slice.start..slice.start.saturating_add(slice.slots));
    slices.map(|place| (one.index, place))
}

/// The mode that a part of an accelerator is of.
fn mode_of(one: &eaf_model::AllottedAccelerator) -> (u16, String) {
    (one.index, one.slice.as_ref().map_or(WHOLE_MODE, |slice| slice.mode.as_str()).to_owned())
}

impl Load {
    fn add(&mut self, part: &Allotment) {
        self.cpu += part.cpu.0;
        self.memory += part.memory.0;
        for one in &part.accelerators {
            if one.slice.is_none() {
                *self.accelerators.entry(one.index).or_default() += one.share.0;
            }
            places(one).for_each(|place| *self.places.entry(place).or_default() += 1);
            *self.modes.entry(mode_of(one)).or_default() += 1;
        }
    }

    fn take(&mut self, part: &Allotment) {
        self.cpu -= part.cpu.0;
        self.memory -= part.memory.0;
        for one in &part.accelerators {
            if one.slice.is_none() {
                *self.accelerators.entry(one.index).or_default() -= one.share.0;
            }
            places(one).for_each(|place| *self.places.entry(place).or_default() -= 1);
            *self.modes.entry(mode_of(one)).or_default() -= 1;
        }
        self.modes.retain(|_, parts| *parts > 0);
    }

    /// True where something of an accelerator is held.
    fn holds(&self, board: u16) -> bool {
        self.modes.keys().any(|(index, _)| *index == board)
    }

    /// How many tasks find room beside this, one by one.
    fn room(&self, node: &NodeSpec, asked: &WorkloadSpec) -> u32 {
        let most = asked.tasks_per_node_max.unwrap_or(u32::MAX).min(needed(asked));
        let wanted = &asked.task.accelerators;
        let mut load = self.clone();
        for fitted in 0..most {
            load.cpu += asked.task.cpu.0;
            load.memory += asked.task.memory.0;
            let mut missing = wanted.count;
            for (board, index) in node.accelerators.iter().zip(0_u16..) {
                let held = load.accelerators.entry(index).or_default();
                let suits = wanted.models.is_empty() || wanted.models.contains(&board.model);
                if missing > 0 && suits && *held + wanted.share.0 <= 1_000 {
                    *held += wanted.share.0;
                    missing -= 1;
                }
            }
            if missing > 0 || !load.fits(node) {
                return fitted;
            }
        }
        most
    }

    fn fits(&self, spec: &NodeSpec) -> bool {
        let whole = |(index, share): (&u16, &u64)| {
            *share == 0 || (*share <= 1_000 && usize::from(*index) < spec.accelerators.len())
        };
        let once = self.places.values().all(|times| *times <= 1);
        self.cpu <= spec.cpu.0 && self.memory <= spec.memory.0 && self.accelerators.iter().all(whole) && once
    }
}

/// A node, as announced.
#[derive(Clone, Debug)]
struct Machine {
    spec: NodeSpec,
    lost: bool,
    cordoned: bool,
    held: Load,
    used: Load,
    /// The modes that are in force by the journal, of accelerators that are not whole.
    modes: BTreeMap<u16, String>,
    /// Accelerators that take no work.
    closed: BTreeSet<u16>,
    /// The modes that are really in force, of accelerators that are not whole.
    cut: BTreeMap<u16, String>,
}

impl Machine {
    fn new(spec: &NodeSpec) -> Self {
        let (held, used) = (Load::default(), Load::default());
        let (modes, closed, cut) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
        Self { spec: spec.clone(), lost: false, cordoned: false, held, used, modes, closed, cut }
    }

    /// It has other parts, as far as the journal knows; accelerators of another model than before are whole there. What is
    /// really in force changes with the machine and not with late news of it.
    fn change(&mut self, spec: &NodeSpec) {
        let old = std::mem::replace(&mut self.spec, spec.clone());
        let model =
            |spec: &NodeSpec, board: u16| spec.accelerators.get(usize::from(board)).map(|one| one.model.clone());
        let stays = |board: &u16| model(&old, *board) == model(spec, *board);
        self.modes.retain(|board, _| stays(board));
        self.closed.retain(stays);
    }
}

impl Machine {
    fn mode(&self, board: u16) -> &str {
        self.modes.get(&board).map_or(WHOLE_MODE, String::as_str)
    }
}

/// Something that was promised.
#[derive(Clone, Debug)]
struct Promise {
    spec: Arc<WorkloadSpec>,
    lease: Option<LeaseId>,
    waits_for: Vec<WorkloadId>,
}

/// A lease that is open.
#[derive(Clone, Debug)]
struct OpenLease {
    workload: WorkloadId,
    /// Tasks of which nothing has been heard yet that ends them.
    open: BTreeSet<u32>,
    /// True while every task that has ended and was not lost did so with 0.
    clean: bool,
    /// How many tasks more than it needs it started with.
    spare: usize,
    /// How many it has lost.
    lost: usize,
    /// True once it was told to stop.
    told: bool,
    /// When the last of those was, and the last end of a task that was not lost.
    last_lost: Option<Time>,
    last_own: Option<Time>,
}

impl OpenLease {
    /// True where all that was not lost ended well, was enough, and was still at work when the last was lost.
    fn ended_well(&self) -> bool {
        self.clean && self.lost <= self.spare && (self.lost == 0 || self.last_own >= self.last_lost)
    }
}

/// The model.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reference {
    machines: BTreeMap<NodeId, Machine>,
    promises: BTreeMap<WorkloadId, Promise>,
    ended: BTreeMap<WorkloadId, WorkloadState>,
    leases: BTreeMap<LeaseId, OpenLease>,
    /// Whose a lease was, open or closed.
    of_lease: BTreeMap<LeaseId, WorkloadId>,
    /// What each task holds until it is known to be gone.
    held: BTreeMap<TaskKey, Allotment>,
    /// What is really there.
    present: BTreeMap<TaskKey, Allotment>,
    /// The latest checkpoint of each task.
    checkpoints: BTreeMap<TaskKey, Time>,
    /// What has ever begun, where somebody still knows.
    begun: BTreeSet<TaskKey>,
    last_step: u64,
    book: PartitionBook,
    pub(super) policy: Box<Policy>,
    wall_default: Option<Span>,
    /// Leases that were told to make room for others and still hold something.
    leaving: BTreeSet<LeaseId>,
    /// True while whatever fits may start, so that nothing is kept free for anybody who waits.
    everything_passes: bool,
    /// True once somebody has waited so long that something may be kept free after all.
    somebody_is_aged: bool,
}

impl Reference {
    /// A step is durable.
    pub(crate) fn durable(&mut self, step: &Step) -> Checked {
        if step.number != self.last_step + 1 {
            return broken("steps have no holes", format!("step {} follows step {}", step.number, self.last_step));
        }
        self.last_step = step.number;
        let left_before = self.leaving.len();
        // What makes room counts as given back by the whole step, in which others may take it.
        self.leaving.extend(told(step).into_iter().map(|(lease, _)| lease));
        step.events.iter().try_for_each(|event| self.event(event))?;
        self.no_gang_is_below_its_minimum(step)?;
        self.outside_windows(step)?;
        self.leaving.retain(|lease| self.held.range(tasks_of(*lease)).next().is_some());
        self.nobody_makes_room_in_vain(step, left_before)?;
        self.only_what_is_borrowed(&told(step))
    }

    /// A gang that has lost a task in this step goes on with as many as it needs, or is told to stop.
    fn no_gang_is_below_its_minimum(&self, step: &Step) -> Checked {
        let touched = step.events.iter().filter_map(|event| match event {
            Event::TaskExited { key, .. } | Event::TaskAbandoned { key, .. } => self.leases.get_key_value(&key.lease),
            _ => None,
        });
        for (id, lease) in touched {
            if lease.lost > lease.spare && !lease.told && !lease.open.is_empty() {
                let what = format!("{id} goes on with {} of its tasks lost, and {} to spare", lease.lost, lease.spare);
                return broken("a gang is not left below its minimum", what);
            }
        }
        Ok(())
    }

    /// What a node has, as far as the journal knows.
    pub(super) fn spec_of(&self, node: NodeId) -> Option<&NodeSpec> {
        self.machines.get(&node).map(|machine| &machine.spec)
    }

    /// What tasks hold that are not over; what was given up with its node is the factory's loss and nobody's use.
    pub(super) fn held_parts(&self) -> impl Iterator<Item = (&TaskKey, &Allotment)> {
        let is_open = |key: &TaskKey| self.leases.get(&key.lease).is_some_and(|lease| lease.open.contains(&key.task));
        self.held.iter().filter(move |(key, _)| is_open(key))
    }

    pub(super) fn is_leaving(&self, lease: LeaseId) -> bool {
        self.leaving.contains(&lease)
    }

    /// Whose a lease is that is open.
    pub(super) fn project_of(&self, lease: LeaseId) -> Option<String> {
        self.leases.get(&lease).and_then(|open| self.project_of_workload(open.workload))
    }

    fn windows_are_over(&mut self, over: &[String]) {
        self.policy.reservations.retain(|name, _| !over.contains(name));
        self.policy.maintenance.retain(|name, _| !over.contains(name));
    }

    /// How long a workload may run.
    pub(super) fn wall_of(&self, workload: WorkloadId) -> Span {
        let stated = self.promises.get(&workload).and_then(|promise| promise.spec.wall_time);
        stated.or(self.wall_default).unwrap_or_else(|| Timing::default().wall_time_default)
    }

    pub(super) fn project_of_workload(&self, workload: WorkloadId) -> Option<String> {
        self.promises.get(&workload).map(|promise| promise.spec.project.clone())
    }

    /// Of those that make room for one workload none could have been spared. Judged where nothing else can explain it:
    /// nobody was leaving before, all make room for the same, and nothing is kept free for others.
    fn nobody_makes_room_in_vain(&self, step: &Step, left_before: usize) -> Checked {
        let told = told(step);
        let Some((_, by)) = told.first() else { return Ok(()) };
        let Some(promise) = self.promises.get(by).filter(|_| self.judges_victims() && left_before == 0) else {
            return Ok(());
        };
        if told.iter().any(|(_, other)| other != by) {
            return Ok(());
        }
        for (spared, _) in &told {
            let mut room = 0_u64;
            for (id, machine) in self.machines.iter().filter(|(_, machine)| !machine.lost && !machine.cordoned) {
                let mut load = machine.held.clone();
                let others = told.iter().filter(|(lease, _)| lease != spared);
                let parts = others.flat_map(|(lease, _)| self.held.range(tasks_of(*lease)).map(|(_, part)| part));
                parts.filter(|part| part.node == *id).for_each(|part| load.take(part));
                room += u64::from(load.room(&machine.spec, &promise.spec));
            }
            if room >= u64::from(needed(&promise.spec)) {
                return broken(
                    "nobody makes room in vain",
                    format!("{spared} makes room for {by}, which needs it not"),
                );
            }
        }
        Ok(())
    }

    fn judges_victims(&self) -> bool {
        // What finds room beside slices is not reckoned here.
        let nothing_is_kept = self.book.models.is_empty() && !self.policy.has_shares();
        let no_windows = self.policy.windows().next().is_none();
        self.everything_passes && !self.somebody_is_aged && nothing_is_kept && no_windows
    }

    /// True where work really runs on an accelerator.
    pub(crate) fn is_used(&self, node: NodeId, board: u16) -> bool {
        self.machines.get(&node).is_some_and(|machine| machine.used.holds(board))
    }

    fn mode_event(&mut self, event: &Event) -> Checked {
        match event {
            Event::ModeDraining { node, accelerators, .. } | Event::ModeFailed { node, accelerators, .. } => {
                self.machine(*node)?.closed.extend(accelerators);
                Ok(())
            }
            Event::ModeKept { node, accelerators } => {
                self.machine(*node)?.closed.retain(|board| !accelerators.contains(board));
                Ok(())
            }
            Event::ModeOrdered { node, accelerators, .. } => {
                self.machine(*node)?.closed.extend(accelerators);
                self.nobody_is_on(*node, accelerators)
            }
            Event::ModeVerified { node, accelerators, mode } => {
                let machine = self.machine(*node)?;
                for board in accelerators {
                    machine.modes.insert(*board, mode.clone());
                    machine.closed.remove(board);
                }
                self.nobody_is_on(*node, accelerators)
            }
            _ => unreachable!("{} is not an event of modes", event.kind()),
        }
    }

    fn event(&mut self, event: &Event) -> Checked {
        match event {
            Event::NodeAdded { node, spec } => {
                self.machines.insert(*node, Machine::new(spec));
                Ok(())
            }
            Event::NodeChanged { node, spec } => {
                self.machine(*node)?.change(spec);
                self.fits(*node)
            }
            Event::NodeLost { node, .. } => self.machine(*node).map(|machine| machine.lost = true),
            Event::NodeBack { node } => self.machine(*node).map(|machine| machine.lost = false),
            Event::NodeCordoned { node, .. } => self.machine(*node).map(|machine| machine.cordoned = true),
            Event::NodeUncordoned { node } => self.machine(*node).map(|machine| machine.cordoned = false),
            Event::NodeRemoved { node } => self.removed(*node),
            Event::WorkloadSubmitted { workload, spec, array, waits_for, .. } => {
                self.submitted(*workload, spec, array.len(), waits_for);
                Ok(())
            }
            Event::LeaseGranted { lease, workload, placement, .. } => self.granted(*lease, *workload, &placement.tasks),
            Event::TaskCheckpointed { key, checkpoint } => self.checkpointed(*key, checkpoint.at),
            Event::TaskExited { key, at, exit, .. } => {
                self.over(*key, *at, exit.is_success(), matches!(exit, Exit::Lost(_)))?;
                self.given_back(*key)
            }
            // It may still be there, so its place is kept.
            Event::TaskAbandoned { key, at } => self.over(*key, *at, false, true),
            Event::AbandonedTaskGone { key, .. } => self.given_back(*key),
            Event::LeaseClosed { lease, .. } => self.closed(*lease),
            Event::LeaseStopping { lease, reason, .. } => self.told_to_stop(*lease, reason),
            Event::Configured(settings) => {
                self.everything_passes = settings.queue.passing == Passing::Skip;
                self.wall_default = Some(settings.timing.wall_time_default);
                self.book = settings.partitions.clone();
                Ok(())
            }
            Event::WorkloadAged { .. } => {
                self.somebody_is_aged = true;
                Ok(())
            }
            Event::WorkloadEnded { workload, state, .. } => self.end(*workload, *state),
            Event::ModeDraining { .. }
            | Event::ModeFailed { .. }
            | Event::ModeKept { .. }
            | Event::ModeOrdered { .. }
            | Event::ModeVerified { .. } => self.mode_event(event),
            Event::PolicyApplied { policy, .. } => {
                self.policy.clone_from(policy);
                Ok(())
            }
            Event::WindowsMoved { over, .. } => {
                self.windows_are_over(over);
                Ok(())
            }
            Event::FleetValued { .. }
            | Event::NodeGivenUp { .. }
            | Event::TaskAccepted { .. }
            | Event::TaskStarted { .. }
            | Event::TaskUsed { .. }
            | Event::WorkloadRequeued { .. }
            | Event::WorkloadEligible { .. }
            | Event::ServiceLevelReached { .. }
            | Event::LeaseEvictable { .. }
            | Event::WorkloadPreempted { .. }
            | Event::WorkloadPromised { .. }
            | Event::WorkloadPassed { .. } => Ok(()),
        }
    }

    fn told_to_stop(&mut self, lease: LeaseId, reason: &Reason) -> Checked {
        if matches!(reason, Reason::Preempted { .. }) {
            self.leaving.insert(lease);
        }
        let Some(known) = self.leases.get_mut(&lease) else {
            return broken("events speak of what is there", format!("{lease} is told to stop and is not there"));
        };
        known.told = true;
        Ok(())
    }

    /// Checkpoints of a task only go forward, however late or often they are told.
    fn checkpointed(&mut self, key: TaskKey, at: Time) -> Checked {
        let before = self.checkpoints.insert(key, at);
        if before.is_some_and(|before| before >= at) {
            return broken("checkpoints go forward", format!("{} has one at {at:?} behind {before:?}", key_text(key)));
        }
        Ok(())
    }

    fn machine(&mut self, node: NodeId) -> Result<&mut Machine, Violation> {
        let unknown = || Violation { rule: "events speak of what is there", what: format!("{node} is not there") };
        self.machines.get_mut(&node).ok_or_else(unknown)
    }

    fn removed(&mut self, node: NodeId) -> Checked {
        let holder = self.held.iter().chain(&self.present).find(|(_, part)| part.node == node);
        if let Some((key, _)) = holder {
            return broken("nothing is taken away under work", format!("{} is on {node}, which left", key_text(*key)));
        }
        self.machines.remove(&node);
        Ok(())
    }

    fn fits(&self, node: NodeId) -> Checked {
        let Some(machine) = self.machines.get(&node) else { return Ok(()) };
        if !machine.held.fits(&machine.spec) {
            return broken("nothing is held twice", format!("{node} gives {:?} of {:?}", machine.held, machine.spec));
        }
        if !machine.used.fits(&machine.spec) {
            let what = format!("on {node} really run {:?} of {:?}", machine.used, machine.spec);
            return broken("nothing really runs twice in one place", what);
        }
        Ok(())
    }

    fn submitted(&mut self, list: WorkloadId, spec: &Arc<WorkloadSpec>, members: usize, waits_for: &[WorkloadId]) {
        let promise = Promise { spec: Arc::clone(spec), lease: None, waits_for: waits_for.to_vec() };
        if members == 0 {
            self.promises.insert(list, promise);
            return;
        }
        for (_, member) in (0..members).zip(0u16..) {
            self.promises.insert(WorkloadId::of_member(list.step(), member), promise.clone());
        }
    }

    fn granted(&mut self, lease: LeaseId, workload: WorkloadId, parts: &[Allotment]) -> Checked {
        let Some(promise) = self.promises.get_mut(&workload) else {
            return broken("only what waits is granted", format!("{workload} got {lease} and does not wait"));
        };
        if let Some(other) = promise.lease.replace(lease) {
            return broken("one lease at a time", format!("{workload} got {lease} and holds {other}"));
        }
        let needed = needed(&promise.spec) as usize;
        if !(needed..=promise.spec.tasks as usize).contains(&parts.len()) {
            let what = format!("{workload} got {} tasks of {}", parts.len(), promise.spec.tasks);
            return broken("a gang is granted whole", what);
        }
        if let Some(on) = promise.waits_for.iter().find(|on| !self.ended.contains_key(on)) {
            return broken("dependencies come first", format!("{workload} was granted before {on} has ended"));
        }
        let failed = |on: &&WorkloadId| promise.spec.after_ok.iter().any(|id| id == *on || *id == on.list());
        let bad = promise.waits_for.iter().filter(failed).find(|on| self.ended[on] != WorkloadState::Finished);
        if let Some(on) = bad {
            return broken("dependencies come first", format!("{workload} was granted although {on} did not finish"));
        }
        let open = (0u32..).zip(parts).map(|(rank, _)| rank).collect();
        let spare = parts.len() - needed;
        self.leases.insert(
            lease,
            OpenLease { workload, open, clean: true, spare, lost: 0, told: false, last_lost: None, last_own: None },
        );
        self.of_lease.insert(lease, workload);
        for (part, task) in parts.iter().zip(0..) {
            self.held.insert(TaskKey { lease, task }, part.clone());
            let machine = self.machine(part.node)?;
            if machine.lost || machine.cordoned {
                return broken("work goes to nodes that take it", format!("{lease} is on {}", part.node));
            }
            machine.held.add(part);
            for one in &part.accelerators {
                let (board, mode) = mode_of(one);
                if machine.mode(board) != mode || machine.closed.contains(&board) {
                    let what = format!("{lease} got {mode} of accelerator {board} of {}", part.node);
                    return broken("what is granted is of the mode in force", what);
                }
            }
            self.fits(part.node)?;
        }
        self.within_maximum(lease, parts)
    }

    fn over(&mut self, key: TaskKey, at: Time, clean: bool, lost: bool) -> Checked {
        let open = self.leases.get_mut(&key.lease);
        let Some(lease) = open else {
            return broken("a closed lease is over", format!("{} went on", key_text(key)));
        };
        lease.clean &= clean || lost;
        lease.lost += usize::from(lost);
        let last = if lost { &mut lease.last_lost } else { &mut lease.last_own };
        *last = Some(last.map_or(at, |last| last.max(at)));
        if lease.open.remove(&key.task) {
            Ok(())
        } else {
            broken("a task ends once", format!("{} ended again", key_text(key)))
        }
    }

    /// The place of a task is free: then nothing of it may be there.
    fn given_back(&mut self, key: TaskKey) -> Checked {
        if self.present.contains_key(&key) {
            return broken("a place is free when its task is gone", format!("{} still runs", key_text(key)));
        }
        let Some(part) = self.held.remove(&key) else {
            return broken("a place is given back once", format!("{} holds nothing", key_text(key)));
        };
        self.machine(part.node)?.held.take(&part);
        Ok(())
    }

    fn closed(&mut self, id: LeaseId) -> Checked {
        let Some(lease) = self.leases.get(&id) else {
            return broken("a lease closes once", format!("{id} is not open"));
        };
        if let Some(task) = lease.open.first() {
            return broken("a lease closes when nothing of it runs", format!("task {task} of {id} is not over"));
        }
        if let Some(promise) = self.promises.get_mut(&lease.workload) {
            promise.lease = None;
        }
        Ok(())
    }

    fn end(&mut self, workload: WorkloadId, state: WorkloadState) -> Checked {
        let Some(promise) = self.promises.remove(&workload) else {
            return broken("a workload ends once", format!("{workload} is {} and was not there", state.word()));
        };
        if let Some(lease) = promise.lease {
            return broken("a workload ends when nothing of it runs", format!("{workload} ended and holds {lease}"));
        }
        let last = self.leases.iter().filter(|(_, lease)| lease.workload == workload).map(|(id, _)| *id);
        let last: Vec<LeaseId> = last.collect();
        let clean = last.last().and_then(|id| self.leases.get(id)).is_some_and(OpenLease::ended_well);
        if state == WorkloadState::Finished && !clean {
            return broken("only success finishes", format!("{workload} finished although a task of it did not"));
        }
        for id in last {
            self.leases.remove(&id);
        }
        self.ended.insert(workload, state);
        Ok(())
    }

    /// A caller was told that this was taken.
    pub(crate) fn acknowledged(&self, id: WorkloadId) -> Checked {
        let list = (id, WorkloadId::of_member(id.step(), eaf_model::MEMBER_MAX));
        let known =
            self.promises.range(list.0..=list.1).next().is_some() || self.ended.range(list.0..=list.1).next().is_some();
        if known { Ok(()) } else { broken("what is acknowledged is durable", format!("{id} is not in the journal")) }
    }

    /// A mode changes by the journal only where nothing is held.
    fn nobody_is_on(&self, node: NodeId, boards: &[u16]) -> Checked {
        let Some(machine) = self.machines.get(&node) else { return Ok(()) };
        match boards.iter().find(|board| machine.held.holds(**board)) {
            Some(board) => broken("no mode changes under a tenant", format!("accelerator {board} of {node} is held")),
            None => Ok(()),
        }
    }

    /// The mode of an accelerator has really changed: then nothing runs there.
    pub(crate) fn cut(&mut self, node: NodeId, board: u16, mode: &str) -> Checked {
        let Some(machine) = self.machines.get_mut(&node) else { return Ok(()) };
        machine.cut.insert(board, mode.to_owned());
        if machine.used.holds(board) {
            let what = format!("accelerator {board} of {node} became {mode}, and work runs on it");
            return broken("no mode really changes under a tenant", what);
        }
        Ok(())
    }

    /// A machine lost its power, and its boards their modes.
    pub(crate) fn all_whole(&mut self, node: NodeId) {
        if let Some(machine) = self.machines.get_mut(&node) {
            machine.cut.clear();
        }
    }

    /// Accelerators were exchanged for others, which come whole.
    pub(crate) fn whole_again(&mut self, node: NodeId, boards: &[u16]) {
        if let Some(machine) = self.machines.get_mut(&node) {
            machine.cut.retain(|board, _| !boards.contains(board));
        }
    }

    /// What a task holds that is really there.
    pub(crate) fn part_of(&self, key: TaskKey) -> Option<&Allotment> {
        self.present.get(&key)
    }

    /// The engine began a task.
    pub(crate) fn began(&mut self, key: TaskKey, part: &Allotment) -> Checked {
        if !self.begun.insert(key) {
            return broken("no task is started twice", format!("{} was begun again", key_text(key)));
        }
        let machine = self.machine(part.node)?;
        machine.used.add(part);
        for one in &part.accelerators {
            let (board, mode) = mode_of(one);
            let real = machine.cut.get(&board).map_or(WHOLE_MODE, String::as_str);
            if real != mode {
                let what = format!("{} began on {mode} of accelerator {board}, which is {real}", key_text(key));
                return broken("work runs on what it was given", what);
            }
        }
        self.fits(part.node)?;
        if self.held.get(&key) != Some(part) {
            return broken(
                "only what is granted is started",
                format!("{} holds nothing and was started", key_text(key)),
            );
        }
        self.present.insert(key, part.clone());
        Ok(())
    }

    /// Nothing of a task is there any more.
    pub(crate) fn gone(&mut self, key: TaskKey) -> Checked {
        let Some(part) = self.present.remove(&key) else {
            return broken("a task is gone once", format!("{} was not there", key_text(key)));
        };
        self.machine(part.node)?.used.take(&part);
        Ok(())
    }

    /// The engine no longer knows that there was such a task, and may be asked for it again.
    pub(crate) fn forgotten(&mut self, key: TaskKey) {
        self.begun.remove(&key);
    }

    /// Whose a lease was.
    pub(crate) fn workload_of(&self, lease: LeaseId) -> Option<WorkloadId> {
        self.of_lease.get(&lease).copied()
    }

    /// The lease that a workload holds.
    pub(crate) fn lease_of(&self, workload: WorkloadId) -> Option<LeaseId> {
        self.promises.get(&workload)?.lease
    }

    /// How many have ended in this state.
    pub(crate) fn ended_in(&self, state: WorkloadState) -> u64 {
        self.ended.values().filter(|end| **end == state).count() as u64
    }

    /// What is left to do.
    pub(crate) fn unended(&self) -> impl Iterator<Item = WorkloadId> {
        self.promises.keys().copied()
    }

    /// Tasks that are really there.
    pub(crate) fn present(&self) -> usize {
        self.present.len()
    }

    /// True where the nodes that take work, with nothing on them, could hold it: counted task by task.
    pub(crate) fn could_hold(&self, workload: WorkloadId) -> bool {
        let Some(promise) = self.promises.get(&workload) else { return false };
        let spec = &promise.spec;
        let (task, asked) = (&spec.task, &spec.task.accelerators);
        let on = |machine: &Machine| {
            let fitting = |model: &str| asked.models.is_empty() || asked.models.iter().any(|wanted| wanted == model);
            let there = machine.spec.accelerators.iter().filter(|one| fitting(&one.model));
            let there = match &asked.slice {
                None => there.count() as u64,
                Some(slice) => there.map(|one| self.slices_of(&one.model, slice)).sum(),
            };
            let by_accelerators = match u64::from(asked.count) {
                0 => u64::MAX,
                1 => there * (1_000 / asked.share.0.max(1)),
                count => there / count,
            };
            let by_size = (machine.spec.cpu.0 / task.cpu.0.max(1)).min(machine.spec.memory.0 / task.memory.0.max(1));
            by_accelerators.min(by_size).min(spec.tasks_per_node_max.map_or(u64::MAX, u64::from))
        };
        let ready = self.machines.values().filter(|machine| !machine.lost && !machine.cordoned);
        ready.map(on).fold(0u64, u64::saturating_add) >= u64::from(needed(spec))
    }

    /// How many slices a model offers in the mode that offers the most.
    fn slices_of(&self, model: &str, slice: &str) -> u64 {
        let profiles = self.book.slices(model).filter(|profile| profile.is_meant_by(slice));
        let count = |profile: &eaf_model::SliceProfile| {
            let mut next = 0;
            let mut count = 0;
            for start in profile.starts.iter().filter(|start| **start >= next).collect::<Vec<_>>() {
                if *start >= next {
                    (next, count) = (*start + profile.slots, count + 1);
                }
            }
            count
        };
        profiles.map(count).max().unwrap_or(0)
    }

    /// The state of the factory says the same.
    pub(crate) fn agrees(&self, state: &State) -> Checked {
        const RULE: &str = "the reference model agrees";
        if state.step_number() != self.last_step {
            return broken(
                RULE,
                format!("the state is at step {}, the model at {}", state.step_number(), self.last_step),
            );
        }
        let live: Vec<WorkloadId> = state.workloads().map(|workload| workload.id).collect();
        if !live.iter().eq(self.promises.keys()) {
            return broken(RULE, format!("{} live workloads, and {} promises", live.len(), self.promises.len()));
        }
        for workload in state.workloads() {
            let held = self.lease_of(workload.id);
            if held != workload.lease {
                return broken(RULE, format!("{} holds {:?}, by the model {held:?}", workload.id, workload.lease));
            }
        }
        let mut held: BTreeMap<TaskKey, &Allotment> = BTreeMap::new();
        for lease in state.leases() {
            let parts = lease.placement.iter().zip(&lease.tasks).zip(0..);
            let open = parts.filter(|((_, task), _)| !task.state.is_over());
            held.extend(open.map(|((part, _), task)| (TaskKey { lease: lease.id, task }, part)));
        }
        held.extend(state.abandoned().map(|(key, task)| (*key, &task.allotment)));
        for (id, node) in state.nodes() {
            let Some(machine) = self.machines.get(id) else { continue };
            for (board, _) in (0u16..).zip(&node.spec.accelerators) {
                let (mode, step) = node.mode(board);
                let closed = machine.closed.contains(&board);
                if mode != machine.mode(board) || closed == (step == ModeState::Settled) {
                    let what =
                        format!("accelerator {board} of {id} is {mode} {step:?}, by the model {}", machine.mode(board));
                    return broken(RULE, what);
                }
            }
        }
        if !held.iter().map(|(key, part)| (key, *part)).eq(self.held.iter()) {
            return broken(RULE, format!("{} tasks hold a place, by the model {}", held.len(), self.held.len()));
        }
        Ok(())
    }
}
