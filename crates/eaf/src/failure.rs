//! Why a command did not do what it was asked.
//!
//! What: what happened, why, what to do next, and the exit code. Why one type for all commands: they end in one place,
//! where the language is known. Absent: panics; every input has an answer.

use crate::exit;
use crate::say::Say;
use eaf_api::Problem;
use eaf_api::client::ClientError;
use eaf_api::messages::Lang;
use std::error::Error;
use std::io;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something that this program says.
    Said {
        /// The exit code.
        code: u8,
        /// What happened, and what to do next.
        say: Say,
        /// Why, from the nearest cause to the furthest.
        why: Vec<String>,
    },
    /// Something that the factory says.
    Refused(Box<Problem>),
    /// The same to `eaf run`, whose exit code is otherwise the command's.
    RunRefused(Box<Problem>),
    /// Nothing is to be said beyond the exit code.
    Silent(u8),
}

impl Failure {
    /// A failure without a further cause.
    pub(crate) const fn new(code: u8, say: Say) -> Self {
        Self::Said { code, say, why: Vec::new() }
    }

    /// A failure with its causes.
    pub(crate) fn because(code: u8, say: Say, cause: &dyn Error) -> Self {
        let mut why = vec![cause.to_string()];
        let mut cause = cause.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            if !why.last().is_some_and(|last| last.contains(&text)) {
                why.push(text);
            }
            cause = inner.source();
        }
        Self::Said { code, say, why }
    }

    /// A file that could not be read or written.
    pub(crate) fn file(id: &'static str, path: &std::path::Path, cause: &io::Error) -> Self {
        let code = if cause.kind() == io::ErrorKind::NotFound { exit::NOT_FOUND } else { exit::FAILED };
        Self::because(code, Say::new(id).with("path", path.display()), cause)
    }

    /// The output cannot be written; silence where its reader has gone.
    pub(crate) fn output(cause: &io::Error) -> Self {
        match cause.kind() {
            io::ErrorKind::BrokenPipe => Self::Silent(exit::PIPE),
            _ => Self::because(exit::FAILED, Say::new("fail-output"), cause),
        }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Said { code, .. } | Self::Silent(code) => *code,
            Self::RunRefused(_) => exit::RUN_FAILED,
            Self::Refused(problem) => match problem.status {
                401 | 403 => exit::DENIED,
                404 => exit::NOT_FOUND,
                _ => exit::FAILED,
            },
        }
    }

    /// What a reader is told: the headline, and lines below it.
    pub(crate) fn told(&self, lang: Lang) -> Option<(String, Vec<String>)> {
        match self {
            Self::Silent(_) => None,
            Self::Refused(problem) | Self::RunRefused(problem) => {
                Some((problem.title.clone(), vec![problem.detail.clone()]))
            }
            Self::Said { say, why, .. } => {
                let mut below = why.clone();
                below.extend(say.next(lang));
                Some((say.in_lang(lang), below))
            }
        }
    }
}

/// The factory's own part of a URL.
fn door(url: &str) -> &str {
    url.split_once("/v1/").map_or(url, |(door, _)| door)
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(problem) => Self::Refused(problem),
            ClientError::Unreachable { ref url, ref source } => {
                let distrusted = source.to_string().contains("certificate");
                let say = if distrusted { Say::new("fail-distrusted") } else { Say::new("fail-unreachable") };
                Self::because(exit::NO_FACTORY, say.with("url", door(url)), source)
            }
            ClientError::NotThisApi { ref url, status } => {
                Self::new(exit::NO_FACTORY, Say::new("fail-not-this-api").with("url", url).with("status", status))
            }
            ClientError::Broken { ref url, ref source } => {
                Self::because(exit::NO_FACTORY, Say::new("fail-broken").with("url", url), source)
            }
            ClientError::BadCertificate { ref source } => {
                Self::because(exit::BAD_FILE, Say::new("fail-certificate"), source)
            }
        }
    }
}
