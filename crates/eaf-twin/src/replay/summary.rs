//! The figures of a replay.
//!
//! What: means and percentiles over all workloads and by size, shares of the fleet, energy and won; ready to be written
//! as JSON. Absent: words and layout.

use super::estimates::EstimateScore;
use super::measure::{EnergyByModel, Measure, SizeFigures, WaitFigures};
use eaf_core::State;
use eaf_model::Time;
use eaf_store::Head;
use serde::Serialize;

/// The figures of a replay. Seconds where a name ends in `_s`; shares are 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The head of the journal: two runs are the same where it is.
    pub digest: String,
    /// Steps of the journal.
    pub steps: u64,
    /// Nodes of the fleet.
    pub nodes: u64,
    /// Accelerators of the fleet.
    pub accelerators: u64,
    /// Workloads that were taken.
    pub workloads: u64,
    /// Of these, how many did not finish with success.
    pub failed: u64,
    /// Of these, how many ended without ever starting, or still waited when nothing more could happen.
    pub starved: u64,
    /// The load that the trace offers until its last arrival: accelerators times duration, per fleet and time.
    pub load_mean: f64,
    /// How long all workloads waited.
    #[serde(flatten)]
    pub wait: WaitFigures,
    /// The mean from submission to end.
    pub mean_jct_s: f64,
    /// Half ended within this time.
    pub p50_jct_s: f64,
    /// 99 in 100 ended within this time.
    pub p99_jct_s: f64,
    /// How often work was stopped for other work.
    pub preemptions: u64,
    /// Accelerator-hours that these stops lost: work done and not kept, and what starting again cost.
    pub lost_hours: f64,
    /// Jain's index over tenants of the mean share of its time (submission to end) in which a workload of theirs ran: 1
    /// where all are served alike, near 0 where one of many gets all.
    pub fairness: f64,
    /// From the first arrival to the last end.
    pub makespan_s: f64,
    /// The share of all accelerators that leases held, over the makespan.
    pub allocated_mean: f64,
    /// The same up to the last arrival, before the fleet runs empty.
    pub allocated_while_arriving: f64,
    /// The accelerator-time that attempts ran, per the accelerator-time that leases held: what starting costs.
    pub utilisation: f64,
    /// The share of what was free that whole accelerators could not be made of, over the time that anything was free.
    pub fragmented_mean: f64,
    /// Energy of the site for all attempts whose energy is known, in kWh.
    pub energy_kwh: f64,
    /// Attempts whose energy is unknown, because a model that they held is.
    pub energy_unknown_attempts: u64,
    /// Carbon of that energy, in kg.
    pub carbon_kg: f64,
    /// What was charged, in won.
    pub price_won: f64,
    /// By size, smallest first.
    pub by_size: Vec<SizeFigures>,
    /// By accelerator model.
    pub by_model: Vec<EnergyByModel>,
    /// How good estimated starts were, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimates: Option<EstimateScore>,
}

/// Makes the figures of a run that has come to its end.
#[allow(clippy::cast_precision_loss, reason = "figures are shown with a few digits")]
pub(super) fn of(measure: &Measure, state: &State, head: Head, steps: u64) -> Summary {
    let mut all = Vec::new();
    let mut by_size = Vec::new();
    for (class, pairs) in &measure.ended {
        all.extend_from_slice(pairs);
        let (wait, jct) = (waits(pairs), times(pairs));
        let (accelerators, workloads) = (class.word(), pairs.len() as u64);
        by_size.push(SizeFigures { accelerators, workloads, wait, mean_jct_s: jct.mean });
    }
    let (wait, jct) = (waits(&all), times(&all));
    let span = |from: Time, to: Time| to.since(from).0;
    let makespan = span(measure.begins_at, measure.last_end);
    let capacity = u128::from(measure.capacity_milli);
    let arriving = u128::from(span(measure.begins_at, measure.last_arrival));
    let share = |part: u128, whole: u128| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let ran: u128 = measure.bills.models.values().map(|(held, _)| held).sum();
    let bills = &measure.bills;
    let by_model = bills.models.iter().map(|(model, (held, energy))| EnergyByModel {
        model: model.clone(),
        held_hours: *held as f64 / 3.6e9,
        energy_kwh: energy.map(|millijoules| millijoules as f64 / 3.6e9),
    });
    Summary {
        digest: head.to_string(),
        steps,
        nodes: measure.nodes,
        accelerators: measure.capacity_milli / 1_000,
        workloads: measure.submitted,
        failed: measure.failed,
        starved: measure.never_started + state.live(),
        load_mean: share(measure.offered_milli_ms, capacity * arriving),
        wait,
        mean_jct_s: jct.mean,
        p50_jct_s: jct.p50,
        p99_jct_s: jct.p99,
        preemptions: measure.preemptions,
        lost_hours: (measure.lost_ms + measure.restart_ms) as f64 / 3.6e6,
        fairness: jain(measure.tenants.values().map(|(workloads, sum)| *sum as f64 / (*workloads).max(1) as f64)),
        makespan_s: seconds(makespan),
        allocated_mean: share(measure.held_milli_ms, capacity * u128::from(makespan)),
        allocated_while_arriving: share(measure.held_arriving_milli_ms, capacity * arriving),
        utilisation: share(ran.min(measure.held_milli_ms), measure.held_milli_ms),
        fragmented_mean: measure.fragmented_mean(),
        energy_kwh: bills.site_energy as f64 / 3.6e9,
        energy_unknown_attempts: bills.unknown_energy,
        carbon_kg: bills.carbon as f64 / 1e9,
        price_won: bills.price as f64 / 1e6,
        by_size,
        by_model: by_model.collect(),
        estimates: None,
    }
}

