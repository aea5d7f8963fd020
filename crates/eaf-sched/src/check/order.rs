//! Whose turn it was.
//!
//! What: grants follow the queue, and nobody starts before one that could and has no promise. Absent: shares, which tell
//! the order between projects (`shares`).

use super::Violation;
use super::rooms::Rooms;
use super::windows::foreign;
use crate::timeline::RELEASES_MAX;
use crate::{Entry, Plan, Shape, Snapshot};
use eaf_model::{Order, Passing, Placement, Time, WorkloadId};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Grants follow the queue, and of each shape the first go first.
pub(super) fn in_order(snapshot: &Snapshot, granted: &[(Entry, &Placement)]) -> Result<(), Violation> {
    let mut by_shape: BTreeMap<&Arc<Shape>, Vec<WorkloadId>> = BTreeMap::new();
    // Between projects that have shares the order moves with every grant, and so it does between those of one project that ask for
    // accelerators and those that do not.
    let line = |entry: &Entry| {
        let asked = &entry.shape.task.accelerators;
        (!snapshot.shares.is_empty()).then(|| (entry.shape.project.clone(), asked.count > 0))
    };
    let mut last = BTreeMap::new();
    let by = snapshot.queue.order();
    for (entry, _) in granted {
        let place = turn(by, entry);
        if last.insert(line(entry), place).is_some_and(|last| place < last) {
            return Err(Violation::OutOfOrder { workload: entry.workload });
        }
        by_shape.entry(&entry.shape).or_default().push(entry.workload);
    }
    for (shape, workloads) in by_shape {
        let firsts = snapshot.queue.of_shape(shape);
        if let Some((_, workload)) = firsts.zip(workloads).find(|(first, workload)| first != workload) {
            return Err(Violation::OutOfOrder { workload });
        }
    }
    Ok(())
}

/// Whoever starts behind the first that wait does so beside their holds; where whatever fits may pass, that is kept
/// for those that have waited too long. Those that cannot start, whatever comes back, hold nobody up.
pub(super) fn nobody_passed(
    snapshot: &Snapshot,
    plan: &Plan,
    granted: &[(Entry, &Placement)],
) -> Result<(), Violation> {
    let Some((last, _)) = granted.last() else { return Ok(()) };
    // Who goes before whom between projects is told by shares; each grant is tested against those.
    if !snapshot.shares.is_empty() {
        return Ok(());
    }
    let turn = |entry: &Entry| turn(snapshot.queue.order(), entry);
    let mut granted_of: BTreeMap<&Arc<Shape>, usize> = BTreeMap::new();
    for (entry, _) in granted {
        *granted_of.entry(&entry.shape).or_default() += 1;
    }
    // For whom others stop is not passed: what it will take is kept for it. Nor is whoever is promised a start.
    let served = plan.claims.iter().map(|claim| claim.workload).chain(plan.holds.iter().map(|hold| hold.workload));
    let served: Vec<Entry> = served.filter_map(|workload| snapshot.queue.get(workload)).collect();
    for entry in &served {
        *granted_of.entry(&entry.shape).or_default() += 1;
    }
    let mut passed = Vec::new();
    for first in snapshot.queue.firsts().take_while(|first| turn(first) < turn(last)) {
        let granted = granted_of.get(&first.shape).copied().unwrap_or(0);
        let waits = snapshot.queue.of_shape(&first.shape).nth(granted).and_then(|next| snapshot.queue.get(next));
        let is_passed =
            |waits: &Entry| turn(waits) < turn(last) && (snapshot.passing != Passing::Skip || waits.is_aged);
        passed.extend(waits.filter(is_passed));
    }
    passed.sort_by_key(&turn);
    let holders: Vec<Entry> = plan.holds.iter().filter_map(|hold| snapshot.queue.get(hold.workload)).collect();
    for waits in passed {
        // Of very many leases a pass follows no more than for its first holds.
        let all_made = holders.len() >= snapshot.holds_max as usize
            || !holders.is_empty() && snapshot.releases.len() > RELEASES_MAX;
        if all_made && holders.iter().all(|held| turn(held) < turn(&waits)) {
            return Ok(());
        }
        let before = granted.partition_point(|(entry, _)| turn(entry) < turn(&waits));
        let promised = plan.holds.iter().zip(&holders).filter(|(_, holder)| turn(holder) < turn(&waits));
        let promised = promised.map(|(hold, holder)| (holder, hold.at, &hold.placement));
        let granted_before = granted[..before].iter().map(|(entry, placement)| (entry, snapshot.now, *placement));
        if !is_hopeless(snapshot, &waits.shape, granted_before.chain(promised)) {
            return Err(Violation::Passed { workload: waits.workload, by: granted[before].0.workload });
        }
    }
    Ok(())
}

/// A place in the queue, by the checker's own reckoning; the least goes first.
type Turn = (bool, Reverse<i32>, u8, (bool, Option<u64>), u64, Time, WorkloadId);

pub(super) fn turn(order: Order, entry: &Entry) -> Turn {
    let (priority, level, length) = match order {
        _ if entry.is_aged => (0, 0, 0),
        Order::Priority => (entry.priority, entry.level, 0),
        Order::Fifo => (0, 0, 0),
        Order::Sjf => (0, 0, entry.shape.wall.0),
        Order::Las => (0, entry.level, 0),
    };
    let kept = (entry.turn.is_none(), entry.turn);
    (!entry.is_aged, Reverse(priority), level, kept, length, entry.submitted_at, entry.workload)
}

/// True where a gang does not fit, by the rule in force, once all is back that ever comes back. `before` is what is granted
/// and promised to those that go before it.
fn is_hopeless<'e>(
    snapshot: &Snapshot,
    shape: &Shape,
    before: impl Iterator<Item = (&'e Entry, Time, &'e Placement)>,
) -> bool {
    // An index that the checker shares with the planner, as it does what comes back by project and by node: a deep queue for
    // nodes that are away, with other work flowing past it, would otherwise cost a look at every node in every pass.
    if !snapshot.fleet.ready_fit(shape) {
        return true;
    }
    let endless = before.filter(|(entry, at, _)| at.after(entry.shape.wall) == Time::NEVER);
    let mut all = Rooms::when_all_is_back(snapshot, endless.map(|(entry, _, placement)| (entry, placement)));
    for window in foreign(snapshot, shape) {
        // Between two windows there may be too little time; only what no window ever closes is sure to be of use.
        if window.until > snapshot.now {
            all.close(window.node);
        }
    }
    !all.fits(shape)
}
