//! What was learned of how far requested wall times overstate.
//!
//! What: a histogram of ran-per-requested in powers of two, apart for each decade of the wall time and for work that
//! named none; a bin keeps its mean. Why so coarse: it is bounded for ever, it is integers, and the spread within a
//! decade is far wider than a bin. Why it forgets: at `ROW_MAX` a row counts half, so that new habits are seen.
//! Absent: who asked; and a guess where little was seen, which is the wall time itself.

use eaf_model::{Ran, Span, mul_div};
use imbl::OrdMap;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// The most attempts that a row counts; it is halved when it has so many.
pub(crate) const ROW_MAX: u32 = 4_096;
/// The fewest attempts from which anything is concluded.
const SEEN_MIN: u32 = 8;
/// A whole, in parts of a wall time.
const WHOLE: u64 = 1_000_000_000;
/// All that may be, in parts of likelihood.
pub(crate) const LIKELY: u64 = 1 << 32;
/// The last bin: everything that ran for less than a two-thousand-millionth of its wall time.
const BIN_LAST: u8 = 31;
/// The row of work that named no wall time.
const UNSTATED: u8 = 15;
/// How many rows there are.
pub(crate) const ROWS: u8 = UNSTATED + 1;

/// How far wall times overstate. A clone is O(1).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<LearnedBin>", into = "Vec<LearnedBin>")]
pub struct Learned {
    /// By decade of the wall time and power of two of the overstatement: how many, and the sum of their parts.
    bins: OrdMap<(u8, u8), (u32, u64)>,
}

/// One bin, as a snapshot holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearnedBin {
    /// The decade of the wall time in seconds (0 for less than ten), or 15 where none was named.
    pub decade: u8,
    /// The overstatement: it ran for at most one part in two to the power of this, and more than half of that.
    pub halvings: u8,
    /// How many attempts.
    pub attempts: u32,
    /// The sum of what they ran, in billionths of their wall times.
    pub billionths: u64,
}

impl From<Vec<LearnedBin>> for Learned {
    fn from(bins: Vec<LearnedBin>) -> Self {
        let bins = bins.into_iter().map(|bin| ((bin.decade, bin.halvings), (bin.attempts, bin.billionths)));
        Self { bins: bins.collect() }
    }
}

impl From<Learned> for Vec<LearnedBin> {
    fn from(learned: Learned) -> Self {
        learned.bins().collect()
    }
}

/// The row of a wall time.
pub(crate) fn row_of(wall: Span, stated: bool) -> u8 {
    let digits = (wall.0 / 1_000).max(1).ilog10();
    if stated { u8::try_from(digits).unwrap_or(UNSTATED).min(UNSTATED - 1) } else { UNSTATED }
}

/// So much of a wall time, in billionths.
pub(crate) fn part_of(time: Span, wall: Span) -> u64 {
    let part = u128::from(time.0) * u128::from(WHOLE) / u128::from(wall.0.max(1));
    u64::try_from(part).unwrap_or(WHOLE).min(WHOLE)
}

/// So many billionths of a wall time.
pub(crate) fn time_of(part: u64, wall: Span) -> Span {
    let time = mul_div(wall.0.into(), part.into(), WHOLE.into()).and_then(|ms| u64::try_from(ms).ok());
    Span(time.unwrap_or(wall.0).clamp(1, wall.0.max(1)))
}

impl Learned {
    /// True where no attempt was learned from.
    pub fn is_empty(&self) -> bool {
        self.bins.is_empty()
    }

    /// Every bin, by decade and halvings.
    pub fn bins(&self) -> impl Iterator<Item = LearnedBin> {
        self.bins.iter().map(|(&(decade, halvings), &(attempts, billionths))| LearnedBin {
            decade,
            halvings,
            attempts,
            billionths,
        })
    }

    /// Takes in one attempt.
    pub(crate) fn learn(&mut self, ran: &Ran) {
        let (time, wall) = (ran.time.0.clamp(1, ran.wall.0.max(1)), ran.wall.0.max(1));
        let halvings = (wall / time).ilog2();
        let bin = u8::try_from(halvings).unwrap_or(BIN_LAST).min(BIN_LAST);
        let row = row_of(ran.wall, ran.stated);
        let (attempts, billionths) = self.bins.entry((row, bin)).or_default();
        *attempts += 1;
        *billionths += part_of(Span(time), Span(wall)).max(1);
        if self.seen(row) >= ROW_MAX {
            self.halve(row);
        }
    }

    fn row(&self, row: u8) -> impl DoubleEndedIterator<Item = (u8, u32, u64)> {
        self.bins.range((row, 0)..=(row, BIN_LAST)).map(|(&(_, bin), &(count, sum))| (bin, count, sum))
    }

    fn seen(&self, row: u8) -> u32 {
        self.row(row).map(|(_, count, _)| count).sum()
    }

    fn halve(&mut self, row: u8) {
        let bins: Vec<(u8, u32, u64)> = self.row(row).collect();
        for (bin, count, sum) in bins {
            let half = count / 2;
            if half == 0 {
                self.bins.remove(&(row, bin));
            } else {
                self.bins.insert((row, bin), (half, sum / u64::from(count) * u64::from(half)));
            }
        }
    }

