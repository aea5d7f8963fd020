//! When a gang that does not fit now will fit.
//!
//! What: the earliest time at which what is expected back makes enough room, and where the gang goes then. Why without a
//! fleet of that time: only the nodes that something comes back to are looked at, and each release costs a look at its
//! own nodes. Absent: doubt; everything is expected to run for its whole wall time, and earlier ends only help.

use crate::candidates::{Candidate, candidates, choose};
use crate::capacity::NodeCapacity;
use crate::place::{allot, fit};
use crate::rank::Rank;
use crate::{Fleet, Shape, Windows};
use eaf_model::{Allotment, NodeId, Placement, Span, Time};
use std::collections::BTreeMap;

/// The most leases that one forecast follows. A gang that needs more of them to end gets no promise, and the pass ends
/// there, so that nothing goes before it.
pub(crate) const RELEASES_MAX: usize = 65_536;

/// What a forecast says.
pub(crate) enum Forecast {
    /// It fits from this time on.
    Fits {
        at: Time,
        placement: Placement,
        /// What is then left on the nodes of the placement.
        left: BTreeMap<NodeId, NodeCapacity>,
    },
    /// Not before this time; further on it was not looked.
    NotBefore(Time),
    /// What is expected back is not enough.
    Never,
}

/// A node that something comes back to.
struct Touched {
    /// How many tasks of the gang it takes by now.
    tasks: u32,
    capacity: NodeCapacity,
}

/// The earliest time after `now` at which `shape`, which does not fit now, does. `returns` rise in time; what is overdue
/// is expected at the next instant.
pub(crate) fn forecast<'a>(
    fleet: &Fleet,
    now: Time,
    returns: impl Iterator<Item = (Time, &'a [Allotment])>,
    shape: &Shape,
) -> Forecast {
    let soonest = now.after(Span::from_ms(1));
    let room_on = |node: &NodeCapacity| node.room(&shape.task).min(shape.tasks_on_a_node());
    let now_fitting = candidates(fleet.ready(), shape, shape.tasks, &mut 0);
    let mut room = now_fitting.iter().map(|candidate| u64::from(candidate.tasks)).sum::<u64>();
    let mut touched: BTreeMap<NodeId, Touched> = BTreeMap::new();
    let mut returns =
        returns.map(|(at, allotments)| (at.max(soonest), allotments)).take_while(|(at, _)| *at < Time::NEVER);
    let mut next = returns.next();
    let mut looked = 0;
    while let Some((at, allotments)) = next {
        for allotment in allotments {
            let node = touched.entry(allotment.node).or_insert_with(|| {
                let capacity = known(fleet, allotment.node).clone();
                Touched { tasks: room_on(&capacity), capacity }
            });
            node.capacity.release(allotment);
            let before = std::mem::replace(&mut node.tasks, room_on(&node.capacity));
            room += u64::from(node.tasks - before);
        }
        looked += 1;
        next = returns.next();
        let is_cut = looked == RELEASES_MAX;
        // All that comes back at one time is taken together, so that the best of it can be chosen.
        let is_complete = is_cut || next.is_none_or(|(later, _)| later > at);
        if is_complete && room >= u64::from(shape.tasks) {
            let (placement, left) = reserve(fleet, shape, now_fitting, &touched);
            return Forecast::Fits { at, placement, left };
        }
        if is_cut {
            return Forecast::NotBefore(at);
        }
    }
    Forecast::Never
}

/// The most begins and ends of windows that one forecast goes through.
const MOMENTS_MAX: usize = 64;

/// The same where windows close nodes: the earliest time from which the gang may run for its whole wall time on nodes that
/// are open to it for as long.
pub(crate) fn forecast_between<'a, R: Iterator<Item = (Time, &'a [Allotment])>>(
    windows: &Windows,
    fleet: &Fleet,
    now: Time,
    returns: impl Fn() -> R,
    shape: &Shape,
) -> Forecast {
    let project = shape.project.as_deref();
    let mut from = now;
    let mut best: Option<Forecast> = None;
    let mut soonest = Time::NEVER;
    for _ in 0..MOMENTS_MAX {
        let closed = windows.close(fleet, project, from, from.after(shape.wall));
        let open = closed.as_ref().unwrap_or(fleet);
        let found = match fit(open, shape, &mut 0).filter(|_| from > now) {
            Some(placement) => at_once(open, from, placement),
            None => forecast(open, from, returns(), shape),
        };
        let (at, is_open) = match &found {
            Forecast::Fits { at, placement, .. } => {
                let mut closing = windows.closing(project, *at, at.after(shape.wall));
                let is_on = |node| placement.tasks.iter().any(|task| task.node == node);
                (*at, !closing.any(|window| is_on(window.node)))
            }
            Forecast::NotBefore(at) => (*at, true),
            Forecast::Never => (Time::NEVER, false),
        };
        if is_open && at < soonest {
            (soonest, best) = (at, Some(found));
        }
        // Another node may be open sooner than what was found, once the next window is over.
        let next =
            windows.next_over(project, from).into_iter().chain((!is_open).then_some(at)).filter(|next| *next > from);
        match next.min().filter(|next| *next < soonest) {
            Some(next) => from = next,
            None => break,
        }
    }
    best.unwrap_or(Forecast::Never)
}

/// A gang that fits as soon as a window is over.
fn at_once(fleet: &Fleet, at: Time, placement: Placement) -> Forecast {
    let mut left: BTreeMap<NodeId, NodeCapacity> = BTreeMap::new();
    for task in &placement.tasks {
        left.entry(task.node).or_insert_with(|| known(fleet, task.node).clone()).hold(task);
    }
    Forecast::Fits { at, placement, left }
}

/// Places the gang, for which there is room, on nodes as they are and on `touched` ones as they will be.
fn reserve(
    fleet: &Fleet,
    shape: &Shape,
    mut fitting: Vec<Candidate>,
    touched: &BTreeMap<NodeId, Touched>,
) -> (Placement, BTreeMap<NodeId, NodeCapacity>) {
    fitting.retain(|candidate| !touched.contains_key(&candidate.rank.node));
    let has_room = touched.iter().filter(|(_, node)| node.tasks > 0);
    fitting.extend(has_room.map(|(id, node)| Candidate { tasks: node.tasks, rank: Rank::of(*id, &node.capacity) }));
    let chosen = choose(fitting, shape.tasks).expect("there is room for all tasks");
    allot(&chosen, shape, |id| touched.get(&id).map_or_else(|| known(fleet, id), |node| &node.capacity).clone())
}

fn known(fleet: &Fleet, id: NodeId) -> &NodeCapacity {
    fleet.get(id).unwrap_or_else(|| panic!("{id}, on which capacity is held, is in the fleet"))
}
