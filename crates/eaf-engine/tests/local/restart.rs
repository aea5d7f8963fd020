//! Supervisors that die, are renewed, or wake up on a machine that has restarted.

use crate::fixture::Factory;
use eaf_engine::conformance::{Subject, is_alive, shell, until};
use eaf_engine::local::CgroupMode;
use eaf_engine::{LogStream, Observation};
use eaf_model::{Exit, Span, TaskReport};
use std::fs;

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("a kind of control groups that is not there is refused", absent_cgroups),
    ("a killed supervisor loses nothing, cgroups v1", || killed(CgroupMode::V1)),
    ("a killed supervisor loses nothing, cgroups v2", || killed(CgroupMode::V2)),
    ("a killed supervisor loses nothing, cgroups none", || killed(CgroupMode::None)),
    ("the next supervisor stops what an earlier one started", stopped_by_the_next),
    ("an exit between two supervisors is lost and says so", unseen_exit),
    ("an older supervisor becomes this program in place", upgraded),
    ("an upgrade to a program that is not there changes nothing", upgrade_that_fails),
    ("tasks of another boot are lost and say so", other_boot),
    ("shutting down ends all work where that is asked for", shut_down_with_work),
    ("shutting down leaves work where that is asked for", shut_down_without_work),
    ("a second supervisor for one data directory steps back", second_supervisor),
    ("an idle supervisor ends when its data directory has gone", vanished),
];

const GO: &str = "while [ ! -e go ]; do sleep 0.01; done";

fn go(subject: &Subject, order: &eaf_model::StartOrder) {
    fs::write(subject.directory(order).join("go"), "").expect("written");
}

fn wait_reachable(subject: &Subject) {
    subject.wait("the engine back", |seen| seen.contains(&Observation::Reachable).then_some(()));
}

fn killed(mode: CgroupMode) {
    let factory = Factory::with(|config| config.cgroups = mode);
    let subject = factory.subject();
    let order = shell(&format!("echo before; {GO}; echo after; echo error >&2; exit 21"));
    let ended = shell("exit 22");
    assert_eq!(subject.run(&ended), Exit::Code(22));
    subject.start(&[&order]);
    let started = subject.started(order.key);
    subject.wait_output(&order, "before");
    factory.kill_supervisor();
    wait_reachable(&subject);
    assert_eq!(subject.known(order.key), Some(TaskReport::Started { at: started }));
    assert!(matches!(subject.known(ended.key), Some(TaskReport::Exited { exit: Exit::Code(22), .. })));
    go(&subject, &order);
    let (exit, usage) = subject.exit(order.key);
    assert_eq!(exit, Exit::Code(21));
    // Without groups, what a stranger's process has used goes with it.
    assert!(usage.cpu.0 > 0 || mode == CgroupMode::None);
    assert_eq!(subject.output(&order, LogStream::Stdout), "before\nafter\n");
    assert_eq!(subject.output(&order, LogStream::Stderr), "error\n");
}

fn stopped_by_the_next() {
    let factory = Factory::new();
    let subject = factory.subject();
    let order = shell("trap '' TERM; sleep 1000 & echo $! > child; echo ready; while :; do sleep 1; done");
    subject.start(&[&order]);
    subject.wait_output(&order, "ready");
    let child =
        fs::read_to_string(subject.directory(&order).join("child")).expect("read").trim().parse().expect("an id");
    factory.kill_supervisor();
    wait_reachable(&subject);
    subject.stop(order.key, Span::from_ms(50));
    assert_eq!(subject.exit(order.key).0, Exit::Signal(libc::SIGKILL));
    assert!(!is_alive(child));
}

fn unseen_exit() {
    let mut factory = Factory::new();
    let subject = factory.subject();
    let order = shell(&format!("echo $$ > pid; {GO}; exit 5"));
    subject.start(&[&order]);
    subject.started(order.key);
    let pid_file = subject.directory(&order).join("pid");
    until("the task's id", || fs::read_to_string(&pid_file).is_ok_and(|text| !text.is_empty()));
    let pid: u32 = fs::read_to_string(&pid_file).expect("read").trim().parse().expect("an id");
    drop(subject);
    factory.kill_supervisor();
    fs::write(pid_file.with_file_name("go"), "").expect("written");
    until("the end of the task", || !is_alive(pid) && fs::metadata(format!("/proc/{pid}")).is_err());
    factory.supervised_with(&[]);
    match factory.subject().known(order.key) {
        Some(TaskReport::Exited { exit: Exit::Lost(why), .. }) => assert!(why.contains("nobody saw"), "{why}"),
        other => panic!("{other:?}, not lost"),
    }
}

