//! Invariants: what must hold after every step.
//!
//! What: one function a rule, over records alone, and a comparison of the maintained indexes with a fresh build. Run
//! after every step in debug builds, tests, seed search and `eaf verify`. Absent: repair; a broken invariant stops.

use crate::index::Index;
use crate::{Lease, State, TaskState};
use eaf_model::{Exit, ModeState, NodeId, WHOLE_MODE, WorkloadState};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule's name.
    pub rule: &'static str,
    /// What breaks it.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the rule {:?} does not hold: {}", self.rule, self.what)
    }
}

impl std::error::Error for Violation {}

type Checked = Result<(), Violation>;

fn broken(rule: &'static str, what: impl fmt::Display) -> Checked {
    Err(Violation { rule, what: what.to_string() })
}

/// Every rule, in order; the first that does not hold.
pub fn check_invariants(state: &State) -> Result<(), Violation> {
    nothing_is_held_twice(state)?;
    modes_hold_what_is_of_them(state)?;
    leases_and_workloads_agree(state)?;
    gangs_are_whole(state)?;
    who_waits_has_a_reason(state)?;
    nothing_is_charged_before_its_start(state)?;
    memory_holds_only_what_is_alive(state)?;
    what_was_learned_is_bounded(state)?;
    checkpoints_lie_within_their_attempt(state)?;
    indexes_are_as_if_built_afresh(state)
}

/// No accelerator is ever held by two leases beyond a whole, and no node gives more than it has.
fn nothing_is_held_twice(state: &State) -> Checked {
    const RULE: &str = "nothing is held twice";
    let mut accelerators: BTreeMap<(NodeId, u16), u64> = BTreeMap::new();
    let mut nodes: BTreeMap<NodeId, (u64, u64)> = BTreeMap::new();
    let of_lease = |lease: &Lease| {
        let parts = lease.placement.iter().zip(&lease.tasks);
        parts.filter(|(_, task)| !task.state.is_over()).map(|(part, _)| part.clone()).collect::<Vec<_>>()
    };
    let live = state.leases().flat_map(|lease| of_lease(lease));
    let abandoned = state.abandoned().map(|(_, task)| task.allotment.clone());
    for part in live.chain(abandoned) {
        let sums = nodes.entry(part.node).or_default();
        sums.0 += part.cpu.0;
        sums.1 += part.memory.0;
        for one in part.accelerators.iter().filter(|one| one.slice.is_none()) {
            *accelerators.entry((part.node, one.index)).or_default() += one.share.0;
        }
    }
    for ((node, index), share) in accelerators {
        let there = state.node(node).is_some_and(|node| usize::from(index) < node.spec.accelerators.len());
        if share > 1_000 || !there {
            return broken(RULE, format_args!("{share} thousandths of accelerator {index} of {node} are held"));
        }
    }
    for (node, (cpu, memory)) in nodes {
        let Some(record) = state.node(node) else {
            return broken(RULE, format_args!("{node} is gone and held"));
        };
        if cpu > record.spec.cpu.0 || memory > record.spec.memory.0 {
            return broken(RULE, format_args!("{cpu} thousandths of a thread and {memory} bytes of {node} are held"));
        }
    }
    Ok(())
}

/// No place of an accelerator is held twice, and whatever is held of one is of the mode that it is in: no mode changes
/// under a tenant. What changes its mode is empty.
fn modes_hold_what_is_of_them(state: &State) -> Checked {
    const RULE: &str = "no mode changes under a tenant";
    let mut places: BTreeSet<(NodeId, u16, u8)> = BTreeSet::new();
    let open = |lease: &Arc<Lease>| {
        let parts = lease.placement.iter().zip(&lease.tasks).filter(|(_, task)| !task.state.is_over());
        parts.map(|(part, _)| part.clone()).collect::<Vec<_>>()
    };
    let abandoned = state.abandoned().map(|(_, task)| task.allotment.clone());
    for part in state.leases().flat_map(open).chain(abandoned) {
        let Some(node) = state.node(part.node) else { continue };
        for held in &part.accelerators {
            let (mode, step) = node.mode(held.index);
            let of = held.slice.as_ref().map_or(WHOLE_MODE, |slice| slice.mode.as_str());
            if of != mode || step == ModeState::Changing {
                let what = format_args!("{of} of accelerator {} of {} is held in {mode}", held.index, part.node);
                return broken(RULE, format_args!("{what}, {step:?}"));
            }
            let Some(slice) = &held.slice else { continue };
            for place in slice.start..slice.start.saturating_add(slice.slots) {
                if !places.insert((part.node, held.index, place)) {
                    let what = format_args!("place {place} of accelerator {} of {}", held.index, part.node);
                    return broken("no slice is held twice", what);
                }
            }
        }
    }
    Ok(())
}

/// A lease names a live workload that names it back, and a workload holds a lease exactly in the states that say so.
fn leases_and_workloads_agree(state: &State) -> Checked {
    const RULE: &str = "leases and workloads agree";
    for lease in state.leases() {
        if state.workload(lease.workload).is_none_or(|workload| workload.lease != Some(lease.id)) {
            return broken(RULE, format_args!("{} is of {}, which does not hold it", lease.id, lease.workload));
        }
    }
    for workload in state.workloads() {
        let holds = !matches!(workload.state, WorkloadState::Queued);
        let lease = workload.lease.and_then(|lease| state.lease(lease));
        if holds != lease.is_some() || workload.lease.is_some() != lease.is_some() {
            return broken(
                RULE,
                format_args!("{} is {:?} with lease {:?}", workload.id, workload.state, workload.lease),
            );
        }
        let stopping = lease.is_some_and(|lease| lease.stopping.is_some());
        if stopping != (workload.state == WorkloadState::Stopping) {
            return broken(
                RULE,
                format_args!("{} is {:?}, its lease stopping: {stopping}", workload.id, workload.state),
            );
        }
    }
    Ok(())
}

