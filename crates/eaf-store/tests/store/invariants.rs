//! A journal whose chain is whole and whose steps are not: the step is named.

use eaf_core::Step;
use eaf_model::{Event, Span, Time};
use eaf_store::sample::{Factory, spec};
use eaf_store::{Batch, OpenOptions, Source, SqliteStore, Store, VerifyError, VerifyOptions, verify};
use std::num::NonZeroU64;

/// Puts steps of a factory into one batch each, the `forged` one changed as `forge` says, and verifies.
fn check(forged: u64, forge: impl Fn(&mut Step), expect: impl Fn(&VerifyError) -> bool) {
    let mut factory = Factory::new(Time(1_000));
    factory.add_node("node", 8);
    for _ in 0..30 {
        factory.submit(spec("job", "p"), Vec::new(), None);
    }
    factory.start_placed();
    factory.wait(Span::from_secs(1));
    factory.end_running();
    let lines = factory.batch().body;
    for every in [None, NonZeroU64::new(1), NonZeroU64::new(7), NonZeroU64::new(1_000)] {
        let dir = tempfile::tempdir().unwrap();
        let mut store = SqliteStore::open(dir.path(), OpenOptions::default()).unwrap();
        for line in String::from_utf8(lines.clone()).unwrap().lines() {
            let mut step: Step = serde_json::from_str(line).unwrap();
            if step.number == forged {
                forge(&mut step);
            }
            let head = store.head().unwrap();
            store.append(&Batch::of_steps(&[step], head)).unwrap();
        }
        let options = VerifyOptions { invariants_every: every, ..VerifyOptions::default() };
        let error = verify(dir.path(), options, &mut |_| {}).expect_err("a forged journal does not verify");
        assert!(expect(&error), "{every:?}: {error}");
    }
}

/// The step that grants the first leases, behind one node and thirty submissions.
const GRANTS: u64 = 32;

#[test]
fn a_step_that_breaks_an_invariant_is_named() {
    // A second lease on what the first one holds: more threads are given than the node has.
    let forge = |step: &mut Step| {
        for event in &mut step.events {
            if let Event::LeaseGranted { placement, .. } = event {
                placement.tasks[0].cpu = eaf_model::CpuMilli(8_000);
            }
        }
    };
    check(GRANTS, forge, |error| {
        matches!(error, VerifyError::Invariant { step: GRANTS, .. } | VerifyError::Impossible { step: GRANTS, .. })
    });
}

#[test]
fn a_step_that_cannot_have_happened_is_named() {
    let forge = |step: &mut Step| {
        let twice = step.events.clone();
        step.events.extend(twice);
    };
    check(GRANTS, forge, |error| {
        matches!(error, VerifyError::Invariant { step: GRANTS, .. } | VerifyError::Impossible { step: GRANTS, .. })
    });
}
