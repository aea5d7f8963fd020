//! What it costs to break a place for pods of several GPUs.
//!
//! What: per shape with several GPUs, a price for each place that would still take it; scoring adds the price of every place
//! that a placement breaks. The price is part of what the place holds, by the square of expected demand over places left.
//! Why the square: with ten places for every expected pod a place is worth nearly nothing and CPU decides; as demand and
//! places meet, breaking one costs a pod. The first power already dictates every decision at one to ten.
//! Why a prior: before any such pod has been seen, one of each size that the fleet could take is taken as seen, asking the
//! most CPU that any node of that size has. Otherwise the few nodes that could host the largest pod are broken first.
//! Absent: who is a gang across nodes; here a pod is on one node.

use super::node::{Node, Shape, WHOLE};

/// The part of what a place holds that breaking it costs at most. Half: the pod may find another, the place is not lost.
const PART: f64 = 0.5;

/// A place that exists from so many whole GPUs and so much CPU on.
#[derive(Clone, Copy, Debug)]
struct Place {
    whole: u8,
    cpu: u32,
    price: f32,
}

/// Prices on nodes of one model.
#[derive(Clone, Debug, Default)]
pub struct Reserve {
    places: Vec<Place>,
}

/// How many pods of this shape fit on what is free, memory aside.
fn places_on(node: &Node, shape: &Shape) -> u32 {
    let by_gpu = u32::from(node.count_at_least(shape.milli)) / u32::from(shape.gpus);
    if shape.models >> node.model & 1 == 0 || by_gpu == 0 { 0 } else { by_gpu.min(node.cpu / shape.cpu.max(1)) }
}

/// One pod of each size that the fleet could take, as large in CPU as any node of that size.
pub fn giants(nodes: &[Node]) -> Vec<Shape> {
    let largest = |gpus: u8| nodes.iter().filter(|node| node.gpus >= gpus).map(|node| node.cpu).max();
    let giant = |gpus| largest(gpus).map(|cpu| Shape { cpu, milli: WHOLE, gpus, models: u32::MAX, memory: 0 });
    [2, 4, 8].into_iter().filter_map(giant).collect()
}

/// The price in milli-GPU of a place of each shape, given how many of it are expected.
pub fn prices(expected: &[(Shape, f64)], nodes: &[Node]) -> Vec<(Shape, f64)> {
    let alike = |gpus: u8| expected.iter().filter(|(shape, _)| shape.gpus == gpus).map(|(_, pods)| pods).sum::<f64>();
    let price = |&(shape, pods): &(Shape, f64)| {
        let places: u32 = nodes.iter().map(|node| places_on(node, &shape)).sum();
        // One standard deviation more than expected of all of this size: arrivals are random, and the last places must not
        // go unnoticed.
        let pods = pods * (1.0 + 1.0 / libm::sqrt(alike(shape.gpus).max(1e-9)));
        let scarcity = (pods / f64::from(places.max(1))).min(1.0);
        (shape, PART * scarcity * scarcity * f64::from(shape.demand()))
    };
    expected.iter().map(price).collect()
}

impl Reserve {
    /// For nodes of one model.
    pub fn new(prices: &[(Shape, f64)], model: usize) -> Self {
        let mut places = Vec::new();
        for (shape, price) in prices.iter().filter(|(shape, _)| shape.models >> model & 1 == 1) {
            for nth in 1..=8 / shape.gpus {
                let cpu = shape.cpu.saturating_mul(u32::from(nth));
                places.push(Place { whole: nth * shape.gpus, cpu, price: *price as f32 });
            }
        }
        Self { places }
    }

    /// The price in milli-GPU of the places that go when whole GPUs and CPU fall from `before` to `after`.
    pub fn broken(&self, before: (u8, u32), after: (u8, u32)) -> f64 {
        let has = |place: &Place, (whole, cpu): (u8, u32)| place.whole <= whole && place.cpu <= cpu;
        let gone = |place: &Place| has(place, before) && !has(place, after);
        f64::from(self.places.iter().map(|place| if gone(place) { place.price } else { 0.0 }).sum::<f32>())
    }
}
