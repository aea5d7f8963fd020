//! The policy: shares and windows; shown, checked, applied; and who holds what of which share.
//!
//! What: a policy is sent whole, so that two who change it at once never make a third one between them. Absent: the file
//! that people write; the command line reads it.

use super::App;
use super::answer::{Refused, json};
use super::extract::Json;
use super::submit::ADMINISTRATOR;
use crate::clock::now;
use axum::extract::State;
use axum::response::Response;
use eaf_api::ShareUseList;
use eaf_model::{Event, Input, Policy};

pub(super) async fn show(State(app): State<App>) -> Response {
    json(app.view.latest().state.policy())
}

pub(super) async fn usage(State(app): State<App>) -> Response {
    let at = app.view.latest();
    let now = now().max(at.state.last_time());
    json(&ShareUseList { items: eaf_core::share_uses(&at.state, now) })
}

fn asked(policy: Policy) -> Input {
    Input::ApplyPolicy { policy: Box::new(policy), by: ADMINISTRATOR.to_owned() }
}

pub(super) async fn apply(State(app): State<App>, Json(policy): Json<Policy>) -> Result<Response, Refused> {
    app.door.ask(asked(policy)).await?;
    Ok(show(State(app)).await)
}

pub(super) async fn check(State(app): State<App>, Json(policy): Json<Policy>) -> Result<Response, Refused> {
    let at = app.view.latest();
    let now = now().max(at.state.last_time());
    let events = eaf_core::decide(&at.state, now, &asked(policy)).map_err(Refused::Rejected)?;
    let applied = events.into_iter().find_map(|event| match event {
        Event::PolicyApplied { policy, .. } => Some(*policy),
        _ => None,
    });
    Ok(json(&applied.unwrap_or_else(|| at.state.policy().clone())))
}
