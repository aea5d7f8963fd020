//! `eaf twin run`: plays scenarios.
//!
//! What: prints what happens, in virtual time, and compares it with the output that stands beside the file. Absent: the
//! language; that is `eaf-twin`'s.

use super::super::Context;
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use crate::screen::Paint;
use eaf_twin::script::{Problem, ScriptError};
use eaf_twin::world::{Outcome, run as play};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Scenarios, one operation a line.
    #[arg(value_name = "FILE", required = true)]
    file: Vec<PathBuf>,
    /// Write each output beside its scenario, as FILE with .out for .eafs.
    #[arg(long)]
    update: bool,
}

/// What is wrong, as a message.
fn say(problem: &Problem) -> Say {
    let id = match problem {
        Problem::UnknownVerb { .. } => "script-unknown-verb",
        Problem::Expected { .. } => "script-expected",
        Problem::OutOfRange { .. } => "script-out-of-range",
        Problem::NoEffect { .. } => "script-no-effect",
        Problem::NotAsExpected { .. } => "script-not-as-expected",
        Problem::Violation { .. } => "script-violation",
    };
    problem.args().into_iter().fold(Say::new(id), |say, (name, value)| say.with(name, value))
}

fn failure(code: u8, path: &Path, error: &ScriptError) -> Failure {
    let place = format!("{}:{}:{}", path.display(), error.line, error.column);
    Failure::new(code, Say::new("fail-script").with("place", place).say("problem", say(&error.problem)))
}

/// The emphasis of a line of the log.
fn paint(line: &str) -> Paint {
    match line.split_once("  ") {
        Some((_, rest)) if rest.starts_with("> ") => Paint::Bold,
        Some((_, rest)) if rest.starts_with("ok ") => Paint::Good,
        _ => Paint::Plain,
    }
}

fn print(outcome: &Outcome, context: &mut Context) -> Result<(), Failure> {
    for line in &outcome.log {
        context.screen.painted(paint(line), line)?;
    }
    Ok(())
}

/// Holds the output against the one beside the file, or writes it there; true where they agree.
fn compare(path: &Path, outcome: &Outcome, update: bool, context: &Context) -> Result<bool, Failure> {
    let golden = path.with_extension("out");
    if update {
        std::fs::write(&golden, outcome.text()).map_err(|error| Failure::file("fail-write", &golden, &error))?;
        return Ok(true);
    }
    let stored = match std::fs::read_to_string(&golden) {
        Ok(stored) => stored,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            context.screen.note(&context.say(&Say::new("twin-run-alone").with("path", golden.display())));
            return Ok(true);
        }
        Err(error) => return Err(Failure::file("fail-read", &golden, &error)),
    };
    let same = stored == outcome.text();
    if !same {
        context.screen.note(&context.say(&Say::new("twin-run-differs").with("path", golden.display())));
    }
    Ok(same)
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let mut agree = true;
    for path in &args.file {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::file("fail-read", path, &error))?;
        let outcome = play(&text).map_err(|error| failure(exit::BAD_FILE, path, &error))?;
        if args.file.len() > 1 {
            context.screen.painted(Paint::Bold, &path.display().to_string())?;
        }
        print(&outcome, context)?;
        if let Some(error) = &outcome.error {
            return Err(failure(exit::FAILED, path, error));
        }
        context.screen.flush()?;
        agree &= compare(path, &outcome, args.update, context)?;
    }
    Ok(if agree { exit::OK } else { exit::FAILED })
}
