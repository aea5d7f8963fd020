//! Answers: documents, and refusals that the gate puts into words.
//!
//! What: `Refused`, which every handler may end with. Why the words come later: the reader's language is known to the
//! gate, and so handlers do not carry it around. Absent: statuses; `eaf-api` has them.

use crate::driver::NotTaken;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use eaf_api::messages::{self, Lang, Rejected};
use eaf_api::{Problem, Refusal};
use eaf_model::Rejection;
use eaf_store::StoreError;
use serde::Serialize;
use std::sync::Arc;
use tracing::error;

/// Why a request was not answered with what it asked for.
#[derive(Clone, Debug)]
pub(crate) enum Refused {
    /// The core said no.
    Rejected(Rejection),
    /// The door said no.
    Door(Refusal),
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self::Door(refusal)
    }
}

impl From<NotTaken> for Refused {
    fn from(not_taken: NotTaken) -> Self {
        match not_taken {
            NotTaken::Rejected(rejection) => Self::Rejected(rejection),
            NotTaken::Overloaded => Self::Door(Refusal::Overloaded),
            NotTaken::Stopping => Self::Door(Refusal::Stopping),
        }
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        internal("reading the history", &error)
    }
}

/// A fault of the factory: the log has it, the caller only hears that it is one.
pub(crate) fn internal(what: &'static str, error: &dyn std::error::Error) -> Refused {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    error!(%error, cause, what, "a request failed");
    Refused::Door(Refusal::Internal)
}

impl Refused {
    fn status(&self) -> u16 {
        match self {
            Self::Rejected(rejection) => eaf_api::rejection_status(rejection),
            Self::Door(refusal) => refusal.status(),
        }
    }

    /// The problem document in the reader's language.
    pub(crate) fn problem(&self, lang: Lang) -> Problem {
        match self {
            Self::Rejected(rejection) => {
                let Rejected { title, detail } = messages::rejection(lang, rejection);
                Problem::of_rejection(rejection, title, detail)
            }
            Self::Door(refusal) => {
                let Rejected { title, detail } = messages::refusal(lang, refusal);
                Problem::of_refusal(refusal, title, detail)
            }
        }
    }

    /// The whole answer in the reader's language.
    pub(crate) fn answer(&self, lang: Lang) -> Response {
        let problem = self.problem(lang);
        let body = serde_json::to_vec(&problem).expect("a problem is JSON");
        let mut response = with_type(StatusCode::OK, "application/problem+json", body.into());
        *response.status_mut() = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.tag()));
        match self.status() {
            401 => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"eaf\""));
            }
            429 | 503 => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }
}

/// What a refusal travels as from its handler to the gate.
#[derive(Clone)]
pub(super) struct Carried(pub(super) Arc<Refused>);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.extensions_mut().insert(Carried(Arc::new(self)));
        response
    }
}

/// A JSON document.
pub(crate) fn json<T: Serialize>(value: &T) -> Response {
    json_with(StatusCode::OK, value)
}

/// A JSON document with another status than 200.
pub(crate) fn json_with<T: Serialize>(status: StatusCode, value: &T) -> Response {
    let body = serde_json::to_vec(value).expect("every shape of the API is JSON");
    with_type(status, "application/json", body.into())
}

/// A body of a known type.
pub(crate) fn with_type(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
