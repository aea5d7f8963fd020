//! A gang across the fabric.
//!
//! What: the nodes of a gang that one node cannot hold: the deepest domain that has room for all of it, the tightest of
//! those, and within it as few as possible of the next, and so on down; ranks follow the tree. Why the deepest first: what
//! a gang sends crosses the domains that it is spread over. Absent: gangs on fleets of which no fabric is known.

use crate::candidates::{candidates, choose};
use crate::capacity::Path;
use crate::fabric::Fabric;
use crate::rank::{Rank, share_needed};
use crate::{Fleet, Shape};
use eaf_model::NodeId;
use imbl::OrdSet;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Nodes for a gang, each with its number of tasks, in rank order. `None` where there is no room for all tasks.
pub(crate) fn spread(fleet: &Fleet, shape: &Shape, looks: &mut u32) -> Option<Vec<(NodeId, u32)>> {
    let fabric = fleet.fabric();
    let one = shape.with_tasks(1);
    let mut rooms = Rooms { fabric, shape, one: &one, known: BTreeMap::new(), looks };
    for depth in (1..=fabric.depth()).rev() {
        if let Some(path) = rooms.tightest(depth) {
            return Some(rooms.take(path, shape.tasks));
        }
    }
    rooms.take_across(&fleet.loose())
}

/// How many tasks of a gang each domain could take; reckoned once a choice.
struct Rooms<'a, 'l> {
    fabric: &'a Fabric,
    shape: &'a Shape,
    /// One task of it.
    one: &'a Shape,
    known: BTreeMap<&'a Path, u64>,
    looks: &'l mut u32,
}

impl<'a> Rooms<'a, '_> {
    /// The domain of a depth that has room for all tasks and for the fewest beyond, the first of several. A domain is looked
    /// at only until it is sure not to be that one.
    fn tightest(&mut self, depth: usize) -> Option<&'a Path> {
        let wanted = u64::from(self.shape.tasks);
        let mut tightest = None;
        let mut least = u64::MAX;
        for path in self.fabric.roomy(depth, self.shape) {
            let room = self.up_to(path, least);
            if (wanted..least).contains(&room) {
                (tightest, least) = (Some(path), room);
            }
            if least == wanted {
                break;
            }
        }
        tightest
    }

    /// Tasks that a domain could take, exactly where they are fewer than `enough`.
    fn up_to(&mut self, path: &'a Path, enough: u64) -> u64 {
        if self.fabric.children(path).is_empty() {
            self.fabric.own(path).map_or(0, |ready| room_of(ready, self.shape, enough, self.looks))
        } else {
            self.of(path)
        }
    }

    /// Tasks that a domain could take.
    fn of(&mut self, path: &'a Path) -> u64 {
        if let Some(room) = self.known.get(path) {
            return *room;
        }
        // A domain that is too full for one task is passed over with all that is in it.
        if !self.fabric.may_fit(path, self.one) {
            return 0;
        }
        let mut room = self.own(path);
        for child in self.fabric.children(path) {
            room += self.of(child);
        }
        self.known.insert(path, room);
        room
    }

    /// Tasks that the nodes could take that are in a domain and in none below it.
    fn own(&mut self, path: &Path) -> u64 {
        self.fabric.own(path).map_or(0, |ready| room_of(ready, self.shape, u64::MAX, self.looks))
    }

    /// Takes so many tasks, for which there is room, in a domain.
    fn take(&mut self, path: &'a Path, tasks: u32) -> Vec<(NodeId, u32)> {
        let children = self.fabric.children(path);
        let own = self.fabric.own(path).filter(|ready| !ready.is_empty());
        self.divide(&children, own, tasks).expect("a domain with room takes its tasks")
    }

    /// Takes the gang across the outermost domains, and from nodes without any.
    fn take_across(&mut self, loose: &OrdSet<Rank>) -> Option<Vec<(NodeId, u32)>> {
        let outermost: Vec<&Path> = self.fabric.outermost().collect();
        self.divide(&outermost, Some(loose), self.shape.tasks)
    }

    /// Divides tasks among domains and, as one more of them, nodes that stand beside these: the roomiest until one takes
    /// the rest, and for the rest the tightest.
    fn divide(
        &mut self,
        domains: &[&'a Path],
        beside: Option<&OrdSet<Rank>>,
        tasks: u32,
    ) -> Option<Vec<(NodeId, u32)>> {
        let mut parts: Vec<(u64, Option<&'a Path>)> = domains.iter().map(|path| (self.of(path), Some(*path))).collect();
        parts.extend(beside.map(|ready| (room_of(ready, self.shape, u64::MAX, self.looks), None)));
        parts.retain(|(room, _)| *room > 0);
        parts.sort_by_key(|(room, path)| (Reverse(*room), *path));
        let mut chosen = Vec::new();
        let mut left = tasks;
        for (index, (room, part)) in parts.iter().enumerate() {
            let (mut part, mut taken) = (*part, left);
            if let Some(room) = u32::try_from(*room).ok().filter(|room| *room < left) {
                taken = room;
            } else {
                let enough = parts[index..].iter().take_while(|(room, _)| *room >= u64::from(left));
                (_, part) = *enough.min().expect("the roomiest is enough");
            }
            match (part, beside) {
                (Some(path), _) => chosen.extend(self.take(path, taken)),
                (None, Some(ready)) => chosen.extend(choose(candidates(ready, self.shape, taken, self.looks), taken)?),
                (None, None) => {}
            }
            left -= taken;
            if left == 0 {
                return Some(chosen);
            }
        }
        None
    }
}

/// How many tasks these nodes could take together, exactly where they are fewer than `enough`.
fn room_of(ready: &OrdSet<Rank>, shape: &Shape, enough: u64, looks: &mut u32) -> u64 {
    let most = shape.tasks_on_a_node();
    let mut room = 0;
    let mut from = Rank::at_least(share_needed(&shape.task.accelerators), shape.task.cpu, shape.task.memory);
    while let Some(rank) = ready.get_next(&from).filter(|_| room < enough) {
        *looks += 1;
        from = rank.last_alike();
        let tasks = u64::from(rank.parts().tasks(&shape.task).min(most));
        if tasks > 0 {
            let useful = usize::try_from((enough - room).div_ceil(tasks)).unwrap_or(usize::MAX);
            room += tasks * ready.range::<_, Rank>(rank..=&from).take(useful).count() as u64;
        }
    }
    room
}
