//! Every shipped trace by every policy, beside the published results, the reference and the bounds; and growth.
//!
//! Why all of it in one command: a page that is written by hand is behind, and one that takes five commands is too.
//! Absent: which policies meet the published results (`eaf_twin::placement` says so).

use super::sheet::{Sheet, share, whole_percent};
use super::{Args, Manner, Trace, closed, read, tell, timed};
use crate::bench::marked;
use crate::commands::Context;
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use crate::screen::Paint;
use eaf_api::messages::Lang;
use eaf_twin::placement::{Bounds, Machines, Order, PolicyName, Published, bounds, machines, published};
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::collections::BTreeSet;

/// The trace whose nodes grow, and the policies that are watched.
const GROWTH_TRACE: &str = "default";
const GROWTH: [PolicyName; 3] = [PolicyName::BestFit, PolicyName::Fgd, PolicyName::Eaf];
const LOADS: [usize; 2] = [100, 130];
const COMMAND: &str = "eaf bench placement --all --markdown docs/benchmarks.md";

/// Sums over the seeds of a trace.
#[derive(Default)]
struct Row {
    name: String,
    runs: f64,
    /// By policy, then by load.
    shares: [[f64; 2]; 7],
    micros: [f64; 7],
    reference: f64,
    served: f64,
    bounds: [f64; 2],
    worse: u32,
}

/// Where a policy stands in a row.
fn at(policy: PolicyName) -> usize {
    PolicyName::ALL.iter().position(|one| *one == policy).unwrap_or(0)
}

impl Row {
    fn add_bounds(&mut self, bounds: &Bounds) {
        self.reference += bounds.reference;
        self.served += bounds.served;
        self.bounds = [self.bounds[0] + bounds.at_100, self.bounds[1] + bounds.at_130];
    }

    fn share(&self, policy: PolicyName, load: usize) -> f64 {
        self.shares[at(policy)][load] / self.runs
    }

    /// Ours less FGD, and the part of the gap that this closes.
    fn gain(&self, load: usize) -> [String; 2] {
        let (ours, fgd) = (self.share(PolicyName::Eaf, load), self.share(PolicyName::Fgd, load));
        [format!("{:+.2}", ours - fgd), whole_percent(closed(ours, fgd, self.reference / self.runs))]
    }
}

/// What was found about the published results.
#[derive(Default)]
struct Exact {
    runs: u64,
    differing: Vec<Say>,
}

impl Exact {
    fn say(&self) -> Say {
        let equal = self.runs - self.differing.len() as u64;
        Say::new("place-equal").with("equal", equal).with("runs", self.runs)
    }
}

pub(super) fn run(args: &Args, manner: &Manner<'_>, context: &mut Context) -> Result<u8, Failure> {
    let fleet = read(&args.data.join("openb_node_list_gpu_node.csv"), machines)?;
    let expected = read(&args.data.join("expected_allocation.csv"), published)?;
    let names: BTreeSet<&str> = expected.keys().map(|(trace, _, _)| trace.as_str()).collect();
    let orders = args.data.join("orders.tsv.gz");
    let traces = names.iter().map(|name| {
        let pods = args.data.join(format!("openb_pod_list_{name}.csv"));
        let mut trace = Trace::read(&pods, &orders, None, &fleet)?;
        trace.orders.truncate(if manner.quick { 1 } else { usize::MAX });
        Ok(trace)
    });
    let traces = traces.collect::<Result<Vec<Trace>, Failure>>()?;
    let runs: usize = traces.iter().map(|trace| trace.orders.len() * PolicyName::ALL.len()).sum();
    let bar = ProgressBar::with_draw_target(Some(runs as u64), ProgressDrawTarget::stderr_with_hz(4));
    bar.set_message(context.screen.say(&Say::new("place-progress")));
    let (mut rows, mut exact) = (Vec::new(), Exact::default());
    for trace in &traces {
        rows.push(row(args, &fleet, trace, &expected, &mut exact, manner, &bar, context)?);
    }
    let mut sheets = sheets(&rows);
    if let Some(trace) = traces.iter().find(|trace| trace.name == GROWTH_TRACE && !manner.json) {
        sheets.push(growth(&fleet, trace, if manner.quick { &[1, 10] } else { &[1, 10, 100] }));
    }
    bar.finish_and_clear();
    if !manner.json {
        show(&sheets, &exact, manner, context)?;
    }
    write(&sheets, &exact, manner)?;
    Ok(if exact.differing.is_empty() && exact.runs > 0 { exit::OK } else { exit::FAILED })
}

