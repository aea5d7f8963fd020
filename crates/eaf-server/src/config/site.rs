//! The site file: what an operator says of nodes beyond what is discovered.
//!
//! What: labels and limits by node name. Absent: nodes that no engine serves; a name that is not discovered is ignored
//! until it is.

use eaf_model::{Bytes, CpuMilli, NodeSpec};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A site file.
///
/// ```toml
/// [nodes.gpu-01]
/// labels = { rack = "r1" }
/// fabric = ["spine-1", "leaf-3"]
/// cpu_max = 60000
/// memory_max = 1000000000000
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Site {
    /// By the node's name.
    pub nodes: BTreeMap<String, SiteNode>,
}

/// What is said of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteNode {
    /// Added to the discovered labels.
    pub labels: BTreeMap<String, String>,
    /// The fabric domains that it is in, outermost first; gangs stay in as few as possible.
    pub fabric: Vec<String>,
    /// At most so much of its CPU is given to workloads.
    pub cpu_max: Option<CpuMilli>,
    /// At most so much of its memory is given to workloads.
    pub memory_max: Option<Bytes>,
}

impl Site {
    /// Puts what is said of a discovered node into effect.
    pub(crate) fn bound(&self, node: &mut NodeSpec) {
        let Some(said) = self.nodes.get(&node.name) else { return };
        node.labels.extend(said.labels.clone());
        if !said.fabric.is_empty() {
            node.fabric.clone_from(&said.fabric);
        }
        node.cpu = said.cpu_max.map_or(node.cpu, |max| node.cpu.min(max));
        node.memory = said.memory_max.map_or(node.memory, |max| node.memory.min(max));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_file_bounds_and_labels_what_is_discovered() {
        let site: Site =
            toml::from_str("[nodes.a]\nlabels = { rack = \"r1\" }\nfabric = [\"s\", \"l\"]\ncpu_max = 1500\n").unwrap();
        let mut node = NodeSpec {
            name: "a".to_owned(),
            cpu: CpuMilli(4_000),
            memory: Bytes(1 << 30),
            accelerators: Vec::new(),
            fabric: Vec::new(),
            pretended: false,
            labels: BTreeMap::new(),
        };
        site.bound(&mut node);
        assert_eq!((node.cpu, node.memory, node.labels["rack"].as_str()), (CpuMilli(1_500), Bytes(1 << 30), "r1"));
        assert_eq!(node.fabric, ["s", "l"]);
        assert!(toml::from_str::<Site>("[nodes.a]\ncpus = 1\n").is_err());
    }
}
