//! The part of a driver that is the same live and in the twin: inputs and an instant in, steps and effects out.
//!
//! What: steps each input, plans once behind them, and gathers what must become durable. Why here: the live driver and
//! the virtual one differ only in who says what time it is. Absent: clocks, disks, engines and callers; drivers have those.

use crate::{State, Step, Violation, check_invariants, decide, effects_of, next_wakeup, outstanding, step_with};
use eaf_model::{Effect, Event, Input, Rejection, Time, WorkloadId};
use eaf_sched::Scores;

/// What an input that was not rejected did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The step that the caller must know to be durable: its own, or the last one where the input changed nothing.
    pub step: u64,
    /// For a submission: the workload or array that stands for it.
    pub workload: Option<WorkloadId>,
    /// True where the input made events.
    pub changed: bool,
}

/// What one turn made.
#[derive(Debug, Default)]
pub struct Turn {
    /// What must be durable before anything below is acted on; empty where nothing happened.
    pub steps: Vec<Step>,
    /// By input.
    pub results: Vec<Result<Taken, Rejection>>,
    /// What the world owes now.
    pub effects: Vec<Effect>,
}

/// A step broke an invariant. Nothing of its turn may be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenStep {
    /// The step.
    pub step: u64,
    /// What is broken.
    pub violation: Violation,
}

/// Owns the state.
#[derive(Clone, Debug)]
pub struct Machine {
    state: State,
    check: bool,
    /// True where the last plan may have left something that it could place.
    plan_due: bool,
    /// False once the factory is stopping for good.
    planning: bool,
    /// Remembered from plan to plan.
    scores: Scores,
}

impl Machine {
    /// Goes on from a state; `check` asks for the invariants after every step.
    pub fn new(state: State, check: bool) -> Self {
        Self { state, check, plan_due: true, planning: true, scores: Scores::default() }
    }

    /// The same, with what another machine remembered of plans; that changes nothing but the time that they take.
    pub(crate) fn remembering(mut self, scores: Scores) -> Self {
        self.scores = scores;
        self
    }

    /// What it remembers of plans.
    pub(crate) fn into_scores(self) -> Scores {
        self.scores
    }

    /// The state behind the last turn.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Places nothing more.
    pub const fn stop_planning(&mut self) {
        self.planning = false;
        self.plan_due = false;
    }

    /// When a turn is due although nothing comes in; `Time(i64::MIN)` for at once.
    pub fn due(&self) -> Option<Time> {
        if self.plan_due { Some(Time(i64::MIN)) } else { next_wakeup(&self.state).map(|wakeup| wakeup.at) }
    }

    /// Everything that the world owes to the state.
    pub fn outstanding(&self) -> Vec<Effect> {
        outstanding(&self.state)
    }

    /// Takes a batch of inputs at an instant, which is held where the clock went back.
    ///
    /// # Errors
    /// Where a step breaks an invariant and the machine checks them.
    pub fn turn(&mut self, clock: Time, inputs: &[Input]) -> Result<Turn, BrokenStep> {
        let now = clock.max(self.state.last_time());
        let mut turn = Turn { results: Vec::with_capacity(inputs.len()), ..Turn::default() };
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
        for step in &turn.steps {
            turn.effects.extend(effects_of(&self.state, &step.events));
        }
        Ok(turn)
    }

    fn plan(&mut self, now: Time, steps: &mut Vec<Step>) -> Result<(), BrokenStep> {
        if !self.planning || !(self.plan_due || steps.iter().any(|step| step.events.iter().any(may_place))) {
            return Ok(());
        }
        let before = steps.len();
        self.take(now, &Input::Plan, steps)?.expect("a plan is never rejected");
        let events = || steps[before..].iter().flat_map(|step| &step.events);
        let granted = events().filter(|event| matches!(event, Event::LeaseGranted { .. })).count();
        // What takes work again behind the pass is placed by the next.
        let kept = events().any(|event| matches!(event, Event::ModeKept { .. }));
        // A pass that was cut short by its bound goes on in the next turn, behind what has come in meanwhile.
        let at_its_bound = granted as u64 >= u64::from(self.state.settings().limits.grants_per_plan_max);
        self.plan_due = kept || at_its_bound || granted > 0 && self.scores.was_cut();
        Ok(())
    }

