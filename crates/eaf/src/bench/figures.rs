//! Figures: what was measured, in a form for programs, for a screen and for a page.
//!
//! Absent: judgement. A figure has a value, a unit and how it was made.

use super::machine::Description;
use eaf_api::messages::{self, Lang};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    /// The benchmark that made it.
    benchmark: &'static str,
    /// What it is; also the id of its words, `bench-BENCHMARK-NAME`.
    name: &'static str,
    /// The median over the rounds, or the one value where there are no rounds.
    value: f64,
    /// Its unit.
    unit: Unit,
    /// The values of the rounds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    rounds: Vec<f64>,
    /// For a figure that was not measured here: by whom and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    quoted: Option<&'static str>,
}

/// Every figure, by its benchmark: each has words in both languages.
const FIGURES: [(&str, &[&str]); 8] = [
    (
        "submit",
        &[
            "rate",
            "floor",
            "ratio",
            "batch",
            "p50",
            "p99",
            "slurm-here",
            "slurm-one",
            "slurm-eight",
            "slurm-rest",
            "spur",
        ],
    ),
    ("start", &["p50", "p99", "slurm-tuned", "slurm-default", "srun", "hyperqueue", "spur"]),
    ("throughput", &["array", "single", "loop", "hyperqueue", "slurm", "spur", "xargs"]),
    ("store", &["startup", "memory", "ps", "ps-all", "memory-after", "waiting", "waiting-ps"]),
    (
        "twin",
        &[
            "openb",
            "openb-memory",
            "philly",
            "simulators-slow",
            "simulators-fast",
            "million",
            "million-memory",
            "steps",
            "floor",
            "seeds",
            "seed-hours",
        ],
    ),
    (
        "topology",
        &[
            "philly-leaf",
            "philly-spine",
            "philly-leaf-best",
            "philly-spine-best",
            "philly-leaf-first",
            "philly-spine-first",
            "philly-leaf-random",
            "philly-spine-random",
            "large-leaf",
            "large-spine",
            "large-leaf-best",
            "large-spine-best",
            "large-leaf-first",
            "large-spine-first",
            "large-leaf-random",
            "large-spine-random",
        ],
    ),
    (
        "scheduler",
        &[
            "cold",
            "arrival",
            "fill",
            "steady",
            "steady-p99",
            "estimate",
            "memory",
            "cold-1k",
            "arrival-1k",
            "fill-1k",
            "steady-1k",
            "steady-p99-1k",
            "estimate-1k",
            "memory-1k",
            "cold-10k",
            "arrival-10k",
            "fill-10k",
            "steady-10k",
            "steady-p99-10k",
            "estimate-10k",
            "memory-10k",
            "cold-100k",
            "arrival-100k",
            "fill-100k",
            "steady-100k",
            "steady-p99-100k",
            "estimate-100k",
            "memory-100k",
            "cold-shares",
            "steady-shares",
            "steady-p99-shares",
            "burst",
            "burst-starts",
            "slurm-cycle",
            "slurm-backfill",
        ],
    ),
    ("floor", &["one", "by-32", "by-100", "fork-exec"]),
];

/// Units, by the symbol that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unit {
    #[serde(rename = "1/s")]
    PerSecond,
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "MiB")]
    MebiBytes,
    #[serde(rename = "1")]
    Count,
    #[serde(rename = "x")]
    Times,
}

impl Unit {
    const fn symbol(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Milliseconds => " ms",
            Self::Seconds => " s",
            Self::MebiBytes => " MiB",
            Self::Count => "",
            Self::Times => "x",
        }
    }
}

/// Everything that one run measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    machine: Description,
    rounds: u32,
    /// True for a tenth of the work; such figures are no statement about speed.
    quick: bool,
    figures: Vec<Figure>,
}

impl Report {
    pub(crate) const fn new(machine: Description, rounds: u32, quick: bool) -> Self {
        Self { machine, rounds, quick, figures: Vec::new() }
    }

    /// Adds the median of several rounds.
    pub(crate) fn median(&mut self, benchmark: &'static str, name: &'static str, unit: Unit, rounds: &[f64]) {
        let value = percentile(rounds, 50);
        let rounds = if rounds.len() > 1 { rounds.to_vec() } else { Vec::new() };
        self.push(Figure { benchmark, name, value, unit, rounds, quoted: None });
    }

    /// Adds a single value.
    pub(crate) fn value(&mut self, benchmark: &'static str, name: &'static str, unit: Unit, value: f64) {
        self.median(benchmark, name, unit, &[value]);
    }

