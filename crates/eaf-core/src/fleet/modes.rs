//! `SetMode`, `ModeReported`, `ModesSeen`, and the changes that a plan proposes: how accelerators come from one mode into another.
//!
//! What: an accelerator drains, changes, and is settled when an engine has read the new mode back; whatever else happens
//! takes it out of service, with the reason, until an operator orders a mode. Why an engine's word alone does not move an
//! accelerator that work holds: the lease was granted on a mode, and keeps it. Absent: which accelerators should change;
//! that is the scheduler's (`eaf_sched::modes`) or an operator's.

use crate::draft::Draft;
use crate::{Node, State};
use eaf_model::{
    Event, FieldProblem, ModeOrder, ModeReason, ModeReport, ModeState, NodeId, NodeState, Rejection, WHOLE_MODE,
};
use eaf_sched::{ModeRules, Plan, UnderWay, check_modes, modes};
use std::collections::BTreeMap;

/// An operator brings empty accelerators into a mode.
pub(crate) fn set_mode(
    draft: &mut Draft,
    node: NodeId,
    accelerators: &[u16],
    mode: &str,
    by: &str,
) -> Result<(), Rejection> {
    let record = draft.node(node).cloned().ok_or(Rejection::UnknownNode { node })?;
    let malformed = |expected: String| Rejection::Invalid {
        field: "accelerators".to_owned(),
        problem: FieldProblem::Malformed { expected },
    };
    let there = record.spec.accelerators.len();
    let rising = !accelerators.is_empty() && accelerators.windows(2).all(|pair| pair[0] < pair[1]);
    if !rising || accelerators.iter().any(|board| usize::from(*board) >= there) {
        return Err(malformed(format!("rising indexes below {there}")));
    }
    let book = &draft.settings().partitions;
    for board in accelerators {
        let model = &record.spec.accelerators[usize::from(*board)].model;
        if mode != WHOLE_MODE && book.mode(model, mode).is_none() {
            let offered = book.modes(model).iter().map(|mode| mode.name.clone());
            let offered = std::iter::once(WHOLE_MODE.to_owned()).chain(offered).collect();
            return Err(Rejection::ModeUnknown { mode: mode.to_owned(), model: model.clone(), offered });
        }
        let together = draft.boards_together(&record, *board, mode);
        if !together.iter().all(|other| accelerators.contains(other)) {
            let list = together.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
            return Err(malformed(format!("{list}, which change together")));
        }
    }
    let is_so = |board: &u16| {
        let (now, state) = record.mode(*board);
        now == mode && state == ModeState::Settled
    };
    if accelerators.iter().all(is_so) {
        return Err(Rejection::NodeUnchanged { node });
    }
    let capacity = draft.fleet().get(node);
    let busy = |board: &&u16| {
        capacity.is_none_or(|capacity| capacity.is_held(usize::from(**board)))
            || record.mode(**board).1 == ModeState::Changing
    };
    if let Some(accelerator) = accelerators.iter().find(busy) {
        return Err(Rejection::AcceleratorBusy { node, accelerator: *accelerator });
    }
    order(draft, node, accelerators.to_vec(), mode.to_owned(), ModeReason::Ordered { by: by.to_owned() });
    Ok(())
}

fn order(draft: &mut Draft, node: NodeId, accelerators: Vec<u16>, to: String, reason: ModeReason) {
    let until = draft.now().after(draft.settings().timing.mode_change_timeout);
    let order = draft.number();
    draft.emit(Event::ModeOrdered { node, accelerators, to, reason, order, until });
}

/// An engine answers an order.
pub(crate) fn mode_reported(
    draft: &mut Draft,
    node: NodeId,
    accelerators: &[u16],
    order: u64,
    report: &ModeReport,
) -> Result<(), Rejection> {
    let record = draft.node(node).cloned().ok_or(Rejection::UnknownNode { node })?;
    let answers = |board: &&u16| {
        record.modes.get(board).is_some_and(|mode| mode.state == ModeState::Changing && mode.order == order)
    };
    let accelerators: Vec<u16> = accelerators.iter().filter(answers).copied().collect();
    let first = accelerators.first().and_then(|first| record.modes.get(first));
    let Some(wanted) = first.and_then(|mode| mode.to.clone()) else {
        return Err(Rejection::StaleModeReport { node });
    };
    draft.emit(match report {
        ModeReport::InForce { mode } if *mode == wanted => Event::ModeVerified { node, accelerators, mode: wanted },
        ModeReport::InForce { mode } => {
            let why = format!("{wanted} was ordered, and {mode} is in force");
            Event::ModeFailed { node, accelerators, why }
        }
        ModeReport::Failed { why } => Event::ModeFailed { node, accelerators, why: why.clone() },
    });
    Ok(())
}

