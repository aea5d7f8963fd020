//! The floor: what the disk and the kernel can do without a factory.
//!
//! What: plain SQLite with the journal's own settings (WAL, `synchronous=FULL`), one row a step and one transaction a
//! batch; and the bare loop of fork and exec. Each batch is one statement, so that what is measured is SQLite and the
//! disk, not the calls to it.

use super::factory::{new_folder, remove};
use super::figures::{Report, Unit};
use super::{BenchError, Plan, loops};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::path::Path;
use std::time::{Duration, Instant};

const NAME: &str = "floor";
/// Bytes of a row where no journal says how many.
const ROW_BYTES: usize = 400;
/// What one statement may bind, with room to spare.
const ROWS_MAX: usize = 10_000;

/// Writes these batches, each the sizes of its rows, and gives how long that took.
pub(super) fn replay(file: &Path, batches: &[Vec<usize>]) -> Result<Duration, BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(BenchError::io("starting the floor"))?;
    let longest = batches.iter().flatten().copied().max().unwrap_or(0);
    let bytes = vec![b'x'; longest];
    runtime.block_on(async {
        let doing = || BenchError::database("measuring the floor");
        let mut conn = open(file).await.map_err(doing())?;
        let begun = Instant::now();
        for batch in batches {
            write(&mut conn, batch, &bytes).await.map_err(doing())?;
        }
        let elapsed = begun.elapsed();
        conn.close().await.map_err(doing())?;
        Ok(elapsed)
    })
}

async fn open(file: &Path) -> sqlx::Result<SqliteConnection> {
    let mut conn = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await?;
    sqlx::query("CREATE TABLE floor (step INTEGER PRIMARY KEY, body BLOB NOT NULL)").execute(&mut conn).await?;
    Ok(conn)
}

async fn write(conn: &mut SqliteConnection, batch: &[usize], bytes: &[u8]) -> sqlx::Result<()> {
    for rows in batch.chunks(ROWS_MAX) {
        let places = vec!["(?)"; rows.len()].join(",");
        let text = format!("INSERT INTO floor (body) VALUES {places}");
        let mut query = sqlx::query(AssertSqlSafe(text));
        for size in rows {
            query = query.bind(&bytes[..*size]);
        }
        query.execute(&mut *conn).await?;
    }
    Ok(())
}

pub(super) fn measure(plan: &Plan, report: &mut Report) -> Result<(), BenchError> {
    for (name, batch, commits) in [("one", 1, 10_000), ("by-32", 32, 5_000), ("by-100", 100, 2_500)] {
        let commits = plan.amount(commits);
        let batches = vec![vec![ROW_BYTES; batch]; commits as usize];
        let mut rates = Vec::new();
        for _ in 0..plan.rounds {
            let folder = new_folder(plan)?;
            let elapsed = replay(&folder.join("floor.db"), &batches)?;
            remove(&folder);
            rates.push(f64::from(commits) * batch as f64 / elapsed.as_secs_f64());
        }
        report.median(NAME, name, Unit::PerSecond, &rates);
    }
    let count = plan.amount(5_000);
    let rates = (0..plan.rounds).map(|_| loops::fork_and_exec(plan, count)).collect::<Result<Vec<f64>, _>>()?;
    report.median(NAME, "fork-exec", Unit::PerSecond, &rates);
    Ok(())
}
