//! When the next snapshot is due.
//!
//! What: a count of journal bytes against the size of the last snapshot. Why both: start-up then reads at most about as
//! much journal as snapshot, and writing snapshots costs at most about half of writing the journal.
//! Absent: time; a quiet factory needs no snapshots.

/// The least amount of journal between two snapshots.
const JOURNAL_BYTES_MIN: u64 = 8 << 20;

/// Counts towards the next snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotPolicy {
    snapshot_bytes: u64,
    journal_bytes: u64,
}

impl SnapshotPolicy {
    /// `snapshot_bytes` of the last snapshot (0 for none), and `journal_bytes` appended behind it.
    pub const fn new(snapshot_bytes: u64, journal_bytes: u64) -> Self {
        Self { snapshot_bytes, journal_bytes }
    }

    /// A batch with a body of so many bytes was appended.
    pub const fn appended(&mut self, bytes: u64) {
        self.journal_bytes = self.journal_bytes.saturating_add(bytes);
    }

    /// True where the journal behind the last snapshot is more than 8 MiB and more than twice that snapshot.
    pub const fn due(&self) -> bool {
        self.journal_bytes > JOURNAL_BYTES_MIN && self.journal_bytes > self.snapshot_bytes.saturating_mul(2)
    }

    /// A snapshot is being made: what is appended from now on counts for the next one.
    pub const fn begun(&mut self) {
        self.journal_bytes = 0;
    }

    /// A snapshot of so many bytes was saved.
    pub const fn saved(&mut self, bytes: u64) {
        self.snapshot_bytes = bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_due_by_bytes() {
        let check = |snapshot, journal, expect| assert_eq!(SnapshotPolicy::new(snapshot, journal).due(), expect);
        check(0, 0, false);
        check(0, 8 << 20, false);
        check(0, (8 << 20) + 1, true);
        check(5 << 20, 10 << 20, false);
        check(5 << 20, (10 << 20) + 1, true);
        check(u64::MAX, u64::MAX, false);
        let mut policy = SnapshotPolicy::new(0, 8 << 20);
        policy.appended(1);
        assert!(policy.due());
        policy.begun();
        policy.saved(4 << 20);
        assert_eq!(policy, SnapshotPolicy::new(4 << 20, 0));
    }
}
