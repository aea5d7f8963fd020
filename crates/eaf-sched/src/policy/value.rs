//! What the free part of a GPU is worth, from the sizes seen so far.
//!
//! What: a value for every residue of a GPU. The linear programme behind it packs the demand expected until the fleet is full
//! into the residues there are: maximise what is used, subject to the supply of residues and the demand of sizes. Its dual has
//! one price per size (`rent`: what one more arrival of that size would add), and from these the value of a residue is a
//! knapsack: the best of leaving it or taking a size, earning the size less its rent, and going on with the rest.
//! Why the dual: twenty numbers instead of two thousand flows, good from one solve to the next, and "loss of value" is the
//! whole policy. Why smoothed (a soft maximum): the programme is degenerate; a soft maximum has one solution, which moves
//! little when the mix does, and spreads over patterns nearly as good, as the randomness of arrivals asks for.
//! Source: bid prices of network revenue management (Talluri and van Ryzin, 1998) on the arc-flow form of cutting stock
//! (Valério de Carvalho, 1999), fitted by proportional scaling (Sinkhorn).
//! Absent: CPU and nodes; see `eaf`.

use super::node::WHOLE;

/// Entries by milli-GPU, 0 to a whole GPU.
pub const MILLIS: usize = WHOLE as usize + 1;
/// Terms this many times the softness below the best do not count: e^-12 is 6e-6.
const NEGLIGIBLE: f64 = -12.0;

/// Values and prices.
#[derive(Clone, Debug)]
pub struct Values {
    /// Milli-GPU that a residue is worth, by its milli-GPU.
    value: Vec<f64>,
    /// Milli-GPU that one more arrival would add, by its milli-GPU; never more than its size.
    rent: Vec<f64>,
    /// Smoothing, in milli-GPU.
    softness: f64,
}

/// The sizes that occur and the grid they are on.
struct Sizes {
    list: Vec<usize>,
    step: usize,
}

impl Sizes {
    fn new(demand: &[f64]) -> Self {
        let list: Vec<usize> = (1..MILLIS).filter(|&size| demand[size] > 0.0).collect();
        let step = list.iter().fold(MILLIS - 1, |step, &size| divisor(step, size));
        Self { list, step }
    }
}

/// The greatest common divisor.
fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}

impl Values {
    /// A residue is worth itself as long as nothing is known.
    pub fn new(softness: f64) -> Self {
        Self { value: (0..MILLIS).map(|free| free as f64).collect(), rent: vec![0.0; MILLIS], softness }
    }

    /// Changes the smoothing; the next solve starts from the prices there are.
    pub fn soften(&mut self, softness: f64) {
        self.softness = softness;
    }

    /// What a residue is worth.
    pub fn value(&self, free: u16) -> f64 {
        self.value[usize::from(free)]
    }

    /// What an arrival earns on what it takes: its size less its rent.
    pub fn earns(&self, milli: u16) -> f64 {
        f64::from(milli) - self.rent[usize::from(milli)]
    }

    /// Fits the rents to `supply` (GPUs by residue) and `demand` (pods by size) in `rounds` rounds of proportional fitting:
    /// a size that the values would use more often than it will arrive gets dearer by half of what would bring it in line
    /// alone. O(rounds * grid * sizes), the grid being what all sizes are multiples of.
    pub fn solve(&mut self, supply: &[f64], demand: &[f64], rounds: usize) {
        let sizes = Sizes::new(demand);
        for _ in 0..rounds {
            let used = self.usage(supply, &sizes);
            for &size in &sizes.list {
                let step = self.softness * libm::log((used[size] + 1e-6) / (demand[size] + 1e-6));
                let step = step.clamp(-2.0 * self.softness, 2.0 * self.softness);
                self.rent[size] = (self.rent[size] + 0.5 * step).clamp(0.0, size as f64);
            }
        }
        self.usage(supply, &sizes);
    }

    /// Recomputes the values from the rents; gives how often each size is used in expectation.
    fn usage(&mut self, supply: &[f64], sizes: &Sizes) -> Vec<f64> {
        let (count, step) = (sizes.list.len(), sizes.step);
        let gain: Vec<f64> = sizes.list.iter().map(|&size| size as f64 - self.rent[size]).collect();
        let mut share = vec![0.0; ((MILLIS - 1) / step + 1) * count];
        self.value[..step].fill(0.0);
        for free in (step..MILLIS).step_by(step) {
            let row = &mut share[free / step * count..(free / step + 1) * count];
            let fits = sizes.list.partition_point(|&size| size <= free);
            let mut most = 0.0_f64;
            for (part, (&size, gain)) in row[..fits].iter_mut().zip(sizes.list.iter().zip(&gain)) {
                *part = gain + self.value[free - size];
                most = most.max(*part);
            }
            let weight = |value: f64| {
                let gap = (value - most) / self.softness;
                if gap < NEGLIGIBLE { 0.0 } else { libm::exp(gap) }
            };
            let mut sum = weight(0.0);
            for part in &mut row[..fits] {
                *part = weight(*part);
                sum += *part;
            }
            row[..fits].iter_mut().for_each(|part| *part /= sum);
            let value = most + self.softness * libm::log(sum);
            self.value[free..(free + step).min(MILLIS)].fill(value);
        }
        flow(supply, sizes, &share)
    }
}

/// Sends the supply down the residues by the shares; gives what each size takes.
fn flow(supply: &[f64], sizes: &Sizes, share: &[f64]) -> Vec<f64> {
    let (count, step) = (sizes.list.len(), sizes.step);
    let (mut mass, mut used) = (vec![0.0; MILLIS], vec![0.0; MILLIS]);
    supply.iter().enumerate().for_each(|(free, gpus)| mass[free / step * step] += gpus);
    for free in (step..MILLIS).step_by(step).rev() {
        if mass[free] == 0.0 {
            continue;
        }
        let row = &share[free / step * count..(free / step + 1) * count];
        for (&size, share) in sizes.list.iter().zip(row).take_while(|&(&size, _)| size <= free) {
            used[size] += mass[free] * share;
            mass[free - size] += mass[free] * share;
        }
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_residue_is_worth_what_can_fill_it() {
        let (mut supply, mut demand) = (vec![0.0; MILLIS], vec![0.0; MILLIS]);
        supply[1000] = 100.0;
        // Plenty of halves and some of 700, which leave 300 that nothing fills.
        (demand[500], demand[700]) = (150.0, 60.0);
        let mut values = Values::new(5.0);
        values.solve(&supply, &demand, 300);
        assert!(values.value(300) < 20.0, "{}", values.value(300));
        assert!((values.value(500) - 350.0).abs() < 40.0, "{}", values.value(500));
        assert!((values.value(1000) - 700.0).abs() < 40.0, "{}", values.value(1000));
    }
}
