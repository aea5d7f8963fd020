//! Modes of accelerators: cut for who waits, verified, given up, and never under a tenant.

use crate::Factory;
use eaf_core::explain;
use eaf_model::{
    Accelerator, Blocker, Bytes, CpuMilli, Event, Exit, Input, ModeReport, ModeScope, ModeState, NodeId, NodeSpec,
    PartitionMode, Rejection, Settings, SliceProfile, Span, TaskReport, Test, WorkloadId, WorkloadSpec,
};
use std::collections::BTreeMap;

/// A mode of so many equal slices.
fn equal(name: &str, count: u8, scope: ModeScope) -> PartitionMode {
    let share = eaf_model::GpuMilli(1_000 / u64::from(count));
    let starts = (0..count).collect();
    let slice = SliceProfile { profile: name.to_owned(), share, memory: None, slots: 1, starts };
    PartitionMode { name: name.to_owned(), scope, slots: count, slices_per_task_max: 0, slices: vec![slice] }
}

/// One node of boards that can be halved each alone, or quartered together.
fn factory(boards: usize) -> Factory {
    let mut factory = Factory::with_nodes(&[]);
    let mut settings = Settings::default();
    let modes = vec![equal("HALF", 2, ModeScope::Accelerator), equal("QUARTER/ALL", 4, ModeScope::Node)];
    settings.partitions.models.insert("X1".to_owned(), modes);
    factory.must(&Input::Configure(Box::new(settings)));
    factory.must(&Input::NodeSeen(NodeSpec {
        name: "node".to_owned(),
        cpu: CpuMilli(64_000),
        memory: Bytes(64 << 30),
        accelerators: vec![Accelerator { model: "X1".to_owned(), memory: None, uuid: None }; boards],
        fabric: Vec::new(),
        pretended: true,
        labels: BTreeMap::new(),
    }));
    factory
}

fn ask(slice: Option<&str>, count: u32, minutes: u64) -> WorkloadSpec {
    let mut spec = WorkloadSpec::command(&["true"]);
    spec.task.accelerators.count = count;
    spec.task.accelerators.slice = slice.map(str::to_owned);
    spec.wall_time = Some(Span::from_secs(60 * minutes));
    spec
}

impl Factory {
    fn the_node(&self) -> NodeId {
        *self.state.nodes().next().expect("there is a node").0
    }

    fn mode(&self, board: u16) -> (String, ModeState) {
        let (mode, state) = self.state.node(self.the_node()).expect("it is there").mode(board);
        (mode.to_owned(), state)
    }

    fn order(&self, board: u16) -> u64 {
        self.state.node(self.the_node()).expect("it is there").modes[&board].order
    }

    /// The engine says what came of the change of these.
    fn done(&mut self, boards: &[u16], report: ModeReport) -> Result<(), Rejection> {
        let (node, order) = (self.the_node(), self.order(boards[0]));
        self.try_step(&Input::ModeReported { node, accelerators: boards.to_vec(), order, report }).map(|_| ())
    }

    fn verified(&mut self, boards: &[u16], mode: &str) {
        self.done(boards, ModeReport::InForce { mode: mode.to_owned() }).expect("the report counts");
    }

    fn places(&self, id: WorkloadId) -> Vec<(u16, u8)> {
        let lease = self.state.workload(id).and_then(|workload| workload.lease).expect("it holds a lease");
        let held = self.state.lease(lease).expect("it is alive").placement[0].accelerators.iter();
        held.map(|one| (one.index, one.slice.as_ref().expect("a slice").start)).collect()
    }
}

