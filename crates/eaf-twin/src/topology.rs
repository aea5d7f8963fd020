//! How far apart gangs land: domains crossed on a real fabric, by the factory's planner and by simpler choices.
//!
//! What: reads a fabric (a host a row, its domains outermost first), keeps it nearly full with gangs of whole hosts that
//! come and go at random, and counts the domains of each level that every gang touches. All choosers meet the same gangs
//! in the same order. Absent: what crossing a domain costs; that is the network's and the workload's.

use crate::draw::Draw;
use crate::trace::{CellProblem, Rows, TraceError};
use eaf_model::{
    Accelerator, AcceleratorRequest, Allotment, Bytes, CpuMilli, GpuMilli, NodeId, NodeSpec, Span, TaskRequest, Time,
    WorkloadId,
};
use eaf_sched::{Entry, Fleet, Queue, Scores, Shape, Snapshot, plan};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

/// Accelerators of a host; a gang's tasks take whole hosts.
const PER_HOST: u32 = 8;
/// Gangs before counting begins, so that the fabric is as full as it stays.
const WARM_UP: usize = 1_000;

/// A host and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name.
    pub name: String,
    /// Its domains, outermost first.
    pub fabric: Vec<String>,
}

/// The hosts of a file: the first column names the host, the others its domains, outermost first.
///
/// # Errors
/// Where the file is no fabric; the place is named.
pub fn hosts(source: impl Read) -> Result<Vec<Host>, TraceError> {
    let mut rows = Rows::open(source)?;
    if rows.columns() < 2 {
        return Err(TraceError::MissingColumn { missing: "of a domain", found: rows.headings() });
    }
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    let mut hosts = Vec::new();
    while let Some((line, cells)) = rows.next()? {
        if let Some(column) = cells.iter().position(String::is_empty) {
            let (value, problem) = (String::new(), CellProblem::Empty);
            return Err(TraceError::Cell { line, column: column + 1, name: "a name", value, problem });
        }
        let mut cells = cells.into_iter();
        let name = cells.next().unwrap_or_default();
        if let Some(first) = lines.insert(name.clone(), line) {
            return Err(TraceError::NodeTwice { line, first, name });
        }
        hosts.push(Host { name, fabric: cells.collect() });
    }
    if hosts.is_empty() { Err(TraceError::NoRows) } else { Ok(hosts) }
}

/// Who chooses the hosts of a gang.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chooser {
    /// The factory's planner, which knows the fabric.
    Fabric,
    /// The factory's planner, which is not told of it: best fit.
    BestFit,
    /// The first free hosts, in the order of the file.
    FirstFit,
    /// Any free hosts.
    Random,
}

/// How many gangs of how many hosts come.
pub type Mix = [(u32, u64)];

/// Jobs of the Philly trace (2017) of eight accelerators and more, in hosts of eight.
pub const PHILLY_MIX: [(u32, u64); 6] = [(1, 1_643), (2, 206), (3, 7), (4, 67), (8, 6), (16, 3)];
/// Gangs of training at scale, as many of each size: made up.
pub const LARGE_MIX: [(u32, u64); 6] = [(2, 1), (4, 1), (8, 1), (16, 1), (32, 1), (64, 1)];

/// What came of a run, over gangs of more than one host.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Crossed {
    /// Gangs that were counted.
    pub gangs: u64,
    /// The mean number of domains that a gang touches, by level, outermost first.
    pub domains_mean: Vec<f64>,
}

