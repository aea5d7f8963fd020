//! What the state and an engine must tell each other when they meet again.
//!
//! What: a function of the state, of what the engine knows, and of what it should know. Absent: calling the engine.

use crate::{State, TaskState};
use eaf_model::{
    BoardMode, Effect, Input, Known, NodeId, NodeSpec, NodeState, SeenModes, StopOrder, TaskKey, TaskReport, Time,
};
use std::collections::{BTreeMap, BTreeSet};

/// What an engine answered when asked for everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Met {
    /// Its nodes, as they are now.
    pub nodes: Vec<NodeSpec>,
    /// Its tasks.
    pub known: Vec<Known>,
    /// The modes of the accelerators of its nodes.
    pub modes: Vec<SeenModes>,
}

/// What the state holds of an engine at the time when that is asked for everything. It is compared with the answer: what
/// was ordered in between is no news.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// The tasks that it has taken on.
    pub tasks: BTreeSet<TaskKey>,
    /// The modes of nodes that have ever had another than whole.
    pub modes: BTreeMap<NodeId, BTreeMap<u16, BoardMode>>,
}

/// What follows from it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reconciled {
    /// For the state.
    pub inputs: Vec<Input>,
    /// Stops of tasks that the state knows nothing of.
    pub strays: Vec<Effect>,
    /// Exits that the engine may forget, once the inputs are durable.
    pub settle: Vec<TaskKey>,
}

/// What the state holds of an engine. Asked for before the engine is.
pub fn taken_on(state: &State) -> Expected {
    let modes = state.nodes().filter(|(_, node)| !node.modes.is_empty());
    Expected { tasks: tasks_taken_on(state), modes: modes.map(|(id, node)| (*id, node.modes.clone())).collect() }
}

fn tasks_taken_on(state: &State) -> BTreeSet<TaskKey> {
    let mut keys = BTreeSet::new();
    for lease in state.leases() {
        for (task, rank) in lease.tasks.iter().zip(0..) {
            if matches!(task.state, TaskState::Accepted | TaskState::Started { .. }) {
                keys.insert(TaskKey { lease: lease.id, task: rank });
            }
        }
    }
    keys
}

/// Brings the state and the engine together. `expected` is `taken_on` of when the engine was asked.
pub fn reconcile(state: &State, now: Time, met: Met, expected: &Expected) -> Reconciled {
    let mut out = Reconciled::default();
    let names: BTreeSet<&str> = met.nodes.iter().map(|node| node.name.as_str()).collect();
    for (id, node) in state.nodes() {
        if node.state() != NodeState::Lost && !names.contains(node.spec.name.as_str()) {
            let why = "no engine serves it any more".to_owned();
            out.inputs.push(Input::NodeLost { node: *id, why });
        }
    }
    let still = tasks_taken_on(state);
    let known: BTreeSet<TaskKey> = met.known.iter().map(|known| known.key).collect();
    for Known { key, report } in met.known {
        let over = matches!(report, TaskReport::Exited { .. });
        if is_ours(state, key) {
            out.inputs.push(Input::Reported { key, report });
        } else if !over {
            let grace = state.settings().timing.stop_grace_default;
            out.strays.push(Effect::Stop(StopOrder { key, ordered_at: now, grace }));
        }
        if over {
            out.settle.push(key);
        }
    }
    let lost = expected.tasks.intersection(&still).filter(|key| !known.contains(key));
    out.inputs.extend(lost.map(|key| Input::Reported { key: *key, report: TaskReport::Unknown }));
    // Behind the reports: a machine that comes back with fewer parts gives up what is gone before they are compared.
    out.inputs.extend(met.nodes.into_iter().map(Input::NodeSeen));
    // Behind the nodes: one that has just joined tells its modes as well.
    let none = BTreeMap::new();
    let unchanged = |seen: &SeenModes| {
        let known = state.node_named(&seen.name);
        known.is_none_or(|node| node.modes == *expected.modes.get(&node.id).unwrap_or(&none))
    };
    let differs = |seen: &SeenModes| {
        let known = state.node_named(&seen.name);
        let other = |(board, mode): &(u16, String)| match known {
            Some(node) => node.mode(*board).0 != mode,
            None => mode != eaf_model::WHOLE_MODE,
        };
        seen.modes.iter().any(other)
    };
    let news = met.modes.into_iter().filter(|seen| unchanged(seen) && differs(seen));
    out.inputs.extend(news.map(|seen| Input::ModesSeen { name: seen.name, modes: seen.modes }));
    out
}

