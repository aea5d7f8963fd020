//! The report of replays for people: runs side by side.
//!
//! What: a column a run, a row a figure; waits by size below; what was left out, and what a figure means where that is
//! not plain. Absent: charts; the page has them.

use super::runs::Run;
use crate::commands::Context;
use crate::failure::Failure;
use crate::say::Say;
use crate::screen::{Cell, Paint, Table};
use eaf_api::messages;
use eaf_model::Span;
use eaf_twin::replay::{ErrorFigures, EstimateScore, Summary};
use eaf_twin::trace::DropReason;

/// The most rows of one reason whose lines are shown.
const LINES_SHOWN: usize = 8;

/// A figure of a run, as people read it.
type Show = fn(&Run) -> String;

/// The figures, in the order in which they are read.
pub(super) const FIGURES: [(&str, Show); 27] = [
    ("twin-fleet", |run| format!("{} / {}", count(run.outcome.summary.nodes), count(run.outcome.summary.accelerators))),
    ("twin-workloads", |run| count(run.outcome.summary.workloads)),
    ("twin-dropped", |run| count(run.dropped.len() as u64)),
    ("twin-starved", |run| count(run.outcome.summary.starved)),
    ("twin-load", |run| percent(run.outcome.summary.load_mean)),
    ("twin-waited", |run| percent(run.outcome.summary.wait.waited_share)),
    ("twin-wait-mean", |run| time(run.outcome.summary.wait.mean_wait_s)),
    ("twin-wait-p50", |run| time(run.outcome.summary.wait.p50_wait_s)),
    ("twin-wait-p90", |run| time(run.outcome.summary.wait.p90_wait_s)),
    ("twin-wait-p99", |run| time(run.outcome.summary.wait.p99_wait_s)),
    ("twin-wait-max", |run| time(run.outcome.summary.wait.max_wait_s)),
    ("twin-jct-mean", |run| time(run.outcome.summary.mean_jct_s)),
    ("twin-jct-p50", |run| time(run.outcome.summary.p50_jct_s)),
    ("twin-jct-p99", |run| time(run.outcome.summary.p99_jct_s)),
    ("twin-makespan", |run| time(run.outcome.summary.makespan_s)),
    ("twin-preemptions", |run| count(run.outcome.summary.preemptions)),
    ("twin-lost", |run| format!("{:.1} h", run.outcome.summary.lost_hours)),
    ("twin-fairness", |run| format!("{:.3}", run.outcome.summary.fairness)),
    ("twin-allocated", |run| percent(run.outcome.summary.allocated_mean)),
    ("twin-allocated-arriving", |run| percent(run.outcome.summary.allocated_while_arriving)),
    ("twin-utilisation", |run| percent(run.outcome.summary.utilisation)),
    ("twin-fragmented", |run| percent(run.outcome.summary.fragmented_mean)),
    ("twin-energy", energy),
    ("twin-price", |run| format!("₩{}", count_f(run.outcome.summary.price_won))),
    ("twin-took", |run| format!("{:.2} s", run.took.as_secs_f64())),
    ("twin-speed", |run| format!("{}/s", count_f(run.jobs_per_cpu_second()))),
    ("twin-digest", |run| digest(&run.outcome.summary)),
];

/// Prints the runs.
pub(super) fn print(runs: &[Run], context: &mut Context) -> Result<(), Failure> {
    let mut table = Table::new(std::iter::once(Cell::text("")).chain(runs.iter().map(|run| Cell::figure(&run.name))));
    for (id, show) in FIGURES {
        let name = Cell::text(context.say(&Say::new(id))).paint(Paint::Dim);
        table.row(std::iter::once(name).chain(runs.iter().map(|run| Cell::figure(show(run)))));
    }
    context.screen.table(&table)?;
    for run in runs {
        sizes(run, runs.len() > 1, context)?;
        if let Some(score) = &run.outcome.summary.estimates {
            estimates(score, &run.name, context)?;
        }
    }
    notes(runs, context)
}

/// Waits by size.
fn sizes(run: &Run, named: bool, context: &mut Context) -> Result<(), Failure> {
    context.screen.line("")?;
    let heading = Say::new("twin-by-size");
    let heading = context.say(&heading);
    let heading = if named { format!("{heading} · {}", run.name) } else { heading };
    context.screen.painted(Paint::Bold, &heading)?;
    let ids = ["twin-size", "twin-workloads", "twin-waited", "twin-wait-mean", "twin-wait-p50", "twin-wait-p90"];
    let ids = ids.into_iter().chain(["twin-wait-p99", "twin-wait-max", "twin-jct-mean"]);
    let mut table = Table::new(ids.map(|id| Cell::figure(context.say(&Say::new(id)))));
    for size in &run.outcome.summary.by_size {
        let wait = &size.wait;
        let cells = [
            size.accelerators.to_owned(),
            count(size.workloads),
            percent(wait.waited_share),
            time(wait.mean_wait_s),
            time(wait.p50_wait_s),
            time(wait.p90_wait_s),
            time(wait.p99_wait_s),
            time(wait.max_wait_s),
            time(size.mean_jct_s),
        ];
        table.row(cells.map(Cell::figure));
    }
    context.screen.table(&table)
}

