//! What a seed does next, with the state in view.
//!
//! What: draws operations that mean something: cancels of what lives, crashes of what runs, and now and then something
//! that must be refused. Why concrete operations come out: they are recorded, and a script needs no generator to be played
//! again. Absent: what they do.

use super::swarm::{Kind, Swarm, Trait};
use crate::draw::Draw;
use crate::script::{CrashAt, EngineMode, JobSpec, NodeParts, Op, Program, ProgramEnd, Setting, WindowParts};
use crate::world::World;
use eaf_model::{Bytes, CpuMilli, ModeState, Quota, Share, Span, WorkloadState};

/// The fewest nodes of a large seed.
pub(super) const NODES_MIN: u64 = 8;
/// The most that is guaranteed to one share.
const GUARANTEED_MAX: u64 = 3;
pub(super) const MODELS: [&str; 2] = ["MI355X", "H200"];
/// Slices of each of them.
const SLICES: [&[&str]; 2] = [&["CPX", "CPX/NPS2", "DPX"], &["1g.18gb", "1g.35gb", "2g.35gb", "3g.71gb", "4g.71gb"]];
/// Projects and tenants; some of those that have a share are parts of others.
pub(super) const PROJECTS: [&str; 4] = ["acme", "lab", "speech", "vision"];
const MODES: [&str; 5] = ["whole", "MIG", "CPX/NPS1", "CPX/NPS2", "DPX/NPS2"];

/// Draws the operations of a large seed.
pub(super) struct Proposer {
    draw: Draw,
    swarm: Swarm,
    /// Names of what was submitted.
    names: Vec<String>,
    nodes: u64,
    /// True while some mode of the engine is on.
    unwell: bool,
    disk_is_full: bool,
}

impl Proposer {
    pub(super) fn new(mut draw: Draw) -> Self {
        let swarm = Swarm::draw(&mut draw);
        Self { draw, swarm, names: Vec::new(), nodes: 0, unwell: false, disk_is_full: false }
    }

    /// How a seed begins.
    pub(super) fn opening(&mut self, seed: u64) -> Vec<Op> {
        let mut ops = vec![Op::Seed(seed)];
        if self.draw.one_in(8) {
            // Nobody can run anything yet.
            ops.push(self.submit());
            ops.push(Op::Advance(Span(1)));
        }
        while self.nodes < NODES_MIN + self.draw.below(4) {
            let count = self.draw.between(1, 4);
            self.nodes += count;
            ops.push(Op::Fleet { count: u32::try_from(count).unwrap_or(1), parts: self.parts() });
        }
        if self.swarm.is_on(Trait::Slice) {
            ops.push(Op::Set(vec![(Setting::Partitions, 1)]));
        }
        if self.swarm.kinds.contains(&Kind::Set) {
            ops.push(self.set());
        }
        if self.swarm.is_on(Trait::Project) {
            ops.extend((0..self.draw.between(1, 3)).map(|_| self.share()).collect::<Vec<_>>());
        }
        if self.swarm.has(Trait::Preemptible, &mut self.draw, 1) {
            // By its defaults a factory would hardly stop anything within a seed.
            let draw = &mut self.draw;
            let order = if draw.one_in(3) { 3 } else { 0 };
            let settings = [(Setting::PreemptAfter, draw.below(20_000)), (Setting::Passing, draw.below(3))];
            ops.push(Op::Set(settings.into_iter().chain([(Setting::Order, order)]).collect()));
        }
        ops
    }

    /// The next operation.
    pub(super) fn next(&mut self, world: &World) -> Op {
        if !world.is_up() {
            self.disk_is_full = false;
            return match self.draw.below(4) {
                0 => self.pass(),
                1 => self.other(world),
                _ => Op::Restart,
            };
        }
        match self.draw.below(100) {
            0..45 => self.submit(),
            45..80 => self.pass(),
            _ => self.other(world),
        }
    }

    /// Time passes: often a little, sometimes a lot.
    fn pass(&mut self) -> Op {
        let most = [20, 2_000, 20_000, 120_000, 600_000][usize::try_from(self.draw.below(5)).unwrap_or(0)];
        Op::Advance(Span(1 + self.draw.below(most)))
    }

