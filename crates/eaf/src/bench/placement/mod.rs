//! `eaf bench placement`: the published placement benchmark on any files of its format, by its policies and by ours.
//!
//! What: its command line, runs with their times, and one line or one table row a seed. Why beside the other benchmarks
//! and not in them: its figures are shares by trace and policy, and they are compared with published ones. Absent: how a
//! policy chooses (`eaf_sched::policy`, `eaf_twin::placement`).

mod all;
pub(super) mod sheet;

use crate::commands::Context;
use crate::commands::twin::refused::refused;
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use clap::Args as ClapArgs;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use eaf_api::messages::Lang;
use eaf_twin::placement::{
    Bounds, Machines, Order, Outcome, Pods, PolicyName, Run, Wanted, bounds, machines, orders, pods, trace_name,
};
use eaf_twin::trace::TraceError;
use serde::Serialize;
use sheet::{Sheet, share, whole_percent};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What to place, and by which policy.
#[derive(ClapArgs, Clone, Debug)]
pub(crate) struct Args {
    /// placement: a list of pods in the openb format; the trace's name is taken from the file's name.
    #[arg(long, value_name = "FILE", requires_all = ["nodes", "orders"])]
    trace: Option<PathBuf>,
    /// placement: a list of nodes in the openb format. scheduler: how many nodes, in place of the three sizes.
    #[arg(long, value_name = "FILE|N")]
    pub(super) nodes: Option<PathBuf>,
    /// placement: the orders of arrival and of ties, plain or gzipped.
    #[arg(long, value_name = "FILE", requires = "trace")]
    orders: Option<PathBuf>,
    /// placement: fgd, bestfit, dotprod, gpupacking, gpuclustering, random, or eaf, which is the default.
    #[arg(long, value_name = "POLICY", value_parser = policies(), requires = "trace")]
    policy: Option<PolicyName>,
    /// placement: only the order with this seed.
    #[arg(long, value_name = "N", requires = "trace")]
    seed: Option<u64>,
    /// placement: with --json, add the shares at every load from 0 to 130.
    #[arg(long, requires = "json")]
    columns: bool,
    /// placement: every trace in --data by every policy, compared with the published results. replay: every table.
    #[arg(long, conflicts_with_all = ["trace", "nodes", "orders", "policy", "seed"])]
    all: bool,
    /// placement: the folder that --all reads.
    #[arg(long, value_name = "DIR", default_value = "data/traces/openb")]
    data: PathBuf,
}

fn policies() -> impl TypedValueParser<Value = PolicyName> {
    let named = |word: String| PolicyName::ALL.into_iter().find(|policy| policy.word() == word);
    PossibleValuesParser::new(PolicyName::ALL.map(PolicyName::word)).map(move |word| named(word).expect("a policy"))
}

impl Args {
    /// True where all is asked for; the queueing benchmark listens to it as well.
    pub(super) const fn all(&self) -> bool {
        self.all
    }

    /// Refuses what is for this benchmark where another is asked for.
    pub(super) fn only_here(&self, listens_to_all: bool) -> Result<(), Failure> {
        let given = [
            ("--trace", self.trace.is_some()),
            ("--columns", self.columns),
            ("--all", self.all && !listens_to_all),
            ("--data", self.data != Path::new("data/traces/openb")),
        ];
        match given.iter().find(|(_, given)| *given) {
            Some((option, _)) => {
                Err(Failure::new(exit::USAGE, Say::new("fail-bench-placement-only").with("option", option)))
            }
            None => Ok(()),
        }
    }
}

/// How the figures are shown, and how many there are.
pub(super) struct Manner<'a> {
    pub(super) json: bool,
    /// One seed of each trace and no large fleet, to see that it runs.
    pub(super) quick: bool,
    pub(super) markdown: Option<&'a Path>,
    /// The machine, in one line.
    pub(super) machine: String,
}

pub(super) fn run(args: &Args, manner: &Manner<'_>, context: &mut Context) -> Result<u8, Failure> {
    match (&args.trace, &args.nodes, &args.orders) {
        _ if args.all => all::run(args, manner, context),
        (Some(trace), Some(nodes), Some(orders)) => one(args, [trace, nodes, orders], manner, context),
        _ => Err(Failure::new(exit::USAGE, Say::new("fail-bench-placement-what"))),
    }
}

fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    File::open(path).map(BufReader::new).map_err(|error| Failure::file("fail-read", path, &error))
}

fn read<T>(path: &Path, by: impl FnOnce(BufReader<File>) -> Result<T, TraceError>) -> Result<T, Failure> {
    by(open(path)?).map_err(|error| refused(&path.display().to_string(), &error))
}

/// Pods with their orders, by the name of the trace.
struct Trace {
    name: String,
    pods: Pods,
    orders: Vec<Order>,
}

impl Trace {
    fn read(pods_path: &Path, orders_path: &Path, seed: Option<u64>, fleet: &Machines) -> Result<Self, Failure> {
        let stem = pods_path.file_stem().unwrap_or_default().to_string_lossy();
        let name = trace_name(&stem).to_owned();
        let pods = read(pods_path, |source| pods(source, &fleet.models))?;
        let wanted = Wanted { trace: &name, seed, pods: pods.pods.len(), nodes: fleet.nodes.len() };
        let orders = read(orders_path, |source| orders(source, &wanted))?;
        Ok(Self { name, pods, orders })
    }
}

/// A run with its time.
struct Timed {
    outcome: Outcome,
    micros: f64,
}

