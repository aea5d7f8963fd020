//! What a replay measures, from the steps of the core.
//!
//! What: waits and completion times by size, what was held over time, energy by model. Why from steps: the same figures
//! could be made from any journal. Memory: two numbers a workload that has ended, for exact percentiles; the rest is
//! bounded. Absent: what the trace says of itself.

use super::fragmentation;
use super::series::Series;
use crate::trace::Job;
use eaf_core::{State, Step, Workload};
use eaf_model::{
    EnergyPart, Event, LeaseId, MicroGramsCo2, MicroWon, MilliJoules, NodeSpec, Span, Time, WorkloadState,
};
use serde::Serialize;
use std::collections::BTreeMap;

/// Workloads by the accelerators that they ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SizeClass {
    /// None.
    NoAccelerator,
    /// A part of one.
    Share,
    /// One.
    One,
    /// Two to seven.
    Few,
    /// Eight.
    Eight,
    /// More than eight.
    Many,
}

impl SizeClass {
    /// The class of so many thousandths of an accelerator.
    pub const fn of(milli: u64) -> Self {
        match milli {
            0 => Self::NoAccelerator,
            1..1_000 => Self::Share,
            1_000 => Self::One,
            1_001..8_000 => Self::Few,
            8_000 => Self::Eight,
            _ => Self::Many,
        }
    }

    /// How it is shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoAccelerator => "0",
            Self::Share => "< 1",
            Self::One => "1",
            Self::Few => "2-7",
            Self::Eight => "8",
            Self::Many => "> 8",
        }
    }
}

/// Waits of a set of workloads, in seconds. Percentiles are nearest-rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct WaitFigures {
    /// The mean from submission to start.
    pub mean_wait_s: f64,
    /// Half waited at most this long.
    pub p50_wait_s: f64,
    /// Nine in ten waited at most this long.
    pub p90_wait_s: f64,
    /// 99 in 100 waited at most this long.
    pub p99_wait_s: f64,
    /// The longest wait.
    pub max_wait_s: f64,
    /// The share that did not start at the instant of its submission.
    pub waited_share: f64,
}

/// The figures of one size class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SizeFigures {
    /// Accelerators asked for.
    pub accelerators: &'static str,
    /// How many workloads ended.
    pub workloads: u64,
    /// How long they waited.
    #[serde(flatten)]
    pub wait: WaitFigures,
    /// The mean from submission to end, in seconds.
    pub mean_jct_s: f64,
}

/// What accelerators of one model held and drew.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct EnergyByModel {
    /// The model.
    pub model: String,
    /// How long they were held, in accelerator-hours.
    pub held_hours: f64,
    /// The energy of the boards, in kWh; `None` where nobody knows what the model draws.
    pub energy_kwh: Option<f64>,
}

/// Sums over bills.
#[derive(Clone, Debug, Default)]
pub(super) struct Bills {
    pub(super) site_energy: u128,
    pub(super) carbon: u128,
    pub(super) price: i128,
    /// Attempts whose energy is not known.
    pub(super) unknown_energy: u64,
    /// By model: accelerator time in thousandths times milliseconds, and energy where it is known.
    pub(super) models: BTreeMap<String, (u128, Option<u128>)>,
}

/// Collects figures.
pub(super) struct Measure {
    pub(super) begins_at: Time,
    pub(super) nodes: u64,
    pub(super) capacity_milli: u64,
    at: Time,
    allocated_milli: u64,
    held: BTreeMap<LeaseId, u64>,
    series: Series,
    pub(super) held_milli_ms: u128,
    /// The same up to the last arrival.
    pub(super) held_arriving_milli_ms: u128,
    pub(super) offered_milli_ms: u128,
    pub(super) submitted: u64,
    pub(super) last_arrival: Time,
    pub(super) last_end: Time,
    /// Wait and completion time of each that has ended, in milliseconds.
    pub(super) ended: BTreeMap<SizeClass, Vec<(u64, u64)>>,
    pub(super) never_started: u64,
    pub(super) failed: u64,
    pub(super) attempts: u64,
    pub(super) bills: Bills,
    pub(super) preemptions: u64,
    /// Accelerator time that was lost by them.
    pub(super) lost_ms: u128,
    /// Accelerator time that starting again cost.
    pub(super) restart_ms: u128,
    /// By project: workloads, and the sum of the shares of their time in which they ran, in millionths.
    pub(super) tenants: BTreeMap<String, (u64, u64)>,
}

impl Measure {
    pub(super) fn new(begins_at: Time, nodes: &[NodeSpec]) -> Self {
        let boards: u64 = nodes.iter().map(|node| node.accelerators.len() as u64).sum();
        Self {
            begins_at,
            nodes: nodes.len() as u64,
            capacity_milli: boards * 1_000,
            at: begins_at,
            allocated_milli: 0,
            held: BTreeMap::new(),
            series: Series::new(begins_at, boards * 1_000),
            held_milli_ms: 0,
            held_arriving_milli_ms: 0,
            offered_milli_ms: 0,
            submitted: 0,
            last_arrival: begins_at,
            last_end: begins_at,
            ended: BTreeMap::new(),
            never_started: 0,
            failed: 0,
            attempts: 0,
            bills: Bills::default(),
            preemptions: 0,
            lost_ms: 0,
            restart_ms: 0,
            tenants: BTreeMap::new(),
        }
    }

