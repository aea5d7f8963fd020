//! The state as it is written into a snapshot.
//!
//! What: the records alone, members of an array grouped under the specification they share. Why apart from `State`: the
//! form on disk must stay readable while the form in memory changes. Absent: derived indexes.

use crate::index::Index;
use crate::tenancy::Average;
use crate::tenancy::used::Account;
use crate::{AbandonedTask, Attempt, Learned, Lease, Node, Remembered, State, Workload};
use eaf_model::{
    Ask, LeaseId, Policy, Reason, Settings, TaskKey, Time, Valuation, WorkloadId, WorkloadSpec, WorkloadState,
};
use eaf_sched::{Basis, Mix};
use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a snapshot holds.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Stored {
    step: u64,
    last_time: Time,
    settings: Arc<Settings>,
    nodes: Vec<Arc<Node>>,
    submissions: Vec<Submission>,
    leases: Vec<Arc<Lease>>,
    abandoned: Vec<(TaskKey, Arc<AbandonedTask>)>,
    remembered: Vec<Arc<Remembered>>,
    ended_count: u64,
    #[serde(default, skip_serializing_if = "crate::work::is_zero")]
    turn_count: u64,
    /// What has been asked for, and how often.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    asked: Vec<(Ask, u32)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked_total: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    basis: Option<StoredBasis>,
    #[serde(default, skip_serializing_if = "Learned::is_empty")]
    learned: Learned,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<Arc<Policy>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    averages: Vec<(Account, Average)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    windows_seen: Option<Time>,
}

/// What placement reasons from.
#[derive(Clone, Serialize, Deserialize)]
struct StoredBasis {
    asked: Vec<(Ask, u32)>,
    asked_total: u64,
    valuation: Valuation,
}

/// The live members of one submission.
#[derive(Clone, Serialize, Deserialize)]
struct Submission {
    spec: Arc<WorkloadSpec>,
    by: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Arc<str>>,
    submitted_at: Time,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waits_for: Vec<WorkloadId>,
    members: Vec<Member>,
}

/// What is a live workload's own.
#[derive(Clone, Serialize, Deserialize)]
struct Member {
    id: WorkloadId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    array_index: Option<u16>,
    state: WorkloadState,
    state_since: Time,
    state_reason: Reason,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state_deadline: Option<Time>,
    version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<Time>,
    #[serde(default)]
    retries_spent: u32,
    #[serde(default)]
    losses: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    aged: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    turn: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    turn_between: Option<u64>,
    #[serde(default, skip_serializing_if = "crate::work::is_zero")]
    level: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lease: Option<LeaseId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<Attempt>,
}

impl From<State> for Stored {
    fn from(state: State) -> Self {
        let mut submissions: Vec<Submission> = Vec::new();
        let mut last_list = None;
        for workload in state.workloads.values() {
            let list = workload.id.list();
            if last_list != Some(list) {
                last_list = Some(list);
                submissions.push(Submission {
                    spec: Arc::clone(&workload.spec),
                    by: Arc::clone(&workload.by),
                    key: workload.key.clone(),
                    submitted_at: workload.submitted_at,
                    waits_for: state.waits_for(list).copied().collect(),
                    members: Vec::new(),
                });
            }
            if let Some(submission) = submissions.last_mut() {
                submission.members.push(member(workload));
            }
        }
        Self {
            step: state.step,
            last_time: state.last_time,
            settings: state.settings,
            nodes: state.nodes.values().cloned().collect(),
            submissions,
            leases: state.leases.values().cloned().collect(),
            abandoned: state.abandoned.iter().map(|(key, task)| (*key, Arc::clone(task))).collect(),
            remembered: state.remembered.values().cloned().collect(),
            ended_count: state.ended_count,
            turn_count: state.turn_count,
            asked: asked(&state.mix),
            asked_total: state.basis.is_some().then(|| state.mix.total()),
            basis: state.basis.map(|basis| StoredBasis {
                asked: asked(&basis.mix),
                asked_total: basis.mix.total(),
                valuation: basis.valuation.clone(),
            }),
            learned: state.learned,
            policy: (*state.policy != Policy::default()).then_some(state.policy),
            averages: state.averages.into_iter().collect(),
            windows_seen: (state.windows_seen != Time::default()).then_some(state.windows_seen),
        }
    }
}

fn asked(mix: &Mix) -> Vec<(Ask, u32)> {
    mix.iter().map(|(ask, count)| (ask.clone(), count)).collect()
}

fn member(workload: &Workload) -> Member {
    Member {
        id: workload.id,
        array_index: workload.array_index,
        state: workload.state,
        state_since: workload.state_since,
        state_reason: workload.state_reason.clone(),
        state_deadline: workload.state_deadline,
        version: workload.version,
        not_before: workload.not_before,
        retries_spent: workload.retries_spent,
        losses: workload.losses,
        aged: workload.aged,
        turn: workload.turn,
        turn_between: workload.turn_between,
        level: workload.level,
        lease: workload.lease,
        attempts: workload.attempts.clone(),
    }
}

fn workload(of: &Submission, member: Member) -> Workload {
    Workload {
        id: member.id,
        spec: Arc::clone(&of.spec),
        array_index: member.array_index,
        by: Arc::clone(&of.by),
        key: of.key.clone(),
        submitted_at: of.submitted_at,
        state: member.state,
        state_since: member.state_since,
        state_reason: member.state_reason,
        state_deadline: member.state_deadline,
        version: member.version,
        not_before: member.not_before,
        retries_spent: member.retries_spent,
        losses: member.losses,
        aged: member.aged,
        turn: member.turn,
        turn_between: member.turn_between,
        level: member.level,
        lease: member.lease,
        attempts: member.attempts,
    }
}

impl From<Stored> for State {
    fn from(stored: Stored) -> Self {
        let mut workloads = OrdMap::new();
        let mut waits = OrdMap::new();
        for mut submission in stored.submissions {
            let members = std::mem::take(&mut submission.members);
            if let Some(first) = members.first().filter(|_| !submission.waits_for.is_empty()) {
                waits.insert(first.id.list(), submission.waits_for.iter().copied().collect::<OrdSet<_>>());
            }
            for member in members {
                workloads.insert(member.id, Arc::new(workload(&submission, member)));
            }
        }
        // The oldest remembered end is the one that many ends ago.
        let first_end = stored.ended_count - (stored.remembered.len() as u64).min(stored.ended_count);
        let mut state = Self {
            step: stored.step,
            last_time: stored.last_time,
            settings: stored.settings,
            nodes: stored.nodes.into_iter().map(|node| (node.id, node)).collect(),
            workloads,
            leases: stored.leases.into_iter().map(|lease| (lease.id, lease)).collect(),
            waits,
            abandoned: stored.abandoned.into_iter().collect(),
            remembered: (first_end..).zip(stored.remembered).collect(),
            ended_count: stored.ended_count,
            turn_count: stored.turn_count,
            mix: Mix::restored(stored.asked, stored.asked_total.unwrap_or(0)),
            basis: stored.basis.map(|basis| {
                let mix = Mix::restored(basis.asked, basis.asked_total);
                Arc::new(Basis { mix, valuation: basis.valuation })
            }),
            learned: stored.learned,
            policy: stored.policy.unwrap_or_default(),
            averages: stored.averages.into_iter().collect(),
            windows_seen: stored.windows_seen.unwrap_or_default(),
            index: Index::default(),
        };
        state.index = Index::build(&state);
        state
    }
}
