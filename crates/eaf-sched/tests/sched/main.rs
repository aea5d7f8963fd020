//! Tests of the scheduler through its public door.
//!
//! What: one file a feature, and properties over random worlds. `world` drives the scheduler as the core does: it submits,
//! plans, checks each plan, makes it true, and lets time pass.

mod checking;
mod explaining;
mod fabric;
mod fleet;
mod planning;
mod preempting;
mod promises;
mod properties;
mod sharing;
mod slices;
mod world;
