//! What if: a living factory's state goes on in virtual time, once as it is and once with a change.
//!
//! What: takes a state, and tells of every workload when it starts and ends in either future, and what energy and won it
//! comes to. Why it may be believed: it is the core of the factory that decides in both. What is assumed: work takes a
//! stated share of its wall time, nothing fails, nothing else arrives, and a node that is lost stays lost.
//! Absent: writing; the living factory is not touched.

use crate::driver::Driver;
use crate::engine::PromptEngine;
use crate::simulation::Simulation;
use eaf_core::{BrokenStep, State, Step, TaskState, Workload};
use eaf_model::{
    Effect, Event, Input, LeaseId, NodeSpec, NodeState, Rejection, Span, Submission, TaskKey, Time, WorkloadId,
    WorkloadState,
};
use eaf_store::Head;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The most turns that one future takes before it is called endless.
const TURNS_MAX: u64 = 50_000_000;

/// What is different in the second future.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Nodes that join.
    pub add: Vec<NodeSpec>,
    /// Names of nodes that take nothing more from now on; what runs there ends in peace.
    pub remove: Vec<String>,
    /// Work that is submitted.
    pub submit: Vec<Submission>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    /// There is no node of this name.
    #[error("there is no node {name}")]
    UnknownNode {
        /// The name.
        name: String,
    },
    /// The factory would refuse a node.
    #[error("the node {name} would be refused ({})", rejection.code())]
    Node {
        /// Its name.
        name: String,
        /// Why.
        rejection: Rejection,
    },
    /// The factory would refuse the work.
    #[error("the workload {name} would be refused ({})", rejection.code())]
    Submission {
        /// Its name.
        name: String,
        /// Why.
        rejection: Rejection,
    },
    /// The core broke one of its invariants; a defect.
    #[error("step {} breaks an invariant: {}", .0.step, .0.violation)]
    Invariant(BrokenStep),
    /// The future has no end within the bound.
    #[error("the future did not come to an end within {TURNS_MAX} turns")]
    Endless,
}

/// What becomes of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fate {
    /// Its name.
    pub name: Arc<str>,
    /// Its state in the living factory; `None` for work of the change.
    pub was: Option<WorkloadState>,
    /// When it was submitted.
    pub submitted_at: Time,
    /// When its last attempt had started whole; `None` where none does.
    pub starts_at: Option<Time>,
    /// When it ends; `None` where it does not.
    pub ends_at: Option<Time>,
}

/// One future.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Future {
    /// By id. Ids of the change's work differ from those that the factory will give.
    pub fates: BTreeMap<WorkloadId, Fate>,
    /// When the last of it has ended.
    pub ends_at: Time,
    /// Energy of the site of every attempt that ends in this future and whose energy is known, in millijoules.
    pub energy_millijoules: u128,
    /// Attempts whose energy nobody knows.
    pub energy_unknown: u64,
    /// What these attempts are charged, in millionths of a won.
    pub price_micro_won: i128,
}

/// Two futures of one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhatIf {
    /// The instant from which both are told.
    pub from: Time,
    /// As it is.
    pub as_it_is: Future,
    /// With the change.
    pub changed: Future,
}

/// Tells both futures of a state. `load_milli` is the share of its wall time that work takes, in thousandths.
///
/// # Errors
/// Where the change names what is not there, or the factory would refuse it.
pub fn what_if(state: &State, now: Time, change: &Change, load_milli: u32) -> Result<WhatIf, WhatIfError> {
    let load_milli = load_milli.clamp(1, 1_000);
    let as_it_is = future(state, now, &Change::default(), load_milli)?;
    let changed = future(state, now, change, load_milli)?;
    Ok(WhatIf { from: now.max(state.last_time()), as_it_is, changed })
}

