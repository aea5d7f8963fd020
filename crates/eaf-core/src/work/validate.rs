//! What a specification must be before anything else is asked of it.
//!
//! What: every field against its bounds, with the field's path and what would pass. Absent: whether it fits the fleet.

use eaf_model::{
    AcceleratorRequest, FieldProblem, GpuMilli, Limits, PartitionBook, Rejection, Run, Settings, Span, Submission,
    Time, WorkloadSpec,
};
use std::collections::{BTreeMap, BTreeSet};

const NAME_MAX: usize = 128;
const PROJECT_MAX: usize = 63;
const KEY_MAX: usize = 255;
const LABEL_MAX: usize = 253;
const PRIORITY_MAX: i32 = 1_000;
const CPU_MAX: u64 = 1_000_000_000;
const MEMORY_MIN: u64 = 1 << 20;
const MEMORY_MAX: u64 = 1 << 60;
const ACCELERATORS_MAX: u64 = 4_096;
/// The end of the year 9999; what is later cannot be written as a date.
const DEADLINE_MAX: Time = Time(253_402_300_799_000);
const SLICES_NAMED_MAX: usize = 64;

type Checked = Result<(), Rejection>;

fn invalid(field: &str, problem: FieldProblem) -> Checked {
    Err(Rejection::Invalid { field: field.to_owned(), problem })
}

fn malformed(field: &str, expected: &str) -> Checked {
    invalid(field, FieldProblem::Malformed { expected: expected.to_owned() })
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn within(field: &str, given: u64, min: u64, max: u64) -> Checked {
    if given < min {
        return invalid(field, FieldProblem::TooSmall { given: signed(given), min: signed(min) });
    }
    if given > max {
        return invalid(field, FieldProblem::TooLarge { given: signed(given), max: signed(max) });
    }
    Ok(())
}

/// Checks a submission against the settings.
pub(super) fn submission(submission: &Submission, settings: &Settings) -> Checked {
    let (spec, limits) = (&submission.spec, &settings.limits);
    within("spec", weight(spec), 0, limits.spec_bytes_max)?;
    names(spec)?;
    size(spec, limits)?;
    times(spec, settings)?;
    accelerators(&spec.task.accelerators)?;
    slice(&spec.task.accelerators, &settings.partitions)?;
    dependencies(spec, limits)?;
    execution(spec)?;
    labels(&spec.labels, limits.labels_max)?;
    array(&submission.array, limits.array_max)?;
    let Some(key) = &submission.key else { return Ok(()) };
    if key.is_empty() || key.len() > KEY_MAX || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return malformed("key", "1 to 255 visible ASCII characters");
    }
    Ok(())
}

/// About as many bytes as the specification has as JSON.
fn weight(spec: &WorkloadSpec) -> u64 {
    let run = match &spec.run {
        Run::Command(argv) => argv.iter().map(|arg| arg.len() + 3).sum(),
        Run::Script(text) => text.len(),
    };
    let maps = [&spec.environment, &spec.labels];
    let maps: usize = maps.iter().flat_map(|map| map.iter()).map(|(name, value)| name.len() + value.len() + 6).sum();
    let models: usize = spec.task.accelerators.models.iter().map(|model| model.len() + 3).sum();
    let texts = spec.name.len() + spec.project.len() + spec.working_directory.as_ref().map_or(0, String::len);
    (run + maps + models + texts + 20 * (spec.after_ok.len() + spec.after_any.len())) as u64
}

fn names(spec: &WorkloadSpec) -> Checked {
    if spec.name.is_empty() || spec.name.chars().count() > NAME_MAX || spec.name.chars().any(char::is_control) {
        return malformed("name", "1 to 128 characters of printable text");
    }
    if !is_project(&spec.project) {
        return malformed("project", "1 to 63 of a-z, 0-9 and -, beginning with a letter or digit");
    }
    Ok(())
}

/// True for what may name a project.
pub(crate) fn is_project(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let first = name.bytes().next().is_some_and(|byte| byte != b'-');
    first && name.len() <= PROJECT_MAX && name.bytes().all(plain)
}

fn size(spec: &WorkloadSpec, limits: &Limits) -> Checked {
    within("tasks", u64::from(spec.tasks), 1, u64::from(limits.tasks_max))?;
    if let Some(tasks) = spec.tasks_min {
        within("tasks_min", u64::from(tasks), 1, u64::from(limits.tasks_max))?;
    }
    if let Some(per_node) = spec.tasks_per_node_max {
        within("tasks_per_node_max", u64::from(per_node), 1, u64::from(limits.tasks_max))?;
    }
    within("task.cpu", spec.task.cpu.0, 1, CPU_MAX)?;
    within("task.memory", spec.task.memory.0, MEMORY_MIN, MEMORY_MAX)?;
    within("retries", u64::from(spec.retries), 0, u64::from(limits.retries_max))?;
    let (given, max) = (i64::from(spec.priority), i64::from(PRIORITY_MAX));
    if given > max {
        return invalid("priority", FieldProblem::TooLarge { given, max });
    }
    if given < -max {
        return invalid("priority", FieldProblem::TooSmall { given, min: -max });
    }
    Ok(())
}

fn times(spec: &WorkloadSpec, settings: &Settings) -> Checked {
    let check =
        |field, span: Option<Span>, min, max: Span| span.map_or(Ok(()), |span| within(field, span.0, min, max.0));
    check("wall_time", spec.wall_time, 1, settings.timing.wall_time_max)?;
    check("expires_after", spec.expires_after, 1, Span(1 << 50))?;
    if let Some(Time(given)) = spec.deadline {
        if given < 0 {
            return invalid("deadline", FieldProblem::TooSmall { given, min: 0 });
        }
        if given > DEADLINE_MAX.0 {
            return invalid("deadline", FieldProblem::TooLarge { given, max: DEADLINE_MAX.0 });
        }
    }
    check("stop_grace", spec.stop_grace, 0, settings.timing.stop_grace_max)
}

