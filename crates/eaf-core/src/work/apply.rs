//! What becomes of work by each event.
//!
//! What: the records of workloads, leases and tasks, and the indexes that follow from them. Why `change_*` takes a
//! record out of every index and puts it back in: then no arm can forget one. Absent: refusals and choices.

use super::plan::asked;
use super::service;
use crate::index::shape;
use crate::tenancy::used;
use crate::{AbandonedTask, Attempt, Lease, Remembered, State, Stopping, Task, TaskState, Workload};
use eaf_model::{
    Bill, Checkpoint, Event, Exit, LeaseId, Placement, Reason, TaskKey, Time, Usage, Valuation, WorkloadId,
    WorkloadSpec, WorkloadState,
};
use eaf_sched::Basis;
use imbl::OrdSet;
use std::sync::Arc;

pub(crate) fn apply(state: &mut State, at: Time, event: &Event) {
    settle_account(state, at, event);
    match event {
        Event::WorkloadSubmitted { workload, spec, array, waits_for, key, by } => {
            submitted(state, at, *workload, &Submitted { spec, array, waits_for, key: key.as_deref(), by });
        }
        Event::FleetValued { valuation, forget } => valued(state, valuation, *forget),
        Event::LeaseGranted { lease, workload, placement, start_by, keeps_turn } => {
            let turn = keeps_turn.then(|| next_turn(state));
            granted(state, at, (*lease, *workload), placement, *start_by, turn);
        }
        Event::TaskAccepted { key } => accepted(state, at, *key),
        Event::TaskStarted { key, at: started, run_until } => task_started(state, at, *key, *started, *run_until),
        Event::TaskUsed { key, usage } => change_lease(state, key.lease, |lease| task(lease, *key).usage = *usage),
        Event::TaskCheckpointed { key, checkpoint } => checkpointed(state, *key, checkpoint),
        Event::TaskExited { key, at: gone, exit, usage } => task_exited(state, *key, *gone, exit, *usage),
        Event::TaskAbandoned { key, at: since } => abandoned(state, *key, *since),
        Event::AbandonedTaskGone { key, .. } => {
            if let Some(gone) = state.abandoned.remove(key) {
                state.index.fleet.release(&gone.allotment);
                state.index.due.remove(key);
            }
        }
        Event::LeaseStopping { lease, reason, stop_by } => stopping(state, at, *lease, reason, *stop_by),
        Event::LeaseClosed { lease, bill, ran } => {
            closed(state, *lease, bill);
            if let Some(ran) = ran {
                state.learned.learn(ran);
            }
        }
        Event::WorkloadRequeued { workload, reason, not_before, spent_retry } => {
            requeued(state, at, *workload, reason, *not_before, *spent_retry);
        }
        Event::WorkloadEligible { workload } => {
            let start_by = start_by(state, *workload);
            change_workload(state, *workload, |record| {
                record.not_before = None;
                enter(record, at, WorkloadState::Queued, Reason::WaitingForCapacity, start_by);
            });
        }
        Event::WorkloadPromised { workload, .. } => {
            let turn = next_turn(state);
            change_workload(state, *workload, |record| {
                record.turn.get_or_insert(turn);
                record.turn_between = Some(turn);
                record.version += 1;
            });
        }
        Event::WorkloadPassed { workload } => change_workload(state, *workload, |record| {
            record.turn_between = None;
            record.version += 1;
        }),
        Event::WorkloadAged { workload } => change_workload(state, *workload, |record| {
            record.aged = true;
            record.version += 1;
        }),
        Event::ServiceLevelReached { workload, level } => level_reached(state, *workload, *level),
        Event::LeaseEvictable { lease } => change_lease(state, *lease, |lease| lease.evictable = true),
        Event::WorkloadPreempted { workload, by } => preempted(state, at, *workload, *by),
        _ => unreachable!("{} is not an event of work", event.kind()),
    }
}

