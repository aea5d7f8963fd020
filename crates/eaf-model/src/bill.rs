//! Bills: what one attempt held and used, and what that means in energy, carbon and won.
//!
//! What: figures together with the inputs that they were made from, so that a receipt can be made again from the
//! journal alone. Every formula
//! is stated where its result is kept. Absent: sums over attempts (the receipt adds them up) and tax (the invoice's).

use crate::{
    AcceleratorMs, Bytes, CpuMicros, CpuMilli, GpuMilli, MicroGramsCo2, MicroWon, MilliJoules, Span, Time, Usage,
    Watts, WorkloadId,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What one task of an attempt held, and what it used: the input of a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldTask {
    /// CPU threads held.
    pub cpu: CpuMilli,
    /// Memory held.
    pub memory: Bytes,
    /// Accelerators held: model and share of each.
    pub accelerators: Vec<(String, GpuMilli)>,
    /// True where the node only pretends its accelerators.
    pub pretended: bool,
    /// When its process started; `None` where it never did.
    pub started_at: Option<Time>,
    /// When it was gone.
    pub ended_at: Time,
    /// What it used.
    pub usage: Usage,
}

/// One attempt, as it is billed: the input of a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldAttempt {
    /// When the capacity was granted.
    pub granted_at: Time,
    /// True where the attempt was lost to a fault of the factory: nothing is charged.
    pub factory_fault: bool,
    /// By rank.
    pub tasks: Vec<HeldTask>,
}

/// Why nothing is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiver {
    /// No task of the gang, or not all of them, ever started.
    NeverStarted,
    /// The attempt was lost to a fault of the factory.
    FactoryFault,
}

/// An attempt that was stopped to make room for another workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preempted {
    /// For whom.
    pub by: WorkloadId,
    /// What it had done since its start and did not keep: accelerators held, times how long they were.
    pub lost: AcceleratorMs,
}

/// What is priced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// CPU threads, held in thousandths of a thread.
    Cpu,
    /// Memory, held in MiB (rounded up for each task).
    Memory,
    /// Accelerators of this model, held in thousandths of an accelerator.
    Accelerator(String),
}

/// Priced usage: `amount = mul_div(held * time, rate, unit)`, where `unit` is one hour of the item (`Item::per_hour`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// What.
    pub item: Item,
    /// How much each task held of it (of accelerators: the share of each), in the item's unit.
    pub held: u64,
    /// How long, summed over tasks (of accelerators: over each of them).
    pub time: Span,
    /// The rate: a thread, a GiB or an accelerator for an hour.
    pub rate: MicroWon,
    /// What that comes to, waived or not.
    pub amount: MicroWon,
}

impl Item {
    /// What a rate is for: one thread, GiB or accelerator in the item's unit, times the milliseconds of an hour.
    pub const fn per_hour(&self) -> u64 {
        match self {
            Self::Cpu | Self::Accelerator(_) => 1_000 * 3_600_000,
            Self::Memory => 1_024 * 3_600_000,
        }
    }
}

/// Whether energy was read off a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Read off a counter of the machine.
    Measured,
    /// Made from figures of the catalogue.
    Estimated,
}

/// How long accelerators were busy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// This long, by a counter, summed over the accelerators.
    Busy(Span),
    /// Assumed: this share of the time that they were held, in thousandths.
    Assumed(u64),
}

/// A part of the energy of the machines, with what it was made from. `None` for a figure that nobody knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnergyPart {
    /// Read off counters that cover all that the tasks held.
    Counter {
        /// Summed over tasks.
        energy: MilliJoules,
    },
    /// CPU: `mul_div(busy, milliwatts, 1_000_000)`.
    Cpu {
        /// Processor time, summed over tasks.
        busy: CpuMicros,
        /// Of one busy thread.
        milliwatts: u64,
        /// Their product.
        energy: Option<MilliJoules>,
    },
    /// Memory: `mul_div(mib * time, milliwatts, 1_024 * 1_000)`.
    Memory {
        /// Held by each task.
        mib: u64,
        /// How long, summed over tasks, each from its own start.
        time: Span,
        /// Of one GiB.
        milliwatts: u64,
        /// Their product.
        energy: Option<MilliJoules>,
    },
    /// Accelerators: `mul_div(share, time * idle_watts + busy * (max_watts - idle_watts), 1_000)`, where `busy` is at
    /// most `time`, or `mul_div(time, load, 1_000)` where it is assumed, and an idle draw that is unknown counts as 0.
    Accelerator {
        /// Which.
        model: String,
        /// The share of each.
        share: GpuMilli,
        /// How long, summed over accelerators, each from the start of its task.
        time: Span,
        /// How long they were busy.
        load: Load,
        /// The most that one draws; `None` where the catalogue does not know the model.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_watts: Option<Watts>,
        /// What one draws when idle, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        idle_watts: Option<Watts>,
        /// What that comes to.
        energy: Option<MilliJoules>,
    },
}

