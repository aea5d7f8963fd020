//! The runs that a command line of `eaf twin replay` asks for.
//!
//! What: reads fleets and trace, and replays them for every fleet and rate. Absent: how the figures are shown.

use super::refused::refused;
use super::replay::{Args, Cost, Format, PolicyWord, Rule, Told};
use crate::commands::{Context, figure};
use crate::exit;
use crate::failure::Failure;
use crate::files::{parse_cpu, parse_span};
use crate::say::Say;
use eaf_model::{NodeSpec, Placing, Settings, Span, Time};
use eaf_twin::fleet::EqualNodes;
use eaf_twin::replay::{Options, Outcome, PreemptionCost, Progress, WallTimes, replay};
use eaf_twin::trace::{
    DropReason, Dropped, PHILLY_NODE_SHARES, Synthetic, SyntheticShape, Trace, openb_nodes, openb_pods, philly_jobs,
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::time::{Duration, Instant};

/// The traces that the program carries.
const OPENB_NODES: &[u8] = include_bytes!("../../../../../data/traces/openb/openb_node_list_all_node.csv");
const OPENB_PODS: &[u8] = include_bytes!("../../../../../data/traces/openb/openb_pod_list_default.csv");
const PHILLY_JOBS: &[u8] = include_bytes!("../../../../../data/traces/philly/philly_2k.csv");
/// The fleets that they are replayed on where none is named.
const PHILLY_FLEET: &str = "16x8";
const SYNTHETIC_FLEET: &str = "1000x8";

/// One run, with what it took.
pub(super) struct Run {
    /// What tells it from the others.
    pub(super) name: String,
    pub(super) rate_milli: u64,
    pub(super) outcome: Outcome,
    /// Everything that was left out, by the reader and by the factory.
    pub(super) dropped: Vec<Dropped>,
    pub(super) without_start: u64,
    pub(super) policy: Option<&'static str>,
    pub(super) took: Duration,
    /// The processor time of it.
    pub(super) cpu: Duration,
    pub(super) peak_rss_mb: f64,
}

impl Run {
    /// How many were left out, by reason.
    pub(super) fn dropped_by_reason(&self) -> Vec<(DropReason, Vec<&Dropped>)> {
        let mut reasons: std::collections::BTreeMap<DropReason, Vec<&Dropped>> = std::collections::BTreeMap::new();
        for dropped in &self.dropped {
            reasons.entry(dropped.why).or_default().push(dropped);
        }
        reasons.into_iter().collect()
    }

    /// Virtual hours for each second that it took.
    pub(super) fn hours_per_second(&self) -> f64 {
        self.outcome.summary.makespan_s / 3_600.0 / self.took.as_secs_f64().max(1e-9)
    }

    /// Jobs for each second of a processor.
    #[allow(clippy::cast_precision_loss, reason = "a count far below 2^53")]
    pub(super) fn jobs_per_cpu_second(&self) -> f64 {
        self.outcome.summary.workloads as f64 / self.cpu.as_secs_f64().max(1e-9)
    }

    /// The document for programs.
    pub(super) fn document(&self, args: &Args) -> Value {
        let mut document = serde_json::to_value(&self.outcome.summary).unwrap_or_default();
        let lines = |rows: &[&Dropped]| rows.iter().map(|row| row.line).collect::<Vec<_>>();
        let reasons: Vec<Value> = self
            .dropped_by_reason()
            .iter()
            .map(|(why, rows)| json!({"why": why.code(), "workloads": rows.len(), "lines": lines(rows)}))
            .collect();
        let own = json!({
            "run": self.name,
            "settings": settings(args),
            "rate": rate(self.rate_milli),
            "policy": self.policy,
            "dropped": self.dropped.len(),
            "dropped_by_reason": reasons,
            "without_start": self.without_start,
            "wall_s": self.took.as_secs_f64(),
            "cpu_s": self.cpu.as_secs_f64(),
            "jobs_per_cpu_s": self.jobs_per_cpu_second(),
            "peak_rss_mb": self.peak_rss_mb,
            "virtual_hours_per_s": self.hours_per_second(),
        });
        if let (Some(fields), Value::Object(own)) = (document.as_object_mut(), own) {
            fields.extend(own);
        }
        document
    }
}

/// A fleet, and the word for it.
struct Fleet {
    name: String,
    nodes: Vec<NodeSpec>,
    per_node: u32,
}

/// Every run that the command line asks for.
pub(super) fn all(args: &Args, context: &Context) -> Result<Vec<Run>, Failure> {
    options_agree(args)?;
    let rates = args.rate.iter().map(|text| rate_milli(text)).collect::<Result<Vec<_>, _>>()?;
    let fleets = fleets(args)?;
    let policies = match args.policy.as_slice() {
        [] => vec![None],
        some => some.iter().copied().map(Some).collect(),
    };
    let mut runs = Vec::new();
    for fleet in &fleets {
        for (rate, text) in rates.iter().zip(&args.rate) {
            for policy in &policies {
                let mut name = Vec::new();
                if fleets.len() > 1 || (rates.len() == 1 && policies.len() == 1) {
                    name.push(fleet.name.clone());
                }
                if rates.len() > 1 || *rate != 1_000 {
                    name.push(format!("×{text}"));
                }
                name.extend(policy.map(|policy| policy.policy().name().to_owned()));
                runs.push(one(args, fleet, (*rate, *policy), name.join(" "), context)?);
            }
        }
    }
    Ok(runs)
}

fn one(
    args: &Args,
    fleet: &Fleet,
    (rate_milli, policy): (u64, Option<PolicyWord>),
    name: String,
    context: &Context,
) -> Result<Run, Failure> {
    let mut options = Options {
        settings: eaf_server::embedded_settings(Settings::default())
            .map_err(|error| Failure::because(exit::FAILED, Say::new("fail-twin"), &error))?,
        rate_milli,
        wall_times: wall_times(args)?,
        estimates: None,
        preemptible: false,
        preemption_cost: match args.preemption_cost {
            Cost::None => PreemptionCost::None,
            Cost::Published => PreemptionCost::Published,
        },
        begins_at: begins(&args.begins)?,
        check: args.check_invariants,
    };
    if let Some(policy) = policy {
        let placing = if args.placement == Rule::Reference { Placing::Reference } else { Placing::Eaf };
        policy.policy().apply(placing, &mut options);
    }
    let policy = policy.map(|policy| policy.policy().name());
    let (started, cpu_before) = (Instant::now(), cpu_time());
    let (outcome, dropped, without_start) = if args.format == Format::Synthetic {
        let shape = synthetic(args, fleet)?;
        let bar = bar(shape.workloads, context);
        options.estimates = args.estimates.map(|sample| (sample.get().into(), shape.workloads));
        let jobs = Synthetic::new(args.seed.unwrap_or(1), shape);
        let outcome = replay(&fleet.nodes, jobs, &options, &mut |at| show(&bar, at));
        bar.finish_and_clear();
        (outcome, Vec::new(), 0)
    } else {
        let trace = trace(args, fleet.per_node)?;
        let bar = bar(trace.jobs.len() as u64, context);
        options.estimates = args.estimates.map(|sample| (sample.get().into(), trace.jobs.len() as u64));
        let without_start = trace.without_start();
        let outcome = replay(&fleet.nodes, trace.jobs.into_iter(), &options, &mut |at| show(&bar, at));
        bar.finish_and_clear();
        (outcome, trace.dropped, without_start)
    };
    let outcome = outcome.map_err(|error| Failure::because(exit::FAILED, Say::new("fail-twin"), &error))?;
    let mut dropped = dropped;
    dropped.extend(outcome.dropped.iter().cloned());
    let (took, cpu) = (started.elapsed(), cpu_time().saturating_sub(cpu_before));
    Ok(Run { name, rate_milli, outcome, dropped, without_start, policy, took, cpu, peak_rss_mb: peak_rss_mb() })
}

/// Refuses options that the format would not look at.
fn options_agree(args: &Args) -> Result<(), Failure> {
    let (openb, synthetic) = (args.format == Format::Openb, args.format == Format::Synthetic);
    let idle = [
        ("--pods", args.pods.is_some() && !openb),
        ("--jobs", args.jobs.is_some() && openb),
        ("--from", args.from.is_some() && synthetic),
        ("--to", args.to.is_some() && synthetic),
        ("--seed", args.seed.is_some() && !synthetic),
        ("--load", args.load.is_some() && !synthetic),
    ];
    if args.least_used.is_some() && args.wall_times != Told::Overstated {
        return Err(Failure::new(exit::USAGE, Say::new("fail-twin-least-used-idle")));
    }
    let idle_without_policy =
        [("--placement", args.placement != Rule::Eaf), ("--preemption-cost", args.preemption_cost != Cost::None)];
    if let Some((option, _)) = idle_without_policy.iter().find(|(_, given)| *given && args.policy.is_empty()) {
        return Err(Failure::new(exit::USAGE, Say::new("fail-twin-policy").with("option", option)));
    }
    match idle.iter().find(|(_, idle)| *idle) {
        Some((option, _)) => {
            let format = format!("{:?}", args.format).to_lowercase();
            Err(Failure::new(exit::USAGE, Say::new("fail-twin-option").with("option", option).with("format", format)))
        }
        None => Ok(()),
    }
}

/// What was asked for, so that a document can be made again.
fn settings(args: &Args) -> Value {
    json!({
        "format": format!("{:?}", args.format).to_lowercase(),
        "nodes": args.nodes,
        "pods": args.pods,
        "jobs": args.jobs,
        "from": args.from,
        "to": args.to,
        "nodes_max": args.nodes_max,
        "wall_times": format!("{:?}", args.wall_times).to_lowercase(),
        "least_used": args.least_used,
        "estimates": args.estimates,
        "placement": format!("{:?}", args.placement).to_lowercase(),
        "preemption_cost": format!("{:?}", args.preemption_cost).to_lowercase(),
        "begins": args.begins,
        "seed": args.seed,
        "load": args.load,
    })
}

/// What the factory is told of durations.
fn wall_times(args: &Args) -> Result<WallTimes, Failure> {
    let given = args.least_used.as_deref().unwrap_or("0.1");
    let share = parse_cpu(given).ok().map(|share| share.0).filter(|milli| (1..=1_000).contains(milli));
    match args.wall_times {
        Told::Unknown => Ok(WallTimes::Unknown),
        Told::Exact => Ok(WallTimes::Exact),
        Told::Overstated => share
            .map(|least_used_milli| WallTimes::Overstated { least_used_milli })
            .ok_or_else(|| Failure::new(exit::USAGE, Say::new("fail-twin-least-used").with("given", given))),
    }
}

fn rate_milli(text: &str) -> Result<u64, Failure> {
    let rate = parse_cpu(text).ok().map(|rate| rate.0).filter(|milli| (1..=1_000_000_000).contains(milli));
    rate.ok_or_else(|| Failure::new(exit::USAGE, Say::new("fail-twin-rate").with("given", text)))
}

#[allow(clippy::cast_precision_loss, reason = "a rate is far below 2^53")]
fn rate(milli: u64) -> f64 {
    milli as f64 / 1_000.0
}

fn fleets(args: &Args) -> Result<Vec<Fleet>, Failure> {
    let named: Vec<&str> = args.nodes.iter().map(String::as_str).collect();
    let words: &[&str] = match (named.as_slice(), args.format) {
        ([], Format::Openb) => return Ok(vec![limited(read_nodes("openb", OPENB_NODES)?, "openb", args)]),
        ([], Format::Philly) => &[PHILLY_FLEET],
        ([], Format::Synthetic) => &[SYNTHETIC_FLEET],
        (named, _) => named,
    };
    words.iter().map(|word| fleet(word, args)).collect()
}

fn fleet(word: &str, args: &Args) -> Result<Fleet, Failure> {
    if let Ok(equal) = word.parse::<EqualNodes>() {
        let parts = match args.format {
            Format::Philly => PHILLY_NODE_SHARES,
            Format::Openb | Format::Synthetic => (eaf_model::CpuMilli(12_000), eaf_model::Bytes(96 << 30)),
        };
        return Ok(limited(equal.specs(parts), word, args));
    }
    let path = Path::new(word);
    if !path.exists() {
        return Err(Failure::new(exit::USAGE, Say::new("fail-twin-fleet").with("given", word)));
    }
    let file = open(path)?;
    let name = path.file_stem().map_or_else(|| word.to_owned(), |stem| stem.to_string_lossy().into_owned());
    Ok(limited(read_nodes(word, file)?, &name, args))
}

fn limited(mut nodes: Vec<NodeSpec>, name: &str, args: &Args) -> Fleet {
    if let Some(max) = args.nodes_max.map(|max| max.get() as usize).filter(|max| *max < nodes.len()) {
        // Evenly over the list: its beginning may be of one kind.
        let all = nodes.len();
        let mut at = 0..all;
        nodes.retain(|_| at.next().is_some_and(|n| (n + 1) * max / all > n * max / all));
    }
    let per_node = nodes.iter().map(|node| node.accelerators.len()).max().unwrap_or(1);
    Fleet { name: name.to_owned(), nodes, per_node: u32::try_from(per_node).unwrap_or(1) }
}

fn read_nodes(path: &str, source: impl Read) -> Result<Vec<NodeSpec>, Failure> {
    openb_nodes(source).map_err(|error| refused(path, &error))
}

fn open(path: &Path) -> Result<BufReader<File>, Failure> {
    File::open(path).map(BufReader::new).map_err(|error| Failure::file("fail-read", path, &error))
}

fn trace(args: &Args, per_node: u32) -> Result<Trace, Failure> {
    let read = |path: &Path, carried: &'static [u8]| -> Result<(String, Box<dyn Read>), Failure> {
        if path.as_os_str().is_empty() {
            return Ok(("(carried)".to_owned(), Box::new(carried)));
        }
        Ok((path.display().to_string(), Box::new(open(path)?)))
    };
    let trace = if args.format == Format::Openb {
        let (path, source) = read(args.pods.as_deref().unwrap_or(Path::new("")), OPENB_PODS)?;
        openb_pods(source).map_err(|error| refused(&path, &error))?
    } else {
        let (path, source) = read(Path::new(args.jobs.as_deref().unwrap_or("")), PHILLY_JOBS)?;
        philly_jobs(source, per_node).map_err(|error| refused(&path, &error))?
    };
    let span = |option, given: &Option<String>, none| match given {
        Some(text) => figure(option, text, "30d", parse_span),
        None => Ok(none),
    };
    let (from, to) = (span("--from", &args.from, Span::ZERO)?, span("--to", &args.to, Span(u64::MAX))?);
    let trace = if args.from.is_some() || args.to.is_some() { trace.within(from, to) } else { trace };
    if trace.jobs.is_empty() {
        return Err(Failure::new(exit::BAD_FILE, Say::new("fail-twin-no-jobs")));
    }
    Ok(trace)
}

