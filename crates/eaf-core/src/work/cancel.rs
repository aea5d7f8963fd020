//! `Cancel`: an owner or an operator ends a workload, or every live member of an array.
//!
//! What: what waits ends at once; what runs is told to stop, and ends when its exit is seen. Absent: force; the grace is
//! the workload's own.

use super::settle;
use crate::Workload;
use crate::draft::Draft;
use eaf_model::{Reason, Rejection, WorkloadId, WorkloadState};

pub(crate) fn cancel(draft: &mut Draft<'_>, id: WorkloadId, by: &str) -> Result<(), Rejection> {
    // What makes room for another would wait again; a cancel ends it.
    let is_over = |workload: &Workload| {
        workload.state == WorkloadState::Stopping && !matches!(workload.state_reason, Reason::Preempted { .. })
    };
    let members: Vec<(WorkloadId, bool)> = draft.members(id).map(|w| (w.id, is_over(w))).collect();
    if members.is_empty() {
        return Err(Rejection::UnknownWorkload { workload: id });
    }
    if members.iter().all(|(_, is_over)| *is_over) {
        return Err(Rejection::AlreadyStopping { workload: id });
    }
    for (member, _) in members {
        // An earlier member's end may have ended this one, if it depends on it.
        let Some(workload) = draft.workload(member) else {
            continue;
        };
        let reason = Reason::CancelRequested { by: by.to_owned() };
        match (is_over(workload), workload.lease) {
            (true, _) => {}
            (_, Some(lease)) => settle::stop(draft, lease, reason),
            (_, None) => settle::end(draft, member, WorkloadState::Cancelled, reason),
        }
    }
    Ok(())
}
