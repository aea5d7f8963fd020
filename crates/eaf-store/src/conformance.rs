//! What every store must do, as a test that each implementation passes.
//!
//! What: [`check`] runs the contract on fresh stores, each case also over a reopening. Why here and not in a test folder:
//! a store in another crate passes the same suite. Absent: power loss and full disks; those are asked of each
//! implementation with its own means.

use crate::sample::{Factory, spec};
use crate::{Batch, EndedFilter, Head, LIST_MAX, PRUNE_MAX, RecoverError, Snapshot, Store, StoreError, recover};
use eaf_model::{Span, Time, WorkloadId, WorkloadState};

/// Runs the whole suite. `fresh` makes an empty store; `reopen` closes one and opens it again.
///
/// # Panics
/// Where a store breaks the contract; the message says which part.
pub fn check<S: Store>(mut fresh: impl FnMut() -> S, mut reopen: impl FnMut(S) -> S) {
    an_empty_store_is_empty(fresh(), &mut reopen);
    what_is_appended_is_there(fresh(), &mut reopen);
    a_batch_must_follow_the_head(fresh(), &mut reopen);
    what_ended_is_found(fresh(), &mut reopen);
    lists_are_filtered_and_paged(fresh(), &mut reopen);
    two_snapshots_are_kept(fresh(), &mut reopen);
    pruning_keeps_what_recovery_needs(fresh(), &mut reopen);
    pruning_goes_by_pieces(fresh(), &mut reopen);
    recovery_gives_the_state_again(fresh(), &mut reopen);
}

const NOON: Time = Time(1_760_000_000_000);

/// A factory with one node, and the batch that added it.
fn factory() -> (Factory, Batch) {
    let mut factory = Factory::new(NOON);
    factory.add_node("node", 64);
    let batch = factory.batch();
    (factory, batch)
}

/// One batch in which a workload of each of these names runs and ends.
fn round(factory: &mut Factory, names: &[&str], project: &str) -> Batch {
    for name in names {
        let key = format!("key-{}", factory.state().step_number() + 1);
        factory.submit(spec(name, project), Vec::new(), Some(key));
    }
    while factory.start_placed() > 0 {}
    factory.wait(Span::from_secs(60));
    factory.end_running();
    factory.batch()
}

/// Runs a check on a store, and again when it has been closed and opened.
fn twice<S: Store>(mut store: S, reopen: &mut impl FnMut(S) -> S, mut check: impl FnMut(&mut S)) -> S {
    check(&mut store);
    let mut store = reopen(store);
    check(&mut store);
    store
}

fn all() -> EndedFilter {
    EndedFilter { limit: u32::MAX, ..EndedFilter::default() }
}

fn an_empty_store_is_empty<S: Store>(store: S, reopen: &mut impl FnMut(S) -> S) {
    twice(store, reopen, |store| {
        assert_eq!(store.head().unwrap(), Head::default(), "an empty store has the empty head");
        assert_eq!(store.anchor().unwrap(), Head::default(), "an empty journal begins at the beginning");
        assert_eq!(store.snapshots().unwrap(), [] as [u64; 0]);
        assert_eq!(store.snapshot(0).unwrap(), None);
        assert_eq!(store.batches(0, 10).unwrap(), []);
        assert_eq!(store.ended(WorkloadId::of_step(1)).unwrap(), None);
        assert_eq!(store.list_ended(&all()).unwrap(), []);
        assert_eq!(store.ended_with_key("key").unwrap(), None);
        assert_eq!(recover(store).unwrap().state, eaf_core::State::new());
    });
}

fn what_is_appended_is_there<S: Store>(mut store: S, reopen: &mut impl FnMut(S) -> S) {
    let (mut factory, first) = factory();
    let batches = [first, round(&mut factory, &["a", "b"], "p"), round(&mut factory, &["c"], "p")];
    for batch in &batches {
        store.append(batch).unwrap();
    }
    twice(store, reopen, |store| {
        assert_eq!(store.head().unwrap(), batches[2].head, "the head is that of the last batch");
        let stored = store.batches(0, 10).unwrap();
        assert_eq!(stored.len(), 3);
        for (stored, batch) in stored.iter().zip(&batches) {
            assert_eq!((stored.first_step, stored.at, stored.head), (batch.first_step, batch.at, batch.head));
            assert_eq!(stored.body, batch.body, "bytes come back as they were");
        }
        assert_eq!(store.batches(0, 2).unwrap(), stored[..2], "the limit holds");
        assert_eq!(store.batches(batches[0].head.step, 10).unwrap(), stored[1..]);
        assert_eq!(store.batches(batches[1].head.step - 1, 10).unwrap(), stored[1..], "a batch ends behind its middle");
        assert_eq!(store.batches(batches[2].head.step, 10).unwrap(), []);
        assert_eq!(store.batches(u64::MAX, 10).unwrap(), []);
    });
}

