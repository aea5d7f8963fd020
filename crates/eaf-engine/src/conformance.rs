//! What every engine must do, as checks on the real thing.
//!
//! What: the contract in cases: start, exit, stop, doubled orders, logs, a factory that dies and comes back, usage. Why in
//! the library: an engine in another crate is held to the same. Absent: how an engine does it, and limits, which each
//! engine keeps in its own way and tests itself.
//!
//! A case panics where the engine does not conform.

use crate::{Engine, LogStream, Observation, Sink};
use eaf_model::{
    Allotment, Bytes, CpuMilli, Effect, Exit, Known, LeaseId, ModeOrder, ModeReport, NodeId, Run, Span, StartOrder,
    StopOrder, TaskKey, TaskReport, Time, Usage, WorkloadId, WorkloadSpec,
};
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Makes an engine on one and the same substrate (for the local engine: one data directory), every time anew.
pub type Make<'a> = &'a (dyn Fn(Sink) -> Box<dyn Engine> + Sync);

/// A case and its name.
pub type Case = (&'static str, fn(Make<'_>));

/// Every case.
pub const CASES: &[Case] = &[
    ("exit codes and signals are told", exit_codes_and_signals),
    ("what cannot be started says why", what_cannot_be_started),
    ("a task finds its environment", environment),
    ("a script runs with or without an interpreter line", scripts),
    ("a doubled start starts once", doubled_start),
    ("a polite stop is heard", polite_stop),
    ("a hard stop takes the whole tree", hard_stop),
    ("what a main process leaves behind is cleared away", left_behind),
    ("a stop of the unknown is answered", stop_of_the_unknown),
    ("outputs are kept and read in pieces", outputs),
    ("a gang runs side by side", gang),
    ("work outlives the factory", work_outlives_the_factory),
    ("an exit is kept until it is settled", kept_until_settled),
    ("a checkpoint is told", checkpoints),
    ("usage is counted", usage),
    ("files go when they are forgotten", files_are_forgotten),
    ("many tasks come and go", many),
    ("a mode is changed, read back and answered again", modes_change),
];

/// Runs every case.
pub fn check(make: Make<'_>) {
    for (_, case) in CASES {
        case(make);
    }
}

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(30);

static NEXT: AtomicU64 = AtomicU64::new(1);

#[derive(Default)]
struct Log {
    seen: Mutex<Vec<Observation>>,
    changed: Condvar,
}

/// An engine under test, with everything that it has told.
pub struct Subject {
    /// The engine.
    pub engine: Box<dyn Engine>,
    log: Arc<Log>,
}

/// A start order for a new workload of its own.
pub fn order_of(spec: WorkloadSpec) -> StartOrder {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    StartOrder {
        key: TaskKey { lease: LeaseId::of_step(number), task: 0 },
        workload: WorkloadId::of_step(number),
        attempt: 1,
        tasks: None,
        array_index: None,
        allotment: Allotment {
            node: NodeId::of_step(1),
            cpu: CpuMilli(1_000),
            memory: Bytes(256 << 20),
            accelerators: Vec::new(),
        },
        spec: Arc::new(spec),
    }
}

/// A start order for a shell text.
pub fn shell(text: &str) -> StartOrder {
    order_of(WorkloadSpec::command(&["/bin/sh", "-c", text]))
}

impl Subject {
    /// Makes an engine and listens to it.
    pub fn new(make: Make<'_>) -> Self {
        let log = Arc::new(Log::default());
        let sink = Arc::clone(&log);
        let engine = make(Box::new(move |observation| {
            sink.seen.lock().unwrap_or_else(PoisonError::into_inner).push(observation);
            sink.changed.notify_all();
        }));
        Self { engine, log }
    }

