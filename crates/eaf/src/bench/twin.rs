//! The twin: how fast and in how much memory it replays, and how many seeds it searches.
//!
//! What: each figure is a run of this very program, so that its memory is its own and its command can be typed by hand.
//! The floor is what the chain of the journal alone costs: as many steps, hashed and nothing else. Absent: traces that
//! are not carried; a user's own file is replayed by the same commands.

use super::figures::{Report, Unit};
use super::{BenchError, Plan, own};
use eaf_store::{Hash, link};
use serde_json::Value;
use std::time::Instant;

const NAME: &str = "twin";
/// Bytes of a step in the floor, as many as a step of a replay has in the mean.
const STEP_BYTES: usize = 400;
/// Public simulators of the Philly trace; with the date of the reading.
const SIMULATORS: &str = "Tiresias' and Lucid's simulators, measured by the project in 2026, not in this run";

/// Runs the twin of this program and reads its document.
pub(super) fn run(words: &[&str]) -> Result<Value, BenchError> {
    own::run(&[&["twin"], words].concat())
}

fn field(document: &Value, name: &str) -> f64 {
    document[name].as_f64().unwrap_or(0.0)
}

/// The most memory that a run has held; its document says it in millions of bytes.
fn peak_mib(document: &Value) -> f64 {
    field(document, "peak_rss_mb") * 1e6 / f64::from(1 << 20)
}

pub(super) fn measure(plan: &Plan, report: &mut Report) -> Result<(), BenchError> {
    let rounds = |words: &[&str]| (0..plan.rounds).map(|_| run(words)).collect::<Result<Vec<_>, BenchError>>();
    let of = |runs: &[Value], name: &str| runs.iter().map(|run| field(run, name)).collect::<Vec<f64>>();

    let openb = rounds(&["replay", "--format", "openb"])?;
    let millis: Vec<f64> = of(&openb, "wall_s").iter().map(|seconds| seconds * 1_000.0).collect();
    report.median(NAME, "openb", Unit::Milliseconds, &millis);
    let memory: Vec<f64> = openb.iter().map(peak_mib).collect();
    report.median(NAME, "openb-memory", Unit::MebiBytes, &memory);

    let philly = rounds(&["replay", "--format", "philly", "--nodes", "16x8"])?;
    let rates: Vec<f64> = philly.iter().map(|run| field(run, "workloads") / field(run, "wall_s").max(1e-9)).collect();
    report.median(NAME, "philly", Unit::PerSecond, &rates);
    report.quoted(NAME, "simulators-slow", Unit::PerSecond, 10.0, SIMULATORS);
    report.quoted(NAME, "simulators-fast", Unit::PerSecond, 935.0, SIMULATORS);

    let jobs = plan.amount(1_000_000).to_string();
    let million = run(&["replay", "--format", "synthetic", "--jobs", &jobs, "--nodes", "10000x8"])?;
    report.value(NAME, "million", Unit::Seconds, field(&million, "wall_s"));
    report.value(NAME, "million-memory", Unit::MebiBytes, peak_mib(&million));
    let steps = field(&million, "steps");
    report.value(NAME, "steps", Unit::PerSecond, steps / field(&million, "wall_s").max(1e-9));
    report.value(NAME, "floor", Unit::PerSecond, floor(plan.amount(1_000_000)));

    let seeds = plan.amount(2_000).to_string();
    let search = run(&["search", "--seeds", &seeds, "--jobs", "1"])?;
    report.value(NAME, "seeds", Unit::PerSecond, field(&search, "seeds_per_s"));
    report.value(NAME, "seed-hours", Unit::PerSecond, field(&search, "virtual_hours_per_s"));
    Ok(())
}

/// Steps that are chained and nothing else, a second.
fn floor(steps: u32) -> f64 {
    let line = [b'x'; STEP_BYTES];
    let begun = Instant::now();
    let mut hash = Hash::default();
    for _ in 0..steps {
        hash = link(&hash, &line);
    }
    let elapsed = begun.elapsed().as_secs_f64();
    // The hash is looked at, so that it is computed.
    assert!(hash != Hash::default(), "a chain of steps has a hash");
    f64::from(steps) / elapsed.max(1e-9)
}
