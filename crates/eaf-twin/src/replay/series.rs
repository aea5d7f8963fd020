//! How a replay went over time, in bounded memory.
//!
//! What: means over equal bins; when there are too many, pairs of them become one of twice the width. Absent: peaks
//! within a bin.

use eaf_model::{Span, Time};

/// The most bins.
const BINS_MAX: usize = 1_024;

/// One bin, as means over its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Where it begins, since the trace began.
    pub from: Span,
    /// The share of all accelerators that leases hold, 0 to 1.
    pub allocated: f64,
    /// Workloads that wait.
    pub waiting: f64,
    /// The share of what is free that whole accelerators cannot be made of, 0 to 1; as it was when the bin began.
    pub fragmented: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    allocated_milli_ms: u128,
    waiting_ms: u128,
    covered_ms: u64,
    /// Sampled once: free and unusable.
    sample: Option<(u64, u64)>,
}

/// How a replay went over time.
#[derive(Clone, Debug)]
pub struct Series {
    begins_at: Time,
    width: Span,
    capacity_milli: u64,
    bins: Vec<Bin>,
}

impl Series {
    pub(super) fn new(begins_at: Time, capacity_milli: u64) -> Self {
        Self { begins_at, width: Span::from_secs(60), capacity_milli, bins: Vec::new() }
    }

    /// Between two instants so much was held and so many waited.
    pub(super) fn add(&mut self, from: Time, to: Time, allocated_milli: u64, waiting: u64) {
        let (mut at, end) = (from.since(self.begins_at).0, to.since(self.begins_at).0);
        while at < end {
            let index = self.index(at);
            let upto = end.min((index as u64 + 1) * self.width.0);
            let bin = &mut self.bins[index];
            bin.allocated_milli_ms += u128::from(allocated_milli) * u128::from(upto - at);
            bin.waiting_ms += u128::from(waiting) * u128::from(upto - at);
            bin.covered_ms += upto - at;
            at = upto;
        }
    }

    /// True where the bin of this instant has no sample yet.
    pub(super) fn wants_sample(&mut self, at: Time) -> bool {
        let index = self.index(at.since(self.begins_at).0);
        self.bins[index].sample.is_none()
    }

    /// Takes the sample of this instant's bin.
    pub(super) fn sample(&mut self, at: Time, free_milli: u64, unusable_milli: u64) {
        let index = self.index(at.since(self.begins_at).0);
        self.bins[index].sample = Some((free_milli, unusable_milli));
    }

    /// The bin of a time since the beginning; widens the bins until there is one.
    fn index(&mut self, ms: u64) -> usize {
        while ms / self.width.0 >= BINS_MAX as u64 {
            self.width = Span(self.width.0 * 2);
            self.bins = self.bins.chunks(2).map(|pair| merged(pair[0], pair.get(1).copied())).collect();
        }
        let index = usize::try_from(ms / self.width.0).unwrap_or(BINS_MAX - 1);
        if self.bins.len() <= index {
            self.bins.resize(index + 1, Bin::default());
        }
        index
    }

    /// The mean of what was fragmented, over the time in which anything was free.
    pub(super) fn fragmented_mean(&self) -> f64 {
        let (mut sum, mut weight) = (0.0, 0.0);
        self.each_sample(|free, share, covered| {
            if free {
                sum += share * covered;
                weight += covered;
            }
        });
        if weight > 0.0 { sum / weight } else { 0.0 }
    }

    /// Visits the bins by time: whether anything was free, the fragmented share, and the time that the bin covers. What
    /// was seen last holds until the next look.
    #[allow(clippy::cast_precision_loss, reason = "shares for a report")]
    fn each_sample(&self, mut visit: impl FnMut(bool, f64, f64)) {
        let (mut free, mut share) = (false, 0.0);
        for bin in self.bins.iter().filter(|bin| bin.covered_ms > 0) {
            if let Some((milli, unusable)) = bin.sample {
                free = milli > 0;
                share = if free { unusable as f64 / milli as f64 } else { 0.0 };
            }
            visit(free, share, bin.covered_ms as f64);
        }
    }

    /// The bins that have anything in them, by time.
    #[allow(clippy::cast_precision_loss, reason = "shares for a chart")]
    pub fn points(&self) -> Vec<Point> {
        let mut fragmented = Vec::new();
        self.each_sample(|_, share, _| fragmented.push(share));
        let covered = self.bins.iter().enumerate().filter(|(_, bin)| bin.covered_ms > 0);
        let points = covered.zip(fragmented).map(|((index, bin), fragmented)| {
            let whole = u128::from(self.capacity_milli.max(1)) * u128::from(bin.covered_ms);
            Point {
                from: Span(index as u64 * self.width.0),
                allocated: bin.allocated_milli_ms as f64 / whole as f64,
                waiting: bin.waiting_ms as f64 / bin.covered_ms as f64,
                fragmented,
            }
        });
        points.collect()
    }
}

fn merged(first: Bin, second: Option<Bin>) -> Bin {
    let second = second.unwrap_or_default();
    Bin {
        allocated_milli_ms: first.allocated_milli_ms + second.allocated_milli_ms,
        waiting_ms: first.waiting_ms + second.waiting_ms,
        covered_ms: first.covered_ms + second.covered_ms,
        sample: first.sample.or(second.sample),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_survive_the_widening_of_bins() {
        let mut series = Series::new(Time(0), 1_000);
        let day = 86_400_000;
        for n in 0..400_i64 {
            // Every other day half is held and four wait.
            let (held, waiting) = if n % 2 == 0 { (500, 4) } else { (0, 0) };
            series.add(Time(n * day), Time((n + 1) * day), held, waiting);
        }
        let points = series.points();
        assert!(points.len() <= BINS_MAX && points.len() > BINS_MAX / 4, "{}", points.len());
        #[allow(clippy::cast_precision_loss, reason = "a small count")]
        let mean = points.iter().map(|point| point.allocated).sum::<f64>() / points.len() as f64;
        assert!((mean - 0.25).abs() < 0.01, "{mean}");
        assert!(points.iter().all(|point| (0.0..=0.5).contains(&point.allocated)));
    }
}
