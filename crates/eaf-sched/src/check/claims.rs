//! Whoever is told to stop for others may be told so, and is needed.
//!
//! What: each claim in its turn, on what is free once those are gone who leave and those before it have what they claim.
//! Absent: which victims cost the least.

use super::order::turn;
use super::rooms::Rooms;
use super::shares::Open;
use super::{Violation, as_asked};
use crate::preempt::NOTICE;
use crate::{Class, Entry, Evictable, Plan, Shape, Snapshot};
use eaf_model::{LeaseId, Placement, WorkloadId};
use std::collections::BTreeSet;

/// Whoever is told to stop may be told so, is needed, and together they make room.
pub(super) fn claims_hold<'a>(
    snapshot: &'a Snapshot,
    plan: &Plan,
    granted: &[(Entry, &Placement)],
    open: &[Open],
    mut seen: BTreeSet<WorkloadId>,
) -> Result<(), Violation> {
    let by = snapshot.queue.order();
    let mut told: BTreeSet<LeaseId> = BTreeSet::new();
    for ((entry, _), grant) in granted.iter().zip(&plan.grants) {
        may_stop(snapshot, entry, &grant.victims, &mut told)?;
    }
    let Some(first) = plan.claims.first() else { return Ok(()) };
    let mut rooms: Rooms<'a> = Rooms::all(snapshot);
    let mut holds = plan.holds.iter();
    let mut kept = 0;
    snapshot.running.left().for_each(|task| rooms.give_back(task));
    let mut coming = granted.iter().enumerate().peekable();
    for (at, claim) in plan.claims.iter().enumerate() {
        let workload = claim.workload;
        let entry = snapshot.queue.get(workload).ok_or(Violation::NotQueued { workload })?;
        if !seen.insert(workload) {
            return Err(Violation::Twice { workload });
        }
        as_asked(&entry, &claim.placement)?;
        let is_before = |(granted, _): &(Entry, &Placement)| turn(by, granted) < turn(by, &entry);
        if snapshot.shares.is_empty() && granted.partition_point(is_before) != claim.behind {
            return Err(Violation::OutOfOrder { workload });
        }
        // It keeps off the nodes of every hold that goes before it.
        let before = holds.by_ref().take(claim.beside.saturating_sub(kept));
        before.flat_map(|hold| &hold.placement.tasks).for_each(|task| rooms.close(task.node));
        kept = kept.max(claim.beside);
        while let Some((at, (_, placement))) = coming.next_if(|(at, _)| *at < claim.behind) {
            rooms.take(placement);
            plan.grants[at].victims.iter().for_each(|lease| rooms.give_back_lease(*lease));
        }
        may_stop(snapshot, &entry, &claim.victims, &mut told)?;
        for (lease, place) in claim.victims.iter().zip(0..) {
            let mut without = rooms.clone();
            let end = snapshot.now.after(entry.shape.wall).after(NOTICE);
            for window in snapshot.windows.closing(entry.shape.project.as_deref(), snapshot.now, end) {
                without.close(window.node);
            }
            claim.victims.iter().filter(|other| *other != lease).for_each(|other| without.give_back_lease(*other));
            let open = open.get(at).and_then(|open| open.get(place));
            if open_shape(&entry, open, &claim.models).is_some_and(|shape| without.fits(&shape)) {
                return Err(Violation::NeedNotStop { workload, lease: *lease });
            }
        }
        claim.victims.iter().for_each(|lease| rooms.give_back_lease(*lease));
        rooms.put(&entry, &claim.placement, |node, test| Violation::Unfit { workload, node, test })?;
    }
    // What is granted behind a claim leaves it what it needs.
    coming.try_for_each(|(_, (entry, placement))| {
        let fits = rooms.take(placement);
        if fits { Ok(()) } else { Err(Violation::Passed { workload: first.workload, by: entry.workload }) }
    })
}

/// Whoever is told to stop for a workload is of a worse class, or of another share; began before now, and is told once.
fn may_stop(
    snapshot: &Snapshot,
    entry: &Entry,
    victims: &[LeaseId],
    told: &mut BTreeSet<LeaseId>,
) -> Result<(), Violation> {
    let class = Class::of(snapshot.queue.order(), entry.priority, entry.level);
    let same = |victim: &Evictable| victim.preemptible && victim.class > class;
    let between = |victim: &Evictable| !snapshot.shares.is_empty() && victim.project != entry.shape.project;
    let may = |victim: &Evictable| (between(victim) || same(victim)) && victim.started_at < snapshot.now;
    for lease in victims {
        if !snapshot.running.get(*lease).is_some_and(may) || !told.insert(*lease) {
            return Err(Violation::MayNotStop { workload: entry.workload, lease: *lease });
        }
    }
    Ok(())
}

/// What a workload asks for, of the models that its shares let it take, now and beside planned starts; `None` where they let it
/// take none.
fn open_shape(entry: &Entry, open: Option<&Vec<String>>, beside: &[String]) -> Option<Shape> {
    let mut shape = Shape::clone(&entry.shape);
    if let Some(open) = open.filter(|_| shape.task.accelerators.count > 0) {
        let may = |model: &&String| beside.is_empty() || beside.contains(model);
        shape.task.accelerators.models = open.iter().filter(may).cloned().collect();
        return (!shape.task.accelerators.models.is_empty()).then_some(shape);
    }
    Some(shape)
}
