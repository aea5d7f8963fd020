//! The hash chain over steps.
//!
//! What: how a line becomes a hash, how steps become a batch, and how batches are walked when they are read back. Why a
//! chain: whoever knows `STEP:HASH` can tell that nothing before it was changed and nothing behind it was cut off.
//! Absent: reading and writing; a store does that.

use crate::{Batch, EndedWorkload, Hash, Head, StoredBatch};
use eaf_core::Step;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;

/// SHA-256 over the hash before a line and the line, without its newline.
pub fn link(before: &Hash, line: &[u8]) -> Hash {
    let mut sha = Sha256::new();
    sha.update(before.0);
    sha.update(line);
    Hash(sha.finalize().into())
}

impl Batch {
    /// The batch that these steps make behind `head`.
    ///
    /// # Panics
    /// Where there is no step, or their numbers do not follow `head` one by one.
    pub fn of_steps(steps: &[Step], mut head: Head) -> Self {
        let last = steps.last().expect("a batch has at least one step");
        let first_step = head.step + 1;
        let mut body = Vec::with_capacity(steps.len() * 512);
        let mut ended = Vec::with_capacity(steps.iter().map(|step| step.ended.len()).sum());
        for step in steps {
            assert_eq!(step.number, head.step + 1, "steps follow each other without a hole");
            let start = body.len();
            serde_json::to_writer(&mut body, step).expect("a step is JSON and memory takes it");
            head = Head { step: step.number, hash: link(&head.hash, &body[start..]) };
            body.push(b'\n');
            ended.extend(step.ended.iter().map(|workload| EndedWorkload { workload: workload.clone(), head }));
        }
        Self { first_step, at: last.at, body, head, ended }
    }
}

/// The chain over the steps of a journal that nobody keeps: what makes two runs in virtual time the same.
#[derive(Clone, Debug, Default)]
pub struct Chain {
    head: Head,
    line: Vec<u8>,
}

impl Chain {
    /// A chain that goes on behind this place.
    pub const fn new(head: Head) -> Self {
        Self { head, line: Vec::new() }
    }

    /// The place behind the last step.
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Adds steps, which follow the head one by one.
    ///
    /// # Panics
    /// Where they do not.
    pub fn extend(&mut self, steps: &[Step]) {
        for step in steps {
            assert_eq!(step.number, self.head.step + 1, "steps follow each other without a hole");
            self.line.clear();
            serde_json::to_writer(&mut self.line, step).expect("a step is JSON and memory takes it");
            self.head = Head { step: step.number, hash: link(&self.head.hash, &self.line) };
        }
    }
}

/// Where a journal stops being what was written.
#[derive(Debug, thiserror::Error)]
#[error("the journal breaks at step {step}: {breach}")]
pub struct Broken {
    /// The first step that cannot be trusted.
    pub step: u64,
    /// What is wrong there.
    #[source]
    pub breach: Breach,
}

