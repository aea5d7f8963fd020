//! `estimate`: when a waiting workload starts, from forward runs of this very core.
//!
//! What: a copy of the state goes on in virtual time, with an engine that does at once what it is told; durations are
//! drawn from what was learned of how far wall times overstate, and several runs give a spread. Why the core itself: what
//! decides tomorrow is what is asked today, with its holds, dependencies, retries and deadlines.
//! Assumed: nothing else arrives, nothing fails, a lost node stays lost. Absent: a random source; the draws of a run
//! follow from the step number, so that one state gives one answer.

use crate::work::learned::{ROWS, part_of, row_of, time_of};
use crate::{Lease, Machine, State, TaskState, Turn, outstanding};
use eaf_model::{
    CarbonProfile, Effect, Event, Exit, Input, LeaseId, ModeReport, NodeId, NodeState, PowerModel, PriceBook, Reason,
    Span, StartEstimate, TaskKey, TaskReport, Time, Usage, WorkloadId, WorkloadState,
};
use eaf_sched::Scores;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;

/// So many shapes that a planning pass may look at count as one step.
const SHAPES_PER_STEP: usize = 8;

/// How long work is taken to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durations {
    /// As like work did, where that was seen; else for its wall time.
    Learned,
    /// For its whole wall time.
    WallTimes,
}

/// When a live workload that waits is expected to start; `None` where it does not wait.
///
/// The work is bounded by `settings.estimates`. Whoever asks must not hold up the driver meanwhile.
pub fn estimate(state: &State, now: Time, id: WorkloadId, durations: Durations) -> Option<StartEstimate> {
    state.workload(id).filter(|workload| workload.state == WorkloadState::Queued)?;
    let bounds = &state.settings.estimates;
    let learned_from = if durations == Durations::Learned { state.learned.attempts() } else { 0 };
    let begin = begin(state, now.max(state.last_time), learned_from > 0);
    let runs_max = if learned_from == 0 { 1 } else { bounds.runs_max.max(1) };
    let (mut left, mut dearest) = (u64::from(bounds.steps_max), 0);
    let mut starts = Vec::new();
    let mut scores = Scores::default();
    for number in 0..runs_max {
        // A run that is cut says less than none, once there is one.
        if number > 0 && dearest > left {
            break;
        }
        let mut run = Run {
            begin: &begin,
            number: u64::from(number),
            machine: Machine::new(begin.state.clone(), false).remembering(scores),
            now: begin.now,
            ends: begin.ends(u64::from(number)),
            reports: begin.reports.clone(),
            changes: begin.changes.clone(),
            stops: 0,
            work: 0,
        };
        starts.push(run.until(id, left));
        dearest = dearest.max(run.work);
        left = left.saturating_sub(run.work);
        scores = run.machine.into_scores();
    }
    Some(summed_up(&starts, learned_from))
}

fn summed_up(starts: &[Start], learned_from: u64) -> StartEstimate {
    let mut known: Vec<(Time, u32)> = starts.iter().filter_map(|start| start.known()).collect();
    known.sort_unstable();
    // Nearest rank, where a run without a start counts as later than all others.
    let percentile = |percent: usize| known.get((starts.len() * percent).div_ceil(100).max(1) - 1).copied();
    let cut = starts.iter().filter_map(|start| if let Start::NotBefore(at) = start { Some(*at) } else { None });
    StartEstimate {
        p50: percentile(50).map(|(at, _)| at),
        p90: percentile(90).map(|(at, _)| at),
        not_before: cut.min(),
        stops: percentile(50).map_or(0, |(_, stops)| stops),
        runs: u32::try_from(starts.len()).unwrap_or(u32::MAX),
        learned_from,
    }
}

/// What one run says.
#[derive(Clone, Copy, Debug)]
enum Start {
    /// At this time; so much work was stopped for it.
    At(Time, u32),
    /// The bound was reached at this time.
    NotBefore(Time),
    /// It ends without a start, or nothing more happens.
    Never,
}

impl Start {
    const fn known(self) -> Option<(Time, u32)> {
        match self {
            Self::At(at, stops) => Some((at, stops)),
            Self::NotBefore(_) | Self::Never => None,
        }
    }
}

/// What all runs begin with.
struct Begin {
    state: State,
    now: Time,
    /// What holds something, and since when it runs whole; `None` where it starts now.
    holding: Vec<(LeaseId, Span, bool, Option<Time>)>,
    /// What is being stopped, and when it is gone at the latest.
    stopping: Vec<(LeaseId, Time)>,
    /// Starts that the engine owes.
    reports: Vec<Input>,
    /// Changes of mode that it owes.
    changes: Changes,
    /// Which parts of their wall times work runs, by row of what was learned; empty where nothing was.
    likely: BTreeMap<u8, Vec<(u64, u64)>>,
}

