//! One planning pass.
use crate::{Fleet, Queue, Releases};
use eaf_model::{Placement, Time, WorkloadId};

/// Everything that a pass looks at.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Snapshot {
    /// The time of the pass.
    pub now: Time,
    /// What is free.
    pub fleet: Fleet,
    /// Who waits.
    pub queue: Queue,
    /// When what is held is expected back.
    pub releases: Releases,
    /// The most grants of one pass.
    pub grants_max: u32,
    /// The most shapes that one pass looks at.
    pub shapes_max: u32,
}

/// What a pass decided.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Who starts now, in queue order.
    pub grants: Vec<Grant>,
    /// The promise to the first who cannot start now.
    pub hold: Option<Hold>,
}

/// A workload starts now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whose.
    pub workload: WorkloadId,
    /// Where.
    pub placement: Placement,
}

/// The planned start of a waiting workload, which backfill may not delay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Whose.
    pub workload: WorkloadId,
    /// When, at the latest, if everything that runs ends within its wall time.
    pub at: Time,
    /// Where.
    pub placement: Placement,
}

/// Plans.
pub fn plan(snapshot: &Snapshot) -> Plan {
    let mut walk = snapshot.queue.walk(snapshot.shapes_max);
    let mut fleet = snapshot.fleet.clone();
    let mut plan = Plan::default();
    while plan.grants.len() < snapshot.grants_max as usize {
        let Some((workload, shape)) = walk.next() else { break };
        let Some(placement) = crate::place::place(&fleet, shape) else {
            break;
        };
        placement.tasks.iter().for_each(|task| fleet.hold(task));
        plan.grants.push(Grant { workload, placement });
        walk.again();
    }
    plan
}
