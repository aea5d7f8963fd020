//! What each operation of a script does to the world.
//!
//! What: one arm an operation. Why some do nothing: a script that was shrunk may speak of what is no longer there, and
//! says so, which a scenario takes for a mistake and the search does not. Absent: what the factory makes of it.

use super::engine::{Reach, SimNode, command};
use super::link::Item;
use super::{Fault, World};
use crate::draw::Draw;
use crate::script::{CrashAt, EngineMode, JobSpec, NodeParts, Op, Problem, Setting};
use eaf_core::Violation;
use eaf_model::{
    Accelerator, AcceleratorRequest, GpuMilli, Input, Maintenance, NodeId, NodeSpec, OnLoss, Order, PartitionBook,
    Passing, Policy, Reservation, Settings, Span, Submission, TaskKey, TaskRequest, Time, WorkloadId, WorkloadSpec,
};
use eaf_store::model::Fault as DiskFault;
use std::collections::BTreeMap;

/// By the words that a script has for them, in their order.
const ORDERS: [Order; 4] = [Order::Priority, Order::Fifo, Order::Sjf, Order::Las];
const PASSINGS: [Passing; 3] = [Passing::Strict, Passing::Skip, Passing::Backfill];

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Played {
    /// It did something.
    Done,
    /// It did nothing, for this reason.
    Nothing(String),
    /// What was expected is not so.
    NotAsExpected {
        /// What the line says.
        expected: String,
        /// What is so.
        found: String,
    },
}

impl Played {
    /// What is wrong with it in a script that somebody wrote.
    pub(crate) fn problem(self) -> Option<Problem> {
        match self {
            Self::Done => None,
            Self::Nothing(why) => Some(Problem::NoEffect { why }),
            Self::NotAsExpected { expected, found } => Some(Problem::NotAsExpected { expected, found }),
        }
    }

    fn done(done: bool, why: impl FnOnce() -> String) -> Self {
        if done { Self::Done } else { Self::Nothing(why()) }
    }
}

/// An id that nothing ever has.
const NOBODY: u64 = 1 << 40;

fn is_request(op: &Op) -> bool {
    matches!(op, Op::Submit { .. } | Op::Cancel { .. } | Op::Cordon { .. } | Op::Uncordon { .. } | Op::Remove { .. })
        || matches!(
            op,
            Op::Fleet { .. } | Op::Join { .. } | Op::Set(_) | Op::Mode { .. } | Op::Share { .. } | Op::Window { .. }
        )
}

impl World {
    /// Plays one operation.
    pub(crate) fn play(&mut self, op: &Op) -> Result<Played, Violation> {
        // Requests at one instant come to the control plane together; whatever else happens finds them taken.
        if !is_request(op) {
            self.settle_down()?;
        }
        if !matches!(op, Op::Advance(_) | Op::Expect(_)) {
            self.log.say(self.now, || format!("> {op}"));
        }
        match op {
            Op::Seed(seed) => {
                (self.seed, self.draw) = (*seed, Draw::new(*seed));
                Ok(Played::Done)
            }
            Op::Advance(span) => {
                self.advance(*span)?;
                Ok(Played::Done)
            }
            Op::Expect(expect) => Ok(self.expect(expect)),
            Op::Explain { name } => self.explain(name),
            Op::WhatIf { name, job } => self.what_if(name, job),
            Op::Drain => self.drain().map(|()| Played::Done),
            _ if is_request(op) => self.request(op),
            _ => self.strike(op),
        }
    }

    /// Lets time pass.
    pub(super) fn advance(&mut self, span: Span) -> Result<(), Violation> {
        let until = self.now.after(span);
        while self.next(until)? {}
        self.figures.simulated = Span(self.figures.simulated.0 + until.since(self.now).0);
        self.now = until;
        self.settle_down()
    }

    /// Goes to the next thing that happens by then; false where nothing does.
    pub(super) fn next(&mut self, until: Time) -> Result<bool, Violation> {
        self.settle_down()?;
        let next = [self.mail.next_at(), self.due_at()].into_iter().flatten().min();
        let Some(next) = next.filter(|next| *next <= until) else { return Ok(false) };
        self.figures.simulated = Span(self.figures.simulated.0 + next.since(self.now).0);
        self.now = self.now.max(next);
        Ok(true)
    }

