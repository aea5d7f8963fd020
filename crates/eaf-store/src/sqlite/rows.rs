//! Rows: reading the tables, for the writer and for readers alike.
//!
//! What: every SELECT of the store. Why each list names its index by its shape: one million ended workloads are read by
//! the page, never as a whole. Absent: writes.

use super::errors::failed;
use crate::{EndedFilter, EndedWorkload, Hash, Head, LIST_MAX, StoreError, StoredBatch};
use eaf_core::Workload;
use eaf_model::{Time, WorkloadId, WorkloadSpec, WorkloadState};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Arguments, Row, Sqlite};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Write;
use std::sync::Arc;

/// The head behind which the journal begins.
pub(crate) async fn anchor(conn: &mut SqliteConnection) -> Result<Head, StoreError> {
    let text: String = sqlx::query_scalar("SELECT value FROM meta WHERE name = 'anchor'")
        .fetch_one(conn)
        .await
        .map_err(failed("reading where the journal begins"))?;
    text.parse().map_err(|error: crate::NotAHead| damaged("the journal's anchor", &error))
}

/// What ended before this may have been pruned from the history.
pub(crate) async fn history_from(conn: &mut SqliteConnection) -> Result<Time, StoreError> {
    let text: String = sqlx::query_scalar("SELECT value FROM meta WHERE name = 'history_from'")
        .fetch_one(conn)
        .await
        .map_err(failed("reading where the history begins"))?;
    text.parse().map(Time).map_err(|error: std::num::ParseIntError| damaged("the history's beginning", &error))
}

/// The head of what is durable.
pub(crate) async fn head(conn: &mut SqliteConnection) -> Result<Head, StoreError> {
    let row = sqlx::query("SELECT last_step, hash FROM journal ORDER BY last_step DESC LIMIT 1")
        .fetch_optional(&mut *conn)
        .await
        .map_err(failed("reading the journal's head"))?;
    match row {
        Some(row) => Ok(Head { step: number(&row, 0)?, hash: hash(&row, 1)? }),
        None => anchor(conn).await,
    }
}

/// Batches that end behind `after`.
pub(crate) async fn batches(
    conn: &mut SqliteConnection,
    after: u64,
    limit: u32,
) -> Result<Vec<StoredBatch>, StoreError> {
    let rows = sqlx::query(
        "SELECT last_step, first_step, at, hash, body FROM journal WHERE last_step > ? ORDER BY last_step LIMIT ?",
    )
    .bind(i64::try_from(after).unwrap_or(i64::MAX))
    .bind(limit)
    .fetch_all(conn)
    .await
    .map_err(failed("reading the journal"))?;
    let batch = |row: &SqliteRow| -> Result<StoredBatch, StoreError> {
        Ok(StoredBatch {
            first_step: number(row, 1)?,
            at: Time(get(row, 2)?),
            body: get(row, 4)?,
            head: Head { step: number(row, 0)?, hash: hash(row, 3)? },
        })
    };
    rows.iter().map(batch).collect()
}

/// The oldest batches up to step `last`, without their bodies: instant and head.
pub(super) async fn oldest(conn: &mut SqliteConnection, last: u64) -> Result<Vec<(Time, Head)>, StoreError> {
    let rows = sqlx::query("SELECT last_step, at, hash FROM journal WHERE last_step <= ? ORDER BY last_step LIMIT ?")
        .bind(i64::try_from(last).unwrap_or(i64::MAX))
        .bind(crate::PRUNE_MAX)
        .fetch_all(conn)
        .await
        .map_err(failed("reading the journal"))?;
    rows.iter().map(|row| Ok((Time(get(row, 1)?), Head { step: number(row, 0)?, hash: hash(row, 2)? }))).collect()
}

/// One ended workload.
pub(super) async fn ended(conn: &mut SqliteConnection, id: WorkloadId) -> Result<Option<EndedWorkload>, StoreError> {
    let mut query = Query::new();
    query.push("SELECT id, step, hash, body FROM ended WHERE id = ").bind(id.to_bits().cast_signed());
    Ok(query.workloads(conn).await?.pop())
}

/// The first ended workload with this key.
pub(super) async fn ended_with_key(
    conn: &mut SqliteConnection,
    key: &str,
) -> Result<Option<EndedWorkload>, StoreError> {
    let mut query = Query::new();
    query.push("SELECT id, step, hash, body FROM ended WHERE key = ").bind(key).push(" ORDER BY id LIMIT 1");
    Ok(query.workloads(conn).await?.pop())
}

