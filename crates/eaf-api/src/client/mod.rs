//! A blocking client of `/v1`.
//!
//! What: one method an operation, typed answers, refusals as `Problem`. Why blocking: its users are command lines,
//! tests and benchmarks. Absent: retries; a submission that was not answered is sent again by the caller, with its key.

mod events;
mod streams;

pub use events::EventStream;
pub use streams::{FileReply, LogReader};

use crate::{
    CordonRequest, Health, JournalHead, ListQuery, LogPiece, LogQuery, ModeRequest, NodeList, NodeView, PROCESS_HEADER,
    Planned, Problem, Ready, ShareUseList, StopRequest, Stopping, SubmitRequest, Submitted, WorkloadPage, WorkloadView,
};
use eaf_model::{Explanation, NodeId, Policy, WorkloadId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;
use ureq::Body;
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// The most bytes of a JSON answer that the client reads.
const ANSWER_BYTES_MAX: u64 = 256 << 20;
/// How long an operation that is no stream may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Why a call gave no answer of its own shape.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The factory said no, and why.
    #[error("{}: {}", .0.title, .0.detail)]
    Refused(Box<Problem>),
    /// Nothing answered, or the connection broke.
    #[error("no answer from {url}")]
    Unreachable {
        /// The URL of the call.
        url: String,
        /// What happened.
        source: Box<ureq::Error>,
    },
    /// Something answered that is not this API.
    #[error("{url} answered {status} with something that is not this API")]
    NotThisApi {
        /// The URL of the call.
        url: String,
        /// Its HTTP status.
        status: u16,
    },
    /// A stream broke off.
    #[error("the stream from {url} broke off")]
    Broken {
        /// The URL of the call.
        url: String,
        /// What happened.
        source: std::io::Error,
    },
    /// The certificate to trust cannot be read.
    #[error("the certificate is not PEM")]
    BadCertificate {
        /// What was wrong.
        source: Box<ureq::Error>,
    },
}

impl ClientError {
    /// The problem, where the factory said no.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }
}

/// A client of one factory. Cheap to clone; connections are shared and kept open.
#[derive(Clone, Debug)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
    token: Option<String>,
    language: String,
}

impl Client {
    /// A client of the factory at `base`, such as `http://127.0.0.1:7070`.
    pub fn new(base: &str, token: Option<String>) -> Self {
        Self::build(base, token, None)
    }