    /// Time passes up to here, in the state as it is before what happens here.
    pub(super) fn until(&mut self, at: Time, state: &State) {
        let waiting = state.count(WorkloadState::Queued);
        self.series.add(self.at, at, self.allocated_milli, waiting);
        self.held_milli_ms += u128::from(self.allocated_milli) * u128::from(at.since(self.at).0);
        self.at = at;
        if self.series.wants_sample(at) {
            let free = fragmentation::free(state);
            self.series.sample(at, free.milli, free.unusable_milli);
        }
    }

    /// A job came in.
    pub(super) fn submitted(&mut self, job: &Job) {
        self.submitted += 1;
        self.last_arrival = self.at;
        self.held_arriving_milli_ms = self.held_milli_ms;
        self.offered_milli_ms += u128::from(job.accelerators_milli()) * u128::from(job.runs.0);
    }

    /// The steps of a turn.
    pub(super) fn turn(&mut self, steps: &[Step]) {
        for step in steps {
            for event in &step.events {
                match event {
                    Event::LeaseGranted { lease, placement, .. } => {
                        let parts = placement.tasks.iter().flat_map(|task| &task.accelerators);
                        let milli = parts.map(|part| part.share.0).sum();
                        self.allocated_milli += milli;
                        self.held.insert(*lease, milli);
                    }
                    Event::LeaseClosed { lease, .. } => {
                        self.allocated_milli -= self.held.remove(lease).unwrap_or(0);
                    }
                    _ => {}
                }
            }
            for workload in &step.ended {
                self.workload_ended(workload, step.at);
            }
        }
    }

    fn workload_ended(&mut self, workload: &Workload, at: Time) {
        self.last_end = at;
        self.failed += u64::from(workload.state != WorkloadState::Finished);
        let wanted = &workload.spec.task.accelerators;
        let class = SizeClass::of(u64::from(workload.spec.tasks) * u64::from(wanted.count) * wanted.share.0);
        let runs = workload.attempts.iter().filter_map(|attempt| {
            let bill = &attempt.bill;
            bill.started_at.map(|started| bill.ended_at.since(started).0)
        });
        let (started, ran) = runs.fold((false, 0), |(_, sum), ran| (true, sum + ran));
        if started {
            let jct = at.since(workload.submitted_at).0;
            // Over all attempts: what was stopped for others and goes on later waits in between.
            self.ended.entry(class).or_default().push((jct.saturating_sub(ran), jct));
            let share = (ran * 1_000_000).checked_div(jct).map_or(1_000_000, |share| share.min(1_000_000));
            match self.tenants.get_mut(&workload.spec.project) {
                Some(tenant) => *tenant = (tenant.0 + 1, tenant.1 + share),
                None => _ = self.tenants.insert(workload.spec.project.clone(), (1, share)),
            }
        } else {
            self.never_started += 1;
        }
        for attempt in &workload.attempts {
            self.attempts += 1;
            if let Some(preempted) = attempt.bill.preempted {
                self.preemptions += 1;
                self.lost_ms += u128::from(preempted.lost.0);
            }
            self.bills.add(&attempt.bill);
        }
    }

    /// Workloads submitted, and workloads ended.
    pub(super) fn counts(&self) -> (u64, u64) {
        let started: usize = self.ended.values().map(Vec::len).sum();
        (self.submitted, started as u64 + self.never_started)
    }

    /// The mean of what was fragmented, over bins in which anything was free.
    pub(super) fn fragmented_mean(&self) -> f64 {
        self.series.fragmented_mean()
    }

    /// How it went over time.
    pub(super) fn into_series(self) -> Series {
        self.series
    }
}

impl Bills {
    fn add(&mut self, bill: &eaf_model::Bill) {
        match bill.site_energy {
            Some(MilliJoules(energy)) => self.site_energy += u128::from(energy),
            None => self.unknown_energy += 1,
        }
        self.carbon += u128::from(bill.carbon.unwrap_or(MicroGramsCo2::ZERO).0);
        let MicroWon(price) = bill.price;
        self.price += i128::from(price);
        for part in &bill.energy {
            if let EnergyPart::Accelerator { model, share, time: Span(time), energy, .. } = part {
                if !self.models.contains_key(model) {
                    self.models.insert(model.clone(), (0, Some(0)));
                }
                if let Some((held, sum)) = self.models.get_mut(model) {
                    *held += u128::from(share.0) * u128::from(*time);
                    *sum = sum.zip(*energy).map(|(sum, energy)| sum + u128::from(energy.0));
                }
            }
        }
    }
}
