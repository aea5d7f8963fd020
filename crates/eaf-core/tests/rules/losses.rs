//! Losses: nodes that go silent, come back, and what ran there meanwhile.

use crate::{Factory, cpus, gang};
use WorkloadState::{Failed, Granted, Queued, Running, Stopping};
use eaf_model::{
    Exit, Input, NodeId, NodeState, OnLoss, Reason, Rejection, Span, TaskReport, Waiver, WorkloadSpec, WorkloadState,
};

fn lose(factory: &mut Factory, node: NodeId) {
    factory.must(&Input::NodeLost { node, why: "silent".to_owned() });
}

fn back(factory: &mut Factory, node: NodeId) {
    let spec = (*factory.state.node(node).expect("it is known").spec).clone();
    factory.must(&Input::NodeSeen(spec));
}

#[test]
fn a_node_that_comes_back_in_time_has_lost_nothing() {
    let mut factory = Factory::with_nodes(&[2]);
    let id = factory.submit(cpus(1));
    factory.plan();
    factory.start(id);
    lose(&mut factory, NodeId::of_step(1));
    let again = factory.try_step(&Input::NodeLost { node: NodeId::of_step(1), why: "silent".to_owned() });
    assert_eq!(again, Err(Rejection::NodeUnchanged { node: NodeId::of_step(1) }));
    factory.wait(Span::from_secs(59));
    assert_eq!(factory.state_of(id), Running);
    back(&mut factory, NodeId::of_step(1));
    factory.wait(Span::from_secs(120));
    assert_eq!(factory.state_of(id), Running);
}

#[test]
fn what_a_lost_node_held_is_kept_from_others_until_it_is_known_to_be_gone() {
    let mut factory = Factory::with_nodes(&[2]);
    let node = NodeId::of_step(1);
    let id = factory.submit(cpus(2));
    factory.plan();
    let key = factory.tasks(id)[0];
    factory.start(id);
    lose(&mut factory, node);
    factory.wait(Span::from_secs(60));
    assert!(matches!(factory.workload(id).state_reason, Reason::RetryAfterLoss { .. }));
    assert!(factory.owed().is_empty(), "nobody can be told while the node is silent");
    back(&mut factory, node);
    factory.wait(Span::from_secs(10));
    factory.plan();
    assert_eq!(factory.state_of(id), Queued, "the first attempt may still be running there");
    assert_eq!(factory.owed(), [format!("stop {}/0", key.lease)]);
    let stale = factory.report(key, TaskReport::Started { at: factory.now });
    assert_eq!(stale, Err(Rejection::StaleReport { lease: key.lease }));
    factory.exit_task(key, Exit::Signal(15));
    factory.plan();
    assert_eq!(factory.state_of(id), Granted);
    assert_eq!(factory.workload(id).attempts[0].bill.waiver, Some(Waiver::FactoryFault));
}

#[test]
fn a_gang_does_not_go_on_below_its_size() {
    let mut factory = Factory::with_nodes(&[2, 2, 2]);
    let id = factory.submit(gang(4, 1));
    factory.plan();
    factory.start(id);
    let lease = factory.workload(id).lease.expect("it runs");
    let placement = factory.state.lease(lease).expect("it is alive").placement.clone();
    let lost = placement[0].node;
    lose(&mut factory, lost);
    factory.wait(Span::from_secs(60));
    assert_eq!(
        (factory.state_of(id), &factory.workload(id).state_reason),
        (Stopping, &Reason::NodeLost { node: lost })
    );
    for (key, part) in factory.tasks(id).into_iter().zip(placement.iter()) {
        if part.node != lost {
            factory.exit_task(key, Exit::Signal(15));
        }
    }
    assert_eq!(factory.workload(id).losses, 1);
    factory.wait(Span::from_secs(10));
    factory.plan();
    assert_eq!(factory.state_of(id), Granted, "the two other nodes hold all four tasks");
}

#[test]
fn losses_cost_no_retries_and_are_bounded() {
    let mut factory = Factory::with_nodes(&[2]);
    let stubborn = factory.submit(WorkloadSpec { on_loss: OnLoss::Fail, ..cpus(1) });
    factory.plan();
    factory.start(stubborn);
    factory.exit(stubborn, &Exit::Lost("its supervisor was killed".to_owned()));
    assert_eq!(factory.state_of(stubborn), Failed);
    let id = factory.submit(cpus(1));
    let mut attempts = 0;
    while factory.state_of(id) == Queued {
        factory.wait(Span::from_secs(300));
        factory.plan();
        factory.start(id);
        factory.exit(id, &Exit::Lost("gone".to_owned()));
        attempts += 1;
    }
    assert_eq!((factory.state_of(id), attempts, factory.workload(id).retries_spent), (Failed, 9, 0));
}

#[test]
fn a_cordoned_node_keeps_its_work_and_takes_no_more() {
    let mut factory = Factory::with_nodes(&[4]);
    let node = NodeId::of_step(1);
    let first = factory.submit(cpus(1));
    factory.plan();
    factory.start(first);
    factory.must(&Input::Cordon { node, why: "fan".to_owned() });
    let second = factory.submit(cpus(1));
    factory.plan();
    assert_eq!((factory.state_of(first), factory.state_of(second)), (Running, Queued));
    assert!(matches!(factory.try_step(&Input::RemoveNode { node }), Err(Rejection::NodeHoldsMore { leases: 1, .. })));
    factory.must(&Input::Uncordon { node });
    factory.plan();
    assert_eq!(factory.state_of(second), Granted);
}

#[test]
fn a_lost_node_that_comes_back_with_less_than_is_held_on_it_is_heard_of_and_takes_nothing_new() {
    let mut factory = Factory::with_nodes(&[4]);
    let node = NodeId::of_step(1);
    let id = factory.submit(cpus(3));
    factory.plan();
    let key = factory.tasks(id)[0];
    factory.start(id);
    lose(&mut factory, node);
    factory.wait(Span::from_secs(60));
    let mut smaller = (*factory.state.node(node).expect("it is known").spec).clone();
    smaller.cpu = eaf_model::CpuMilli(2_000);
    factory.must(&Input::NodeSeen(smaller.clone()));
    // What was given up there can be stopped now.
    assert_eq!(factory.owed(), [format!("stop {}/0", key.lease)]);
    assert_eq!(factory.state.node(node).map(|node| node.state()), Some(NodeState::Cordoned));
    assert!(factory.try_step(&Input::NodeSeen(smaller.clone())).is_err(), "it still holds more than it would have");
    factory.exit_task(key, Exit::Signal(15));
    factory.must(&Input::NodeSeen(smaller.clone()));
    assert_eq!(factory.state.node(node).map(|node| (*node.spec).clone()), Some(smaller));
}

#[test]
fn a_place_in_the_fabric_is_a_short_list_of_names() {
    let mut factory = Factory::with_nodes(&[4]);
    let node = factory.state.node_named("node-0").expect("the node").spec.clone();
    let mut check = |fabric: Vec<String>, passes: bool| {
        let spec = eaf_model::NodeSpec { fabric, ..(*node).clone() };
        assert_eq!(factory.try_step(&Input::NodeSeen(spec.clone())).is_ok(), passes, "{:?}", spec.fabric);
    };
    check(vec!["spine".to_owned(), "leaf".to_owned()], true);
    check(vec![String::new()], false);
    check(vec!["a\nb".to_owned()], false);
    check(vec!["x".repeat(129)], false);
    check(vec!["x".to_owned(); 9], false);
    check(vec!["x".to_owned(); 8], true);
    check(Vec::new(), true);
}