    /// Adds a figure of somebody else.
    pub(crate) fn quoted(
        &mut self,
        benchmark: &'static str,
        name: &'static str,
        unit: Unit,
        value: f64,
        by: &'static str,
    ) {
        self.push(Figure { benchmark, name, value, unit, rounds: Vec::new(), quoted: Some(by) });
    }

    fn push(&mut self, figure: Figure) {
        let known =
            |(benchmark, names): &(&str, &[&str])| *benchmark == figure.benchmark && names.contains(&figure.name);
        assert!(FIGURES.iter().any(known), "bench-{}-{} has no words", figure.benchmark, figure.name);
        self.figures.push(figure);
    }

    /// For programs.
    pub(crate) fn json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("figures are JSON");
        text.push('\n');
        text
    }

    /// For a screen.
    pub(crate) fn table(&self, lang: Lang) -> String {
        let rows: Vec<(String, String, &str)> = self
            .figures
            .iter()
            .map(|figure| (words(lang, figure), shown(figure), figure.quoted.unwrap_or_default()))
            .collect();
        let width = rows.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or(0);
        let mut out = format!("{}\n", self.machine.line());
        for (name, value, quoted) in rows {
            let by = if quoted.is_empty() { String::new() } else { format!("  [{quoted}]") };
            let _ = writeln!(out, "{value:>width$}  {name}{by}");
        }
        out
    }

    /// For a page: a part for each benchmark, by its name.
    pub(crate) fn parts(&self) -> Vec<(&'static str, String)> {
        let mut parts: Vec<(&'static str, String)> = Vec::new();
        for figure in &self.figures {
            if parts.last().is_none_or(|(name, _)| *name != figure.benchmark) {
                parts.push((figure.benchmark, self.heading(figure.benchmark)));
            }
            let rounds: Vec<String> = figure.rounds.iter().map(|value| number(*value)).collect();
            let beside = figure.quoted.map_or_else(|| rounds.join(", "), |by| format!("*{by}*"));
            if let Some((_, text)) = parts.last_mut() {
                let _ = writeln!(text, "| {} | {} | {beside} |", words(Lang::En, figure), shown(figure));
            }
        }
        parts
    }

    /// What a part of a page begins with.
    fn heading(&self, benchmark: &str) -> String {
        let about = messages::text(Lang::En, &format!("bench-{benchmark}"), &[]);
        let machine = self.machine.line();
        let mut out = format!("## {benchmark}\n\n{about}\n\n{machine}; rounds: {}, medians.\n", self.rounds);
        if self.quick {
            out.push_str("\n**Made with `--quick`: a tenth of the work. No statement about speed.**\n");
        }
        out.push_str("\n| what | value | rounds |\n| --- | ---: | --- |\n");
        out
    }
}

fn words(lang: Lang, figure: &Figure) -> String {
    messages::text(lang, &format!("bench-{}-{}", figure.benchmark, figure.name), &[])
}

fn shown(figure: &Figure) -> String {
    format!("{}{}", number(figure.value), figure.unit.symbol())
}

/// Three digits that count, with commas between thousands.
fn number(value: f64) -> String {
    if value < 100.0 {
        let digits = if value < 10.0 { 2 } else { 1 };
        return format!("{value:.digits$}");
    }
    let whole = format!("{value:.0}");
    let mut out = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The value below which `percent` of the values lie (nearest rank).
pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    assert!(!values.is_empty(), "a percentile of nothing was asked for");
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (percent * sorted.len()).div_ceil(100).clamp(1, sorted.len());
    sorted[rank - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        let check = |value, expect: &str| assert_eq!(number(value), expect);
        check(1.234, "1.23");
        check(12.34, "12.3");
        check(123.4, "123");
        check(1_234.5, "1,234");
        check(1_234_567.0, "1,234,567");
    }

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let check = |percent, expect: f64| assert!((percentile(&values, percent) - expect).abs() < 1e-9);
        check(50, 50.0);
        check(99, 99.0);
        check(100, 100.0);
        check(0, 1.0);
    }

    #[test]
    fn every_figure_has_words_in_both_languages() {
        for (benchmark, names) in FIGURES {
            for lang in [Lang::En, Lang::Ko] {
                assert!(messages::has(lang, &format!("bench-{benchmark}")), "bench-{benchmark} in {lang:?}");
                for name in names {
                    assert!(
                        messages::has(lang, &format!("bench-{benchmark}-{name}")),
                        "bench-{benchmark}-{name} in {lang:?}"
                    );
                }
            }
        }
    }
}