    /// A fault or a deed, or the end of one.
    fn other(&mut self, world: &World) -> Op {
        let down: Vec<String> = world.nodes().filter(|(_, up)| !up).map(|(name, _)| name.to_owned()).collect();
        if self.draw.one_in(3)
            && let Some(node) = self.draw.pick(&down)
        {
            return Op::Restore { node: node.clone() };
        }
        if world.engine_is_lost() && self.draw.one_in(3) {
            return Op::Engine(EngineMode::Back);
        }
        if self.unwell && self.draw.one_in(6) {
            self.unwell = false;
            return Op::Engine(EngineMode::Well);
        }
        let kinds = self.swarm.kinds.clone();
        let Some(kind) = self.draw.pick(&kinds).copied() else { return self.pass() };
        self.fault(kind, world).or_else(|| self.deed(kind, world)).unwrap_or_else(|| self.pass())
    }

    fn fault(&mut self, kind: Kind, world: &World) -> Option<Op> {
        let up: Vec<String> = world.nodes().filter(|(_, up)| *up).map(|(name, _)| name.to_owned()).collect();
        // Half of the fleet stays, so that something still happens.
        let spare = up.len() as u64 > self.nodes / 2;
        let node = self.draw.pick(&up).filter(|_| spare).cloned();
        let mode = |mode| Some(Op::Engine(mode));
        let seconds = |draw: &mut Draw, most| Span::from_secs(1 + draw.below(most));
        let crash = |at| (!world.is_armed()).then_some(Op::Crash(at));
        self.unwell |= matches!(kind, Kind::Doubles | Kind::Delays | Kind::Loses | Kind::Slow | Kind::FailsModes);
        match kind {
            Kind::Fail => node.map(|node| Op::Fail { node }),
            Kind::Destroy => node.map(|node| Op::Destroy { node }),
            Kind::Silence => node.map(|node| Op::Silence { node }),
            Kind::Kill => {
                let running: Vec<_> = world.state().leases().map(|lease| lease.workload).collect();
                let workload = *self.draw.pick(&running)?;
                let name = world.name_of(workload);
                Some(Op::Kill { name, task: 0, signal: if self.draw.one_in(2) { 9 } else { 11 } })
            }
            Kind::EngineLost => mode(EngineMode::Lost),
            Kind::Doubles => mode(EngineMode::Doubles),
            Kind::Delays => mode(EngineMode::Delays(seconds(&mut self.draw, 60))),
            Kind::Loses => mode(EngineMode::Loses),
            Kind::Slow => mode(EngineMode::Slow(seconds(&mut self.draw, 10))),
            Kind::FailsModes => mode(EngineMode::FailsModes),
            Kind::Foreign => Some(Op::ForeignReport),
            Kind::CrashNow => Some(Op::Crash(CrashAt::Now)),
            Kind::CrashBeforeAppend => crash(CrashAt::BeforeAppend),
            Kind::CrashAfterAppend => crash(CrashAt::AfterAppend),
            Kind::CrashAfterEffects => crash(CrashAt::AfterEffects),
            Kind::PowerNow => Some(Op::Crash(CrashAt::PowerNow)),
            Kind::PowerInWrite => crash(CrashAt::PowerInWrite(self.draw.below(3))),
            Kind::DiskError => Some(Op::DiskError { write: self.draw.below(3) }),
            Kind::DiskFull => (!std::mem::replace(&mut self.disk_is_full, true)).then_some(Op::DiskFull),
            Kind::ClockBack => {
                let ms = 1 + self.draw.below(120_000);
                Some(Op::Clock { ms: -i64::try_from(ms).unwrap_or(0) })
            }
            Kind::ClockAhead => {
                let ms = 1 + self.draw.below(300_000);
                Some(Op::Clock { ms: i64::try_from(ms).unwrap_or(0) })
            }
            _ => None,
        }
    }

