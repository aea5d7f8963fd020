//! The document: its fields, and its one way of being written.
//!
//! Why one way: a signature covers bytes, so a receipt that says the same in other bytes is another receipt. Every field,
//! attempt, group of tasks and figure is one line. Absent: the seal, which is written around it.

use super::formula::{FormulaError, Value, evaluate};
use eaf_model::{Basis, Exit, LeaseId, Preempted, Reason, Time, Waiver, WorkloadId, WorkloadState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;

/// The version of the format that is written and read.
pub const FORMAT: u32 = 1;

/// A receipt, without its seal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The version of the format.
    pub receipt: u32,
    /// The name of the factory.
    pub factory: String,
    /// The head of the journal, as `STEP:HASH`, at which the workload had ended.
    pub journal: String,
    /// True where accelerators were pretended.
    pub pretended: bool,
    /// What ran.
    pub workload: ReceiptWorkload,
    /// Its attempts, in order.
    pub attempts: Vec<ReceiptAttempt>,
    /// Where the tasks of each attempt were and how they ended; neighbours in rank that are alike share a line.
    pub tasks: Vec<ReceiptTasks>,
    /// Every figure, each made from inputs and earlier figures.
    pub figures: Vec<Figure>,
}

/// What ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptWorkload {
    /// Its id.
    pub id: WorkloadId,
    /// Its name for people.
    pub name: String,
    /// Its project.
    pub project: String,
    /// Who submitted it.
    pub by: String,
    /// When, in milliseconds since 1970 in UTC, as all times here.
    pub submitted_at_ms: Time,
    /// When it was over.
    pub ended_at_ms: Time,
    /// How it ended.
    pub state: WorkloadState,
    /// Why.
    pub reason: Reason,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptAttempt {
    /// Its number, from 1.
    pub attempt: u32,
    /// Its lease.
    pub lease: LeaseId,
    /// When its capacity was granted.
    pub granted_at_ms: Time,
    /// When all of its tasks had started; null where not all of them did.
    pub started_at_ms: Option<Time>,
    /// When its last task was gone.
    pub ended_at_ms: Time,
    /// The last time from which the whole gang could go on; absent where it reported no checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpointed_at_ms: Option<Time>,
    /// Why nothing is charged; null where it is.
    pub waiver: Option<Waiver>,
    /// Where it was stopped to make room for another: for whom, and what it lost by that, in accelerators times
    /// milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preempted: Option<Preempted>,
    /// True where the accelerators that it held are pretended.
    pub pretended: bool,
    /// The price book that it was charged by.
    pub price_book: String,
}

/// Tasks of one attempt that were on the same node and ended alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptTasks {
    /// The number of the attempt.
    pub attempt: u32,
    /// The first and the last rank.
    pub ranks: [u32; 2],
    /// The node.
    pub node: String,
    /// How they ended.
    pub exit: Exit,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FigureUnit {
    /// Milliseconds.
    Milliseconds,
    /// Microseconds.
    Microseconds,
    /// Bytes.
    Bytes,
    /// Millijoules.
    Millijoules,
    /// Micrograms of CO2 equivalent.
    MicrogramsCo2e,
    /// Millionths of a won.
    MicroWon,
    /// Millionths of an H100 for an hour.
    H100MicroHours,
}

/// Why a figure is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unknown {
    /// No counter tells.
    NoCounter,
    /// The power model has no figure for it.
    NoPowerFigure,
    /// The power model has no figure for the site's share.
    NoPue,
    /// There is no carbon profile.
    NoCarbonProfile,
    /// Nobody has published what the accelerator is worth to others.
    NoExchangeRate,
    /// It is made from a figure that is unknown.
    MadeFromUnknown,
    /// It is larger than a receipt can state.
    OutOfRange,
}

/// One thing that a figure is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Term {
    /// A number.
    Number(i64),
    /// The name of an earlier figure.
    Figure(String),
    /// Null: nobody knows.
    Unknown(()),
}