fn row(
    args: &Args,
    fleet: &Machines,
    trace: &Trace,
    expected: &Published,
    exact: &mut Exact,
    manner: &Manner<'_>,
    bar: &ProgressBar,
    context: &mut Context,
) -> Result<Row, Failure> {
    let mut row = Row { name: trace.name.clone(), ..Row::default() };
    for order in &trace.orders {
        let mut last = [[0.0; 2]; 7];
        for policy in PolicyName::ALL {
            let run = timed(fleet, &trace.pods, order, policy);
            if let Some(label) = policy.published() {
                exact.runs += 1;
                let want = expected.get(&(trace.name.clone(), label.to_owned(), order.seed));
                if !want.is_some_and(|want| run.outcome.equals(want)) {
                    let say = Say::new("place-differs").with("policy", policy.word());
                    exact.differing.push(say.with("trace", &trace.name).with("seed", order.seed));
                }
            }
            last[at(policy)] = LOADS.map(|load| run.outcome.at(load).unwrap_or(f64::NAN));
            row.micros[at(policy)] += run.micros;
            if manner.json {
                tell(&trace.name, policy, order.seed, &run, args.columns, context)?;
            }
            bar.inc(1);
        }
        for (sums, shares) in row.shares.iter_mut().zip(last) {
            *sums = [sums[0] + shares[0], sums[1] + shares[1]];
        }
        let (ours, fgd) = (last[at(PolicyName::Eaf)], last[at(PolicyName::Fgd)]);
        row.worse += ours.iter().zip(fgd).map(|(ours, fgd)| u32::from(*ours < fgd)).sum::<u32>();
        row.runs += 1.0;
        if !manner.json || manner.markdown.is_some() {
            row.add_bounds(&bounds(fleet, &trace.pods, order));
        }
    }
    Ok(row)
}

fn sheets(rows: &[Row]) -> Vec<Sheet> {
    let words = || PolicyName::ALL.map(PolicyName::word);
    let mut sheets = Vec::new();
    for (load, title) in ["place-sheet-100", "place-sheet-130"].into_iter().enumerate() {
        let mut sheet = Sheet::new(title, &["place-trace"]).named(words());
        for row in rows {
            let shares = PolicyName::ALL.map(|policy| share(row.share(policy, load)));
            sheet.row(std::iter::once(row.name.clone()).chain(shares).collect());
        }
        sheets.push(sheet);
    }
    let mut reach = Sheet::new(
        "place-sheet-reach",
        &[
            "place-trace",
            "place-reference",
            "place-served",
            "place-bound-100",
            "place-gain-100",
            "place-closed-100",
            "place-bound-130",
            "place-gain-130",
            "place-closed-130",
            "place-worse",
        ],
    );
    let mut micros = Sheet::new("place-sheet-micros", &["place-trace"]).named(words());
    for row in rows {
        let mean = |sum: f64| share(sum / row.runs);
        let mut cells = vec![row.name.clone(), mean(row.reference), mean(row.served)];
        for load in 0..LOADS.len() {
            cells.push(mean(row.bounds[load]));
            cells.extend(row.gain(load));
        }
        cells.push(row.worse.to_string());
        reach.row(cells);
        micros.row(std::iter::once(row.name.clone()).chain(row.micros.map(mean)).collect());
    }
    sheets.extend([reach, micros]);
    sheets
}

/// The same arrivals on more and more of the same nodes.
fn growth(fleet: &Machines, trace: &Trace, times: &[usize]) -> Sheet {
    let mut sheet = Sheet::new("place-sheet-growth", &["place-nodes"]);
    sheet = sheet.named(GROWTH.iter().flat_map(|policy| [policy.word(), "@100"]));
    let Some(first) = trace.orders.first() else { return sheet };
    let every: Vec<usize> = trace.orders.iter().flat_map(|order| order.arrivals.iter().copied()).collect();
    for &times in times {
        let order = Order {
            seed: first.seed,
            nodes: std::iter::repeat_n(&first.nodes, times).flatten().copied().collect(),
            arrivals: every.iter().cycle().take(first.arrivals.len() * times).copied().collect(),
        };
        let mut cells = vec![order.nodes.len().to_string()];
        for policy in GROWTH {
            let run = timed(fleet, &trace.pods, &order, policy);
            cells.push(format!("{:.2} µs", run.micros));
            cells.push(share(run.outcome.at(100).unwrap_or(f64::NAN)));
        }
        sheet.row(cells);
    }
    sheet
}

fn notes() -> [Say; 3] {
    [Say::new("place-means-reference"), Say::new("place-means-random"), Say::new("place-means-growth")]
}

fn show(sheets: &[Sheet], exact: &Exact, manner: &Manner<'_>, context: &mut Context) -> Result<(), Failure> {
    context.screen.line(&manner.machine)?;
    context.screen.line("")?;
    for sheet in sheets {
        sheet.print("", context)?;
    }
    for note in notes() {
        let text = context.screen.say(&note);
        context.screen.line(&text)?;
    }
    context.screen.line("")?;
    for say in &exact.differing {
        let text = context.screen.say(say);
        context.screen.painted(Paint::Bad, &text)?;
    }
    let text = context.screen.say(&exact.say());
    context.screen.painted(if exact.differing.is_empty() { Paint::Good } else { Paint::Bad }, &text)
}

fn write(sheets: &[Sheet], exact: &Exact, manner: &Manner<'_>) -> Result<(), Failure> {
    let head = format!("## placement\n\nWritten by `{COMMAND}`; nothing here is typed by hand.\n");
    let mut parts = vec![head, format!("{}\n", manner.machine), format!("{}.\n", exact.say().in_lang(Lang::En))];
    if manner.quick {
        parts.push("**Made with `--quick`: one seed of each trace.**\n".to_owned());
    }
    parts.extend(notes().map(|note| format!("{}\n", note.in_lang(Lang::En))));
    parts.extend(sheets.iter().map(|sheet| format!("#{}", sheet.markdown())));
    let Some(path) = manner.markdown else { return Ok(()) };
    marked::put(path, "placement", &parts.join("\n")).map_err(|error| Failure::file("fail-write", path, &error))
}
