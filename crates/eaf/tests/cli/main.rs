//! The command line against a real factory: what a person types, what is printed, and the exit codes.
//!
//! What: each verb through the built program, in both languages. Absent: what files may say (beside their reader), and
//! durability (the acceptance tests).

#![allow(clippy::print_stdout, reason = "what a test says is read where it fails")]

#[allow(dead_code, reason = "the harness is shared, and these tests need only a part of it")]
#[path = "../support/mod.rs"]
mod support;

mod factory;
mod placement;
mod policy;
mod reading;
mod running;
mod twin;

use std::process::Output;
use support::factory::Factory;

/// A factory with pretended accelerators, on the default settings otherwise.
fn factory() -> Factory {
    Factory::start("pretend_accelerators = \"8xMI355X\"\n")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Runs a verb and expects this exit code and these words on standard error.
#[track_caller]
fn refused(factory: &Factory, arguments: &[&str], code: i32, words: &[&str]) {
    let output = factory.cli(arguments);
    let said = err(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{arguments:?} does not say {word:?}: {said}");
    }
}

/// Runs a verb and expects this exit code; gives its standard output.
#[track_caller]
fn ended(factory: &Factory, arguments: &[&str], code: i32) -> String {
    let output = factory.cli(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}{}", out(&output), err(&output));
    out(&output)
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