/// Modes were seen that nobody ordered. Where nothing is held the accelerator is taken as it is; under work it takes none
/// after that, since it is not what it was granted as.
pub(crate) fn modes_seen(draft: &mut Draft<'_>, name: &str, modes: &[(u16, String)]) {
    let Some(record) = draft.node_named(name).cloned() else { return };
    let node = record.id;
    let mut found: BTreeMap<(bool, &str), Vec<u16>> = BTreeMap::new();
    for (board, mode) in modes.iter().filter(|(board, _)| usize::from(*board) < record.spec.accelerators.len()) {
        let (known, state) = record.mode(*board);
        if known != mode && matches!(state, ModeState::Settled | ModeState::Draining) {
            let held = draft.fleet().get(node).is_none_or(|capacity| capacity.is_held(usize::from(*board)));
            found.entry((held, mode)).or_default().push(*board);
        }
    }
    for ((held, mode), accelerators) in found {
        draft.emit(if held {
            let why = format!("{mode} was seen in force while work holds it");
            Event::ModeFailed { node, accelerators, why }
        } else {
            Event::ModeVerified { node, accelerators, mode: mode.to_owned() }
        });
    }
}

/// A change was not done in time.
pub(crate) fn overdue(draft: &mut Draft, node: NodeId) {
    let Some(record) = draft.node(node).cloned() else { return };
    let now = draft.now();
    let late = |(_, mode): &(&u16, &eaf_model::BoardMode)| {
        mode.state == ModeState::Changing && mode.state_deadline.is_some_and(|at| at <= now)
    };
    let accelerators: Vec<u16> = record.modes.iter().filter(late).map(|(board, _)| *board).collect();
    if !accelerators.is_empty() {
        let why = "the engine did not report in time".to_owned();
        draft.emit(Event::ModeFailed { node, accelerators, why });
    }
}

/// Accelerators that have drained are changed; those whose workload waits no more take work again.
pub(crate) fn settle_drains(draft: &mut Draft) {
    let nodes: Vec<NodeId> = draft.fleet().cut_nodes().collect();
    for node in nodes {
        let Some(record) = draft.node(node).cloned() else { continue };
        let mut groups: BTreeMap<(String, u64), Vec<u16>> = BTreeMap::new();
        for (board, mode) in &record.modes {
            if let (ModeState::Draining, Some(to), ModeReason::Wanted { workload }) =
                (mode.state, &mode.to, &mode.state_reason)
            {
                groups.entry((to.clone(), workload.to_bits())).or_default().push(*board);
            }
        }
        for ((to, bits), accelerators) in groups {
            let workload = eaf_model::WorkloadId::from_bits(bits);
            let wanted = record.state() == NodeState::Ready && draft.queue().get(workload).is_some();
            let capacity = draft.fleet().get(node);
            let held = |board: &u16| capacity.is_none_or(|capacity| capacity.is_held(usize::from(*board)));
            if !wanted {
                draft.emit(Event::ModeKept { node, accelerators });
            } else if !accelerators.iter().any(held) {
                order(draft, node, accelerators, to, ModeReason::Wanted { workload });
            }
        }
    }
}

/// Begins the changes that help those who wait behind a pass.
pub(crate) fn propose(draft: &mut Draft, plan: &Plan) {
    let snapshot = crate::work::plan::snapshot(draft, draft.now());
    let rules = ModeRules {
        change: draft.settings().timing.mode_change,
        changes_max: draft.settings().limits.mode_changes_per_plan_max,
    };
    let under_way: Vec<UnderWay> = under_way(draft);
    let changes = modes(&snapshot, plan, &under_way, rules);
    let checked = check_modes(&snapshot, plan, &changes, rules);
    assert!(checked.is_ok(), "changes of mode break a rule: {checked:?}");
    for change in changes {
        let (node, accelerators, to, workload) = (change.node, change.accelerators, change.to, change.workload);
        match change.drained_at {
            Some(until) => draft.emit(Event::ModeDraining { node, accelerators, to, workload, until }),
            None => order(draft, node, accelerators, to, ModeReason::Wanted { workload }),
        }
    }
}

/// Changes that are not over.
fn under_way(state: &State) -> Vec<UnderWay> {
    let records = state.index.fleet.cut_nodes().filter_map(|id| state.node(id));
    let boards = records.flat_map(|node| node.modes.iter().map(move |(board, mode)| (node.id, *board, mode)));
    let changing = boards.filter(|(_, _, mode)| matches!(mode.state, ModeState::Draining | ModeState::Changing));
    let of = |(node, accelerator, mode): (NodeId, u16, &eaf_model::BoardMode)| {
        let workload = match &mode.state_reason {
            ModeReason::Wanted { workload } => Some(*workload),
            _ => None,
        };
        let to = mode.to.clone()?;
        Some(UnderWay { node, accelerator, to, workload, draining: mode.state == ModeState::Draining })
    };
    changing.filter_map(of).collect()
}

/// The changes that an engine owes on a node, those of one order together.
pub(crate) fn owed(node: &Node) -> Vec<ModeOrder> {
    let mut orders: BTreeMap<(u64, &str), ModeOrder> = BTreeMap::new();
    for (board, mode) in &node.modes {
        if let (ModeState::Changing, Some(to)) = (mode.state, &mode.to) {
            let order = orders.entry((mode.order, to)).or_insert_with(|| ModeOrder {
                node: node.id,
                name: node.spec.name.clone(),
                accelerators: Vec::new(),
                mode: to.clone(),
                order: mode.order,
            });
            order.accelerators.push(*board);
        }
    }
    orders.into_values().collect()
}
