//! Runs: one policy over one order.
//!
//! What: the policies by name, a run that is made ready and then run (so that a caller can time the decisions alone), and
//! what could have been reached on the same order. Absent: clocks and words.

use super::baseline::Baseline;
use super::bound::{most_used, served_at_most, served_offline};
use super::factory::Factory;
use super::fgd::Fgd;
use super::meter::Meter;
use super::{Machines, Order, Pods};
use crate::draw::Draw;
use eaf_sched::policy::{Decision, GpuSet, Node, Placer, Policy, Shape};

/// The highest load in percent that the benchmark looks at; its columns are 0 to this.
pub const LOADS: usize = 130;
/// Percentage points by which a column may differ from the published one: both are rounded.
pub const TOLERANCE: f64 = 0.011;

/// The policies, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyName {
    /// Fragmentation Gradient Descent, which is given the trace's mix.
    Fgd,
    /// The least left over.
    BestFit,
    /// The least alignment of what is asked with what is free.
    DotProd,
    /// Accelerators in use first, idle nodes last.
    GpuPacking,
    /// Together with pods of the same kind.
    GpuClustering,
    /// Any node that fits, by a draw from the order's seed. The published generator is another, so the figures are alike
    /// and not equal.
    Random,
    /// The policy of this project, which learns from arrivals alone.
    Eaf,
}

impl PolicyName {
    /// All of them: the published ones, then ours.
    pub const ALL: [Self; 7] =
        [Self::Random, Self::DotProd, Self::GpuClustering, Self::GpuPacking, Self::BestFit, Self::Fgd, Self::Eaf];

    /// As it is typed.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fgd => "fgd",
            Self::BestFit => "bestfit",
            Self::DotProd => "dotprod",
            Self::GpuPacking => "gpupacking",
            Self::GpuClustering => "gpuclustering",
            Self::Random => "random",
            Self::Eaf => "eaf",
        }
    }

    /// As the published results name it, where they can be met exactly.
    pub const fn published(self) -> Option<&'static str> {
        match self {
            Self::Fgd => Some("06-FGD"),
            Self::BestFit => Some("05-BestFit"),
            Self::DotProd => Some("02-DotProd"),
            Self::GpuPacking => Some("04-GpuPacking"),
            Self::GpuClustering => Some("03-GpuClustering"),
            Self::Random | Self::Eaf => None,
        }
    }
}

/// What a run gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Mean allocated share in percent at each load; `None` where nothing arrived.
    pub columns: Vec<Option<f64>>,
    /// Arrivals that were decided.
    pub decisions: usize,
}

impl Outcome {
    /// The allocated share in percent at a load, where something arrived.
    pub fn at(&self, load: usize) -> Option<f64> {
        self.columns.get(load).copied().flatten()
    }

    /// True where every column is the published one.
    pub fn equals(&self, published: &[f64]) -> bool {
        let near = |(got, want): (&Option<f64>, &f64)| got.is_some_and(|got| (got - want).abs() <= TOLERANCE);
        self.columns.len() == published.len() && self.columns.iter().zip(published).all(near)
    }
}

/// A run that is ready.
pub struct Run<'a> {
    pods: &'a Pods,
    arrivals: &'a [usize],
    meter: Meter,
    chooser: Chooser,
}

