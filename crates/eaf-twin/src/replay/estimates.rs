//! How good estimated starts are: asked at submission, held against what happened.
//!
//! What: every so manieth job is asked about at the instant of its submission, twice: with what was learned by then, and as
//! if every wall time were used up. Why only those that had to wait count: whoever starts at once makes any estimate look
//! good. Absent: the estimate; the core's.

use super::measure::SizeClass;
use crate::trace::Job;
use eaf_core::{Durations, State, Step, estimate};
use eaf_model::{Event, StartEstimate, Time, WorkloadId, WorkloadState};
use serde::Serialize;
use std::collections::BTreeMap;

/// How wrong the estimates of some workloads were. An estimate without a time counts only as unanswered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ErrorFigures {
    /// Half were wrong by at most this, in seconds, sooner or later: the estimate of half against the start.
    pub p50_error_s: f64,
    /// Nine in ten were wrong by at most this.
    pub p90_error_s: f64,
    /// The share that had started by the time of nine in ten; 0.9 where the spread is right.
    pub by_p90_share: f64,
    /// How many had no estimate within the bound of one.
    pub unanswered: u64,
}

/// The estimates of one size class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EstimateFigures {
    /// Accelerators asked for; `all` for every class together.
    pub accelerators: &'static str,
    /// How many were asked about and had to wait.
    pub waited: u64,
    /// How long they waited in the median, in seconds: what an error is to be measured against.
    pub p50_wait_s: f64,
    /// With what was learned by then.
    pub learned: ErrorFigures,
    /// Taken that everything uses its whole wall time.
    pub wall_times: ErrorFigures,
}

/// The score of the estimates of a replay.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EstimateScore {
    /// How many workloads were asked about.
    pub asked: u64,
    /// Of these, how many started at once, and are not in the figures.
    pub started_at_once: u64,
    /// All together, then by size, smallest first.
    pub by_size: Vec<EstimateFigures>,
}

/// One estimate, and what came of it.
struct Answer {
    class: SizeClass,
    asked_at: Time,
    started_at: Time,
    learned: StartEstimate,
    wall_times: StartEstimate,
}

/// Asks about every so manieth job.
pub(super) struct Asking {
    every: u64,
    seen: u64,
    asked: u64,
    started_at_once: u64,
    /// Who was asked about and waits.
    open: BTreeMap<WorkloadId, Answer>,
    answers: Vec<Answer>,
}

impl Asking {
    /// About so many of so many jobs, evenly over the trace.
    pub(super) fn about(sample: u64, of: u64) -> Self {
        let every = of / sample.clamp(1, of.max(1));
        Self { every: every.max(1), seen: 0, asked: 0, started_at_once: 0, open: BTreeMap::new(), answers: Vec::new() }
    }

    /// A job was taken, in the turn that led to this state.
    pub(super) fn submitted(&mut self, state: &State, now: Time, id: WorkloadId, job: &Job) {
        self.seen += 1;
        if !(self.seen - 1).is_multiple_of(self.every) {
            return;
        }
        self.asked += 1;
        if state.workload(id).is_none_or(|workload| workload.state != WorkloadState::Queued) {
            self.started_at_once += 1;
            return;
        }
        let ask = |durations| estimate(state, now, id, durations).unwrap_or_default();
        let answer = Answer {
            class: SizeClass::of(job.accelerators_milli()),
            asked_at: now,
            started_at: now,
            learned: ask(Durations::Learned),
            wall_times: ask(Durations::WallTimes),
        };
        self.open.insert(id, answer);
    }

    /// The steps of a turn.
    pub(super) fn turn(&mut self, steps: &[Step]) {
        for (at, event) in steps.iter().flat_map(|step| step.events.iter().map(|event| (step.at, event))) {
            if let Event::LeaseGranted { workload, .. } = event
                && let Some(answer) = self.open.remove(workload)
            {
                self.answers.push(Answer { started_at: at, ..answer });
            }
        }
    }

    pub(super) fn score(&self) -> EstimateScore {
        let mut by_class: BTreeMap<SizeClass, Vec<&Answer>> = BTreeMap::new();
        for answer in &self.answers {
            by_class.entry(answer.class).or_default().push(answer);
        }
        let all: Vec<&Answer> = self.answers.iter().collect();
        let mut by_size = vec![figures("all", &all)];
        by_size.extend(by_class.iter().map(|(class, answers)| figures(class.word(), answers)));
        EstimateScore { asked: self.asked, started_at_once: self.started_at_once, by_size }
    }
}

fn figures(accelerators: &'static str, answers: &[&Answer]) -> EstimateFigures {
    let waits = answers.iter().map(|answer| answer.started_at.since(answer.asked_at).0);
    EstimateFigures {
        accelerators,
        waited: answers.len() as u64,
        p50_wait_s: percentile(waits.collect(), 50),
        learned: errors(answers, |answer| &answer.learned),
        wall_times: errors(answers, |answer| &answer.wall_times),
    }
}

#[allow(clippy::cast_precision_loss, reason = "figures are shown with a few digits")]
fn errors(answers: &[&Answer], of: impl Fn(&Answer) -> &StartEstimate) -> ErrorFigures {
    let half = |answer: &&Answer| of(answer).p50.map(|at| at.0.abs_diff(answer.started_at.0));
    let errors: Vec<u64> = answers.iter().filter_map(half).collect();
    let by_then = |answer: &&&Answer| of(answer).p90.is_none_or(|at| answer.started_at <= at);
    let in_time = answers.iter().filter(by_then).count();
    ErrorFigures {
        unanswered: (answers.len() - errors.len()) as u64,
        p50_error_s: percentile(errors.clone(), 50),
        p90_error_s: percentile(errors, 90),
        by_p90_share: if answers.is_empty() { 0.0 } else { in_time as f64 / answers.len() as f64 },
    }
}

/// The value at a rank of so many percent, in seconds; nearest rank.
fn percentile(mut values: Vec<u64>, percent: usize) -> f64 {
    values.sort_unstable();
    super::summary::percentile(&values, percent)
}
