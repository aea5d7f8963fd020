//! Damage: a journal that is not what was written is refused, and the step is named.

use eaf_model::{Span, Time};
use eaf_store::sample::{Factory, spec};
use eaf_store::{
    FORMAT, Head, JOURNAL_FILE, OpenError, OpenOptions, RecoverError, SqliteStore, Store, VerifyError, VerifyOptions,
    VerifyReport, recover, verify,
};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Statements behind the store's back.
fn sql(dir: &Path, statements: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        use sqlx::{ConnectOptions, Connection};
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(dir.join(JOURNAL_FILE));
        let mut conn = options.connect().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned())).execute(&mut conn).await.unwrap();
        conn.close().await.unwrap();
    });
}

fn open(dir: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(dir, OpenOptions::default())
}

/// A data directory with a history of ten batches, and the heads between them.
struct History {
    dir: TempDir,
    heads: Vec<Head>,
    factory: Factory,
}

impl History {
    /// `snapshots` after these batches.
    fn new(snapshots: &[usize]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut store = open(dir.path()).unwrap();
        let mut factory = Factory::new(Time(1_000));
        factory.add_node("node", 8);
        let mut heads = vec![Head::default()];
        for number in 1..=10 {
            factory.submit(spec("job", "p"), vec![0, 1], None);
            factory.submit(spec("한글 이름", "p"), Vec::new(), Some(format!("key-{number}")));
            factory.start_placed();
            factory.wait(Span::from_secs(1));
            factory.end_running();
            let batch = factory.batch();
            store.append(&batch).unwrap();
            heads.push(batch.head);
            if snapshots.contains(&number) {
                store.save_snapshot(&factory.snapshot()).unwrap();
            }
        }
        drop(store);
        Self { dir, heads, factory }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    fn journal(&self) -> PathBuf {
        self.path().join(JOURNAL_FILE)
    }

    fn snapshot_file(&self, batch: usize) -> PathBuf {
        self.path().join("snapshots").join(format!("{:020}.json", self.heads[batch].step))
    }

    fn verify(&self, expect: Option<Head>) -> Result<VerifyReport, VerifyError> {
        verify(self.path(), VerifyOptions { expect, ..VerifyOptions::default() }, &mut |_| {})
    }

    /// Both verification and start-up refuse the journal, and name this step.
    fn check_refused(&self, step: u64, says: &str) {
        let mut errors = vec![self.verify(None).expect_err("a damaged journal does not verify").to_string()];
        match open(self.path()) {
            Ok(mut store) => errors.push(recover(&mut store).expect_err("nor does a factory start on it").to_string()),
            Err(error) => errors.push(error.to_string()),
        }
        for error in errors {
            assert!(
                error.contains(&format!("step {step}")) && error.contains(says),
                "{error:?} names step {step}: {says}"
            );
        }
    }
}

#[test]
fn a_whole_journal_verifies() {
    let history = History::new(&[3, 7]);
    let report = history.verify(Some(history.heads[5])).unwrap();
    assert_eq!((report.head, report.anchor), (history.heads[10], Head::default()));
    assert_eq!(report.snapshots, [history.heads[3].step, history.heads[7].step]);
    assert_eq!((report.ended, report.ended_replayed), (30, 30));
    assert_eq!((report.steps, report.replayed), (report.head.step, report.head.step));
    assert_eq!(history.verify(Some(history.heads[10])).unwrap(), report);
    assert_eq!(history.verify(Some(Head::default())).unwrap(), report);
}

#[test]
fn a_running_factory_verifies() {
    let history = History::new(&[]);
    let writer = open(history.path()).unwrap();
    assert_eq!(history.verify(None).unwrap().head, history.heads[10]);
    drop(writer);
}

#[test]
fn a_hole_is_found() {
    let history = History::new(&[]);
    sql(history.path(), &format!("DELETE FROM journal WHERE last_step = {}", history.heads[4].step));
    history.check_refused(history.heads[3].step + 1, &format!("begins at step {}", history.heads[4].step + 1));
}

#[test]
fn a_changed_byte_is_found() {
    let history = History::new(&[]);
    sql(
        history.path(),
        &format!(
            "UPDATE journal SET body = CAST(replace(CAST(body AS TEXT), '\"job\"', '\"jab\"') AS BLOB)
             WHERE last_step = {}",
            history.heads[6].step
        ),
    );
    history.check_refused(history.heads[5].step + 1, "a byte was changed");
}

#[test]
fn broken_utf8_is_found() {
    let history = History::new(&[]);
    let step = history.heads[6].step;
    sql(history.path(), &format!("UPDATE journal SET body = CAST(x'ff' || body AS BLOB) WHERE last_step = {step}"));
    history.check_refused(history.heads[5].step + 1, "a byte was changed");
}

#[test]
fn a_line_that_is_no_step_is_found_though_its_chain_is_mended() {
    for (line, says) in [(b"\xff\xfe".as_slice(), "not a step"), (b"{}", "not a step"), (b"", "not a step")] {
        let history = History::new(&[]);
        let hash = eaf_store::link(&history.heads[9].hash, line);
        let step = history.heads[9].step + 1;
        let hex = line.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        sql(
            history.path(),
            &format!(
                "UPDATE journal SET first_step = {step}, last_step = {step}, hash = x'{hash}', body = x'{hex}0a'
                 WHERE last_step = {}",
                history.heads[10].step
            ),
        );
        history.check_refused(step, says);
    }
}

#[test]
fn a_cut_line_and_a_wrong_count_are_found() {
    let history = History::new(&[]);
    let (step, last) = (history.heads[9].step + 1, history.heads[10].step);
    sql(
        history.path(),
        &format!("UPDATE journal SET body = substr(body, 1, length(body) - 1) WHERE last_step = {last}"),
    );
    history.check_refused(step, "cut");
    let history = History::new(&[]);
    sql(history.path(), &format!("UPDATE journal SET body = CAST(body || x'7b7d0a' AS BLOB) WHERE last_step = {last}"));
    history.check_refused(step, "its lines end at step");
}

#[test]
fn a_cut_end_shows_against_what_was_expected() {
    let history = History::new(&[]);
    sql(history.path(), &format!("DELETE FROM journal WHERE last_step > {}", history.heads[8].step));
    let error = history.verify(Some(history.heads[10])).unwrap_err().to_string();
    assert!(error.contains(&format!("breaks at step {}", history.heads[8].step + 1)), "{error}");
    // Without that knowledge a shorter journal is whole, but what ended behind its end is still in the history.
    let other = Head { step: history.heads[8].step, hash: history.heads[7].hash };
    let error = history.verify(Some(other)).unwrap_err();
    assert!(matches!(error, VerifyError::OtherHash { .. }), "{error}");
}

#[test]
fn a_journal_that_ends_before_its_snapshot_is_refused() {
    let history = History::new(&[9]);
    sql(history.path(), &format!("DELETE FROM journal WHERE last_step > {}", history.heads[8].step));
    history.check_refused(history.heads[8].step + 1, "a snapshot names step");
}

#[test]
fn a_changed_history_is_found() {
    let check = |statement: &str| {
        let history = History::new(&[]);
        sql(history.path(), statement);
        let error = history.verify(None).unwrap_err();
        assert!(matches!(error, VerifyError::History { .. }), "{statement}: {error}");
    };
    check("UPDATE ended SET body = CAST(replace(CAST(body AS TEXT), '\"version\":', '\"version\":1') AS BLOB)");
    check("UPDATE ended SET step = step + 1 WHERE id = (SELECT max(id) FROM ended)");
    check("DELETE FROM ended WHERE id = (SELECT min(id) FROM ended)");
    check("UPDATE spec SET body = CAST(replace(CAST(body AS TEXT), 'job', 'jab') AS BLOB)");
}

#[test]
fn a_column_that_lists_select_by_is_found() {
    for column in
        ["submitted_at = 7", "ended_at = 7", "state = 'failed'", "project = 'q'", "name = 'other'", "key = 'k'"]
    {
        let history = History::new(&[]);
        let finished = "(SELECT max(id) FROM ended WHERE state = 'finished')";
        sql(history.path(), &format!("UPDATE ended SET {column} WHERE id = {finished}"));
        let error = history.verify(None).unwrap_err().to_string();
        assert!(error.contains("a list would select it by something else"), "{column}: {error}");
    }
}

#[test]
fn a_cut_main_file_is_refused() {
    let history = History::new(&[]);
    let length = std::fs::metadata(history.journal()).unwrap().len();
    std::fs::OpenOptions::new().write(true).open(history.journal()).unwrap().set_len(length - 3 * 4096).unwrap();
    let error = history.verify(None).unwrap_err().to_string();
    assert!(error.contains("can be read up to step"), "{error}");
    let again = open(history.path()).map(drop).unwrap_err();
    assert!(matches!(again, OpenError::Damaged { readable_to, .. } if readable_to < history.heads[10].step), "{again}");
}

#[test]
fn a_main_file_cut_behind_a_crash_is_refused() {
    let history = History::new(&[]);
    // A crash leaves a log behind; here it is one whose pages are few, beside a file that misses many.
    let mut store = open(history.path()).unwrap();
    let mut factory = history.factory.clone();
    factory.submit(spec("last", "p"), Vec::new(), None);
    store.append(&factory.batch()).unwrap();
    let crashed = tempfile::tempdir().unwrap();
    for name in [JOURNAL_FILE, "journal.db-wal"] {
        std::fs::copy(history.path().join(name), crashed.path().join(name)).unwrap();
    }
    drop(store);
    let file = crashed.path().join(JOURNAL_FILE);
    let length = std::fs::metadata(&file).unwrap().len();
    assert!(open(crashed.path()).is_ok(), "a crash alone is nothing");
    for name in [JOURNAL_FILE, "journal.db-wal"] {
        let _ = std::fs::remove_file(crashed.path().join(name));
    }
    let mut store = open(history.path()).unwrap();
    factory.submit(spec("last", "p"), Vec::new(), None);
    store.append(&factory.batch()).unwrap();
    for name in [JOURNAL_FILE, "journal.db-wal"] {
        std::fs::copy(history.path().join(name), crashed.path().join(name)).unwrap();
    }
    std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(length / 2 / 4096 * 4096).unwrap();
    let error = open(crashed.path()).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("can be read up to step"), "{error}");
}

