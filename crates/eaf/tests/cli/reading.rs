//! Verbs that look: `ps`, `show`, `node`, `events`, `verify`, `backup`; and what is said of wrong input.

use super::{ended, err, factory, json, out, refused};
use crate::support::factory::eaf;
use std::fs;
use std::process::{Command, Stdio};

#[test]
fn what_is_listed_can_be_read_by_people_and_programs() {
    let factory = factory();
    assert!(err(&factory.cli(&["ps"])).contains("Nothing waits or runs"));
    assert_eq!(factory.cli_ok(&["ps", "--all", "--json"]).trim(), "[]");
    ended(&factory, &["run", "--name", "한글 이름", "-l", "team=v", "--", "false"], 1);
    let all = json(&factory.cli_ok(&["ps", "--all", "--json"]));
    let id = all[0]["id"].as_str().expect("an id").to_owned();
    let table = factory.cli_ok(&["--lang", "ko", "ps", "--all"]);
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].contains("이름") && lines[1].contains("한글 이름") && lines[1].contains("실패"), "{table}");
    let shown = factory.cli_ok(&["show", &id]);
    assert!(shown.contains("team=v") && shown.contains("exited with 1") && shown.contains("Attempts"), "{shown}");
    assert_eq!(json(&factory.cli_ok(&["show", "--json", &id]))["state"], "failed");
    let events = factory.cli_ok(&["events", "--after", "0"]);
    assert!(events.contains(&format!("{id} (한글 이름) was submitted by ")), "{events}");
    assert!(events.contains(&format!("{id} ended as failed: ")), "{events}");
    let last = factory.cli_ok(&["events", "--json"]);
    assert!(last.lines().all(|line| json(line)["event"].is_object()), "{last}");
}

#[test]
fn a_node_is_found_by_name_and_cordoned() {
    let factory = factory();
    let nodes = json(&factory.cli_ok(&["node", "list", "--json"]));
    let name = nodes[0]["name"].as_str().expect("a name");
    assert!(factory.cli_ok(&["node", "list"]).contains("8 × MI355X (pretended)"));
    assert!(factory.cli_ok(&["node", "cordon", name, "--why", "new fans"]).contains("new fans"));
    assert!(factory.cli_ok(&["--lang", "ko", "node", "show", name]).contains("배정 중지"));
    refused(&factory, &["node", "cordon", name, "--why", "new fans"], 1, &["already in that state"]);
    factory.cli_ok(&["node", "uncordon", name]);
    assert!(factory.cli_ok(&["node", "cordon", name]).contains("no reason given"));
    refused(&factory, &["node", "show", "nowhere"], 5, &["No node is called “nowhere”"]);
}

#[test]
fn the_journal_is_verified_backed_up_and_restored() {
    let mut factory = factory();
    ended(&factory, &["run", "--", "true"], 0);
    let verified = json(&factory.cli_ok(&["verify", "--json"]));
    let head = verified["head"].as_str().expect("a head");
    factory.cli_ok(&["verify", "--expect", head]);
    let (step, hash) = head.split_once(':').expect("STEP:HASH");
    let beyond = format!("{}:{hash}", step.parse::<u64>().expect("a step") + 1_000);
    refused(&factory, &["verify", "--expect", &beyond], 7, &["does not verify", "breaks at step"]);
    refused(&factory, &["--lang", "ko", "verify", "--expect", &beyond], 7, &["단계에서 끊어집니다"]);
    refused(&factory, &["verify", "--expect", "x"], 2, &["is not a place in a journal"]);

    let backup = factory.folder().join("backup");
    let backup = backup.to_str().expect("UTF-8");
    factory.cli_ok(&["backup", backup]);
    refused(&factory, &["backup", backup], 1, &["is not empty, and nothing is written over"]);
    let restored = factory.folder().join("restored");
    let restored = restored.to_str().expect("UTF-8");
    factory.cli_ok(&["--data-dir", restored, "restore", backup]);
    let other = json(&factory.cli_ok(&["--data-dir", restored, "verify", "--json"]));
    factory.terminate();
    let own = json(&factory.cli_ok(&["verify", "--json"]));
    assert_eq!(other["state_digest"], verified["state_digest"]);
    assert_eq!(own["history_digest"], other["history_digest"]);
}

