//! A workload file: the friendly shape of a specification.
//!
//! What: one flat table, figures as people write them, and a problem with its line for everything else. Absent: bounds
//! that the factory sets; it judges those when the workload is submitted.

use super::doc::{Doc, Entry, Kind};
use super::fields::{figure, instant, integer, table, text, texts, truth, unknown, wrong};
use super::figures::{parse_bytes, parse_cpu, parse_share, parse_span};
use super::{FileProblem, WorkloadFile, array};
use crate::say::Say;
use eaf_model::{AcceleratorRequest, OnLoss, Run, WorkloadId, WorkloadSpec};
use std::collections::BTreeMap;

const FIELDS: &[&str] = &[
    "name",
    "project",
    "command",
    "script",
    "tasks",
    "tasks_min",
    "tasks_per_node_max",
    "cpu",
    "memory",
    "accelerators",
    "wall_time",
    "priority",
    "preemptible",
    "keeps_progress",
    "retries",
    "on_loss",
    "after_ok",
    "after_any",
    "expires_after",
    "deadline",
    "stop_grace",
    "environment",
    "working_directory",
    "labels",
    "array",
];
const ACCELERATOR_FIELDS: &[&str] = &["count", "share", "slice", "models"];

type Read<T> = Result<T, FileProblem>;

/// Names and texts. Numbers and truths are taken as they are written, as a shell would.
fn map(field: &str, doc: &Doc) -> Read<BTreeMap<String, String>> {
    let entries = table(field, doc)?.iter().map(|entry| {
        let value = match &entry.value.kind {
            Kind::Text(text) | Kind::Number(text) => text.clone(),
            Kind::Bool(truth) => truth.to_string(),
            Kind::Null => String::new(),
            Kind::List(_) | Kind::Table(_) => return Err(wrong(&entry.key, &entry.value, "kind-text")),
        };
        Ok((entry.key.clone(), value))
    });
    entries.collect()
}

fn ids(field: &str, doc: &Doc) -> Read<Vec<WorkloadId>> {
    let Kind::List(list) = &doc.kind else { return Err(wrong(field, doc, "kind-ids")) };
    list.iter()
        .map(|each| match &each.kind {
            Kind::Text(text) => text.parse().map_err(|_| wrong(field, each, "kind-ids")),
            _ => Err(wrong(field, each, "kind-ids")),
        })
        .collect()
}

fn index_values(doc: &Doc) -> Read<Vec<u16>> {
    let given = match &doc.kind {
        Kind::Text(text) | Kind::Number(text) => text.clone(),
        Kind::List(_) => texts("array", doc)?.join(","),
        _ => return Err(wrong("array", doc, "kind-array")),
    };
    array::parse(&given)
        .map_err(|say| FileProblem::at(doc.line, Say::new("file-field").with("field", "array").say("problem", say)))
}

/// Accelerators from text: `4`, `4:MI355X`, `1:MI300X|MI325X`.
pub(crate) fn accelerators(given: &str) -> Option<AcceleratorRequest> {
    let (count, models) = given.split_once(':').map_or((given, None), |(count, models)| (count, Some(models)));
    let models: Vec<String> = models.map(|models| models.split('|').map(str::to_owned).collect()).unwrap_or_default();
    if models.iter().any(String::is_empty) {
        return None;
    }
    Some(AcceleratorRequest { count: count.parse().ok()?, models, ..AcceleratorRequest::none() })
}

fn accelerator_request(doc: &Doc) -> Read<AcceleratorRequest> {
    let entries = match &doc.kind {
        Kind::Table(entries) => entries,
        Kind::Number(text) | Kind::Text(text) => {
            return accelerators(text).ok_or_else(|| wrong("accelerators", doc, "kind-accelerators"));
        }
        _ => return Err(wrong("accelerators", doc, "kind-accelerators")),
    };
    let mut request = AcceleratorRequest { count: 1, ..AcceleratorRequest::none() };
    for entry in entries {
        match entry.key.as_str() {
            "count" => request.count = integer("accelerators.count", &entry.value)?,
            "share" => request.share = figure("accelerators.share", &entry.value, "0.25", parse_share)?,
            "slice" => request.slice = Some(text("accelerators.slice", &entry.value)?),
            "models" => request.models = texts("accelerators.models", &entry.value)?,
            _ => return Err(unknown(entry, ACCELERATOR_FIELDS)),
        }
    }
    Ok(request)
}

