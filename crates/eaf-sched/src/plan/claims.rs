//! The claims of a pass.
//!
//! What: for whom others stop, where room is missing or its share is at its maximum; and what the pass counts with from there on.
//! Why no claim that would bar another: whoever takes of what somebody has its turn by, for whom others stop, would bring those back
//! first. Absent: whom to stop (`preempt`).

use super::{Pass, let_by, timeline};
use crate::preempt::{Claimant, Found, Giver, Open, Soon, Standing};
use crate::running::Leaving;
use crate::shares::{Barred, Shares, held_by};
use crate::timeline::Forecast;
use crate::turns::Turn;
use crate::{Fleet, Shape};
use eaf_model::{Allotment, NodeId, Time};
use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

impl Pass<'_> {
    /// True where somebody for whom others stop would go first all the same once they have, had a project so much more.
    pub(super) fn leaves_turns(
        open: &[Open],
        shares: &mut Shares,
        project: Option<&Arc<str>>,
        tasks: &[Allotment],
        fleet: &Fleet,
    ) -> bool {
        if open.is_empty() {
            return true;
        }
        let taken = (project.cloned(), held_by(fleet, tasks));
        open.iter().all(|open| open.bears(shares, &taken))
    }

    /// Others stop for it, or are stopping already. What it will take is kept for it.
    pub(super) fn claim(&mut self, turn: &Turn<'_, '_>, shape: &Shape) -> bool {
        let snapshot = self.snapshot;
        if self.vain.contains(&turn.place.workload()) {
            return false;
        }
        let is_idle = if self.shares.is_empty() {
            snapshot.running.is_idle_for(turn.place.class(snapshot.queue.order()))
        } else {
            snapshot.running.is_idle()
        };
        if is_idle {
            return false;
        }
        // Others do not stop for what would not be let start beside the planned starts once they have.
        let end = snapshot.now.after(shape.wall);
        let Some(shape) = let_by(self.beside.shares(end), &snapshot.fleet, shape) else { return false };
        self.make_room(turn, &shape, false)
    }

    /// Others of a share that is at its maximum stop for it. Not where somebody waits before it for a share that it would take of:
    /// that one would go first once they have.
    pub(super) fn claim_of_share(&mut self, turn: &Turn<'_, '_>) -> bool {
        let (snapshot, project) = (self.snapshot, &turn.shape.project);
        if snapshot.running.is_idle() || self.vain.contains(&turn.place.workload()) {
            return false;
        }
        let way = || self.shares.up(self.shares.part_of(project.as_deref()));
        let waits = |share: Option<&Arc<str>>| self.waited_for.contains(&share.cloned());
        if waits(None) || way().any(|at| self.shares.parts()[at].name().is_some_and(|share| waits(Some(share)))) {
            return false;
        }
        let later = self.shares.let_later(&snapshot.fleet, turn.shape, turn.asks);
        later.iter().any(|(shape, barred)| {
            self.may_give(turn, shape, barred)
                && (self.start_at_maximum(turn, shape) || self.make_room(turn, shape, true))
        })
    }

    /// True where anything may be stopped that draws on the share that bars one, as far as can be told at a glance.
    fn may_give(&self, turn: &Turn<'_, '_>, shape: &Shape, barred: &Barred) -> bool {
        let Some(at) = barred.share.as_deref().map(|share| self.shares.part_of(Some(share))) else { return false };
        let (running, project) = (&self.snapshot.running, shape.project.as_ref());
        let class = turn.place.class(self.snapshot.queue.order());
        let asked = |other: &Arc<str>| {
            let room = self.shares.claim(&self.snapshot.fleet, shape, Some(other), (turn.within, &BTreeSet::new()));
            running.has_of(Some(other)) && room.is_some_and(|room| room.is_open())
        };
        running.worse_of(project, class).next().is_some() || self.shares.projects_of(at).iter().any(asked)
    }

    /// Starts one whose share is at its maximum and for which there is room: what others leave counts as given back at once.
    fn start_at_maximum(&mut self, turn: &Turn<'_, '_>, shape: &Shape) -> bool {
        let snapshot = self.snapshot;
        let soon = self.soon.get_or_insert_with(|| Soon::new(snapshot, &self.fleet));
        let nothing = BTreeSet::new();
        let borrows = self.borrows.get(&shape.project).unwrap_or(&nothing);
        let claimant = Claimant { turn, shape, borrows, after: (0, 0), is_barred: true };
        let Some((victims, without)) = soon.give_way(snapshot, &self.shares, claimant) else { return false };
        let timeline = self.timeline.get_or_insert_with(|| timeline(snapshot, &self.fleet, &self.plan, &self.ends));
        let until: Vec<Time> = victims.iter().map(|lease| timeline.told_until(lease)).collect();
        let (before, beside) = (mem::replace(&mut self.shares, without), self.beside.clone());
        for (lease, until) in victims.iter().zip(&until) {
            let held = self.shares.amounts(&self.fleet, &lease.tasks);
            self.beside.give_back(lease.project.as_deref(), &held, (snapshot.now, *until));
        }
        let placement = self.place(shape, snapshot.now.after(shape.wall)).filter(|placement| {
            let (project, tasks) = (shape.project.as_ref(), &placement.tasks);
            Self::leaves_turns(&self.open, &mut self.shares, project, tasks, &self.fleet)
        });
        let Some(placement) = placement else {
            (self.shares, self.beside) = (before, beside);
            return false;
        };
        if let Some(soon) = &mut self.soon {
            soon.tell(snapshot, &victims);
        }
        for lease in &victims {
            let held = self.shares.amounts(&self.fleet, &lease.tasks);
            if let Some(timeline) = &mut self.timeline {
                timeline.leaves(&self.fleet, lease, &held, lease.gone(snapshot.now));
            }
        }
        let told = victims.iter().map(|lease| lease.lease).collect();
        self.grant(turn.place.workload(), shape, placement, told);
        true
    }

    /// Makes a claim where one can be made.
    fn make_room(&mut self, turn: &Turn<'_, '_>, shape: &Shape, is_barred: bool) -> bool {
        let snapshot = self.snapshot;
        let soon = self.soon.get_or_insert_with(|| Soon::new(snapshot, &self.fleet));
        let nothing = BTreeSet::new();
        let borrows = self.borrows.get(&shape.project).unwrap_or(&nothing);
        let after = (self.plan.grants.len(), self.plan.holds.len());
        let claimant = Claimant { turn, shape, borrows, after, is_barred };
        let Some(mut found) = soon.find(snapshot, &self.shares, claimant, self.beside.nodes()) else { return false };
        let standing = claimant.standing(&found.without);
        let (project, tasks) = (shape.project.as_ref(), &found.claim.placement.tasks);
        let leaves = Self::leaves_turns(&self.open, &mut found.without, project, tasks, &self.fleet);
        if !leaves || !self.is_let_beside(&found, shape) || self.starts_without(&found, shape) {
            return false;
        }
        if !self.shares.is_empty() {
            self.open.push(self.opened(standing, &found, project));
        }
        self.claimed.push(turn.shape.clone());
        self.book(found, shape);
        true
    }

    /// True where it starts no later than by the claim if nobody is told to leave.
    fn starts_without(&mut self, found: &Found, shape: &Shape) -> bool {
        let by = found.claim.by;
        !found.victims.is_empty() && matches!(self.forecast(shape, by), Forecast::Fits { at, .. } if at <= by)
    }

    /// A claim, and who leaves for it.
    fn opened(&self, standing: Standing, found: &Found, project: Option<&Arc<str>>) -> Open {
        let fleet = &self.fleet;
        let takes = (project.cloned(), held_by(fleet, &found.claim.placement.tasks));
        let nodes: BTreeSet<NodeId> = found.claim.placement.tasks.iter().map(|task| task.node).collect();
        let is_there = |leaving: &&Leaving| leaving.tasks.iter().any(|task| nodes.contains(&task.node));
        let before = self.snapshot.running.leaving().filter(is_there);
        let before = before.map(|leaving| Giver::new(fleet, leaving.project.as_ref(), &leaving.tasks, leaving.needs));
        let told =
            found.victims.iter().map(|lease| Giver::new(fleet, lease.project.as_ref(), &lease.tasks, lease.needs));
        Open { standing, takes, victims: before.chain(told).collect() }
    }

    /// What a claim needs is taken: from what is free now, and from what will be once those are gone who leave for it.
    fn book(&mut self, found: Found, shape: &Shape) {
        let snapshot = self.snapshot;
        let held = self.counts(shape, &found.claim.placement.tasks);
        let soon = self.soon.as_mut().expect("what is claimed was looked for");
        soon.take(snapshot, &found);
        let Found { claim, victims, without } = found;
        let project = shape.project.as_ref();
        let over = claim.by.after(shape.wall);
        self.shares = without;
        self.shares.take(project.map(AsRef::as_ref), &held);
        let timeline = self.timeline.get_or_insert_with(|| timeline(snapshot, &self.fleet, &self.plan, &self.ends));
        for lease in &victims {
            let (gone, held) = (lease.gone(snapshot.now), self.shares.amounts(&self.fleet, &lease.tasks));
            let until = timeline.leaves(&self.fleet, lease, &held, gone);
            self.beside.give_back(lease.project.as_deref(), &held, (snapshot.now, until));
        }
        timeline.claim(&self.fleet, &soon.fleet, |back| soon.gone(snapshot, back), (&claim, shape));
        self.beside.learn(timeline);
        timeline.take(project, held.clone(), over);
        self.beside.take(project.map(AsRef::as_ref), &held, (snapshot.now, over));
        for task in &claim.placement.tasks {
            let left = soon.fleet.get(task.node).expect("a claimed node is in the fleet");
            self.fleet.limit(task.node, left);
            self.beside.limit(task.node, left);
        }
        // It goes before everybody who is promised a start from here on, wherever it comes to run.
        self.over = self.over.max(over);
        self.plan.claims.push(claim);
    }

    /// True where planned starts leave the share of one for whom others stop what it takes, for as long as it may last.
    fn is_let_beside(&mut self, found: &Found, shape: &Shape) -> bool {
        let snapshot = self.snapshot;
        let over = found.claim.by.after(shape.wall);
        if self.beside.shares(over).next().is_none() {
            return true;
        }
        let held = held_by(&snapshot.fleet, &found.claim.placement.tasks);
        let timeline = self.timeline.as_mut().expect("what is planned is in the timeline");
        let victims: Vec<_> = found.victims.iter().map(|lease| (lease, timeline.told_until(lease))).collect();
        self.beside.levels(over).all(|(at, shares)| {
            let mut shares = shares.clone();
            for (lease, _) in victims.iter().filter(|(_, until)| *until > at) {
                shares.give_back(lease.project.as_deref(), &held_by(&snapshot.fleet, &lease.tasks));
            }
            shares.lets(&snapshot.fleet, shape.project.as_deref(), &held)
        })
    }
}
