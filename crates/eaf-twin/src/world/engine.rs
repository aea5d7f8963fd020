//! An engine that only the script's clock moves.
//!
//! What: nodes that die, fall silent and come back; tasks that are accepted, start, run and exit as their programs say;
//! and a memory of both, as the contract of engines asks for. Why it only gives acts: the world decides when they are
//! heard. Absent: faults of reports and orders on their way; choices, retries, and giving up.

use super::cutting::Cutting;
use crate::script::{Program, ProgramEnd};
use eaf_model::{
    Allotment, Bytes, Checkpoint, CpuMicros, Exit, Known, ModeOrder, ModeReport, NodeSpec, Run, Span, StartOrder,
    StopOrder, TaskKey, TaskReport, Time, Usage, WorkloadSpec,
};
use std::collections::BTreeMap;

/// How long a task that listens takes to end.
const POLITE: Span = Span::from_secs(1);
/// When a task without an end of its own is read.
const READING: Span = Span::from_secs(60);
/// The most checkpoints of a task.
const CHECKPOINTS_MAX: u32 = 8;
/// Plans from here on are checkpoints, which are void only once the task has gone.
const CHECKPOINT_PLAN: u32 = 1 << 31;
const SIGTERM: i32 = 15;
const SIGKILL: i32 = 9;

/// What follows from something that happened to the engine.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// A report goes out.
    Say(TaskKey, TaskReport),
    /// The task goes on at this time.
    Later(Time, TaskKey, u32),
    /// A task holds its place from now on.
    Began(TaskKey, Allotment),
    /// Nothing of a task is left.
    Gone(TaskKey),
    /// Nobody knows any more that there was such a task.
    Forgotten(TaskKey),
    /// What came of an order of a mode goes out.
    SayMode(ModeOrder, ModeReport),
    /// A change of mode is done at this time.
    LaterMode(Time, ModeOrder),
    /// The mode of an accelerator is another one from now on.
    Cut(String, u16),
}

/// Whether a node is heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Up,
    Silent,
    Dead,
    Destroyed,
}

#[derive(Clone, Debug)]
pub(super) struct SimNode {
    pub(super) spec: NodeSpec,
    pub(super) reach: Reach,
    pub(super) cutting: Cutting,
}

#[derive(Clone, Debug)]
enum Stage {
    Accepted,
    Started { at: Time },
    Exited,
}

#[derive(Clone, Debug)]
struct SimTask {
    node: String,
    program: Program,
    attempt: u32,
    stage: Stage,
    /// What the engine would say if asked.
    report: TaskReport,
    /// What its arm has heard: while the node is not heard of, less than `report`.
    heard: TaskReport,
    /// Counts the plans that were made for it; older ones are void.
    plan: u32,
    /// Set once it was told to stop: how that will end it.
    stopping: Option<i32>,
    read: bool,
}

/// The engine of a world.
#[derive(Clone, Debug, Default)]
pub(super) struct SimEngine {
    pub(super) nodes: BTreeMap<String, SimNode>,
    tasks: BTreeMap<TaskKey, SimTask>,
    pub(super) unreachable: bool,
}

/// The specification's command, which tells how the task behaves.
pub(super) fn command(program: &Program) -> Run {
    let end = match program.end {
        ProgramEnd::Code(code) => format!("code {code}"),
        ProgramEnd::Signal(signal) => format!("signal {signal}"),
        ProgramEnd::OutOfMemory => "memory".to_owned(),
        ProgramEnd::CannotStart => "cannot".to_owned(),
    };
    let runs = program.runs.map_or_else(|| "ever".to_owned(), |runs| runs.0.to_string());
    Run::Command(vec![
        "simulated".to_owned(),
        program.starts_in.0.to_string(),
        runs,
        end,
        program.fails.to_string(),
        program.ignores_stops.to_string(),
        program.checkpoints.map_or_else(String::new, |every| every.0.to_string()),
    ])
}

/// The program that a specification's command tells of.
fn program(spec: &WorkloadSpec) -> Program {
    let Run::Command(words) = &spec.run else { return Program::default() };
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let number = |text: &str| text.parse().unwrap_or(0);
    let end = match word(3).split_once(' ') {
        Some(("signal", signal)) => ProgramEnd::Signal(number(signal)),
        Some((_, code)) => ProgramEnd::Code(number(code)),
        None if word(3) == "memory" => ProgramEnd::OutOfMemory,
        None => ProgramEnd::CannotStart,
    };
    Program {
        starts_in: Span(word(1).parse().unwrap_or(0)),
        runs: word(2).parse().ok().map(Span),
        end,
        fails: word(4).parse().unwrap_or(0),
        ignores_stops: word(5) == "true",
        checkpoints: word(6).parse().ok().map(Span),
    }
}