/// Where what a project holds changes, what it held so far is counted first.
fn settle_account(state: &mut State, at: Time, event: &Event) {
    if !state.policy.has_shares() {
        return;
    }
    match event {
        Event::LeaseGranted { workload, .. } => {
            if let Some(account) = state.workload(*workload).map(|workload| used::account(state, &workload.spec)) {
                used::settle(state, at, account);
            }
        }
        Event::TaskExited { key, .. } | Event::TaskAbandoned { key, .. } => used::settle_lease(state, at, key.lease),
        Event::LeaseStopping { lease, .. } | Event::LeaseClosed { lease, .. } => used::settle_lease(state, at, *lease),
        _ => {}
    }
}

/// Counting begins with the first valuation, and with what waits then: history from before there was one stays as it was.
fn valued(state: &mut State, valuation: &Valuation, forget: bool) {
    state.mix = asked(state);
    if forget {
        state.mix.forget();
    }
    state.basis = Some(Arc::new(Basis { mix: state.mix.clone(), valuation: valuation.clone() }));
}

struct Submitted<'a> {
    spec: &'a Arc<WorkloadSpec>,
    array: &'a [u16],
    waits_for: &'a [WorkloadId],
    key: Option<&'a str>,
    by: &'a str,
}

fn submitted(state: &mut State, at: Time, list: WorkloadId, what: &Submitted<'_>) {
    let pending = u32::try_from(what.waits_for.len()).unwrap_or(u32::MAX);
    let reason = match pending {
        0 => Reason::WaitingForCapacity,
        pending => Reason::WaitingForDependencies { pending },
    };
    let (by, key): (Arc<str>, Option<Arc<str>>) = (what.by.into(), what.key.map(Into::into));
    if pending > 0 {
        state.waits.insert(list, what.waits_for.iter().copied().collect::<OrdSet<_>>());
        for on in what.waits_for {
            state.index.add_dependant(*on, list);
        }
    }
    let expires = what.spec.expires_after.map(|span| at.after(span));
    let gives_up = [expires, state.start_by(what.spec)].into_iter().flatten().min();
    let member = |id, array_index| Workload {
        id,
        spec: Arc::clone(what.spec),
        array_index,
        by: Arc::clone(&by),
        key: key.clone(),
        submitted_at: at,
        state: WorkloadState::Queued,
        state_since: at,
        state_reason: reason.clone(),
        state_deadline: gives_up,
        version: 1,
        not_before: None,
        retries_spent: 0,
        losses: 0,
        aged: false,
        turn: None,
        turn_between: None,
        level: 0,
        lease: None,
        attempts: Vec::new(),
    };
    if state.basis.is_some() {
        let members = u32::try_from(what.array.len()).unwrap_or(u32::MAX).max(1);
        let wall = state.wall_time_of(what.spec);
        state.mix.record(&shape(what.spec, wall), members);
    }
    let mut index = std::mem::take(&mut state.index);
    let members =
        (0u16..).zip(what.array).map(|(n, value)| member(WorkloadId::of_member(list.step(), n), Some(*value)));
    let lone = what.array.is_empty().then(|| member(list, None));
    for workload in members.chain(lone) {
        index.add_workload(state, &workload);
        state.workloads.insert(workload.id, Arc::new(workload));
    }
    state.index = index;
}

fn granted(
    state: &mut State,
    at: Time,
    (id, of): (LeaseId, WorkloadId),
    placement: &Placement,
    start_by: Time,
    turn: Option<u64>,
) {
    for allotment in &placement.tasks {
        state.index.fleet.hold(allotment);
    }
    let ordered = || Task { state: TaskState::Ordered, usage: Usage::default(), checkpoint: None };
    let mut attempt = 1;
    change_workload(state, of, |workload| {
        workload.lease = Some(id);
        workload.turn = workload.turn.or(turn);
        workload.turn_between = workload.turn_between.or(turn);
        attempt += u32::try_from(workload.attempts.len()).unwrap_or(u32::MAX - 1);
        enter(workload, at, WorkloadState::Granted, Reason::Placed, Some(start_by));
    });
    let lease = Lease {
        id,
        workload: of,
        attempt,
        placement: placement.tasks.clone().into(),
        tasks: placement.tasks.iter().map(|_| ordered()).collect(),
        granted_at: at,
        start_by,
        run_until: None,
        evictable: false,
        stopping: None,
        whole_checkpoint_at: None,
    };
    let mut index = std::mem::take(&mut state.index);
    index.add_lease(state, &lease);
    state.index = index;
    state.leases.insert(id, Arc::new(lease));
}

