//! A factory in virtual time: the control plane, its disk, and an engine.
//!
//! What: plays the operations of a script with the turns of the live driver (inputs, decision, append, orders, answers,
//! settling), which a fault may cut short at any point, and holds what happens against the invariants and the reference
//! model. Why one world for scenarios and for the search: what is found by the one is told by the other. Absent: clocks,
//! threads, and rules of scheduling.

mod asking;
mod control;
mod coverage;
mod cutting;
mod drain;
mod engine;
mod expect;
mod link;
mod log;
mod planted;
mod play;
mod promises;
mod reference;
mod run;
mod sharing;
mod stops;

pub use coverage::{Case, Coverage, Fault, Met};
pub use run::{Outcome, run};

#[cfg(test)]
pub(crate) use planted::Planted;
pub(crate) use planted::{Plant, Planted as Bug};
pub(crate) use run::guarded;

use crate::draw::Draw;
use crate::script::CrashAt;
use control::{Control, Durable, InFlight};
use eaf_core::{State, Violation};
use eaf_model::{NodeId, Span, Time, WorkloadId};
use engine::SimEngine;
use link::Mail;
use log::Log;
use promises::Promises;
use reference::Reference;
use std::collections::{BTreeMap, BTreeSet};
use stops::Stops;

/// Where virtual time begins: 2026-01-01T00:00:00Z.
pub(crate) const EPOCH: Time = Time(1_767_225_600_000);

/// How a world is watched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    /// Turns between two full checks.
    pub(crate) pace: u32,
    /// Whether a log is kept.
    pub(crate) log: bool,
    /// The bug that is planted, if one is.
    pub(crate) plant: Plant,
}

impl Watch {
    /// Every turn is checked, and everything is told.
    pub(crate) fn closely() -> Self {
        Self { pace: 1, log: true, plant: Plant::default() }
    }
}

/// What is wrong on the way between the factory and its engine.
#[derive(Clone, Copy, Debug, Default)]
struct Modes {
    doubles: bool,
    loses: bool,
    delay: Option<Span>,
    slow: Option<Span>,
    fails_changes: bool,
}

/// Figures of a world.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Steps of the journal.
    pub steps: u64,
    /// Workloads submitted, members of arrays one by one.
    pub workloads: u64,
    /// The most nodes at once.
    pub nodes_max: u64,
    /// Times that the control plane started.
    pub starts: u64,
    /// Turns.
    pub turns: u64,
    /// Virtual time that has passed.
    pub simulated: Span,
}

/// A factory in virtual time.
pub(crate) struct World {
    /// The true time; clocks may differ.
    now: Time,
    /// How far the control plane's clock is from it, in milliseconds.
    skew: i64,
    seed: u64,
    draw: Draw,
    control: Control,
    armed: Option<CrashAt>,
    /// How often the control plane has started: what was on its way to or from an earlier life is lost.
    life: u64,
    /// The life in which the engine was last met.
    met_in: u64,
    engine: SimEngine,
    mail: Mail,
    modes: Modes,
    durable: Durable,
    in_flight: Option<InFlight>,
    /// The state, replayed from events alone.
    replayed: State,
    reference: Reference,
    stops: Stops,
    promises: Promises,
    names: BTreeMap<String, WorkloadId>,
    node_ids: BTreeMap<String, NodeId>,
    node_names: BTreeMap<NodeId, String>,
    titles: BTreeMap<WorkloadId, String>,
    /// Tasks of which the engine has had the start, or the stop.
    received: BTreeSet<(eaf_model::TaskKey, bool)>,
    /// Orders of modes that the engine has had: the node, the number, and the mode.
    received_modes: BTreeSet<(NodeId, u64, String)>,
    /// Counts what may have kept an order from the engine; compared with what the last meeting has mended.
    gaps: u64,
    mended: u64,
    refused: Option<&'static str>,
    /// How many requests were refused.
    refusals: u64,
    watch: Watch,
    unchecked: u32,
    log: Log,
    pub(crate) coverage: Coverage,
    pub(crate) figures: Figures,
}

impl World {
    pub(crate) fn new(watch: Watch) -> Self {
        let mut world = Self {
            now: EPOCH,
            skew: 0,
            seed: 1,
            draw: Draw::new(1),
            control: Control::first(),
            armed: None,
            life: 0,
            met_in: 0,
            engine: SimEngine::default(),
            mail: Mail::default(),
            modes: Modes::default(),
            durable: Durable::default(),
            in_flight: None,
            replayed: State::new(),
            reference: Reference::default(),
            stops: Stops::default(),
            promises: Promises::default(),
            names: BTreeMap::new(),
            node_ids: BTreeMap::new(),
            node_names: BTreeMap::new(),
            titles: BTreeMap::new(),
            received: BTreeSet::new(),
            received_modes: BTreeSet::new(),
            gaps: 0,
            mended: 0,
            refused: None,
            refusals: 0,
            watch,
            unchecked: 0,
            log: Log::new(watch.log),
            coverage: Coverage::default(),
            figures: Figures::default(),
        };
        world.spoil_disk();
        world
    }

    /// The state as the control plane has it, or as the journal has it while that is down.
    pub(crate) fn state(&self) -> &State {
        match &self.control {
            Control::Up(process) => process.machine.state(),
            Control::Down(_) => &self.durable.state,
        }
    }

    /// True while the control plane runs.
    pub(crate) fn is_up(&self) -> bool {
        matches!(self.control, Control::Up(_))
    }

    /// True where a crash waits for the next append.
    pub(crate) fn is_armed(&self) -> bool {
        self.armed.is_some()
    }

    /// The name of a workload, or of a member of an array.
    pub(crate) fn name_of(&self, id: WorkloadId) -> String {
        self.title(id)
    }

    /// Nodes by name, and whether each is heard of.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (&str, bool)> {
        self.engine.nodes.iter().map(|(name, node)| (name.as_str(), node.reach == engine::Reach::Up))
    }

    /// True where the engine as a whole is out of reach.
    pub(crate) fn engine_is_lost(&self) -> bool {
        self.engine.unreachable
    }

    /// The log so far.
    pub(crate) fn into_log(self) -> Vec<String> {
        self.log.into_lines()
    }

    /// The clock of the control plane.
    fn clock(&self) -> Time {
        Time(self.now.0.saturating_add(self.skew))
    }

    fn fault(&mut self, fault: Fault) {
        self.coverage.fault(fault);
        self.promises.end();
    }

    /// The last check of a script.
    pub(crate) fn finish(&mut self) -> Result<(), Violation> {
        self.settle_down()?;
        self.check(true)
    }

    /// Checks everything there is to check, if it is due.
    fn check(&mut self, at_once: bool) -> Result<(), Violation> {
        self.unchecked += 1;
        if !at_once && self.unchecked < self.watch.pace {
            return Ok(());
        }
        self.unchecked = 0;
        eaf_core::check_invariants(self.state())?;
        self.reference.agrees(self.state())?;
        if self.replayed != *self.state() {
            let what = format!("they differ at step {}", self.state().step_number());
            return Err(Violation { rule: "live state equals replayed state", what });
        }
        Ok(())
    }
}
