//! Shares: who goes first, who may take more, and who gives back.

use crate::promises::Promises;
use crate::world::{Ask, World, ask, node, secs, world};
use eaf_model::{Blocker, GpuMilli, LeaseId, Order, Passing, Policy, Quota, Share, Span, WorkloadId};
use eaf_sched::{Class, Evictable, Plan, Running, Shares, Use, Violation, check, explain, held_by};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A factory whose projects have shares.
struct Sharing {
    world: World,
    policy: Policy,
    averages: BTreeMap<Option<Arc<str>>, u64>,
    /// True where nothing that runs may be stopped.
    is_lasting: bool,
}

fn quota(guaranteed: u32, borrowable: Option<u32>, maximum: Option<u32>) -> Share {
    let quota = Quota { guaranteed, borrowable, maximum };
    Share { accelerators: BTreeMap::from([("MI".to_owned(), quota)]), ..Share::default() }
}

/// A factory of nodes with four accelerators each.
fn sharing<const N: usize>(nodes: usize, shares: [(&str, Share); N]) -> Sharing {
    let shares = shares.into_iter().map(|(name, share)| (name.to_owned(), share)).collect();
    let policy = Policy { shares, ..Policy::default() };
    let world = world(vec![node(64, 64, &["MI"; 4]); nodes]);
    Sharing { world, policy, averages: BTreeMap::new(), is_lasting: false }
}

impl Sharing {
    fn submit(&mut self, project: &str, mut ask: Ask) -> WorkloadId {
        ask.0.project = self.policy.knows(project).then(|| Arc::from(project));
        self.world.submit(ask)
    }

    /// So many workloads of one accelerator.
    fn submit_many(&mut self, count: u32, project: &str) {
        for _ in 0..count {
            self.submit(project, ask().boards(1));
        }
    }

    /// Plans and checks; what began a second ago or more may be stopped.
    fn plan(&mut self) -> Plan {
        let snapshot = &mut self.world.snapshot;
        let mut uses: BTreeMap<Option<Arc<str>>, Use> = BTreeMap::new();
        for (project, average) in &self.averages {
            uses.entry(project.clone()).or_default().average = *average;
        }
        snapshot.running = Running::default();
        for (lease, running) in &self.world.running {
            let project = running.project.clone();
            let entry = uses.entry(project.clone()).or_default();
            for (model, milli) in held_by(&snapshot.fleet, &running.tasks) {
                *entry.held.entry(model).or_default() += milli;
            }
            if self.is_lasting {
                continue;
            }
            snapshot.running.insert(Evictable {
                lease: *lease,
                class: Class::of(Order::Priority, 0, 0),
                project,
                preemptible: false,
                tasks: running.tasks.clone(),
                needs: 1,
                milli: 1_000,
                started_at: eaf_model::Time(snapshot.now.0 - 1_000),
                loses_since: None,
                notice: Span::from_secs(10),
                until: running.until,
            });
        }
        let uses = uses.iter().map(|(project, used)| (project.as_deref(), used.clone()));
        snapshot.shares = Arc::new(Shares::new(&self.policy, uses));
        let made = crate::world::plan(&self.world.snapshot);
        check(&self.world.snapshot, &made).unwrap_or_else(|wrong| panic!("{wrong}: {made:?}"));
        made
    }

    /// Plans, checks, and makes the grants true.
    fn pass(&mut self) -> Vec<WorkloadId> {
        let made = self.plan();
        self.world.make(&made);
        made.grants.into_iter().map(|grant| grant.workload).collect()
    }

    fn submit_with(&mut self, project: &str, mut ask: Ask, runs: Span) -> WorkloadId {
        ask.0.project = self.policy.knows(project).then(|| Arc::from(project));
        self.world.submit_with(0, &ask, runs)
    }

    /// Plans, notes what that promises, and makes it true.
    fn note(&mut self, promises: &mut Promises) {
        let made = self.plan();
        promises.note(&made);
        self.world.make(&made);
        promises.check(&self.world);
    }

    /// Lets time pass, with a pass whenever something ends.
    fn until(&mut self, at: u64, promises: &mut Promises) {
        while let Some(next) =
            self.world.running.values().map(|lease| lease.ends).min().filter(|next| *next <= secs(at))
        {
            self.world.snapshot.now = next;
            let over = self.world.running.iter().filter(|(_, lease)| lease.ends <= next);
            for lease in over.map(|(id, _)| *id).collect::<Vec<_>>() {
                self.world.end(lease);
            }
            self.note(promises);
        }
        self.world.snapshot.now = secs(at);
    }

