//! Settings of the core: limits, times, estimates, prices, carbon and power figures.
//!
//! What: data that an operator may replace; a change is an event, so that history keeps the figures it was made with.
//! Absent: settings of doors and engines (ports, directories), which never reach the core.

use crate::{ExchangeBook, MicroWon, PartitionBook, Span, Watts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bounds of the core. Each is in the limits table of `ARCHITECTURE.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Live workloads, members of arrays counted one by one.
    pub live_workloads_max: u64,
    /// Nodes.
    pub nodes_max: u64,
    /// Tasks of one gang.
    pub tasks_max: u32,
    /// Members of one array.
    pub array_max: u32,
    /// Dependencies of one workload.
    pub dependencies_max: u32,
    /// Retries of one workload.
    pub retries_max: u32,
    /// Losses after which a workload fails.
    pub losses_max: u32,
    /// How often one workload is stopped to make room for others.
    #[serde(skip_serializing_if = "is_preemptions_default")]
    pub preemptions_max: u32,
    /// Bytes of one specification, as JSON.
    pub spec_bytes_max: u64,
    /// Labels of one workload or node.
    pub labels_max: u32,
    /// Leases that one planning pass grants.
    pub grants_per_plan_max: u32,
    /// Shapes of request that one planning pass looks at; where projects have shares evenly of each, and at least eight.
    pub shapes_per_plan_max: u32,
    /// Ended workloads that memory remembers for dependencies and idempotency keys; older ones are in the history.
    pub remembered_max: u32,
    /// Accelerators whose change of mode one planning pass begins.
    #[serde(skip_serializing_if = "is_mode_changes_default")]
    pub mode_changes_per_plan_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            live_workloads_max: 1_000_000,
            nodes_max: 200_000,
            tasks_max: 4_096,
            array_max: 10_000,
            dependencies_max: 1_000,
            retries_max: 100,
            losses_max: 8,
            preemptions_max: 100,
            spec_bytes_max: 1 << 20,
            labels_max: 64,
            grants_per_plan_max: 1_000,
            shapes_per_plan_max: 1_000,
            remembered_max: 10_000,
            mode_changes_per_plan_max: 64,
        }
    }
}

/// Times that the core works with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timing {
    /// The wall time of a workload that names none.
    pub wall_time_default: Span,
    /// The longest wall time that may be asked for.
    pub wall_time_max: Span,
    /// How long an engine may take to start a task.
    pub start_timeout: Span,
    /// Between the polite and the hard stop where a workload names none.
    pub stop_grace_default: Span,
    /// The longest grace that may be asked for.
    pub stop_grace_max: Span,
    /// The wait before the first retry; it doubles with each.
    pub retry_backoff: Span,
    /// The longest wait before a retry.
    pub retry_backoff_max: Span,
    /// How long a lost node may come back before its workloads are given up.
    pub lost_node_grace: Span,
    /// How long a change of an accelerator's mode is expected to take; what is free sooner is waited for instead.
    #[serde(skip_serializing_if = "is_mode_change_default")]
    pub mode_change: Span,
    /// How long an engine may take to change a mode.
    #[serde(skip_serializing_if = "is_mode_timeout_default")]
    pub mode_change_timeout: Span,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            wall_time_default: Span::from_secs(24 * 3_600),
            wall_time_max: Span::from_secs(366 * 24 * 3_600),
            start_timeout: Span::from_secs(600),
            stop_grace_default: Span::from_secs(10),
            stop_grace_max: Span::from_secs(3_600),
            retry_backoff: Span::from_secs(1),
            retry_backoff_max: Span::from_secs(300),
            lost_node_grace: Span::from_secs(60),
            mode_change: Span::from_secs(60),
            mode_change_timeout: Span::from_secs(600),
        }
    }
}

/// Bounds of an estimated start. Each is in the limits table of `ARCHITECTURE.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Estimates {
    /// Forward runs of one estimate.
    pub runs_max: u32,
    /// Work of one estimate, over all of its runs: steps of the core, and what its planning passes look at.
    pub steps_max: u32,
    /// How far into the future a run goes.
    pub horizon: Span,
}

impl Default for Estimates {
    fn default() -> Self {
        Self { runs_max: 20, steps_max: 200_000, horizon: Span::from_secs(366 * 24 * 3_600) }
    }
}

/// Who goes first among those that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Priority; then, among those that may be preempted and keep their progress, the least attained service; then age.
    #[default]
    Priority,
    /// Age alone.
    Fifo,
    /// The shortest wall time asked for; then age.
    Sjf,
    /// The least attained service (accelerators times time held), in levels; then age. Wall times are not looked at.
    Las,
}

