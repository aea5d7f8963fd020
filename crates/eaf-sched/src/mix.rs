//! What has been asked for so far, counted.
//!
//! What: requests by what one node would have to give, and how often. Why learned: a part of an accelerator is worth what is
//! likely to be asked for next, and nobody can tell that beforehand. Why it forgets: the work of last year says little about
//! tomorrow. Absent: who asked, memory, and time; what was asked for lately counts more only because the rest is halved.

use crate::Shape;
use eaf_model::{AcceleratorRequest, Ask, CpuMilli};
use imbl::OrdMap;

/// The most requests that are told apart; further ones are not counted until some are forgotten.
pub const ASKS_MAX: usize = 4_096;

/// Requests and how often each came. A clone is O(1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mix {
    asks: OrdMap<Ask, u32>,
    /// How many came, those that are not told apart included.
    total: u64,
    /// What they asked for together, in thousandths of an accelerator.
    demand: u128,
}

impl Mix {
    /// A mix of requests and how often each came, as it was stored.
    pub fn restored(asks: impl IntoIterator<Item = (Ask, u32)>, total: u64) -> Self {
        let asks: OrdMap<Ask, u32> = asks.into_iter().collect();
        let demand = demand(&asks);
        Self { asks, total, demand }
    }

    /// A workload of this shape came, so many times.
    pub fn record(&mut self, shape: &Shape, times: u32) {
        let (ask, each) = match whole(shape) {
            Some(ask) => (ask, 1),
            None => (one(shape), shape.tasks),
        };
        let times = times.saturating_mul(each);
        self.total = self.total.saturating_add(u64::from(times));
        if self.asks.len() >= ASKS_MAX && !self.asks.contains_key(&ask) {
            return;
        }
        self.demand += u128::from(ask.demand()) * u128::from(times);
        let count = self.asks.entry(ask).or_insert(0);
        *count = count.saturating_add(times);
    }

    /// Every count is halved, and what came once is forgotten.
    pub fn forget(&mut self) {
        self.asks = self.asks.iter().map(|(ask, count)| (ask.clone(), count / 2)).filter(|(_, n)| *n > 0).collect();
        self.total /= 2;
        self.demand = demand(&self.asks);
    }

    /// How often this was asked for.
    pub(crate) fn count(&self, ask: &Ask) -> u32 {
        self.asks.get(ask).copied().unwrap_or(0)
    }

    /// How many came.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// True where nothing new can be told apart.
    pub(crate) fn is_full(&self) -> bool {
        self.asks.len() >= ASKS_MAX
    }

    /// What all of them asked for together, in thousandths of an accelerator.
    pub(crate) fn demand(&self) -> u128 {
        self.demand
    }

    /// Every request and how often it came, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Ask, u32)> {
        self.asks.iter().map(|(ask, count)| (ask, *count))
    }
}

fn demand(asks: &OrdMap<Ask, u32>) -> u128 {
    asks.iter().map(|(ask, count)| u128::from(ask.demand()) * u128::from(*count)).sum()
}

/// What one node gives to a workload that it takes whole; `None` where the parts do not add up to one request.
pub(crate) fn whole(shape: &Shape) -> Option<Ask> {
    let AcceleratorRequest { count, share, models, slice } = &shape.task.accelerators;
    let adds_up = shape.tasks == 1 || *count == 0 || share.0 == 1_000;
    if !adds_up || slice.is_some() || shape.tasks > shape.tasks_on_a_node() {
        return None;
    }
    let count = count.checked_mul(shape.tasks).filter(|count| *count <= 8)?;
    let cpu = CpuMilli(shape.task.cpu.0.checked_mul(u64::from(shape.tasks))?);
    Some(Ask { cpu, accelerators: AcceleratorRequest { count, share: *share, models: models.clone(), slice: None } })
}

/// What one node gives to one task.
fn one(shape: &Shape) -> Ask {
    Ask { cpu: shape.task.cpu, accelerators: shape.task.accelerators.clone() }
}