fn synthetic(args: &Args, fleet: &Fleet) -> Result<SyntheticShape, Failure> {
    let bad = |option: &str, given: &str| {
        Failure::new(exit::USAGE, Say::new("fail-twin-number").with("option", option).with("given", given))
    };
    let text = args.jobs.as_deref().unwrap_or("10000");
    let workloads = text.parse::<u64>().ok().filter(|n| (1..=100_000_000).contains(n));
    let given = args.load.as_deref().unwrap_or("0.9");
    let load = given.parse::<f64>().ok().filter(|load| (0.001..=100.0).contains(load));
    let load = load.ok_or_else(|| bad("--load", given))?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 1 and 100,000")]
    let load_milli = (load * 1_000.0).round() as u64;
    Ok(SyntheticShape {
        workloads: workloads.ok_or_else(|| bad("--jobs", text))?,
        accelerators: fleet.nodes.iter().map(|node| node.accelerators.len() as u64).sum(),
        load_milli,
    })
}

fn begins(text: &str) -> Result<Time, Failure> {
    let date = text.parse::<jiff::civil::Date>().ok();
    let midnight = date.and_then(|date| date.to_zoned(jiff::tz::TimeZone::UTC).ok());
    let midnight = midnight.map(|midnight| Time(midnight.timestamp().as_millisecond()));
    midnight.ok_or_else(|| Failure::new(exit::USAGE, Say::new("fail-twin-date").with("given", text)))
}

/// The processor time of this thread; what the kernel does not tell is nothing.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0))
}

/// The most memory that this process has held, in MB.
fn peak_rss_mb() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kib = line.trim().split(' ').next().and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0);
    (kib * 1.024 / 100.0).round() / 10.0
}

/// A bar on a terminal; nothing elsewhere.
fn bar(workloads: u64, context: &Context) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(workloads), ProgressDrawTarget::stderr_with_hz(10));
    let words = context.say(&Say::new("twin-progress"));
    let template = format!("{{bar:30.cyan/dim}} {{human_pos}}/{{human_len}} {words} {{msg}} ({{elapsed}})");
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("━━─"));
    bar
}

fn show(bar: &ProgressBar, at: Progress) {
    bar.set_position(at.ended);
    bar.set_message(eaf_api::messages::span(at.elapsed));
}
