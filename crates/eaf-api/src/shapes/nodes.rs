//! Nodes as they are shown.

use eaf_model::{BoardMode, Bytes, CpuMilli, GpuMilli, NodeId, NodeSpec, NodeState, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeView {
    /// Its id.
    pub id: NodeId,
    /// Its name, unique within the site.
    pub name: String,
    /// What it has.
    pub spec: NodeSpec,
    /// What is held on it.
    pub status: NodeStatus,
    /// Free labels, as in the specification.
    pub labels: BTreeMap<String, String>,
    /// Counts the changes of what an operator or discovery said of it, from 1.
    pub version: u64,
    /// What may be placed on it.
    pub state: NodeState,
    /// Since when; `None` where this was not recorded.
    #[serde(default)]
    pub state_since: Option<Time>,
    /// Why it is not ready, in the words of whoever found or ordered it.
    #[serde(default)]
    pub state_reason: Option<String>,
    /// When work on a lost node is given up.
    #[serde(default)]
    pub state_deadline: Option<Time>,
}

/// What is held on a node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// CPU held by leases.
    pub cpu_held: CpuMilli,
    /// Memory held by leases.
    pub memory_held: Bytes,
    /// The share of each accelerator that leases hold, by index.
    pub accelerators_held: Vec<GpuMilli>,
    /// The modes of those accelerators that have ever had another than whole, by index.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub modes: BTreeMap<u16, BoardMode>,
    /// Tasks that hold something on it.
    pub tasks: u32,
}

/// `GET /v1/nodes`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeList {
    /// Every node, by id.
    pub items: Vec<NodeView>,
}

/// `POST /v1/nodes/{id}/mode`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModeRequest {
    /// Which accelerators, by rising index.
    pub accelerators: Vec<u16>,
    /// `whole`, or a mode of the partition book.
    pub mode: String,
}

/// `POST /v1/nodes/{id}/cordon`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CordonRequest {
    /// Why, for the next one on call.
    pub why: String,
}
