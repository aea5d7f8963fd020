//! The published queueing benchmark: traces by every queue policy, beside the means that others have found.
//!
//! What: each row is a run of this very program, so that its command can be typed by hand and its processor time is its
//! own. Why beside the other benchmarks and not in them: its figures are tables by policy, and they are kept in a marked
//! part of a page. Absent: the rules of the policies; they are settings of the core.

use super::placement::sheet::Sheet;
use super::{BenchError, twin};
use crate::commands::Context;
use crate::commands::twin::{percent, time};
use crate::failure::Failure;
use crate::say::Say;
use eaf_api::messages::Lang;
use serde_json::Value;
use std::path::Path;

const COMMAND: &str = "eaf bench replay --all --markdown docs/benchmarks.md";
/// The same with the full trace, which this program does not carry.
const COMMAND_FULL: &str = "eaf bench replay --all --jobs FILE --markdown docs/benchmarks.md";
const HEADINGS: [&str; 12] = [
    "replay-policy",
    "replay-published",
    "replay-jct-mean",
    "replay-jct-p50",
    "replay-jct-p99",
    "replay-wait-mean",
    "replay-makespan",
    "replay-preemptions",
    "replay-lost",
    "replay-fairness",
    "replay-speed",
    "replay-memory",
];

/// Beside the waits: how wrong estimated starts were, with what was learned and as if all used its whole wall time.
const ESTIMATES: [&str; 8] = [
    "twin-size",
    "twin-waited-count",
    "twin-wait-p50",
    "twin-error-p50",
    "twin-error-p90",
    "twin-by-p90",
    "twin-error-p50-walls",
    "twin-error-p90-walls",
];
/// How many workloads are asked about.
const ASKED: &str = "1000";

/// A run of the published benchmark: policy, rule of placement, cost of preemption, and the published mean completion.
type Row = (&'static str, &'static str, &'static str, Option<f64>);

/// The means are those of the reference; for least attained service that of Tiresias' own simulator.
const PHILLY: [Row; 8] = [
    ("fifo", "reference", "none", Some(201_116.0)),
    ("fifo-skip", "reference", "none", Some(62_925.2)),
    ("sjf", "reference", "none", Some(47_287.0)),
    ("sjf-skip", "reference", "none", Some(41_297.2)),
    ("las", "reference", "none", Some(22_698.6)),
    ("las", "eaf", "none", Some(22_698.6)),
    ("eaf", "eaf", "none", None),
    ("eaf", "eaf", "published", None),
];
const FULL: [Row; 8] = [
    ("fifo", "reference", "none", None),
    ("fifo-skip", "reference", "none", None),
    ("sjf", "reference", "none", None),
    ("sjf-skip", "reference", "none", None),
    ("las", "eaf", "none", None),
    ("las", "eaf", "published", None),
    ("eaf", "eaf", "none", None),
    ("eaf", "eaf", "published", None),
];
/// Fleets that make the full trace wait.
const FULL_FLEETS: [&str; 3] = ["64x8", "56x8", "48x8"];
/// How many times faster than it did the openb trace arrives.
const RATES: [&str; 3] = ["50", "100", "200"];

/// What is asked for.
pub(super) struct Asked<'a> {
    /// All tables, not that of the published trace alone.
    pub(super) all: bool,
    /// The full trace; its tables are left out where it is not at hand.
    pub(super) jobs: Option<&'a Path>,
    pub(super) machine: String,
    pub(super) json: bool,
    pub(super) markdown: Option<&'a Path>,
}

