//! Random numbers from a printed seed, so that a failure can be run again with `EAF_SEED=…`.

/// SplitMix64 (Steele, Lea, Flood, 2014): one word of state, good enough for choosing moments.
pub(crate) struct Random(u64);

impl Random {
    /// The seed that the environment names, or one of this moment; printed either way.
    pub(crate) fn new() -> Self {
        let named = std::env::var("EAF_SEED").ok().map(|text| text.parse().expect("EAF_SEED is a number"));
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("it is after 1970");
        let seed = named.unwrap_or_else(|| now.as_secs() ^ u64::from(now.subsec_nanos()));
        println!("seed: EAF_SEED={seed}");
        Self(seed)
    }

    /// A stream of its own for another thread.
    pub(crate) fn split(&mut self) -> Self {
        Self(self.next())
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A place in a list of so many.
    pub(crate) fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).expect("it is below a usize")
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
