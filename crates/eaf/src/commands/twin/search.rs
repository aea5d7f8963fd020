//! `eaf twin search`: random factories and faults, until one breaks a rule.
//!
//! What: splits seeds over threads, shows how far it is, and what was met; a seed that breaks a rule comes with a shrunk
//! script. Why threads here: the twin has none. Absent: what is drawn and checked; that is `eaf-twin`'s.

use super::super::Context;
use super::table::count as thousands;
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use crate::screen::{Cell, Paint, Table};
use eaf_twin::search::{Failure as Broken, Tally, shrink, tell_seed, try_seed};
use eaf_twin::world::Met;
use serde_json::json;
use std::io::{IsTerminal, Write};
use std::num::{NonZeroU64, NonZeroUsize};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a terminal is told how far the search is.
const PROGRESS: Duration = Duration::from_millis(500);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many seeds; 1000 where nothing is said.
    #[arg(long, value_name = "N", default_value = "1000")]
    seeds: NonZeroU64,
    /// The first seed.
    #[arg(long, value_name = "S", default_value_t = 0)]
    from: u64,
    /// Play this seed alone, and print its log in virtual time.
    #[arg(long, value_name = "S", conflicts_with_all = ["seeds", "from", "jobs", "json"])]
    seed: Option<u64>,
    /// Threads; one for each processor where nothing is said.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// A JSON document for programs.
    #[arg(long)]
    json: bool,
}

/// What all threads share.
struct Shared {
    next: AtomicU64,
    end: u64,
    /// The lowest seed that broke a rule.
    broken_at: AtomicU64,
    tally: Mutex<Tally>,
    broken: Mutex<Option<Box<Broken>>>,
}

impl Shared {
    /// Plays seeds until there are none, or one below has broken a rule.
    fn work(&self) {
        loop {
            let next = |seed: u64| (seed < self.end).then(|| seed + 1);
            let Ok(seed) = self.next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) else { return };
            if seed > self.broken_at.load(Ordering::Acquire) {
                return;
            }
            match try_seed(seed) {
                Ok(tally) => self.tally.lock().unwrap_or_else(PoisonError::into_inner).add(&tally),
                Err(broken) => {
                    self.broken_at.fetch_min(seed, Ordering::AcqRel);
                    let mut lowest = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
                    if lowest.as_ref().is_none_or(|other| other.seed > seed) {
                        *lowest = Some(broken);
                    }
                }
            }
        }
    }

    fn tally(&self) -> Tally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What a search came to.
struct Done {
    tally: Tally,
    broken: Option<Broken>,
    elapsed: Duration,
    jobs: usize,
}

impl Done {
    fn per_second(&self, count: u64) -> u64 {
        let ms = u128::from(count) * 1_000 / self.elapsed.as_millis().max(1);
        u64::try_from(ms).unwrap_or(u64::MAX)
    }

    fn hours(&self) -> u64 {
        self.tally.simulated.0 / 3_600_000
    }
}

/// Searches in threads; a panic of the core is a finding and not news for the terminal.
fn search(args: &Args, context: &Context) -> Done {
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let jobs = args.jobs.map_or_else(cores, NonZeroUsize::get);
    let shared = Shared {
        next: AtomicU64::new(args.from),
        end: args.from.saturating_add(args.seeds.get()),
        broken_at: AtomicU64::new(u64::MAX),
        tally: Mutex::default(),
        broken: Mutex::default(),
    };
    let begun = Instant::now();
    quietly(|| {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..jobs).map(|_| scope.spawn(|| shared.work())).collect();
            let mut told = Instant::now();
            while threads.iter().any(|thread| !thread.is_finished()) {
                std::thread::sleep(Duration::from_millis(5));
                if told.elapsed() >= PROGRESS && std::io::stderr().is_terminal() {
                    told = Instant::now();
                    progress(&shared.tally(), args, begun, context);
                }
            }
        });
    });
    clear_progress();
    let elapsed = begun.elapsed();
    let broken = shared.broken.into_inner().unwrap_or_else(PoisonError::into_inner);
    let broken = broken.map(|broken| quietly(|| shrink(&broken)));
    let tally = shared.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    Done { tally, broken, elapsed, jobs }
}

/// Does something whose panics are findings.
fn quietly<T>(what: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let done = what();
    std::panic::set_hook(hook);
    done
}

/// One line on the terminal, written over the one before.
fn progress(tally: &Tally, args: &Args, begun: Instant, context: &Context) {
    let rate = u128::from(tally.seeds) * 1_000 / begun.elapsed().as_millis().max(1);
    let say = Say::new("twin-search-progress")
        .with("seeds", thousands(tally.seeds))
        .with("of", thousands(args.seeds.get()))
        .with("rate", rate);
    // A reader who has closed standard error does not want to hear of it.
    let _ = write!(std::io::stderr(), "\r\u{1b}[K{}", context.say(&say));
}

fn clear_progress() {
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr(), "\r\u{1b}[K");
    }
}

