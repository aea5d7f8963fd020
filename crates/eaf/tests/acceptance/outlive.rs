//! Work outlives the control plane, and ends when it is told to.
//!
//! Absent: `kill -9` (`kill`), and a supervisor that is killed or old (the engine's own tests).

use crate::support::factory::{Factory, open_to_all};
use crate::support::{machine, wait_for};
use eaf_api::LogQuery;
use eaf_model::{Exit, Run, WorkloadId, WorkloadSpec, WorkloadState};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

/// Says that it runs, waits until it is let go, and ends with 7.
fn held(shared: &Path) -> WorkloadSpec {
    let mut spec = WorkloadSpec::command(&[]);
    let script = "echo before; echo up > state; while [ ! -s go ]; do sleep 0.02; done; echo after; exit 7";
    spec.run = Run::Script(script.to_owned());
    spec.working_directory = Some(shared.to_string_lossy().into_owned());
    spec
}

fn wait_running(factory: &Factory, id: WorkloadId) {
    let client = factory.client();
    wait_for("a workload to run", SOON, || {
        let view = client.workload(id).expect("it is known");
        (view.state == WorkloadState::Running).then_some(())
    });
}

#[test]
fn a_polite_stop_leaves_tasks_running_and_the_next_start_finds_them() {
    let _machine = machine();
    let shared = tempfile::tempdir().expect("a directory can be made");
    fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o777)).expect("its mode can be set");
    let (state, go) = (shared.path().join("state"), shared.path().join("go"));
    open_to_all(&state);
    open_to_all(&go);
    let mut factory = Factory::start(&format!("[engine]\nworking_roots = [{:?}]\n", shared.path()));
    let id = factory.submit(held(shared.path()));
    wait_running(&factory, id);
    wait_for("the task to say that it runs", SOON, || fs::read_to_string(&state).ok().filter(|text| text == "up\n"));

    let status = factory.terminate();
    assert!(status.success(), "eaf ended with {status} when it was told to stop");
    // It ends while nobody is there to see it; the supervisor keeps its exit.
    fs::write(&go, "go").expect("a file can be written");
    factory.spawn();
    factory.wait_ready();
    let view = factory.wait_ended(id);
    let exits: Vec<&Exit> = view.status.attempts.iter().flat_map(|attempt| &attempt.exits).collect();
    assert_eq!((view.state, exits), (WorkloadState::Failed, vec![&Exit::Code(7)]));
    let log = factory.client().log(id, &LogQuery::default()).expect("its log is there");
    assert_eq!(String::from_utf8_lossy(&log.bytes), "before\nafter\n");
}

#[test]
fn a_stop_of_all_work_leaves_nothing_behind() {
    let _machine = machine();
    let mut factory = Factory::start("");
    let id = factory.submit(WorkloadSpec::command(&["/bin/sleep", "600"]));
    wait_running(&factory, id);
    factory.cli_ok(&["down", "--stop-work"]);
    let status = factory.wait_exit();
    assert!(status.success(), "eaf ended with {status}");
    let left = factory.processes();
    assert!(left.is_empty(), "these are left: {left:?}");
}
