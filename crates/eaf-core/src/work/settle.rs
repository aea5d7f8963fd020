//! The end of an attempt: what follows when tasks of a lease are gone.
//!
//! What: a gang whose task failed is stopped; a lease with nothing left is closed and billed; the workload then ends or
//! waits again; and those that can never start end with it. Absent: the order to stop itself, which is owed by state.

use super::apply::exit_of;
use super::service;
use crate::draft::Draft;
use crate::{Lease, State, Task, TaskState, Workload};
use eaf_model::{
    Allotment, Event, Exit, HeldAttempt, HeldTask, LeaseId, NodeId, OnLoss, Ran, Reason, Span, Time, WorkloadId,
    WorkloadSpec, WorkloadState,
};
use std::sync::Arc;

/// How long beyond its grace a stop may take before it is shown as overdue.
const STOP_SLACK: Span = Span::from_secs(30);

/// How long a workload may take to leave once it is told to stop.
pub(crate) fn notice(state: &State, spec: Option<&WorkloadSpec>) -> Span {
    let grace = spec.and_then(|spec| spec.stop_grace).unwrap_or(state.settings().timing.stop_grace_default);
    grace.saturating_add(STOP_SLACK)
}

/// Tells every task of a lease to stop.
pub(super) fn stop(draft: &mut Draft<'_>, lease: LeaseId, reason: Reason) {
    let Some(record) = draft.lease(lease) else { return };
    let spec = draft.workload(record.workload).map(|workload| &*workload.spec);
    let stop_by = draft.now().after(notice(draft, spec));
    draft.emit(Event::LeaseStopping { lease, reason, stop_by });
}

/// Looks at a lease after one of its tasks is gone or given up.
pub(super) fn settle(draft: &mut Draft<'_>, id: LeaseId) {
    let Some(lease) = draft.lease(id).cloned() else { return };
    if lease.stopping.is_none()
        && let Some(reason) = first_failure(draft, &lease)
    {
        if lease.tasks.iter().all(|task| task.state.is_over()) {
            return close(draft, &lease, Some(reason));
        }
        return stop(draft, id, reason);
    }
    if lease.tasks.iter().all(|task| task.state.is_over()) {
        let reason = lease.stopping.as_ref().map(|stopping| stopping.reason.clone());
        close(draft, &lease, reason);
    }
}

/// The task of lowest rank that ended with something else than success, and that the gang cannot go on without.
fn first_failure(draft: &Draft<'_>, lease: &Lease) -> Option<Reason> {
    let spared = goes_on_without(draft, lease, None);
    let mut tasks = lease.tasks.iter().zip(0u32..).filter(|(task, _)| !(spared && task.state.is_lost()));
    tasks.find_map(|(task, rank)| match &task.state {
        TaskState::Exited { exit, .. } if !exit.is_success() => {
            Some(Reason::TaskFailed { task: rank, exit: exit.clone() })
        }
        TaskState::Abandoned { .. } => Some(Reason::TaskFailed { task: rank, exit: exit_of(&task.state) }),
        _ => None,
    })
}

/// True where a gang that had started whole goes on without the tasks that it has lost, and without those on a node that is
/// given up: as many are left as it needs, and one of those was still at work then.
pub(super) fn goes_on_without(draft: &Draft<'_>, lease: &Lease, node: Option<NodeId>) -> bool {
    let goes = |part: &Allotment, task: &Task| task.state.is_lost() || node == Some(part.node) && !task.state.is_over();
    let tasks = lease.placement.iter().zip(&lease.tasks);
    let (lost, left): (Vec<_>, Vec<_>) = tasks.partition(|(part, task)| goes(part, task));
    let last = lost.iter().filter_map(|(_, task)| task.state.ended_at()).max();
    let last = if node.is_some() { Some(draft.now()) } else { last };
    let outlives = |task: &Task| task.state.ended_at().is_none_or(|end| last.is_none_or(|lost| end >= lost));
    let needed = draft.workload(lease.workload).map_or(lease.tasks.len(), |of| of.spec.tasks_needed() as usize);
    lease.run_until.is_some() && left.len() >= needed && left.iter().any(|(_, task)| outlives(task))
}