pub(super) fn run(asked: &Asked<'_>, context: &mut Context) -> Result<(), Failure> {
    let failed = |error: BenchError| Failure::because(crate::exit::FAILED, Say::new("fail-bench"), &error);
    let mut documents = Vec::new();
    let mut sheets = vec![philly("replay-sheet-philly", None, "16x8", &PHILLY, &mut documents).map_err(failed)?];
    if let Some(jobs) = asked.jobs.filter(|_| asked.all) {
        for (fleet, title) in FULL_FLEETS.iter().zip(["replay-sheet-64", "replay-sheet-56", "replay-sheet-48"]) {
            sheets.push(philly(title, Some(jobs), fleet, &FULL, &mut documents).map_err(failed)?);
        }
    }
    if asked.all {
        sheets.push(openb(&mut documents).map_err(failed)?);
        sheets.push(estimates(&mut documents).map_err(failed)?);
    }
    if asked.json {
        context.screen.json(&documents)?;
    } else {
        sheets.iter().try_for_each(|sheet| sheet.print("", context))?;
    }
    let Some(path) = asked.markdown else { return Ok(()) };
    let command = if asked.jobs.is_some() { COMMAND_FULL } else { COMMAND };
    let mut text =
        format!("## replay\n\nWritten by `{command}`; nothing here is typed by hand.\n\n{}\n\n", asked.machine);
    text.push_str(&Say::new("replay-means").in_lang(Lang::En));
    for sheet in &sheets {
        text.push_str("\n\n#");
        text.push_str(sheet.markdown().trim_end());
    }
    super::marked::put(path, "replay", &text).map_err(|error| Failure::file("fail-write", path, &error))
}

/// A table of the Philly trace on one fleet.
fn philly(
    title: &'static str,
    jobs: Option<&Path>,
    fleet: &str,
    rows: &[Row],
    documents: &mut Vec<Value>,
) -> Result<Sheet, BenchError> {
    let jobs = jobs.map(|path| path.display().to_string());
    let mut sheet = Sheet::new(title, &HEADINGS);
    for &(policy, placement, cost, published) in rows {
        let mut words = vec!["replay", "--format", "philly", "--nodes", fleet, "--policy", policy];
        words.extend(["--placement", placement, "--preemption-cost", cost]);
        words.extend(jobs.iter().flat_map(|path| ["--jobs", path.as_str()]));
        let name = match cost {
            "published" => format!("{policy}, {placement} placement, 40/60 s a preemption"),
            _ => format!("{policy}, {placement} placement"),
        };
        let document = twin::run(&words)?;
        sheet.row(cells(name, published, &document));
        documents.push(document);
    }
    Ok(sheet)
}

fn openb(documents: &mut Vec<Value>) -> Result<Sheet, BenchError> {
    let mut sheet = Sheet::new("replay-sheet-openb", &HEADINGS);
    for rate in RATES {
        let words = ["replay", "--format", "openb", "--rate", rate];
        let document = twin::run(&words)?;
        sheet.row(cells(format!("×{rate}"), None, &document));
        documents.push(document);
    }
    Ok(sheet)
}

/// How good estimated starts are, by size.
fn estimates(documents: &mut Vec<Value>) -> Result<Sheet, BenchError> {
    let words = ["replay", "--format", "philly", "--nodes", "16x8", "--wall-times", "overstated", "--estimates", ASKED];
    let document = twin::run(&words)?;
    let mut sheet = Sheet::new("replay-sheet-estimates", &ESTIMATES);
    for size in document["estimates"]["by_size"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let time = |seconds: &Value| time(seconds.as_f64().unwrap_or(0.0));
        let (learned, walls) = (&size["learned"], &size["wall_times"]);
        sheet.row(vec![
            size["accelerators"].as_str().unwrap_or_default().to_owned(),
            size["waited"].to_string(),
            time(&size["p50_wait_s"]),
            time(&learned["p50_error_s"]),
            time(&learned["p90_error_s"]),
            percent(learned["by_p90_share"].as_f64().unwrap_or(0.0)),
            time(&walls["p50_error_s"]),
            time(&walls["p90_error_s"]),
        ]);
    }
    documents.push(document);
    Ok(sheet)
}

fn cells(name: String, published: Option<f64>, document: &Value) -> Vec<String> {
    let field = |name: &str| document[name].as_f64().unwrap_or(f64::NAN);
    let tenths = |name: &str| format!("{:.1}", field(name));
    vec![
        name,
        published.map_or_else(|| "-".to_owned(), |mean| format!("{mean:.1}")),
        tenths("mean_jct_s"),
        tenths("p50_jct_s"),
        tenths("p99_jct_s"),
        tenths("mean_wait_s"),
        format!("{:.0}", field("makespan_s")),
        format!("{:.0}", field("preemptions")),
        tenths("lost_hours"),
        format!("{:.3}", field("fairness")),
        format!("{:.0}", field("jobs_per_cpu_s")),
        format!("{:.0}", field("peak_rss_mb")),
    ]
}
