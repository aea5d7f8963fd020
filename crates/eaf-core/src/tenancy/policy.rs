//! `ApplyPolicy`: an operator's policy comes into force.
//!
//! What: a policy that holds together and that the factory can keep is an event; what is over by now is left out of it.
//! Absent: what is wrong with one (`problems`), and moving what runs: a share that shrinks gives back as its work ends, or
//! as others claim theirs.

use super::problems;
use crate::State;
use crate::draft::Draft;
use eaf_model::{Event, Policy, PolicyWindow, Rejection, Time};
use eaf_sched::{Window, Windows};
use std::sync::Arc;

pub(crate) fn apply_policy(draft: &mut Draft<'_>, policy: &Policy, by: &str) -> Result<(), Rejection> {
    problems::check(policy, Some(draft))?;
    let policy = still_to_come(policy, draft.now());
    if *draft.policy != policy {
        draft.emit(Event::PolicyApplied { policy: Box::new(policy), by: by.to_owned() });
    }
    Ok(())
}

/// The policy without windows that are over.
fn still_to_come(policy: &Policy, now: Time) -> Policy {
    let mut policy = policy.clone();
    policy.reservations.retain(|_, window| window.until > now);
    policy.maintenance.retain(|_, window| window.until > now);
    policy
}

/// The windows of the policy, on nodes that there are.
pub(crate) fn windows(state: &State) -> Windows {
    let on_nodes = state.policy().windows().flat_map(|window| {
        let project = window.project.map(Arc::<str>::from);
        let known = window.nodes.iter().filter_map(|name| state.node_named(name));
        known.map(move |node| Window {
            from: window.from,
            until: window.until,
            node: node.id,
            project: project.clone(),
        })
    });
    let windows: Vec<Window> = on_nodes.collect();
    if windows.is_empty() { Windows::default() } else { Windows::new(windows) }
}

/// A window has begun or is over.
pub(crate) fn windows_moved(draft: &mut Draft<'_>) {
    let (last, now) = (draft.windows_seen, draft.now());
    let came = |at: Time| at > last && at <= now;
    let names = |is_meant: &dyn Fn(&PolicyWindow<'_>) -> bool| -> Vec<String> {
        draft.policy.windows().filter(is_meant).map(|window| window.name.to_owned()).collect()
    };
    let begun = names(&|window| came(window.from) && window.until > now);
    let over = names(&|window| window.until <= now);
    draft.emit(Event::WindowsMoved { begun, over });
}