    fn deed(&mut self, kind: Kind, world: &World) -> Option<Op> {
        let nodes: Vec<String> = world.nodes().map(|(name, _)| name.to_owned()).collect();
        let node = self.draw.pick(&nodes).cloned();
        let nobody = self.draw.one_in(10).then(|| "nobody".to_owned());
        match kind {
            Kind::Cancel => {
                // Now and then only among those that are stopping already.
                let again = self.draw.one_in(4);
                let wanted = |state| !again || state == WorkloadState::Stopping;
                let live = world.state().workloads().filter(|workload| wanted(workload.state));
                let live: Vec<_> = live.map(|workload| workload.id).collect();
                let live = self.draw.pick(&live).map(|id| world.name_of(*id));
                let any = self.draw.pick(&self.names).cloned();
                Some(Op::Cancel { name: if self.draw.one_in(6) { any? } else { live? } })
            }
            Kind::Cordon if self.draw.one_in(2) => Some(Op::Uncordon { node: nobody.or(node)? }),
            Kind::Cordon => Some(Op::Cordon { node: nobody.or(node)?, why: "a fan is loud".to_owned() }),
            Kind::Remove => {
                let most = nodes.len() as u64 > NODES_MIN;
                Some(Op::Remove { node: nobody.or(node.filter(|_| most))? })
            }
            Kind::Join => {
                self.nodes += 1;
                Some(Op::Join { node: format!("node-{}", 20 + self.draw.below(8)), parts: self.parts() })
            }
            Kind::Change => Some(Op::Join { node: node?, parts: self.parts() }),
            Kind::Explain => {
                let waiting = world.state().workloads().filter(|workload| workload.state == WorkloadState::Queued);
                let waiting: Vec<_> = waiting.map(|workload| workload.id).collect();
                let asked = self.draw.pick(&waiting).map(|id| world.name_of(*id));
                Some(Op::Explain { name: asked? })
            }
            Kind::WhatIf => Some(Op::WhatIf { name: "perhaps".to_owned(), job: Box::new(self.job()) }),
            Kind::Set => Some(self.set()),
            Kind::Snapshot => Some(Op::Snapshot),
            Kind::Prune => Some(Op::Prune),
            Kind::Mode => self.mode(world),
            Kind::Policy if self.draw.one_in(3) => window(&mut self.draw, &nodes),
            Kind::Policy => Some(self.share()),
            _ => None,
        }
    }

    /// A project or a tenant gets a share; now and then one that does not hold together with the others.
    fn share(&mut self) -> Op {
        let draw = &mut self.draw;
        let mut share = share(draw, &MODELS.map(|model| (model, GUARANTEED_MAX)));
        share.parent = draw.one_in(4).then(|| draw.pick(&PROJECTS).copied().unwrap_or_default().to_owned());
        Op::Share { name: draw.pick(&PROJECTS).copied().unwrap_or_default().to_owned(), share }
    }

    /// An operator brings an accelerator, or all of a node, into a mode; now and then one that it cannot have.
    fn mode(&mut self, world: &World) -> Option<Op> {
        let nodes = world.state().nodes().filter(|(_, node)| !node.spec.accelerators.is_empty());
        // Mostly what is out of service, so that it comes back.
        let hurt = |node: &eaf_core::Node| {
            let mut modes = node.modes.iter().filter(|(_, mode)| mode.state == ModeState::OutOfService);
            modes.next().map(|(board, _)| *board)
        };
        let nodes: Vec<_> = nodes.map(|(_, node)| (node.clone(), hurt(node))).collect();
        let broken: Vec<_> = nodes.iter().filter(|(_, hurt)| hurt.is_some()).cloned().collect();
        let from = if broken.is_empty() || self.draw.one_in(4) { nodes } else { broken };
        let (node, hurt) = self.draw.pick(&from)?.clone();
        let count = node.spec.accelerators.len() as u64;
        let board = hurt.unwrap_or_else(|| u16::try_from(self.draw.below(count)).unwrap_or(0));
        let mode = (*self.draw.pick(&MODES)?).to_owned();
        let together = world.state().boards_together(&node, board, &mode);
        let accelerators = if self.draw.one_in(10) { vec![board] } else { together };
        Some(Op::Mode { node: node.spec.name.clone(), accelerators, mode })
    }

    fn parts(&mut self) -> NodeParts {
        let draw = &mut self.draw;
        let count = u16::try_from(draw.below(5)).unwrap_or(0);
        let model = MODELS[usize::from(draw.one_in(3))].to_owned();
        let fabric = vec![format!("spine-{}", draw.between(1, 2)), format!("leaf-{}", draw.between(1, 3))];
        NodeParts {
            fabric: if draw.one_in(2) { fabric } else { Vec::new() },
            cpu: CpuMilli(1_000 * draw.between(4, 12)),
            memory: Bytes(draw.between(8, 24) << 30),
            accelerators: if count > 0 { vec![(count, model)] } else { Vec::new() },
        }
    }

