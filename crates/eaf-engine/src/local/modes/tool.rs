//! Running a maker's tool that changes something.
//!
//! What: a bound on its time, and its own words where it fails. Absent: retries; who asked decides on those.

use std::ffi::OsStr;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// A change of a memory mode loads the driver again, which takes minutes.
const ANSWER_WITHIN: Duration = Duration::from_secs(420);

/// What it printed, or why it failed.
pub(super) fn run(program: &OsStr, args: &[&str]) -> Result<String, String> {
    let call = || format!("{} {}", program.to_string_lossy(), args.join(" "));
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{}: {error}", call()))?;
    let (send, receive) = mpsc::channel();
    let pipes: [Option<Box<dyn Read + Send>>; 2] = [
        child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
    ];
    for (which, pipe) in pipes.into_iter().enumerate() {
        let send = send.clone();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            if let Some(mut pipe) = pipe {
                // What was read before an error is still worth showing.
                let _ = pipe.read_to_end(&mut bytes);
            }
            // Nobody listens any more where the tool was too slow.
            let _ = send.send((which, String::from_utf8_lossy(&bytes).into_owned()));
        });
    }
    let mut texts = [String::new(), String::new()];
    for _ in 0..2 {
        let Ok((which, text)) = receive.recv_timeout(ANSWER_WITHIN) else {
            // It may be stuck in the driver; then it ends when that lets it.
            let _ = child.kill();
            return Err(format!("{} did not answer within {} s", call(), ANSWER_WITHIN.as_secs()));
        };
        texts[which] = text;
    }
    let ended = child.wait().map_err(|error| format!("{}: {error}", call()))?;
    let [output, errors] = texts;
    if ended.success() {
        return Ok(output);
    }
    let said = [errors.as_str(), output.as_str()].into_iter().flat_map(str::lines).find(|line| !line.trim().is_empty());
    Err(format!("{}: {}", call(), said.map_or("it failed without a word", str::trim)))
}
