//! Figures as people write them, the same in both languages.
//!
//! What: bytes, CPU threads, spans, instants and signal names as text. Why they do not depend on the language: `1h30m`
//! and `512 MiB` are what workload files take, and what is shown can be copied into one. Absent: rounding up a promise;
//! every figure is cut, never raised, except where it says so.

use eaf_model::{Bytes, CpuMilli, Span, Time};

/// Bytes in the largest binary unit that keeps at most one decimal: `512 MiB`, `1.5 GiB`, `17 B`.
pub fn bytes(value: Bytes) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut unit = 0;
    while unit + 1 < UNITS.len() && value.0 >> (10 * (unit + 1)) > 0 {
        unit += 1;
    }
    let scale = 1u64 << (10 * unit);
    let (whole, tenth) = (value.0 / scale, u128::from(value.0 % scale) * 10 / u128::from(scale));
    if tenth == 0 { format!("{whole} {}", UNITS[unit]) } else { format!("{whole}.{tenth} {}", UNITS[unit]) }
}

/// CPU threads: `2`, `0.5`, `1.125`.
pub fn cpu(value: CpuMilli) -> String {
    let (whole, rest) = (value.0 / 1_000, value.0 % 1_000);
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:03}").trim_end_matches('0').to_owned() }
}

/// A span in its two largest units: `350ms`, `1.2s`, `42s`, `1h30m`, `3d4h`.
pub fn span(value: Span) -> String {
    let seconds = value.0 / 1_000;
    let pair = |large: u64, large_unit: &str, small: u64, small_unit: &str| {
        if small == 0 { format!("{large}{large_unit}") } else { format!("{large}{large_unit}{small}{small_unit}") }
    };
    match seconds {
        0 if value.0 == 0 => "0s".to_owned(),
        0 => format!("{}ms", value.0),
        1..10 => {
            let tenth = value.0 % 1_000 / 100;
            if tenth == 0 { format!("{seconds}s") } else { format!("{seconds}.{tenth}s") }
        }
        10..60 => format!("{seconds}s"),
        60..3_600 => pair(seconds / 60, "m", seconds % 60, "s"),
        3_600..86_400 => pair(seconds / 3_600, "h", seconds % 3_600 / 60, "m"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// An instant in UTC, to the second: `2026-11-23 14:05:09Z`.
pub fn instant(value: Time) -> String {
    // The civil date from days since 1970, after Hinnant's `civil_from_days`; dates only, so no time zones are needed.
    let seconds = value.0.div_euclid(1_000);
    let (days, of_day) = (seconds.div_euclid(86_400) + 719_468, seconds.rem_euclid(86_400));
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
}

/// The name of a signal: `TERM` for 15; the number itself where it has no name that everyone knows.
pub fn signal_name(signal: i32) -> String {
    let name = match signal {
        1 => "HUP",
        2 => "INT",
        3 => "QUIT",
        4 => "ILL",
        5 => "TRAP",
        6 => "ABRT",
        7 => "BUS",
        8 => "FPE",
        9 => "KILL",
        10 => "USR1",
        11 => "SEGV",
        12 => "USR2",
        13 => "PIPE",
        14 => "ALRM",
        15 => "TERM",
        24 => "XCPU",
        25 => "XFSZ",
        31 => "SYS",
        _ => return signal.to_string(),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_cut_to_one_decimal() {
        let check = |value, expect: &str| assert_eq!(bytes(Bytes(value)), expect);
        check(0, "0 B");
        check(1_023, "1023 B");
        check(512 << 20, "512 MiB");
        check(3 << 29, "1.5 GiB");
        check((1 << 30) - 1, "1023.9 MiB");
        check(u64::MAX, "15.9 EiB");
    }

    #[test]
    fn threads_keep_what_matters() {
        let check = |value, expect: &str| assert_eq!(cpu(CpuMilli(value)), expect);
        check(0, "0");
        check(2_000, "2");
        check(500, "0.5");
        check(1_125, "1.125");
        check(10, "0.01");
    }

    #[test]
    fn spans_show_two_units() {
        let check = |ms, expect: &str| assert_eq!(span(Span(ms)), expect);
        check(0, "0s");
        check(7, "7ms");
        check(1_000, "1s");
        check(1_290, "1.2s");
        check(59_999, "59s");
        check(90_000, "1m30s");
        check(5_400_000, "1h30m");
        check(7_200_000, "2h");
        check(273_600_000, "3d4h");
    }

    #[test]
    fn instants_are_civil_dates() {
        let check = |ms, expect: &str| assert_eq!(instant(Time(ms)), expect);
        check(0, "1970-01-01 00:00:00Z");
        check(951_782_400_000, "2000-02-29 00:00:00Z");
        check(1_795_528_709_999, "2026-11-24 13:58:29Z");
        check(-1, "1969-12-31 23:59:59Z");
    }
}
