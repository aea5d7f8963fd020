//! Grid: how much carbon a kWh brought while an attempt ran.
//!
//! What: the hours of an attempt, summed by the cell (local month and hour of the day) of the profile.
//! Bound: 9,000 steps a bill. An attempt of up to 9,000 hours is exact to the millisecond; a longer one is looked at every
//! 25th hour, or 49th, and so on, which still visits every hour of the day alike.
//! Absent: time zones with summer time; the profile states its offset from UTC.

use crate::arithmetic::{product, ratio, to_u64};
use eaf_model::{CarbonProfile, CarbonSegment, MicroGramsCo2, MilliJoules, Span, Time};
use std::collections::BTreeMap;

const HOUR_MS: i128 = 3_600_000;
const HOURS_OF_DAY: i128 = 24;
const CELLS: usize = 12 * 24;
/// The most steps that one bill takes.
const STEPS_MAX: i128 = 9_000;

/// The intensities between two instants (at least a millisecond), rising; empty where the profile is unknown.
pub(crate) fn segments(profile: &CarbonProfile, from: Time, to: Time) -> Vec<CarbonSegment> {
    if profile.milligrams_per_kwh.len() != CELLS {
        return Vec::new();
    }
    let offset = i128::from(profile.utc_offset_minutes) * 60_000;
    let (from, to) = (i128::from(from.0), i128::from(to.0).max(i128::from(from.0) + 1));
    let hours = (to - from) / HOUR_MS + 2;
    let days_between = if hours <= STEPS_MAX { 0 } else { hours.div_euclid(STEPS_MAX * HOURS_OF_DAY) + 1 };
    let step_hours = 1 + HOURS_OF_DAY * days_between;
    let mut spans = BTreeMap::<u32, Span>::new();
    let mut at = from;
    while at < to {
        let hour = (at + offset).div_euclid(HOUR_MS);
        let next = ((hour + step_hours) * HOUR_MS - offset).min(to);
        let sum = spans.entry(profile.milligrams_per_kwh[cell(hour)]).or_default();
        *sum = sum.saturating_add(Span(to_u64(next - at)));
        at = next;
    }
    spans.into_iter().map(CarbonSegment::from).collect()
}

/// The carbon of energy that was drawn evenly over the segments; `None` where there are none, unless nothing was drawn.
pub(crate) fn carbon(energy: MilliJoules, segments: &[CarbonSegment]) -> Option<MicroGramsCo2> {
    if energy.is_zero() {
        return Some(MicroGramsCo2::ZERO);
    }
    let weighted = segments
        .iter()
        .fold(0_i128, |sum, segment| sum.saturating_add(product(segment.milligrams_per_kwh.into(), segment.span.0)));
    let total: i128 = segments.iter().map(|segment| i128::from(segment.span.0)).sum();
    // A kWh is 3,600,000,000 mJ and a milligram is 1,000 micrograms.
    (total > 0).then(|| MicroGramsCo2(to_u64(ratio(energy.0.into(), weighted, total.saturating_mul(3_600_000)))))
}

/// The cell of the profile that a local hour, counted from 1970, is in.
fn cell(hour: i128) -> usize {
    let month = month_of_day(hour.div_euclid(HOURS_OF_DAY));
    usize::try_from(month * HOURS_OF_DAY + hour.rem_euclid(HOURS_OF_DAY)).expect("a month and an hour are small")
}

/// The month, from 0, of a day counted from 1970-01-01 in the proleptic Gregorian calendar.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn month_of_day(day: i128) -> i128 {
    let day_of_era = (day + 719_468).rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    (month_from_march + 2) % 12
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_fall_into_their_months() {
        let check = |day, month| assert_eq!(month_of_day(day), month, "day {day}");
        check(0, 0);
        check(30, 0);
        check(31, 1);
        check(-1, 11);
        // 2024-02-29, 2024-03-01, 2026-11-23.
        check(19_782, 1);
        check(19_783, 2);
        check(20_780, 10);
    }
}