    /// The same, trusting only the certificates in this PEM text.
    pub fn trusting(base: &str, token: Option<String>, pem: &[u8]) -> Result<Self, ClientError> {
        let certificate =
            Certificate::from_pem(pem).map_err(|source| ClientError::BadCertificate { source: Box::new(source) })?;
        let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[certificate])).build();
        Ok(Self::build(base, token, Some(tls)))
    }

    fn build(base: &str, token: Option<String>, tls: Option<TlsConfig>) -> Self {
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .no_delay(true)
            .timeout_connect(Some(Duration::from_secs(10)));
        if let Some(tls) = tls {
            config = config.tls_config(tls);
        }
        Self {
            agent: config.build().new_agent(),
            base: base.trim_end_matches('/').to_owned(),
            token,
            language: "en".to_owned(),
        }
    }

    /// The same client, asking for messages in this language (`ko` or `en`).
    #[must_use]
    pub fn with_language(mut self, language: &str) -> Self {
        language.clone_into(&mut self.language);
        self
    }

    /// Where the factory is.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The process answers. Needs no token.
    pub fn health(&self) -> Result<Health, ClientError> {
        self.get("/v1/health")
    }

    /// Whether work is taken and can be started; a factory that is not ready answers too.
    pub fn ready(&self) -> Result<Ready, ClientError> {
        let (url, response) = self.send("GET", "/v1/ready", None::<&()>, &[], Some(TIMEOUT))?;
        if response.status().as_u16() == 503 && !is_problem(&response) {
            return read_json(&url, response);
        }
        read_json(&url, accept(&url, response)?)
    }

    /// The journal's last durable place.
    pub fn journal_head(&self) -> Result<JournalHead, ClientError> {
        self.get("/v1/journal/head")
    }

    /// Prometheus metrics, as text.
    pub fn metrics(&self) -> Result<String, ClientError> {
        self.get_bytes("/v1/metrics").map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Submits; when this returns `Ok`, the submission is durable. The same key and request again give the same id.
    pub fn submit(&self, request: &SubmitRequest, key: Option<&str>) -> Result<Submitted, ClientError> {
        let headers: &[(&str, &str)] = match &key {
            Some(key) => &[("idempotency-key", key)],
            None => &[],
        };
        let (url, response) = self.send("POST", "/v1/workloads", Some(request), headers, Some(TIMEOUT))?;
        read_json(&url, accept(&url, response)?)
    }

    /// What would come of a submission; nothing is submitted.
    pub fn what_if(&self, request: &SubmitRequest) -> Result<Planned, ClientError> {
        self.post("/v1/workloads/what-if", Some(request))
    }

    /// One page of workloads, newest first.
    pub fn list(&self, query: &ListQuery) -> Result<WorkloadPage, ClientError> {
        self.get(&format!("/v1/workloads{}", list_query(query)))
    }

    /// One workload, live or ended, or an array as a whole.
    pub fn workload(&self, id: WorkloadId) -> Result<WorkloadView, ClientError> {
        self.get(&format!("/v1/workloads/{id}"))
    }

    /// Ends a workload, or every live member of an array; the answer shows it as it is then.
    pub fn cancel(&self, id: WorkloadId) -> Result<WorkloadView, ClientError> {
        self.post(&format!("/v1/workloads/{id}/cancel"), None::<&()>)
    }

    /// Why a live workload is where it is.
    pub fn explanation(&self, id: WorkloadId) -> Result<Explanation, ClientError> {
        self.get(&format!("/v1/workloads/{id}/explanation"))
    }

    /// The signed receipt of an ended workload, byte for byte as it was signed.
    pub fn receipt(&self, id: WorkloadId) -> Result<Vec<u8>, ClientError> {
        self.get_bytes(&format!("/v1/workloads/{id}/receipt"))
    }

    /// A piece of a task's output.
    pub fn log(&self, id: WorkloadId, query: &LogQuery) -> Result<LogPiece, ClientError> {
        let path = format!("/v1/workloads/{id}/logs{}", log_query(query, false));
        let (url, response) = self.send("GET", &path, None::<&()>, &[], Some(TIMEOUT))?;
        streams::log_piece(&url, accept(&url, response)?)
    }

    /// A task's output from `query.offset` until the task is over; waits for a task that has not started.
    pub fn follow_log(&self, id: WorkloadId, query: &LogQuery) -> Result<LogReader, ClientError> {
        let path = format!("/v1/workloads/{id}/logs{}", log_query(query, true));
        let (url, response) = self.send("GET", &path, None::<&()>, &[], None)?;
        Ok(LogReader::new(accept(&url, response)?))
    }

    /// A file out of a workload's directory, or the listing of a directory there. `path` is relative; empty for all.
    pub fn file(&self, id: WorkloadId, path: &str) -> Result<FileReply, ClientError> {
        let path = format!("/v1/workloads/{id}/files?path={}", escape(path));
        let (url, response) = self.send("GET", &path, None::<&()>, &[], None)?;
        streams::file_reply(&url, accept(&url, response)?)
    }

    /// Events behind `after`, or from now on; resumes by itself where the connection breaks.
    pub fn events(&self, after: Option<crate::EventId>) -> EventStream {
        EventStream::new(self.clone(), after)
    }

    /// Every node.
    pub fn nodes(&self) -> Result<NodeList, ClientError> {
        self.get("/v1/nodes")
    }

    /// One node.
    pub fn node(&self, id: NodeId) -> Result<NodeView, ClientError> {
        self.get(&format!("/v1/nodes/{id}"))
    }

    /// Places nothing more on this node.
    pub fn cordon(&self, id: NodeId, why: &str) -> Result<NodeView, ClientError> {
        self.post(&format!("/v1/nodes/{id}/cordon"), Some(&CordonRequest { why: why.to_owned() }))
    }

    /// Places work on this node again.
    pub fn uncordon(&self, id: NodeId) -> Result<NodeView, ClientError> {
        self.post(&format!("/v1/nodes/{id}/uncordon"), None::<&()>)
    }

    /// Brings empty accelerators of this node into a mode.
    pub fn set_mode(&self, id: NodeId, accelerators: Vec<u16>, mode: &str) -> Result<NodeView, ClientError> {
        let request = ModeRequest { accelerators, mode: mode.to_owned() };
        self.post(&format!("/v1/nodes/{id}/mode"), Some(&request))
    }

    /// The policy in force.
    pub fn policy(&self) -> Result<Policy, ClientError> {
        self.get("/v1/policy")
    }

    /// Applies a policy; gives it as it is in force.
    pub fn apply_policy(&self, policy: &Policy) -> Result<Policy, ClientError> {
        let (url, response) = self.send("PUT", "/v1/policy", Some(policy), &[], Some(TIMEOUT))?;
        read_json(&url, accept(&url, response)?)
    }

    /// Who holds what of which share.
    pub fn share_uses(&self) -> Result<ShareUseList, ClientError> {
        self.get("/v1/policy/usage")
    }

    /// Asks whether a policy could be applied; gives it as it would be in force.
    pub fn check_policy(&self, policy: &Policy) -> Result<Policy, ClientError> {
        self.post("/v1/policy/check", Some(policy))
    }

    /// Ends the factory's process; with `stop_work` its tasks too.
    pub fn stop(&self, stop_work: bool) -> Result<Stopping, ClientError> {
        let (url, response) = self.send("GET", "/v1/ready", None::<&()>, &[], Some(TIMEOUT))?;
        let status = response.status().as_u16();
        let process = response.headers().get(PROCESS_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
        match process {
            Some(process) => self.post("/v1/stop", Some(&StopRequest { process, stop_work })),
            None => accept(&url, response).and(Err(ClientError::NotThisApi { url, status })),
        }
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let (url, response) = self.send("GET", path, None::<&()>, &[], Some(TIMEOUT))?;
        read_json(&url, accept(&url, response)?)
    }

    fn get_bytes(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let (url, response) = self.send("GET", path, None::<&()>, &[], Some(TIMEOUT))?;
        read_bytes(&url, accept(&url, response)?)
    }

    fn post<B: Serialize, T: DeserializeOwned>(&self, path: &str, body: Option<&B>) -> Result<T, ClientError> {
        let (url, response) = self.send("POST", path, body, &[], Some(TIMEOUT))?;
        read_json(&url, accept(&url, response)?)
    }

    /// Sends one request and gives whatever came back, with the URL that was called.
    fn send<B: Serialize>(
        &self,
        method: &str,
        path: &str,
        body: Option<&B>,
        headers: &[(&str, &str)],
        timeout: Option<Duration>,
    ) -> Result<(String, Response<Body>), ClientError> {
        let url = format!("{}{path}", self.base);
        let failed = |source| ClientError::Unreachable { url: url.clone(), source: Box::new(source) };
        let mut request = Request::builder().method(method).uri(&url).header("accept-language", &self.language);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let bytes = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                serde_json::to_vec(body).map_err(|e| failed(ureq::Error::Io(e.into())))?
            }
            None => Vec::new(),
        };
        let request = request.body(bytes).map_err(|e| failed(e.into()))?;
        let request = self.agent.configure_request(request).timeout_global(timeout).build();
        let response = self.agent.run(request).map_err(failed)?;
        Ok((url, response))
    }
}

