//! Figures of a script: spans, sizes, thousandths.
//!
//! What: each prints in one way, and reads back. Absent: rounding; what cannot be kept whole is not a figure.

use eaf_model::{Bytes, Span};

const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A span, as in a script: `1h30m`, `250ms`.
pub fn span_text(span: Span) -> String {
    if span.0 == 0 {
        return "0s".to_owned();
    }
    let (mut left, mut text) = (span.0, String::new());
    for (unit, ms) in UNITS {
        if left >= ms {
            text += &(left / ms).to_string();
            text += unit;
            left %= ms;
        }
    }
    text
}

/// Reads a span.
pub(super) fn span(text: &str) -> Option<Span> {
    let (mut rest, mut total) = (text, 0u64);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
        let letters = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| digits + at);
        let (_, ms) = UNITS.iter().find(|(unit, _)| *unit == &rest[digits..letters])?;
        total = total.checked_add(rest[..digits].parse::<u64>().ok()?.checked_mul(*ms)?)?;
        rest = &rest[letters..];
    }
    (!text.is_empty()).then_some(Span(total))
}

/// Thousandths as a decimal: `4`, `0.25`.
pub(crate) fn milli_text(milli: u64) -> String {
    let text = format!("{}.{:03}", milli / 1_000, milli % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Reads a decimal of at most three places into thousandths.
pub(super) fn milli(text: &str) -> Option<u64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || part.len() > 3 || !digits(whole) || !digits(part) || text.ends_with('.') {
        return None;
    }
    let part: u64 = if part.is_empty() { 0 } else { format!("{part:0<3}").parse().ok()? };
    whole.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(part)
}

/// A size in its largest whole unit: `64 GiB`.
pub(super) fn bytes_text(bytes: Bytes) -> String {
    let sizes = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
    let whole = sizes.iter().find(|(_, shift)| bytes.0 > 0 && bytes.0.trailing_zeros() >= *shift);
    whole.map_or_else(|| format!("{} B", bytes.0), |(unit, shift)| format!("{} {unit}", bytes.0 >> shift))
}

/// Reads a size from its number and its unit.
pub(super) fn bytes(number: &str, unit: &str) -> Option<Bytes> {
    let shift = match unit {
        "TiB" => 40,
        "GiB" => 30,
        "MiB" => 20,
        "KiB" => 10,
        "B" => 0,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift).map(Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_back_what_they_show() {
        let check = |text: &str, ms, shown: &str| {
            assert_eq!(span(text), Some(Span(ms)), "{text}");
            assert_eq!(span_text(Span(ms)), shown);
        };
        check("90s", 90_000, "1m30s");
        check("1h30m", 5_400_000, "1h30m");
        check("250ms", 250, "250ms");
        check("0s", 0, "0s");
        for bad in ["", "5", "s", "5x", "5m3", "99999999999999999999d"] {
            assert_eq!(span(bad), None, "{bad}");
        }
        for (text, value) in [("4", 4_000), ("0.25", 250), ("1.5", 1_500)] {
            assert_eq!((milli(text), milli_text(value)), (Some(value), text.to_owned()));
        }
        for bad in ["", ".5", "1.", "1.0005", "-1", "x"] {
            assert_eq!(milli(bad), None, "{bad}");
        }
        for (size, text) in [(Bytes(64 << 30), "64 GiB"), (Bytes(1_536 << 20), "1536 MiB"), (Bytes(7), "7 B")] {
            let (number, unit) = text.split_once(' ').unwrap();
            assert_eq!((bytes_text(size), bytes(number, unit)), (text.to_owned(), Some(size)));
        }
    }
}
