//! Modes of accelerators, and the slices that they offer.
//!
//! What: the partition book (which model can be cut how, as data), the mode of each accelerator of a node, and the words
//! for changing it. Why slots and legal starts: a maker's rules about which slices may coexist come down to where each may
//! begin and how many places it takes. Absent: choices, and the command lines of makers' tools.

use crate::{Bytes, GpuMilli, NodeId, Time, WorkloadId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The mode of an accelerator that is not cut.
pub const WHOLE_MODE: &str = "whole";

/// What changes its mode together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModeScope {
    /// Each accelerator alone.
    #[default]
    Accelerator,
    /// Every accelerator of this model in a node, at once.
    Node,
}

/// A slice that a mode offers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SliceProfile {
    /// The maker's name, such as `1g.10gb`. A request may leave out what follows a `/`.
    pub profile: String,
    /// What it counts for in accounts, in thousandths of the accelerator.
    pub share: GpuMilli,
    /// Memory of its own; `None` where the maker does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// How many places of the accelerator it takes.
    pub slots: u8,
    /// The places at which it may begin, rising.
    pub starts: Vec<u8>,
}

impl SliceProfile {
    /// True where a request for `slice` means this: its name, or all of it before a `/`.
    pub fn is_meant_by(&self, slice: &str) -> bool {
        let rest = self.profile.strip_prefix(slice);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// A way of cutting an accelerator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartitionMode {
    /// The maker's name, such as `MIG` or `CPX/NPS4`.
    pub name: String,
    /// What changes together.
    #[serde(default)]
    pub scope: ModeScope,
    /// How many places there are to put slices; at most 32.
    pub slots: u8,
    /// The most slices that one task may use; 0 for no bound.
    #[serde(default)]
    pub slices_per_task_max: u32,
    /// What it offers.
    pub slices: Vec<SliceProfile>,
}

/// Which model can be cut how. A model that is absent is always whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PartitionBook {
    /// Where it is from.
    pub source: String,
    /// By accelerator model; of two modes that offer a slice, the first is preferred.
    pub models: BTreeMap<String, Vec<PartitionMode>>,
}

impl PartitionBook {
    /// The modes of a model, besides whole.
    pub fn modes(&self, model: &str) -> &[PartitionMode] {
        self.models.get(model).map_or(&[], Vec::as_slice)
    }

    /// A mode of a model.
    pub fn mode(&self, model: &str, name: &str) -> Option<&PartitionMode> {
        self.modes(model).iter().find(|mode| mode.name == name)
    }

    /// The names of the slices that a model offers, in the order of the book.
    pub fn slices(&self, model: &str) -> impl Iterator<Item = &SliceProfile> {
        self.modes(model).iter().flat_map(|mode| &mode.slices)
    }
}

/// What unlike accelerators are worth to each other, where somebody has published it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExchangeBook {
    /// Its name and date, shown beside what is made with it.
    pub name: String,
    /// Thousandths of an H100 by accelerator model; a model that is absent stays unknown.
    pub h100_milli: BTreeMap<String, u64>,
}

/// A slice that is held: which places of the accelerator.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HeldSlice {
    /// The mode that offers it.
    pub mode: String,
    /// Its profile.
    pub profile: String,
    /// Its first place.
    pub start: u8,
    /// How many places it takes.
    pub slots: u8,
}

/// Where an accelerator is between two modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModeState {
    /// The mode is in force, and it takes work.
    Settled,
    /// It takes no more work, and changes when what is held on it has ended.
    Draining,
    /// Nothing is held on it, and an engine owes the change.
    Changing,
    /// A change failed. It takes no work until an operator orders a mode.
    OutOfService,
}

/// Why an accelerator is in that state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum ModeReason {
    /// Settled: an engine has said that this mode is in force.
    Verified,
    /// Draining or changing: this workload waits for it.
    Wanted {
        /// The workload.
        workload: WorkloadId,
    },
    /// Changing: an operator ordered it.
    Ordered {
        /// Who.
        by: String,
    },
    /// Out of service.
    Failed {
        /// What was seen.
        why: String,
    },
}

/// The mode of an accelerator, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardMode {
    /// The mode that was last known to be in force: `whole`, or one of the partition book.
    pub mode: String,
    /// Where it is between two modes.
    pub state: ModeState,
    /// Since when.
    pub state_since: Time,
    /// Why.
    pub state_reason: ModeReason,
    /// When the state is overdue, if it can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_deadline: Option<Time>,
    /// The mode that it is to have; also of a change that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The step that ordered the last change; reports of an older one change nothing.
    #[serde(default)]
    pub order: u64,
}

/// Bring accelerators into a mode, if they are not in it yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeOrder {
    /// The node.
    pub node: NodeId,
    /// Its name, by which an engine of several nodes knows it.
    pub name: String,
    /// Which accelerators, by rising index: all of them or none.
    pub accelerators: Vec<u16>,
    /// The mode.
    pub mode: String,
    /// The step that ordered it; reports carry it back.
    pub order: u64,
}

/// The modes that are in force on a node, as an engine reads them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenModes {
    /// The node, by its name.
    pub name: String,
    /// The mode of each accelerator that it can tell of, by rising index.
    pub modes: Vec<(u16, String)>,
}

/// What an engine observed of a mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModeReport {
    /// This mode is in force, as read back from the accelerators.
    InForce {
        /// The mode.
        mode: String,
    },
    /// It could not be brought about; what is in force is not known.
    Failed {
        /// What was seen.
        why: String,
    },
}
