//! The loop of a twin: what happens next, at which instant, until nothing does.
//!
//! What: a virtual driver and a prompt engine, brought together. Absent: where work comes from; the caller brings inputs
//! of its own to each turn.

use crate::driver::Driver;
use crate::engine::PromptEngine;
use eaf_model::{Input, Time};

/// A factory in virtual time, with an engine that never fails.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// The state, and the instant that it is at.
    pub driver: Driver,
    /// What runs.
    pub engine: PromptEngine,
}

impl Simulation {
    /// The next instant at which something happens, where the caller's own next input comes at `arrival`.
    pub fn next(&mut self, arrival: Option<Time>) -> Option<Time> {
        let next = [arrival, self.engine.due(), self.driver.due()].into_iter().flatten().min()?;
        Some(next.max(self.driver.now()))
    }

    /// What the engine has to report up to an instant; the caller puts its own inputs behind.
    pub fn reports(&mut self, at: Time, inputs: &mut Vec<Input>) {
        inputs.clear();
        self.engine.report(at, inputs);
    }
}
