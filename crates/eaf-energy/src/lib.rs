//! Energy, carbon and price of what ran.
//!
//! What: `bill` makes the bill of one attempt from what it held and used, in integer arithmetic that never panics: what
//! does not fit is held at the largest value of its unit. Why here: the live factory, a replay and a forecast must come
//! to the same micro-won. Absent: clocks, files, floats, and any figure that nobody gave: unknown stays unknown.

mod arithmetic;
mod charge;
mod draw;
mod grid;

use arithmetic::{ratio, to_u64};
use eaf_model::{
    Bill, Charge, EnergyPart, HeldAttempt, HeldTask, MicroWon, MilliJoules, Settings, Span, Time, Usage, Waiver,
};

/// The bill of one attempt.
///
/// Charged is what each task held from the moment that all tasks of the gang had started until its own end, and a task
/// that ran at all is charged for at least a millisecond. Nothing is charged where not all tasks started, or where the
/// factory is at fault. Energy is what the machines drew, charged or not: from each task's own start.
pub fn bill(settings: &Settings, attempt: &HeldAttempt) -> Bill {
    let started_at = all_started(&attempt.tasks);
    let ended_at = attempt.tasks.iter().map(|task| task.ended_at).max().unwrap_or(attempt.granted_at);
    let waiver = match (attempt.factory_fault, started_at) {
        (true, _) => Some(Waiver::FactoryFault),
        (false, None) => Some(Waiver::NeverStarted),
        (false, Some(_)) => None,
    };
    let charges = started_at.map(|from| charge::charges(&settings.prices, &attempt.tasks, from)).unwrap_or_default();
    let energy = draw::parts(&settings.power, &attempt.tasks);
    let site_energy = site_energy(&energy, settings.power.pue_milli);
    let carbon_segments = match attempt.tasks.iter().filter_map(|task| task.started_at).min() {
        Some(from) => grid::segments(&settings.carbon, from, ended_at),
        None => Vec::new(),
    };
    let carbon = match site_energy {
        Some(energy) => grid::carbon(energy, &carbon_segments),
        None => None,
    };
    Bill {
        granted_at: attempt.granted_at,
        started_at,
        ended_at,
        waiver,
        preempted: None,
        usage: usage(&attempt.tasks),
        pretended: attempt.tasks.iter().any(|task| task.pretended && !task.accelerators.is_empty()),
        price_book: settings.prices.name.clone(),
        price: price(&charges, waiver),
        equivalent: charge::equivalent(&settings.exchange, &charges),
        charges,
        energy,
        pue_milli: settings.power.pue_milli,
        site_energy,
        carbon_segments,
        carbon,
    }
}

/// When the last task had started; `None` where there is none, or not all of them did.
fn all_started(tasks: &[HeldTask]) -> Option<Time> {
    let starts = tasks.iter().map(|task| task.started_at).collect::<Option<Vec<_>>>()?;
    starts.into_iter().max()
}

/// How long a task ran since `from`: at least a millisecond, unless it was gone before.
fn ran_since(task: &HeldTask, from: Time) -> Span {
    if task.ended_at < from { Span::ZERO } else { Span(task.ended_at.since(from).0.max(1)) }
}

fn price(charges: &[Charge], waiver: Option<Waiver>) -> MicroWon {
    match waiver {
        Some(_) => MicroWon::ZERO,
        None => charges.iter().fold(MicroWon::ZERO, |sum, charge| sum.saturating_add(charge.amount)),
    }
}

fn site_energy(parts: &[EnergyPart], pue_milli: u64) -> Option<MilliJoules> {
    let energies = parts.iter().map(EnergyPart::energy).collect::<Option<Vec<_>>>()?;
    let sum: i128 = energies.iter().map(|energy| i128::from(energy.0)).sum();
    match (sum, pue_milli) {
        (0, _) => Some(MilliJoules::ZERO),
        (_, 0) => None,
        (_, pue) => Some(MilliJoules(to_u64(ratio(sum, pue.into(), 1_000)))),
    }
}

/// The sum over tasks. A counter counts only where every task that could have one does.
fn usage(tasks: &[HeldTask]) -> Usage {
    fn sum<T>(tasks: &[&HeldTask], counter: impl Fn(&Usage) -> Option<T>, add: impl Fn(T, T) -> T) -> Option<T> {
        let all = tasks.iter().map(|task| counter(&task.usage)).collect::<Option<Vec<_>>>()?;
        all.into_iter().reduce(add)
    }
    let every: Vec<_> = tasks.iter().collect();
    let with_accelerators: Vec<_> = tasks.iter().filter(|task| !task.accelerators.is_empty()).collect();
    Usage {
        cpu: tasks.iter().fold(eaf_model::CpuMicros::ZERO, |sum, task| sum.saturating_add(task.usage.cpu)),
        memory_peak: sum(&every, |usage| usage.memory_peak, eaf_model::Bytes::saturating_add),
        accelerator_busy: sum(&with_accelerators, |usage| usage.accelerator_busy, Span::saturating_add),
        energy: sum(&every, |usage| usage.energy, MilliJoules::saturating_add),
    }
}

#[cfg(test)]
mod tests;
