//! A state on which a decision is being made.
//!
//! What: the state as it will be, and the events that make it so. Why each event is folded in at once: what follows (a
//! gang's end, its dependants) is decided on the state that it will meet. Absent: rules; each command has a file.

use crate::{State, Workload, apply};
use eaf_model::{Event, LeaseId, NodeId, Time, WorkloadId};
use eaf_sched::Scores;
use std::ops::Deref;
use std::sync::Arc;

/// A state on which a decision is being made.
pub(crate) struct Draft<'a> {
    state: State,
    scores: &'a mut Scores,
    now: Time,
    events: Vec<Event>,
    ended: Vec<Arc<Workload>>,
}

impl Deref for Draft<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl<'a> Draft<'a> {
    /// A decision that begins with this state. `scores` is what its maker remembers of earlier ones.
    pub(crate) fn new(state: State, now: Time, scores: &'a mut Scores) -> Self {
        Self { state, scores, now, events: Vec::new(), ended: Vec::new() }
    }

    /// The state with the events folded in, the events, and the workloads that left memory by them.
    pub(crate) fn finish(self) -> (State, Vec<Event>, Vec<Arc<Workload>>) {
        (self.state, self.events, self.ended)
    }

    /// What is remembered of earlier plans.
    pub(crate) fn scores(&mut self) -> &mut Scores {
        self.scores
    }

    /// The instant of this step.
    pub(crate) fn now(&self) -> Time {
        self.now
    }

    /// The number that this step will have.
    pub(crate) fn number(&self) -> u64 {
        self.state.step + 1
    }

    /// Makes an event true.
    pub(crate) fn emit(&mut self, event: Event) {
        if let Some(ended) = apply::apply_ending(&mut self.state, self.now, &event) {
            self.ended.push(ended);
        }
        self.events.push(event);
    }

    pub(crate) fn new_workload_id(&self) -> WorkloadId {
        WorkloadId::of_step(self.number())
    }

    pub(crate) fn new_node_id(&self) -> NodeId {
        NodeId::of_step(self.number())
    }

    pub(crate) fn new_lease_id(&self, member: u16) -> LeaseId {
        LeaseId::of_member(self.number(), member)
    }
}