/// Everything there is to meet, side by side, and how often it was met.
fn coverage(tally: &Tally, context: &Context) -> Table {
    let met = tally.coverage.table();
    let column = |of: Met| met.iter().filter(move |(kind, ..)| *kind == of).map(met_cells).collect::<Vec<_>>();
    let head = |id| context.say(&Say::new(id));
    let empty = || [Cell::text(""), Cell::text("")];
    // Cases stand under the refusals, which are fewer than events.
    let mut second = column(Met::Rejection);
    second.push(empty());
    second.push([Cell::text(head("twin-search-cases")).paint(Paint::Dim), Cell::text("")]);
    second.extend(column(Met::Case));
    let mut columns = [column(Met::Event), second, column(Met::Fault)].map(Vec::into_iter);
    let heads = ["twin-search-events", "twin-search-rejections", "twin-search-faults"];
    let mut table =
        Table::new(heads.into_iter().flat_map(|id| [Cell::text(head(id)), Cell::figure(head("twin-search-met"))]));
    while columns.iter().any(|column| column.len() > 0) {
        let cells: Vec<Cell> = columns.iter_mut().flat_map(|column| column.next().unwrap_or_else(&empty)).collect();
        table.row(cells);
    }
    table
}

fn met_cells((_, name, count): &(Met, &'static str, u64)) -> [Cell; 2] {
    let paint = if *count == 0 { Paint::Bad } else { Paint::Plain };
    [Cell::text(name).paint(paint), Cell::figure(thousands(*count)).paint(paint)]
}

fn document(done: &Done) -> serde_json::Value {
    let tally = &done.tally;
    let table = tally.coverage.table();
    let of = |kind: Met| {
        let rows = table.iter().filter(|(met, ..)| *met == kind);
        rows.map(|(_, name, count)| ((*name).to_owned(), json!(count))).collect::<serde_json::Map<_, _>>()
    };
    let failure = done.broken.as_ref().map(|broken| {
        json!({
            "seed": broken.seed,
            "rule": broken.violation.rule,
            "what": broken.violation.what,
            "script": broken.script(),
        })
    });
    json!({
        "seeds": tally.seeds,
        "steps": tally.steps,
        "workloads": tally.workloads,
        "starts": tally.starts,
        "virtual_hours": done.hours(),
        "wall_ms": u64::try_from(done.elapsed.as_millis()).unwrap_or(u64::MAX),
        "jobs": done.jobs,
        "seeds_per_s": done.per_second(tally.seeds),
        "virtual_hours_per_s": done.per_second(done.hours()),
        "coverage": {
            "events": of(Met::Event),
            "rejections": of(Met::Rejection),
            "faults": of(Met::Fault),
            "cases": of(Met::Case),
        },
        "missing": tally.coverage.missing(),
        "failure": failure,
    })
}

/// Prints what held.
fn figures(done: &Done, context: &mut Context) -> Result<(), Failure> {
    let tally = &done.tally;
    let speed = Say::new("twin-search-speed-of")
        .with("seeds", thousands(done.per_second(tally.seeds)))
        .with("hours", thousands(done.per_second(done.hours())))
        .count("jobs", done.jobs as u64);
    let mut table = Table::bare();
    for (id, text) in [
        ("twin-search-steps", thousands(tally.steps)),
        ("twin-search-workloads", thousands(tally.workloads)),
        ("twin-search-starts", thousands(tally.starts)),
        ("twin-search-hours", thousands(done.hours())),
        ("twin-search-speed", context.say(&speed)),
    ] {
        table.row([Cell::text(format!("  {}", context.say(&Say::new(id)))).paint(Paint::Dim), Cell::text(text)]);
    }
    context.screen.table(&table)?;
    context.screen.line("")?;
    let coverage = coverage(tally, context);
    context.screen.table(&coverage)
}

/// Prints a seed that broke a rule.
fn print_broken(broken: &Broken, context: &mut Context) -> Result<(), Failure> {
    let say = Say::new("twin-search-broken").with("seed", broken.seed).with("rule", broken.violation.rule);
    let (headline, why) = (context.say(&say), broken.violation.what.clone());
    context.screen.painted(Paint::Bad, &headline)?;
    context.screen.line(&format!("  {why}"))?;
    context.screen.line("")?;
    for line in broken.script().lines() {
        context.screen.line(line)?;
    }
    context.screen.flush()?;
    context.screen.note(&context.say(&Say::new("twin-search-next").with("seed", broken.seed)));
    Ok(())
}

/// Plays one seed and tells its story.
fn tell(seed: u64, context: &mut Context) -> Result<u8, Failure> {
    let (log, violation) = quietly(|| tell_seed(seed));
    for line in log {
        context.screen.line(&line)?;
    }
    if violation.is_none() {
        let say = context.say(&Say::new("twin-search-seed-held").with("seed", seed));
        return context.screen.painted(Paint::Good, &say).map(|()| exit::OK);
    }
    context.screen.flush()?;
    if let Err(broken) = quietly(|| try_seed(seed)) {
        print_broken(&quietly(|| shrink(&broken)), context)?;
    }
    Ok(exit::FAILED)
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    if let Some(seed) = args.seed {
        return tell(seed, context);
    }
    if args.from.checked_add(args.seeds.get()).is_none() {
        return Err(Failure::new(exit::USAGE, Say::new("fail-twin-seeds").with("from", args.from)));
    }
    let done = search(args, context);
    let missing = done.tally.coverage.missing();
    if args.json {
        context.screen.json(&document(&done))?;
    } else if let Some(broken) = &done.broken {
        print_broken(broken, context)?;
    } else {
        let say = context.say(&Say::new("twin-search-held").with("seeds", thousands(done.tally.seeds)));
        context.screen.painted(Paint::Good, &say)?;
        figures(&done, context)?;
        if !missing.is_empty() {
            let say = Say::new("twin-search-missing").with("missing", missing.join(", "));
            return Err(Failure::new(exit::FAILED, say));
        }
    }
    Ok(if done.broken.is_some() || !missing.is_empty() { exit::FAILED } else { exit::OK })
}
