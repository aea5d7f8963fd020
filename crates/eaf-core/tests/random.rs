//! Random inputs against the core: invariants hold after every step, and history gives the state again.
//!
//! What: a fleet, workloads and an engine that reports late, twice, out of order and about leases of others, all drawn
//! from a seed. Absent: crashes and stores; the twin's search adds them.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "what is drawn is small")]

use eaf_core::{State, check_invariants, decide, next_wakeup, outstanding, replay, step};
use eaf_model::{
    Accelerator, AcceleratorRequest, Bytes, Checkpoint, CpuMicros, CpuMilli, Effect, Event, Exit, GpuMilli, Input,
    LeaseId, Maintenance, ModeReport, ModeScope, ModeState, NodeId, NodeSpec, OnLoss, Order, PartitionBook,
    PartitionMode, Passing, Placing, Policy, QueueSettings, Quota, Rejection, Reservation, Settings, Share,
    SliceProfile, Span, Submission, TaskKey, TaskReport, TaskRequest, Time, Usage, WorkloadId, WorkloadSpec,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

const PROJECTS: [&str; 3] = ["lab", "speech", "vision"];

/// A small generator, so that a seed alone tells the whole story.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        // SplitMix64 (Steele, Lea and Flood, 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { Some(from[self.below(from.len() as u64) as usize]) }
    }
}

fn node(draw: &mut Draw, n: u64) -> NodeSpec {
    let model = if n.is_multiple_of(3) { "H200" } else { "MI355X" };
    let accelerator = Accelerator { model: model.to_owned(), memory: None, uuid: None };
    NodeSpec {
        name: format!("node-{n}"),
        cpu: CpuMilli(4_000 + 1_000 * draw.below(5)),
        memory: Bytes((8 + draw.below(8)) << 30),
        accelerators: vec![accelerator; draw.below(5) as usize],
        fabric: Vec::new(),
        pretended: true,
        labels: BTreeMap::new(),
    }
}

/// H200s can be cut into unlike slices, MI355Xs into equal ones, each alone or all of a node.
fn book() -> PartitionBook {
    let slice = |profile: &str, share, slots, starts: &[u8]| SliceProfile {
        profile: profile.to_owned(),
        share: GpuMilli(share),
        memory: None,
        slots,
        starts: starts.to_vec(),
    };
    let mode = |name: &str, scope, slots, slices| PartitionMode {
        name: name.to_owned(),
        scope,
        slots,
        slices_per_task_max: 0,
        slices,
    };
    let unlike = vec![slice("1g", 200, 1, &[0, 1, 2]), slice("2g", 500, 2, &[0, 2])];
    let halves = vec![slice("DPX", 500, 1, &[0, 1])];
    let eighths = vec![slice("CPX/NPS4", 125, 1, &[0, 1, 2, 3, 4, 5, 6, 7])];
    let mut book = PartitionBook::default();
    book.models.insert("H200".to_owned(), vec![mode("MIG", ModeScope::Accelerator, 4, unlike)]);
    let cpx = mode("CPX/NPS4", ModeScope::Node, 8, eighths);
    book.models.insert("MI355X".to_owned(), vec![mode("DPX", ModeScope::Accelerator, 2, halves), cpx]);
    book
}

/// Something that concerns modes: an order of an operator, an answer to an order, or what is seen in force.
fn of_modes(draw: &mut Draw, state: &State) -> Input {
    let nodes: Vec<NodeId> =
        state.nodes().filter(|(_, node)| !node.spec.accelerators.is_empty()).map(|(id, _)| *id).collect();
    let Some(node) = draw.pick(&nodes) else { return Input::Plan };
    let record = state.node(node).expect("it is there");
    let mode = (*draw.pick(&["whole", "MIG", "DPX", "CPX/NPS4"]).expect("there are some")).to_owned();
    let changing = record.modes.iter().find(|(_, mode)| mode.state == ModeState::Changing);
    if let Some((board, change)) = changing.filter(|_| !draw.one_in(4)) {
        let order = change.order - u64::from(draw.one_in(8));
        let wanted = change.to.clone().unwrap_or_default();
        let report = match draw.below(8) {
            0 => ModeReport::Failed { why: "no".to_owned() },
            1 => ModeReport::InForce { mode },
            _ => ModeReport::InForce { mode: wanted.clone() },
        };
        let together = record.modes.iter().filter(|(_, other)| other.to.as_ref() == Some(&wanted));
        let together: Vec<u16> = together.map(|(board, _)| *board).collect();
        let accelerators = if draw.one_in(8) { vec![*board] } else { together };
        return Input::ModeReported { node, accelerators, order, report };
    }
    let board = draw.below(record.spec.accelerators.len() as u64) as u16;
    if draw.one_in(4) {
        return Input::ModesSeen { name: record.spec.name.clone(), modes: vec![(board, mode)] };
    }
    let accelerators = if draw.one_in(6) { vec![board] } else { state.boards_together(record, board, &mode) };
    Input::SetMode { node, accelerators, mode, by: "someone".to_owned() }
}

