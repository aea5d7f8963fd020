//! Exactly once: a thousand workloads while the factory is killed twenty times.
//!
//! What: clients submit with keys and send again what was not answered; meanwhile `eaf` is killed with -9 at random
//! moments, some of them before it is ready again. Each workload marks its start and its end in a file and ends with a
//! code of its own. In the end every acknowledged workload has ended once, with its code, in one attempt, with one mark
//! of each kind; and there are no others.

use crate::support::factory::{Factory, open_to_all};
use crate::support::random::Random;
use crate::support::{machine, wait_for};
use eaf_api::client::{Client, ClientError};
use eaf_api::{SubmitRequest, WorkloadView};
use eaf_model::{Bytes, CpuMilli, Exit, Run, WorkloadId, WorkloadSpec, WorkloadState};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const WORKLOADS: usize = 1_000;
const KILLS: u64 = 20;
const CLIENTS: u64 = 4;
/// For everything to end once the last kill is over.
const END: Duration = Duration::from_secs(180);

/// What one workload is to do.
#[derive(Clone, Copy)]
struct Plan {
    milliseconds: u64,
    code: i32,
}

/// Marks its start, takes its time, marks its end, and returns its code. One `write` to a file opened for appending is
/// whole or not there, so the marks of a thousand writers do not mix.
fn workload(number: usize, plan: Plan, shared: &Path) -> WorkloadSpec {
    let Plan { milliseconds, code } = plan;
    let seconds = format!("{}.{:03}", milliseconds / 1_000, milliseconds % 1_000);
    let script = format!("echo start {number} >> marks; sleep {seconds}; echo end {number} >> marks; exit {code}");
    let mut spec = WorkloadSpec::command(&[]);
    spec.name = format!("number-{number}");
    spec.run = Run::Script(script);
    spec.working_directory = Some(shared.to_string_lossy().into_owned());
    spec.task.cpu = CpuMilli(40);
    spec.task.memory = Bytes(16 << 20);
    spec
}

/// Submits until there is an answer; the key makes the repetition safe.
fn submit(client: &Client, number: usize, spec: WorkloadSpec) -> WorkloadId {
    let request = SubmitRequest { spec, array: Vec::new() };
    let key = format!("key-{number}");
    wait_for("a submission to be answered", END, || match client.submit(&request, Some(&key)) {
        Ok(submitted) => Some(submitted.id),
        Err(ClientError::Refused(problem)) if problem.status < 500 => panic!("number {number}: {problem:?}"),
        Err(_) => None,
    })
}

#[test]
fn a_thousand_workloads_end_exactly_once_under_twenty_kills() {
    let _machine = machine();
    let mut random = Random::new();
    let shared = tempfile::tempdir().expect("a directory can be made");
    fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o777)).expect("its mode can be set");
    open_to_all(&shared.path().join("marks"));
    let settings = format!("[engine]\nworking_roots = [{:?}]\n", shared.path());
    let mut factory = Factory::start(&settings);

    let plans: Vec<Plan> = (0..WORKLOADS)
        .map(|_| Plan { milliseconds: random.below(3_001), code: i32::try_from(random.below(8)).expect("it is small") })
        .collect();
    let acknowledged = Mutex::new(BTreeMap::new());
    let next = AtomicUsize::new(0);
    let mut moments = random.split();
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let (client, mut pace) = (factory.client(), random.split());
            let (plans, next, acknowledged, shared) = (&plans, &next, &acknowledged, shared.path());
            scope.spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(plan) = plans.get(number) else { break };
                    let id = submit(&client, number, workload(number, *plan, shared));
                    acknowledged.lock().expect("no client panics").insert(number, id);
                    // Spread over the time of the kills: a moment between submissions is part of the scenario.
                    std::thread::sleep(Duration::from_millis(pace.below(200)));
                }
            });
        }
        kill_again_and_again(&mut factory, &mut moments);
    });
    let acknowledged = acknowledged.into_inner().expect("no client panics");
    assert_eq!(acknowledged.len(), WORKLOADS, "every submission is answered in the end");

    let ended = wait_for("every workload to end", END, || {
        let all = factory.every_workload();
        all.iter().all(|view| view.state.is_ended()).then_some(all)
    });
    let complaints = compare(&plans, &acknowledged, &ended, &fs::read_to_string(shared.path().join("marks")).unwrap());
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    factory.cli_ok(&["verify"]);
}

/// Twenty kills; a quarter of them come before the factory is ready again.
fn kill_again_and_again(factory: &mut Factory, moments: &mut Random) {
    let begun = Instant::now();
    for _ in 0..KILLS {
        let early = moments.below(4) == 0;
        if !early {
            factory.wait_ready();
        }
        std::thread::sleep(Duration::from_millis(moments.below(if early { 120 } else { 2_400 })));
        factory.kill9();
        factory.spawn();
    }
    factory.wait_ready();
    println!("{KILLS} kills in {:?}", begun.elapsed());
}

/// What differs between what was promised and what happened.
fn compare(
    plans: &[Plan],
    acknowledged: &BTreeMap<usize, WorkloadId>,
    ended: &[WorkloadView],
    marks: &str,
) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut by_id: BTreeMap<WorkloadId, &WorkloadView> = ended.iter().map(|view| (view.id, view)).collect();
    if by_id.len() != ended.len() {
        complaints.push("a workload is listed twice".to_owned());
    }
    for (number, id) in acknowledged {
        let Some(view) = by_id.remove(id) else {
            complaints.push(format!("{number} ({id}) was acknowledged and is lost"));
            continue;
        };
        let code = plans[*number].code;
        let expect = if code == 0 { WorkloadState::Finished } else { WorkloadState::Failed };
        let exits: Vec<&Exit> = view.status.attempts.iter().flat_map(|attempt| &attempt.exits).collect();
        if view.name != format!("number-{number}") || view.state != expect || exits != [&Exit::Code(code)] {
            let (state, reason) = (view.state, &view.state_reason);
            complaints.push(format!("{number} ({id}) must end with {code}: it is {state:?}, {reason:?}, {exits:?}"));
        }
        for kind in ["start", "end"] {
            let mark = format!("{kind} {number}");
            let seen = marks.lines().filter(|line| **line == *mark).count();
            if seen != 1 {
                complaints.push(format!("{number} ({id}) marked its {kind} {seen} times"));
            }
        }
    }
    complaints.extend(by_id.keys().map(|id| format!("{id} runs and nobody was told of it")));
    complaints
}
