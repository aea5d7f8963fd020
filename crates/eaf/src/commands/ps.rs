//! `eaf ps`: the workloads, newest first.
//!
//! What: one page or all of them, as a table or as a JSON array. Absent: following; `eaf events -f` does that.

use super::{Context, accelerators_text};
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use crate::screen::{Cell, Paint, Table, now, short_span};
use eaf_api::messages;
use eaf_api::{ListQuery, PAGE_DEFAULT, PAGE_MAX, WorkloadView};
use eaf_model::WorkloadState;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Ended workloads too.
    #[arg(short, long)]
    all: bool,
    /// Only these states: queued, granted, starting, running, stopping, finished, failed, cancelled, expired.
    #[arg(short, long, value_name = "STATE", value_delimiter = ',')]
    state: Vec<String>,
    /// Only this project.
    #[arg(short, long, value_name = "NAME")]
    project: Option<String>,
    /// Only workloads of this name.
    #[arg(short, long, value_name = "NAME")]
    name: Option<String>,
    /// Only the members of this array.
    #[arg(long, value_name = "ID")]
    array: Option<String>,
    /// At most so many. Otherwise 100 in a table, all of them with --json.
    #[arg(short, long, value_name = "N")]
    limit: Option<u64>,
    /// A JSON array for programs.
    #[arg(long)]
    json: bool,
}

fn query(args: &Args) -> Result<ListQuery, Failure> {
    let states = args.state.iter().map(|word| {
        let known = WorkloadState::ALL.into_iter().find(|state| state.word() == word);
        let known_words = || WorkloadState::ALL.map(WorkloadState::word).join(", ");
        known.ok_or_else(|| {
            Failure::new(exit::USAGE, Say::new("fail-state").with("given", word).with("known", known_words()))
        })
    });
    Ok(ListQuery {
        states: states.collect::<Result<_, _>>()?,
        project: args.project.clone(),
        name: args.name.clone(),
        list: args.array.as_deref().map(super::workload_id).transpose()?,
        all: args.all,
        limit: None,
        cursor: None,
    })
}

/// Calls `take` for every workload up to `max`; true where there are more.
fn pages(
    context: &mut Context,
    mut query: ListQuery,
    max: u64,
    mut take: impl FnMut(&mut Context, WorkloadView) -> Result<(), Failure>,
) -> Result<bool, Failure> {
    let client = context.client()?;
    let mut left = max;
    while left > 0 {
        query.limit = Some(u32::try_from(left).unwrap_or(PAGE_MAX).min(PAGE_MAX));
        let page = client.list(&query)?;
        for view in page.items {
            take(context, view)?;
            left = left.saturating_sub(1);
        }
        match page.next {
            Some(next) => query.cursor = Some(next),
            None => return Ok(false),
        }
    }
    Ok(true)
}

fn headings(context: &Context) -> Table {
    let heading = |id| context.say(&Say::new(id));
    Table::new([
        Cell::text(heading("head-id")),
        Cell::text(heading("head-name")),
        Cell::text(heading("head-project")),
        Cell::text(heading("head-state")),
        Cell::figure(heading("head-since")),
        Cell::figure(heading("head-tasks")),
        Cell::figure(heading("head-cpu")),
        Cell::figure(heading("head-memory")),
        Cell::text(heading("head-accelerators")),
        Cell::text(heading("head-reason")),
    ])
}

fn row(context: &Context, view: &WorkloadView) -> Vec<Cell> {
    let (spec, lang) = (&view.spec, context.lang);
    let tasks = match &view.status.array {
        Some(array) => format!("{}×{}", array.members, spec.tasks),
        None => spec.tasks.to_string(),
    };
    vec![
        Cell::text(view.id.to_string()),
        Cell::text(&view.name),
        Cell::text(&spec.project),
        Cell::text(messages::state(lang, view.state)).paint(Paint::of_state(view.state)),
        Cell::figure(short_span(view.state_since, now())),
        Cell::figure(tasks),
        Cell::figure(messages::cpu(spec.task.cpu)),
        Cell::figure(messages::bytes(spec.task.memory)),
        Cell::text(accelerators_text(&spec.task.accelerators, lang)),
        Cell::text(messages::reason(lang, &view.state_reason)),
    ]
}

fn json(args: &Args, context: &mut Context, query: ListQuery) -> Result<(), Failure> {
    let mut first = true;
    pages(context, query, args.limit.unwrap_or(u64::MAX), |context, view| {
        let before = if std::mem::take(&mut first) { "[" } else { ",\n " };
        context.screen.bytes(before.as_bytes())?;
        let text = serde_json::to_vec(&view).map_err(|error| Failure::output(&error.into()))?;
        context.screen.bytes(&text)
    })?;
    context.screen.line(if first { "[]" } else { "]" })
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let query = query(args)?;
    if args.json {
        return json(args, context, query).map(|()| exit::OK);
    }
    let mut table = headings(context);
    let mut shown = 0u64;
    let more = pages(context, query, args.limit.unwrap_or(PAGE_DEFAULT.into()), |context, view| {
        shown += 1;
        table.row(row(context, &view));
        Ok(())
    })?;
    if shown == 0 {
        let filtered = args.all || !args.state.is_empty();
        let id = if filtered { "ps-none" } else { "ps-none-live" };
        context.screen.note(&context.say(&Say::new(id)));
        return Ok(exit::OK);
    }
    context.screen.table(&table)?;
    if more {
        context.screen.flush()?;
        context.screen.note(&context.say(&Say::new("ps-more").count("shown", shown)));
    }
    Ok(exit::OK)
}