fn submission(draw: &mut Draw, now: Time, known: &[WorkloadId]) -> Submission {
    let mut spec = WorkloadSpec::command(&["true"]);
    spec.tasks = if draw.one_in(4) { 1 + draw.below(6) as u32 } else { 1 };
    spec.tasks_min = (spec.tasks > 1 && draw.one_in(2)).then(|| 1 + draw.below(u64::from(spec.tasks)) as u32);
    spec.tasks_per_node_max = draw.one_in(5).then(|| 1 + draw.below(3) as u32);
    spec.priority = draw.below(3) as i32 - 1;
    spec.retries = draw.below(3) as u32;
    spec.preemptible = !draw.one_in(4);
    if draw.one_in(2) {
        PROJECTS[draw.below(3) as usize].clone_into(&mut spec.project);
    }
    spec.keeps_progress = draw.one_in(4);
    spec.wall_time = draw.one_in(2).then(|| Span(1 + draw.below(20_000)));
    spec.expires_after = draw.one_in(6).then(|| Span(1 + draw.below(10_000)));
    spec.deadline = draw.one_in(12).then(|| now.after(Span(draw.below(60_000))));
    spec.on_loss = if draw.one_in(4) { OnLoss::Fail } else { OnLoss::Requeue };
    spec.task = TaskRequest {
        cpu: CpuMilli(1 + draw.below(3_000)),
        memory: Bytes((1 + draw.below(4)) << 30),
        accelerators: AcceleratorRequest::none(),
    };
    if draw.one_in(3) {
        let count = 1 + draw.below(2) as u32;
        let share = if count == 1 && draw.one_in(2) { 1 + draw.below(1_000) } else { 1_000 };
        let models = if draw.one_in(3) { vec!["H200".to_owned()] } else { Vec::new() };
        spec.task.accelerators = AcceleratorRequest { count, share: GpuMilli(share), models, slice: None };
    }
    if draw.one_in(3) {
        let slice = draw.pick(&["1g", "2g", "DPX", "CPX", "CPX/NPS4", "9g"]).map(str::to_owned);
        spec.task.accelerators =
            AcceleratorRequest { count: 1 + draw.below(3) as u32, slice, ..AcceleratorRequest::none() };
    }
    match draw.below(16) {
        0..=3 => spec.after_ok.extend(draw.pick(known)),
        4..=6 => spec.after_any.extend(draw.pick(known)),
        _ => {}
    }
    let array = if draw.one_in(6) { (0..=draw.below(5) as u16).map(|v| v * 2).collect() } else { Vec::new() };
    let key = draw.one_in(3).then(|| format!("key-{}", draw.below(40)));
    Submission { spec, array, key, by: "someone".to_owned(), ended: Vec::new() }
}

/// Short times, so that levels, ages and stops for others all come about.
fn queue(draw: &mut Draw) -> QueueSettings {
    let orders = [Order::Priority, Order::Priority, Order::Fifo, Order::Sjf, Order::Las, Order::Las];
    let passings = [Passing::Strict, Passing::Skip, Passing::Backfill];
    QueueSettings {
        order: draw.pick(&orders).unwrap_or_default(),
        passing: draw.pick(&passings).unwrap_or_default(),
        holds: 1 + draw.below(5) as u32,
        placing: if draw.one_in(3) { Placing::Reference } else { Placing::Eaf },
        head_after: if draw.one_in(4) { Span(draw.below(20_000)) } else { Span::ZERO },
        preempt_after: if draw.one_in(2) { Span(draw.below(800)) } else { Span::ZERO },
        level_service: Span(1 + draw.below(3_000)),
        level_ratio: 2 + draw.below(3) as u32,
    }
}