#[test]
fn an_empty_board_is_cut_verified_used_and_made_whole_again() {
    let mut factory = factory(1);
    let first = factory.submit(ask(Some("HALF"), 1, 10));
    factory.plan();
    assert_eq!(factory.mode(0), ("whole".to_owned(), ModeState::Changing));
    assert_eq!(factory.owed(), ["node [0] HALF"]);
    let explained = explain(&factory.state, factory.now, first).expect("it waits");
    assert!(matches!(explained.blockers[0], Blocker::ModeChange { draining: false, until: Some(_), .. }));
    assert_eq!(explained.failing[0].test, Test::Mode);
    factory.verified(&[0], "HALF");
    assert!(factory.owed().is_empty());
    let second = factory.submit(ask(Some("HALF"), 1, 10));
    factory.plan();
    assert_eq!((factory.places(first), factory.places(second)), (vec![(0, 0)], vec![(0, 1)]));
    // Whole work waits until both are gone: no mode changes under a tenant.
    let whole = factory.submit(ask(None, 1, 10));
    factory.start(first);
    factory.start(second);
    factory.plan();
    assert_eq!(factory.mode(0), ("HALF".to_owned(), ModeState::Draining));
    let third = factory.submit(ask(Some("HALF"), 1, 10));
    factory.exit(first, &Exit::Code(0));
    factory.plan();
    assert_eq!(factory.mode(0).1, ModeState::Draining, "it takes no more work, and one is still there");
    factory.exit(second, &Exit::Code(0));
    factory.plan();
    assert_eq!(factory.owed(), ["node [0] whole"]);
    factory.verified(&[0], "whole");
    factory.plan();
    assert!(factory.state.workload(whole).is_some_and(|workload| workload.lease.is_some()));
    assert!(factory.state.workload(third).is_some_and(|workload| workload.lease.is_none()));
}

#[test]
fn what_is_free_sooner_than_a_change_is_waited_for() {
    let mut factory = factory(2);
    let first = factory.submit(ask(Some("HALF"), 2, 10));
    factory.plan();
    factory.verified(&[0], "HALF");
    factory.plan();
    factory.start(first);
    factory.wait(Span::from_secs(9 * 60 + 30));
    // Half a minute is left of the first, and a change takes a minute.
    factory.submit(ask(Some("HALF"), 1, 10));
    factory.plan();
    assert_eq!(factory.mode(1), ("whole".to_owned(), ModeState::Settled));
}

#[test]
fn a_change_that_fails_or_is_late_takes_the_accelerator_out_of_service_until_an_operator_orders() {
    let mut factory = factory(1);
    factory.submit(ask(Some("HALF"), 1, 10));
    factory.plan();
    factory.done(&[0], ModeReport::Failed { why: "no".to_owned() }).expect("the report counts");
    assert_eq!(factory.mode(0).1, ModeState::OutOfService);
    assert_eq!(factory.done(&[0], ModeReport::InForce { mode: "HALF".to_owned() }), {
        Err(Rejection::StaleModeReport { node: factory.the_node() })
    });
    factory.plan();
    assert!(factory.owed().is_empty(), "nobody but an operator tries again");
    let node = factory.the_node();
    let set = |mode: &str| Input::SetMode { node, accelerators: vec![0], mode: mode.to_owned(), by: "op".to_owned() };
    factory.must(&set("HALF"));
    assert_eq!(factory.try_step(&set("whole")), Err(Rejection::AcceleratorBusy { node, accelerator: 0 }));
    factory.wait(Span::from_secs(601));
    assert_eq!(factory.mode(0).1, ModeState::OutOfService);
    factory.must(&set("whole"));
    factory.done(&[0], ModeReport::InForce { mode: "HALF".to_owned() }).expect("the report counts");
    assert_eq!(factory.mode(0).1, ModeState::OutOfService, "another mode is in force than was ordered");
    factory.must(&set("HALF"));
    factory.verified(&[0], "HALF");
    factory.plan();
    assert_eq!(factory.owed(), ["start ls-12.0/0"]);
}

#[test]
fn a_drain_is_given_up_with_the_one_it_was_for() {
    let mut factory = factory(1);
    let whole = factory.submit(ask(None, 1, 600));
    factory.plan();
    factory.start(whole);
    let slice = factory.submit(ask(Some("HALF"), 1, 10));
    factory.plan();
    assert_eq!(factory.mode(0), ("whole".to_owned(), ModeState::Draining));
    let explained = explain(&factory.state, factory.now, slice).expect("it waits");
    assert!(matches!(explained.blockers[0], Blocker::ModeChange { draining: true, until: Some(_), .. }));
    factory.must(&Input::Cancel { workload: slice, by: "ann".to_owned() });
    factory.plan();
    assert_eq!(factory.mode(0), ("whole".to_owned(), ModeState::Settled));
}

