//! `eaf twin what-if`: what would change on a factory with other nodes or more work.
//!
//! What: reads the journal of a data directory as it is at this moment, beside the running factory, and shows two futures
//! of it: as it is, and with the change. Absent: writing to that directory, and any promise; the assumptions are printed.

use super::table::count;
use crate::commands::{Context, figure, read_workload};
use crate::exit;
use crate::failure::Failure;
use crate::files::parse_share;
use crate::journal;
use crate::say::Say;
use crate::screen::{Cell, Paint, Table, now, short_span};
use eaf_api::messages;
use eaf_core::State;
use eaf_model::{NodeSpec, Span, Submission, Time, WorkloadId};
use eaf_store::{Recovered, SqliteSource, recover};
use eaf_twin::fleet::EqualNodes;
use eaf_twin::what_if::{Change, Fate, Future, WhatIf, WhatIfError, what_if};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The most workloads that are shown where nobody asks for all.
const SHOWN_MAX: usize = 20;
/// Threads and memory beside each accelerator of nodes that are named by a word.
const PARTS: (eaf_model::CpuMilli, eaf_model::Bytes) = (eaf_model::CpuMilli(12_000), eaf_model::Bytes(96 << 30));

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The data directory of the factory; otherwise that of --data-dir.
    #[arg(long, value_name = "DIR")]
    from: Option<PathBuf>,
    /// Nodes that join: 2*NAME for two like the node NAME, or a fleet such as 4x8xMI355X.
    #[arg(long, value_name = "NODES")]
    add_nodes: Vec<String>,
    /// Names of nodes that take nothing more from now on, separated by commas.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    remove_nodes: Vec<String>,
    /// Workload files that are submitted now: TOML, YAML, or scripts with #SBATCH lines.
    #[arg(long, value_name = "FILE")]
    submit: Vec<PathBuf>,
    /// The share of its wall time that work is taken to last.
    #[arg(long, value_name = "SHARE", default_value = "1")]
    last: String,
    /// Show all workloads.
    #[arg(long)]
    all: bool,
    /// A JSON document for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let dir = args.from.clone().unwrap_or_else(|| context.data_dir());
    let recovered = read(&dir, context)?;
    let state = &recovered.state;
    let change = change(args, state, context)?;
    let last = figure("--last", &args.last, "0.6", parse_share)?;
    let milli = u32::try_from(last.0).ok().filter(|milli| (1..=1_000).contains(milli));
    let milli = milli.ok_or_else(|| {
        let say = Say::new("fail-twin-last").with("given", &args.last);
        Failure::new(exit::USAGE, say)
    })?;
    let answer = what_if(state, now(), &change, milli).map_err(|error| refused(&error, context))?;
    if args.json {
        return context.screen.json(&document(&answer, state)).map(|()| exit::OK);
    }
    print(&answer, milli, args.all, &recovered, context).map(|()| exit::OK)
}

/// The state of a factory that may be running.
fn read(dir: &Path, context: &Context) -> Result<Recovered, Failure> {
    let said = |why| Failure::Said {
        code: exit::NOT_FOUND,
        say: Say::new("fail-journal-open").with("path", dir.display()),
        why,
    };
    let mut source = SqliteSource::open(dir).map_err(|error| said(journal::open(context.lang, &error)))?;
    recover(&mut source).map_err(|error| said(journal::recover(context.lang, &error)))
}

fn change(args: &Args, state: &State, context: &Context) -> Result<Change, Failure> {
    let mut change = Change { remove: args.remove_nodes.clone(), ..Change::default() };
    for word in &args.add_nodes {
        let first = change.add.len();
        change.add.extend(joining(word, state)?.into_iter().enumerate().map(|(n, mut node)| {
            node.name = format!("what-if-{}", first + n);
            node
        }));
    }
    for path in &args.submit {
        let file = read_workload(path, context)?;
        let by = "what-if".to_owned();
        change.submit.push(Submission { spec: file.spec, array: file.array, key: None, by, ended: Vec::new() });
    }
    Ok(change)
}