#[test]
fn wrong_input_is_told_what_to_do() {
    let factory = factory();
    refused(&factory, &["show", "wl-999999"], 5, &["No such workload", "eaf ps --all"]);
    refused(&factory, &["show", "job1"], 2, &["“job1” is not the id of a workload"]);
    refused(&factory, &["ps", "--state", "sleeping"], 2, &["There is no state “sleeping”", "queued"]);
    refused(&factory, &["submit", "/no/such/file"], 5, &["Cannot read /no/such/file"]);
    refused(&factory, &["receipt", "show", "wl-999999"], 5, &["No such workload"]);
    let file = factory.folder().join("bad.toml");
    let path = file.to_str().expect("UTF-8");
    for (text, words) in [
        ("command = ['true']\nmemroy = '1GiB'\n", "bad.toml:2: there is no field “memroy”; did you mean “memory”?"),
        ("command = ['true']\ncpu = -1\n", "bad.toml:2: cpu: “-1” is below zero"),
        ("command = [\n", "bad.toml:"),
        ("command = []\n", "run"),
        ("command = ['true']\ntasks = 0\n", "tasks"),
        ("command = ['true']\nafter_ok = ['wl-999999']\n", "unknown workload"),
    ] {
        fs::write(&file, text).expect("written");
        let output = factory.cli(&["submit", path]);
        assert!(!output.status.success() && err(&output).contains(words), "{text}: {}", err(&output));
    }
    fs::write(&file, b"command = ['\xff']\n").expect("written");
    refused(&factory, &["submit", path], 6, &["bad.toml:1: the file is not UTF-8 text"]);
    fs::write(&file, vec![b'#'; 5 << 20]).expect("written");
    refused(&factory, &["submit", path], 6, &["is larger than 4 MiB"]);
}

#[test]
fn another_factory_is_named_by_url_and_token() {
    let factory = factory();
    let url = factory.url();
    let with = |name: &str, value: &str| {
        let mut command = eaf();
        command.arg("ps").env("EAF_URL", &url).env(name, value).env("EAF_DATA_DIR", "/nonexistent");
        command.output().expect("eaf can be run")
    };
    assert_eq!(with("EAF_TOKEN", &factory.token()).status.code(), Some(0));
    assert_eq!(with("EAF_TOKEN", "wrong").status.code(), Some(4));
    let wrong = with("EAF_TOKEN", "wrong");
    assert!(err(&wrong).contains("EAF_TOKEN"), "{}", err(&wrong));
    assert_eq!(with("EAF_URL", "factory.example").status.code(), Some(2));
    let nobody = with("EAF_URL", "http://127.0.0.1:1");
    assert_eq!(nobody.status.code(), Some(3));
    assert!(err(&nobody).contains("eaf up"), "{}", err(&nobody));
}

#[test]
fn a_reader_that_goes_away_is_no_failure_of_ours() {
    let factory = factory();
    ended(&factory, &["run", "--", "true"], 0);
    let mut child = eaf()
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("eaf can be run");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(err(&output).is_empty(), "{}", err(&output));
    assert!(matches!(output.status.code(), Some(0 | 141)), "{:?}", output.status);
}

#[test]
fn completions_are_scripts_that_shells_read() {
    let output = eaf().args(["completions", "bash"]).output().expect("eaf can be run");
    let script = out(&output);
    assert!(script.contains("_eaf()"), "{script}");
    let mut shell = Command::new("bash").args(["-n", "/dev/stdin"]).stdin(Stdio::piped()).spawn().expect("bash runs");
    std::io::Write::write_all(shell.stdin.as_mut().expect("piped"), script.as_bytes()).expect("written");
    assert!(shell.wait().expect("it ends").success());
}
