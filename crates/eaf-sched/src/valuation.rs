//! What placement reasons from, and when it is to be taken anew.
//!
//! What: `Basis`, the requests seen so far and the free capacity at one instant; `value`, which takes it from the fleet as
//! it is; `due`, which says when the last one is too old. Why integers that are kept, rather than the fleet as it is at every
//! decision: scores stay comparable between two valuations, and whoever reads the basis gets the same scores.
//! Absent: the prices (`policy::worth`).

use crate::capacity::WHOLE;
use crate::fleet::Fleet;
use crate::mix::Mix;
use eaf_model::{AcceleratorRequest, Ask, CpuMilli, GpuMilli, Valuation};
use std::collections::BTreeMap;

/// Taken anew where allocation has moved by this part of capacity...
const MOVED_PART: u64 = 33;
/// ...and at least so many requests came since...
const CAME_MIN: u64 = 8;
/// ...or where a quarter more requests have come, and these.
const CAME_MORE: u64 = 10;
/// A mix that asked for the fleet this many times over is halved: the last sixteen to thirty-two fleets full of work count.
const FLEETS_REMEMBERED: u128 = 32;

/// What placement reasons from.
#[derive(Clone, Debug, PartialEq)]
pub struct Basis {
    /// What was asked for until then.
    pub mix: Mix,
    /// What was free then.
    pub valuation: Valuation,
}

/// A valuation that is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Valued {
    /// What is free.
    pub valuation: Valuation,
    /// True where the mix is to be halved.
    pub forget: bool,
}

/// The valuation that is due, if one is; `mix` gives what has been asked for. O(kinds of nodes) where none is, O(nodes * requests of several accelerators) else.
pub fn due(fleet: &Fleet, basis: Option<&Basis>, mix: impl FnOnce() -> Mix) -> Option<Valued> {
    let (capacity, free) = (fleet.accelerators_ready(), fleet.accelerators_free());
    if capacity == 0 {
        return None;
    }
    let mix = mix();
    if mix.total() == 0 {
        return None;
    }
    let is_due = basis.is_none_or(|basis| {
        let last = &basis.valuation;
        let came = mix.total().saturating_sub(basis.mix.total());
        let moved = |from: u64, to: u64| from.abs_diff(to) >= last.capacity.max(MOVED_PART) / MOVED_PART;
        came >= basis.mix.total() / 4 + CAME_MORE
            || came >= CAME_MIN && moved(last.free, free)
            || moved(last.capacity, capacity)
    });
    is_due.then(|| {
        let forget = mix.is_full() || mix.demand() > FLEETS_REMEMBERED * u128::from(capacity);
        Valued { valuation: value(fleet, &mix), forget }
    })
}

/// The free capacity as it is.
fn value(fleet: &Fleet, mix: &Mix) -> Valuation {
    let mut supply: BTreeMap<GpuMilli, u32> = BTreeMap::new();
    // By model, whole accelerators and CPU: all that decides how many of several fit.
    let mut nodes: BTreeMap<(&str, u32, CpuMilli), u32> = BTreeMap::new();
    for (_, node) in fleet.nodes().filter(|(_, node)| node.is_ready()) {
        let (mut whole, mut of) = (0, "");
        for (model, free) in node.accelerators() {
            *supply.entry(free).or_default() += 1;
            whole += u32::from(free == WHOLE);
            of = model;
        }
        *nodes.entry((of, whole, node.cpu_free())).or_default() += 1;
    }
    let giants = giants(fleet);
    let several = mix.iter().map(|(ask, _)| ask).filter(|ask| ask.accelerators.count > 1);
    let mut asks: Vec<&Ask> = several.chain(&giants).collect();
    asks.sort_unstable();
    asks.dedup();
    let places = |ask: &&Ask| {
        let on = |(&(model, whole, cpu), count): (&(&str, u32, CpuMilli), &u32)| {
            let by_cpu = cpu.0.checked_div(ask.cpu.0).unwrap_or(u64::MAX);
            let each = u64::from(whole / ask.accelerators.count).min(by_cpu);
            if ask.accelerators.suits(model) { each * u64::from(*count) } else { 0 }
        };
        ((*ask).clone(), u32::try_from(nodes.iter().map(on).sum::<u64>()).unwrap_or(u32::MAX))
    };
    Valuation {
        capacity: fleet.accelerators_ready(),
        free: fleet.accelerators_free(),
        supply: supply.into_iter().collect(),
        places: asks.iter().map(places).collect(),
        giants,
    }
}

/// One request of each size that the ready nodes could take when empty, as large in CPU as any node of that size. Until such
/// requests come, one of each is taken as seen: otherwise the few nodes that could host the largest are broken first.
fn giants(fleet: &Fleet) -> Vec<Ask> {
    let giant = |count: u32| {
        let sizes = fleet.sizes_ready().filter(|(accelerators, _)| *accelerators >= count as usize);
        let cpu = sizes.map(|(_, cpu)| cpu).max()?;
        Some(Ask { cpu, accelerators: AcceleratorRequest { count, ..AcceleratorRequest::none() } })
    };
    [2, 4, 8].into_iter().filter_map(giant).collect()
}