    /// Waits until the observations give something; panics with `what` after a while.
    pub fn wait<T>(&self, what: &str, mut look: impl FnMut(&[Observation]) -> Option<T>) -> T {
        let give_up = Instant::now() + DEADLINE;
        let mut seen = self.log.seen.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = look(&seen) {
                return found;
            }
            let left = give_up.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited in vain: {what}; seen: {seen:#?}");
            seen = self.log.changed.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Everything that was told of a task until now.
    pub fn reports(&self, key: TaskKey) -> Vec<TaskReport> {
        let seen = self.log.seen.lock().unwrap_or_else(PoisonError::into_inner);
        reports_of(&seen, key).cloned().collect()
    }

    /// Orders starts.
    pub fn start(&self, orders: &[&StartOrder]) {
        let effects: Vec<Effect> = orders.iter().map(|order| Effect::Start((*order).clone())).collect();
        self.engine.order(&effects).expect("the order is taken");
    }

    /// Orders a stop.
    pub fn stop(&self, key: TaskKey, grace: Span) {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let ordered_at = Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        self.engine.order(&[Effect::Stop(StopOrder { key, ordered_at, grace })]).expect("the order is taken");
    }

    /// Waits for a task's end.
    pub fn exit(&self, key: TaskKey) -> (Exit, Usage) {
        self.wait("an exit", |seen| {
            reports_of(seen, key).find_map(|report| match report {
                TaskReport::Exited { exit, usage, .. } => Some((exit.clone(), *usage)),
                _ => None,
            })
        })
    }

    /// Waits for a task's start.
    pub fn started(&self, key: TaskKey) -> Time {
        self.wait("a start", |seen| {
            reports_of(seen, key).find_map(|report| match report {
                TaskReport::Started { at } => Some(*at),
                _ => None,
            })
        })
    }

    /// Starts a task and waits for its end.
    pub fn run(&self, order: &StartOrder) -> Exit {
        self.start(&[order]);
        self.exit(order.key).0
    }

    /// What a task has written until now.
    pub fn output(&self, order: &StartOrder, stream: LogStream) -> String {
        let read = self.engine.read_log(order.workload, order.attempt, order.key.task, stream, 0, 1 << 20);
        String::from_utf8_lossy(&read.expect("the log is read").bytes).into_owned()
    }

    /// Waits until a task has written this to its standard output.
    pub fn wait_output(&self, order: &StartOrder, text: &str) {
        until(&format!("{text:?} in the output"), || self.output(order, LogStream::Stdout).contains(text));
    }

    /// The directory of a workload.
    pub fn directory(&self, order: &StartOrder) -> PathBuf {
        self.engine.directory(order.workload).expect("a directory")
    }

    /// What the engine knows of a task.
    pub fn known(&self, key: TaskKey) -> Option<TaskReport> {
        let known = self.engine.reconcile().expect("reconciled");
        known.into_iter().find(|known| known.key == key).map(|Known { report, .. }| report)
    }
}

fn modes_of(subject: &Subject) -> Vec<(u16, String)> {
    subject.engine.modes().expect("the modes are read").into_iter().flat_map(|seen| seen.modes).collect()
}

fn mode_reports(seen: &[Observation], wanted: u64) -> impl Iterator<Item = &ModeReport> {
    seen.iter().filter_map(move |observation| match observation {
        Observation::Mode { order, report, .. } if *order == wanted => Some(report),
        _ => None,
    })
}

fn reports_of(seen: &[Observation], wanted: TaskKey) -> impl Iterator<Item = &TaskReport> {
    seen.iter().filter_map(move |observation| match observation {
        Observation::Task { key, report } if *key == wanted => Some(report),
        _ => None,
    })
}

/// Waits for a condition that nobody announces.
pub fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let give_up = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < give_up, "waited in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// True while there is a process of this id that has not ended.
pub fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with(" Z") && !rest.starts_with(" X"))
}

fn exit_codes_and_signals(make: Make<'_>) {
    let subject = Subject::new(make);
    for (text, expect) in [
        ("exit 0", Exit::Code(0)),
        ("exit 7", Exit::Code(7)),
        ("kill -KILL $$", Exit::Signal(libc::SIGKILL)),
        ("kill -SEGV $$", Exit::Signal(libc::SIGSEGV)),
    ] {
        let order = shell(text);
        assert_eq!(subject.run(&order), expect, "{text}");
        let reports = subject.reports(order.key);
        let at = |report: &TaskReport| match report {
            TaskReport::Started { at } | TaskReport::Exited { at, .. } => Some(*at),
            _ => None,
        };
        let times: Vec<Time> = reports.iter().filter_map(at).collect();
        assert!(times.len() == 2 && times[0] <= times[1], "start and end are told in order: {reports:?}");
    }
}

