//! Backup while the factory writes, and restore, compared by digest.

use eaf_model::{Span, Time};
use eaf_store::sample::{Factory, spec};
use eaf_store::{
    BackupError, JOURNAL_FILE, OpenOptions, SqliteStore, Store, VerifyOptions, VerifyReport, backup, recover, restore,
    verify,
};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

fn report(dir: &Path) -> VerifyReport {
    verify(dir, VerifyOptions::default(), &mut |_| {}).unwrap()
}

/// One more batch in which two workloads run and end.
fn round(factory: &mut Factory, store: &mut SqliteStore) {
    factory.submit(spec("array", "p"), vec![0, 1], None);
    factory.start_placed();
    factory.wait(Span::from_secs(1));
    factory.end_running();
    store.append(&factory.batch()).unwrap();
}

fn factory(store: &mut SqliteStore, rounds: usize) -> Factory {
    let mut factory = Factory::new(Time(1_000));
    factory.add_node("node", 8);
    for _ in 0..rounds {
        round(&mut factory, store);
    }
    factory
}

#[test]
fn a_restored_backup_is_the_same() {
    let root = tempfile::tempdir().unwrap();
    let (data, copy, again) = (root.path().join("data"), root.path().join("it's a copy"), root.path().join("again"));
    let mut store = SqliteStore::open(&data, OpenOptions::default()).unwrap();
    let mut factory = factory(&mut store, 5);
    store.save_snapshot(&factory.snapshot()).unwrap();
    round(&mut factory, &mut store);
    std::fs::create_dir(data.join("keys")).unwrap();
    std::fs::write(data.join("keys/receipt.key"), "secret").unwrap();
    std::fs::write(data.join("token"), "secret").unwrap();
    let before = report(&data);
    let made = backup(&data, &copy).unwrap();
    assert_eq!(made.head, before.head);
    assert_eq!(report(&copy), before, "the writer is still open, and the copy is whole");
    // What comes after the backup is not in it.
    round(&mut factory, &mut store);
    drop(store);
    assert_eq!(restore(&copy, &again).unwrap(), before);
    assert_eq!(report(&again), before, "state, history and chain are the same");
    let mode = |path: &str| std::fs::metadata(again.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("."), mode(JOURNAL_FILE), mode("keys"), mode("keys/receipt.key")), (0o711, 0o600, 0o700, 0o600));
    assert_eq!(std::fs::read(again.join("keys/receipt.key")).unwrap(), b"secret");
    assert!(!again.join("token").exists(), "a restored factory makes a token of its own");
    let mut store = SqliteStore::open(&again, OpenOptions { create: false, ..OpenOptions::default() }).unwrap();
    let recovered = recover(&mut store).unwrap();
    let mut factory = Factory::from(recovered.state, recovered.head, Time(9_000_000));
    round(&mut factory, &mut store);
    drop(store);
    assert!(report(&again).head.step > before.head.step, "life goes on");
}

#[test]
fn a_backup_is_made_while_the_factory_writes() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let mut store = SqliteStore::open(&data, OpenOptions::default()).unwrap();
    let mut factory = factory(&mut store, 20);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut batches = 0_u64;
            while !done.load(Ordering::Acquire) {
                round(&mut factory, &mut store);
                batches += 1;
                if batches.is_multiple_of(10) {
                    store.save_snapshot(&factory.snapshot()).unwrap();
                    // Everything that may be forgotten is: the backup must find its way all the same.
                    store.prune(Time::NEVER, Time(0)).unwrap();
                }
            }
            batches
        });
        for number in 0..4 {
            let copy = root.path().join(number.to_string());
            match backup(&data, &copy) {
                Ok(made) => assert_eq!(report(&copy).head, made.head),
                Err(error) => assert!(matches!(error, BackupError::Pruned), "{error:?}"),
            }
        }
        done.store(true, Ordering::Release);
        assert!(writer.join().unwrap() > 0);
    });
    drop(store);
    let copy = root.path().join("last");
    backup(&data, &copy).unwrap();
    assert_eq!(report(&copy), report(&data));
}

#[test]
fn nothing_is_written_over() {
    let root = tempfile::tempdir().unwrap();
    let (data, copy) = (root.path().join("data"), root.path().join("copy"));
    let mut store = SqliteStore::open(&data, OpenOptions::default()).unwrap();
    factory(&mut store, 2);
    std::fs::create_dir(&copy).unwrap();
    backup(&data, &copy).expect("an empty folder will do");
    for error in [backup(&data, &copy).unwrap_err(), restore(&copy, &data).unwrap_err()] {
        assert!(matches!(error, BackupError::NotEmpty { .. }), "{error}");
    }
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let root = tempfile::tempdir().unwrap();
    let (data, copy, again) = (root.path().join("data"), root.path().join("copy"), root.path().join("again"));
    let mut store = SqliteStore::open(&data, OpenOptions::default()).unwrap();
    factory(&mut store, 20);
    backup(&data, &copy).unwrap();
    let file = copy.join(JOURNAL_FILE);
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let error = restore(&copy, &again).unwrap_err();
    assert!(matches!(error, BackupError::NotWhole(_)), "{error}");
    assert!(!again.exists(), "nothing is left behind");
    let error = restore(&root.path().join("none"), &again).unwrap_err();
    assert!(matches!(error, BackupError::NotWhole(_)), "{error}");
}
