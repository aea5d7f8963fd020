//! Reader of the Microsoft Philly traces: jobs by accelerators and duration.
//!
//! What: a job a row, either as `job_id, submit_s, gpus, duration_s, vc` or as `timestamp, duration, num_gpus, …, cluster`.
//! Up to a node's accelerators a job is one task; a larger one is a gang of the largest equal tasks that fill nodes.
//! Nothing is known of threads and memory: an accelerator takes its equal part of its node's ([`NODE_SHARES`]).
//! Source: "Analysis of Large-Scale Multi-Tenant GPU Clusters for DNN Training Workloads", USENIX ATC 2019.
//! Absent: attempts; a job of the trace is one run.

use super::table::{Column, Row, Table};
use super::{CellProblem, DropReason, Dropped, Job, Trace, TraceError};
use eaf_model::{AcceleratorRequest, Bytes, CpuMilli, GpuMilli, Span, TaskRequest};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

/// What one accelerator takes of its node beside itself: threads and memory. Fleets made for these jobs have as many
/// of these parts as accelerators.
pub const NODE_SHARES: (CpuMilli, Bytes) = (CpuMilli(1_000), Bytes(1 << 30));

const ACCELERATORS_MAX: u64 = 1 << 20;

/// The columns of either form.
struct Columns {
    id: Option<Column>,
    submitted: Column,
    is_date: bool,
    accelerators: Column,
    duration: Column,
    project: Column,
}

impl Columns {
    fn of<R: Read>(table: &Table<R>) -> Result<Self, TraceError> {
        let is_date = table.has("timestamp");
        let [submitted, accelerators, duration, project] = if is_date {
            ["timestamp", "num_gpus", "duration", "cluster"]
        } else {
            ["submit_s", "gpus", "duration_s", "vc"]
        }
        .map(|name| table.column(name));
        let id = if is_date { None } else { Some(table.column("job_id")?) };
        let (submitted, accelerators, duration, project) = (submitted?, accelerators?, duration?, project?);
        Ok(Self { id, submitted, is_date, accelerators, duration, project })
    }
}

/// The jobs of a file, for nodes with so many accelerators each.
///
/// # Errors
/// Where the file is not a list of jobs; the place is named.
pub fn jobs(source: impl Read, accelerators_per_node: u32) -> Result<Trace, TraceError> {
    let mut table = Table::open(source)?;
    let columns = Columns::of(&table)?;
    let mut projects: BTreeMap<String, Arc<str>> = BTreeMap::new();
    let mut seen: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut first = Span(u64::MAX);
    let mut trace = Trace::default();
    let mut rows = 0_u64;
    while let Some(row) = table.next()? {
        rows += 1;
        let name: Arc<str> = match columns.id {
            Some(id) => Arc::from(row.name(id)?),
            None => Arc::from(format!("line-{}", row.line)),
        };
        let submitted = if columns.is_date { date(&row, columns.submitted)? } else { row.seconds(columns.submitted)? };
        let count = row.whole(columns.accelerators, ACCELERATORS_MAX)?;
        let runs = Span(row.seconds(columns.duration)?);
        let vc = row.text(columns.project)?;
        let project = Arc::clone(projects.entry(vc.to_owned()).or_insert_with(|| Arc::from(project_name(vc))));
        first = first.min(Span(submitted));
        let mut drop = |why| trace.dropped.push(Dropped { line: row.line, name: Arc::clone(&name), why });
        if columns.id.is_some() && seen.contains(&name) {
            drop(DropReason::Twin);
        } else if count == 0 {
            drop(DropReason::AsksForNothing);
        } else {
            seen.insert(Arc::clone(&name));
            let (tasks, task) = gang(count, u64::from(accelerators_per_node.max(1)));
            let (line, submitted) = (row.line, Span(submitted));
            trace.jobs.push(Job { line, name, project, submitted, runs, has_start: true, tasks, task });
        }
    }
    if rows == 0 {
        return Err(TraceError::NoRows);
    }
    Ok(trace.counted_from(first))
}

/// A project's name has no empty form.
fn project_name(vc: &str) -> &str {
    if vc.is_empty() { "none" } else { vc }
}

/// The tasks of a job that asks for so many accelerators.
fn gang(count: u64, per_node: u64) -> (u32, TaskRequest) {
    let each = if count <= per_node { count } else { greatest_common_divisor(count, per_node) };
    let (cpu, memory) = NODE_SHARES;
    let accelerators = AcceleratorRequest {
        count: u32::try_from(each).unwrap_or(u32::MAX),
        share: GpuMilli(1_000),
        models: Vec::new(),
        slice: None,
    };
    let task = TaskRequest { cpu: CpuMilli(cpu.0 * each), memory: Bytes(memory.0 * each), accelerators };
    (u32::try_from(count / each).unwrap_or(u32::MAX), task)
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// A date and time such as `2017-10-09 07:01:55`, in milliseconds.
fn date(row: &Row<'_>, column: Column) -> Result<u64, TraceError> {
    let text = row.name(column)?;
    let read = text.parse::<jiff::civil::DateTime>().ok().and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC).ok());
    let millis = read.and_then(|time| u64::try_from(time.timestamp().as_millisecond()).ok());
    millis.ok_or_else(|| row.wrong(column, CellProblem::NotATime))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_read_alike_and_in_order() {
        let ids = "job_id,submit_s,gpus,duration_s,vc\n7,70,12,61.5,x\n3,0,2,5,y\n";
        let dates = "timestamp,duration,num_gpus,gpu_time,cluster\n\
                     2017-10-01 00:01:10,61.5,12,0,x\n2017-10-01 00:00:00,5.0,2,0,y\n";
        for (text, name) in [(ids, "7"), (dates, "line-2")] {
            let trace = jobs(text.as_bytes(), 8).unwrap();
            let last = &trace.jobs[1];
            assert_eq!(
                (&*last.name, last.submitted, last.runs, &*last.project),
                (name, Span(70_000), Span(61_500), "x")
            );
            assert_eq!((last.tasks, last.task.accelerators.count, last.accelerators_milli()), (3, 4, 12_000));
            assert_eq!((trace.jobs[0].tasks, trace.jobs[0].task.accelerators.count), (1, 2));
        }
    }

    #[test]
    fn a_file_that_is_no_trace_is_refused_with_the_place() {
        let check = |text: &str, expect: &str| assert_eq!(jobs(text.as_bytes(), 8).unwrap_err().to_string(), expect);
        let head = "timestamp,duration,num_gpus,gpu_time,cluster\n";
        let time = "line 2, column 1 (timestamp): \"yesterday\" is not a date and time such as 2017-10-09 07:01:55";
        check(&format!("{head}yesterday,1,1,1,a\n"), time);
        check(&format!("{head}2017-10-01 00:00:00,-3,1,1,a\n"), "line 2, column 2 (duration): \"-3\" is below zero");
        check("submit_s,gpus\n1,1\n", "line 1: there is no column job_id; the columns are submit_s, gpus");
    }

    #[test]
    fn what_asks_for_nothing_and_twins_are_left_out() {
        let trace = jobs(&b"job_id,submit_s,gpus,duration_s,vc\n1,0,0,5,a\n2,0,1,5,a\n2,0,1,5,a\n"[..], 8).unwrap();
        let dropped: Vec<_> = trace.dropped.iter().map(|row| (row.line, row.why.code())).collect();
        assert_eq!((dropped, trace.jobs.len()), (vec![(2, "asks_for_nothing"), (4, "twin")], 1));
    }
}
