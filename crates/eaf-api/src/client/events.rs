//! The event stream, read as server-sent events.

use super::{Client, ClientError, accept};
use crate::{EventId, EventView};
use std::io::{BufRead, BufReader, Read};
use std::time::Duration;
use ureq::BodyReader;

/// How often a broken connection is made again before the iterator gives up.
const RECONNECTS_MAX: u32 = 5;
/// The longest line of a stream that is read.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Events in the order of the journal. Ends with an error where the factory refuses, or stays away.
pub struct EventStream {
    client: Client,
    after: Option<EventId>,
    open: Option<BufReader<BodyReader<'static>>>,
    failures: u32,
    over: bool,
}

impl EventStream {
    pub(super) fn new(client: Client, after: Option<EventId>) -> Self {
        Self { client, after, open: None, failures: 0, over: false }
    }

    fn connect(&mut self) -> Result<BufReader<BodyReader<'static>>, ClientError> {
        let path = match self.after {
            Some(after) => format!("/v1/events?after={after}"),
            None => "/v1/events".to_owned(),
        };
        let (url, response) = self.client.send("GET", &path, None::<&()>, &[("accept", "text/event-stream")], None)?;
        let response = accept(&url, response)?;
        Ok(BufReader::new(response.into_body().into_with_config().limit(u64::MAX).reader()))
    }

    /// The data of the next message; `None` where the connection is over.
    fn next_data(reader: &mut BufReader<BodyReader<'static>>) -> std::io::Result<Option<String>> {
        let mut data = String::new();
        loop {
            let mut line = String::new();
            if reader.by_ref().take(LINE_BYTES_MAX).read_line(&mut line)? == 0 {
                return Ok(None);
            }
            let line = line.trim_end_matches(['\n', '\r']);
            if line.is_empty() && !data.is_empty() {
                return Ok(Some(data));
            }
            if let Some(part) = line.strip_prefix("data:") {
                data.push_str(part.strip_prefix(' ').unwrap_or(part));
            }
        }
    }

    fn step(&mut self) -> Result<Option<EventView>, ClientError> {
        let mut reader = match self.open.take() {
            Some(reader) => reader,
            None => self.connect()?,
        };
        let broken = |source| ClientError::Broken { url: format!("{}/v1/events", self.client.base), source };
        let Some(data) = Self::next_data(&mut reader).map_err(broken)? else {
            return Ok(None);
        };
        let view: EventView = serde_json::from_str(&data)
            .map_err(|_| ClientError::NotThisApi { url: format!("{}/v1/events", self.client.base), status: 200 })?;
        self.open = Some(reader);
        self.after = Some(view.id);
        Ok(Some(view))
    }
}

impl Iterator for EventStream {
    type Item = Result<EventView, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.over {
            let error = match self.step() {
                Ok(Some(view)) => {
                    self.failures = 0;
                    return Some(Ok(view));
                }
                Ok(None) => None,
                Err(error) => Some(error),
            };
            self.open = None;
            self.failures += 1;
            let refused = matches!(error, Some(ClientError::Refused(_) | ClientError::NotThisApi { .. }));
            if refused || self.failures > RECONNECTS_MAX {
                self.over = true;
                return error.map(Err);
            }
            std::thread::sleep(Duration::from_millis(100) * self.failures);
        }
        None
    }
}
