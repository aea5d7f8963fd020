//! The lives of workloads: every state, cancelled in every state, and what they cost.

use crate::{Factory, cpus, gang};
use WorkloadState::{Cancelled, Expired, Failed, Finished, Granted, Queued, Running, Starting, Stopping};
use eaf_core::explain;
use eaf_model::{
    Blocker, Bytes, Exit, FieldProblem, Input, Reason, Rejection, Span, TaskReport, Waiver, WorkloadSpec, WorkloadState,
};

#[test]
fn a_workload_goes_through_every_state_and_is_billed() {
    let mut factory = Factory::with_nodes(&[4]);
    let id = factory.submit(cpus(2));
    assert_eq!(factory.state_of(id), Queued);
    factory.plan();
    assert_eq!(factory.state_of(id), Granted);
    let key = factory.tasks(id)[0];
    factory.report(key, TaskReport::Accepted).expect("news");
    assert_eq!(factory.state_of(id), Starting);
    factory.start(id);
    assert_eq!(factory.state_of(id), Running);
    assert!(factory.owed().is_empty());
    factory.now = factory.now.after(Span::from_secs(3));
    factory.exit(id, &Exit::Code(0));
    let workload = factory.workload(id);
    assert_eq!((workload.state, &workload.state_reason), (Finished, &Reason::AllTasksExitedZero));
    let bill = &workload.attempts[0].bill;
    assert_eq!((bill.waiver, bill.ended_at.since(bill.started_at.expect("it started"))), (None, Span::from_secs(3)));
    assert!(factory.state.workloads().next().is_none(), "what has ended leaves memory");
}

#[test]
fn a_cancel_ends_what_waits_and_stops_what_runs() {
    let mut factory = Factory::with_nodes(&[2]);
    let by = || Input::Cancel { workload: eaf_model::WorkloadId::of_step(2), by: "ann".to_owned() };
    // Queued.
    let id = factory.submit(cpus(1));
    assert_eq!(id.step(), 2);
    factory.must(&by());
    assert_eq!(factory.state_of(id), Cancelled);
    assert_eq!(factory.try_step(&by()), Err(Rejection::UnknownWorkload { workload: id }));
    // Granted, Starting, Running: capacity is held until the exit is seen.
    for reports in 0..3 {
        let id = factory.submit(gang(2, 1));
        factory.plan();
        for key in factory.tasks(id).into_iter().take(reports) {
            factory.report(key, TaskReport::Started { at: factory.now }).expect("news");
        }
        factory.must(&Input::Cancel { workload: id, by: "ann".to_owned() });
        assert_eq!(factory.state_of(id), Stopping);
        let again = factory.try_step(&Input::Cancel { workload: id, by: "ann".to_owned() });
        assert_eq!(again, Err(Rejection::AlreadyStopping { workload: id }));
        let next = factory.submit(cpus(1));
        factory.plan();
        assert_eq!(factory.state_of(next), Queued, "nothing is given away before the exit is seen");
        assert!(factory.owed().iter().all(|owed| owed.starts_with("stop ")), "{:?}", factory.owed());
        factory.exit(id, &Exit::Signal(15));
        assert_eq!(factory.state_of(id), Cancelled);
        factory.must(&Input::Cancel { workload: next, by: "ann".to_owned() });
    }
}

#[test]
fn a_gang_starts_whole_or_not_at_all() {
    let mut factory = Factory::with_nodes(&[2, 2]);
    let small = factory.submit(cpus(1));
    factory.plan();
    let gang_of_four = factory.submit(gang(4, 1));
    factory.plan();
    assert_eq!(factory.state_of(gang_of_four), Queued, "three of four places are free");
    factory.start(small);
    factory.exit(small, &Exit::Code(0));
    factory.plan();
    assert_eq!(factory.state_of(gang_of_four), Granted);
    let keys = factory.tasks(gang_of_four);
    factory.report(keys[0], TaskReport::Started { at: factory.now }).expect("news");
    let reason = factory.workload(gang_of_four).state_reason.clone();
    assert_eq!((factory.state_of(gang_of_four), reason), (Starting, Reason::TasksStarting { started: 1, of: 4 }));
    // One task fails before the others have started: all are stopped, and nothing is charged.
    factory.exit_task(keys[0], Exit::Code(3));
    assert_eq!(factory.state_of(gang_of_four), Stopping);
    for key in &keys[1..] {
        factory.report(*key, TaskReport::Unknown).expect("the engine never had it");
    }
    let workload = factory.workload(gang_of_four);
    assert_eq!(workload.state, Failed);
    assert_eq!(workload.attempts[0].bill.waiver, Some(Waiver::NeverStarted));
    assert_eq!(workload.attempts[0].bill.price.0, 0);
}

