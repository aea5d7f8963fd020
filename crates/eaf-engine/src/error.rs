//! What can go wrong between the driver and an engine.
//!
//! What: one enum for the operations of the contract; every variant says what was tried. Absent: what goes wrong inside
//! a task; that is an `Exit`, not an error.

use std::io;
use std::path::PathBuf;

/// An operation of an engine failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The engine's arm does not answer; it is being brought back and the call may be made again.
    #[error("the engine is out of reach: {why}")]
    Unreachable {
        /// What was seen.
        why: String,
    },
    /// A file or directory could not be used.
    #[error("cannot {what} {}", path.display())]
    File {
        /// What was tried, as a verb.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The supervisor could not be started.
    #[error("cannot start the supervisor {}", program.display())]
    Supervisor {
        /// The program.
        program: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A setting cannot be carried out on this machine.
    #[error("the setting {setting} cannot be used: {why}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What is wrong and what would do.
        why: String,
    },
    /// The supervisor refused a request.
    #[error("the supervisor refused: {why}")]
    Refused {
        /// In its words.
        why: String,
    },
    /// The supervisor speaks something else than this protocol.
    #[error("the supervisor said something that is not its protocol: {why}")]
    Protocol {
        /// What was read.
        why: String,
    },
}

impl EngineError {
    /// A failure with a file, ready for `map_err`.
    pub(crate) fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }
}