fn timed(fleet: &Machines, pods: &Pods, order: &Order, policy: PolicyName) -> Timed {
    let run = Run::new(fleet, pods, order, policy);
    let begun = Instant::now();
    let outcome = run.run();
    let micros = begun.elapsed().as_secs_f64() * 1e6 / outcome.decisions.max(1) as f64;
    Timed { outcome, micros }
}

/// One run, for programs.
#[derive(Serialize)]
struct Line<'a> {
    trace: &'a str,
    policy: &'static str,
    seed: u64,
    allocated_at_100: Option<f64>,
    allocated_at_130: Option<f64>,
    decisions: usize,
    mean_decision_us: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<&'a [Option<f64>]>,
}

/// Prints a run as one line, on a terminal too: each line is a document of its own.
fn tell(
    trace: &str,
    policy: PolicyName,
    seed: u64,
    run: &Timed,
    columns: bool,
    context: &mut Context,
) -> Result<(), Failure> {
    let line = Line {
        trace,
        policy: policy.word(),
        seed,
        allocated_at_100: run.outcome.at(100),
        allocated_at_130: run.outcome.at(130),
        decisions: run.outcome.decisions,
        mean_decision_us: run.micros,
        columns: columns.then_some(&run.outcome.columns[..]),
    };
    let text = serde_json::to_string(&line).map_err(|error| Failure::output(&error.into()))?;
    context.screen.line(&text)
}

/// What a seed adds to the table, and to the mean below it.
struct Seed {
    name: String,
    figures: [f64; 8],
    decisions: usize,
}

/// One trace by one policy.
fn one(args: &Args, paths: [&PathBuf; 3], manner: &Manner<'_>, context: &mut Context) -> Result<u8, Failure> {
    let [trace, nodes, orders] = paths;
    let fleet = read(nodes, machines)?;
    let trace = Trace::read(trace, orders, args.seed, &fleet)?;
    let policy = args.policy.unwrap_or(PolicyName::Eaf);
    let mut seeds = Vec::new();
    for order in &trace.orders {
        let run = timed(&fleet, &trace.pods, order, policy);
        if manner.json {
            tell(&trace.name, policy, order.seed, &run, args.columns, context)?;
        }
        if !manner.json || manner.markdown.is_some() {
            let fgd = timed(&fleet, &trace.pods, order, PolicyName::Fgd).outcome;
            let bounds = bounds(&fleet, &trace.pods, order);
            let figures = figures(&run, &fgd, &bounds);
            seeds.push(Seed { name: order.seed.to_string(), figures, decisions: run.outcome.decisions });
        }
    }
    if seeds.is_empty() {
        return Ok(exit::OK);
    }
    let sheet = sheet(&seeds);
    let title = format!("{}, {}", trace.name, policy.word());
    if !manner.json {
        sheet.print(&title, context)?;
        let notes = context.screen.say(&Say::new("place-means-reference"));
        context.screen.line(&notes)?;
    }
    page(
        manner,
        &[
            format!("# {title}\n\n{}\n", manner.machine),
            sheet.markdown(),
            Say::new("place-means-reference").in_lang(Lang::En),
        ],
    )?;
    Ok(exit::OK)
}

/// Shares at 100 and 130, the reference, the bounds, the gap closed at both loads, and the time of a decision.
fn figures(run: &Timed, fgd: &Outcome, bounds: &Bounds) -> [f64; 8] {
    let at = |outcome: &Outcome, load| outcome.at(load).unwrap_or(f64::NAN);
    let closed = |load| closed(at(&run.outcome, load), at(fgd, load), bounds.reference);
    let (share_100, share_130) = (at(&run.outcome, 100), at(&run.outcome, 130));
    [share_100, share_130, bounds.reference, closed(100), closed(130), bounds.at_100, bounds.at_130, run.micros]
}

/// The part of the way from FGD to the reference, in percent.
fn closed(share: f64, fgd: f64, reference: f64) -> f64 {
    100.0 * (share - fgd) / (reference - fgd)
}

fn sheet(seeds: &[Seed]) -> Sheet {
    let mut sheet = Sheet::new(
        "place-sheet-run",
        &[
            "place-seed",
            "place-at-100",
            "place-at-130",
            "place-reference",
            "place-closed-100",
            "place-closed-130",
            "place-bound-100",
            "place-bound-130",
            "place-micros",
            "place-decisions",
        ],
    );
    let cells = |name: String, figures: &[f64; 8], decisions: String| {
        let [at_100, at_130, reference, closed_100, closed_130, bound_100, bound_130, micros] = *figures;
        let shares = [at_100, at_130, reference].map(share);
        let closed = [closed_100, closed_130].map(whole_percent);
        let rest = [share(bound_100), share(bound_130), format!("{micros:.1}"), decisions];
        [name].into_iter().chain(shares).chain(closed).chain(rest).collect()
    };
    for seed in seeds {
        sheet.row(cells(seed.name.clone(), &seed.figures, seed.decisions.to_string()));
    }
    let mean = |at: usize| seeds.iter().map(|seed| seed.figures[at]).sum::<f64>() / seeds.len() as f64;
    let decisions: usize = seeds.iter().map(|seed| seed.decisions).sum();
    sheet.row(cells("ø".to_owned(), &std::array::from_fn(mean), decisions.to_string()));
    sheet
}

/// Writes the page, where one is wanted.
fn page(manner: &Manner<'_>, parts: &[String]) -> Result<(), Failure> {
    let Some(path) = manner.markdown else { return Ok(()) };
    let text = format!("{}\n", parts.join("\n").trim_end());
    std::fs::write(path, text).map_err(|error| Failure::file("fail-write", path, &error))
}
