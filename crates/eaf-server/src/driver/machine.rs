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
        let mut turn = Turn { batch: None, steps: Vec::new(), results: Vec::with_capacity(inputs.len()), effects: vec![] };
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
