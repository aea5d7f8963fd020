//! The fleet: what is counted, what is refused, and what could ever fit.

use crate::world::{Ask, ask, gib, nd, node};
use eaf_model::{Allotment, AllottedAccelerator, CpuMilli, GpuMilli, LargestFit, NodeState};
use eaf_sched::Fleet;

const MI: &str = "MI355X";
const H: &str = "H200";

fn allotment(threads: u64, gibs: u64, boards: &[(u16, u64)]) -> Allotment {
    let board = |(index, share): &(u16, u64)| AllottedAccelerator::of(*index, GpuMilli(*share));
    let accelerators = boards.iter().map(board).collect();
    Allotment { node: nd(1), cpu: CpuMilli(threads * 1_000), memory: gib(gibs), accelerators }
}

fn fleet() -> Fleet {
    let mut fleet = Fleet::new();
    fleet.add(nd(1), &node(8, 64, &[MI, MI, H]));
    fleet
}

#[test]
fn holding_and_releasing_count_every_part() {
    let mut fleet = fleet();
    let empty = fleet.clone();
    fleet.hold(&allotment(3, 10, &[(0, 250), (2, 1_000)]));
    let held = fleet.get(nd(1)).expect("it is there");
    assert_eq!(
        (held.cpu_total(), held.cpu_free(), held.cpu_held()),
        (CpuMilli(8_000), CpuMilli(5_000), CpuMilli(3_000))
    );
    assert_eq!((held.memory_total(), held.memory_free(), held.memory_held()), (gib(64), gib(54), gib(10)));
    let boards: Vec<_> = held.accelerators().collect();
    assert_eq!(boards, [(MI, GpuMilli(750)), (MI, GpuMilli(1_000)), (H, GpuMilli(0))]);
    assert_ne!(fleet, empty);
    fleet.release(&allotment(3, 10, &[(0, 250), (2, 1_000)]));
    assert_eq!(fleet, empty);
}

/// What breaks an invariant asserts, and says which.
fn check_asserts(expect: &str, broken: impl FnOnce(&mut Fleet) + std::panic::UnwindSafe) {
    let outcome = std::panic::catch_unwind(|| broken(&mut fleet()));
    let payload = outcome.expect_err("the broken invariant asserts");
    let said = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
    assert!(said.is_some_and(|said| said.contains(expect)), "{said:?} does not speak of {expect:?}");
}

#[test]
fn broken_invariants_assert() {
    check_asserts("CPU to be held is free", |fleet| fleet.hold(&allotment(9, 1, &[])));
    check_asserts("memory to be held is free", |fleet| fleet.hold(&allotment(1, 65, &[])));
    check_asserts("accelerator to be held is free", |fleet| {
        fleet.hold(&allotment(1, 1, &[(1, 600)]));
        fleet.hold(&allotment(1, 1, &[(1, 600)]));
    });
    check_asserts("accelerator 3 is there", |fleet| fleet.hold(&allotment(1, 1, &[(3, 600)])));
    check_asserts("CPU to be released is held", |fleet| fleet.release(&allotment(1, 0, &[])));
    check_asserts("memory to be released is held", |fleet| fleet.release(&allotment(0, 1, &[])));
    check_asserts("accelerator to be released is held", |fleet| fleet.release(&allotment(0, 0, &[(0, 1)])));
    check_asserts("nothing is held", |fleet| {
        fleet.hold(&allotment(0, 0, &[(1, 1)]));
        fleet.remove(nd(1));
    });
    check_asserts("is added once", |fleet| fleet.add(nd(1), &node(1, 1, &[])));
    check_asserts("is in the fleet", |fleet| fleet.set_state(nd(2), NodeState::Lost));
}

#[test]
fn a_changed_node_keeps_what_is_held() {
    let mut fleet = fleet();
    fleet.hold(&allotment(3, 10, &[(1, 250)]));
    let check = |spec, expect| assert_eq!(fleet.covers_held(nd(1), &spec), expect);
    check(node(3, 10, &[H, MI]), true);
    check(node(2, 10, &[H, MI]), false);
    check(node(3, 9, &[H, MI]), false);
    check(node(3, 10, &[MI, H]), false);
    check(node(3, 10, &[MI]), false);
    fleet.change(nd(1), &node(16, 128, &[H, MI, H, H]));
    let mut fresh = Fleet::new();
    fresh.add(nd(1), &node(16, 128, &[H, MI, H, H]));
    fresh.hold(&allotment(3, 10, &[(1, 250)]));
    assert_eq!(fleet, fresh);
}

#[test]
fn nodes_come_and_go() {
    let mut fleet = fleet();
    let before = fleet.clone();
    fleet.add(nd(2), &node(1, 1, &[]));
    fleet.set_state(nd(2), NodeState::Cordoned);
    assert_eq!((fleet.len(), fleet.nodes().map(|(id, _)| id).collect::<Vec<_>>()), (2, vec![nd(1), nd(2)]));
    fleet.remove(nd(2));
    assert_eq!(fleet, before);
    fleet.remove(nd(1));
    assert_eq!((fleet.clone(), fleet.is_empty()), (Fleet::new(), true));
}

#[test]
fn what_could_ever_fit() {
    let mut fleet = Fleet::new();
    fleet.add(nd(1), &node(64, 256, &[MI; 8]));
    fleet.add(nd(2), &node(64, 256, &[MI; 8]));
    fleet.add(nd(3), &node(128, 1_024, &[]));
    // Neither what is held nor the state of a node counts.
    fleet.hold(&allotment(64, 256, &[(0, 1_000)]));
    fleet.set_state(nd(2), NodeState::Lost);
    fleet.set_state(nd(3), NodeState::Cordoned);
    let check = |ask: Ask, expect: Result<(), (u32, u64, u64, u32)>| {
        let largest = |(tasks, threads, gibs, accelerators)| LargestFit {
            tasks,
            cpu: CpuMilli(threads * 1_000),
            memory: gib(gibs),
            accelerators,
        };
        assert_eq!(fleet.ever_fits(&ask.0), expect.map_err(largest), "{ask:?}");
    };
    check(ask(), Ok(()));
    check(ask().tasks(256), Ok(()));
    check(ask().tasks(257), Err((256, 128, 1_024, 8)));
    check(ask().boards(8).tasks(2), Ok(()));
    check(ask().boards(8).tasks(3), Err((2, 64, 256, 8)));
    check(ask().boards(9), Err((0, 0, 0, 8)));
    check(ask().boards(1).model(H), Err((0, 0, 0, 0)));
    check(ask().boards(1).cpu(65), Err((0, 64, 0, 0)));
    check(ask().memory(2_000), Err((0, 0, 1_024, 0)));
    check(ask().tasks(4).per_node(1), Err((3, 128, 1_024, 8)));
    check(ask().share(250).tasks(64), Ok(()));
    check(ask().share(250).tasks(65), Err((64, 64, 256, 8)));
}
