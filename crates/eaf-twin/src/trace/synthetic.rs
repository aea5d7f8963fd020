//! Workloads that are made up, for fleets that no public trace fills.
//!
//! What: arrivals at random (exponential gaps), mostly small requests, durations over four orders of magnitude, all drawn
//! from a seed, one at a time. Why an iterator: a million of them need no memory before they arrive. Absent: a claim to
//! be like any real cluster.

use super::Job;
use crate::draw::Draw;
use eaf_model::{AcceleratorRequest, Bytes, CpuMilli, GpuMilli, Span, TaskRequest};
use std::sync::Arc;

/// How many, on how much, and how full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntheticShape {
    /// How many workloads.
    pub workloads: u64,
    /// Accelerators of the fleet that they are meant for, whole ones.
    pub accelerators: u64,
    /// The mean load that they offer, in thousandths of the fleet.
    pub load_milli: u64,
}

/// Draws workloads one after the other.
#[derive(Clone, Debug)]
pub struct Synthetic {
    draw: Draw,
    shape: SyntheticShape,
    made: u64,
    clock_ms: u64,
    projects: Vec<Arc<str>>,
    name: Arc<str>,
}

/// Requests in accelerators (thousandths), each with its weight: half are a share or one, few are gangs.
const SIZES: [(u64, u64); 9] =
    [(250, 10), (500, 10), (1_000, 45), (2_000, 12), (4_000, 10), (8_000, 9), (16_000, 2), (32_000, 1), (64_000, 1)];

/// Durations in seconds that each take a tenth, from the first to the last of a decade's half.
const DURATIONS_S: [u64; 11] = [10, 30, 60, 180, 600, 1_200, 3_600, 7_200, 14_400, 43_200, 129_600];

impl Synthetic {
    /// The workloads of a seed.
    pub fn new(seed: u64, shape: SyntheticShape) -> Self {
        let projects = (0..16).map(|n| Arc::from(format!("project-{n}"))).collect();
        Self { draw: Draw::new(seed), shape, made: 0, clock_ms: 0, projects, name: Arc::from("synthetic") }
    }

    /// The mean of accelerators times duration, in thousandths times milliseconds.
    fn mean_work() -> u128 {
        let weights: u128 = SIZES.iter().map(|(_, weight)| u128::from(*weight)).sum();
        let size: u128 = SIZES.iter().map(|(milli, weight)| u128::from(milli * weight)).sum();
        let decades = DURATIONS_S.windows(2).map(|pair| u128::from(pair[0] + pair[1]) * 500).sum::<u128>();
        size * decades / (weights * (DURATIONS_S.len() as u128 - 1))
    }

    fn size(&mut self) -> u64 {
        let weights = SIZES.iter().map(|(_, weight)| weight).sum();
        let mut at = self.draw.below(weights);
        for (milli, weight) in SIZES {
            if at < weight {
                return milli;
            }
            at -= weight;
        }
        SIZES[0].0
    }
}

impl Iterator for Synthetic {
    type Item = Job;

    fn next(&mut self) -> Option<Job> {
        if self.made == self.shape.workloads {
            return None;
        }
        self.made += 1;
        let fleet = u128::from(self.shape.accelerators.max(1)) * u128::from(self.shape.load_milli.max(1));
        let gap_mean_ms = u64::try_from(Self::mean_work() / fleet).unwrap_or(u64::MAX).max(1);
        self.clock_ms += exponential(&mut self.draw, gap_mean_ms);
        let milli = self.size();
        let decade = usize::try_from(self.draw.below(DURATIONS_S.len() as u64 - 1)).unwrap_or(0);
        let (low, high) = (DURATIONS_S[decade] * 1_000, DURATIONS_S[decade + 1] * 1_000);
        let runs = Span(low + self.draw.below(high - low));
        let (tasks, count, share) = match milli {
            0..=1_000 => (1, 1, milli),
            1_001..=8_000 => (1, milli / 1_000, 1_000),
            _ => (milli / 8_000, 8, 1_000),
        };
        let part = count * share;
        let task = TaskRequest {
            cpu: CpuMilli(part * 8),
            memory: Bytes((part << 30) / 1_000 * 64),
            accelerators: AcceleratorRequest {
                count: u32::try_from(count).unwrap_or(1),
                share: GpuMilli(share),
                models: Vec::new(),
                slice: None,
            },
        };
        let project = usize::try_from(self.draw.below(self.projects.len() as u64)).unwrap_or(0);
        Some(Job {
            line: self.made,
            name: Arc::clone(&self.name),
            project: Arc::clone(&self.projects[project]),
            submitted: Span(self.clock_ms),
            runs,
            has_start: true,
            tasks: u32::try_from(tasks).unwrap_or(1),
            task,
        })
    }
}

/// A number of an exponential distribution with this mean, without a float: the sum of a geometric number of whole
/// means (each failed halving adds `ln 2` of it) and a remainder within the last halving.
fn exponential(draw: &mut Draw, mean: u64) -> u64 {
    const LN_2_MILLIONTHS: u128 = 693_147;
    let mut halvings = 0_u128;
    while halvings < 40 && draw.below(2) == 1 {
        halvings += 1;
    }
    // Within a halving the density falls from 1 to 1/2, nearly straight: drawn by rejection.
    let mut part = draw.below(1_000_000);
    while draw.below(2_000_000) > 2_000_000 - part {
        part = draw.below(1_000_000);
    }
    let millionths = (halvings * 1_000_000 + u128::from(part)) * LN_2_MILLIONTHS / 1_000_000;
    u64::try_from(u128::from(mean) * millionths / 1_000_000).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_one_trace_and_offers_the_load_that_was_asked_for() {
        let shape = SyntheticShape { workloads: 20_000, accelerators: 800, load_milli: 700 };
        let jobs: Vec<Job> = Synthetic::new(7, shape).collect();
        assert!(Synthetic::new(7, shape).eq(jobs.iter().cloned()));
        assert!(Synthetic::new(8, shape).next() != jobs.first().cloned());
        let work: u128 = jobs.iter().map(|job| u128::from(job.accelerators_milli()) * u128::from(job.runs.0)).sum();
        let offered = work / (u128::from(jobs[19_999].submitted.0) * 800);
        assert!((600..800).contains(&offered), "{offered} thousandths are offered");
        assert!(jobs.is_sorted_by_key(|job| job.submitted));
    }
}