fn future(state: &State, now: Time, change: &Change, load_milli: u32) -> Result<Future, WhatIfError> {
    let head = Head { step: state.step_number(), ..Head::default() };
    let driver = Driver::new(state.clone(), head, now, false);
    let mut simulation = Simulation { driver, engine: PromptEngine::default() };
    let mut future = Future::default();
    for workload in state.workloads() {
        future.fates.insert(workload.id, fate(workload, Some(workload.state)));
    }
    going_on(&mut simulation, load_milli);
    let begin = simulation.driver.now();
    let inputs = inputs_of(state, change)?;
    // What was owed before the change is ordered first.
    let owed = heard_of(simulation.driver.state(), eaf_core::outstanding(simulation.driver.state()));
    simulation.engine.order(begin, &owed, |order| part(wall_of(state, order.workload), load_milli));
    let turn = turn(&mut simulation, begin, &inputs, load_milli)?;
    for (result, input) in turn.results.iter().zip(&inputs) {
        answered(result, input, &mut future, begin)?;
    }
    future.record(&turn.steps);
    let mut inputs = Vec::new();
    for _ in 0..TURNS_MAX {
        let Some(at) = simulation.next(None) else {
            future.ends_at = future.fates.values().filter_map(|fate| fate.ends_at).max().unwrap_or(begin);
            return Ok(future);
        };
        simulation.reports(at, &mut inputs);
        let turn = self::turn(&mut simulation, at, &inputs, load_milli)?;
        future.record(&turn.steps);
    }
    Err(WhatIfError::Endless)
}

/// A turn whose orders are carried out for a share of each wall time.
fn turn(
    simulation: &mut Simulation,
    at: Time,
    inputs: &[Input],
    load_milli: u32,
) -> Result<eaf_core::Turn, WhatIfError> {
    let mut turn = simulation.driver.turn(at, inputs).map_err(WhatIfError::Invariant)?;
    let state = simulation.driver.state();
    let effects = heard_of(state, std::mem::take(&mut turn.effects));
    simulation.engine.order(at, &effects, |order| part(wall_of(state, order.workload), load_milli));
    Ok(turn)
}

/// The orders that reach their node: one that is lost answers nothing.
fn heard_of(state: &State, mut effects: Vec<Effect>) -> Vec<Effect> {
    effects.retain(|effect| {
        if let Effect::SetMode(order) = effect {
            return state.node(order.node).is_some_and(|node| node.state() != NodeState::Lost);
        }
        let Some(key) = effect.key() else { return false };
        let part = state.lease(key.lease).and_then(|lease| lease.placement.get(key.task as usize));
        part.is_none_or(|part| state.node(part.node).is_some_and(|node| node.state() != NodeState::Lost))
    });
    effects
}

/// What runs on nodes that are heard of goes on for the rest of its share, or ends at once where that is over.
fn going_on(simulation: &mut Simulation, load_milli: u32) {
    let (state, now) = (simulation.driver.state().clone(), simulation.driver.now());
    let heard = |node| state.node(node).is_some_and(|node| node.state() != NodeState::Lost);
    for lease in state.leases() {
        let runs = part(wall_of(&state, lease.workload), load_milli);
        for ((task, allotment), rank) in lease.tasks.iter().zip(lease.placement.iter()).zip(0..) {
            let key = TaskKey { lease: lease.id, task: rank };
            match task.state {
                TaskState::Started { at } if heard(allotment.node) => {
                    simulation.engine.is_running(key, at.after(runs).max(now));
                }
                TaskState::Accepted if heard(allotment.node) => simulation.engine.is_starting(key, now, runs),
                _ => {}
            }
        }
    }
}

/// The wall time of a live workload, its own or the default.
fn wall_of(state: &State, workload: WorkloadId) -> Span {
    let own = state.workload(workload).and_then(|workload| workload.spec.wall_time);
    own.unwrap_or(state.settings().timing.wall_time_default)
}

/// So many thousandths of a wall time, and never quite all of it: work that ends in time is not stopped.
fn part(wall: Span, load_milli: u32) -> Span {
    let part = u128::from(wall.0) * u128::from(load_milli) / 1_000;
    Span(u64::try_from(part).unwrap_or(u64::MAX).min(wall.0.saturating_sub(1)))
}

