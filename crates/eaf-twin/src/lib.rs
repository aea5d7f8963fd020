//! The digital twin: the core that serves tenants, in virtual time.
//!
//! What: replays of real traces, scenarios with golden output, a search over seeds and faults, and what-if on a living
//! factory. Why the same core: what is foreseen here is computed by the code that will run it.
//! Absent: clocks of the machine, threads, the server, and any rule of scheduling of its own.

pub mod chart;
pub mod draw;
pub mod driver;
pub mod engine;
pub mod fleet;
mod partitions;
pub mod placement;
pub mod replay;
pub mod script;
pub mod search;
pub mod simulation;
pub mod topology;
pub mod trace;
pub mod what_if;
pub mod world;
