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
use super::reserve::{Reserve, giants, prices};
use super::room::{Ask, Room};
use super::value::{MILLIS, Values};

/// What was chosen by thought rather than learned. The shipped and generated traces keep their gains when any one number moves by
/// a factor of two to five; only an impatience of 0.05 lost to FGD, on one generated trace.
#[derive(Clone, Debug)]
pub struct Tuning {
    /// Smoothing of the residue values, in milli-GPU.
    pub softness: f64,
    /// Share of the mix below which waiting for a pod that fits is hardly worth it.
    pub impatience: f64,
    /// Arrivals expected beyond what would fill the fleet, as a share of capacity.
    pub beyond: f64,
    /// Rounds of fitting the residue values.
    pub rounds: usize,
    /// Prices are revised when allocation has grown by this share of capacity...
    pub revise_load: f64,
    /// ...or arrivals by this factor.
    pub revise_growth: f64,
    /// Losses of value that differ by less count as equal, in milli-GPU.
    pub quantum: f64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            softness: 10.0,
            impatience: 0.02,
            beyond: 0.05,
            rounds: 60,
            revise_load: 0.03,
            revise_growth: 1.25,
            quantum: 10.0,
        }
    }
}

/// What differs between models.
#[derive(Clone, Debug)]
struct Market {
    room: Room,
    reserve: Reserve,
}

/// The policy.
#[derive(Clone, Debug)]
pub struct Eaf {
    tuning: Tuning,
    /// Shapes that have arrived, and how often.
    mix: Vec<(Shape, u32)>,
    arrivals: u32,
    capacity: f64,
    used: f64,
    giants: Vec<Shape>,
    /// Worth of a GPU by the milli-GPU free, 1 for a whole one.
    worth: Vec<f64>,
    markets: Vec<Market>,
    /// The market of each model.
    market: Vec<usize>,
    revision: u32,
    next_arrivals: u32,
    next_used: f64,
}

impl Eaf {
    /// Knows nothing yet. Models are indices below `models`.
    pub fn new(models: usize, tuning: Tuning) -> Self {
        Self {
            tuning,
            mix: Vec::new(),
            arrivals: 0,
            capacity: 0.0,
            used: 0.0,
            giants: Vec::new(),
            worth: Vec::new(),
            markets: Vec::new(),
            market: vec![0; models],
            revision: 0,
            next_arrivals: 0,
            next_used: 0.0,
        }
    }

    /// Shapes seen and how often.
    fn seen(&self) -> impl Iterator<Item = (&Shape, f64)> {
        self.mix.iter().map(|(shape, count)| (shape, f64::from(*count)))
    }

    /// Prices everything anew, from what has arrived and the fleet as it is and nothing else: a restart that knows both gets
    /// the same prices. O(nodes).
    fn revise(&mut self, nodes: &[Node]) {
        let mean = self.seen().map(|(shape, n)| n * f64::from(shape.demand())).sum::<f64>().max(1.0);
        let free: f64 = nodes.iter().map(|node| f64::from(node.free_total())).sum();
        // Arrivals still to come for each one seen.
        let ahead = (free + self.tuning.beyond * self.capacity) / mean;
        let values = self.values(nodes, ahead);
        let whole = values.value(WHOLE).max(1e-9);
        self.worth = (0..=WHOLE).map(|free| values.value(free) / whole).collect();
        self.open_markets(&values, &prices(&self.several(ahead), nodes));
        self.revision += 1;
        self.next_used = self.used + self.tuning.revise_load * self.capacity;
        self.next_arrivals = (f64::from(self.arrivals) * self.tuning.revise_growth) as u32 + 10;
    }

