//! `ApplyPolicy`: an operator's policy comes into force.
//!
//! What: a policy that holds together and that the factory can keep is an event; what is over by now is left out of it.
//! Absent: what is wrong with one (`problems`), and moving what runs: a share that shrinks gives back as its work ends, or
//! as others claim theirs.

use super::problems;
use crate::State;
use crate::draft::Draft;
use eaf_model::{Event, Policy, Rejection, Time};
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
    let policy = state.policy();
    let reserved = policy.reservations.values().map(|window| {
        let project = Some(Arc::<str>::from(window.project.as_str()));
        (project, &window.nodes, window.from, window.until)
    });
    let maintained = policy.maintenance.values().map(|window| (None, &window.nodes, window.from, window.until));
    let on_nodes = reserved.chain(maintained).flat_map(|(project, nodes, from, until)| {
        let known = nodes.iter().filter_map(|name| state.node_named(name));
        known.map(move |node| Window { from, until, node: node.id, project: project.clone() })
    });
    let windows: Vec<Window> = on_nodes.collect();
    if windows.is_empty() { Windows::default() } else { Windows::new(windows) }
}

/// A window has begun or is over.
pub(crate) fn windows_moved(draft: &mut Draft<'_>) {
    let (last, now) = (draft.windows_seen, draft.now());
    let policy = &draft.policy;
    let reserved = policy.reservations.iter().map(|(name, window)| (name, window.from, window.until));
    let maintained = policy.maintenance.iter().map(|(name, window)| (name, window.from, window.until));
    let windows: Vec<_> = reserved.chain(maintained).collect();
    let came = |at: Time| at > last && at <= now;
    let begun = windows.iter().filter(|(_, from, until)| came(*from) && *until > now);
    let over = windows.iter().filter(|(.., until)| *until <= now);
    let names = |windows: &mut dyn Iterator<Item = &(&String, Time, Time)>| {
        windows.map(|(name, ..)| (*name).clone()).collect::<Vec<_>>()
    };
    let (begun, over) = (names(&mut begun.into_iter()), names(&mut over.into_iter()));
    draft.emit(Event::WindowsMoved { begun, over });
}
