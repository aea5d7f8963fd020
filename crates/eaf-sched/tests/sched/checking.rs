//! The checker catches every rule that a plan can break.

use crate::world::{ask, gib, nd, node, plan, secs, show, wl, world};
use eaf_model::{Allotment, CpuMilli, GpuMilli, NodeState, Placement, Test};
use eaf_sched::{Grant, Plan, Snapshot, Violation, check};

/// A gang, two shares, a head and two backfills on two ready nodes; a third node is cordoned, a fourth lost.
fn scene() -> (Snapshot, Plan) {
    let boards = ["MI", "MI"];
    let mut world = world([node(4, 64, &boards), node(4, 64, &["H"]), node(64, 64, &boards), node(64, 64, &boards)]);
    world.snapshot.fleet.set_state(nd(3), NodeState::Cordoned);
    world.snapshot.fleet.set_state(nd(4), NodeState::Lost);
    world.submit(ask().tasks(2).per_node(1));
    world.submit(ask().share(600).model("MI"));
    world.submit(ask().share(600).model("MI"));
    world.submit(ask().tasks(2).cpu(3)); // The head: 3 CPUs on each ready node, from 100 s on.
    world.submit(ask().cpu(3).wall(50));
    world.submit(ask().wall(500));
    let made = plan(&world.snapshot);
    let expect = [
        "wl-1: nd-2, nd-1",
        "wl-2: nd-1[0:600]",
        "wl-3: nd-1[1:600]",
        "wl-5: nd-2",
        "wl-6: nd-1",
        "hold wl-4 at 100.000: nd-2, nd-1",
    ];
    assert_eq!(show(&made).lines().collect::<Vec<_>>(), expect);
    (world.snapshot, made)
}

fn check_caught(expect: &Violation, plant: impl FnOnce(&mut Snapshot, &mut Plan)) {
    let (mut snapshot, mut plan) = scene();
    check(&snapshot, &plan).expect("the planner's own plan is lawful");
    plant(&mut snapshot, &mut plan);
    assert_eq!(check(&snapshot, &plan).as_ref(), Err(expect), "{}", show(&plan));
}

fn first_task(plan: &mut Plan, grant: usize) -> &mut Allotment {
    &mut plan.grants[grant].placement.tasks[0]
}

fn hold(plan: &mut Plan) -> &mut eaf_sched::Hold {
    plan.holds.first_mut().expect("the scene has a hold")
}

#[test]
fn nodes_and_boards_are_never_over_their_parts() {
    let unfit = |workload, node, test| Violation::Unfit { workload: wl(workload), node: nd(node), test };
    check_caught(&unfit(6, 2, Test::Cpu), |_, plan| first_task(plan, 4).node = nd(2));
    check_caught(&unfit(6, 3, Test::Cordoned), |_, plan| first_task(plan, 4).node = nd(3));
    check_caught(&unfit(6, 4, Test::Lost), |_, plan| first_task(plan, 4).node = nd(4));
    check_caught(&unfit(2, 2, Test::AcceleratorModel), |_, plan| first_task(plan, 1).node = nd(2));
    check_caught(&unfit(3, 1, Test::Accelerators), |_, plan| first_task(plan, 2).accelerators[0].index = 0);
    check_caught(&unfit(3, 1, Test::Accelerators), |_, plan| first_task(plan, 2).accelerators[0].index = 2);
    let unknown = Violation::UnknownNode { workload: wl(6), node: nd(9) };
    check_caught(&unknown, |_, plan| first_task(plan, 4).node = nd(9));

    let mut crowded = world([node(4, 2, &[])]);
    crowded.submit(ask().memory(2));
    crowded.submit(ask().memory(2));
    let task = Allotment { node: nd(1), cpu: CpuMilli(1_000), memory: gib(2), accelerators: Vec::new() };
    let grant = |workload| Grant {
        workload: wl(workload),
        placement: Placement { tasks: vec![task.clone()] },
        victims: Vec::new(),
    };
    let forged = Plan { grants: vec![grant(1), grant(2)], ..Plan::default() };
    assert_eq!(check(&crowded.snapshot, &forged), Err(unfit(2, 1, Test::Memory)));
}

