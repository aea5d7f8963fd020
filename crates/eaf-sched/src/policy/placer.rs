//! The loop that places: one arrival in, one node and its GPUs out.
//!
//! What: a ladder of scores for every shape seen, brought up to date when its shape arrives.
//! Why lazily: a placement changes one node, and a shape that is never asked for again need not hear of it. Each ladder
//! remembers how far it has read the log of changed nodes and scores only those, once each, however often they changed.
//! Absent: departures (the log would carry them alike) and the choice of policy.

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
    /// Told of every arrival before it is placed; a new shape has the next index. `nodes` is the fleet as it is.
    fn arrive(&mut self, _shape: &Shape, _id: usize, _nodes: &[Node]) {}
    /// Told of every placement.
    fn placed(&mut self, _before: &Node, _after: &Node) {}
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

/// Where a pod went.
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

    /// Places one pod, or nothing if it fits nowhere. O(nodes changed since the same shape arrived last).
    pub fn place(&mut self, shape: Shape) -> Option<Decision> {
        let id = self.learn(shape);
        self.policy.arrive(&shape, id, &self.nodes);
        self.refresh(id);
        let (node, _) = self.lanes[id].ladder.best()?;
        let before = self.nodes[node];
        let set = self.policy.pick(&before, &shape);
        let after = before.after(&shape, set);
        self.nodes[node] = after;
        self.policy.placed(&before, &after);
        if let Some(classes) = &mut self.classes {
            let form = |node| self.policy.form(node).expect("a policy has forms or not");
            classes.change(node, &form(&before), form(&after));
        }
        self.log.push_back(u32::try_from(node).expect("a fleet is below 2^32 nodes"));
        self.last[node] = self.dropped + self.log.len();
        if self.log.len() > self.nodes.len() {
            self.log.pop_front();
            self.dropped += 1;
        }
        Some(Decision { node, set })
    }

    /// The index of a shape, given at its first arrival.
    fn learn(&mut self, shape: Shape) -> usize {
        let next = self.shapes.len();
        let id = *self.known.entry(shape).or_insert(next);
        if id == next {
            self.shapes.push(shape);
            self.lanes.push(Lane { ladder: Ladder::default(), read: 0, revision: 0, built: false });
        }
        id
    }

    fn refresh(&mut self, id: usize) {
        let lane = &self.lanes[id];
        if !lane.built || lane.revision != self.policy.revision() || lane.read < self.dropped {
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
        if !lane.built {
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
    use crate::policy::eaf::{Eaf, Tuning};
    use crate::policy::node::WHOLE;

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
            Node { cpu, memory: gpus * 30_000, free, gpus: gpus as u8, model, pods: 0, classes: 0 }
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
            let memory = draw(state, 20_000) as u32;
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

    #[test]
    fn remembers_nothing_that_matters() {
        for seed in 1..6 {
            check(seed, |_| Tight);
            check(seed, |_| Eaf::new(3, Tuning::default()));
        }
    }
}