/// Shares and windows, some of which do not hold together.
fn policy(draw: &mut Draw, now: Time) -> Policy {
    let mut policy = Policy { half_life: Span(1 + draw.below(20_000)), ..Policy::default() };
    for name in PROJECTS {
        if draw.one_in(2) {
            let guaranteed = draw.below(3) as u32;
            let borrowable = draw.one_in(2).then(|| draw.below(u64::from(guaranteed) + 1) as u32);
            let maximum = draw.one_in(2).then(|| guaranteed + draw.below(4) as u32);
            let quota = Quota { guaranteed, borrowable, maximum };
            let parent = draw.one_in(5).then(|| "lab".to_owned());
            let accelerators = BTreeMap::from([("MI355X".to_owned(), quota)]);
            let (priority, spot) = (draw.below(3) as i32 - 1, draw.below(4) == 0);
            let weight = 1 + draw.below(3) as u32;
            policy.shares.insert(name.to_owned(), Share { parent, weight, priority, spot, accelerators });
        }
    }
    if draw.one_in(2) {
        let nodes = vec![format!("node-{}", draw.below(8))];
        let from = now.after(Span(draw.below(9_000)));
        let until = from.after(Span(draw.below(5_000)));
        if draw.one_in(2) {
            policy.maintenance.insert("fan".to_owned(), Maintenance { nodes, from, until });
        } else {
            let project = PROJECTS[draw.below(3) as usize].to_owned();
            policy.reservations.insert("class".to_owned(), Reservation { project, nodes, from, until });
        }
    }
    policy
}

fn report(draw: &mut Draw, now: Time) -> TaskReport {
    let usage = Usage {
        cpu: CpuMicros(draw.below(9_000_000)),
        memory_peak: Some(Bytes(draw.below(1 << 30))),
        ..Usage::default()
    };
    let at = Time(now.0 - 50 + draw.below(100) as i64);
    match draw.below(12) {
        10 | 11 => {
            let label = draw.one_in(2).then(|| format!("epoch\u{7} {}", draw.below(9)));
            TaskReport::Checkpointed(Checkpoint { at, label, whole_gang: draw.one_in(4) })
        }
        0 => TaskReport::Accepted,
        1..=3 => TaskReport::Started { at },
        4 => TaskReport::Used { usage },
        5 | 8 => TaskReport::Exited { at, exit: Exit::Code(1), usage },
        6 => TaskReport::Exited { at, exit: Exit::Lost("gone".to_owned()), usage },
        7 => TaskReport::Unknown,
        _ => TaskReport::Exited { at, exit: Exit::Code(0), usage },
    }
}

/// An input drawn with the state in view, so that most of them mean something.
fn input(draw: &mut Draw, state: &State, now: Time, seen: &[TaskKey], known: &[WorkloadId]) -> Input {
    let nodes: Vec<_> = state.nodes().map(|(id, _)| *id).collect();
    let live: Vec<_> = state.workloads().map(|workload| workload.id).collect();
    match draw.below(48) {
        40..=47 => of_modes(draw, state),
        0 => Input::NodeSeen(node(draw, 8)),
        1 => {
            // The same machine with other parts.
            let n = draw.below(8);
            Input::NodeSeen(node(draw, n))
        }
        2 => {
            let name = draw.below(8);
            let back = state.node_named(&format!("node-{name}")).map(|node| (*node.spec).clone());
            Input::NodeSeen(back.unwrap_or_else(|| node(draw, name)))
        }
        3 => draw.pick(&nodes).map_or(Input::Plan, |node| Input::NodeLost { node, why: "silent".to_owned() }),
        4 => draw.pick(&nodes).map_or(Input::Plan, |node| Input::Cordon { node, why: "fan".to_owned() }),
        5 => draw.pick(&nodes).map_or(Input::Plan, |node| Input::Uncordon { node }),
        6 => draw.pick(&nodes).map_or(Input::Plan, |node| Input::RemoveNode { node }),
        7..=14 => Input::Submit(Box::new(submission(draw, now, known))),
        15..=16 => {
            let workload = draw.pick(&live).unwrap_or(WorkloadId::of_step(1));
            let workload = if draw.one_in(3) { workload.list() } else { workload };
            Input::Cancel { workload, by: "someone".to_owned() }
        }
        17..=20 => Input::Wake,
        21..=24 => Input::Plan,
        25 => Input::Reported {
            key: TaskKey { lease: LeaseId::of_step(draw.below(900)), task: 0 },
            report: report(draw, now),
        },
        27 | 28 => Input::ApplyPolicy { policy: Box::new(policy(draw, now)), by: "someone".to_owned() },
        26 if draw.one_in(4) => {
            let mut settings = Settings::default();
            settings.limits.remembered_max = 1 + draw.below(50) as u32;
            settings.limits.nodes_max = 4 + draw.below(8);
            settings.limits.live_workloads_max = 10 + draw.below(60);
            settings.timing.lost_node_grace = Span(draw.below(5_000));
            settings.timing.mode_change = Span(draw.below(5_000));
            settings.timing.mode_change_timeout = Span(1 + draw.below(9_000));
            settings.partitions = if draw.one_in(4) { PartitionBook::default() } else { book() };
            settings.queue = queue(draw);
            settings.limits.preemptions_max = draw.below(6) as u32;
            settings.prices.cpu_hour = eaf_model::MicroWon(70_000_000);
            Input::Configure(Box::new(settings))
        }
        _ => {
            let owed: Vec<TaskKey> = outstanding(state).iter().filter_map(Effect::key).collect();
            let key = if draw.one_in(2) { draw.pick(&owed) } else { draw.pick(seen) };
            key.map_or(Input::Plan, |key| Input::Reported { key, report: report(draw, now) })
        }
    }
}

