//! Problems: why a request was refused, as problem+json (RFC 9457).
//!
//! What: the document, and `Refusal`: the reasons of the HTTP door itself, as data, beside the core's `Rejection`.
//! Absent: words for people; `messages` turns both into Korean or English.

use eaf_model::{Rejection, WorkloadId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A problem document, `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A name of the kind of problem that never changes: `urn:eaf:problem:CODE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// A line for people, in the language asked for by `Accept-Language`.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong here and what would pass, for people.
    pub detail: String,
    /// The code, stable between releases.
    pub code: String,
    /// The numbers and names behind it, as in the `Rejection` or `Refusal`.
    #[serde(flatten)]
    pub numbers: Map<String, Value>,
}

impl Problem {
    /// The problem of a rejection by the core.
    pub fn of_rejection(rejection: &Rejection, title: String, detail: String) -> Self {
        Self::build(rejection_status(rejection), rejection.code(), title, detail, serde_json::to_value(rejection))
    }

    /// The problem of a refusal by the HTTP door.
    pub fn of_refusal(refusal: &Refusal, title: String, detail: String) -> Self {
        Self::build(refusal.status(), refusal.code(), title, detail, serde_json::to_value(refusal))
    }

    fn build(status: u16, code: &str, title: String, detail: String, data: serde_json::Result<Value>) -> Self {
        let mut numbers = match data {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        };
        for taken in ["type", "title", "status", "detail", "code"] {
            numbers.remove(taken);
        }
        Self { kind: format!("urn:eaf:problem:{code}"), title, status, detail, code: code.to_owned(), numbers }
    }
}

/// The HTTP status of a rejection: 422 for a request that is wrong by itself, 404 for an unknown thing that the path
/// names, 503 for a bound of the factory, and 409 for a conflict with what the factory is or does now.
pub fn rejection_status(rejection: &Rejection) -> u16 {
    match rejection {
        // Which accelerators there are, and which change together, is the node's matter.
        Rejection::Invalid { field, .. } if field == "accelerators" => 409,
        Rejection::Invalid { .. } | Rejection::SettingsInvalid { .. } => 422,
        Rejection::UnknownWorkload { .. } | Rejection::UnknownNode { .. } => 404,
        Rejection::QueueFull { .. } | Rejection::TooManyNodes { .. } | Rejection::TimeWentBack { .. } => 503,
        Rejection::NeverFits { .. }
        | Rejection::ModelUnknown { .. }
        | Rejection::SliceUnknown { .. }
        | Rejection::ModeUnknown { .. }
        | Rejection::NoNodes
        | Rejection::KeyReused { .. }
        | Rejection::UnknownDependency { .. }
        | Rejection::DependencyFailed { .. }
        | Rejection::DeadlineTooSoon { .. }
        | Rejection::AlreadyStopping { .. }
        | Rejection::NodeUnchanged { .. }
        | Rejection::NodeHoldsMore { .. }
        | Rejection::AcceleratorBusy { .. }
        | Rejection::StaleModeReport { .. }
        | Rejection::StaleReport { .. }
        | Rejection::PolicyInvalid { .. } => 409,
    }
}

/// Why the HTTP door refused a request before the core saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum Refusal {
    /// 400: the body is not the JSON that is asked for.
    BodyMalformed {
        /// What the reader said, with line and column.
        problem: String,
    },
    /// 400: a parameter of the query is unknown, doubled, or has a value that does not pass.
    QueryMalformed {
        /// What the reader said.
        problem: String,
    },
    /// 400: a header has a value that does not pass.
    HeaderMalformed {
        /// Its name.
        header: String,
        /// What would pass.
        expected: String,
    },
    /// 401: no token, or none that can be read.
    Unauthorized,
    /// 401: a token that is not this factory's.
    WrongToken,
    /// 404: no such path.
    NoSuchPath {
        /// The path.
        path: String,
    },
    /// 404: neither live nor in the history.
    NoSuchWorkload {
        /// The id as it was given.
        workload: String,
    },
    /// 404: no such node.
    NoSuchNode {
        /// The id as it was given.
        node: String,
    },
    /// 404: this task has no such log.
    NoSuchLog {
        /// The workload.
        workload: WorkloadId,
    },
    /// 404: there is no such file below the workload's directory.
    NoSuchFile {
        /// The path that was asked for.
        path: String,
    },
    /// 405: not with this method.
    MethodNotAllowed {
        /// The method.
        method: String,
        /// Those that pass.
        allow: Vec<String>,
    },
    /// 409: the workload has not ended, so there is no receipt yet.
    NotEnded {
        /// The workload.
        workload: WorkloadId,
    },
    /// 409: this names an array; ask for one of its members.
    IsArray {
        /// The array.
        workload: WorkloadId,
    },
    /// 409: the stop was meant for another process.
    OtherProcess,
    /// 410: these events have left the journal; begin again at `oldest`.
    EventsGone {
        /// The oldest step that is still there.
        oldest: u64,
    },
    /// 413: the body is above the bound.
    BodyTooLarge {
        /// The bound in bytes.
        max: u64,
    },
    /// 415: the body is not said to be JSON.
    UnsupportedMediaType,
    /// 429: more requests than the bound.
    RateLimited {
        /// The bound, requests a second.
        per_second: u32,
    },
    /// 500: a fault of the factory; the log has more.
    Internal,
    /// 503: too many requests wait to be made durable.
    Overloaded,
    /// 503: the factory is stopping.
    Stopping,
}

impl Refusal {
    /// The code, stable between releases.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BodyMalformed { .. } => "body_malformed",
            Self::QueryMalformed { .. } => "query_malformed",
            Self::HeaderMalformed { .. } => "header_malformed",
            Self::Unauthorized => "unauthorized",
            Self::WrongToken => "wrong_token",
            Self::NoSuchPath { .. } => "no_such_path",
            Self::NoSuchWorkload { .. } => "no_such_workload",
            Self::NoSuchNode { .. } => "no_such_node",
            Self::NoSuchLog { .. } => "no_such_log",
            Self::NoSuchFile { .. } => "no_such_file",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::NotEnded { .. } => "not_ended",
            Self::IsArray { .. } => "is_array",
            Self::OtherProcess => "other_process",
            Self::EventsGone { .. } => "events_gone",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::RateLimited { .. } => "rate_limited",
            Self::Internal => "internal",
            Self::Overloaded => "overloaded",
            Self::Stopping => "stopping",
        }
    }

    /// The HTTP status.
    pub const fn status(&self) -> u16 {
        match self {
            Self::BodyMalformed { .. } | Self::QueryMalformed { .. } | Self::HeaderMalformed { .. } => 400,
            Self::Unauthorized | Self::WrongToken => 401,
            Self::NoSuchPath { .. }
            | Self::NoSuchWorkload { .. }
            | Self::NoSuchNode { .. }
            | Self::NoSuchLog { .. }
            | Self::NoSuchFile { .. } => 404,
            Self::MethodNotAllowed { .. } => 405,
            Self::NotEnded { .. } | Self::IsArray { .. } | Self::OtherProcess => 409,
            Self::EventsGone { .. } => 410,
            Self::BodyTooLarge { .. } => 413,
            Self::UnsupportedMediaType => 415,
            Self::RateLimited { .. } => 429,
            Self::Internal => 500,
            Self::Overloaded | Self::Stopping => 503,
        }
    }
}
