//! Reader of the Alibaba "openb" traces: nodes and pods.
//!
//! What: a node a row (`sn, cpu_milli, memory_mib, gpu, model`) and a pod a row (`name, cpu_milli, memory_mib, num_gpu,
//! gpu_milli, gpu_spec, creation_time, deletion_time, scheduled_time`; seconds). A pod runs for its deletion minus its
//! scheduled time, or minus its creation where it was never scheduled; its life begins when it is placed here.
//! Source: "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent", USENIX ATC
//! 2023. Absent: classes of service and phases, which say nothing of when and where.

use super::table::{Row, Table};
use super::{CellProblem, DropReason, Dropped, Job, Trace, TraceError};
use eaf_model::{Accelerator, AcceleratorRequest, Bytes, CpuMilli, GpuMilli, NodeSpec, Span, TaskRequest};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::sync::Arc;

/// More than any machine has, and far below overflow.
const CPU_MILLI_MAX: u64 = 1_000_000_000;
const MEMORY_MIB_MAX: u64 = 1 << 40;
const ACCELERATORS_MAX: u64 = 4_096;

/// The nodes of a file, in its order.
///
/// # Errors
/// Where the file is not a list of nodes; the place is named.
pub fn nodes(source: impl Read) -> Result<Vec<NodeSpec>, TraceError> {
    let mut table = Table::open(source)?;
    let [name, cpu, memory, gpu, model] =
        ["sn", "cpu_milli", "memory_mib", "gpu", "model"].map(|name| table.column(name));
    let (name, cpu, memory, gpu, model) = (name?, cpu?, memory?, gpu?, model?);
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    let mut nodes = Vec::new();
    while let Some(row) = table.next()? {
        let sn = row.name(name)?.to_owned();
        if let Some(first) = lines.insert(sn.clone(), row.line) {
            return Err(TraceError::NodeTwice { line: row.line, first, name: sn });
        }
        let count = row.whole(gpu, ACCELERATORS_MAX)?;
        let model = if count > 0 { row.name(model)? } else { "" };
        let accelerator = Accelerator { model: model.to_owned(), memory: None, uuid: None };
        nodes.push(NodeSpec {
            name: sn,
            cpu: CpuMilli(row.whole(cpu, CPU_MILLI_MAX)?),
            memory: Bytes(row.whole(memory, MEMORY_MIB_MAX)? << 20),
            accelerators: vec![accelerator; usize::try_from(count).unwrap_or(0)],
            fabric: Vec::new(),
            pretended: true,
            labels: BTreeMap::new(),
        });
    }
    if nodes.is_empty() { Err(TraceError::NoRows) } else { Ok(nodes) }
}

/// The columns of a list of pods.
struct Columns {
    name: super::table::Column,
    cpu: super::table::Column,
    memory: super::table::Column,
    count: super::table::Column,
    share: super::table::Column,
    models: super::table::Column,
    created: super::table::Column,
    deleted: super::table::Column,
    scheduled: super::table::Column,
}

impl Columns {
    fn of<R: Read>(table: &Table<R>) -> Result<Self, TraceError> {
        Ok(Self {
            name: table.column("name")?,
            cpu: table.column("cpu_milli")?,
            memory: table.column("memory_mib")?,
            count: table.column("num_gpu")?,
            share: table.column("gpu_milli")?,
            models: table.column("gpu_spec")?,
            created: table.column("creation_time")?,
            deleted: table.column("deletion_time")?,
            scheduled: table.column("scheduled_time")?,
        })
    }
}

/// The pods of a file.
///
/// # Errors
/// Where the file is not a list of pods with their times; the place is named.
pub fn pods(source: impl Read) -> Result<Trace, TraceError> {
    let mut table = Table::open(source)?;
    let columns = Columns::of(&table)?;
    let mut seen: BTreeSet<Arc<str>> = BTreeSet::new();
    let mut first = Span(u64::MAX);
    let mut trace = Trace::default();
    let mut rows = 0_u64;
    let project: Arc<str> = Arc::from("openb");
    while let Some(row) = table.next()? {
        rows += 1;
        let name: Arc<str> = Arc::from(row.name(columns.name)?);
        let line = row.line;
        let mut drop = |why| trace.dropped.push(Dropped { line, name: Arc::clone(&name), why });
        let task = request(&row, &columns)?;
        let created = row.seconds(columns.created)?;
        let deleted = row.seconds(columns.deleted)?;
        let scheduled = match row.text(columns.scheduled)? {
            "" => None,
            _ => Some(row.seconds(columns.scheduled)?),
        };
        first = first.min(Span(created));
        if seen.contains(&name) {
            drop(DropReason::Twin);
            continue;
        }
        let begun = scheduled.unwrap_or(created);
        let Some(runs) = deleted.checked_sub(begun).filter(|_| created <= begun) else {
            drop(DropReason::EndsBeforeItBegins);
            continue;
        };
        seen.insert(Arc::clone(&name));
        let project = Arc::clone(&project);
        let (submitted, runs, has_start) = (Span(created), Span(runs), scheduled.is_some());
        trace.jobs.push(Job { line, name, project, submitted, runs, has_start, tasks: 1, task });
    }
    if rows == 0 { Err(TraceError::NoRows) } else { Ok(trace.counted_from(first)) }
}

