//! What a script expects, held against what is so.
//!
//! What: states of workloads and nodes, counts, attempts, refusals. Absent: rules that must always hold; those are
//! checked whether a script asks or not.

use super::{World, play::Played};
use crate::script::{Expect, reason_word};
use eaf_core::Workload;
use eaf_model::{Span, WorkloadState};
use std::sync::Arc;

impl World {
    /// Says whether it is so.
    pub(super) fn expect(&mut self, expect: &Expect) -> Played {
        let found = match expect {
            Expect::State { name, state, nodes, reason } => self.state_of(name, *state, nodes, reason.as_deref()),
            Expect::Count { count, state } => {
                let found = self.state().count(*state) + self.reference.ended_in(*state);
                (found != *count).then(|| format!("{found} are {}", state.word()))
            }
            Expect::Attempts { name, count } => match self.workload(name) {
                None => Some(format!("there is no {name}")),
                Some(workload) => {
                    let found = workload.attempts.len();
                    (found != *count).then(|| format!("{name} has {found} attempts behind it"))
                }
            },
            Expect::Checkpoint { name, after } => self.checkpoint_of(name, *after),
            Expect::Node { node, state } => match self.state().node_named(node) {
                None => Some(format!("there is no {node}")),
                Some(record) => {
                    let found = record.state();
                    (found != *state).then(|| format!("{node} is {}", crate::script::node_word(found)))
                }
            },
            Expect::Mode { node, accelerator, mode, state } => match self.state().node_named(node) {
                None => Some(format!("there is no {node}")),
                Some(record) => {
                    let (found, step) = record.mode(*accelerator);
                    let word = crate::script::mode_word(step);
                    (found != mode || step != *state).then(|| format!("accelerator {accelerator} is {found} {word}"))
                }
            },
            Expect::Refused(code) => (self.refused != Some(code.as_str())).then(|| match self.refused {
                Some(other) => format!("the last request was refused with {other}"),
                None => "the last request was not refused".to_owned(),
            }),
            Expect::Down => self.is_up().then(|| "the control plane is up".to_owned()),
        };
        match found {
            None => {
                self.log.say(self.now, || format!("ok {expect}"));
                Played::Done
            }
            Some(found) => Played::NotAsExpected { expected: expect.to_string(), found },
        }
    }

    /// A workload of this name, live or ended.
    fn workload(&mut self, name: &str) -> Option<Arc<Workload>> {
        let id = self.find(name)?;
        let live = self.state().workload(id).cloned();
        live.or_else(|| self.ended(id))
    }

    fn checkpoint_of(&self, name: &str, after: Option<Span>) -> Option<String> {
        let lease = self.find(name).and_then(|id| self.state().lease(self.state().workload(id)?.lease?));
        let Some(lease) = lease else { return Some(format!("{name} holds nothing")) };
        let whole = lease.tasks.iter().filter_map(|task| task.state.started_at()).max();
        let found = lease.checkpointed_at().map(|at| at.since(whole.unwrap_or(at)));
        let text = |after: Option<Span>| after.map_or_else(|| "none".to_owned(), crate::script::span_text);
        (found != after).then(|| format!("{name} has checkpoint {}", text(found)))
    }

    fn state_of(&mut self, name: &str, state: WorkloadState, nodes: &[String], reason: Option<&str>) -> Option<String> {
        let Some(workload) = self.workload(name) else { return Some(format!("there is no {name}")) };
        let why = reason_word(&workload.state_reason);
        if workload.state != state {
            return Some(format!("{name} is {} ({why})", workload.state.word()));
        }
        if reason.is_some_and(|reason| reason != why) {
            return Some(format!("{name} is {} for this reason: {why}", state.word()));
        }
        let lease = workload.lease.and_then(|lease| self.state().lease(lease).cloned());
        // A gang that goes on without a task is where the others are.
        let tasks = lease.iter().flat_map(|lease| lease.placement.iter().zip(&lease.tasks));
        let there = tasks.filter(|(_, task)| !task.state.is_lost());
        let places: Vec<String> = there.map(|(part, _)| self.node_title(part.node)).collect();
        (!nodes.is_empty() && nodes != places).then(|| format!("{name} is {} on {}", state.word(), places.join(", ")))
    }
}