#[test]
fn the_wall_time_stops_and_the_start_deadline_requeues() {
    let mut factory = Factory::with_nodes(&[2]);
    let id = factory.submit(WorkloadSpec { wall_time: Some(Span::from_secs(5)), ..cpus(1) });
    factory.plan();
    factory.wait(Span::from_secs(600));
    assert_eq!(factory.workload(id).state_reason, Reason::StartTimedOut);
    factory.exit(id, &Exit::Signal(9));
    assert!(matches!(factory.workload(id).state_reason, Reason::RetryAfterLoss { .. }));
    factory.wait(Span::from_secs(1));
    factory.plan();
    factory.start(id);
    factory.wait(Span::from_secs(5));
    assert_eq!(factory.state_of(id), Stopping);
    factory.exit(id, &Exit::Signal(15));
    assert_eq!((factory.state_of(id), factory.workload(id).attempts.len()), (Failed, 2));
    assert_eq!(factory.workload(id).state_reason, Reason::WallTimeReached);
}

#[test]
fn a_workload_that_does_not_start_in_time_expires() {
    let mut factory = Factory::with_nodes(&[1]);
    let first = factory.submit(cpus(1));
    factory.plan();
    let id = factory.submit(WorkloadSpec { expires_after: Some(Span::from_secs(10)), ..cpus(1) });
    factory.wait(Span(9_999));
    assert_eq!(factory.state_of(id), Queued);
    factory.wait(Span(1));
    assert_eq!((factory.state_of(id), factory.state_of(first)), (Expired, Granted));
}

#[test]
fn a_workload_that_cannot_end_by_its_deadline_gives_up() {
    let mut factory = Factory::with_nodes(&[1]);
    let within = |factory: &Factory, wall: u64, secs: u64| WorkloadSpec {
        wall_time: Some(Span::from_secs(wall)),
        deadline: Some(factory.now.after(Span::from_secs(secs))),
        ..cpus(1)
    };
    let spec = within(&factory, 10, 10);
    let earliest = factory.now.after(Span::from_secs(10));
    let refused =
        factory.submit_as(spec, &[], None).expect_err("it would end at its deadline, were it to start at once");
    assert_eq!(refused, Rejection::DeadlineTooSoon { deadline: earliest, earliest });
    let spec = within(&factory, 10, 30);
    let first = factory.submit(spec);
    let spec = within(&factory, 10, 25);
    let waits = factory.submit(spec);
    factory.plan();
    assert_eq!(factory.workload(waits).state_deadline, Some(factory.now.after(Span::from_secs(15))));
    factory.wait(Span::from_secs(14));
    assert_eq!(factory.state_of(waits), Queued);
    factory.wait(Span::from_secs(1));
    assert_eq!(factory.state_of(waits), Expired);
    factory.start(first);
    factory.wait(Span::from_secs(9));
    // Lost, it could not end in time any more.
    factory.exit(first, &Exit::Lost("gone".into()));
    assert_eq!(factory.state_of(first), Queued);
    factory.wait(Span(1));
    assert_eq!(factory.state_of(first), Expired);
    // One that is tried again says when it gives up, and not when its next attempt is due.
    let spec = WorkloadSpec { retries: 1, ..within(&factory, 10, 60) };
    let gives_up = factory.now.after(Span::from_secs(50));
    let again = factory.submit(spec);
    factory.plan();
    factory.start(again);
    factory.exit(again, &Exit::Code(7));
    let explained = explain(&factory.state, factory.now, again).expect("it waits");
    assert!(matches!(explained.blockers.as_slice(), [Blocker::Backoff { .. }]), "{explained:?}");
    assert_eq!(explained.state_deadline, Some(gives_up));
}

