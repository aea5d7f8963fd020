//! A factory for one measurement: this same program, on its defaults, in a directory of its own.

use super::{BenchError, Plan};
use eaf_api::client::Client;
use eaf_api::{ListQuery, SubmitRequest, WorkloadView};
use eaf_model::{Bytes, CpuMilli, WorkloadId, WorkloadSpec, WorkloadState};
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// For a start, an end, or a process to appear.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running factory; it, its work and its directory are gone when this is dropped.
pub(crate) struct Factory {
    folder: PathBuf,
    child: Child,
    port: u16,
    token: String,
    /// From the start of the process until it took work.
    pub(crate) ready_after: Duration,
}

/// A new directory for a factory.
pub(crate) fn new_folder(plan: &Plan) -> Result<PathBuf, BenchError> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = plan.directory.join(format!("eaf-bench-{}-{number}", std::process::id()));
    let doing = || format!("making {}", folder.display());
    fs::create_dir_all(&folder).map_err(BenchError::io(doing()))?;
    // Tasks run as users of their own and must be able to enter it.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o711)).map_err(BenchError::io(doing()))?;
    Ok(folder)
}

impl Factory {
    /// Starts a factory in a new directory.
    pub(crate) fn start(plan: &Plan) -> Result<Self, BenchError> {
        Self::start_in(new_folder(plan)?)
    }

    /// Starts a factory in this directory, which it owns from now on, and waits until it takes work.
    pub(crate) fn start_in(folder: PathBuf) -> Result<Self, BenchError> {
        let data = folder.join("data");
        let log = File::create(folder.join("eaf.log")).map_err(BenchError::io("making a log"))?;
        let begun = Instant::now();
        let child = this_program()?
            .args(["up", "--port", "0", "--data-dir"])
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(BenchError::io("sharing a log"))?)
            .stderr(log)
            .spawn()
            .map_err(BenchError::io("starting a factory"))?;
        let mut factory = Self { folder, child, port: 0, token: String::new(), ready_after: Duration::ZERO };
        loop {
            if factory.look()? {
                factory.ready_after = begun.elapsed();
                return Ok(factory);
            }
            factory.patient(begun, "starting a factory")?;
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// True once it is ready; an error where it has ended.
    fn look(&mut self) -> Result<bool, BenchError> {
        if let Some(status) = self.child.try_wait().map_err(BenchError::io("asking for a factory"))? {
            return Err(BenchError::factory(format!("a factory ended with {status}"), self.said()));
        }
        let data = self.folder.join("data");
        let (Ok(run), Ok(token)) = (fs::read(data.join("run.json")), fs::read_to_string(data.join("token"))) else {
            return Ok(false);
        };
        let Ok(run) = serde_json::from_slice::<serde_json::Value>(&run) else { return Ok(false) };
        let port = run["url"].as_str().and_then(|url| url.rsplit(':').next()?.trim_end_matches('/').parse().ok());
        let Some(port) = port.filter(|_| run["pid"].as_u64() == Some(u64::from(self.child.id()))) else {
            return Ok(false);
        };
        self.port = port;
        token.trim().clone_into(&mut self.token);
        Ok(self.client().ready().is_ok_and(|ready| ready.ready))
    }

    fn patient(&self, begun: Instant, doing: &str) -> Result<(), BenchError> {
        if begun.elapsed() < PATIENCE {
            return Ok(());
        }
        Err(BenchError::factory(format!("{doing} took more than {PATIENCE:?}"), self.said()))
    }

    fn said(&self) -> String {
        fs::read_to_string(self.folder.join("eaf.log")).unwrap_or_default()
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(&format!("http://127.0.0.1:{}", self.port), Some(self.token.clone()))
    }

    /// Submits one workload, or an array.
    pub(crate) fn submit(&self, spec: WorkloadSpec, array: Vec<u16>) -> Result<WorkloadId, BenchError> {
        let request = SubmitRequest { spec, array };
        let submitted = self.client().submit(&request, None).map_err(BenchError::client("submitting"))?;
        Ok(submitted.id)
    }

    /// Waits until a workload is in a state that passes.
    pub(crate) fn wait(
        &self,
        id: WorkloadId,
        every: Duration,
        patience: Duration,
        passes: impl Fn(WorkloadState) -> bool,
    ) -> Result<WorkloadView, BenchError> {
        let (client, begun) = (self.client(), Instant::now());
        loop {
            let view = client.workload(id).map_err(BenchError::client(format!("asking for {id}")))?;
            if passes(view.state) {
                return Ok(view);
            }
            if begun.elapsed() > patience {
                return Err(BenchError::factory(format!("{id} is {:?} after {patience:?}", view.state), self.said()));
            }
            std::thread::sleep(every);
        }
    }

    /// Waits until nothing lives any more.
    pub(crate) fn wait_idle(&self, every: Duration, patience: Duration) -> Result<(), BenchError> {
        let (client, begun) = (self.client(), Instant::now());
        let query = ListQuery { limit: Some(1), ..ListQuery::default() };
        loop {
            let page = client.list(&query).map_err(BenchError::client("listing"))?;
            if page.items.is_empty() {
                return Ok(());
            }
            if begun.elapsed() > patience {
                return Err(BenchError::factory(format!("work is left after {patience:?}"), self.said()));
            }
            std::thread::sleep(every);
        }
    }

    /// Fills every processor with one workload that waits, so that whatever is submitted is planned and not placed.
    pub(crate) fn occupy(&self) -> Result<(), BenchError> {
        let nodes = self.client().nodes().map_err(BenchError::client("asking for nodes"))?;
        let cpu = nodes.items.iter().map(|node| node.spec.cpu.0).max().unwrap_or(1_000);
        let mut spec = WorkloadSpec::command(&["/bin/sleep", "86000"]);
        spec.task.cpu = CpuMilli(cpu);
        let id = self.submit(spec, Vec::new())?;
        self.wait(id, Duration::from_millis(5), PATIENCE, |state| state == WorkloadState::Running)?;
        Ok(())
    }

    /// Memory of the process, in MiB.
    pub(crate) fn resident_mib(&self) -> Result<f64, BenchError> {
        let path = format!("/proc/{}/status", self.child.id());
        let text = fs::read_to_string(&path).map_err(BenchError::io(format!("reading {path}")))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let kib: f64 = line.trim().split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0.0);
        Ok(kib / 1_024.0)
    }