fn a_batch_must_follow_the_head<S: Store>(mut store: S, reopen: &mut impl FnMut(S) -> S) {
    let (mut factory, first) = factory();
    let second = round(&mut factory, &["a"], "p");
    let refuse = |store: &mut S, batch: &Batch| {
        let error = store.append(batch).expect_err("a batch out of order is refused");
        assert!(matches!(error, StoreError::OutOfOrder { .. }), "{error}");
    };
    refuse(&mut store, &second);
    store.append(&first).unwrap();
    refuse(&mut store, &first);
    refuse(&mut store, &Batch { head: first.head, ..second.clone() });
    store.append(&second).unwrap();
    twice(store, reopen, |store| assert_eq!(store.head().unwrap(), second.head));
}

fn what_ended_is_found<S: Store>(mut store: S, reopen: &mut impl FnMut(S) -> S) {
    let (mut factory, first) = factory();
    store.append(&first).unwrap();
    let single = round(&mut factory, &["single"], "p");
    store.append(&single).unwrap();
    factory.submit(spec("array", "q"), (0..70).collect(), Some("key-of-array".to_owned()));
    let mut halves = Vec::new();
    while factory.start_placed() > 0 {
        factory.end_running();
        let batch = factory.batch();
        store.append(&batch).unwrap();
        halves.push(batch);
    }
    assert!(halves.len() > 1, "the array ends in more than one batch");
    let ended: Vec<_> = single.ended.iter().chain(halves.iter().flat_map(|batch| &batch.ended)).collect();
    assert_eq!(ended.len(), 71);
    twice(store, reopen, |store| {
        for ended in &ended {
            assert_eq!(store.ended(ended.workload.id).unwrap().as_ref(), Some(*ended), "a record comes back as it was");
        }
        let array = ended[1].workload.id.list();
        assert_eq!(store.ended(array).unwrap(), None, "an array is not a workload");
        assert_eq!(
            store.ended_with_key(single.ended[0].workload.key.as_deref().unwrap()).unwrap().as_ref(),
            Some(ended[0])
        );
        let found = store.ended_with_key("key-of-array").unwrap().expect("an array is found by its key");
        assert_eq!(found.workload.id, WorkloadId::of_member(array.step(), 0));
        assert_eq!(store.ended_with_key("").unwrap(), None);
        let members = store.list_ended(&EndedFilter { list: Some(array), ..all() }).unwrap();
        assert_eq!(members.len(), 70);
        assert!(members.iter().all(|member| member.workload.id.list() == array));
        let one = EndedFilter { list: Some(members[3].workload.id), ..all() };
        assert_eq!(store.list_ended(&one).unwrap(), members[3..4], "one member may be asked for");
    });
}

fn lists_are_filtered_and_paged<S: Store>(mut store: S, reopen: &mut impl FnMut(S) -> S) {
    let (mut factory, first) = factory();
    store.append(&first).unwrap();
    let mut ended = Vec::new();
    for number in 0..12 {
        let batch = round(&mut factory, &["x", "y", "z"], ["p", "q"][number % 2]);
        store.append(&batch).unwrap();
        ended.extend(batch.ended);
    }
    ended.sort_by_key(|ended| std::cmp::Reverse(ended.workload.id));
    let words = |text: &str| Some(text.to_owned());
    let (finished, failed) = (WorkloadState::Finished, WorkloadState::Failed);
    let filters = [
        all(),
        EndedFilter { states: vec![failed], ..all() },
        EndedFilter { states: vec![failed, finished, failed], ..all() },
        EndedFilter { states: vec![WorkloadState::Queued], ..all() },
        EndedFilter { project: words("p"), ..all() },
        EndedFilter { project: words("q"), states: vec![finished], ..all() },
        EndedFilter { project: words("nobody's"), ..all() },
        EndedFilter { name: words("y"), ..all() },
        EndedFilter { name: words("y"), project: words("q"), states: vec![finished, failed], ..all() },
        EndedFilter { name: words("y' OR '1'='1"), ..all() },
        EndedFilter { below: Some(ended[4].workload.id), ..all() },
        EndedFilter { limit: 0, ..all() },
    ];
    twice(store, reopen, |store| {
        for filter in &filters {
            let passes = |workload: &eaf_core::Workload| {
                filter.below.is_none_or(|below| workload.id < below)
                    && (filter.states.is_empty() || filter.states.contains(&workload.state))
                    && filter.project.as_ref().is_none_or(|project| *project == workload.spec.project)
                    && filter.name.as_ref().is_none_or(|name| *name == workload.spec.name)
            };
            let expect: Vec<_> =
                ended.iter().filter(|ended| filter.limit > 0 && passes(&ended.workload)).cloned().collect();
            assert_eq!(store.list_ended(filter).unwrap(), expect, "{filter:?}");
            let (mut pages, mut page) = (Vec::new(), EndedFilter { limit: 5.min(filter.limit), ..filter.clone() });
            loop {
                let list = store.list_ended(&page).unwrap();
                assert!(list.len() <= page.limit as usize, "the limit holds");
                let Some(last) = list.last() else { break };
                page.below = Some(last.workload.id);
                pages.extend(list);
            }
            assert_eq!(pages, expect, "pages add up: {filter:?}");
        }
    });
}

