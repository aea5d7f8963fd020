//! What the free parts of nodes are worth, from what was asked for so far and what was free when it was last valued.
//!
//! What: one worth for every residue of an accelerator (`value`), and for each market (models that the same requests may use)
//! what CPU leaves of it (`room`) and the price of places for several (`reserve`). Why a pure function of the basis: a
//! restart, a reader and the twin get the same. Absent: nodes; see `eaf`.

use super::node::{Shape, WHOLE};
use super::reserve::{Reserve, prices};
use super::room::{Ask, Room};
use super::value::{MILLIS, Values};
use crate::valuation::Basis;

/// What was chosen by thought rather than learned. The shipped and generated traces keep their gains when any one number
/// moves by a factor of two to five; only an impatience of 0.05 lost to FGD, on one generated trace.
/// Smoothing of the residue values, in milli-GPU.
const SOFTNESS: f64 = 10.0;
/// Share of the mix below which waiting for a pod that fits is hardly worth it.
const IMPATIENCE: f64 = 0.02;
/// Arrivals expected beyond what would fill the fleet, as a share of capacity.
const BEYOND: f64 = 0.05;
/// Rounds of fitting the residue values.
const ROUNDS: usize = 60;

/// The worth of free parts.
#[derive(Clone, Debug)]
pub struct Worth {
    /// Worth of a GPU by the milli-GPU free, 1 for a whole one.
    by_free: Vec<f64>,
    markets: Vec<Market>,
    /// The market of each model.
    market: Vec<usize>,
}

/// What differs between models.
#[derive(Clone, Debug)]
pub struct Market {
    /// What CPU leaves of accelerators.
    pub room: Room,
    /// Prices of places for several.
    pub reserve: Reserve,
}

impl Worth {
    /// From a basis; `models` are those of the fleet, at most 32.
    pub fn new(basis: &Basis, models: &[String]) -> Self {
        let seen = seen(basis, models);
        let mean = seen.iter().map(|(shape, n)| n * f64::from(shape.demand())).sum::<f64>().max(1.0);
        // Arrivals still to come for each one seen.
        let ahead = (basis.valuation.free as f64 + BEYOND * basis.valuation.capacity as f64) / mean;
        let values = values(basis, &seen, ahead);
        let whole = values.value(WHOLE).max(1e-9);
        let by_free = (0..=WHOLE).map(|free| values.value(free) / whole).collect();
        let prices = prices(&several(basis, models, ahead));
        let mut worth = Self { by_free, markets: Vec::new(), market: Vec::new() };
        worth.open_markets(&seen, &values, &prices, models.len());
        worth
    }

    /// Worth of a GPU with so much free, 1 for a whole one.
    pub fn of(&self, free: u16) -> f64 {
        self.by_free[usize::from(free)]
    }

    /// The market of a model.
    pub fn market(&self, model: u8) -> &Market {
        &self.markets[self.market[usize::from(model)]]
    }

    /// One market for all models that the same shapes may use.
    fn open_markets(&mut self, seen: &[(Shape, f64)], values: &Values, prices: &[(Shape, f64)], models: usize) {
        let mut kinds: Vec<Vec<bool>> = Vec::new();
        for model in 0..models {
            let allowed: Vec<bool> = seen.iter().map(|(shape, _)| shape.models >> model & 1 == 1).collect();
            let known = kinds.iter().position(|kind| *kind == allowed);
            self.market.push(known.unwrap_or(kinds.len()));
            if known.is_none() {
                let room = Room::new(&asks(seen, values, model), IMPATIENCE);
                self.markets.push(Market { room, reserve: Reserve::new(prices, model) });
                kinds.push(allowed);
            }
        }
    }
}

/// What was asked for and how often, as shapes of nodes with these models.
fn seen(basis: &Basis, models: &[String]) -> Vec<(Shape, f64)> {
    let asks = basis.mix.iter().filter_map(|(ask, count)| Some((Shape::of(ask, 0, models)?, f64::from(count))));
    asks.collect()
}

fn values(basis: &Basis, seen: &[(Shape, f64)], ahead: f64) -> Values {
    let (mut supply, mut demand) = (vec![0.0; MILLIS], vec![0.0; MILLIS]);
    for (shape, n) in seen.iter().filter(|(shape, _)| shape.gpus > 0) {
        demand[usize::from(shape.milli)] += n * f64::from(shape.gpus) * ahead;
    }
    for (free, count) in &basis.valuation.supply {
        supply[usize::from(WHOLE.min(free.0 as u16))] += f64::from(*count);
    }
    let mut values = Values::new(SOFTNESS);
    // From coarse to fine: a soft programme moves far in one round, a sharp one settles.
    for coarse in [4.0, 2.0] {
        values.soften(coarse * SOFTNESS);
        values.solve(&supply, &demand, ROUNDS / 4);
    }
    values.soften(SOFTNESS);
    values.solve(&supply, &demand, ROUNDS / 2);
    values
}

/// Requests of several GPUs, how many of each are expected, and how many places there are for it.
fn several(basis: &Basis, models: &[String], ahead: f64) -> Vec<(Shape, f64, u32)> {
    let expected = |(ask, places): &(eaf_model::Ask, u32)| {
        let came = f64::from(basis.mix.count(ask)) + f64::from(u8::from(basis.valuation.giants.contains(ask)));
        Some((Shape::of(ask, 0, models)?, came * ahead, *places))
    };
    basis.valuation.places.iter().filter_map(expected).collect()
}

fn asks(seen: &[(Shape, f64)], values: &Values, model: usize) -> Vec<Ask> {
    let allowed = |shape: &Shape| shape.gpus > 0 && shape.models >> model & 1 == 1;
    let whole = values.value(WHOLE).max(1e-9);
    let worth = |shape: &Shape| {
        let part = if shape.milli == WHOLE { 1.0 } else { values.earns(shape.milli) / whole };
        part * f64::from(shape.gpus)
    };
    seen.iter().filter(|(shape, _)| allowed(shape)).map(|(shape, n)| (worth(shape), shape.cpu, *n)).collect()
}
