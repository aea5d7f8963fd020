//! Exit codes of the command line, documented in `docs/cli.md` and in `eaf --help`.
//!
//! What: one number for each thing that a script may want to tell apart. Absent: the codes of a factory that ends by
//! itself (73 to 76); the server has those.

/// Everything went well.
pub(crate) const OK: u8 = 0;
/// The factory refused, or something failed.
pub(crate) const FAILED: u8 = 1;
/// The command line was not understood.
pub(crate) const USAGE: u8 = 2;
/// No factory answers.
pub(crate) const NO_FACTORY: u8 = 3;
/// The token is missing or wrong.
pub(crate) const DENIED: u8 = 4;
/// No such workload, node or file.
pub(crate) const NOT_FOUND: u8 = 5;
/// A file of the user does not read.
pub(crate) const BAD_FILE: u8 = 6;
/// A journal or a receipt does not verify.
pub(crate) const NOT_VERIFIED: u8 = 7;
/// `eaf run`: the wall time was over.
pub(crate) const RUN_TIMED_OUT: u8 = 124;
/// `eaf run`: the command did not run or its end is not known, through no fault of its own.
pub(crate) const RUN_FAILED: u8 = 125;
/// `eaf run`: the command could not be started.
pub(crate) const RUN_CANNOT_START: u8 = 126;
/// `eaf run`: added to the number of the signal that ended the command.
pub(crate) const RUN_SIGNAL: u8 = 128;
/// `eaf run`: cancelled.
pub(crate) const RUN_CANCELLED: u8 = 130;
/// The reader of the output has gone, as after `| head`.
pub(crate) const PIPE: u8 = 141;
