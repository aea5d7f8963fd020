//! The shapes of requests and answers.
//!
//! What: every JSON document of `/v1`. Two rules hold everywhere: an instant is an integer, milliseconds since
//! 1970-01-01T00:00:00Z, and a span is an integer number of milliseconds; quantities carry the units of `eaf-model`
//! (thousandths of a thread or an accelerator, bytes, micro-won, millijoules). Absent: how any of it is computed.

mod events;
mod nodes;
mod problem;
mod system;
mod workloads;

pub use events::*;
pub use nodes::*;
pub use problem::*;
pub use system::*;
pub use workloads::*;
