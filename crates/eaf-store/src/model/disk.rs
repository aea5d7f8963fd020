//! A disk that has unsynced bytes.
//!
//! What: one file; writes land in a cache, `sync` makes them durable, a power loss keeps any subset of the sectors that
//! were written and not synced. Why by sectors: that is what a disk writes whole. Absent: bit rot; a store's checksums
//! are tested by changing bytes.

use std::fmt;

/// What a disk writes whole, in bytes.
const SECTOR: usize = 512;

/// What may happen to a disk. Operations (writes, cuts and syncs) are counted from 0 since the disk was made or restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power fails during this operation, which does not return; nothing works until `restart`.
    PowerLoss {
        /// Which operation.
        at: u64,
    },
    /// This operation fails, with a part of it done.
    Error {
        /// Which operation.
        at: u64,
    },
    /// The file may not be longer than this.
    Full {
        /// In bytes.
        bytes: usize,
    },
    /// A sync says that it is done and has done nothing, as drives without power-loss protection do.
    LyingSync,
}

/// Why a disk did not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskError {
    /// The power is gone.
    NoPower,
    /// The operation failed.
    Failed,
    /// There is no space.
    Full,
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPower => "the power is gone",
            Self::Failed => "the disk failed",
            Self::Full => "the disk is full",
        })
    }
}

impl std::error::Error for DiskError {}

/// One change that is not synced.
#[derive(Clone, Debug)]
enum Pending {
    Write { offset: usize, bytes: Vec<u8> },
    Cut { length: usize },
}

/// A disk with one file on it.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    durable: Vec<u8>,
    /// What a reader sees: durable bytes with everything pending.
    cached: Vec<u8>,
    pending: Vec<Pending>,
    fault: Option<Fault>,
    operations: u64,
    no_power: bool,
    seed: u64,
}

impl Disk {
    /// An empty disk; the seed chooses what a power loss keeps.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// The same disk, to which this is going to happen.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// From here on this is going to happen, or nothing where it is `None`.
    pub fn expect(&mut self, fault: Option<Fault>) {
        self.fault = fault;
    }

    /// Operations so far.
    pub const fn operations(&self) -> u64 {
        self.operations
    }

    /// The file as a reader sees it.
    pub fn bytes(&self) -> &[u8] {
        &self.cached
    }

    /// Changes a byte of the file behind the store's back.
    ///
    /// # Panics
    /// Where there is no such byte.
    pub fn damage(&mut self, offset: usize) {
        self.durable[offset] ^= 0x40;
        self.cached[offset] ^= 0x40;
    }

    /// What is there when the power comes back, for this seed: every synced byte, and any of the sectors that were
    /// written and not synced. Faults are over.
    #[must_use]
    pub fn restart(mut self, seed: u64) -> Self {
        self.seed = seed;
        let mut random = SplitMix(seed);
        for pending in std::mem::take(&mut self.pending) {
            match pending {
                Pending::Write { offset, bytes } => keep_some(&mut self.durable, offset, &bytes, &mut random),
                Pending::Cut { length } if random.one_in(2) => self.durable.truncate(length),
                Pending::Cut { .. } => {}
            }
        }
        let cached = self.durable.clone();
        Self { durable: self.durable, cached, seed, ..Self::default() }
    }

    /// The same disk when nothing more happens to it: the process ended, the power stayed, and whoever reads sees every
    /// byte that was written.
    ///
    /// # Panics
    /// Where the power has failed; then it is `restart` that tells what is there.
    #[must_use]
    pub fn repaired(mut self) -> Self {
        assert!(!self.no_power, "what a power loss keeps is chosen by restart");
        self.fault = None;
        self
    }

    /// Writes bytes at an offset of the file, into the cache.
    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<(), DiskError> {
        let end = offset + bytes.len();
        if let Some(Fault::Full { bytes: most }) = self.fault {
            if end > most {
                return Err(DiskError::Full);
            }
        }
        let verdict = self.operate();
        // An operation that does not succeed may still have been done, whole or in part.
        let done =
            if verdict.is_ok() { bytes.len() } else { SplitMix(self.seed ^ self.operations).below(bytes.len() + 1) };
        if verdict != Err(DiskError::NoPower) || self.just_lost() {
            let bytes = &bytes[..done];
            put(&mut self.cached, offset, bytes);
            self.pending.push(Pending::Write { offset, bytes: bytes.to_vec() });
        }
        verdict
    }

