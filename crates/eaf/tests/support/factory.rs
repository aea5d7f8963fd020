//! A real factory for one test.

use super::{tools, wait_for};
use eaf_api::client::Client;
use eaf_api::{ListQuery, SubmitRequest, WorkloadView};
use eaf_model::{WorkloadId, WorkloadSpec};
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

/// How long a start may take before it counts as failed; generous, for a machine that is busy.
const START: Duration = Duration::from_secs(60);

/// A factory: its directory, its process where it runs, and how it is started.
pub(crate) struct Factory {
    /// Everything of this test; readable and enterable by the users that tasks run as.
    folder: tempfile::TempDir,
    data: PathBuf,
    settings: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Factory {
    /// Starts a factory with these settings (the text of an `eaf.toml`) and waits until it is ready.
    pub(crate) fn start(settings: &str) -> Self {
        let mut factory = Self::prepare(settings);
        factory.spawn();
        factory.wait_ready();
        factory
    }

    /// Everything but the start.
    pub(crate) fn prepare(settings: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("eaf-test-").tempdir().expect("a directory can be made");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).expect("its mode can be set");
        let (data, path) = (folder.path().join("data"), folder.path().join("eaf.toml"));
        fs::write(&path, settings).expect("the settings can be written");
        Self { folder, data, settings: path, port: 0, child: None }
    }

    /// The directory of this test.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The process of `eaf up`.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().expect("the factory was started").id()
    }

    /// Starts the process, at the port that it had before.
    pub(crate) fn spawn(&mut self) {
        let log = OpenOptions::new().create(true).append(true).open(self.log()).expect("the log can be opened");
        let child = eaf()
            .args(["up", "--port", &self.port.to_string(), "--config"])
            .arg(&self.settings)
            .arg("--data-dir")
            .arg(&self.data)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .spawn()
            .expect("eaf can be started");
        self.child = Some(child);
    }

    /// Waits until it takes work.
    pub(crate) fn wait_ready(&mut self) {
        let pid = self.pid();
        wait_for("the factory to be ready", START, || {
            if let Some(status) = self.child.as_mut().and_then(|child| child.try_wait().expect("a child can be asked"))
            {
                panic!("eaf up ended with {status}:\n{}", self.log_tail());
            }
            let run: serde_json::Value = serde_json::from_slice(&fs::read(self.data.join("run.json")).ok()?).ok()?;
            if run["pid"].as_u64() != Some(u64::from(pid)) {
                return None;
            }
            let port = run["url"].as_str()?.rsplit(':').next()?.trim_end_matches('/').parse();
            self.port = port.expect("a URL ends with its port");
            self.client().ready().is_ok_and(|ready| ready.ready).then_some(())
        });
    }

    /// `kill -9`, and nothing else: the supervisor and the tasks stay.
    pub(crate) fn kill9(&mut self) {
        let mut child = self.child.take().expect("the factory was started");
        child.kill().expect("it can be killed");
        child.wait().expect("it can be waited for");
    }

    /// Sends TERM and waits for the end of the process; tasks stay.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        let pid = rustix::process::Pid::from_raw(self.pid().cast_signed()).expect("a pid");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it can be told");
        self.wait_exit()
    }

    /// Waits for the process to end by itself.
    pub(crate) fn wait_exit(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("the factory was started");
        wait_for("eaf to end", START, || child.try_wait().expect("a child can be asked"))
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The administrator's token.
    pub(crate) fn token(&self) -> String {
        fs::read_to_string(self.data.join("token")).expect("the token is there").trim().to_owned()
    }

    /// A client of it.
    pub(crate) fn client(&self) -> Client {
        Client::new(&self.url(), Some(self.token()))
    }

    /// Submits and gives the id.
    pub(crate) fn submit(&self, spec: WorkloadSpec) -> WorkloadId {
        let request = SubmitRequest { spec, array: Vec::new() };
        self.client().submit(&request, None).unwrap_or_else(|error| panic!("{error}\n{}", self.log_tail())).id
    }

    /// Waits until a workload has ended.
    pub(crate) fn wait_ended(&self, id: WorkloadId) -> WorkloadView {
        let client = self.client();
        wait_for("a workload to end", START, || {
            let view = client.workload(id).unwrap_or_else(|error| panic!("{id}: {error}\n{}", self.log_tail()));
            view.state.is_ended().then_some(view)
        })
    }

    /// Every workload that it knows, live and ended.
    pub(crate) fn every_workload(&self) -> Vec<WorkloadView> {
        let client = self.client();
        let mut query = ListQuery { all: true, limit: Some(1_000), ..ListQuery::default() };
        let mut found = Vec::new();
        loop {
            let page = client.list(&query).unwrap_or_else(|error| panic!("{error}\n{}", self.log_tail()));
            found.extend(page.items);
            match page.next {
                Some(next) => query.cursor = Some(next),
                None => return found,
            }
        }
    }

    /// Runs a verb of the command line on this factory.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Output {
        let mut command = eaf();
        command.args(arguments).env("EAF_DATA_DIR", &self.data).stdin(Stdio::null());
        command.output().expect("eaf can be run")
    }

    /// The same, for a verb that must succeed; gives its standard output.
    #[track_caller]
    pub(crate) fn cli_ok(&self, arguments: &[&str]) -> String {
        let output = self.cli(arguments);
        assert!(output.status.success(), "eaf {}: {}\n{}", arguments.join(" "), output.status, tools::text(&output));
        String::from_utf8(output.stdout).expect("eaf writes UTF-8")
    }

    /// Processes that name its data directory: `eaf`, its supervisor, and what they start.
    pub(crate) fn processes(&self) -> Vec<i32> {
        processes_naming(&self.data)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("eaf.log")
    }

    /// What it said last.
    pub(crate) fn log_tail(&self) -> String {
        let text = fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(60)..].join("\n")
    }

    /// Ends `eaf`, its supervisor and all tasks, by the way that a person would; whatever is left is killed.
    fn take_down(&mut self) {
        if self.child.is_none() && !self.processes().is_empty() {
            self.spawn();
        }
        let Some(mut child) = self.child.take() else { return };
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while std::time::Instant::now() < deadline {
            if child.try_wait().is_ok_and(|status| status.is_some()) {
                break;
            }
            let run = fs::read_to_string(self.data.join("run.json")).unwrap_or_default();
            if run.contains(&child.id().to_string()) && self.cli(&["down", "--stop-work"]).status.success() {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        for pid in self.processes() {
            if let Some(pid) = rustix::process::Pid::from_raw(pid) {
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        let _ = child.wait();
    }
}

impl Drop for Factory {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("--- the factory's log ends with\n{}", self.log_tail());
        }
        self.take_down();
    }
}

/// The built program, speaking English, without a factory of whoever runs the tests.
pub(crate) fn eaf() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eaf"));
    for name in ["EAF_URL", "EAF_PORT", "EAF_DATA_DIR", "EAF_SITE", "EAF_TOKEN"] {
        command.env_remove(name);
    }
    command.env("EAF_LANG", "en");
    command
}

/// Processes with this path on their command line: those that a test started, since the path is its own.
fn processes_naming(path: &Path) -> Vec<i32> {
    let wanted = path.to_string_lossy().into_owned();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            *pid != std::process::id().cast_signed() && String::from_utf8_lossy(&line).contains(&wanted)
        })
        .collect()
}

/// An empty file that every user may write.
pub(crate) fn open_to_all(path: &Path) {
    File::create(path).expect("a file can be made");
    fs::set_permissions(path, fs::Permissions::from_mode(0o666)).expect("its mode can be set");
}
