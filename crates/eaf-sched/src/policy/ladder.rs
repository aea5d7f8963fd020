//! The best of many scores, with cheap changes.
//!
//! What: a tree of fan-out 32 over the scores of all nodes, in tie-break order; an inner entry is the highest score below it.
//! Why: a change touches one cache line a level (three levels for a hundred thousand nodes) and stops at the first level
//! whose maximum did not move; the best node, lowest index on ties, is one walk down. A heap would order ties only with
//! the index inside its key, and a set of buckets would allocate.
//! Absent: removal; a node that does not fit has score 0.

const FAN: usize = 32;

/// Scores of `len` nodes.
#[derive(Clone, Debug, Default)]
pub struct Ladder {
    /// From the leaves up; every level is padded to a multiple of `FAN`, the last has one block.
    levels: Vec<Vec<u16>>,
}

impl Ladder {
    /// All scores 0.
    pub fn new(len: usize) -> Self {
        let mut levels = Vec::new();
        let mut blocks = len.div_ceil(FAN).max(1);
        loop {
            levels.push(vec![0; blocks * FAN]);
            if blocks == 1 {
                return Self { levels };
            }
            blocks = blocks.div_ceil(FAN);
        }
    }

    /// How many scores it can hold.
    pub fn capacity(&self) -> usize {
        self.levels.first().map_or(0, Vec::len)
    }

    /// Changes one score.
    pub fn set(&mut self, index: usize, score: u16) {
        let (mut at, mut value) = (index, score);
        for level in &mut self.levels {
            if level[at] == value {
                return;
            }
            level[at] = value;
            at /= FAN;
            value = block_max(&level[at * FAN..(at + 1) * FAN]);
        }
    }

    /// Replaces all scores; cheaper than one `set` each.
    pub fn fill(&mut self, scores: impl Iterator<Item = u16>) {
        for (slot, score) in self.levels[0].iter_mut().zip(scores) {
            *slot = score;
        }
        for upper in 1..self.levels.len() {
            let (below, above) = self.levels.split_at_mut(upper);
            for (slot, block) in above[0].iter_mut().zip(below[upper - 1].chunks_exact(FAN)) {
                *slot = block_max(block);
            }
        }
    }

    /// The index with the highest score, the lowest on ties; `None` if all are 0.
    pub fn best(&self) -> Option<(usize, u16)> {
        let top = self.levels.last().expect("a ladder has a level");
        let best = block_max(top);
        if best == 0 {
            return None;
        }
        let mut at = 0;
        for level in self.levels.iter().rev() {
            let block = &level[at * FAN..(at + 1) * FAN];
            at = at * FAN + block.iter().position(|&score| score == best).expect("the maximum is below");
        }
        Some((at, best))
    }
}

fn block_max(block: &[u16]) -> u16 {
    block.iter().fold(0, |most, &score| most.max(score))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_a_scan() {
        for len in [1, 31, 32, 33, 1024, 1025, 5000] {
            let (mut ladder, mut plain) = (Ladder::new(len), vec![0_u16; len]);
            let mut state = 7_u64;
            for _ in 0..2000 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let (index, score) = ((state >> 33) as usize % len, (state >> 20) as u16 % 50);
                plain[index] = score;
                ladder.set(index, score);
                let most = *plain.iter().max().unwrap();
                let want = (most > 0).then(|| (plain.iter().position(|&s| s == most).unwrap(), most));
                assert_eq!(ladder.best(), want);
            }
            let mut filled = Ladder::new(len);
            filled.fill(plain.iter().copied());
            assert_eq!(filled.best(), ladder.best());
        }
    }
}