    fn set(&mut self) -> Op {
        let draw = &mut self.draw;
        let mut settings = Vec::new();
        let mut set = |draw: &mut Draw, setting, from, to| {
            if draw.one_in(3) {
                settings.push((setting, draw.between(from, to)));
            }
        };
        set(draw, Setting::Remembered, 0, 30);
        set(draw, Setting::Nodes, self.nodes, self.nodes + 3);
        set(draw, Setting::Live, 15, 80);
        set(draw, Setting::Grants, 1, 6);
        set(draw, Setting::Losses, 0, 6);
        set(draw, Setting::LostGrace, 0, 120_000);
        set(draw, Setting::StartTimeout, 20_000, 120_000);
        set(draw, Setting::Backoff, 0, 20_000);
        set(draw, Setting::Wall, 60_000, 3_600_000);
        set(draw, Setting::ModeChange, 0, 120_000);
        set(draw, Setting::ModeTimeout, 30_000, 120_000);
        set(draw, Setting::Preemptions, 0, 5);
        set(draw, Setting::Order, 0, 3);
        set(draw, Setting::Passing, 0, 2);
        set(draw, Setting::Holds, 1, 6);
        set(draw, Setting::HeadAfter, 0, 900_000);
        set(draw, Setting::PreemptAfter, 0, 60_000);
        set(draw, Setting::LevelService, 1_000, 300_000);
        if draw.one_in(8) {
            settings.push((Setting::Array, 0));
        }
        Op::Set(settings)
    }

    fn submit(&mut self) -> Op {
        let name = format!("w{}", self.names.len() + 1);
        let job = Box::new(self.job());
        self.names.push(name.clone());
        Op::Submit { name, job }
    }

    fn job(&mut self) -> JobSpec {
        let Self { draw, swarm, names, .. } = self;
        let mut job = JobSpec { program: program(draw, swarm), ..JobSpec::default() };
        job.cpu = CpuMilli(if draw.one_in(3) { 500 * draw.between(1, 8) } else { 1_000 });
        job.memory = Bytes(draw.between(1, 4) << 30);
        if swarm.has(Trait::Gang, draw, 3) {
            job.tasks = u32::try_from(draw.between(2, 6)).unwrap_or(2);
            let min = u32::try_from(draw.between(1, u64::from(job.tasks))).unwrap_or(1);
            job.tasks_min = draw.one_in(2).then_some(min);
            job.per_node = draw.one_in(2).then(|| u32::try_from(draw.between(1, 3)).unwrap_or(1));
        }
        if swarm.has(Trait::Array, draw, 8) {
            job.array = u16::try_from(draw.between(1, 6)).unwrap_or(1);
        }
        if draw.one_in(3) {
            job.accelerators = 1_000 * draw.between(1, 2);
            if swarm.has(Trait::Share, draw, 2) {
                job.accelerators = draw.between(1, 999);
            }
            job.model = swarm.has(Trait::Model, draw, 2).then(|| MODELS[usize::from(draw.one_in(2))].to_owned());
        }
        if swarm.has(Trait::Slice, draw, 3) {
            let model = usize::from(draw.one_in(2));
            job.accelerators = 1_000 * if model == 0 { draw.between(1, 3) } else { 1 };
            job.slice = draw.pick(SLICES[model]).map(|slice| (*slice).to_owned());
            job.model = draw.one_in(2).then(|| MODELS[model].to_owned());
        }
        for (on, after) in [(Trait::AfterOk, &mut job.after_ok), (Trait::AfterAny, &mut job.after_any)] {
            if swarm.has(on, draw, 5) {
                let recent = names.len().saturating_sub(6);
                let from = if draw.one_in(4) { &names[..] } else { &names[recent..] };
                after.extend(draw.pick(from).cloned());
            }
        }
        if swarm.has(Trait::Project, draw, 2) {
            job.project = draw.pick(&PROJECTS).map(|project| (*project).to_owned());
        }
        job.wall = swarm.has(Trait::Wall, draw, 2).then(|| Span::from_secs(draw.between(5, 900)));
        job.expires = swarm.has(Trait::Expires, draw, 4).then(|| Span::from_secs(draw.between(1, 600)));
        // Without a wall time it would be the default, which no deadline here reaches.
        let wall = job.wall.filter(|_| swarm.has(Trait::Expires, draw, 3));
        job.deadline = wall.map(|wall| Span((wall.0 + draw.below(900_000)).saturating_sub(60_000)));
        job.grace = draw.one_in(4).then(|| Span::from_secs(draw.below(30)));
        job.fails_when_lost = draw.one_in(5);
        if swarm.has(Trait::Priority, draw, 2) {
            job.priority = i32::try_from(draw.below(5)).unwrap_or(0) - 2;
        }
        if swarm.has(Trait::Preemptible, draw, 2) {
            job.preemptible = true;
            job.keeps_progress = draw.one_in(3);
        }
        if swarm.has(Trait::Retries, draw, 2) {
            job.retries = u32::try_from(draw.between(1, 3)).unwrap_or(1);
        }
        job.key = swarm.has(Trait::Key, draw, 3).then(|| format!("k{}", draw.below(20)));
        if swarm.has(Trait::Odd, draw, 12) {
            match draw.below(5) {
                0 => job.slice = Some("5g.1gb".to_owned()),
                1 => job.tasks = 0,
                2 => job.cpu = CpuMilli(500_000),
                3 => job.after_ok = vec!["nobody".to_owned()],
                _ => job.key = Some("sch\u{f6}n".to_owned()),
            }
        }
        job
    }
}

