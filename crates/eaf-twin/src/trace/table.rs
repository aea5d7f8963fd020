//! Tables of text with a heading: cells by the name of their column, errors with their place.
//!
//! What: finds the columns that a reader asks for, in whatever order they stand, and reads numbers. Why over bytes: a
//! broken letter is told with its place and not with a shrug. Absent: what the columns mean.

use super::{CellProblem, TraceError};
use csv::{ByteRecord, Reader, ReaderBuilder};
use std::io::Read;

/// The longest cell that is shown in an error, in characters.
const SHOWN_MAX: usize = 80;

/// A file whose first line names its columns.
pub(crate) struct Table<R> {
    reader: Reader<R>,
    headings: Vec<String>,
    record: ByteRecord,
}

/// A column that was found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    name: &'static str,
    index: usize,
}

impl<R: Read> Table<R> {
    /// Reads the headings.
    pub(crate) fn open(source: R) -> Result<Self, TraceError> {
        let mut reader = ReaderBuilder::new().has_headers(true).trim(csv::Trim::All).from_reader(source);
        let record = reader.byte_headers().map_err(|error| refused(error, 1))?.clone();
        let mut headings = Vec::new();
        for (index, cell) in record.iter().enumerate() {
            let text = std::str::from_utf8(cell).map_err(|_| TraceError::Encoding { line: 1, column: index + 1 })?;
            let text = text.trim_start_matches('\u{feff}').to_owned();
            if headings.contains(&text) {
                return Err(TraceError::ColumnTwice { column: text });
            }
            headings.push(text);
        }
        if headings.iter().all(String::is_empty) {
            return Err(TraceError::Empty);
        }
        Ok(Self { reader, headings, record: ByteRecord::new() })
    }

    /// True where there is a column of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.headings.iter().any(|heading| heading == name)
    }

    /// The column of this name.
    pub(crate) fn column(&self, name: &'static str) -> Result<Column, TraceError> {
        let index = self.headings.iter().position(|heading| heading == name);
        let found = || self.headings.join(", ").chars().take(400).collect();
        index
            .map(|index| Column { name, index })
            .ok_or_else(|| TraceError::MissingColumn { missing: name, found: found() })
    }

    /// The next row, if there is one.
    pub(crate) fn next(&mut self) -> Result<Option<Row<'_>>, TraceError> {
        let line = self.reader.position().line();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {
                let line = self.record.position().map_or(line, csv::Position::line);
                Ok(Some(Row { record: &self.record, line }))
            }
            Ok(false) => Ok(None),
            Err(error) => Err(refused(error, line)),
        }
    }
}

/// A file of names: every cell a text, every column wanted.
pub(crate) struct Rows<R>(Table<R>);

impl<R: Read> Rows<R> {
    /// Reads the headings.
    pub(crate) fn open(source: R) -> Result<Self, TraceError> {
        Table::open(source).map(Self)
    }

    /// How many columns.
    pub(crate) fn columns(&self) -> usize {
        self.0.headings.len()
    }

    /// The headings, to be shown.
    pub(crate) fn headings(&self) -> String {
        self.0.headings.join(", ")
    }

    /// The line and the cells of the next row.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Vec<String>)>, TraceError> {
        let columns = self.columns();
        let Some(row) = self.0.next()? else { return Ok(None) };
        let cell = |index| row.text(Column { name: "a name", index }).map(str::to_owned);
        let cells = (0..columns).map(cell).collect::<Result<Vec<_>, _>>()?;
        Ok(Some((row.line, cells)))
    }
}

fn refused(error: csv::Error, line: u64) -> TraceError {
    let at = error.position().map_or(line, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            TraceError::Width { line: at, found: len, expected: expected_len }
        }
        csv::ErrorKind::Io(source) => TraceError::Read(source),
        other => TraceError::Read(std::io::Error::other(format!("{other:?}"))),
    }
}

/// A row.
pub(crate) struct Row<'a> {
    record: &'a ByteRecord,
    /// Its line in the file, from 1.
    pub(crate) line: u64,
}

impl<'a> Row<'a> {
    /// The text of a cell.
    pub(crate) fn text(&self, column: Column) -> Result<&'a str, TraceError> {
        let cell = self.record.get(column.index).unwrap_or_default();
        std::str::from_utf8(cell).map_err(|_| TraceError::Encoding { line: self.line, column: column.index + 1 })
    }

    /// The text of a cell that may not be empty.
    pub(crate) fn name(&self, column: Column) -> Result<&'a str, TraceError> {
        let text = self.text(column)?;
        if text.is_empty() { Err(self.wrong(column, CellProblem::Empty)) } else { Ok(text) }
    }

    /// A whole number.
    pub(crate) fn whole(&self, column: Column, max: u64) -> Result<u64, TraceError> {
        let text = self.name(column)?;
        match text.parse::<i128>() {
            Err(_) => Err(self.wrong(column, CellProblem::NotANumber)),
            Ok(number) if number < 0 => Err(self.wrong(column, CellProblem::Negative)),
            Ok(number) => u64::try_from(number)
                .ok()
                .filter(|number| *number <= max)
                .ok_or_else(|| self.wrong(column, CellProblem::TooLarge)),
        }
    }

    /// Seconds, with decimals or without, in milliseconds.
    pub(crate) fn seconds(&self, column: Column) -> Result<u64, TraceError> {
        let text = self.name(column)?;
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !plain(whole) || !plain(decimals) {
            return Err(self.wrong(column, CellProblem::NotANumber));
        }
        let millis = format!("{whole}{:0<3}", &decimals[..decimals.len().min(3)]);
        let millis: i64 = millis.parse().map_err(|_| self.wrong(column, CellProblem::TooLarge))?;
        match u64::try_from(sign * millis) {
            Err(_) => Err(self.wrong(column, CellProblem::Negative)),
            // A hundred years: beyond it a cell is in another unit.
            Ok(millis) if millis > 3_155_760_000_000 => Err(self.wrong(column, CellProblem::TooLarge)),
            Ok(millis) => Ok(millis),
        }
    }

    /// What is said of a cell that is not what its column says.
    pub(crate) fn wrong(&self, column: Column, problem: CellProblem) -> TraceError {
        let cell = String::from_utf8_lossy(self.record.get(column.index).unwrap_or_default());
        let value = cell.chars().take(SHOWN_MAX).collect();
        TraceError::Cell { line: self.line, column: column.index + 1, name: column.name, value, problem }
    }
}
