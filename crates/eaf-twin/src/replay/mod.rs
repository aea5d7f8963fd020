//! Replay: the work of a trace through the factory's own state, in virtual time.
//!
//! What: nodes join, jobs are submitted when the trace says, run for as long as the trace says, and what happens is
//! measured. All that happens at one instant is one turn: ends first, then arrivals, then one plan.
//! Absent: wall times that a trace does not state. They are unknown to the factory, unless exact ones are asked for.

mod estimates;
mod fragmentation;
mod measure;
mod policy;
mod series;
mod summary;

pub use estimates::{ErrorFigures, EstimateFigures, EstimateScore};
pub use measure::{EnergyByModel, SizeClass, SizeFigures, WaitFigures};
pub use policy::Policy;
pub use series::{Point, Series};
pub use summary::Summary;

use crate::draw::Draw;
use crate::driver::Driver;
use crate::engine::PromptEngine;
use crate::simulation::Simulation;
use crate::trace::{DropReason, Dropped, Job};
use eaf_core::{BrokenStep, State, Step, Taken};
use eaf_model::{
    Event, Input, NodeSpec, Rejection, Run, Settings, Span, StartOrder, Submission, Time, WorkloadId, WorkloadSpec,
};
use eaf_store::Head;
use estimates::Asking;
use measure::Measure;
use std::collections::BTreeMap;
use std::iter::Peekable;

/// What the factory is told of how long work will run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WallTimes {
    /// Nothing: every end comes as a surprise.
    #[default]
    Unknown,
    /// The duration of the trace, rounded up to the next second.
    Exact,
    /// More than that: of each wall time a part is used that is drawn evenly between this many thousandths and all of it,
    /// from the number of the job's row.
    Overstated {
        /// The least part, in thousandths.
        least_used_milli: u64,
    },
}

/// What it costs work to be stopped for other work and started again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PreemptionCost {
    /// Nothing.
    #[default]
    None,
    /// What was measured and published: 40 s up to eight accelerators, 60 s above.
    Published,
}

impl PreemptionCost {
    /// For work that holds so many accelerators, in thousandths.
    const fn of(self, milli: u64) -> Span {
        match self {
            Self::None => Span::ZERO,
            Self::Published if milli <= 8_000 => Span::from_secs(40),
            Self::Published => Span::from_secs(60),
        }
    }
}

/// How a trace is replayed.
#[derive(Clone, Debug)]
pub struct Options {
    /// Settings of the core: prices, carbon, power, limits.
    pub settings: Settings,
    /// How many times faster work arrives than the trace says, in thousandths; its duration stays.
    pub rate_milli: u64,
    /// What the factory is told of durations.
    pub wall_times: WallTimes,
    /// About how many jobs to ask for an estimated start at their submission, and out of how many; `None` for none.
    pub estimates: Option<(u64, u64)>,
    /// True where all work may be stopped for other work, and then goes on from where it was.
    pub preemptible: bool,
    /// What each stop and start anew costs the work that is stopped.
    pub preemption_cost: PreemptionCost,
    /// The instant at which the trace begins; prices and carbon follow the calendar.
    pub begins_at: Time,
    /// Check every invariant after every step; slow.
    pub check: bool,
}

/// How far a replay has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Workloads submitted.
    pub submitted: u64,
    /// Workloads ended.
    pub ended: u64,
    /// Virtual time since the trace began.
    pub elapsed: Span,
}

/// Why a replay did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A node of the fleet is refused.
    #[error("the node {name} is refused ({})", rejection.code())]
    Node {
        /// Its name.
        name: String,
        /// Why.
        rejection: Rejection,
    },
    /// The settings are refused.
    #[error("the settings are refused ({})", .0.code())]
    Settings(Rejection),
    /// The core broke one of its invariants; a defect.
    #[error("step {} breaks an invariant: {}", .0.step, .0.violation)]
    Invariant(BrokenStep),
}

/// The longest wall time: work whose end nobody knows.
const UNKNOWN_WALL: Span = Span(100 * 366 * 86_400_000);

/// What came of a replay.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The figures.
    pub summary: Summary,
    /// How it went over time.
    pub series: Series,
    /// How long the share of so many percent of all workloads waited at most, for 0 to 100 percent, in seconds.
    pub wait_percentiles_s: Vec<f64>,
    /// Jobs that the factory refused.
    pub dropped: Vec<Dropped>,
}

