//! `Wake`: a time that `next_wakeup` named has come.
//!
//! What: wall times, start timeouts, retries, expiries, lost nodes, changes of mode, windows. Why bounded: a wake takes so many deadlines and the
//! next takes the rest. Absent: a clock.

use super::{service, settle};
use crate::draft::Draft;
use crate::fleet;
use crate::index::Deadline;
use crate::tenancy;
use eaf_model::{Event, LeaseId, NodeId, Reason, TaskKey, Time, WorkloadState};

/// The most deadlines that one wake takes.
pub(crate) const DEADLINES_PER_WAKE_MAX: usize = 1_000;

pub(crate) fn wake(draft: &mut Draft<'_>) {
    let now = draft.now();
    let due = draft.index.deadlines.iter().take_while(|(at, _)| *at <= now).take(DEADLINES_PER_WAKE_MAX);
    let due: Vec<(Time, Deadline)> = due.copied().collect();
    for entry in due {
        // What an earlier one brought about may have settled this one.
        if draft.index.deadlines.contains(&entry) {
            take(draft, entry.1);
        }
    }
}

fn take(draft: &mut Draft<'_>, deadline: Deadline) {
    match deadline {
        Deadline::WallTime(lease) => settle::stop(draft, lease, Reason::WallTimeReached),
        Deadline::StartTimeout(lease) => settle::stop(draft, lease, Reason::StartTimedOut),
        Deadline::Retry(workload) => draft.emit(Event::WorkloadEligible { workload }),
        Deadline::Expire(workload) => {
            settle::end(draft, workload, WorkloadState::Expired, Reason::DidNotStartInTime);
        }
        Deadline::TooLate(workload) => {
            settle::end(draft, workload, WorkloadState::Expired, Reason::DeadlineOutOfReach);
        }
        Deadline::Age(workload) => draft.emit(Event::WorkloadAged { workload }),
        Deadline::Level(lease) => rise(draft, lease),
        Deadline::Evictable(lease) => draft.emit(Event::LeaseEvictable { lease }),
        Deadline::LostNode(node) => give_up(draft, node),
        Deadline::ModeChange(node) => fleet::modes::overdue(draft, node),
        Deadline::Windows => tenancy::policy::windows_moved(draft),
    }
}

/// A running workload has attained the service of a higher level.
fn rise(draft: &mut Draft, id: LeaseId) {
    let Some(lease) = draft.lease(id) else { return };
    let Some(workload) = draft.workload(lease.workload) else { return };
    let level = service::level_at(draft, lease, workload, draft.now()).max(workload.level + 1);
    let workload = workload.id;
    draft.emit(Event::ServiceLevelReached { workload, level });
}

/// The workloads of a lost node go on without it.
fn give_up(draft: &mut Draft<'_>, node: NodeId) {
    let at = draft.now();
    let mut keys: Vec<TaskKey> = Vec::new();
    for lease in draft.leases() {
        let parts = lease.placement.iter().zip(&lease.tasks).zip(0u32..);
        let there = parts.filter(|((part, task), _)| part.node == node && !task.state.is_over());
        keys.extend(there.map(|(_, task)| TaskKey { lease: lease.id, task }));
    }
    draft.emit(Event::NodeGivenUp { node });
    let mut leases: Vec<LeaseId> = keys.iter().map(|key| key.lease).collect();
    leases.dedup();
    for lease in &leases {
        let ends =
            |lease: &crate::Lease| lease.stopping.is_none() && !settle::goes_on_without(draft, lease, Some(node));
        if draft.lease(*lease).is_some_and(|lease| ends(lease)) {
            settle::stop(draft, *lease, Reason::NodeLost { node });
        }
    }
    for key in keys {
        let over = |lease: &crate::Lease| lease.tasks.get(key.task as usize).is_none_or(|task| task.state.is_over());
        if draft.lease(key.lease).is_some_and(|lease| !over(lease)) {
            draft.emit(Event::TaskAbandoned { key, at });
        }
    }
    for lease in leases {
        settle::settle(draft, lease);
    }
}
