//! The HTTP door.
//!
//! What: routes of `/v1`, what every request passes on its way in and out, and the sockets. Why one gate: token, rate,
//! language, metrics and problems are the same for every route. Absent: the shapes (`eaf-api`) and every rule.

mod answer;
mod events;
mod explanation;
mod extract;
mod files;
mod gate;
mod history;
mod logs;
mod nodes;
mod policy;
mod rate;
#[allow(clippy::module_inception)]
mod serve;
mod submit;
mod system;
mod views;
mod what_if;
mod workloads;

pub(crate) use explanation::Explained;
pub(crate) use rate::Rates;
pub(crate) use serve::{Listening, listen, serve};

use crate::driver::{Door, Readiness};
use crate::metrics::Metrics;
use crate::server::Stopper;
use crate::view::View;
use axum::Router;
use axum::routing::{get, post};
use eaf_engine::Engine;
use eaf_store::SqliteReader;
use std::sync::Arc;
use tokio::sync::watch;

/// What handlers share.
pub(crate) struct Shared {
    pub(crate) view: Arc<View>,
    pub(crate) door: Door,
    pub(crate) reader: SqliteReader,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) receipt_key: eaf_api::receipt::KeyPair,
    pub(crate) factory: String,
    pub(crate) stopper: Stopper,
    pub(crate) token: String,
    /// Names this start of the factory; `POST /v1/stop` asks for it.
    pub(crate) process: String,
    pub(crate) body_bytes_max: u64,
    pub(crate) requests_per_second: u32,
    pub(crate) rates: Rates,
    pub(crate) explained: Explained,
    /// Turns true when the sockets close; streams end then.
    pub(crate) closing: watch::Receiver<bool>,
}

/// What handlers are given.
pub(crate) type App = Arc<Shared>;

/// Every path, as the OpenAPI document names it.
pub(crate) const PATHS: [&str; 23] = [
    "/v1/health",
    "/v1/ready",
    "/v1/metrics",
    "/v1/openapi.json",
    "/v1/journal/head",
    "/v1/stop",
    "/v1/events",
    "/v1/nodes",
    "/v1/nodes/{id}",
    "/v1/nodes/{id}/cordon",
    "/v1/nodes/{id}/uncordon",
    "/v1/nodes/{id}/mode",
    "/v1/policy",
    "/v1/policy/check",
    "/v1/policy/usage",
    "/v1/workloads",
    "/v1/workloads/what-if",
    "/v1/workloads/{id}",
    "/v1/workloads/{id}/cancel",
    "/v1/workloads/{id}/explanation",
    "/v1/workloads/{id}/logs",
    "/v1/workloads/{id}/files",
    "/v1/workloads/{id}/receipt",
];

/// The routes behind the gate.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/v1/health", get(system::health))
        .route("/v1/ready", get(system::ready))
        .route("/v1/metrics", get(system::metrics))
        .route("/v1/openapi.json", get(system::openapi))
        .route("/v1/journal/head", get(system::journal_head))
        .route("/v1/stop", post(system::stop))
        .route("/v1/events", get(events::stream))
        .route("/v1/nodes", get(nodes::list))
        .route("/v1/nodes/{id}", get(nodes::one))
        .route("/v1/nodes/{id}/cordon", post(nodes::cordon))
        .route("/v1/nodes/{id}/uncordon", post(nodes::uncordon))
        .route("/v1/nodes/{id}/mode", post(nodes::mode))
        .route("/v1/policy", get(policy::show).put(policy::apply))
        .route("/v1/policy/check", post(policy::check))
        .route("/v1/policy/usage", get(policy::usage))
        .route("/v1/workloads", get(workloads::list).post(submit::submit))
        .route("/v1/workloads/what-if", post(what_if::what_if))
        .route("/v1/workloads/{id}", get(workloads::one))
        .route("/v1/workloads/{id}/cancel", post(workloads::cancel))
        .route("/v1/workloads/{id}/explanation", get(explanation::explanation))
        .route("/v1/workloads/{id}/logs", get(logs::log))
        .route("/v1/workloads/{id}/files", get(files::file))
        .route("/v1/workloads/{id}/receipt", get(workloads::receipt))
        .fallback(gate::no_such_path)
        .method_not_allowed_fallback(gate::method_not_allowed)
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&app), gate::pass))
        .with_state(app)
}
