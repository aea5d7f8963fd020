//! Making room: who is stopped for whom, what that costs, and in which order what waits goes.

use crate::{Factory, cpus};
use WorkloadState::{Cancelled, Finished, Granted, Queued, Running, Stopping};
use eaf_core::explain;
use eaf_model::{
    AcceleratorMs, AcceleratorRequest, Checkpoint, Exit, Input, Order, Passing, Preempted, QueueSettings, Reason,
    Rejection, Settings, Span, TaskReport, WorkloadId, WorkloadSpec, WorkloadState,
};

/// A workload that holds so many of the two accelerators of a node.
fn boards(count: u32) -> WorkloadSpec {
    let mut spec = cpus(1);
    spec.task.accelerators = AcceleratorRequest { count, ..AcceleratorRequest::none() };
    spec
}

fn spot(count: u32) -> WorkloadSpec {
    WorkloadSpec { preemptible: true, ..boards(count) }
}

fn urgent(count: u32) -> WorkloadSpec {
    WorkloadSpec { priority: 5, ..boards(count) }
}

fn set(factory: &mut Factory, queue: QueueSettings) {
    factory.must(&Input::Configure(Box::new(Settings { queue, ..Settings::default() })));
}

/// Submits what starts at once.
fn running(factory: &mut Factory, spec: WorkloadSpec) -> WorkloadId {
    let id = factory.submit(spec);
    factory.plan();
    factory.start(id);
    id
}

#[test]
fn what_may_be_preempted_makes_room_and_waits_again_in_its_place() {
    let mut factory = Factory::with_nodes(&[4]);
    let victim = running(&mut factory, spot(2));
    let submitted_at = factory.workload(victim).submitted_at;
    factory.wait(Span::from_secs(60));
    let first = factory.submit(urgent(1));
    factory.plan();
    assert_eq!(factory.state_of(victim), Running, "it has a run time between");
    let stops = |factory: &Factory| explain(&factory.state, factory.now, first)?.estimate.map(|start| start.stops);
    assert_eq!(stops(&factory), Some(1), "whoever waits is told that room will be made");
    factory.wait(Span::from_secs(240));
    factory.plan();
    let lease = factory.workload(victim).lease.expect("it still holds it");
    assert_eq!(factory.workload(victim).state_reason, Reason::Preempted { by: first });
    assert_eq!((factory.state_of(victim), factory.owed()), (Stopping, vec![format!("stop {lease}/0")]));
    assert_eq!(stops(&factory), Some(0), "it is told so already");
    // Another pass finds that enough is leaving.
    factory.plan();
    assert_eq!(factory.owed().len(), 1);
    factory.now = factory.now.after(Span::from_secs(4));
    factory.exit(victim, &Exit::Signal(15));
    let record = factory.workload(victim);
    assert_eq!((record.state, record.submitted_at), (Queued, submitted_at));
    assert_eq!(record.state_reason, Reason::WaitingAfterPreemption { by: first });
    assert_eq!((record.losses, record.retries_spent), (0, 0));
    // Two accelerators for 304 seconds.
    let lost = Some(Preempted { by: first, lost: AcceleratorMs(2 * 304_000) });
    assert_eq!((record.attempts[0].bill.preempted, record.attempts[0].bill.waiver), (lost, None));
    factory.plan();
    assert_eq!((factory.state_of(first), factory.state_of(victim)), (Granted, Queued));
}

#[test]
fn what_keeps_its_progress_loses_nothing_and_what_ends_well_has_ended() {
    let mut factory = Factory::with_nodes(&[4]);
    let keeps = running(&mut factory, WorkloadSpec { keeps_progress: true, ..spot(2) });
    factory.wait(Span::from_secs(300));
    let first = factory.submit(urgent(2));
    factory.plan();
    factory.exit(keeps, &Exit::Signal(15));
    let lost = factory.workload(keeps).attempts[0].bill.preempted.map(|preempted| preempted.lost);
    assert_eq!(lost, Some(AcceleratorMs(0)));
    factory.plan();
    factory.start(first);
    factory.exit(first, &Exit::Code(0));
    factory.plan();
    factory.start(keeps);
    factory.wait(Span::from_secs(300));
    factory.submit(urgent(1));
    factory.plan();
    assert_eq!(factory.state_of(keeps), Stopping);
    factory.exit(keeps, &Exit::Code(0));
    let record = factory.workload(keeps);
    assert_eq!((record.state, record.attempts[1].bill.preempted), (Finished, None));
}

#[test]
fn who_wrote_a_checkpoint_goes_first_and_loses_what_came_after_it() {
    let mut factory = Factory::with_nodes(&[4]);
    let safe = running(&mut factory, spot(1));
    let other = running(&mut factory, spot(1));
    factory.wait(Span::from_secs(290));
    let key = factory.tasks(safe)[0];
    let checkpoint = Checkpoint { at: factory.now, label: None, whole_gang: false };
    factory.report(key, TaskReport::Checkpointed(checkpoint)).expect("the checkpoint is news");
    factory.wait(Span::from_secs(20));
    factory.submit(urgent(1));
    factory.plan();
    assert_eq!((factory.state_of(safe), factory.state_of(other)), (Stopping, Running));
    factory.exit(safe, &Exit::Signal(15));
    let lost = factory.workload(safe).attempts[0].bill.preempted.map(|preempted| preempted.lost);
    assert_eq!(lost, Some(AcceleratorMs(20_000)));
}

