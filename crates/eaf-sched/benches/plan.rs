//! What one planning pass costs: `cargo bench -p eaf-sched`.
//!
//! What: medians of `plan` over fleets of 1, 1,213 and 10,000 nodes with 100,000 waiting workloads of 1, 10 and 1,000
//! shapes, on a full fleet, on one where a little has become free, and on an idle one; then the parts that the core calls
//! for every workload. Absent: a verdict; the figures are for reading.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock; the crate does not"
)]
#![allow(clippy::cast_possible_truncation, reason = "the counts are small")]

use eaf_model::{
    Accelerator, AcceleratorRequest, Bytes, CpuMilli, GpuMilli, LeaseId, NodeId, NodeSpec, Span, TaskRequest, Time,
    WorkloadId,
};
use eaf_sched::{Entry, Fleet, Plan, Queue, Scores, Shape, Snapshot, check, explain, plan};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

const WAITING: u64 = 100_000;
const HOLDS: u32 = 4;

fn node(gpus: usize) -> NodeSpec {
    let accelerators = vec![Accelerator { model: "MI355X".into(), memory: None, uuid: None }; gpus];
    let (cpu, memory) = (CpuMilli(128_000), Bytes(1_024 << 30));
    NodeSpec {
        name: String::new(),
        cpu,
        memory,
        accelerators,
        fabric: Vec::new(),
        pretended: false,
        labels: BTreeMap::new(),
    }
}

/// Shape `n`: they differ in everything that shapes differ in; every fourth asks for accelerators, every 16th is a gang.
fn shape(n: u64) -> Arc<Shape> {
    let count = if n % 4 == 1 { 1 + (n / 4 % 8) as u32 } else { 0 };
    let accelerators = AcceleratorRequest { count, share: GpuMilli(1_000), models: Vec::new(), slice: None };
    let task = TaskRequest { cpu: CpuMilli(1_000 + n % 16 * 1_000), memory: Bytes((1 + n % 7) << 30), accelerators };
    let tasks = if n % 16 == 2 { 8 } else { 1 };
    Arc::new(Shape {
        tasks,
        tasks_max: tasks,
        tasks_per_node_max: None,
        task,
        wall: Span::from_secs(3_600 + n),
        project: None,
    })
}

fn queue(shapes: u64) -> Queue {
    let shapes: Vec<_> = (0..shapes).map(shape).collect();
    let mut queue = Queue::new();
    for n in 0..WAITING {
        let shape = shapes[(n % shapes.len() as u64) as usize].clone();
        let workload = WorkloadId::of_step(n + 1);
        queue.insert(Entry::new(workload, 0, Time(n.cast_signed()), shape));
    }
    queue
}

fn idle(nodes: u64) -> Snapshot {
    let mut fleet = Fleet::new();
    for n in 0..nodes {
        fleet.add(NodeId::of_step(n + 1), &node(if n % 2 == 0 { 8 } else { 0 }));
    }
    Snapshot {
        now: Time(1_000_000),
        fleet,
        holds_max: HOLDS,
        grants_max: 1_000,
        shapes_max: 1_000,
        ..Snapshot::default()
    }
}

/// Makes a plan true; what it grants ends one after the other.
fn make(snapshot: &mut Snapshot, made: Plan, lease: &mut u64) {
    for grant in made.grants {
        let entry = snapshot.queue.get(grant.workload).expect("it was queued");
        snapshot.queue.remove(&entry);
        for task in &grant.placement.tasks {
            snapshot.fleet.hold(task);
        }
        *lease += 1;
        let end = snapshot.now.after(Span::from_secs(60 + *lease % 3_600));
        snapshot.releases.insert(
            end,
            LeaseId::of_step(*lease),
            grant.placement.tasks.into(),
            eaf_sched::Counts::For(None),
        );
    }
}

/// The fleet filled with tasks of 16 CPUs, or of 1 CPU (`small`), and the queue of these shapes in front of it.
fn full(nodes: u64, shapes: u64, small: bool) -> Snapshot {
    let mut snapshot = idle(nodes);
    let mut lease = 0;
    let mut filler = Arc::unwrap_or_clone(shape(0));
    filler.task.cpu = CpuMilli(if small { 1_000 } else { 16_000 });
    filler.task.memory = Bytes(1 << 30);
    let filler = Arc::new(filler);
    let per_node = if small { 128 } else { 8 };
    for n in 0..nodes * per_node {
        let workload = WorkloadId::of_step(1_000_000 + n);
        snapshot.queue.insert(Entry::new(workload, 0, Time(0), filler.clone()));
    }
    while !snapshot.queue.is_empty() {
        let made = plan(&snapshot, &mut Scores::default());
        assert!(!made.grants.is_empty(), "the filler fills the fleet");
        make(&mut snapshot, made, &mut lease);
    }
    snapshot.queue = queue(shapes);
    snapshot
}

fn free_first(snapshot: &mut Snapshot, leases: usize) {
    let first: Vec<_> =
        snapshot.releases.iter().take(leases).map(|(at, lease, tasks)| (at, lease, tasks.clone())).collect();
    for (at, lease, tasks) in first {
        snapshot.releases.remove(at, lease);
        for task in tasks.iter() {
            snapshot.fleet.release(task);
        }
    }
}