    /// Which parts of their wall time work of a row runs, rising, each with its likelihood in parts of `LIKELY`: from its
    /// own row, or from all of them where that has seen too little; empty where all of them have.
    ///
    /// `running` is what runs now, by row and the part that it has run so far. It counts as well, as work that runs for
    /// longer than that (Kaplan and Meier, 1958): what has ended so far was the shorter part of what began.
    pub(crate) fn parts(&self, row: u8, running: &[(u8, u64)]) -> Vec<(u64, u64)> {
        let own = self.seen(row) >= SEEN_MIN;
        let mean = |count: u32, sum: u64| (sum / u64::from(count), u64::from(count));
        let mut ended: Vec<(u64, u64)> = if own {
            self.row(row).map(|(_, count, sum)| mean(count, sum)).collect()
        } else {
            self.bins.values().map(|(count, sum)| mean(*count, *sum)).collect()
        };
        let mut at_risk = ended.iter().map(|(_, count)| count).sum::<u64>();
        if at_risk < u64::from(SEEN_MIN) {
            return Vec::new();
        }
        ended.sort_unstable();
        let mut running: Vec<u64> =
            running.iter().filter(|(of, _)| !own || *of == row).map(|(_, part)| *part).collect();
        running.sort_unstable_by_key(|part| Reverse(*part));
        at_risk += running.len() as u64;
        let mut left = LIKELY;
        let mut parts = Vec::with_capacity(ended.len() + 1);
        for (part, count) in ended {
            while running.pop_if(|so_far| *so_far < part).is_some() {
                at_risk -= 1;
            }
            let likely = left * count / at_risk;
            parts.push((part, likely));
            left -= likely;
            at_risk -= count;
        }
        if left > 0 {
            parts.push((WHOLE, left));
        }
        parts
    }

    /// How many attempts anything would be concluded from; 0 where these are too few.
    pub(crate) fn attempts(&self) -> u64 {
        let all = self.bins.values().map(|(count, _)| u64::from(*count)).sum();
        if all < u64::from(SEEN_MIN) { 0 } else { all }
    }

    /// Every bin has something in it, its mean lies in its power of two, and no row counts too many.
    pub(crate) fn is_sound(&self) -> bool {
        let lies = |bin: LearnedBin| {
            let mean = bin.billionths.checked_div(u64::from(bin.attempts));
            let most = WHOLE >> bin.halvings;
            let least = if bin.halvings == BIN_LAST { 0 } else { most / 2 };
            mean.is_some_and(|mean| mean >= 1 && mean <= most.max(1) && mean >= least)
        };
        self.bins().all(lies) && (0..ROWS).all(|row| self.seen(row) < ROW_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(time: u64, wall: u64) -> Ran {
        Ran { time: Span::from_secs(time), wall: Span::from_secs(wall), stated: true }
    }

    /// Compares the seconds that work of a wall time runs, each with its likelihood in hundredths.
    fn check(learned: &Learned, wall: u64, running: &[(u8, u64)], expect: &[(u64, u64)]) {
        let wall = Span::from_secs(wall);
        let parts = learned.parts(row_of(wall, true), running);
        let shown =
            |(part, likely): (u64, u64)| (time_of(part, wall).0.div_ceil(1_000), (likely * 100 + LIKELY / 2) / LIKELY);
        assert_eq!(parts.into_iter().map(shown).collect::<Vec<_>>(), expect, "{learned:?}");
        assert!(learned.is_sound(), "{learned:?}");
    }

    #[test]
    fn nothing_is_concluded_from_little_and_like_work_is_asked_first() {
        let mut learned = Learned::default();
        (0..7).for_each(|_| learned.learn(&ran(300, 3_600)));
        check(&learned, 3_600, &[], &[]);
        learned.learn(&ran(300, 3_600));
        check(&learned, 3_600, &[], &[(300, 100)]);
        // Of another decade nothing is known: all that is known will do.
        check(&learned, 36_000, &[], &[(3_000, 100)]);
        (0..8).for_each(|_| learned.learn(&ran(36_000, 36_000)));
        check(&learned, 36_000, &[], &[(36_000, 100)]);
        check(&learned, 3_600, &[], &[(300, 100)]);
    }

    #[test]
    fn what_runs_for_longer_than_what_has_ended_counts_too() {
        let mut learned = Learned::default();
        (0..8).for_each(|_| learned.learn(&ran(100, 1_000)));
        let half = part_of(Span::from_secs(500), Span::from_secs(1_000));
        // Eight of sixteen went on for longer than the eight that have ended.
        check(&learned, 1_000, &[(3, half); 8], &[(100, 50), (1_000, 50)]);
        // What has only begun says nothing, and neither does other work.
        check(&learned, 1_000, &[(3, 1); 8], &[(100, 100)]);
        check(&learned, 1_000, &[(4, half); 8], &[(100, 100)]);
        (0..8).for_each(|_| learned.learn(&ran(800, 1_000)));
        check(&learned, 1_000, &[(3, half); 8], &[(100, 33), (800, 67)]);
    }

    #[test]
    fn the_shortest_and_the_longest_have_a_place() {
        let mut learned = Learned::default();
        let year = Span(366 * 86_400_000);
        for time in [0, 1, 1_000, year.0, year.0 * 2] {
            learned.learn(&Ran { time: Span(time), wall: year, stated: false });
        }
        learned.learn(&Ran { time: Span::ZERO, wall: Span::ZERO, stated: true });
        learned.learn(&Ran { time: Span(u64::MAX), wall: Span(u64::MAX), stated: true });
        assert!(learned.is_sound() && learned.attempts() == 0, "{learned:?}");
    }

    #[test]
    fn old_habits_count_half_and_a_snapshot_keeps_everything() {
        let mut learned = Learned::default();
        (0..10_000).for_each(|_| learned.learn(&ran(1_000, 9_000)));
        (0..2_048).for_each(|_| learned.learn(&ran(9_000, 9_000)));
        let seen = learned.parts(row_of(Span::from_secs(9_000), true), &[]);
        assert!(learned.is_sound() && seen.len() == 2 && seen[1].1 >= seen[0].1 / 2, "{seen:?}");
        let again = Learned::from(Vec::from(learned.clone()));
        assert_eq!(again, learned);
    }
}
