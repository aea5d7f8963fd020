//! The contract of a store, on every implementation.

use eaf_store::model::{Disk, ModelStore};
use eaf_store::{OpenOptions, SqliteStore, conformance};

#[test]
fn sqlite_keeps_the_contract() {
    let root = tempfile::tempdir().unwrap();
    let mut count = 0;
    let open = |dir: &std::path::Path| SqliteStore::open(dir, OpenOptions::default()).unwrap();
    conformance::check(
        || {
            count += 1;
            open(&root.path().join(count.to_string()))
        },
        |store| {
            let dir = store.dir().to_owned();
            drop(store);
            open(&dir)
        },
    );
}

#[test]
fn the_model_keeps_the_contract() {
    conformance::check(
        || ModelStore::open(Disk::new(1)).unwrap(),
        |store| ModelStore::open(store.into_disk().restart(7)).unwrap(),
    );
}