#[test]
fn what_makes_room_can_still_be_cancelled() {
    let mut factory = Factory::with_nodes(&[4]);
    let victim = running(&mut factory, spot(2));
    factory.wait(Span::from_secs(300));
    factory.submit(urgent(2));
    factory.plan();
    let cancel = Input::Cancel { workload: victim, by: "ann".to_owned() };
    factory.must(&cancel);
    assert_eq!(factory.try_step(&cancel), Err(Rejection::AlreadyStopping { workload: victim }));
    factory.exit(victim, &Exit::Signal(15));
    assert_eq!(factory.state_of(victim), Cancelled);
}

#[test]
fn nobody_makes_room_more_often_than_is_stated() {
    let mut factory = Factory::with_nodes(&[4]);
    let mut settings = Settings::default();
    settings.limits.preemptions_max = 1;
    factory.must(&Input::Configure(Box::new(settings)));
    let victim = running(&mut factory, spot(2));
    factory.wait(Span::from_secs(300));
    let first = factory.submit(urgent(2));
    factory.plan();
    factory.exit(victim, &Exit::Signal(15));
    factory.plan();
    factory.start(first);
    factory.exit(first, &Exit::Code(0));
    factory.plan();
    factory.start(victim);
    factory.wait(Span::from_secs(900));
    factory.submit(urgent(2));
    factory.plan();
    assert_eq!(factory.state_of(victim), Running);
}

#[test]
fn the_least_attained_service_goes_first_and_levels_rise_with_time() {
    let mut factory = Factory::with_nodes(&[4]);
    let queue = QueueSettings { order: Order::Las, preempt_after: Span::from_secs(60), ..QueueSettings::default() };
    set(&mut factory, queue);
    let old = running(&mut factory, spot(2));
    factory.wait(Span::from_secs(600));
    let young = factory.submit(boards(2));
    factory.plan();
    assert_eq!((factory.state_of(old), factory.workload(old).level), (Running, 0), "both are in the first level");
    // One accelerator-hour is the end of the first level, and two of them reach it in half an hour.
    factory.wait(Span::from_secs(1_200));
    assert_eq!(factory.workload(old).level, 1);
    factory.plan();
    assert_eq!(factory.workload(old).state_reason, Reason::Preempted { by: young });
    factory.exit(old, &Exit::Signal(15));
    assert_eq!((factory.state_of(old), factory.workload(old).level), (Queued, 1));
    factory.plan();
    assert_eq!(factory.state_of(young), Granted);
}

#[test]
fn a_changed_order_sorts_the_queue_again() {
    let mut factory = Factory::with_nodes(&[4]);
    let blocker = running(&mut factory, boards(2));
    let long = factory.submit(WorkloadSpec { wall_time: Some(Span::from_secs(500)), ..boards(2) });
    let short = factory.submit(WorkloadSpec { wall_time: Some(Span::from_secs(50)), ..boards(2) });
    let important = factory.submit(WorkloadSpec { priority: 1, ..boards(2) });
    let check = |factory: &mut Factory, order, expect: [WorkloadId; 3]| {
        set(factory, QueueSettings { order, ..QueueSettings::default() });
        let found: Vec<WorkloadId> = factory.state.queue().iter().map(|entry| entry.workload).collect();
        assert_eq!(found, expect, "{order:?}");
    };
    check(&mut factory, Order::Priority, [important, long, short]);
    check(&mut factory, Order::Fifo, [long, short, important]);
    check(&mut factory, Order::Sjf, [short, long, important]);
    factory.exit(blocker, &Exit::Code(0));
    factory.plan();
    assert_eq!(factory.state_of(short), Granted);
}

#[test]
fn who_has_waited_too_long_is_the_head_under_every_order() {
    let day = Span::from_secs(24 * 3_600);
    for (order, passing) in [(Order::Sjf, Passing::Skip), (Order::Priority, Passing::Backfill)] {
        let mut factory = Factory::with_nodes(&[4]);
        set(&mut factory, QueueSettings { order, passing, head_after: day, ..QueueSettings::default() });
        let blocker =
            running(&mut factory, WorkloadSpec { wall_time: Some(Span::from_secs(30 * 24 * 3_600)), ..boards(1) });
        let large = factory.submit(boards(2));
        factory.plan();
        factory.wait(day);
        assert!(factory.workload(large).aged);
        // It would fit beside the first and would keep the large one from starting.
        let small = factory.submit(WorkloadSpec {
            priority: 9,
            wall_time: Some(Span::from_secs(40 * 24 * 3_600)),
            ..boards(1)
        });
        factory.plan();
        assert_eq!(factory.state_of(small), Queued, "{order:?}");
        factory.exit(blocker, &Exit::Code(0));
        factory.plan();
        assert_eq!((factory.state_of(large), factory.state_of(small)), (Granted, Queued), "{order:?}");
    }
}