/// What a name in a formula stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Input {
    /// One thing.
    One(Term),
    /// A list of them.
    Many(Vec<Term>),
}

/// One figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Its name; other figures refer to it.
    pub name: String,
    /// Its value; null where it is unknown.
    pub value: Option<i64>,
    /// What it counts.
    pub unit: FigureUnit,
    /// How it is made from its inputs; see the language of formulas in this module.
    pub formula: String,
    /// What it is made from.
    pub inputs: BTreeMap<String, Input>,
    /// For energy: measured or estimated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// Why it is unknown; there only where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Unknown>,
}

impl Figure {
    /// The value that its formula gives, where `earlier` looks up the figures before it (`Some(None)` for an unknown one).
    /// A value that does not fit in 64 bits is unknown.
    pub(super) fn derive(&self, earlier: impl Fn(&str) -> Option<Option<i64>>) -> Result<Option<i64>, FormulaError> {
        let term = |term: &Term| match term {
            Term::Number(number) => Some(Some(i128::from(*number))),
            Term::Figure(name) => earlier(name).map(|value| value.map(i128::from)),
            Term::Unknown(()) => Some(None),
        };
        let lookup = |name: &str| match self.inputs.get(name)? {
            Input::One(one) => term(one).map(Value::One),
            Input::Many(many) => many.iter().map(term).collect::<Option<_>>().map(Value::Many),
        };
        evaluate(&self.formula, lookup).map(|value| value.and_then(|value| i64::try_from(value).ok()))
    }
}

impl Receipt {
    /// The figure of this name.
    pub fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }

    /// The body of the file: everything before the line of the seal, each line with its newline.
    pub(super) fn body(&self) -> String {
        let mut text = String::with_capacity(8_192);
        text.push_str("{\n");
        field(&mut text, "  ", "receipt", &self.receipt, ",");
        field(&mut text, "  ", "factory", &self.factory, ",");
        field(&mut text, "  ", "journal", &self.journal, ",");
        field(&mut text, "  ", "pretended", &self.pretended, ",");
        let workload = &self.workload;
        text.push_str("  \"workload\": {\n");
        field(&mut text, "    ", "id", &workload.id, ",");
        field(&mut text, "    ", "name", &workload.name, ",");
        field(&mut text, "    ", "project", &workload.project, ",");
        field(&mut text, "    ", "by", &workload.by, ",");
        field(&mut text, "    ", "submitted_at_ms", &workload.submitted_at_ms, ",");
        field(&mut text, "    ", "ended_at_ms", &workload.ended_at_ms, ",");
        field(&mut text, "    ", "state", &workload.state, ",");
        field(&mut text, "    ", "reason", &workload.reason, "");
        text.push_str("  },\n");
        list(&mut text, "attempts", &self.attempts);
        list(&mut text, "tasks", &self.tasks);
        list(&mut text, "figures", &self.figures);
        text
    }
}

fn field(text: &mut String, indent: &str, name: &str, value: &impl Serialize, end: &str) {
    text.push_str(indent);
    text.push('"');
    text.push_str(name);
    text.push_str("\": ");
    text.push_str(&one_line(value));
    text.push_str(end);
    text.push('\n');
}

fn list<T: Serialize>(text: &mut String, name: &str, items: &[T]) {
    text.push_str("  \"");
    text.push_str(name);
    if items.is_empty() {
        text.push_str("\": [],\n");
        return;
    }
    text.push_str("\": [\n");
    for (nth, item) in items.iter().enumerate() {
        text.push_str("    ");
        text.push_str(&one_line(item));
        text.push_str(if nth + 1 < items.len() { ",\n" } else { "\n" });
    }
    text.push_str("  ],\n");
}

/// JSON on one line, with a space after each colon and comma.
fn one_line(value: &impl Serialize) -> String {
    let mut bytes = Vec::with_capacity(256);
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, Spaced);
    value.serialize(&mut writer).expect("these types are JSON, and memory takes every byte");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { writer.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}
