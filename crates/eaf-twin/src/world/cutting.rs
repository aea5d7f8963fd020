//! How the engine of a world cuts accelerators.
//!
//! What: an order of a mode takes its time, is superseded by a newer one, fails where that is on, and is answered with what
//! is in force; a machine that was down comes back whole, as boards do that lose their mode with their power. Why a start
//! on another mode than its lease says is refused as lost: an engine never starts work on what is not there. Absent: choices.

use super::engine::{Act, SimEngine};
use super::link::Item;
use super::{Bug, Fault, World};
use eaf_core::Violation;
use eaf_model::{Allotment, ModeOrder, ModeReport, NodeId, NodeSpec, SeenModes, Span, TaskKey, Time, WHOLE_MODE};
use std::collections::BTreeMap;

/// How long a change of mode takes.
const CHANGE: Span = Span::from_secs(20);

/// What an engine knows of the modes of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct Cutting {
    /// The mode of each accelerator that is not whole.
    modes: BTreeMap<u16, String>,
    /// The newest order of each accelerator, and what came of it.
    orders: BTreeMap<u16, (u64, Option<ModeReport>)>,
}

impl Cutting {
    /// Accelerators whose model is another one now: they come whole, and know of no order.
    pub(super) fn exchanged(&mut self, old: &NodeSpec, new: &NodeSpec) -> Vec<u16> {
        let model =
            |spec: &NodeSpec, board: u16| spec.accelerators.get(usize::from(board)).map(|one| one.model.clone());
        let boards = self.modes.keys().chain(self.orders.keys());
        let other: Vec<u16> = boards.copied().filter(|board| model(old, *board) != model(new, *board)).collect();
        self.modes.retain(|board, _| !other.contains(board));
        self.orders.retain(|board, _| !other.contains(board));
        other
    }
}

impl SimEngine {
    /// The mode that is really in force.
    fn mode(&self, node: &str, board: u16) -> &str {
        self.nodes.get(node).and_then(|node| node.cutting.modes.get(&board)).map_or(WHOLE_MODE, String::as_str)
    }

    /// True where an allotment is of the modes that are in force.
    pub(super) fn is_there(&self, node: &str, part: &Allotment) -> bool {
        part.accelerators.iter().all(|one| {
            let of = one.slice.as_ref().map_or(WHOLE_MODE, |slice| slice.mode.as_str());
            self.mode(node, one.index) == of
        })
    }

    /// Begins a change, or repeats what came of it.
    fn set_mode(&mut self, now: Time, order: &ModeOrder) -> Vec<Act> {
        let Some(node) = self.nodes.get_mut(&order.name) else { return Vec::new() };
        let newest = order.accelerators.iter().filter_map(|board| node.cutting.orders.get(board));
        match newest.max_by_key(|(number, _)| *number) {
            Some((number, _)) if *number > order.order => return Vec::new(),
            Some((number, Some(report))) if *number == order.order => {
                return vec![Act::SayMode(order.clone(), report.clone())];
            }
            Some((number, None)) if *number == order.order => return Vec::new(),
            _ => {}
        }
        for board in &order.accelerators {
            node.cutting.orders.insert(*board, (order.order, None));
        }
        vec![Act::LaterMode(now.after(CHANGE), order.clone())]
    }

    /// A change is done, unless a newer order or the end of the machine came in between.
    fn changed(&mut self, order: &ModeOrder, fails: bool) -> Vec<Act> {
        let heard = self.takes_orders(&order.name);
        let Some(node) = self.nodes.get_mut(&order.name) else { return Vec::new() };
        let current = |board: &u16| node.cutting.orders.get(board) == Some(&(order.order, None));
        if !order.accelerators.iter().all(current) {
            return Vec::new();
        }
        let report = if fails {
            ModeReport::Failed { why: "the tool says no".to_owned() }
        } else {
            ModeReport::InForce { mode: order.mode.clone() }
        };
        let mut acts = Vec::new();
        for board in &order.accelerators {
            node.cutting.orders.insert(*board, (order.order, Some(report.clone())));
            if !fails {
                node.cutting.modes.insert(*board, order.mode.clone());
                acts.push(Act::Cut(order.name.clone(), *board));
            }
        }
        if heard {
            acts.push(Act::SayMode(order.clone(), report));
        }
        acts
    }

    /// A machine that lost its power is whole again, and knows nothing of orders.
    pub(super) fn all_whole(&mut self, name: &str) {
        if let Some(node) = self.nodes.get_mut(name) {
            node.cutting = Cutting::default();
        }
    }