/// What was seen, and how often.
type Coverage = BTreeMap<&'static str, u32>;

/// Plays `inputs` inputs of a seed and holds the state against its history in every way there is.
fn play(seed: u64, inputs: u32, coverage: &mut Coverage) {
    let mut draw = Draw(seed);
    let (mut live, mut again) = (State::new(), State::new());
    let mut now = Time(1_000_000);
    let (mut seen, mut known, mut steps) = (Vec::new(), Vec::new(), 0u64);
    let mut settings = Settings { partitions: book(), ..Settings::default() };
    settings.timing.mode_change_timeout = Span(9_000);
    settings.queue.preempt_after = Span(500);
    let configured = step(&mut live, now, &Input::Configure(Box::new(settings))).expect("the settings hold together");
    replay(&mut again, &configured);
    steps += 1;
    for n in 0..8 {
        let spec = node(&mut draw, n);
        let first = step(&mut live, now, &Input::NodeSeen(spec)).expect("a node joins");
        replay(&mut again, &first);
        steps += 1;
    }
    if draw.one_in(2) {
        let settings = Settings { queue: queue(&mut draw), ..Settings::default() };
        let first = step(&mut live, now, &Input::Configure(Box::new(settings))).expect("the settings pass");
        replay(&mut again, &first);
        steps += 1;
    }
    for _ in 0..inputs {
        now = now.after(Span(draw.below(400)));
        if draw.one_in(3) {
            now = next_wakeup(&live).map_or(now, |wakeup| now.max(wakeup.at.min(now.after(Span(5_000)))));
        }
        let input = input(&mut draw, &live, now, &seen, &known);
        let before = live.clone();
        let asked = decide(&live, now, &input);
        match step(&mut live, now, &input) {
            Ok(done) => {
                assert_eq!(asked.as_ref(), Ok(&done.events), "seed {seed}: asking and doing differ on {input:?}");
                if done.events.is_empty() {
                    assert_eq!(live, before, "seed {seed}: {input:?} made no event and changed the state");
                    continue;
                }
                steps += 1;
                for event in &done.events {
                    *coverage.entry(event.kind()).or_default() += 1;
                }
                assert_eq!(done.number, steps);
                let ended = replay(&mut again, &done);
                assert_eq!(ended, done.ended);
                known.extend(done.ended.iter().map(|workload| workload.id));
                known.extend(live.workloads().next_back().map(|workload| workload.id));
                seen.extend(outstanding(&live).iter().filter_map(Effect::key));
            }
            Err(rejection) => {
                *coverage.entry(rejection.code()).or_default() += 1;
                assert_eq!(asked, Err(rejection.clone()));
                assert_eq!(live, before, "seed {seed}: {rejection:?} changed the state");
            }
        }
        check_invariants(&live).unwrap_or_else(|violation| panic!("seed {seed}, after {input:?}: {violation}"));
    }
    assert_eq!(live, again, "seed {seed}: live state and replayed state differ");
    let stored = serde_json::to_string(&live).expect("a state is JSON");
    let loaded: State = serde_json::from_str(&stored).expect("a stored state loads");
    assert_eq!(live, loaded, "seed {seed}: live state and loaded snapshot differ");
}

/// Refusals that these inputs cannot bring about; the twin's search aims at them.
const NOT_HERE: [&str; 5] = ["invalid", "no_nodes", "unknown_node", "time_went_back", "settings_invalid"];

#[test]
fn fixed_seeds_hold_and_meet_every_event() {
    let mut coverage = Coverage::new();
    for seed in 0..800 {
        play(seed, 100, &mut coverage);
    }
    let expected = Event::KINDS.into_iter().chain(Rejection::CODES).filter(|kind| !NOT_HERE.contains(kind));
    let missing: Vec<_> = expected.filter(|kind| !coverage.contains_key(*kind)).collect();
    assert!(missing.is_empty(), "never seen: {missing:?}; seen: {coverage:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn live_state_equals_replayed_state(seed: u64) {
        play(seed, 400, &mut Coverage::new());
    }
}
