//! `GET /v1/events`: the journal as server-sent events.
//!
//! What: every event behind a place, then every new one. Why no queue a reader: each pulls from the steps of late, or
//! from the journal where it has fallen behind, so a slow one costs nothing. Absent: filters; a reader sees all.

use super::App;
use super::answer::{Refused, with_type};
use super::extract::Query;
use crate::view::Recent;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use eaf_api::{EventId, EventView, Refusal};
use eaf_core::Step;
use futures_util::stream::unfold;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tracing::warn;

/// Between signs of life where nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Steps that are sent in one piece.
const STEPS_MAX: usize = 256;
/// Batches that are read from the journal at once.
const BATCHES_MAX: u32 = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    after: Option<String>,
}

pub(super) async fn stream(
    State(app): State<App>,
    headers: HeaderMap,
    Query(parameters): Query<Parameters>,
) -> Result<Response, Refused> {
    let resumed = headers.get("last-event-id").map(|value| value.to_str().unwrap_or_default().parse::<EventId>());
    let asked = parameters.after.map(|after| after.parse::<EventId>());
    let after = match (resumed, asked) {
        (Some(resumed), _) => resumed
            .map_err(|e| Refusal::HeaderMalformed { header: "Last-Event-ID".to_owned(), expected: e.to_string() })?,
        (None, Some(asked)) => asked.map_err(|e| Refusal::QueryMalformed { problem: format!("after: {e}") })?,
        (None, None) => EventId::behind(app.view.latest().head.step),
    };
    let anchor = app.reader.anchor().await?;
    if after < EventId::behind(anchor.step) && anchor.step > 0 {
        return Err(Refusal::EventsGone { oldest: anchor.step }.into());
    }
    let bell = app.view.bell();
    let closing = app.closing.clone();
    let reader = Reader { app, after, bell, closing, greeted: false };
    let body = Body::from_stream(unfold(reader, |reader| async move { reader.next().await }));
    let mut response = with_type(StatusCode::OK, "text/event-stream", body);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

struct Reader {
    app: App,
    after: EventId,
    bell: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    greeted: bool,
}

type Piece = Result<Bytes, std::io::Error>;

impl Reader {
    /// The next piece of the stream; `None` ends it, and the reader comes back with the last id it saw.
    async fn next(mut self) -> Option<(Piece, Self)> {
        if !self.greeted {
            self.greeted = true;
            return Some((Ok(Bytes::from_static(b": the journal of this factory\n\n")), self));
        }
        loop {
            if *self.closing.borrow() {
                return None;
            }
            self.bell.mark_unchanged();
            let text = match self.steps().await {
                Ok(steps) => self.render(&steps),
                Err(()) => return None,
            };
            if !text.is_empty() {
                return Some((Ok(text.into()), self));
            }
            tokio::select! {
                _ = self.bell.changed() => {}
                _ = self.closing.changed() => {}
                () = tokio::time::sleep(HEARTBEAT) => return Some((Ok(Bytes::from_static(b":\n\n")), self)),
            }
        }
    }

    /// Steps from the one that was seen last, whose last events may be missing still.
    async fn steps(&self) -> Result<Vec<Arc<Step>>, ()> {
        let from = if self.after.index == u32::MAX { self.after.step + 1 } else { self.after.step.max(1) };
        if let Recent::Steps(steps) = self.app.view.recent(from, STEPS_MAX) {
            return Ok(steps);
        }
        let batches = self.app.reader.batches(from - 1, BATCHES_MAX).await.map_err(|error| {
            warn!(%error, "the journal cannot be read for an event stream");
        })?;
        let first = batches.first().map_or(u64::MAX, |batch| batch.first_step);
        let lines = batches.iter().flat_map(|batch| batch.body.split(|byte| *byte == b'\n'));
        let steps: Vec<Arc<Step>> = lines
            .filter_map(|line| serde_json::from_slice::<Step>(line).ok())
            .filter(|step| step.number >= from)
            .map(Arc::new)
            .collect();
        // A reader that stood still until its place was pruned begins again, and is told so then.
        if first > from { Err(()) } else { Ok(steps) }
    }

    fn render(&mut self, steps: &[Arc<Step>]) -> String {
        let mut text = String::new();
        for step in steps {
            for (event, index) in step.events.iter().zip(0..) {
                let id = EventId { step: step.number, index };
                if id > self.after {
                    write_event(&mut text, &EventView { id, at: step.at, event: event.clone() });
                }
            }
            self.after = EventId::behind(step.number);
        }
        text
    }
}

fn write_event(text: &mut String, view: &EventView) {
    use std::fmt::Write;
    let data = serde_json::to_string(view).expect("an event is JSON");
    write!(text, "id: {}\nevent: {}\ndata: {data}\n\n", view.id, view.event.kind())
        .expect("a String takes every write");
}
