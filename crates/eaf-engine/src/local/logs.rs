//! Outputs of tasks as files of bounded size.
//!
//! What: a stream is cut into a first part, which is kept, and later parts of which the newest are kept; a part is named
//! by the position of its first byte, so positions since the task's start never change and a new supervisor goes on
//! where the old one stopped. A stream without output has no file. Absent: following; a reader asks again.
//!
//! `logs/<workload>/<attempt>.<task>.out` is the first part, `….out.<position>` are later ones; `err` likewise.

use crate::{LogChunk, LogStream};
use eaf_model::{Bytes, WorkloadId};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The first part takes a quarter of the bound, each later part an eighth, and this many of those are kept.
const LATER_PARTS: usize = 6;
const FIRST_SHARE: u64 = 4;
const LATER_SHARE: u64 = 8;

/// Names the stream of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogName {
    directory: PathBuf,
    stem: String,
}

impl LogName {
    /// The stream of a task below the `logs` directory.
    pub(crate) fn new(logs: &Path, workload: WorkloadId, attempt: u32, task: u32, stream: LogStream) -> Self {
        let suffix = match stream {
            LogStream::Stdout => "out",
            LogStream::Stderr => "err",
        };
        Self { directory: logs.join(workload.to_string()), stem: format!("{attempt}.{task}.{suffix}") }
    }

    fn part(&self, position: u64) -> PathBuf {
        let name = if position == 0 { self.stem.clone() } else { format!("{}.{position}", self.stem) };
        self.directory.join(name)
    }

    /// Positions and lengths of the parts that are there, in order.
    fn parts(&self) -> io::Result<Vec<(u64, u64)>> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut parts = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(&self.stem)) else { continue };
            let position = if rest.is_empty() { Some(0) } else { rest.strip_prefix('.').and_then(|p| p.parse().ok()) };
            // A part that is rotated away between the listing and here is not there.
            if let (Some(position), Ok(metadata)) = (position, entry.metadata()) {
                parts.push((position, metadata.len()));
            }
        }
        parts.sort_unstable();
        Ok(parts)
    }

    /// A piece of the stream: at most `limit` bytes from `offset`, or from the next byte that is still there.
    pub(crate) fn read(&self, offset: u64, limit: usize) -> io::Result<LogChunk> {
        for (position, length) in self.parts()? {
            if offset >= position + length {
                continue;
            }
            let from = offset.max(position);
            let file = match File::open(self.part(position)) {
                Ok(file) => file,
                // Rotated away since it was listed; the next part has what comes after.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let there = usize::try_from(position + length - from).unwrap_or(usize::MAX);
            let mut bytes = vec![0; limit.min(there)];
            let read = file.read_at(&mut bytes, from - position)?;
            bytes.truncate(read);
            return Ok(LogChunk { offset: from, bytes });
        }
        Ok(LogChunk { offset, bytes: Vec::new() })
    }
}

/// Writes one stream.
pub(crate) struct LogWriter {
    name: LogName,
    bytes_max: u64,
    part: Option<(File, u64, u64)>,
    parts: Vec<u64>,
    started: bool,
}

impl LogWriter {
    /// A stream from its beginning: no file is touched before there is output.
    pub(crate) const fn new(name: LogName, bytes_max: Bytes) -> Self {
        Self { name, bytes_max: bytes_max.0, part: None, parts: Vec::new(), started: false }
    }

    /// A stream that an earlier supervisor may have begun.
    pub(crate) fn resume(name: LogName, bytes_max: Bytes) -> io::Result<Self> {
        let parts = name.parts()?;
        let mut writer = Self::new(name, bytes_max);
        writer.parts = parts.iter().map(|(position, _)| *position).collect();
        if let Some(&(position, length)) = parts.last() {
            let mut file = OpenOptions::new().write(true).open(writer.name.part(position))?;
            file.seek(SeekFrom::Start(length))?;
            writer.part = Some((file, position, length));
            writer.started = true;
        }
        Ok(writer)
    }

    const fn part_bytes_max(&self, position: u64) -> u64 {
        let share = if position == 0 { FIRST_SHARE } else { LATER_SHARE };
        let bytes = self.bytes_max / share;
        if bytes == 0 { 1 } else { bytes }
    }

    /// Appends, going on to new parts as needed.
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let room = match &self.part {
                Some((_, position, length)) => self.part_bytes_max(*position).saturating_sub(*length),
                None => 0,
            };
            if room == 0 {
                self.next_part()?;
                continue;
            }
            let Some((file, _, length)) = &mut self.part else { return Ok(()) };
            let take = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
            let written = file.write(&bytes[..take])?;
            *length += written as u64;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    fn next_part(&mut self) -> io::Result<()> {
        let position = self.part.take().map_or(0, |(_, position, length)| position + length);
        if !self.started {
            match DirBuilder::new().mode(0o700).create(&self.name.directory) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => self.started = true,
            }
        }
        let file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(self.name.part(position))?;
        self.part = Some((file, position, 0));
        self.parts.push(position);
        if self.parts.len() > LATER_PARTS + 1 {
            let oldest = self.parts.remove(1);
            fs::remove_file(self.name.part(oldest))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(dir: &Path) -> LogName {
        LogName::new(dir, WorkloadId::of_step(1), 1, 0, LogStream::Stdout)
    }

    /// Writes `pieces` with a bound of 80 bytes (a first part of 20, later ones of 10) and reads everything back.
    fn check(pieces: &[&str], resume: bool, expect: &[(u64, &str)]) {
        let dir = tempfile::tempdir().expect("a directory");
        let mut writer = LogWriter::new(name(dir.path()), Bytes(80));
        for piece in pieces {
            writer.write(piece.as_bytes()).expect("written");
            if resume {
                writer = LogWriter::resume(name(dir.path()), Bytes(80)).expect("resumed");
            }
        }
        let mut read = Vec::new();
        let mut offset = 0;
        loop {
            let chunk = name(dir.path()).read(offset, 1_000).expect("read");
            if chunk.bytes.is_empty() {
                break;
            }
            offset = chunk.offset + chunk.bytes.len() as u64;
            read.push((chunk.offset, String::from_utf8(chunk.bytes).expect("text")));
        }
        let read: Vec<_> = read.iter().map(|(offset, text)| (*offset, text.as_str())).collect();
        assert_eq!(read, expect);
    }

    #[test]
    fn positions_survive_rotation_and_a_new_writer() {
        let long: String = ('a'..='z').cycle().take(105).collect();
        let expect: Vec<(u64, &str)> = [(0, 20), (50, 60), (60, 70), (70, 80), (80, 90), (90, 100), (100, 105)]
            .map(|(a, b)| (a, &long[usize::try_from(a).expect("small")..b]))
            .into();
        for resume in [false, true] {
            check(&[], resume, &[]);
            check(&["hello ", "world"], resume, &[(0, "hello world")]);
            check(&["0123456789", "0123456789", "x"], resume, &[(0, "01234567890123456789"), (20, "x")]);
            check(&[&long], resume, &expect);
            check(&[&long[..7], &long[7..33], &long[33..]], resume, &expect);
        }
    }
}