fn accepted(state: &mut State, at: Time, key: TaskKey) {
    change_lease(state, key.lease, |lease| task(lease, key).state = TaskState::Accepted);
    show_progress(state, at, key.lease);
}

fn task_started(state: &mut State, at: Time, key: TaskKey, started: Time, run_until: Option<Time>) {
    change_lease(state, key.lease, |lease| {
        task(lease, key).state = TaskState::Started { at: started };
        lease.run_until = run_until.or(lease.run_until);
    });
    show_progress(state, at, key.lease);
}

/// The workload shows how far its lease has come, unless it is being stopped.
fn show_progress(state: &mut State, at: Time, id: LeaseId) {
    let Some(lease) = state.leases.get(&id).filter(|lease| lease.stopping.is_none()).cloned() else {
        return;
    };
    let of = u32::try_from(lease.tasks.len()).unwrap_or(u32::MAX);
    let started = lease.tasks.iter().filter(|task| task.state.started_at().is_some()).count();
    let started = u32::try_from(started).unwrap_or(u32::MAX);
    change_workload(state, lease.workload, |workload| {
        if started == of {
            enter(workload, at, WorkloadState::Running, Reason::TasksStarted, lease.run_until);
        } else {
            let reason = Reason::TasksStarting { started, of };
            enter(workload, at, WorkloadState::Starting, reason, Some(lease.start_by));
        }
    });
}

fn checkpointed(state: &mut State, key: TaskKey, checkpoint: &Checkpoint) {
    change_lease(state, key.lease, |lease| {
        if checkpoint.whole_gang {
            lease.whole_checkpoint_at = lease.whole_checkpoint_at.max(Some(checkpoint.at));
        }
        task(lease, key).checkpoint = Some(checkpoint.clone());
    });
}

fn task_exited(state: &mut State, key: TaskKey, gone: Time, exit: &Exit, usage: Usage) {
    let mut held = None;
    change_lease(state, key.lease, |lease| {
        held = lease.placement.get(key.task as usize).cloned();
        let task = task(lease, key);
        task.state = TaskState::Exited { started_at: task.state.started_at(), at: gone, exit: exit.clone() };
        task.usage = usage;
    });
    if let Some(allotment) = held {
        state.index.fleet.release(&allotment);
    }
}

fn abandoned(state: &mut State, key: TaskKey, since: Time) {
    let mut given_up = None;
    let of = state.leases.get(&key.lease).and_then(|lease| state.workloads.get(&lease.workload));
    let own = of.and_then(|workload| workload.spec.stop_grace).unwrap_or(state.settings.timing.stop_grace_default);
    change_lease(state, key.lease, |lease| {
        let grace = lease.stopping.as_ref().map_or(own, |stopping| stopping.grace);
        let allotment = lease.placement.get(key.task as usize).cloned();
        given_up = allotment.map(|allotment| AbandonedTask { allotment, since, grace });
        let task = task(lease, key);
        task.state = TaskState::Abandoned { started_at: task.state.started_at(), at: since };
    });
    if let Some(task) = given_up {
        let mut index = std::mem::take(&mut state.index);
        index.add_abandoned(state, key, &task);
        state.index = index;
        state.abandoned.insert(key, Arc::new(task));
    }
}

fn stopping(state: &mut State, at: Time, id: LeaseId, reason: &Reason, stop_by: Time) {
    let default = state.settings.timing.stop_grace_default;
    let Some(lease) = state.leases.get(&id) else { return };
    let of = lease.workload;
    let grace = state.workloads.get(&of).and_then(|workload| workload.spec.stop_grace).unwrap_or(default);
    change_lease(state, id, |lease| {
        lease.stopping = Some(Stopping { reason: reason.clone(), since: at, grace, stop_by });
    });
    change_workload(state, of, |workload| {
        enter(workload, at, WorkloadState::Stopping, reason.clone(), Some(stop_by));
    });
}

