//! Why a file is no trace, with the place.
//!
//! What: one enum; each variant carries the line and the column. Absent: rows that are left out (`DropReason`).

/// What is wrong with a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellProblem {
    /// It is not a number.
    NotANumber,
    /// It is below zero.
    Negative,
    /// It is too large.
    TooLarge,
    /// It is not a date and time such as `2017-10-09 07:01:55`.
    NotATime,
    /// It is empty.
    Empty,
    /// It is another number than the ones that are allowed there.
    NotAllowed {
        /// What would pass.
        expected: &'static str,
    },
}

impl std::fmt::Display for CellProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotANumber => f.write_str("is not a number"),
            Self::Negative => f.write_str("is below zero"),
            Self::TooLarge => f.write_str("is too large"),
            Self::NotATime => f.write_str("is not a date and time such as 2017-10-09 07:01:55"),
            Self::Empty => f.write_str("is empty"),
            Self::NotAllowed { expected } => write!(f, "is not {expected}"),
        }
    }
}

/// Why a file is refused.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// It cannot be read.
    #[error("the file cannot be read")]
    Read(#[source] std::io::Error),
    /// There is nothing in it.
    #[error("the file is empty; its first line should name the columns")]
    Empty,
    /// It has columns and no rows.
    #[error("the file has no rows")]
    NoRows,
    /// A column is missing.
    #[error("line 1: there is no column {missing}; the columns are {found}")]
    MissingColumn {
        /// Which.
        missing: &'static str,
        /// Those that are there.
        found: String,
    },
    /// A column stands twice.
    #[error("line 1: the column {column} stands twice")]
    ColumnTwice {
        /// Which.
        column: String,
    },
    /// It is not UTF-8.
    #[error("line {line}, column {column}: this is not UTF-8")]
    Encoding {
        /// Its line.
        line: u64,
        /// Its field, from 1.
        column: usize,
    },
    /// A row has another number of cells than there are columns.
    #[error("line {line}: there are {found} cells, and {expected} columns")]
    Width {
        /// Its line.
        line: u64,
        /// Its cells.
        found: u64,
        /// The columns.
        expected: u64,
    },
    /// A cell is not what its column says.
    #[error("line {line}, column {column} ({name}): {value:?} {problem}")]
    Cell {
        /// Its line.
        line: u64,
        /// Its field, from 1.
        column: usize,
        /// The name of the column.
        name: &'static str,
        /// What stands there.
        value: String,
        /// What is wrong with it.
        problem: CellProblem,
    },
    /// Two nodes have one name.
    #[error("line {line}: the node {name} stands on line {first} already")]
    NodeTwice {
        /// The second one's line.
        line: u64,
        /// The first one's line.
        first: u64,
        /// The name.
        name: String,
    },
    /// Two rows have one name.
    #[error("line {line}: the name {name} stands on line {first} already")]
    NameTwice {
        /// The second one's line.
        line: u64,
        /// The first one's line.
        first: u64,
        /// The name.
        name: String,
    },
    /// No node has an accelerator.
    #[error("the nodes have no accelerators")]
    NoAccelerators,
    /// An index of an order points nowhere.
    #[error("line {line}, column {column} ({name}): entry {entry}, {value:?}, is no whole number below {below}")]
    Index {
        /// Its line.
        line: u64,
        /// Its field, from 1.
        column: usize,
        /// The name of the field.
        name: &'static str,
        /// Which of the field's entries, from 1.
        entry: usize,
        /// What stands there.
        value: String,
        /// How many there are to point at.
        below: usize,
    },
    /// An index that may stand in an order once stands there twice.
    #[error("line {line}, column {column} ({name}): entry {entry}, {value}, stands there already")]
    IndexTwice {
        /// Its line.
        line: u64,
        /// Its field, from 1.
        column: usize,
        /// The name of the field.
        name: &'static str,
        /// Which of the field's entries, from 1.
        entry: usize,
        /// The index.
        value: usize,
    },
    /// An order leaves something out.
    #[error("line {line}, column {column} ({name}): {value} is missing; there are {found} of {expected}")]
    IndexMissing {
        /// Its line.
        line: u64,
        /// Its field, from 1.
        column: usize,
        /// The name of the field.
        name: &'static str,
        /// The first index that is missing.
        value: usize,
        /// Entries of the field.
        found: usize,
        /// What there should be.
        expected: usize,
    },
    /// Two orders have one trace and one seed.
    #[error("line {line}: {trace} with seed {seed} stands there already")]
    SeedTwice {
        /// The second one's line.
        line: u64,
        /// The trace.
        trace: String,
        /// The seed.
        seed: u64,
    },
    /// There are no orders for a trace.
    #[error("there are no orders for the trace {trace}; the file has: {found}")]
    NoTrace {
        /// Which.
        trace: String,
        /// Those that are there.
        found: String,
    },
    /// There is no order for a seed.
    #[error("there is no order for {trace} with seed {seed}; the file has: {found}")]
    NoSeed {
        /// The trace.
        trace: String,
        /// Which seed.
        seed: u64,
        /// Those that are there.
        found: String,
    },
}