#[test]
fn a_torn_log_keeps_whole_batches() {
    let source = tempfile::tempdir().unwrap();
    let options = OpenOptions { checkpoint_pages: 0, ..OpenOptions::default() };
    let mut store = SqliteStore::open(source.path(), options).unwrap();
    let mut factory = Factory::new(Time(1_000));
    factory.add_node("node", 8);
    let mut heads = vec![Head::default()];
    for _ in 0..6 {
        factory.submit(spec("job", "p"), Vec::new(), None);
        factory.start_placed();
        let batch = factory.batch();
        store.append(&batch).unwrap();
        heads.push(batch.head);
    }
    let wal = std::fs::read(source.path().join("journal.db-wal")).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for cut in (0..=wal.len()).rev().step_by(1_999) {
        let torn = tempfile::tempdir().unwrap();
        std::fs::copy(source.path().join(JOURNAL_FILE), torn.path().join(JOURNAL_FILE)).unwrap();
        std::fs::write(torn.path().join("journal.db-wal"), &wal[..cut]).unwrap();
        let mut store = open(torn.path()).unwrap();
        let head = recover(&mut store).unwrap().head;
        assert!(heads.contains(&head), "a batch is there whole or not at all");
        seen.insert(head.step);
    }
    assert_eq!(seen.len(), heads.len(), "every batch was torn once, and the whole log has all of them");
}

