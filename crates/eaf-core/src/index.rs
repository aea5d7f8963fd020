//! Derived indexes of the state: what waits, what is free, what is owed, what is due.
//!
//! What: everything that could be computed from the records and is needed at every step. `apply` takes a record out,
//! changes it, and puts it back in; a fresh build puts every record in once, and the invariants compare the two.
//! Absent: anything that is stored; a load builds all of this again.

use crate::tenancy::used::{self, Holdings};
use crate::work::service::{self, may_be_preempted};
use crate::work::settle::notice;
use crate::{AbandonedTask, Lease, Node, State, TaskState, Workload};
use eaf_model::{Allotment, LeaseId, ModeState, NodeId, Span, TaskKey, Time, WorkloadId, WorkloadState};
use eaf_sched::{Class, Counts, Entry, Evictable, Fleet, Leaving, Queue, Releases, Running, Shape};
use imbl::{OrdMap, OrdSet};
use std::sync::Arc;

/// What time itself will bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deadline {
    /// The wall time of a lease is over.
    WallTime(LeaseId),
    /// A lease did not start in time.
    StartTimeout(LeaseId),
    /// A workload may be tried again.
    Retry(WorkloadId),
    /// A workload did not start in time.
    Expire(WorkloadId),
    /// A workload could not end by its deadline any more.
    TooLate(WorkloadId),
    /// A workload has waited so long that it goes before others.
    Age(WorkloadId),
    /// A lease brings its workload to the next level of attained service.
    Level(LeaseId),
    /// A lease has run long enough to be stopped for others.
    Evictable(LeaseId),
    /// A lost node did not come back in time.
    LostNode(NodeId),
    /// A change of mode on a node was not done in time.
    ModeChange(NodeId),
    /// A window of the policy begins or is over.
    Windows,
}

/// The workloads, live or remembered, that came with one idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeyEntry {
    pub(crate) list: WorkloadId,
    pub(crate) members: u32,
}

/// Every derived index.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Index {
    pub(crate) fleet: Fleet,
    pub(crate) queue: Queue,
    pub(crate) releases: Releases,
    pub(crate) running: Running,
    pub(crate) holdings: Holdings,
    pub(crate) due: OrdSet<TaskKey>,
    pub(crate) deadlines: OrdSet<(Time, Deadline)>,
    pub(crate) names: OrdMap<String, NodeId>,
    pub(crate) counts: OrdMap<WorkloadState, u64>,
    pub(crate) keys: OrdMap<Arc<str>, KeyEntry>,
    pub(crate) ended: OrdMap<WorkloadId, WorkloadState>,
    /// Submissions by what they wait for.
    pub(crate) dependants: OrdMap<WorkloadId, OrdSet<WorkloadId>>,
}

impl Index {
    /// The indexes of these records, built from nothing.
    pub(crate) fn build(state: &State) -> Self {
        let fleet = Fleet::with_book(&state.settings.partitions);
        let queue = Queue::in_order(state.settings.queue.order);
        let mut index = Self { fleet, queue, ..Self::default() };
        for node in state.nodes.values() {
            index.fleet.add(node.id, &node.spec);
            index.fleet.set_state(node.id, node.state());
            if !node.modes.is_empty() {
                index.fleet.set_modes(node.id, node.modes_for_fleet());
            }
            index.names.insert(node.spec.name.clone(), node.id);
            index.add_node(state, node);
        }
        for at in window_bounds(state) {
            index.deadlines.insert((at, Deadline::Windows));
        }
        for workload in state.workloads.values() {
            index.add_workload(state, workload);
        }
        for lease in state.leases.values() {
            for (allotment, task) in lease.placement.iter().zip(&lease.tasks) {
                if !task.state.is_over() {
                    index.fleet.hold(allotment);
                }
            }
            index.add_lease(state, lease);
        }
        for (key, task) in &state.abandoned {
            index.fleet.hold(&task.allotment);
            index.add_abandoned(state, *key, task);
        }
        for remembered in state.remembered.values() {
            index.ended.insert(remembered.id, remembered.state);
            index.add_key(remembered.key.as_ref(), remembered.id);
        }
        for (list, waits) in &state.waits {
            for on in waits {
                index.add_dependant(*on, *list);
            }
        }
        index
    }

    pub(crate) fn add_node(&mut self, state: &State, node: &Node) {
        for deadline in node_deadlines(state, node) {
            self.deadlines.insert(deadline);
        }
    }

    pub(crate) fn remove_node(&mut self, state: &State, node: &Node) {
        for deadline in node_deadlines(state, node) {
            self.deadlines.remove(&deadline);
        }
    }

    pub(crate) fn add_workload(&mut self, state: &State, workload: &Workload) {
        *self.counts.entry(workload.state).or_insert(0) += 1;
        self.add_key(workload.key.as_ref(), workload.id);
        for deadline in workload_deadlines(state, workload) {
            self.deadlines.insert(deadline);
        }
        if is_eligible(state, workload) {
            self.queue.insert(entry(state, workload));
        }
    }

