//! Slices: what fits on boards as they are cut, what the checker refuses, and who a mode changes for.

use crate::world::{Ask, World, ask, nd, node, plan, secs, wl, world};
use eaf_model::{
    GpuMilli, ModeScope, NodeSpec, NodeState, PartitionBook, PartitionMode, SliceProfile, Span, Test, WorkloadId,
};
use eaf_sched::{Fleet, ModeChange, ModeRules, Plan, Violation, check, check_modes, modes};

/// H100s with the three smallest shapes of MIG.
fn book() -> PartitionBook {
    let slice = |profile: &str, share, slots, starts: &[u8]| SliceProfile {
        profile: profile.to_owned(),
        share: GpuMilli(share),
        memory: None,
        slots,
        starts: starts.to_vec(),
    };
    let slices = vec![
        slice("1g", 142, 1, &[0, 1, 2, 3, 4, 5, 6]),
        slice("2g", 285, 2, &[0, 2, 4]),
        slice("3g", 428, 4, &[0, 4]),
    ];
    let (name, scope) = ("MIG".to_owned(), ModeScope::Accelerator);
    let mode = PartitionMode { name, scope, slots: 8, slices_per_task_max: 1, slices };
    let mut book = PartitionBook::default();
    book.models.insert("H100".to_owned(), vec![mode]);
    book
}

fn boards(count: usize) -> NodeSpec {
    node(64, 64, &vec!["H100"; count])
}

/// Nodes of boards that can be cut, those of `cut` (node, board) in MIG.
fn cut_world(nodes: impl IntoIterator<Item = NodeSpec>, cut: &[(u64, u16)]) -> World {
    let nodes: Vec<NodeSpec> = nodes.into_iter().collect();
    let mut made = world(nodes.clone());
    made.snapshot.fleet = Fleet::with_book(&book());
    for (spec, step) in nodes.iter().zip(1..) {
        made.snapshot.fleet.add(nd(step), spec);
    }
    for (node, board) in cut {
        made.snapshot.fleet.set_modes(nd(*node), [(*board, "MIG", true)]);
    }
    made
}

fn slice(profile: &str) -> Ask {
    let mut asked = ask();
    asked.0.task.accelerators.count = 1;
    asked.0.task.accelerators.slice = Some(profile.to_owned());
    asked
}

const RULES: ModeRules = ModeRules { change: Span::from_secs(60), changes_max: 64 };

/// What the step behind a pass proposes; it passes the checker.
fn proposed(world: &mut World) -> Vec<ModeChange> {
    let made = world.pass();
    let changes = modes(&world.snapshot, &made, &[], RULES);
    check_modes(&world.snapshot, &made, &changes, RULES).unwrap_or_else(|wrong| panic!("{wrong}"));
    changes
}

fn change(boards: &[u16], to: &str, workload: WorkloadId, drained_at: Option<u64>) -> ModeChange {
    let (accelerators, to) = (boards.to_vec(), to.to_owned());
    ModeChange { node: nd(1), accelerators, to, workload, drained_at: drained_at.map(secs) }
}

/// Starts of the slices that each workload got, in queue order.
fn starts(world: &mut World) -> Vec<(u16, u8)> {
    let made = world.pass();
    let held = made.grants.iter().flat_map(|grant| &grant.placement.tasks).flat_map(|task| &task.accelerators);
    held.map(|one| (one.index, one.slice.as_ref().map_or(99, |slice| slice.start))).collect()
}

#[test]
fn slices_fill_the_fullest_board_and_spare_the_places_of_larger_ones() {
    let mut world = cut_world([boards(2)], &[(1, 0), (1, 1)]);
    for profile in ["1g", "3g", "1g", "2g", "1g"] {
        world.submit(slice(profile));
    }
    assert_eq!(starts(&mut world), [(0, 6), (0, 0), (0, 4), (1, 0), (0, 5)]);
}

#[test]
fn whole_work_and_slices_keep_to_their_own_boards() {
    let mut world = cut_world([boards(2)], &[(1, 1)]);
    world.submit(ask().boards(2));
    world.submit(ask().boards(1));
    world.submit(slice("3g"));
    world.submit(ask().share(500));
    assert_eq!(starts(&mut world), [(0, 99), (1, 4)]);
}

#[test]
fn a_board_that_takes_no_work_gets_none() {
    let mut world = cut_world([boards(1)], &[(1, 0)]);
    world.snapshot.fleet.set_modes(nd(1), [(0, "MIG", false)]);
    world.submit(slice("1g"));
    assert_eq!(starts(&mut world), []);
}

