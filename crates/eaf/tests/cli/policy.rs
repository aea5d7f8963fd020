//! `eaf policy`: a file is checked, compared, applied, shown and refused.

use super::{err, factory, out};
use std::fs;

#[test]
fn a_policy_is_checked_compared_applied_and_shown() {
    let factory = factory();
    let path = factory.folder().join("policy.toml");
    let file = path.to_str().expect("UTF-8");
    let write = |text: &str| fs::write(&path, text).expect("a file");
    write("[shares.vision]\nweight = 2\naccelerators.MI355X = { guaranteed = 4, maximum = 2 }\n");
    let refused = factory.cli(&["policy", "check", file]);
    assert_eq!(refused.status.code(), Some(6), "{}", err(&refused));
    assert!(err(&refused).contains("policy.toml:3: shares.vision.accelerators.MI355X.guaranteed is 4"), "{refused:?}");
    write("[shares.vision]\nparent = \"acme\"\n[shares.acme]\nparent = \"vision\"\n");
    let refused = factory.cli(&["--lang", "ko", "policy", "apply", file]);
    assert!(err(&refused).contains("policy.toml:4") && err(&refused).contains("acme → vision → acme"), "{refused:?}");
    write("[shares.vision]\naccelerators.MI355X = 9\n");
    let refused = factory.cli(&["policy", "apply", file]);
    assert_eq!(refused.status.code(), Some(1), "{}", err(&refused));
    assert!(err(&refused).contains("policy.toml:2: With shares.vision.accelerators.MI355X"), "{refused:?}");
    assert!(err(&refused).contains("guaranteed 9 of MI355X together, and their whole has 8"), "{refused:?}");
    write("[shares.vision]\nweight = 2\naccelerators.MI355x = { maximum = 4 }\n");
    let refused = factory.cli(&["policy", "check", file]);
    assert!(err(&refused).contains("policy.toml:3:") && err(&refused).contains("MI355x"), "{refused:?}");
    write("[maintenance.past]\nnodes = [\"x\"]\nfrom = 2020-01-01T00:00:00Z\nuntil = 2020-01-02T00:00:00Z\n");
    let checked = factory.cli(&["policy", "check", file]);
    assert!(err(&checked).contains("maintenance.past was over at 2020-01-02"), "{checked:?}");
    write("[shares.vision]\nweight = 2\naccelerators.MI355X = { guaranteed = 4, maximum = 6 }\n");
    assert!(factory.cli_ok(&["policy", "check", file]).contains("the factory can keep it"));
    assert!(factory.cli_ok(&["policy", "diff", file]).contains("+ shares.vision.weight = 2"));
    factory.cli_ok(&["policy", "apply", file]);
    let shown = factory.cli_ok(&["policy", "show"]);
    assert!(shown.contains("shares.vision.accelerators.MI355X.maximum = 6"), "{shown}");
    fs::write(&path, &shown).expect("a file");
    assert_eq!(factory.cli_ok(&["policy", "diff", file]), "", "what is shown is what is in force");
    let shares = ["run", "--detach", "--project", "vision", "-g", "6", "--wall-time", "10m", "--", "sleep", "60"];
    let first = factory.cli_ok(&shares);
    let second = factory.cli_ok(&["run", "--detach", "--project", "vision", "-g", "1", "--", "true"]);
    let told = factory.cli_ok(&["explain", second.trim()]);
    assert!(told.contains("Share vision holds 6") && told.contains("may hold 6"), "{told}");
    let usage = factory.cli_ok(&["policy", "usage"]);
    let vision = usage.lines().find(|line| line.starts_with("vision")).expect("a line of the share");
    let words: Vec<&str> = vision.split_whitespace().collect();
    assert_eq!((words[2], &words[3..]), ("1", &["MI355X", "6", "4", "-", "6"][..]), "{usage}");
    let large = factory.cli_ok(&["run", "--detach", "--project", "vision", "-g", "7", "--", "true"]);
    let told = factory.cli_ok(&["explain", large.trim()]);
    assert!(told.contains("may hold 6 of MI355X at the most") && told.contains("between projects"), "{told}");
    factory.cli_ok(&["cancel", first.trim(), second.trim(), large.trim()]);
}

#[test]
fn a_policy_is_checked_without_a_factory() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("policy.toml");
    fs::write(
        &path,
        "[maintenance.pumps]\nnodes = [\"gaon\"]\nfrom = 2026-12-02T00:00:00Z\nuntil = 2026-12-01T00:00:00Z\n",
    )
    .expect("a file");
    let data = folder.path().to_str().expect("UTF-8");
    let check = |path: &str| {
        let mut eaf = crate::support::factory::eaf();
        eaf.args(["--data-dir", data, "policy", "check", path]).output().expect("eaf runs")
    };
    let refused = check(path.to_str().expect("UTF-8"));
    assert_eq!(refused.status.code(), Some(6), "{}", err(&refused));
    assert!(err(&refused).contains("policy.toml:1: maintenance.pumps ends before it begins"), "{refused:?}");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/policy.toml");
    assert!(out(&check(example)).contains("No factory answers"));
}
