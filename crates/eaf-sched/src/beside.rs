//! What is free beside planned starts.
//!
//! What: for each time at which a planned start begins, what is free both now and through all that begins up to then, and
//! what projects have at that time. Why a list that only narrows: what starts now and lasts beyond the first k beginnings
//! must fit under all of them, so a pass picks one fleet by the end of what it places and asks nothing else of nodes.
//! Absent: when planned starts begin (`timeline`).

use crate::capacity::NodeCapacity;
use crate::shares::Amounts;
use crate::timeline::Timeline;
use crate::{Fleet, Shares};
use eaf_model::{Allotment, NodeId, Placement, Time};
use std::collections::{BTreeMap, BTreeSet};

/// What is free beside planned starts.
#[derive(Clone, Default)]
pub(crate) struct Beside {
    /// By rising time, each of another.
    levels: Vec<Level>,
}

/// What starts that are planned up to some time leave.
#[derive(Clone)]
struct Level {
    at: Time,
    /// What will be left at that time on the nodes that are needed then.
    left: BTreeMap<NodeId, NodeCapacity>,
    /// What is free both now and through all beginnings up to that time.
    fleet: Fleet,
    /// What projects have then; `None` where nobody asks.
    shares: Option<Shares>,
}

impl Beside {
    /// What something may take that starts now and ends at some time; `None` for whatever is free.
    pub(crate) fn view(&self, end: Time) -> Option<&Fleet> {
        self.passed(end).last().map(|level| &level.fleet)
    }

    /// What projects have whenever a planned start begins before some time.
    pub(crate) fn shares(&self, end: Time) -> impl Iterator<Item = &Shares> {
        self.passed(end).iter().filter_map(|level| level.shares.as_ref())
    }

    /// The same, with each time.
    pub(crate) fn levels(&self, end: Time) -> impl Iterator<Item = (Time, &Shares)> {
        self.passed(end).iter().filter_map(|level| Some((level.at, level.shares.as_ref()?)))
    }

    /// The nodes of all planned starts.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = &NodeId> {
        self.levels.iter().flat_map(|level| level.left.keys())
    }

    fn passed(&self, end: Time) -> &[Level] {
        &self.levels[..self.levels.partition_point(|level| level.at < end)]
    }

    /// A start is planned at some time, and is in the timeline. `fleet` is what is free now.
    pub(crate) fn promise(&mut self, fleet: &Fleet, timeline: &Timeline<'_>, placement: &Placement, at: Time) {
        let nodes: BTreeSet<NodeId> = placement.tasks.iter().map(|task| task.node).collect();
        let from = self.levels.partition_point(|level| level.at < at);
        if self.levels.get(from).is_none_or(|level| level.at > at) {
            let below = if from == 0 { fleet } else { &self.levels[from - 1].fleet };
            let shares = timeline.shares_at(at);
            self.levels.insert(from, Level { at, left: BTreeMap::new(), fleet: below.clone(), shares });
        }
        self.levels[from].left.extend(nodes.iter().map(|node| (*node, timeline.free_at(fleet, *node, at).clone())));
        for level in &mut self.levels[from + 1..] {
            for node in &nodes {
                if let Some(left) = level.left.get_mut(node) {
                    left.clone_from(timeline.free_at(fleet, *node, level.at));
                }
            }
        }
        for node in nodes {
            self.narrow(fleet, node, from);
        }
    }

    /// A project has more from one time until another.
    pub(crate) fn take(&mut self, project: Option<&str>, held: &Amounts, when: (Time, Time)) {
        self.shares_in(when).for_each(|shares| shares.take(project, held));
    }

    /// A project has less from one time until another.
    pub(crate) fn give_back(&mut self, project: Option<&str>, held: &Amounts, when: (Time, Time)) {
        self.shares_in(when).for_each(|shares| shares.give_back(project, held));
    }

    fn shares_in(&mut self, (from, until): (Time, Time)) -> impl Iterator<Item = &mut Shares> {
        let meant = self.levels.iter_mut().skip_while(move |level| level.at < from);
        meant.take_while(move |level| level.at < until).filter_map(|level| level.shares.as_mut())
    }

    /// What the timeline has found meanwhile that projects have no more, at each level from then on.
    pub(crate) fn learn(&mut self, timeline: &mut Timeline<'_>) {
        for (from, project, held) in timeline.learned() {
            self.give_back(project.as_deref(), &held, (from, Time::NEVER));
        }
    }

    /// A task starts now; `fleet` holds it already.
    pub(crate) fn start(&mut self, fleet: &Fleet, task: &Allotment, end: Time) {
        for level in self.levels.iter_mut().take_while(|level| level.at < end) {
            if let Some(left) = level.left.get_mut(&task.node) {
                left.hold(task);
            }
        }
        self.narrow(fleet, task.node, 0);
    }

    /// Less is free now on a node than before.
    pub(crate) fn limit(&mut self, node: NodeId, free: &NodeCapacity) {
        self.levels.iter_mut().for_each(|level| level.fleet.limit(node, free));
    }

    /// Lowers what is free on a node, from one level on, to what is free now and left at each level up to there.
    fn narrow(&mut self, fleet: &Fleet, node: NodeId, from: usize) {
        let mut free = fleet.get(node).expect("a node of a placement is in the fleet").clone();
        for (at, level) in self.levels.iter_mut().enumerate() {
            if let Some(left) = level.left.get(&node) {
                free.limit(left);
            }
            if at >= from {
                level.fleet.limit(node, &free);
            }
        }
    }
}
