//! Attained service: how much accelerator time a workload has had, and the level that this puts it in.
//!
//! What: thousandths of accelerators times milliseconds, over the attempts that are over and the lease that runs; levels
//! grow geometrically (Gu and others, "Tiresias", NSDI 2019, with more than two of them). Why derived: bills say it
//! already. Absent: who goes first by it; that is the scheduler's.

use crate::{Attempt, Lease, State, Workload};
use eaf_model::{AcceleratorMs, Order, Preempted, QueueSettings, Reason, Time, WorkloadSpec};

/// The highest level.
const LEVEL_MAX: u8 = 63;

/// Accelerators that so many tasks of a workload hold, in thousandths.
pub(crate) fn milli(spec: &WorkloadSpec, tasks: usize) -> u64 {
    let wanted = &spec.task.accelerators;
    (tasks as u64).saturating_mul(u64::from(wanted.count)).saturating_mul(wanted.share.0)
}

/// True where a workload asks for accelerators.
fn asks(spec: &WorkloadSpec) -> bool {
    milli(spec, 1) > 0
}

/// What attempts that are over have had.
pub(crate) fn attained(workload: &Workload) -> u128 {
    let had = |attempt: &Attempt| {
        let ran = attempt.bill.started_at.map_or(0, |from| u128::from(attempt.bill.ended_at.since(from).0));
        ran * u128::from(milli(&workload.spec, attempt.nodes.len()))
    };
    workload.attempts.iter().map(had).sum()
}

/// The service at which a level ends; `None` for the highest.
fn end_of(queue: &QueueSettings, level: u8) -> Option<u128> {
    let ratio = u128::from(queue.level_ratio.max(2));
    let first = u128::from(queue.level_service.0) * 1_000;
    (level < LEVEL_MAX).then(|| (0..level).fold(first, |end, _| end.saturating_mul(ratio)))
}

/// The level of so much service.
pub(crate) fn level_of(queue: &QueueSettings, attained: u128) -> u8 {
    (0..LEVEL_MAX).find(|level| end_of(queue, *level).is_some_and(|end| attained < end)).unwrap_or(LEVEL_MAX)
}

/// True where the order looks at the levels of a workload.
pub(crate) fn has_levels(queue: &QueueSettings, spec: &WorkloadSpec) -> bool {
    match queue.order {
        Order::Las => asks(spec),
        // To stop what loses its progress because it has had much would throw away the more the longer it ran.
        Order::Priority => spec.preemptible && spec.keeps_progress && asks(spec),
        Order::Fifo | Order::Sjf => false,
    }
}

/// The level by which a workload is ordered.
pub(crate) fn level(state: &State, workload: &Workload) -> u8 {
    if has_levels(&state.settings.queue, &workload.spec) { workload.level } else { 0 }
}

/// When a lease brings its workload to the next level, if it ever does.
pub(crate) fn next_level_at(state: &State, lease: &Lease, workload: &Workload) -> Option<Time> {
    let queue = &state.settings.queue;
    let started = lease.started_at().filter(|_| has_levels(queue, &workload.spec))?;
    let wanted = end_of(queue, workload.level)?.saturating_sub(attained(workload));
    let ms = wanted.div_ceil(u128::from(milli(&workload.spec, lease.placement.len())));
    Some(started.after(eaf_model::Span(u64::try_from(ms).unwrap_or(u64::MAX)))).filter(|at| *at < Time::NEVER)
}

/// The level that a running workload has reached.
pub(crate) fn level_at(state: &State, lease: &Lease, workload: &Workload, now: Time) -> u8 {
    let ran = lease.started_at().map_or(0, |from| u128::from(now.since(from).0));
    level_of(&state.settings.queue, attained(workload) + ran * u128::from(milli(&workload.spec, lease.placement.len())))
}

/// How often a workload was stopped for others.
pub(crate) fn preemptions(workload: &Workload) -> usize {
    workload.attempts.iter().filter(|attempt| attempt.bill.preempted.is_some()).count()
}

/// True where a workload may be stopped for others: it says so, or the policy says so of its project.
pub(crate) fn is_preemptible(state: &State, spec: &WorkloadSpec) -> bool {
    spec.preemptible || state.policy.is_spot(&spec.project)
}

/// True where a lease is of a workload that may be stopped for others once it has run long enough: it says so, or shares
/// may ask back what it borrowed.
pub(crate) fn may_be_preempted(state: &State, lease: &Lease, workload: &Workload) -> bool {
    let max = state.settings.limits.preemptions_max as usize;
    let may_ever = is_preemptible(state, &workload.spec) || (state.policy.has_shares() && asks(&workload.spec));
    may_ever && !workload.aged && lease.stopping.is_none() && preemptions(workload) < max
}

/// Up to when the progress of a lease that started then is safe: its last checkpoint, or its start.
pub(crate) fn saved_at(lease: &Lease, started: Time) -> Time {
    lease.checkpointed_at().map_or(started, |at| at.max(started))
}

/// What a lease that was stopped for another has lost: all since its last checkpoint, or its start, unless its workload
/// keeps its progress.
pub(crate) fn preempted(lease: &Lease, workload: &Workload, now: Time) -> Option<Preempted> {
    let Some(Reason::Preempted { by }) = lease.stopping.as_ref().map(|stopping| &stopping.reason) else { return None };
    let from = lease.started_at().filter(|_| !workload.spec.keeps_progress);
    let ran = from.map_or(0, |from| u128::from(now.since(saved_at(lease, from)).0));
    let lost = ran * u128::from(milli(&workload.spec, lease.placement.len())) / 1_000;
    Some(Preempted { by: *by, lost: AcceleratorMs(u64::try_from(lost).unwrap_or(u64::MAX)) })
}
