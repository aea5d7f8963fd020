//! What a planning pass costs in the core itself, on fleets of 1,000, 10,000 and 100,000 nodes with a long queue.
//!
//! What: the fleet is filled, a queue of many shapes waits behind it, and then: a pass of a driver that remembers nothing (as
//! after a restart), an arrival at one that does, the steady state (one arrival, one end, one plan), and an explanation with its
//! estimated start. Why through `Machine` and `decide`: this is what the live factory and the twin run. Absent: the disk and
//! the engine; `throughput` has both.

use super::figures::{Report, Unit, percentile};
use super::peers::MEASURED;
use super::{BenchError, Plan, own};
use eaf_core::{Machine, State, decide};
use eaf_model::{
    Accelerator, AcceleratorRequest, Bytes, CpuMilli, Exit, GpuMilli, Input, NodeSpec, Policy, Quota, Share, Span,
    Submission, TaskKey, TaskReport, TaskRequest, Time, Usage, WorkloadId, WorkloadSpec,
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

const NAME: &str = "scheduler";
const BY: &str = "bench";
const MODEL: &str = "MI355X";
const PER_NODE: u32 = 8;
/// The fleet and the work of the published reading of Slurm.
const BURST_NODES: u32 = 1_000;
const BURST: u32 = 10_000;
/// What is measured with shares.
const SHARED_NODES: u32 = 10_000;
const TENANTS: u32 = 10;
const PROJECTS: u32 = 100;
/// Steady turns that are timed.
const TURNS: u32 = 1_000;
/// Shapes that wait.
const SHAPES: u64 = 200;
/// The figures of one size: a cold pass, an arrival, filling, steady turns (mean, 99th percentile), an estimate, memory.
type Names = [&'static str; 7];

const GIVEN: Names = ["cold", "arrival", "fill", "steady", "steady-p99", "estimate", "memory"];
const SIZES: [(u32, Names); 3] = [
    (1_000, ["cold-1k", "arrival-1k", "fill-1k", "steady-1k", "steady-p99-1k", "estimate-1k", "memory-1k"]),
    (10_000, ["cold-10k", "arrival-10k", "fill-10k", "steady-10k", "steady-p99-10k", "estimate-10k", "memory-10k"]),
    (
        100_000,
        ["cold-100k", "arrival-100k", "fill-100k", "steady-100k", "steady-p99-100k", "estimate-100k", "memory-100k"],
    ),
];

/// How large: the three sizes with 100,000 waiting, or one that is given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) nodes: Option<u32>,
    pub(super) pending: u32,
}

pub(super) fn measure(plan: &Plan, size: Size, report: &mut Report) -> Result<(), BenchError> {
    if let Some(nodes) = size.nodes {
        one(nodes, size.pending, &GIVEN, report)?;
    } else {
        for (nodes, names) in SIZES {
            by_itself(plan.amount(nodes), plan.amount(size.pending), &names, report)?;
        }
        burst(plan.amount(BURST_NODES), plan.amount(BURST), report)?;
        shared(plan.amount(SHARED_NODES), plan.amount(size.pending), report)?;
    }
    report.quoted(NAME, "slurm-cycle", Unit::Milliseconds, 8_800.0, MEASURED);
    report.quoted(NAME, "slurm-backfill", Unit::Milliseconds, 31.0, MEASURED);
    Ok(())
}

/// One size in a process of its own, so that its memory is its own.
fn by_itself(nodes: u32, pending: u32, names: &Names, report: &mut Report) -> Result<(), BenchError> {
    let (nodes, pending) = (nodes.to_string(), pending.to_string());
    let document = own::run(&["bench", NAME, "--nodes", &nodes, "--pending", &pending])?;
    let figures = document["figures"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (given, name) in GIVEN.into_iter().zip(*names) {
        let read = |figure: &Value| Some((figure["value"].as_f64()?, Unit::deserialize(&figure["unit"]).ok()?));
        let figure = figures.iter().find(|figure| figure["name"] == given).and_then(read);
        let (value, unit) =
            figure.ok_or_else(|| BenchError::factory("reading the figures", format!("{given} is missing")))?;
        report.value(NAME, name, unit, value);
    }
    Ok(())
}

/// An idle fleet, and far more than it holds comes at once: until it is full.
fn burst(nodes: u32, pending: u32, report: &mut Report) -> Result<(), BenchError> {
    let mut world = World::new(nodes, Policy::default())?;
    let inputs: Vec<Input> = (0..pending)
        .map(|at| world.submission(u64::from(at) % 8 + 1, Span::from_secs(36_000 + u64::from(at) % 1_000)))
        .collect();
    let took = world.start(&inputs)?;
    report.value(NAME, "burst", Unit::Milliseconds, took);
    report.value(NAME, "burst-starts", Unit::Count, f64::from(u32::try_from(world.running.len()).unwrap_or(u32::MAX)));
    Ok(())
}

fn one(nodes: u32, pending: u32, names: &Names, report: &mut Report) -> Result<(), BenchError> {
    let before = resident_mib();
    let mut world = World::new(nodes, Policy::default())?;
    let begun = Instant::now();
    let granted = world.fill(nodes)?;
    let filled = f64::from(granted) / begun.elapsed().as_secs_f64().max(1e-9);
    world.queue(pending)?;
    report.value(NAME, names[6], Unit::MebiBytes, resident_mib() - before);

    report.value(NAME, names[0], Unit::Milliseconds, world.cold()?);
    report.value(NAME, names[1], Unit::Milliseconds, world.arrival()?);
    report.value(NAME, names[2], Unit::PerSecond, filled);

    world.turns([names[3], names[4]], report)?;
    let asked = world.last.ok_or_else(|| BenchError::factory("filling the queue", "nothing waits"))?;
    let estimate = timed(|| {
        let explained = eaf_core::explain(world.machine.state(), world.now, asked);
        explained.map(drop).ok_or("it does not wait")
    })?;
    report.value(NAME, names[5], Unit::Milliseconds, estimate);
    Ok(())
}

/// The same with shares: each project with a guarantee of a quarter of an even part of the fleet, every other one at a maximum
/// of half of it, so that some wait for room and some for their share.
fn shared(nodes: u32, pending: u32, report: &mut Report) -> Result<(), BenchError> {
    let part = nodes * PER_NODE / PROJECTS;
    let share = |parent, guaranteed, maximum| {
        let quota = Quota { guaranteed, maximum, ..Quota::default() };
        Share { parent, accelerators: BTreeMap::from([(MODEL.to_owned(), quota)]), ..Share::default() }
    };
    let tenant = |at| format!("tenant-{at}");
    let tenants = (0..TENANTS).map(|at| (tenant(at), share(None, part / 4 * (PROJECTS / TENANTS), None)));
    let projects = (0..PROJECTS).map(|at| {
        let maximum = at.is_multiple_of(2).then_some(part / 2);
        (project(at), share(Some(tenant(at % TENANTS)), part / 4, maximum))
    });
    let mut world = World::new(nodes, Policy { shares: tenants.chain(projects).collect(), ..Policy::default() })?;
    world.fill(nodes)?;
    world.queue(pending)?;
    report.value(NAME, "cold-shares", Unit::Milliseconds, world.cold()?);
    world.turns(["steady-shares", "steady-p99-shares"], report)
}

fn project(at: u32) -> String {
    format!("project-{at}")
}

/// Milliseconds that something takes.
fn timed<E: std::fmt::Debug>(what: impl FnOnce() -> Result<(), E>) -> Result<f64, BenchError> {
    let begun = Instant::now();
    what().map_err(|error| BenchError::factory("planning", format!("{error:?}")))?;
    Ok(begun.elapsed().as_secs_f64() * 1_000.0)
}

/// A core with a fleet, and the order in which its leases end.
struct World {
    machine: Machine,
    now: Time,
    running: VecDeque<TaskKey>,
    next: u64,
    last: Option<WorkloadId>,
    has_shares: bool,
}

impl World {
    fn new(nodes: u32, policy: Policy) -> Result<Self, BenchError> {
        let machine = Machine::new(State::new(), false);
        let (running, has_shares) = (VecDeque::new(), policy.has_shares());
        let mut world = Self { machine, now: Time(1_000), running, next: 0, last: None, has_shares };
        let joined = (0..nodes).map(|number| Input::NodeSeen(node(number)));
        let applied = has_shares.then(|| Input::ApplyPolicy { policy: Box::new(policy), by: BY.into() });
        world.turn(&joined.chain(applied).collect::<Vec<_>>())?;
        Ok(world)
    }

    /// A pass of a driver that remembers nothing.
    fn cold(&self) -> Result<f64, BenchError> {
        timed(|| decide(self.machine.state(), self.now, &Input::Plan).map(drop))
    }

    /// Steady turns: their mean and their 99th percentile.
    fn turns(&mut self, [mean, most]: [&'static str; 2], report: &mut Report) -> Result<(), BenchError> {
        let mut turns = Vec::new();
        for _ in 0..TURNS {
            turns.push(self.steady()?);
        }
        report.value(NAME, mean, Unit::Milliseconds, turns.iter().sum::<f64>() / f64::from(TURNS));
        report.value(NAME, most, Unit::Milliseconds, percentile(&turns, 99));
        Ok(())
    }

    /// One turn; gives its milliseconds. What it grants is running at once.
    fn turn(&mut self, inputs: &[Input]) -> Result<f64, BenchError> {
        self.now = self.now.after(Span::from_ms(10));
        let begun = Instant::now();
        let turn = self.machine.turn(self.now, inputs);
        let took = begun.elapsed().as_secs_f64() * 1_000.0;
        let turn = turn.map_err(|broken| BenchError::factory("planning", broken.violation.to_string()))?;
        for result in turn.results {
            let taken = result.map_err(|rejection| BenchError::factory("submitting", format!("{rejection:?}")))?;
            self.last = taken.workload.or(self.last);
        }
        self.running.extend(turn.effects.iter().filter_map(eaf_model::Effect::key));
        Ok(took)
    }

    /// Work for every accelerator; gives how many leases were granted.
    fn fill(&mut self, nodes: u32) -> Result<u32, BenchError> {
        let mut wanted = u64::from(nodes) * u64::from(PER_NODE);
        let mut inputs = Vec::new();
        while wanted > 0 {
            let count = self.next % 8 + 1;
            inputs.push(self.submission(count, Span::from_secs(36_000 + self.next % 1_000)));
            wanted = wanted.saturating_sub(count);
        }
        self.start(&inputs)?;
        let at = self.now;
        let started: Vec<TaskKey> = self.running.iter().copied().collect();
        let report = |key| Input::Reported { key, report: TaskReport::Started { at } };
        self.turn(&started.into_iter().map(report).collect::<Vec<_>>())?;
        Ok(u32::try_from(self.running.len()).unwrap_or(u32::MAX))
    }

    /// Takes these and plans until nothing more starts; gives the milliseconds. A pass that was cut short goes on with the
    /// next turn.
    fn start(&mut self, inputs: &[Input]) -> Result<f64, BenchError> {
        let mut took = self.turn(inputs)?;
        while self.machine.due().is_some_and(|due| due <= self.now) {
            took += self.turn(&[])?;
        }
        Ok(took)
    }

    /// What waits behind it: many shapes, single tasks and gangs, whole accelerators and parts.
    fn queue(&mut self, pending: u32) -> Result<(), BenchError> {
        let inputs: Vec<Input> = (0..pending).map(|_| self.waiting()).collect();
        self.turn(&inputs)?;
        Ok(())
    }

    fn waiting(&mut self) -> Input {
        let shape = self.next % SHAPES;
        self.submission(shape % 8 + 1, Span::from_secs(3_600 + shape * 60))
    }

    fn submission(&mut self, count: u64, wall: Span) -> Input {
        self.next += 1;
        let mut spec = WorkloadSpec::command(&["true"]);
        let part = self.next.is_multiple_of(5) && count == 1;
        let share = GpuMilli(if part { 500 } else { 1_000 });
        let accelerators =
            AcceleratorRequest { count: u32::try_from(count).unwrap_or(u32::MAX), share, ..AcceleratorRequest::none() };
        spec.task = TaskRequest { cpu: CpuMilli(1_000 * count), memory: Bytes(count << 30), accelerators };
        spec.tasks = if self.next % 16 == 3 { 4 } else { 1 };
        spec.wall_time = Some(wall);
        if self.has_shares {
            // Seven at a time, so that a project has work of every size and length.
            spec.project = project(u32::try_from(self.next / 7 % u64::from(PROJECTS)).unwrap_or(0));
        }
        Input::Submit(Box::new(Submission { spec, array: Vec::new(), key: None, by: BY.into(), ended: Vec::new() }))
    }

    /// One arrival at a driver that remembers the pass before.
    fn arrival(&mut self) -> Result<f64, BenchError> {
        let one = self.waiting();
        self.turn(&[one])
    }

    /// One arrival, one end, one plan.
    fn steady(&mut self) -> Result<f64, BenchError> {
        let key = self.running.pop_front().ok_or_else(|| BenchError::factory("ending a lease", "nothing runs"))?;
        let (at, usage) = (self.now, Usage::default());
        let mut inputs = Vec::new();
        if self.machine.state().lease(key.lease).is_some_and(|lease| lease.run_until.is_none()) {
            inputs.push(Input::Reported { key, report: TaskReport::Started { at } });
        }
        inputs.push(Input::Reported { key, report: TaskReport::Exited { at, exit: Exit::Code(0), usage } });
        inputs.push(self.waiting());
        self.turn(&inputs)
    }
}

fn node(number: u32) -> NodeSpec {
    let one = || Accelerator { model: MODEL.into(), memory: None, uuid: None };
    NodeSpec {
        name: format!("node-{number}"),
        cpu: CpuMilli(128_000),
        memory: Bytes(1_024 << 30),
        accelerators: (0..PER_NODE).map(|_| one()).collect(),
        fabric: vec![format!("spine-{}", number / 512), format!("leaf-{}", number / 32)],
        pretended: false,
        labels: BTreeMap::new(),
    }
}

/// Memory that this process holds now.
fn resident_mib() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / 1_024.0
}
