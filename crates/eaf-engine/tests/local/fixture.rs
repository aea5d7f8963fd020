//! A factory's data directory for one test, with the supervisor that serves it.

use eaf_engine::conformance::{self, Subject, until};
use eaf_engine::local::{CgroupMode, LocalConfig, LocalEngine, SupervisorCommand};
use eaf_engine::{Engine, Sink};
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A data directory and the settings of its engine.
pub(crate) struct Factory {
    dir: TempDir,
    pub(crate) config: LocalConfig,
}

impl Factory {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A factory with some settings changed.
    pub(crate) fn with(change: impl FnOnce(&mut LocalConfig)) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        // As /var/lib is: others may pass through.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o711)).expect("opened");
        let mut config = LocalConfig::new(dir.path().join("data"));
        change(&mut config);
        let mut factory = Self { dir, config };
        factory.supervised_with(&[]);
        factory
    }

    /// The supervisors started from here on have these arguments as well.
    pub(crate) fn supervised_with(&mut self, args: &[&str]) {
        let program = std::env::current_exe().expect("this program");
        let data = self.config.data_dir.to_str().expect("text").to_owned();
        let mut all = vec!["supervise".to_owned(), "--data-dir".to_owned(), data];
        all.extend(args.iter().map(|arg| (*arg).to_owned()));
        self.config.supervisor = Some(SupervisorCommand { program, args: all });
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn local(&self, sink: Sink) -> LocalEngine {
        LocalEngine::start(self.config.clone(), sink)
            .unwrap_or_else(|error| panic!("{error}: {}", self.supervisor_log()))
    }

    fn supervisor_log(&self) -> String {
        fs::read_to_string(self.config.data_dir.join("engine/supervisor.log")).unwrap_or_default()
    }

    pub(crate) fn subject(&self) -> Subject {
        Subject::new(&|sink| Box::new(self.local(sink)) as Box<dyn Engine>)
    }

    pub(crate) fn conforms(&self, case: fn(conformance::Make<'_>)) {
        case(&|sink| Box::new(self.local(sink)) as Box<dyn Engine>);
    }

    /// The process that holds the supervisor's lock.
    pub(crate) fn supervisor(&self) -> u32 {
        self.find_supervisor().expect("a supervisor runs")
    }

    fn find_supervisor(&self) -> Option<u32> {
        let data = self.config.data_dir.to_str().expect("text").as_bytes();
        let pids = fs::read_dir("/proc").expect("/proc").flatten();
        pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).find(|pid: &u32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let mut args = line.split(|byte| *byte == 0).skip(1);
            args.next() == Some(b"supervise") && args.any(|arg| arg == data) && conformance::is_alive(*pid)
        })
    }

    /// Kills the supervisor as nobody can refuse.
    pub(crate) fn kill_supervisor(&self) {
        let pid = self.supervisor();
        signal(pid, rustix::process::Signal::KILL);
        until("the supervisor's end", || !conformance::is_alive(pid));
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.config.data_dir.join("work")
    }
}

fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).expect("a process id");
    rustix::process::kill_process(pid, signal).expect("signalled");
}

impl Drop for Factory {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.supervisor_log();
            let _ = writeln!(std::io::stderr(), "the supervisor's log:\n{log}");
        }
        if self.find_supervisor().is_some()
            && let Ok(engine) = LocalEngine::start(self.config.clone(), Box::new(|_| {}))
        {
            engine.shutdown(true).expect("shut down");
        }
    }
}

/// Starts an engine as whoever this process is, with control groups that it may not write and then with what there is,
/// and tells how that went.
pub(crate) fn tell_of_cgroups(data_dir: &str) {
    let mut config = LocalConfig::new(data_dir);
    let program = std::env::current_exe().expect("this program");
    let args = ["supervise", "--data-dir", data_dir].map(str::to_owned).to_vec();
    config.supervisor = Some(SupervisorCommand { program, args });
    config.cgroups = CgroupMode::V1;
    let mut out = std::io::stdout();
    let refused = LocalEngine::start(config.clone(), Box::new(|_| {})).err();
    writeln!(out, "{}", refused.map_or_else(|| "V1 was taken".to_owned(), |error| error.to_string())).expect("told");
    config.cgroups = CgroupMode::Auto;
    let engine = LocalEngine::start(config, Box::new(|_| {})).expect("an engine");
    let limits = engine.limits_in_force().expect("told");
    let fallback = if limits.contains("RLIMIT_AS") { "RLIMIT_AS" } else { "groups" };
    writeln!(out, "then Auto: {fallback}").expect("told");
    engine.shutdown(true).expect("shut down");
}