    /// What somebody asks of the factory.
    fn request(&mut self, op: &Op) -> Result<Played, Violation> {
        let down = || "the control plane is down".to_owned();
        let done = match op {
            Op::Fleet { count, parts } => {
                let mut numbers = 1..=u32::MAX;
                for _ in 0..*count {
                    let free = numbers.find(|n| !self.engine.nodes.contains_key(&format!("node-{n}")));
                    self.join(&format!("node-{}", free.unwrap_or(1)), parts)?;
                }
                true
            }
            Op::Join { node, parts } => {
                self.join(node, parts)?;
                true
            }
            Op::Set(settings) => {
                self.settle_down()?;
                let settings = self.settings(settings);
                self.ask(Input::Configure(Box::new(settings)))?
            }
            Op::Share { name, share } => self.change_policy(|policy, _| {
                policy.shares.insert(name.clone(), share.clone());
            })?,
            Op::Window { name, window } => self.change_policy(|policy, now| {
                let (nodes, from) = (window.nodes.clone(), now.after(window.begins_in));
                let until = from.after(window.lasts);
                if let Some(project) = window.project.clone() {
                    policy.reservations.insert(name.clone(), Reservation { project, nodes, from, until });
                } else {
                    policy.maintenance.insert(name.clone(), Maintenance { nodes, from, until });
                }
            })?,
            Op::Submit { name, job } => return self.submit(name, job),
            Op::Cancel { name } => {
                let workload = self.resolve(name)?;
                self.ask(Input::Cancel { workload, by: "someone".to_owned() })?
            }
            Op::Cordon { node, why } => {
                let node = self.node(node)?;
                self.ask(Input::Cordon { node, why: why.clone() })?
            }
            Op::Uncordon { node } => {
                let node = self.node(node)?;
                self.ask(Input::Uncordon { node })?
            }
            Op::Mode { node, accelerators, mode } => {
                let (node, accelerators) = (self.node(node)?, accelerators.clone());
                let (mode, by) = (mode.clone(), "someone".to_owned());
                self.ask(Input::SetMode { node, accelerators, mode, by })?
            }
            Op::Remove { node } => {
                let node = self.node(node)?;
                self.ask(Input::RemoveNode { node })?
            }
            _ => false,
        };
        Ok(Played::done(done, down))
    }

    /// The policy in force, changed, is applied.
    fn change_policy(&mut self, change: impl FnOnce(&mut Policy, Time)) -> Result<bool, Violation> {
        self.settle_down()?;
        let mut policy = self.state().policy().clone();
        change(&mut policy, self.now);
        self.ask(Input::ApplyPolicy { policy: Box::new(policy), by: "someone".to_owned() })
    }

    /// A node announces itself.
    fn join(&mut self, name: &str, parts: &NodeParts) -> Result<(), Violation> {
        let spec = node_spec(name, parts);
        let node = self.engine.nodes.entry(name.to_owned());
        let node = node.or_insert_with(|| SimNode {
            spec: spec.clone(),
            reach: Reach::Up,
            cutting: super::cutting::Cutting::default(),
        });
        let old = std::mem::replace(&mut node.spec, spec.clone());
        let other = node.cutting.exchanged(&old, &spec);
        self.whole_again(name, &other);
        let up = self.engine.nodes.get(name).is_some_and(|node| node.reach == Reach::Up);
        if up && !self.engine.unreachable {
            // Where nobody listens, the node is found when the engine is met.
            self.ask(Input::NodeSeen(spec))?;
        }
        Ok(())
    }

    /// The workload of a name or of a member; one that is nobody's where the name is.
    fn resolve(&mut self, name: &str) -> Result<WorkloadId, Violation> {
        if self.has_asks() && !self.names.contains_key(name.split('.').next().unwrap_or_default()) {
            self.settle_down()?;
        }
        Ok(self.find(name).unwrap_or(WorkloadId::of_step(NOBODY)))
    }

    /// The workload of a name or of a member.
    pub(super) fn find(&self, name: &str) -> Option<WorkloadId> {
        let (list, member) = name.rsplit_once('.').unwrap_or((name, ""));
        match member.parse::<u16>() {
            Ok(member) => self.names.get(list).map(|list| WorkloadId::of_member(list.step(), member)),
            Err(_) => self.names.get(name).copied(),
        }
    }

    fn node(&mut self, name: &str) -> Result<NodeId, Violation> {
        if self.has_asks() && !self.node_ids.contains_key(name) {
            self.settle_down()?;
        }
        Ok(self.node_ids.get(name).copied().unwrap_or(NodeId::of_step(NOBODY)))
    }

