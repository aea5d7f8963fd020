//! The journal and the receipts against those who would change them: tampering, cutting, copying.
//!
//! Absent: single rules of the chain; the store's and the receipt's own tests have those.

use crate::support::factory::{Factory, eaf};
use crate::support::random::Random;
use crate::support::{machine, tools};
use eaf_model::{Bytes, CpuMilli, WorkloadId, WorkloadSpec};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

/// Bytes of a receipt that are changed, one at a time.
const CHANGES: u64 = 120;

fn named(name: &str) -> WorkloadSpec {
    let mut spec = WorkloadSpec::command(&["/bin/echo", name]);
    name.clone_into(&mut spec.name);
    spec.task.cpu = CpuMilli(100);
    spec.task.memory = Bytes(16 << 20);
    spec
}

fn run_to_end(factory: &Factory, name: &str) -> WorkloadId {
    let id = factory.submit(named(name));
    factory.wait_ended(id);
    id
}

/// Runs a verb on a data directory that no factory runs on.
fn eaf_on(data: &Path, arguments: &[&str]) -> Output {
    let mut command = eaf();
    command.args(arguments).env("EAF_DATA_DIR", data).stdin(Stdio::null());
    command.output().expect("eaf can be run")
}

#[track_caller]
fn must_pass(output: &Output) {
    assert!(output.status.success(), "{}\n{}", output.status, tools::text(output));
}

/// It must fail as "does not verify", and say where.
#[track_caller]
fn must_not_verify(output: &Output, naming: &[&str]) {
    let text = tools::text(output);
    assert_eq!(output.status.code(), Some(7), "{naming:?}: {text}");
    assert!(naming.iter().any(|word| text.to_lowercase().contains(word)), "none of {naming:?} is named in: {text}");
}

/// The places in a file where these bytes stand.
fn places(bytes: &[u8], needle: &str) -> Vec<usize> {
    let windows = bytes.windows(needle.len()).enumerate();
    windows.filter(|(_, window)| *window == needle.as_bytes()).map(|(at, _)| at).collect()
}

fn copy_of_backup(backup: &Path, to: &Path) -> PathBuf {
    fs::create_dir_all(to).expect("a directory can be made");
    for entry in fs::read_dir(backup).expect("a backup is a directory") {
        let path = entry.expect("it can be read").path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().expect("it has a name"))).expect("a file can be copied");
        }
    }
    to.join("journal.db")
}

#[test]
fn a_changed_journal_does_not_verify_and_the_step_is_named() {
    let _machine = machine();
    let factory = Factory::start("");
    run_to_end(&factory, "before");
    run_to_end(&factory, "needle-in-the-journal");
    run_to_end(&factory, "behind");
    let backup = factory.folder().join("backup");
    let backup_text = backup.to_string_lossy().into_owned();
    factory.cli_ok(&["backup", &backup_text]);
    must_pass(&eaf_on(&backup, &["verify"]));

    let original = fs::read(backup.join("journal.db")).expect("the backup has a journal");
    let found = places(&original, "needle-in-the-journal");
    assert!(!found.is_empty(), "the journal keeps its steps as text");
    for (number, at) in found.into_iter().enumerate() {
        let copy = factory.folder().join(format!("changed-{number}"));
        let journal = copy_of_backup(&backup, &copy);
        let mut changed = original.clone();
        changed[at] = b'N';
        fs::write(&journal, &changed).expect("the copy can be written");
        // Not all of them are steps: the history repeats the name, and so does an index over it.
        must_not_verify(&eaf_on(&copy, &["verify"]), &["step ", "index"]);
    }
}

#[test]
fn a_cut_tail_is_seen_by_whoever_kept_a_head() {
    let _machine = machine();
    let factory = Factory::start("");
    run_to_end(&factory, "kept");
    let early = factory.folder().join("early");
    factory.cli_ok(&["backup", &early.to_string_lossy()]);
    let kept = factory.client().journal_head().expect("the head is told").head;
    run_to_end(&factory, "cut-off");
    let head = factory.client().journal_head().expect("the head is told").head;

    factory.cli_ok(&["verify", "--expect", &kept]);
    factory.cli_ok(&["verify", "--expect", &head]);
    must_pass(&eaf_on(&early, &["verify", "--expect", &kept]));
    must_not_verify(&eaf_on(&early, &["verify", "--expect", &head]), &["step "]);
    let (step, hash) = head.split_once(':').expect("a head is STEP:HASH");
    let other = format!("{step}:{}", hash.chars().rev().collect::<String>());
    must_not_verify(&factory.cli(&["verify", "--expect", &other]), &["hash"]);
}