/// How wrong estimated starts were.
fn estimates(score: &EstimateScore, name: &str, context: &mut Context) -> Result<(), Failure> {
    context.screen.line("")?;
    let heading = Say::new("twin-estimates").count("asked", score.asked).count("once", score.started_at_once);
    let heading = format!("{} · {name}", context.say(&heading));
    context.screen.painted(Paint::Bold, &heading)?;
    let ids = ["twin-size", "twin-waited-count", "twin-wait-p50", "twin-error-p50", "twin-error-p90", "twin-by-p90"];
    let ids = ids
        .into_iter()
        .chain(["twin-unanswered", "twin-error-p50-walls", "twin-error-p90-walls"])
        .chain(["twin-unanswered"]);
    let mut table = Table::new(ids.map(|id| Cell::figure(context.say(&Say::new(id)))));
    for size in &score.by_size {
        let name =
            if size.accelerators == "all" { context.say(&Say::new("twin-all")) } else { size.accelerators.into() };
        let error = |figures: &ErrorFigures, error: f64| {
            if figures.unanswered == size.waited { "–".to_owned() } else { time(error) }
        };
        let cells = [
            name,
            count(size.waited),
            time(size.p50_wait_s),
            error(&size.learned, size.learned.p50_error_s),
            error(&size.learned, size.learned.p90_error_s),
            percent(size.learned.by_p90_share),
            count(size.learned.unanswered),
            error(&size.wall_times, size.wall_times.p50_error_s),
            error(&size.wall_times, size.wall_times.p90_error_s),
            count(size.wall_times.unanswered),
        ];
        table.row(cells.map(Cell::figure));
    }
    context.screen.table(&table)
}

/// What was left out and why, and what else a reader must know.
fn notes(runs: &[Run], context: &mut Context) -> Result<(), Failure> {
    context.screen.line("")?;
    for line in notes_of(runs, context) {
        context.screen.painted(Paint::Dim, &line)?;
    }
    Ok(())
}

/// The same as lines.
pub(super) fn notes_of(runs: &[Run], context: &Context) -> Vec<String> {
    let mut lines = Vec::new();
    for run in runs {
        let of = if runs.len() > 1 { format!("{}: ", run.name) } else { String::new() };
        for (why, rows) in run.dropped_by_reason() {
            let places: Vec<String> =
                rows.iter().take(LINES_SHOWN).map(|row| format!("{} ({})", row.line, row.name)).collect();
            let more = if rows.len() > LINES_SHOWN { ", …" } else { "" };
            let say = Say::new("twin-dropped-rows")
                .count("rows", rows.len() as u64)
                .say("why", reason(why))
                .with("lines", places.join(", ") + more);
            lines.push(format!("{of}{}", context.say(&say)));
        }
    }
    let without_start = runs.iter().map(|run| run.without_start).max().unwrap_or(0);
    if without_start > 0 {
        lines.push(context.say(&Say::new("twin-without-start").count("rows", without_start)));
    }
    let unknown: std::collections::BTreeSet<&str> = runs
        .iter()
        .flat_map(|run| &run.outcome.summary.by_model)
        .filter(|model| model.energy_kwh.is_none())
        .map(|model| model.model.as_str())
        .collect();
    if !unknown.is_empty() {
        let models = unknown.into_iter().collect::<Vec<_>>().join(", ");
        lines.push(context.say(&Say::new("twin-energy-unknown").with("models", models)));
    }
    lines.extend(["twin-means-waits", "twin-means-shares"].map(|id| context.say(&Say::new(id))));
    lines
}

/// The message that says why rows were left out.
fn reason(why: DropReason) -> Say {
    let id = match why {
        DropReason::Twin => "twin-drop-twin",
        DropReason::EndsBeforeItBegins => "twin-drop-ends-before",
        DropReason::AsksForNothing => "twin-drop-nothing",
        DropReason::LargerThanTheFleet => "twin-drop-larger",
        DropReason::Refused { code } => return Say::new("twin-drop-refused").with("code", code),
    };
    Say::new(id)
}

fn energy(run: &Run) -> String {
    let summary = &run.outcome.summary;
    if summary.energy_unknown_attempts > 0 && summary.energy_kwh < 0.5 {
        return "?".to_owned();
    }
    let open = if summary.energy_unknown_attempts > 0 { " + ?" } else { "" };
    format!("{} kWh{open}", count_f(summary.energy_kwh))
}

/// The head of a digest: enough to tell two runs apart.
fn digest(summary: &Summary) -> String {
    let (step, hash) = summary.digest.split_once(':').unwrap_or_default();
    format!("{step}:{}…", &hash[..hash.len().min(12)])
}

/// A number with its thousands apart.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a figure for people, not below zero")]
fn count_f(number: f64) -> String {
    count(number.round().max(0.0) as u64)
}

pub(crate) fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// Seconds in their two largest units.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a figure for people, not below zero")]
pub(crate) fn time(seconds: f64) -> String {
    messages::span(Span((seconds * 1_000.0).round().max(0.0) as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_people_write_them() {
        assert_eq!([count(0), count(999), count(1_000), count(82_247)], ["0", "999", "1,000", "82,247"]);
        assert_eq!(percent(0.9539), "95.4 %");
        assert_eq!(time(190_306.9), "2d4h");
    }
}
