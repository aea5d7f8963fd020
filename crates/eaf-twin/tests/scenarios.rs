//! Every scenario of the tree has the output that stands beside it.
//!
//! What: plays `scenarios/*.eafs` and compares with `scenarios/*.out`. To accept what has changed, run it with
//! `EAF_UPDATE=1`, and read the difference. Absent: scenarios in strings; those that teach are files.

use eaf_twin::world::run;
use std::path::{Path, PathBuf};

fn files(extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let entries = std::fs::read_dir(folder).expect("the scenarios are there").flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|it| it == extension)).collect();
    files.sort();
    files
}

#[test]
fn scenarios_have_their_outputs() {
    let update = std::env::var_os("EAF_UPDATE").is_some();
    let mut wrong = Vec::new();
    let scenarios = files("eafs");
    assert!(scenarios.len() >= 10, "only {} scenarios", scenarios.len());
    for path in &scenarios {
        let text = std::fs::read_to_string(path).expect("a scenario is text");
        assert!(text.starts_with("# "), "{}: a scenario begins with its story", path.display());
        let outcome = run(&text).unwrap_or_else(|error| panic!("{}:{error}", path.display()));
        if let Some(error) = outcome.error {
            wrong.push(format!("{}:{error}\n{}", path.display(), outcome.log.join("\n")));
            continue;
        }
        let golden = path.with_extension("out");
        if update {
            std::fs::write(&golden, outcome.text()).expect("the output is written");
        } else if std::fs::read_to_string(&golden).ok().as_deref() != Some(outcome.text().as_str()) {
            wrong.push(format!("{}: the output is another; see it with `eaf twin run`", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn no_output_is_left_without_its_scenario() {
    let lone: Vec<_> = files("out").into_iter().filter(|path| !path.with_extension("eafs").exists()).collect();
    assert!(lone.is_empty(), "{lone:?}");
}

#[test]
fn a_scenario_that_is_wrong_says_where() {
    let check = |text: &str, expect: &str| {
        let error = match run(text) {
            Ok(outcome) => outcome.error.expect("it is wrong"),
            Err(error) => error,
        };
        assert_eq!(error.to_string(), expect);
    };
    check("restart", "1:1: this does nothing: the control plane is up");
    check("fleet 1 node: 1 cpu, 1 GiB\nfail node-2", "2:1: this does nothing: node-2 is not up");
    let fleet = "fleet 1 node: 4 cpu, 8 GiB\nsubmit a\n";
    check(&format!("{fleet}expect a finished"), "3:1: expected a finished, and a is starting (0 of 1 started)");
    check(&format!("{fleet}expect b queued"), "3:1: expected b queued, and there is no b");
    check(
        &format!("{fleet}expect refused: no_nodes"),
        "3:1: expected refused: no_nodes, and the last request was not refused",
    );
}

#[test]
fn a_slip_of_the_pen_is_not_a_story() {
    let check = |lines: &str, expect: &str| {
        let text = format!("fleet 2 nodes: 8 cpu, 64 GiB, 2 MI355X\n{lines}\n");
        let error = match run(&text) {
            Ok(outcome) => outcome.error.map(|error| error.to_string()),
            Err(error) => Some(error.to_string()),
        };
        assert!(error.as_ref().is_some_and(|error| error.starts_with(expect)), "{lines}: {error:?}");
    };
    check("submit a: 2 tsks", "2:13: \"tsks\" stands where cpu, a size, tasks, gpu or a model such as MI355X should");
    check("submit a: 1 Cpu", "2:13: \"Cpu\" stands where");
    check("fleet 999999999 nodes: 8 cpu", "2:7: \"999999999\" is out of range");
    check(
        "submit a: 9 gpu\nadvance 1s\nsubmit b: 1 cpu",
        "4:1: this does nothing: a request before this was refused, never_fits",
    );
    check("submit a: 9 gpu\nadvance 1s", "3:1: this does nothing: a request before this was refused, never_fits");
}
