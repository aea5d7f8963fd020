//! Order, placement, holds and backfill, one pass at a time.

use crate::world::{Ask, World, ask, nd, node, secs, show, world};
use eaf_model::{NodeState, Span};

/// Plans one pass and compares it with its text, line by line.
fn check(world: &mut World, expect: &[&str]) {
    let plan = world.pass();
    assert_eq!(show(&plan).lines().collect::<Vec<_>>(), expect);
}

const MI: &str = "MI355X";
const H: &str = "H200";

#[test]
fn order_is_priority_then_age() {
    let mut world = world([node(2, 8, &[])]);
    world.submit(ask());
    world.submit(ask());
    world.submit_with(5, &ask(), Span::from_secs(1));
    check(&mut world, &["wl-3: nd-1", "wl-1: nd-1", "hold wl-2 at 100.000: nd-1"]);
}

#[test]
fn one_task_goes_where_the_least_is_left() {
    let mut world = world([node(8, 64, &[]), node(4, 64, &[]), node(4, 64, &[]), node(4, 64, &[MI])]);
    world.submit(ask().cpu(2));
    world.submit(ask().cpu(3));
    world.submit(ask().cpu(2));
    world.submit(ask().cpu(5));
    // Equal nodes: the lower id. The node with a board is the last that CPU work takes.
    check(&mut world, &["wl-1: nd-2", "wl-2: nd-3", "wl-3: nd-2", "wl-4: nd-1"]);
    world.submit(ask().cpu(3));
    world.submit(ask().cpu(3));
    check(&mut world, &["wl-9: nd-1", "wl-10: nd-4"]);
}

#[test]
fn whole_boards_come_by_lowest_index_and_shares_from_the_fullest() {
    let mut world = world([node(64, 64, &[MI; 4])]);
    world.submit(ask().share(300));
    world.submit(ask().boards(2));
    world.submit(ask().share(500));
    world.submit(ask().share(400));
    world.submit(ask().share(200));
    check(
        &mut world,
        &["wl-1: nd-1[0:300]", "wl-2: nd-1[1 2]", "wl-3: nd-1[0:500]", "wl-4: nd-1[3:400]", "wl-5: nd-1[0:200]"],
    );
}

#[test]
fn only_models_that_will_do() {
    let mut world = world([node(64, 64, &[MI, H, MI, H]), node(64, 64, &[H, H])]);
    world.submit(ask().boards(2).model(MI));
    world.submit(ask().boards(1).model(H));
    world.submit(ask().boards(2).model("B200").model(H));
    world.submit(ask().boards(1).model("RNGD"));
    world.submit(ask().boards(1));
    // The fourth fits no node even when all are empty: it waits for nodes and keeps nobody from starting.
    check(&mut world, &["wl-1: nd-1[0 2]", "wl-2: nd-1[1]", "wl-3: nd-2[0 1]", "wl-5: nd-1[3]"]);
}

#[test]
fn a_gang_takes_few_nodes_and_starts_whole_or_not_at_all() {
    let fleet = || world([node(2, 64, &[]), node(8, 64, &[]), node(4, 64, &[]), node(3, 64, &[])]);
    let check_gang = |ask: Ask, expect: &[&str]| {
        let mut world = fleet();
        world.submit(ask);
        check(&mut world, expect);
    };
    check_gang(ask().tasks(3), &["wl-1: nd-4, nd-4, nd-4"]);
    check_gang(ask().tasks(4), &["wl-1: nd-3, nd-3, nd-3, nd-3"]);
    check_gang(ask().tasks(11), &["wl-1: nd-2, nd-2, nd-2, nd-2, nd-2, nd-2, nd-2, nd-2, nd-4, nd-4, nd-4"]);
    check_gang(ask().tasks(3).per_node(1), &["wl-1: nd-1, nd-4, nd-3"]);
    check_gang(ask().tasks(4).cpu(2).per_node(2), &["wl-1: nd-3, nd-3, nd-2, nd-2"]);
    check_gang(ask().tasks(18), &[]);
    check_gang(ask().tasks(5).per_node(1), &[]);
}

#[test]
fn only_ready_nodes_take_work() {
    let mut world = world([node(1, 8, &[]), node(1, 8, &[]), node(1, 8, &[])]);
    world.snapshot.fleet.set_state(nd(1), NodeState::Cordoned);
    world.snapshot.fleet.set_state(nd(2), NodeState::Lost);
    world.submit(ask());
    world.submit(ask());
    check(&mut world, &["wl-1: nd-3", "hold wl-2 at 100.000: nd-3"]);
    world.snapshot.fleet.set_state(nd(1), NodeState::Ready);
    check(&mut world, &["wl-2: nd-1"]);
}

