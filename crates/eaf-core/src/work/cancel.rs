//! `Cancel`: an owner or an operator ends a workload, or every live member of an array.
//!
//! What: what waits ends at once; what runs is told to stop, and ends when its exit is seen. Absent: force; the grace is
//! the workload's own.

use super::settle;
use crate::draft::Draft;
use eaf_model::{Reason, Rejection, WorkloadId, WorkloadState};

pub(crate) fn cancel(draft: &mut Draft<'_>, id: WorkloadId, by: &str) -> Result<(), Rejection> {
    let members: Vec<(WorkloadId, WorkloadState)> = draft.members(id).map(|w| (w.id, w.state)).collect();
    if members.is_empty() {
        return Err(Rejection::UnknownWorkload { workload: id });
    }
    if members.iter().all(|(_, state)| *state == WorkloadState::Stopping) {
        return Err(Rejection::AlreadyStopping { workload: id });
    }
    for (member, _) in members {
        // An earlier member's end may have ended this one, if it depends on it.
        let Some(workload) = draft.workload(member) else {
            continue;
        };
        let reason = Reason::CancelRequested { by: by.to_owned() };
        match (workload.state, workload.lease) {
            (WorkloadState::Stopping, _) => {}
            (_, Some(lease)) => settle::stop(draft, lease, reason),
            (_, None) => settle::end(draft, member, WorkloadState::Cancelled, reason),
        }
    }
    Ok(())
}
