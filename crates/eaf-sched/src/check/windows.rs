//! Nothing is held on a node while that is kept for others.
//!
//! Absent: who keeps what for whom; that is in the snapshot.

use super::Violation;
use crate::{Plan, Shape, Snapshot, Window};

/// Nothing that is granted, promised or claimed would hold a node while that is kept for others.
pub(super) fn outside_windows(snapshot: &Snapshot, plan: &Plan) -> Result<(), Violation> {
    let now = snapshot.now;
    let grants = plan.grants.iter().map(|grant| (grant.workload, now, &grant.placement));
    let claims = plan.claims.iter().map(|claim| (claim.workload, now, &claim.placement));
    let holds = plan.holds.iter().map(|hold| (hold.workload, hold.at, &hold.placement));
    for (workload, from, placement) in grants.chain(claims).chain(holds) {
        let entry = snapshot.queue.get(workload).ok_or(Violation::NotQueued { workload })?;
        let until = from.after(entry.shape.wall);
        for window in foreign(snapshot, &entry.shape) {
            let meets = window.until > from && window.from < until;
            if meets && placement.tasks.iter().any(|task| task.node == window.node) {
                return Err(Violation::Closed { workload, node: window.node });
            }
        }
    }
    Ok(())
}

/// The windows that are not for a workload's own project.
pub(super) fn foreign<'a>(snapshot: &'a Snapshot, shape: &'a Shape) -> impl Iterator<Item = &'a Window> {
    snapshot.windows.iter().filter(|window| window.project.is_none() || window.project != shape.project)
}