#[test]
fn boards_that_change_together_are_all_empty_or_none_changes() {
    let mut factory = factory(2);
    let whole = factory.submit(ask(None, 1, 600));
    factory.plan();
    factory.start(whole);
    let node = factory.the_node();
    let alone = Input::SetMode { node, accelerators: vec![1], mode: "QUARTER/ALL".to_owned(), by: "op".to_owned() };
    assert!(matches!(factory.try_step(&alone), Err(Rejection::Invalid { .. })));
    let quarter = factory.submit(ask(Some("QUARTER"), 1, 10));
    factory.plan();
    assert_eq!((factory.mode(0).1, factory.mode(1).1), (ModeState::Draining, ModeState::Draining));
    factory.exit(whole, &Exit::Code(0));
    factory.plan();
    assert_eq!(factory.owed(), ["node [0, 1] QUARTER/ALL"]);
    factory.verified(&[0, 1], "QUARTER/ALL");
    factory.plan();
    assert_eq!(factory.places(quarter), [(0, 0)]);
}

#[test]
fn a_mode_that_is_seen_is_taken_where_nothing_is_held_and_distrusted_where_something_is() {
    let mut factory = factory(2);
    let whole = factory.submit(ask(None, 1, 600));
    factory.plan();
    factory.start(whole);
    let modes = vec![(0, "HALF".to_owned()), (1, "HALF".to_owned()), (9, "HALF".to_owned())];
    factory.must(&Input::ModesSeen { name: "node".to_owned(), modes });
    assert_eq!(factory.mode(0), ("whole".to_owned(), ModeState::OutOfService));
    assert_eq!(factory.mode(1), ("HALF".to_owned(), ModeState::Settled));
}

#[test]
fn slices_that_nobody_offers_are_refused_with_what_there_is() {
    let mut factory = factory(1);
    let mut check = |spec: WorkloadSpec, expect: &Rejection| {
        assert_eq!(factory.submit_as(spec, &[], None).as_ref(), Err(expect));
    };
    let offered = || vec!["HALF".to_owned(), "QUARTER/ALL".to_owned()];
    check(ask(Some("1g"), 1, 1), &Rejection::SliceUnknown { slice: "1g".into(), model: None, offered: offered() });
    let mut other = ask(Some("HALF"), 1, 1);
    other.task.accelerators.models = vec!["X1".into(), "RNGD".into()];
    let (slice, model) = ("HALF".to_owned(), Some("RNGD".to_owned()));
    check(other, &Rejection::SliceUnknown { slice, model, offered: Vec::new() });
    let mut shared = ask(Some("HALF"), 1, 1);
    shared.task.accelerators.share = eaf_model::GpuMilli(500);
    let conflict = |with: &str| Rejection::Invalid {
        field: "task.accelerators.slice".to_owned(),
        problem: eaf_model::FieldProblem::Conflicts { with: format!("task.accelerators.{with}") },
    };
    check(shared, &conflict("share"));
    check(ask(Some("HALF"), 0, 1), &conflict("count"));
}

#[test]
fn a_task_that_is_lost_for_its_mode_is_tried_again() {
    let mut factory = factory(1);
    let id = factory.submit(ask(Some("HALF"), 1, 10));
    factory.plan();
    factory.verified(&[0], "HALF");
    factory.plan();
    let key = factory.tasks(id)[0];
    let lost = Exit::Lost("its accelerator is in another mode".to_owned());
    let step =
        factory.report(key, TaskReport::Exited { at: factory.now, exit: lost, usage: eaf_model::Usage::default() });
    let requeued = |event: &Event| matches!(event, Event::WorkloadRequeued { .. });
    assert!(step.expect("the exit is news").events.iter().any(requeued));
}
