//! The placement benchmark of "Beware of Fragmentation" (Weng et al., USENIX ATC 2023): pods arrive one by one until 130 %
//! of the fleet's accelerators have been asked for, none leaves, and what counts is the share that is allocated.
//!
//! What: readers of its files (`files`), its published policies (`baseline`, `fgd`), its metric (`meter`), what could have
//! been reached (`bound`), and a run of one policy over one order. Why here: peers are measured, not used; the policy of
//! the factory is run as the factory runs it (`factory`). Absent: clocks (whoever runs it takes the time), departures, and repairs.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the arithmetic of the published artefact, whose truncations decide ties"
)]

pub mod baseline;
pub mod bound;
mod factory;
pub mod fgd;
mod files;
pub mod meter;
mod run;

pub use files::{Machines, Order, Pods, Published, Wanted, machines, orders, pods, published, trace_name};
pub use run::{Bounds, LOADS, Outcome, PolicyName, Run, TOLERANCE, bounds};