/// Runs so many gangs of a mix on hosts, with this share of them (in thousandths) held at the most.
pub fn run(hosts: &[Host], mix: &Mix, chooser: Chooser, gangs: usize, full_milli: usize, seed: u64) -> Crossed {
    let mut draw = Draw::new(seed);
    let mut yard = Yard::new(hosts, chooser, seed);
    let most = hosts.len() * full_milli / 1_000;
    let levels = hosts.first().map_or(0, |host| host.fabric.len());
    let (mut counted, mut sums) = (0_u64, vec![0_u64; levels]);
    for number in 0..WARM_UP + gangs {
        let wanted = size(&mut draw, mix).min(u32::try_from(most).unwrap_or(u32::MAX));
        while yard.held + wanted as usize > most {
            // Which gang ends is drawn beside the choice, so that all choosers meet the same story.
            let which = draw.bits();
            yard.end(which);
        }
        let chosen = yard.start(wanted);
        if number < WARM_UP || wanted < 2 {
            continue;
        }
        counted += 1;
        for (level, sum) in sums.iter_mut().enumerate() {
            let touched: BTreeSet<&[String]> =
                chosen.iter().map(|host| &hosts[*host].fabric[..=level.min(hosts[*host].fabric.len() - 1)]).collect();
            *sum += touched.len() as u64;
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "means of small counts")]
    let mean = |sum: u64| sum as f64 / counted.max(1) as f64;
    Crossed { gangs: counted, domains_mean: sums.into_iter().map(mean).collect() }
}

fn size(draw: &mut Draw, mix: &Mix) -> u32 {
    let mut at = draw.below(mix.iter().map(|(_, weight)| weight).sum());
    for (hosts, weight) in mix {
        if at < *weight {
            return *hosts;
        }
        at -= weight;
    }
    1
}

/// The hosts, and which gangs hold them.
struct Yard {
    chooser: Chooser,
    draw: Draw,
    fleet: Fleet,
    free: BTreeSet<usize>,
    running: Vec<Vec<Allotment>>,
    held: usize,
    scores: Scores,
}

impl Yard {
    fn new(hosts: &[Host], chooser: Chooser, seed: u64) -> Self {
        let mut fleet = Fleet::new();
        for (host, step) in hosts.iter().zip(1..) {
            fleet.add(NodeId::of_step(step), &spec(host, chooser == Chooser::Fabric));
        }
        let free = (0..hosts.len()).collect();
        Self { chooser, draw: Draw::new(!seed), fleet, free, running: Vec::new(), held: 0, scores: Scores::default() }
    }

    /// Starts a gang for which there is room; gives its hosts.
    fn start(&mut self, wanted: u32) -> Vec<usize> {
        let tasks = match self.chooser {
            Chooser::Fabric | Chooser::BestFit => self.planned(wanted),
            Chooser::FirstFit => self.free.iter().take(wanted as usize).map(|host| whole(*host)).collect(),
            Chooser::Random => {
                let mut free: Vec<usize> = self.free.iter().copied().collect();
                let mut pick = || {
                    let at = self.draw.below(free.len() as u64);
                    whole(free.swap_remove(usize::try_from(at).unwrap_or(0)))
                };
                (0..wanted).map(|_| pick()).collect()
            }
        };
        let chosen: Vec<usize> = tasks.iter().map(|task| host_of(task.node)).collect();
        for (task, host) in tasks.iter().zip(&chosen) {
            self.fleet.hold(task);
            assert!(self.free.remove(host), "a gang takes free hosts");
        }
        self.held += chosen.len();
        self.running.push(tasks);
        chosen
    }

    /// What the planner of the factory grants to a queue of this gang alone.
    fn planned(&mut self, wanted: u32) -> Vec<Allotment> {
        let shape = Shape {
            tasks: wanted,
            tasks_max: wanted,
            tasks_per_node_max: None,
            task: request(),
            wall: Span::from_secs(3_600),
            project: None,
        };
        let mut queue = Queue::new();
        let workload = WorkloadId::of_step(1);
        queue.insert(Entry::new(workload, 0, Time(0), Arc::new(shape)));
        let fleet = self.fleet.clone();
        let snapshot = Snapshot { now: Time(1), fleet, queue, grants_max: 1, shapes_max: 1, ..Snapshot::default() };
        plan(&snapshot, &mut self.scores)
            .grants
            .pop()
            .map(|grant| grant.placement.tasks)
            .expect("there is room for the gang")
    }

