//! Spans as an operator writes them: `400d`, `12h`, `30m`, `10s`, `250ms`.
//!
//! What: one number and one unit. Absent: sums such as `1h30m`, months and years.

use eaf_model::Span;
use serde::{Deserialize, Deserializer, Serializer};

const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

pub(super) fn parse(text: &str) -> Option<Span> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (_, ms) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(*ms).map(Span)
}

fn show(span: Span) -> String {
    let (unit, ms) = UNITS.iter().rev().find(|(_, ms)| span.0.is_multiple_of(*ms)).unwrap_or(&UNITS[0]);
    format!("{}{unit}", span.0 / ms)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| {
        serde::de::Error::custom(format!("{text:?} is not a duration; write one such as 400d, 12h, 30m, 10s or 250ms"))
    })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(super) fn serialize<S: Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&show(*span))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_back_what_they_show() {
        let check = |text: &str, expect: Option<u64>| assert_eq!(parse(text), expect.map(Span), "{text:?}");
        check("400d", Some(400 * 86_400_000));
        check("12h", Some(43_200_000));
        check("250ms", Some(250));
        check("0s", Some(0));
        for bad in ["", "12", "d", "-1d", "1h30m", "1.5h", "99999999999999999999d", "999999999999999d", "1 d"] {
            check(bad, None);
        }
        for span in [0, 250, 1_000, 90_000, 86_400_000] {
            assert_eq!(parse(&show(Span(span))), Some(Span(span)));
        }
    }
}
