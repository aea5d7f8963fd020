//! The event stream.

use eaf_model::{Event, Time};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// One event of the journal, as `GET /v1/events` sends it in `data`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// Its place; what `Last-Event-ID` and `?after=` take.
    pub id: EventId,
    /// When its step was taken.
    pub at: Time,
    /// What happened.
    pub event: Event,
}

/// The place of an event: `STEP.INDEX`, or `STEP` for "behind all of that step".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The step.
    pub step: u64,
    /// The place within the step, from 0; `u32::MAX` for behind all of it.
    pub index: u32,
}

impl EventId {
    /// Behind everything of this step.
    pub const fn behind(step: u64) -> Self {
        Self { step, index: u32::MAX }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.index == u32::MAX { write!(f, "{}", self.step) } else { write!(f, "{}.{}", self.step, self.index) }
    }
}

/// A text that is no event id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an event id; expected STEP or STEP.INDEX, such as 12 or 12.0")]
pub struct NotAnEventId(pub String);

impl FromStr for EventId {
    type Err = NotAnEventId;

    fn from_str(text: &str) -> Result<Self, NotAnEventId> {
        let fail = || NotAnEventId(text.chars().take(80).collect());
        let number = |part: &str| -> Option<u64> {
            let plain = !part.is_empty() && part.len() <= 15 && part.bytes().all(|b| b.is_ascii_digit());
            if plain { part.parse().ok() } else { None }
        };
        match text.split_once('.') {
            None => Ok(Self::behind(number(text).ok_or_else(fail)?)),
            Some((step, index)) => {
                let index = number(index).and_then(|n| u32::try_from(n).ok()).filter(|n| *n < u32::MAX);
                Ok(Self { step: number(step).ok_or_else(fail)?, index: index.ok_or_else(fail)? })
            }
        }
    }
}

impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_ids_read_back_what_they_show() {
        let check = |text: &str, expect: Option<(u64, u32)>| {
            assert_eq!(text.parse::<EventId>().ok().map(|id| (id.step, id.index)), expect, "{text:?}");
        };
        check("12.0", Some((12, 0)));
        check("12", Some((12, u32::MAX)));
        for bad in ["", ".", "12.", ".1", "-1", "1.4294967295", "+1", "1.2.3", "9999999999999999"] {
            check(bad, None);
        }
        assert_eq!(EventId { step: 3, index: 4 }.to_string(), "3.4");
        assert_eq!(EventId::behind(3).to_string(), "3");
    }
}
