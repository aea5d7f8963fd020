//! Explanations: what fails where, what blocks, and when it starts.

use crate::world::{World, ask, nd, node, secs, wl, world};
use eaf_model::{Blocker, Failing, NodeState, Span, Test, WorkloadId};
use eaf_sched::explain;

/// Compares blocker, nodes that fit, failing nodes by test, how many go before, and the start in seconds.
fn check(
    world: &World,
    workload: WorkloadId,
    blocker: Blocker,
    fitting: u32,
    failing: &[(Test, u32)],
    ahead: u64,
    start: Option<u64>,
) {
    let explained = explain(&world.snapshot, workload).expect("it waits");
    let failing: Vec<_> = failing.iter().map(|(test, nodes)| Failing { test: *test, nodes: *nodes }).collect();
    assert_eq!(explained.blockers, [blocker], "{workload}");
    assert_eq!((explained.nodes_fitting, explained.failing), (fitting, failing), "{workload}");
    assert_eq!((explained.ahead, explained.estimated_start), (ahead, start.map(secs)), "{workload}");
    assert_eq!(explained.nodes_total as usize, world.snapshot.fleet.len());
    assert!(!explained.estimate_is_lower_bound);
}

#[test]
fn every_test_names_its_nodes() {
    let mi = ["MI"; 4];
    let mut world = world([
        node(64, 64, &mi),
        node(64, 64, &mi),
        node(64, 64, &["H"; 4]),
        node(2, 64, &mi),
        node(64, 2, &mi),
        node(64, 64, &mi[..1]),
        node(64, 64, &mi),
    ]);
    world.snapshot.fleet.set_state(nd(1), NodeState::Cordoned);
    world.snapshot.fleet.set_state(nd(2), NodeState::Lost);
    let failing = [
        (Test::Cordoned, 1),
        (Test::Lost, 1),
        (Test::AcceleratorModel, 1),
        (Test::Cpu, 1),
        (Test::Memory, 1),
        (Test::Accelerators, 1),
    ];
    let wide = ask().cpu(4).memory(4).boards(2).model("MI");
    let gang = world.submit(wide.clone().tasks(4).per_node(2));
    check(&world, gang, Blocker::FleetTooSmall, 1, &failing, 0, None);
    let single = world.submit(wide.wall(30));
    check(&world, single, Blocker::NextPass, 1, &failing, 1, Some(0));
    assert_eq!(explain(&world.snapshot, wl(99)), None);
}

#[test]
fn the_wait_is_told_by_the_planner_itself() {
    let mut world = world([node(4, 64, &[]), node(4, 64, &[])]);
    world.submit(ask().cpu(3).wall(100));
    world.submit(ask().cpu(2).wall(40));
    world.pass();
    world.snapshot.now = secs(10);
    let head = world.submit(ask().tasks(2).cpu(4).wall(50));
    let long = world.submit(ask().cpu(1).wall(200));
    let next = world.submit(ask().cpu(2).wall(60));
    let later = world.submit(ask().cpu(2).wall(300));
    let capacity = |tasks_placeable, tasks_wanted| Blocker::Capacity { tasks_placeable, tasks_wanted };
    check(&world, head, capacity(0, 2), 0, &[(Test::Cpu, 2)], 0, Some(100));
    // It fits on nd-1 or nd-2, and the head needs both of them whole at 100 s.
    let behind_the_head = Blocker::Hold { workload: head, at: secs(100) };
    check(&world, long, behind_the_head, 1, &[(Test::Cpu, 1)], 1, Some(150));
    check(&world, next, Blocker::NextPass, 1, &[(Test::Cpu, 1)], 2, Some(10));
    // The next one takes what it would have had.
    check(&world, later, capacity(0, 1), 0, &[(Test::Cpu, 2)], 3, Some(150));
}

#[test]
fn an_estimate_that_is_cut_is_a_lower_bound() {
    let mut world = world([node(1, 8, &[])]);
    for _ in 0..10_000 {
        world.submit(ask().wall(10));
    }
    world.pass();
    let estimate = |workload| {
        let explained = explain(&world.snapshot, workload).expect("it waits");
        (explained.ahead, explained.estimated_start.expect("a time"), explained.estimate_is_lower_bound)
    };
    assert_eq!(estimate(wl(100)), (98, secs(990), false));
    let (ahead, start, is_lower_bound) = estimate(wl(10_000));
    assert!(ahead == 9_998 && is_lower_bound && start > secs(10_000) && start < secs(99_990), "{start:?}");
}

#[test]
fn nobody_can_say_when_what_never_ends_ends() {
    let mut world = world([node(1, 8, &[])]);
    let mut endless = ask();
    endless.0.wall = Span(u64::MAX);
    world.submit(endless);
    world.pass();
    let waits = world.submit(ask());
    let capacity = Blocker::Capacity { tasks_placeable: 0, tasks_wanted: 1 };
    check(&world, waits, capacity, 0, &[(Test::Cpu, 1)], 0, None);
}
