//! The words of the factory.
//!
//! What: units, ids, nodes, workloads, leases, bills, and the inputs, events, effects and rejections that speak of them.
//! Why one crate: every other crate reads these words and none adds a meaning of its own.
//! Absent: behaviour. Nothing here decides, reads a clock, or touches the world.

mod bill;
mod effect;
mod event;
mod explain;
mod ids;
mod input;
mod lease;
mod node;
mod partition;
mod policy;
mod rejection;
mod settings;
mod strict;
mod units;
mod valuation;
mod workload;

pub use bill::*;
pub use effect::*;
pub use event::*;
pub use explain::*;
pub use ids::*;
pub use input::*;
pub use lease::*;
pub use node::*;
pub use partition::*;
pub use policy::*;
pub use rejection::*;
pub use settings::*;
pub use units::*;
pub use valuation::*;
pub use workload::*;
