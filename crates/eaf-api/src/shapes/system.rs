//! The factory as a whole: health, readiness, the journal's head, stopping.

use eaf_model::ShareUse;
use serde::{Deserialize, Serialize};

/// `GET /v1/health`: the process answers. The one answer that needs no token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Always `ok`.
    pub status: String,
    /// The version of the program.
    pub version: String,
}

/// `GET /v1/ready`: whether work is taken and can be started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ready {
    /// True where submissions are taken and the engine is within reach.
    pub ready: bool,
    /// The last step that is durable.
    pub step: u64,
    /// What is missing, where something is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// `GET /v1/journal/head`: a place in the journal that nothing may be cut off behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalHead {
    /// The last durable step.
    pub step: u64,
    /// The hash up to and with it, in hexadecimal.
    pub hash: String,
    /// Both, as `eaf verify --expect` takes them: `STEP:HASH`.
    pub head: String,
}

/// The header of `GET /v1/ready` that names this start of the factory.
pub const PROCESS_HEADER: &str = "eaf-process";

/// `POST /v1/stop`: end the factory's process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StopRequest {
    /// The process to end, as `PROCESS_HEADER` of `GET /v1/ready` names it: a stop that was meant for an earlier start, or
    /// for no factory at all, ends nothing.
    pub process: String,
    /// False leaves tasks running for the next start to find; true ends them and their supervisor first.
    #[serde(default)]
    pub stop_work: bool,
}

/// The answer to `POST /v1/stop`: it is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopping {
    /// As asked.
    pub stop_work: bool,
    /// The process that is ending.
    pub pid: u32,
}

/// `GET /v1/policy/usage`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareUseList {
    /// Each share, a whole before its parts.
    pub items: Vec<ShareUse>,
}