/// What the end of an attempt means for its workload.
enum Outcome {
    End(WorkloadState, Reason),
    /// It made room for another, which costs neither a retry nor a loss.
    WaitAgain {
        by: WorkloadId,
    },
    Retry {
        reason: Reason,
        spent_retry: bool,
    },
}

fn close(draft: &mut Draft<'_>, lease: &Lease, reason: Option<Reason>) {
    let workload = Arc::clone(draft.workload(lease.workload).expect("a lease is of a live workload"));
    // What ended well before it was stopped has ended well.
    let reason = reason.filter(|reason| match reason {
        Reason::Preempted { .. } => !ended_well(draft, lease, Time::NEVER),
        // Its end may be heard of late: the factory may have been down, or its node silent.
        Reason::WallTimeReached => !ended_well(draft, lease, lease.run_until.unwrap_or(Time::NEVER)),
        _ => true,
    });
    let lost = reason.as_ref().and_then(|reason| loss(lease, reason));
    let held = held(draft, lease, lost.is_some());
    let mut bill = Box::new(eaf_energy::bill(draft.settings(), &held));
    bill.preempted = service::preempted(lease, &workload, bill.ended_at).filter(|_| reason.is_some());
    let ran = if lost.is_some() { None } else { ran(lease, &workload) };
    draft.emit(Event::LeaseClosed { lease: lease.id, bill, ran });
    match outcome(draft, &workload, reason, lost) {
        Outcome::End(state, reason) => end(draft, workload.id, state, reason),
        // The deadline was not in force while it ran.
        Outcome::WaitAgain { .. } if draft.start_by(&workload.spec).is_some_and(|by| by <= draft.now()) => {
            end(draft, workload.id, WorkloadState::Expired, Reason::DeadlineOutOfReach);
        }
        Outcome::WaitAgain { by } => draft.emit(Event::WorkloadPreempted { workload: workload.id, by }),
        Outcome::Retry { reason, spent_retry } => {
            let tries = workload.retries_spent + workload.losses;
            let timing = &draft.settings().timing;
            let wait = timing.retry_backoff.0.saturating_mul(1 << tries.min(20)).min(timing.retry_backoff_max.0);
            let not_before = draft.now().after(Span(wait));
            draft.emit(Event::WorkloadRequeued { workload: workload.id, reason, not_before, spent_retry });
        }
    }
}

/// How long the attempt ran, where it had started whole and was not told to end before its time.
fn ran(lease: &Lease, workload: &Workload) -> Option<Ran> {
    let cut = lease
        .stopping
        .as_ref()
        .is_some_and(|stopping| !matches!(stopping.reason, Reason::WallTimeReached | Reason::TaskFailed { .. }));
    let started = lease.tasks.iter().filter_map(|task| task.state.started_at()).max()?;
    let wall = lease.run_until.filter(|_| !cut)?.since(started);
    let end = lease.tasks.iter().map(|task| ended_at(&task.state, started)).max()?;
    Some(Ran { time: end.since(started), wall, stated: workload.spec.wall_time.is_some() })
}

/// True where every task that the gang has not lost and gone on without has ended with success by then.
fn ended_well(draft: &Draft<'_>, lease: &Lease, by: Time) -> bool {
    let spared = goes_on_without(draft, lease, None);
    let well =
        |state: &TaskState| matches!(state, TaskState::Exited { exit, at, .. } if exit.is_success() && *at <= by);
    lease.tasks.iter().all(|task| well(&task.state) || spared && task.state.is_lost())
}

/// What was lost, where the attempt ended by a fault of the factory.
fn loss(lease: &Lease, reason: &Reason) -> Option<String> {
    match reason {
        Reason::TaskFailed { exit: Exit::Lost(why), .. } => Some(why.clone()),
        Reason::NodeLost { node } => Some(format!("{node} was lost")),
        Reason::StartTimedOut => Some(format!("{} did not start in time", lease.id)),
        _ => None,
    }
}

