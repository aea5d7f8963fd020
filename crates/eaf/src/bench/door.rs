//! A lean HTTP client: requests made beforehand, one thread for all connections.
//!
//! What: HTTP/1.1 with kept connections and answers of known length, which is all that these benchmarks meet. Why not the
//! client of `eaf-api`: the measuring side shares the processors with the factory, and what it spends is taken from it.
//! Absent: redirects, chunked answers, TLS.

use super::BenchError;
use eaf_api::SubmitRequest;
use std::io::{Error, ErrorKind};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The bytes of one submission.
pub(crate) fn submission(token: &str, request: &SubmitRequest) -> Vec<u8> {
    let body = serde_json::to_vec(request).expect("a request is JSON");
    let mut bytes = format!(
        "POST /v1/workloads HTTP/1.1\r\nHost: eaf\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(&body);
    bytes
}

/// One kept connection.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(port: u16) -> std::io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(4_096) })
    }

    /// Sends a request and waits for the whole answer; gives its status.
    async fn exchange(&mut self, request: &[u8]) -> std::io::Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(Error::new(ErrorKind::UnexpectedEof, "the connection ended before the answer"));
            }
            if let Some(status) = whole_answer(&self.buffer)? {
                return Ok(status);
            }
        }
    }
}

/// The status, once all of the answer is there.
fn whole_answer(bytes: &[u8]) -> std::io::Result<Option<u16>> {
    let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let malformed = || Error::new(ErrorKind::InvalidData, "an answer without status or length");
    let text = std::str::from_utf8(&bytes[..head]).map_err(|_| malformed())?;
    let status = text.get(9..12).and_then(|digits| digits.parse().ok()).ok_or_else(malformed)?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let length = length.ok_or_else(malformed)?;
    Ok((bytes.len() >= head + 4 + length).then_some(status))
}

/// Sends every request once over so many connections, each next one where an answer came; every one must be taken.
/// Gives how long that took, and how long each waited for its answer.
pub(crate) fn send_all(
    port: u16,
    connections: usize,
    requests: &[Vec<u8>],
    count: u32,
) -> Result<(Duration, Vec<f64>), BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(BenchError::io("starting the client"))?;
    let next = std::cell::Cell::new(0_u32);
    let waits = std::cell::RefCell::new(Vec::with_capacity(count as usize));
    let send = async || -> std::io::Result<()> {
        let mut connection = Connection::open(port).await?;
        loop {
            let number = next.get();
            if number >= count {
                return Ok(());
            }
            next.set(number + 1);
            let asked = Instant::now();
            let status = connection.exchange(&requests[number as usize % requests.len()]).await?;
            if !(200..300).contains(&status) {
                let text = String::from_utf8_lossy(&connection.buffer).into_owned();
                return Err(Error::other(format!("a submission was answered {text}")));
            }
            waits.borrow_mut().push(asked.elapsed().as_secs_f64() * 1_000.0);
        }
    };
    let begun = Instant::now();
    let all = (0..connections).map(|_| send());
    let results = runtime.block_on(futures_util::future::join_all(all));
    let elapsed = begun.elapsed();
    for result in results {
        result.map_err(BenchError::io("submitting"))?;
    }
    Ok((elapsed, waits.into_inner()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_last_byte_is_there() {
        let check = |text: &str, expect: Option<u16>| {
            assert_eq!(whole_answer(text.as_bytes()).unwrap(), expect, "{text:?}");
        };
        check("HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}", Some(201));
        check("HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{", None);
        check("HTTP/1.1 201 Created\r\nContent-", None);
        assert!(whole_answer(b"HTTP/1.1 201 Created\r\n\r\n").is_err());
    }
}
