//! The published queueing benchmark: a small simulation of its own, and the figures that others have found.

use eaf_model::{Placing, Settings, Time};
use eaf_twin::draw::Draw;
use eaf_twin::fleet::EqualNodes;
use eaf_twin::replay::{Options, Policy, PreemptionCost, Summary, WallTimes, replay};
use eaf_twin::trace::{Job, PHILLY_NODE_SHARES, philly_jobs};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A job of the reference: when it comes, how many accelerators, how long it runs; in seconds.
type Row = (u64, usize, u64);

/// The reference rule, written for itself: nodes with so many free accelerators each.
fn place(free: &[usize], wanted: usize, per_node: usize) -> Option<Vec<(usize, usize)>> {
    if wanted <= per_node {
        let fits = (0..free.len()).filter(|node| free[*node] >= wanted);
        return fits.min_by_key(|node| (free[*node], *node)).map(|node| vec![(node, wanted)]);
    }
    let (whole, rest) = (wanted / per_node, wanted % per_node);
    let empty = (0..free.len()).filter(|node| free[*node] == per_node).take(whole);
    let mut parts: Vec<(usize, usize)> = empty.map(|node| (node, per_node)).collect();
    if parts.len() < whole {
        return None;
    }
    if rest > 0 {
        let other = (0..free.len()).find(|node| free[*node] >= rest && parts.iter().all(|(taken, _)| taken != node))?;
        parts.push((other, rest));
    }
    Some(parts)
}

/// Mean completion and mean wait in seconds, and the time of the last end.
fn simulate(jobs: &[Row], nodes: usize, per_node: usize, shortest_first: bool, strict: bool) -> (f64, f64, u64) {
    let mut free = vec![per_node; nodes];
    let mut ends: BTreeSet<(u64, usize)> = BTreeSet::new();
    let mut queue: BTreeSet<(u64, u64, usize)> = BTreeSet::new();
    let mut parts: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    let mut coming = jobs.iter().enumerate().peekable();
    let (mut completion, mut wait, mut last, mut ended) = (0, 0, 0, 0_u32);
    loop {
        let arrival = coming.peek().map(|(_, (at, ..))| *at);
        let Some(now) = arrival.into_iter().chain(ends.first().map(|(at, _)| *at)).min() else { break };
        while let Some((_, job)) = ends.first().copied().filter(|(at, _)| *at <= now) {
            ends.remove(&(now, job));
            parts.remove(&job).into_iter().flatten().for_each(|(node, count)| free[node] += count);
            (completion, last, ended) = (completion + now - jobs[job].0, now, ended + 1);
        }
        while let Some((job, (at, wanted, runs))) = coming.next_if(|(_, (at, ..))| *at <= now) {
            if *wanted <= nodes * per_node {
                queue.insert((if shortest_first { *runs } else { 0 }, *at, job));
            }
        }
        for place_in_queue in queue.clone() {
            let job = place_in_queue.2;
            if let Some(placed) = place(&free, jobs[job].1, per_node) {
                for (node, count) in &placed {
                    free[*node] -= count;
                }
                parts.insert(job, placed);
                ends.insert((now + jobs[job].2, job));
                wait += now - jobs[job].0;
                queue.remove(&place_in_queue);
            } else if strict {
                break;
            }
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "sums of seconds far below 2^53")]
    let mean = |sum: u64| sum as f64 / f64::from(ended.max(1));
    (mean(completion), mean(wait), last)
}

/// The policies that the reference knows: is the shortest first, and does the head block.
const KNOWN: [(Policy, bool, bool); 4] = [
    (Policy::Fifo, false, true),
    (Policy::FifoSkip, false, false),
    (Policy::Sjf, true, true),
    (Policy::SjfSkip, true, false),
];

fn run(jobs: Vec<Job>, fleet: &str, policy: Policy, check: bool) -> Summary {
    run_at(jobs, fleet, policy, Placing::Reference, PreemptionCost::None, check)
}

fn run_at(jobs: Vec<Job>, fleet: &str, policy: Policy, placing: Placing, cost: PreemptionCost, check: bool) -> Summary {
    let nodes = fleet.parse::<EqualNodes>().expect("a fleet").specs(PHILLY_NODE_SHARES);
    let mut options = Options {
        settings: Settings::default(),
        rate_milli: 1_000,
        estimates: None,
        wall_times: WallTimes::Unknown,
        preemptible: false,
        preemption_cost: cost,
        begins_at: Time(1_767_225_600_000),
        check,
    };
    policy.apply(placing, &mut options);
    replay(&nodes, jobs.into_iter(), &options, &mut |_| {}).expect("the replay ends").summary
}

fn philly() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/traces/philly/philly_2k.csv");
    std::fs::read_to_string(path).expect("the trace")
}

/// Jobs as the program reads them, for nodes of eight.
fn jobs_of(text: &str) -> Vec<Job> {
    philly_jobs(text.as_bytes(), 8).expect("a trace").jobs
}

/// The same for the reference.
fn rows_of(jobs: &[Job]) -> Vec<Row> {
    let size = |job: &Job| usize::try_from(job.accelerators_milli() / 1_000).expect("a small job");
    jobs.iter().map(|job| (job.submitted.0 / 1_000, size(job), job.runs.0 / 1_000)).collect()
}

