//! The factory as a whole: health, readiness, metrics, the journal's head, the document, stopping.

use super::App;
use super::answer::{Refused, json, json_with, with_type};
use super::extract::Json;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use eaf_api::{Health, JournalHead, PROCESS_HEADER, Ready, Refusal, StopRequest, Stopping};

pub(super) async fn health() -> Response {
    json(&Health { status: "ok".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() })
}

pub(super) async fn ready(State(app): State<App>) -> Response {
    let why = app.readiness.missing();
    let status = if why.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let step = app.view.latest().head.step;
    let mut response = json_with(status, &Ready { ready: why.is_none(), step, why: why.map(str::to_owned) });
    if let Ok(process) = HeaderValue::from_str(&app.process) {
        response.headers_mut().insert(PROCESS_HEADER, process);
    }
    response
}

pub(super) async fn metrics(State(app): State<App>) -> Response {
    let text = app.metrics.text(&app.view);
    with_type(StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", text.into())
}

pub(super) async fn openapi() -> Response {
    with_type(StatusCode::OK, "application/json", eaf_api::OPENAPI.into())
}

pub(super) async fn journal_head(State(app): State<App>) -> Response {
    let head = app.view.latest().head;
    json(&JournalHead { step: head.step, hash: head.hash.to_string(), head: head.to_string() })
}

/// Ends the process that is named; a request that was meant for an earlier one ends nothing.
pub(super) async fn stop(State(app): State<App>, Json(request): Json<StopRequest>) -> Result<Response, Refused> {
    if request.process != app.process {
        return Err(Refusal::OtherProcess.into());
    }
    app.stopper.stop(request.stop_work);
    Ok(json_with(StatusCode::ACCEPTED, &Stopping { stop_work: request.stop_work, pid: std::process::id() }))
}
