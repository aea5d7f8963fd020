//! Ids: one registry of every kind of id.
//!
//! What: an id is the number of the step that minted it and a number within that step, so that a replay mints the same
//! ids. Shown as `wl-123`, or `wl-123.0` for the members of a list (an array's members, the leases of one plan).
//! Absent: randomness, and conversion between kinds.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

/// What a kind of id is called when it is shown.
pub trait Kind {
    /// The letters before the dash.
    const PREFIX: &'static str;
}

/// An id of the kind `K`.
pub struct Id<K>(u64, PhantomData<fn() -> K>);

/// The largest member number that an id can carry.
pub const MEMBER_MAX: u16 = u16::MAX - 1;

impl<K> Id<K> {
    /// The id of the one thing that a step made, or of the list as a whole.
    pub const fn of_step(step: u64) -> Self {
        Self(step << 16, PhantomData)
    }

    /// The id of member `member` (from 0, at most `MEMBER_MAX`) of the list that a step made.
    pub const fn of_member(step: u64, member: u16) -> Self {
        assert!(member <= MEMBER_MAX, "a step makes at most 65,535 members");
        Self((step << 16) | (member as u64 + 1), PhantomData)
    }

    /// The step that minted this id.
    pub const fn step(self) -> u64 {
        self.0 >> 16
    }

    /// The number within the step, or `None` for a lone thing or a list as a whole.
    pub const fn member(self) -> Option<u16> {
        match (self.0 & 0xffff) as u16 {
            0 => None,
            n => Some(n - 1),
        }
    }

    /// The list that this member belongs to; a lone id gives itself.
    #[must_use]
    pub const fn list(self) -> Self {
        Self(self.0 & !0xffff, PhantomData)
    }

    /// The id as a number, for an index in a database.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The id of a number that `to_bits` gave.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits, PhantomData)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.member() {
            None => write!(f, "{}-{}", K::PREFIX, self.step()),
            Some(member) => write!(f, "{}-{}.{}", K::PREFIX, self.step(), member),
        }
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not an id of the kind that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAnId {
    /// What was read.
    pub text: String,
    /// The letters that were expected before the dash.
    pub prefix: &'static str,
}

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not an id; expected something like {}-123 or {}-123.0", self.text, self.prefix, self.prefix)
    }
}

impl std::error::Error for NotAnId {}

impl<K: Kind> FromStr for Id<K> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let fail = || NotAnId { text: text.chars().take(80).collect(), prefix: K::PREFIX };
        let digits = |part: &str| -> Option<u64> {
            let plain = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            let canonical = part == "0" || !part.starts_with('0');
            if plain && canonical { part.parse().ok() } else { None }
        };
        let rest = text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('-')).ok_or_else(fail)?;
        let (step, member) = match rest.split_once('.') {
            None => (rest, None),
            Some((step, member)) => (step, Some(member)),
        };
        let step = digits(step).filter(|step| *step < 1 << 47).ok_or_else(fail)?;
        match member {
            None => Ok(Self::of_step(step)),
            Some(member) => {
                let member = digits(member).and_then(|m| u16::try_from(m).ok()).filter(|m| *m <= MEMBER_MAX);
                Ok(Self::of_member(step, member.ok_or_else(fail)?))
            }
        }
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<K>(PhantomData<K>);
        impl<K: Kind> serde::de::Visitor<'_> for Visitor<K> {
            type Value = Id<K>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an id such as {}-123", K::PREFIX)
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Id<K>, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor(PhantomData))
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $alias:ident, $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $kind {}
        impl Kind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        $(#[$doc])*
        pub type $alias = Id<$kind>;
    )*};
}

kinds! {
    /// Names a workload, or an array of workloads.
    WorkloadKind, WorkloadId, "wl";
    /// Names a lease; it fences every report of an engine.
    LeaseKind, LeaseId, "ls";
    /// Names a node.
    NodeKind, NodeId, "nd";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<(u64, Option<u16>)>) {
        let got = text.parse::<WorkloadId>().ok().map(|id| (id.step(), id.member()));
        assert_eq!(got, expect, "{text:?}");
    }

    #[test]
    fn ids_read_back_what_they_show() {
        check("wl-123", Some((123, None)));
        check("wl-123.0", Some((123, Some(0))));
        check("wl-123.65534", Some((123, Some(65_534))));
        for bad in
            ["wl-", "wl-x", "ls-1", "wl-1.65535", "wl-01", "wl-1.", "wl--1", "wl-+1", "wl-99999999999999999999", ""]
        {
            check(bad, None);
        }
        let id = WorkloadId::of_member(7, 9);
        assert_eq!((id.to_string(), id.list().to_string()), ("wl-7.9".into(), "wl-7".into()));
        assert_eq!(WorkloadId::from_bits(id.to_bits()), id);
    }
}
