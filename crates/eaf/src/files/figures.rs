//! Figures as people write them in files and flags.
//!
//! What: spans (`90s`, `1h30m`), instants, bytes (`512MiB`, `1.5GiB`), CPU threads (`1.5`) and shares (`0.25`) as units of the
//! model. Why a number without a unit is refused for spans and bytes: nobody agrees on which one is meant. Absent:
//! floats; decimals are read digit by digit, so nothing is rounded.

use crate::say::Say;
use eaf_model::{Bytes, CpuMilli, GpuMilli, Span, Time};

/// What is wrong with a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FigureProblem {
    /// It is no number.
    NotANumber,
    /// It is below zero.
    Negative,
    /// It has no unit.
    NoUnit,
    /// Its unit is not known.
    UnknownUnit(String),
    /// It does not fit.
    TooLarge,
    /// It has more decimals than are kept.
    TooFine,
}

impl FigureProblem {
    /// What is wrong, to be put behind the name of the field; `example` would pass.
    pub(crate) fn say(&self, example: &'static str) -> Say {
        let say = match self {
            Self::NotANumber => Say::new("figure-not-a-number"),
            Self::Negative => Say::new("figure-negative"),
            Self::NoUnit => Say::new("figure-no-unit"),
            Self::UnknownUnit(unit) => Say::new("figure-unknown-unit").with("unit", unit),
            Self::TooLarge => Say::new("figure-too-large"),
            Self::TooFine => Say::new("figure-too-fine"),
        };
        say.with("example", example)
    }
}

/// A decimal at the head of a text: digits, the number of decimals, and what follows.
struct Decimal<'a> {
    digits: u128,
    decimals: u32,
    rest: &'a str,
}

fn decimal(text: &str) -> Result<Decimal<'_>, FigureProblem> {
    if text.starts_with('-') {
        return Err(FigureProblem::Negative);
    }
    let (mut digits, mut decimals, mut seen, mut point) = (0u128, 0u32, false, false);
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        match c.to_digit(10) {
            Some(digit) => {
                digits =
                    digits.checked_mul(10).and_then(|d| d.checked_add(digit.into())).ok_or(FigureProblem::TooLarge)?;
                decimals += u32::from(point);
                seen = true;
            }
            None if c == '.' && !point && seen => point = true,
            None => {
                end = at;
                break;
            }
        }
    }
    if !seen || (point && decimals == 0) {
        return Err(FigureProblem::NotANumber);
    }
    Ok(Decimal { digits, decimals, rest: text[end..].trim_start() })
}

/// `decimal` in units of which `scale` make one, where that is a whole number.
fn scaled(decimal: &Decimal<'_>, scale: u128) -> Result<u64, FigureProblem> {
    let product = decimal.digits.checked_mul(scale).ok_or(FigureProblem::TooLarge)?;
    let per = 10u128.checked_pow(decimal.decimals).ok_or(FigureProblem::TooFine)?;
    if !product.is_multiple_of(per) {
        return Err(FigureProblem::TooFine);
    }
    u64::try_from(product / per).map_err(|_| FigureProblem::TooLarge)
}

fn thousandths(text: &str) -> Result<u64, FigureProblem> {
    let decimal = decimal(text.trim())?;
    if !decimal.rest.is_empty() {
        return Err(FigureProblem::NotANumber);
    }
    scaled(&decimal, 1_000)
}

/// CPU threads: `2`, `1.5`.
pub(crate) fn parse_cpu(text: &str) -> Result<CpuMilli, FigureProblem> {
    thousandths(text).map(CpuMilli)
}

/// A share of an accelerator: `1`, `0.25`.
pub(crate) fn parse_share(text: &str) -> Result<GpuMilli, FigureProblem> {
    thousandths(text).map(GpuMilli)
}

/// Bytes: `512MiB`, `1.5GiB`, `2GB` (decimal), `300K` (as in Slurm, binary). A part of a byte is refused.
pub(crate) fn parse_bytes(text: &str) -> Result<Bytes, FigureProblem> {
    let decimal = decimal(text.trim())?;
    let scale: u128 = match decimal.rest.to_ascii_lowercase().as_str() {
        "" => return Err(FigureProblem::NoUnit),
        "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        "t" | "tib" => 1 << 40,
        "p" | "pib" => 1 << 50,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return Err(FigureProblem::UnknownUnit(decimal.rest.chars().take(20).collect())),
    };
    scaled(&decimal, scale).map(Bytes)
}

/// An instant as a date, a time and an offset: `2026-10-20T09:00:00+09:00`.
pub(crate) fn parse_instant(text: &str) -> Option<Time> {
    let read: Option<jiff::Timestamp> = text.parse().ok();
    read.map(|at| Time(at.as_millisecond()))
}