#[test]
fn a_plan_that_books_a_slice_twice_or_in_another_mode_is_refused() {
    let mut world = cut_world([boards(1)], &[(1, 0)]);
    world.submit(slice("1g"));
    world.submit(slice("1g"));
    let good = plan(&world.snapshot);
    assert_eq!(check(&world.snapshot, &good), Ok(()));
    let refused = |how: &dyn Fn(&mut eaf_model::HeldSlice)| {
        let mut bad = good.clone();
        how(bad.grants[1].placement.tasks[0].accelerators[0].slice.as_mut().expect("a slice"));
        match check(&world.snapshot, &bad) {
            Err(Violation::Unfit { workload, test, .. }) => Some((workload, test)),
            Err(Violation::NotAsAsked { .. }) => None,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(&|slice| slice.start = 6), Some((wl(2), Test::Accelerators)), "booked twice");
    assert_eq!(refused(&|slice| slice.start = 7), Some((wl(2), Test::Accelerators)), "no lawful start");
    assert_eq!(refused(&|slice| slice.slots = 2), Some((wl(2), Test::Accelerators)), "more than its places");
    assert_eq!(refused(&|slice| slice.mode = "CPX".to_owned()), Some((wl(2), Test::Mode)), "another mode");
    assert_eq!(refused(&|slice| slice.profile = "2g".to_owned()), None, "another profile");
}

#[test]
fn an_empty_board_is_cut_for_who_waits_as_many_as_they_need() {
    let mut world = cut_world([boards(3)], &[]);
    let first = world.submit(slice("3g"));
    let _second = world.submit(slice("3g"));
    let third = world.submit(slice("3g"));
    assert_eq!(proposed(&mut world), [change(&[0], "MIG", first, None), change(&[1], "MIG", third, None)]);
}

#[test]
fn what_comes_back_before_a_change_is_done_is_waited_for() {
    let check = |left: u64, expect: usize| {
        let mut world = cut_world([boards(2)], &[(1, 0)]);
        for _ in 0..2 {
            world.submit(slice("3g").wall(left));
        }
        world.pass();
        world.submit(slice("3g"));
        assert_eq!(proposed(&mut world).len(), expect, "{left} s are left");
    };
    check(50, 0);
    check(61, 1);
}

#[test]
fn what_is_promised_to_whoever_goes_first_is_not_cut() {
    let mut world = cut_world([boards(2)], &[]);
    world.submit(ask().boards(1).wall(1_000));
    world.pass();
    world.submit(ask().boards(2));
    world.submit(slice("1g").wall(10));
    assert_eq!(proposed(&mut world), []);
    // The other way round, the slice goes first.
    let mut world = cut_world([boards(2)], &[]);
    world.submit(ask().boards(1).wall(1_000));
    world.pass();
    let first = world.submit(slice("1g").wall(10));
    world.submit(ask().boards(2));
    assert_eq!(proposed(&mut world), [change(&[1], "MIG", first, None)]);
}

#[test]
fn a_board_drains_where_nothing_that_comes_back_helps_and_one_at_a_time() {
    let mut world = cut_world([boards(2)], &[]);
    world.submit(ask().boards(1).wall(900));
    world.submit(ask().boards(1).wall(500));
    world.pass();
    let first = world.submit(slice("3g"));
    for _ in 0..4 {
        world.submit(slice("3g"));
    }
    assert_eq!(proposed(&mut world), [change(&[1], "MIG", first, Some(500))]);
}

#[test]
fn a_board_drains_for_whole_work_that_needs_others_besides() {
    let mut world = cut_world([boards(2)], &[(1, 1)]);
    world.submit(ask().boards(1).wall(900));
    world.submit(slice("3g").wall(500));
    world.pass();
    let first = world.submit(ask().boards(2));
    assert_eq!(proposed(&mut world), [change(&[1], "whole", first, Some(900))]);
}

#[test]
fn boards_become_whole_again_for_whole_work() {
    let mut world = cut_world([boards(2)], &[(1, 0), (1, 1)]);
    let first = world.submit(ask().boards(2));
    assert_eq!(proposed(&mut world), [change(&[0, 1], "whole", first, None)]);
    // Not where the node takes no work.
    world.snapshot.fleet.set_state(nd(1), NodeState::Cordoned);
    assert_eq!(proposed(&mut world), []);
}

#[test]
fn a_change_that_breaks_a_rule_is_refused() {
    let mut world = cut_world([boards(2)], &[(1, 1)]);
    world.submit(ask().boards(1).wall(500));
    world.pass();
    let waits = world.submit(slice("3g"));
    let refused = |change: ModeChange| match check_modes(&world.snapshot, &Plan::default(), &[change], RULES) {
        Err(Violation::ModeChange { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(change(&[0], "MIG", waits, None)), "something is held on it");
    assert_eq!(refused(change(&[1], "MIG", waits, None)), "it is so already");
    assert_eq!(refused(change(&[1], "whole", waits, None)), "that serves nobody");
    assert_eq!(refused(change(&[2], "MIG", waits, None)), "it is not there");
    assert_eq!(refused(change(&[0], "MIG", waits, Some(0))), "it is drained in the past");
}
