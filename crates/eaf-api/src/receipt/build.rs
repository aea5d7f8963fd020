//! Building a receipt from the facts of the journal.
//!
//! What: one figure for each thing that was held, used, drawn and charged, each made from inputs of the bill by the formula
//! that the bill states. Why the values are derived here and not copied: what a receipt says is what its reader computes.
//! Absent: reading the journal, and signing.

use super::document::{
    FORMAT, Figure, FigureUnit, Input, Receipt, ReceiptAttempt, ReceiptTasks, ReceiptWorkload, Term, Unknown,
};
use eaf_model::{Basis, Bill, Charge, EnergyPart, Exit, Item, LeaseId, Load, Reason, Time, WorkloadId, WorkloadState};
use std::collections::BTreeMap;

/// What a receipt is made from.
#[derive(Clone, Debug)]
pub struct ReceiptFacts {
    /// The name of the factory.
    pub factory: String,
    /// The head of the journal, as `STEP:HASH`, at which the workload had ended.
    pub journal: String,
    /// The workload.
    pub workload: WorkloadId,
    /// Its name.
    pub name: String,
    /// Its project.
    pub project: String,
    /// Who submitted it.
    pub by: String,
    /// When.
    pub submitted_at: Time,
    /// When it was over.
    pub ended_at: Time,
    /// How it ended.
    pub state: WorkloadState,
    /// Why.
    pub reason: Reason,
    /// Its attempts, in order.
    pub attempts: Vec<AttemptFacts>,
}

/// One attempt.
#[derive(Clone, Debug)]
pub struct AttemptFacts {
    /// Its lease.
    pub lease: LeaseId,
    /// The last time from which the whole gang could go on.
    pub checkpointed_at: Option<Time>,
    /// Its tasks, by rank.
    pub tasks: Vec<TaskFacts>,
    /// Its bill.
    pub bill: Bill,
}

/// One task of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskFacts {
    /// The name of its node.
    pub node: String,
    /// How it ended.
    pub exit: Exit,
}

/// The receipt of a workload that has ended.
pub fn build(facts: &ReceiptFacts) -> Receipt {
    let mut figures = Figures::default();
    let mut attempts = Vec::new();
    let mut tasks = Vec::new();
    for (number, attempt) in (1..).zip(&facts.attempts) {
        let bill = &attempt.bill;
        attempts.push(ReceiptAttempt {
            attempt: number,
            lease: attempt.lease,
            granted_at_ms: bill.granted_at,
            started_at_ms: bill.started_at,
            ended_at_ms: bill.ended_at,
            checkpointed_at_ms: attempt.checkpointed_at,
            waiver: bill.waiver,
            preempted: bill.preempted,
            pretended: bill.pretended,
            price_book: bill.price_book.clone(),
        });
        group_tasks(number, &attempt.tasks, &mut tasks);
        attempt_figures(&mut figures, &format!("attempt_{number}"), bill);
    }
    totals(&mut figures, facts.attempts.len());
    Receipt {
        receipt: FORMAT,
        factory: facts.factory.clone(),
        journal: facts.journal.clone(),
        pretended: attempts.iter().any(|attempt| attempt.pretended),
        workload: ReceiptWorkload {
            id: facts.workload,
            name: facts.name.clone(),
            project: facts.project.clone(),
            by: facts.by.clone(),
            submitted_at_ms: facts.submitted_at,
            ended_at_ms: facts.ended_at,
            state: facts.state,
            reason: facts.reason.clone(),
        },
        attempts,
        tasks,
        figures: figures.all,
    }
}

fn group_tasks(attempt: u32, tasks: &[TaskFacts], groups: &mut Vec<ReceiptTasks>) {
    for (rank, task) in (0..).zip(tasks) {
        match groups.last_mut() {
            Some(last) if last.attempt == attempt && (&last.node, &last.exit) == (&task.node, &task.exit) => {
                last.ranks[1] = rank;
            }
            _ => groups.push(ReceiptTasks {
                attempt,
                ranks: [rank, rank],
                node: task.node.clone(),
                exit: task.exit.clone(),
            }),
        }
    }
}

/// The figures so far, and their values by name.
#[derive(Default)]
struct Figures {
    all: Vec<Figure>,
    values: BTreeMap<String, Option<i64>>,
}

/// A number as an input; one that does not fit is unknown.
fn number(value: impl TryInto<i64>) -> Term {
    value.try_into().map_or(Term::Unknown(()), Term::Number)
}

fn figure(name: &str) -> Term {
    Term::Figure(name.to_owned())
}