fn joining(word: &str, state: &State) -> Result<Vec<NodeSpec>, Failure> {
    if let Some((times, name)) = word.split_once('*') {
        let times = times.parse::<usize>().ok().filter(|times| (1..=100_000).contains(times));
        if let (Some(times), Some(node)) = (times, state.node_named(name)) {
            return Ok(vec![(*node.spec).clone(); times]);
        }
    } else if let Ok(equal) = word.parse::<EqualNodes>() {
        return Ok(equal.specs(PARTS));
    }
    Err(Failure::new(exit::USAGE, Say::new("fail-twin-add").with("given", word)))
}

fn refused(error: &WhatIfError, context: &Context) -> Failure {
    let why = |rejection| vec![messages::rejection(context.lang, rejection).detail];
    match error {
        WhatIfError::UnknownNode { name } => {
            Failure::new(exit::NOT_FOUND, Say::new("fail-twin-node").with("name", name))
        }
        WhatIfError::Node { name, rejection } => Failure::Said {
            code: exit::FAILED,
            say: Say::new("fail-twin-refused").with("name", name),
            why: why(rejection),
        },
        WhatIfError::Submission { name, rejection } => Failure::Said {
            code: exit::FAILED,
            say: Say::new("fail-twin-refused").with("name", name),
            why: why(rejection),
        },
        other => Failure::because(exit::FAILED, Say::new("fail-twin"), other),
    }
}

/// Thousandths in percent.
fn milli_percent(milli: u32) -> String {
    super::table::percent(f64::from(milli) / 1_000.0)
}

fn print(answer: &WhatIf, milli: u32, all: bool, recovered: &Recovered, context: &mut Context) -> Result<(), Failure> {
    let assumed = Say::new("what-if-from")
        .with("step", recovered.head.step)
        .with("at", messages::instant(answer.from))
        .with("last", milli_percent(milli));
    let assumed = context.say(&assumed);
    context.screen.painted(Paint::Dim, &assumed)?;
    context.screen.line("")?;
    let say = |context: &Context, id: &'static str| context.say(&Say::new(id));
    let headings = ["what-if-nothing", "what-if-as-it-is", "what-if-changed"];
    let mut table = Table::new(headings.map(|id| Cell::figure(say(context, id))));
    for (id, show) in FIGURES {
        let name = Cell::text(say(context, id)).paint(Paint::Dim);
        table.row([name, Cell::figure(show(&answer.as_it_is, answer)), Cell::figure(show(&answer.changed, answer))]);
    }
    context.screen.table(&table)?;
    workloads(answer, all, context)
}

type Show = fn(&Future, &WhatIf) -> String;

const FIGURES: [(&str, Show); 6] = [
    ("what-if-waiting", |future, _| count(future.waiting().count() as u64)),
    ("what-if-wait", |future, answer| future.mean_wait(answer.from).map_or_else(|| "–".to_owned(), messages::span)),
    ("what-if-stranded", |future, _| count(future.stranded())),
    ("what-if-last-end", |future, answer| messages::span(future.ends_at.since(answer.from))),
    ("what-if-energy", energy),
    ("what-if-price", |future, _| {
        let won = future.price_micro_won.max(0).cast_unsigned() / 1_000_000;
        format!("₩{}", count(u64::try_from(won).unwrap_or(u64::MAX)))
    }),
];

fn energy(future: &Future, _: &WhatIf) -> String {
    let tenths = u64::try_from(future.energy_millijoules / 360_000_000).unwrap_or(u64::MAX);
    let open = if future.energy_unknown > 0 { " + ?" } else { "" };
    format!("{}.{} kWh{open}", count(tenths / 10), tenths % 10)
}

/// A workload in both futures; the left one lacks the work of the change.
struct Pair<'a> {
    id: Option<WorkloadId>,
    before: Option<&'a Fate>,
    after: &'a Fate,
}

impl Pair<'_> {
    /// By how much its start or end moves; the largest first.
    fn moved(&self) -> u64 {
        let distance = |a: Option<Time>, b: Option<Time>| match (a, b) {
            (Some(a), Some(b)) => a.0.abs_diff(b.0),
            (None, None) => 0,
            _ => u64::MAX,
        };
        let before = |of: fn(&Fate) -> Option<Time>| self.before.and_then(of);
        let start = distance(before(|fate| fate.starts_at), self.after.starts_at);
        start.max(distance(before(|fate| fate.ends_at), self.after.ends_at))
    }
}

