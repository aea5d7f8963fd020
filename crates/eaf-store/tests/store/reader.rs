//! Readers beside the writer: they see what is durable, as the writer itself would tell it.

use eaf_model::{Span, Time, WorkloadState};
use eaf_store::sample::{Factory, key, spec};
use eaf_store::{EndedFilter, OpenError, OpenOptions, Source, SqliteReader, SqliteStore, Store};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// One more batch in which three workloads run and end.
fn round(factory: &mut Factory, store: &mut SqliteStore, number: u64) {
    factory.submit(spec("array", "p"), vec![0, 1], None);
    factory.submit(spec("single", "q"), Vec::new(), Some(key(number)));
    factory.start_placed();
    factory.wait(Span::from_secs(1));
    factory.end_running();
    store.append(&factory.batch()).unwrap();
}

#[test]
fn a_reader_sees_what_the_writer_has_made_durable() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path(), OpenOptions::default()).unwrap();
    let runtime = runtime();
    let reader = runtime.block_on(SqliteReader::open(dir.path())).unwrap();
    let mut factory = Factory::new(Time(1_000));
    factory.add_node("node", 8);
    for number in 0..10 {
        round(&mut factory, &mut store, number);
        let filters = [
            EndedFilter { limit: 7, ..EndedFilter::default() },
            EndedFilter { limit: 7, states: vec![WorkloadState::Failed], ..EndedFilter::default() },
            EndedFilter { limit: 7, project: Some("q".to_owned()), ..EndedFilter::default() },
        ];
        for filter in &filters {
            assert_eq!(runtime.block_on(reader.list_ended(filter)).unwrap(), store.list_ended(filter).unwrap());
        }
        let newest = &store.list_ended(&filters[0]).unwrap()[0];
        assert_eq!(runtime.block_on(reader.ended(newest.workload.id)).unwrap().as_ref(), Some(newest));
        let found = runtime.block_on(reader.ended_with_key(&key(number))).unwrap();
        assert_eq!(found, store.ended_with_key(&key(number)).unwrap());
        assert!(found.is_some());
        assert_eq!(runtime.block_on(reader.head()).unwrap(), store.head().unwrap());
        assert_eq!(runtime.block_on(reader.anchor()).unwrap(), store.anchor().unwrap());
        assert_eq!(runtime.block_on(reader.batches(0, 100)).unwrap(), store.batches(0, 100).unwrap());
        assert_eq!(runtime.block_on(reader.count_ended()).unwrap(), 3 * (number + 1));
    }
    runtime.block_on(reader.close());
}

#[test]
fn readers_and_the_writer_do_not_wait_for_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let mut store =
        SqliteStore::open(dir.path(), OpenOptions { checkpoint_pages: 8, ..OpenOptions::default() }).unwrap();
    let runtime = runtime();
    let reader = runtime.block_on(SqliteReader::open(dir.path())).unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (reader, stopped) = (reader.clone(), stopped.clone());
            runtime.spawn(async move {
                let (mut last, mut reads) = (0, 0_u64);
                while !*stopped.borrow() {
                    let head = reader.head().await.unwrap();
                    assert!(head.step >= last, "what was durable stays");
                    last = head.step;
                    let all = EndedFilter { limit: 1_000, ..EndedFilter::default() };
                    let ended = reader.list_ended(&all).await.unwrap();
                    assert_eq!(ended.len() % 3, 0, "a batch is seen whole or not at all");
                    reads += 1;
                }
                reads
            })
        })
        .collect();
    let mut factory = Factory::new(Time(1_000));
    factory.add_node("node", 8);
    for number in 0..60 {
        round(&mut factory, &mut store, number);
    }
    stop.send(true).unwrap();
    for task in readers {
        assert!(runtime.block_on(task).unwrap() > 0);
    }
}

#[test]
fn a_reader_says_why_it_cannot_read() {
    let dir = tempfile::tempdir().unwrap();
    let error = runtime().block_on(SqliteReader::open(dir.path())).unwrap_err();
    assert!(matches!(error, OpenError::Missing { .. }), "{error}");
    std::fs::write(dir.path().join(eaf_store::JOURNAL_FILE), [7; 5_000]).unwrap();
    let error = runtime().block_on(SqliteReader::open(dir.path())).unwrap_err();
    assert!(matches!(error, OpenError::NotAJournal { .. }), "{error}");
}
