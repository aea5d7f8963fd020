//! Bills: what one attempt held and used, and what that means in energy, carbon and won.
//!
//! What: figures together with the inputs that they were made from, so that a receipt can be made again from the
//! journal alone. Absent: sums over attempts (the receipt adds them up) and tax (the invoice's).

use crate::{Bytes, CpuMilli, GpuMilli, MicroGramsCo2, MicroWon, MilliJoules, Span, Time, Usage};
use serde::{Deserialize, Serialize};

/// What one task of an attempt held, and what it used: the input of a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldTask {
    /// CPU threads held.
    pub cpu: CpuMilli,
    /// Memory held.
    pub memory: Bytes,
    /// Accelerators held: model and share of each.
    pub accelerators: Vec<(String, GpuMilli)>,
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

/// What is priced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// CPU threads: the quantity is in thousandths of a thread times milliseconds.
    Cpu,
    /// Memory: the quantity is in MiB (rounded up for each task) times milliseconds.
    Memory,
    /// Accelerators of this model: the quantity is in thousandths of an accelerator times milliseconds.
    Accelerator(String),
}

/// Priced usage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// What.
    pub item: Item,
    /// How much was held, in the item's unit.
    pub quantity: u64,
    /// The rate: a thread, a GiB or an accelerator for an hour.
    pub rate: MicroWon,
    /// The price; zero where waived.
    pub amount: MicroWon,
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

/// A part of the energy of the machines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnergyPart {
    /// What drew it; `None` for a counter that covers all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// Measured or estimated.
    pub basis: Basis,
    /// What it was made from: for CPU, microseconds busy; for memory, MiB times milliseconds; for accelerators,
    /// thousandths times milliseconds; for a counter, millijoules.
    pub quantity: u64,
    /// Milliwatts of one thread, one GiB, or one accelerator at the load that is assumed or measured; 0 for a counter.
    pub milliwatts: u64,
    /// The energy; `None` where the catalogue does not know the model.
    pub energy: Option<MilliJoules>,
}

/// Carbon over a part of the attempt in which the intensity of the grid was the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CarbonSegment {
    /// Milligrams per kWh.
    pub milligrams_per_kwh: u32,
    /// How long, summed over its hours.
    pub span: Span,
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
    /// Summed over tasks (the peak of memory as well).
    pub usage: Usage,
    /// The name of the price book.
    pub price_book: String,
    /// Priced usage, each item once.
    pub charges: Vec<Charge>,
    /// Energy of the machines, by what drew it.
    pub energy: Vec<EnergyPart>,
    /// Energy of the site per energy of the machines, in thousandths.
    pub pue_milli: u64,
    /// Energy with the site's share: sum of the known parts times `pue_milli`.
    pub site_energy: MilliJoules,
    /// The grid over the attempt; empty where the profile is unknown.
    pub carbon_segments: Vec<CarbonSegment>,
    /// Carbon of `site_energy`; `None` where the profile is unknown.
    pub carbon: Option<MicroGramsCo2>,
    /// Sum of the charges.
    pub price: MicroWon,
}
