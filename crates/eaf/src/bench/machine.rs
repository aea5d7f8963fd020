//! The machine that a figure was made on.

use eaf_model::Time;
use serde::Serialize;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What a reader must know to compare.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Description {
    date: String,
    version: &'static str,
    processor: String,
    threads: usize,
    memory_mib: u64,
    kernel: String,
    disk: String,
    user: &'static str,
    /// The load average of the last minute when the benchmarks began; a quiet machine is near zero.
    load: String,
}

impl Description {
    /// In one line.
    pub(crate) fn line(&self) -> String {
        format!(
            "eaf {} on {}: {}, {} threads, {} MiB, Linux {}, {}, as {}, load average {} at the start",
            self.version,
            self.date,
            self.processor,
            self.threads,
            self.memory_mib,
            self.kernel,
            self.disk,
            self.user,
            self.load
        )
    }
}

/// Describes this machine, and the disk that a directory is on.
pub(crate) fn describe(directory: &Path) -> Description {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let memory = field(&read("/proc/meminfo"), "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    let type_of = Command::new("stat").args(["-f", "-c", "%T"]).arg(directory).output();
    let disk = type_of.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let root = rustix::process::geteuid().is_root();
    Description {
        date: today(),
        version: env!("CARGO_PKG_VERSION"),
        processor: field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown processor".to_owned()),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        memory_mib: memory.unwrap_or(0) / 1_024,
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        disk: disk.unwrap_or_else(|_| "unknown disk".to_owned()),
        user: if root { "root" } else { "an unprivileged user" },
        load: read("/proc/loadavg").split(' ').next().unwrap_or("unknown").to_owned(),
    }
}

fn today() -> String {
    jiff::Timestamp::from_millisecond(now().0).map_or_else(|_| String::new(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// Now, by the clock that tasks and the factory share.
pub(crate) fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