#[test]
fn a_failure_is_retried_as_often_as_asked() {
    let mut factory = Factory::with_nodes(&[1]);
    let id = factory.submit(WorkloadSpec { retries: 2, ..cpus(1) });
    for attempt in 1..=3 {
        factory.wait(Span::from_secs(10));
        factory.plan();
        factory.start(id);
        factory.exit(id, &Exit::Code(7));
        assert_eq!(factory.workload(id).attempts.len(), attempt);
    }
    assert_eq!(factory.state_of(id), Failed);
    assert_eq!(factory.workload(id).state_reason, Reason::TaskFailed { task: 0, exit: Exit::Code(7) });
    // A command that cannot be started is not tried again.
    let id = factory.submit(WorkloadSpec { retries: 2, ..cpus(1) });
    factory.plan();
    factory.exit(id, &Exit::CannotStart("no such program".to_owned()));
    assert_eq!((factory.state_of(id), factory.workload(id).attempts.len()), (Failed, 1));
}

#[test]
fn an_impossible_request_is_refused_with_the_largest_that_would_fit() {
    let mut factory = Factory::with_nodes(&[4, 2]);
    let Err(Rejection::NeverFits { largest }) = factory.submit_as(gang(7, 1), &[], None) else {
        panic!("seven tasks fit on six threads");
    };
    assert_eq!((largest.tasks, largest.memory), (6, Bytes(0).max(largest.memory)));
    let check = |spec: WorkloadSpec, field: &str, problem: FieldProblem| {
        let got = Factory::with_nodes(&[4]).submit_as(spec, &[], None);
        assert_eq!(got, Err(Rejection::Invalid { field: field.to_owned(), problem }));
    };
    check(gang(0, 1), "tasks", FieldProblem::TooSmall { given: 0, min: 1 });
    check(cpus(0), "task.cpu", FieldProblem::TooSmall { given: 0, min: 1 });
    check(WorkloadSpec { priority: 1_001, ..cpus(1) }, "priority", FieldProblem::TooLarge { given: 1_001, max: 1_000 });
    check(WorkloadSpec::command(&[]), "run.command", FieldProblem::Empty);
    let nowhere = Factory::with_nodes(&[]).submit_as(cpus(1), &[], None);
    assert_eq!(nowhere, Err(Rejection::NoNodes));
}

#[test]
fn a_key_stands_for_its_first_request() {
    let mut factory = Factory::with_nodes(&[1]);
    let first = factory.submit_as(cpus(1), &[], Some("k")).expect("it passes");
    assert_eq!(factory.submit_as(cpus(1), &[], Some("k")), Ok(first));
    let other = factory.submit_as(WorkloadSpec { priority: 1, ..cpus(1) }, &[], Some("k"));
    assert_eq!(other, Err(Rejection::KeyReused { workload: first }));
    factory.plan();
    factory.start(first);
    factory.exit(first, &Exit::Code(0));
    assert_eq!(factory.submit_as(cpus(1), &[], Some("k")), Ok(first), "the key outlives the workload");
}

#[test]
fn an_array_is_cancelled_as_a_whole_and_runs_one_by_one() {
    let mut factory = Factory::with_nodes(&[1]);
    let array = factory.submit_as(cpus(1), &[3, 5, 9], None).expect("it passes");
    let members: Vec<_> =
        factory.state.members(array).map(|member| (member.id.to_string(), member.array_index)).collect();
    let expect = [("wl-2.0", 3), ("wl-2.1", 5), ("wl-2.2", 9)].map(|(id, value)| (id.to_owned(), Some(value)));
    assert_eq!(members, expect);
    factory.plan();
    let (first, second) = (eaf_model::WorkloadId::of_member(2, 0), eaf_model::WorkloadId::of_member(2, 1));
    assert_eq!((factory.state_of(first), factory.state_of(second)), (Granted, Queued));
    factory.must(&Input::Cancel { workload: array, by: "ann".to_owned() });
    assert_eq!((factory.state_of(first), factory.state_of(second)), (Stopping, Cancelled));
}