impl SimTask {
    fn exit(&self) -> Exit {
        if let Some(signal) = self.stopping {
            return Exit::Signal(signal);
        }
        if self.attempt <= self.program.fails {
            return Exit::Code(1);
        }
        match self.program.end {
            ProgramEnd::Code(code) => Exit::Code(code),
            ProgramEnd::Signal(signal) => Exit::Signal(signal),
            ProgramEnd::OutOfMemory => Exit::OutOfMemory,
            ProgramEnd::CannotStart => Exit::CannotStart("no such program".to_owned()),
        }
    }

    fn usage(&self, now: Time) -> Usage {
        let Stage::Started { at } = self.stage else { return Usage::default() };
        let cpu = CpuMicros(now.since(at).0.saturating_mul(900));
        Usage { cpu, memory_peak: Some(Bytes(256 << 20)), ..Usage::default() }
    }

    fn plan(&mut self, key: TaskKey, at: Time) -> Act {
        self.plan += 1;
        Act::Later(at, key, self.plan)
    }
}

impl SimEngine {
    fn is_heard(&self, node: &str) -> bool {
        self.nodes.get(node).is_some_and(|node| node.reach == Reach::Up)
    }

    /// True where an order for this node would get there.
    pub(super) fn takes_orders(&self, node: &str) -> bool {
        !self.unreachable && self.is_heard(node)
    }

    /// The node on which a task is that it knows.
    pub(super) fn node_of(&self, key: TaskKey) -> Option<&str> {
        self.tasks.get(&key).map(|task| task.node.as_str())
    }

    /// Starts a task, unless it is known.
    pub(super) fn start(&mut self, now: Time, order: &StartOrder, node: &str) -> Vec<Act> {
        if let Some(task) = self.tasks.get(&order.key) {
            return vec![Act::Say(order.key, task.heard.clone())];
        }
        let mut task = SimTask {
            node: node.to_owned(),
            program: program(&order.spec),
            attempt: order.attempt,
            stage: Stage::Accepted,
            report: TaskReport::Accepted,
            heard: TaskReport::Accepted,
            plan: 0,
            stopping: None,
            read: false,
        };
        if !self.is_there(node, &order.allotment) {
            // It asks for a part of a board that is in another mode; nothing is started in its stead.
            let exit = Exit::Lost("its accelerator is in another mode".to_owned());
            task.report = TaskReport::Exited { at: now, exit, usage: Usage::default() };
            (task.heard, task.stage) = (task.report.clone(), Stage::Exited);
            let said = task.heard.clone();
            self.tasks.insert(order.key, task);
            return vec![Act::Say(order.key, said)];
        }
        let later = task.plan(order.key, now.after(task.program.starts_in));
        self.tasks.insert(order.key, task);
        vec![Act::Began(order.key, order.allotment.clone()), Act::Say(order.key, TaskReport::Accepted), later]
    }

    /// Stops a task.
    pub(super) fn stop(&mut self, now: Time, order: &StopOrder) -> Vec<Act> {
        let key = order.key;
        let Some(task) = self.tasks.get_mut(&key) else { return vec![Act::Say(key, TaskReport::Unknown)] };
        if matches!(task.stage, Stage::Exited) || task.stopping.is_some() {
            return vec![Act::Say(key, task.heard.clone())];
        }
        if matches!(task.stage, Stage::Accepted) {
            task.stopping = Some(SIGTERM);
            return self.exit(now, key, None);
        }
        let (signal, wait) =
            if task.program.ignores_stops { (SIGKILL, order.grace) } else { (SIGTERM, POLITE.min(order.grace)) };
        task.stopping = Some(signal);
        vec![task.plan(key, now.after(wait))]
    }

    /// Goes on with a task as it was planned; a plan that is void is nothing.
    pub(super) fn go_on(&mut self, now: Time, key: TaskKey, plan: u32) -> Vec<Act> {
        if plan >= CHECKPOINT_PLAN {
            return self.checkpoint(now, key, plan);
        }
        let Some(task) = self.tasks.get_mut(&key).filter(|task| task.plan == plan) else { return Vec::new() };
        match task.stage {
            Stage::Exited => Vec::new(),
            Stage::Accepted if task.program.end == ProgramEnd::CannotStart => self.exit(now, key, None),
            Stage::Accepted => {
                task.stage = Stage::Started { at: now };
                let reading = task.program.runs.map_or(READING, |runs| Span(runs.0 / 2));
                let later = task.plan(key, now.after(reading));
                let every = task.program.checkpoints.filter(|every| *every > Span::ZERO);
                let mut acts = self.tell(key, TaskReport::Started { at: now });
                acts.push(later);
                for number in every.iter().flat_map(|_| 1..=CHECKPOINTS_MAX) {
                    let at = now.after(Span(every.unwrap_or_default().0.saturating_mul(number.into())));
                    acts.push(Act::Later(at, key, CHECKPOINT_PLAN + number));
                }
                acts
            }
            Stage::Started { .. } if task.stopping.is_none() && !task.read => {
                task.read = true;
                let report = TaskReport::Used { usage: task.usage(now) };
                let rest = task.program.runs.map(|runs| Span(runs.0 - runs.0 / 2));
                let later = rest.map(|rest| task.plan(key, now.after(rest)));
                let said = if self.is_heard(&self.tasks[&key].node) { Some(Act::Say(key, report)) } else { None };
                said.into_iter().chain(later).collect()
            }
            Stage::Started { .. } => self.exit(now, key, None),
        }
    }

