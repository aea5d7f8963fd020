//! When a gang that does not fit now will fit.
//!
//! What: the earliest time at which what is expected back makes enough room, and where the gang goes then. Why without a
//! fleet of that time: only the nodes that something comes back to are looked at, and each release costs a look at its
//! own nodes. Absent: doubt; everything is expected to run for its whole wall time, and earlier ends only help.

use crate::candidates::{Candidate, candidates, choose};
use crate::capacity::NodeCapacity;
use crate::place::allot;
use crate::rank::Rank;
use crate::{Fleet, Shape};
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