fn request(row: &Row<'_>, columns: &Columns) -> Result<TaskRequest, TraceError> {
    let count = row.whole(columns.count, ACCELERATORS_MAX)?;
    let share = row.whole(columns.share, 1_000)?;
    let lawful = match count {
        0 => true,
        1 => share > 0,
        _ => share == 1_000,
    };
    if !lawful {
        let expected = "1 to 1000 for one accelerator, and 1000 for several";
        return Err(row.wrong(columns.share, CellProblem::NotAllowed { expected }));
    }
    let mut models: Vec<String> = Vec::new();
    let spec = row.text(columns.models)?;
    for model in spec.split('|').filter(|model| count > 0 && !model.is_empty()) {
        if !models.iter().any(|known| known == model) {
            models.push(model.to_owned());
        }
    }
    let accelerators = AcceleratorRequest {
        count: u32::try_from(count).unwrap_or(u32::MAX),
        share: if count == 0 { GpuMilli(1_000) } else { GpuMilli(share) },
        models,
        slice: None,
    };
    let cpu = CpuMilli(row.whole(columns.cpu, CPU_MILLI_MAX)?);
    // The factory has no task without memory: one that states none asks for a MiB.
    let memory = Bytes(row.whole(columns.memory, MEMORY_MIB_MAX)?.max(1) << 20);
    Ok(TaskRequest { cpu, memory, accelerators })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time";

    fn pods_of(rows: &str) -> Result<Trace, TraceError> {
        pods(format!("{HEAD}\n{rows}").as_bytes())
    }

    #[test]
    fn a_pod_runs_from_its_start_or_where_it_has_none_from_its_creation() {
        let trace =
            pods_of("b,6000,12288,1,460,V100|T4,LS,Running,70,100,80\na,1000,1,0,0,,BE,Pending,10,40,\n").unwrap();
        let seen: Vec<_> = trace.jobs.iter().map(|job| (&*job.name, job.submitted.0, job.runs.0)).collect();
        assert_eq!(seen, [("a", 0, 30_000), ("b", 60_000, 20_000)]);
        assert_eq!(trace.without_start(), 1);
        assert_eq!(trace.jobs[1].task.accelerators.models, ["V100", "T4"]);
        assert_eq!(trace.jobs[1].accelerators_milli(), 460);
    }

    #[test]
    fn rows_that_contradict_themselves_are_left_out() {
        let rows = "a,1,1,0,0,,,,10,5,\na,1,1,0,0,,,,10,20,\na,1,1,0,0,,,,10,20,\nb,1,1,0,0,,,,1,2,\n\
                    c,1,1,0,0,,,,100,90,80\nd,1,1,0,0,,,,100,200,50\n";
        let trace = pods_of(rows).unwrap();
        let dropped: Vec<_> = trace.dropped.iter().map(|row| (row.line, row.why)).collect();
        let ends = DropReason::EndsBeforeItBegins;
        assert_eq!(dropped, [(2, ends), (4, DropReason::Twin), (6, ends), (7, ends)]);
        // Times count from the first row.
        assert_eq!(trace.jobs.iter().map(|job| job.submitted.0).collect::<Vec<_>>(), [0, 9_000]);
    }

    #[test]
    fn a_file_that_is_no_trace_is_refused_with_the_place() {
        let check = |rows: &str, expect: &str| assert_eq!(pods_of(rows).unwrap_err().to_string(), expect);
        check("", "the file has no rows");
        check("a,x,1,0,0,,,,1,2,\n", "line 2, column 2 (cpu_milli): \"x\" is not a number");
        check("a,1,1,0,0,,,,-1,2,\n", "line 2, column 9 (creation_time): \"-1\" is below zero");
        check("a,1,1,0,0,,,,,2,\n", "line 2, column 9 (creation_time): \"\" is empty");
        check("a,1,1,0,0,,,,1,2,\nb,1\n", "line 3: there are 2 cells, and 11 columns");
        let share = "line 2, column 5 (gpu_milli): \"500\" is not 1 to 1000 for one accelerator, and 1000 for several";
        check("a,1,1,2,500,,,,1,2,\n", share);
        check("a,1,1,0,0,,,,1,99999999999999,\n", "line 2, column 10 (deletion_time): \"99999999999999\" is too large");
    }

    #[test]
    fn columns_are_found_by_name_and_missed_by_name() {
        let short = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,1,1,0,0\n";
        let error = pods(short.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            error,
            "line 1: there is no column gpu_spec; the columns are name, cpu_milli, memory_mib, num_gpu, gpu_milli"
        );
        assert_eq!(pods(&b""[..]).unwrap_err().to_string(), TraceError::Empty.to_string());
        let broken = [HEAD.as_bytes(), b"\n\xff\xfe,1,1,0,0,,,,1,2,\n"].concat();
        assert_eq!(pods(&broken[..]).unwrap_err().to_string(), "line 2, column 1: this is not UTF-8");
        let swapped = "model,gpu,memory_mib,cpu_milli,sn\nT4,2,100,8000,n1\n";
        let node = nodes(swapped.as_bytes()).unwrap().remove(0);
        assert_eq!((node.name.as_str(), node.accelerators.len(), node.cpu), ("n1", 2, CpuMilli(8_000)));
        let twins = "sn,cpu_milli,memory_mib,gpu,model\na,1,1,0,\na,1,1,0,\n";
        assert_eq!(nodes(twins.as_bytes()).unwrap_err().to_string(), "line 3: the node a stands on line 2 already");
    }
}