    /// Cuts the file, in the cache.
    pub(super) fn cut(&mut self, length: usize) -> Result<(), DiskError> {
        let verdict = self.operate();
        if verdict.is_ok() || self.just_lost() {
            self.cached.truncate(length);
            self.pending.push(Pending::Cut { length });
        }
        verdict
    }

    /// Makes everything written durable. A sync that does not return `Ok` promises nothing.
    pub(super) fn sync(&mut self) -> Result<(), DiskError> {
        self.operate()?;
        if self.fault == Some(Fault::LyingSync) {
            return Ok(());
        }
        for pending in self.pending.drain(..) {
            match pending {
                Pending::Write { offset, bytes } => put(&mut self.durable, offset, &bytes),
                Pending::Cut { length } => self.durable.truncate(length),
            }
        }
        Ok(())
    }

    /// Counts an operation, and says whether it succeeds.
    fn operate(&mut self) -> Result<(), DiskError> {
        if self.no_power {
            self.operations = self.operations.saturating_add(1);
            return Err(DiskError::NoPower);
        }
        let this = self.operations;
        self.operations += 1;
        match self.fault {
            Some(Fault::PowerLoss { at }) if at == this => {
                self.no_power = true;
                Err(DiskError::NoPower)
            }
            Some(Fault::Error { at }) if at == this => Err(DiskError::Failed),
            _ => Ok(()),
        }
    }

    /// True for the operation during which the power failed.
    fn just_lost(&self) -> bool {
        self.fault == Some(Fault::PowerLoss { at: self.operations.wrapping_sub(1) })
    }
}

fn put(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if file.len() < offset + bytes.len() {
        file.resize(offset + bytes.len(), 0);
    }
    file[offset..offset + bytes.len()].copy_from_slice(bytes);
}

/// Puts those sectors of a write that the power loss has kept; half of the losses keep a prefix, the others any subset.
fn keep_some(file: &mut Vec<u8>, offset: usize, bytes: &[u8], random: &mut SplitMix) {
    let prefix = random.one_in(2).then(|| random.below(bytes.len() + 1));
    let mut start = 0;
    while start < bytes.len() {
        // The first piece ends where its sector ends.
        let end = bytes.len().min(start + SECTOR - (offset + start) % SECTOR);
        let end = prefix.map_or(end, |prefix| end.min(prefix));
        if end <= start {
            break;
        }
        if prefix.is_some() || random.one_in(2) {
            put(file, offset + start, &bytes[start..end]);
        }
        start = end;
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and the same everywhere.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).expect("it is below a usize")
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_synced_stays_and_the_rest_may_go() {
        let mut disk = Disk::new(1);
        disk.write(0, &[1; 2_000]).unwrap();
        disk.sync().unwrap();
        disk.write(2_000, &[2; 2_000]).unwrap();
        let (mut kept_all, mut kept_none, mut kept_holes) = (false, false, false);
        for seed in 0..200 {
            let after = disk.clone().restart(seed);
            assert_eq!(after.bytes()[..2_000], [1; 2_000]);
            let tail = &after.bytes()[2_000..];
            kept_all |= tail == [2; 2_000];
            kept_none |= tail.is_empty();
            kept_holes |= tail.windows(2).any(|pair| pair == [0, 2]);
            assert_eq!(after.bytes(), disk.clone().restart(seed).bytes(), "one seed, one outcome");
        }
        assert!(kept_all && kept_none && kept_holes);
    }

    #[test]
    fn faults_come_where_they_are_put() {
        let check = |fault, expect: [Result<(), DiskError>; 3]| {
            let mut disk = Disk::new(3).with(fault);
            assert_eq!([disk.write(0, &[1; 100]), disk.sync(), disk.write(100, &[2; 100])], expect, "{fault:?}");
        };
        check(Fault::PowerLoss { at: 1 }, [Ok(()), Err(DiskError::NoPower), Err(DiskError::NoPower)]);
        check(Fault::Error { at: 1 }, [Ok(()), Err(DiskError::Failed), Ok(())]);
        check(Fault::Full { bytes: 150 }, [Ok(()), Ok(()), Err(DiskError::Full)]);
    }
}
