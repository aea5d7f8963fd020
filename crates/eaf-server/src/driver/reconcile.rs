//! What the state and an engine must tell each other when they meet again.
//!
//! What: a function of the state, of what the engine knows, and of what it should know. Absent: calling the engine.

use eaf_core::{State, TaskState};
use eaf_engine::Known;
use eaf_model::{Effect, Input, NodeSpec, NodeState, StopOrder, TaskKey, TaskReport, Time};
use std::collections::BTreeSet;

/// What an engine answered when asked for everything.
pub(crate) struct Met {
    /// Its nodes, as they are now.
    pub(crate) nodes: Vec<NodeSpec>,
    /// Its tasks.
    pub(crate) known: Vec<Known>,
}

/// What follows from it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Reconciled {
    /// For the state.
    pub(crate) inputs: Vec<Input>,
    /// Stops of tasks that the state knows nothing of.
    pub(crate) strays: Vec<Effect>,
    /// Exits that the engine may forget, once the inputs are durable.
    pub(crate) settle: Vec<TaskKey>,
}

/// The tasks that an engine has taken on, as the state sees it. Asked for before the engine is, and compared with its
/// answer afterwards: what was ordered in between is no news.
pub(crate) fn taken_on(state: &State) -> BTreeSet<TaskKey> {
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
pub(crate) fn reconcile(state: &State, now: Time, met: Met, expected: &BTreeSet<TaskKey>) -> Reconciled {
    let mut out = Reconciled::default();
    let names: BTreeSet<&str> = met.nodes.iter().map(|node| node.name.as_str()).collect();
    for (id, node) in state.nodes() {
        if node.state() != NodeState::Lost && !names.contains(node.spec.name.as_str()) {
            let why = "no engine serves it any more".to_owned();
            out.inputs.push(Input::NodeLost { node: *id, why });
        }
    }
    let still = taken_on(state);
    let known: BTreeSet<TaskKey> = met.known.iter().map(|known| known.key).collect();
    out.inputs.extend(met.nodes.into_iter().map(Input::NodeSeen));
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
    let lost = expected.intersection(&still).filter(|key| !known.contains(key));
    out.inputs.extend(lost.map(|key| Input::Reported { key: *key, report: TaskReport::Unknown }));
    out
}

fn is_ours(state: &State, key: TaskKey) -> bool {
    state.lease(key.lease).is_some() || state.abandoned().any(|(abandoned, _)| *abandoned == key)
}