fn begin(state: &State, now: Time, learns: bool) -> Begin {
    let mut begun = Begin {
        state: state.clone(),
        now,
        holding: Vec::new(),
        stopping: Vec::new(),
        reports: Vec::new(),
        changes: VecDeque::new(),
        likely: BTreeMap::new(),
    };
    // Nobody reads the bills of a run.
    let settings = Arc::make_mut(&mut begun.state.settings);
    (settings.prices, settings.carbon, settings.power) =
        (PriceBook::default(), CarbonProfile::default(), PowerModel::default());
    for lease in state.leases() {
        if let Some(stopping) = &lease.stopping {
            begun.stopping.push((lease.id, stopping.since.after(stopping.grace)));
            continue;
        }
        let Some((wall, stated)) = wall(state, lease.workload) else { continue };
        let whole = lease.run_until.and_then(|_| lease.tasks.iter().filter_map(|task| task.state.started_at()).max());
        begun.holding.push((lease.id, wall, stated, whole));
        start(state, lease, now, &mut begun.reports);
    }
    change_modes(&outstanding(state), state.settings.timing.mode_change, now, &mut begun.changes);
    if learns {
        let so_far = |(_, wall, stated, since): &(LeaseId, Span, bool, Option<Time>)| {
            Some((row_of(*wall, *stated), part_of(now.since((*since)?), *wall)))
        };
        let running: Vec<(u8, u64)> = begun.holding.iter().filter_map(so_far).collect();
        begun.likely = (0..ROWS).map(|row| (row, state.learned.parts(row, &running))).collect();
    }
    begun
}

/// A live workload's wall time, and whether it named it.
fn wall(state: &State, workload: WorkloadId) -> Option<(Span, bool)> {
    let workload = state.workload(workload)?;
    Some((state.wall_time(workload), workload.spec.wall_time.is_some()))
}

fn is_heard(state: &State, node: NodeId) -> bool {
    state.node(node).is_some_and(|node| node.state() != NodeState::Lost)
}

/// Reports the start of every task of a lease that has not started and whose node is heard of.
fn start(state: &State, lease: &Lease, at: Time, reports: &mut Vec<Input>) {
    for ((task, part), rank) in lease.tasks.iter().zip(lease.placement.iter()).zip(0..) {
        if matches!(task.state, TaskState::Ordered | TaskState::Accepted) && is_heard(state, part.node) {
            let key = TaskKey { lease: lease.id, task: rank };
            reports.push(Input::Reported { key, report: TaskReport::Started { at } });
        }
    }
}

/// Reports the end of every task of a lease that is not over and whose node is heard of.
fn end_of(state: &State, lease: LeaseId, at: Time, reports: &mut Vec<Input>) {
    let Some(lease) = state.lease(lease) else { return };
    for ((task, part), rank) in lease.tasks.iter().zip(lease.placement.iter()).zip(0..) {
        if !task.state.is_over() && is_heard(state, part.node) {
            let key = TaskKey { lease: lease.id, task: rank };
            let report = TaskReport::Exited { at, exit: Exit::Code(0), usage: Usage::default() };
            reports.push(Input::Reported { key, report });
        }
    }
}

/// Answers to orders of modes, by the time at which they are in force.
type Changes = VecDeque<(Time, Input)>;

/// Takes the orders of modes; each takes as long as the settings say.
fn change_modes(effects: &[Effect], takes: Span, now: Time, changes: &mut Changes) {
    for effect in effects {
        if let Effect::SetMode(ordered) = effect {
            let (node, accelerators, order) = (ordered.node, ordered.accelerators.clone(), ordered.order);
            let report = ModeReport::InForce { mode: ordered.mode.clone() };
            changes.push_back((now.after(takes), Input::ModeReported { node, accelerators, order, report }));
        }
    }
}

/// Ends by time, the soonest on top.
type Ends = BinaryHeap<Reverse<(Time, LeaseId)>>;

impl Begin {
    /// When what holds something now is gone, in one run.
    fn ends(&self, number: u64) -> Ends {
        let mut ends: Vec<Reverse<(Time, LeaseId)>> =
            self.stopping.iter().map(|(lease, at)| Reverse((*at, *lease))).collect();
        for (lease, wall, stated, since) in &self.holding {
            let since = since.unwrap_or(self.now);
            let runs = self.draw(number, *lease, (*wall, *stated), self.now.since(since));
            ends.push(Reverse((since.after(runs), *lease)));
        }
        ends.into()
    }

