//! The state of the factory: everything that is alive.
//!
//! What: nodes, workloads, leases, and the indexes derived from them. Every map is persistent, so that a snapshot for
//! readers or for planning is a clone that shares structure. Absent: what has ended; that is history, kept by the store.

use crate::index::Index;
use crate::stored::Stored;
use crate::tenancy::Average;
use crate::tenancy::used::Account;
use crate::{AbandonedTask, Learned, Lease, Node, Remembered, Workload};
use eaf_model::{LeaseId, NodeId, Policy, Settings, TaskKey, Time, WorkloadId, WorkloadState};
use eaf_sched::{Basis, Fleet, Mix, Queue};
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Everything that is alive. `clone` takes constant time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct State {
    pub(crate) step: u64,
    pub(crate) last_time: Time,
    pub(crate) settings: Arc<Settings>,
    pub(crate) nodes: OrdMap<NodeId, Arc<Node>>,
    pub(crate) workloads: OrdMap<WorkloadId, Arc<Workload>>,
    pub(crate) leases: OrdMap<LeaseId, Arc<Lease>>,
    /// By submission (the id of a workload, or of an array as a whole): what it still waits for.
    pub(crate) waits: OrdMap<WorkloadId, OrdSet<WorkloadId>>,
    pub(crate) abandoned: OrdMap<TaskKey, Arc<AbandonedTask>>,
    /// Ended workloads by the order of their ends.
    pub(crate) remembered: OrdMap<u64, Arc<Remembered>>,
    /// How many have ended so far: the order of the next end.
    pub(crate) ended_count: u64,
    /// How many have had their turn so far: the turn of the next.
    pub(crate) turn_count: u64,
    /// What has been asked for, counted.
    pub(crate) mix: Mix,
    /// What placement reasons from, once something was asked for.
    pub(crate) basis: Option<Arc<Basis>>,
    pub(crate) learned: Learned,
    pub(crate) policy: Arc<Policy>,
    /// What accounts held on the average of the time that counts.
    pub(crate) averages: OrdMap<Account, Average>,
    /// Up to when windows have begun and ended.
    pub(crate) windows_seen: Time,
    pub(crate) index: Index,
}

impl State {
    /// An empty factory with default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of the last step; 0 before the first.
    pub fn step_number(&self) -> u64 {
        self.step
    }

    /// The instant of the last step.
    pub fn last_time(&self) -> Time {
        self.last_time
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// A live workload.
    pub fn workload(&self, id: WorkloadId) -> Option<&Arc<Workload>> {
        self.workloads.get(&id)
    }

    /// Live workloads by id.
    pub fn workloads(&self) -> impl DoubleEndedIterator<Item = &Arc<Workload>> {
        self.workloads.iter().map(|(_, workload)| workload)
    }

    /// Live workloads with an id below this one, by id: what a list goes on with behind its cursor.
    pub fn workloads_below(&self, id: WorkloadId) -> impl DoubleEndedIterator<Item = &Arc<Workload>> {
        self.workloads.range(..id).map(|(_, workload)| workload)
    }

    /// Live members of an array, or the one workload of that id.
    pub fn members(&self, list: WorkloadId) -> impl DoubleEndedIterator<Item = &Arc<Workload>> {
        let last = WorkloadId::of_member(list.step(), eaf_model::MEMBER_MAX);
        let first = if list.member().is_some() { list } else { list.list() };
        let last = if list.member().is_some() { list } else { last };
        self.workloads.range(first..=last).map(|(_, workload)| workload)
    }

    /// A live lease.
    pub fn lease(&self, id: LeaseId) -> Option<&Arc<Lease>> {
        self.leases.get(&id)
    }

    /// Live leases by id.
    pub fn leases(&self) -> impl DoubleEndedIterator<Item = &Arc<Lease>> {
        self.leases.iter().map(|(_, lease)| lease)
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> Option<&Arc<Node>> {
        self.nodes.get(&id)
    }

    /// Nodes by id.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = (&NodeId, &Arc<Node>)> {
        self.nodes.iter()
    }

    /// The accelerators of a node that would change together with this one, for this mode.
    pub fn boards_together(&self, node: &Node, accelerator: u16, to: &str) -> Vec<u16> {
        let together = self.index.fleet.get(node.id).map(|node| node.together(usize::from(accelerator), to));
        let small = |index: usize| u16::try_from(index).unwrap_or(u16::MAX);
        together.map_or_else(|| vec![accelerator], |together| together.into_iter().map(small).collect())
    }

    /// The node of this name.
    pub fn node_named(&self, name: &str) -> Option<&Arc<Node>> {
        self.index.names.get(name).and_then(|id| self.nodes.get(id))
    }

    /// Tasks that were given up with their nodes and are not known to be gone.
    pub fn abandoned(&self) -> impl DoubleEndedIterator<Item = (&TaskKey, &Arc<AbandonedTask>)> {
        self.abandoned.iter()
    }

    /// What a workload (or each member of an array) still waits for.
    pub fn waits_for(&self, id: WorkloadId) -> impl DoubleEndedIterator<Item = &WorkloadId> {
        self.waits.get(&id.list()).into_iter().flat_map(|set| set.iter())
    }

    /// The workload or array that came with this idempotency key, if it is live or has just ended.
    pub fn remembered_by_key(&self, key: &str) -> Option<WorkloadId> {
        self.index.keys.get(key).map(|entry| entry.list)
    }

    /// How a workload ended, if it ended lately.
    pub fn remembered(&self, id: WorkloadId) -> Option<WorkloadState> {
        self.index.ended.get(&id).copied()
    }

    /// True where some workload has ended so long ago that only the history knows it and its key.
    pub fn has_forgotten(&self) -> bool {
        self.ended_count > self.remembered.len() as u64
    }

    /// How far the wall times that were asked for overstate how long work runs.
    pub fn learned(&self) -> &Learned {
        &self.learned
    }

    /// How many live workloads are in a state.
    pub fn count(&self, state: WorkloadState) -> u64 {
        self.index.counts.get(&state).copied().unwrap_or(0)
    }

    /// How many workloads are live.
    pub fn live(&self) -> u64 {
        self.workloads.len() as u64
    }

    /// Free capacity by node.
    pub fn fleet(&self) -> &Fleet {
        &self.index.fleet
    }

    /// What waits for capacity.
    pub fn queue(&self) -> &Queue {
        &self.index.queue
    }

    /// The wall time that a workload may run, its own or the default.
    pub(crate) fn wall_time(&self, workload: &Workload) -> eaf_model::Span {
        self.wall_time_of(&workload.spec)
    }

    pub(crate) fn wall_time_of(&self, spec: &eaf_model::WorkloadSpec) -> eaf_model::Span {
        spec.wall_time.unwrap_or(self.settings.timing.wall_time_default)
    }

    /// When a workload must start to end by its deadline.
    pub(crate) fn start_by(&self, spec: &eaf_model::WorkloadSpec) -> Option<Time> {
        spec.deadline.map(|deadline| deadline.before(self.wall_time_of(spec)))
    }
}
