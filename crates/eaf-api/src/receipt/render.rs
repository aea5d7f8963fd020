//! A receipt for people.
//!
//! What: who ran what, a table of figures for each attempt and the totals, and what to compare: the head of the journal and
//! the key. Why it rounds nothing up: won are shown to the millionth, and energy and carbon are cut to three decimals of a
//! unit that people know. Absent: colours, and checking; render what `verify` gave.

use super::document::{Figure, FigureUnit, Receipt, Unknown};
use super::verify::VerifiedReceipt;
use crate::messages::{Lang, Value, bytes, exit, instant, reason, span, state, text};
use eaf_model::{Basis, Bytes, Span, Waiver};

/// The receipt as text, in the reader's language. Only what was verified is shown.
pub fn render(verified: &VerifiedReceipt, lang: Lang) -> String {
    let receipt = &verified.receipt;
    let say = |id: &str| text(lang, id, &[]);
    let workload = &receipt.workload;
    let title_args = [("id", Value::from(workload.id.to_string())), ("name", workload.name.as_str().into())];
    let mut page = text(lang, "receipt-title", &title_args) + "\n";
    if receipt.pretended {
        line(&mut page, "*** ", &(say("receipt-pretended") + " ***"));
    }
    let ended = format!("{}: {}", state(lang, workload.state), reason(lang, &workload.reason));
    let head = [
        row(say("receipt-factory"), receipt.factory.clone()),
        row(say("receipt-project"), workload.project.clone()),
        row(say("receipt-by"), workload.by.clone()),
        row(say("receipt-state"), ended),
        row(say("receipt-submitted"), instant(workload.submitted_at_ms)),
        row(say("receipt-ended"), instant(workload.ended_at_ms)),
        row(say("receipt-journal"), receipt.journal.clone()),
        row(say("receipt-key"), verified.key.to_string()),
        row(say("receipt-fingerprint"), verified.key.fingerprint()),
        row(say("receipt-signature-value"), verified.signature.clone()),
    ];
    table(&mut page, &head);
    for attempt in &receipt.attempts {
        render_attempt(&mut page, receipt, attempt.attempt, lang);
    }
    page.push('\n');
    line(&mut page, "", &say("receipt-total"));
    let totals: Vec<_> = receipt.figures.iter().filter(|figure| !figure.name.starts_with("attempt_")).collect();
    table(&mut page, &figure_rows(&totals, "", lang));
    page
}

fn render_attempt(page: &mut String, receipt: &Receipt, number: u32, lang: Lang) {
    let Some(attempt) = receipt.attempts.iter().find(|attempt| attempt.attempt == number) else { return };
    let args = [("attempt", Value::from(number.to_string())), ("lease", attempt.lease.to_string().into())];
    page.push('\n');
    line(page, "", &text(lang, "receipt-attempt", &args));
    let when = match attempt.started_at_ms {
        None => text(lang, "receipt-never-started", &[]),
        Some(started) => {
            let args = [
                ("started", Value::from(instant(started))),
                ("ended", instant(attempt.ended_at_ms).into()),
                ("book", attempt.price_book.as_str().into()),
            ];
            text(lang, "receipt-span", &args)
        }
    };
    line(page, "  ", &when);
    for tasks in receipt.tasks.iter().filter(|tasks| tasks.attempt == number) {
        let [first, last] = tasks.ranks;
        let args = [
            ("rank", Value::from(first.to_string())),
            ("first", first.to_string().into()),
            ("last", last.to_string().into()),
            ("node", tasks.node.as_str().into()),
            ("exit", exit(lang, &tasks.exit).into()),
        ];
        let task = text(lang, if first == last { "receipt-task" } else { "receipt-tasks" }, &args);
        line(page, "  ", &task);
    }
    if let Some(at) = attempt.checkpointed_at_ms {
        line(page, "  ", &text(lang, "receipt-checkpoint", &[("at", instant(at).into())]));
    }
    if attempt.pretended {
        line(page, "  ", &text(lang, "receipt-attempt-pretended", &[]));
    }
    if let Some(preempted) = attempt.preempted {
        let lost = span(Span(preempted.lost.0));
        let args = [("by", Value::from(preempted.by.to_string())), ("lost", lost.into())];
        let id = if preempted.lost.is_zero() { "receipt-preempted-kept" } else { "receipt-preempted-lost" };
        line(page, "  ", &text(lang, id, &args));
    }
    if let Some(waiver) = attempt.waiver {
        let id = match waiver {
            Waiver::NeverStarted => "receipt-waiver-never-started",
            Waiver::FactoryFault => "receipt-waiver-factory-fault",
        };
        line(page, "  ", &text(lang, id, &[]));
    }
    let prefix = format!("attempt_{number}.");
    let figures: Vec<_> = receipt.figures.iter().filter(|figure| figure.name.starts_with(&prefix)).collect();
    table(page, &figure_rows(&figures, &prefix, lang));
}

/// A row of a table: label, value, remark.
type Row = [String; 3];

