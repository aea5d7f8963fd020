//! A simulated engine that never fails: work starts when it is ordered and ends when its time is over.
//!
//! What: tasks by key, and their ends in order of time. Absent: faults and delays; the search has an engine for those.

use eaf_model::{Effect, Exit, Input, ModeReport, Span, StartOrder, TaskKey, TaskReport, Time, Timing, Usage};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

/// Starts what it is told to start, and ends it in time.
#[derive(Clone, Debug, Default)]
pub struct PromptEngine {
    /// What happens next, by time; those of one instant in the order in which they were ordered.
    ahead: BinaryHeap<Reverse<(Time, u64, TaskKey)>>,
    running: BTreeSet<TaskKey>,
    /// Changes of mode, by the time at which they are done.
    changing: BTreeMap<(Time, u64), Input>,
    /// What was told at this instant and is to be reported in it.
    told: Vec<Input>,
    ordered: u64,
}

impl PromptEngine {
    /// Work that was running when a simulation began.
    pub fn is_running(&mut self, key: TaskKey, ends_at: Time) {
        self.running.insert(key);
        self.ordered += 1;
        self.ahead.push(Reverse((ends_at, self.ordered, key)));
    }

    /// Work whose order was taken before a simulation began: it starts now.
    pub fn is_starting(&mut self, key: TaskKey, at: Time, runs: Span) {
        self.is_running(key, at.after(runs));
        self.told.push(Input::Reported { key, report: TaskReport::Started { at } });
    }

    /// Takes orders at an instant; `runs` says how long the work of a start order takes.
    pub fn order(&mut self, at: Time, effects: &[Effect], mut runs: impl FnMut(&StartOrder) -> Span) {
        for effect in effects {
            match effect {
                Effect::Start(order) if !self.running.contains(&order.key) => {
                    self.is_starting(order.key, at, runs(order));
                }
                Effect::Start(_) => {}
                Effect::Stop(order) => {
                    let report = if self.running.remove(&order.key) {
                        TaskReport::Exited { at, exit: Exit::Signal(15), usage: Usage::default() }
                    } else {
                        TaskReport::Unknown
                    };
                    self.told.push(Input::Reported { key: order.key, report });
                }
                Effect::SetMode(order) => {
                    self.ordered += 1;
                    let report = ModeReport::InForce { mode: order.mode.clone() };
                    let (node, accelerators, order) = (order.node, order.accelerators.clone(), order.order);
                    let done = (at.after(Timing::default().mode_change), self.ordered);
                    self.changing.insert(done, Input::ModeReported { node, accelerators, order, report });
                }
            }
        }
    }

    /// When it has something to report; `Time(i64::MIN)` for at once.
    pub fn due(&mut self) -> Option<Time> {
        if !self.told.is_empty() {
            return Some(Time(i64::MIN));
        }
        let changed = self.changing.first_key_value().map(|((at, _), _)| *at);
        while let Some(Reverse((at, _, key))) = self.ahead.peek() {
            if self.running.contains(key) {
                return Some(changed.map_or(*at, |changed| changed.min(*at)));
            }
            // It was stopped before its time.
            self.ahead.pop();
        }
        changed
    }

    /// Moves what it has to report up to an instant into `inputs`.
    pub fn report(&mut self, up_to: Time, inputs: &mut Vec<Input>) {
        inputs.append(&mut self.told);
        while let Some(done) = self.changing.first_entry().filter(|done| done.key().0 <= up_to) {
            inputs.push(done.remove());
        }
        while let Some(Reverse((at, _, key))) = self.ahead.peek().copied().filter(|Reverse((at, ..))| *at <= up_to) {
            self.ahead.pop();
            if self.running.remove(&key) {
                let report = TaskReport::Exited { at, exit: Exit::Code(0), usage: Usage::default() };
                inputs.push(Input::Reported { key, report });
            }
        }
    }
}
