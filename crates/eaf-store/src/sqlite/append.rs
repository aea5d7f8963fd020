//! One batch, one transaction, one message.
//!
//! What: the text of a transaction and its arguments. Why one text: each statement that is sent to the connection's
//! thread costs two switches of threads, as much as inserting several rows. Absent: errors half-way; whatever fails
//! closes the store, and the database rolls back.

use super::errors::failed;
use crate::{Batch, EndedWorkload, StoreError};
use eaf_core::Workload;
use eaf_model::{WorkloadId, WorkloadSpec};
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{Arguments, AssertSqlSafe};
use std::sync::{Arc, LazyLock};

/// The most rows of one INSERT; with ten columns it stays below SQLite's 32,766 arguments.
const ROWS_MAX: usize = 1 << 10;

const INSERT_BATCH: &str = "INSERT INTO journal (last_step, first_step, at, hash, body) VALUES (?, ?, ?, ?, ?)";
const INSERT_SPEC: &str = "INSERT OR IGNORE INTO spec (list, body) VALUES (?, ?)";

/// Columns of an ended workload.
const COLUMNS: usize = 10;

/// The INSERT of up to `1 << power` ended workloads. Rows of nothing fill it up and are passed over: a few texts serve
/// every number of rows, and stay prepared.
static INSERT_ENDED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let text = |power: u32| {
        let row = format!("({})", ["?"; COLUMNS].join(", "));
        format!(
            "INSERT INTO ended (id, step, hash, submitted_at, ended_at, state, project, name, key, body)
             SELECT * FROM (VALUES {}) WHERE column1 IS NOT NULL",
            vec![row; 1_usize << power].join(", ")
        )
    };
    (0..=ROWS_MAX.ilog2()).map(text).collect()
});

/// What stands for the specification in the record of a member of an array.
static SHARED: LazyLock<Arc<WorkloadSpec>> = LazyLock::new(|| Arc::new(WorkloadSpec::command(&[])));

/// Appends a batch, with the shared specifications that its ended workloads are the first to need.
pub(super) async fn append(
    conn: &mut SqliteConnection,
    batch: &Batch,
    specs: &[(WorkloadId, Arc<WorkloadSpec>)],
) -> Result<(), StoreError> {
    let mut arguments = SqliteArguments::default();
    let mut bind = Binder(&mut arguments);
    bind.int(step_bits(batch.head.step)).int(step_bits(batch.first_step)).int(batch.at.0);
    bind.bytes(&batch.head.hash.0).bytes(&batch.body);
    if batch.ended.is_empty() {
        // One statement is a transaction of its own.
        let done = sqlx::query_with(INSERT_BATCH, arguments).execute(conn).await;
        return done.map(drop).map_err(failed("the journal"));
    }
    let mut text = format!("BEGIN IMMEDIATE; {INSERT_BATCH}; ");
    for (list, spec) in specs {
        text += INSERT_SPEC;
        text += "; ";
        Binder(&mut arguments).int(list.to_bits().cast_signed()).bytes(&json(spec));
    }
    for rows in batch.ended.chunks(ROWS_MAX) {
        let power = rows.len().next_power_of_two().ilog2();
        text += &INSERT_ENDED[power as usize];
        text += "; ";
        arguments.reserve(COLUMNS << power, 0);
        for ended in rows {
            bind_ended(&mut Binder(&mut arguments), ended);
        }
        for _ in 0..COLUMNS * ((1 << power) - rows.len()) {
            Binder(&mut arguments).null();
        }
    }
    text += "COMMIT";
    // Texts that will hardly come again would only push the others out of the cache.
    let again = specs.is_empty() && batch.ended.len() <= ROWS_MAX;
    let query = sqlx::query_with(AssertSqlSafe(text), arguments).persistent(again);
    query.execute(conn).await.map(drop).map_err(failed("the journal"))
}

fn bind_ended(bind: &mut Binder<'_>, ended: &EndedWorkload) {
    let EndedWorkload { workload, head } = ended;
    let spec = &workload.spec;
    bind.int(workload.id.to_bits().cast_signed()).int(step_bits(head.step)).bytes(&head.hash.0);
    bind.int(workload.submitted_at.0).int(workload.state_since.0);
    bind.text(workload.state.word()).text(&spec.project).text(&spec.name);
    match &workload.key {
        Some(key) => bind.text(key),
        None => bind.null(),
    };
    if workload.id.member().is_some() {
        bind.bytes(&json(&Workload { spec: Arc::clone(&SHARED), ..Workload::clone(workload) }));
    } else {
        bind.bytes(&json(workload.as_ref()));
    }
}

fn json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("a record is JSON and memory takes it")
}

/// A step as SQLite keeps it.
///
/// # Panics
/// Past 2^63, which ids (2^47 steps) forbid long before.
pub(super) fn step_bits(step: u64) -> i64 {
    i64::try_from(step).expect("a step fits SQLite's integers")
}

/// Arguments in the order of a statement's marks.
pub(super) struct Binder<'a>(pub(super) &'a mut SqliteArguments);

impl Binder<'_> {
    pub(super) fn int(&mut self, value: i64) -> &mut Self {
        self.add(value)
    }

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        self.add(value)
    }

    fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.add(value)
    }

    fn null(&mut self) -> &mut Self {
        self.add(None::<i64>)
    }

    fn add<'q, T: sqlx::Encode<'q, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>>(&mut self, value: T) -> &mut Self {
        self.0.add(value).expect("numbers, texts and bytes always encode");
        self
    }
}
