//! The loop that places: one arrival in, one node and its GPUs out.
//!
//! What: a ladder of scores for every shape seen, brought up to date when its shape arrives.
//! Why lazily: a placement changes one node, and a shape that is never asked for again need not hear of it. Each ladder
//! remembers how far it has read the log of changed nodes and scores only those, once each, however often they changed.
//! Absent: the choice of policy, and what a node is beyond its free capacity.

use super::classes::Classes;
use super::ladder::Ladder;
use super::node::{GpuSet, Node, Shape};
use std::collections::{BTreeMap, VecDeque};

/// How nodes compare. All scores of one `revision` must be comparable; a higher one wins.
pub trait Policy {
    /// The score of a node that fits, below `u16::MAX`.
    fn score(&self, node: &Node, shape: &Shape) -> u16;
    /// The GPUs that the pod takes on this node.
    fn pick(&self, node: &Node, shape: &Shape) -> GpuSet;
    /// Changes when scores given earlier are void.
    fn revision(&self) -> u32 {
        0
    }
    /// What of a node the score depends on, with all else blank: nodes of one form score alike. `None` where scores are
    /// never void, so that knowing would not pay.
    fn form(&self, _node: &Node) -> Option<Node> {
        None
    }
}

/// The most scores that are kept, over all shapes: two bytes each.
const LANE_NODES_MAX: usize = 1 << 27;

/// Where a pod goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The node, as an index into the fleet.
    pub node: usize,
    /// Its GPUs.
    pub set: GpuSet,
}

#[derive(Clone, Debug)]
struct Lane {
    ladder: Ladder,
    read: usize,
    revision: u32,
    built: bool,
}

/// A fleet, a policy and what is remembered between arrivals.
#[derive(Clone, Debug)]
pub struct Placer<P> {
    nodes: Vec<Node>,
    policy: P,
    /// Shapes in order of their first arrival, and where each is.
    shapes: Vec<Shape>,
    known: BTreeMap<Shape, usize>,
    lanes: Vec<Lane>,
    /// Changed nodes in order, `last[node]` the latest entry of each plus one.
    /// Only as long as the fleet: a ladder further behind is built anew.
    log: VecDeque<u32>,
    /// Entries that have left the log.
    dropped: usize,
    last: Vec<usize>,
    classes: Option<Classes>,
    /// Scores by class while a lane is built, each with the build it belongs to.
    scratch: Vec<(u64, u16)>,
    builds: u64,
}

impl<P: Policy> Placer<P> {
    /// `nodes` in tie-break order, the best first.
    pub fn new(nodes: Vec<Node>, policy: P) -> Self {
        let forms: Option<Vec<Node>> = nodes.iter().map(|node| policy.form(node)).collect();
        Self {
            last: vec![0; nodes.len()],
            lanes: Vec::new(),
            nodes,
            policy,
            shapes: Vec::new(),
            known: BTreeMap::new(),
            log: VecDeque::new(),
            dropped: 0,
            classes: forms.map(|forms| Classes::new(forms.into_iter())),
            scratch: Vec::new(),
            builds: 0,
        }
    }

    /// The fleet as it is.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The policy as it is.
    pub fn policy(&self) -> &P {
        &self.policy
    }

    /// The policy, to change what it scores by; it must then have another revision.
    pub fn policy_mut(&mut self) -> &mut P {
        &mut self.policy
    }

    /// Places one pod, or nothing if it fits nowhere.
    pub fn place(&mut self, shape: Shape) -> Option<Decision> {
        let decision = self.best(shape)?;
        self.change(decision.node, self.nodes[decision.node].after(&shape, decision.set));
        Some(decision)
    }

    /// Where a pod would go. O(nodes changed since the same shape was asked about last).
    pub fn best(&mut self, shape: Shape) -> Option<Decision> {
        let id = self.learn(shape);
        self.refresh(id);
        let (node, _) = self.lanes[id].ladder.best()?;
        Some(Decision { node, set: self.policy.pick(&self.nodes[node], &shape) })
    }