#[allow(clippy::cast_precision_loss, reason = "figures are shown with a few digits")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

/// `(sum x)^2 / (n sum x^2)` (Jain, Chiu and Hawe, 1984); 1 where there is nothing to compare.
fn jain(shares: impl Iterator<Item = f64>) -> f64 {
    let (n, sum, squares) = shares.fold((0.0, 0.0, 0.0), |(n, sum, squares), x| (n + 1.0, sum + x, squares + x * x));
    if squares > 0.0 { sum * sum / (n * squares) } else { 1.0 }
}

/// The value at a rank of so many percent of sorted values; nearest rank.
pub(super) fn percentile(sorted: &[u64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).map_or(0.0, |ms| seconds(*ms))
}

#[allow(clippy::cast_precision_loss, reason = "figures are shown with a few digits")]
fn mean(values: &[u64]) -> f64 {
    let sum: u128 = values.iter().map(|value| u128::from(*value)).sum();
    if values.is_empty() { 0.0 } else { sum as f64 / values.len() as f64 / 1_000.0 }
}

#[allow(clippy::cast_precision_loss, reason = "a share")]
fn waits(pairs: &[(u64, u64)]) -> WaitFigures {
    let mut sorted: Vec<u64> = pairs.iter().map(|(wait, _)| *wait).collect();
    sorted.sort_unstable();
    let waited = sorted.len() - sorted.partition_point(|wait| *wait == 0);
    WaitFigures {
        mean_wait_s: mean(&sorted),
        p50_wait_s: percentile(&sorted, 50),
        p90_wait_s: percentile(&sorted, 90),
        p99_wait_s: percentile(&sorted, 99),
        max_wait_s: sorted.last().map_or(0.0, |ms| seconds(*ms)),
        waited_share: if sorted.is_empty() { 0.0 } else { waited as f64 / sorted.len() as f64 },
    }
}

/// The waits at 0 to 100 percent, in seconds; empty where nothing has ended.
pub(super) fn wait_percentiles(measure: &Measure) -> Vec<f64> {
    let mut waits: Vec<u64> = measure.ended.values().flatten().map(|(wait, _)| *wait).collect();
    waits.sort_unstable();
    if waits.is_empty() { Vec::new() } else { (0..=100).map(|percent| percentile(&waits, percent)).collect() }
}

struct Times {
    mean: f64,
    p50: f64,
    p99: f64,
}

fn times(pairs: &[(u64, u64)]) -> Times {
    let mut sorted: Vec<u64> = pairs.iter().map(|(_, jct)| *jct).collect();
    sorted.sort_unstable();
    Times { mean: mean(&sorted), p50: percentile(&sorted, 50), p99: percentile(&sorted, 99) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_nearest_rank() {
        let sorted: Vec<u64> = (1..=10).map(|n| n * 1_000).collect();
        let check = |percent, expect: f64| assert!((percentile(&sorted, percent) - expect).abs() < 1e-9, "{percent}");
        check(50, 5.0);
        check(90, 9.0);
        check(99, 10.0);
        check(1, 1.0);
        assert!(percentile(&[], 50).abs() < 1e-9);
    }
}
