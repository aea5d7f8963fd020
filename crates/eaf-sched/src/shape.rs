//! The equivalence class of requests.
//!
//! What: everything of a workload that the planner looks at, apart from its place in the queue. Why: a shape that found
//! no place in a pass is passed over whole, however many workloads have it. Absent: what it runs.

use eaf_model::{Span, TaskRequest};
use std::sync::Arc;

/// The equivalence class of requests: two workloads of one shape are alike to the planner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape {
    /// How many tasks it needs; all of them find a place or none does.
    pub tasks: u32,
    /// How many it takes where there is room as it starts; never fewer than it needs.
    pub tasks_max: u32,
    /// The most tasks that may share a node; `None` for no bound.
    pub tasks_per_node_max: Option<u32>,
    /// What each task asks for.
    pub task: TaskRequest,
    /// How long it may run.
    pub wall: Span,
    /// Whose it is, where that decides anything: a project that has a share or a reservation.
    pub project: Option<Arc<str>>,
}

impl Shape {
    /// The same gang where it starts with so many tasks.
    pub(crate) fn with_tasks(&self, tasks: u32) -> Self {
        Self { tasks, tasks_max: tasks, ..self.clone() }
    }

    /// The same gang on accelerators of some models alone.
    pub(crate) fn on<'m>(&self, models: impl IntoIterator<Item = &'m Arc<str>>) -> Self {
        let mut shape = self.clone();
        shape.task.accelerators.models = models.into_iter().map(ToString::to_string).collect();
        shape
    }

    /// The most tasks of it that one node may take, however large the node.
    pub(crate) fn tasks_on_a_node(&self) -> u32 {
        self.tasks_per_node_max.unwrap_or(u32::MAX).min(self.tasks)
    }
}
