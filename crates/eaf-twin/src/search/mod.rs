//! Seed search: random fleets, workloads and faults, played against the same core that serves tenants.
//!
//! What: a seed is drawn into operations, played in a world that checks every rule, and drained; what breaks a rule comes back as
//! a seed, a violation and a script. One seed in two is a large factory under faults, the others are small and plain. Why the script: it is played without the generator,
//! so that it can be shrunk, read, and kept as a scenario. Absent: threads and clocks; who searches in parallel splits the
//! seeds.

mod plain;
mod propose;
mod shrink;
mod swarm;

pub use shrink::shrink;

use crate::draw::Draw;
use crate::script::{CrashAt, Op};
use crate::world::{Coverage, Figures, Plant, Watch, World, guarded};
use eaf_core::Violation;
use eaf_model::Span;
use propose::{NODES_MIN, Proposer};

/// The fewest workloads of a large seed, members of arrays one by one.
const WORKLOADS_MIN: u64 = 50;
/// The fewest steps of the journal of a large seed.
const STEPS_MIN: u64 = 500;
/// The fewest kinds of fault that strike in a large seed.
const FAULTS_MIN: usize = 3;
/// The most operations of a large seed before its drain.
const OPS_MAX: usize = 4_000;
/// Turns between two full checks; the turn that broke a rule is found by playing the seed again.
const PACE: u32 = 25;

/// What was played without a violation.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Seeds.
    pub seeds: u64,
    /// Operations.
    pub ops: u64,
    /// Steps of all journals.
    pub steps: u64,
    /// Workloads.
    pub workloads: u64,
    /// Times that the control plane started.
    pub starts: u64,
    /// Virtual time.
    pub simulated: Span,
    /// What was met.
    pub coverage: Coverage,
}

impl Tally {
    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.ops += other.ops;
        self.steps += other.steps;
        self.workloads += other.workloads;
        self.starts += other.starts;
        self.simulated = self.simulated.saturating_add(other.simulated);
        self.coverage.add(&other.coverage);
    }
}

/// A seed that broke a rule.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The rule and what breaks it.
    pub violation: Violation,
    /// What was played, up to the operation that broke it.
    pub ops: Vec<Op>,
}

impl Failure {
    /// The script that plays it again.
    pub fn script(&self) -> String {
        let head = format!("# Seed {}: {}.\n", self.seed, self.violation.to_string().replace('\n', " "));
        self.ops.iter().fold(head, |text, op| text + &op.to_string() + "\n")
    }
}

/// Plays one seed.
///
/// # Errors
/// The rule that it breaks, at the operation that breaks it.
pub fn try_seed(seed: u64) -> Result<Tally, Box<Failure>> {
    try_with(seed, Plant::default())
}

fn try_with(seed: u64, plant: Plant) -> Result<Tally, Box<Failure>> {
    let watch = Watch { pace: PACE, log: false, plant };
    let (mut world, mut ops) = (World::new(watch), Vec::new());
    let Err(mut violation) = guarded(|| drawn(&mut world, seed, &mut ops)) else {
        return Ok(tally(&world, ops.len()));
    };
    // Checks were paced: played again with every turn checked, it breaks where it really does.
    if let Some((at, closer)) = replay(&ops, Watch { pace: 1, ..watch }) {
        ops.truncate(at + 1);
        violation = closer;
    }
    Err(Box::new(Failure { seed, violation, ops }))
}

/// Plays one seed with every turn checked, and gives its log in virtual time.
pub fn tell_seed(seed: u64) -> (Vec<String>, Option<Violation>) {
    let (mut world, mut ops) = (World::new(Watch::closely()), Vec::new());
    let done = guarded(|| drawn(&mut world, seed, &mut ops));
    (world.into_log(), done.err())
}

/// Draws and plays a seed, recording what is played.
fn drawn(world: &mut World, seed: u64, ops: &mut Vec<Op>) -> Result<(), Violation> {
    let mut draw = Draw::new(seed);
    let is_plain = draw.one_in(2);
    if is_plain {
        for op in plain::story(seed, &mut draw) {
            play(world, op, ops)?;
        }
    } else {
        large(world, seed, draw, ops)?;
    }
    // What is on the disk in the end says the same, and leaves nothing to do either.
    for op in [Op::Drain, Op::Crash(CrashAt::Now), Op::Restart, Op::Drain] {
        play(world, op, ops)?;
    }
    if is_plain { Ok(()) } else { large_enough(&world.figures, world.coverage.faults()) }
}

fn play(world: &mut World, op: Op, ops: &mut Vec<Op>) -> Result<(), Violation> {
    ops.push(op);
    world.play(&ops[ops.len() - 1]).map(drop)
}

/// Draws and plays a large factory under faults, with the state in view.
fn large(world: &mut World, seed: u64, draw: Draw, ops: &mut Vec<Op>) -> Result<(), Violation> {
    let mut proposer = Proposer::new(draw);
    for op in proposer.opening(seed) {
        play(world, op, ops)?;
    }
    loop {
        let figures = &world.figures;
        let enough = figures.workloads >= WORKLOADS_MIN && figures.steps >= STEPS_MIN;
        let op = proposer.next(world);
        play(world, op, ops)?;
        if ops.len() > OPS_MAX || enough {
            break;
        }
    }
    // Where the draws were kind, something happens all the same.
    let sure =
        [Op::Clock { ms: -1_000 }, Op::ForeignReport, Op::Crash(CrashAt::Now), Op::Restart, Op::Clock { ms: 1_000 }];
    for op in sure {
        if world.coverage.faults() < FAULTS_MIN || op == Op::Restart {
            play(world, op, ops)?;
        }
    }
    Ok(())
}

fn large_enough(figures: &Figures, faults: usize) -> Result<(), Violation> {
    let enough = figures.nodes_max >= NODES_MIN && figures.workloads >= WORKLOADS_MIN;
    if enough && figures.steps >= STEPS_MIN && faults >= FAULTS_MIN {
        return Ok(());
    }
    Err(Violation { rule: "a large seed is large enough", what: format!("{figures:?} and {faults} kinds of fault") })
}

fn tally(world: &World, ops: usize) -> Tally {
    let Figures { steps, workloads, starts, simulated, .. } = world.figures;
    let coverage = world.coverage.clone();
    Tally { seeds: 1, ops: ops as u64, steps, workloads, starts, simulated, coverage }
}

/// Plays operations; where one breaks a rule, its place and the rule.
fn replay(ops: &[Op], watch: Watch) -> Option<(usize, Violation)> {
    let mut world = World::new(watch);
    for (at, op) in ops.iter().enumerate() {
        if let Err(violation) = guarded(|| world.play(op)) {
            return Some((at, violation));
        }
    }
    guarded(|| world.finish()).err().map(|violation| (ops.len().saturating_sub(1), violation))
}

#[cfg(test)]
mod tests;
