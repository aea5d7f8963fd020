//! Shrinking: the fewest operations that still break the same rule.
//!
//! What: drops operations in halves, then smaller pieces (delta debugging: Zeller and Hildebrandt, 2002), then makes those
//! that are left simpler. Why it has a bound: a reader waits for it. Absent: chance; the same failure shrinks alike.

use super::{Failure, replay};
use crate::script::{JobSpec, Op};
use crate::world::{Plant, Watch};

/// The most operations that are played for one failure.
const OPS_PLAYED_MAX: usize = 400_000;

/// The same failure, by fewer and simpler operations.
#[must_use]
pub fn shrink(failure: &Failure) -> Failure {
    shrink_with(failure, Plant::default())
}

pub(super) fn shrink_with(failure: &Failure, plant: Plant) -> Failure {
    let mut shrinker = Shrinker { best: failure.clone(), plant, played: 0 };
    shrinker.drop_pieces();
    shrinker.simplify();
    shrinker.drop_pieces();
    shrinker.best
}

struct Shrinker {
    best: Failure,
    plant: Plant,
    played: usize,
}

impl Shrinker {
    /// Takes these operations, where they still break the rule.
    fn try_ops(&mut self, ops: Vec<Op>) -> bool {
        if self.played > OPS_PLAYED_MAX {
            return false;
        }
        self.played += ops.len();
        match replay(&ops, Watch { pace: 1, log: false, plant: self.plant }) {
            Some((at, violation)) if violation.rule == self.best.violation.rule => {
                self.best.violation = violation;
                self.best.ops = ops;
                self.best.ops.truncate(at + 1);
                true
            }
            _ => false,
        }
    }

    fn drop_pieces(&mut self) {
        let mut piece = self.best.ops.len().div_ceil(2);
        while piece > 0 {
            let mut at = 0;
            while at < self.best.ops.len() {
                let mut ops = self.best.ops.clone();
                ops.drain(at..ops.len().min(at + piece));
                if !self.try_ops(ops) {
                    at += piece;
                }
            }
            piece = if piece == 1 { 0 } else { piece.div_ceil(2) };
        }
    }

    fn simplify(&mut self) {
        let mut at = 0;
        while at < self.best.ops.len() {
            for simpler in simpler(&self.best.ops[at]) {
                let mut ops = self.best.ops.clone();
                ops[at] = simpler;
                self.try_ops(ops);
                if at >= self.best.ops.len() {
                    return;
                }
            }
            at += 1;
        }
    }
}

/// Simpler forms of an operation, the simplest first.
fn simpler(op: &Op) -> Vec<Op> {
    match op {
        Op::Fleet { count, parts } => {
            (1..*count).take(8).map(|count| Op::Fleet { count, parts: parts.clone() }).collect()
        }
        Op::Submit { name, job } => {
            simpler_jobs(job).into_iter().map(|job| Op::Submit { name: name.clone(), job: Box::new(job) }).collect()
        }
        Op::Set(settings) if settings.len() > 1 => settings.iter().map(|one| Op::Set(vec![*one])).collect(),
        _ => Vec::new(),
    }
}

/// The job with one thing less, for each thing that it has.
fn simpler_jobs(job: &JobSpec) -> Vec<JobSpec> {
    let plain = JobSpec::default();
    let mut jobs = vec![JobSpec { program: job.program.clone(), ..plain.clone() }];
    jobs.push(JobSpec { program: plain.program.clone(), ..job.clone() });
    jobs.push(JobSpec { after_ok: Vec::new(), after_any: Vec::new(), ..job.clone() });
    jobs.push(JobSpec { accelerators: 0, model: None, ..job.clone() });
    jobs.push(JobSpec { cpu: plain.cpu, memory: plain.memory, ..job.clone() });
    jobs.push(JobSpec { wall: None, expires: None, deadline: None, grace: None, ..job.clone() });
    jobs.push(JobSpec { priority: 0, retries: 0, fails_when_lost: false, ..job.clone() });
    jobs.push(JobSpec { preemptible: false, keeps_progress: false, ..job.clone() });
    jobs.push(JobSpec { project: None, ..job.clone() });
    jobs.push(JobSpec { keeps_progress: false, ..job.clone() });
    jobs.push(JobSpec { key: None, array: 0, ..job.clone() });
    jobs.push(JobSpec { tasks: 1, tasks_min: None, per_node: None, ..job.clone() });
    jobs.push(JobSpec { tasks_min: None, ..job.clone() });
    jobs.retain(|simpler| simpler != job);
    jobs
}