fn on_loss(doc: &Doc) -> Read<OnLoss> {
    match text("on_loss", doc)?.as_str() {
        "requeue" => Ok(OnLoss::Requeue),
        "fail" => Ok(OnLoss::Fail),
        _ => Err(wrong("on_loss", doc, "kind-on-loss")),
    }
}

fn run(field: &'static str, doc: &Doc) -> Read<Run> {
    if field == "script" {
        return text(field, doc).map(Run::Script);
    }
    match &doc.kind {
        Kind::Text(_) => Err(FileProblem::at(doc.line, Say::new("file-command-is-text"))),
        _ => texts(field, doc).map(Run::Command),
    }
}

fn set(file: &mut WorkloadFile, entry: &Entry) -> Read<()> {
    let (spec, value) = (&mut file.spec, &entry.value);
    match entry.key.as_str() {
        "name" => spec.name = text("name", value)?,
        "project" => spec.project = text("project", value)?,
        "command" => spec.run = run("command", value)?,
        "script" => spec.run = run("script", value)?,
        "tasks" => spec.tasks = integer("tasks", value)?,
        "tasks_min" => spec.tasks_min = Some(integer("tasks_min", value)?),
        "tasks_per_node_max" => spec.tasks_per_node_max = Some(integer("tasks_per_node_max", value)?),
        "cpu" => spec.task.cpu = figure("cpu", value, "1.5", parse_cpu)?,
        "memory" => spec.task.memory = figure("memory", value, "512MiB", parse_bytes)?,
        "accelerators" => spec.task.accelerators = accelerator_request(value)?,
        "wall_time" => spec.wall_time = Some(figure("wall_time", value, "1h30m", parse_span)?),
        "priority" => spec.priority = integer("priority", value)?,
        "preemptible" => spec.preemptible = truth("preemptible", value)?,
        "keeps_progress" => spec.keeps_progress = truth("keeps_progress", value)?,
        "retries" => spec.retries = integer("retries", value)?,
        "on_loss" => spec.on_loss = on_loss(value)?,
        "after_ok" => spec.after_ok = ids("after_ok", value)?,
        "after_any" => spec.after_any = ids("after_any", value)?,
        "expires_after" => spec.expires_after = Some(figure("expires_after", value, "1d", parse_span)?),
        "deadline" => spec.deadline = Some(instant("deadline", value)?),
        "stop_grace" => spec.stop_grace = Some(figure("stop_grace", value, "10s", parse_span)?),
        "environment" => spec.environment = map("environment", value)?,
        "working_directory" => spec.working_directory = Some(text("working_directory", value)?),
        "labels" => spec.labels = map("labels", value)?,
        "array" => file.array = index_values(value)?,
        _ => return Err(unknown(entry, FIELDS)),
    }
    Ok(())
}

/// Reads a workload from a tree.
pub(super) fn read(doc: &Doc) -> Read<WorkloadFile> {
    let entries = table("file", doc)?;
    let mut spec = WorkloadSpec::command(&[]);
    spec.name = String::new();
    let mut file = WorkloadFile { spec, array: Vec::new(), notes: Vec::new() };
    for entry in entries {
        set(&mut file, entry)?;
    }
    if let Some(min) = file.spec.tasks_min.filter(|min| *min > file.spec.tasks) {
        let line = entries.iter().find(|entry| entry.key == "tasks_min").map(|entry| entry.line);
        let say = Say::new("file-tasks-min").with("min", min.to_string()).with("tasks", file.spec.tasks.to_string());
        return Err(FileProblem { line, say });
    }
    let runs: Vec<&Entry> = entries.iter().filter(|entry| matches!(entry.key.as_str(), "command" | "script")).collect();
    match runs.as_slice() {
        [] => Err(FileProblem { line: None, say: Say::new("file-nothing-to-run") }),
        [_] => Ok(file),
        [_, second, ..] => Err(FileProblem::at(second.line, Say::new("file-two-to-run"))),
    }
}