impl Figures {
    /// Adds a figure, derives its value, and gives its name. `why` says why it is unknown where an input of its own is.
    fn add(
        &mut self,
        name: String,
        unit: FigureUnit,
        formula: &str,
        inputs: Vec<(&str, Input)>,
        basis: Option<Basis>,
        why: Option<Unknown>,
    ) -> String {
        let inputs: BTreeMap<String, Input> =
            inputs.into_iter().map(|(name, input)| (name.to_owned(), input)).collect();
        let mut made = Figure { name, value: None, unit, formula: formula.to_owned(), inputs, basis, unknown: None };
        // Bills may have two charges of one item that differ in size.
        let mut nth = 2;
        let base = made.name.clone();
        while self.values.contains_key(&made.name) {
            made.name = format!("{base}.{nth}");
            nth += 1;
        }
        let derived = made.derive(|name| self.values.get(name).copied());
        made.value = derived.expect("the formulas of this module are formulas of their inputs");
        made.unknown = if made.value.is_some() { None } else { Some(why.unwrap_or_else(|| self.why(&made))) };
        self.values.insert(made.name.clone(), made.value);
        let name = made.name.clone();
        self.all.push(made);
        name
    }

    fn why(&self, made: &Figure) -> Unknown {
        let unknown = |term: &Term| matches!(term, Term::Figure(name) if self.values.get(name) == Some(&None));
        let from_unknown = made.inputs.values().any(|input| match input {
            Input::One(term) => unknown(term),
            Input::Many(terms) => terms.iter().any(unknown),
        });
        if from_unknown { Unknown::MadeFromUnknown } else { Unknown::OutOfRange }
    }

    /// A reading of a counter.
    fn reading(&mut self, name: String, unit: FigureUnit, reading: Option<u64>) -> String {
        let (term, why) = match reading {
            Some(reading) => (number(reading), None),
            None => (Term::Unknown(()), Some(Unknown::NoCounter)),
        };
        self.add(name, unit, "reading", vec![("reading", Input::One(term))], None, why)
    }

    /// A sum of earlier figures.
    fn sum(&mut self, name: String, unit: FigureUnit, of: &[String], basis: Option<Basis>) -> String {
        let terms = of.iter().map(|name| figure(name)).collect();
        self.add(name, unit, "sum(parts)", vec![("parts", Input::Many(terms))], basis, None)
    }
}

fn attempt_figures(figures: &mut Figures, prefix: &str, bill: &Bill) {
    let wall = wall(figures, prefix, bill);
    let cpu_time = figures.reading(format!("{prefix}.cpu_time"), FigureUnit::Microseconds, Some(bill.usage.cpu.0));
    let peak = bill.usage.memory_peak.map(|peak| peak.0);
    figures.reading(format!("{prefix}.memory_peak"), FigureUnit::Bytes, peak);
    if bill.charges.iter().any(|charge| matches!(charge.item, Item::Accelerator(_))) {
        let busy = bill.usage.accelerator_busy.map(|busy| busy.0);
        figures.reading(format!("{prefix}.accelerator_busy"), FigureUnit::Milliseconds, busy);
    }
    energy_figures(figures, prefix, bill, &cpu_time);
    charge_figures(figures, prefix, bill, &wall);
    equivalent_figures(figures, prefix, bill);
}

fn wall(figures: &mut Figures, prefix: &str, bill: &Bill) -> String {
    let name = format!("{prefix}.wall");
    match bill.started_at {
        None => figures.add(name, FigureUnit::Milliseconds, "0", Vec::new(), None, None),
        Some(started) => {
            let inputs = vec![
                ("started", Input::One(Term::Number(started.0))),
                ("ended", Input::One(Term::Number(bill.ended_at.0))),
            ];
            figures.add(name, FigureUnit::Milliseconds, "max(1, ended - started)", inputs, None, None)
        }
    }
}

fn item_name(item: &Item) -> String {
    match item {
        Item::Cpu => "cpu".to_owned(),
        Item::Memory => "memory".to_owned(),
        Item::Accelerator(model) => format!("accelerator.{model}"),
    }
}

fn charge_figures(figures: &mut Figures, prefix: &str, bill: &Bill, wall: &str) {
    let charges: Vec<_> = bill.charges.iter().map(|charge| charge_figure(figures, prefix, charge, wall)).collect();
    let mut parts = charges.clone();
    if bill.waiver.is_some() && !charges.is_empty() {
        let terms = charges.iter().map(|name| figure(name)).collect();
        let inputs = vec![("charges", Input::Many(terms))];
        let name = format!("{prefix}.waived");
        parts.push(figures.add(name, FigureUnit::MicroWon, "0 - sum(charges)", inputs, None, None));
    }
    figures.sum(format!("{prefix}.price"), FigureUnit::MicroWon, &parts, None);
}

