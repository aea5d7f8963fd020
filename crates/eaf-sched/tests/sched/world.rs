//! A small factory around the scheduler: what the core does, in as few lines as will do.

use eaf_model::{
    Accelerator, AcceleratorRequest, Allotment, Bytes, CpuMilli, GpuMilli, LeaseId, NodeId, NodeSpec, Placement, Span,
    TaskRequest, Time, WorkloadId,
};
use eaf_sched::{
    Basis, Counts, Entry, Fleet, Hold, Mix, Plan, Queue, Releases, Scores, Shape, Snapshot, Told, Window, Windows,
    check, due,
};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

/// Builds a shape; one task of one CPU and 1 GiB for 100 s where nothing else is said.
#[derive(Clone, Debug)]
pub(crate) struct Ask(pub(crate) Shape);

pub(crate) fn ask() -> Ask {
    let task = TaskRequest { cpu: CpuMilli(1_000), memory: gib(1), accelerators: AcceleratorRequest::none() };
    Ask(Shape { tasks: 1, tasks_max: 1, tasks_per_node_max: None, task, wall: Span::from_secs(100), project: None })
}

impl Ask {
    pub(crate) fn tasks(mut self, tasks: u32) -> Self {
        self.0.tasks = tasks;
        self.0.tasks_max = tasks;
        self
    }
    pub(crate) fn up_to(mut self, tasks: u32) -> Self {
        self.0.tasks_max = tasks;
        self
    }
    pub(crate) fn per_node(mut self, max: u32) -> Self {
        self.0.tasks_per_node_max = Some(max);
        self
    }
    pub(crate) fn cpu(mut self, threads: u64) -> Self {
        self.0.task.cpu = CpuMilli(threads * 1_000);
        self
    }
    pub(crate) fn memory(mut self, gibs: u64) -> Self {
        self.0.task.memory = gib(gibs);
        self
    }
    pub(crate) fn boards(mut self, count: u32) -> Self {
        self.0.task.accelerators.count = count;
        self
    }
    pub(crate) fn share(mut self, milli: u64) -> Self {
        self.0.task.accelerators =
            AcceleratorRequest { count: 1, share: GpuMilli(milli), models: Vec::new(), slice: None };
        self
    }
    pub(crate) fn model(mut self, model: &str) -> Self {
        self.0.task.accelerators.models.push(model.to_owned());
        self
    }
    pub(crate) fn wall(mut self, secs: u64) -> Self {
        self.0.wall = Span::from_secs(secs);
        self
    }
}

pub(crate) fn gib(gibs: u64) -> Bytes {
    Bytes(gibs << 30)
}

pub(crate) fn node(threads: u64, gibs: u64, boards: &[&str]) -> NodeSpec {
    let board = |model: &&str| Accelerator { model: (*model).to_owned(), memory: None, uuid: None };
    NodeSpec {
        name: String::new(),
        cpu: CpuMilli(threads * 1_000),
        memory: gib(gibs),
        accelerators: boards.iter().map(board).collect(),
        fabric: Vec::new(),
        pretended: false,
        labels: BTreeMap::new(),
    }
}

/// The same node at a place in the fabric, such as `spine/leaf`; nowhere for an empty text.
pub(crate) fn within(fabric: &str, mut node: NodeSpec) -> NodeSpec {
    node.fabric = fabric.split('/').filter(|domain| !domain.is_empty()).map(str::to_owned).collect();
    node
}

pub(crate) fn nd(step: u64) -> NodeId {
    NodeId::of_step(step)
}

pub(crate) fn wl(step: u64) -> WorkloadId {
    WorkloadId::of_step(step)
}

pub(crate) fn secs(secs: u64) -> Time {
    Time(0).after(Span::from_secs(secs))
}

/// A lease of the world.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    /// When its wall time is over, as the scheduler knows.
    pub(crate) until: Time,
    /// When it will really end, which nobody knows.
    pub(crate) ends: Time,
    pub(crate) tasks: Arc<[Allotment]>,
    pub(crate) project: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) snapshot: Snapshot,
    pub(crate) specs: BTreeMap<NodeId, NodeSpec>,
    pub(crate) waiting: BTreeMap<WorkloadId, Entry>,
    pub(crate) running: BTreeMap<LeaseId, Running>,
    /// How long each workload really runs.
    runs: BTreeMap<WorkloadId, Span>,
    /// When each workload started.
    pub(crate) started: BTreeMap<WorkloadId, Time>,
    next: u64,
    /// How many have had a turn that they keep.
    turns: u64,
    /// True where nodes are chosen by what they lose.
    priced: bool,
    /// When windows begin and end.
    edges: Vec<Time>,
    /// What has been asked for.
    mix: Mix,
    /// What is remembered from pass to pass.
    scores: Scores,
}

