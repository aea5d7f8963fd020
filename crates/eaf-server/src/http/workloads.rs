//! Workloads: lists, one, cancel, receipt.
//!
//! What: queries on the snapshot and the history, and one order. Absent: submission (`submit`), why one waits (`explanation`), logs and files.

use super::App;
use super::answer::{Refused, json, with_type};
use super::extract::{Query, WorkloadPath};
use super::history::{self, Found};
use crate::driver::NotTaken;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use eaf_api::receipt::{AttemptFacts, ReceiptFacts, TaskFacts};
use eaf_api::{ListQuery, PAGE_MAX, Refusal};
use eaf_core::{Attempt, State as CoreState};
use eaf_model::{Input, Rejection, WorkloadState};
use eaf_store::EndedWorkload;
use serde::Deserialize;

/// `GET /v1/workloads`, as its query is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParameters {
    state: Option<String>,
    project: Option<String>,
    name: Option<String>,
    list: Option<String>,
    #[serde(default)]
    all: bool,
    limit: Option<u32>,
    cursor: Option<String>,
}

impl ListParameters {
    fn read(self) -> Result<ListQuery, Refused> {
        let malformed = |problem: String| Refused::from(Refusal::QueryMalformed { problem });
        let mut states = Vec::new();
        for word in self.state.iter().flat_map(|words| words.split(',')) {
            let state = WorkloadState::ALL.into_iter().find(|state| state.word() == word);
            states.push(state.ok_or_else(|| malformed(format!("state: {word:?} is no state")))?);
        }
        let list = self.list.map(|list| list.parse()).transpose().map_err(|e| malformed(format!("list: {e}")))?;
        if self.limit.is_some_and(|limit| !(1..=PAGE_MAX).contains(&limit)) {
            return Err(malformed(format!("limit: expected 1 to {PAGE_MAX}")));
        }
        let Self { project, name, all, limit, cursor, .. } = self;
        Ok(ListQuery { states, project, name, list, all, limit, cursor })
    }
}

pub(super) async fn list(
    State(app): State<App>,
    Query(parameters): Query<ListParameters>,
) -> Result<Response, Refused> {
    Ok(json(&history::page(&app, &parameters.read()?).await?))
}

pub(super) async fn one(State(app): State<App>, WorkloadPath(id): WorkloadPath) -> Result<Response, Refused> {
    Ok(json(&history::show(&app, id).await?))
}

/// Ends a workload, or every live member of an array. One that has ended is shown as it ended.
pub(super) async fn cancel(State(app): State<App>, WorkloadPath(id): WorkloadPath) -> Result<Response, Refused> {
    let by = "administrator".to_owned();
    match app.door.ask(Input::Cancel { workload: id, by }).await {
        Ok(_) | Err(NotTaken::Rejected(Rejection::UnknownWorkload { .. })) => {}
        Err(other) => return Err(other.into()),
    }
    Ok(json(&history::show(&app, id).await?))
}

pub(super) async fn receipt(State(app): State<App>, WorkloadPath(id): WorkloadPath) -> Result<Response, Refused> {
    let at = app.view.latest();
    match history::find(&app, &at, id).await? {
        None => Err(history::absent(&app, &at, id).await),
        Some(Found::Live(_)) => Err(Refusal::NotEnded { workload: id }.into()),
        Some(Found::Ended(ended)) => {
            let facts = facts(&app, &at.state, &ended);
            let signed = eaf_api::receipt::sign(&eaf_api::receipt::build(&facts), &app.receipt_key);
            Ok(with_type(StatusCode::OK, "application/json", signed.into()))
        }
    }
}

fn facts(app: &App, state: &CoreState, ended: &EndedWorkload) -> ReceiptFacts {
    let workload = &ended.workload;
    ReceiptFacts {
        factory: app.factory.clone(),
        journal: ended.head.to_string(),
        workload: workload.id,
        name: workload.spec.name.clone(),
        project: workload.spec.project.clone(),
        by: workload.by.to_string(),
        submitted_at: workload.submitted_at,
        ended_at: workload.state_since,
        state: workload.state,
        reason: workload.state_reason.clone(),
        attempts: workload.attempts.iter().map(|attempt| attempt_facts(state, attempt)).collect(),
    }
}

fn attempt_facts(state: &CoreState, attempt: &Attempt) -> AttemptFacts {
    let tasks = attempt.nodes.iter().zip(&attempt.exits).map(|(id, exit)| {
        let node = state.node(*id);
        TaskFacts {
            // A node that has left the site is still named by its id.
            node: node.map_or_else(|| id.to_string(), |node| node.spec.name.clone()),
            exit: exit.clone(),
        }
    });
    AttemptFacts {
        lease: attempt.lease,
        checkpointed_at: attempt.checkpointed_at,
        tasks: tasks.collect(),
        bill: attempt.bill.clone(),
    }
}