fn charge_figure(figures: &mut Figures, prefix: &str, charge: &Charge, wall: &str) -> String {
    let name = format!("{prefix}.charge.{}", item_name(&charge.item));
    let mut inputs = vec![
        ("held", Input::One(number(charge.held))),
        ("rate", Input::One(Term::Number(charge.rate.0))),
        ("per_hour", Input::One(number(charge.item.per_hour()))),
    ];
    let walls =
        figures.values.get(wall).copied().flatten().and_then(|wall| u64::try_from(wall).ok()).filter(|wall| *wall > 0);
    // Tasks and accelerators that were held all the while are counted; other times are sums that the meter made.
    let formula = if let Some(wall_ms) = walls.filter(|wall| charge.time.0.is_multiple_of(*wall)) {
        inputs.push(("count", Input::One(number(charge.time.0 / wall_ms))));
        inputs.push(("wall", Input::One(figure(wall))));
        "mul_div(held * count * wall, rate, per_hour)"
    } else {
        inputs.push(("time", Input::One(number(charge.time.0))));
        "mul_div(held * time, rate, per_hour)"
    };
    figures.add(name, FigureUnit::MicroWon, formula, inputs, None, None)
}

/// What was charged of accelerators, in H100s at published rates; nothing on bills that know of no rates.
fn equivalent_figures(figures: &mut Figures, prefix: &str, bill: &Bill) {
    let Some(equivalent) = &bill.equivalent else { return };
    let mut parts = Vec::new();
    for charge in &bill.charges {
        let Item::Accelerator(model) = &charge.item else { continue };
        let rate = equivalent.h100_milli.get(model).copied().flatten();
        let inputs = vec![
            ("held", Input::One(number(charge.held))),
            ("time", Input::One(number(charge.time.0))),
            ("h100_milli", Input::One(rate.map_or(Term::Unknown(()), number))),
        ];
        let name = format!("{prefix}.equivalent.{}", item_name(&charge.item));
        let why = rate.is_none().then_some(Unknown::NoExchangeRate);
        let formula = "mul_div(held * time, h100_milli, 3600000)";
        parts.push(figures.add(name, FigureUnit::H100MicroHours, formula, inputs, None, why));
    }
    figures.sum(format!("{prefix}.equivalent"), FigureUnit::H100MicroHours, &parts, None);
}

fn energy_figures(figures: &mut Figures, prefix: &str, bill: &Bill, cpu_time: &str) {
    let parts: Vec<_> = bill.energy.iter().map(|part| energy_figure(figures, prefix, part, cpu_time)).collect();
    let measured = bill.energy.iter().all(|part| part.basis() == Basis::Measured);
    let basis = if measured && !parts.is_empty() { Basis::Measured } else { Basis::Estimated };
    let energy = figures.sum(format!("{prefix}.energy"), FigureUnit::Millijoules, &parts, Some(basis));
    // The site's share and the grid are never read off a counter of the workload.
    let estimated = Some(Basis::Estimated);
    let nothing_drawn = figures.values.get(&energy) == Some(&Some(0));
    let site_energy = {
        let name = format!("{prefix}.site_energy");
        let pue = if bill.pue_milli == 0 { Term::Unknown(()) } else { number(bill.pue_milli) };
        let why = if bill.pue_milli == 0 { Some(Unknown::NoPue) } else { None };
        let mut inputs = vec![("energy", Input::One(figure(&energy)))];
        if nothing_drawn {
            figures.add(name, FigureUnit::Millijoules, "energy", inputs, estimated, None)
        } else {
            inputs.push(("pue_milli", Input::One(pue)));
            figures.add(name, FigureUnit::Millijoules, "mul_div(energy, pue_milli, 1000)", inputs, estimated, why)
        }
    };
    carbon_figure(figures, prefix, bill, &site_energy, nothing_drawn);
}

fn carbon_figure(figures: &mut Figures, prefix: &str, bill: &Bill, site_energy: &str, nothing_drawn: bool) {
    let name = format!("{prefix}.carbon");
    let energy = ("site_energy", Input::One(figure(site_energy)));
    let estimated = Some(Basis::Estimated);
    if nothing_drawn {
        figures.add(name, FigureUnit::MicrogramsCo2e, "0 * site_energy", vec![energy], estimated, None);
    } else if bill.carbon_segments.is_empty() {
        let inputs = vec![energy, ("milligrams_per_kwh", Input::One(Term::Unknown(())))];
        let formula = "mul_div(site_energy, milligrams_per_kwh, 3600000)";
        figures.add(name, FigureUnit::MicrogramsCo2e, formula, inputs, estimated, Some(Unknown::NoCarbonProfile));
    } else {
        let grid = bill.carbon_segments.iter().map(|segment| Term::Number(segment.milligrams_per_kwh.into())).collect();
        let spans = bill.carbon_segments.iter().map(|segment| number(segment.span.0)).collect();
        let inputs = vec![energy, ("milligrams_per_kwh", Input::Many(grid)), ("spans", Input::Many(spans))];
        let formula = "mul_div(site_energy, dot(milligrams_per_kwh, spans), sum(spans) * 3600000)";
        figures.add(name, FigureUnit::MicrogramsCo2e, formula, inputs, estimated, None);
    }
}

