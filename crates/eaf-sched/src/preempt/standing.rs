//! Who goes before whom once room is made.
//!
//! What: whether one for whom others stop has its turn before those who stop, once they wait again. Why asked of the turns
//! themselves: by any other rule what was made would now and then go back to who made it, and be made again, and so on. Why asked again
//! of whoever starts meanwhile: what it takes counts in the shares that it has in common with the one that is waited for.
//! Absent: order inside one project, which is the queue's.

use crate::Fleet;
use crate::shares::{Amounts, Asker, Shares, held_by};
use eaf_model::Allotment;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Whose something is, where that decides anything, and how much of each model that is.
pub(crate) type Part = (Option<Arc<str>>, Amounts);

/// One that leaves, as it will ask when it waits again.
pub(crate) struct Giver {
    project: Option<Arc<str>>,
    /// What it holds.
    held: Amounts,
    /// What of it the tasks hold that it needs.
    needed: Amounts,
}

impl Giver {
    pub(crate) fn new(fleet: &Fleet, project: Option<&Arc<str>>, tasks: &[Allotment], needs: u32) -> Self {
        let needed = tasks.len().min(needs as usize);
        Self { project: project.cloned(), held: held_by(fleet, tasks), needed: held_by(fleet, &tasks[..needed]) }
    }
}

/// How one asks for its turn.
pub(crate) struct Standing {
    /// From its part up to the whole.
    pub(crate) way: Vec<usize>,
    /// What it asks for, of the models that its shares may ever let it have.
    pub(crate) asks: Amounts,
    /// The parts of which somebody of its project waits before it who would borrow there.
    pub(crate) borrows: BTreeSet<usize>,
}

impl Standing {
    /// True where it has its turn before one that made room for it and waits again. In one line of one part it does: it is of a
    /// better class.
    pub(crate) fn goes_before(&self, shares: &Shares, Giver { project, held, needed }: &Giver) -> bool {
        let theirs = shares.way_up(shares.part_of(project.as_deref()));
        let asks_any = self.asks.values().any(|ask| *ask > 0);
        if self.way[0] == theirs[0] && asks_any != held.is_empty() {
            return true;
        }
        let by_guarantee = shares.within(self.way[0], &self.asks);
        let by_guarantee: Vec<usize> = by_guarantee.filter(|at| !self.borrows.contains(at)).collect();
        // A gang that may be larger takes no more than its own while somebody waits for a guarantee, and all there is otherwise.
        let within = shares.within(theirs[0], if by_guarantee.is_empty() { needed } else { held });
        let within: Vec<usize> = within.collect();
        let askers = vec![
            Asker { line: 0, way: &self.way, within: &by_guarantee, place: None },
            Asker { line: 1, way: &theirs, within: &within, place: None },
        ];
        shares.next_of(askers).iter().any(|first| first.line == 0)
    }
}

/// A claim, as those meet it who have their turn behind it.
pub(crate) struct Open {
    pub(crate) standing: Standing,
    /// What it takes, which is counted already.
    pub(crate) takes: Part,
    /// Who leaves for it.
    pub(crate) victims: Vec<Giver>,
}

impl Open {
    /// True where it goes before those who leave for it as it did, had a project so much more.
    pub(crate) fn bears(&self, shares: &mut Shares, (project, held): &Part) -> bool {
        let theirs = shares.part_of(project.as_deref());
        if !shares.up(theirs).any(|at| at != Shares::ROOT && self.standing.way.contains(&at)) {
            return true;
        }
        let (own, takes) = &self.takes;
        shares.give_back(own.as_deref(), takes);
        let leads = |shares: &Shares| self.victims.iter().all(|victim| self.standing.goes_before(shares, victim));
        let before = leads(shares);
        shares.take(project.as_deref(), held);
        let still = leads(shares);
        shares.give_back(project.as_deref(), held);
        shares.take(own.as_deref(), takes);
        still || !before
    }
}
