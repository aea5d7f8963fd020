//! Who is told when it starts, and keeps its turn.
//!
//! What: of a plan, those who are told for the first time, or anew because others with more right come before them now; and those who
//! had a turn between projects and have it no more. Why the latter: who is passed by somebody with more right would pass in its old
//! turn whoever was told meanwhile, once that one has started. So between projects turns rise in the order in which starts are
//! planned. Absent: the memory of it, which is `Entry`'s; whoever keeps the queue makes the turns.

use crate::{Plan, Snapshot};
use eaf_model::{Time, WorkloadId};
use std::collections::BTreeSet;

/// What is to be remembered of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Who is told now when it starts at the latest, and has its turn now; in this order, behind everybody who had one before.
    pub told: Vec<(WorkloadId, Time)>,
    /// Who keeps its turn between projects no more.
    pub passed: Vec<WorkloadId>,
}

impl Told {
    /// Of a plan for this snapshot.
    pub fn of(snapshot: &Snapshot, plan: &Plan) -> Self {
        let queue = &snapshot.queue;
        let by_turns = by_turns(plan);
        let mut made = Self::default();
        if snapshot.shares.is_empty() {
            let is_new = |workload: WorkloadId| queue.get(workload).is_some_and(|entry| entry.turn.is_none());
            made.told.extend(by_turns.into_iter().filter(|(workload, _)| is_new(*workload)));
            return made;
        }
        let mut last = 0;
        for (workload, latest) in &by_turns {
            let turn = queue.get(*workload).and_then(|entry| entry.turn_between).filter(|turn| *turn > last);
            // Whoever has its turn now has it behind all others.
            last = turn.unwrap_or(u64::MAX);
            if turn.is_none() {
                made.told.push((*workload, *latest));
            }
        }
        let granted = plan.grants.iter().map(|grant| grant.workload);
        let keep: BTreeSet<WorkloadId> = by_turns.into_iter().map(|(workload, _)| workload).chain(granted).collect();
        made.passed.extend(queue.turns_before(last).filter(|workload| !keep.contains(workload)));
        made
    }
}

/// Who has a time at which it starts at the latest, in the order of turns: where others stop for it, that at which they are gone.
fn by_turns(plan: &Plan) -> Vec<(WorkloadId, Time)> {
    let mut claims = plan.claims.iter().peekable();
    let mut found = Vec::new();
    for (hold, before) in plan.holds.iter().zip(0..) {
        while let Some(claim) = claims.next_if(|claim| claim.beside <= before) {
            found.push((claim.workload, claim.by));
        }
        found.extend(hold.latest.map(|latest| (hold.workload, latest)));
    }
    found.extend(claims.map(|claim| (claim.workload, claim.by)));
    found
}
