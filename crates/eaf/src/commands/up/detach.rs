//! `eaf up --detach`: the factory goes on when the terminal is gone.
//!
//! What: starts this program again, in a session of its own, with its log in the data directory, and waits until it
//! serves. Absent: starting at boot; a service manager does that.

use crate::commands::Context;
use crate::connect;
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use eaf_server::Config;
use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a factory may take to come up before this verb gives up waiting. A long journal takes a while.
const UP_WITHIN: Duration = Duration::from_secs(120);
/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// The log of a detached factory, in its data directory.
const LOG_FILE: &str = "eaf.log";
/// Lines of the log that are shown when it does not come up.
const LOG_LINES: usize = 8;

fn log(dir: &Path) -> Result<File, Failure> {
    let failed = |error| Failure::file("fail-write", dir, &error);
    fs::DirBuilder::new().recursive(true).mode(0o711).create(dir).map_err(failed)?;
    File::options().create(true).append(true).mode(0o600).open(dir.join(LOG_FILE)).map_err(failed)
}

fn spawn(log: File) -> std::io::Result<Child> {
    let errors = log.try_clone()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(std::env::args_os().skip(1)).arg("--detached").stdin(Stdio::null()).stdout(log).stderr(errors);
    command.spawn()
}

/// What a factory said last, behind `from`: its failure without the label, which this process puts in front of its own,
/// else the last lines of its log.
fn tail(path: &Path, from: u64, label: &str) -> Vec<String> {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(text.get(usize::try_from(from).unwrap_or(0)..).unwrap_or_default()).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let failure = lines.iter().rposition(|line| line.starts_with(label));
    let begin = failure.unwrap_or(lines.len().saturating_sub(LOG_LINES));
    let unlabelled = |line: &&str| line.strip_prefix(label).unwrap_or(line).trim_start_matches([':', ' ']).to_owned();
    lines[begin..].iter().map(unlabelled).collect()
}

pub(super) fn run(config: &Config, context: &mut Context) -> Result<u8, Failure> {
    let dir = &config.data_dir;
    let log = log(dir)?;
    let path = dir.join(LOG_FILE);
    let before = log.metadata().map_or(0, |metadata| metadata.len());
    let mut child = spawn(log).map_err(|error| Failure::because(exit::FAILED, Say::new("fail-detach"), &error))?;
    let begun = Instant::now();
    loop {
        if let Some(running) = connect::running(dir).filter(|running| running.pid == child.id()) {
            super::introduce(&running.url, dir, config.pretend_accelerators.as_deref(), context)?;
            return Ok(exit::OK);
        }
        let ended =
            child.try_wait().map_err(|error| Failure::because(exit::FAILED, Say::new("fail-detach"), &error))?;
        if let Some(status) = ended {
            let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(exit::FAILED);
            let say = Say::new("fail-detached").with("path", path.display());
            return Err(Failure::Said { code, say, why: tail(&path, before, &context.say(&Say::new("error-label"))) });
        }
        if begun.elapsed() > UP_WITHIN {
            let say = Say::new("fail-detached-slow").with("pid", child.id()).with("path", path.display());
            return Err(Failure::new(exit::FAILED, say));
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