    /// Runs a verb of the command line on it; gives how long that took.
    pub(crate) fn time_verb(&self, arguments: &[&str]) -> Result<Duration, BenchError> {
        let begun = Instant::now();
        let output = this_program()?
            .args(arguments)
            .env("EAF_DATA_DIR", self.data())
            .stdin(Stdio::null())
            .output()
            .map_err(BenchError::io(format!("running eaf {}", arguments.join(" "))))?;
        let elapsed = begun.elapsed();
        if output.status.success() {
            return Ok(elapsed);
        }
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(BenchError::factory(format!("eaf {} ended with {}", arguments.join(" "), output.status), said))
    }

    /// Ends it and its work, and gives the directory to the caller.
    pub(crate) fn stop(mut self) -> PathBuf {
        self.down();
        std::mem::take(&mut self.folder)
    }

    fn down(&mut self) {
        let stopped = self.client().stop(true).is_ok();
        let begun = Instant::now();
        while stopped && begun.elapsed() < PATIENCE && self.child.try_wait().is_ok_and(|status| status.is_none()) {
            std::thread::sleep(Duration::from_millis(10));
        }
        // Whatever was wrong with it, it must not be in the way of the next.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Factory {
    fn drop(&mut self) {
        if !self.folder.as_os_str().is_empty() {
            self.down();
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// This program, to be run again without the settings of whoever runs the benchmark.
pub(crate) fn this_program() -> Result<Command, BenchError> {
    let program = std::env::current_exe().map_err(BenchError::io("finding this program"))?;
    let mut command = Command::new(program);
    for name in ["EAF_URL", "EAF_PORT", "EAF_DATA_DIR", "EAF_SITE"] {
        command.env_remove(name);
    }
    Ok(command)
}

/// A workload that does nothing, so small that eight run on two processors.
pub(crate) fn trivial() -> WorkloadSpec {
    let mut spec = WorkloadSpec::command(&["/bin/true"]);
    spec.task.cpu = CpuMilli(250);
    spec.task.memory = Bytes(16 << 20);
    spec
}

/// Removes what a measurement left behind.
pub(crate) fn remove(folder: &Path) {
    let _ = fs::remove_dir_all(folder);
}