fn upgraded() {
    let mut factory = Factory::new();
    factory.supervised_with(&["--as-release", "0.0.1"]);
    let subject = factory.subject();
    let order = shell(&format!("echo before; {GO}; echo after; exit 31"));
    let stubborn = shell("trap '' TERM; echo ready; while :; do sleep 1; done");
    subject.start(&[&order, &stubborn]);
    subject.wait_output(&order, "before");
    subject.wait_output(&stubborn, "ready");
    subject.stop(stubborn.key, Span::from_secs(2));
    let supervisor = factory.supervisor();
    drop(subject);
    factory.supervised_with(&[]);
    let subject = factory.subject();
    assert_eq!(factory.supervisor(), supervisor, "the process is the same");
    let line = fs::read(format!("/proc/{supervisor}/cmdline")).expect("read");
    assert!(!String::from_utf8_lossy(&line).contains("0.0.1"), "the program is the new one");
    go(&subject, &order);
    assert_eq!(subject.exit(order.key).0, Exit::Code(31));
    assert_eq!(subject.output(&order, LogStream::Stdout), "before\nafter\n");
    assert_eq!(subject.exit(stubborn.key).0, Exit::Signal(libc::SIGKILL), "the stop of before is carried out");
}

fn upgrade_that_fails() {
    let mut factory = Factory::new();
    factory.supervised_with(&["--as-release", "0.0.1"]);
    let subject = factory.subject();
    let order = shell(&format!("{GO}; exit 32"));
    subject.start(&[&order]);
    subject.started(order.key);
    drop(subject);
    let command = factory.config.supervisor.clone();
    let absent = factory.root().join("no-such-program");
    if let Some(command) = &mut factory.config.supervisor {
        command.program = absent;
    }
    let subject = factory.subject();
    factory.config.supervisor = command;
    go(&subject, &order);
    assert_eq!(subject.exit(order.key).0, Exit::Code(32));
    assert_eq!(subject.run(&shell("exit 33")), Exit::Code(33), "it starts and reaps as before");
}

fn other_boot() {
    let mut factory = Factory::new();
    let subject = factory.subject();
    let (order, ended) = (shell("sleep 1000"), shell("exit 8"));
    assert_eq!(subject.run(&ended), Exit::Code(8));
    subject.start(&[&order]);
    subject.started(order.key);
    drop(subject);
    factory.kill_supervisor();
    factory.supervised_with(&["--boot-id", "another"]);
    let subject = factory.subject();
    match subject.known(order.key) {
        Some(TaskReport::Exited { exit: Exit::Lost(why), .. }) => assert_eq!(why, "the machine restarted"),
        other => panic!("{other:?}, not lost"),
    }
    assert!(matches!(subject.known(ended.key), Some(TaskReport::Exited { exit: Exit::Code(8), .. })));
    assert_eq!(subject.run(&shell("exit 9")), Exit::Code(9));
}

fn shut_down_with_work() {
    let factory = Factory::new();
    let subject = factory.subject();
    let order = shell("trap 'exit 4' TERM; echo ready; while :; do sleep 0.01; done");
    subject.start(&[&order]);
    subject.wait_output(&order, "ready");
    let supervisor = factory.supervisor();
    factory.local(Box::new(|_| {})).shutdown(true).expect("shut down");
    until("the supervisor's end", || !is_alive(supervisor));
    assert_eq!(subject.exit(order.key).0, Exit::Code(4));
}

fn shut_down_without_work() {
    let factory = Factory::new();
    let subject = factory.subject();
    let order = shell(&format!("{GO}; exit 14"));
    subject.start(&[&order]);
    let started = subject.started(order.key);
    let supervisor = factory.supervisor();
    let directory = subject.directory(&order);
    drop(subject);
    factory.local(Box::new(|_| {})).shutdown(false).expect("shut down");
    until("the supervisor's end", || !is_alive(supervisor));
    let subject = factory.subject();
    assert_eq!(subject.known(order.key), Some(TaskReport::Started { at: started }));
    fs::write(directory.join("go"), "").expect("written");
    assert_eq!(subject.exit(order.key).0, Exit::Code(14));
}

fn second_supervisor() {
    let factory = Factory::new();
    let subject = factory.subject();
    let command = factory.config.supervisor.clone().expect("a command");
    let second = std::process::Command::new(command.program).args(command.args).status().expect("run");
    assert!(second.success());
    assert_eq!(subject.run(&shell("exit 1")), Exit::Code(1));
}

fn vanished() {
    let factory = Factory::new();
    let subject = factory.subject();
    assert_eq!(subject.run(&shell("true")), Exit::Code(0));
    let supervisor = factory.supervisor();
    drop(subject);
    fs::remove_dir_all(&factory.config.data_dir).expect("removed");
    until("the supervisor's end", || !is_alive(supervisor));
}

/// As a user who may write no control group.
fn absent_cgroups() {
    use std::os::unix::process::CommandExt;
    let factory = Factory::new();
    let data = &factory.config.data_dir;
    fs::create_dir(data).expect("made");
    // Copied to where anybody may execute it.
    let program = factory.root().join("program");
    fs::copy(std::env::current_exe().expect("this program"), &program).expect("copied");
    let mut command = std::process::Command::new(&program);
    command.args(["engine-of", data.to_str().expect("text")]);
    if rustix::process::geteuid().is_root() {
        command.uid(65_534).gid(65_534);
        std::os::unix::fs::chown(data, Some(65_534), Some(65_534)).expect("given away");
    }
    let output = command.output().expect("run");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("cgroups = V1 cannot be used") && told.contains("then Auto: RLIMIT_AS"), "{output:?}");
}
