//! Small plain factories: few nodes, little work, and no faults.
//!
//! What: a whole seed at once: one to three nodes, a dozen short workloads at most that want the same of them, settings, shares
//! and windows. Why beside the large ones: where two workloads stop each other for ever, or one starves, it takes no more than
//! these, and a small factory is played so fast that many more combinations come up. Why time passes before the drain: that
//! takes maxima and windows away, and what goes wrong under them must have happened by then. Absent: faults, and deeds of
//! operators.

use super::propose::{MODELS, PROJECTS, share, window};
use super::swarm::{Swarm, Trait};
use crate::draw::Draw;
use crate::script::{JobSpec, NodeParts, Op, Program, ProgramEnd, Setting};
use eaf_model::{Bytes, CpuMilli, Share, Span};
use std::collections::BTreeMap;

/// How long everything has to come to its end by itself.
const PATIENCE: Span = Span::from_secs(4 * 3_600);

/// Draws a small factory and what is asked of it.
struct Plain<'a> {
    draw: &'a mut Draw,
    swarm: Swarm,
    nodes: Vec<NodeParts>,
    shares: BTreeMap<&'static str, Share>,
    /// Names of what was submitted.
    names: Vec<String>,
}

/// Everything that happens in a seed before its drain.
pub(super) fn story(seed: u64, draw: &mut Draw) -> Vec<Op> {
    let (swarm, shares, names) = (Swarm::plain(draw), BTreeMap::new(), Vec::new());
    let mut plain = Plain { draw, swarm, nodes: Vec::new(), shares, names };
    let mut ops = plain.opening(seed);
    plain.work(&mut ops);
    ops.push(Op::Advance(PATIENCE));
    ops
}