    /// At some time somebody submits what runs for so many hundredths of its wall time.
    fn arrives(&mut self, at: u64, (project, ask): (&str, Ask), percent: u64, promises: &mut Promises) {
        self.until(at, promises);
        let runs = Span::from_ms(ask.0.wall.0 * percent / 100);
        self.submit_with(project, ask, runs);
        self.note(promises);
    }

    fn victims(&mut self) -> usize {
        self.plan().claims.iter().map(|claim| claim.victims.len()).sum()
    }
}

#[test]
fn what_is_guaranteed_goes_before_what_is_borrowed() {
    let mut made = sharing(1, [("vision", quota(2, None, None)), ("speech", quota(0, None, None))]);
    let borrowed: Vec<_> = (0..4).map(|_| made.submit("speech", ask().boards(1))).collect();
    let own: Vec<_> = (0..2).map(|_| made.submit("vision", ask().boards(1))).collect();
    assert_eq!(made.pass(), [own[0], own[1], borrowed[0], borrowed[1]]);
}

#[test]
fn those_that_compete_are_served_by_weight_and_by_what_they_used() {
    let weigh = |weight| Share { weight, ..Share::default() };
    let mut made = sharing(1, [("vision", weigh(3)), ("speech", weigh(1))]);
    made.submit_many(4, "speech");
    let heavy: Vec<_> = (0..4).map(|_| made.submit("vision", ask().boards(1))).collect();
    let started = made.pass();
    assert_eq!(started.iter().filter(|id| heavy.contains(id)).count(), 3, "{started:?}");
    let mut made = sharing(1, [("vision", weigh(1)), ("speech", weigh(1))]);
    made.averages.insert(Some(Arc::from("vision")), 2_000);
    made.submit_many(4, "vision");
    let rested: Vec<_> = (0..4).map(|_| made.submit("speech", ask().boards(1))).collect();
    let started = made.pass();
    assert_eq!(started.iter().filter(|id| rested.contains(id)).count(), 3, "{started:?}");
}

#[test]
fn nobody_holds_more_than_the_maximum_of_any_share_that_it_is_in() {
    let part = |maximum| Share { parent: Some("acme".to_owned()), ..quota(0, None, maximum) };
    let mut made = sharing(2, [("acme", quota(0, None, Some(3))), ("speech", part(Some(2))), ("vision", part(None))]);
    made.submit_many(4, "speech");
    made.submit_many(4, "vision");
    assert_eq!(made.pass().len(), 3);
    let other = made.submit("other", ask().boards(4));
    assert_eq!(made.pass(), [other], "what a share may not take keeps nobody of other shares from starting");
}

#[test]
fn what_its_share_does_not_let_start_is_promised_a_start_once_that_has_less() {
    let mut made = sharing(2, [("vision", quota(0, None, Some(4))), ("speech", quota(0, None, Some(2)))]);
    made.world.snapshot.holds_max = 2;
    made.submit("vision", ask().boards(1).wall(40));
    made.submit("vision", ask().boards(2).wall(60));
    made.submit("speech", ask().boards(2).wall(300));
    assert_eq!(made.pass().len(), 3);
    let large = made.submit("vision", ask().boards(4).wall(100));
    let next = made.submit("vision", ask().boards(3).wall(100));
    let other = made.submit("speech", ask().boards(1));
    let plan = made.plan();
    let promised: Vec<_> = plan.holds.iter().map(|hold| (hold.workload, hold.at, hold.latest)).collect();
    // The first of each share; vision, which used more, must let speech be over to be sure.
    assert_eq!(
        promised,
        [(other, secs(300), Some(secs(300))), (large, secs(60), Some(secs(400)))],
        "{next} is not among them"
    );
    let long = made.submit("vision", ask().boards(1).wall(61));
    let short = made.submit("vision", ask().boards(1).wall(60));
    assert_eq!(made.pass(), [short], "{long} would leave too little of the share for {large} when that is to start");
}

