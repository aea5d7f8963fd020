//! What the factory and its supervisor say to each other: JSON lines over a Unix socket.
//!
//! What: the messages, and how lines are cut out of a stream. Why versioned: the supervisor outlives the factory's
//! program. Two messages are frozen for ever, `hello` and `upgrade`, with the answers `hello` and `refused`: with these
//! alone a newer factory can put itself in the place of any older supervisor. Absent: meaning; the supervisor has that.

use crate::local::Settings;
use eaf_model::{Effect, Known, TaskKey, TaskReport};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Raised whenever an older side would misread a message.
const PROTOCOL: u32 = 3;

/// The most bytes of one line; a batch of orders stays far below it.
pub(crate) const LINE_BYTES_MAX: usize = 64 << 20;

/// What a program is, for the question which of two is newer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The protocol it speaks.
    pub protocol: u32,
    /// Its release, such as `0.1.0`.
    pub release: String,
}

impl Version {
    /// This program's.
    pub fn current() -> Self {
        Self { protocol: PROTOCOL, release: env!("CARGO_PKG_VERSION").to_owned() }
    }

    /// True where this is a later one than `other`.
    pub fn is_newer_than(&self, other: &Self) -> bool {
        let order = |version: &Self| {
            let release = version.release.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u64>>();
            (version.protocol, release)
        };
        order(self) > order(other)
    }
}

/// From the factory to the supervisor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToSupervisor {
    /// Frozen. The first line: who speaks, and the secret that only the factory can read.
    Hello { version: Version, secret: String },
    /// Frozen. Become this program, in this very process, with everything that runs.
    Upgrade { executable: PathBuf, args: Vec<String> },
    /// Settings from now on.
    Configure(Box<Settings>),
    /// Orders.
    Orders(Vec<Effect>),
    /// Tell everything that is known.
    Reconcile { call: u64 },
    /// These may be forgotten.
    Settle(Vec<TaskKey>),
    /// Tell what keeps the limits.
    Limits { call: u64 },
    /// End; with `stop_work` only after every task has been stopped.
    Shutdown { stop_work: bool },
}

/// An observation of one task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) key: TaskKey,
    pub(crate) report: TaskReport,
}

/// From the supervisor to the factory.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToFactory {
    /// Frozen. The answer to `hello`.
    Hello { version: Version, pid: u32 },
    /// Frozen. What was asked for is not done.
    Refused { why: String },
    /// Settings are in force.
    Configured,
    /// Observations.
    Reports(Vec<Report>),
    /// The answer to `reconcile`.
    Known { call: u64, tasks: Vec<Known> },
    /// The answer to `limits`.
    Limits { call: u64, text: String },
}

/// A message as a line.
pub(crate) fn line(message: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).expect("messages have only text as keys");
    line.push(b'\n');
    line
}

/// `ToSupervisor::Orders`, put together one by one, so that its size is known on the way.
#[derive(Default)]
pub(crate) struct Orders {
    list: Vec<u8>,
}

impl Orders {
    /// Adds an order.
    pub(crate) fn push(&mut self, effect: &Effect) {
        if !self.list.is_empty() {
            self.list.push(b',');
        }
        serde_json::to_writer(&mut self.list, effect).expect("orders have only text as keys");
    }

    /// How much there is by now.
    pub(crate) const fn bytes(&self) -> usize {
        self.list.len()
    }

    /// The message as a line.
    pub(crate) fn into_line(self) -> Vec<u8> {
        [br#"{"orders":["#, self.list.as_slice(), b"]}\n"].concat()
    }
}

/// Cuts lines out of what is read.
#[derive(Default)]
pub(crate) struct Lines {
    buffer: Vec<u8>,
    scanned: usize,
}

impl Lines {
    /// Takes in what was read.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole line, without its end.
    pub(crate) fn next_line(&mut self) -> Option<Vec<u8>> {
        let Some(at) = self.buffer[self.scanned..].iter().position(|byte| *byte == b'\n') else {
            self.scanned = self.buffer.len();
            return None;
        };
        let mut line: Vec<u8> = self.buffer.drain(..=self.scanned + at).collect();
        self.scanned = 0;
        line.pop();
        Some(line)
    }

    /// True where a line has grown beyond all measure.
    pub(crate) fn overflows(&self) -> bool {
        self.buffer.len() > LINE_BYTES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_wherever_they_were_torn() {
        let mut lines = Lines::default();
        let mut read = Vec::new();
        for piece in ["on", "e\ntwo\nth", "", "ree\n", "four"] {
            lines.push(piece.as_bytes());
            while let Some(line) = lines.next_line() {
                read.push(String::from_utf8(line).expect("text"));
            }
        }
        assert_eq!(read, ["one", "two", "three"]);
    }

    #[test]
    fn versions_are_ordered_by_protocol_then_release() {
        let check = |a: (u32, &str), b: (u32, &str), expect| {
            let version = |(protocol, release): (u32, &str)| Version { protocol, release: release.to_owned() };
            assert_eq!(version(a).is_newer_than(&version(b)), expect, "{a:?} {b:?}");
        };
        check((1, "0.10.0"), (1, "0.9.9"), true);
        check((2, "0.1.0"), (1, "9.0.0"), true);
        check((1, "0.1.0"), (1, "0.1.0"), false);
        check((1, "0.1.0"), (1, "0.2.0"), false);
    }

    /// These lines were spoken by the first release and must be understood by every later one.
    #[test]
    fn the_frozen_messages_keep_their_shape() {
        let hello = r#"{"hello":{"version":{"protocol":1,"release":"0.1.0"},"secret":"s"}}"#;
        let upgrade = r#"{"upgrade":{"executable":"/usr/bin/eaf","args":["supervise"]}}"#;
        for text in [hello, upgrade] {
            let message: ToSupervisor = serde_json::from_str(text).expect("a frozen message");
            assert_eq!(serde_json::to_string(&message).expect("text"), text);
        }
        let back = r#"{"hello":{"version":{"protocol":1,"release":"0.1.0"},"pid":7}}"#;
        for text in [back, r#"{"refused":{"why":"no"}}"#] {
            let message: ToFactory = serde_json::from_str(text).expect("a frozen message");
            assert_eq!(serde_json::to_string(&message).expect("text"), text);
        }
    }
}
