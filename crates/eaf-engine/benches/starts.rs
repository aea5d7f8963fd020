//! How many tasks a second: the local engine with everything on, beside a bare loop of fork and execute.
//!
//! Run: `cargo bench -p eaf-engine --bench starts -- [TASKS]`. Prints medians of three runs.
#![allow(clippy::print_stdout)]

use eaf_engine::local::{CgroupMode, LocalConfig, LocalEngine, Sandbox, SuperviseConfig, SupervisorCommand, supervise};
use eaf_engine::{Engine, Observation};
use eaf_model::{
    Allotment, Bytes, CpuMilli, Effect, LeaseId, NodeId, StartOrder, TaskKey, TaskReport, WorkloadId, WorkloadSpec,
};
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, mpsc};
use std::time::Instant;

/// Tasks under way at once, as a factory of two threads with small tasks has.
const AT_ONCE: u64 = 8;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|verb| verb == "supervise") {
        supervise(&SuperviseConfig::new(&args[2])).expect("the supervisor ends well");
        return;
    }
    let tasks = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(2_000);
    println!("{tasks} tasks of /bin/true, {AT_ONCE} at once; tasks a second, median of 3");
    println!("{:>8.0}  bare fork and execute, one after the other", median(|| bare(tasks)));
    for (what, cgroups, sandbox) in [
        ("cgroups, landlock, user, logs: the defaults", CgroupMode::Auto, Sandbox::Landlock),
        ("without landlock", CgroupMode::Auto, Sandbox::None),
        ("without cgroups", CgroupMode::None, Sandbox::Landlock),
    ] {
        println!("{:>8.0}  {what}", median(|| engine(tasks, cgroups, sandbox, "/bin/true")));
    }
}

fn median(mut run: impl FnMut() -> f64) -> f64 {
    let mut rates = [run(), run(), run()];
    rates.sort_unstable_by(f64::total_cmp);
    rates[1]
}

#[allow(clippy::cast_precision_loss)]
fn rate(tasks: u64, since: Instant) -> f64 {
    tasks as f64 / since.elapsed().as_secs_f64()
}

fn bare(tasks: u64) -> f64 {
    let since = Instant::now();
    for _ in 0..tasks {
        let status = std::process::Command::new("/bin/true").env_clear().status().expect("run");
        assert!(status.success());
    }
    rate(tasks, since)
}

fn order(number: u64, program: &str) -> Effect {
    let key = TaskKey { lease: LeaseId::of_step(number + 1), task: 0 };
    let memory = Bytes(256 << 20);
    Effect::Start(StartOrder {
        key,
        workload: WorkloadId::of_step(number + 1),
        attempt: 1,
        tasks: None,
        array_index: None,
        allotment: Allotment { node: NodeId::of_step(1), cpu: CpuMilli(1_000), memory, accelerators: Vec::new() },
        spec: Arc::new(WorkloadSpec::command(&[program])),
    })
}

fn engine(tasks: u64, cgroups: CgroupMode, sandbox: Sandbox, program: &str) -> f64 {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711)).expect("opened");
    let mut config = LocalConfig::new(dir.path().join("data"));
    let data = config.data_dir.to_str().expect("text").to_owned();
    let this = std::env::current_exe().expect("this program");
    config.supervisor = Some(SupervisorCommand { program: this, args: vec!["supervise".to_owned(), data] });
    config.cgroups = cgroups;
    config.sandbox = sandbox;
    let (send, ended) = mpsc::channel();
    let sink = move |observation| {
        if let Observation::Task { key, report: TaskReport::Exited { exit, .. } } = observation {
            assert!(exit.is_success(), "{exit:?}");
            let _ = send.send(key);
        }
    };
    let engine = LocalEngine::start(config, Box::new(sink)).expect("an engine");
    let since = Instant::now();
    let first: Vec<Effect> = (0..AT_ONCE.min(tasks)).map(|number| order(number, program)).collect();
    engine.order(&first).expect("ordered");
    for next in AT_ONCE..tasks + AT_ONCE {
        let gone = [ended.recv().expect("an exit")];
        engine.settle(&gone).expect("settled");
        if next < tasks {
            engine.order(&[order(next, program)]).expect("ordered");
        }
    }
    let rate = rate(tasks, since);
    engine.shutdown(true).expect("shut down");
    rate
}