    fn settings(&self, changes: &[(Setting, u64)]) -> Settings {
        if changes.is_empty() {
            return Settings::default();
        }
        let mut settings = self.state().settings().clone();
        let place = |value: u64, most: usize| usize::try_from(value).unwrap_or(usize::MAX).min(most - 1);
        for (setting, value) in changes {
            let (limits, timing, queue) = (&mut settings.limits, &mut settings.timing, &mut settings.queue);
            let small = u32::try_from(*value).unwrap_or(u32::MAX);
            match setting {
                Setting::Remembered => limits.remembered_max = small,
                Setting::Nodes => limits.nodes_max = *value,
                Setting::Live => limits.live_workloads_max = *value,
                Setting::Array => limits.array_max = small,
                Setting::Grants => limits.grants_per_plan_max = small,
                Setting::Losses => limits.losses_max = small,
                Setting::LostGrace => timing.lost_node_grace = Span(*value),
                Setting::StartTimeout => timing.start_timeout = Span(*value),
                Setting::Backoff => timing.retry_backoff = Span(*value),
                Setting::Preemptions => limits.preemptions_max = small,
                Setting::Order => queue.order = ORDERS[place(*value, ORDERS.len())],
                Setting::Passing => queue.passing = PASSINGS[place(*value, PASSINGS.len())],
                Setting::Holds => queue.holds = small,
                Setting::HeadAfter => queue.head_after = Span(*value),
                Setting::PreemptAfter => queue.preempt_after = Span(*value),
                Setting::LevelService => queue.level_service = Span(*value),
                Setting::Wall => timing.wall_time_default = Span(*value),
                Setting::ModeChange => timing.mode_change = Span(*value),
                Setting::ModeTimeout => timing.mode_change_timeout = Span(*value),
                Setting::Partitions if *value == 0 => settings.partitions = PartitionBook::default(),
                Setting::Partitions => settings.partitions = crate::partitions::published(),
            }
        }
        settings
    }

    fn submit(&mut self, name: &str, job: &JobSpec) -> Result<Played, Violation> {
        let mut spec = workload_spec(name, job, self.clock());
        let mut ended = Vec::new();
        for (names, ids) in [(&job.after_ok, &mut spec.after_ok), (&job.after_any, &mut spec.after_any)] {
            for on in names {
                let id = self.resolve(on)?;
                // The door looks into the history for what memory may have forgotten.
                if self.state().has_forgotten() {
                    ended.extend(self.history(id));
                }
                if !ids.contains(&id) {
                    ids.push(id);
                }
            }
        }
        if job.key.as_ref().is_some_and(|key| self.key_is_history(key)) {
            self.log.say(self.now, || format!("{name}: the history has a workload of this key"));
            return Ok(Played::Done);
        }
        let array = (0..job.array).collect();
        let submission = Submission { spec, array, key: job.key.clone(), by: "someone".to_owned(), ended };
        let done = self.ask(Input::Submit(Box::new(submission)))?;
        Ok(Played::done(done, || "the control plane is down".to_owned()))
    }

    /// What happens to the machines.
    fn strike(&mut self, op: &Op) -> Result<Played, Violation> {
        let why = |text: &str| text.to_owned();
        match op {
            Op::Fail { node } => self.take_down(node, Reach::Dead, Fault::NodeDied),
            Op::Destroy { node } => self.take_down(node, Reach::Destroyed, Fault::NodeDestroyed),
            Op::Silence { node } => self.take_down(node, Reach::Silent, Fault::NodeSilent),
            Op::Restore { node } => {
                let down = self.engine.nodes.get(node).is_some_and(|node| node.reach != Reach::Up);
                if down {
                    self.fault(Fault::NodeBack);
                    let acts = self.bring_up(node);
                    self.act(acts)?;
                    self.reachable();
                }
                Ok(Played::done(down, || format!("{node} is not down")))
            }
            Op::Kill { name, task, signal } => self.kill(name, *task, *signal),
            Op::Engine(mode) => Ok(self.engine_mode(*mode)),
            Op::Crash(CrashAt::PowerInWrite(write)) if *write > 2 => Ok(Played::Nothing(why("an append is 0 to 2"))),
            Op::Crash(at) => Ok(Played::done(self.crash_at(*at), || why("the control plane is down"))),
            Op::Restart => Ok(Played::done(self.restart()?, || why("the control plane is up"))),
            Op::DiskError { write } => {
                let done = self.disk_fault(|disk| Some(DiskFault::Error { at: disk.operations() + write }));
                Ok(Played::done(done, || why("nobody writes to the disk")))
            }
            Op::DiskFull => {
                let done = self.disk_fault(|disk| Some(DiskFault::Full { bytes: disk.bytes().len() }));
                Ok(Played::done(done, || why("nobody writes to the disk")))
            }
            Op::Clock { ms } => {
                self.skew = self.skew.saturating_add(*ms);
                self.fault(if *ms < 0 { Fault::ClockBack } else { Fault::ClockAhead });
                Ok(Played::Done)
            }
            Op::Snapshot | Op::Prune => {
                let done = self.keep_house(*op == Op::Prune);
                Ok(Played::done(done, || why("the control plane is down")))
            }
            Op::ForeignReport => {
                self.foreign_report();
                Ok(Played::Done)
            }
            _ => Ok(Played::Nothing(why("it is played elsewhere"))),
        }
    }

