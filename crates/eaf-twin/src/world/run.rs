//! A scenario, from its text to its output.
//!
//! What: plays every line, strictly: a line that does nothing or expects what is not so ends it. Absent: files.

use super::{Figures, Watch, World};
use crate::script::{Expect, Op, Problem, ScriptError, parse, span_text};
use eaf_core::Violation;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What came of a scenario.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The log in virtual time, a line each, with a summary at the end.
    pub log: Vec<String>,
    /// What it came to.
    pub figures: Figures,
    /// What ended it early.
    pub error: Option<ScriptError>,
}

impl Outcome {
    /// The log as a text.
    pub fn text(&self) -> String {
        self.log.iter().fold(String::new(), |text, line| text + line + "\n")
    }
}

/// Plays a scenario. Every rule is checked after every turn.
///
/// # Errors
/// A text that does not read. What happens while it is played is in the outcome.
pub fn run(text: &str) -> Result<Outcome, ScriptError> {
    let lines = parse(text)?;
    let mut world = World::new(Watch::closely());
    let (mut error, mut expected) = (None, 0);
    let mut refused = Refused::default();
    for line in &lines {
        let problem = match refused.unexpected(&line.op) {
            Some(problem) => Some(problem),
            None => match guarded(|| world.play(&line.op)) {
                Ok(played) => played.problem(),
                Err(violation) => Some(Problem::Violation { rule: violation.rule.to_owned(), what: violation.what }),
            },
        };
        if let Some(problem) = problem {
            error = Some(ScriptError { line: line.number, column: 1, problem });
            break;
        }
        refused.played(&line.op, &world);
        expected += usize::from(matches!(line.op, Op::Expect(_)));
    }
    if error.is_none()
        && let Some(problem) = refused.unexpected(&Op::Drain)
    {
        error = Some(ScriptError { line: lines.last().map_or(1, |line| line.number), column: 1, problem });
    }
    if error.is_none()
        && let Err(violation) = guarded(|| world.finish())
    {
        let problem = Problem::Violation { rule: violation.rule.to_owned(), what: violation.what };
        error = Some(ScriptError { line: lines.last().map_or(1, |line| line.number), column: 1, problem });
    }
    let figures = world.figures.clone();
    let mut log = world.into_log();
    if error.is_none() {
        let Figures { steps, workloads, simulated, .. } = &figures;
        let time = span_text(*simulated);
        log.push(format!("{expected} expectations hold; {workloads} workloads, {steps} steps, {time}"));
    }
    Ok(Outcome { log, figures, error })
}

/// A refusal is part of a story where it is expected before anything else happens, and a slip of the pen otherwise.
#[derive(Default)]
struct Refused {
    seen: u64,
    open: Option<&'static str>,
}

impl Refused {
    /// What is wrong where this line comes while a refusal was not expected.
    fn unexpected(&self, next: &Op) -> Option<Problem> {
        let waits = matches!(next, Op::Advance(_) | Op::Expect(_));
        let code = self.open.filter(|_| !waits)?;
        Some(Problem::NoEffect { why: format!("a request before this was refused, {code}, and nothing expects that") })
    }

    fn played(&mut self, op: &Op, world: &World) {
        if world.refusals > self.seen {
            (self.seen, self.open) = (world.refusals, world.refused);
        }
        if matches!(op, Op::Expect(Expect::Refused(_))) {
            self.open = None;
        }
    }
}

/// Does something that may find a rule broken; a panic of the core is a broken rule too.
pub(crate) fn guarded<T>(what: impl FnOnce() -> Result<T, Violation>) -> Result<T, Violation> {
    catch_unwind(AssertUnwindSafe(what)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Violation { rule: "nothing panics", what: text.unwrap_or("the core panicked").to_owned() })
    })
}