#[test]
fn a_backup_of_a_running_factory_is_restored_to_the_same_digest() {
    let _machine = machine();
    let factory = Factory::start("");
    let id = run_to_end(&factory, "backed-up");
    let waiting = factory.submit(WorkloadSpec::command(&["/bin/sleep", "600"]));
    let (backup, restored) = (factory.folder().join("backup"), factory.folder().join("restored"));
    factory.cli_ok(&["backup", &backup.to_string_lossy()]);
    must_pass(&eaf_on(&restored, &["restore", &backup.to_string_lossy()]));

    let digests = |data: &Path| {
        let output = eaf_on(data, &["verify", "--json"]);
        must_pass(&output);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
        for name in ["head", "state_digest", "history_digest"] {
            assert!(report[name].is_string(), "{name} is missing in {report}");
        }
        [report["head"].clone(), report["state_digest"].clone(), report["history_digest"].clone()]
    };
    assert_eq!(digests(&backup), digests(&restored));
    // The keys came along, so a receipt of the one is a receipt of the other; and nothing is written over.
    let receipt = factory.folder().join("receipt.json");
    fs::write(&receipt, factory.cli_ok(&["receipt", "show", &id.to_string(), "--json"])).expect("it can be written");
    must_pass(&eaf_on(&restored, &["receipt", "verify", &receipt.to_string_lossy()]));
    assert!(!eaf_on(&restored, &["restore", &backup.to_string_lossy()]).status.success());
    assert!(!factory.cli(&["backup", &backup.to_string_lossy()]).status.success());
    factory.cli_ok(&["cancel", &waiting.to_string()]);
}

#[test]
fn a_second_factory_on_the_same_directory_is_refused() {
    let _machine = machine();
    let factory = Factory::start("");
    let second = eaf_on(factory.data(), &["up", "--port", "0"]);
    assert!(!second.status.success());
    let said = tools::text(&second);
    assert!(said.contains(&factory.data().to_string_lossy().into_owned()), "the directory is not named in: {said}");
    factory.cli_ok(&["verify"]);
}

#[test]
fn a_receipt_fails_with_any_byte_changed_and_with_another_key() {
    let _machine = machine();
    let mut random = Random::new();
    let factory = Factory::start("");
    let id = run_to_end(&factory, "billed");
    let receipt = factory.cli_ok(&["receipt", "show", &id.to_string(), "--json"]).into_bytes();
    let file = factory.folder().join("receipt.json");
    let verify = |bytes: &[u8], more: &[&str]| {
        fs::write(&file, bytes).expect("the receipt can be written");
        let path = file.to_string_lossy().into_owned();
        let mut arguments = vec!["receipt", "verify", &path];
        arguments.extend(more);
        factory.cli(&arguments)
    };
    must_pass(&verify(&receipt, &[]));
    let own_key = factory.data().join("keys/receipt.pub");
    must_pass(&verify(&receipt, &["--key", &own_key.to_string_lossy()]));

    // White space around the document is no part of it; everything within is.
    let end = receipt.iter().rposition(|byte| !byte.is_ascii_whitespace()).expect("a receipt is not empty");
    for _ in 0..CHANGES {
        let (at, bit) = (random.place(end + 1), random.below(7));
        let mut changed = receipt.clone();
        changed[at] ^= 1 << bit;
        let output = verify(&changed, &[]);
        assert!(!output.status.success(), "byte {at}, bit {bit} of\n{}", String::from_utf8_lossy(&changed));
    }
    assert!(!verify(&receipt[..receipt.len() / 2], &[]).status.success(), "half a receipt");

    let other = Factory::start("");
    let other_key = other.data().join("keys/receipt.pub");
    must_not_verify(&verify(&receipt, &["--key", &other_key.to_string_lossy()]), &["key"]);
}

#[test]
fn a_verified_receipt_points_into_the_journal() {
    let _machine = machine();
    let factory = Factory::start("");
    let id = run_to_end(&factory, "pointed-at");
    let text = factory.cli_ok(&["receipt", "show", &id.to_string(), "--json"]);
    let head = find_head(&serde_json::from_str(&text).expect("it is JSON")).expect("a receipt carries STEP:HASH");
    factory.cli_ok(&["verify", "--expect", &head]);
}

/// The first text in a document that reads as STEP:HASH.
fn find_head(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => {
            let (step, hash) = text.split_once(':')?;
            let number = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
            (number && hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.clone())
        }
        serde_json::Value::Array(items) => items.iter().find_map(find_head),
        serde_json::Value::Object(fields) => fields.values().find_map(find_head),
        _ => None,
    }
}
