//! `eaf show`: a workload in full.
//!
//! What: what it asked for, where it is, its attempts with what they used. Absent: prices; `eaf receipt show` has them.

use super::{Context, request_text, workload_id};
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use crate::screen::{Cell, Paint, Table};
use eaf_api::messages::{self, Lang};
use eaf_api::{AttemptView, LeaseView, TaskWord, WorkloadView};
use eaf_model::{Run, Span, Usage, WorkloadId};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The workload, such as wl-12 or wl-12.0.
    #[arg(value_name = "ID")]
    id: String,
    /// A JSON document for programs.
    #[arg(long)]
    json: bool,
}

fn run_text(run: &Run) -> String {
    match run {
        Run::Command(words) => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
        Run::Script(text) => {
            let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
            let first = lines.next().or_else(|| text.lines().next()).unwrap_or_default();
            if lines.next().is_some() { format!("{first} …") } else { first.to_owned() }
        }
    }
}

/// A word as a shell would need it.
fn quoted(word: &str) -> String {
    let plain = !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "-_./=:,+@%".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

fn ids(ids: &[WorkloadId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn facts(view: &WorkloadView, context: &Context) -> Vec<(&'static str, String)> {
    let (spec, status, lang) = (&view.spec, &view.status, context.lang);
    let mut facts = vec![("show-name", view.name.clone()), ("show-project", spec.project.clone())];
    let mut fact = |id, value: Option<String>| facts.extend(value.map(|value| (id, value)));
    fact("show-reason", Some(messages::reason(lang, &view.state_reason)));
    let at = |time| format!("{} ({})", messages::instant(time), context.screen.ago(time));
    fact("show-since", Some(at(view.state_since)));
    fact("show-deadline", view.state_deadline.map(messages::instant));
    fact("show-submitted", Some(at(status.submitted_at)));
    fact("show-by", Some(status.by.clone()));
    fact("show-array-index", status.array_index.map(|index| index.to_string()));
    fact(
        "show-array",
        status.array.as_ref().map(|array| {
            let states =
                array.by_state.iter().map(|(state, count)| format!("{} {count}", messages::state(lang, *state)));
            format!("{} ({})", array.members, states.collect::<Vec<_>>().join(", "))
        }),
    );
    fact("show-runs", Some(run_text(&spec.run)));
    fact("show-tasks", Some(spec.tasks.to_string()));
    fact("show-tasks-min", spec.tasks_min.map(|min| min.to_string()));
    fact("show-tasks-per-node", spec.tasks_per_node_max.map(|max| max.to_string()));
    fact("show-each-task", Some(request_text(&spec.task, lang)));
    fact("show-wall-time", spec.wall_time.map(messages::span));
    fact("show-ends-by", spec.deadline.map(messages::instant));
    fact("show-priority", (spec.priority != 0).then(|| spec.priority.to_string()));
    let made_room = status.attempts.iter().filter(|attempt| attempt.bill.preempted.is_some()).count();
    let preemptible = if spec.keeps_progress { "show-preemptible-keeps" } else { "show-preemptible-loses" };
    let preemptible = Say::new(preemptible).count("times", made_room as u64);
    fact("show-preemptible", spec.preemptible.then(|| context.say(&preemptible)));
    fact("show-retries", (spec.retries > 0).then(|| format!("{} / {}", status.retries_spent, spec.retries)));
    fact("show-losses", (status.losses > 0).then(|| status.losses.to_string()));
    fact("show-after-ok", (!spec.after_ok.is_empty()).then(|| ids(&spec.after_ok)));
    fact("show-after-any", (!spec.after_any.is_empty()).then(|| ids(&spec.after_any)));
    let checkpoint = status.lease.as_ref().and_then(|lease| lease.checkpointed_at);
    fact("show-checkpoint", checkpoint.map(at));
    fact("show-not-before", status.not_before.map(messages::instant));
    fact("show-directory", spec.working_directory.clone());
    for (name, value) in &spec.environment {
        fact("show-environment", Some(format!("{name}={value}")));
    }
    for (name, value) in &view.labels {
        fact("show-labels", Some(format!("{name}={value}")));
    }
    facts
}

fn used(usage: &Usage) -> [Cell; 2] {
    let cpu = messages::span(Span(usage.cpu.0 / 1_000));
    let memory = usage.memory_peak.map_or_else(|| "–".to_owned(), messages::bytes);
    [Cell::figure(cpu), Cell::figure(memory)]
}

fn tasks(lease: &LeaseView, context: &Context) -> Table {
    let heading = |id| context.say(&Say::new(id));
    let mut table = Table::new([
        Cell::figure(heading("head-task")),
        Cell::text(heading("head-node")),
        Cell::text(heading("head-state")),
        Cell::figure(heading("head-cpu-time")),
        Cell::figure(heading("head-memory-peak")),
        Cell::text(heading("head-accelerators")),
    ]);
    for (rank, task) in lease.tasks.iter().enumerate() {
        let word = match task.state {
            TaskWord::Ordered => "task-ordered",
            TaskWord::Accepted => "task-accepted",
            TaskWord::Started => "task-started",
            TaskWord::Exited => "task-exited",
            TaskWord::Abandoned => "task-abandoned",
        };
        let state = match &task.exit {
            Some(exit) => messages::exit(context.lang, exit),
            None => heading(word),
        };
        let [cpu, memory] = used(&task.usage);
        let indexes = task.allotment.accelerators.iter().map(|each| match &each.slice {
            Some(slice) => format!("{}/{}:{}", each.index, slice.profile, slice.start),
            None => each.index.to_string(),
        });
        let indexes: Vec<_> = indexes.collect();
        let node = task.allotment.node.to_string();
        table.row([
            Cell::figure(rank.to_string()),
            Cell::text(node),
            Cell::text(state),
            cpu,
            memory,
            Cell::text(indexes.join(",")),
        ]);
    }
    table
}

fn attempts(attempts: &[AttemptView], context: &Context) -> Table {
    let heading = |id| context.say(&Say::new(id));
    let mut table = Table::new([
        Cell::figure(heading("head-attempt")),
        Cell::text(heading("head-granted")),
        Cell::figure(heading("head-ran")),
        Cell::figure(heading("head-cpu-time")),
        Cell::figure(heading("head-memory-peak")),
        Cell::text(heading("head-checkpoint")),
        Cell::text(heading("head-nodes")),
        Cell::text(heading("head-ended")),
    ]);
    for attempt in attempts {
        let bill = &attempt.bill;
        let ran =
            bill.started_at.map_or_else(|| "–".to_owned(), |started| messages::span(bill.ended_at.since(started)));
        let [cpu, memory] = used(&bill.usage);
        let mut nodes: Vec<_> = attempt.nodes.iter().map(ToString::to_string).collect();
        nodes.dedup();
        let mut nodes = nodes.join(",");
        if bill.pretended {
            nodes = context.say(&Say::new("pretended").with("accelerators", nodes));
        }
        table.row([
            Cell::figure(attempt.attempt.to_string()),
            Cell::text(messages::instant(bill.granted_at)),
            Cell::figure(ran),
            cpu,
            memory,
            Cell::text(attempt.checkpointed_at.map_or_else(|| "–".to_owned(), messages::instant)),
            Cell::text(nodes),
            Cell::text(ended(attempt, context.lang)),
        ]);
    }
    table
}

/// How the tasks of an attempt ended: once where all ended alike, else the first that failed.
fn ended(attempt: &AttemptView, lang: Lang) -> String {
    let failed = attempt.exits.iter().enumerate().find(|(_, exit)| !exit.is_success());
    match (failed, attempt.exits.first()) {
        (Some((rank, exit)), _) if attempt.exits.len() > 1 => {
            let say = Say::new("task-ended").with("task", rank).with("exit", messages::exit(lang, exit));
            say.in_lang(lang)
        }
        (Some((_, exit)), _) | (None, Some(exit)) => messages::exit(lang, exit),
        (None, None) => "–".to_owned(),
    }
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let view = context.client()?.workload(workload_id(&args.id)?)?;
    if args.json {
        return context.screen.json(&view).map(|()| exit::OK);
    }
    let state = messages::state(context.lang, view.state);
    let state = Paint::of_state(view.state).on(&state, context.screen.colours);
    let id = Paint::Bold.on(&view.id.to_string(), context.screen.colours);
    context.screen.line(&format!("{id}  {state}"))?;
    let mut table = Table::bare();
    for (id, value) in facts(&view, context) {
        table.row([Cell::text(format!("  {}", context.say(&Say::new(id)))).paint(Paint::Dim), Cell::text(value)]);
    }
    context.screen.table(&table)?;
    if let Some(lease) = &view.status.lease {
        let title = Say::new("show-now").with("lease", lease.id).with("attempt", lease.attempt);
        let table = tasks(lease, context);
        context.screen.line("")?;
        let title = context.say(&title);
        context.screen.painted(Paint::Bold, &title)?;
        context.screen.table(&table)?;
    }
    if !view.status.attempts.is_empty() {
        let table = attempts(&view.status.attempts, context);
        context.screen.line("")?;
        let title = context.say(&Say::new("show-attempts"));
        context.screen.painted(Paint::Bold, &title)?;
        context.screen.table(&table)?;
    }
    Ok(exit::OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_can_be_given_to_a_shell_again() {
        let check = |words: &[&str], expect: &str| {
            let words = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(run_text(&Run::Command(words)), expect);
        };
        check(&["echo", "a b", "it's"], "echo 'a b' 'it'\\''s'");
        check(&["true", ""], "true ''");
        let script = |text: &str| run_text(&Run::Script(text.to_owned()));
        assert_eq!(script("#!/bin/sh\n#SBATCH -n1\n\necho one\necho two\n"), "echo one …");
        assert_eq!(script("echo one"), "echo one");
    }
}
