//! The virtual driver: the live driver's turn, with an instant instead of a clock.
//!
//! What: owns the machine and the head of a journal that is chained and not kept. Why chained: two runs are the same
//! where their heads are. Absent: a heap of future inputs, which belongs to whoever knows the future (`replay`).

use eaf_core::{BrokenStep, Machine, State, Turn};
use eaf_model::{Input, Time};
use eaf_store::{Chain, Head};

/// Takes turns in virtual time.
#[derive(Clone, Debug)]
pub struct Driver {
    machine: Machine,
    chain: Chain,
    now: Time,
    steps: u64,
}

impl Driver {
    /// Goes on from a state at this place of a journal, at this instant. `check` asks for the invariants after every step.
    pub fn new(state: State, head: Head, now: Time, check: bool) -> Self {
        let now = now.max(state.last_time());
        Self { machine: Machine::new(state, check), chain: Chain::new(head), now, steps: 0 }
    }

    /// The state behind the last turn.
    pub const fn state(&self) -> &State {
        self.machine.state()
    }

    /// The present; never falls.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// The place in the journal behind the last turn: what makes two runs the same.
    pub const fn head(&self) -> Head {
        self.chain.head()
    }

    /// Steps taken so far.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// When a turn is due although nothing comes in.
    pub fn due(&self) -> Option<Time> {
        self.machine.due().map(|at| at.max(self.now))
    }

    /// Takes inputs at an instant that is not before the present.
    ///
    /// # Errors
    /// Where a step breaks an invariant and they are checked.
    pub fn turn(&mut self, at: Time, inputs: &[Input]) -> Result<Turn, BrokenStep> {
        self.now = self.now.max(at);
        let turn = self.machine.turn(self.now, inputs)?;
        self.chain.extend(&turn.steps);
        self.steps += turn.steps.len() as u64;
        Ok(turn)
    }
}