    /// A node is as given now.
    pub fn change(&mut self, node: usize, after: Node) {
        let before = std::mem::replace(&mut self.nodes[node], after);
        if let Some(classes) = &mut self.classes {
            let form = |node| self.policy.form(node).expect("a policy has forms or not");
            classes.change(node, &form(&before), form(&after));
        }
        self.log(node);
    }

    /// One more node, behind all others.
    pub fn push(&mut self, node: Node) {
        if let Some(classes) = &mut self.classes {
            classes.push(self.policy.form(&node).expect("a policy has forms or not"));
        }
        self.nodes.push(node);
        self.last.push(0);
        self.log(self.nodes.len() - 1);
    }

    fn log(&mut self, node: usize) {
        self.log.push_back(u32::try_from(node).expect("a fleet is below 2^32 nodes"));
        self.last[node] = self.dropped + self.log.len();
        if self.log.len() > self.nodes.len() {
            self.log.pop_front();
            self.dropped += 1;
        }
    }

    /// The index of a shape. All are forgotten where another would take too much memory.
    fn learn(&mut self, shape: Shape) -> usize {
        if let Some(id) = self.known.get(&shape) {
            return *id;
        }
        if self.lanes.len() * self.nodes.len().max(1) >= LANE_NODES_MAX {
            self.shapes.clear();
            self.known.clear();
            self.lanes.clear();
        }
        let id = self.shapes.len();
        self.known.insert(shape, id);
        self.shapes.push(shape);
        self.lanes.push(Lane { ladder: Ladder::default(), read: 0, revision: 0, built: false });
        id
    }

    fn refresh(&mut self, id: usize) {
        let lane = &self.lanes[id];
        let holds_all = lane.built && lane.ladder.capacity() >= self.nodes.len();
        if !holds_all || lane.revision != self.policy.revision() || lane.read < self.dropped {
            self.build(id);
            return;
        }
        let Self { nodes, policy, shapes, lanes, log, dropped, last, .. } = self;
        let (lane, shape) = (&mut lanes[id], &shapes[id]);
        for (at, &node) in log.iter().enumerate().skip(lane.read - *dropped) {
            let node = node as usize;
            if last[node] == *dropped + at + 1 {
                lane.ladder.set(node, score(policy, &nodes[node], shape));
            }
        }
        lane.read = *dropped + log.len();
    }

    /// Scores all nodes for one shape; where forms are known, each form once.
    fn build(&mut self, id: usize) {
        let Self { nodes, policy, shapes, lanes, log, dropped, classes, scratch, builds, .. } = self;
        let (lane, shape) = (&mut lanes[id], &shapes[id]);
        if !lane.built || lane.ladder.capacity() < nodes.len() {
            lane.ladder = Ladder::new(nodes.len());
        }
        match classes {
            None => lane.ladder.fill(nodes.iter().map(|node| score(policy, node, shape))),
            Some(classes) => {
                *builds += 1;
                scratch.resize(classes.bound(), (0, 0));
                lane.ladder.fill(nodes.iter().zip(classes.of()).map(|(node, &class)| {
                    // What fits is asked of every node: it may depend on more than the form.
                    if !node.fits(shape) {
                        return 0;
                    }
                    let slot = &mut scratch[class as usize];
                    if slot.0 != *builds {
                        *slot = (*builds, score(policy, node, shape));
                    }
                    slot.1
                }));
            }
        }
        lane.read = *dropped + log.len();
        lane.revision = policy.revision();
        lane.built = true;
    }
}

