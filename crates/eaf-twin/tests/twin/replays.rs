//! Replays: waits and shares that can be reckoned by hand, digests, and what is left out.

use super::{fleet, job, options};
use eaf_model::{AcceleratorPower, Watts};
use eaf_twin::replay::{Outcome, WallTimes, replay};
use eaf_twin::trace::{DropReason, Job, Synthetic, SyntheticShape};

fn play(word: &str, jobs: Vec<Job>) -> Outcome {
    replay(&fleet(word), jobs.into_iter(), &options(), &mut |_| {}).expect("the replay ends")
}

fn near(value: f64, expect: f64, what: &str) {
    assert!((value - expect).abs() < 1e-6, "{what} is {value}, and {expect} was expected");
}

#[test]
fn a_full_fleet_makes_the_next_one_wait() {
    // Four accelerators: the first takes all for 100 s, the second waits from 10 to 100, the third goes beside it.
    let jobs = vec![job(1, 0, 1, 4, 100), job(2, 10, 1, 3, 50), job(3, 20, 1, 1, 50)];
    let outcome = play("1x4", jobs);
    let figures = &outcome.summary;
    near(figures.wait.mean_wait_s, (0.0 + 90.0 + 80.0) / 3.0, "the mean wait");
    near(figures.mean_jct_s, (100.0 + 140.0 + 130.0) / 3.0, "the mean completion time");
    near(figures.makespan_s, 150.0, "the makespan");
    near(figures.allocated_mean, (400.0 + 150.0 + 50.0) / (4.0 * 150.0), "the allocated share");
    near(figures.load_mean, (400.0 + 150.0 + 50.0) / (4.0 * 20.0), "the offered load");
    near(figures.allocated_while_arriving, 1.0, "the allocated share while work arrived");
    near(figures.utilisation, 1.0, "the utilisation");
    near(figures.wait.waited_share, 2.0 / 3.0, "the share that waited");
    assert_eq!((figures.workloads, figures.starved, figures.failed), (3, 0, 0));
    let sizes: Vec<_> = figures.by_size.iter().map(|size| (size.accelerators, size.workloads)).collect();
    assert_eq!(sizes, [("1", 1), ("2-7", 2)]);
    assert_eq!(outcome.wait_percentiles_s.len(), 101);
    near(outcome.wait_percentiles_s[100], 90.0, "the longest wait");
    let points = outcome.series.points();
    near(points[0].allocated, 1.0, "the first minute");
    near(points[1].waiting, (40.0 * 2.0) / 60.0, "those that waited in the second minute");
}

#[test]
fn ends_go_before_arrivals_of_the_same_instant() {
    let outcome = play("1x1", vec![job(1, 0, 1, 1, 60), job(2, 60, 1, 1, 60)]);
    near(outcome.summary.wait.mean_wait_s, 0.0, "the mean wait");
    near(outcome.summary.makespan_s, 120.0, "the makespan");
}

#[test]
fn a_gang_waits_for_all_of_its_accelerators() {
    let outcome = play("2x2", vec![job(1, 0, 1, 1, 50), job(2, 0, 2, 2, 10)]);
    near(outcome.summary.wait.max_wait_s, 50.0, "the wait of the gang");
}

#[test]
fn work_that_the_fleet_could_never_hold_is_left_out_and_named() {
    let outcome = play("2x4", vec![job(1, 0, 1, 5, 10), job(2, 0, 3, 4, 10), job(3, 0, 1, 4, 10)]);
    let dropped: Vec<_> = outcome.dropped.iter().map(|row| (row.line, row.why)).collect();
    assert_eq!(dropped, [(1, DropReason::LargerThanTheFleet), (2, DropReason::LargerThanTheFleet)]);
    assert_eq!(outcome.summary.workloads, 1);
}

#[test]
fn work_that_takes_no_time_ends_at_once() {
    let outcome = play("1x1", vec![job(1, 5, 1, 1, 0)]);
    near(outcome.summary.mean_jct_s, 0.0, "the completion time");
    assert_eq!(outcome.summary.failed, 0);
}

