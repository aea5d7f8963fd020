//! A factory on a data directory of its own, and how tests talk to it.

use eaf_api::client::{Client, ClientError};
use eaf_api::{SubmitRequest, WorkloadView};
use eaf_engine::local::{LocalConfig, LocalEngine};
use eaf_model::{WorkloadId, WorkloadSpec};
use eaf_server::{Config, RunningServer, Server, StartError, TOKEN_FILE};
use eaf_store::OpenError;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take that a test waits for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for a condition.
pub(crate) fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A factory.
pub(crate) struct Factory {
    dir: TempDir,
    config: Config,
    server: Option<RunningServer>,
}

impl Factory {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A factory with some settings changed.
    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        // As /var/lib is: the users of tasks pass through.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).expect("opened");
        let mut config = Config { data_dir: dir.path().join("data"), port: 0, ..Config::default() };
        change(&mut config);
        let mut factory = Self { dir, config, server: None };
        factory.start();
        factory
    }

    pub(crate) fn start(&mut self) {
        // Another test's supervisor, between its fork and its exec, may still hold a copy of the lock that was let go.
        let server = until("the lock to be free", || match Server::start(self.config.clone()) {
            Err(StartError::Open(OpenError::Locked { .. })) => None,
            started => Some(started.expect("it starts")),
        });
        self.server = Some(server);
    }

    /// Stops it and waits; tasks go on.
    pub(crate) fn stop(&mut self) {
        drop(self.server.take());
    }

    pub(crate) fn server(&self) -> &RunningServer {
        self.server.as_ref().expect("it runs")
    }

    pub(crate) fn take_server(&mut self) -> RunningServer {
        self.server.take().expect("it runs")
    }

    pub(crate) fn config(&mut self) -> &mut Config {
        &mut self.config
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.config.data_dir.clone()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    pub(crate) fn token(&self) -> String {
        fs::read_to_string(self.config.data_dir.join(TOKEN_FILE)).expect("a token").trim().to_owned()
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&self.server().url(), Some(self.token()))
    }

    /// The process of the engine's supervisor, if one runs.
    pub(crate) fn supervisor(&self) -> Option<i32> {
        let data = self.config.data_dir.to_str().expect("text").as_bytes();
        let pids = fs::read_dir("/proc").expect("/proc").flatten();
        pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(|pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let mut args = line.split(|byte| *byte == 0).skip(1);
            args.next() == Some(b"supervise") && args.any(|arg| arg == data)
        })
    }

    /// Kills the supervisor as nobody can refuse, and says which process it was.
    pub(crate) fn kill_supervisor(&self) -> i32 {
        let pid = self.supervisor().expect("a supervisor runs");
        let process = rustix::process::Pid::from_raw(pid).expect("a process id");
        rustix::process::kill_process(process, rustix::process::Signal::KILL).expect("killed");
        pid
    }

    /// Submits a shell script.
    pub(crate) fn script(&self, script: &str) -> WorkloadId {
        self.client().submit(&request(script), None).expect("submitted").id
    }

    /// Waits for a workload's end.
    pub(crate) fn ended(&self, id: WorkloadId) -> WorkloadView {
        let client = self.client();
        until("the end of a workload", || client.workload(id).ok().filter(|view| view.state.is_ended()))
    }

    /// A request as it is, with the factory's token.
    pub(crate) fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let bearer = format!("Bearer {}", self.token());
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        self.call_without_token(method, path, &all, body)
    }

    pub(crate) fn call_without_token(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
        let url = format!("{}{path}", self.server().url());
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = agent.run(request.body(body.to_vec()).expect("a request")).expect("an answer");
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (kind, allow, language) = (header("content-type"), header("allow"), header("content-language"));
        let status = response.status().as_u16();
        let body = response.body_mut().read_to_vec().expect("a body");
        Answer { status, kind, allow, language, body }
    }

    /// A request with a JSON body.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, &[("content-type", "application/json")], &serde_json::to_vec(body).expect("JSON"))
    }
}

impl Drop for Factory {
    fn drop(&mut self) {
        self.stop();
        let mut local = LocalConfig::new(&self.config.data_dir);
        local.sandbox = self.config.engine.sandbox;
        if let Ok(engine) = LocalEngine::start(local, Box::new(|_| {})) {
            let _ = engine.shutdown(true);
        }
    }
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) allow: String,
    pub(crate) language: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The status and the problem's code; empty where it is none.
    pub(crate) fn code(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().unwrap_or_default().to_owned();
        assert!(self.status < 400 || self.kind == "application/problem+json", "{self:?}");
        (self.status, code)
    }
}

pub(crate) fn request(script: &str) -> SubmitRequest {
    let mut spec = WorkloadSpec::command(&["/bin/sh", "-c", script]);
    spec.task.memory = eaf_model::Bytes(64 << 20);
    spec.task.cpu = eaf_model::CpuMilli(100);
    SubmitRequest { spec, array: Vec::new() }
}

/// The code of a refusal.
pub(crate) fn refused<T>(result: Result<T, ClientError>) -> String {
    match result {
        Err(ClientError::Refused(problem)) => problem.code,
        Err(other) => panic!("not refused: {other:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}
