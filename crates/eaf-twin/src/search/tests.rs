//! The search finds what is planted, and nothing where nothing is.
//!
//! What: nine bugs, each found within a thousand seeds; seeds that are clean; a coverage that misses nothing. Why unit
//! tests: a bug can be planted where tests are compiled, and nowhere else. Absent: long searches; `eaf twin search` has them.

#![expect(clippy::print_stdout, reason = "whoever runs it by hand sees what was found")]

use super::*;
use crate::script::parse;
use crate::world::Planted;

/// Plants a bug, and gives the failure that finds it, shrunk.
fn found(bug: Planted) -> Failure {
    let failure = (0..1_000).find_map(|seed| try_with(seed, Plant::with(bug)).err());
    let failure = failure.unwrap_or_else(|| panic!("{bug:?} is not found within 1,000 seeds"));
    let small = shrink::shrink_with(&failure, Plant::with(bug));
    println!("{bug:?}: seed {}, {} operations shrunk to\n{}", failure.seed, failure.ops.len(), small.script());
    assert!(
        replay(&small.ops, Watch { pace: 1, log: false, plant: Plant::default() }).is_none(),
        "it is the bug's alone"
    );
    let read: Vec<Op> =
        parse(&small.script()).expect("a failure is a script").into_iter().map(|line| line.op).collect();
    assert_eq!(read, small.ops);
    small
}

#[test]
fn a_lease_that_is_not_fenced_is_found() {
    found(Planted::LeaseNotFenced);
}

#[test]
fn an_effect_that_is_lost_at_a_crash_is_found() {
    found(Planted::EffectLost);
}

#[test]
fn a_gang_that_starts_in_part_is_found() {
    found(Planted::GangInPart);
}

#[test]
fn a_victim_that_could_be_spared_is_found() {
    found(Planted::OneVictimTooMany);
}

#[test]
fn a_reservation_that_is_broken_is_found() {
    found(Planted::WindowForgotten);
}

#[test]
fn a_gang_below_its_minimum_is_found() {
    found(Planted::MinimumForgotten);
}

#[test]
fn a_journal_tail_that_is_not_synced_is_found() {
    found(Planted::TailNotSynced);
}

#[test]
fn a_slice_that_is_booked_twice_is_found() {
    found(Planted::SliceTwice);
}

#[test]
fn a_mode_that_changes_under_a_tenant_is_found() {
    found(Planted::ModeUnderTenant);
}

#[test]
fn seeds_are_clean_and_meet_everything() {
    let mut tally = Tally::default();
    for seed in 0..400 {
        tally.add(&try_seed(seed).unwrap_or_else(|failure| panic!("{}", shrink(&failure).script())));
    }
    let missing = tally.coverage.missing();
    assert!(missing.is_empty(), "never met: {missing:?}");
}

#[test]
fn a_seed_is_the_same_story_every_time() {
    let (first, second) = (tell_seed(7), tell_seed(7));
    assert!(first.1.is_none() && first.0 == second.0 && first.0.len() > 200);
}
