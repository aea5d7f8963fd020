//! What any policy could have reached.
//!
//! What: `most_used`, a true upper bound on what can be allocated of a list of arrivals, even knowing all of them and
//! refusing at will; `served_at_most`, a true bound on how long a policy can go on without refusing. Both are the dual of the
//! packing programme: any prices give a bound, good prices a sharp one. `served_offline` is a reference, not a bound.
//! Why both bounds: the first may leave out exactly the pods that pack badly, which no policy that must accept what fits can
//! do; the second says where such a policy must stop.
//! Absent: CPU, memory, models and nodes, so the truth is at or below the bounds.

use eaf_sched::policy::node::{Shape, WHOLE};
use eaf_sched::policy::value::{MILLIS, Values};

/// Prices for `gpus` whole GPUs against `demand` by milli; any would do, so only quality is at stake.
fn prices(gpus: f64, demand: &[f64]) -> Values {
    let mut supply = vec![0.0; MILLIS];
    supply[MILLIS - 1] = gpus;
    let mut values = Values::new(20.0);
    for softness in [20.0, 10.0, 5.0, 2.0, 1.0, 0.5] {
        values.soften(softness);
        values.solve(&supply, demand, 200);
    }
    values
}

/// The most that one GPU can earn from sizes that occur, each earning itself less its rent.
fn most_of_a_gpu(demand: &[f64], values: &Values) -> f64 {
    let sizes: Vec<usize> = (1..MILLIS).filter(|&milli| demand[milli] > 0.0).collect();
    let mut best = vec![0.0_f64; MILLIS];
    for free in 1..MILLIS {
        let takes = sizes.iter().take_while(|&&size| size <= free);
        best[free] = takes.map(|&size| values.earns(size as u16) + best[free - size]).fold(best[free - 1], f64::max);
    }
    best[MILLIS - 1]
}

fn by_size(arrivals: &[Shape], keep: impl Fn(&Shape) -> bool) -> Vec<f64> {
    let mut demand = vec![0.0; MILLIS];
    for shape in arrivals.iter().filter(|shape| shape.gpus > 0 && keep(shape)) {
        demand[usize::from(shape.milli)] += f64::from(shape.gpus);
    }
    demand
}

/// At most this many milli-GPU of the arrivals fit on so many GPUs.
pub fn most_used(gpus: u32, arrivals: &[Shape]) -> f64 {
    let demand = by_size(arrivals, |_| true);
    let values = prices(f64::from(gpus), &demand);
    let rent = |milli: usize| milli as f64 - values.earns(milli as u16);
    let paid: f64 = demand.iter().enumerate().map(|(milli, pods)| pods * rent(milli)).sum();
    let asked: f64 = demand.iter().enumerate().map(|(milli, pods)| milli as f64 * pods).sum();
    (f64::from(gpus) * most_of_a_gpu(&demand, &values) + paid).min(asked).min(f64::from(gpus) * f64::from(WHOLE))
}

/// Prices for shared pods, and the most that one GPU can earn at them: pods need at least what they earn over that many GPUs.
fn scarce_prices(arrivals: &[Shape]) -> (Values, f64) {
    let demand = by_size(arrivals, Shape::is_shared);
    let volume: f64 =
        demand.iter().enumerate().map(|(milli, pods)| milli as f64 * pods).sum::<f64>() / f64::from(WHOLE);
    // The best prices are those of a supply that is just short; where that is, is what is asked, so a few are tried.
    let tries = (0..10).map(|part| {
        let values = prices(volume * (1.0 + 0.02 * f64::from(part)), &demand);
        let earned: f64 = demand.iter().enumerate().map(|(milli, pods)| pods * values.earns(milli as u16)).sum();
        let most = most_of_a_gpu(&demand, &values).max(1e-9);
        (earned / most, values, most)
    });
    let (_, values, most) = tries.max_by(|a, b| a.0.total_cmp(&b.0)).expect("some were tried");
    (values, most)
}

/// How many of the arrivals, in order, can at most be served on so many GPUs before one must be refused.
pub fn served_at_most(gpus: u32, arrivals: &[Shape]) -> usize {
    let (values, most) = scarce_prices(arrivals);
    let mut needed = 0.0;
    let fits = arrivals.iter().take_while(|shape| {
        needed += if shape.is_shared() { values.earns(shape.milli) / most } else { f64::from(shape.demand()) / 1000.0 };
        // A hair of slack: sums of floats, and the bound must not be below the truth.
        needed <= f64::from(gpus) + 1e-6
    });
    fits.count()
}

/// How many of the arrivals, in order, best fit decreasing can serve on so many GPUs, knowing which they are and blind to
/// CPU: shared pods largest first onto the fullest GPU that takes them.
pub fn served_offline(gpus: u32, arrivals: &[Shape]) -> usize {
    let needed = |count: usize| {
        let mut sizes: Vec<u16> = arrivals[..count].iter().filter(|s| s.is_shared()).map(|s| s.milli).collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let mut open = [0_u32; MILLIS];
        let mut used: u32 = arrivals[..count].iter().filter(|s| !s.is_shared()).map(|s| s.demand() / 1000).sum();
        for size in sizes {
            let size = usize::from(size);
            let free = (size..MILLIS).find(|&free| open[free] > 0).unwrap_or(MILLIS);
            if free < MILLIS {
                open[free] -= 1;
                open[free - size] += 1;
            } else {
                used += 1;
                open[MILLIS - 1 - size] += 1;
            }
        }
        used
    };
    let (mut low, mut high) = (0, arrivals.len());
    while low < high {
        let middle = (low + high).div_ceil(2);
        if needed(middle) <= gpus { low = middle } else { high = middle - 1 }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_a_case_known_by_hand() {
        let pod = |milli| Shape { cpu: 0, milli, gpus: 1, models: 1, memory: 0 };
        // Each of 600 needs a GPU; with five GPUs at most five of them, and nothing else fills the 400 left.
        let pods = vec![pod(600); 10];
        assert_eq!((served_at_most(7, &pods), served_offline(7, &pods)), (7, 7));
        assert!((most_used(5, &pods) - 3000.0).abs() < 10.0, "{}", most_used(5, &pods));
        // With ten of 400 all fits on ten.
        let both: Vec<Shape> = pods.into_iter().chain(vec![pod(400); 10]).collect();
        assert_eq!((served_at_most(10, &both), served_offline(10, &both)), (20, 20));
        assert!((most_used(10, &both) - 10_000.0).abs() < 1.0);
    }
}