/// A span: `250ms`, `90s`, `1h30m`, `2d`. Each unit once, the largest first.
pub(crate) fn parse_span(text: &str) -> Result<Span, FigureProblem> {
    let mut rest = text.trim();
    let (mut total, mut last_scale) = (0u64, u128::MAX);
    if rest.is_empty() {
        return Err(FigureProblem::NotANumber);
    }
    while !rest.is_empty() {
        let number = decimal(rest)?;
        let end = number.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(number.rest.len());
        let (unit, behind) = number.rest.split_at(end);
        let scale: u128 = match unit {
            "" => return Err(FigureProblem::NoUnit),
            "ms" => 1,
            "s" | "sec" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return Err(FigureProblem::UnknownUnit(unit.chars().take(20).collect())),
        };
        if scale >= last_scale {
            return Err(FigureProblem::NotANumber);
        }
        last_scale = scale;
        total = total.checked_add(scaled(&number, scale)?).ok_or(FigureProblem::TooLarge)?;
        rest = behind.trim_start();
    }
    Ok(Span(total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use FigureProblem::{Negative, NoUnit, NotANumber, TooFine, TooLarge, UnknownUnit};
    use eaf_api::messages;
    use proptest::prelude::*;

    #[test]
    fn spans_as_people_write_them() {
        let check = |text: &str, expect: Result<u64, FigureProblem>| {
            assert_eq!(parse_span(text).map(|span| span.0), expect, "{text:?}");
        };
        check("90s", Ok(90_000));
        check("1h30m", Ok(5_400_000));
        check("1h 30m", Ok(5_400_000));
        check("1.5h", Ok(5_400_000));
        check("250ms", Ok(250));
        check("2d", Ok(172_800_000));
        check("0s", Ok(0));
        check("90", Err(NoUnit));
        check("30m1h", Err(NotANumber));
        check("1h1h", Err(NotANumber));
        check("", Err(NotANumber));
        check("soon", Err(NotANumber));
        check("-5s", Err(Negative));
        check("5 fortnights", Err(UnknownUnit("fortnights".into())));
        check("99999999999999999999999w", Err(TooLarge));
        check("0.5ms", Err(TooFine));
    }

    #[test]
    fn bytes_as_people_write_them() {
        let check = |text: &str, expect: Result<u64, FigureProblem>| {
            assert_eq!(parse_bytes(text).map(|bytes| bytes.0), expect, "{text:?}");
        };
        check("512MiB", Ok(512 << 20));
        check("512 MiB", Ok(512 << 20));
        check("1.5GiB", Ok(3 << 29));
        check("2GB", Ok(2_000_000_000));
        check("300k", Ok(300 << 10));
        check("17B", Ok(17));
        check("512", Err(NoUnit));
        check("0.3B", Err(TooFine));
        check("1.GiB", Err(NotANumber));
        check("GiB", Err(NotANumber));
        check("1e3MiB", Err(UnknownUnit("e3MiB".into())));
        check("20000000TiB", Err(TooLarge));
    }

    #[test]
    fn threads_and_shares() {
        let check = |text: &str, expect: Result<u64, FigureProblem>| {
            assert_eq!(parse_cpu(text).map(|cpu| cpu.0), expect, "{text:?}");
            assert_eq!(parse_share(text).map(|share| share.0), expect, "{text:?}");
        };
        check("2", Ok(2_000));
        check("1.5", Ok(1_500));
        check("0.25", Ok(250));
        check("0.0005", Err(TooFine));
        check("two", Err(NotANumber));
        check("1.5 CPU", Err(NotANumber));
        check("-1", Err(Negative));
        check("NaN", Err(NotANumber));
    }

    proptest! {
        #[test]
        fn what_is_shown_of_bytes_and_threads_reads_back(value in 0u64..1 << 50) {
            prop_assert_eq!(parse_cpu(&messages::cpu(CpuMilli(value))), Ok(CpuMilli(value)));
            let whole = value >> 20 << 20;
            prop_assert_eq!(parse_bytes(&format!("{}MiB", value >> 20)), Ok(Bytes(whole)));
        }

        #[test]
        fn what_is_shown_of_spans_reads_back_no_larger(value in 0u64..1 << 45) {
            let read = parse_span(&messages::span(Span(value)))?;
            prop_assert!(read.0 <= value && value - read.0 < 3_600_000);
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,40}") {
            let _ = (parse_span(&text), parse_bytes(&text), parse_cpu(&text));
        }
    }

    impl From<FigureProblem> for TestCaseError {
        fn from(problem: FigureProblem) -> Self {
            Self::fail(format!("{problem:?}"))
        }
    }
}
