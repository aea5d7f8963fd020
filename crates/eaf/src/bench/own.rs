//! This program, run again: a benchmark that wants memory and processor time of its own.
//!
//! What: its document as JSON. Why a process: what an allocator keeps of an earlier run would be counted to the next one; and
//! the command can be typed by hand. Absent: what the document says.

use super::BenchError;
use serde_json::Value;
use std::process::{Command, Stdio};

/// Runs this program with these words and reads the JSON that it prints.
pub(super) fn run(words: &[&str]) -> Result<Value, BenchError> {
    let program = std::env::current_exe().map_err(BenchError::io("finding this program"))?;
    let command = format!("eaf {}", words.join(" "));
    let output = Command::new(program)
        .args(words)
        .arg("--json")
        .stdin(Stdio::null())
        .output()
        .map_err(BenchError::io(format!("running {command}")))?;
    if !output.status.success() {
        return Err(BenchError::factory(command, String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| BenchError::factory(command, error.to_string()))
}