/// Replays jobs, which rise in time, on a fleet; `progress` is called now and then.
///
/// # Errors
/// Where the fleet or the settings are refused, or an invariant breaks.
pub fn replay(
    nodes: &[NodeSpec],
    jobs: impl Iterator<Item = Job>,
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Outcome, ReplayError> {
    let mut driver = Driver::new(State::new(), Head::default(), options.begins_at, options.check);
    furnish(&mut driver, nodes, options)?;
    let begins_at = driver.now();
    let measure = Measure::new(begins_at, nodes);
    let mut replay = Replay {
        simulation: Simulation { driver, engine: PromptEngine::default() },
        jobs: jobs.peekable(),
        options,
        begins_at,
        runs: BTreeMap::new(),
        measure,
        asking: options.estimates.map(|(sample, of)| Asking::about(sample, of)),
        dropped: Vec::new(),
    };
    replay.run(progress).map_err(ReplayError::Invariant)?;
    let driver = &replay.simulation.driver;
    let mut summary = summary::of(&replay.measure, driver.state(), driver.head(), driver.steps());
    summary.estimates = replay.asking.as_ref().map(Asking::score);
    let wait_percentiles_s = summary::wait_percentiles(&replay.measure);
    Ok(Outcome { summary, series: replay.measure.into_series(), wait_percentiles_s, dropped: replay.dropped })
}

/// Settings come into force and nodes join.
fn furnish(driver: &mut Driver, nodes: &[NodeSpec], options: &Options) -> Result<(), ReplayError> {
    let mut settings = options.settings.clone();
    settings.timing.wall_time_max = settings.timing.wall_time_max.max(UNKNOWN_WALL);
    settings.limits.live_workloads_max = u64::MAX;
    let mut inputs = vec![Input::Configure(Box::new(settings))];
    inputs.extend(nodes.iter().cloned().map(Input::NodeSeen));
    let turn = driver.turn(options.begins_at, &inputs).map_err(ReplayError::Invariant)?;
    for (result, input) in turn.results.into_iter().zip(inputs) {
        match (result, input) {
            (Ok(_), _) => {}
            (Err(rejection), Input::NodeSeen(spec)) => return Err(ReplayError::Node { name: spec.name, rejection }),
            (Err(rejection), _) => return Err(ReplayError::Settings(rejection)),
        }
    }
    Ok(())
}

struct Replay<'a, J: Iterator<Item = Job>> {
    simulation: Simulation,
    jobs: Peekable<J>,
    options: &'a Options,
    begins_at: Time,
    /// How long live work runs.
    runs: BTreeMap<WorkloadId, Span>,
    measure: Measure,
    asking: Option<Asking>,
    dropped: Vec<Dropped>,
}

