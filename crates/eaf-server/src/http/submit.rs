//! `POST /v1/workloads`: the one request that must be fast.
//!
//! What: read the body once, look into the history only for a key or a dependency that memory has forgotten, hand it to
//! the driver, answer with a text that is put together by hand. Absent: checks of the specification; the core's.

use super::App;
use super::answer::{Refused, with_type};
use super::extract::{IdempotencyKey, Json};
use crate::view::Published;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use eaf_api::{Refusal, SubmitRequest};
use eaf_core::Taken;
use eaf_model::{Input, Rejection, Submission, WorkloadId, WorkloadSpec, WorkloadState};
use eaf_store::{EndedFilter, LIST_MAX};

/// Who asks, as long as there is one token.
pub(super) const ADMINISTRATOR: &str = "administrator";

pub(super) async fn submit(
    State(app): State<App>,
    IdempotencyKey(key): IdempotencyKey,
    Json(request): Json<SubmitRequest>,
) -> Result<Response, Refused> {
    if app.readiness.is_stopping() {
        return Err(Refusal::Stopping.into());
    }
    let SubmitRequest { spec, mut array } = request;
    array.sort_unstable();
    let waits = !spec.after_ok.is_empty() || !spec.after_any.is_empty();
    let mut ended = Vec::new();
    if key.is_some() || waits {
        let at = app.view.latest();
        if let Some(key) = key.as_deref().filter(|key| at.state.remembered_by_key(key).is_none()) {
            if let Some(first) = forgotten(&app, &at, key, &spec, &array).await? {
                return Ok(answer(first, StatusCode::OK));
            }
        }
        if waits {
            ended = ends(&app, &at, &spec).await?;
        }
    }
    let keyed = key.is_some();
    // Compared with the history where the first submission has ended meanwhile.
    let again = keyed.then(|| (spec.clone(), array.clone()));
    let submission = Submission { spec, array, key, by: ADMINISTRATOR.to_owned(), ended };
    let Taken { workload, changed, .. } = app.door.ask(Input::Submit(Box::new(submission))).await?;
    let Some(id) = workload else { return Err(Refusal::Internal.into()) };
    if changed {
        return Ok(answer(id, StatusCode::CREATED));
    }
    if let Some((spec, array)) = again {
        same_request(&app, id, &spec, &array).await?;
    }
    Ok(answer(id, StatusCode::OK))
}

fn answer(id: WorkloadId, status: StatusCode) -> Response {
    let id = id.to_string();
    let mut response = with_type(status, "application/json", format!("{{\"id\":\"{id}\"}}").into());
    if let Ok(location) = HeaderValue::try_from(format!("/v1/workloads/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The first submission with this key, where only the history knows it.
async fn forgotten(
    app: &App,
    at: &Published,
    key: &str,
    spec: &WorkloadSpec,
    array: &[u16],
) -> Result<Option<WorkloadId>, Refused> {
    if !at.state.has_forgotten() {
        return Ok(None);
    }
    let Some(first) = app.reader.ended_with_key(key).await? else { return Ok(None) };
    let id = first.workload.id.list();
    same_request(app, id, spec, array).await?;
    Ok(Some(id))
}

/// Refuses where a key that is known comes with another request. Live members were compared by the core.
async fn same_request(app: &App, id: WorkloadId, spec: &WorkloadSpec, array: &[u16]) -> Result<(), Refused> {
    let reused = || Refused::Rejected(Rejection::KeyReused { workload: id });
    let filter = EndedFilter { list: Some(id), limit: LIST_MAX, ..EndedFilter::default() };
    let ended = app.reader.list_ended(&filter).await?;
    for member in &ended {
        let value = member.workload.array_index;
        let named = value.map_or(array.is_empty(), |value| array.binary_search(&value).is_ok());
        if *member.workload.spec != *spec || !named {
            return Err(reused());
        }
    }
    let all_ended = app.view.latest().state.members(id).next().is_none();
    if all_ended && ended.len() < LIST_MAX as usize && !ended.is_empty() && ended.len() != array.len().max(1) {
        return Err(reused());
    }
    Ok(())
}

/// How the dependencies ended that memory has forgotten.
async fn ends(app: &App, at: &Published, spec: &WorkloadSpec) -> Result<Vec<(WorkloadId, WorkloadState)>, Refused> {
    let mut ends = Vec::new();
    for id in spec.after_ok.iter().chain(&spec.after_any) {
        // Of an array, some members may live while others have left memory.
        if at.state.remembered(*id).is_some() || at.state.workload(*id).is_some() {
            continue;
        }
        let filter = EndedFilter { list: Some(*id), limit: LIST_MAX, ..EndedFilter::default() };
        let ended = app.reader.list_ended(&filter).await?;
        ends.extend(ended.iter().map(|ended| (ended.workload.id, ended.workload.state)));
    }
    Ok(ends)
}
