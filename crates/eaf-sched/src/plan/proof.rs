//! Nobody stops in vain.
//!
//! What: where somebody is told to leave, the same pass again as if those were gone already; for whom it starts then they leave,
//! and for nobody else. Why with shares alone: in one line whoever others stop for goes before them by its class, but between
//! shares what is given back changes whose turn it is, and planned starts before it may move to the very place. Why not reasoned
//! from the rules: each of them holds, and together they may still do that.
//! Absent: those who leave, as they wait again (`preempt` asks whether they would go first).

use super::{Head, Plan, Snapshot, pass};
use crate::Scores;
use crate::shares::{Shares, held_by};
use eaf_model::{LeaseId, WorkloadId};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A pass in which nobody is told to leave in vain.
pub(super) fn proven(snapshot: &Snapshot, scores: &mut Scores, is_explained: bool) -> (Plan, Head) {
    let mut vain = BTreeSet::new();
    loop {
        let (plan, head, cut) = pass(snapshot, scores, is_explained, &vain);
        let known = vain.len();
        if !snapshot.shares.is_empty() {
            vain.extend(in_vain(snapshot, &plan, scores));
        }
        if vain.len() == known {
            scores.set_cut(cut);
            return (plan, head);
        }
    }
}

/// For whom others would leave without its starting once they have.
fn in_vain(snapshot: &Snapshot, plan: &Plan, scores: &mut Scores) -> Vec<WorkloadId> {
    let told: Vec<LeaseId> = plan.claims.iter().flat_map(|claim| &claim.victims).copied().collect();
    if told.is_empty() {
        return Vec::new();
    }
    let (after, ..) = pass(&without(snapshot, &told), scores, false, &BTreeSet::new());
    if after.grants.len() >= snapshot.grants_max as usize {
        return Vec::new();
    }
    let starts = after.grants.iter().map(|grant| grant.workload);
    // Others may be leaving for it already, for longer.
    let waits = after.claims.iter().filter(|claim| claim.victims.is_empty()).map(|claim| claim.workload);
    let served: BTreeSet<WorkloadId> = starts.chain(waits).collect();
    let claims = plan.claims.iter().filter(|claim| !claim.victims.is_empty());
    claims.map(|claim| claim.workload).filter(|workload| !served.contains(workload)).collect()
}

/// The same as if these were gone.
fn without(snapshot: &Snapshot, told: &[LeaseId]) -> Snapshot {
    let mut after = snapshot.clone();
    let mut shares = Shares::clone(&snapshot.shares);
    for lease in told.iter().filter_map(|lease| snapshot.running.get(*lease)) {
        shares.give_back(lease.project.as_deref(), &held_by(&snapshot.fleet, &lease.tasks));
        lease.tasks.iter().for_each(|task| after.fleet.release(task));
        after.releases.remove(lease.until, lease.lease);
        after.running.remove(lease.lease);
    }
    after.shares = Arc::new(shares);
    after
}
