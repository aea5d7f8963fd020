//! Draw: the energy of the machines, by what drew it.
//!
//! What: counters where every task has one, else an estimate from the power figures, marked as such. Why never a mix: a
//! sum of which half is measured would be read as measured. Absent: figures for models that the catalogue does not know.

use crate::arithmetic::{product, ratio, to_u64};
use crate::ran_since;
use eaf_model::{CpuMicros, EnergyPart, GpuMilli, HeldTask, Load, MilliJoules, PowerModel, Span};
use std::collections::BTreeMap;

/// The parts of the energy of an attempt.
pub(crate) fn parts(power: &PowerModel, tasks: &[HeldTask]) -> Vec<EnergyPart> {
    match tasks.iter().map(|task| task.usage.energy).collect::<Option<Vec<_>>>() {
        Some(counters) if !counters.is_empty() => {
            vec![EnergyPart::Counter {
                energy: counters.into_iter().fold(MilliJoules::ZERO, MilliJoules::saturating_add),
            }]
        }
        _ => cpu(power, tasks).into_iter().chain(memory(power, tasks)).chain(accelerators(power, tasks)).collect(),
    }
}

fn cpu(power: &PowerModel, tasks: &[HeldTask]) -> Option<EnergyPart> {
    let busy = tasks.iter().fold(CpuMicros::ZERO, |sum, task| sum.saturating_add(task.usage.cpu));
    let milliwatts = power.cpu_busy_milliwatts;
    let energy = known(milliwatts).map(|draw| MilliJoules(to_u64(ratio(busy.0.into(), draw.into(), 1_000_000))));
    (busy > CpuMicros::ZERO).then_some(EnergyPart::Cpu { busy, milliwatts, energy })
}

fn memory(power: &PowerModel, tasks: &[HeldTask]) -> Vec<EnergyPart> {
    let mut held = BTreeMap::<u64, Span>::new();
    for task in tasks {
        let (mib, time) = (task.memory.0.div_ceil(1 << 20), ran(task));
        if mib > 0 && time > Span::ZERO {
            let sum = held.entry(mib).or_default();
            *sum = sum.saturating_add(time);
        }
    }
    let milliwatts = power.memory_gib_milliwatts;
    let part = |(mib, time): (u64, Span)| {
        let energy = |draw: u64| MilliJoules(to_u64(ratio(product(mib, time.0), draw.into(), 1_024 * 1_000)));
        EnergyPart::Memory { mib, time, milliwatts, energy: known(milliwatts).map(energy) }
    };
    held.into_iter().map(part).collect()
}

/// Time held, and time busy where every task that adds to it has a counter.
#[derive(Clone, Copy)]
struct Held {
    time: Span,
    busy: Option<Span>,
}

fn accelerators(power: &PowerModel, tasks: &[HeldTask]) -> Vec<EnergyPart> {
    let mut held = BTreeMap::<(&str, GpuMilli), Held>::new();
    for task in tasks.iter().filter(|task| ran(task) > Span::ZERO) {
        let Some(first) = task.accelerators.first() else {
            continue;
        };
        // One counter tells of all accelerators of the task, so it can be used only where they are alike.
        let busy = task.usage.accelerator_busy.filter(|_| task.accelerators.iter().all(|other| other == first));
        for (nth, (model, share)) in task.accelerators.iter().filter(|(_, share)| share.0 > 0).enumerate() {
            let of_this = busy.map(|busy| if nth == 0 { busy } else { Span::ZERO });
            let sum = held.entry((model, *share)).or_insert(Held { time: Span::ZERO, busy: Some(Span::ZERO) });
            sum.time = sum.time.saturating_add(ran(task));
            sum.busy = sum.busy.zip(of_this).map(|(sum, more)| sum.saturating_add(more));
        }
    }
    held.into_iter().map(|((model, share), held)| accelerator(power, model, share, held)).collect()
}

fn accelerator(power: &PowerModel, model: &str, share: GpuMilli, held: Held) -> EnergyPart {
    let figures = power.accelerators.get(model).filter(|figures| figures.max_watts.0 > 0);
    let (max_watts, idle_watts) = (figures.map(|f| f.max_watts), figures.and_then(|f| f.idle_watts));
    let (load, busy) = if let Some(busy) = held.busy {
        (Load::Busy(busy), i128::from(busy.0))
    } else {
        let load = power.accelerator_load_assumed_milli;
        (Load::Assumed(load), ratio(held.time.0.into(), load.into(), 1_000))
    };
    let energy = max_watts.map(|max| {
        // An idle draw above the maximum is a slip of the pen in the figures; it may not make busy time give energy back.
        let idle = idle_watts.map_or(0, |idle| idle.0.min(max.0));
        let busy = u64::try_from(busy).unwrap_or(u64::MAX).min(held.time.0);
        let watt_ms = product(held.time.0, idle).saturating_add(product(busy, max.0 - idle));
        MilliJoules(to_u64(ratio(share.0.into(), watt_ms, 1_000)))
    });
    EnergyPart::Accelerator { model: model.into(), share, time: held.time, load, max_watts, idle_watts, energy }
}

/// How long a task ran since its own start.
fn ran(task: &HeldTask) -> Span {
    task.started_at.map_or(Span::ZERO, |start| ran_since(task, start))
}

/// A figure of the settings; 0 stands for unknown.
const fn known(figure: u64) -> Option<u64> {
    if figure == 0 { None } else { Some(figure) }
}