/// Who may go before one that cannot start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Passing {
    /// Nobody: the head of the queue blocks.
    Strict,
    /// Whatever fits; nothing is promised to those that it passes.
    Skip,
    /// What does not delay the planned starts of the first that wait.
    #[default]
    Backfill,
}

/// By which rule nodes are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placing {
    /// The factory's own.
    #[default]
    Eaf,
    /// The rule of the published queueing benchmark: best fit on one node, or whole free nodes by rising id and a rest on
    /// the first other node that takes it.
    Reference,
}

/// How what waits is ordered, passed and placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueueSettings {
    /// Who goes first.
    pub order: Order,
    /// Who may go before one that cannot start.
    pub passing: Passing,
    /// How many of the first who cannot start are promised a start that nobody behind them may delay; at least 1.
    pub holds: u32,
    /// By which rule nodes are chosen.
    pub placing: Placing,
    /// Who has waited this long since submission goes before everybody else; zero for never.
    pub head_after: Span,
    /// How long a workload runs at least before it may be stopped for another.
    pub preempt_after: Span,
    /// The attained service at which the first level ends, in the time of one accelerator.
    pub level_service: Span,
    /// How many times more each further level takes.
    pub level_ratio: u32,
}

impl Default for QueueSettings {
    fn default() -> Self {
        Self {
            order: Order::default(),
            passing: Passing::default(),
            holds: 4,
            placing: Placing::default(),
            head_after: Span::from_secs(7 * 24 * 3_600),
            preempt_after: Span::from_secs(300),
            level_service: Span::from_secs(3_600),
            level_ratio: 4,
        }
    }
}

/// What holding capacity costs. Prices are before tax.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PriceBook {
    /// Its name and date, shown on every receipt.
    pub name: String,
    /// A CPU thread for an hour.
    pub cpu_hour: MicroWon,
    /// A GiB of memory for an hour.
    pub memory_gib_hour: MicroWon,
    /// A whole accelerator for an hour, by model.
    pub accelerator_hour: BTreeMap<String, MicroWon>,
    /// A whole accelerator of any other model for an hour.
    pub accelerator_hour_other: MicroWon,
}

/// How much CO2 a kWh brings, by month and hour of the day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CarbonProfile {
    /// Where it is from.
    pub source: String,
    /// Local time ahead of UTC, in minutes.
    pub utc_offset_minutes: i32,
    /// Milligrams of CO2 equivalent per kWh: twelve months of 24 hours each, in local time; empty for unknown.
    pub milligrams_per_kwh: Vec<u32>,
}

/// Power figures of one accelerator model.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AcceleratorPower {
    /// The most its board draws.
    pub max_watts: Watts,
    /// What it draws when idle, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_watts: Option<Watts>,
}

/// Figures for estimating energy where nothing is measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PowerModel {
    /// Where the figures are from.
    pub source: String,
    /// A busy CPU thread, in milliwatts; 0 for unknown.
    pub cpu_busy_milliwatts: u64,
    /// A GiB of memory that is held, in milliwatts; 0 for unknown.
    pub memory_gib_milliwatts: u64,
    /// By accelerator model; a model that is absent stays unknown.
    pub accelerators: BTreeMap<String, AcceleratorPower>,
    /// The load of an accelerator whose load is not measured, in thousandths.
    pub accelerator_load_assumed_milli: u64,
    /// Energy of the site per energy of the machines, in thousandths (PUE 1.2 is 1200); 0 for unknown.
    pub pue_milli: u64,
}

/// Everything of the core that an operator may set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Bounds.
    pub limits: Limits,
    /// Times.
    pub timing: Timing,
    /// Estimated starts.
    #[serde(skip_serializing_if = "is_unset")]
    pub estimates: Estimates,
    /// Prices.
    pub prices: PriceBook,
    /// Carbon.
    pub carbon: CarbonProfile,
    /// Power figures.
    pub power: PowerModel,
    /// How accelerators can be cut.
    #[serde(skip_serializing_if = "is_unset")]
    pub partitions: PartitionBook,
    /// What unlike accelerators are worth to each other.
    #[serde(skip_serializing_if = "is_unset")]
    pub exchange: ExchangeBook,
    /// How what waits is ordered.
    #[serde(skip_serializing_if = "is_unset")]
    pub queue: QueueSettings,
}

// What came later than the first journals is written only where it was changed: a journal of before reads, and hashes, the same.

fn is_unset<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_preemptions_default(max: &u32) -> bool {
    *max == Limits::default().preemptions_max
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_mode_changes_default(max: &u32) -> bool {
    *max == Limits::default().mode_changes_per_plan_max
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_mode_change_default(span: &Span) -> bool {
    *span == Timing::default().mode_change
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
fn is_mode_timeout_default(span: &Span) -> bool {
    *span == Timing::default().mode_change_timeout
}
