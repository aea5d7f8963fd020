//! The store through its public door: the contract, durability, damage, backup, and old formats.

mod backup;
mod conformance;
mod damage;
mod durable;
mod golden;
mod invariants;
mod power;
mod reader;
