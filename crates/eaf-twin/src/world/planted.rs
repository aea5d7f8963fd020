//! Bugs that are planted to show that the search finds them.
//!
//! What: nine of them, each a thing that a careless driver, engine or disk would do. Why here: a world asks at the place
//! where the bug would be, and the answer can be yes in tests alone. Absent: any way to plant one in a program that ships.

use eaf_core::{Lease, State, Step};
use eaf_model::{Event, LeaseId, Reason};
use std::sync::Arc;

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    /// Reports of a lease that is over count for the lease that came after it.
    LeaseNotFenced,
    /// What was owed when the control plane ended is not ordered again.
    EffectLost,
    /// Of a gang only the first task is ordered.
    GangInPart,
    /// The disk says that it has synced, and has not.
    TailNotSynced,
    /// The engine cuts every slice out of the first place of its board.
    SliceTwice,
    /// The engine brings a board back to whole when one of its slices is gone, whoever else is there.
    ModeUnderTenant,
    /// One more is stopped to make room than room needs.
    OneVictimTooMany,
    /// The scheduler knows nothing of windows that the journal has.
    WindowForgotten,
    /// Once a gang that may go on with fewer has started, nothing knows how many it needs.
    MinimumForgotten,
}

/// The state without the windows of its policy, where a step has brought some.
pub(crate) fn windows_forgotten(steps: &[Step], state: &State) -> Option<State> {
    let brings =
        |event: &Event| matches!(event, Event::PolicyApplied { policy, .. } if policy.windows().next().is_some());
    let step = steps.iter().rev().find(|step| step.events.iter().any(brings))?;
    let mut policy = state.policy().clone();
    policy.reservations.clear();
    policy.maintenance.clear();
    let mut state = state.clone();
    let event = Event::PolicyApplied { policy: Box::new(policy), by: "nobody".to_owned() };
    eaf_core::apply(&mut state, step.at, &event);
    Some(state)
}

/// The state in which a gang that a step has started needs no more than one of its tasks.
pub(crate) fn minimum_forgotten(steps: &[Step], state: &State) -> Option<State> {
    let mut events = steps.iter().flat_map(|step| &step.events);
    let spec = events.find_map(|event| match event {
        Event::LeaseGranted { workload, .. } => {
            state.workload(*workload).map(|of| &of.spec).filter(|spec| spec.tasks_min.is_some_and(|min| min > 1))
        }
        _ => None,
    })?;
    let mut stored = serde_json::to_value(state).ok()?;
    for submission in stored.get_mut("submissions")?.as_array_mut()? {
        let of = submission.get_mut("spec")?;
        if of.get("name")?.as_str()? == spec.name {
            of.as_object_mut()?.insert("tasks_min".to_owned(), 1.into());
        }
    }
    serde_json::from_value(stored).ok()
}

/// Tells one more lease to stop in the first step that tells any to make room; gives the state that this leads to, and the
/// lease.
pub(crate) fn one_victim_more(steps: &mut [Step], state: &State) -> Option<(State, LeaseId)> {
    let stops = |event: &Event| match event {
        Event::LeaseStopping { reason: Reason::Preempted { by }, stop_by, .. } => Some((*by, *stop_by)),
        _ => None,
    };
    let step = steps.iter_mut().find(|step| step.events.iter().any(|event| stops(event).is_some()))?;
    let (by, stop_by) = step.events.iter().find_map(stops)?;
    let runs = |lease: &&Arc<Lease>| lease.stopping.is_none() && lease.started_at().is_some() && lease.workload != by;
    let lease = state.leases().find(runs)?.id;
    let event = Event::LeaseStopping { lease, reason: Reason::Preempted { by }, stop_by };
    let mut state = state.clone();
    eaf_core::apply(&mut state, step.at, &event);
    step.events.push(event);
    Some((state, lease))
}

/// The bug of a world, if it has one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plant {
    #[cfg(test)]
    bug: Option<Planted>,
}

impl Plant {
    /// Plants a bug.
    #[cfg(test)]
    pub(crate) const fn with(bug: Planted) -> Self {
        Self { bug: Some(bug) }
    }

    /// True where this bug is planted: never in a program that ships.
    #[cfg(test)]
    pub(crate) fn has(self, bug: Planted) -> bool {
        self.bug == Some(bug)
    }

    /// True where this bug is planted: never in a program that ships.
    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "the same call as where bugs can be planted")]
    pub(crate) const fn has(self, _bug: Planted) -> bool {
        false
    }
}