#[test]
fn one_trace_has_one_digest_and_another_rate_has_another() {
    let shape = SyntheticShape { workloads: 300, accelerators: 16, load_milli: 1_200 };
    let run = |seed, rate_milli| {
        let options = eaf_twin::replay::Options { rate_milli, ..options() };
        let outcome = replay(&fleet("2x8"), Synthetic::new(seed, shape), &options, &mut |_| {});
        outcome.expect("the replay ends").summary
    };
    let first = run(1, 1_000);
    assert_eq!(first, run(1, 1_000), "the same again");
    assert_ne!(first.digest, run(2, 1_000).digest, "another seed");
    let faster = run(1, 10_000);
    assert_ne!(first.digest, faster.digest, "another rate");
    assert!(faster.wait.mean_wait_s > first.wait.mean_wait_s && faster.makespan_s < first.makespan_s);
    assert_eq!((first.starved, first.failed), (0, 0));
}

#[test]
fn exact_wall_times_let_small_work_pass_a_gang_that_waits() {
    // The gang waits for the first job; the third ends before it could start, which only exact wall times tell.
    let jobs = || vec![job(1, 0, 1, 2, 100), job(2, 1, 1, 4, 10), job(3, 2, 1, 2, 50)].into_iter();
    let run = |wall_times| {
        let options = eaf_twin::replay::Options { wall_times, ..options() };
        replay(&fleet("1x4"), jobs(), &options, &mut |_| {}).expect("the replay ends").summary.makespan_s
    };
    near(run(WallTimes::Exact), 110.0, "the makespan with exact wall times");
    near(run(WallTimes::Unknown), 160.0, "the makespan without");
}

#[test]
fn energy_is_known_where_the_model_is() {
    let mut options = options();
    options.settings.power.pue_milli = 1_000;
    options.settings.power.cpu_busy_milliwatts = 1;
    options.settings.power.memory_gib_milliwatts = 1;
    options.settings.power.accelerator_load_assumed_milli = 1_000;
    let power = AcceleratorPower { max_watts: Watts(1_000), idle_watts: None };
    options.settings.power.accelerators.insert("known".to_owned(), power);
    let run = |word| {
        let outcome = replay(&fleet(word), std::iter::once(job(1, 0, 1, 2, 3_600)), &options, &mut |_| {});
        outcome.expect("the replay ends").summary
    };
    let known = run("1x2xknown");
    assert!((known.energy_kwh - 2.0).abs() < 0.001 && known.energy_unknown_attempts == 0, "{known:?}");
    let unknown = run("1x2xother");
    assert_eq!((unknown.energy_unknown_attempts, unknown.by_model[0].energy_kwh), (1, None));
    near(unknown.by_model[0].held_hours, 2.0, "accelerator-hours");
}

#[test]
fn fragmentation_is_a_mean_over_the_time_in_which_anything_was_free() {
    let share = |line, submitted_s, runs_s| {
        let mut job = job(line, submitted_s, 1, 1, runs_s);
        job.task.accelerators.share = eaf_model::GpuMilli(500);
        job
    };
    // One board: half of it held for a million seconds, then idle for as long, then half of it held for a second.
    let jobs = vec![share(1, 0, 1_000_000), share(2, 2_000_000, 1)];
    // It is looked at once a bin, of which there are about a thousand.
    let fragmented = play("1x1", jobs).summary.fragmented_mean;
    assert!((fragmented - 0.5).abs() < 0.002, "the fragmented share is {fragmented}");
    // Nothing free but for the last second, when all of it is.
    let full = play("1x1", vec![job(1, 0, 1, 1, 100)]).summary.fragmented_mean;
    near(full, 0.0, "the fragmented share of a full fleet");
}

#[test]
fn a_trace_counts_from_its_first_row() {
    let text = |origin: u64| {
        let row = |line: u64, at: u64| format!("{line},{},2,60,a\n", origin + at);
        format!("job_id,submit_s,gpus,duration_s,vc\n{}{}{}", row(1, 0), row(2, 30), row(3, 90))
    };
    let run = |origin| {
        let trace = eaf_twin::trace::philly_jobs(text(origin).as_bytes(), 2).expect("a trace");
        play("1x2", trace.jobs).summary
    };
    assert_eq!(run(0), run(1_600_000_000));
    near(run(77).makespan_s, 180.0, "the makespan");
}
