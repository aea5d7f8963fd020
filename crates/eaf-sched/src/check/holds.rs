//! What is promised can be kept.
//!
//! What: at the beginning of every hold, all that is needed then is free: one walk over what comes back on its nodes, what
//! is granted and what is promised, by rising time; and the time at which each starts at the latest is not before what is
//! promised to others before it must have ended. Why the beginnings are enough: at no other time is more needed than before.
//! Why two walks where others make room: nobody can tell when they are gone, only by when; what is promised must be free
//! while they are still there, and once they are gone and those have started for whom they left.
//! Absent: whether a hold could be earlier.

use super::leaving::Leaving;
use super::rooms::Rooms;
use super::shares;
use super::windows::foreign;
use super::{Violation, as_asked};
use crate::{Entry, Hold, Plan, Snapshot, Window};
use eaf_model::{Allotment, LeaseId, NodeId, Placement, Time, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};

/// What each hold needs is free as long as it lasts, with every grant made.
pub(super) fn holds_kept(
    snapshot: &Snapshot,
    plan: &Plan,
    granted: &[(Entry, &Placement)],
    seen: &mut BTreeSet<WorkloadId>,
) -> Result<(), Violation> {
    // As many may wait for room, and the first of as many shares for those.
    let max = if snapshot.shares.is_empty() { snapshot.holds_max } else { snapshot.holds_max.saturating_mul(2) };
    if plan.holds.len() > max as usize {
        return Err(Violation::TooManyHolds { holds: plan.holds.len(), max });
    }
    let mut entries = Vec::with_capacity(plan.holds.len());
    for hold in &plan.holds {
        let workload = hold.workload;
        let entry = snapshot.queue.get(workload).ok_or(Violation::NotQueued { workload })?;
        if !seen.insert(workload) {
            return Err(Violation::Twice { workload });
        }
        if hold.at <= snapshot.now {
            return Err(Violation::HoldNotLater { workload });
        }
        as_asked(&entry, &hold.placement)?;
        entries.push(entry);
    }
    if plan.holds.is_empty() {
        return Ok(());
    }
    let leaving = Leaving::new(snapshot, plan)?;
    latest_is_late(snapshot, plan, &entries, &leaving)?;
    all_is_free(&leaving, plan, &entries, granted, Gone::InTime)?;
    if !leaving.told.is_empty() || !leaving.claims.is_empty() {
        all_is_free(&leaving, plan, &entries, granted, Gone::AtOnce)?;
    }
    shares::maxima_kept(snapshot, plan, &entries, granted, &leaving)
}

/// Each that is told when it starts at the latest does so no sooner than planned and than all that is promised before it is over, and
/// where that is not the planned time itself, when no window keeps any node from it.
fn latest_is_late(snapshot: &Snapshot, plan: &Plan, entries: &[Entry], leaving: &Leaving<'_>) -> Result<(), Violation> {
    let mut over = snapshot.now;
    for ((hold, entry), at) in plan.holds.iter().zip(entries).zip(0..) {
        let before = plan.claims.iter().zip(&leaving.claims).filter(|(claim, _)| claim.beside <= at);
        over = before.fold(over, |over, (_, (.., end))| over.max(*end));
        let Some(latest) = hold.latest else {
            // Behind one to whom that is not told it is told to nobody.
            let later = plan.holds[at..].iter().find(|hold| hold.latest.is_some());
            return later.map_or(Ok(()), |hold| Err(Violation::LatestTooSoon { workload: hold.workload }));
        };
        let end = latest.after(entry.shape.wall);
        let meets = |window: &Window| window.until > latest && window.from < end && window.from < window.until;
        let is_closed = latest > hold.at && foreign(snapshot, &entry.shape).any(meets);
        if latest < hold.at.max(over) || is_closed {
            return Err(Violation::LatestTooSoon { workload: hold.workload });
        }
        over = over.max(end);
    }
    Ok(())
}

/// When those are gone who leave.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gone {
    /// No sooner than they must be, and nobody starts for whom they leave.
    InTime,
    /// Now, and whoever they leave for starts now and lasts as long as if it had started last.
    AtOnce,
}

fn all_is_free(
    leaving: &Leaving<'_>,
    plan: &Plan,
    entries: &[Entry],
    granted: &[(Entry, &Placement)],
    gone: Gone,
) -> Result<(), Violation> {
    let snapshot = leaving.snapshot;
    let needed: BTreeSet<NodeId> =
        plan.holds.iter().flat_map(|hold| hold.placement.tasks.iter().map(|task| task.node)).collect();
    let mut rooms = Rooms::new(snapshot);
    // What the plan gives back again, by time.
    let mut ends: BTreeMap<Time, Vec<&[Allotment]>> = BTreeMap::new();
    for (entry, placement) in granted {
        let workload = entry.workload;
        rooms.put(entry, placement, |node, test| Violation::Unfit { workload, node, test })?;
        ends.entry(snapshot.now.after(entry.shape.wall)).or_default().push(&placement.tasks);
    }
    if gone == Gone::AtOnce {
        let told = leaving.told.keys().filter_map(|lease| snapshot.running.get(*lease));
        let told = told.flat_map(|lease| lease.tasks.iter());
        told.chain(snapshot.running.left()).for_each(|task| rooms.give_back(task));
        for (entry, placement, over) in &leaving.claims {
            let workload = entry.workload;
            rooms.put(entry, placement, |node, test| Violation::Unfit { workload, node, test })?;
            ends.entry(*over).or_default().push(&placement.tasks);
        }
    }
    let mut holds: Vec<(&Hold, &Entry)> = plan.holds.iter().zip(entries).collect();
    holds.sort_by_key(|(hold, _)| hold.at);
    let mut back: Vec<(Time, NodeId, &[Allotment])> = Vec::new();
    for node in &needed {
        let here = snapshot.releases.of_node(*node).filter(|back| gone == Gone::InTime || !leaving.has(back.lease));
        let at = |lease: LeaseId, at: Time| leaving.told.get(&lease).copied().map_or(at, |gone| gone.min(at));
        back.extend(here.map(|back| (at(back.lease, back.at), *node, back.tasks)));
    }
    back.sort_by_key(|(at, node, _)| (*at, *node));
    let mut back = back.into_iter().peekable();
    for (hold, entry) in holds {
        while let Some((_, node, tasks)) = back.next_if(|(at, ..)| *at <= hold.at) {
            tasks.iter().filter(|task| task.node == node).for_each(|task| rooms.give_back(task));
        }
        while let Some(over) = ends.first_entry().filter(|over| *over.key() <= hold.at) {
            over.remove().into_iter().flatten().for_each(|task| rooms.give_back(task));
        }
        let workload = hold.workload;
        rooms.put(entry, &hold.placement, |node, test| Violation::HoldDelayed { workload, node, test })?;
        ends.entry(hold.at.after(entry.shape.wall)).or_default().push(&hold.placement.tasks);
    }
    Ok(())
}
