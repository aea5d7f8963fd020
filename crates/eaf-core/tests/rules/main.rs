//! The rules of work, one check each, through the public door of the core.
//!
//! What: small factories that read as sentences. Absent: clocks and engines; the test says what they saw.

mod dependencies;
mod estimates;
mod fencing;
mod lives;
mod losses;
mod modes;
mod preemption;

use eaf_core::{State, Step, Workload, check_invariants, outstanding, step};
use eaf_model::{
    Accelerator, Bytes, CpuMilli, Effect, Event, Exit, Input, NodeSpec, Rejection, Span, Submission, TaskKey,
    TaskReport, Time, Usage, WorkloadId, WorkloadSpec, WorkloadState,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A factory in a test.
struct Factory {
    state: State,
    now: Time,
    ended: BTreeMap<WorkloadId, Arc<Workload>>,
}

impl Factory {
    /// Nodes `node-0`, `node-1`, … with so many threads each, 64 GiB, and two accelerators.
    fn with_nodes(cpus: &[u64]) -> Self {
        let mut factory = Self { state: State::new(), now: Time(1_000_000), ended: BTreeMap::new() };
        for (n, cpus) in cpus.iter().enumerate() {
            let accelerator = Accelerator { model: "MI355X".to_owned(), memory: None, uuid: None };
            factory.must(&Input::NodeSeen(NodeSpec {
                name: format!("node-{n}"),
                cpu: CpuMilli(cpus * 1_000),
                memory: Bytes(64 << 30),
                accelerators: vec![accelerator; 2],
                fabric: Vec::new(),
                pretended: true,
                labels: BTreeMap::new(),
            }));
        }
        factory
    }

    fn try_step(&mut self, input: &Input) -> Result<Step, Rejection> {
        let step = step(&mut self.state, self.now, input)?;
        self.ended.extend(step.ended.iter().map(|workload| (workload.id, Arc::clone(workload))));
        check_invariants(&self.state).expect("the invariants hold");
        Ok(step)
    }

    fn must(&mut self, input: &Input) -> Step {
        self.try_step(input).unwrap_or_else(|rejection| panic!("{input:?} is refused: {rejection:?}"))
    }

    fn submit(&mut self, spec: WorkloadSpec) -> WorkloadId {
        self.submit_as(spec, &[], None).expect("the submission passes")
    }

    fn submit_as(&mut self, spec: WorkloadSpec, array: &[u16], key: Option<&str>) -> Result<WorkloadId, Rejection> {
        let (array, key) = (array.to_vec(), key.map(str::to_owned));
        let asked = key.clone();
        let submission = Submission { spec, array, key, by: "ann".to_owned(), ended: Vec::new() };
        let step = self.try_step(&Input::Submit(Box::new(submission)))?;
        let made = step.events.iter().find_map(|event| match event {
            Event::WorkloadSubmitted { workload, .. } => Some(*workload),
            _ => None,
        });
        Ok(made.or_else(|| self.state.remembered_by_key(&asked?)).expect("a new workload or one with that key"))
    }

    fn plan(&mut self) {
        self.must(&Input::Plan);
    }

    /// Lets time pass and wakes the core.
    fn wait(&mut self, span: Span) {
        self.now = self.now.after(span);
        self.must(&Input::Wake);
    }

    /// The keys of the tasks of a workload that holds a lease.
    fn tasks(&self, id: WorkloadId) -> Vec<TaskKey> {
        let lease = self.state.workload(id).and_then(|workload| workload.lease).expect("it holds a lease");
        let tasks = &self.state.lease(lease).expect("its lease is alive").tasks;
        (0..).zip(tasks).map(|(task, _)| TaskKey { lease, task }).collect()
    }

    fn report(&mut self, key: TaskKey, report: TaskReport) -> Result<Step, Rejection> {
        self.try_step(&Input::Reported { key, report })
    }

    fn start(&mut self, id: WorkloadId) {
        for key in self.tasks(id) {
            self.report(key, TaskReport::Started { at: self.now }).expect("the start is news");
        }
    }

    fn exit(&mut self, id: WorkloadId, exit: &Exit) {
        for key in self.tasks(id) {
            self.exit_task(key, exit.clone());
        }
    }

    fn exit_task(&mut self, key: TaskKey, exit: Exit) {
        let report = TaskReport::Exited { at: self.now, exit, usage: Usage::default() };
        self.report(key, report).expect("the exit is news");
    }

    fn workload(&self, id: WorkloadId) -> Arc<Workload> {
        let live = self.state.workload(id).or_else(|| self.ended.get(&id));
        Arc::clone(live.unwrap_or_else(|| panic!("{id} is neither alive nor ended")))
    }

    fn state_of(&self, id: WorkloadId) -> WorkloadState {
        self.workload(id).state
    }

    /// What is owed, as words: `start ls-4.0/0`.
    fn owed(&self) -> Vec<String> {
        let word = |effect: &Effect| match effect {
            Effect::Start(order) => format!("start {}/{}", order.key.lease, order.key.task),
            Effect::Stop(order) => format!("stop {}/{}", order.key.lease, order.key.task),
            Effect::SetMode(order) => format!("{} {:?} {}", order.name, order.accelerators, order.mode),
        };
        outstanding(&self.state).iter().map(word).collect()
    }
}

/// One task of so many threads.
fn cpus(count: u64) -> WorkloadSpec {
    let mut spec = WorkloadSpec::command(&["true"]);
    spec.task.cpu = CpuMilli(count * 1_000);
    spec
}

/// A gang of tasks of so many threads each.
fn gang(tasks: u32, count: u64) -> WorkloadSpec {
    WorkloadSpec { tasks, ..cpus(count) }
}
