//! Windows: nodes that are kept for a project for some time, or for nobody.
//!
//! What: which nodes are closed to a project over a stretch of time, and the fleet as that project may use it. Why whole
//! stretches: what starts before a window and may still run in it would break it, so it must not start. Why nodes and not
//! parts of them: who has a node in a window has its fabric, its memory and its disk as well.
//! Absent: who promised what to whom; the core makes windows of its policy.

use crate::Fleet;
use eaf_model::{NodeId, NodeState, Span, Time};
use std::sync::Arc;

/// A node is kept from one time to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// From when on.
    pub from: Time,
    /// Until when.
    pub until: Time,
    /// The node.
    pub node: NodeId,
    /// Whose workloads alone may hold something on it; `None` for nobody's.
    pub project: Option<Arc<str>>,
}

impl Window {
    /// True where a workload of this project may not hold the node at some time of the stretch.
    pub(crate) fn is_closed_to(&self, project: Option<&str>, from: Time, until: Time) -> bool {
        let own = self.project.is_some() && self.project.as_deref() == project;
        !own && self.from < until && self.until > from
    }
}

/// Every window. A clone is O(1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Windows {
    /// By their begin.
    sorted: Arc<[Window]>,
}

impl Windows {
    /// These windows.
    pub fn new(mut windows: Vec<Window>) -> Self {
        windows.sort();
        Self { sorted: windows.into() }
    }

    /// Every window, by its begin.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Window> {
        self.sorted.iter()
    }

    /// The windows that close something to a project at some time of a stretch.
    pub(crate) fn closing<'a>(
        &'a self,
        project: Option<&'a str>,
        from: Time,
        until: Time,
    ) -> impl Iterator<Item = &'a Window> {
        let begun = self.sorted.partition_point(|window| window.from < until);
        self.sorted[..begun].iter().filter(move |window| window.is_closed_to(project, from, until))
    }

    /// The fleet without the nodes that are closed to a project at some time of a stretch; `None` where it is all of it.
    /// O(windows), and O(log nodes) more for each that closes something.
    pub(crate) fn close(&self, fleet: &Fleet, project: Option<&str>, from: Time, until: Time) -> Option<Fleet> {
        let mut closing =
            self.closing(project, from, until).filter(|window| fleet.get(window.node).is_some()).peekable();
        closing.peek()?;
        let mut open = fleet.clone();
        closing.for_each(|window| open.set_state(window.node, NodeState::Cordoned));
        Some(open)
    }

    /// The first time not before `at` from which no window closes any node to a project for so long.
    pub(crate) fn clear_from(&self, project: Option<&str>, mut at: Time, wall: Span) -> Time {
        for window in self.sorted.iter().filter(|window| window.is_closed_to(project, window.from, window.until)) {
            if window.until > at && window.from < at.after(wall) {
                at = window.until;
            }
        }
        at
    }
}
