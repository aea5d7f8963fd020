//! What a world has met: every kind of event, refusal and fault, the cases that no event names, and how often.
//!
//! What: counts by name, and what is missing of all there is. Why the names come from the words themselves: a kind that
//! is added later is asked for at once. Absent: judgement of what is often enough.

use eaf_model::{Event, Rejection};
use std::collections::BTreeMap;

/// A fault that struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A node died.
    NodeDied,
    /// A node died with its disk.
    NodeDestroyed,
    /// A node fell silent.
    NodeSilent,
    /// A node that was down is back.
    NodeBack,
    /// A task was ended by a signal that nobody ordered.
    TaskKilled,
    /// The engine as a whole was out of reach.
    EngineLost,
    /// A report came late.
    ReportLate,
    /// A report came twice.
    ReportDoubled,
    /// A report did not come.
    ReportLost,
    /// A report overtook an earlier one.
    ReportOvertook,
    /// A report spoke of a lease that nobody granted.
    ReportForeign,
    /// An order came late.
    OrderLate,
    /// An order did not come.
    OrderLost,
    /// A change of mode failed.
    ModeChangeFailed,
    /// The control plane ended between two turns.
    Crash,
    /// It ended before its batch was written.
    CrashBeforeAppend,
    /// It ended when its batch was durable.
    CrashAfterAppend,
    /// It ended when its batch was acted on.
    CrashAfterEffects,
    /// The power failed between two turns.
    PowerLoss,
    /// The power failed during an append.
    PowerLossInAppend,
    /// The disk failed during an append.
    DiskError,
    /// The disk was full.
    DiskFull,
    /// The clock went back.
    ClockBack,
    /// The clock jumped ahead.
    ClockAhead,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 24] = [
        Self::NodeDied,
        Self::NodeDestroyed,
        Self::NodeSilent,
        Self::NodeBack,
        Self::TaskKilled,
        Self::EngineLost,
        Self::ReportLate,
        Self::ReportDoubled,
        Self::ReportLost,
        Self::ReportOvertook,
        Self::ReportForeign,
        Self::OrderLate,
        Self::OrderLost,
        Self::ModeChangeFailed,
        Self::Crash,
        Self::CrashBeforeAppend,
        Self::CrashAfterAppend,
        Self::CrashAfterEffects,
        Self::PowerLoss,
        Self::PowerLossInAppend,
        Self::DiskError,
        Self::DiskFull,
        Self::ClockBack,
        Self::ClockAhead,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NodeDied => "node_died",
            Self::NodeDestroyed => "node_destroyed",
            Self::NodeSilent => "node_silent",
            Self::NodeBack => "node_restored",
            Self::TaskKilled => "task_killed",
            Self::EngineLost => "engine_lost",
            Self::ReportLate => "report_late",
            Self::ReportDoubled => "report_doubled",
            Self::ReportLost => "report_lost",
            Self::ReportOvertook => "report_overtook",
            Self::ReportForeign => "report_foreign",
            Self::OrderLate => "order_late",
            Self::OrderLost => "order_lost",
            Self::ModeChangeFailed => "mode_change_failed",
            Self::Crash => "crash",
            Self::CrashBeforeAppend => "crash_before_append",
            Self::CrashAfterAppend => "crash_after_append",
            Self::CrashAfterEffects => "crash_after_effects",
            Self::PowerLoss => "power_loss",
            Self::PowerLossInAppend => "power_loss_in_append",
            Self::DiskError => "disk_error",
            Self::DiskFull => "disk_full",
            Self::ClockBack => "clock_back",
            Self::ClockAhead => "clock_ahead",
        }
    }
}

/// A case that matters and that no event, refusal or fault tells of by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Case {
    /// A gang has started with fewer tasks than it would have.
    GangSmaller,
    /// Somebody was stopped for work of another project.
    StoppedBetweenProjects,
    /// Who waits was told why.
    WaitExplained,
    /// It was told when it starts as well, by wall times.
    StartEstimated,
    /// The same by runs that have learned from what ended.
    StartEstimatedByRuns,
    /// What would come of a submission was told, and it would start.
    WhatIfStarts,
    /// The same, and it would wait.
    WhatIfWaits,
}

impl Case {
    /// Every case.
    pub const ALL: [Self; 7] = [
        Self::GangSmaller,
        Self::StoppedBetweenProjects,
        Self::WaitExplained,
        Self::StartEstimated,
        Self::StartEstimatedByRuns,
        Self::WhatIfStarts,
        Self::WhatIfWaits,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GangSmaller => "gang_smaller",
            Self::StoppedBetweenProjects => "stopped_between_projects",
            Self::WaitExplained => "wait_explained",
            Self::StartEstimated => "start_estimated",
            Self::StartEstimatedByRuns => "start_estimated_by_runs",
            Self::WhatIfStarts => "what_if_starts",
            Self::WhatIfWaits => "what_if_waits",
        }
    }
}

/// What kind of thing was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Met {
    /// An event, by its kind.
    Event,
    /// A rejection, by its code.
    Rejection,
    /// A fault, by its name.
    Fault,
    /// A case, by its name.
    Case,
}

/// How often each thing was met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    counts: BTreeMap<(Met, &'static str), u64>,
}

impl Coverage {
    pub(crate) fn event(&mut self, event: &Event) {
        *self.counts.entry((Met::Event, event.kind())).or_default() += 1;
    }

    pub(crate) fn rejection(&mut self, rejection: &Rejection) {
        *self.counts.entry((Met::Rejection, rejection.code())).or_default() += 1;
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        *self.counts.entry((Met::Fault, fault.name())).or_default() += 1;
    }

    pub(crate) fn case(&mut self, case: Case) {
        *self.counts.entry((Met::Case, case.name())).or_default() += 1;
    }

    /// Adds what another has met.
    pub fn add(&mut self, other: &Self) {
        for (met, count) in &other.counts {
            *self.counts.entry(*met).or_default() += count;
        }
    }

    /// Everything there is, and how often it was met.
    pub fn table(&self) -> Vec<(Met, &'static str, u64)> {
        let events = Event::KINDS.into_iter().map(|kind| (Met::Event, kind));
        let rejections = Rejection::CODES.into_iter().map(|code| (Met::Rejection, code));
        let faults = Fault::ALL.into_iter().map(|fault| (Met::Fault, fault.name()));
        let cases = Case::ALL.into_iter().map(|case| (Met::Case, case.name()));
        let all = events.chain(rejections).chain(faults).chain(cases);
        all.map(|(met, name)| (met, name, self.counts.get(&(met, name)).copied().unwrap_or(0))).collect()
    }

    /// What was never met.
    pub fn missing(&self) -> Vec<&'static str> {
        self.table().into_iter().filter(|(_, _, count)| *count == 0).map(|(_, name, _)| name).collect()
    }

    /// How many kinds of fault were met.
    pub fn faults(&self) -> usize {
        self.counts.keys().filter(|(met, _)| *met == Met::Fault).count()
    }
}
