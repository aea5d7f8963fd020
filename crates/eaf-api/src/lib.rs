//! The HTTP API of the factory: its shapes, its OpenAPI document, and a client.
//!
//! What: every document that passes through `/v1`, described once; the words for every refusal in two languages; the
//! signed receipt; a blocking client. The only crate that knows the shapes. Absent: what happens behind them.

pub mod client;
pub mod messages;
mod openapi;
pub mod receipt;
mod shapes;

pub use openapi::{OPENAPI, document};
pub use shapes::*;
