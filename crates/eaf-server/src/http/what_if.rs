//! `POST /v1/workloads/what-if`: what would come of a submission.
//!
//! What: the request of a submission, answered from a copy of the latest durable state; nothing is submitted. Absent: an
//! idempotency key; nothing is made that could be made twice.

use super::App;
use super::answer::{Refused, json};
use super::extract::Json;
use super::submit::{ADMINISTRATOR, ends};
use crate::clock::now;
use axum::extract::State;
use axum::response::Response;
use eaf_api::{Planned, PlannedTask, Refusal, SubmitRequest};
use eaf_core::{Preview, State as CoreState};
use eaf_model::{Allotment, Submission};
use std::sync::Arc;

pub(super) async fn what_if(State(app): State<App>, Json(request): Json<SubmitRequest>) -> Result<Response, Refused> {
    if app.readiness.is_stopping() {
        return Err(Refusal::Stopping.into());
    }
    let SubmitRequest { spec, mut array } = request;
    array.sort_unstable();
    let _turn = app.explained.turn().await?;
    let at = app.view.latest();
    let ended = ends(&app, &at, &spec).await?;
    let submission = Submission { spec, array, key: None, by: ADMINISTRATOR.to_owned(), ended };
    let asked = Arc::clone(&at);
    let previewed = tokio::task::spawn_blocking(move || eaf_core::preview(&asked.state, now(), &submission)).await;
    let preview = previewed.map_err(|_| Refused::from(Refusal::Internal))?.map_err(Refused::Rejected)?;
    Ok(json(&planned(&at.state, preview)))
}

fn planned(state: &CoreState, preview: Preview) -> Planned {
    let task = |allotment: Allotment| PlannedTask {
        name: state.node(allotment.node).map_or_else(|| allotment.node.to_string(), |node| node.spec.name.clone()),
        allotment,
    };
    Planned {
        workloads: preview.workloads,
        starting: preview.starting,
        tasks: preview.placement.into_iter().flat_map(|placement| placement.tasks).map(task).collect(),
        explanation: preview.explanation,
        last: preview.last,
    }
}
