//! What placement is reasoned from: requests of the past, counted, and the free capacity at one instant.
//!
//! What: the integers behind "what is this free part of a node worth". Why in the journal: prices follow from them and from
//! nothing else, so a restart, a reader and the twin reason alike. Absent: the prices themselves, which are floats and made
//! again whenever they are needed.

use crate::{AcceleratorRequest, CpuMilli, GpuMilli};
use serde::{Deserialize, Serialize};

/// What one node would have to give: a task, or a gang that shares a node. Memory is left out; it is not priced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Ask {
    /// CPU threads, in thousandths.
    pub cpu: CpuMilli,
    /// Accelerators.
    pub accelerators: AcceleratorRequest,
}

impl Ask {
    /// Accelerators in thousandths, all of them together.
    pub fn demand(&self) -> u64 {
        u64::from(self.accelerators.count) * self.accelerators.share.0
    }
}

/// The free capacity at one instant, as far as placement reasons about it. Ready nodes count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Valuation {
    /// Accelerators in all, in thousandths.
    pub capacity: u64,
    /// Of these, free.
    pub free: u64,
    /// How many accelerators have this much free, by rising share.
    pub supply: Vec<(GpuMilli, u32)>,
    /// For each request of several accelerators seen so far, and for the largest that the fleet could take: how many fit.
    pub places: Vec<(Ask, u32)>,
    /// The largest that the fleet could take, of each size.
    pub giants: Vec<Ask>,
}
