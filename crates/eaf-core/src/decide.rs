//! Steps: an input is decided on, and its events are folded in as they are made.
//!
//! What: `step` for the one who owns the state, `decide` for the one who only asks, `replay` for history. Absent: rules;
//! each command has a file of its own.

use crate::draft::Draft;
use crate::{State, Workload, apply, fleet, settings, tenancy, work};
use eaf_model::{Event, Input, Rejection, Time};
use eaf_sched::Scores;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One step of history: the events that one input made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its number, from 1, without holes.
    #[serde(rename = "step")]
    pub number: u64,
    /// Its instant; never before that of the step before it.
    pub at: Time,
    /// What happened; not empty.
    pub events: Vec<Event>,
    /// The workloads that left memory, as they ended.
    #[serde(skip)]
    pub ended: Vec<Arc<Workload>>,
}

/// What an input would make happen. Reads only.
///
/// # Errors
/// The rejection says what would make the input pass.
pub fn decide(state: &State, now: Time, input: &Input) -> Result<Vec<Event>, Rejection> {
    let mut scores = Scores::default();
    let mut draft = Draft::new(state.clone(), now, &mut scores);
    handle(&mut draft, input)?;
    Ok(draft.finish().1)
}

/// Decides on an input and makes its events true. A step without events leaves no trace and is not numbered.
///
/// # Errors
/// A rejected input changes nothing.
pub fn step(state: &mut State, now: Time, input: &Input) -> Result<Step, Rejection> {
    step_with(state, now, input, &mut Scores::default())
}

/// The same, by one who remembers scores from step to step; they change nothing but the time that it takes.
///
/// # Errors
/// A rejected input changes nothing.
pub fn step_with(state: &mut State, now: Time, input: &Input, scores: &mut Scores) -> Result<Step, Rejection> {
    let mut draft = Draft::new(std::mem::take(state), now, scores);
    let result = handle(&mut draft, input);
    let (after, events, ended) = draft.finish();
    *state = after;
    // The state was not kept aside, so a command must have refused before it changed anything.
    assert!(result.is_ok() || events.is_empty(), "a rejected input has made events: {events:?}");
    result?;
    let number = state.step + 1;
    if !events.is_empty() {
        state.step = number;
        state.last_time = now;
    }
    Ok(Step { number, at: now, events, ended })
}

/// Folds a step of history into the state, and gives the workloads that left memory by it.
pub fn replay(state: &mut State, step: &Step) -> Vec<Arc<Workload>> {
    assert_eq!(step.number, state.step + 1, "steps are replayed in order, without holes");
    let ended = step.events.iter().filter_map(|event| apply::apply_ending(state, step.at, event)).collect();
    state.step = step.number;
    state.last_time = step.at;
    ended
}

fn handle(draft: &mut Draft<'_>, input: &Input) -> Result<(), Rejection> {
    if draft.now() < draft.last_time() {
        return Err(Rejection::TimeWentBack { last: draft.last_time(), now: draft.now() });
    }
    match input {
        Input::Configure(settings) => settings::configure::configure(draft, settings),
        Input::ApplyPolicy { policy, by } => tenancy::policy::apply_policy(draft, policy, by),
        Input::NodeSeen(spec) => fleet::seen::node_seen(draft, spec),
        Input::NodeLost { node, why } => fleet::lost::node_lost(draft, *node, why),
        Input::Cordon { node, why } => fleet::cordon::cordon(draft, *node, why),
        Input::Uncordon { node } => fleet::cordon::uncordon(draft, *node),
        Input::RemoveNode { node } => fleet::remove::remove_node(draft, *node),
        Input::SetMode { node, accelerators, mode, by } => fleet::modes::set_mode(draft, *node, accelerators, mode, by),
        Input::ModeReported { node, accelerators, order, report } => {
            fleet::modes::mode_reported(draft, *node, accelerators, *order, report)
        }
        Input::ModesSeen { name, modes } => {
            fleet::modes::modes_seen(draft, name, modes);
            Ok(())
        }
        Input::Submit(submission) => work::submit::submit(draft, submission),
        Input::Cancel { workload, by } => work::cancel::cancel(draft, *workload, by),
        Input::Reported { key, report } => work::reported::reported(draft, *key, report),
        Input::Wake => {
            work::wake::wake(draft);
            Ok(())
        }
        Input::Plan => {
            work::plan::plan(draft);
            Ok(())
        }
    }
}
