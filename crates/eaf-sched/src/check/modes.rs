//! Changes of mode are lawful.
//!
//! Absent: which change helps the most.

use super::Violation;
use super::order::turn;
use crate::{Entry, Hold, ModeChange, ModeRules, NodeCapacity, Plan, Snapshot};
use eaf_model::{ModeScope, NodeState, Placement, WHOLE_MODE};
use std::collections::BTreeSet;

/// Tests changes of mode against the snapshot behind a pass: ready nodes, accelerators that take work and are in another
/// mode, empty where nothing is said of draining, those together that change together, each once, for somebody who waits
/// and whom the mode serves, and none that is promised to whoever goes first, or that others stop for. O(changes).
///
/// # Errors
/// The first rule that is broken.
pub fn check_modes(
    snapshot: &Snapshot,
    plan: &Plan,
    changes: &[ModeChange],
    rules: ModeRules,
) -> Result<(), Violation> {
    let mut seen = BTreeSet::new();
    for change in changes {
        let wrong = |accelerator, why| {
            Err(Violation::ModeChange { node: change.node, accelerator, to: change.to.clone(), why })
        };
        let first = change.accelerators.first().copied().unwrap_or_default();
        let Some(entry) = snapshot.queue.get(change.workload) else {
            return Err(Violation::NotQueued { workload: change.workload });
        };
        let ready = snapshot.fleet.get(change.node).filter(|node| node.state() == NodeState::Ready);
        let Some(node) = ready else { return wrong(first, "its node takes no work") };
        if change.accelerators.is_empty() || !change.accelerators.windows(2).all(|pair| pair[0] < pair[1]) {
            return wrong(first, "its accelerators do not rise");
        }
        if change.drained_at.is_some_and(|at| at <= snapshot.now) {
            return wrong(first, "it is drained in the past");
        }
        for board in &change.accelerators {
            if !seen.insert((change.node, *board)) {
                return wrong(*board, "it changes twice");
            }
            if let Some(why) = unlawful(snapshot, plan, change, &entry, node, *board) {
                return wrong(*board, why);
            }
        }
        if seen.len() > rules.changes_max as usize + change.accelerators.len() {
            return wrong(first, "too many change in one pass");
        }
    }
    Ok(())
}

/// Why one accelerator may not change.
fn unlawful(
    snapshot: &Snapshot,
    plan: &Plan,
    change: &ModeChange,
    entry: &Entry,
    node: &NodeCapacity,
    board: u16,
) -> Option<&'static str> {
    let index = usize::from(board);
    let asked = &entry.shape.task.accelerators;
    let Some(model) = node.accelerators().nth(index).map(|(model, _)| model) else { return Some("it is not there") };
    let (mode, takes_work) = node.mode(index);
    let cut = node.modes(index).iter().find(|cut| cut.name == change.to);
    let serves = match &asked.slice {
        None => change.to == WHOLE_MODE,
        Some(slice) => cut.is_some_and(|cut| cut.slices.iter().any(|profile| profile.is_meant_by(slice))),
    };
    let alike = || node.accelerators().enumerate().filter(|(_, (other, _))| *other == model).map(|(index, _)| index);
    let by_node = node
        .modes(index)
        .iter()
        .filter(|cut| cut.scope == ModeScope::Node)
        .any(|cut| cut.name == change.to || alike().any(|other| node.mode(other).0 == cut.name));
    let listed = |index: usize| {
        let is_there = node.mode(index) == (change.to.as_str(), true);
        is_there || change.accelerators.iter().any(|listed| usize::from(*listed) == index)
    };
    let order = snapshot.queue.order();
    let goes_first = |hold: &&Hold| {
        let holder = snapshot.queue.get(hold.workload);
        holder.is_some_and(|holder| turn(order, &holder) < turn(order, entry))
    };
    let is_part = |placement: &Placement| {
        let mut there = placement.tasks.iter().filter(|task| task.node == change.node);
        there.any(|task| task.accelerators.iter().any(|one| one.index == board))
    };
    match () {
        () if !takes_work => Some("it takes no work"),
        () if mode == change.to => Some("it is so already"),
        () if !serves => Some("that serves nobody"),
        () if change.drained_at.is_none() && node.is_held(index) => Some("something is held on it"),
        () if by_node && !alike().all(listed) => Some("others change with it"),
        () if plan.holds.iter().filter(goes_first).any(|hold| is_part(&hold.placement)) => Some("it is promised"),
        () if plan.claims.iter().any(|claim| is_part(&claim.placement)) => Some("others stop for who takes it"),
        () => None,
    }
}