fn what_cannot_be_started(make: Make<'_>) {
    let subject = Subject::new(make);
    let check = |spec: WorkloadSpec, expect: &str| match subject.run(&order_of(spec)) {
        Exit::CannotStart(why) => assert!(why.contains(expect), "{why:?} does not say {expect:?}"),
        other => panic!("{other:?}, not a failure that says {expect:?}"),
    };
    check(WorkloadSpec::command(&["no-such-program-anywhere"]), "no-such-program-anywhere");
    check(WorkloadSpec::command(&["/etc/hostname"]), "/etc/hostname");
    check(WorkloadSpec::command(&[]), "no command");
    let elsewhere = |directory: &str| WorkloadSpec {
        working_directory: Some(directory.to_owned()),
        ..WorkloadSpec::command(&["/bin/true"])
    };
    check(elsewhere("../elsewhere"), "working directory");
    check(elsewhere("/no/such/directory"), "working directory");
    check(elsewhere("/etc"), "working_roots");
    let script = Run::Script("#!/no/such/interpreter\n".to_owned());
    check(WorkloadSpec { run: script, ..WorkloadSpec::command(&[]) }, "script");
    let mut zero = WorkloadSpec::command(&["/bin/true"]);
    zero.environment.insert("BAD".to_owned(), "a\0b".to_owned());
    check(zero, "BAD");
}

fn environment(make: Make<'_>) {
    let subject = Subject::new(make);
    let mut spec =
        WorkloadSpec::command(&["/bin/sh", "-c", "env; echo pwd=$(pwd); touch \"$TMPDIR/x\" && echo tmp-works"]);
    spec.environment.insert("GREETING".to_owned(), "안녕 hello".to_owned());
    spec.environment.insert("EAF_TASKS".to_owned(), "forged".to_owned());
    spec.working_directory = Some("below/here".to_owned());
    let mut order = order_of(spec);
    order.array_index = Some(17);
    order.attempt = 3;
    assert_eq!(subject.run(&order), Exit::Code(0));
    let output = subject.output(&order, LogStream::Stdout);
    let home = subject.directory(&order);
    for line in [
        "GREETING=안녕 hello".to_owned(),
        "EAF_TASKS=1".to_owned(),
        format!("EAF_WORKLOAD_ID={}", order.workload),
        format!("EAF_LEASE_ID={}", order.key.lease),
        "EAF_ATTEMPT=3".to_owned(),
        "EAF_TASK_RANK=0".to_owned(),
        "EAF_ARRAY_INDEX=17".to_owned(),
        "EAF_CPUS=1".to_owned(),
        "ROCR_VISIBLE_DEVICES=".to_owned(),
        "HIP_VISIBLE_DEVICES=".to_owned(),
        "CUDA_VISIBLE_DEVICES=".to_owned(),
        format!("HOME={}", home.display()),
        format!("pwd={}", home.join("below/here").display()),
        "tmp-works".to_owned(),
    ] {
        assert!(output.lines().any(|found| found == line), "no line {line:?} in:\n{output}");
    }
    assert!(!output.contains("CARGO"), "the factory's own environment is kept from tasks:\n{output}");
}

fn scripts(make: Make<'_>) {
    let subject = Subject::new(make);
    for (text, expect) in [("echo plain $0; exit 4\n", 4), ("#!/bin/sh\necho marked\nexit 5\n", 5)] {
        let order = order_of(WorkloadSpec { run: Run::Script(text.to_owned()), ..WorkloadSpec::command(&[]) });
        assert_eq!(subject.run(&order), Exit::Code(expect), "{}", subject.output(&order, LogStream::Stderr));
        assert!(!subject.output(&order, LogStream::Stdout).is_empty());
    }
}

fn doubled_start(make: Make<'_>) {
    let subject = Subject::new(make);
    let order = shell("echo run >> runs; while [ ! -e go ]; do sleep 0.01; done");
    subject.start(&[&order, &order]);
    subject.started(order.key);
    subject.start(&[&order]);
    subject.wait("the start told again", |seen| {
        let starts = reports_of(seen, order.key).filter(|report| matches!(report, TaskReport::Started { .. }));
        (starts.count() >= 2).then_some(())
    });
    fs::write(subject.directory(&order).join("go"), "").expect("written");
    assert_eq!(subject.exit(order.key).0, Exit::Code(0));
    subject.start(&[&order]);
    subject.wait("the exit told again", |seen| {
        let exits = reports_of(seen, order.key).filter(|report| matches!(report, TaskReport::Exited { .. }));
        (exits.count() >= 2).then_some(())
    });
    assert_eq!(fs::read_to_string(subject.directory(&order).join("runs")).expect("read"), "run\n");
}

