//! Gangs stay together in the fabric, and ranks follow it.

use crate::world::{World, ask, nd, node, show, within, world};
use eaf_model::NodeState;

/// A node of four boards for each place.
fn fabric(places: &[&str]) -> World {
    world(places.iter().map(|place| within(place, node(64, 64, &["MI"; 4]))))
}

/// Plans a gang of so many tasks of four boards and compares the nodes, by rank.
fn check(world: &mut World, tasks: u32, expect: &str) {
    world.submit(ask().tasks(tasks).boards(4));
    let plan = world.pass();
    let text = show(&plan).replace("[0 1 2 3]", "");
    let nodes = text.trim().split_once(": ").map(|(_, nodes)| nodes.replace("nd-", ""));
    assert_eq!(nodes.as_deref(), Some(expect), "{text}");
}

#[test]
fn a_gang_goes_into_one_leaf_where_it_fits_the_tightest_first() {
    let mut world = fabric(&["s/a", "s/b", "s/a", "s/b", "s/a", "s/c", "s/c"]);
    // a has three nodes, b and c two each; of those that are as tight, the first by name.
    check(&mut world, 2, "2, 4");
    check(&mut world, 3, "1, 3, 5");
    check(&mut world, 2, "6, 7");
}

#[test]
fn a_larger_gang_takes_few_leaves_of_one_spine_and_ranks_follow_them() {
    let mut world = fabric(&["s/a", "t/c", "s/b", "t/c", "s/a", "t/d", "s/b", "t/d", "s/b", "t/e"]);
    // s has five nodes and t too; s with leaves of three and two, t of two, two and one.
    check(&mut world, 5, "3, 7, 9, 1, 5");
    check(&mut world, 3, "2, 4, 10");
}

#[test]
fn across_spines_the_roomiest_goes_first_and_nodes_without_a_place_are_one_more() {
    let mut world = fabric(&["s/a", "", "t/b", "t/b", "", "t/b"]);
    check(&mut world, 6, "3, 4, 6, 2, 5, 1");
    let mut world = fabric(&["s/a", "s/b", ""]);
    check(&mut world, 2, "1, 2");
    check(&mut world, 1, "3");
}

#[test]
fn what_is_not_ready_is_not_near() {
    let mut world = fabric(&["s/a", "s/a", "s/b", "s/b"]);
    world.snapshot.fleet.set_state(nd(2), NodeState::Cordoned);
    check(&mut world, 2, "3, 4");
    world.snapshot.fleet.set_state(nd(2), NodeState::Ready);
    check(&mut world, 2, "1, 2");
}

#[test]
fn a_tree_of_any_depth() {
    let mut world = fabric(&["p/q/r/1", "p/q/r/2", "p/q/u/3", "p/v", "p/q/r/1"]);
    check(&mut world, 2, "1, 5");
    check(&mut world, 2, "2, 3");
}

#[test]
fn several_tasks_of_a_node_stay_on_it() {
    let mut world = fabric(&["s/a", "s/b", "s/b", "s/a"]);
    world.submit(ask().tasks(3).boards(2));
    assert_eq!(show(&world.pass()), "wl-1: nd-1[0 1], nd-1[2 3], nd-4[0 1]\n");
}
