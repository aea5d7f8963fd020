//! A shell script whose `#SBATCH` lines say what it asks for.
//!
//! What: the options of `sbatch` that have a meaning here; every other one is refused by name and line. Where the two
//! differ: the script runs once for every task (Slurm runs it once, and `srun` inside starts the tasks), and output is
//! kept by the factory. Absent: guessing. A script that would run otherwise than it says is not taken.

use super::slurm::{self, Dependencies, DependencyProblem};
use super::suggest::nearest;
use super::{FileProblem, Note, WorkloadFile, array};
use crate::say::Say;
use eaf_model::{AcceleratorRequest, Bytes, CpuMilli, Run, Span, WorkloadSpec};

/// Long names and letters of the options that are understood.
const OPTIONS: &[(&str, Option<char>)] = &[
    ("account", Some('A')),
    ("array", Some('a')),
    ("chdir", Some('D')),
    ("cpus-per-task", Some('c')),
    ("dependency", Some('d')),
    ("error", Some('e')),
    ("gpus", Some('G')),
    ("gpus-per-node", None),
    ("gpus-per-task", None),
    ("gres", None),
    ("job-name", Some('J')),
    ("mem", None),
    ("mem-per-cpu", None),
    ("nodes", Some('N')),
    ("ntasks", Some('n')),
    ("ntasks-per-node", None),
    ("output", Some('o')),
    ("time", Some('t')),
];

/// An option as it was written.
struct Directive {
    line: usize,
    name: &'static str,
    value: String,
}

type Gpus = (u32, Option<String>);

/// What the options ask for, before they are put together. Lines are kept for what may not go together.
#[derive(Default)]
struct Asked {
    name: Option<String>,
    project: Option<String>,
    chdir: Option<String>,
    array: Vec<u16>,
    time: Option<Span>,
    dependencies: Dependencies,
    nodes: Option<(usize, u32)>,
    tasks: Option<(usize, u32)>,
    tasks_per_node: Option<(usize, u32)>,
    cpus_per_task: Option<u32>,
    memory: Option<Bytes>,
    memory_per_cpu: Option<Bytes>,
    gpus: Option<(usize, Gpus)>,
    gpus_per_node: Option<(usize, Gpus)>,
    gpus_per_task: Option<(usize, Gpus)>,
}

/// Splits a line into words as a shell does: quotes hold together, `#` begins a comment.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '#') if word.is_none() => break,
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

fn unknown(line: usize, option: &str) -> FileProblem {
    let names: Vec<&str> = OPTIONS.iter().map(|(name, _)| *name).collect();
    let say = match nearest(option.trim_start_matches('-'), &names) {
        Some(near) => Say::new("sbatch-unknown-near").with("near", format!("--{near}")),
        None => Say::new("sbatch-unknown"),
    };
    FileProblem::at(line, say.with("option", option))
}

/// The options of one `#SBATCH` line.
fn directives(line: usize, text: &str) -> Result<Vec<Directive>, FileProblem> {
    let mut found = Vec::new();
    let mut words = words(text).into_iter();
    while let Some(word) = words.next() {
        let (shown, name, joined) = if let Some(long) = word.strip_prefix("--") {
            let (name, value) =
                long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value.to_owned())));
            let known = OPTIONS.iter().find(|(known, _)| *known == name);
            (format!("--{name}"), known, value)
        } else if let Some(letter) = word.strip_prefix('-').and_then(|rest| rest.chars().next()) {
            let known = OPTIONS.iter().find(|(_, known)| *known == Some(letter));
            let rest = &word[1 + letter.len_utf8()..];
            let value = rest.strip_prefix('=').unwrap_or(rest);
            (format!("-{letter}"), known, (!value.is_empty()).then(|| value.to_owned()))
        } else {
            return Err(FileProblem::at(line, Say::new("sbatch-no-option").with("word", &word)));
        };
        let Some((name, _)) = name else { return Err(unknown(line, &shown)) };
        let value = joined.or_else(|| words.next());
        let value = value.ok_or_else(|| FileProblem::at(line, Say::new("sbatch-no-value").with("option", shown)))?;
        found.push(Directive { line, name, value });
    }
    Ok(found)
}