#[test]
fn a_gang_that_may_have_more_tasks_takes_none_that_are_kept_for_others() {
    let mut made = sharing(1, [("vision", quota(1, Some(0), None)), ("speech", quota(0, None, None))]);
    made.submit("speech", ask().boards(2).wall(10));
    assert_eq!(made.pass().len(), 1);
    let waits = made.submit("vision", ask().boards(3).wall(50));
    let gang = made.submit("speech", ask().boards(1).up_to(3).wall(5));
    let plan = made.plan();
    assert_eq!(plan.holds.first().map(|hold| hold.workload), Some(waits));
    assert_eq!(
        plan.grants.iter().map(|grant| (grant.workload, grant.placement.tasks.len())).collect::<Vec<_>>(),
        [(gang, 1)]
    );
}

#[test]
fn what_has_waited_too_long_for_its_share_is_passed_by_nobody_of_it() {
    let mut made = sharing(2, [("vision", quota(0, None, Some(4))), ("speech", quota(0, None, None))]);
    made.submit("vision", ask().boards(2));
    assert_eq!(made.pass().len(), 1);
    let large = made.submit("vision", ask().boards(4));
    let small = made.submit("vision", ask().boards(1));
    made.world.snapshot.passing = Passing::Strict;
    assert_eq!(made.pass(), [small], "where nobody passes it keeps nobody from starting before it has waited long");
    let mut old = made.world.waiting.remove(&large).expect("it waits");
    made.world.snapshot.queue.remove(&old);
    old.is_aged = true;
    made.world.snapshot.queue.insert(old.clone());
    made.world.waiting.insert(large, old);
    made.submit("vision", ask().boards(1));
    let other = made.submit("speech", ask().boards(1));
    assert_eq!(made.pass(), [other]);
}

#[test]
fn what_is_not_lent_stays_free() {
    let mut made = sharing(1, [("vision", quota(3, Some(1), None))]);
    made.submit_many(4, "other");
    assert_eq!(made.pass().len(), 2);
    let own = made.submit("vision", ask().boards(2));
    assert_eq!(made.pass(), [own]);
    // Nor is it lent to those beside a whole that it is a part of.
    let part = Share { parent: Some("acme".to_owned()), ..quota(3, Some(1), None) };
    let mut made = sharing(1, [("acme", quota(3, None, None)), ("vision", part)]);
    made.submit_many(4, "other");
    assert_eq!(made.pass().len(), 2);
    let own = made.submit("vision", ask().boards(2));
    assert_eq!(made.pass(), [own]);
}

#[test]
fn a_higher_priority_goes_first_and_takes_what_a_lower_borrowed() {
    let mut made = sharing(1, [("vision", prior_of(1)), ("speech", quota(1, None, None))]);
    made.averages.insert(Some("vision".into()), 9_000);
    made.submit_many(2, "speech");
    made.submit_many(3, "vision");
    let started = made.pass();
    assert_eq!(started.len(), 4, "one of speech is guaranteed, and all three of vision go before the other");
    let left = made.world.snapshot.queue.iter().next().expect("one waits");
    assert_eq!(left.shape.project.as_deref(), Some("speech"));
    made.world.snapshot.now = secs(50);
    assert_eq!(made.victims(), 0, "nothing of a higher priority is stopped for it");
    let mut made = sharing(1, [("vision", prior_of(1)), ("speech", quota(1, None, None))]);
    made.submit_many(4, "speech");
    assert_eq!(made.pass().len(), 4);
    made.world.snapshot.now = secs(50);
    made.submit_many(4, "vision");
    assert_eq!(made.victims(), 3, "all that was borrowed, and nothing of the guarantee");
}

fn prior_of(priority: i32) -> Share {
    Share { priority, ..Share::default() }
}

#[test]
fn many_shapes_of_one_project_hide_no_other() {
    let mut made = sharing(1, [("vision", prior_of(1)), ("speech", quota(3, None, None))]);
    made.world.snapshot.shapes_max = 16;
    made.submit("speech", ask().boards(3).wall(1_000));
    assert_eq!(made.pass().len(), 1);
    for more in 0..40 {
        made.submit("vision", ask().boards(4).wall(2_000 + more));
    }
    let small = made.submit("speech", ask().boards(1).wall(10));
    assert_eq!(made.pass(), [small]);
}

