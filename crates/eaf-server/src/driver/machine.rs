//! The part of the driver that could run anywhere: inputs and an instant in, a batch and effects out.
//!
//! What: steps each input, plans once behind them, and gathers what must become durable. Absent: clocks, disks, engines
//! and callers; `driver` has those.

use crate::Fatal;
use eaf_core::{State, Step, check_invariants, effects_of, next_wakeup, outstanding, step};
use eaf_model::{Effect, Event, Input, Rejection, Time, WorkloadId};
use eaf_store::{Batch, Head};

/// What an input that was not rejected did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The step that the caller must know to be durable: its own, or the last one where the input changed nothing.
    pub(crate) step: u64,
    /// For a submission: the workload or array that stands for it.
    pub(crate) workload: Option<WorkloadId>,
    /// True where the input made events.
    pub(crate) changed: bool,
}

/// What one turn made.
pub(crate) struct Turn {
    /// What must be durable before anything below is acted on; `None` where nothing happened.
    pub(crate) batch: Option<Batch>,
    /// The same, as steps.
    pub(crate) steps: Vec<Step>,
    /// By input.
    pub(crate) results: Vec<Result<Taken, Rejection>>,
    /// What the world owes now.
    pub(crate) effects: Vec<Effect>,
}

/// Owns the state.
pub(crate) struct Machine {
    state: State,
    head: Head,
    check: bool,
    /// True where the last plan may have left something that it could place.
    plan_due: bool,
    /// False once the factory is stopping for good.
    planning: bool,
}

