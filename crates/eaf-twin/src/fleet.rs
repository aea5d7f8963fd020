//! Fleets that are written down in a word: `16x8` or `16x8xMI355X`.
//!
//! What: so many equal nodes with so many accelerators each. Absent: fleets of a file; their reader stands with the trace
//! that they belong to.

use eaf_model::{Accelerator, Bytes, CpuMilli, NodeSpec};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The model of accelerators that a fleet does not name; no catalogue knows it, so its energy stays unknown.
pub const UNNAMED_MODEL: &str = "unnamed";

/// The most nodes that a fleet may have.
pub const NODES_MAX: u32 = 200_000;
/// The most accelerators of a node.
pub const ACCELERATORS_MAX: u32 = 64;

/// So many equal nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EqualNodes {
    /// How many nodes.
    pub nodes: u32,
    /// How many accelerators each has.
    pub accelerators: u32,
    /// Their model.
    pub model: String,
}

/// A word that is no fleet.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no fleet; expected NODESxACCELERATORS or NODESxACCELERATORSxMODEL, such as 16x8 or 16x8xMI355X")]
pub struct NotAFleet(pub String);

impl FromStr for EqualNodes {
    type Err = NotAFleet;

    fn from_str(text: &str) -> Result<Self, NotAFleet> {
        let fail = || NotAFleet(text.chars().take(80).collect());
        let mut parts = text.splitn(3, 'x');
        let mut number = |max: u32| {
            let part = parts.next().filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
            part.and_then(|part| part.parse::<u32>().ok()).filter(|n| (1..=max).contains(n)).ok_or_else(fail)
        };
        let (nodes, accelerators) = (number(NODES_MAX)?, number(ACCELERATORS_MAX)?);
        let model = parts.next().unwrap_or(UNNAMED_MODEL);
        let named = !model.is_empty() && model.len() <= 128 && !model.chars().any(char::is_control);
        if named { Ok(Self { nodes, accelerators, model: model.to_owned() }) } else { Err(fail()) }
    }
}

impl fmt::Display for EqualNodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.nodes, self.accelerators)?;
        if self.model == UNNAMED_MODEL { Ok(()) } else { write!(f, "x{}", self.model) }
    }
}

impl EqualNodes {
    /// The nodes, with so many threads and so much memory beside each accelerator.
    pub fn specs(&self, (cpu, memory): (CpuMilli, Bytes)) -> Vec<NodeSpec> {
        let digits = self.nodes.saturating_sub(1).max(1).ilog10() as usize + 1;
        let accelerator = Accelerator { model: self.model.clone(), memory: None, uuid: None };
        let spec = |n: u32| NodeSpec {
            name: format!("node-{n:0digits$}"),
            cpu: CpuMilli(cpu.0 * u64::from(self.accelerators)),
            memory: Bytes(memory.0 * u64::from(self.accelerators)),
            accelerators: vec![accelerator.clone(); self.accelerators as usize],
            fabric: Vec::new(),
            pretended: true,
            labels: BTreeMap::new(),
        };
        (0..self.nodes).map(spec).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_reads_back_what_it_shows() {
        let check = |text: &str, expect: Option<(u32, u32, &str)>| {
            let got = text.parse::<EqualNodes>().ok();
            assert_eq!(got.as_ref().map(|f| (f.nodes, f.accelerators, f.model.as_str())), expect, "{text}");
            assert!(got.is_none_or(|fleet| fleet.to_string() == text));
        };
        check("16x8", Some((16, 8, UNNAMED_MODEL)));
        check("352x8xH200", Some((352, 8, "H200")));
        for bad in ["", "16", "x8", "0x8", "16x0", "16x65", "+1x8", "1x8x", "999999999x8", "16X8"] {
            check(bad, None);
        }
        let specs = "11x2".parse::<EqualNodes>().unwrap().specs((CpuMilli(8_000), Bytes(1)));
        assert_eq!((specs.len(), specs[3].name.as_str(), specs[3].cpu), (11, "node-03", CpuMilli(16_000)));
    }
}
