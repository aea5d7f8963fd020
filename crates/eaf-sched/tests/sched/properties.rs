//! Properties over random worlds.

use crate::promises::Promises;
use crate::world::{Ask, World, ask, gib, nd, node, plan, secs, within, world};
use eaf_model::{CpuMilli, GpuMilli, NodeId, NodeSpec, NodeState, Order, Span};
use eaf_sched::{Plan, Queue, Releases, Shape, Snapshot, check};
use proptest::prelude::*;

fn any_node() -> impl Strategy<Value = NodeSpec> {
    let boards = prop_oneof![
        3 => Just(vec![]),
        2 => (1..5_usize).prop_map(|count| vec!["MI"; count]),
        1 => prop::collection::vec(prop_oneof![Just("MI"), Just("H")], 1..5),
    ];
    let fabric = prop_oneof![3 => Just(""), 1 => Just("a"), 2 => Just("a/x"), 2 => Just("a/y"), 2 => Just("b/x")];
    (1..9_u64, 1..9_u64, boards, fabric)
        .prop_map(|(threads, gibs, boards, fabric)| within(fabric, node(threads, gibs, &boards)))
}

pub(crate) fn any_ask() -> impl Strategy<Value = Ask> {
    let boards = prop_oneof![
        4 => Just((0, 1_000)),
        2 => (1..4_u32).prop_map(|count| (count, 1_000)),
        2 => (1..10_u64).prop_map(|tenths| (1, tenths * 100)),
    ];
    let models = prop_oneof![3 => Just(vec![]), 1 => Just(vec!["MI"]), 1 => Just(vec!["H", "MI"])];
    let tasks = prop_oneof![3 => Just(1), 2 => 1..6_u32];
    let per_node = prop_oneof![3 => Just(None), 1 => (1..3_u32).prop_map(Some)];
    (tasks, per_node, 0..5_u64, 0..5_u64, boards, models, 1..30_u64).prop_map(
        |(tasks, per_node, threads, gibs, (count, share), models, wall)| {
            let mut made = ask().tasks(tasks).cpu(threads).memory(gibs).wall(wall);
            made.0.tasks_per_node_max = per_node;
            made.0.task.accelerators.count = count;
            made.0.task.accelerators.share = GpuMilli(share);
            models.into_iter().fold(made, Ask::model)
        },
    )
}

#[derive(Clone, Debug)]
enum Op {
    Submit { ask: Ask, priority: i32, runs: u64, times: usize },
    Pass,
    Wait { secs: u64 },
    End { which: prop::sample::Index },
    Cancel { which: prop::sample::Index },
    State { which: prop::sample::Index, state: NodeState },
    Add { spec: NodeSpec },
    Change { which: prop::sample::Index, spec: NodeSpec },
    Remove { which: prop::sample::Index },
}

fn any_op() -> impl Strategy<Value = Op> {
    use prop::sample::Index;
    let state = prop_oneof![3 => Just(NodeState::Ready), 1 => Just(NodeState::Cordoned), 1 => Just(NodeState::Lost)];
    prop_oneof![
        8 => (any_ask(), -1..2, 1..30_u64, 1..4_usize)
            .prop_map(|(ask, priority, runs, times)| Op::Submit { ask, priority, runs, times }),
        4 => Just(Op::Pass),
        3 => (1..20_u64).prop_map(|secs| Op::Wait { secs }),
        2 => any::<Index>().prop_map(|which| Op::End { which }),
        1 => any::<Index>().prop_map(|which| Op::Cancel { which }),
        2 => (any::<Index>(), state).prop_map(|(which, state)| Op::State { which, state }),
        1 => any_node().prop_map(|spec| Op::Add { spec }),
        1 => (any::<Index>(), any_node()).prop_map(|(which, spec)| Op::Change { which, spec }),
        1 => any::<Index>().prop_map(|which| Op::Remove { which }),
    ]
}

