//! Messages: every sentence a person reads, in Korean and English.
//!
//! What: the language of a reader, the Fluent texts by id, and one sentence for each code of the model. Why beside the
//! HTTP shapes: problem+json and the command line say the same thing in the same words. Absent: colours, tables, and the
//! layout of anything; doors do that.

mod codes;
mod figures;
mod lang;
mod policy;
mod refusals;
mod texts;

pub use codes::{Rejected, blocker, change, exit, mode_state, node_state, reason, rejection, state, test};
pub use figures::{bytes, cpu, instant, signal_name, span};
pub use fluent_bundle::FluentValue as Value;
pub use lang::Lang;
pub use refusals::refusal;
pub use texts::{has, korean_help_ids, text};
