//! The record of a node.
//!
//! What: what `State` holds of it. Absent: its leases; they name their nodes.

use eaf_model::{BoardMode, ModeState, NodeId, NodeSpec, NodeState, Time, WHOLE_MODE};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A node of the site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its id.
    pub id: NodeId,
    /// What it has.
    pub spec: Arc<NodeSpec>,
    /// Why it takes no more work, where an operator said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cordoned: Option<String>,
    /// Set while it is not heard of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
    /// The modes of those accelerators that have ever had another than whole, by index.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub modes: BTreeMap<u16, BoardMode>,
    /// When it came into its state.
    pub state_since: Time,
    /// Counts the changes of this record, from 1.
    pub version: u64,
}

/// A node that is not heard of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Since when.
    pub since: Time,
    /// What was seen.
    pub why: String,
    /// True once its workloads went on without it.
    pub given_up: bool,
}

impl Node {
    /// The mode that is in force on an accelerator, and where it is between two.
    pub fn mode(&self, accelerator: u16) -> (&str, ModeState) {
        let record = self.modes.get(&accelerator);
        record.map_or((WHOLE_MODE, ModeState::Settled), |record| (record.mode.as_str(), record.state))
    }

    /// What the fleet is told of the modes: each accelerator, its mode, and whether it takes work.
    pub(crate) fn modes_for_fleet(&self) -> impl Iterator<Item = (u16, &str, bool)> {
        (0u16..).zip(&self.spec.accelerators).map(|(board, _)| {
            let (mode, state) = self.mode(board);
            (board, mode, state == ModeState::Settled)
        })
    }
    /// What may be placed on it. A lost node shows as lost, cordoned or not.
    pub const fn state(&self) -> NodeState {
        if self.lost.is_some() {
            NodeState::Lost
        } else if self.cordoned.is_some() {
            NodeState::Cordoned
        } else {
            NodeState::Ready
        }
    }
}
