//! Every journal that was ever released still opens, verifies, and leads to the state and history it led to then.
//!
//! `examples/golden.rs` says how one is written.

use eaf_store::{Head, OpenOptions, Source, SqliteStore, VerifyOptions, recover, verify};
use std::collections::BTreeSet;
use std::path::Path;

/// Every kind of event that format 1 knows.
const KINDS: [&str; 22] = [
    "configured",
    "node_added",
    "node_changed",
    "node_lost",
    "node_back",
    "node_given_up",
    "node_cordoned",
    "node_uncordoned",
    "node_removed",
    "workload_submitted",
    "lease_granted",
    "task_accepted",
    "task_started",
    "task_used",
    "task_exited",
    "task_abandoned",
    "abandoned_task_gone",
    "lease_stopping",
    "lease_closed",
    "workload_requeued",
    "workload_eligible",
    "workload_ended",
];

/// Opens a copy of a golden journal, as an upgrade would, and compares it with what was written down beside it.
fn check(format: &str) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format);
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("snapshots")).unwrap();
    std::fs::copy(golden.join("journal.db"), copy.path().join("journal.db")).unwrap();
    for entry in std::fs::read_dir(golden.join("snapshots")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), copy.path().join("snapshots").join(entry.file_name())).unwrap();
    }
    let report = verify(copy.path(), VerifyOptions::default(), &mut |_| {}).unwrap();
    let found = format!("head {}\nhistory {}\nstate {}\n", report.head, report.history_digest, report.state_digest);
    assert_eq!(found, std::fs::read_to_string(golden.join("EXPECTED")).unwrap(), "{format}");
    assert_eq!(report.snapshots.len(), 1, "a snapshot of that time is read as well");
    assert_eq!((report.ended, report.ended_replayed), (9, 9));
    let mut store = SqliteStore::open(copy.path(), OpenOptions { create: false, ..OpenOptions::default() }).unwrap();
    let recovered = recover(&mut store).unwrap();
    assert_eq!((recovered.head, recovered.passed_over.len()), (report.head, 0));
    assert_eq!(kinds(&mut store, report.head), KINDS.iter().map(|kind| (*kind).to_owned()).collect(), "{format}");
}

fn kinds(store: &mut SqliteStore, end: Head) -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    for batch in store.batches(0, u32::try_from(end.step).unwrap()).unwrap() {
        for line in String::from_utf8(batch.body).unwrap().lines() {
            let step: eaf_core::Step = serde_json::from_str(line).unwrap();
            kinds.extend(step.events.iter().map(|event| event.kind().to_owned()));
        }
    }
    kinds
}

#[test]
fn format_1_still_opens() {
    check("format-1");
}