impl Directive {
    fn bad(&self, expected: &'static str) -> FileProblem {
        let say = Say::new("sbatch-bad-value").with("option", format!("--{}", self.name)).with("given", &self.value);
        FileProblem::at(self.line, say.say("expected", Say::new(expected)))
    }

    fn number(&self) -> Result<u32, FileProblem> {
        self.value.parse().ok().filter(|number| *number > 0).ok_or_else(|| self.bad("sbatch-expected-number"))
    }

    fn gpus(&self, prefixed: bool) -> Result<Option<(usize, Gpus)>, FileProblem> {
        let expected = if prefixed { "sbatch-expected-gres" } else { "sbatch-expected-gpus" };
        let gpus = slurm::gpus(&self.value, prefixed).ok_or_else(|| self.bad(expected))?;
        Ok(Some((self.line, gpus)))
    }

    fn dependencies(&self) -> Result<Dependencies, FileProblem> {
        slurm::dependencies(&self.value).map_err(|problem| {
            let say = match problem {
                DependencyProblem::Kind(kind) => Say::new("sbatch-dependency-kind").with("kind", kind),
                DependencyProblem::NotAnId(id) => Say::new("sbatch-dependency-id").with("id", id),
                DependencyProblem::Any => Say::new("sbatch-dependency-any"),
            };
            FileProblem::at(self.line, say)
        })
    }
}

fn take(asked: &mut Asked, notes: &mut Vec<Note>, directive: &Directive) -> Result<(), FileProblem> {
    let (line, value) = (directive.line, &directive.value);
    match directive.name {
        "job-name" => asked.name = Some(value.clone()),
        "account" => asked.project = Some(value.clone()),
        "chdir" => asked.chdir = Some(value.clone()),
        "array" => {
            asked.array = array::parse(value).map_err(|say| {
                FileProblem::at(line, Say::new("file-field").with("field", "--array").say("problem", say))
            })?;
        }
        "time" => asked.time = Some(slurm::time(value).ok_or_else(|| directive.bad("sbatch-expected-time"))?),
        "dependency" => asked.dependencies = directive.dependencies()?,
        "nodes" => asked.nodes = Some((line, directive.number()?)),
        "ntasks" => asked.tasks = Some((line, directive.number()?)),
        "ntasks-per-node" => asked.tasks_per_node = Some((line, directive.number()?)),
        "cpus-per-task" => asked.cpus_per_task = Some(directive.number()?),
        "mem" => asked.memory = Some(slurm::memory(value).ok_or_else(|| directive.bad("sbatch-expected-memory"))?),
        "mem-per-cpu" => {
            asked.memory_per_cpu = Some(slurm::memory(value).ok_or_else(|| directive.bad("sbatch-expected-memory"))?);
        }
        "gres" | "gpus-per-node" => asked.gpus_per_node = directive.gpus(directive.name == "gres")?,
        "gpus-per-task" => asked.gpus_per_task = directive.gpus(false)?,
        "gpus" => asked.gpus = directive.gpus(false)?,
        _ => {
            let option = format!("--{}", directive.name);
            notes.push(Note { line, say: Say::new("sbatch-output").with("option", option).with("file", value) });
        }
    }
    Ok(())
}

/// `total` divided evenly, or a problem that says what does not come out even.
fn even(line: usize, total: u32, parts: u32, id: &'static str) -> Result<u32, FileProblem> {
    if total.is_multiple_of(parts) {
        return Ok(total / parts);
    }
    Err(FileProblem::at(line, Say::new(id).with("total", total).with("parts", parts)))
}

/// How many tasks, and how many of them on a node, where that is said.
fn tasks(asked: &Asked) -> Result<(u32, Option<u32>), FileProblem> {
    let too_many = |line| FileProblem::at(line, Say::new("sbatch-too-many-tasks"));
    match (asked.nodes, asked.tasks, asked.tasks_per_node) {
        (None, None, None) => Ok((1, None)),
        (None, Some((_, tasks)), per_node) => Ok((tasks, per_node.map(|(_, per_node)| per_node))),
        (None, None, Some((_, per_node))) => Ok((per_node, Some(per_node))),
        (Some((line, nodes)), None, per_node) => {
            let per_node = per_node.map_or(1, |(_, per_node)| per_node);
            Ok((nodes.checked_mul(per_node).ok_or_else(|| too_many(line))?, Some(per_node)))
        }
        (Some((line, nodes)), Some((_, tasks)), per_node) => {
            let spread = even(line, tasks, nodes, "sbatch-uneven-tasks")?;
            match per_node {
                Some((line, per_node)) if per_node < spread => {
                    Err(FileProblem::at(line, Say::new("sbatch-tasks-per-node").with("spread", spread)))
                }
                _ => Ok((tasks, Some(spread))),
            }
        }
    }
}