/// Median and greatest of repeated runs.
fn time<T>(mut run: impl FnMut() -> T) -> (Duration, Duration, T) {
    let mut times = Vec::new();
    let began = Instant::now();
    loop {
        let start = Instant::now();
        let out = black_box(run());
        times.push(start.elapsed());
        if times.len() >= 5 && (times.len() >= 301 || began.elapsed() > Duration::from_millis(500)) {
            times.sort();
            return (times[times.len() / 2], times[times.len() - 1], out);
        }
    }
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("standard output takes the figures");
}

fn report(what: &str, (median, most, _): &(Duration, Duration, impl Sized), note: &str) {
    say(&format!("{what:<52} median {median:>10.1?}  most {most:>10.1?}  {note}"));
}

fn report_plan(what: &str, snapshot: &Snapshot) {
    let mut scores = Scores::default();
    let timed = time(|| plan(snapshot, &mut scores));
    let (checked, _, verdict) = time(|| check(snapshot, &timed.2));
    verdict.expect("the plan is lawful");
    let held = timed.2.holds.len();
    report(what, &timed, &format!("{} grants, {held} holds; checked in {checked:.1?}", timed.2.grants.len()));
}

fn main() {
    passes();
    many_leases();
    let snapshot = full(10_000, 1_000, false);
    nodes_away(snapshot.clone());
    parts(&snapshot);
}

/// Fleets and queues of every size.
fn passes() {
    for nodes in [1, 1_213, 10_000] {
        for shapes in [1, 10, 1_000] {
            let mut snapshot = full(nodes, shapes, false);
            report_plan(&format!("{nodes} nodes, {shapes} shapes, full"), &snapshot);
            free_first(&mut snapshot, 1);
            report_plan(&format!("{nodes} nodes, {shapes} shapes, 16 CPUs free"), &snapshot);
            let idle = Snapshot { queue: snapshot.queue.clone(), ..idle(nodes) };
            report_plan(&format!("{nodes} nodes, {shapes} shapes, idle"), &idle);
        }
    }
}

/// A head that waits for very many leases.
fn many_leases() {
    let mut snapshot = full(1_213, 1, true);
    say("155,264 leases of one CPU on 1,213 nodes:");
    report_plan("  full", &snapshot);
    let gang = |tasks, cpu| {
        let task = TaskRequest { cpu: CpuMilli(cpu), ..shape(0).task.clone() };
        Arc::new(Shape { tasks, tasks_max: tasks, task, ..Shape::clone(&shape(0)) })
    };
    for (name, tasks) in [("  a gang of 64 whole nodes in front", 64), ("  a gang of all nodes in front", 1_213)] {
        let mut fronted = snapshot.clone();
        let front = Entry::new(WorkloadId::of_step(900_000), 9, Time(0), gang(tasks, 128_000));
        fronted.queue.insert(front);
        report_plan(name, &fronted);
    }
    free_first(&mut snapshot, 2);
    report_plan("  2 CPUs free", &snapshot);
}

/// A deep queue for nodes that are away, and one workload behind it that starts.
fn nodes_away(mut snapshot: Snapshot) {
    snapshot.fleet.add(NodeId::of_step(90_000), &node(0));
    let patient = AcceleratorRequest { count: 64, ..AcceleratorRequest::none() };
    let hopeless = |n: u64| {
        let task = TaskRequest { accelerators: patient.clone(), ..shape(n % 100).task.clone() };
        Arc::new(Shape { task, ..Shape::clone(&shape(n % 100)) })
    };
    let mut away = Snapshot { queue: Queue::new(), ..snapshot };
    for n in 0..WAITING {
        let (workload, submitted_at) = (WorkloadId::of_step(n + 1), Time(n.cast_signed()));
        let shape = if n + 1 == WAITING { shape(0) } else { hopeless(n) };
        away.queue.insert(Entry::new(workload, 0, submitted_at, shape));
    }
    report_plan("100,000 wait for nodes that are away, one passes", &away);
}

/// What the core and its readers call for every workload.
fn parts(snapshot: &Snapshot) {
    let last = WorkloadId::of_step(WAITING);
    report("explain the last of 100,000", &time(|| explain(snapshot, last)), "10,000 nodes, 1,000 shapes");
    let wanted = shape(5);
    report("1,000 x ever_fits", &time(|| (0..1_000).all(|_| snapshot.fleet.ever_fits(black_box(&wanted)).is_ok())), "");
    let entry = |n: u64| Entry::new(WorkloadId::of_step(WAITING + n), 0, Time(WAITING.cast_signed()), wanted.clone());
    let mut queue = snapshot.queue.clone();
    let insert_remove = || {
        (1..=1_000).for_each(|n| queue.insert(entry(n)));
        (1..=1_000).for_each(|n| queue.remove(&entry(n)));
    };
    report("1,000 x queue insert and remove", &time(insert_remove), "");
    let mut fleet = snapshot.fleet.clone();
    let tasks: Vec<_> = snapshot.releases.iter().take(1_000).flat_map(|(_, _, tasks)| tasks.to_vec()).collect();
    let release_hold = || {
        for task in &tasks {
            fleet.release(task);
        }
        for task in &tasks {
            fleet.hold(task);
        }
    };
    report("1,000 x fleet release and hold", &time(release_hold), "");
}