    /// A task that still runs has written a checkpoint; every second one is said to be of the whole gang.
    fn checkpoint(&self, now: Time, key: TaskKey, plan: u32) -> Vec<Act> {
        let runs = self.tasks.get(&key).filter(|task| matches!(task.stage, Stage::Started { .. }));
        let heard = runs.is_some_and(|task| self.is_heard(&task.node));
        let checkpoint = Checkpoint { at: now, label: None, whole_gang: plan.is_multiple_of(2) };
        if heard { vec![Act::Say(key, TaskReport::Checkpointed(checkpoint))] } else { Vec::new() }
    }

    /// Ends a task, by its own end or by this one.
    fn exit(&mut self, now: Time, key: TaskKey, exit: Option<Exit>) -> Vec<Act> {
        let Some(task) = self.tasks.get_mut(&key) else { return Vec::new() };
        let (exit, usage) = (exit.unwrap_or_else(|| task.exit()), task.usage(now));
        task.stage = Stage::Exited;
        task.plan += 1;
        let mut acts = vec![Act::Gone(key)];
        acts.extend(self.tell(key, TaskReport::Exited { at: now, exit, usage }));
        acts
    }

    /// A report is known on the node, and goes out where the node is heard of.
    fn tell(&mut self, key: TaskKey, report: TaskReport) -> Vec<Act> {
        let heard = self.tasks.get(&key).is_some_and(|task| self.is_heard(&task.node));
        let Some(task) = self.tasks.get_mut(&key) else { return Vec::new() };
        task.report = report.clone();
        if !heard {
            return Vec::new();
        }
        task.heard = report.clone();
        vec![Act::Say(key, report)]
    }

    /// A signal that nobody ordered; `None` where there is nothing to end.
    pub(super) fn kill(&mut self, now: Time, key: TaskKey, signal: i32) -> Option<Vec<Act>> {
        let task = self.tasks.get(&key).filter(|task| matches!(task.stage, Stage::Started { .. }))?;
        let there = self.nodes.get(&task.node).is_some_and(|node| matches!(node.reach, Reach::Up | Reach::Silent));
        there.then(|| self.exit(now, key, Some(Exit::Signal(signal))))
    }

    /// Takes a node down.
    pub(super) fn down(&mut self, now: Time, name: &str, how: Reach) -> Vec<Act> {
        let Some(node) = self.nodes.get_mut(name) else { return Vec::new() };
        node.reach = how;
        if how == Reach::Silent {
            return Vec::new();
        }
        let on_it = |(key, task): (&TaskKey, &SimTask)| {
            (task.node == name && !matches!(task.stage, Stage::Exited)).then_some(*key)
        };
        let keys: Vec<TaskKey> = self.tasks.iter().filter_map(on_it).collect();
        let lost = || Some(Exit::Lost("its machine went down".to_owned()));
        keys.into_iter().flat_map(|key| self.exit(now, key, lost())).collect()
    }

    /// Brings a node back; what it knows is heard of when the engine is met.
    pub(super) fn up(&mut self, name: &str) -> Vec<Act> {
        let Some(node) = self.nodes.get_mut(name) else { return Vec::new() };
        let wiped = node.reach == Reach::Destroyed;
        node.reach = Reach::Up;
        let on_it = self.tasks.iter().filter(|(_, task)| task.node == name).map(|(key, _)| *key);
        let keys: Vec<TaskKey> = on_it.collect();
        let mut acts = Vec::new();
        for key in keys {
            if wiped {
                self.tasks.remove(&key);
                acts.push(Act::Forgotten(key));
            } else if let Some(task) = self.tasks.get_mut(&key) {
                task.heard = task.report.clone();
            }
        }
        acts
    }

    /// Its nodes that are heard of.
    pub(super) fn discover(&self) -> Vec<NodeSpec> {
        let up = self.nodes.values().filter(|node| node.reach == Reach::Up);
        up.map(|node| node.spec.clone()).collect()
    }

    /// Everything that it knows.
    pub(super) fn known(&self) -> Vec<Known> {
        self.tasks.iter().map(|(key, task)| Known { key: *key, report: task.heard.clone() }).collect()
    }

    /// Forgets an exit that is durable.
    pub(super) fn settle(&mut self, key: TaskKey) {
        if self.tasks.get(&key).is_some_and(|task| matches!(task.heard, TaskReport::Exited { .. })) {
            self.tasks.remove(&key);
        }
    }
}
