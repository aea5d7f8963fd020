//! TOML and YAML as one kind of tree that knows its lines.
//!
//! What: values with the line that each came from. Why a tree of our own: the readers of both formats say what is wrong
//! in English only and in their own words. Absent: dates, anchors by name, and every meaning of a field.

use super::FileProblem;
use crate::say::Say;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use std::fmt;
use toml::de::{DeTable, DeValue};

/// A value and its line, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doc {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

/// What a value is. Numbers stay as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Doc>),
    Table(Vec<Entry>),
}

/// One entry of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) value: Doc,
}

fn syntax(line: usize, what: &str) -> FileProblem {
    FileProblem::at(line.max(1), Say::new("file-syntax").with("what", what.trim().trim_end_matches('.')))
}

/// The line, from 1, of the byte at `at`.
pub(super) fn line_at(bytes: &[u8], at: usize) -> usize {
    bytes[..at.min(bytes.len())].split(|byte| *byte == b'\n').count()
}

/// Reads TOML.
pub(super) fn toml(text: &str) -> Result<Doc, FileProblem> {
    let line_of = |at: usize| line_at(text.as_bytes(), at);
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(span.start));
        syntax(line, error.message())
    })?;
    Ok(Doc { line: 1, kind: toml_table(table.get_ref(), &line_of) })
}

fn toml_table(table: &DeTable<'_>, line_of: &dyn Fn(usize) -> usize) -> Kind {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    let entries = entries.into_iter().map(|(key, value)| Entry {
        key: key.get_ref().to_string(),
        line: line_of(key.span().start),
        value: Doc { line: line_of(value.span().start), kind: toml_value(value.get_ref(), line_of) },
    });
    Kind::Table(entries.collect())
}

fn toml_value(value: &DeValue<'_>, line_of: &dyn Fn(usize) -> usize) -> Kind {
    match value {
        DeValue::String(text) => Kind::Text(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Kind::Number(number.as_str().to_owned()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Kind::Number(number.to_string()),
            Err(_) => Kind::Number(number.as_str().to_owned()),
        },
        DeValue::Float(number) => Kind::Number(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Kind::Bool(*truth),
        DeValue::Datetime(date) => Kind::Text(date.to_string()),
        DeValue::Array(list) => {
            let each = list
                .iter()
                .map(|value| Doc { line: line_of(value.span().start), kind: toml_value(value.get_ref(), line_of) });
            Kind::List(each.collect())
        }
        DeValue::Table(table) => toml_table(table, line_of),
    }
}

/// Reads YAML, and so JSON.
pub(super) fn yaml(text: &str) -> Result<Doc, FileProblem> {
    let read: Result<Spanned<Kind>, _> = serde_saphyr::from_str(text);
    match read {
        Ok(root) => Ok(Doc { line: line(&root), kind: root.value }),
        Err(error) => {
            let line = error.location().map_or(1, |location| usize::try_from(location.line()).unwrap_or(1));
            let error = error.without_snippet().to_string();
            Err(syntax(line, error.lines().next().unwrap_or_default()))
        }
    }
}

fn line<T>(spanned: &Spanned<T>) -> usize {
    usize::try_from(spanned.referenced.line()).unwrap_or(1).max(1)
}

impl<'de> Deserialize<'de> for Doc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Self { line: line(&spanned), kind: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(truth))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Kind, E> {
        Ok(Kind::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Kind, E> {
        Ok(Kind::Number(number.to_string()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Kind, E> {
        Ok(Kind::Number(number.to_string()))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Kind, E> {
        Ok(Kind::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Kind, E> {
        Ok(Kind::Number(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Kind, E> {
        Ok(Kind::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element::<Doc>()? {
            list.push(value);
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = access.next_key::<Spanned<String>>()? {
            let line = line(&key);
            entries.push(Entry { key: key.value, line, value: access.next_value::<Doc>()? });
        }
        Ok(Kind::Table(entries))
    }
}
