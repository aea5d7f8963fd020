//! What a driver remembers between passes, so that a pass scores only what has changed.
//!
//! What: the nodes of a fleet as the policy sees them, with their scores for every shape lately asked about, brought up to
//! date by comparing the fleet with the one that was seen last. Why outside the state: scores are floats in origin and can be
//! made again at any time; an empty memory gives the same plan. Why by comparing: persistent maps skip what they share, so
//! that costs what changed, and no caller can forget to tell of a change.
//! Absent: the choice that no node's score decides (gangs over nodes, nodes that are not priced).

use crate::capacity::NodeCapacity;
use crate::fleet::Fleet;
use crate::policy::node::GPUS_MAX;
use crate::policy::worth::Worth;
use crate::policy::{Decision, Eaf, Node, Placer, Shape};
use crate::valuation::Basis;
use eaf_model::NodeId;
use imbl::OrdMap;
use imbl::ordmap::DiffItem;
use std::sync::Arc;

/// Models that are told apart; nodes of further ones are not priced.
const MODELS_MAX: usize = 32;

/// What a driver remembers. An empty one is always right, and slower.
#[derive(Clone, Debug, Default)]
pub struct Scores {
    worth: Option<Known>,
    /// What is free.
    free: Board,
    /// What is free beside what is promised.
    beside: Board,
    /// True where the last pass ended early, for all that it had to look at.
    cut: bool,
}

/// Which of the two fleets of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// What is free.
    Free,
    /// What is free beside what is promised.
    Beside,
}

/// Worth, and what it was made from.
#[derive(Clone, Debug)]
struct Known {
    basis: Arc<Basis>,
    models: Arc<[String]>,
    worth: Arc<Worth>,
}

impl Scores {
    /// True where the last pass ended early, for all that it had to look at: there may be room for more of what waits.
    pub fn was_cut(&self) -> bool {
        self.cut
    }

    pub(crate) fn set_cut(&mut self, cut: bool) {
        self.cut = cut;
    }

    /// The best node for a request that one node takes whole. `Err` where none that is priced takes it, with whether there
    /// are ready nodes that are not priced.
    pub(crate) fn best(
        &mut self,
        side: Side,
        fleet: &Fleet,
        basis: &Arc<Basis>,
        ask: &eaf_model::Ask,
        memory: u64,
    ) -> Result<(NodeId, Decision), Unpriced> {
        let known = known(&mut self.worth, basis, fleet);
        let board = match side {
            Side::Free => &mut self.free,
            Side::Beside => &mut self.beside,
        };
        let seen = board.sync(fleet, known);
        let decision = Shape::of(ask, memory, &known.models).and_then(|shape| seen.placer.best(shape));
        decision.map(|decision| (seen.ids[decision.node], decision)).ok_or(Unpriced { nodes: seen.unpriced })
    }
}

/// No node that is priced takes it.
pub(crate) struct Unpriced {
    /// Nodes that are not priced, and may.
    pub(crate) nodes: usize,
}

/// The worth that follows from a basis, made once.
fn known<'a>(worth: &'a mut Option<Known>, basis: &Arc<Basis>, fleet: &Fleet) -> &'a Known {
    let is_known = |known: &Known| Arc::ptr_eq(&known.basis, basis) && Arc::ptr_eq(&known.models, fleet.models());
    if !worth.as_ref().is_some_and(is_known) {
        let models = Arc::clone(fleet.models());
        let priced = &models[..models.len().min(MODELS_MAX)];
        let made = Arc::new(Worth::new(basis, priced));
        *worth = Some(Known { basis: Arc::clone(basis), models, worth: made });
    }
    worth.as_ref().expect("it was just made")
}

/// A fleet as it was seen last.
#[derive(Clone, Debug, Default)]
struct Board(Option<Seen>);

#[derive(Clone, Debug)]
struct Seen {
    nodes: OrdMap<NodeId, Arc<NodeCapacity>>,
    models: Arc<[String]>,
    worth: Arc<Worth>,
    /// By place on the board, rising.
    ids: Vec<NodeId>,
    placer: Placer<Eaf>,
    /// How many ready nodes are not priced.
    unpriced: usize,
}

