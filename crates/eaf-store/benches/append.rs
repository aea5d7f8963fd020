//! How fast the store appends, beside the floor of the disk; and how fast it opens and lists one million.
//!
//! `cargo bench -p eaf-store` prints medians; `-- 100000` fills in another number of ended workloads. The floor is plain
//! SQLite, WAL, `synchronous=FULL`, one INSERT of the same bytes a commit, on the same disk in the same run. `TMPDIR`
//! chooses the disk.

use eaf_model::{Span, Time, WorkloadState};
use eaf_store::sample::{Factory, fill, key, spec};
use eaf_store::{Batch, EndedFilter, OpenOptions, SqliteReader, SqliteStore, Store, recover};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Runs, of which the median counts.
const RUNS: usize = 5;

fn main() {
    let count = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    say("appending, medians of 5 runs, per second");
    for (size, commits) in [(1, 2_000), (32, 1_000), (100, 500)] {
        let batches = submissions(size, commits);
        let floor = rate(size * commits, median(|| floor(&runtime, &batches)));
        let ours = rate(size * commits, median(|| append(&batches)));
        say(&format!("  {size:>3} submitted a batch: {ours:>7} workloads; floor {floor:>7}"));
    }
    for (size, commits) in [(1, 1_000), (32, 300), (100, 150), (500, 40)] {
        let batches = ends(size, commits);
        let floor = rate(size * commits, median(|| floor(&runtime, &batches)));
        let ours = rate(size * commits, median(|| append(&batches)));
        let bytes: usize = batches[1..].iter().map(|batch| batch.body.len()).sum::<usize>() / (size * commits);
        say(&format!(
            "  {size:>3} run and ended a batch: {ours:>6} workloads; floor (journal alone, {bytes} bytes each) {floor:>6}"
        ));
    }
    many(&runtime, count);
}

fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn rate(count: usize, took: Duration) -> u128 {
    count as u128 * 1_000_000_000 / took.as_nanos().max(1)
}

fn median(mut run: impl FnMut() -> Duration) -> Duration {
    let mut times: Vec<Duration> = (0..RUNS).map(|_| run()).collect();
    times.sort();
    times[RUNS / 2]
}

/// Batches of `size` submissions each, behind one that adds a node.
fn submissions(size: usize, commits: usize) -> Vec<Batch> {
    let mut factory = Factory::new(Time(1_000));
    factory.add_node("node", 64);
    let mut batches = vec![factory.batch()];
    for number in 0..commits {
        for member in 0..size {
            factory.submit(spec("job", "p"), Vec::new(), Some(format!("key-{number}-{member}")));
        }
        batches.push(factory.batch());
    }
    batches
}

/// Batches in which `size` workloads are submitted, run and end, behind one that adds a node.
fn ends(size: usize, commits: usize) -> Vec<Batch> {
    let mut factory = Factory::new(Time(1_000));
    factory.add_node("node", size as u64);
    let mut batches = vec![factory.batch()];
    for number in 0..commits {
        for member in 0..size {
            let key = key((number * size + member) as u64);
            factory.submit(spec(&format!("job-{}", member % 7), "p"), Vec::new(), Some(key));
        }
        while factory.start_placed() > 0 {}
        factory.wait(Span::from_secs(1));
        factory.end_running();
        batches.push(factory.batch());
    }
    batches
}

/// Appends batches to a fresh store; the first is not counted.
fn append(batches: &[Batch]) -> Duration {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path(), OpenOptions::default()).unwrap();
    store.append(&batches[0]).unwrap();
    let start = Instant::now();
    for batch in &batches[1..] {
        store.append(batch).unwrap();
    }
    start.elapsed()
}

/// Commits the bodies of batches to a plain table; the first is not counted.
fn floor(runtime: &Runtime, batches: &[Batch]) -> Duration {
    let dir = tempfile::tempdir().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(dir.path().join("floor.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .disable_statement_logging();
    runtime.block_on(async {
        let mut conn = options.connect().await.unwrap();
        sqlx::query("CREATE TABLE floor (step INTEGER PRIMARY KEY, body BLOB)").execute(&mut conn).await.unwrap();
        let start = Instant::now();
        for batch in &batches[1..] {
            let insert = sqlx::query("INSERT INTO floor (body) VALUES (?)").bind(batch.body.as_slice());
            insert.execute(&mut conn).await.unwrap();
        }
        let took = start.elapsed();
        conn.close().await.unwrap();
        took
    })
}

/// Fills a store with ended workloads, and measures opening and listing.
fn many(runtime: &Runtime, count: u64) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = SqliteStore::open(dir.path(), OpenOptions::default()).unwrap();
    let start = Instant::now();
    fill(&mut store, count, Time(1_760_000_000_000)).unwrap();
    let took = start.elapsed();
    drop(store);
    let bytes = std::fs::metadata(dir.path().join(eaf_store::JOURNAL_FILE)).unwrap().len();
    say(&format!("{count} ended workloads: made in {took:.1?}, {} MB", bytes / 1_000_000));
    let opening = median(|| {
        let start = Instant::now();
        let mut store = SqliteStore::open(dir.path(), OpenOptions::default()).unwrap();
        recover(&mut store).unwrap();
        start.elapsed()
    });
    say(&format!("  open and recover: {opening:.1?}; resident memory after it: {} MB", resident_kib() / 1_024));
    list(runtime, dir.path());
}

fn list(runtime: &Runtime, dir: &Path) {
    let reader = runtime.block_on(SqliteReader::open(dir)).unwrap();
    let fifty = || EndedFilter { limit: 50, ..EndedFilter::default() };
    let text = |text: &str| Some(text.to_owned());
    let failed = vec![WorkloadState::Failed];
    let filters = [
        ("newest", fifty()),
        ("failed", EndedFilter { states: failed.clone(), ..fifty() }),
        ("of a project", EndedFilter { project: text("project-3"), ..fifty() }),
        ("failed of a project", EndedFilter { project: text("project-3"), states: failed, ..fifty() }),
        ("of a name", EndedFilter { name: text("job-77"), ..fifty() }),
        ("expired (there are none)", EndedFilter { states: vec![WorkloadState::Expired], ..fifty() }),
    ];
    for (what, filter) in filters {
        let took = median(|| {
            let start = Instant::now();
            runtime.block_on(reader.list_ended(&filter)).unwrap();
            start.elapsed()
        });
        say(&format!("  list 50, {what}: {took:.1?}"));
    }
    let took = median(|| {
        let start = Instant::now();
        runtime.block_on(reader.ended_with_key(&key(4_711))).unwrap().expect("it is there");
        start.elapsed()
    });
    say(&format!("  find by key: {took:.1?}"));
    runtime.block_on(reader.close());
}

/// What this process holds in memory, in KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
