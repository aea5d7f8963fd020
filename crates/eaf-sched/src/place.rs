//! Where a workload goes.
//!
//! What: one node where one will do, the one that loses the least by it (`policy`), or the one with the least left where
//! that is all there is to say; nodes that are near each other for a gang where the fabric is known, few nodes otherwise;
//! and what each task gets on them. Absent: time (`timeline`) and order (`plan`).

use crate::candidates::{candidates, choose};
use crate::capacity::NodeCapacity;
use crate::mix::whole;
use crate::reference::place_by_reference;
use crate::scores::{Scores, Side};
use crate::spread::spread;
use crate::valuation::Basis;
use crate::{Fleet, Shape};
use eaf_model::{NodeId, Placement, Placing};
use std::sync::Arc;

/// What the choice among nodes goes by: the basis of their worth, where there is one, and what is remembered of it.
pub(crate) struct Chooser<'a> {
    pub(crate) rule: Placing,
    pub(crate) basis: Option<&'a Arc<Basis>>,
    pub(crate) scores: &'a mut Scores,
    /// How many classes of nodes were looked at.
    pub(crate) looks: u32,
}

/// Places one workload on what is free, as a pass would, or nothing of it.
pub fn place(fleet: &Fleet, shape: &Shape, basis: Option<&Arc<Basis>>, scores: &mut Scores) -> Option<Placement> {
    Chooser { rule: Placing::Eaf, basis, scores, looks: 0 }.place(Side::Free, fleet, shape)
}

impl Chooser<'_> {
    /// Places a gang on what is free, or nothing of it.
    pub(crate) fn place(&mut self, side: Side, fleet: &Fleet, shape: &Shape) -> Option<Placement> {
        if self.rule == Placing::Reference {
            return place_by_reference(fleet, shape, &mut self.looks);
        }
        if !fleet.may_fit(shape) {
            return None;
        }
        match self.on_one(side, fleet, shape) {
            Choice::Made(placement) => Some(placement),
            Choice::None => None,
            Choice::Open => fit(fleet, shape, &mut self.looks),
        }
    }

    /// The node that loses the least by taking all of it.
    fn on_one(&mut self, side: Side, fleet: &Fleet, shape: &Shape) -> Choice {
        let (Some(basis), Some(ask)) = (self.basis, whole(shape)) else { return Choice::Open };
        let is_plain = ask.accelerators.count == 0;
        if is_plain
            && let [one] = candidates(fleet.plain(), shape, shape.tasks, &mut self.looks).as_slice()
            && one.tasks == shape.tasks
        {
            return Choice::Made(allot_on(fleet, &[(one.rank.node, shape.tasks)], shape));
        }
        self.looks += 1;
        let memory = shape.task.memory.0.saturating_mul(u64::from(shape.tasks));
        match self.scores.best(side, fleet, basis, &ask, memory) {
            Ok((id, _)) if is_plain || ask.accelerators.share.0 == 1_000 => {
                Choice::Made(allot_on(fleet, &[(id, shape.tasks)], shape))
            }
            Ok((id, decision)) => {
                let mut node = fleet.get(id).expect("a scored node is in the fleet").clone();
                let task = node.take_part(id, &shape.task, decision.set.trailing_zeros() as usize);
                Choice::Made(Placement { tasks: vec![task] })
            }
            Err(unpriced) if unpriced.nodes == 0 && shape.tasks == 1 => Choice::None,
            Err(_) => Choice::Open,
        }
    }
}

/// Places a gang on the nodes with the least left, or near each other, or nothing of it.
pub(crate) fn fit(fleet: &Fleet, shape: &Shape, looks: &mut u32) -> Option<Placement> {
    if !fleet.may_fit(shape) {
        return None;
    }
    let found = candidates(fleet.ready(), shape, shape.tasks, looks);
    let alone = matches!(found.as_slice(), [one] if one.tasks == shape.tasks);
    let room = found.iter().map(|candidate| u64::from(candidate.tasks)).sum::<u64>();
    let chosen = if alone || room < u64::from(shape.tasks) || fleet.fabric().is_empty() {
        choose(found, shape.tasks)?
    } else {
        spread(fleet, shape, looks)?
    };
    Some(allot_on(fleet, &chosen, shape))
}

enum Choice {
    Made(Placement),
    /// Nothing takes it.
    None,
    /// Worth does not tell.
    Open,
}

fn allot_on(fleet: &Fleet, chosen: &[(NodeId, u32)], shape: &Shape) -> Placement {
    let capacity = |node| fleet.get(node).expect("a candidate is in the fleet").clone();
    allot(chosen, shape, capacity)
}

/// What each task of the gang gets on the chosen nodes. Ranks follow the nodes in the order in which they were chosen.
pub(crate) fn allot(chosen: &[(NodeId, u32)], shape: &Shape, capacity: impl Fn(NodeId) -> NodeCapacity) -> Placement {
    let mut tasks = Vec::with_capacity(shape.tasks as usize);
    for &(node, count) in chosen {
        let mut capacity = capacity(node);
        tasks.extend(
            (0..count).map(|_| capacity.take(node, &shape.task).expect("a chosen node has room for its tasks")),
        );
    }
    Placement { tasks }
}
