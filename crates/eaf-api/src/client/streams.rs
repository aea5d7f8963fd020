//! Answers whose body is bytes: logs and files.

use super::{ClientError, accept, read_bytes, read_json};
use crate::{Listing, LogPiece};
use std::io::Read;
use ureq::http::Response;
use ureq::{Body, BodyReader};

/// A log that is followed: reads until the task is over.
pub struct LogReader {
    body: BodyReader<'static>,
}

impl LogReader {
    pub(super) fn new(response: Response<Body>) -> Self {
        Self { body: response.into_body().into_with_config().limit(u64::MAX).reader() }
    }
}

impl Read for LogReader {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        self.body.read(buf)
    }
}

/// What is at a path of a workload's directory.
pub enum FileReply {
    /// A file.
    File {
        /// Its size when the answer began.
        size: Option<u64>,
        /// Its bytes.
        content: Box<dyn Read + Send>,
    },
    /// A directory.
    Directory(Listing),
}

pub(super) fn log_piece(url: &str, response: Response<Body>) -> Result<LogPiece, ClientError> {
    let status = response.status().as_u16();
    let number = |name: &str| -> Option<u64> { response.headers().get(name)?.to_str().ok()?.parse().ok() };
    let (offset, next) = (number("eaf-log-offset"), number("eaf-log-next"));
    let end = response.headers().get("eaf-log-end").is_some_and(|value| value == "true");
    let (Some(offset), Some(next)) = (offset, next) else {
        return Err(ClientError::NotThisApi { url: url.to_owned(), status });
    };
    Ok(LogPiece { offset, next, end, bytes: read_bytes(url, accept(url, response)?)? })
}

pub(super) fn file_reply(url: &str, response: Response<Body>) -> Result<FileReply, ClientError> {
    if response.body().mime_type() == Some("application/json") {
        return read_json(url, response).map(FileReply::Directory);
    }
    let size = response.body().content_length();
    let content = Box::new(response.into_body().into_with_config().limit(u64::MAX).reader());
    Ok(FileReply::File { size, content })
}