#[test]
fn an_explanation_tells_shares() {
    let mut made = sharing(2, [("vision", quota(2, Some(0), Some(3))), ("speech", Share::default())]);
    let large = made.submit("vision", ask().boards(4));
    let stranger = made.submit("speech", ask().boards(4).tasks(2));
    made.submit_many(7, "speech");
    made.plan();
    let blockers = |made: &Sharing, id| explain(&made.world.snapshot, id).expect("it waits").blockers;
    let too_small = |share: Option<&str>, wanted: u32, limit: u32| {
        let (share, model) = (share.map(str::to_owned), "MI".to_owned());
        let (wanted, limit) = (GpuMilli(u64::from(wanted) * 1_000), GpuMilli(u64::from(limit) * 1_000));
        [Blocker::ShareTooSmall { share, model, wanted, limit }]
    };
    assert_eq!(blockers(&made, large), too_small(Some("vision"), 4, 3));
    assert_eq!(blockers(&made, stranger), too_small(None, 8, 6));
    assert_eq!(made.pass().len(), 6, "what stands behind what can never start is not held up by it");
    let last = made.submit("speech", ask().boards(1));
    made.plan();
    let explained = explain(&made.world.snapshot, last).expect("it waits");
    assert_eq!((explained.ahead, explained.by_share), (2, true), "those of its own project alone");
}

#[test]
fn nobody_makes_room_for_one_that_would_not_have_its_turn_first() {
    let acme = ("acme", quota(6, None, None));
    let vision = ("vision", Share { parent: Some("acme".to_owned()), ..Share::default() });
    let mut made = sharing(3, [acme, vision]);
    // Five of acme; seven of others, which fill the fleet.
    made.submit_many(5, "vision");
    made.submit("other", ask().boards(3));
    made.submit("other", ask().boards(4));
    assert_eq!(made.pass().len(), 7);
    made.world.snapshot.now = secs(50);
    let small = made.submit("vision", ask().boards(1));
    assert_eq!(made.victims(), 1, "it stays within its guarantee");
    // Behind larger work of its project, which does not, its turn comes by use, after that of whoever made room.
    made.world.snapshot.queue.remove(&made.world.snapshot.queue.get(small).expect("it waits"));
    made.submit("vision", ask().boards(2));
    made.submit("vision", ask().boards(1));
    assert_eq!(made.victims(), 0);
}

#[test]
fn what_was_borrowed_comes_back_and_no_more_of_it() {
    let mut made = sharing(1, [("vision", quota(2, None, None)), ("speech", quota(2, None, None))]);
    made.submit_many(4, "speech");
    assert_eq!(made.pass().len(), 4);
    made.world.snapshot.now = secs(50);
    made.submit("vision", ask().boards(1));
    assert_eq!(made.victims(), 1);
    made.submit("vision", ask().boards(1));
    assert_eq!(made.victims(), 2);
    made.submit("vision", ask().boards(1));
    assert_eq!(made.victims(), 2, "a third would take what is speech's own");
}

#[test]
fn between_two_that_borrow_the_lesser_comes_up_to_the_greater() {
    let mut made = sharing(2, [("vision", Share::default()), ("speech", Share::default())]);
    made.submit_many(8, "speech");
    assert_eq!(made.pass().len(), 8);
    made.world.snapshot.now = secs(50);
    made.submit_many(8, "vision");
    assert_eq!(made.victims(), 4, "four each, and no further");
}

#[test]
fn the_checker_refuses_what_shares_forbid() {
    let mut made = sharing(1, [("vision", quota(2, None, Some(2))), ("speech", quota(2, None, None))]);
    made.submit_many(2, "speech");
    assert_eq!(made.pass().len(), 2);
    made.world.snapshot.now = secs(50);
    let workload = made.submit("vision", ask().boards(2));
    let mut plan = made.plan();
    let victim = *made.world.running.keys().next().expect("one runs");
    let placement = plan.grants[0].placement.clone();
    plan.claims = vec![eaf_sched::Claim {
        workload,
        victims: vec![victim],
        placement: placement.clone(),
        by: made.world.snapshot.now,
        behind: 0,
        beside: 0,
        models: Vec::new(),
    }];
    plan.grants.clear();
    let refused = check(&made.world.snapshot, &plan);
    assert_eq!(refused, Err(Violation::MayNotStop { workload, lease: victim }), "speech has no more than its own");
    made.policy.shares.insert("vision".to_owned(), quota(1, None, Some(1)));
    let lawful = made.plan();
    assert!(lawful.grants.is_empty());
    plan.claims.clear();
    plan.grants = vec![eaf_sched::Grant { workload, placement, victims: Vec::new() }];
    let refused = check(&made.world.snapshot, &plan);
    assert_eq!(refused, Err(Violation::AboveShare { workload, model: "MI".to_owned() }));
}