impl Plain<'_> {
    fn opening(&mut self, seed: u64) -> Vec<Op> {
        let mut ops = vec![Op::Seed(seed)];
        // Some have no accelerators at all.
        let most = if self.draw.one_in(6) { 0 } else { 4 };
        for _ in 0..self.draw.between(1, 3) {
            let parts = self.parts(most);
            self.nodes.push(parts.clone());
            ops.push(Op::Fleet { count: 1, parts });
        }
        ops.push(Op::Set(self.settings()));
        if self.swarm.is_on(Trait::Project) {
            ops.extend((0..self.draw.between(1, 3)).map(|at| self.share(at)).collect::<Vec<_>>());
        }
        ops
    }

    fn parts(&mut self, most: u64) -> NodeParts {
        let draw = &mut *self.draw;
        let some = |draw: &mut Draw| u16::try_from(draw.between(0, most)).unwrap_or(0);
        let mut accelerators = vec![(some(draw), MODELS[usize::from(draw.one_in(5))].to_owned())];
        if draw.one_in(6) {
            let other = MODELS.into_iter().find(|model| *model != accelerators[0].1).unwrap_or(MODELS[0]);
            accelerators.push((some(draw), other.to_owned()));
        }
        accelerators.retain(|(count, _)| *count > 0);
        NodeParts {
            cpu: CpuMilli(1_000 * draw.between(1, 6)),
            memory: Bytes(draw.between(1, 8) << 30),
            accelerators,
            fabric: Vec::new(),
        }
    }

    fn settings(&mut self) -> Vec<(Setting, u64)> {
        let draw = &mut *self.draw;
        let ripe = [1, 5_000, 30_000][usize::try_from(draw.below(3)).unwrap_or(0)];
        let mut settings = vec![
            (Setting::Order, if draw.one_in(2) { 0 } else { draw.between(1, 3) }),
            (Setting::Passing, if draw.one_in(2) { 2 } else { draw.below(2) }),
            // By its default a factory would hardly stop anything within a seed.
            (Setting::PreemptAfter, draw.below(ripe)),
        ];
        let others = [
            (Setting::Holds, 1, 6),
            (Setting::HeadAfter, 30_000, 900_000),
            (Setting::LevelService, 1_000, 300_000),
            (Setting::Preemptions, 0, 30),
            (Setting::Backoff, 0, 20_000),
            (Setting::Grants, 1, 3),
            (Setting::Wall, 10_000, 1_800_000),
        ];
        for (setting, from, to) in others {
            if draw.one_in(3) {
                settings.push((setting, draw.between(from, to)));
            }
        }
        settings
    }

    /// A project gets a share of the whole, or of a share that there is, and mostly one that it can have.
    fn share(&mut self, at: u64) -> Op {
        let there: Vec<&str> = self.shares.keys().copied().collect();
        let parent = if self.draw.one_in(3) { self.draw.pick(&there).copied() } else { None };
        let most: Vec<(&str, u64)> = MODELS.into_iter().map(|model| (model, self.unpromised(model, parent))).collect();
        let most: Vec<(&str, u64)> = most.into_iter().filter(|(model, _)| self.accelerators(model) > 0).collect();
        let share = Share { parent: parent.map(str::to_owned), ..share(self.draw, &most) };
        let name = PROJECTS[usize::try_from(at).unwrap_or(0) % PROJECTS.len()];
        self.shares.insert(name, share.clone());
        Op::Share { name: name.to_owned(), share }
    }

    /// How many of a model the nodes have.
    fn accelerators(&self, model: &str) -> u64 {
        let of_it = self.nodes.iter().flat_map(|node| &node.accelerators).filter(|(_, other)| other == model);
        of_it.map(|(count, _)| u64::from(*count)).sum()
    }

    /// How many of a model a share, or the whole, has not yet guaranteed to its parts.
    fn unpromised(&self, model: &str, parent: Option<&str>) -> u64 {
        let own = |share: &Share| u64::from(share.accelerators.get(model).map_or(0, |quota| quota.guaranteed));
        let parts = self.shares.values().filter(|share| share.parent.as_deref() == parent);
        let whole = parent.map_or_else(|| self.accelerators(model), |parent| own(&self.shares[parent]));
        whole.saturating_sub(parts.map(own).sum())
    }

    /// Arrivals, and windows between them.
    fn work(&mut self, ops: &mut Vec<Op>) {
        let windows = self.draw.one_in(4);
        let nodes: Vec<String> = (1..=self.nodes.len()).map(|node| format!("node-{node}")).collect();
        // In some seeds all come at once, in some over minutes.
        let pace = [1, 5_000, 30_000, 90_000][usize::try_from(self.draw.below(4)).unwrap_or(0)];
        for number in 1..=self.draw.between(3, 12) {
            if windows && self.draw.one_in(4) {
                ops.extend(window(self.draw, &nodes));
            }
            let name = format!("w{number}");
            ops.push(Op::Submit { name: name.clone(), job: Box::new(self.job()) });
            self.names.push(name);
            if self.draw.one_in(2) {
                ops.push(Op::Advance(Span(1 + self.draw.below(pace))));
            }
        }
    }

    fn job(&mut self) -> JobSpec {
        let mut job = JobSpec { program: self.program(), ..JobSpec::default() };
        self.request(&mut job);
        let Self { draw, swarm, names, shares, .. } = self;
        let small = |draw: &mut Draw, from, to| u32::try_from(draw.between(from, to)).unwrap_or(1);
        // Mostly what it takes and somewhat more; now and then it is over before its work is done.
        let runs = job.program.runs.map_or(120_000, |runs| runs.0);
        let wall = Span(if draw.one_in(4) { runs / 2 + 1_000 } else { runs + draw.below(runs + 30_000) });
        job.wall = (job.program.runs.is_none() || !draw.one_in(6)).then_some(wall);
        if swarm.has(Trait::Priority, draw, 1) {
            job.priority = i32::try_from(draw.below(4)).unwrap_or(0) - 1;
        }
        job.preemptible = swarm.is_on(Trait::Preemptible) && !draw.one_in(4);
        job.keeps_progress = job.preemptible && draw.one_in(2);
        if swarm.is_on(Trait::Project) && !draw.one_in(8) {
            // Mostly of those that have a share, so that several ask for the same.
            let there: Vec<&str> = shares.keys().copied().collect();
            let project = if draw.one_in(4) { draw.pick(&PROJECTS) } else { draw.pick(&there) };
            job.project = project.map(|project| (*project).to_owned());
        }
        job.retries = if swarm.has(Trait::Retries, draw, 4) { small(draw, 1, 2) } else { 0 };
        for (on, after) in [(Trait::AfterOk, &mut job.after_ok), (Trait::AfterAny, &mut job.after_any)] {
            if swarm.has(on, draw, 6) {
                after.extend(draw.pick(names).cloned());
            }
        }
        job.expires = swarm.has(Trait::Expires, draw, 8).then(|| Span::from_secs(draw.between(1, 900)));
        let deadline = Span(wall.0 + draw.below(900_000));
        job.deadline = (swarm.has(Trait::Expires, draw, 8) && job.wall.is_some()).then_some(deadline);
        // Now and then longer than anything runs.
        let most = [30, 120, 3_600][usize::try_from(draw.below(3)).unwrap_or(0)];
        job.grace = draw.one_in(3).then(|| Span::from_secs(draw.below(most)));
        if swarm.has(Trait::Array, draw, 6) {
            job.array = u16::try_from(draw.between(2, 4)).unwrap_or(2);
        }
        job
    }

    /// What it asks for: mostly a large part of a node, which two of them cannot have at once.
    fn request(&mut self, job: &mut JobSpec) {
        let Self { draw, swarm, nodes, .. } = self;
        let Some(node) = draw.pick(nodes) else { return };
        let small = |draw: &mut Draw, from, to| u32::try_from(draw.between(from, to)).unwrap_or(1);
        let (cpu, memory) = (node.cpu.0 / 500, node.memory.0 >> 30);
        job.cpu = CpuMilli(500 * if draw.one_in(3) { 1 } else { draw.between(1, cpu) });
        job.memory = Bytes(if draw.one_in(3) { draw.between(1, memory) << 30 } else { 1 << 30 });
        if let Some((count, model)) = node.accelerators.first().filter(|_| !draw.one_in(3)) {
            // Where a node has several models, work may ask for more than it has of either.
            let all = node.accelerators.iter().map(|(count, _)| u64::from(*count)).sum();
            let most = if draw.one_in(3) { all } else { u64::from(*count) };
            job.accelerators = 1_000 * draw.between(1, most);
            if swarm.has(Trait::Share, draw, 3) {
                job.accelerators = draw.between(1, 999);
            }
            job.model = swarm.has(Trait::Model, draw, 2).then(|| model.clone());
        }
        if swarm.has(Trait::Gang, draw, 3) {
            job.tasks = small(draw, 2, 1 + nodes.len() as u64);
            job.tasks_min = draw.one_in(2).then(|| small(draw, 1, u64::from(job.tasks)));
            job.per_node = draw.one_in(4).then(|| small(draw, 1, 2));
        }
    }

    fn program(&mut self) -> Program {
        let Self { draw, swarm, .. } = self;
        let most = [5_000, 120_000, 300_000][usize::try_from(draw.below(3)).unwrap_or(0)];
        let mut program =
            Program { starts_in: Span::ZERO, runs: Some(Span(1 + draw.below(most))), ..Program::default() };
        if swarm.has(Trait::SlowStart, draw, 2) {
            program.starts_in = Span(draw.below(5_000));
        }
        if swarm.has(Trait::Endless, draw, 6) {
            program.runs = None;
        }
        if swarm.has(Trait::Fails, draw, 6) {
            program.end = ProgramEnd::Code(1);
        }
        if swarm.has(Trait::Retries, draw, 4) {
            program.fails = 1;
        }
        program.ignores_stops = swarm.has(Trait::Stubborn, draw, 2);
        program.checkpoints = swarm.has(Trait::Checkpoints, draw, 3).then(|| Span(1 + draw.below(60_000)));
        program
    }
}