fn outcome(draft: &Draft<'_>, workload: &Workload, reason: Option<Reason>, lost: Option<String>) -> Outcome {
    if let Some(why) = lost {
        let too_often = workload.losses >= draft.settings().limits.losses_max;
        if workload.spec.on_loss == OnLoss::Fail || too_often {
            return Outcome::End(WorkloadState::Failed, Reason::Lost { why });
        }
        return Outcome::Retry { reason: Reason::RetryAfterLoss { why }, spent_retry: false };
    }
    match reason {
        None => Outcome::End(WorkloadState::Finished, Reason::AllTasksExitedZero),
        Some(Reason::Preempted { by }) => Outcome::WaitAgain { by },
        Some(reason @ Reason::CancelRequested { .. }) => Outcome::End(WorkloadState::Cancelled, reason),
        Some(Reason::TaskFailed { exit, .. })
            if workload.retries_spent < workload.spec.retries && !matches!(exit, Exit::CannotStart(_)) =>
        {
            Outcome::Retry { reason: Reason::RetryAfterFailure { exit }, spent_retry: true }
        }
        Some(reason) => Outcome::End(WorkloadState::Failed, reason),
    }
}

/// What the lease held, as it is billed.
fn held(draft: &Draft<'_>, lease: &Lease, factory_fault: bool) -> HeldAttempt {
    let model = |node, index: u16| {
        let spec = draft.node(node).map(|node| &node.spec);
        let accelerator = spec.and_then(|spec| spec.accelerators.get(usize::from(index)));
        accelerator.map_or_else(|| "unknown".to_owned(), |accelerator| accelerator.model.clone())
    };
    let tasks = lease.placement.iter().zip(&lease.tasks).map(|(part, task)| HeldTask {
        cpu: part.cpu,
        memory: part.memory,
        accelerators: part.accelerators.iter().map(|one| (model(part.node, one.index), one.share)).collect(),
        pretended: draft.node(part.node).is_some_and(|node| node.spec.pretended),
        started_at: task.state.started_at(),
        ended_at: heard_until(draft, part.node, task).unwrap_or_else(|| ended_at(&task.state, draft.now())),
        usage: task.usage,
    });
    HeldAttempt { granted_at: lease.granted_at, factory_fault, tasks: tasks.collect() }
}

/// When a task that was given up with its node was last heard of, about: nobody pays for the silence of a node.
fn heard_until(draft: &Draft<'_>, node: NodeId, task: &Task) -> Option<Time> {
    let TaskState::Abandoned { started_at, at } = task.state else { return None };
    let silent = draft.node(node).and_then(|node| node.lost.as_ref()).map(|lost| lost.since);
    let grace = draft.settings().timing.lost_node_grace;
    let since = silent.filter(|since| *since <= at).unwrap_or(Time(at.0.saturating_sub_unsigned(grace.0)));
    Some(since.max(started_at.unwrap_or(since)))
}

fn ended_at(state: &TaskState, now: Time) -> Time {
    match state {
        TaskState::Exited { at, .. } | TaskState::Abandoned { at, .. } => *at,
        _ => now,
    }
}

/// Ends a workload and, one after the other, every workload that waited for the success of one that did not succeed.
pub(super) fn end(draft: &mut Draft<'_>, workload: WorkloadId, state: WorkloadState, reason: Reason) {
    let mut ends = vec![(workload, state, reason)];
    while let Some((workload, state, reason)) = ends.pop() {
        if draft.workload(workload).is_none() {
            continue;
        }
        // Looked up before the end, which takes the workload out of the index of dependants.
        let hopeless = if state == WorkloadState::Finished { Vec::new() } else { hopeless(draft, workload) };
        draft.emit(Event::WorkloadEnded { workload, state, reason });
        for dependant in hopeless.into_iter().rev() {
            ends.push((dependant, WorkloadState::Failed, Reason::DependencyFailed { workload }));
        }
    }
}

/// Live workloads whose `after_ok` names this one, or the array that it is of.
fn hopeless(draft: &Draft<'_>, on: WorkloadId) -> Vec<WorkloadId> {
    let names = |workload: &&Arc<Workload>| workload.spec.after_ok.iter().any(|id| *id == on || *id == on.list());
    let lists = draft.index.dependants.get(&on).into_iter().flatten();
    lists.flat_map(|list| draft.members(*list)).filter(names).map(|workload| workload.id).collect()
}
