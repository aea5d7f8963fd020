//! How often one is stopped for another that does not start.
//!
//! What: counts, for each that makes room, how often it did for the same one since that last started. Why a rule apart from
//! "nobody makes room in vain": each single stop may be well reasoned, and the pair still go round in circles. Why not at the
//! second time: somebody more urgent may come and take what was made. Absent: what nodes do; where one is lost, the count
//! begins anew.

use super::reference::{Checked, broken};
use eaf_core::Step;
use eaf_model::{Event, LeaseId, Reason, WorkloadId};
use std::collections::BTreeMap;

/// The most times that one makes room for another that does not start.
const IN_VAIN_MAX: u32 = 4;

/// Stops in vain so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Stops {
    /// By the one that was to start, who made room for it and how often.
    for_whom: BTreeMap<WorkloadId, BTreeMap<WorkloadId, u32>>,
}

impl Stops {
    /// A step is durable; `workload_of` tells whose a lease is.
    pub(super) fn durable(&mut self, step: &Step, workload_of: impl Fn(LeaseId) -> Option<WorkloadId>) -> Checked {
        for event in &step.events {
            match event {
                Event::LeaseGranted { workload, .. } | Event::WorkloadEnded { workload, .. } => {
                    self.for_whom.remove(workload);
                }
                Event::NodeLost { .. }
                | Event::NodeRemoved { .. }
                | Event::NodeCordoned { .. }
                | Event::ModeDraining { .. }
                | Event::PolicyApplied { .. } => self.for_whom.clear(),
                Event::LeaseStopping { lease, reason: Reason::Preempted { by }, .. } => {
                    let Some(victim) = workload_of(*lease) else { continue };
                    let times = self.for_whom.entry(*by).or_default().entry(victim).or_default();
                    *times += 1;
                    if *times > IN_VAIN_MAX {
                        let what = format!("{victim} made room for {by} {times} times, which has not started");
                        return broken("nobody makes room again and again in vain", what);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{IN_VAIN_MAX, Stops};
    use eaf_core::Step;
    use eaf_model::{Event, LeaseId, Placement, Reason, Time, WorkloadId};

    fn step(event: Event) -> Step {
        Step { number: 1, at: Time(1), events: vec![event], ended: Vec::new() }
    }

    #[test]
    fn the_same_stop_is_refused_when_it_comes_too_often_and_the_other_never_starts() {
        let (victim, by, lease) = (WorkloadId::of_step(1), WorkloadId::of_step(2), LeaseId::of_step(3));
        let stop = step(Event::LeaseStopping { lease, reason: Reason::Preempted { by }, stop_by: Time(2) });
        let start = step(Event::LeaseGranted {
            lease,
            workload: by,
            placement: Placement { tasks: Vec::new() },
            start_by: Time(2),
            keeps_turn: true,
        });
        let mut stops = Stops::default();
        let mut play = |step: &Step| stops.durable(step, |_| Some(victim));
        assert!((0..IN_VAIN_MAX).all(|_| play(&stop).is_ok()) && play(&start).is_ok());
        assert!((0..IN_VAIN_MAX).all(|_| play(&stop).is_ok()) && play(&stop).is_err());
    }
}
