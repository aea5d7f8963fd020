//! Estimated starts: what they take for granted, what they learn, and where they end.

use crate::{Factory, cpus, gang};
use eaf_core::{Durations, estimate, explain};
use eaf_model::{Blocker, Exit, Input, Settings, Span, StartEstimate, Time, WorkloadId, WorkloadSpec};

fn walled(spec: WorkloadSpec, secs: u64) -> WorkloadSpec {
    WorkloadSpec { wall_time: Some(Span::from_secs(secs)), ..spec }
}

fn ask(factory: &Factory, id: WorkloadId) -> StartEstimate {
    estimate(&factory.state, factory.now, id, Durations::Learned).expect("it waits")
}

/// Compares half and ninety in hundred, in seconds from now.
fn check(factory: &Factory, id: WorkloadId, p50: Option<u64>, p90: Option<u64>) -> StartEstimate {
    let got = ask(factory, id);
    let secs = |at: Option<Time>| at.map(|at| at.since(factory.now).0.div_ceil(1_000));
    assert_eq!((secs(got.p50), secs(got.p90)), (p50, p90), "{got:?}");
    got
}

/// Runs one after the other, each for a part of its wall time.
fn teach(factory: &mut Factory, attempts: u32, wall: u64, ran: u64) {
    for _ in 0..attempts {
        let id = factory.submit(walled(cpus(1), wall));
        factory.plan();
        factory.start(id);
        factory.now = factory.now.after(Span::from_secs(ran));
        factory.exit(id, &Exit::Code(0));
    }
}

#[test]
fn where_nothing_was_learned_work_is_taken_to_use_its_wall_time() {
    let mut factory = Factory::with_nodes(&[4]);
    let first = factory.submit(walled(cpus(4), 100));
    factory.plan();
    factory.start(first);
    let second = factory.submit(walled(gang(2, 2), 50));
    let third = factory.submit(WorkloadSpec { after_ok: vec![second], ..walled(cpus(1), 10) });
    factory.plan();
    let estimate = check(&factory, second, Some(100), Some(100));
    assert_eq!((estimate.runs, estimate.learned_from, estimate.not_before), (1, 0, None));
    // A dependency is followed by the same core: behind it, not only behind what blocks it now.
    check(&factory, third, Some(150), Some(150));
    let explained = explain(&factory.state, factory.now, third).expect("it is live");
    assert!(matches!(explained.blockers.as_slice(), [Blocker::Dependencies { .. }]), "{explained:?}");
    assert_eq!(explained.estimate, Some(ask(&factory, third)));
    factory.now = factory.now.after(Span::from_secs(30));
    check(&factory, second, Some(70), Some(70));
    assert_eq!(estimate_of(&factory, first), None, "what runs has no start ahead");
}

fn estimate_of(factory: &Factory, id: WorkloadId) -> Option<StartEstimate> {
    estimate(&factory.state, factory.now, id, Durations::Learned)
}

#[test]
fn what_like_work_did_is_learned_and_one_state_has_one_answer() {
    let mut factory = Factory::with_nodes(&[4]);
    teach(&mut factory, 20, 1_000, 100);
    let first = factory.submit(walled(cpus(4), 2_000));
    factory.plan();
    factory.start(first);
    let second = factory.submit(walled(cpus(4), 2_000));
    let estimate = check(&factory, second, Some(200), Some(200));
    assert_eq!((estimate.runs, estimate.learned_from), (20, 20));
    let whole = eaf_core::estimate(&factory.state, factory.now, second, Durations::WallTimes).expect("it waits");
    assert_eq!(whole.p50, Some(factory.now.after(Span::from_secs(2_000)).max(factory.now)).map(|at| Time(at.0 - 1)));
    // A first half of short and a second half of long ones is a spread.
    teach_beside(&mut factory, first);
    let third = factory.submit(walled(cpus(4), 2_000));
    let spread = ask(&factory, third);
    assert!(spread.p50 < spread.p90, "{spread:?}");
    assert_eq!(spread, ask(&factory, third));
}

/// Ends the one that fills the node, teaches that like work may last as long as it said, and fills the node again.
fn teach_beside(factory: &mut Factory, filling: WorkloadId) {
    factory.exit(filling, &Exit::Code(0));
    let waiting: Vec<WorkloadId> = factory.state.workloads().map(|workload| workload.id).collect();
    for workload in waiting {
        factory.must(&Input::Cancel { workload, by: "ann".to_owned() });
    }
    teach(factory, 20, 1_000, 999);
    let filling = factory.submit(walled(cpus(4), 2_000));
    factory.plan();
    factory.start(filling);
}

#[test]
fn what_runs_longer_than_all_that_is_known_may_use_its_wall_time() {
    let mut factory = Factory::with_nodes(&[4]);
    teach(&mut factory, 10, 1_000, 100);
    let first = factory.submit(walled(cpus(4), 1_000));
    factory.plan();
    factory.start(first);
    let second = factory.submit(walled(cpus(1), 1_000));
    check(&factory, second, Some(100), Some(100));
    factory.now = factory.now.after(Span::from_secs(300));
    check(&factory, second, Some(700), Some(700));
}

#[test]
fn what_was_cut_short_teaches_nothing() {
    let mut factory = Factory::with_nodes(&[4]);
    for _ in 0..20 {
        let id = factory.submit(walled(cpus(1), 1_000));
        factory.plan();
        factory.start(id);
        factory.now = factory.now.after(Span::from_secs(10));
        factory.must(&Input::Cancel { workload: id, by: "ann".to_owned() });
        factory.exit(id, &Exit::Signal(15));
    }
    assert!(factory.state.learned().is_empty());
}

#[test]
fn a_run_that_does_not_get_there_says_how_far_it_came() {
    let mut factory = Factory::with_nodes(&[1]);
    let settings = |steps_max: u32, horizon: u64| {
        let mut settings = Settings::default();
        (settings.estimates.steps_max, settings.estimates.horizon) = (steps_max, Span::from_secs(horizon));
        Input::Configure(Box::new(settings))
    };
    let ids: Vec<WorkloadId> = (0..100).map(|_| factory.submit(walled(cpus(1), 100))).collect();
    factory.plan();
    check(&factory, ids[99], Some(9_900), Some(9_900));
    factory.must(&settings(100, 1_000_000));
    let cut = check(&factory, ids[99], None, None);
    let reached = cut.not_before.expect("how far it came").since(factory.now);
    assert!(cut.runs == 1 && reached > Span::from_secs(500) && reached < Span::from_secs(9_900), "{reached:?}");
    factory.must(&settings(100_000, 5_000));
    assert_eq!(check(&factory, ids[99], None, None).not_before, Some(factory.now.after(Span::from_secs(5_000))));
}

#[test]
fn what_can_never_start_has_no_estimate() {
    let mut factory = Factory::with_nodes(&[2, 4]);
    let id = factory.submit(walled(cpus(4), 10));
    let node = factory.state.node_named("node-1").expect("it joined").id;
    factory.must(&Input::Cordon { node, why: "a fan".to_owned() });
    assert_eq!(ask(&factory, id), StartEstimate { runs: 1, ..StartEstimate::default() });
    // One that gives up before its turn never starts either.
    let long = factory.submit(walled(cpus(2), 100));
    factory.plan();
    factory.start(long);
    let brief = WorkloadSpec { expires_after: Some(Span::from_secs(5)), ..walled(cpus(2), 10) };
    let brief = factory.submit(brief);
    assert_eq!(ask(&factory, brief), StartEstimate { runs: 1, ..StartEstimate::default() });
}
