//! What is wrong with a script.
//!
//! What: a place and a problem, as data: a stable code and named arguments, so that a door can say it in any language.
//! Absent: words in other languages than English.

/// A line that is not a line of a script, or that did not do what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {problem}")]
pub struct ScriptError {
    /// The line, from 1.
    pub line: usize,
    /// The character within the line, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The line begins with no verb of the language.
    #[error("there is no verb {found:?}; the verbs are: {known}")]
    UnknownVerb {
        /// What stands there.
        found: String,
        /// What might.
        known: String,
    },
    /// Something else should stand there.
    #[error("{found:?} stands where {expected} should")]
    Expected {
        /// What stands there; empty at the end of the line.
        found: String,
        /// What should.
        expected: String,
    },
    /// A number is out of the range that can be kept.
    #[error("{found:?} is out of range")]
    OutOfRange {
        /// The number.
        found: String,
    },
    /// The line speaks of something that is not there, and would do nothing.
    #[error("this does nothing: {why}")]
    NoEffect {
        /// What is missing.
        why: String,
    },
    /// What was expected is not so.
    #[error("expected {expected}, and {found}")]
    NotAsExpected {
        /// What the line says.
        expected: String,
        /// What is so.
        found: String,
    },
    /// A rule that must always hold does not.
    #[error("the rule {rule:?} does not hold: {what}")]
    Violation {
        /// The rule.
        rule: String,
        /// What breaks it.
        what: String,
    },
}

impl Problem {
    /// The code, stable between releases.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownVerb { .. } => "unknown_verb",
            Self::Expected { .. } => "expected",
            Self::OutOfRange { .. } => "out_of_range",
            Self::NoEffect { .. } => "no_effect",
            Self::NotAsExpected { .. } => "not_as_expected",
            Self::Violation { .. } => "violation",
        }
    }

    /// What a message of this code may speak of, by name.
    pub fn args(&self) -> Vec<(&'static str, String)> {
        let pair = |name, value: &String| (name, value.clone());
        match self {
            Self::UnknownVerb { found, known } => vec![pair("found", found), pair("known", known)],
            Self::Expected { found, expected } => vec![pair("found", found), pair("expected", expected)],
            Self::OutOfRange { found } => vec![pair("found", found)],
            Self::NoEffect { why } => vec![pair("why", why)],
            Self::NotAsExpected { expected, found } => vec![pair("expected", expected), pair("found", found)],
            Self::Violation { rule, what } => vec![pair("rule", rule), pair("what", what)],
        }
    }
}