fn pairs(answer: &WhatIf) -> Vec<Pair<'_>> {
    let mut pairs: Vec<Pair<'_>> = answer
        .changed
        .fates
        .iter()
        .map(|(id, after)| {
            let before = after.was.and_then(|_| answer.as_it_is.fates.get(id));
            Pair { id: before.map(|_| *id), before, after }
        })
        .collect();
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.moved()));
    pairs
}

/// The workloads that move, those that move most first.
fn workloads(answer: &WhatIf, all: bool, context: &mut Context) -> Result<(), Failure> {
    let pairs = pairs(answer);
    let moved: Vec<&Pair<'_>> = pairs.iter().filter(|pair| all || pair.moved() > 0).collect();
    context.screen.line("")?;
    if moved.is_empty() {
        let same = context.say(&Say::new("what-if-same"));
        return context.screen.line(&same);
    }
    let headings = ["head-id", "head-name", "head-state", "what-if-starts", "what-if-would", "what-if-ends"];
    let headings = headings.into_iter().chain(["what-if-would-end"]);
    let mut table = Table::new(headings.map(|id| Cell::text(context.say(&Say::new(id)))));
    let shown = if all { moved.len() } else { SHOWN_MAX };
    for pair in moved.iter().take(shown) {
        let id = pair.id.map_or_else(|| context.say(&Say::new("what-if-new")), |id| id.to_string());
        let state = pair.after.was.map_or_else(String::new, |state| messages::state(context.lang, state));
        let never = context.say(&Say::new("what-if-never"));
        let time = |at: Option<Time>| at.map_or_else(|| never.clone(), |at| in_short(answer.from, at, context));
        let before = |of: fn(&Fate) -> Option<Time>| pair.before.map_or_else(String::new, |fate| time(of(fate)));
        table.row([
            Cell::text(id),
            Cell::text(&*pair.after.name),
            Cell::text(state),
            Cell::text(before(|fate| fate.starts_at)),
            Cell::text(time(pair.after.starts_at)),
            Cell::text(before(|fate| fate.ends_at)),
            Cell::text(time(pair.after.ends_at)),
        ]);
    }
    context.screen.table(&table)?;
    if moved.len() > shown {
        let more = Say::new("what-if-more").count("more", (moved.len() - shown) as u64);
        let more = context.say(&more);
        context.screen.painted(Paint::Dim, &more)?;
    }
    Ok(())
}

/// How far ahead an instant is; one that is past, how long ago.
fn in_short(from: Time, at: Time, context: &Context) -> String {
    if at < from {
        return context.say(&Say::new("ago").with("span", short_span(at, from)));
    }
    let span = at.since(from);
    if span == Span::ZERO { context.say(&Say::new("what-if-now")) } else { format!("+{}", messages::span(span)) }
}

fn document(answer: &WhatIf, state: &State) -> Value {
    let future = |future: &Future| {
        let fates: Vec<Value> = future
            .fates
            .iter()
            .map(|(id, fate)| {
                json!({
                    "id": fate.was.map(|_| id.to_string()),
                    "name": &*fate.name,
                    "state": fate.was.map(eaf_model::WorkloadState::word),
                    "starts_at": fate.starts_at,
                    "ends_at": fate.ends_at,
                })
            })
            .collect();
        json!({
            "mean_wait_ms": future.mean_wait(answer.from),
            "never_ends": future.stranded(),
            "ends_at": future.ends_at,
            "energy_kwh": kwh(future.energy_millijoules),
            "energy_unknown_attempts": future.energy_unknown,
            "price_micro_won": i64::try_from(future.price_micro_won).unwrap_or(i64::MAX),
            "workloads": fates,
        })
    };
    json!({
        "step": state.step_number(),
        "from": answer.from,
        "as_it_is": future(&answer.as_it_is),
        "changed": future(&answer.changed),
    })
}

#[allow(clippy::cast_precision_loss, reason = "a figure with a few digits")]
fn kwh(millijoules: u128) -> f64 {
    millijoules as f64 / 3.6e9
}