proptest! {
    /// What one project waits for, its share or room, is promised; nobody starts later, and no promise moves back.
    #[test]
    fn nobody_starts_later_than_promised_whatever_its_share(
        maximum in 1u32..9,
        holds in 1u32..5,
        work in prop::collection::vec((1u32..5, 1u32..3, 0u32..2, 1u64..100, 1u64..101, 0u64..9), 1..50),
    ) {
        let mut made = sharing(2, [("vision", quota(0, None, Some(maximum)))]);
        made.world.snapshot.holds_max = holds;
        let mut promises = Promises::default();
        let mut now = 0;
        for (boards, tasks, more, wall, percent, gap) in work {
            now += gap;
            let ask = ask().boards(boards).tasks(tasks).up_to(tasks + more).wall(wall);
            made.arrives(now, ("vision", ask), percent, &mut promises);
        }
        made.until(now + 10_000, &mut promises);
        // In the end only those wait that are more than the share may ever have.
        let asks = |shape: &eaf_sched::Shape| shape.tasks * shape.task.accelerators.count;
        prop_assert!(made.world.running.is_empty());
        prop_assert!(made.world.waiting.values().all(|entry| asks(&entry.shape) > maximum));
    }

    /// Nor does anybody of several projects that wait for their shares, for each other and for room, whoever uses less meanwhile.
    #[test]
    fn nobody_starts_later_than_promised_among_projects(
        maxima in prop::collection::vec(prop::option::of(1u32..7), 3),
        weights in prop::collection::vec(1u32..4, 3),
        holds in 1u32..5,
        work in prop::collection::vec((0usize..4, 1u32..5, 1u32..3, 1u64..100, 1u64..101, 0u64..9), 1..50),
    ) {
        let names = ["a", "b", "c"];
        let share = |at: usize| (names[at], Share { weight: weights[at], ..quota(0, None, maxima[at]) });
        let mut made = sharing(2, [share(0), share(1), share(2)]);
        made.is_lasting = true;
        made.world.snapshot.holds_max = holds;
        let mut promises = Promises::default();
        let mut now = 0;
        for (project, boards, tasks, wall, percent, gap) in work {
            now += gap;
            let project = names.get(project).copied().unwrap_or("none");
            made.arrives(now, (project, ask().boards(boards).tasks(tasks).wall(wall)), percent, &mut promises);
        }
        made.until(now + 10_000, &mut promises);
        prop_assert!(made.world.running.is_empty());
    }

    /// Whatever shares there are and whoever asks: every plan passes the checker, and work that may start does in the end.
    #[test]
    fn every_plan_is_lawful(
        quotas in prop::collection::vec((0u32..4, prop::option::of(0u32..4), prop::option::of(0u32..6), 1u32..4, 0usize..4), 4),
        asks in prop::collection::vec((0usize..5, 1u32..5, 1u32..3, 1u64..200), 1..40),
    ) {
        let names = ["a", "b", "c", "d"];
        let mut quotas = quotas;
        for at in (0..quotas.len()).rev() {
            // What is guaranteed to parts is guaranteed to the whole: a policy where it is not is refused.
            let (guaranteed, parent) = (quotas[at].0, quotas[at].4);
            if parent < at {
                quotas[parent].0 += guaranteed;
            }
        }
        let shares = quotas.iter().enumerate().map(|(at, (guaranteed, borrowable, maximum, weight, parent))| {
            let (maximum, borrowable) = (maximum.map(|more| guaranteed + more), borrowable.map(|lent| lent.min(*guaranteed)));
            let parent = (*parent < at).then(|| names[*parent].to_owned());
            (names[at], Share { parent, weight: *weight, ..quota(*guaranteed, borrowable, maximum) })
        });
        let shares: Vec<_> = shares.collect();
        let mut made = sharing(3, <[_; 4]>::try_from(shares).expect("four shares"));
        for (project, boards, tasks, wall) in asks {
            let project = names.get(project).copied().unwrap_or("other");
            made.submit(project, ask().boards(boards).tasks(tasks).wall(wall));
            made.pass();
            made.world.snapshot.now = made.world.snapshot.now.after(eaf_model::Span::from_secs(7));
            let over: Vec<LeaseId> = made.world.running.iter().filter(|(_, lease)| lease.ends <= made.world.snapshot.now).map(|(id, _)| *id).collect();
            for lease in over {
                made.world.end(lease);
            }
        }
    }
}
