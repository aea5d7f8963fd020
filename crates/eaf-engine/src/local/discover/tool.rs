//! Asking a vendor's tool.
//!
//! What: runs a program with a bound on its time and gives what it printed. Absent: what the output means.

use std::ffi::OsStr;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Some drivers make their tools hang; discovery does not.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What the tool printed; `None` where there is no such tool, or it failed or did not answer, which is logged.
pub(super) fn ask(program: &OsStr, args: &[&str]) -> Option<String> {
    let spawned =
        Command::new(program).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = spawned.ok()?;
    let mut output = child.stdout.take()?;
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = output.read_to_string(&mut text);
        // The receiver has gone where the tool was too slow.
        let _ = send.send(read.map(|_| text));
    });
    let answer = receive.recv_timeout(ANSWER_WITHIN);
    if answer.is_err() {
        let _ = child.kill();
    }
    let succeeded = child.wait().is_ok_and(|status| status.success());
    match answer {
        Ok(Ok(text)) if succeeded => Some(text),
        _ => {
            tracing::warn!(program = ?program, "the tool is there but did not answer; its accelerators are not offered");
            None
        }
    }
}