#[test]
fn everyone_gets_what_was_asked_for() {
    let check_differs = |grant: usize, workload, node, plant: fn(&mut Allotment)| {
        let expect = Violation::NotAsAsked { workload: wl(workload), node: nd(node) };
        check_caught(&expect, |_, plan| plant(first_task(plan, grant)));
    };
    check_differs(0, 1, 2, |task| task.cpu = CpuMilli(500));
    check_differs(0, 1, 2, |task| task.memory = gib(2));
    check_differs(1, 2, 1, |task| task.accelerators[0].share = GpuMilli(500));
    check_differs(1, 2, 1, |task| task.accelerators.clear());
    check_differs(1, 2, 1, |task| task.accelerators.push(task.accelerators[0].clone()));
    let not_whole = |workload| Violation::GangNotWhole { workload: wl(workload), placed: 1, wanted: 2 };
    check_caught(&not_whole(1), |_, plan| plan.grants[0].placement.tasks.truncate(1));
    check_caught(&not_whole(4), |_, plan| hold(plan).placement.tasks.truncate(1));
    let crowded = Violation::TasksPerNode { workload: wl(1), node: nd(2), max: 1 };
    check_caught(&crowded, |_, plan| plan.grants[0].placement.tasks[1].node = nd(2));
}

#[test]
fn everyone_is_queued_and_planned_once() {
    let not_queued = Violation::NotQueued { workload: wl(99) };
    check_caught(&not_queued, |_, plan| plan.grants[4].workload = wl(99));
    check_caught(&not_queued, |_, plan| {
        plan.grants.truncate(3);
        hold(plan).workload = wl(99);
    });
    check_caught(&Violation::Twice { workload: wl(5) }, |_, plan| plan.grants[4] = plan.grants[3].clone());
    check_caught(&Violation::Twice { workload: wl(1) }, |_, plan| {
        plan.grants.truncate(3);
        hold(plan).workload = wl(1);
    });
    check_caught(&Violation::TooManyGrants { grants: 5, max: 4 }, |snapshot, _| snapshot.grants_max = 4);
}

#[test]
fn nobody_goes_out_of_order() {
    check_caught(&Violation::OutOfOrder { workload: wl(5) }, |_, plan| plan.grants.swap(3, 4));
    check_caught(&Violation::OutOfOrder { workload: wl(3) }, |_, plan| {
        plan.grants.remove(1);
    });
    check_caught(&Violation::Passed { workload: wl(4), by: wl(5) }, |_, plan| plan.holds.clear());
    check_caught(&Violation::Passed { workload: wl(1), by: wl(2) }, |_, plan| {
        plan.grants.remove(0);
    });
    check_caught(&Violation::Passed { workload: wl(4), by: wl(6) }, |_, plan| {
        plan.grants.remove(3);
        hold(plan).workload = wl(5);
    });
}

#[test]
fn the_hold_is_not_delayed() {
    check_caught(&Violation::HoldNotLater { workload: wl(4) }, |_, plan| hold(plan).at = secs(0));
    let delayed = |node| Violation::HoldDelayed { workload: wl(4), node: nd(node), test: Test::Cpu };
    check_caught(&delayed(1), |_, plan| hold(plan).at = secs(99));
    let too_soon = Violation::LatestTooSoon { workload: wl(4) };
    check_caught(&too_soon, |_, plan| hold(plan).latest = Some(secs(99)));
    check_caught(&Violation::TooManyHolds { holds: 1, max: 0 }, |snapshot, _| snapshot.holds_max = 0);
    // The backfill on nd-2 would last beyond the beginning of the hold.
    check_caught(&delayed(2), |snapshot, _| {
        let mut entry = snapshot.queue.get(wl(5)).expect("it waits");
        snapshot.queue.remove(&entry);
        entry.shape = std::sync::Arc::new(ask().cpu(3).wall(101).0);
        snapshot.queue.insert(entry);
    });
    // A lease that was there before ends after the beginning of the hold.
    check_caught(&delayed(2), |snapshot, plan| {
        let task = plan.grants[3].placement.tasks[0].clone();
        snapshot.fleet.add(nd(5), &node(8, 8, &[]));
        snapshot.fleet.set_state(nd(2), NodeState::Cordoned);
        snapshot.fleet.set_state(nd(2), NodeState::Ready);
        snapshot.fleet.hold(&task);
        snapshot.releases.insert(
            secs(101),
            eaf_model::LeaseId::of_step(1),
            [task].into(),
            eaf_sched::Counts::For(None),
        );
        plan.grants.truncate(3);
    });
}