fn score<P: Policy>(policy: &P, node: &Node, shape: &Shape) -> u16 {
    if node.fits(shape) { policy.score(node, shape) + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::Mix;
    use crate::policy::eaf::Eaf;
    use crate::policy::node::WHOLE;
    use crate::policy::worth::Worth;
    use crate::valuation::Basis;
    use eaf_model::{AcceleratorRequest, Ask, CpuMilli, GpuMilli, Valuation};
    use std::sync::Arc;

    /// The least left over, without forms and revisions.
    struct Tight;

    impl Policy for Tight {
        fn score(&self, node: &Node, shape: &Shape) -> u16 {
            9_000 - (node.free_total() - shape.demand()) as u16
        }

        fn pick(&self, node: &Node, shape: &Shape) -> GpuSet {
            if shape.is_shared() { node.tightest(shape) } else { node.lowest_index(shape) }
        }
    }

    /// A generator for tests (Knuth's MMIX constants, high bits).
    fn draw(state: &mut u64, below: u64) -> u64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) % below
    }

    fn fleet(state: &mut u64, len: usize) -> Vec<Node> {
        let node = |state: &mut u64| {
            let gpus = [1, 2, 4, 8][draw(state, 4) as usize];
            let mut free = [0; 8];
            free[..gpus as usize].fill(WHOLE);
            let (cpu, model) = (gpus * 12_000, draw(state, 3) as u8);
            Node { cpu, memory: u64::from(gpus) * 30_000, free, gpus: gpus as u8, model, pods: 0, classes: 0 }
        };
        (0..len).map(|_| node(state)).collect()
    }

    fn shapes(state: &mut u64) -> Vec<Shape> {
        let shape = |state: &mut u64| {
            let (gpus, milli) = match draw(state, 8) {
                0 => (0, 0),
                1 => (2, WHOLE),
                2 => (8, WHOLE),
                3..5 => (1, WHOLE),
                _ => (1, 50 + draw(state, 900) as u16),
            };
            let models = if draw(state, 3) == 0 { 1 << draw(state, 3) } else { u32::MAX };
            let memory = draw(state, 20_000);
            Shape { cpu: 1_000 + draw(state, 15_000) as u32 * u32::from(gpus.max(1)), milli, gpus, models, memory }
        };
        (0..25).map(|_| shape(state)).collect()
    }

    /// Every decision is the first of the best by a scan that remembers nothing.
    fn check<P: Policy>(seed: u64, make: impl Fn(&[Shape]) -> P) {
        let mut state = seed;
        let (nodes, shapes) = (fleet(&mut state, 90), shapes(&mut state));
        let mut placer = Placer::new(nodes, make(&shapes));
        for _ in 0..1500 {
            // Skewed, so that some ladders fall behind the log.
            let shape = shapes[(draw(&mut state, 25) * draw(&mut state, 25) / 25) as usize];
            let before = placer.nodes().to_vec();
            let got = placer.place(shape);
            let scores: Vec<u16> = before.iter().map(|node| score(placer.policy(), node, &shape)).collect();
            let most = *scores.iter().max().expect("nodes");
            let want = (most > 0).then(|| scores.iter().position(|&s| s == most).expect("there"));
            assert_eq!(got.map(|decision| decision.node), want, "seed {seed}");
        }
    }

    /// As if each shape had come a few times, on a fleet that is empty.
    fn learned(shapes: &[Shape]) -> Eaf {
        let models: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        let name = |bit: &usize| models[*bit].clone();
        let request = |shape: &Shape| AcceleratorRequest {
            slice: None,
            count: u32::from(shape.gpus),
            share: GpuMilli(if shape.gpus == 0 { 1_000 } else { u64::from(shape.milli) }),
            models: if shape.models == u32::MAX {
                Vec::new()
            } else {
                (0..3).filter(|bit| shape.models >> bit & 1 == 1).map(|bit| name(&bit)).collect()
            },
        };
        let ask = |shape: &Shape| Ask { cpu: CpuMilli(u64::from(shape.cpu)), accelerators: request(shape) };
        let mix = Mix::restored(shapes.iter().zip(1..).map(|(shape, n)| (ask(shape), n % 7 + 1)), 100);
        let supply = vec![(GpuMilli(1_000), 300)];
        let valuation = Valuation { capacity: 300_000, free: 300_000, supply, ..Valuation::default() };
        Eaf::new(Arc::new(Worth::new(&Basis { mix, valuation }, &models)))
    }

    #[test]
    fn remembers_nothing_that_matters() {
        for seed in 1..6 {
            check(seed, |_| Tight);
            check(seed, learned);
        }
    }
}
