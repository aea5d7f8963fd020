//! Who is stopped for whom, and what the checker says of it.

use crate::properties::{any_ask, any_world};
use crate::world::{World, ask, node, plan, secs, world};
use eaf_model::{LeaseId, Order, Span, WorkloadId};
use eaf_sched::{Claim, Class, Evictable, Leaving, Plan, Queue, Running, Violation, check};
use proptest::prelude::*;

/// Everything that runs may be stopped, at a priority that is told; it began a second before now.
fn spot(world: &mut World, priority: impl Fn(LeaseId) -> i32) {
    let now = world.snapshot.now;
    world.snapshot.running = Running::default();
    for (lease, running) in &world.running {
        let milli = running.tasks.iter().flat_map(|task| &task.accelerators).map(|board| board.share.0).sum();
        let started_at = eaf_model::Time(now.0 - 1_000 - i64::try_from(lease.to_bits() % 7).unwrap_or(0));
        world.snapshot.running.insert(Evictable {
            lease: *lease,
            class: Class::of(world.snapshot.queue.order(), priority(*lease), 0),
            project: None,
            preemptible: true,
            tasks: running.tasks.clone(),
            needs: 1,
            milli,
            started_at,
            loses_since: Some(started_at),
            notice: Span::from_secs(10),
            until: running.until,
        });
    }
}

/// One node of four accelerators, on which two leases hold one and two of them.
fn busy() -> (World, LeaseId, LeaseId) {
    let mut world = world([node(8, 8, &["MI"; 4])]);
    for boards in [1, 2] {
        world.submit(ask().boards(boards));
        world.pass();
    }
    let leases: Vec<LeaseId> = world.running.keys().copied().collect();
    let (one, two) = (leases[0], leases[1]);
    world.snapshot.now = secs(10);
    spot(&mut world, |_| 0);
    (world, one, two)
}

fn urgent(world: &mut World, boards: u32) -> WorkloadId {
    world.submit_with(5, &ask().boards(boards), Span::from_secs(100))
}

fn victims(plan: &Plan) -> Vec<LeaseId> {
    plan.claims.iter().flat_map(|claim| claim.victims.clone()).collect()
}

#[test]
fn the_least_that_makes_room_is_stopped() {
    let check_that = |boards, expect: fn(LeaseId, LeaseId) -> Vec<LeaseId>| {
        let (mut world, one, two) = busy();
        urgent(&mut world, boards);
        let made = plan(&world.snapshot);
        assert_eq!((check(&world.snapshot, &made), victims(&made)), (Ok(()), expect(one, two)), "{boards} boards");
    };
    check_that(1, |_, _| vec![]);
    check_that(2, |one, _| vec![one]);
    check_that(3, |_, two| vec![two]);
    check_that(4, |one, two| vec![one, two]);
}

#[test]
fn nobody_stops_for_its_own_class_or_at_the_instant_of_its_start() {
    let (mut world, ..) = busy();
    world.submit(ask().boards(4));
    assert!(plan(&world.snapshot).claims.is_empty(), "its own class");
    urgent(&mut world, 4);
    assert_eq!(plan(&world.snapshot).claims.len(), 1);
    world.snapshot.now = secs(0);
    assert!(plan(&world.snapshot).claims.is_empty(), "the instant of its start");
}

#[test]
fn what_is_leaving_already_is_enough() {
    let (mut world, _, two) = busy();
    let workload = urgent(&mut world, 3);
    let tasks = world.running[&two].tasks.clone();
    world.snapshot.running.remove(two);
    world.snapshot.running.leaves(two, Leaving { project: None, tasks, needs: 1 });
    let made = plan(&world.snapshot);
    assert_eq!(check(&world.snapshot, &made), Ok(()));
    let claim = &made.claims[0];
    assert_eq!((claim.workload, claim.victims.len()), (workload, 0));
    // And what will be free then is not given away meanwhile.
    world.submit(ask().boards(1));
    let made = plan(&world.snapshot);
    assert_eq!((check(&world.snapshot, &made), made.grants.len()), (Ok(()), 0));
}

#[test]
fn where_age_decides_nobody_is_stopped() {
    let (mut world, ..) = busy();
    urgent(&mut world, 4);
    let mut queue = Queue::in_order(Order::Fifo);
    world.snapshot.queue.iter().for_each(|entry| queue.insert(entry));
    world.snapshot.queue = queue;
    spot(&mut world, |_| 0);
    assert!(plan(&world.snapshot).claims.is_empty());
}

#[test]
fn the_checker_finds_one_victim_too_many_and_one_that_may_not_be() {
    let (mut world, one, two) = busy();
    let workload = urgent(&mut world, 2);
    let made = plan(&world.snapshot);
    let forge = |victims: Vec<LeaseId>| {
        let claim = Claim { victims, ..made.claims[0].clone() };
        check(&world.snapshot, &Plan { claims: vec![claim], ..Plan::default() })
    };
    assert_eq!(forge(vec![one, two]), Err(Violation::NeedNotStop { workload, lease: one }));
    let unknown = LeaseId::of_step(999);
    assert_eq!(forge(vec![unknown]), Err(Violation::MayNotStop { workload, lease: unknown }));
    assert!(matches!(forge(vec![]), Err(Violation::Unfit { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Within one instant stops come to an end, each for someone of a better class, and every plan on the way is lawful.
    #[test]
    fn stops_come_to_an_end(mut world in any_world(), urgent in any_ask(), seed in 0..7_u64, passing in 0..3_usize) {
        use eaf_model::Passing::{Backfill, Skip, Strict};
        world.snapshot.passing = [Strict, Skip, Backfill][passing];
        let at = world.snapshot.now.after(Span::from_secs(1));
        world.until(at);
        world.submit_with(3, &urgent, Span::from_secs(5));
        spot(&mut world, |lease| i32::try_from((lease.to_bits() >> 16) % (seed + 2)).unwrap_or(0) - 2);
        let mut may_stop = world.running.len();
        loop {
            let made = plan(&world.snapshot);
            prop_assert_eq!(check(&world.snapshot, &made), Ok(()));
            let told = victims(&made);
            if told.is_empty() {
                break;
            }
            // The potential: leases that began before this instant.
            prop_assert!(told.len() <= may_stop);
            may_stop -= told.len();
            world.make(&made);
            for lease in told {
                world.snapshot.running.remove(lease);
                world.end(lease);
            }
        }
    }
}
