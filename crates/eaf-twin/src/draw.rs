//! Draws from a seed.
//!
//! What: one small generator, the same on every machine, so that a seed alone tells the whole story. Absent: any claim to
//! secrecy.

/// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw(u64);

impl Draw {
    /// The draws of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`; 0 where the bound is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        let drawn = self.next();
        if bound == 0 { 0 } else { drawn % bound }
    }

    /// True once in so many times.
    pub const fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    /// A number of an exponential distribution with this mean, without a float: the sum of a geometric number of whole
    /// means (each failed halving adds `ln 2` of it) and a remainder within the last halving.
    pub const fn exponential(&mut self, mean: u64) -> u64 {
        const LN_2_MILLIONTHS: u64 = 693_147;
        let mut halvings = 0;
        while halvings < 40 && self.below(2) == 1 {
            halvings += 1;
        }
        // Within a halving the density falls from 1 to 1/2: drawn by rejection.
        let mut part = self.below(1_000_000);
        while self.below(2_000_000) > 2_000_000 - part {
            part = self.below(1_000_000);
        }
        let millionths = (halvings as u128 * 1_000_000 + part as u128) * LN_2_MILLIONTHS as u128 / 1_000_000;
        let drawn = mean as u128 * millionths / 1_000_000;
        if drawn > u64::MAX as u128 { u64::MAX } else { drawn as u64 }
    }
}