fn is_problem(response: &Response<Body>) -> bool {
    response.body().mime_type() == Some("application/problem+json")
}

/// Lets answers of the 2xx kind through and turns every other into an error.
fn accept(url: &str, response: Response<Body>) -> Result<Response<Body>, ClientError> {
    let status = response.status().as_u16();
    if response.status().is_success() {
        return Ok(response);
    }
    if !is_problem(&response) {
        return Err(ClientError::NotThisApi { url: url.to_owned(), status });
    }
    let problem: Problem = read_json(url, response)?;
    Err(ClientError::Refused(Box::new(problem)))
}

fn read_bytes(url: &str, mut response: Response<Body>) -> Result<Vec<u8>, ClientError> {
    response
        .body_mut()
        .with_config()
        .limit(ANSWER_BYTES_MAX)
        .read_to_vec()
        .map_err(|source| ClientError::Unreachable { url: url.to_owned(), source: Box::new(source) })
}

fn read_json<T: DeserializeOwned>(url: &str, response: Response<Body>) -> Result<T, ClientError> {
    let status = response.status().as_u16();
    let bytes = read_bytes(url, response)?;
    serde_json::from_slice(&bytes).map_err(|_| ClientError::NotThisApi { url: url.to_owned(), status })
}

/// Percent-encodes everything but the unreserved characters of RFC 3986 and the slash.
fn escape(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a String takes every write");
        }
    }
    out
}

fn query_text(pairs: &[(&str, String)]) -> String {
    let mut out = String::new();
    for (index, (name, value)) in pairs.iter().enumerate() {
        out.push(if index == 0 { '?' } else { '&' });
        out.push_str(name);
        out.push('=');
        out.push_str(&escape(value));
    }
    out
}

fn list_query(query: &ListQuery) -> String {
    let mut pairs = Vec::new();
    if !query.states.is_empty() {
        let words: Vec<&str> = query.states.iter().map(|state| state.word()).collect();
        pairs.push(("state", words.join(",")));
    }
    pairs.extend(query.project.iter().map(|project| ("project", project.clone())));
    pairs.extend(query.name.iter().map(|name| ("name", name.clone())));
    pairs.extend(query.list.iter().map(|list| ("list", list.to_string())));
    if query.all {
        pairs.push(("all", "true".to_owned()));
    }
    pairs.extend(query.limit.iter().map(|limit| ("limit", limit.to_string())));
    pairs.extend(query.cursor.iter().map(|cursor| ("cursor", cursor.clone())));
    query_text(&pairs)
}

fn log_query(query: &LogQuery, follow: bool) -> String {
    let mut pairs = vec![
        ("task", query.task.to_string()),
        ("stream", query.stream.word().to_owned()),
        ("offset", query.offset.to_string()),
    ];
    pairs.extend(query.attempt.iter().map(|attempt| ("attempt", attempt.to_string())));
    pairs.extend(query.limit.iter().map(|limit| ("limit", limit.to_string())));
    if follow {
        pairs.push(("follow", "true".to_owned()));
    }
    query_text(&pairs)
}