impl Machine {
    /// Goes on from a state that was recovered.
    pub(crate) fn new(state: State, head: Head, check: bool) -> Self {
        assert_eq!(state.step_number(), head.step, "the state is the one at the journal's head");
        Self { state, head, check, plan_due: true, planning: true }
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn head(&self) -> Head {
        self.head
    }

    /// Places nothing more.
    pub(crate) fn stop_planning(&mut self) {
        self.planning = false;
        self.plan_due = false;
    }

    /// When a turn is due although nothing comes in; `Time(i64::MIN)` for at once.
    pub(crate) fn due(&self) -> Option<Time> {
        if self.plan_due { Some(Time(i64::MIN)) } else { next_wakeup(&self.state).map(|wakeup| wakeup.at) }
    }

    /// Everything that the world owes to the state.
    pub(crate) fn outstanding(&self) -> Vec<Effect> {
        outstanding(&self.state)
    }

    /// Takes a batch of inputs at an instant, which is held where the clock went back.
    pub(crate) fn turn(&mut self, clock: Time, inputs: &[Input]) -> Result<Turn, Fatal> {
        let now = clock.max(self.state.last_time());
        let mut turn =
            Turn { batch: None, steps: Vec::new(), results: Vec::with_capacity(inputs.len()), effects: vec![] };
        if next_wakeup(&self.state).is_some_and(|wakeup| wakeup.at <= now) {
            // A rejection is impossible: a wake-up asks for nothing, and time was held.
            self.take(now, &Input::Wake, &mut turn.steps)?.expect("time itself is never rejected");
            self.plan_due = true;
        }
        for input in inputs {
            let result = self.take(now, input, &mut turn.steps)?;
            turn.results.push(result);
        }
        self.plan(now, &mut turn.steps)?;
        if !turn.steps.is_empty() {
            let batch = Batch::of_steps(&turn.steps, self.head);
            self.head = batch.head;
            for step in &turn.steps {
                turn.effects.extend(effects_of(&self.state, &step.events));
            }
            turn.batch = Some(batch);
        }
        Ok(turn)
    }

    fn plan(&mut self, now: Time, steps: &mut Vec<Step>) -> Result<(), Fatal> {
        if !self.planning || !(self.plan_due || steps.iter().any(|step| step.events.iter().any(may_place))) {
            return Ok(());
        }
        let before = steps.len();
        self.take(now, &Input::Plan, steps)?.expect("a plan is never rejected");
        let granted = steps[before..].iter().flat_map(|step| &step.events);
        let granted = granted.filter(|event| matches!(event, Event::LeaseGranted { .. })).count();
        // A pass that was cut short by its bound goes on in the next turn, behind what has come in meanwhile.
        self.plan_due = granted as u64 >= u64::from(self.state.settings().limits.grants_per_plan_max);
        Ok(())
    }

    fn take(&mut self, now: Time, input: &Input, steps: &mut Vec<Step>) -> Result<Result<Taken, Rejection>, Fatal> {
        let made = match step(&mut self.state, now, input) {
            Ok(made) => made,
            Err(rejection) => return Ok(Err(rejection)),
        };
        if self.check {
            check_invariants(&self.state)
                .map_err(|violation| Fatal::Invariant { step: self.state.step_number(), violation })?;
        }
        let changed = !made.events.is_empty();
        let workload = match input {
            Input::Submit(submission) => match made.events.first() {
                Some(Event::WorkloadSubmitted { workload, .. }) => Some(*workload),
                _ => submission.key.as_deref().and_then(|key| self.state.remembered_by_key(key)),
            },
            _ => None,
        };
        if changed {
            steps.push(made);
        }
        Ok(Ok(Taken { step: self.state.step_number(), workload, changed }))
    }
}

/// True where an event may let something be placed that could not be before.
const fn may_place(event: &Event) -> bool {
    !matches!(
        event,
        Event::TaskAccepted { .. }
            | Event::TaskStarted { .. }
            | Event::TaskUsed { .. }
            | Event::TaskAbandoned { .. }
            | Event::LeaseStopping { .. }
            | Event::NodeLost { .. }
            | Event::NodeCordoned { .. }
            | Event::LeaseGranted { .. }
    )
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use eaf_model::{Bytes, CpuMilli, NodeSpec, Span, Submission, TaskKey, TaskReport, WorkloadSpec};
    use std::collections::BTreeMap;

    /// A machine and a clock that only the test moves.
    pub(in crate::driver) struct Script {
        pub(in crate::driver) machine: Machine,
        pub(in crate::driver) now: Time,
    }

    pub(in crate::driver) fn node_spec() -> NodeSpec {
        NodeSpec {
            name: "node".to_owned(),
            cpu: CpuMilli(4_000),
            memory: Bytes(8 << 30),
            accelerators: Vec::new(),
            pretended: false,
            labels: BTreeMap::new(),
        }
    }

    fn submission(key: Option<&str>) -> Input {
        Input::Submit(Box::new(Submission {
            spec: WorkloadSpec::command(&["true"]),
            array: Vec::new(),
            key: key.map(str::to_owned),
            by: "test".to_owned(),
            ended: Vec::new(),
        }))
    }

    impl Script {
        pub(in crate::driver) fn with_node() -> Self {
            let mut script = Self { machine: Machine::new(State::new(), Head::default(), true), now: Time(1_000) };
            script.turn(&[Input::NodeSeen(node_spec())]);
            script
        }

        pub(in crate::driver) fn turn(&mut self, inputs: &[Input]) -> Turn {
            self.machine.turn(self.now, inputs).expect("no invariant breaks")
        }

        /// Submits a workload that is placed at once, and gives its task.
        pub(in crate::driver) fn placed(&mut self) -> TaskKey {
            let turn = self.turn(&[submission(None)]);
            turn.effects[0].key()
        }

        pub(in crate::driver) fn report(&mut self, key: TaskKey, report: TaskReport) {
            self.turn(&[Input::Reported { key, report }]).results.remove(0).expect("the report counts");
        }
    }

    #[test]
    fn a_turn_is_one_batch_with_its_plan_and_its_effects() {
        let mut script = Script::with_node();
        let before = script.machine.head();
        let turn = script.turn(&[submission(None), submission(None)]);
        let batch = turn.batch.expect("something happened");
        assert_eq!((batch.first_step, batch.head.step), (before.step + 1, before.step + 3));
        assert_eq!((turn.steps.len(), turn.effects.len()), (3, 2));
        assert_eq!(script.machine.head(), batch.head);
        assert!(script.turn(&[]).batch.is_none(), "nothing comes of nothing");
    }

    #[test]
    fn a_key_that_is_known_makes_nothing_and_names_the_first() {
        let mut script = Script::with_node();
        let first = script.turn(&[submission(Some("k"))]).results.remove(0).unwrap();
        let again = script.turn(&[submission(Some("k"))]);
        let second = again.results[0].clone().unwrap();
        assert!(first.changed && !second.changed && again.batch.is_none());
        assert_eq!(first.workload, second.workload);
        assert!(second.step >= first.step);
    }

    #[test]
    fn time_is_held_where_the_clock_goes_back() {
        let mut script = Script::with_node();
        script.now = Time(5);
        let turn = script.turn(&[submission(None)]);
        assert_eq!((turn.results[0].is_ok(), turn.batch.unwrap().at), (true, Time(1_000)));
    }

    #[test]
    fn a_deadline_is_met_without_any_input() {
        let mut script = Script::with_node();
        let key = script.placed();
        script.report(key, TaskReport::Started { at: script.now });
        let due = script.machine.due().expect("the wall time ends");
        script.now = due.after(Span(1));
        let turn = script.turn(&[]);
        assert!(matches!(turn.effects.as_slice(), [Effect::Stop(order)] if order.key == key), "{:?}", turn.effects);
    }

    #[test]
    fn a_plan_that_was_cut_short_goes_on_by_itself() {
        let mut script = Script::with_node();
        let mut settings = script.machine.state().settings().clone();
        settings.limits.grants_per_plan_max = 1;
        script.turn(&[Input::Configure(Box::new(settings))]);
        let turn = script.turn(&[submission(None), submission(None), submission(None)]);
        assert_eq!((turn.effects.len(), script.machine.due()), (1, Some(Time(i64::MIN))));
        assert_eq!(script.turn(&[]).effects.len(), 1);
        assert_eq!(script.turn(&[]).effects.len(), 1);
        script.machine.stop_planning();
        assert_eq!(script.turn(&[submission(None)]).effects.len(), 0);
    }
}
