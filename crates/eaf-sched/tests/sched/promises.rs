//! Promises: nobody starts later than it was told, so nothing waits for ever behind smaller work.

use crate::world::{World, ask, node, secs, wl, world};
use eaf_model::{Span, Time, WorkloadId};
use eaf_sched::{Hold, Plan};
use std::collections::BTreeMap;

/// What was promised.
#[derive(Default)]
pub(crate) struct Promises {
    /// When each that waits starts at the latest.
    told: BTreeMap<WorkloadId, Time>,
    /// The same time of those that have started.
    over: BTreeMap<WorkloadId, Time>,
}

impl Promises {
    /// No promise moves back or is lost.
    pub(crate) fn note(&mut self, plan: &Plan) {
        for grant in &plan.grants {
            self.over.extend(self.told.remove(&grant.workload).map(|promised| (grant.workload, promised)));
        }
        let mut told = BTreeMap::new();
        for Hold { workload, latest, .. } in &plan.holds {
            if let Some(promised) = self.told.remove(workload) {
                let is_kept = latest.is_some_and(|latest| latest <= promised);
                assert!(is_kept, "{workload} was promised {promised:?} and now {latest:?}");
            }
            told.extend(latest.map(|latest| (*workload, latest)));
        }
        if let Some((workload, promised)) = std::mem::replace(&mut self.told, told).pop_first() {
            panic!("{workload} was promised {promised:?} and now nothing");
        }
    }

    pub(crate) fn check(&self, world: &World) {
        for (workload, promised) in self.over.iter().chain(&self.told) {
            match world.started.get(workload) {
                Some(started) => assert!(started <= promised, "{workload} started {started:?}, promised {promised:?}"),
                None => assert!(*promised >= world.snapshot.now, "{workload} still waits, promised {promised:?}"),
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.told.len() + self.over.len()
    }
}

/// A gang of all eight nodes comes into a stream of small work that alone would keep the nodes busy for ever.
#[test]
fn a_large_gang_starts_among_a_stream_of_small_work() {
    let mut world = world((0..8).map(|_| node(4, 64, &[])));
    let mut promises = Promises::default();
    let mut seed = 7_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let mut gang = wl(0);
    for second in 0..1_000 {
        for (_, plan) in world.until(secs(second)) {
            promises.note(&plan);
        }
        if second == 100 {
            gang = world.submit(ask().tasks(8).per_node(1).cpu(4).wall(60));
        }
        for _ in 0..2 {
            let wall = 1 + random(40);
            let small = ask().cpu(1 + random(2)).wall(wall);
            world.submit_with(0, &small, Span::from_secs(1 + random(wall)));
        }
        promises.note(&world.pass());
        promises.check(&world);
    }
    assert!(world.started[&gang] < secs(200), "the gang started at {:?}", world.started[&gang]);
    assert!(world.waiting.len() > 100, "the small work alone is more than the nodes can do");
    assert!(promises.len() > 20, "many were the head in their turn");
}
