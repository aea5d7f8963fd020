//! Explanations: what fails where, and what blocks.

use crate::world::{World, ask, nd, node, plan, secs, wl, world};
use eaf_model::{Blocker, Change, CpuMilli, Failing, GpuMilli, NodeState, Short, Span, Test, WorkloadId};
use eaf_sched::explain;

/// Compares blocker, nodes that fit, failing nodes by test, and how many go before.
fn check(world: &World, workload: WorkloadId, blocker: Blocker, fitting: u32, failing: &[(Test, u32)], ahead: u64) {
    let explained = explain(&world.snapshot, workload).expect("it waits");
    let failing: Vec<_> = failing.iter().map(|(test, nodes)| Failing { test: *test, nodes: *nodes }).collect();
    let (held, other): (Vec<_>, Vec<_>) =
        explained.blockers.into_iter().partition(|blocker| matches!(blocker, Blocker::Planned { .. }));
    assert_eq!(other, [blocker], "{workload}");
    let made = plan(&world.snapshot);
    let hold = made.holds.iter().find(|hold| hold.workload == workload);
    let promised = hold.map(|hold| Blocker::Planned { at: hold.at, latest: hold.latest });
    assert_eq!(held.first(), promised.as_ref(), "{workload}");
    assert_eq!((explained.nodes_fitting, explained.failing), (fitting, failing), "{workload}");
    assert_eq!(explained.ahead, ahead, "{workload}");
    assert_eq!(explained.nodes_total as usize, world.snapshot.fleet.len());
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
    check(&world, gang, Blocker::NodesNotReady { cordoned: 1, lost: 1 }, 1, &failing, 0);
    let single = world.submit(wide.wall(30));
    check(&world, single, Blocker::NextPass, 1, &failing, 1);
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
    let capacity =
        |tasks_placeable, tasks_wanted| Blocker::Capacity { tasks_placeable, tasks_wanted, short: vec![Short::Cpu] };
    check(&world, head, capacity(0, 2), 0, &[(Test::Cpu, 2)], 0);
    // It fits on nd-1 or nd-2, and the head needs both of them whole at 100 s.
    let behind_the_head = Blocker::Hold { workload: head, at: secs(100) };
    check(&world, long, behind_the_head, 1, &[(Test::Cpu, 1)], 1);
    check(&world, next, Blocker::NextPass, 1, &[(Test::Cpu, 1)], 2);
    // The next one takes what it would have had.
    check(&world, later, capacity(0, 1), 0, &[(Test::Cpu, 2)], 3);
}

/// Compares what would make it start now.
fn would_start(world: &World, workload: WorkloadId, expect: &[Change]) {
    let explained = explain(&world.snapshot, workload).expect("it waits");
    assert_eq!(explained.would_start, expect, "{workload}");
}

#[test]
fn what_would_make_it_start_now_is_what_the_planner_would_start() {
    let mut world = world([node(8, 64, &["MI"; 4]), node(8, 64, &["H"; 4])]);
    world.submit(ask().cpu(5).boards(2).model("MI").wall(100));
    world.submit(ask().cpu(2).boards(1).model("H").wall(100));
    world.pass();
    // Three threads and two accelerators are left beside the first, six and three beside the second.
    let one = world.submit(ask().cpu(3).boards(4).model("MI").wall(50));
    would_start(&world, one, &[Change::FewerAccelerators { count: 2 }]);
    let two = world.submit(ask().cpu(6).boards(2).model("MI").wall(50));
    let less = Change::LessCpu { cpu: CpuMilli(3_000) };
    would_start(&world, two, &[less, Change::OtherModels { models: vec!["H".to_owned()] }]);
    let gang = world.submit(ask().tasks(4).cpu(2).per_node(2).wall(50));
    let less = Change::LessCpu { cpu: CpuMilli(1_000) };
    would_start(&world, gang, &[Change::FewerTasks { tasks: 3 }, less, Change::AnyTasksPerNode]);
}

#[test]
fn what_is_over_before_another_begins_needs_only_a_shorter_wall_time() {
    let mut world = world([node(4, 64, &[])]);
    world.submit(ask().cpu(2).wall(7_200));
    world.pass();
    let head = world.submit(ask().cpu(4).wall(50));
    let long = world.submit(ask().cpu(1).wall(9_000));
    would_start(&world, head, &[Change::LessCpu { cpu: CpuMilli(2_000) }]);
    would_start(&world, long, &[Change::ShorterWallTime { wall_time: Span::from_secs(7_200) }]);
}

#[test]
fn accelerators_that_are_free_and_scattered_are_said_to_be() {
    let mut world = world([node(8, 64, &["MI"; 4]), node(8, 64, &["MI"; 4])]);
    for _ in 0..2 {
        world.submit(ask().cpu(1).boards(3).wall(100));
    }
    world.pass();
    let pair = world.submit(ask().cpu(1).boards(2).wall(100));
    let explained = explain(&world.snapshot, pair).expect("it waits");
    let scattered = Blocker::Scattered { free: GpuMilli(2_000), wanted: GpuMilli(2_000) };
    let capacity = Blocker::Capacity { tasks_placeable: 0, tasks_wanted: 1, short: vec![Short::Accelerators] };
    let held = Blocker::Planned { at: secs(100), latest: Some(secs(100)) };
    assert_eq!(explained.blockers, [capacity, scattered, held]);
}
