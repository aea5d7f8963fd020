//! `GET /v1/workloads/{id}/logs`: the output of a task.
//!
//! What: a piece by position, or the whole from a position until the task is over. Positions are headers, the body is
//! the bytes as they were written. Why following asks again and again: the file is written by another process, and
//! the end of the task is rung in by the bell. Absent: encodings and lines.

use super::App;
use super::answer::{Refused, internal, with_type};
use super::extract::{Query, WorkloadPath};
use super::history::{self, Found};
use crate::view::Published;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use eaf_api::{LOG_BYTES_MAX, Refusal, Stream};
use eaf_core::Workload;
use eaf_engine::{EngineError, LogChunk, LogStream};
use eaf_model::WorkloadId;
use futures_util::stream::unfold;
use serde::Deserialize;
use std::time::Duration;
use tokio::sync::watch;

/// How often a log that is followed is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(40);
/// Bytes that are read at once while following.
const PIECE: usize = 256 << 10;
/// The largest position; JSON numbers of other languages are exact up to here.
const OFFSET_MAX: u64 = (1 << 53) - 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    attempt: Option<u32>,
    #[serde(default)]
    task: u32,
    #[serde(default)]
    stream: Stream,
    #[serde(default)]
    offset: u64,
    limit: Option<u32>,
    #[serde(default)]
    follow: bool,
}

/// One output of one task of one attempt.
#[derive(Clone, Copy)]
struct Output {
    workload: WorkloadId,
    attempt: u32,
    task: u32,
    stream: LogStream,
}

pub(super) async fn log(
    State(app): State<App>,
    WorkloadPath(id): WorkloadPath,
    Query(asked): Query<Parameters>,
) -> Result<Response, Refused> {
    let malformed = |problem: String| Refused::from(Refusal::QueryMalformed { problem });
    if asked.limit.is_some_and(|limit| !(1..=LOG_BYTES_MAX).contains(&limit)) {
        return Err(malformed(format!("limit: expected 1 to {LOG_BYTES_MAX}")));
    }
    if asked.offset > OFFSET_MAX {
        return Err(malformed(format!("offset: expected at most {OFFSET_MAX}")));
    }
    if asked.attempt == Some(0) {
        return Err(malformed("attempt: expected 1 or more".to_owned()));
    }
    let at = app.view.latest();
    let Some(found) = history::find(&app, &at, id).await? else {
        return Err(history::absent(&app, &at, id).await);
    };
    if asked.task >= found.record().spec.tasks {
        return Err(Refusal::NoSuchLog { workload: id }.into());
    }
    let stream = match asked.stream {
        Stream::Stdout => LogStream::Stdout,
        Stream::Stderr => LogStream::Stderr,
    };
    let attempt = asked.attempt.unwrap_or_else(|| latest_attempt(&found).max(1));
    let output = Output { workload: id, attempt, task: asked.task, stream };
    if asked.follow {
        let (bell, closing) = (app.view.bell(), app.closing.clone());
        let follower = Follower { app, output, offset: asked.offset, bell, closing, last: false };
        let body = Body::from_stream(unfold(follower, |follower| async move { follower.next().await }));
        return Ok(with_type(StatusCode::OK, "application/octet-stream", body));
    }
    if attempt > latest_attempt(&found) {
        return Err(Refusal::NoSuchLog { workload: id }.into());
    }
    let end = is_over(&at, &found, output);
    let limit = asked.limit.unwrap_or(LOG_BYTES_MAX) as usize;
    let chunk = read(&app, output, asked.offset, limit).await?;
    let next = chunk.offset + chunk.bytes.len() as u64;
    let end = end && chunk.bytes.len() < limit;
    let mut response = with_type(StatusCode::OK, "application/octet-stream", chunk.bytes.into());
    let headers = response.headers_mut();
    headers.insert("eaf-log-offset", HeaderValue::from(chunk.offset));
    headers.insert("eaf-log-next", HeaderValue::from(next));
    headers.insert("eaf-log-end", HeaderValue::from_static(if end { "true" } else { "false" }));
    Ok(response)
}

async fn read(app: &App, output: Output, offset: u64, limit: usize) -> Result<LogChunk, Refused> {
    let engine = app.engine.clone();
    let Output { workload, attempt, task, stream } = output;
    let read = move || engine.read_log(workload, attempt, task, stream, offset, limit);
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(chunk)) => Ok(chunk),
        Ok(Err(EngineError::File { source, .. })) if source.kind() == std::io::ErrorKind::NotFound => {
            Err(Refusal::NoSuchLog { workload }.into())
        }
        Ok(Err(error)) => Err(internal("reading a log", &error)),
        Err(error) => Err(internal("reading a log", &error)),
    }
}

/// The latest attempt that has begun; 0 for none.
fn latest_attempt(found: &Found) -> u32 {
    let record = found.record();
    let over = u32::try_from(record.attempts.len()).unwrap_or(u32::MAX);
    if record.lease.is_some() { over.saturating_add(1) } else { over }
}

/// True where nothing more will be written to this output.
fn is_over(at: &Published, found: &Found, output: Output) -> bool {
    let record: &Workload = found.record();
    if record.state.is_ended() || record.attempts.len() as u64 >= u64::from(output.attempt) {
        return true;
    }
    let lease = record.lease.and_then(|lease| at.state.lease(lease));
    lease.is_some_and(|lease| {
        lease.attempt == output.attempt
            // A gang that may start with fewer tasks need not have this one.
            && lease.tasks.get(output.task as usize).is_none_or(|task| task.state.is_over())
    })
}

struct Follower {
    app: App,
    output: Output,
    offset: u64,
    bell: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    /// True once the task was seen to be over: what is there now is all.
    last: bool,
}

impl Follower {
    async fn next(mut self) -> Option<(Result<Bytes, std::io::Error>, Self)> {
        loop {
            if *self.closing.borrow() {
                return None;
            }
            self.bell.mark_unchanged();
            if !self.last {
                self.last = self.over().await;
            }
            // A log that is not there yet, or not any more, reads as empty.
            let chunk = read(&self.app, self.output, self.offset, PIECE).await.unwrap_or_default();
            if !chunk.bytes.is_empty() {
                self.offset = chunk.offset + chunk.bytes.len() as u64;
                return Some((Ok(chunk.bytes.into()), self));
            }
            if self.last {
                return None;
            }
            tokio::select! {
                _ = self.bell.changed() => {}
                _ = self.closing.changed() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn over(&self) -> bool {
        let at = self.app.view.latest();
        match history::find(&self.app, &at, self.output.workload).await {
            Ok(Some(found)) => is_over(&at, &found, self.output),
            Ok(None) | Err(_) => true,
        }
    }
}
