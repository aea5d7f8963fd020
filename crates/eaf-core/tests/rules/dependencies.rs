//! Dependencies: what waits for others, and what can never start because of them.

use crate::{Factory, cpus};
use WorkloadState::{Cancelled, Failed, Finished, Granted, Queued};
use eaf_model::{Exit, Input, Reason, Rejection, WorkloadId, WorkloadSpec, WorkloadState};

fn after_ok(ids: &[WorkloadId]) -> WorkloadSpec {
    WorkloadSpec { after_ok: ids.to_vec(), ..cpus(1) }
}

fn after_any(ids: &[WorkloadId]) -> WorkloadSpec {
    WorkloadSpec { after_any: ids.to_vec(), ..cpus(1) }
}

fn run(factory: &mut Factory, id: WorkloadId, exit: &Exit) {
    factory.plan();
    factory.start(id);
    factory.exit(id, exit);
}

#[test]
fn after_ok_waits_for_success_and_after_any_for_the_end() {
    let mut factory = Factory::with_nodes(&[4]);
    let first = factory.submit(cpus(1));
    let second = factory.submit(cpus(1));
    let next = factory.submit(after_ok(&[first, second]));
    let cleanup = factory.submit(after_any(&[second]));
    factory.plan();
    assert_eq!(factory.workload(next).state_reason, Reason::WaitingForDependencies { pending: 2 });
    factory.start(first);
    factory.exit(first, &Exit::Code(0));
    assert_eq!(factory.workload(next).state_reason, Reason::WaitingForDependencies { pending: 1 });
    factory.start(second);
    factory.exit(second, &Exit::Code(9));
    assert_eq!(factory.workload(next).state_reason, Reason::DependencyFailed { workload: second });
    factory.plan();
    assert_eq!((factory.state_of(next), factory.state_of(cleanup)), (Failed, Granted));
}

#[test]
fn a_chain_ends_with_its_first_link() {
    let mut factory = Factory::with_nodes(&[4]);
    let mut chain = vec![factory.submit(cpus(1))];
    for n in 0..20 {
        let last = chain[n];
        chain.push(factory.submit(after_ok(&[last])));
    }
    let bystander = factory.submit(after_any(&[chain[20]]));
    factory.must(&Input::Cancel { workload: chain[0], by: "ann".to_owned() });
    assert_eq!(factory.state_of(chain[0]), Cancelled);
    assert!(chain[1..].iter().all(|id| factory.state_of(*id) == Failed));
    assert_eq!(factory.workload(chain[20]).state_reason, Reason::DependencyFailed { workload: chain[19] });
    assert_eq!(factory.state_of(bystander), Queued);
}

#[test]
fn an_array_stands_for_all_of_its_members() {
    let mut factory = Factory::with_nodes(&[4]);
    let array = factory.submit_as(cpus(1), &[0, 1], None).expect("it passes");
    let next = factory.submit(after_ok(&[array]));
    let members = [0, 1].map(|n| WorkloadId::of_member(array.step(), n));
    run(&mut factory, members[0], &Exit::Code(0));
    assert_eq!(factory.state_of(next), Queued);
    let late = factory.submit(after_ok(&[array]));
    factory.start(members[1]);
    factory.exit(members[1], &Exit::Code(1));
    assert_eq!((factory.state_of(next), factory.state_of(late)), (Failed, Failed));
}

#[test]
fn what_has_ended_is_known_or_refused() {
    let mut factory = Factory::with_nodes(&[4]);
    let good = factory.submit(cpus(1));
    run(&mut factory, good, &Exit::Code(0));
    let bad = factory.submit(cpus(1));
    run(&mut factory, bad, &Exit::Code(1));
    let id = factory.submit(after_ok(&[good]));
    run(&mut factory, id, &Exit::Code(0));
    assert_eq!(factory.state_of(id), Finished);
    let refused = factory.submit_as(after_ok(&[bad]), &[], None);
    assert_eq!(refused, Err(Rejection::DependencyFailed { workload: bad, state: Failed }));
    let unknown = WorkloadId::of_step(77);
    let refused = factory.submit_as(after_any(&[unknown]), &[], None);
    assert_eq!(refused, Err(Rejection::UnknownDependency { workload: unknown }));
}
