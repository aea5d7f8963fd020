//! `GET /v1/workloads/{id}/explanation`: why a workload waits, and when it will start.
//!
//! What: asks the core on the immutable snapshot, on a thread of its own, and keeps the answers of one step. Why one at a
//! time: an estimate may cost a second of a processor, and those who wait are many; neither the driver nor other requests
//! are held up by it. Absent: the estimate itself; the core's.

use super::App;
use super::answer::{Refused, json};
use super::extract::WorkloadPath;
use super::history;
use crate::clock::now;
use crate::view::Published;
use axum::extract::State;
use axum::response::Response;
use eaf_api::Refusal;
use eaf_model::{Explanation, Span, Time, WorkloadId, WorkloadState};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The most answers that are kept.
const KEPT_MAX: usize = 1_000;
/// An answer is given again for so long, if nothing has happened: running work ages all the same.
const KEPT_FOR: Span = Span::from_secs(10);

/// Lets one question be worked on at a time, and keeps the answers.
pub(crate) struct Explained {
    turn: Semaphore,
    kept: Mutex<Kept>,
}

/// The answers of one step, each with when it was given.
#[derive(Default)]
struct Kept {
    step: u64,
    answers: BTreeMap<WorkloadId, (Time, Explanation)>,
}

impl Default for Explained {
    fn default() -> Self {
        Self { turn: Semaphore::new(1), kept: Mutex::default() }
    }
}

impl Explained {
    /// Waits for the turn to work; held until it is dropped.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Refused> {
        // It is never closed.
        self.turn.acquire().await.map_err(|_| Refusal::Internal.into())
    }

    fn known(&self, step: u64, at: Time, id: WorkloadId) -> Option<Explanation> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (given, answer) = kept.answers.get(&id).filter(|_| kept.step == step)?;
        (at.since(*given) < KEPT_FOR).then(|| answer.clone())
    }

    fn keep(&self, step: u64, at: Time, answer: &Explanation) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.step != step || kept.answers.len() >= KEPT_MAX {
            *kept = Kept { step, answers: BTreeMap::new() };
        }
        kept.answers.insert(answer.workload, (at, answer.clone()));
    }
}

pub(super) async fn explanation(State(app): State<App>, WorkloadPath(id): WorkloadPath) -> Result<Response, Refused> {
    let at = app.view.latest();
    if let Some(known) = app.explained.known(at.head.step, now(), id) {
        return Ok(json(&known));
    }
    let waits = |at: &Published| at.state.workload(id).is_some_and(|record| record.state == WorkloadState::Queued);
    if waits(&at)
        && let Some(answer) = explain(&app, id).await?
    {
        return Ok(json(&answer));
    }
    match history::find(&app, &at, id).await? {
        Some(found) => Ok(json(&Explanation::of(id, found.record().state))),
        None => Err(history::absent(&app, &at, id).await),
    }
}

/// Asks the core, unless somebody has while this one waited for its turn.
async fn explain(app: &App, id: WorkloadId) -> Result<Option<Explanation>, Refused> {
    let _turn = app.explained.turn().await?;
    let (at, now) = (app.view.latest(), now());
    if let Some(known) = app.explained.known(at.head.step, now, id) {
        return Ok(Some(known));
    }
    let asked = Arc::clone(&at);
    let explained = tokio::task::spawn_blocking(move || eaf_core::explain(&asked.state, now, id)).await;
    let Ok(answer) = explained else { return Err(Refusal::Internal.into()) };
    if let Some(answer) = &answer {
        app.explained.keep(at.head.step, now, answer);
    }
    Ok(answer)
}
