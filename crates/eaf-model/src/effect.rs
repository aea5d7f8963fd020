//! Effects: what the world still owes to the state.
//!
//! What: the orders an engine must carry out. Why a function of state: a crash loses nothing, and there is no outbox.
//! Idempotent, keyed by lease and task, or by node and step. Absent: how an engine does it.

use crate::{Allotment, LeaseId, ModeOrder, Span, Time, WorkloadId, WorkloadSpec};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Names one task of one lease; every order and report carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskKey {
    /// The lease.
    pub lease: LeaseId,
    /// The rank in the gang, from 0.
    pub task: u32,
}

/// Start this task, if it has not been started yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartOrder {
    /// The task.
    pub key: TaskKey,
    /// The workload it belongs to.
    pub workload: WorkloadId,
    /// The attempt, from 1.
    pub attempt: u32,
    /// How many tasks the attempt has; `None` for all of the workload's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<u32>,
    /// For a member of an array: its index value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub array_index: Option<u16>,
    /// What it holds.
    pub allotment: Allotment,
    /// What to run.
    pub spec: Arc<WorkloadSpec>,
}

/// Stop this task's whole process tree: politely, then hard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopOrder {
    /// The task.
    pub key: TaskKey,
    /// When the stop was ordered.
    pub ordered_at: Time,
    /// Between the polite and the hard stop.
    pub grace: Span,
}

/// What the world still owes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Start a task.
    Start(StartOrder),
    /// Stop a task.
    Stop(StopOrder),
    /// Change the mode of accelerators.
    SetMode(ModeOrder),
}

impl Effect {
    /// The task it speaks of, if it speaks of one.
    pub const fn key(&self) -> Option<TaskKey> {
        match self {
            Self::Start(order) => Some(order.key),
            Self::Stop(order) => Some(order.key),
            Self::SetMode(_) => None,
        }
    }
}