fn inputs_of(state: &State, change: &Change) -> Result<Vec<Input>, WhatIfError> {
    let mut inputs: Vec<Input> = change.add.iter().cloned().map(Input::NodeSeen).collect();
    for name in &change.remove {
        let node = state.node_named(name).ok_or_else(|| WhatIfError::UnknownNode { name: name.clone() })?;
        inputs.push(Input::Cordon { node: node.id, why: "it is taken away".to_owned() });
    }
    inputs.extend(change.submit.iter().cloned().map(|submission| Input::Submit(Box::new(submission))));
    Ok(inputs)
}

fn answered(
    result: &Result<eaf_core::Taken, Rejection>,
    input: &Input,
    future: &mut Future,
    at: Time,
) -> Result<(), WhatIfError> {
    match (result, input) {
        (Ok(taken), Input::Submit(submission)) => {
            if let Some(id) = taken.workload {
                let name: Arc<str> = Arc::from(submission.spec.name.as_str());
                let mut enter = |id| {
                    let fate = Fate { name: name.clone(), was: None, submitted_at: at, starts_at: None, ends_at: None };
                    future.fates.insert(id, fate);
                };
                if submission.array.is_empty() {
                    enter(id);
                } else {
                    (0..submission.array.len()).filter_map(|n| u16::try_from(n).ok()).for_each(|member| {
                        enter(WorkloadId::of_member(id.step(), member));
                    });
                }
            }
            Ok(())
        }
        (Err(rejection), Input::Submit(submission)) => {
            let name = submission.spec.name.clone();
            Err(WhatIfError::Submission { name, rejection: rejection.clone() })
        }
        (Err(rejection), Input::NodeSeen(spec)) => {
            Err(WhatIfError::Node { name: spec.name.clone(), rejection: rejection.clone() })
        }
        // A node that takes nothing already stays as it is.
        _ => Ok(()),
    }
}

fn fate(workload: &Workload, was: Option<WorkloadState>) -> Fate {
    Fate {
        name: Arc::from(workload.spec.name.as_str()),
        was,
        submitted_at: workload.submitted_at,
        starts_at: None,
        ends_at: None,
    }
}

impl Future {
    fn record(&mut self, steps: &[Step]) {
        for step in steps {
            let closed: Vec<LeaseId> = step
                .events
                .iter()
                .filter_map(|event| match event {
                    Event::LeaseClosed { lease, bill, .. } => {
                        self.bill(bill);
                        Some(*lease)
                    }
                    _ => None,
                })
                .collect();
            for workload in &step.ended {
                if let Some(fate) = self.fates.get_mut(&workload.id) {
                    let here = workload.attempts.iter().rev().find(|attempt| closed.contains(&attempt.lease));
                    fate.starts_at = here.and_then(|attempt| attempt.bill.started_at);
                    fate.ends_at = Some(step.at);
                }
            }
        }
    }

    fn bill(&mut self, bill: &eaf_model::Bill) {
        match bill.site_energy {
            Some(energy) => self.energy_millijoules += u128::from(energy.0),
            None => self.energy_unknown += 1,
        }
        self.price_micro_won += i128::from(bill.price.0);
    }

    /// The mean time until what waited in the living factory starts, counted from `from`; `None` where nothing waited, or
    /// some of it never starts: a mean over the others would make a smaller fleet look faster.
    pub fn mean_wait(&self, from: Time) -> Option<Span> {
        let waits: Option<Vec<u64>> = self.waiting().map(|fate| Some(fate.starts_at?.since(from).0)).collect();
        let waits = waits?;
        let count = waits.len() as u64;
        (count > 0).then(|| Span(waits.iter().sum::<u64>() / count))
    }

    /// What waited in the living factory.
    pub fn waiting(&self) -> impl Iterator<Item = &Fate> {
        self.fates.values().filter(|fate| fate.was == Some(WorkloadState::Queued))
    }

    /// How many never start.
    pub fn stranded(&self) -> u64 {
        self.fates.values().filter(|fate| fate.ends_at.is_none()).count() as u64
    }
}