impl<'a> Run<'a> {
    /// Makes a run ready. The fleet is that of `order.nodes`, which may name a node more than once.
    pub fn new(machines: &Machines, pods: &'a Pods, order: &'a Order, policy: PolicyName) -> Self {
        let nodes: Vec<Node> = order.nodes.iter().map(|&at| machines.nodes[at]).collect();
        let capacity = nodes.iter().map(|node| u64::from(node.free_total())).sum();
        let models = machines.models.len();
        let plain = |baseline| Chooser::Baseline(Placer::new(nodes.clone(), baseline));
        let chooser = match policy {
            PolicyName::Fgd => {
                let all = u32::try_from(pods.pods.len()).unwrap_or(u32::MAX);
                Chooser::Fgd(Placer::new(nodes, Fgd::new(&pods.typical, all, models)))
            }
            PolicyName::BestFit => plain(Baseline::BestFit),
            PolicyName::DotProd => plain(Baseline::DotProd),
            PolicyName::GpuPacking => plain(Baseline::Packing),
            PolicyName::GpuClustering => plain(Baseline::Clustering),
            PolicyName::Random => Chooser::Random(Random { nodes, draw: Draw::new(order.seed), fits: Vec::new() }),
            PolicyName::Eaf => Chooser::Eaf(Box::new(Factory::new(machines, &order.nodes, &pods.shapes))),
        };
        Self { pods, arrivals: &order.arrivals, meter: Meter::new(capacity, LOADS), chooser }
    }

    /// Places everything, one by one.
    pub fn run(mut self) -> Outcome {
        match &mut self.chooser {
            Chooser::Baseline(placer) => place(placer, self.pods, self.arrivals, &mut self.meter),
            Chooser::Fgd(placer) => place(placer, self.pods, self.arrivals, &mut self.meter),
            Chooser::Eaf(factory) => {
                for &pod in self.arrivals {
                    let shape = self.pods.pods[pod];
                    let placed = factory.arrive(shape);
                    self.meter.arrival(self.pods.shapes[shape].demand(), placed);
                }
            }
            Chooser::Random(random) => {
                for &pod in self.arrivals {
                    let shape = self.pods.shapes[self.pods.pods[pod]];
                    let placed = random.place(&shape).is_some();
                    self.meter.arrival(shape.demand(), placed);
                }
            }
        }
        Outcome { columns: self.meter.columns(), decisions: self.arrivals.len() }
    }
}

enum Chooser {
    Baseline(Placer<Baseline>),
    Fgd(Placer<Fgd>),
    Eaf(Box<Factory>),
    Random(Random),
}

fn place<P: Policy>(placer: &mut Placer<P>, pods: &Pods, arrivals: &[usize], meter: &mut Meter) {
    for &pod in arrivals {
        let shape = pods.shapes[pods.pods[pod]];
        let placed = placer.place(shape).is_some();
        meter.arrival(shape.demand(), placed);
    }
}

/// Any node that fits, and any of its accelerators that do.
struct Random {
    nodes: Vec<Node>,
    draw: Draw,
    fits: Vec<usize>,
}

impl Random {
    fn place(&mut self, shape: &Shape) -> Option<Decision> {
        self.fits.clear();
        self.fits.extend((0..self.nodes.len()).filter(|&at| self.nodes[at].fits(shape)));
        let node = *self.draw.pick(&self.fits)?;
        let set = if shape.is_shared() { self.any(node, shape) } else { self.nodes[node].lowest_index(shape) };
        self.nodes[node] = self.nodes[node].after(shape, set);
        Some(Decision { node, set })
    }

    fn any(&mut self, node: usize, shape: &Shape) -> GpuSet {
        let free = &self.nodes[node].free;
        let fits: Vec<GpuSet> =
            free.iter().zip(0..).filter(|(free, _)| **free >= shape.milli).map(|(_, at)| 1 << at).collect();
        self.draw.pick(&fits).copied().unwrap_or(0)
    }
}

/// What could have been reached on an order, in percent of the fleet's accelerators.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Load up to which best fit decreasing, knowing all arrivals and blind to CPU, can serve every one.
    pub reference: f64,
    /// Load up to which anything at all can serve every arrival; proven.
    pub served: f64,
    /// The most that can be allocated of what has arrived at 100 %, refusing at will; proven.
    pub at_100: f64,
    /// The same at 130 %.
    pub at_130: f64,
}

