//! Verbs that run things: `run`, `submit`, `wait`, `cancel`, `logs`, `cp`, `receipt`.

use super::{ended, err, factory, json, out, refused};
use crate::support::factory::eaf;
use crate::support::wait_for;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Duration;

#[test]
fn run_is_the_command_itself() {
    let factory = factory();
    let output = factory.cli(&["run", "--", "sh", "-c", "echo out; echo err >&2; exit 7"]);
    assert_eq!((out(&output).as_str(), err(&output).as_str()), ("out\n", "err\n"));
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(ended(&factory, &["run", "-e", "A=b c", "--", "sh", "-c", "printf %s \"$A\""], 0), "b c");
    assert_eq!(ended(&factory, &["run", "--cpu", "0.5", "sh", "-c", "echo $#", "sh", "--cpu", "-x"], 0), "2\n");
    refused(&factory, &["run", "--bogus", "true"], 2, &["--bogus"]);
    refused(&factory, &["run", "--", "sh", "-c", "kill -9 $$"], 137, &["signal 9 (KILL)"]);
    refused(&factory, &["run", "--", "/no/such/program"], 126, &["could not be started"]);
    refused(&factory, &["run", "-t", "100ms", "--", "sleep", "60"], 124, &["its wall time is over"]);
    refused(
        &factory,
        &["run", "--cpu", "100000", "--", "true"],
        125,
        &["No node could ever hold it", "no more than this"],
    );
    refused(&factory, &["run", "--memory", "5", "--", "true"], 2, &["“5” has no unit; write it like 512MiB"]);
    let gang =
        ended(&factory, &["run", "--tasks", "2", "--cpu", "0.1", "--", "sh", "-c", "echo rank $EAF_TASK_RANK"], 0);
    let mut lines: Vec<_> = gang.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["[0] rank 0", "[1] rank 1"]);
}

#[test]
fn an_interrupted_run_is_cancelled() {
    let factory = factory();
    let mut child = eaf()
        .args(["run", "--name", "long", "--", "sh", "-c", "echo started; sleep 600"])
        .env("EAF_DATA_DIR", factory.data())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("eaf can be run");
    wait_for("the workload to run", Duration::from_secs(30), || {
        let running = json(&factory.cli_ok(&["ps", "--state", "running", "--json"]));
        (running.as_array()?.len() == 1).then_some(())
    });
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it can be told");
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(130));
    let all = json(&factory.cli_ok(&["ps", "--all", "--name", "long", "--json"]));
    assert_eq!(all[0]["state"], "cancelled", "{all}");
}

#[test]
fn a_run_outlives_the_factory_that_it_was_given_to() {
    let mut factory = factory();
    let go = factory.folder().join("go");
    let script = format!("echo one; while [ ! -e {} ]; do sleep 0.02; done; echo two; exit 5", go.display());
    let mut child = eaf()
        .args(["run", "--", "sh", "-c", &script])
        .env("EAF_DATA_DIR", factory.data())
        .stdout(Stdio::piped())
        .spawn()
        .expect("eaf can be run");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut seen = String::new();
    output.read_line(&mut seen).expect("a line");
    factory.kill9();
    factory.spawn();
    factory.wait_ready();
    fs::write(&go, "").expect("written");
    output.read_to_string(&mut seen).expect("UTF-8");
    assert_eq!(seen, "one\ntwo\n");
    assert_eq!(child.wait().expect("it ends").code(), Some(5));
}

#[test]
fn a_file_is_submitted_waited_for_read_and_billed() {
    let factory = factory();
    let file = factory.folder().join("job.toml");
    fs::write(
        &file,
        "command = ['sh', '-c', 'echo seen; echo kept > result.txt; mkdir d; echo deep > d/e']\ncpu = 0.5\n",
    )
    .expect("a file can be written");
    let file = file.to_str().expect("UTF-8");
    let id = factory.cli_ok(&["submit", file, "--key", "one"]).trim().to_owned();
    assert_eq!(factory.cli_ok(&["submit", file, "--key", "one"]).trim(), id, "the key gives the same workload");
    assert_eq!(factory.cli_ok(&["wait", &id]), format!("{id}  finished: every task exited with 0\n"));
    assert_eq!(factory.cli_ok(&["logs", &id]), "seen\n");
    assert_eq!(factory.cli_ok(&["logs", "-f", &id]), "seen\n");
    assert_eq!(factory.cli_ok(&["logs", "--stderr", &id]), "");

    let copy = factory.folder().join("copy");
    factory.cli_ok(&["cp", &format!("{id}:result.txt"), copy.to_str().expect("UTF-8")]);
    assert_eq!(fs::read_to_string(&copy).expect("copied"), "kept\n");
    assert_eq!(factory.cli_ok(&["cp", &format!("{id}:d/e"), "-"]), "deep\n");
    let folder = factory.folder().join("all");
    factory.cli_ok(&["cp", &format!("{id}:."), folder.to_str().expect("UTF-8")]);
    assert_eq!(fs::read_to_string(folder.join("d/e")).expect("copied"), "deep\n");
    refused(&factory, &["cp", &format!("{id}:no/such"), "-"], 5, &["No such file"]);
    refused(&factory, &["cp", &format!("{id}:../../token"), "-"], 5, &["No such file"]);

    let receipt = factory.cli_ok(&["receipt", "show", &id, "--json"]);
    assert_eq!(json(&receipt)["workload"]["id"], id.as_str());
    let shown = factory.cli_ok(&["receipt", "show", &id]);
    assert!(shown.contains(&format!("Receipt for {id} (job)")), "{shown}");
    let path = factory.folder().join("receipt.json");
    let path_text = path.to_str().expect("UTF-8");
    fs::write(&path, &receipt).expect("written");
    assert!(factory.cli_ok(&["receipt", "verify", path_text]).contains("The receipt is whole"));
    let key = factory.data().join("keys/receipt.pub");
    factory.cli_ok(&["receipt", "verify", "--key", key.to_str().expect("UTF-8"), path_text]);
    fs::write(&path, receipt.replacen("\"job\"", "\"jab\"", 1)).expect("written");
    refused(&factory, &["receipt", "verify", path_text], 7, &["does not verify", "Line "]);
    refused(&factory, &["--lang", "ko", "receipt", "verify", path_text], 7, &["검증하지 못했습니다"]);
}

