//! Made-up history through the real door, for tests and benchmarks.
//!
//! What: [`Factory`] drives the state machine with one node on which everything starts and exits at once, and hands out
//! batches; [`fill`] puts many ended workloads into a store. Why through the state machine: such a store recovers and
//! verifies like any other. Absent: processes, and any use in a running factory.

use crate::{Batch, Head, Snapshot, Store, StoreError};
use eaf_core::{State, Step, effects_of, step};
use eaf_model::{
    Bytes, CpuMicros, CpuMilli, Effect, Exit, Input, NodeSpec, Rejection, Span, Submission, TaskReport, Time, Usage,
    WorkloadSpec,
};
use std::collections::BTreeMap;

/// Workloads that `fill` runs beside each other; their steps are one batch.
const ROUND: u64 = 500;

/// A state machine whose engine does everything at once, with the steps that are not yet in a batch.
#[derive(Clone, Debug, Default)]
pub struct Factory {
    state: State,
    head: Head,
    now: Time,
    steps: Vec<Step>,
}

impl Factory {
    /// Goes on from a state at a head; `now` is the instant of the next step.
    pub fn from(state: State, head: Head, now: Time) -> Self {
        Self { state, head, now, steps: Vec::new() }
    }

    /// An empty factory at an instant.
    pub fn new(now: Time) -> Self {
        Self::from(State::new(), Head::default(), now)
    }

    /// The state, with all steps so far.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Lets time pass.
    pub fn wait(&mut self, span: Span) {
        self.now = self.now.after(span);
    }

    /// Gives an input to the state machine.
    ///
    /// # Errors
    /// Those of the state machine.
    pub fn input(&mut self, input: &Input) -> Result<(), Rejection> {
        let step = step(&mut self.state, self.now, input)?;
        if !step.events.is_empty() {
            self.steps.push(step);
        }
        Ok(())
    }

    /// Adds a node of so many threads.
    ///
    /// # Panics
    /// Where the state machine refuses it.
    pub fn add_node(&mut self, name: &str, threads: u64) {
        let spec = NodeSpec {
            name: name.to_owned(),
            cpu: CpuMilli(threads * 1_000),
            memory: Bytes(threads << 30),
            accelerators: Vec::new(),
            fabric: Vec::new(),
            pretended: false,
            labels: BTreeMap::new(),
        };
        self.input(&Input::NodeSeen(spec)).expect("a node is accepted");
    }

    /// Submits a workload, or an array where there are index values.
    ///
    /// # Panics
    /// Where the state machine refuses it.
    pub fn submit(&mut self, spec: WorkloadSpec, array: Vec<u16>, key: Option<String>) {
        let submission = Submission { spec, array, key, by: "sample".to_owned(), ended: Vec::new() };
        self.input(&Input::Submit(Box::new(submission))).expect("a sample workload is accepted");
    }

    /// Places what waits, and starts what was placed; says how many tasks started.
    ///
    /// # Panics
    /// Where the state machine refuses what its own orders lead to.
    pub fn start_placed(&mut self) -> usize {
        let before = self.steps.len();
        self.input(&Input::Plan).expect("planning is never refused");
        let effects: Vec<Effect> =
            self.steps[before..].iter().flat_map(|step| effects_of(&self.state, &step.events)).collect();
        for effect in &effects {
            let report = TaskReport::Started { at: self.now };
            self.input(&Input::Reported { key: effect.key().expect("it is of a task"), report })
                .expect("a start is accepted");
        }
        effects.len()
    }

    /// Ends every running task: each third with 1, the others with 0.
    ///
    /// # Panics
    /// Where the state machine refuses it.
    pub fn end_running(&mut self) {
        let leases: Vec<_> = self.state.leases().cloned().collect();
        for lease in leases {
            for task in 0..u32::try_from(lease.tasks.len()).expect("a gang is small") {
                let code = i32::from(lease.workload.step().is_multiple_of(3));
                let usage = Usage { cpu: CpuMicros(1_500), memory_peak: Some(Bytes(9 << 20)), ..Usage::default() };
                let report = TaskReport::Exited { at: self.now, exit: Exit::Code(code), usage };
                let key = eaf_model::TaskKey { lease: lease.id, task };
                self.input(&Input::Reported { key, report }).expect("an exit is accepted");
            }
        }
    }

    /// The steps since the last batch, as a batch.
    ///
    /// # Panics
    /// Where there are none.
    pub fn batch(&mut self) -> Batch {
        let batch = Batch::of_steps(&std::mem::take(&mut self.steps), self.head);
        self.head = batch.head;
        batch
    }

    /// The state as a snapshot. Every step must have been given out in a batch.
    ///
    /// # Panics
    /// Where one was not.
    pub fn snapshot(&self) -> Snapshot {
        assert!(self.steps.is_empty(), "a snapshot is of a head");
        let body = serde_json::to_vec(&self.state).expect("a state is JSON and memory takes it");
        Snapshot { head: self.head, body }
    }
}

/// The specification of a sample workload.
pub fn spec(name: &str, project: &str) -> WorkloadSpec {
    WorkloadSpec {
        name: name.to_owned(),
        project: project.to_owned(),
        ..WorkloadSpec::command(&["/bin/sh", "-c", "exit $CODE"])
    }
}

/// The idempotency key of the sample workload of this number: like a client's, it comes in no order.
pub fn key(number: u64) -> String {
    // An odd factor makes each number another one (Knuth's multiplicative hash).
    format!("{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Puts `count` ended workloads (at least that many) into an empty store, a second apart from `from` on by rounds of
/// 500, and a snapshot behind them.
///
/// # Errors
/// Those of the store.
///
/// # Panics
/// Where the store is not empty.
pub fn fill(store: &mut dyn Store, count: u64, from: Time) -> Result<Head, StoreError> {
    assert_eq!(store.head()?, Head::default(), "a store is filled from the beginning");
    let mut factory = Factory::new(from);
    factory.add_node("sample", ROUND);
    for round in 0..count.div_ceil(ROUND) {
        for number in 0..ROUND {
            let number = round * ROUND + number;
            let (name, project) = (format!("job-{}", number % 1_000), format!("project-{}", number % 10));
            factory.submit(spec(&name, &project), Vec::new(), Some(key(number)));
        }
        while factory.start_placed() > 0 {}
        factory.wait(Span::from_secs(1));
        factory.end_running();
        store.append(&factory.batch())?;
    }
    store.save_snapshot(&factory.snapshot())?;
    store.head()
}