/// The core gives what the reference gives, for every policy that it knows.
fn equal(jobs: &[Job], nodes: usize, check: bool) {
    for (policy, shortest_first, strict) in KNOWN {
        let (completion, wait, last) = simulate(&rows_of(jobs), nodes, 8, shortest_first, strict);
        let ours = run(jobs.to_vec(), &format!("{nodes}x8"), policy, check);
        let near = |ours: f64, theirs: f64| (ours - theirs).abs() < 1e-6 * theirs.max(1.0);
        #[allow(clippy::cast_precision_loss, reason = "seconds far below 2^53")]
        let same = near(ours.mean_jct_s, completion)
            && near(ours.wait.mean_wait_s, wait)
            && near(ours.makespan_s, last as f64);
        let found = (ours.mean_jct_s, ours.wait.mean_wait_s, ours.makespan_s);
        assert!(same, "{policy:?} on {nodes} nodes: {found:?}, and {:?} is right", (completion, wait, last));
    }
}

#[test]
fn the_published_trace_gives_the_published_figures() {
    let expect = [
        (Policy::Fifo, "201116.0", "190306.9"),
        (Policy::FifoSkip, "62925.2", "52116.1"),
        (Policy::Sjf, "47287.0", "36477.9"),
        (Policy::SjfSkip, "41297.2", "30488.1"),
    ];
    for (policy, completion, wait) in expect {
        let figures = run(jobs_of(&philly()), "16x8", policy, false);
        let found = (format!("{:.1}", figures.mean_jct_s), format!("{:.1}", figures.wait.mean_wait_s));
        assert_eq!((found.0.as_str(), found.1.as_str()), (completion, wait), "{policy:?}");
        assert!((figures.makespan_s - 2_176_232.0).abs() < 1e-6, "{}", figures.makespan_s);
        assert_eq!((figures.workloads, figures.starved), (2_000, 0));
    }
}

#[test]
fn other_windows_and_fleets_give_what_the_reference_gives() {
    let all = jobs_of(&philly());
    for (from, to, nodes) in [(0, 600, 4), (700, 1_300, 7), (1_200, 2_000, 5)] {
        let mut jobs = all[from..to].to_vec();
        let first = jobs[0].submitted;
        for job in &mut jobs {
            job.submitted.0 -= first.0;
        }
        jobs.retain(|job| job.accelerators_milli() <= nodes as u64 * 8_000);
        equal(&jobs, nodes, false);
    }
}

#[test]
fn made_up_jobs_with_many_ties_give_what_the_reference_gives() {
    for seed in 0..12 {
        let mut draw = Draw::new(seed);
        let mut text = "job_id,submit_s,gpus,duration_s,vc\n".to_owned();
        for job in 0..120 {
            // Few instants and few lengths, so that ends, arrivals and places in the queue coincide.
            let (at, runs) = (10 * draw.below(40), 10 * draw.below(30));
            let wanted = *draw.pick(&[1, 1, 2, 3, 4, 8, 12, 16, 20, 24]).expect("a size");
            writeln!(text, "{job},{at},{wanted},{runs},a").expect("a text takes it");
        }
        equal(&jobs_of(&text), 4, true);
    }
}

/// Least attained service, as published for the same jobs and nodes (Tiresias, NSDI 2019), with preemption free of charge.
const PUBLISHED_LAS: f64 = 22_698.6;

#[test]
fn preemption_beats_the_published_mean_even_where_it_costs() {
    let runs = [
        (Policy::Las, Placing::Reference, PreemptionCost::None),
        (Policy::Las, Placing::Eaf, PreemptionCost::None),
        (Policy::Eaf, Placing::Eaf, PreemptionCost::Published),
    ];
    for (policy, placing, cost) in runs {
        let figures = run_at(jobs_of(&philly()), "16x8", policy, placing, cost, false);
        assert_eq!((figures.workloads, figures.starved, figures.failed), (2_000, 0, 0));
        assert!(figures.mean_jct_s < PUBLISHED_LAS, "{policy:?} {placing:?}: {}", figures.mean_jct_s);
    }
}

#[test]
fn preempted_work_is_done_once_and_costs_what_is_stated() {
    // 1,000 s of work on all eight; one that needs them for 10 s comes when the first is in the second level.
    let text = "job_id,submit_s,gpus,duration_s,vc\n1,0,8,1000,a\n2,500,8,10,b\n";
    let check = |cost, first: f64, lost: f64| {
        let figures = run_at(jobs_of(text), "1x8", Policy::Las, Placing::Eaf, cost, true);
        assert_eq!((figures.preemptions, figures.workloads), (1, 2));
        // One accelerator-hour is over at 450 s, so the second starts at once.
        assert!((figures.mean_jct_s - f64::midpoint(first, 10.0)).abs() < 1e-6, "{}", figures.mean_jct_s);
        assert!((figures.lost_hours - lost).abs() < 1e-6, "{}", figures.lost_hours);
    };
    check(PreemptionCost::None, 1_010.0, 0.0);
    check(PreemptionCost::Published, 1_050.0, 8.0 * 40.0 / 3_600.0);
}

#[test]
fn preemption_keeps_every_rule_at_every_step() {
    let mut draw = Draw::new(5);
    let mut text = "job_id,submit_s,gpus,duration_s,vc\n".to_owned();
    for job in 0..150 {
        let (at, runs) = (60 * draw.below(400), 30 * draw.below(400));
        let wanted = *draw.pick(&[1, 1, 2, 3, 4, 8, 12, 16]).expect("a size");
        writeln!(text, "{job},{at},{wanted},{runs},a").expect("a text takes it");
    }
    for (policy, placing) in
        [(Policy::Las, Placing::Reference), (Policy::Las, Placing::Eaf), (Policy::Eaf, Placing::Eaf)]
    {
        let figures = run_at(jobs_of(&text), "3x8", policy, placing, PreemptionCost::Published, true);
        assert!(figures.preemptions > 5 && figures.starved == 0 && figures.failed == 0, "{figures:?}");
    }
}
