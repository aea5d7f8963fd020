//! Fields of files: each kind of value, or a problem with its line.
//!
//! What: what every reader of a table asks of a value. Absent: which fields there are.

use super::FileProblem;
use super::doc::{Doc, Entry, Kind};
use super::figures::{FigureProblem, parse_instant};
use super::suggest::nearest;
use crate::say::Say;
use eaf_model::Time;
use std::str::FromStr;

type Read<T> = Result<T, FileProblem>;

pub(super) fn wrong(field: &str, doc: &Doc, expected: &'static str) -> FileProblem {
    FileProblem::at(doc.line, Say::new("file-wrong-kind").with("field", field).say("expected", Say::new(expected)))
}

pub(super) fn unknown(entry: &Entry, known: &[&str]) -> FileProblem {
    let say = match nearest(&entry.key, known) {
        Some(near) => Say::new("file-unknown-field-near").with("near", near),
        None => Say::new("file-unknown-field").with("known", known.join(", ")),
    };
    FileProblem::at(entry.line, say.with("field", &entry.key))
}

pub(super) fn table<'a>(field: &str, doc: &'a Doc) -> Read<&'a [Entry]> {
    match &doc.kind {
        Kind::Table(entries) => Ok(entries),
        _ => Err(wrong(field, doc, "kind-table")),
    }
}

pub(super) fn text(field: &str, doc: &Doc) -> Read<String> {
    match &doc.kind {
        Kind::Text(text) => Ok(text.clone()),
        _ => Err(wrong(field, doc, "kind-text")),
    }
}

pub(super) fn texts(field: &str, doc: &Doc) -> Read<Vec<String>> {
    let Kind::List(list) = &doc.kind else { return Err(wrong(field, doc, "kind-texts")) };
    list.iter()
        .map(|each| match &each.kind {
            Kind::Text(text) | Kind::Number(text) => Ok(text.clone()),
            _ => Err(wrong(field, each, "kind-texts")),
        })
        .collect()
}

pub(super) fn truth(field: &str, doc: &Doc) -> Read<bool> {
    match &doc.kind {
        Kind::Bool(truth) => Ok(*truth),
        _ => Err(wrong(field, doc, "kind-truth")),
    }
}

pub(super) fn integer<T: FromStr>(field: &str, doc: &Doc) -> Read<T> {
    let Kind::Number(number) = &doc.kind else { return Err(wrong(field, doc, "kind-integer")) };
    number.parse().map_err(|_| {
        let whole = number.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit());
        wrong(field, doc, if whole { "kind-integer-in-range" } else { "kind-integer" })
    })
}

/// A figure, written as a text or, where no unit is needed, as a number.
pub(super) fn figure<T>(
    field: &str,
    doc: &Doc,
    example: &'static str,
    parse: impl Fn(&str) -> Result<T, FigureProblem>,
) -> Read<T> {
    let (Kind::Text(given) | Kind::Number(given)) = &doc.kind else { return Err(wrong(field, doc, "kind-figure")) };
    parse(given).map_err(|problem| {
        let say = Say::new("file-figure").with("field", field).with("given", given);
        FileProblem::at(doc.line, say.say("problem", problem.say(example)))
    })
}

/// A date with a time and an offset.
pub(super) fn instant(field: &str, doc: &Doc) -> Read<Time> {
    let Kind::Text(given) = &doc.kind else { return Err(wrong(field, doc, "kind-instant")) };
    parse_instant(given).ok_or_else(|| wrong(field, doc, "kind-instant"))
}