    /// How long work of this wall time runs, given that it has run for so long already. Never quite its wall time: what
    /// ends in time is not stopped.
    fn draw(&self, number: u64, lease: LeaseId, (wall, stated): (Span, bool), elapsed: Span) -> Span {
        let longest = Span(wall.0.saturating_sub(1));
        let likely = self.likely.get(&row_of(wall, stated)).map_or(&[][..], Vec::as_slice);
        // The parts rise, so that those which are over already come first.
        let over = likely.partition_point(|(part, _)| time_of(*part, wall) <= elapsed);
        let likely = &likely[over..];
        let all: u64 = likely.iter().map(|(_, count)| count).sum();
        let random = mix(mix(self.state.step.wrapping_add(number << 48)) ^ lease.to_bits());
        let chosen = u64::try_from((u128::from(random) * u128::from(all)) >> 64).unwrap_or(0);
        let mut passed = 0;
        let drawn = likely.iter().find(|(_, count)| {
            passed += count;
            chosen < passed
        });
        drawn.map_or(longest, |(part, _)| time_of(*part, wall).min(longest))
    }
}

/// `SplitMix64` (Steele, Lea and Flood, 2014).
const fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One run.
struct Run<'a> {
    begin: &'a Begin,
    number: u64,
    machine: Machine,
    now: Time,
    ends: Ends,
    /// What the engine reports at this instant.
    reports: Vec<Input>,
    /// Modes that come into force.
    changes: Changes,
    /// How much was stopped to make room for the one that is asked about.
    stops: u32,
    work: u64,
}

impl Run<'_> {
    /// Goes on until the workload starts, or so much work was done.
    fn until(&mut self, id: WorkloadId, work_max: u64) -> Start {
        let horizon = self.begin.now.after(self.machine.state().settings.estimates.horizon);
        loop {
            let told = (!self.reports.is_empty()).then_some(self.now);
            let end = self.ends.peek().map(|Reverse((at, _))| *at);
            let changed = self.changes.front().map(|(at, _)| *at);
            let next = [told, end, changed, self.machine.due()].into_iter().flatten().min();
            let Some(at) = next else { return Start::Never };
            self.now = at.max(self.now);
            if self.now > horizon || self.work >= work_max {
                return Start::NotBefore(self.now.min(horizon));
            }
            let mut inputs = std::mem::take(&mut self.reports);
            while let Some(Reverse((_, lease))) = self.ends.peek().copied().filter(|Reverse((at, _))| *at <= self.now) {
                self.ends.pop();
                end_of(self.machine.state(), lease, self.now, &mut inputs);
            }
            while self.changes.front().is_some_and(|(at, _)| *at <= self.now) {
                inputs.extend(self.changes.pop_front().map(|(_, done)| done));
            }
            let turn = self.machine.turn(self.now, &inputs).expect("a run does not look for broken invariants");
            let shapes = self.machine.state().queue().shapes();
            let looked = shapes.min(self.machine.state().settings.limits.shapes_per_plan_max as usize);
            self.work += (1 + turn.steps.len() + looked / SHAPES_PER_STEP) as u64;
            if let Some(start) = self.absorb(&turn, id) {
                return start;
            }
        }
    }

    /// What a turn brings: starts to report, ends to await, and perhaps the answer.
    fn absorb(&mut self, turn: &Turn, id: WorkloadId) -> Option<Start> {
        let state = self.machine.state();
        change_modes(&turn.effects, state.settings.timing.mode_change, self.now, &mut self.changes);
        for event in turn.steps.iter().flat_map(|step| &step.events) {
            match event {
                Event::LeaseGranted { workload, .. } if *workload == id => {
                    return Some(Start::At(self.now, self.stops));
                }
                Event::WorkloadEnded { workload, .. } if *workload == id => return Some(Start::Never),
                Event::LeaseGranted { lease, workload, .. } => {
                    let (Some(record), Some(wall)) = (state.lease(*lease), wall(state, *workload)) else { continue };
                    start(state, record, self.now, &mut self.reports);
                    let runs = self.begin.draw(self.number, *lease, wall, Span::ZERO);
                    self.ends.push(Reverse((self.now.after(runs), *lease)));
                }
                Event::LeaseStopping { lease, reason, .. } => {
                    self.stops += u32::from(*reason == Reason::Preempted { by: id });
                    let grace = state.lease(*lease).and_then(|lease| lease.stopping.as_ref()).map(|stop| stop.grace);
                    self.ends.push(Reverse((self.now.after(grace.unwrap_or_default()), *lease)));
                }
                _ => {}
            }
        }
        None
    }
}