/// Ended workloads by a filter, newest first.
pub(super) async fn list_ended(
    conn: &mut SqliteConnection,
    filter: &EndedFilter,
) -> Result<Vec<EndedWorkload>, StoreError> {
    let limit = filter.limit.min(LIST_MAX);
    // By an index on a state, rows come in order of id. Several states are several such walks, merged; so is a project
    // without states. Without either (or with a name or an array, which have their own order) one walk will do.
    let states: Vec<Option<WorkloadState>> = match (filter.states.as_slice(), &filter.project) {
        ([], Some(_)) if filter.name.is_none() && filter.list.is_none() => {
            WorkloadState::ALL.into_iter().filter(|state| state.is_ended()).map(Some).collect()
        }
        ([], _) => vec![None],
        (states, _) => states.iter().copied().map(Some).collect(),
    };
    let mut query = Query::new();
    query.push("SELECT id, step, hash, body FROM ended WHERE id IN (");
    for (index, state) in states.into_iter().enumerate() {
        query.push(if index == 0 { "SELECT id FROM (" } else { " UNION ALL SELECT id FROM (" });
        query.walk(filter, state);
        query.push(" ORDER BY id DESC LIMIT ").bind(limit).push(")");
    }
    query.push(") ORDER BY id DESC LIMIT ").bind(limit);
    query.workloads(conn).await
}

/// Ended workloads of these steps, by id: what a replay of the same steps must give.
pub(crate) async fn ended_within(
    conn: &mut SqliteConnection,
    ids: impl Iterator<Item = WorkloadId>,
) -> Result<BTreeMap<WorkloadId, EndedWorkload>, StoreError> {
    let ids: Vec<String> = ids.map(|id| id.to_bits().to_string()).collect();
    let mut query = Query::new();
    query.push("SELECT id, step, hash, body FROM ended WHERE id IN (SELECT value FROM json_each(");
    query.bind(format!("[{}]", ids.join(","))).push("))");
    Ok(query.workloads(conn).await?.into_iter().map(|ended| (ended.workload.id, ended)).collect())
}

/// How many ended workloads there are.
pub(crate) async fn count_ended(conn: &mut SqliteConnection) -> Result<u64, StoreError> {
    let row = sqlx::query("SELECT count(*) FROM ended").fetch_one(conn).await.map_err(failed("counting history"))?;
    number(&row, 0)
}

/// SQLite's own look at its file: pages, and indexes against their tables.
pub(crate) async fn integrity(conn: &mut SqliteConnection) -> Result<(), StoreError> {
    let said: String = sqlx::query_scalar("PRAGMA integrity_check(1)")
        .fetch_one(conn)
        .await
        .map_err(failed("checking pages and indexes"))?;
    if said == "ok" { Ok(()) } else { Err(damaged("a page or an index", &said)) }
}

/// Gives every ended workload to `each`, by id. The columns that lists select by must say what the record says.
pub(crate) async fn each_ended(
    conn: &mut SqliteConnection,
    mut each: impl FnMut(EndedWorkload),
) -> Result<(), StoreError> {
    let mut after = -1_i64;
    loop {
        let mut query = Query::new();
        query.push("SELECT id, step, hash, body FROM ended WHERE id > ").bind(after).push(" ORDER BY id LIMIT 1000");
        let page = query.workloads(&mut *conn).await?;
        let Some(last) = page.last() else { return Ok(()) };
        let columns = sqlx::query(
            "SELECT submitted_at, ended_at, state, project, name, key FROM ended WHERE id > ? ORDER BY id LIMIT 1000",
        )
        .bind(after)
        .fetch_all(&mut *conn)
        .await
        .map_err(failed("reading history"))?;
        after = last.workload.id.to_bits().cast_signed();
        for (row, ended) in columns.iter().zip(&page) {
            compare_columns(row, ended)?;
        }
        page.into_iter().for_each(&mut each);
    }
}

fn compare_columns(row: &SqliteRow, ended: &EndedWorkload) -> Result<(), StoreError> {
    let workload = &ended.workload;
    let times = (get(row, 0)?, get(row, 1)?) == (workload.submitted_at.0, workload.state_since.0);
    let texts = (get::<&str>(row, 2)?, get::<&str>(row, 3)?, get::<&str>(row, 4)?)
        == (workload.state.word(), workload.spec.project.as_str(), workload.spec.name.as_str());
    if times && texts && get::<Option<&str>>(row, 5)? == workload.key.as_deref() {
        return Ok(());
    }
    let what = format!("the history of {}, which step {} ended,", workload.id, ended.head.step);
    Err(damaged(&what, &"a list would select it by something else than its record says"))
}

/// A statement that is put together with its arguments.
struct Query {
    sql: String,
    arguments: sqlx::sqlite::SqliteArguments,
}