/// A gang is granted whole, and one that is not being stopped has lost no task to failure, nor so many to losses that fewer
/// are left than it needs.
fn gangs_are_whole(state: &State) -> Checked {
    const RULE: &str = "gangs are whole";
    for lease in state.leases() {
        let Some(workload) = state.workload(lease.workload) else { continue };
        let (needed, asked) = (workload.spec.tasks_needed() as usize, workload.spec.tasks as usize);
        let whole = needed..=asked;
        if !whole.contains(&lease.tasks.len()) || lease.placement.len() != lease.tasks.len() {
            return broken(RULE, format_args!("{} has {} tasks of {asked}", lease.id, lease.tasks.len()));
        }
        let failed = lease.tasks.iter().any(|task| match &task.state {
            TaskState::Exited { exit, .. } => !exit.is_success() && !matches!(exit, Exit::Lost(_)),
            _ => false,
        });
        let left = lease.tasks.iter().filter(|task| !task.state.is_lost()).count();
        if (failed || left < needed) && lease.stopping.is_none() {
            return broken(RULE, format_args!("{} goes on without one of its tasks", lease.id));
        }
        if lease.tasks.iter().all(|task| task.state.is_over()) {
            return broken(RULE, format_args!("{} is open and nothing of it runs", lease.id));
        }
    }
    Ok(())
}

/// Whoever waits is in the queue, or waits for something that is alive, or has a time from which it may be tried again.
fn who_waits_has_a_reason(state: &State) -> Checked {
    const RULE: &str = "who waits has a reason";
    let queued = state.workloads().filter(|workload| workload.state == WorkloadState::Queued);
    let mut eligible = 0;
    for workload in queued {
        let waits = state.waits_for(workload.id).count();
        eligible += usize::from(waits == 0 && workload.not_before.is_none());
        if let Some(gone) = state.waits_for(workload.id).find(|on| state.workload(**on).is_none()) {
            return broken(RULE, format_args!("{} waits for {gone}, which is not alive", workload.id));
        }
    }
    if eligible != state.queue().len() {
        return broken(RULE, format_args!("{eligible} may start and {} are in the queue", state.queue().len()));
    }
    Ok(())
}

/// An attempt that never started costs nothing.
fn nothing_is_charged_before_its_start(state: &State) -> Checked {
    const RULE: &str = "nothing is charged before its start";
    for workload in state.workloads() {
        for attempt in &workload.attempts {
            if attempt.bill.started_at.is_none() && attempt.bill.price.0 != 0 {
                return broken(RULE, format_args!("{} of {} costs {}", attempt.lease, workload.id, attempt.bill.price));
            }
        }
    }
    Ok(())
}

/// What has ended has left memory, and what memory remembers of it is bounded.
fn memory_holds_only_what_is_alive(state: &State) -> Checked {
    const RULE: &str = "memory holds only what is alive";
    if let Some(ended) = state.workloads().find(|workload| workload.state.is_ended()) {
        return broken(RULE, format_args!("{} has ended", ended.id));
    }
    let (remembered, max) = (state.remembered.len() as u64, u64::from(state.settings().limits.remembered_max));
    if remembered > max {
        return broken(RULE, format_args!("{remembered} ends are remembered, of at most {max}"));
    }
    Ok(())
}

/// A checkpoint was written while its task ran, and a gang goes on from no later than one that it has.
fn checkpoints_lie_within_their_attempt(state: &State) -> Checked {
    const RULE: &str = "checkpoints lie within their attempt";
    for lease in state.leases() {
        for (task, rank) in lease.tasks.iter().zip(0u32..) {
            let Some(checkpoint) = &task.checkpoint else { continue };
            let since = task.state.started_at();
            if since.is_none_or(|since| checkpoint.at < since) || checkpoint.at > state.last_time() {
                return broken(
                    RULE,
                    format_args!("task {rank} of {} says {:?}, started {since:?}", lease.id, checkpoint),
                );
            }
        }
        let latest = lease.tasks.iter().filter_map(|task| Some(task.checkpoint.as_ref()?.at)).max();
        if lease.checkpointed_at() > latest {
            return broken(RULE, format_args!("{} has {latest:?} and shows {:?}", lease.id, lease.checkpointed_at()));
        }
    }
    Ok(())
}

/// What was learned of wall times is a histogram, and old habits are forgotten.
fn what_was_learned_is_bounded(state: &State) -> Checked {
    const RULE: &str = "what was learned is bounded";
    if state.learned().is_sound() { Ok(()) } else { broken(RULE, format_args!("{:?}", state.learned())) }
}

/// What `apply` maintains is what a fresh build gives.
fn indexes_are_as_if_built_afresh(state: &State) -> Checked {
    const RULE: &str = "indexes are as if built afresh";
    let fresh = Index::build(state);
    let parts: [(&str, bool); 11] = [
        ("fleet", fresh.fleet == state.index.fleet),
        ("queue", fresh.queue == state.index.queue),
        ("releases", fresh.releases == state.index.releases),
        ("running", fresh.running == state.index.running),
        ("due", fresh.due == state.index.due),
        ("deadlines", fresh.deadlines == state.index.deadlines),
        ("names", fresh.names == state.index.names),
        ("counts", fresh.counts == state.index.counts),
        ("keys", fresh.keys == state.index.keys),
        ("ended", fresh.ended == state.index.ended),
        ("dependants", fresh.dependants == state.index.dependants),
    ];
    match parts.iter().find(|(_, same)| !same) {
        Some((name, _)) => broken(RULE, format_args!("the index of {name}")),
        None => Ok(()),
    }
}
