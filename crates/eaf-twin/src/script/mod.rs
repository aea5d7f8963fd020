//! Scripts: what happens to a factory, a line each.
//!
//! What: the operations (`Op`), the text that they print as and are read from, and what is wrong with a text that is not
//! one. Why one list for people and for the search: a seed that failed, shrunk, is a script that goes into `scenarios/`.
//! Absent: what an operation does; that is the world's.

mod error;
mod figures;
mod ops;
mod parse;
mod tenancy;
mod words;

pub use error::{Problem, ScriptError};
pub(crate) use figures::milli_text;
pub use figures::span_text;
pub(crate) use ops::plural;
pub use ops::{CrashAt, EngineMode, Expect, JobSpec, NodeParts, Op, Program, ProgramEnd, Setting};
pub use parse::{Line, parse};
pub use tenancy::WindowParts;
pub use words::reason_word;
pub(crate) use words::{exit_word, mode_word, node_word};