    /// A machine is back; one that was without power has lost its modes.
    pub(super) fn bring_up(&mut self, name: &str) -> Vec<super::engine::Act> {
        let silent = self.engine.nodes.get(name).is_none_or(|node| node.reach == Reach::Silent);
        if !silent {
            self.forget_modes(name);
        }
        self.engine.up(name)
    }

    fn take_down(&mut self, name: &str, how: Reach, fault: Fault) -> Result<Played, Violation> {
        let there = self
            .engine
            .nodes
            .get(name)
            .is_some_and(|node| node.reach == Reach::Up || (node.reach == Reach::Silent && how != Reach::Silent));
        if !there {
            return Ok(Played::Nothing(format!("{name} is not up")));
        }
        self.fault(fault);
        let acts = self.engine.down(self.now, name, how);
        self.act(acts)?;
        self.watch_node(name);
        Ok(Played::Done)
    }

    fn kill(&mut self, name: &str, task: u32, signal: i32) -> Result<Played, Violation> {
        let lease = self.find(name).and_then(|workload| self.reference.lease_of(workload));
        let acts = lease.and_then(|lease| self.engine.kill(self.now, TaskKey { lease, task }, signal));
        let Some(acts) = acts else {
            return Ok(Played::Nothing(format!("task {task} of {name} does not run")));
        };
        self.fault(Fault::TaskKilled);
        self.act(acts)?;
        Ok(Played::Done)
    }

    fn engine_mode(&mut self, mode: EngineMode) -> Played {
        match mode {
            EngineMode::Well => {
                let lossy = self.modes.loses;
                self.modes = super::Modes::default();
                if lossy {
                    self.reachable();
                }
            }
            EngineMode::Doubles => self.modes.doubles = true,
            EngineMode::Loses => self.modes.loses = true,
            EngineMode::FailsModes => self.modes.fails_changes = true,
            EngineMode::Delays(most) => self.modes.delay = Some(most),
            EngineMode::Slow(most) => self.modes.slow = Some(most),
            EngineMode::Lost | EngineMode::Back => {
                let lost = mode == EngineMode::Lost;
                if self.engine.unreachable == lost {
                    return Played::Nothing("it is so already".to_owned());
                }
                self.engine.unreachable = lost;
                if lost {
                    self.fault(Fault::EngineLost);
                    self.gaps += 1;
                    self.mail.push(self.now, Item::Unreachable);
                } else {
                    self.reachable();
                }
            }
        }
        Played::Done
    }

    fn crash_at(&mut self, at: CrashAt) -> bool {
        let up = self.is_up();
        match at {
            CrashAt::Now => self.crash(Fault::Crash, false),
            CrashAt::PowerNow => self.crash(Fault::PowerLoss, true),
            _ if up => self.armed = Some(at),
            _ => {}
        }
        up
    }
}

fn node_spec(name: &str, parts: &NodeParts) -> NodeSpec {
    let accelerators = parts
        .accelerators
        .iter()
        .flat_map(|(count, model)| (0..*count).map(|_| Accelerator { model: model.clone(), memory: None, uuid: None }));
    NodeSpec {
        name: name.to_owned(),
        cpu: parts.cpu,
        memory: parts.memory,
        accelerators: accelerators.collect(),
        fabric: parts.fabric.clone(),
        pretended: true,
        labels: BTreeMap::new(),
    }
}

pub(super) fn workload_spec(name: &str, job: &JobSpec, now: Time) -> WorkloadSpec {
    let mut spec = WorkloadSpec::command(&["simulated"]);
    name.clone_into(&mut spec.name);
    spec.run = command(&job.program);
    spec.tasks = job.tasks;
    spec.tasks_min = job.tasks_min;
    spec.tasks_per_node_max = job.per_node;
    let part = !job.accelerators.is_multiple_of(1_000);
    let count = if part { 1 } else { u32::try_from(job.accelerators / 1_000).unwrap_or(u32::MAX) };
    let share = GpuMilli(if part { job.accelerators } else { 1_000 });
    let models = job.model.iter().cloned().collect();
    let accelerators = AcceleratorRequest { count, share, models, slice: job.slice.clone() };
    spec.task = TaskRequest { cpu: job.cpu, memory: job.memory, accelerators };
    spec.project = job.project.clone().unwrap_or(spec.project);
    spec.wall_time = job.wall;
    spec.priority = job.priority;
    spec.preemptible = job.preemptible;
    spec.keeps_progress = job.keeps_progress;
    spec.retries = job.retries;
    spec.on_loss = if job.fails_when_lost { OnLoss::Fail } else { OnLoss::Requeue };
    spec.expires_after = job.expires;
    spec.deadline = job.deadline.map(|span| now.after(span));
    spec.stop_grace = job.grace;
    spec
}