impl<J: Iterator<Item = Job>> Replay<'_, J> {
    fn run(&mut self, progress: &mut dyn FnMut(Progress)) -> Result<(), BrokenStep> {
        let mut inputs = Vec::new();
        let mut arrived = Vec::new();
        let mut turns = 0_u64;
        loop {
            let next = self.jobs.peek().map(|job| arrival(job, self.begins_at, self.options.rate_milli));
            let Some(at) = self.simulation.next(next) else { break };
            self.simulation.reports(at, &mut inputs);
            let reports = inputs.len();
            while let Some(job) = self.jobs.next_if(|job| arrival(job, self.begins_at, self.options.rate_milli) <= at) {
                inputs.push(self.submission(&job));
                arrived.push(job);
            }
            self.measure.until(at, self.simulation.driver.state());
            let turn = self.simulation.driver.turn(at, &inputs)?;
            if let Some(asking) = &mut self.asking {
                asking.turn(&turn.steps);
            }
            for (job, result) in arrived.drain(..).zip(&turn.results[reports..]) {
                self.answered(job, result, at);
            }
            self.stopped(&turn.steps);
            let runs = &self.runs;
            let life = |order: &StartOrder| runs.get(&order.workload).copied().unwrap_or_default();
            self.simulation.engine.order(at, &turn.effects, life);
            for ended in turn.steps.iter().flat_map(|step| &step.ended) {
                self.runs.remove(&ended.id);
            }
            self.measure.turn(&turn.steps);
            turns += 1;
            if turns.is_multiple_of(1_024) {
                progress(self.progress());
            }
        }
        progress(self.progress());
        Ok(())
    }

    /// What was stopped for others has less left to do, and something to make up for.
    fn stopped(&mut self, steps: &[Step]) {
        let mut closed = None;
        for event in steps.iter().flat_map(|step| &step.events) {
            match event {
                Event::LeaseClosed { bill, .. } => closed = Some(bill),
                Event::WorkloadPreempted { workload, .. } => {
                    let ran = closed.and_then(|bill| bill.started_at.map(|from| bill.ended_at.since(from)));
                    let record = self.simulation.driver.state().workload(*workload);
                    let (Some(ran), Some(left), Some(record)) = (ran, self.runs.get_mut(workload), record) else {
                        continue;
                    };
                    let wanted = &record.spec.task.accelerators;
                    let milli = u64::from(record.spec.tasks) * u64::from(wanted.count) * wanted.share.0;
                    let cost = self.options.preemption_cost.of(milli);
                    self.measure.restart_ms += u128::from(cost.0) * u128::from(milli) / 1_000;
                    *left = Span(left.0.saturating_sub(ran.0)).saturating_add(cost);
                }
                _ => {}
            }
        }
    }

    fn submission(&self, job: &Job) -> Input {
        let exact = Span((job.runs.0 / 1_000).saturating_add(1).saturating_mul(1_000));
        let wall = match self.options.wall_times {
            WallTimes::Unknown => UNKNOWN_WALL,
            WallTimes::Exact => exact,
            WallTimes::Overstated { least_used_milli } => overstated(exact, least_used_milli, job.line),
        };
        let spec = WorkloadSpec {
            name: job.name.to_string(),
            project: job.project.to_string(),
            tasks: job.tasks,
            task: job.task.clone(),
            wall_time: Some(wall),
            preemptible: self.options.preemptible,
            keeps_progress: self.options.preemptible,
            run: Run::Command(vec!["replayed".to_owned()]),
            ..WorkloadSpec::command(&[])
        };
        let by = job.project.to_string();
        Input::Submit(Box::new(Submission { spec, array: Vec::new(), key: None, by, ended: Vec::new() }))
    }

    fn answered(&mut self, job: Job, result: &Result<Taken, Rejection>, at: Time) {
        match result {
            Ok(Taken { workload: Some(id), .. }) => {
                self.runs.insert(*id, job.runs);
                self.measure.submitted(&job);
                if let Some(asking) = &mut self.asking {
                    asking.submitted(self.simulation.driver.state(), at, *id, &job);
                }
            }
            Ok(_) => unreachable!("a submission that passes has an id"),
            Err(rejection) => {
                let why = match rejection {
                    Rejection::NeverFits { .. } | Rejection::ModelUnknown { .. } | Rejection::NoNodes => {
                        DropReason::LargerThanTheFleet
                    }
                    other => DropReason::Refused { code: other.code() },
                };
                self.dropped.push(Dropped { line: job.line, name: job.name, why });
            }
        }
    }

    fn progress(&self) -> Progress {
        let (submitted, ended) = self.measure.counts();
        Progress { submitted, ended, elapsed: self.simulation.driver.now().since(self.begins_at) }
    }
}

/// When a job comes in.
fn arrival(job: &Job, begins_at: Time, rate_milli: u64) -> Time {
    begins_at.after(scaled(job.submitted, rate_milli))
}

/// A time of the trace, so many thousandths times sooner.
fn scaled(at: Span, rate_milli: u64) -> Span {
    let scaled = eaf_model::mul_div(at.0.into(), 1_000, rate_milli.max(1).into());
    Span(scaled.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(u64::MAX))
}

/// A wall time of which a part is used that is drawn evenly between so many thousandths and all of it.
fn overstated(exact: Span, least_used_milli: u64, line: u64) -> Span {
    let least = least_used_milli.clamp(1, 1_000);
    let used = Draw::new(line).between(least, 1_000);
    Span(exact.0.saturating_mul(1_000).div_ceil(used).min(UNKNOWN_WALL.0))
}