    /// The modes of the nodes that are heard of.
    pub(super) fn seen_modes(&self) -> Vec<SeenModes> {
        let up = self.nodes.iter().filter(|(name, _)| self.takes_orders(name));
        let seen = up.map(|(name, node)| SeenModes {
            name: name.clone(),
            modes: (0u16..)
                .zip(&node.spec.accelerators)
                .map(|(board, _)| (board, self.mode(name, board).to_owned()))
                .collect(),
        });
        seen.collect()
    }

    /// A careless engine brings a board back to whole when one of its slices is gone.
    fn tidy_up(&mut self, part: &Allotment, node: &str) -> Vec<Act> {
        let mut acts = Vec::new();
        for one in part.accelerators.iter().filter(|one| one.slice.is_some()) {
            if let Some(node) = self.nodes.get_mut(node) {
                node.cutting.modes.remove(&one.index);
            }
            acts.push(Act::Cut(node.to_owned(), one.index));
        }
        acts
    }
}

impl World {
    /// An order of a mode has arrived at the engine.
    pub(super) fn order_mode(&mut self, order: &ModeOrder) -> Result<(), Violation> {
        if !self.engine.takes_orders(&order.name) {
            self.fault(Fault::OrderLost);
            self.gaps += 1;
            return Ok(());
        }
        self.received_modes.insert((order.node, order.order, order.mode.clone()));
        let acts = self.engine.set_mode(self.now, order);
        self.act(acts)
    }

    /// Time has come for a change of mode.
    pub(super) fn mode_goes_on(&mut self, order: &ModeOrder) -> Result<(), Violation> {
        let fails = self.modes.fails_changes;
        if fails {
            self.fault(Fault::ModeChangeFailed);
        }
        // A late order may speak of an accelerator that was exchanged meanwhile; no engine changes one that is in use.
        let in_use = order.accelerators.iter().any(|board| self.reference.is_used(order.node, *board));
        let acts = self.engine.changed(order, fails || in_use);
        self.act(acts)
    }

    /// The mode of an accelerator is another one from now on.
    pub(super) fn cut(&mut self, node: &str, board: u16) -> Result<(), Violation> {
        let mode = self.engine.mode(node, board).to_owned();
        match self.node_ids.get(node) {
            Some(id) => self.reference.cut(*id, board, &mode),
            None => Ok(()),
        }
    }

    /// What a careless engine does when a task is gone, where that is planted.
    pub(super) fn careless(&mut self, key: TaskKey) -> Result<(), Violation> {
        if !self.watch.plant.has(Bug::ModeUnderTenant) {
            return Ok(());
        }
        let Some(part) = self.reference.part_of(key).cloned() else { return Ok(()) };
        let node = self.node_names.get(&part.node).cloned().unwrap_or_default();
        let acts = self.engine.tidy_up(&part, &node);
        self.act(acts)
    }

    /// Sends what an engine says of a mode on its way.
    pub(super) fn say_mode(&mut self, order: &ModeOrder, report: &ModeReport) {
        self.send(&Item::ModeReport(order.node, order.accelerators.clone(), order.order, report.clone()));
    }

    /// Accelerators were exchanged for others, which come whole.
    pub(super) fn whole_again(&mut self, name: &str, boards: &[u16]) {
        if let Some(id) = self.node_ids.get(name) {
            self.reference.whole_again(*id, boards);
        }
    }

    /// The machine knows nothing of earlier orders of modes.
    pub(super) fn forget_modes(&mut self, name: &str) {
        self.engine.all_whole(name);
        if let Some(id) = self.node_ids.get(name).copied() {
            self.received_modes.retain(|(node, ..)| *node != id);
            self.reference.all_whole(id);
        }
    }

    /// Accelerators that are out of service are brought back by an operator; true where there are any that can be.
    pub(super) fn repair_modes(&mut self) -> Result<bool, Violation> {
        let asks = self.out_of_service();
        let before = self.figures.steps;
        for (node, accelerators) in asks {
            let (mode, by) = (WHOLE_MODE.to_owned(), "someone".to_owned());
            self.ask(eaf_model::Input::SetMode { node, accelerators, mode, by })?;
        }
        self.settle_down()?;
        Ok(self.figures.steps > before)
    }

    fn out_of_service(&self) -> Vec<(NodeId, Vec<u16>)> {
        let state = self.state();
        let mut found = Vec::new();
        // A node that left while it was being announced stays in the books as lost; nobody is there to change anything.
        for (id, node) in state.nodes().filter(|(_, node)| node.lost.is_none()) {
            for (board, mode) in &node.modes {
                if mode.state == eaf_model::ModeState::OutOfService {
                    found.push((*id, state.boards_together(node, *board, WHOLE_MODE)));
                }
            }
        }
        found.dedup();
        found
    }
}
