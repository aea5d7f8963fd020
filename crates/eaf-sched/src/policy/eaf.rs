//! The policy `eaf`: put the pod where the node loses the least value.
//!
//! What: one value of a node, learned from the arrivals so far. Each GPU's residue is worth what the mix is expected to make
//! of it (`value`); the sum of worths and the free CPU give what will be used (`room`); places for pods of several GPUs have
//! a price (`reserve`). The score is the fall of that value, in steps of ten milli-GPU; ties go to the first node, which
//! keeps nodes whole.
//! Why not fragmentation: FGD asks whether one next pod fits. That misses what a sliver is good for when sizes must add up
//! to a GPU, and CPU that runs out after five pods.
//! Absent: lookahead, times, tenants, memory, and any knowledge of the trace beyond what has arrived.

use super::node::{GpuSet, Node, Shape, WHOLE};
use super::placer::Policy;
use super::worth::Worth;
use std::sync::Arc;

/// Losses of value that differ by less count as equal, in milli-GPU.
const QUANTUM: f64 = 10.0;

/// The policy.
#[derive(Clone, Debug)]
pub struct Eaf {
    worth: Arc<Worth>,
    revision: u32,
}

impl Eaf {
    /// Scores by this worth.
    pub fn new(worth: Arc<Worth>) -> Self {
        Self { worth, revision: 0 }
    }

    /// Scores by another worth from now on; all scores so far are void.
    pub fn revise(&mut self, worth: Arc<Worth>) {
        self.worth = worth;
        self.revision = self.revision.wrapping_add(1);
    }

    /// The best score over the choices of GPUs on this node, and the choice.
    fn best(&self, node: &Node, shape: &Shape) -> (u16, GpuSet) {
        let worth = |free: u16| self.worth.of(free);
        let total: f64 = node.free.iter().map(|&free| worth(free)).sum();
        let whole = node.count_at_least(WHOLE);
        let market = self.worth.market(node.model);
        let (before, cpu) = (market.room.used(total, node.cpu), node.cpu - shape.cpu);
        let score = |total: f64, whole_after: u8| {
            let loss = f64::from(WHOLE) / 10.0 * (before - market.room.used(total, cpu))
                + market.reserve.broken((whole, node.cpu), (whole_after, cpu));
            // Far from both ends of the range: losses are below 2,000 steps, and hardly negative.
            40_000 - (loss / QUANTUM).clamp(-20_000.0, 39_000.0) as i32
        };
        if !shape.is_shared() {
            let (mut total, mut whole, set) = (total, whole, node.lowest_index(shape));
            for (_, &free) in node.free.iter().enumerate().filter(|(index, _)| set >> index & 1 == 1) {
                total += worth(free - shape.milli) - worth(free);
                whole -= u8::from(free == WHOLE);
            }
            return (score(total, whole) as u16, set);
        }
        let (mut best, mut seen) = ((0, 0), [u16::MAX; 8]);
        for (index, &free) in node.free.iter().enumerate() {
            if free < shape.milli || seen[..index].contains(&free) {
                continue;
            }
            seen[index] = free;
            let total = total - worth(free) + worth(free - shape.milli);
            let score = score(total, whole - u8::from(free == WHOLE)) as u16;
            if best.1 == 0 || score > best.0 {
                best = (score, 1 << index);
            }
        }
        best
    }
}

impl Policy for Eaf {
    fn score(&self, node: &Node, shape: &Shape) -> u16 {
        self.best(node, shape).0
    }

    fn pick(&self, node: &Node, shape: &Shape) -> GpuSet {
        self.best(node, shape).1
    }

    fn revision(&self) -> u32 {
        self.revision
    }

    fn form(&self, node: &Node) -> Option<Node> {
        let mut free = node.free;
        free.sort_unstable();
        Some(Node { memory: 0, pods: 0, classes: 0, free, ..*node })
    }
}