    pub(crate) fn remove_workload(&mut self, state: &State, workload: &Workload) {
        if let Some(count) = self.counts.get_mut(&workload.state) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&workload.state);
            }
        }
        self.remove_key(workload.key.as_ref());
        for deadline in workload_deadlines(state, workload) {
            self.deadlines.remove(&deadline);
        }
        if is_eligible(state, workload) {
            self.queue.remove(&entry(state, workload));
        }
    }

    pub(crate) fn add_lease(&mut self, state: &State, lease: &Lease) {
        let still = still_held(lease);
        if let Some((account, held)) = used::held(state, &self.fleet, lease, &still) {
            self.holdings.add(account, held);
        }
        let workload = state.workloads.get(&lease.workload);
        let counts = if lease.is_preempted() {
            Counts::NoMore
        } else {
            Counts::For(workload.and_then(|workload| project_of(state, &workload.spec)))
        };
        self.releases.insert(release_at(state, lease), lease.id, still, counts);
        for deadline in lease_deadlines(state, lease) {
            self.deadlines.insert(deadline);
        }
        self.add_running(state, lease);
        for key in owed_tasks(lease) {
            self.due.insert(key);
        }
    }

    pub(crate) fn remove_lease(&mut self, state: &State, lease: &Lease) {
        if let Some((account, held)) = used::held(state, &self.fleet, lease, &still_held(lease)) {
            self.holdings.subtract(&account, &held);
        }
        self.releases.remove(release_at(state, lease), lease.id);
        for deadline in lease_deadlines(state, lease) {
            self.deadlines.remove(&deadline);
        }
        self.running.remove(lease.id);
        for key in owed_tasks(lease) {
            self.due.remove(&key);
        }
    }

    /// What may be stopped for others, or was.
    fn add_running(&mut self, state: &State, lease: &Lease) {
        let workload = state.workloads.get(&lease.workload);
        if lease.is_preempted() {
            let project = workload.and_then(|workload| project_of(state, &workload.spec));
            let needs = workload.map_or(1, |workload| workload.spec.tasks_needed());
            self.running.leaves(lease.id, Leaving { project, tasks: still_held(lease), needs });
            return;
        }
        let Some(workload) = workload else { return };
        if let Some(started_at) =
            lease.started_at().filter(|_| lease.evictable && may_be_preempted(state, lease, workload))
        {
            self.running.insert(Evictable {
                lease: lease.id,
                class: Class::of(state.settings.queue.order, workload.spec.priority, service::level(state, workload)),
                project: project_of(state, &workload.spec),
                preemptible: service::is_preemptible(state, &workload.spec),
                tasks: still_held(lease),
                needs: workload.spec.tasks_needed(),
                milli: service::milli(&workload.spec, still_held(lease).len()),
                started_at,
                loses_since: (!workload.spec.keeps_progress).then(|| service::saved_at(lease, started_at)),
                notice: notice(state, Some(&workload.spec)),
                until: release_at(state, lease),
            });
        }
    }

    pub(crate) fn add_abandoned(&mut self, state: &State, key: TaskKey, task: &AbandonedTask) {
        if !is_node_lost(state, task.allotment.node) {
            self.due.insert(key);
        }
    }

    pub(crate) fn add_key(&mut self, key: Option<&Arc<str>>, id: WorkloadId) {
        if let Some(key) = key {
            let fresh = KeyEntry { list: id.list(), members: 0 };
            self.keys.entry(Arc::clone(key)).or_insert(fresh).members += 1;
        }
    }

    pub(crate) fn remove_key(&mut self, key: Option<&Arc<str>>) {
        if let Some(key) = key
            && let Some(entry) = self.keys.get_mut(key)
        {
            entry.members -= 1;
            if entry.members == 0 {
                self.keys.remove(key);
            }
        }
    }

    pub(crate) fn add_dependant(&mut self, on: WorkloadId, list: WorkloadId) {
        self.dependants.entry(on).or_default().insert(list);
    }

    pub(crate) fn remove_dependant(&mut self, on: WorkloadId, list: WorkloadId) {
        if let Some(lists) = self.dependants.get_mut(&on) {
            lists.remove(&list);
            if lists.is_empty() {
                self.dependants.remove(&on);
            }
        }
    }
}

fn is_node_lost(state: &State, node: NodeId) -> bool {
    state.nodes.get(&node).is_none_or(|node| node.lost.is_some())
}

fn node_deadlines(state: &State, node: &Node) -> impl Iterator<Item = (Time, Deadline)> {
    let lost = node.lost.as_ref().filter(|lost| !lost.given_up);
    let grace = state.settings.timing.lost_node_grace;
    let lost = lost.map(|lost| (lost.since.after(grace), Deadline::LostNode(node.id)));
    let changing = node.modes.values().filter(|mode| mode.state == ModeState::Changing);
    let overdue = changing.filter_map(|mode| mode.state_deadline).min();
    lost.into_iter().chain(overdue.map(|at| (at, Deadline::ModeChange(node.id))))
}