/// What is wrong with a stored batch.
#[derive(Debug, thiserror::Error)]
pub enum Breach {
    /// The next batch begins somewhere else.
    #[error("the batch that is stored there begins at step {found}")]
    Hole {
        /// Where it begins.
        found: u64,
    },
    /// The journal ends although something says that it went on.
    #[error("nothing is stored there, although {witness} names step {known}")]
    CutOff {
        /// Who knows better.
        witness: &'static str,
        /// The step that it names.
        known: u64,
    },
    /// The database cannot give the batch.
    #[error("its page cannot be read")]
    Unreadable(#[source] crate::Cause),
    /// The last line has no newline.
    #[error("its line is cut")]
    CutLine,
    /// A line is not a step.
    #[error("its line is not a step of this format")]
    NotAStep(#[source] serde_json::Error),
    /// A line carries another number.
    #[error("its line calls itself step {found}")]
    Number {
        /// The number that it carries.
        found: u64,
    },
    /// The batch ends at another step or instant than its row says.
    #[error("its batch says that it ends at step {stored}, and its lines end at step {found}")]
    Length {
        /// What the row says.
        stored: u64,
        /// What the lines say.
        found: u64,
    },
    /// The row's instant is not that of its last step.
    #[error("its batch carries another instant than its last step")]
    Instant,
    /// The chain does not close: a byte between this step and `last` was changed.
    #[error("up to step {last} a byte was changed: the chain gives {computed}, and {stored} is stored")]
    Chain {
        /// The last step of the batch.
        last: u64,
        /// The hash of the lines.
        computed: Hash,
        /// The hash of the row.
        stored: Hash,
    },
}

/// Walks stored batches behind a head that is trusted.
pub(crate) struct Walk {
    /// As far as the chain holds.
    pub(crate) head: Head,
}

impl Walk {
    /// Checks numbers and chain of the next batch, and gives each step with its head. Every step is given before the
    /// chain has closed over it, so nothing may be acted on until this returns `Ok`.
    pub(crate) fn batch<E: From<Broken>>(
        &mut self,
        batch: &StoredBatch,
        mut each: impl FnMut(Step, Head) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut head = self.head;
        let broken = |step, breach| E::from(Broken { step, breach });
        if batch.first_step != head.step + 1 {
            return Err(broken(head.step + 1, Breach::Hole { found: batch.first_step }));
        }
        // The chain is checked over the whole batch first: a changed byte is then called that, and not by what it does.
        let steps = self.close(batch)?;
        let mut at = None;
        for line in steps {
            let number = head.step + 1;
            let step: Step = serde_json::from_slice(line).map_err(|error| broken(number, Breach::NotAStep(error)))?;
            if step.number != number {
                return Err(broken(number, Breach::Number { found: step.number }));
            }
            head = Head { step: number, hash: link(&head.hash, line) };
            at = Some(step.at);
            each(step, head)?;
        }
        if at != Some(batch.at) {
            return Err(broken(batch.head.step, Breach::Instant));
        }
        self.head = head;
        Ok(())
    }

    fn close<'a>(&self, batch: &'a StoredBatch) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>, Broken> {
        let first = batch.first_step;
        let Some((b'\n', lines)) = batch.body.split_last() else {
            return Err(Broken { step: first, breach: Breach::CutLine });
        };
        let mut head = self.head;
        for line in lines.split(|byte| *byte == b'\n') {
            head = Head { step: head.step + 1, hash: link(&head.hash, line) };
        }
        if head.step != batch.head.step {
            let breach = Breach::Length { stored: batch.head.step, found: head.step };
            return Err(Broken { step: first, breach });
        }
        if head.hash != batch.head.hash {
            let breach = Breach::Chain { last: head.step, computed: head.hash, stored: batch.head.hash };
            return Err(Broken { step: first, breach });
        }
        Ok(lines.split(|byte| *byte == b'\n'))
    }
}

/// A text that is not a hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a hash; expected 64 hexadecimal digits")]
pub struct NotAHash {
    /// What was read, at most its first 80 characters.
    pub text: String,
}

/// A text that is not a place in a journal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a place in a journal; expected STEP:HASH, a number and 64 hexadecimal digits")]
pub struct NotAHead {
    /// What was read, at most its first 100 characters.
    pub text: String,
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let fail = || NotAHash { text: text.chars().take(80).collect() };
        // Upper case is refused: one hash has one spelling, so that texts can be compared as texts.
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(fail()),
        };
        let mut hash = Self::default();
        if text.len() != 2 * hash.0.len() {
            return Err(fail());
        }
        for (byte, pair) in hash.0.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(hash)
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.step, self.hash)
    }
}

impl FromStr for Head {
    type Err = NotAHead;

    fn from_str(text: &str) -> Result<Self, NotAHead> {
        let fail = || NotAHead { text: text.chars().take(100).collect() };
        let (step, hash) = text.split_once(':').ok_or_else(fail)?;
        let plain = step == "0" || (!step.starts_with('0') && step.bytes().all(|byte| byte.is_ascii_digit()));
        let step = step.parse().ok().filter(|_| plain).ok_or_else(fail)?;
        Ok(Self { step, hash: hash.parse().map_err(|_| fail())? })
    }
}

macro_rules! serde_as_text {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

serde_as_text!(Hash, Head);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_sha256_over_both() {
        let check =
            |before: Hash, line: &str, expect: &str| assert_eq!(link(&before, line.as_bytes()).to_string(), expect);
        // Computed with `(head -c 32 /dev/zero; printf '{}') | sha256sum`.
        check(Hash::default(), "{}", "fb1634c4e6cd4b1f1afe3ce2d6ef080f7ac5d1f357d723ad4dfca782733b62db");
    }

    #[test]
    fn a_head_reads_back_what_it_shows() {
        let check = |text: &str, expect: bool| match text.parse::<Head>() {
            Ok(head) => assert!(expect && head.to_string() == text, "{text}"),
            Err(_) => assert!(!expect, "{text}"),
        };
        let hash = "0123456789abcdef".repeat(4);
        check(&format!("0:{hash}"), true);
        check(&format!("18446744073709551615:{hash}"), true);
        for bad in ["", ":", "1", "1:", "1:00", "x:00"] {
            check(bad, false);
        }
        check(&format!("+1:{hash}"), false);
        check(&format!("01:{hash}"), false);
        check(&format!("-1:{hash}"), false);
        check(&format!("18446744073709551616:{hash}"), false);
        check(&format!("1:{}", hash.to_uppercase()), false);
        check(&format!("1:{hash}0"), false);
        check(&format!("1:{}", "é".repeat(32)), false);
        let head = Head { step: 7, hash: link(&Hash::default(), b"x") };
        assert_eq!(serde_json::from_str::<Head>(&serde_json::to_string(&head).unwrap()).unwrap(), head);
    }
}