impl EnergyPart {
    /// The energy; `None` where it is unknown.
    pub const fn energy(&self) -> Option<MilliJoules> {
        match self {
            Self::Counter { energy } => Some(*energy),
            Self::Cpu { energy, .. } | Self::Memory { energy, .. } | Self::Accelerator { energy, .. } => *energy,
        }
    }

    /// Measured or estimated.
    pub const fn basis(&self) -> Basis {
        match self {
            Self::Counter { .. } => Basis::Measured,
            Self::Cpu { .. } | Self::Memory { .. } | Self::Accelerator { .. } => Basis::Estimated,
        }
    }
}

/// Carbon over the hours of the attempt in which the intensity of the grid was the same; in JSON a pair, to be short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u32, Span)", into = "(u32, Span)")]
pub struct CarbonSegment {
    /// Milligrams per kWh.
    pub milligrams_per_kwh: u32,
    /// How long, summed over its hours.
    pub span: Span,
}

impl From<(u32, Span)> for CarbonSegment {
    fn from((milligrams_per_kwh, span): (u32, Span)) -> Self {
        Self { milligrams_per_kwh, span }
    }
}

impl From<CarbonSegment> for (u32, Span) {
    fn from(segment: CarbonSegment) -> Self {
        (segment.milligrams_per_kwh, segment.span)
    }
}

/// Accelerators of unlike models, counted in H100s at published rates:
/// `sum(mul_div(held * time, h100_milli, 3_600_000))` over the charges of accelerators, waived or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Equivalent {
    /// The name of the exchange book.
    pub book: String,
    /// Thousandths of an H100 by model that was held; `None` where nobody has published a rate.
    pub h100_milli: BTreeMap<String, Option<u64>>,
    /// Millionths of an H100 for an hour; `None` where a rate is unknown.
    pub h100_micro_hours: Option<u64>,
}

/// What one attempt held, used and costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    /// When the capacity was granted.
    pub granted_at: Time,
    /// When the last of its tasks had started; `None` where not all of them did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the last task was gone.
    pub ended_at: Time,
    /// Why nothing is charged, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<Waiver>,
    /// Set where it was stopped to make room for another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preempted: Option<Preempted>,
    /// Summed over tasks (the peak of memory as well); a counter that one of them lacks is `None`.
    pub usage: Usage,
    /// True where accelerators that were held are pretended, for trying things out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pretended: bool,
    /// The name of the price book.
    pub price_book: String,
    /// Priced usage, by item and by how much of it was held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<Charge>,
    /// What was charged of accelerators in published units; there only where some was, and a book is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equivalent: Option<Equivalent>,
    /// Energy of the machines, by what drew it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub energy: Vec<EnergyPart>,
    /// Energy of the site per energy of the machines, in thousandths; 0 for unknown.
    pub pue_milli: u64,
    /// Energy with the site's share: `mul_div(sum of the parts, pue_milli, 1_000)`; `None` where a part is unknown.
    pub site_energy: Option<MilliJoules>,
    /// The grid over the attempt, by rising intensity; empty where the profile is unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub carbon_segments: Vec<CarbonSegment>,
    /// Carbon of `site_energy`, drawn evenly over the segments:
    /// `mul_div(site_energy, sum(intensity * span), sum(span) * 3_600_000)`; `None` where either is unknown.
    pub carbon: Option<MicroGramsCo2>,
    /// Sum of the charges; zero where waived.
    pub price: MicroWon,
}
