//! Nodes that could take some of a gang, and the choice among them.
//!
//! What: few nodes rather than many, and those with the least left rather than empty ones. Why over classes of nodes that
//! are alike: a fleet of ten thousand equal nodes is one look. Absent: the fabric (`spread`), and what each task gets.

use crate::Shape;
use crate::rank::{Rank, share_needed};
use eaf_model::{Bytes, CpuMilli, GpuMilli, NodeId};
use imbl::OrdSet;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// A node that could take some of a gang.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// How many tasks, at least 1 and at most what the gang may have on one node.
    pub(crate) tasks: u32,
    /// What is free at the time at which it would.
    pub(crate) rank: Rank,
    /// How much of its accelerators is free just before. As much, where there are no shares: there whoever others stop for goes first
    /// wherever room is, and a start that is planned where something is free already comes sooner when others end early.
    pub(crate) before: GpuMilli,
}

impl Candidate {
    /// What orders candidates: the least left first; of those with as many accelerators left, where the fewest are free up to then,
    /// which leaves the most to what starts sooner and lasts longer; then the lowest id.
    fn left(&self) -> (GpuMilli, GpuMilli, CpuMilli, Bytes, NodeId) {
        let (share, cpu, memory) = self.rank.level();
        (share, self.before, cpu, memory, self.rank.node)
    }
}

/// The nodes of `ready` that could take some of so many tasks of a gang, those with the least left first: one alone where it takes them all,
/// and of nodes that are alike no more than the gang could use. O(classes of nodes that are alike, log nodes each).
pub(crate) fn candidates(ready: &OrdSet<Rank>, shape: &Shape, tasks_wanted: u32, looks: &mut u32) -> Vec<Candidate> {
    search(ready, shape, tasks_wanted, looks, |_| true)
}

/// The same for a whole gang, without some of the nodes.
pub(crate) fn candidates_without(ready: &OrdSet<Rank>, shape: &Shape, without: &BTreeSet<NodeId>) -> Vec<Candidate> {
    search(ready, shape, shape.tasks, &mut 0, |rank| !without.contains(&rank.node))
}

fn search(
    ready: &OrdSet<Rank>,
    shape: &Shape,
    tasks_wanted: u32,
    looks: &mut u32,
    may: impl Fn(&Rank) -> bool,
) -> Vec<Candidate> {
    let (request, most) = (&shape.task, shape.tasks_on_a_node().min(tasks_wanted));
    let share = share_needed(&request.accelerators);
    let here = |tasks, rank: &Rank| Candidate { tasks, rank: rank.clone(), before: rank.share };
    let mut found = Vec::new();
    let mut alone: Option<&Rank> = None;
    let mut from = Rank::at_least(share, request.cpu, request.memory);
    while let Some(rank) = ready.get_next(&from) {
        *looks += 1;
        if alone.is_some_and(|best| best.level() < rank.level()) {
            break;
        }
        // The order is by accelerators, then CPU, then memory: where one is short, all up to enough of it can be passed.
        if rank.cpu < request.cpu {
            from = Rank::at_least(rank.share, request.cpu, request.memory);
            continue;
        }
        if rank.memory < request.memory {
            from = Rank::at_least(rank.share, rank.cpu, request.memory);
            continue;
        }
        let tasks = rank.parts().tasks(request).min(most);
        from = rank.last_alike();
        if tasks == tasks_wanted && may(rank) {
            // Nodes with other accelerators may have as little left, and the lowest id breaks the tie.
            alone = alone.filter(|best| best.node < rank.node).or(Some(rank));
        } else if tasks > 0 {
            let useful = tasks_wanted.div_ceil(tasks) as usize;
            let alike = ready.range::<_, Rank>(rank..=&from).filter(|rank| may(rank)).take(useful);
            found.extend(alike.map(|rank| here(tasks, rank)));
        }
    }
    match alone {
        Some(rank) => vec![here(tasks_wanted, rank)],
        None => found,
    }
}

/// Chooses nodes for a gang: the roomiest until one node takes the rest, and for the rest the one that has the least
/// left. `None` where all together are too few.
pub(crate) fn choose(mut candidates: Vec<Candidate>, tasks: u32) -> Option<Vec<(NodeId, u32)>> {
    let room = candidates.iter().map(|candidate| u64::from(candidate.tasks)).sum::<u64>();
    if room < u64::from(tasks) {
        return None;
    }
    candidates.sort_by_key(|candidate| (Reverse(candidate.tasks), candidate.left()));
    let mut chosen = Vec::new();
    let mut left = tasks;
    for (index, roomiest) in candidates.iter().enumerate() {
        if roomiest.tasks < left {
            chosen.push((roomiest.rank.node, roomiest.tasks));
            left -= roomiest.tasks;
            continue;
        }
        let enough = candidates[index..].iter().take_while(|candidate| candidate.tasks >= left);
        let best = enough.min_by_key(|candidate| candidate.left()).expect("the roomiest is enough");
        chosen.push((best.rank.node, left));
        break;
    }
    Some(chosen)
}
