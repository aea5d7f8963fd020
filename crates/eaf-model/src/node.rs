//! Nodes and the accelerators in them.
//!
//! What: what a node has, as discovery or a site file states it. Absent: what is free on it (the core counts that) and
//! device files (an engine knows its own).

use crate::{Bytes, CpuMilli};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One GPU or NPU of a node. Its place in `NodeSpec::accelerators` is its index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accelerator {
    /// The model's name in the catalogue, such as `MI355X`.
    pub model: String,
    /// Memory on the board; `None` where neither the machine nor the catalogue tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Bytes>,
    /// The maker's identifier, where the machine tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
}

/// What a node has. The name is unique within the site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSpec {
    /// Host name or the name of the site file; unique.
    pub name: String,
    /// CPU threads, in thousandths.
    pub cpu: CpuMilli,
    /// Memory that workloads may use.
    pub memory: Bytes,
    /// Accelerators in index order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accelerators: Vec<Accelerator>,
    /// The fabric domains that it is in, outermost first, such as a spine and a leaf; nodes that share more of them are
    /// nearer. Empty where nobody has said.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fabric: Vec<String>,
    /// True where the accelerators are pretended, for trying things out; shown everywhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pretended: bool,
    /// Free labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// What may be placed on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// Takes work.
    Ready,
    /// Keeps its work and takes no more, by order of an operator.
    Cordoned,
    /// Not heard of; its leases may still be running there, so nothing on it is given away.
    Lost,
}