fn energy_figure(figures: &mut Figures, prefix: &str, part: &EnergyPart, cpu_time: &str) -> String {
    let one = |value: u64| Input::One(number(value));
    // A figure that the power model lacks is kept as 0.
    let known = |value: u64| Input::One(if value == 0 { Term::Unknown(()) } else { number(value) });
    let why = part.energy().is_none().then_some(Unknown::NoPowerFigure);
    let (name, formula, inputs) = match part {
        EnergyPart::Counter { energy } => ("counter".to_owned(), "reading", vec![("reading", one(energy.0))]),
        EnergyPart::Cpu { milliwatts, .. } => {
            let inputs = vec![("cpu_time", Input::One(figure(cpu_time))), ("milliwatts", known(*milliwatts))];
            ("cpu".to_owned(), "mul_div(cpu_time, milliwatts, 1000000)", inputs)
        }
        EnergyPart::Memory { mib, time, milliwatts, .. } => {
            let inputs = vec![("mib", one(*mib)), ("time", one(time.0)), ("milliwatts", known(*milliwatts))];
            ("memory".to_owned(), "mul_div(mib * time, milliwatts, 1024000)", inputs)
        }
        EnergyPart::Accelerator { model, share, time, load, max_watts, idle_watts, .. } => {
            let max = max_watts.map_or(Input::One(Term::Unknown(())), |max| one(max.0));
            let mut inputs = vec![("share", one(share.0)), ("time", one(time.0)), ("max", max)];
            inputs.push(match load {
                Load::Busy(busy) => ("busy", one(busy.0)),
                Load::Assumed(load) => ("load", one(*load)),
            });
            inputs.extend(idle_watts.map(|idle| ("idle", one(idle.0))));
            let formula = match (load, idle_watts) {
                (Load::Busy(_), None) => "mul_div(share, min(busy, time) * max, 1000)",
                (Load::Assumed(_), None) => "mul_div(share, min(mul_div(time, load, 1000), time) * max, 1000)",
                (Load::Busy(_), Some(_)) => {
                    "mul_div(share, time * min(idle, max) + min(busy, time) * (max - min(idle, max)), 1000)"
                }
                (Load::Assumed(_), Some(_)) => {
                    "mul_div(share, time * min(idle, max) + min(mul_div(time, load, 1000), time) * (max - min(idle, max)), 1000)"
                }
            };
            (format!("accelerator.{model}"), formula, inputs)
        }
    };
    let name = format!("{prefix}.energy.{name}");
    figures.add(name, FigureUnit::Millijoules, formula, inputs, Some(part.basis()), why)
}

fn totals(figures: &mut Figures, attempts: usize) {
    let each = |what: &str| (1..=attempts).map(|number| format!("attempt_{number}.{what}")).collect::<Vec<_>>();
    let basis_of = |figures: &Figures, names: &[String]| {
        let measured = |name: &String| {
            figures.all.iter().any(|figure| figure.name == *name && figure.basis == Some(Basis::Measured))
        };
        if !names.is_empty() && names.iter().all(measured) { Basis::Measured } else { Basis::Estimated }
    };
    figures.sum("wall".to_owned(), FigureUnit::Milliseconds, &each("wall"), None);
    figures.sum("cpu_time".to_owned(), FigureUnit::Microseconds, &each("cpu_time"), None);
    let basis = basis_of(figures, &each("energy"));
    figures.sum("energy".to_owned(), FigureUnit::Millijoules, &each("energy"), Some(basis));
    let estimated = Some(Basis::Estimated);
    figures.sum("site_energy".to_owned(), FigureUnit::Millijoules, &each("site_energy"), estimated);
    figures.sum("carbon".to_owned(), FigureUnit::MicrogramsCo2e, &each("carbon"), estimated);
    figures.sum("price".to_owned(), FigureUnit::MicroWon, &each("price"), None);
    let mut equivalents = each("equivalent");
    equivalents.retain(|name| figures.values.contains_key(name));
    if !equivalents.is_empty() {
        figures.sum("equivalent".to_owned(), FigureUnit::H100MicroHours, &equivalents, None);
    }
}
