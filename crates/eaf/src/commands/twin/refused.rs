//! Files that are no trace: the words for what is wrong, with the place in the file.
//!
//! Absent: the judgement; the readers make it.

use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use eaf_twin::trace::{CellProblem, TraceError};

/// A file that is no trace, with the place in it.
pub(crate) fn refused(path: &str, error: &TraceError) -> Failure {
    let cell = |problem: &CellProblem| match problem {
        CellProblem::NotANumber => Say::new("trace-not-a-number"),
        CellProblem::Negative => Say::new("trace-negative"),
        CellProblem::TooLarge => Say::new("trace-too-large"),
        CellProblem::NotATime => Say::new("trace-not-a-time"),
        CellProblem::Empty => Say::new("trace-empty-cell"),
        CellProblem::NotAllowed { expected } => Say::new("trace-not-allowed").with("expected", expected),
    };
    let problem = match error {
        TraceError::Read(cause) => {
            return Failure::because(exit::BAD_FILE, Say::new("fail-read").with("path", path), cause);
        }
        TraceError::Empty => Say::new("trace-empty"),
        TraceError::NoRows => Say::new("trace-no-rows"),
        TraceError::MissingColumn { missing, found } => {
            Say::new("trace-missing-column").with("column", missing).with("found", found)
        }
        TraceError::ColumnTwice { column } => Say::new("trace-column-twice").with("column", column),
        TraceError::Encoding { line, column } => Say::new("trace-encoding").with("line", line).with("column", column),
        TraceError::Width { line, found, expected } => {
            Say::new("trace-width").with("line", line).with("found", found).with("expected", expected)
        }
        TraceError::Cell { line, column, name, value, problem } => Say::new("trace-cell")
            .with("line", line)
            .with("column", column)
            .with("name", name)
            .with("value", value)
            .say("problem", cell(problem)),
        TraceError::NodeTwice { line, first, name } => {
            Say::new("trace-node-twice").with("line", line).with("first", first).with("name", name)
        }
        TraceError::NameTwice { line, first, name } => {
            Say::new("trace-name-twice").with("line", line).with("first", first).with("name", name)
        }
        TraceError::NoAccelerators => Say::new("trace-no-accelerators"),
        order => misfit(order),
    };
    Failure::new(exit::BAD_FILE, Say::new("fail-trace").with("path", path).say("problem", problem))
}

/// Orders that do not fit the nodes or the pods that they are for.
fn misfit(error: &TraceError) -> Say {
    let place = |id, line: &u64, column: &usize, name: &str| {
        Say::new(id).with("line", line).with("column", column).with("name", name)
    };
    match error {
        TraceError::Index { line, column, name, entry, value, below } => {
            let say = place("trace-index", line, column, name);
            say.with("entry", entry).with("value", value).with("below", below)
        }
        TraceError::IndexTwice { line, column, name, entry, value } => {
            place("trace-index-twice", line, column, name).with("entry", entry).with("value", value)
        }
        TraceError::IndexMissing { line, column, name, value, found, expected } => {
            let say = place("trace-index-missing", line, column, name);
            say.with("value", value).with("found", found).with("expected", expected)
        }
        TraceError::SeedTwice { line, trace, seed } => {
            Say::new("trace-seed-twice").with("line", line).with("trace", trace).with("seed", seed)
        }
        TraceError::NoTrace { trace, found } => Say::new("trace-no-trace").with("trace", trace).with("found", found),
        TraceError::NoSeed { trace, seed, found } => {
            Say::new("trace-no-seed").with("trace", trace).with("seed", seed).with("found", found)
        }
        other => Say::new("trace-other").with("what", other),
    }
}