fn closed(state: &mut State, id: LeaseId, bill: &Bill) {
    let Some(lease) = state.leases.get(&id).cloned() else {
        return;
    };
    let mut index = std::mem::take(&mut state.index);
    index.remove_lease(state, &lease);
    state.index = index;
    state.leases.remove(&id);
    let attempt = Attempt {
        lease: id,
        nodes: lease.placement.iter().map(|allotment| allotment.node).collect(),
        exits: lease.tasks.iter().map(|task| exit_of(&task.state)).collect(),
        checkpointed_at: lease.checkpointed_at(),
        bill: bill.clone(),
    };
    let queue = state.settings.queue.clone();
    change_workload(state, lease.workload, |workload| {
        workload.lease = None;
        workload.attempts.push(attempt);
        if service::has_levels(&queue, &workload.spec) {
            // By the clock of its node an attempt may have had less than was reckoned while it ran. Brought back a level, it
            // would go ahead of those for whom it made room.
            workload.level = service::level_of(&queue, service::attained(workload)).max(workload.level);
        }
    });
}

/// The place of its lease among those that may be stopped follows the level.
fn level_reached(state: &mut State, id: WorkloadId, level: u8) {
    let lease = state.workloads.get(&id).and_then(|workload| workload.lease);
    let lease = lease.and_then(|lease| state.leases.get(&lease)).cloned();
    let mut index = std::mem::take(&mut state.index);
    if let Some(lease) = &lease {
        index.remove_lease(state, lease);
    }
    state.index = index;
    change_workload(state, id, |workload| {
        workload.level = level;
        workload.version += 1;
    });
    let mut index = std::mem::take(&mut state.index);
    if let Some(lease) = &lease {
        index.add_lease(state, lease);
    }
    state.index = index;
}

/// How a task of a closed lease ended; one that was given up with its node counts as lost.
pub(crate) fn exit_of(state: &TaskState) -> Exit {
    match state {
        TaskState::Exited { exit, .. } => exit.clone(),
        _ => Exit::Lost("its node was lost".to_owned()),
    }
}

/// When a workload must start to end by its deadline.
fn start_by(state: &State, id: WorkloadId) -> Option<Time> {
    state.workloads.get(&id).and_then(|workload| state.start_by(&workload.spec))
}

fn requeued(state: &mut State, at: Time, id: WorkloadId, reason: &Reason, not_before: Time, spent_retry: bool) {
    change_workload(state, id, |workload| {
        workload.not_before = Some(not_before);
        workload.retries_spent += u32::from(spent_retry);
        workload.losses += u32::from(!spent_retry);
        if spent_retry {
            (workload.turn, workload.turn_between) = (None, None);
        }
        enter(workload, at, WorkloadState::Queued, reason.clone(), Some(not_before));
    });
}

fn preempted(state: &mut State, at: Time, id: WorkloadId, by: WorkloadId) {
    let start_by = start_by(state, id);
    change_workload(state, id, |workload| {
        // It would take back what it gave to another project, or its project would have one turn twice.
        workload.turn_between = None;
        enter(workload, at, WorkloadState::Queued, Reason::WaitingAfterPreemption { by }, start_by);
    });
}

/// The workload leaves memory; those that wait for it wait for one less.
pub(crate) fn ended(state: &mut State, at: Time, id: WorkloadId, end: WorkloadState, reason: &Reason) -> Arc<Workload> {
    let mut workload = state.workloads.get(&id).cloned().expect("only a live workload ends");
    let mut index = std::mem::take(&mut state.index);
    index.remove_workload(state, &workload);
    state.workloads.remove(&id);
    index.add_key(workload.key.as_ref(), id);
    index.ended.insert(id, end);
    state.index = index;
    enter(Arc::make_mut(&mut workload), at, end, reason.clone(), None);
    let remembered = Remembered { id, state: end, key: workload.key.clone() };
    state.remembered.insert(state.ended_count, Arc::new(remembered));
    state.ended_count += 1;
    forget_surplus(state);
    if state.members(id.list()).next().is_none() {
        stop_waiting(state, id.list());
    }
    release_dependants(state, at, id);
    workload
}

