//! The report of replays as a page: charts, figures side by side, notes.
//!
//! What: one file without scripts or outside parts, light or dark as its reader prefers. Absent: figures of its own; it
//! shows what the table shows.

use super::replay::Args;
use super::runs::Run;
use super::table::{self, FIGURES, count, percent, time};
use crate::commands::Context;
use crate::say::Say;
use eaf_twin::chart::{Chart, Line, Scale};
use eaf_twin::replay::Point;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// Colours: told apart by eyes that do not see red and green alike (Okabe and Ito's palette), on light and on dark.
const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#667085;--grid:#e4e7ec;--paper:#fff;--card:#f9fafb}
@media (prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#98a2b3;--grid:#2b313b;--paper:#12151a;--card:#191d24}}
body{font:15px/1.5 system-ui,'Noto Sans KR',sans-serif;color:var(--ink);background:var(--paper);margin:0 auto;
max-width:1000px;padding:32px 20px 64px}
h1{font-size:24px;margin:0 0 4px}h2{font-size:16px;margin:36px 0 8px}p{margin:0 0 8px;color:var(--soft)}
.chart{width:100%;height:auto;display:block}.grid{stroke:var(--grid);stroke-width:1}
.tick{fill:var(--soft);font-size:11px}.line{fill:none;stroke-width:1.8;stroke-linejoin:round}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;color:var(--soft);font-size:13px;margin:2px 0 6px}
.legend i{display:inline-block;width:14px;height:3px;border-radius:2px;margin-right:6px;vertical-align:middle}
.s0{stroke:#0072b2}.s1{stroke:#d55e00}.s2{stroke:#009e73}.s3{stroke:#cc79a7}
.s4{stroke:#e69f00}.s5{stroke:#56b4e9}.s6{stroke:#7a5cc0}.s7{stroke:#8a8f98}
.b0{background:#0072b2}.b1{background:#d55e00}.b2{background:#009e73}.b3{background:#cc79a7}
.b4{background:#e69f00}.b5{background:#56b4e9}.b6{background:#7a5cc0}.b7{background:#8a8f98}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:14px}
th,td{padding:5px 10px;border-bottom:1px solid var(--grid);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left;color:var(--soft)}thead th{color:var(--ink);font-weight:600}
ul{color:var(--soft);padding-left:18px;font-size:13px}code{font-size:13px}
";

/// What a point shows.
type Of = fn(&Point) -> f64;

/// The page.
pub(super) fn render(args: &Args, runs: &[Run], context: &Context) -> String {
    let say = |id: &'static str| context.say(&Say::new(id));
    let title = format!("{} · {}", say("twin-title"), format_name(args));
    let over_time: [(&'static str, Scale, Of); 3] = [
        ("twin-chart-allocated", Scale::Share, |point| point.allocated),
        ("twin-chart-waiting", Scale::Count, |point| point.waiting),
        ("twin-chart-fragmented", Scale::Share, |point| point.fragmented),
    ];
    let page = html! {
        (DOCTYPE)
        html lang=(context.lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                p { (say("twin-subtitle")) " " (say("twin-tail")) }
                @for (id, scale, of) in over_time {
                    (section(&say(id), &time_chart(runs, scale, of), &say("twin-nothing-there")))
                }
                (section(&say("twin-chart-waits"), &waits(runs), &say("twin-nothing-waited")))
                h2 { (say("twin-figures")) }
                div.scroll { (figures(runs, context)) }
                @for run in runs {
                    h2 { (say("twin-by-size")) " · " (run.name) }
                    div.scroll { (sizes(run, context)) }
                }
                h2 { (say("twin-notes")) }
                ul { @for line in table::notes_of(runs, context) { li { (line) } } }
            }
        }
    };
    page.into_string()
}

fn format_name(args: &Args) -> String {
    format!("{:?}", args.format).to_lowercase()
}

/// A chart with its heading and legend, or a word where there is nothing to draw.
fn section(heading: &str, chart: &Chart, nothing: &str) -> Markup {
    if !chart.has_shape() {
        return html! { h2 { (heading) } p { (nothing) } };
    }
    html! {
        h2 { (heading) }
        @if chart.lines.len() > 1 {
            div.legend {
                @for (index, line) in chart.lines.iter().enumerate() {
                    span { i class={ "b" (index % 8) } {} (line.name) }
                }
            }
        }
        (PreEscaped(chart.svg(heading)))
    }
}

/// What is held at its end below this share of the most that was held is a tail that hides the rest.
const TAIL: f64 = 0.05;

fn time_chart(runs: &[Run], scale: Scale, of: Of) -> Chart {
    let series: Vec<Vec<Point>> = runs.iter().map(|run| run.outcome.series.points()).collect();
    let busy = |points: &Vec<Point>| {
        let most = points.iter().map(|point| point.allocated).fold(0.0, f64::max);
        let last = points.iter().rev().find(|point| point.allocated >= most * TAIL || point.waiting > 0.0);
        last.map_or(0.0, span_seconds)
    };
    let until = series.iter().map(busy).fold(0.0, f64::max);
    let lines = runs.iter().zip(&series).map(|(run, points)| {
        let points = points.iter().map(|point| (span_seconds(point), of(point)));
        Line { name: run.name.clone(), points: points.filter(|(at, _)| *at <= until).collect() }
    });
    Chart { x: Scale::Time, y: scale, lines: lines.collect(), steps: true }
}

#[allow(clippy::cast_precision_loss, reason = "a chart")]
fn span_seconds(point: &Point) -> f64 {
    point.from.0 as f64 / 1_000.0
}

/// The share of workloads that waited at most so long.
fn waits(runs: &[Run]) -> Chart {
    let lines = runs.iter().map(|run| {
        let waits = &run.outcome.wait_percentiles_s;
        #[allow(clippy::cast_precision_loss, reason = "a chart")]
        let points = waits.iter().enumerate().map(|(percent, wait)| (*wait, percent as f64 / 100.0)).collect();
        Line { name: run.name.clone(), points }
    });
    Chart { x: Scale::LogTime, y: Scale::Share, lines: lines.collect(), steps: false }
}

fn figures(runs: &[Run], context: &Context) -> Markup {
    html! {
        table {
            thead { tr { th {} @for run in runs { th { (run.name) } } } }
            tbody {
                @for (id, show) in FIGURES {
                    tr { td { (context.say(&Say::new(id))) } @for run in runs { td { (show(run)) } } }
                }
            }
        }
    }
}

fn sizes(run: &Run, context: &Context) -> Markup {
    let say = |id: &'static str| context.say(&Say::new(id));
    html! {
        table {
            thead {
                tr {
                    th { (say("twin-size")) } th { (say("twin-workloads")) } th { (say("twin-waited")) }
                    th { (say("twin-wait-mean")) } th { (say("twin-wait-p50")) } th { (say("twin-wait-p90")) }
                    th { (say("twin-wait-p99")) } th { (say("twin-wait-max")) } th { (say("twin-jct-mean")) }
                }
            }
            tbody {
                @for size in &run.outcome.summary.by_size {
                    tr {
                        td { (size.accelerators) } td { (count(size.workloads)) } td { (percent(size.wait.waited_share)) }
                        td { (time(size.wait.mean_wait_s)) } td { (time(size.wait.p50_wait_s)) }
                        td { (time(size.wait.p90_wait_s)) } td { (time(size.wait.p99_wait_s)) }
                        td { (time(size.wait.max_wait_s)) } td { (time(size.mean_jct_s)) }
                    }
                }
            }
        }
    }
}