fn polite_stop(make: Make<'_>) {
    let subject = Subject::new(make);
    let order = shell("trap 'echo stopping; exit 9' TERM; echo ready; while :; do sleep 0.01; done");
    subject.start(&[&order]);
    subject.wait_output(&order, "ready");
    subject.stop(order.key, Span::from_secs(30));
    assert_eq!(subject.exit(order.key).0, Exit::Code(9));
    assert!(subject.output(&order, LogStream::Stdout).contains("stopping"));
    // A stop that comes again, late, is answered with the end.
    subject.stop(order.key, Span::from_secs(30));
    subject.wait("the exit told again", |seen| {
        let exits = reports_of(seen, order.key).filter(|report| matches!(report, TaskReport::Exited { .. }));
        (exits.count() >= 2).then_some(())
    });
}

/// A shell text that leaves behind a process in a session of its own, started by a parent that has gone.
const DAEMON: &str = "setsid sh -c 'setsid sh -c \"trap \\\"\\\" TERM; echo \\$\\$ > daemon; while :; do sleep 1; done\" &' ; \
                      while [ ! -s daemon ]; do sleep 0.01; done; ";

fn daemon_of(subject: &Subject, order: &StartOrder) -> u32 {
    let text = fs::read_to_string(subject.directory(order).join("daemon")).expect("the daemon has run");
    text.trim().parse().expect("its id")
}

fn hard_stop(make: Make<'_>) {
    let subject = Subject::new(make);
    let order = shell(&format!("trap '' TERM; {DAEMON} echo ready; while :; do sleep 1; done"));
    subject.start(&[&order]);
    subject.wait_output(&order, "ready");
    let daemon = daemon_of(&subject, &order);
    assert!(is_alive(daemon), "the daemon runs");
    let before = Instant::now();
    subject.stop(order.key, Span::from_ms(300));
    assert_eq!(subject.exit(order.key).0, Exit::Signal(libc::SIGKILL));
    assert!(before.elapsed() >= Duration::from_millis(250), "the grace was kept");
    assert!(!is_alive(daemon), "nothing is left when the exit is told");
}

fn left_behind(make: Make<'_>) {
    let subject = Subject::new(make);
    let order = shell(&format!("{DAEMON} exit 6"));
    assert_eq!(subject.run(&order), Exit::Code(6));
    assert!(!is_alive(daemon_of(&subject, &order)), "nothing is left when the exit is told");
}

fn stop_of_the_unknown(make: Make<'_>) {
    let subject = Subject::new(make);
    let order = shell("true");
    subject.stop(order.key, Span::ZERO);
    subject.wait("the answer", |seen| reports_of(seen, order.key).find(|r| **r == TaskReport::Unknown).map(|_| ()));
}

fn outputs(make: Make<'_>) {
    let subject = Subject::new(make);
    let order = shell(
        "echo out; echo err >&2; echo by-name > /dev/stderr; printf '가나'; head -c 300000 /dev/zero | tr '\\0' x",
    );
    assert_eq!(subject.run(&order), Exit::Code(0));
    assert_eq!(subject.output(&order, LogStream::Stderr), "err\nby-name\n");
    let read = |offset, limit| {
        let chunk = subject.engine.read_log(order.workload, 1, 0, LogStream::Stdout, offset, limit).expect("read");
        (chunk.offset, String::from_utf8_lossy(&chunk.bytes).into_owned())
    };
    assert_eq!(read(0, 4), (0, "out\n".to_owned()));
    assert_eq!(read(4, 6), (4, "가나".to_owned()));
    assert_eq!(read(10 + 299_998, 100), (300_008, "xx".to_owned()));
    assert_eq!(read(300_010, 100), (300_010, String::new()));
    let silent = shell("true");
    assert_eq!(subject.run(&silent), Exit::Code(0));
    assert_eq!(subject.output(&silent, LogStream::Stdout), "");
}