fn accelerators(asked: &Asked, tasks: u32, per_node: u32) -> Result<AcceleratorRequest, FileProblem> {
    let given = [&asked.gpus_per_task, &asked.gpus_per_node, &asked.gpus];
    let mut given = given.into_iter().flatten();
    if let (Some(_), Some((line, _))) = (given.next(), given.next()) {
        return Err(FileProblem::at(*line, Say::new("sbatch-gpus-twice")));
    }
    let (count, model) = match (&asked.gpus_per_task, &asked.gpus_per_node, &asked.gpus) {
        (Some((_, (count, model))), _, _) => (*count, model),
        (_, Some((line, (count, model))), _) => (even(*line, *count, per_node, "sbatch-uneven-gpus")?, model),
        (_, _, Some((line, (count, model)))) => (even(*line, *count, tasks, "sbatch-uneven-gpus")?, model),
        _ => return Ok(AcceleratorRequest::none()),
    };
    // Slurm names a MIG slice where it names a model: gpu:1g.10gb:1.
    let (slice, models) = match model {
        Some(name) if slurm::is_slice(name) => (Some(name.clone()), Vec::new()),
        model => (None, model.iter().cloned().collect()),
    };
    Ok(AcceleratorRequest { count, models, slice, ..AcceleratorRequest::none() })
}

fn assemble(asked: Asked, text: &str) -> Result<WorkloadSpec, FileProblem> {
    let (tasks, per_node_max) = tasks(&asked)?;
    // Slurm counts --mem and --gres by node; without a word on the spread, all tasks are taken to share one.
    let per_node = per_node_max.unwrap_or(tasks);
    let cpus = asked.cpus_per_task.unwrap_or(1);
    let mut spec = WorkloadSpec::command(&[]);
    spec.run = Run::Script(text.to_owned());
    spec.task.accelerators = accelerators(&asked, tasks, per_node)?;
    spec.task.cpu = CpuMilli(u64::from(cpus) * 1_000);
    if let Some(Bytes(memory)) = asked.memory {
        spec.task.memory = Bytes(memory.div_ceil(per_node.into()));
    } else if let Some(Bytes(memory)) = asked.memory_per_cpu {
        spec.task.memory = Bytes(memory.saturating_mul(cpus.into()));
    }
    spec.name = asked.name.unwrap_or_default();
    if let Some(project) = asked.project {
        spec.project = project;
    }
    spec.tasks = tasks;
    spec.tasks_per_node_max = per_node_max.filter(|_| tasks > 1);
    spec.wall_time = asked.time;
    spec.after_ok = asked.dependencies.after_ok;
    spec.after_any = asked.dependencies.after_any;
    spec.working_directory = asked.chdir;
    Ok(spec)
}

/// Reads a shell script.
pub(super) fn read(text: &str) -> Result<WorkloadFile, FileProblem> {
    let (mut asked, mut notes, mut body) = (Asked::default(), Vec::new(), false);
    for (index, content) in text.lines().enumerate() {
        let line = index + 1;
        let directive =
            content.strip_prefix("#SBATCH").filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        match directive {
            Some(_) if body => notes.push(Note { line, say: Say::new("sbatch-below") }),
            Some(rest) => {
                for directive in directives(line, rest)? {
                    take(&mut asked, &mut notes, &directive)?;
                }
            }
            None => body |= !content.trim_start().starts_with('#') && !content.trim().is_empty(),
        }
    }
    if !body {
        return Err(FileProblem { line: None, say: Say::new("file-nothing-to-run") });
    }
    let array = std::mem::take(&mut asked.array);
    Ok(WorkloadFile { spec: assemble(asked, text)?, array, notes })
}
