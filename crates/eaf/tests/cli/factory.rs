//! `eaf up` and `eaf down`: starting, refusing to start, going on in the background, stopping.

use super::{ended, err, factory, out, refused};
use crate::support::factory::{Factory, eaf};
use crate::support::wait_for;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Duration;

#[test]
fn one_factory_at_a_time_has_a_data_directory() {
    let factory = factory();
    refused(&factory, &["up", "--port", "0"], 1, &["Another factory is up on", "eaf down"]);
    refused(&factory, &["--lang", "ko", "up", "--port", "0"], 1, &["다른 공장이 켜져 있습니다"]);
}

/// A command line that starts another factory.
fn up<'a>(other: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["--data-dir", other, "up"], more].concat()
}

#[test]
fn what_keeps_a_factory_from_starting_is_named() {
    let factory = factory();
    let other = factory.folder().join("other");
    let other = other.to_str().expect("UTF-8");
    let port = factory.url().rsplit(':').next().expect("a port").to_owned();
    refused(&factory, &up(other, &["--port", &port]), 1, &[&format!("Port {port} is in use"), "--port 0"]);
    refused(&factory, &up(other, &["--bind", "0.0.0.0", "--port", "0"]), 1, &["no encryption", "--insecure-http"]);
    refused(&factory, &up(other, &["--bind", "192.0.2.1", "--port", "0"]), 1, &["192.0.2.1"]);
    let settings = factory.folder().join("wrong.toml");
    fs::write(&settings, "port = 1\nprot = 2\n").expect("written");
    let settings = settings.to_str().expect("UTF-8");
    refused(&factory, &up(other, &["--config", settings]), 6, &["wrong.toml:2", "unknown field `prot`"]);
    // What does not hold together is found before anything is started that would stay behind.
    fs::write(settings, "[settings.queue]\nholds = 0\n").expect("written");
    refused(&factory, &up(other, &["--port", "0", "--config", settings]), 6, &["queue.holds", "from 1 to 64"]);
    assert!(!std::path::Path::new(other).join("engine").exists(), "no engine was started");
    refused(&factory, &up(other, &["--config", "/no/such.toml"]), 5, &["Cannot read /no/such.toml"]);
    refused(&factory, &up(other, &["--run", "/no/such.toml"]), 5, &["Cannot read /no/such.toml"]);
}

#[test]
fn a_factory_goes_on_in_the_background_until_it_is_told_to_stop() {
    let factory = Factory::prepare("");
    let up = factory.cli_ok(&["up", "--detach", "--port", "0"]);
    assert!(up.starts_with("The factory is up at http://127.0.0.1:"), "{up}");
    let sleeper = factory.cli_ok(&["run", "-d", "--", "sleep", "600"]).trim().to_owned();
    assert!(factory.cli_ok(&["down"]).contains("running work goes on"));
    refused(&factory, &["ps"], 3, &["No factory is running", "eaf up"]);
    refused(&factory, &["--lang", "ko", "ps"], 3, &["켜진 공장이 없습니다", "eaf up"]);
    factory.cli_ok(&["up", "--detach", "--port", "0"]);
    wait_for("the work to be found again", Duration::from_secs(30), || {
        factory.cli_ok(&["show", &sleeper]).contains(&format!("{sleeper}  running")).then_some(())
    });
    assert!(factory.cli_ok(&["down", "--stop-work"]).contains("so has its work"));
    wait_for("every process to end", Duration::from_secs(30), || factory.processes().is_empty().then_some(()));
}

#[test]
fn a_failed_start_in_the_background_says_why() {
    let factory = factory();
    let output = factory.cli(&["up", "--detach", "--port", "0"]);
    assert_eq!(output.status.code(), Some(1));
    let said = err(&output);
    assert!(said.contains("did not come up") && said.contains("Another factory is up on"), "{said}");
    assert_eq!(said.matches("error").count(), 1, "{said}");
}

#[test]
fn up_with_a_first_workload_shows_its_receipt_and_stays() {
    let factory = Factory::prepare("");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/primes.toml");
    let mut child = eaf()
        .args(["up", "--port", "0", "--run", example, "--data-dir"])
        .arg(factory.data())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("eaf can be run");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut seen = String::new();
    while !seen.contains("The factory stays up at") {
        let line = lines.next().expect("more to come").expect("UTF-8");
        seen.push_str(&line);
        seen.push('\n');
    }
    for part in ["There are 348513, as there should be.", "Its receipt", "Receipt for wl-", "Price before tax"] {
        assert!(seen.contains(part), "no {part:?} in {seen}");
    }
    assert!(factory.cli_ok(&["ps", "--all"]).contains("primes"));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it can be told");
    assert!(child.wait().expect("it ends").success());
    let mut said = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("UTF-8");
    assert!(said.contains("The factory has stopped."), "{said}");
    // The supervisor stays for the next start; this test has none.
    factory.cli_ok(&["up", "--detach", "--port", "0"]);
    factory.cli_ok(&["down", "--stop-work"]);
}

#[test]
fn help_and_versions_are_no_failures() {
    for arguments in [&["--help"][..], &["--version"], &["run", "--help"], &["receipt", "show", "-h"]] {
        let output = eaf().args(arguments).output().expect("eaf can be run");
        assert!(output.status.success() && !out(&output).is_empty() && err(&output).is_empty(), "{arguments:?}");
    }
    let output = eaf().args(["--lang", "ko"]).output().expect("eaf can be run");
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("사용법"), "{}", err(&output));
    let factory = Factory::prepare("");
    assert!(ended(&factory, &["--version"], 0).starts_with("eaf "));
}