/// The plan of one who remembers nothing.
pub(crate) fn plan(snapshot: &Snapshot) -> Plan {
    eaf_sched::plan(snapshot, &mut Scores::default())
}

/// A world with these nodes, from `nd-1` up, and nothing else.
pub(crate) fn world(nodes: impl IntoIterator<Item = NodeSpec>) -> World {
    let mut world = World {
        snapshot: Snapshot { holds_max: 1, grants_max: 1_000, shapes_max: 1_000, ..Snapshot::default() },
        specs: BTreeMap::new(),
        waiting: BTreeMap::new(),
        running: BTreeMap::new(),
        runs: BTreeMap::new(),
        started: BTreeMap::new(),
        next: 1,
        turns: 0,
        priced: false,
        edges: Vec::new(),
        mix: Mix::default(),
        scores: Scores::default(),
    };
    for (spec, step) in nodes.into_iter().zip(1..) {
        world.snapshot.fleet.add(nd(step), &spec);
        world.specs.insert(nd(step), spec);
    }
    world
}

impl World {
    /// The same, where nodes are chosen by what they lose.
    pub(crate) fn priced(mut self, priced: bool) -> Self {
        self.priced = priced;
        self
    }

    /// The same, where the first so many who cannot start are promised a start.
    pub(crate) fn holds(mut self, max: u32) -> Self {
        self.snapshot.holds_max = max;
        self
    }

    /// The same, with nodes that are kept from everybody from one second to another.
    pub(crate) fn windows(mut self, windows: &[(NodeId, u64, u64)]) -> Self {
        let window = |&(node, from, until): &_| Window { from: secs(from), until: secs(until), node, project: None };
        self.edges = windows.iter().flat_map(|(_, from, until)| [secs(*from), secs(*until)]).collect();
        self.snapshot.windows = Windows::new(windows.iter().map(window).collect());
        self
    }

    /// Submits at priority 0 what runs for its whole wall time; ids rise from `wl-1`.
    #[allow(clippy::needless_pass_by_value, reason = "a shape is built where it is submitted")]
    pub(crate) fn submit(&mut self, ask: Ask) -> WorkloadId {
        let runs = ask.0.wall;
        self.submit_with(0, &ask, runs)
    }

    pub(crate) fn submit_with(&mut self, priority: i32, ask: &Ask, runs: Span) -> WorkloadId {
        let workload = wl(self.next);
        self.next += 1;
        let shape = Arc::new(ask.0.clone());
        let entry = Entry::new(workload, priority, self.snapshot.now, shape);
        self.mix.record(&ask.0, 1);
        self.snapshot.queue.insert(entry.clone());
        self.waiting.insert(workload, entry);
        self.runs.insert(workload, runs);
        workload
    }

    pub(crate) fn cancel(&mut self, workload: WorkloadId) {
        let entry = self.waiting.remove(&workload).expect("it waits");
        self.snapshot.queue.remove(&entry);
    }

    /// Plans, checks the plan, and makes it true.
    pub(crate) fn pass(&mut self) -> Plan {
        let is_due = due(&self.snapshot.fleet, self.snapshot.basis.as_deref(), || self.mix.clone());
        if let Some(valued) = is_due.filter(|_| self.priced) {
            if valued.forget {
                self.mix.forget();
            }
            self.snapshot.basis = Some(Arc::new(Basis { mix: self.mix.clone(), valuation: valued.valuation }));
        }
        let made = eaf_sched::plan(&self.snapshot, &mut self.scores);
        assert_eq!(made, plan(&self.snapshot), "what is remembered changes no plan");
        check(&self.snapshot, &made).unwrap_or_else(|wrong| panic!("{wrong}\n{}", show(&made)));
        self.make(&made);
        made
    }

    /// Makes the grants and promises of a plan true.
    pub(crate) fn make(&mut self, made: &Plan) {
        let told = Told::of(&self.snapshot, made);
        for grant in &made.grants {
            self.start(grant.workload, &grant.placement);
        }
        for (workload, _) in told.told {
            self.turns += 1;
            let turn = self.turns;
            self.change(workload, |entry| {
                entry.turn.get_or_insert(turn);
                entry.turn_between = Some(turn);
            });
        }
        for workload in told.passed {
            self.change(workload, |entry| entry.turn_between = None);
        }
    }

