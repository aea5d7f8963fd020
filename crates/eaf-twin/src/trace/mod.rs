//! Traces: what ran on somebody's cluster, read so that it can run again.
//!
//! What: a [`Job`] a row, ordered by submission, and what was left out and why. Why rows are dropped or the file refused:
//! a row that says something impossible is one row; a file whose columns are not what they should be is no trace.
//! Absent: the fleet it runs on, and any guess at what a trace does not say.

mod error;
mod openb;
mod philly;
mod synthetic;
mod table;

pub use error::{CellProblem, TraceError};
pub use openb::{nodes as openb_nodes, pods as openb_pods};
pub use philly::{NODE_SHARES as PHILLY_NODE_SHARES, jobs as philly_jobs};
pub use synthetic::{Synthetic, SyntheticShape};
pub(crate) use table::{Column, Row, Rows, Table};

use eaf_model::{Span, TaskRequest};
use std::sync::Arc;

/// One workload of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its line in the file, from 1; for what was made up, its number.
    pub line: u64,
    /// Its name in the trace.
    pub name: Arc<str>,
    /// Who shares the quota.
    pub project: Arc<str>,
    /// When it was submitted, since the trace began.
    pub submitted: Span,
    /// How long it runs once it has started.
    pub runs: Span,
    /// False where the trace does not say when it started; then it runs for the time from its submission to its end.
    pub has_start: bool,
    /// How many tasks, all or nothing.
    pub tasks: u32,
    /// What each task asks for.
    pub task: TaskRequest,
}

impl Job {
    /// The accelerators that it holds, in thousandths.
    pub fn accelerators_milli(&self) -> u64 {
        let wanted = &self.task.accelerators;
        u64::from(self.tasks) * u64::from(wanted.count) * wanted.share.0
    }
}

/// Why a row was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DropReason {
    /// An earlier row has its name.
    Twin,
    /// It ends before it begins.
    EndsBeforeItBegins,
    /// It asks for nothing that a node could give.
    AsksForNothing,
    /// No node of the fleet, or not enough of them, could ever hold it.
    LargerThanTheFleet,
    /// The factory refuses it for another reason.
    Refused {
        /// The code of the rejection.
        code: &'static str,
    },
}

impl DropReason {
    /// Its name in documents for programs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Twin => "twin",
            Self::EndsBeforeItBegins => "ends_before_it_begins",
            Self::AsksForNothing => "asks_for_nothing",
            Self::LargerThanTheFleet => "larger_than_the_fleet",
            Self::Refused { code } => code,
        }
    }
}

/// A row that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Its line in the file, from 1.
    pub line: u64,
    /// Its name in the trace.
    pub name: Arc<str>,
    /// Why.
    pub why: DropReason,
}

/// A trace, ready to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// By submission, then by line.
    pub jobs: Vec<Job>,
    /// Rows that were left out.
    pub dropped: Vec<Dropped>,
}

impl Trace {
    /// Puts the jobs in order, and counts their times from that of the first row, kept or not. Jobs of one instant keep
    /// the order of the file.
    fn counted_from(mut self, first: Span) -> Self {
        for job in &mut self.jobs {
            job.submitted = Span(job.submitted.0 - first.0);
        }
        self.jobs.sort_by_key(|job| (job.submitted, job.line));
        self
    }

    /// How many jobs have no recorded start.
    pub fn without_start(&self) -> u64 {
        self.jobs.iter().filter(|job| !job.has_start).count() as u64
    }

    /// Only what was submitted in this part of the trace, counted from its beginning.
    #[must_use]
    pub fn within(mut self, from: Span, to: Span) -> Self {
        self.jobs.retain(|job| (from..to).contains(&job.submitted));
        for job in &mut self.jobs {
            job.submitted = Span(job.submitted.0 - from.0);
        }
        self
    }
}