#[test]
fn a_damaged_snapshot_is_passed_over() {
    let history = History::new(&[3, 7]);
    let newer = std::fs::read(history.snapshot_file(7)).unwrap();
    let mut changed = newer.clone();
    *changed.last_mut().unwrap() ^= 1;
    for damage in [changed, newer[..newer.len() / 2].to_vec(), Vec::new(), b"eaf-snapshot-2 x\n{}".to_vec()] {
        std::fs::write(history.snapshot_file(7), damage).unwrap();
        let recovered = recover(&mut open(history.path()).unwrap()).unwrap();
        assert_eq!((&recovered.state, recovered.passed_over.len()), (history.factory.state(), 1));
        assert_eq!(recovered.replayed, history.heads[10].step - history.heads[3].step, "the older one is used");
        let error = history.verify(None).unwrap_err();
        assert!(matches!(error, VerifyError::Snapshot { step, .. } if step == history.heads[7].step), "{error}");
    }
    std::fs::write(history.snapshot_file(3), b"").unwrap();
    let recovered = recover(&mut open(history.path()).unwrap()).unwrap();
    assert_eq!((recovered.passed_over.len(), recovered.replayed), (2, history.heads[10].step), "or the whole journal");
    assert_eq!(&recovered.state, history.factory.state());
}

