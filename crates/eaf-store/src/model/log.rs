//! An append-only log of framed, checksummed records.
//!
//! What: a frame is its length, a checksum, and a payload; the checksum also covers the checksum before it. Why chained:
//! a frame that an earlier life left behind a torn one can then never follow what a later life has written.
//! Absent: what is in a record.

use super::disk::{Disk, DiskError};
use sha2::{Digest, Sha256};

const LENGTH_BYTES: usize = 4;
const SUM_BYTES: usize = 16;
const HEADER_BYTES: usize = LENGTH_BYTES + SUM_BYTES;

type Sum = [u8; SUM_BYTES];

/// A log on a disk, read to its end.
pub(super) struct Log {
    pub(super) disk: Disk,
    end: usize,
    sum: Sum,
}

impl Log {
    /// Reads every whole frame to `each`, and cuts away what is behind the last of them.
    pub(super) fn open(disk: Disk, mut each: impl FnMut(&[u8])) -> Result<Self, DiskError> {
        let (mut end, mut sum) = (0, Sum::default());
        while let Some((payload, next)) = frame(disk.bytes(), end, &sum) {
            each(payload);
            end += HEADER_BYTES + payload.len();
            sum = next;
        }
        let mut log = Self { disk, end, sum };
        if log.disk.bytes().len() > end {
            log.disk.cut(end)?;
        }
        log.disk.sync()?;
        Ok(log)
    }

    /// Appends a frame; it is durable on `Ok`.
    pub(super) fn append(&mut self, payload: &[u8]) -> Result<(), DiskError> {
        let sum = checksum(&self.sum, payload);
        let mut header = [0; HEADER_BYTES];
        let length = u32::try_from(payload.len()).expect("a record is below 4 GiB");
        header[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
        header[LENGTH_BYTES..].copy_from_slice(&sum);
        // Header and payload are two writes, so that the power may fail between them.
        self.disk.write(self.end, &header)?;
        self.disk.write(self.end + HEADER_BYTES, payload)?;
        self.disk.sync()?;
        self.end += HEADER_BYTES + payload.len();
        self.sum = sum;
        Ok(())
    }
}

fn frame<'a>(bytes: &'a [u8], at: usize, before: &Sum) -> Option<(&'a [u8], Sum)> {
    let header = bytes.get(at..at + HEADER_BYTES)?;
    let (length, stored) = header.split_at(LENGTH_BYTES);
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    let start = at + HEADER_BYTES;
    let payload = bytes.get(start..start.checked_add(length)?)?;
    let sum = checksum(before, payload);
    (sum == *stored).then_some((payload, sum))
}

fn checksum(before: &Sum, payload: &[u8]) -> Sum {
    let mut sha = Sha256::new();
    sha.update(before);
    sha.update(payload);
    let digest: [u8; 32] = sha.finalize().into();
    let mut sum = Sum::default();
    sum.copy_from_slice(&digest[..SUM_BYTES]);
    sum
}