/// A share in which at most so much of each model is guaranteed.
pub(super) fn share(draw: &mut Draw, most: &[(&str, u64)]) -> Share {
    let small = |draw: &mut Draw, most| u32::try_from(draw.below(most)).unwrap_or(0);
    let mut share = Share { weight: 1 + small(draw, 3), ..Share::default() };
    for (model, guaranteed_max) in most {
        if draw.one_in(2) {
            let guaranteed = small(draw, guaranteed_max + 1);
            let borrowable = draw.one_in(3).then(|| small(draw, u64::from(guaranteed) + 1));
            let maximum = draw.one_in(2).then(|| guaranteed + small(draw, 4));
            share.accelerators.insert((*model).to_owned(), Quota { guaranteed, borrowable, maximum });
        }
    }
    if draw.one_in(3) {
        share.priority = i32::try_from(draw.below(3)).unwrap_or(0) - 1;
    }
    share.spot = draw.one_in(4);
    share
}

/// Nodes are kept for a project, or for a repair.
pub(super) fn window(draw: &mut Draw, nodes: &[String]) -> Option<Op> {
    let node = draw.pick(nodes)?.clone();
    let other = draw.one_in(3).then(|| draw.pick(nodes).cloned()).flatten().filter(|other| *other != node);
    let project = draw.one_in(2).then(|| draw.pick(&PROJECTS).copied().unwrap_or_default().to_owned());
    let (begins_in, lasts) = (Span::from_secs(draw.below(900)), Span::from_secs(draw.below(600)));
    let window = WindowParts { project, nodes: [node].into_iter().chain(other).collect(), begins_in, lasts };
    Some(Op::Window { name: format!("window-{}", draw.below(4)), window })
}

fn program(draw: &mut Draw, swarm: &Swarm) -> Program {
    let mut program = Program { runs: Some(Span(1 + draw.below(240_000))), ..Program::default() };
    if draw.one_in(3) {
        program.runs = Some(Span(1 + draw.below(3_000)));
    }
    if swarm.has(Trait::Endless, draw, 8) {
        program.runs = None;
    }
    if swarm.has(Trait::Fails, draw, 3) {
        program.end = match draw.below(6) {
            0 => ProgramEnd::Signal(11),
            1 => ProgramEnd::OutOfMemory,
            2 => ProgramEnd::CannotStart,
            _ => ProgramEnd::Code(1),
        };
    }
    if swarm.has(Trait::Retries, draw, 3) {
        program.fails = u32::try_from(draw.between(1, 2)).unwrap_or(1);
    }
    program.ignores_stops = swarm.has(Trait::Stubborn, draw, 4);
    program.checkpoints = swarm.has(Trait::Checkpoints, draw, 2).then(|| Span(1 + draw.below(60_000)));
    if swarm.has(Trait::SlowStart, draw, 6) {
        program.starts_in = Span::from_secs(draw.between(0, 200));
    }
    program
}
