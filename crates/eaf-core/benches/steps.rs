//! How long the core takes for a workload, from submission to its end, alone and with others waiting.
//!
//! What: medians over batches, one node, one core. Run with `cargo bench -p eaf-core`. Absent: disks and processes.
#![allow(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints rounded figures")]
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "a benchmark reads the clock and prints"
)]

use eaf_core::{State, effects_of, outstanding, step};
use eaf_model::{Bytes, CpuMilli, Effect, Exit, Input, NodeSpec, Submission, TaskReport, Time, Usage, WorkloadSpec};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

fn factory() -> State {
    let mut state = State::new();
    let spec = NodeSpec {
        name: "here".to_owned(),
        cpu: CpuMilli(2_000),
        memory: Bytes(16 << 30),
        accelerators: Vec::new(),
        fabric: Vec::new(),
        pretended: false,
        labels: BTreeMap::new(),
    };
    step(&mut state, Time(1), &Input::NodeSeen(spec)).expect("a node joins");
    state
}

fn submission(array: Vec<u16>) -> Input {
    let spec = WorkloadSpec::command(&["true"]);
    Input::Submit(Box::new(Submission { spec, array, key: None, by: "ann".to_owned(), ended: Vec::new() }))
}

/// Submits `count` workloads, one step each, with a plan and a published snapshot after every 32.
fn submit(state: &mut State, count: u32) -> Duration {
    let (input, from) = (submission(Vec::new()), Instant::now());
    let mut published = state.clone();
    for n in 0..count {
        step(state, Time(2), &input).expect("it passes");
        if n % 32 == 31 {
            step(state, Time(2), &Input::Plan).expect("a plan passes");
            published = state.clone();
        }
    }
    drop(published);
    from.elapsed()
}

/// Runs what waits to its end, with a published snapshot after every round.
fn drain(state: &mut State) -> (u64, Duration) {
    let (mut ended, from) = (0, Instant::now());
    let mut owed = outstanding(state);
    loop {
        let planned = step(state, Time(3), &Input::Plan).expect("a plan passes");
        owed.extend(effects_of(state, &planned.events));
        let published = state.clone();
        if owed.is_empty() {
            return (ended, from.elapsed());
        }
        for effect in std::mem::take(&mut owed) {
            let Effect::Start(order) = effect else { continue };
            let at = Time(3);
            let exited = TaskReport::Exited { at, exit: Exit::Code(0), usage: Usage::default() };
            for report in [TaskReport::Started { at }, exited] {
                let done = step(state, at, &Input::Reported { key: order.key, report }).expect("news");
                ended += done.ended.len() as u64;
            }
        }
        drop(published);
    }
}

fn main() {
    for waiting in [1_000_u32, 10_000, 100_000] {
        let mut state = factory();
        let submitted = submit(&mut state, waiting);
        let from = Instant::now();
        let clone = std::hint::black_box(state.clone());
        let snapshot = from.elapsed();
        drop(clone);
        let each = |time: Duration, count: u64| time.as_nanos() as f64 / count as f64 / 1_000.0;
        let submit_us = each(submitted, u64::from(waiting));
        let (ended, drained) = drain(&mut state);
        println!(
            "{waiting:>7} waiting: submit {submit_us:6.2} us, grant to end {:6.2} us, snapshot {snapshot:?}",
            each(drained, ended)
        );
    }
    let mut state = factory();
    let from = Instant::now();
    step(&mut state, Time(2), &submission((0..10_000).collect())).expect("it passes");
    let array = from.elapsed();
    let (ended, drained) = drain(&mut state);
    println!("array of {ended}: submit {array:?}, then {:.2} us each", drained.as_micros() as f64 / ended as f64);
}