impl Query {
    fn new() -> Self {
        Self { sql: String::with_capacity(512), arguments: sqlx::sqlite::SqliteArguments::default() }
    }

    fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    fn bind<'q, T: sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite>>(&mut self, value: T) -> &mut Self {
        self.arguments.add(value).expect("numbers and texts always encode");
        self.sql.push('?');
        self
    }

    /// One walk over ended workloads in order of id, by the index that the filter fits best.
    fn walk(&mut self, filter: &EndedFilter, state: Option<WorkloadState>) {
        // A name is the narrowest of the three; an array is a range of the table itself.
        let index = match (&filter.list, &filter.name, &filter.project, state) {
            (Some(_), ..) | (None, None, None, None) => "NOT INDEXED",
            (None, Some(_), ..) => "INDEXED BY ended_by_name",
            (None, None, Some(_), _) => "INDEXED BY ended_by_project",
            (None, None, None, Some(_)) => "INDEXED BY ended_by_state",
        };
        write!(self.sql, "SELECT id FROM ended {index} WHERE id < ").expect("a text takes what is written to it");
        self.bind(filter.below.map_or(i64::MAX, |id| id.to_bits().cast_signed()));
        if let Some(list) = filter.list {
            let first = list.to_bits().cast_signed();
            // The id of an array has no member number, and those of its members follow it.
            let last = if list.member().is_none() { first | 0xffff } else { first };
            self.push(" AND id >= ").bind(first).push(" AND id <= ").bind(last);
        }
        if let Some(name) = &filter.name {
            self.push(" AND name = ").bind(name.as_str());
        }
        if let Some(project) = &filter.project {
            self.push(" AND project = ").bind(project.as_str());
        }
        if let Some(state) = state {
            self.push(" AND state = ").bind(state.word());
        }
    }

    async fn workloads(self, conn: &mut SqliteConnection) -> Result<Vec<EndedWorkload>, StoreError> {
        let what = "reading history";
        let rows = sqlx::query_with(sqlx::AssertSqlSafe(self.sql), self.arguments)
            .fetch_all(&mut *conn)
            .await
            .map_err(failed(what))?;
        let mut specs = BTreeMap::new();
        let mut workloads = Vec::with_capacity(rows.len());
        for row in &rows {
            let id = WorkloadId::from_bits(number(row, 0)?);
            let head = Head { step: number(row, 1)?, hash: hash(row, 2)? };
            let mut workload: Workload = serde_json::from_slice(&get::<Vec<u8>>(row, 3)?)
                .map_err(|error| damaged(&format!("ended {id}"), &error))?;
            if workload.id != id {
                return Err(damaged(&format!("ended {id}"), &format!("it calls itself {}", workload.id)));
            }
            if id.member().is_some() {
                let list = id.list();
                workload.spec = match specs.entry(list) {
                    Entry::Occupied(known) => Arc::clone(known.get()),
                    Entry::Vacant(new) => Arc::clone(new.insert(shared_spec(conn, list).await?)),
                };
            }
            workloads.push(EndedWorkload { workload: Arc::new(workload), head });
        }
        Ok(workloads)
    }
}

/// The specification that the members of an array share.
async fn shared_spec(conn: &mut SqliteConnection, list: WorkloadId) -> Result<Arc<WorkloadSpec>, StoreError> {
    let body: Option<Vec<u8>> = sqlx::query_scalar("SELECT body FROM spec WHERE list = ?")
        .bind(list.to_bits().cast_signed())
        .fetch_optional(conn)
        .await
        .map_err(failed("reading history"))?;
    let what = format!("the specification of {list}");
    let body = body.ok_or_else(|| damaged(&what, &"it is missing"))?;
    serde_json::from_slice(&body).map_err(|error| damaged(&what, &error))
}

fn damaged(what: &str, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged { what: what.to_owned(), why: why.to_string() }
}

fn get<'r, T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>>(
    row: &'r SqliteRow,
    column: usize,
) -> Result<T, StoreError> {
    row.try_get(column).map_err(failed("reading a row"))
}

fn number(row: &SqliteRow, column: usize) -> Result<u64, StoreError> {
    let number: i64 = get(row, column)?;
    u64::try_from(number).map_err(|_| damaged("a row", &format!("{number} stands where a step or an id belongs")))
}

fn hash(row: &SqliteRow, column: usize) -> Result<Hash, StoreError> {
    let bytes: &[u8] = get(row, column)?;
    bytes.try_into().map(Hash).map_err(|_| damaged("a row", &format!("a hash of {} bytes", bytes.len())))
}