fn row(label: String, value: String) -> Row {
    [label, value, String::new()]
}

fn figure_rows(figures: &[&Figure], prefix: &str, lang: Lang) -> Vec<Row> {
    let row = |figure: &&Figure| {
        let label = label(figure.name.strip_prefix(prefix).unwrap_or(&figure.name), lang);
        let value =
            figure.value.map_or_else(|| text(lang, "receipt-unknown", &[]), |value| shown(value, figure.unit, lang));
        [label, value, remark(figure, lang)]
    };
    figures.iter().map(row).collect()
}

/// The label of a figure, by its name without the attempt.
fn label(name: &str, lang: Lang) -> String {
    for what in ["energy", "charge", "equivalent"] {
        let model = name.strip_prefix(what).and_then(|rest| rest.strip_prefix(".accelerator."));
        if let Some(model) = model {
            return text(lang, &format!("receipt-figure-{what}-accelerator"), &[("model", model.into())]);
        }
    }
    // A second charge of one item is called like the first.
    let plain = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    text(lang, &format!("receipt-figure-{}", plain.replace(['.', '_'], "-")), &[])
}

fn remark(figure: &Figure, lang: Lang) -> String {
    if let Some(unknown) = figure.unknown {
        let id = match unknown {
            Unknown::NoCounter => "receipt-unknown-no-counter",
            Unknown::NoPowerFigure => "receipt-unknown-no-power-figure",
            Unknown::NoPue => "receipt-unknown-no-pue",
            Unknown::NoCarbonProfile => "receipt-unknown-no-carbon-profile",
            Unknown::NoExchangeRate => "receipt-unknown-no-exchange-rate",
            Unknown::MadeFromUnknown => "receipt-unknown-made-from-unknown",
            Unknown::OutOfRange => "receipt-unknown-out-of-range",
        };
        return text(lang, id, &[]);
    }
    match figure.basis {
        Some(Basis::Measured) => text(lang, "receipt-basis-measured", &[]),
        Some(Basis::Estimated) => text(lang, "receipt-basis-estimated", &[]),
        None => String::new(),
    }
}

/// A value in a unit that people know.
fn shown(value: i64, unit: FigureUnit, lang: Lang) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let size = value.unsigned_abs();
    let scaled = |units: &[(u64, &str)]| {
        let (per, name) = units.iter().rev().find(|(per, _)| size >= *per).unwrap_or(&units[0]);
        format!("{sign}{} {name}", decimal(size, *per, 3))
    };
    match unit {
        FigureUnit::Milliseconds => format!("{sign}{}", span(Span(size))),
        FigureUnit::Microseconds => scaled(&[(1, "µs"), (1_000, "ms"), (1_000_000, "s"), (3_600_000_000, "h")]),
        FigureUnit::Bytes => format!("{sign}{}", bytes(Bytes(size))),
        FigureUnit::Millijoules => scaled(&[(1, "mJ"), (1_000, "J"), (3_600_000, "Wh"), (3_600_000_000, "kWh")]),
        FigureUnit::MicrogramsCo2e => scaled(&[(1, "µg"), (1_000, "mg"), (1_000_000, "g"), (1_000_000_000, "kg")]),
        FigureUnit::H100MicroHours => format!("{sign}{} H100 h", decimal(size, 1_000_000, 6)),
        FigureUnit::MicroWon => {
            let won = format!("{sign}{}", decimal(size, 1_000_000, 6));
            text(lang, "receipt-won", &[("won", won.into())])
        }
    }
}

/// `size / per` with separators of thousands and at most `places` decimals, cut.
fn decimal(size: u64, per: u64, places: u32) -> String {
    let digits = (size / per).to_string();
    let mut whole = String::with_capacity(27);
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            whole.push(',');
        }
        whole.push(digit);
    }
    let scale = 10_u64.pow(places);
    let rest = u128::from(size % per) * u128::from(scale) / u128::from(per);
    if rest == 0 {
        return whole;
    }
    let width = places as usize;
    format!("{whole}.{rest:0width$}").trim_end_matches('0').to_owned()
}

/// Appends the rows, labels to the left, values to the right where there are remarks.
fn table(page: &mut String, rows: &[Row]) {
    let widest = |column: usize| rows.iter().map(|row| width(&row[column])).max().unwrap_or(0);
    let (labels, values) = (widest(0), widest(1));
    let figures = rows.iter().any(|row| !row[2].is_empty());
    for [label, value, remark] in rows {
        let after_label = " ".repeat(labels - width(label));
        let before_value = " ".repeat(if figures { values - width(value) } else { 0 });
        let text = format!("{label}{after_label}  {before_value}{value}  {remark}");
        line(page, "  ", text.trim_end());
    }
}

/// Appends a line.
fn line(page: &mut String, indent: &str, text: &str) {
    page.push_str(indent);
    page.push_str(text);
    page.push('\n');
}

/// The columns that a text takes on a terminal: two for each Hangul, Han or full-width character.
fn width(text: &str) -> usize {
    let wide = |c: char| matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff60}');
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}
