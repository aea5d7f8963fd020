//! Leases fence: late, doubled and foreign reports change nothing, and orders are repeated until they are carried out.

use crate::{Factory, cpus};
use eaf_model::{Exit, LeaseId, Rejection, Span, TaskKey, TaskReport, Usage, WorkloadSpec, WorkloadState};

#[test]
fn a_doubled_or_late_report_changes_nothing() {
    let mut factory = Factory::with_nodes(&[2]);
    let id = factory.submit(WorkloadSpec { retries: 1, ..cpus(1) });
    factory.plan();
    let old = factory.tasks(id)[0];
    factory.start(id);
    let stale = Err(Rejection::StaleReport { lease: old.lease });
    assert_eq!(factory.report(old, TaskReport::Started { at: factory.now }), stale);
    assert_eq!(factory.report(old, TaskReport::Accepted), stale);
    factory.exit(id, &Exit::Code(1));
    factory.wait(Span::from_secs(10));
    factory.plan();
    factory.start(id);
    // The first attempt speaks again while the second runs.
    let before = factory.state.clone();
    let exited = TaskReport::Exited { at: factory.now, exit: Exit::Code(0), usage: Usage::default() };
    for report in [exited, TaskReport::Started { at: factory.now }, TaskReport::Unknown] {
        assert_eq!(factory.report(old, report), stale);
    }
    assert_eq!(factory.state, before);
    assert_eq!(factory.state_of(id), WorkloadState::Running);
}

#[test]
fn a_foreign_lease_or_rank_changes_nothing() {
    let mut factory = Factory::with_nodes(&[2]);
    let id = factory.submit(cpus(1));
    factory.plan();
    let key = factory.tasks(id)[0];
    for foreign in [TaskKey { lease: LeaseId::of_step(99), task: 0 }, TaskKey { task: 7, ..key }] {
        let stale = Err(Rejection::StaleReport { lease: foreign.lease });
        assert_eq!(factory.report(foreign, TaskReport::Started { at: factory.now }), stale);
    }
}

#[test]
fn a_start_is_owed_until_it_is_seen() {
    let mut factory = Factory::with_nodes(&[2]);
    let id = factory.submit(cpus(1));
    factory.plan();
    let owed = factory.owed();
    assert_eq!(owed.len(), 1);
    // The engine was asked after a restart and does not know the order: it is still owed.
    let key = factory.tasks(id)[0];
    factory.report(key, TaskReport::Unknown).expect("no harm");
    assert_eq!(factory.owed(), owed);
    factory.start(id);
    assert!(factory.owed().is_empty());
}

#[test]
fn an_exit_seen_before_its_start_ends_the_task_uncharged() {
    let mut factory = Factory::with_nodes(&[2]);
    let id = factory.submit(cpus(1));
    factory.plan();
    factory.exit(id, &Exit::Code(0));
    let workload = factory.workload(id);
    assert_eq!((workload.state, workload.attempts[0].bill.price.0), (WorkloadState::Finished, 0));
}