fn workload_deadlines(state: &State, workload: &Workload) -> impl Iterator<Item = (Time, Deadline)> {
    let queued = workload.state == WorkloadState::Queued;
    let retry = workload.not_before.filter(|_| queued).map(|at| (at, Deadline::Retry(workload.id)));
    let first = queued && workload.attempts.is_empty();
    let expires = workload.spec.expires_after.filter(|_| first);
    let expire = expires.map(|span| (workload.submitted_at.after(span), Deadline::Expire(workload.id)));
    let late = state.start_by(&workload.spec).filter(|_| queued).map(|at| (at, Deadline::TooLate(workload.id)));
    let head_after = state.settings.queue.head_after;
    let ages = queued && !workload.aged && head_after != Span::ZERO;
    let age = ages.then(|| (workload.submitted_at.after(head_after), Deadline::Age(workload.id)));
    retry.into_iter().chain(expire).chain(late).chain(age)
}

fn is_eligible(state: &State, workload: &Workload) -> bool {
    workload.state == WorkloadState::Queued
        && workload.not_before.is_none()
        && !state.waits.contains_key(&workload.id.list())
}

/// The place of a workload in the queue.
pub(crate) fn entry(state: &State, workload: &Workload) -> Entry {
    let mut shape = shape(&workload.spec, state.wall_time(workload));
    shape.project = project_of(state, &workload.spec);
    let shape = Arc::new(shape);
    let mut entry = Entry::new(workload.id, workload.spec.priority, workload.submitted_at, shape);
    entry.is_aged = workload.aged;
    entry.turn = workload.turn;
    entry.turn_between = workload.turn_between;
    entry.level = service::level(state, workload);
    entry
}

/// Whose a workload is, where that decides anything.
pub(crate) fn project_of(state: &State, spec: &eaf_model::WorkloadSpec) -> Option<Arc<str>> {
    state.policy.knows(&spec.project).then(|| Arc::from(spec.project.as_str()))
}

/// When windows of the policy begin or end that have not yet.
fn window_bounds(state: &State) -> impl Iterator<Item = Time> {
    let bounds = state.policy.windows().flat_map(|window| [window.from, window.until]);
    bounds.filter(|at| *at > state.windows_seen)
}

/// What the planner sees of a request, whoever asks.
pub(crate) fn shape(spec: &eaf_model::WorkloadSpec, wall: Span) -> Shape {
    Shape {
        tasks: spec.tasks_needed(),
        tasks_max: spec.tasks,
        tasks_per_node_max: spec.tasks_per_node_max,
        task: spec.task.clone(),
        wall,
        project: None,
    }
}

/// When what a lease holds is expected back.
fn release_at(state: &State, lease: &Lease) -> Time {
    if let Some(stopping) = &lease.stopping {
        return stopping.stop_by;
    }
    let wall = || state.workloads.get(&lease.workload).map_or(Span::ZERO, |workload| state.wall_time(workload));
    lease.run_until.unwrap_or_else(|| lease.granted_at.after(wall()))
}

/// What a lease has not given back yet; all of it for most leases, most of the time.
fn still_held(lease: &Lease) -> Arc<[Allotment]> {
    if lease.tasks.iter().all(|task| !task.state.is_over()) {
        return Arc::clone(&lease.placement);
    }
    let parts = lease.placement.iter().zip(&lease.tasks);
    parts.filter(|(_, task)| !task.state.is_over()).map(|(part, _)| part.clone()).collect()
}

fn lease_deadlines(state: &State, lease: &Lease) -> impl Iterator<Item = (Time, Deadline)> {
    let end = match (&lease.stopping, lease.run_until) {
        (Some(_), _) => None,
        (None, Some(at)) => Some((at, Deadline::WallTime(lease.id))),
        (None, None) => Some((lease.start_by, Deadline::StartTimeout(lease.id))),
    };
    let workload = state.workloads.get(&lease.workload).filter(|_| lease.stopping.is_none());
    let level = workload.and_then(|workload| service::next_level_at(state, lease, workload));
    // Within the instant of its start it is not; without an event behind that, nobody would ask again.
    let preempt_after = state.settings.queue.preempt_after.max(Span(1));
    let ripens = workload.filter(|workload| !lease.evictable && may_be_preempted(state, lease, workload));
    let ripe = ripens.and_then(|_| lease.started_at()).map(|started| started.after(preempt_after));
    let level = level.map(|at| (at, Deadline::Level(lease.id)));
    end.into_iter().chain(level).chain(ripe.map(|at| (at, Deadline::Evictable(lease.id))))
}

/// The tasks of a lease for which an engine owes something: a start, or a stop.
fn owed_tasks(lease: &Lease) -> impl Iterator<Item = TaskKey> {
    let stopping = lease.stopping.is_some();
    let owed = move |state: &TaskState| match state {
        TaskState::Ordered => true,
        TaskState::Accepted | TaskState::Started { .. } => stopping,
        TaskState::Exited { .. } | TaskState::Abandoned { .. } => false,
    };
    let ranks = lease.tasks.iter().zip(0u32..).filter(move |(task, _)| owed(&task.state));
    ranks.map(|(_, task)| TaskKey { lease: lease.id, task })
}
