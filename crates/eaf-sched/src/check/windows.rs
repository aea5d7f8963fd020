//! Nothing is held on a node while that is kept for others.
//!
//! Absent: who keeps what for whom; that is in the snapshot.

use super::Violation;
use crate::{Plan, Snapshot, Window};

/// Nothing that is granted, promised or claimed would hold a node while that is kept for others.
pub(super) fn outside_windows(snapshot: &Snapshot, plan: &Plan) -> Result<(), Violation> {
    let now = snapshot.now;
    let grants = plan.grants.iter().map(|grant| (grant.workload, now, &grant.placement));
    let claims = plan.claims.iter().map(|claim| (claim.workload, now, &claim.placement));
    let holds = plan.holds.iter().map(|hold| (hold.workload, hold.at, &hold.placement));
    for (workload, from, placement) in grants.chain(claims).chain(holds) {
        let entry = snapshot.queue.get(workload).ok_or(Violation::NotQueued { workload })?;
        let until = from.after(entry.shape.wall);
        let is_others = |window: &&Window| window.project.is_none() || window.project != entry.shape.project;
        for window in snapshot.windows.iter().filter(is_others) {
            let meets = window.until > from && window.from < until;
            if meets && placement.tasks.iter().any(|task| task.node == window.node) {
                return Err(Violation::Closed { workload, node: window.node });
            }
        }
    }
    Ok(())
}