#[test]
fn a_snapshot_of_another_state_is_found() {
    let history = History::new(&[3, 7]);
    let mut other = Factory::new(Time(1_000));
    other.add_node("other", 8);
    let mut snapshot = other.clone();
    let _ = snapshot.batch();
    let state = String::from_utf8(snapshot.snapshot().body).unwrap();
    let body = state.replacen("\"step\":1,", &format!("\"step\":{},", history.heads[7].step), 1);
    let mut store = open(history.path()).unwrap();
    store.save_snapshot(&eaf_store::Snapshot { head: history.heads[7], body: body.into_bytes() }).unwrap();
    let error = history.verify(None).unwrap_err();
    assert!(matches!(error, VerifyError::Snapshot { step, .. } if step == history.heads[7].step), "{error}");
}

#[test]
fn a_pruned_journal_needs_a_snapshot() {
    let history = History::new(&[3, 7]);
    let mut store = open(history.path()).unwrap();
    assert_eq!(store.prune(Time::NEVER, Time(0)).unwrap().batches, 3);
    drop(store);
    let report = history.verify(Some(history.heads[5])).unwrap();
    assert_eq!((report.anchor, report.head), (history.heads[3], history.heads[10]));
    assert_eq!((report.ended, report.ended_replayed), (30, 21));
    let error = history.verify(Some(history.heads[2])).unwrap_err();
    assert!(matches!(error, VerifyError::Pruned { .. }), "{error}");
    std::fs::remove_file(history.snapshot_file(7)).unwrap();
    assert_eq!(recover(&mut open(history.path()).unwrap()).unwrap().state, *history.factory.state());
    std::fs::write(history.snapshot_file(3), b"").unwrap();
    let error = recover(&mut open(history.path()).unwrap()).unwrap_err();
    assert!(matches!(error, RecoverError::NoSnapshot { .. }), "{error}");
}

#[test]
fn a_later_format_is_refused_untouched() {
    let history = History::new(&[]);
    sql(history.path(), &format!("PRAGMA user_version = {}", FORMAT + 1));
    let before = std::fs::read(history.journal()).unwrap();
    for error in
        [open(history.path()).map(drop).unwrap_err().to_string(), history.verify(None).unwrap_err().to_string()]
    {
        let says = format!("has format {}, and this eaf reads up to format {FORMAT}", FORMAT + 1);
        assert!(error.contains(&says), "{error}");
    }
    assert_eq!(std::fs::read(history.journal()).unwrap(), before);
}

#[test]
fn what_is_no_journal_is_refused() {
    let check = |bytes: &[u8]| {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(JOURNAL_FILE), bytes).unwrap();
        let error = open(dir.path()).map(drop).unwrap_err();
        assert!(matches!(error, OpenError::NotAJournal { .. }), "{error}");
        assert_eq!(std::fs::read(dir.path().join(JOURNAL_FILE)).unwrap(), bytes, "nothing of it is changed");
    };
    check(&b"this is a text and no database at all, ".repeat(100));
    let other = tempfile::tempdir().unwrap();
    std::fs::write(other.path().join(JOURNAL_FILE), b"").unwrap();
    sql(other.path(), "CREATE TABLE t (x)");
    check(&std::fs::read(other.path().join(JOURNAL_FILE)).unwrap());
    let missing =
        SqliteStore::open(other.path().join("none").as_path(), OpenOptions { create: false, ..OpenOptions::default() });
    assert!(matches!(missing.map(drop).unwrap_err(), OpenError::Missing { .. }));
}