    fn change(&mut self, workload: WorkloadId, how: impl FnOnce(&mut Entry)) {
        let entry = self.waiting.get_mut(&workload).expect("it waits");
        self.snapshot.queue.remove(entry);
        how(entry);
        self.snapshot.queue.insert(entry.clone());
    }

    fn start(&mut self, workload: WorkloadId, placement: &Placement) {
        let now = self.snapshot.now;
        let entry = self.waiting.remove(&workload).expect("it waits");
        self.snapshot.queue.remove(&entry);
        for task in &placement.tasks {
            self.snapshot.fleet.hold(task);
        }
        let lease = LeaseId::of_step(self.next);
        self.next += 1;
        let tasks: Arc<[Allotment]> = placement.tasks.clone().into();
        let until = now.after(entry.shape.wall);
        let project = entry.shape.project.clone();
        self.snapshot.releases.insert(until, lease, tasks.clone(), Counts::For(project.clone()));
        let ends = now.after(self.runs[&workload]);
        self.running.insert(lease, Running { until, ends, tasks, project });
        self.started.insert(workload, now);
    }

    /// Ends a lease now.
    pub(crate) fn end(&mut self, lease: LeaseId) {
        let ended = self.running.remove(&lease).expect("it runs");
        self.snapshot.releases.remove(ended.until, lease);
        for task in ended.tasks.iter() {
            self.snapshot.fleet.release(task);
        }
    }

    /// Lets time pass up to `at`, with a pass whenever something ends; gives the plans and their times.
    pub(crate) fn until(&mut self, at: Time) -> Vec<(Time, Plan)> {
        let mut plans = Vec::new();
        loop {
            let ends = self.running.values().map(|lease| lease.ends);
            let edges = self.edges.iter().copied().filter(|edge| *edge > self.snapshot.now);
            let Some(next) = ends.chain(edges).min().filter(|next| *next <= at) else { break };
            self.snapshot.now = next;
            let due: Vec<_> = self.running.iter().filter(|(_, lease)| lease.ends <= next).map(|(id, _)| *id).collect();
            for lease in due {
                self.end(lease);
            }
            plans.push((next, self.pass()));
        }
        self.snapshot.now = at;
        plans
    }

    /// The same snapshot, its indexes built afresh from what is true.
    pub(crate) fn rebuilt(&self) -> Snapshot {
        let mut fleet = Fleet::new();
        for (id, spec) in self.specs.iter().rev() {
            fleet.add(*id, spec);
            fleet.set_state(*id, self.snapshot.fleet.get(*id).expect("it is there").state());
        }
        let mut releases = Releases::new();
        for (id, lease) in self.running.iter().rev() {
            releases.insert(lease.until, *id, lease.tasks.clone(), Counts::For(lease.project.clone()));
            for task in lease.tasks.iter() {
                fleet.hold(task);
            }
        }
        let mut queue = Queue::new();
        for entry in self.waiting.values().rev() {
            queue.insert(entry.clone());
        }
        Snapshot { fleet, queue, releases, ..self.snapshot.clone() }
    }
}

/// A plan as text: `wl-1: nd-1[0 1], nd-2` a grant, boards in brackets, a share as `0:250`; holds last, with their
/// time in seconds, and the latest where that is another or is not promised.
pub(crate) fn show(plan: &Plan) -> String {
    let mut text = String::new();
    for grant in &plan.grants {
        let _ = writeln!(text, "{}: {}", grant.workload, show_placement(&grant.placement));
    }
    for Hold { workload, at, latest, placement } in &plan.holds {
        let clock = |at: &Time| {
            let after = at.since(Time(0)).0;
            format!("{}.{:03}", after / 1_000, after % 1_000)
        };
        let latest = match latest {
            None => " or later".to_owned(),
            Some(latest) if latest == at => String::new(),
            Some(latest) => format!(" or {}", clock(latest)),
        };
        let _ = writeln!(text, "hold {workload} at {}{latest}: {}", clock(at), show_placement(placement));
    }
    text
}

fn show_placement(placement: &Placement) -> String {
    let show_task = |task: &Allotment| {
        let boards = task.accelerators.iter().map(|board| match board.share.0 {
            1_000 => board.index.to_string(),
            share => format!("{}:{share}", board.index),
        });
        let boards = boards.collect::<Vec<_>>().join(" ");
        if boards.is_empty() { task.node.to_string() } else { format!("{}[{boards}]", task.node) }
    };
    placement.tasks.iter().map(show_task).collect::<Vec<_>>().join(", ")
}
