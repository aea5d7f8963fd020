//! Estimated starts held against what happened: exact where everything is known, and better with what was learned.

use super::{fleet, job, options};
use eaf_twin::fleet::EqualNodes;
use eaf_twin::replay::{EstimateScore, Options, WallTimes, replay};
use eaf_twin::trace::{Job, PHILLY_NODE_SHARES, philly_jobs};

fn score(nodes: &[eaf_model::NodeSpec], jobs: Vec<Job>, wall_times: WallTimes, sample: u64) -> EstimateScore {
    let options = Options { wall_times, estimates: Some((sample, jobs.len() as u64)), ..options() };
    let outcome = replay(nodes, jobs.into_iter(), &options, &mut |_| {}).expect("the replay ends");
    outcome.summary.estimates.expect("it was asked for")
}

#[test]
fn where_all_is_known_the_estimate_is_the_start() {
    // One after the other on the whole fleet; the first starts at once and is not counted.
    let jobs = (0..6).map(|at| job(at, at * 10, 1, 8, 1_000 + at)).collect();
    let score = score(&fleet("1x8"), jobs, WallTimes::Exact, 6);
    assert_eq!((score.asked, score.started_at_once), (6, 1));
    let all = &score.by_size[0];
    assert_eq!((all.accelerators, all.waited, all.learned.unanswered), ("all", 5, 0));
    // Wall times are told rounded up to the next second: that is one for each of the five before the last.
    for error in [all.learned.p90_error_s, all.wall_times.p90_error_s] {
        assert!(error <= 5.0, "off by {error} s");
    }
    assert!((all.learned.by_p90_share - 1.0).abs() < 1e-9 && (2_900.0..3_100.0).contains(&all.p50_wait_s), "{all:?}");
}

#[test]
fn estimates_improve_with_what_was_learned_of_wall_times() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/traces/philly/philly_2k.csv");
    let text = std::fs::read(path).expect("the trace");
    let jobs: Vec<Job> = philly_jobs(&text[..], 8).expect("a trace").jobs.into_iter().take(500).collect();
    let nodes = "4x8".parse::<EqualNodes>().expect("a fleet").specs(PHILLY_NODE_SHARES);
    let score = score(&nodes, jobs, WallTimes::Overstated { least_used_milli: 100 }, 50);
    let all = &score.by_size[0];
    assert!(all.waited >= 25, "too few waited: {all:?}");
    let (learned, walls) = (all.learned.p50_error_s, all.wall_times.p50_error_s);
    assert!(learned * 2.0 < walls, "learned {learned} s, by wall times {walls} s");
    assert!(score.by_size.len() > 2, "by size as well: {score:?}");
}
