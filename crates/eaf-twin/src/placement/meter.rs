//! The metric of the protocol.
//!
//! What: allocated share against arrived load, binned as the artefact bins it.
//! Absent: everything but counting.

/// Adds up a run.
#[derive(Clone, Debug)]
pub struct Meter {
    capacity: u64,
    arrived: u64,
    used: u64,
    bins: Vec<(f64, u32)>,
}

impl Meter {
    /// For a fleet of `capacity` milli-GPU and columns 0..=`last`.
    pub fn new(capacity: u64, last: usize) -> Self {
        Self { capacity, arrived: 0, used: 0, bins: vec![(0.0, 0); last + 1] }
    }

    /// One arrival of `demand` milli-GPU.
    pub fn arrival(&mut self, demand: u32, placed: bool) {
        self.arrived += u64::from(demand);
        self.used += if placed { u64::from(demand) } else { 0 };
        let load = libm::rint(100.0 * self.arrived as f64 / self.capacity as f64) as usize;
        let share = libm::rint(1e4 * self.used as f64 / self.capacity as f64) / 100.0;
        if let Some(bin) = self.bins.get_mut(load) {
            bin.0 += share;
            bin.1 += 1;
        }
    }

    /// Mean allocated share in % at each load; `None` where nothing arrived.
    pub fn columns(&self) -> Vec<Option<f64>> {
        self.bins.iter().map(|&(sum, count)| (count > 0).then(|| sum / f64::from(count))).collect()
    }

    /// Milli-GPU arrived.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }

    /// Milli-GPU allocated.
    pub fn used(&self) -> u64 {
        self.used
    }
}