fn pick<T: Copy>(all: impl Iterator<Item = T>, which: prop::sample::Index) -> Option<T> {
    let all: Vec<T> = all.collect();
    (!all.is_empty()).then(|| all[which.index(all.len())])
}

fn perform(world: &mut World, op: Op) {
    match op {
        Op::Submit { ask, priority, runs, times } => {
            for _ in 0..times {
                world.submit_with(priority, &ask, Span::from_secs(runs));
            }
        }
        Op::Pass => {
            world.pass();
        }
        Op::Wait { secs: wait } => {
            let at = world.snapshot.now.after(Span::from_secs(wait));
            world.until(at);
        }
        Op::End { which } => {
            if let Some(lease) = pick(world.running.keys().copied(), which) {
                world.end(lease);
            }
        }
        Op::Cancel { which } => {
            if let Some(workload) = pick(world.waiting.keys().copied(), which) {
                world.cancel(workload);
            }
        }
        Op::State { which, state } => {
            if let Some(id) = pick(world.specs.keys().copied(), which) {
                world.snapshot.fleet.set_state(id, state);
            }
        }
        Op::Add { spec } => {
            let id = NodeId::of_step(world.specs.keys().last().map_or(1, |id| id.step() + 1));
            world.snapshot.fleet.add(id, &spec);
            world.specs.insert(id, spec);
        }
        Op::Change { which, spec } => {
            let covered = |id: &NodeId| world.snapshot.fleet.covers_held(*id, &spec);
            if let Some(id) = pick(world.specs.keys().copied(), which).filter(covered) {
                world.snapshot.fleet.change(id, &spec);
                world.specs.insert(id, spec);
            }
        }
        Op::Remove { which } => {
            let holds =
                |id: &NodeId| world.running.values().any(|lease| lease.tasks.iter().any(|task| task.node == *id));
            if let Some(id) = pick(world.specs.keys().copied(), which).filter(|id| !holds(id)) {
                world.snapshot.fleet.remove(id);
                world.specs.remove(&id);
            }
        }
    }
}

/// A world in the middle of its life, with work waiting.
pub(crate) fn any_world() -> impl Strategy<Value = World> {
    let nodes = prop::collection::vec(any_node(), 1..8);
    (nodes, prop::collection::vec(any_op(), 1..40), prop::collection::vec(any_ask(), 1..8), any::<bool>()).prop_map(
        |(nodes, ops, asks, priced)| {
            let mut world = world(nodes).priced(priced);
            for op in ops {
                perform(&mut world, op);
            }
            for ask in asks {
                world.submit(ask);
            }
            world
        },
    )
}

/// How many tasks of a shape fit into what is free on a node, counted one by one.
fn room(snapshot: &Snapshot, id: NodeId, shape: &Shape) -> u32 {
    let node = snapshot.fleet.get(id).expect("it is there");
    if node.state() != NodeState::Ready {
        return 0;
    }
    let (mut cpu, mut memory) = (node.cpu_free().0, node.memory_free().0);
    let wanted = &shape.task.accelerators;
    let suits = |model: &str| wanted.models.is_empty() || wanted.models.iter().any(|will_do| will_do == model);
    let suiting = node.accelerators().filter(|(model, _)| suits(model)).map(|(_, free)| free.0);
    let mut slots: u64 = suiting.map(|free| free / wanted.share.0).sum();
    let most = shape.tasks_per_node_max.unwrap_or(u32::MAX).min(shape.tasks);
    for fitted in 0..most {
        let (Some(cpu_left), Some(memory_left)) =
            (cpu.checked_sub(shape.task.cpu.0), memory.checked_sub(shape.task.memory.0))
        else {
            return fitted;
        };
        let Some(slots_left) = slots.checked_sub(u64::from(wanted.count)) else { return fitted };
        (cpu, memory, slots) = (cpu_left, memory_left, slots_left);
    }
    most
}