/// Bounds and the offline reference of an order.
pub fn bounds(machines: &Machines, pods: &Pods, order: &Order) -> Bounds {
    let capacity: u64 = order.nodes.iter().map(|&at| u64::from(machines.nodes[at].free_total())).sum();
    let gpus = u32::try_from(capacity / 1_000).unwrap_or(u32::MAX);
    let full = arrived(pods, order, capacity, 100);
    let share = |milli: f64| 100.0 * milli / capacity as f64;
    let load = |count: usize| share(full[..count].iter().map(|shape| u64::from(shape.demand())).sum::<u64>() as f64);
    Bounds {
        reference: load(served_offline(gpus, &full)),
        served: load(served_at_most(gpus, &full)),
        at_100: share(most_used(gpus, &full)),
        at_130: share(most_used(gpus, &arrived(pods, order, capacity, 130))),
    }
}

/// The arrivals up to a load in percent.
fn arrived(pods: &Pods, order: &Order, capacity: u64, load: u64) -> Vec<Shape> {
    let mut sum = 0;
    let shapes = order.arrivals.iter().map(|&pod| pods.shapes[pods.pods[pod]]);
    let within = shapes.take_while(|shape| {
        sum += u64::from(shape.demand());
        sum * 100 <= capacity * load
    });
    within.collect()
}

#[cfg(test)]
mod tests {
    use super::super::fgd::Typical;
    use super::*;
    use eaf_sched::policy::node::WHOLE;

    fn fleet(draw: &mut Draw) -> Vec<Node> {
        let node = |draw: &mut Draw| {
            let gpus = [1_u8, 2, 4, 8][draw.below(4) as usize];
            let mut free = [0; 8];
            free[..usize::from(gpus)].fill(WHOLE);
            let cpu = u32::from(gpus) * 12_000;
            Node { cpu, memory: u64::from(gpus) * 30_000, free, gpus, model: draw.below(3) as u8, pods: 0, classes: 0 }
        };
        (0..90).map(|_| node(draw)).collect()
    }

    fn shapes(draw: &mut Draw) -> Vec<Shape> {
        let shape = |draw: &mut Draw| {
            let (gpus, milli) = match draw.below(8) {
                0 => (0, 0),
                1 => (2, WHOLE),
                2 => (8, WHOLE),
                3..5 => (1, WHOLE),
                _ => (1, 50 + draw.below(900) as u16),
            };
            let models = if draw.one_in(3) { 1 << draw.below(3) } else { u32::MAX };
            let cpu = 1_000 + draw.below(15_000) as u32 * u32::from(gpus.max(1));
            Shape { cpu, milli, gpus, models, memory: draw.below(20_000) }
        };
        (0..25).map(|_| shape(draw)).collect()
    }

    /// Every decision is the first of the best by a scan that remembers nothing.
    fn check<P: Policy>(seed: u64, make: impl Fn(&[Shape]) -> P) {
        let mut draw = Draw::new(seed);
        let (nodes, shapes) = (fleet(&mut draw), shapes(&mut draw));
        let mut placer = Placer::new(nodes, make(&shapes));
        for _ in 0..1_500 {
            // Skewed, so that some ladders fall behind the log.
            let shape = shapes[(draw.below(25) * draw.below(25) / 25) as usize];
            let before = placer.nodes().to_vec();
            let got = placer.place(shape).map(|decision| decision.node);
            let score = |node: &Node| node.fits(&shape).then(|| placer.policy().score(node, &shape));
            let most = before.iter().filter_map(score).max();
            let want = most.and_then(|most| before.iter().position(|node| score(node) == Some(most)));
            assert_eq!(got, want, "seed {seed}");
        }
    }

    #[test]
    fn what_is_remembered_changes_no_decision() {
        for seed in 1..6 {
            check(seed, |_| Baseline::BestFit);
            check(seed, |_| Baseline::DotProd);
            check(seed, |_| Baseline::Clustering);
            check(seed, |_| Baseline::Packing);
            check(seed, |shapes| {
                let mix: Vec<Typical> =
                    shapes.iter().map(|&shape| Typical { shape, count: 1 + shape.cpu % 7 }).collect();
                Fgd::new(&mix, mix.iter().map(|entry| entry.count).sum(), 3)
            });
        }
    }
}