fn gang(make: Make<'_>) {
    let subject = Subject::new(make);
    // Each waits for the other, so that one after the other would never end.
    let text =
        "touch here.$EAF_TASK_RANK; while [ ! -e here.0 ] || [ ! -e here.1 ]; do sleep 0.01; done; echo $EAF_TASK_RANK";
    let mut first = shell(text);
    Arc::make_mut(&mut first.spec).tasks = 2;
    let second = StartOrder { key: TaskKey { task: 1, ..first.key }, ..first.clone() };
    subject.start(&[&first, &second]);
    for (order, expect) in [(&first, "0\n"), (&second, "1\n")] {
        assert_eq!(subject.exit(order.key).0, Exit::Code(0));
        assert_eq!(subject.output(order, LogStream::Stdout), expect);
    }
}

fn work_outlives_the_factory(make: Make<'_>) {
    let subject = Subject::new(make);
    let go = "while [ ! -e go ]; do sleep 0.01; done";
    let (during, after) = (shell(&format!("{go}; exit 11")), shell(&format!("echo before; {go}; echo after; exit 12")));
    subject.start(&[&during, &after]);
    let started = subject.started(after.key);
    subject.started(during.key);
    let directories = [subject.directory(&during), subject.directory(&after)];
    drop(subject);
    // One ends while nobody listens.
    fs::write(directories[0].join("go"), "").expect("written");
    let subject = Subject::new(make);
    assert_eq!(subject.known(after.key), Some(TaskReport::Started { at: started }));
    until("the end that nobody heard", || {
        matches!(subject.known(during.key), Some(TaskReport::Exited { exit: Exit::Code(11), .. }))
    });
    fs::write(directories[1].join("go"), "").expect("written");
    assert_eq!(subject.exit(after.key).0, Exit::Code(12));
    assert_eq!(subject.output(&after, LogStream::Stdout), "before\nafter\n");
}

fn kept_until_settled(make: Make<'_>) {
    let subject = Subject::new(make);
    let order = shell("exit 3");
    assert_eq!(subject.run(&order), Exit::Code(3));
    drop(subject);
    let subject = Subject::new(make);
    assert!(matches!(subject.known(order.key), Some(TaskReport::Exited { exit: Exit::Code(3), .. })));
    subject.engine.settle(&[order.key]).expect("settled");
    assert_eq!(subject.known(order.key), None);
    drop(subject);
    assert_eq!(Subject::new(make).known(order.key), None);
}

fn checkpoints(make: Make<'_>) {
    let subject = Subject::new(make);
    let order = shell(
        "touch \"$EAF_CHECKPOINT\"; while [ ! -e go ]; do sleep 0.01; done; \
         printf '{\"label\":\"epoch 2\",\"whole_gang\":true}' > new; mv new \"$EAF_CHECKPOINT\"",
    );
    subject.start(&[&order]);
    let started = subject.started(order.key);
    let heard = |subject: &Subject| {
        subject.wait("a checkpoint", |seen| {
            reports_of(seen, order.key).find_map(|report| match report {
                TaskReport::Checkpointed(checkpoint) => Some(checkpoint.clone()),
                _ => None,
            })
        })
    };
    let first = heard(&subject);
    // The time of a file may be a tick of the kernel's clock behind.
    let at = first.at.after(Span::from_ms(100));
    assert!(at >= started && first.label.is_none() && !first.whole_gang, "{first:?}, started {started:?}");
    let directory = subject.directory(&order);
    drop(subject);
    // Who comes new and asks is told as well.
    let subject = Subject::new(make);
    assert!(matches!(subject.known(order.key), Some(TaskReport::Started { .. })));
    assert_eq!(heard(&subject), first);
    // One that is written right before the end is told before the end.
    fs::write(directory.join("go"), "").expect("written");
    assert_eq!(subject.exit(order.key).0, Exit::Code(0));
    let reports = subject.reports(order.key);
    let last = reports.iter().rev().find_map(|report| match report {
        TaskReport::Checkpointed(checkpoint) => Some(checkpoint),
        _ => None,
    });
    let last = last.expect("the last checkpoint");
    assert_eq!((last.label.as_deref(), last.whole_gang), (Some("epoch 2"), true));
    assert!(last.at > first.at && matches!(reports.last(), Some(TaskReport::Exited { .. })), "{reports:?}");
}

fn usage(make: Make<'_>) {
    let subject = Subject::new(make);
    let order = shell("x=0; while [ $x -lt 200000 ]; do x=$((x+1)); done");
    subject.start(&[&order]);
    let (exit, usage) = subject.exit(order.key);
    assert_eq!(exit, Exit::Code(0));
    assert!(usage.cpu.0 > 10_000, "processor time is counted: {usage:?}");
    assert!(usage.memory_peak.is_none_or(|peak| peak.0 > 64 << 10), "memory is counted: {usage:?}");
}