#[test]
fn a_receipt_counts_accelerators_and_what_they_are_worth() {
    let factory = factory();
    let id = factory.cli_ok(&["run", "--detach", "-g", "2", "--", "true"]).trim().to_owned();
    factory.cli_ok(&["wait", &id]);
    let receipt = factory.cli_ok(&["receipt", "show", &id, "--json"]);
    let figures = json(&receipt)["figures"].as_array().cloned().expect("its figures");
    let named = |name: &str| figures.iter().find(|figure| figure["name"] == name).unwrap_or_else(|| panic!("{name}"));
    let charged = named("attempt_1.charge.accelerator.MI355X");
    assert!(charged["value"].as_u64() > Some(0), "{charged}");
    assert_eq!(named("attempt_1.equivalent.accelerator.MI355X")["inputs"]["held"], 1_000, "each by itself");
    assert!(factory.cli_ok(&["receipt", "show", &id]).contains("MI355X"));
    let path = factory.folder().join("receipt.json");
    fs::write(&path, &receipt).expect("written");
    assert!(factory.cli_ok(&["receipt", "verify", path.to_str().expect("UTF-8")]).contains("The receipt is whole"));
}

#[test]
fn a_script_for_slurm_is_an_array_here() {
    let factory = factory();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/array.sh");
    let id = factory.cli_ok(&["submit", "--wait", script]).trim().to_owned();
    assert_eq!(factory.cli_ok(&["logs", &format!("{id}.2")]), "3 squared is 9\n");
    let members = json(&factory.cli_ok(&["ps", "--all", "--array", &id, "--json"]));
    assert_eq!(members.as_array().map(Vec::len), Some(10));
    let shown = factory.cli_ok(&["show", &id]);
    assert!(shown.contains("members    10 (finished 10)"), "{shown}");
}

#[test]
fn the_examples_run() {
    let factory = factory();
    let example = |name: &str| format!("{}/../../examples/{name}", env!("CARGO_MANIFEST_DIR"));
    for name in ["primes.toml", "gang.toml", "gpu.yaml", "prepare.toml"] {
        factory.cli_ok(&["submit", "--wait", &example(name)]);
    }
    let first = factory.cli_ok(&["submit", &example("prepare.toml")]);
    let train = fs::read_to_string(example("train.toml")).expect("an example").replace("wl-0", first.trim());
    let path = factory.folder().join("train.toml");
    fs::write(&path, train).expect("written");
    factory.cli_ok(&["submit", "--wait", path.to_str().expect("UTF-8")]);
}

#[test]
fn waiting_is_explained_and_cancelled() {
    let factory = factory();
    let nodes = json(&factory.cli_ok(&["node", "list", "--json"]));
    let threads = nodes[0]["spec"]["cpu"].as_u64().expect("a figure") / 1_000;
    let all = threads.to_string();
    let submit = |name: &str| {
        let id = factory.cli_ok(&["run", "-d", "--name", name, "--cpu", &all, "--", "sleep", "600"]);
        id.trim().to_owned()
    };
    let (first, second) = (submit("first"), submit("second"));
    let english = factory.cli_ok(&["explain", &second]);
    assert!(english.contains(&format!("{second}  queued: ")), "{english}");
    assert!(english.contains("1  too few CPU threads free"), "{english}");
    assert!(english.contains("Expected to start by"), "{english}");
    let korean = factory.cli_ok(&["--lang", "ko", "explain", &second]);
    assert!(korean.contains("남은 CPU 부족"), "{korean}");
    let live = json(&factory.cli_ok(&["ps", "--json"]));
    let ids: Vec<_> =
        live.as_array().expect("an array").iter().map(|each| each["id"].as_str().expect("an id")).collect();
    assert_eq!(ids, [second.as_str(), first.as_str()], "newest first");
    factory.cli_ok(&["cancel", &first, &second]);
    assert!(ended(&factory, &["wait", &first, &second], 1).contains("cancelled by "));
    assert_eq!(factory.cli_ok(&["cancel", &first]), format!("{first}  cancelled\n"), "what has ended stays as it is");
    refused(&factory, &["cancel", "wl-999999"], 5, &["No such workload"]);
}
