//! What it costs to break a place for pods of several GPUs.
//!
//! What: per shape with several GPUs, a price for each place that would still take it; scoring adds the price of every place
//! that a placement breaks. The price is part of what the place holds, by the square of expected demand over places left.
//! Why the square: with ten places for every expected pod a place is worth nearly nothing and CPU decides; as demand and
//! places meet, breaking one costs a pod. The first power already dictates every decision at one to ten.
//! Absent: who is a gang across nodes; here a pod is on one node.

use super::node::Shape;

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

/// The price in milli-GPU of a place of each shape, given how many of it are expected and how many places there are.
pub fn prices(expected: &[(Shape, f64, u32)]) -> Vec<(Shape, f64)> {
    let alike =
        |gpus: u8| expected.iter().filter(|(shape, ..)| shape.gpus == gpus).map(|(_, pods, _)| pods).sum::<f64>();
    let price = |&(shape, pods, places): &(Shape, f64, u32)| {
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