impl Board {
    /// The fleet as it is now.
    fn sync(&mut self, fleet: &Fleet, known: &Known) -> &mut Seen {
        let seen = self.0.take().filter(|seen| Arc::ptr_eq(&seen.models, &known.models));
        let seen = seen.and_then(|seen| seen.brought_up(fleet));
        let mut seen = seen.unwrap_or_else(|| Seen::of(fleet, known));
        if !Arc::ptr_eq(&seen.worth, &known.worth) {
            seen.placer.policy_mut().revise(Arc::clone(&known.worth));
            seen.worth = Arc::clone(&known.worth);
        }
        self.0.insert(seen)
    }
}

impl Seen {
    fn of(fleet: &Fleet, known: &Known) -> Self {
        let mut unpriced = 0;
        let nodes = fleet.nodes().map(|(_, node)| {
            priced(node, &known.models).unwrap_or_else(|| {
                unpriced += usize::from(may_take(node));
                Node::closed()
            })
        });
        let placer = Placer::new(nodes.collect(), Eaf::new(Arc::clone(&known.worth)));
        Self {
            nodes: fleet.by_id().clone(),
            models: Arc::clone(&known.models),
            worth: Arc::clone(&known.worth),
            ids: fleet.nodes().map(|(id, _)| id).collect(),
            placer,
            unpriced,
        }
    }

    /// With every node that has changed. `None` where a node came that stands before others, or too many have gone.
    fn brought_up(mut self, fleet: &Fleet) -> Option<Self> {
        let before = std::mem::replace(&mut self.nodes, fleet.by_id().clone());
        if before.ptr_eq(&self.nodes) {
            return Some(self);
        }
        let after = self.nodes.clone();
        for change in before.diff(&after) {
            let (id, old, new) = match change {
                DiffItem::Add(id, new) => (*id, None, Some(new)),
                DiffItem::Update { old: (_, old), new: (id, new) } => (*id, Some(old), Some(new)),
                DiffItem::Remove(id, old) => (*id, Some(old), None),
            };
            let made = new.and_then(|node| priced(node, &self.models));
            let at = self.ids.binary_search(&id);
            let was_closed = at.is_ok_and(|at| self.placer.nodes()[at] == Node::closed());
            self.unpriced -= usize::from(was_closed && old.is_some_and(|node| may_take(node)));
            self.unpriced += usize::from(made.is_none() && new.is_some_and(|node| may_take(node)));
            let node = made.unwrap_or_else(Node::closed);
            match at {
                Ok(at) => self.placer.change(at, node),
                Err(at) if at == self.ids.len() => {
                    self.ids.push(id);
                    self.placer.push(node);
                }
                Err(_) => return None,
            }
        }
        (self.ids.len() <= 2 * after.len() + GPUS_MAX).then_some(self)
    }
}

/// True where work may be placed on a node that has accelerators, priced or not.
fn may_take(node: &NodeCapacity) -> bool {
    node.is_ready() && node.has_accelerators()
}

/// A node as the policy sees it; `None` where nothing may be placed on it or it is not priced: it has no accelerator, more
/// than eight, or several models.
fn priced(node: &NodeCapacity, models: &[String]) -> Option<Node> {
    if !node.is_ready() {
        return None;
    }
    let mut free = [0; GPUS_MAX];
    let (mut gpus, mut of) = (0, None);
    for (model, share) in node.accelerators() {
        if *of.get_or_insert(model) != model {
            return None;
        }
        // One that is cut has no share to give, and one that changes its mode takes no work.
        *free.get_mut(gpus)? = if node.mode(gpus).1 { u16::try_from(share.0).ok()? } else { 0 };
        gpus += 1;
    }
    let model = {
        let of = of?;
        models.binary_search_by(|name| name.as_str().cmp(of)).ok()
    }
    .filter(|at| *at < MODELS_MAX)?;
    Some(Node {
        cpu: u32::try_from(node.cpu_free().0).unwrap_or(u32::MAX),
        memory: node.memory_free().0,
        free,
        gpus: u8::try_from(gpus).ok()?,
        model: u8::try_from(model).ok()?,
        pods: 0,
        classes: 0,
    })
}