/// The same world with this alone waiting.
fn alone(world: &World, ask: &Ask) -> Snapshot {
    let mut world = world.clone();
    for workload in world.waiting.keys().copied().collect::<Vec<_>>() {
        world.cancel(workload);
    }
    world.submit(ask.clone());
    world.snapshot
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every plan on the way is lawful (`World::pass` checks it), and whatever happens, the maintained indexes are those
    /// that a fresh build gives, and give the same plan.
    #[test]
    fn maintained_indexes_equal_a_fresh_build(nodes in prop::collection::vec(any_node(), 0..6), ops in prop::collection::vec(any_op(), 1..60), priced: bool) {
        let mut world = world(nodes).priced(priced);
        for op in ops {
            perform(&mut world, op);
            let fresh = world.rebuilt();
            prop_assert_eq!(&fresh, &world.snapshot);
            prop_assert_eq!(fresh.queue.iter().count(), world.waiting.len());
        }
        prop_assert_eq!(plan(&world.rebuilt()), plan(&world.snapshot));
        prop_assert_eq!(plan(&world.snapshot), plan(&world.snapshot));
    }

    /// A workload alone is placed exactly where one by one counting finds room for all of it; where nothing was valued, a
    /// single task goes to the node with the least left; and what waits is promised the first time at which it would be placed.
    #[test]
    fn placing_is_exact(world in any_world(), ask in any_ask()) {
        let snapshot = alone(&world, &ask);
        let made = plan(&snapshot);
        let rooms: Vec<_> = world.specs.keys().map(|id| (*id, room(&snapshot, *id, &ask.0))).collect();
        let fits = rooms.iter().map(|(_, room)| *room).sum::<u32>() >= ask.0.tasks;
        prop_assert_eq!(made.grants.len(), usize::from(fits));
        if fits && ask.0.tasks == 1 && snapshot.basis.is_none() {
            let left = |id: &NodeId| {
                let node = snapshot.fleet.get(*id).expect("it is there");
                let share: u64 = node.accelerators().map(|(_, free)| free.0).sum();
                (share, node.cpu_free(), node.memory_free(), *id)
            };
            let best = rooms.iter().filter(|(_, room)| *room > 0).map(|(id, _)| left(id)).min().expect("one fits").3;
            prop_assert_eq!(made.grants[0].placement.tasks[0].node, best);
        }
        if !fits {
            let mut later = Snapshot { releases: Releases::new(), ..snapshot.clone() };
            let mut first = None;
            let leases: Vec<_> = snapshot.releases.iter().collect();
            for group in leases.chunk_by(|(a, ..), (b, ..)| a == b) {
                for task in group.iter().flat_map(|(_, _, tasks)| tasks.iter()) {
                    later.fleet.release(task);
                }
                if !plan(&later).grants.is_empty() {
                    first = Some(group[0].0.max(snapshot.now.after(Span::from_ms(1))));
                    break;
                }
            }
            prop_assert_eq!(made.holds.first().map(|hold| hold.at), first);
        }
    }

    /// Could it ever fit is what placing on the empty fleet says, and the largest that is named does fit.
    #[test]
    fn ever_fits_is_exact(nodes in prop::collection::vec(any_node(), 1..6), ask in any_ask()) {
        let empty = world(nodes);
        let fits = |ask: &Ask| !plan(&alone(&empty, ask)).grants.is_empty();
        match empty.snapshot.fleet.ever_fits(&ask.0) {
            Ok(()) => prop_assert!(fits(&ask)),
            Err(largest) => {
                prop_assert!(!fits(&ask));
                prop_assert!(largest.tasks < ask.0.tasks);
                if largest.tasks > 0 {
                    prop_assert!(fits(&ask.clone().tasks(largest.tasks)));
                }
                let one = Ask(Shape { tasks: 1, tasks_max: 1, ..ask.0.clone() });
                let try_one = |change: &dyn Fn(&mut Ask)| { let mut one = one.clone(); change(&mut one); fits(&one) };
                if largest.cpu > CpuMilli(0) {
                    prop_assert!(try_one(&|one| one.0.task.cpu = largest.cpu));
                    prop_assert!(!try_one(&|one| one.0.task.cpu = CpuMilli(largest.cpu.0 + 1)));
                }
                if largest.memory > gib(0) {
                    prop_assert!(try_one(&|one| one.0.task.memory = largest.memory));
                }
                if largest.accelerators > 0 && ask.0.task.accelerators.share == GpuMilli(1_000) {
                    prop_assert!(try_one(&|one| one.0.task.accelerators.count = largest.accelerators));
                    prop_assert!(!try_one(&|one| one.0.task.accelerators.count = largest.accelerators + 1));
                }
            }
        }
    }

    /// With real runs of at most their wall time and nothing of a higher priority, nobody starts later than promised, whatever
    /// windows lie ahead and however short what comes later is, and no promise moves back.
    #[test]
    fn nobody_starts_later_than_promised(
        nodes in prop::collection::vec(any_node(), 1..6),
        work in prop::collection::vec((any_ask(), 0..3_u32, 1..100_u64, 0..8_u64), 1..60),
        priced: bool,
        holds in 1..6_u32,
        order in prop_oneof![Just(Order::Priority), Just(Order::Sjf)],
        windows in prop::collection::vec((1..6_u64, 0..400_u64, 1..200_u64), 0..4),
    ) {
        let windows: Vec<_> = windows.iter().map(|(node, from, long)| (nd(*node), *from, from + long)).collect();
        let mut world = world(nodes).priced(priced).holds(holds).windows(&windows);
        world.snapshot.queue = Queue::in_order(order);
        let mut promises = Promises::default();
        let mut now = 0;
        for (ask, more, percent, gap) in work {
            let most = ask.0.tasks + more;
            let ask = ask.up_to(most);
            now += gap;
            for (_, plan) in world.until(secs(now)) {
                promises.note(&plan);
                promises.check(&world);
            }
            let runs = Span::from_ms(ask.0.wall.0 * percent / 100);
            world.submit_with(0, &ask, runs);
            promises.note(&world.pass());
            promises.check(&world);
        }
        world.until(secs(now + 10_000));
        promises.check(&world);
        // In the end only those wait that the empty fleet could not hold.
        prop_assert!(world.running.is_empty());
        prop_assert!(world.waiting.values().all(|entry| world.snapshot.fleet.ever_fits(&entry.shape).is_err()));
    }

    /// A plan that was tampered with does not pass the checker.
    #[test]
    fn tampered_plans_are_caught(world in any_world(), which in any::<prop::sample::Index>(), how in 0..10_usize) {
        let made = plan(&world.snapshot);
        prop_assert_eq!(check(&world.snapshot, &made), Ok(()));
        if let Some(tampered) = tamper(&made, which, how) {
            prop_assert!(check(&world.snapshot, &tampered).is_err(), "{how}: {tampered:?}");
        }
    }
}

/// A plan with one thing wrong, where it has the thing.
fn tamper(made: &Plan, which: prop::sample::Index, how: usize) -> Option<Plan> {
    let mut plan = made.clone();
    if how < 7 {
        if plan.grants.is_empty() {
            return None;
        }
        let index = which.index(plan.grants.len());
        let grant = &mut plan.grants[index];
        let tasks = &mut grant.placement.tasks;
        match how {
            0 => drop(tasks.pop()),
            1 => tasks[0].cpu = CpuMilli(tasks[0].cpu.0 + 1),
            2 => tasks[0].memory.0 += 1,
            3 => tasks[0].node = nd(9_999),
            4 => tasks[0].accelerators.first_mut()?.share.0 += 1,
            5 => tasks[0].accelerators.last_mut()?.index = 99,
            _ => {
                let again = grant.clone();
                plan.grants.push(again);
            }
        }
        return Some(plan);
    }
    let hold = plan.holds.first_mut()?;
    match how {
        7 => hold.at.0 -= i64::MAX / 2,
        8 => hold.latest.as_mut()?.0 -= 1,
        _ => hold.workload = plan.grants.first()?.workload,
    }
    Some(plan)
}