    /// Ends one of the gangs that run.
    fn end(&mut self, which: u64) {
        let at = usize::try_from(which % self.running.len() as u64).unwrap_or(0);
        for task in self.running.swap_remove(at) {
            self.fleet.release(&task);
            self.free.insert(host_of(task.node));
            self.held -= 1;
        }
    }
}

fn request() -> TaskRequest {
    let accelerators = AcceleratorRequest { count: PER_HOST, share: GpuMilli(1_000), models: Vec::new(), slice: None };
    TaskRequest { cpu: CpuMilli(1_000), memory: Bytes(1 << 30), accelerators }
}

fn spec(host: &Host, told: bool) -> NodeSpec {
    let accelerator = Accelerator { model: crate::fleet::UNNAMED_MODEL.to_owned(), memory: None, uuid: None };
    NodeSpec {
        name: host.name.clone(),
        cpu: CpuMilli(1_000),
        memory: Bytes(1 << 30),
        accelerators: vec![accelerator; PER_HOST as usize],
        fabric: if told { host.fabric.clone() } else { Vec::new() },
        pretended: true,
        labels: BTreeMap::new(),
    }
}

/// A task that takes a whole host.
fn whole(host: usize) -> Allotment {
    let node = NodeId::of_step(host as u64 + 1);
    let board = |index| eaf_model::AllottedAccelerator::of(index, GpuMilli(1_000));
    let accelerators = (0..u16::try_from(PER_HOST).unwrap_or(0)).map(board).collect();
    Allotment { node, cpu: CpuMilli(1_000), memory: Bytes(1 << 30), accelerators }
}

fn host_of(node: NodeId) -> usize {
    usize::try_from(node.step() - 1).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clos() -> Vec<Host> {
        let place = |n: usize| vec![format!("s{}", n / 32), format!("l{}", n / 8)];
        (0..128).map(|n| Host { name: format!("h{n}"), fabric: place(n * 37 % 128) }).collect()
    }

    #[test]
    fn the_planner_that_knows_the_fabric_crosses_the_fewest_domains() {
        let crossed = |chooser| run(&clos(), &[(2, 3), (4, 2), (8, 1)], chooser, 2_000, 850, 1);
        let [fabric, best, first, random] =
            [Chooser::Fabric, Chooser::BestFit, Chooser::FirstFit, Chooser::Random].map(crossed);
        assert!(fabric.gangs == best.gangs && fabric.gangs == 2_000);
        for other in [&best, &first, &random] {
            assert!(fabric.domains_mean[0] < other.domains_mean[0], "{fabric:?} {other:?}");
            assert!(fabric.domains_mean[1] < other.domains_mean[1] * 0.8, "{fabric:?} {other:?}");
        }
        assert!(fabric.domains_mean[0] < 1.05, "{fabric:?}");
    }

    #[test]
    fn a_file_that_is_no_fabric_is_refused_with_the_place() {
        let check = |text: &str, expect: &str| assert_eq!(hosts(text.as_bytes()).unwrap_err().to_string(), expect);
        check("", "the file is empty; its first line should name the columns");
        check("ip,DSW\n", "the file has no rows");
        check("ip\na\n", "line 1: there is no column of a domain; the columns are ip");
        check("ip,DSW,ASW\na,d,\n", "line 2, column 3 (a name): \"\" is empty");
        check("ip,DSW\na,d\na,d\n", "line 3: the node a stands on line 2 already");
        check("ip,DSW\na,d\nb\n", "line 3: there are 1 cells, and 2 columns");
        let read = hosts(&b"ip,DSW,ASW\na,d,l\n"[..]).unwrap();
        assert_eq!(read, [Host { name: "a".to_owned(), fabric: vec!["d".to_owned(), "l".to_owned()] }]);
    }
}