    fn take(
        &mut self,
        now: Time,
        input: &Input,
        steps: &mut Vec<Step>,
    ) -> Result<Result<Taken, Rejection>, BrokenStep> {
        // What is remembered may change no plan.
        let by_the_forgetful = (self.check && matches!(input, Input::Plan)).then(|| decide(&self.state, now, input));
        let made = match step_with(&mut self.state, now, input, &mut self.scores) {
            Ok(made) => made,
            Err(rejection) => return Ok(Err(rejection)),
        };
        if let Some(Ok(events)) = by_the_forgetful
            && events != made.events
        {
            return Err(BrokenStep { step: made.number, violation: remembered_too_much() });
        }
        if self.check {
            check_invariants(&self.state)
                .map_err(|violation| BrokenStep { step: self.state.step_number(), violation })?;
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

fn remembered_too_much() -> Violation {
    let what = "the plan made from what was remembered differs from the plan made from the state alone";
    Violation { rule: "what is remembered changes no plan", what: what.to_owned() }
}

/// True where an event may let something be placed that could not be before.
const fn may_place(event: &Event) -> bool {
    !matches!(
        event,
        Event::TaskAccepted { .. }
            | Event::TaskStarted { .. }
            | Event::TaskUsed { .. }
            | Event::TaskCheckpointed { .. }
            | Event::TaskAbandoned { .. }
            | Event::LeaseStopping { .. }
            | Event::NodeLost { .. }
            | Event::NodeCordoned { .. }
            | Event::LeaseGranted { .. }
            | Event::FleetValued { .. }
            | Event::ModeDraining { .. }
            | Event::ModeOrdered { .. }
            | Event::ModeFailed { .. }
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use eaf_model::{Bytes, CpuMilli, NodeSpec, Span, Submission, TaskKey, TaskReport, WorkloadSpec};
    use std::collections::BTreeMap;

    /// A machine and a clock that only the test moves.
    pub(crate) struct Script {
        pub(crate) machine: Machine,
        pub(crate) now: Time,
    }

    pub(crate) fn node_spec() -> NodeSpec {
        NodeSpec {
            name: "node".to_owned(),
            cpu: CpuMilli(4_000),
            memory: Bytes(8 << 30),
            accelerators: Vec::new(),
            fabric: Vec::new(),
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
        pub(crate) fn with_node() -> Self {
            let mut script = Self { machine: Machine::new(State::new(), true), now: Time(1_000) };
            script.turn(&[Input::NodeSeen(node_spec())]);
            script
        }

        fn turn(&mut self, inputs: &[Input]) -> Turn {
            self.machine.turn(self.now, inputs).expect("no invariant breaks")
        }

        /// Submits a workload that is placed at once, and gives its task.
        pub(crate) fn placed(&mut self) -> TaskKey {
            let turn = self.turn(&[submission(None)]);
            turn.effects[0].key().expect("a start is of a task")
        }

        pub(crate) fn report(&mut self, key: TaskKey, report: TaskReport) {
            self.turn(&[Input::Reported { key, report }]).results.remove(0).expect("the report counts");
        }
    }

    #[test]
    fn a_turn_is_its_steps_with_their_plan_and_their_effects() {
        let mut script = Script::with_node();
        let before = script.machine.state().step_number();
        let turn = script.turn(&[submission(None), submission(None)]);
        let numbers: Vec<u64> = turn.steps.iter().map(|step| step.number).collect();
        assert_eq!((numbers, turn.effects.len()), ((before + 1..=before + 3).collect(), 2));
        assert!(script.turn(&[]).steps.is_empty(), "nothing comes of nothing");
    }

    #[test]
    fn a_key_that_is_known_makes_nothing_and_names_the_first() {
        let mut script = Script::with_node();
        let first = script.turn(&[submission(Some("k"))]).results.remove(0).unwrap();
        let again = script.turn(&[submission(Some("k"))]);
        let second = again.results[0].clone().unwrap();
        assert!(first.changed && !second.changed && again.steps.is_empty());
        assert_eq!(first.workload, second.workload);
        assert!(second.step >= first.step);
    }

    #[test]
    fn time_is_held_where_the_clock_goes_back() {
        let mut script = Script::with_node();
        script.now = Time(5);
        let turn = script.turn(&[submission(None)]);
        assert_eq!((turn.results[0].is_ok(), turn.steps[0].at), (true, Time(1_000)));
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