    fn values(&self, nodes: &[Node], ahead: f64) -> Values {
        let (mut supply, mut demand) = (vec![0.0; MILLIS], vec![0.0; MILLIS]);
        for (shape, n) in self.seen().filter(|(shape, _)| shape.gpus > 0) {
            demand[usize::from(shape.milli)] += n * f64::from(shape.gpus) * ahead;
        }
        for node in nodes {
            for &free in &node.free {
                supply[usize::from(free)] += 1.0;
            }
        }
        let mut values = Values::new(self.tuning.softness);
        // From coarse to fine: a soft programme moves far in one round, a sharp one settles.
        for coarse in [4.0, 2.0] {
            values.soften(coarse * self.tuning.softness);
            values.solve(&supply, &demand, self.tuning.rounds / 4);
        }
        values.soften(self.tuning.softness);
        values.solve(&supply, &demand, self.tuning.rounds / 2);
        values
    }

    /// Pods of several GPUs expected, memory aside, with one of each giant taken as seen.
    fn several(&self, ahead: f64) -> Vec<(Shape, f64)> {
        let seen = self.seen().filter(|(shape, _)| shape.gpus > 1).map(|(shape, n)| (*shape, n));
        let mut list: Vec<(Shape, f64)> = seen.chain(self.giants.iter().map(|giant| (*giant, 1.0))).collect();
        for entry in &mut list {
            *entry = (Shape { memory: 0, ..entry.0 }, entry.1 * ahead);
        }
        list.sort_by_key(|entry| entry.0);
        list.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0.0 };
            same
        });
        list
    }

    /// One market for all models that the same shapes may use.
    fn open_markets(&mut self, values: &Values, prices: &[(Shape, f64)]) {
        let mut kinds: Vec<Vec<bool>> = Vec::new();
        let mut markets = Vec::new();
        for model in 0..self.market.len() {
            let allowed: Vec<bool> = self.seen().map(|(shape, _)| shape.models >> model & 1 == 1).collect();
            let known = kinds.iter().position(|kind| *kind == allowed);
            self.market[model] = known.unwrap_or(markets.len());
            if known.is_none() {
                let asks = self.asks(values, model);
                let room = Room::new(&asks, self.tuning.impatience);
                markets.push(Market { room, reserve: Reserve::new(prices, model) });
                kinds.push(allowed);
            }
        }
        self.markets = markets;
    }

    fn asks(&self, values: &Values, model: usize) -> Vec<Ask> {
        let allowed = |shape: &Shape| shape.gpus > 0 && shape.models >> model & 1 == 1;
        let whole = values.value(WHOLE).max(1e-9);
        let worth = |shape: &Shape| {
            let part = if shape.milli == WHOLE { 1.0 } else { values.earns(shape.milli) / whole };
            part * f64::from(shape.gpus)
        };
        self.seen().filter(|(shape, _)| allowed(shape)).map(|(shape, n)| (worth(shape), shape.cpu, n)).collect()
    }

    /// The best score over the choices of GPUs on this node, and the choice.
    fn best(&self, node: &Node, shape: &Shape) -> (u16, GpuSet) {
        let worth = |free: u16| self.worth[usize::from(free)];
        let total: f64 = node.free.iter().map(|&free| worth(free)).sum();
        let whole = node.count_at_least(WHOLE);
        let market = &self.markets[self.market[usize::from(node.model)]];
        let (before, cpu) = (market.room.used(total, node.cpu), node.cpu - shape.cpu);
        let score = |total: f64, whole_after: u8| {
            let loss = f64::from(WHOLE) / 10.0 * (before - market.room.used(total, cpu))
                + market.reserve.broken((whole, node.cpu), (whole_after, cpu));
            // Far from both ends of the range: losses are below 2,000 steps, and hardly negative.
            40_000 - (loss / self.tuning.quantum).clamp(-20_000.0, 39_000.0) as i32
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

    fn arrive(&mut self, shape: &Shape, id: usize, nodes: &[Node]) {
        if id == self.mix.len() {
            self.mix.push((*shape, 0));
        }
        self.mix[id].1 += 1;
        self.arrivals += 1;
        if self.revision == 0 {
            self.capacity = nodes.iter().map(|node| f64::from(node.free_total())).sum();
            self.giants = giants(nodes);
        }
        if self.arrivals >= self.next_arrivals || self.used >= self.next_used {
            self.revise(nodes);
        }
    }

    fn placed(&mut self, before: &Node, after: &Node) {
        self.used += f64::from(before.free_total() - after.free_total());
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
