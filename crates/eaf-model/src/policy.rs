//! The policy: who has which share of the fleet, and when nodes are kept for somebody.
//!
//! What: shares as a tree, reservations, windows of maintenance. Why apart from the settings: it is a file of its own that
//! is compared and applied while the factory runs, and the settings of a start say nothing of it. Absent: people and
//! tenants; until they come, a share is meant by the name of a project.

use crate::{GpuMilli, Span, Time};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an operator has decided about shares and windows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// After this time without use, what a share has used counts half as much.
    pub half_life: Span,
    /// Shares by name. A share that bears the name of a project is what the project's workloads draw on.
    #[serde(deserialize_with = "crate::strict::objects")]
    pub shares: BTreeMap<String, Share>,
    /// Windows in which nodes are kept for a project, by name.
    #[serde(deserialize_with = "crate::strict::objects")]
    pub reservations: BTreeMap<String, Reservation>,
    /// Windows in which nodes take no work, by name.
    #[serde(deserialize_with = "crate::strict::objects")]
    pub maintenance: BTreeMap<String, Maintenance>,
}

impl Default for Policy {
    fn default() -> Self {
        let half_life = Span::from_secs(7 * 24 * 3_600);
        Self { half_life, shares: BTreeMap::new(), reservations: BTreeMap::new(), maintenance: BTreeMap::new() }
    }
}

impl Policy {
    /// True where shares decide anything.
    pub fn has_shares(&self) -> bool {
        !self.shares.is_empty()
    }

    /// Every window, reservations first, each kind by name.
    pub fn windows(&self) -> impl Iterator<Item = PolicyWindow<'_>> {
        let reserved = self.reservations.iter().map(|(name, window)| PolicyWindow {
            name,
            project: Some(&window.project),
            nodes: &window.nodes,
            from: window.from,
            until: window.until,
        });
        let maintained = self.maintenance.iter().map(|(name, window)| PolicyWindow {
            name,
            project: None,
            nodes: &window.nodes,
            from: window.from,
            until: window.until,
        });
        reserved.chain(maintained)
    }

    /// True where work of this project may be stopped for others, whatever it says.
    pub fn is_spot(&self, project: &str) -> bool {
        let up = |share: &&Share| share.parent.as_deref().and_then(|parent| self.shares.get(parent));
        // The policy was refused where a share is a part of itself; the bound says so again.
        let way = std::iter::successors(self.shares.get(project), up).take(self.shares.len());
        way.into_iter().any(|share| share.spot)
    }

    /// True where this project has something that others have not.
    pub fn knows(&self, project: &str) -> bool {
        self.shares.contains_key(project) || self.reservations.values().any(|window| window.project == project)
    }
}

/// A window of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyWindow<'a> {
    /// Its name, among those of its kind.
    pub name: &'a str,
    /// For whom; `None` for maintenance, which is for nobody.
    pub project: Option<&'a str>,
    /// Which nodes, by name.
    pub nodes: &'a [String],
    /// From when on.
    pub from: Time,
    /// Until when.
    pub until: Time,
}

impl PolicyWindow<'_> {
    /// Where it stands in the policy.
    pub fn place(&self) -> String {
        let kind = if self.project.is_some() { "reservations" } else { "maintenance" };
        format!("{kind}.{}", self.name)
    }
}

/// A part of the fleet that belongs to a tenant or a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The share that this one is a part of; `None` for a part of the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// What it is worth beside its siblings where they compete for what nobody is guaranteed.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
    /// Beside siblings with less of it, it goes first in what nobody is guaranteed, and takes what they borrowed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// Its work, and that of its parts, gives way to more urgent work of the same project, whether the work says so or not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spot: bool,
    /// By accelerator model.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "crate::strict::objects")]
    pub accelerators: BTreeMap<String, Quota>,
}

impl Default for Share {
    fn default() -> Self {
        Self { parent: None, weight: one(), priority: 0, spot: false, accelerators: BTreeMap::new() }
    }
}

const fn one() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
const fn is_one(weight: &u32) -> bool {
    *weight == 1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the form that serde asks for")]
const fn is_zero(priority: &i32) -> bool {
    *priority == 0
}

/// How many accelerators of one model a share has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// So many are its own: what others borrow of them comes back when it asks.
    #[serde(default)]
    pub guaranteed: u32,
    /// So many of those may others borrow while they are idle; `None` for all. The rest stays free for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub borrowable: Option<u32>,
    /// It never holds more than so many; `None` for no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<u32>,
}

/// What a share holds of one model, and may, in thousandths of an accelerator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelUse {
    /// What it holds now.
    pub held: GpuMilli,
    /// What is its own.
    pub guaranteed: GpuMilli,
    /// What of that nobody else may borrow.
    pub kept: GpuMilli,
    /// What it may hold at most; `None` for no bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<GpuMilli>,
}

/// What a share holds and has held, with all of its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareUse {
    /// Which; `None` for all projects without a share together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<String>,
    /// The share that it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// By model: what it holds or has a quota of.
    pub models: BTreeMap<String, ModelUse>,
    /// What it held on the average of the time that counts, over all models, in thousandths of an accelerator.
    pub average: GpuMilli,
    /// How many of its workloads wait for capacity.
    pub waiting: u64,
}

/// Nodes that are kept for a project for some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reservation {
    /// For whom.
    pub project: String,
    /// Which nodes, by name.
    pub nodes: Vec<String>,
    /// From when on nobody else holds anything on them.
    pub from: Time,
    /// Until when.
    pub until: Time,
}

/// Nodes that take no work for some time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maintenance {
    /// Which nodes, by name.
    pub nodes: Vec<String>,
    /// From when on nothing is held on them.
    pub from: Time,
    /// Until when.
    pub until: Time,
}

/// What is wrong with a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "problem")]
pub enum PolicyProblem {
    /// More of something than a policy may have.
    TooMany {
        /// How many.
        given: u32,
        /// How many may be.
        max: u32,
    },
    /// Not a name that a project could have.
    Name,
    /// A time or a weight is nought where it may not be.
    Zero,
    /// There is no such share.
    NoSuchShare {
        /// The name.
        name: String,
    },
    /// A share is a part of itself.
    Cycle {
        /// The way round, the share itself first.
        through: Vec<String>,
    },
    /// Shares lie deeper than they may.
    TooDeep {
        /// How deep they may lie.
        max: u32,
    },
    /// The guarantees of the parts are above that of the whole.
    AboveTheWhole {
        /// Of which model.
        model: String,
        /// What the parts are guaranteed together.
        parts: u32,
        /// What the whole has: a share's guarantee, or the fleet's accelerators.
        whole: u32,
    },
    /// More can be borrowed, or is guaranteed, than there can ever be.
    Above {
        /// What was given.
        given: u64,
        /// What it may be at most.
        max: u64,
    },
    /// A window names a node twice.
    Twice {
        /// Which.
        node: String,
    },
    /// A window ends before it begins.
    Over,
    /// No node has this model of accelerator.
    NoSuchModel {
        /// The model.
        model: String,
    },
    /// There is no such node.
    NoSuchNode {
        /// The name.
        name: String,
    },
    /// A node is kept twice at one time.
    Overlaps {
        /// The node.
        node: String,
        /// The other window.
        with: String,
    },
    /// What runs on a node may run into the window.
    Occupied {
        /// The node.
        node: String,
        /// The workload that may run the longest.
        workload: crate::WorkloadId,
        /// Until when it may.
        until: Time,
    },
}
