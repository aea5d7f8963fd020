//! What the claims of a plan change of what comes back.
//!
//! What: who is told to leave is back once its notice is over, and until when at the latest whoever it leaves for has what it
//! claims. Absent: whether anybody may be told (`claims`).

use super::Violation;
use crate::{Entry, Plan, Snapshot};
use eaf_model::{LeaseId, NodeId, Placement, Time, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};

/// Those who leave, and for whom.
pub(super) struct Leaving<'a> {
    pub(super) snapshot: &'a Snapshot,
    /// Who is told to leave in the plan, and when each is gone at the latest.
    pub(super) told: BTreeMap<LeaseId, Time>,
    /// Who claims what, and when it is over at the latest.
    pub(super) claims: Vec<(Entry, &'a Placement, Time)>,
}

impl<'a> Leaving<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, plan: &'a Plan) -> Result<Self, Violation> {
        let mut leaving = Self { snapshot, told: BTreeMap::new(), claims: Vec::new() };
        for grant in &plan.grants {
            leaving.tell(grant.workload, &grant.victims)?;
        }
        for claim in &plan.claims {
            let workload = claim.workload;
            let entry = snapshot.queue.get(workload).ok_or(Violation::NotQueued { workload })?;
            leaving.tell(workload, &claim.victims)?;
            let over = leaving.gone(&claim.placement).after(entry.shape.wall);
            leaving.claims.push((entry, &claim.placement, over));
        }
        Ok(leaving)
    }

    fn tell(&mut self, workload: WorkloadId, victims: &[LeaseId]) -> Result<(), Violation> {
        for lease in victims {
            let notice = self.snapshot.running.get(*lease).map(|lease| lease.notice);
            let notice = notice.ok_or(Violation::MayNotStop { workload, lease: *lease })?;
            self.told.insert(*lease, self.snapshot.now.after(notice));
        }
        Ok(())
    }

    /// When everybody is gone at the latest who leaves the nodes of a placement.
    fn gone(&self, placement: &Placement) -> Time {
        let nodes: BTreeSet<NodeId> = placement.tasks.iter().map(|task| task.node).collect();
        let there = nodes.into_iter().flat_map(|node| self.snapshot.releases.of_node(node));
        let gone = there.filter_map(|back| {
            let leaves = self.snapshot.running.is_leaving(back.lease).then_some(back.at);
            self.told.get(&back.lease).copied().or(leaves)
        });
        gone.max().unwrap_or(self.snapshot.now).max(self.snapshot.now)
    }

    /// True where a lease leaves, now told or before.
    pub(super) fn has(&self, lease: LeaseId) -> bool {
        self.told.contains_key(&lease) || self.snapshot.running.is_leaving(lease)
    }
}