fn accelerators(request: &AcceleratorRequest) -> Checked {
    within("task.accelerators.count", u64::from(request.count), 0, ACCELERATORS_MAX)?;
    within("task.accelerators.share", request.share.0, 1, 1_000)?;
    let conflict = |field| invalid(field, FieldProblem::Conflicts { with: "task.accelerators.count".to_owned() });
    if request.share != GpuMilli(1_000) && request.count != 1 {
        return conflict("task.accelerators.share");
    }
    if request.count == 0 && !request.models.is_empty() {
        return conflict("task.accelerators.models");
    }
    let mut seen = BTreeSet::new();
    for model in &request.models {
        if model.is_empty() || model.chars().count() > NAME_MAX || model.chars().any(char::is_control) {
            return malformed("task.accelerators.models", "names of the catalogue, such as MI355X");
        }
        if !seen.insert(model) {
            return invalid("task.accelerators.models", FieldProblem::Twice { what: model.clone() });
        }
    }
    Ok(())
}

/// A slice is one that the models offer, and each of the models that are named.
fn slice(request: &AcceleratorRequest, book: &PartitionBook) -> Checked {
    let Some(slice) = &request.slice else { return Ok(()) };
    let conflict = |with: &str| {
        invalid("task.accelerators.slice", FieldProblem::Conflicts { with: format!("task.accelerators.{with}") })
    };
    if request.count == 0 {
        return conflict("count");
    }
    if request.share != GpuMilli(1_000) {
        return conflict("share");
    }
    let offers = |model: &str| book.slices(model).any(|profile| profile.is_meant_by(slice));
    let names = |model: &str| book.slices(model).map(|profile| profile.profile.clone()).collect::<Vec<_>>();
    if let Some(model) = request.models.iter().find(|model| !offers(model)) {
        let (model, offered) = (Some(model.clone()), names(model));
        return Err(Rejection::SliceUnknown { slice: slice.clone(), model, offered });
    }
    if !book.models.keys().any(|model| offers(model)) {
        let all: BTreeSet<String> = book.models.keys().flat_map(|model| names(model)).collect();
        let offered = all.into_iter().take(SLICES_NAMED_MAX).collect();
        return Err(Rejection::SliceUnknown { slice: slice.chars().take(NAME_MAX).collect(), model: None, offered });
    }
    let meant = book.models.iter().filter(|(model, _)| request.suits(model));
    let modes = meant.flat_map(|(_, modes)| modes);
    let offering = modes.filter(|mode| mode.slices.iter().any(|profile| profile.is_meant_by(slice)));
    let bounds = offering.map(|mode| if mode.slices_per_task_max == 0 { u32::MAX } else { mode.slices_per_task_max });
    let max = u64::from(bounds.min().unwrap_or(u32::MAX));
    within("task.accelerators.count", u64::from(request.count), 1, max)
}

fn dependencies(spec: &WorkloadSpec, limits: &Limits) -> Checked {
    let max = u64::from(limits.dependencies_max);
    within("after_ok", (spec.after_ok.len() + spec.after_any.len()) as u64, 0, max)?;
    for (field, ids) in [("after_ok", &spec.after_ok), ("after_any", &spec.after_any)] {
        let mut seen = BTreeSet::new();
        for id in ids {
            if !seen.insert(id) {
                return invalid(field, FieldProblem::Twice { what: id.to_string() });
            }
        }
    }
    Ok(())
}

fn execution(spec: &WorkloadSpec) -> Checked {
    match &spec.run {
        Run::Command(argv) if argv.first().is_none_or(String::is_empty) => invalid("run.command", FieldProblem::Empty)?,
        Run::Command(argv) if argv.iter().any(|arg| arg.contains('\0')) => {
            malformed("run.command", "no NUL character")?;
        }
        Run::Script(text) if text.trim().is_empty() => invalid("run.script", FieldProblem::Empty)?,
        Run::Script(text) if text.contains('\0') => malformed("run.script", "no NUL character")?,
        Run::Command(_) | Run::Script(_) => {}
    }
    if let Some(directory) = &spec.working_directory {
        let climbs = directory.split('/').any(|part| part == "..");
        if directory.is_empty() || directory.contains('\0') || climbs || directory.chars().count() > 4_096 {
            return malformed("working_directory", "a path without .. in it");
        }
    }
    for (name, value) in &spec.environment {
        let mut bytes = name.bytes();
        let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        if !first || !bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') || name.starts_with("EAF_") {
            return malformed("environment", "names of letters, digits and _, not beginning with a digit or EAF_");
        }
        if value.contains('\0') {
            return malformed("environment", "no NUL character");
        }
    }
    Ok(())
}

/// Labels of a workload or a node.
pub(crate) fn labels(labels: &BTreeMap<String, String>, max: u32) -> Checked {
    within("labels", labels.len() as u64, 0, u64::from(max))?;
    for (name, value) in labels {
        let printable = !name.chars().chain(value.chars()).any(char::is_control);
        if name.is_empty() || name.chars().count() > LABEL_MAX || value.chars().count() > LABEL_MAX || !printable {
            return malformed("labels", "names and values of at most 253 characters of printable text");
        }
    }
    Ok(())
}

fn array(values: &[u16], max: u32) -> Checked {
    within("array", values.len() as u64, 0, u64::from(max))?;
    for pair in values.windows(2) {
        if pair[0] == pair[1] {
            return invalid("array", FieldProblem::Twice { what: pair[0].to_string() });
        }
        if pair[0] > pair[1] {
            return malformed("array", "rising index values");
        }
    }
    Ok(())
}