fn two_snapshots_are_kept<S: Store>(mut store: S, reopen: &mut impl FnMut(S) -> S) {
    let (mut factory, first) = factory();
    store.append(&first).unwrap();
    let mut saved: Vec<Snapshot> = Vec::new();
    for number in 0..3 {
        store.append(&round(&mut factory, &["x"], "p")).unwrap();
        let snapshot = factory.snapshot();
        store.save_snapshot(&snapshot).unwrap();
        saved.insert(0, snapshot);
        assert_eq!(store.snapshots().unwrap().len(), 2.min(number + 1));
    }
    twice(store, reopen, |store| {
        assert_eq!(
            store.snapshots().unwrap(),
            [saved[0].head.step, saved[1].head.step],
            "the newest two, newest first"
        );
        for snapshot in &saved[..2] {
            assert_eq!(store.snapshot(snapshot.head.step).unwrap().as_ref(), Some(snapshot));
        }
        assert_eq!(store.snapshot(saved[2].head.step).unwrap(), None, "the third is let go");
    });
}

fn pruning_keeps_what_recovery_needs<S: Store>(mut store: S, reopen: &mut impl FnMut(S) -> S) {
    let (mut factory, first) = factory();
    store.append(&first).unwrap();
    let mut heads = vec![first.head];
    for number in 0..8 {
        let batch = round(&mut factory, &["x", "y"], "p");
        store.append(&batch).unwrap();
        heads.push(batch.head);
        if number == 2 {
            store.save_snapshot(&factory.snapshot()).unwrap();
            let pruned = store.prune(Time::NEVER, Time(0)).unwrap();
            assert_eq!(pruned.batches, 0, "one snapshot may be damaged, so it covers nothing");
        }
        if number == 5 {
            store.save_snapshot(&factory.snapshot()).unwrap();
        }
    }
    let pruned = store.prune(NOON.after(Span::from_secs(61)), Time(0)).unwrap();
    assert_eq!((pruned.batches, pruned.ended, pruned.more), (2, 0, false), "only what is older than asked");
    assert_eq!(store.anchor().unwrap(), heads[1]);
    let pruned = store.prune(Time::NEVER, NOON.after(Span::from_secs(121))).unwrap();
    assert_eq!((pruned.batches, pruned.ended, pruned.more), (2, 4, false), "only what both snapshots cover");
    assert_eq!(store.prune(Time::NEVER, NOON).unwrap(), crate::Pruned::default(), "there is nothing more to forget");
    twice(store, reopen, |store| {
        assert_eq!(store.anchor().unwrap(), heads[3], "the journal begins behind the older snapshot");
        assert_eq!(store.head().unwrap(), heads[8]);
        assert_eq!(store.batches(0, 100).unwrap().len(), 5);
        assert_eq!(store.list_ended(&all()).unwrap().len(), 12);
        let recovered = recover(store).unwrap();
        assert_eq!((&recovered.state, recovered.head), (factory.state(), heads[8]));
    });
}

fn pruning_goes_by_pieces<S: Store>(mut store: S, reopen: &mut impl FnMut(S) -> S) {
    let (mut factory, first) = factory();
    store.append(&first).unwrap();
    let members = u16::try_from(PRUNE_MAX).unwrap() + 50;
    factory.submit(spec("array", "p"), (0..members).collect(), None);
    while factory.start_placed() > 0 {
        factory.end_running();
    }
    store.append(&factory.batch()).unwrap();
    let first = store.prune(Time(0), Time::NEVER).unwrap();
    assert_eq!((first.ended, first.more), (u64::from(PRUNE_MAX), true), "one call does a bounded piece");
    let mut store = twice(store, reopen, |store| assert_eq!(store.list_ended(&all()).unwrap().len(), 50));
    let second = store.prune(Time(0), Time::NEVER).unwrap();
    assert_eq!((second.ended, second.more), (50, false));
    assert_eq!(store.list_ended(&EndedFilter { limit: LIST_MAX, ..all() }).unwrap(), []);
}

fn recovery_gives_the_state_again<S: Store>(mut store: S, reopen: &mut impl FnMut(S) -> S) {
    let (mut factory, first) = factory();
    let mut head = first.head;
    store.append(&first).unwrap();
    for number in 0..10 {
        factory.submit(spec("stays", "p"), (0..3).collect(), None);
        let batch = round(&mut factory, &["goes"], "p");
        store.append(&batch).unwrap();
        head = batch.head;
        if number == 6 {
            store.save_snapshot(&factory.snapshot()).unwrap();
        }
    }
    twice(store, reopen, |store| {
        let recovered = recover(store).map_err(|error: RecoverError| error.to_string()).unwrap();
        assert_eq!((&recovered.state, recovered.head), (factory.state(), head));
        assert!(recovered.replayed < head.step, "a snapshot shortens the replay");
        assert!(recovered.passed_over.is_empty());
    });
}