#[test]
fn the_head_is_promised_the_earliest_time_that_makes_room() {
    let mut world = world([node(4, 64, &[]), node(4, 64, &[])]);
    world.submit(ask().cpu(4).wall(50));
    world.submit(ask().cpu(2).wall(30));
    check(&mut world, &["wl-1: nd-1", "wl-2: nd-2"]);
    world.snapshot.now = secs(10);
    world.submit(ask().cpu(3).wall(100));
    check(&mut world, &["hold wl-5 at 30.000: nd-2"]);
    world.cancel(crate::world::wl(5));
    world.submit(ask().tasks(2).cpu(4).wall(100));
    check(&mut world, &["hold wl-6 at 50.000: nd-1, nd-2"]);
}

#[test]
fn what_is_overdue_is_expected_at_the_next_instant() {
    let mut world = world([node(1, 8, &[])]);
    world.submit(ask().wall(5));
    check(&mut world, &["wl-1: nd-1"]);
    world.snapshot.now = secs(60);
    world.submit(ask());
    check(&mut world, &["hold wl-3 at 60.001: nd-1"]);
}

#[test]
fn backfill_starts_what_ends_before_the_hold_or_leaves_what_it_needs() {
    let mut world = world([node(4, 64, &[]), node(2, 64, &[])]);
    world.submit(ask().cpu(3).wall(100));
    world.submit(ask().cpu(4).wall(100));
    world.submit(ask().cpu(1).wall(101)); // Would still hold a CPU of nd-1 at 100 s, but nd-2 is beside the hold.
    world.submit(ask().cpu(1).wall(101)); // The same again.
    world.submit(ask().cpu(1).wall(101)); // Only nd-1 is left, and the hold needs all of it.
    world.submit(ask().cpu(1).wall(100)); // Ends just in time.
    check(&mut world, &["wl-1: nd-1", "wl-3: nd-2", "wl-4: nd-2", "wl-6: nd-1", "hold wl-2 at 100.000: nd-1"]);
}

#[test]
fn backfill_may_use_what_is_left_on_a_node_beside_the_hold() {
    let mut world = world([node(8, 64, &[MI; 4])]);
    world.submit(ask().boards(3).wall(100));
    world.submit(ask().boards(3).wall(100)); // The head: boards 0 to 2 at 100 s, and board 3 stays.
    world.submit(ask().boards(1).wall(500));
    check(&mut world, &["wl-1: nd-1[0 1 2]", "wl-3: nd-1[3]", "hold wl-2 at 100.000: nd-1[0 1 2]"]);

    let mut world = crate::world::world([node(8, 64, &[MI; 4])]);
    world.submit(ask().boards(2).wall(100));
    world.submit(ask().boards(3).wall(100)); // Boards 0 to 2: one of the two that are free now.
    world.submit(ask().boards(2).wall(500)); // Would take board 2 as well.
    world.submit(ask().boards(1).wall(500)); // Board 3 is beside the hold, board 2 is not.
    world.submit(ask().boards(1).wall(100)); // Ends in time, so it may have board 2.
    check(&mut world, &["wl-1: nd-1[0 1]", "wl-4: nd-1[3]", "wl-5: nd-1[2]", "hold wl-2 at 100.000: nd-1[0 1 2]"]);
}

#[test]
fn a_pass_ends_early_rather_than_out_of_order() {
    let mut world = world([node(8, 64, &[])]);
    world.snapshot.grants_max = 2;
    for _ in 0..3 {
        world.submit(ask());
    }
    check(&mut world, &["wl-1: nd-1", "wl-2: nd-1"]);
    check(&mut world, &["wl-3: nd-1"]);

    world.snapshot.shapes_max = 1;
    world.submit(ask());
    world.submit(ask().cpu(2));
    world.submit(ask());
    // The third is of the shape that was met, but the second goes before it and is not met.
    check(&mut world, &["wl-7: nd-1"]);
}

#[test]
fn what_no_ready_node_holds_hides_nobody() {
    let mut world = world([node(8, 64, &[]), node(64, 64, &[])]);
    world.snapshot.fleet.set_state(nd(2), NodeState::Cordoned);
    world.snapshot.shapes_max = 1;
    for more in 0..20 {
        world.submit(ask().cpu(32 + more));
    }
    world.submit(ask());
    check(&mut world, &["wl-21: nd-1"]);
}