fn files_are_forgotten(make: Make<'_>) {
    let subject = Subject::new(make);
    let order = shell("echo text; mkdir -p a/b; touch a/b/c; chmod 500 a/b");
    assert_eq!(subject.run(&order), Exit::Code(0));
    subject.engine.settle(&[order.key]).expect("settled");
    assert!(subject.engine.directory(order.workload).is_some());
    subject.engine.forget_files(&[order.workload]).expect("forgotten");
    assert_eq!(subject.engine.directory(order.workload), None);
    assert_eq!(subject.output(&order, LogStream::Stdout), "");
    subject.engine.forget_files(&[order.workload]).expect("forgetting again is no error");
}

/// On an engine whose first accelerator offers a mode `MIG` or `CPX/NPS1`; where none can be cut, nothing is asked of it.
fn modes_change(make: Make<'_>) {
    let subject = Subject::new(make);
    let node = subject.engine.discover().expect("found").remove(0);
    let mode = match node.accelerators.first().map(|first| first.model.as_str()) {
        Some(model) if model.starts_with("MI3") => "CPX/NPS1",
        Some("H100" | "H200" | "B200") => "MIG",
        _ => return,
    };
    let order = |mode: &str, order| ModeOrder {
        node: NodeId::of_step(1),
        name: node.name.clone(),
        accelerators: vec![0],
        mode: mode.to_owned(),
        order,
    };
    let give = |order: &ModeOrder| subject.engine.order(&[Effect::SetMode(order.clone())]).expect("the order is taken");
    let in_force = ModeReport::InForce { mode: mode.to_owned() };
    let told = |number, times| {
        subject.wait("what came of the order", |seen| {
            let told: Vec<ModeReport> = mode_reports(seen, number).cloned().collect();
            (told.len() >= times).then_some(told)
        })
    };
    let (cut, whole) = (order(mode, 1 << 40), order(eaf_model::WHOLE_MODE, 2 << 40));
    give(&cut);
    assert_eq!(told(cut.order, 1).as_slice(), std::slice::from_ref(&in_force));
    assert_eq!(modes_of(&subject)[0], (0, mode.to_owned()));
    give(&cut);
    assert_eq!(told(cut.order, 2), [in_force.clone(), in_force]);
    // A task on a slice finds it, and nobody changes the mode under it.
    let mut task = shell("echo $CUDA_VISIBLE_DEVICES $ROCR_VISIBLE_DEVICES; while [ ! -e go ]; do sleep 0.01; done");
    let slice = eaf_model::HeldSlice { mode: mode.to_owned(), profile: mode.to_owned(), start: 1, slots: 1 };
    let share = eaf_model::GpuMilli(125);
    task.allotment.accelerators = vec![eaf_model::AllottedAccelerator { index: 0, share, slice: Some(slice) }];
    subject.start(&[&task]);
    subject.started(task.key);
    let early = order(eaf_model::WHOLE_MODE, 3 << 39);
    give(&early);
    assert!(matches!(told(early.order, 1)[0], ModeReport::Failed { .. }));
    fs::write(subject.directory(&task).join("go"), "").expect("written");
    assert_eq!(subject.exit(task.key).0, Exit::Code(0));
    assert!(!subject.output(&task, LogStream::Stdout).trim().is_empty(), "the slice has a name");
    give(&whole);
    told(whole.order, 1);
    // An order that is older than the last is not carried out, and a start on what is not there is lost.
    give(&cut);
    let mut late = task.clone();
    late.key = order_of(WorkloadSpec::command(&["true"])).key;
    assert!(matches!(subject.run(&late), Exit::Lost(_)));
    assert_eq!(modes_of(&subject)[0], (0, eaf_model::WHOLE_MODE.to_owned()));
}

fn many(make: Make<'_>) {
    let subject = Subject::new(make);
    let orders: Vec<StartOrder> = (0..60).map(|code| shell(&format!("echo {code}; exit {code}"))).collect();
    subject.start(&orders.iter().collect::<Vec<_>>());
    for (code, order) in (0..).zip(&orders) {
        assert_eq!(subject.exit(order.key).0, Exit::Code(code));
        assert_eq!(subject.output(order, LogStream::Stdout), format!("{code}\n"));
    }
}