fn is_ours(state: &State, key: TaskKey) -> bool {
    state.lease(key.lease).is_some() || state.abandoned().any(|(abandoned, _)| *abandoned == key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::tests::{Script, node_spec};
    use eaf_model::{Exit, LeaseId, Usage};

    /// A factory with one workload running and one ordered, and their tasks.
    fn factory() -> (Script, TaskKey, TaskKey) {
        let mut script = Script::with_node();
        let (running, ordered) = (script.placed(), script.placed());
        script.report(running, TaskReport::Started { at: script.now });
        (script, running, ordered)
    }

    fn check(script: &Script, known: Vec<Known>, expected: &BTreeSet<TaskKey>, expect: &Reconciled) {
        let met = Met { nodes: vec![node_spec()], known, modes: Vec::new() };
        let expected = Expected { tasks: expected.clone(), ..Expected::default() };
        let mut got = reconcile(script.machine.state(), script.now, met, &expected);
        assert_eq!(got.inputs.pop(), Some(Input::NodeSeen(node_spec())));
        assert_eq!(&got, expect);
    }

    #[test]
    fn what_the_engine_has_lost_is_reported_and_what_it_was_not_asked_for_is_not() {
        let (script, running, ordered) = factory();
        let expected = taken_on(script.machine.state()).tasks;
        assert_eq!(expected, BTreeSet::from([running]));
        let unknown = Input::Reported { key: running, report: TaskReport::Unknown };
        check(&script, vec![], &expected, &Reconciled { inputs: vec![unknown], ..Reconciled::default() });
        // What it took on after it was asked is no news.
        check(&script, vec![], &BTreeSet::new(), &Reconciled::default());
        let known = Known { key: ordered, report: TaskReport::Accepted };
        let told = Input::Reported { key: ordered, report: TaskReport::Accepted };
        check(&script, vec![known], &BTreeSet::new(), &Reconciled { inputs: vec![told], ..Reconciled::default() });
    }

    #[test]
    fn strays_are_stopped_and_exits_are_settled() {
        let (script, running, _) = factory();
        let stray = TaskKey { lease: LeaseId::of_step(999), task: 0 };
        let exited = TaskReport::Exited { at: script.now, exit: Exit::Code(0), usage: Usage::default() };
        let known = vec![
            Known { key: running, report: exited.clone() },
            Known { key: stray, report: TaskReport::Started { at: script.now } },
            Known { key: TaskKey { task: 1, ..stray }, report: exited.clone() },
        ];
        let grace = script.machine.state().settings().timing.stop_grace_default;
        let expect = Reconciled {
            inputs: vec![Input::Reported { key: running, report: exited }],
            strays: vec![Effect::Stop(StopOrder { key: stray, ordered_at: script.now, grace })],
            settle: vec![running, TaskKey { task: 1, ..stray }],
        };
        check(&script, known, &taken_on(script.machine.state()).tasks, &expect);
    }

    #[test]
    fn a_node_that_is_not_served_any_more_is_lost() {
        let (script, ..) = factory();
        let got = reconcile(script.machine.state(), script.now, Met::default(), &Expected::default());
        assert!(matches!(got.inputs.as_slice(), [Input::NodeLost { .. }]), "{:?}", got.inputs);
    }
}
