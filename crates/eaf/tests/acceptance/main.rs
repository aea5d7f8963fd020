//! Acceptance: what the factory promises, shown through its public door on the built program.
//!
//! What: exactly once under `kill -9`, the HTTP API under schemathesis, and durability against the disk itself. Absent:
//! anything that a test inside a crate can show as well.

#![allow(clippy::print_stdout, reason = "what a test says is read where it fails")]

#[path = "../support/mod.rs"]
mod support;

mod api;
mod durable;
mod journal;
mod kill;
mod outlive;