#[test]
fn a_pass_looks_at_a_bounded_number_of_nodes() {
    // No two nodes are alike, and none has the memory: every one is looked at for every shape.
    let nodes = || world((1..=300).map(|threads| node(threads, 1, &[])));
    let passes = |shapes: u64, expect: &[&str]| {
        let mut world = nodes();
        for wall in 0..shapes {
            world.submit(ask().memory(2).wall(wall));
        }
        world.submit_with(-1, &ask(), Span::from_secs(1));
        check(&mut world, expect);
    };
    passes(100, &["wl-101: nd-1"]);
    passes(300, &[]);
}

#[test]
fn requests_that_the_words_forbid_fit_nowhere() {
    let mut world = world([node(8, 64, &[MI; 4])]);
    let mut parts_of_two = ask().boards(2);
    parts_of_two.0.task.accelerators.share.0 = 500;
    world.submit(parts_of_two);
    world.submit(ask().share(0));
    world.submit(ask().share(2_000));
    check(&mut world, &[]);
}

#[test]
fn work_without_a_known_end_promises_nothing_and_blocks_nobody() {
    let mut world = world([node(2, 8, &[])]);
    let mut endless = ask().cpu(1);
    endless.0.wall = Span(u64::MAX);
    world.submit(endless);
    world.submit(ask().cpu(2));
    world.submit(ask().cpu(1));
    check(&mut world, &["wl-1: nd-1", "wl-3: nd-1"]);
}

#[test]
fn the_first_few_who_cannot_start_are_promised_a_start_each_beside_those_before() {
    let mut world = world([node(4, 64, &[]), node(4, 64, &[])]).holds(3);
    world.submit(ask().cpu(4).wall(100));
    world.submit(ask().cpu(3).wall(40));
    world.pass();
    world.submit(ask().tasks(2).cpu(4).wall(50)); // Both nodes, when the first is over.
    world.submit(ask().cpu(2).wall(60)); // Would be in the way of that from 40 s on.
    world.submit(ask().cpu(4).wall(30)); // Fits between 40 s and 100 s, and waits for neither.
    world.submit(ask().cpu(4).wall(10)); // The fourth, to whom nothing is promised.
    world.submit(ask().cpu(1).wall(40)); // Ends as the third is to begin.
    world.submit(ask().cpu(1).wall(41)); // Would not.
    let expect = [
        "wl-9: nd-2",
        "hold wl-5 at 100.000: nd-1, nd-2",
        "hold wl-6 at 40.000 or 150.000: nd-2",
        "hold wl-7 at 150.000 or 210.000: nd-1",
    ];
    check(&mut world, &expect);
}

#[test]
fn what_is_promised_lies_between_windows() {
    let mut world =
        world([node(4, 64, &[]), node(4, 64, &[])]).holds(2).windows(&[(nd(1), 150, 200), (nd(2), 120, 300)]);
    world.submit(ask().tasks(2).cpu(4).wall(100));
    world.pass();
    world.submit(ask().cpu(4).wall(60)); // Neither node is free for so long before its window.
    world.submit(ask().cpu(4).wall(45)); // The first is, between the first one's end and its window.
    check(&mut world, &["hold wl-3 at 200.000: nd-1", "hold wl-4 at 100.000 or 300.000: nd-1"]);
}

#[test]
fn a_gang_that_may_start_with_fewer_takes_what_there_is_beside_what_is_promised() {
    let mut world = world([node(4, 64, &[]), node(4, 64, &[])]);
    world.submit(ask().cpu(4).wall(100));
    world.pass();
    world.submit(ask().tasks(6).wall(100)); // The second node has room for four.
    world.submit(ask().tasks(2).up_to(6).wall(50));
    world.submit(ask().tasks(2).up_to(6).cpu(2).wall(50));
    let expect = ["wl-4: nd-2, nd-2, nd-2, nd-2", "hold wl-3 at 100.000: nd-1, nd-1, nd-1, nd-1, nd-2, nd-2"];
    check(&mut world, &expect);
    let mut long = world.clone();
    long.submit(ask().tasks(1).up_to(6).wall(500));
    check(&mut long, &["hold wl-3 at 100.000: nd-1, nd-1, nd-1, nd-1, nd-2, nd-2"]);
}