/// Memory remembers a bounded number of ends.
pub(crate) fn forget_surplus(state: &mut State) {
    while state.remembered.len() as u64 > u64::from(state.settings.limits.remembered_max) {
        let Some(oldest) = state.remembered.get_min().map(|(order, _)| *order) else {
            return;
        };
        if let Some(gone) = state.remembered.remove(&oldest) {
            state.index.ended.remove(&gone.id);
            state.index.remove_key(gone.key.as_ref());
        }
    }
}

/// Nobody of this submission is left to wait.
fn stop_waiting(state: &mut State, list: WorkloadId) {
    for on in state.waits.remove(&list).into_iter().flatten() {
        state.index.remove_dependant(on, list);
    }
}

fn release_dependants(state: &mut State, at: Time, on: WorkloadId) {
    let Some(lists) = state.index.dependants.get(&on).cloned() else {
        return;
    };
    for list in lists {
        state.index.remove_dependant(on, list);
        let members: Vec<WorkloadId> = state.members(list).map(|workload| workload.id).collect();
        let mut index = std::mem::take(&mut state.index);
        for id in &members {
            index.remove_workload(state, &state.workloads[id]);
        }
        let mut pending = 0;
        if let Some(waits) = state.waits.get_mut(&list) {
            waits.remove(&on);
            pending = u32::try_from(waits.len()).unwrap_or(u32::MAX);
            if pending == 0 {
                state.waits.remove(&list);
            }
        }
        for id in &members {
            let record = Arc::make_mut(state.workloads.get_mut(id).expect("a member that was just read"));
            if record.state == WorkloadState::Queued {
                let reason = match pending {
                    0 => Reason::WaitingForCapacity,
                    pending => Reason::WaitingForDependencies { pending },
                };
                let deadline = record.state_deadline;
                enter(record, at, WorkloadState::Queued, reason, deadline);
            }
            index.add_workload(state, &state.workloads[id]);
        }
        state.index = index;
    }
}

/// Sets state, reason and deadline; `state_since` moves only when the state does.
fn enter(workload: &mut Workload, at: Time, into: WorkloadState, reason: Reason, deadline: Option<Time>) {
    if workload.state != into {
        workload.state_since = at;
    }
    workload.state = into;
    workload.state_reason = reason;
    workload.state_deadline = deadline.filter(|deadline| *deadline != Time::NEVER);
    workload.version += 1;
}

fn task(lease: &mut Lease, key: TaskKey) -> &mut Task {
    lease.tasks.get_mut(key.task as usize).expect("an event names a task of its lease")
}

/// The turn of whoever has it now.
const fn next_turn(state: &mut State) -> u64 {
    state.turn_count += 1;
    state.turn_count
}

/// Takes a workload out of the indexes, changes it, and puts it back in.
fn change_workload(state: &mut State, id: WorkloadId, how: impl FnOnce(&mut Workload)) {
    let mut index = std::mem::take(&mut state.index);
    let mut workload = state.workloads.get(&id).cloned().expect("an event names a live workload");
    index.remove_workload(state, &workload);
    state.workloads.remove(&id);
    how(Arc::make_mut(&mut workload));
    index.add_workload(state, &workload);
    state.workloads.insert(id, workload);
    state.index = index;
}

/// Takes a lease out of the indexes, changes it, and puts it back in.
fn change_lease(state: &mut State, id: LeaseId, how: impl FnOnce(&mut Lease)) {
    let mut index = std::mem::take(&mut state.index);
    let mut lease = state.leases.get(&id).cloned().expect("an event names a live lease");
    index.remove_lease(state, &lease);
    state.leases.remove(&id);
    how(Arc::make_mut(&mut lease));
    index.add_lease(state, &lease);
    state.leases.insert(id, lease);
    state.index = index;
}
