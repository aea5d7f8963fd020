//! Shares: who has which part of the fleet, and who may take more.
//!
//! What: a tree of parts with what each holds, its guarantee, its maximum and how much of it others may borrow; who of
//! several that wait goes first by it; and who must give back for whom. Why values of a pass: what a pass grants counts at
//! once, so that two requests never both pass where only one may.
//! Absent: the decay of use, which is told as an average by whoever keeps it; and order inside one project (`order`).

use crate::{Fleet, Queue, Shape};
use eaf_model::{AcceleratorRequest, GpuMilli, ModelUse, Placement, Policy, ShareUse};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One accelerator, in thousandths.
const WHOLE: u64 = 1_000;
/// The whole fleet.
const ROOT: usize = 0;
/// Projects without a share, together.
const OTHERS: usize = 1;

/// What a project has of the fleet and had of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// What it holds now of each model, in thousandths of an accelerator.
    pub held: BTreeMap<Arc<str>, u64>,
    /// What it held on the average of the time that counts, in thousandths of an accelerator.
    pub average: u64,
}

/// Quotas of one model, in thousandths of an accelerator.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Limits {
    pub(crate) guaranteed: u64,
    /// What of the guarantee stays free for its owner.
    pub(crate) kept: u64,
    pub(crate) maximum: Option<u64>,
}

/// One share, the whole, or what has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Part {
    name: Option<Arc<str>>,
    /// The whole is its own.
    pub(crate) parent: usize,
    children: Vec<usize>,
    pub(crate) weight: u64,
    pub(crate) limits: BTreeMap<Arc<str>, Limits>,
    pub(crate) held: BTreeMap<Arc<str>, u64>,
    /// Held and the average of it, over all models.
    used: u64,
    /// The same without what its parts use.
    own: u64,
}

impl Part {
    fn held(&self, model: &str) -> u64 {
        self.held.get(model).copied().unwrap_or(0)
    }

    fn limits(&self, model: &str) -> Limits {
        self.limits.get(model).copied().unwrap_or_default()
    }

    /// What it holds beyond its guarantee.
    fn beyond(&self, model: &str) -> u64 {
        self.held(model).saturating_sub(self.limits(model).guaranteed)
    }
}

/// Shares as a pass sees them; empty where the policy has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shares {
    parts: Vec<Part>,
    by_project: BTreeMap<Arc<str>, usize>,
}

/// Whether shares let a workload start.
pub(crate) enum Admitted<'a> {
    /// As it is asked for.
    As(&'a Shape),
    /// On some of the models that would do.
    On(Shape),
    No,
}

/// What keeps a workload from starting, however much is free.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Barred {
    /// The share that is at its maximum; `None` where what is free is kept for other shares.
    pub(crate) share: Option<Arc<str>>,
    pub(crate) model: String,
    /// What it holds of it, in thousandths.
    pub(crate) held: u64,
    /// What it may hold, in thousandths.
    pub(crate) limit: u64,
}

impl Shares {
    /// The shares of a policy that holds together, with what each project uses; `None` for projects without a share.
    pub fn new<'a>(policy: &Policy, uses: impl IntoIterator<Item = (Option<&'a str>, Use)>) -> Self {
        if !policy.has_shares() {
            return Self::default();
        }
        let names: Vec<Arc<str>> = policy.shares.keys().map(|name| Arc::from(name.as_str())).collect();
        let by_project: BTreeMap<Arc<str>, usize> = names.iter().cloned().zip(OTHERS + 1..).collect();
        let mut parts = vec![Part::default(), Part { weight: 1, ..Part::default() }];
        for (name, share) in names.into_iter().zip(policy.shares.values()) {
            let parent = share.parent.as_deref().and_then(|parent| by_project.get(parent)).copied().unwrap_or(ROOT);
            let limits = share.accelerators.iter().map(|(model, quota)| {
                let borrowable = quota.borrowable.unwrap_or(quota.guaranteed).min(quota.guaranteed);
                let limits = Limits {
                    guaranteed: u64::from(quota.guaranteed) * WHOLE,
                    kept: u64::from(quota.guaranteed - borrowable) * WHOLE,
                    maximum: quota.maximum.map(|maximum| u64::from(maximum) * WHOLE),
                };
                (Arc::from(model.as_str()), limits)
            });
            let (weight, limits) = (u64::from(share.weight.max(1)), limits.collect());
            parts.push(Part { name: Some(name), parent, weight, limits, ..Part::default() });
        }
        for at in OTHERS..parts.len() {
            let parent = parts[at].parent;
            parts[parent].children.push(at);
        }
        let mut shares = Self { parts, by_project };
        for (project, used) in uses {
            let at = shares.part_of(project);
            let held: u64 = used.held.values().sum();
            shares.parts[at].own += held + used.average;
            for at in shares.way_up(at) {
                let part = &mut shares.parts[at];
                part.used += held + used.average;
                used.held.iter().for_each(|(model, milli)| *part.held.entry(model.clone()).or_default() += milli);
            }
        }
        shares
    }

    /// True where there are none, and nobody is compared by them.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// What each share has and had, a whole before its parts; those without a share come last, where there is anything to say
    /// of them.
    pub fn uses(&self, queue: &Queue) -> Vec<ShareUse> {
        let mut waiting = vec![0_u64; self.parts.len()];
        for (project, count) in queue.counts().filter(|_| !self.is_empty()) {
            self.way_up(self.part_of(project.as_deref())).into_iter().for_each(|at| waiting[at] += count);
        }
        let mut uses = Vec::new();
        let mut next: Vec<usize> = self.parts.first().map_or_else(Vec::new, |whole| whole.children.clone());
        // The last is taken first: those without a share, which are the first of all children, come last.
        next.reverse();
        let others = next.pop();
        next.splice(..0, others);
        while let Some(at) = next.pop() {
            let part = &self.parts[at];
            next.extend(part.children.iter().rev());
            let named: BTreeSet<&Arc<str>> = part.limits.keys().chain(part.held.keys()).collect();
            let models = named.into_iter().map(|model| {
                let limits = part.limits(model);
                let held = ModelUse {
                    held: GpuMilli(part.held(model)),
                    guaranteed: GpuMilli(limits.guaranteed),
                    kept: GpuMilli(limits.kept),
                    maximum: limits.maximum.map(GpuMilli),
                };
                (model.to_string(), held)
            });
            let use_of = ShareUse {
                share: part.name.as_deref().map(str::to_owned),
                parent: self.parts[part.parent].name.as_deref().map(str::to_owned),
                models: models.collect(),
                average: GpuMilli(part.used.saturating_sub(part.held.values().sum())),
                waiting: waiting[at],
            };
            if at != OTHERS || use_of.waiting > 0 || use_of.average > GpuMilli::ZERO || !use_of.models.is_empty() {
                uses.push(use_of);
            }
        }
        uses
    }

    /// The parts: the whole, what has no share, and the shares.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The part on which the workloads of a project draw.
    pub(crate) fn part_of(&self, project: Option<&str>) -> usize {
        project.and_then(|project| self.by_project.get(project)).copied().unwrap_or(OTHERS)
    }

    /// True where the share of a project is a part of that of another.
    pub(crate) fn is_part_of(&self, project: Option<&str>, of: Option<&str>) -> bool {
        let (part, whole) = (self.part_of(project), self.part_of(of));
        part != whole && self.way_up(part).contains(&whole)
    }

    /// A part, and those that it is a part of up to the whole.
    fn way_up(&self, at: usize) -> Vec<usize> {
        let mut way = vec![at];
        // The policy was refused where a part is a part of itself; the bound says so again.
        while let Some(last) = way.last().filter(|last| **last != ROOT && way.len() <= self.parts.len()) {
            way.push(self.parts[*last].parent);
        }
        way
    }

    /// What a workload of this shape would hold of each model that would do, in thousandths, were it all of that model.
    pub(crate) fn asks(fleet: &Fleet, shape: &Shape) -> BTreeMap<String, u64> {
        let asked = &shape.task.accelerators;
        let count = u64::from(shape.tasks).saturating_mul(u64::from(asked.count));
        fleet.milli_by_model(asked).into_iter().map(|(model, milli)| (model, milli.saturating_mul(count))).collect()
    }

    /// Whether shares let a workload start, on which models.
    pub(crate) fn admit<'a>(&self, fleet: &Fleet, shape: &'a Shape) -> Admitted<'a> {
        if self.is_empty() || shape.task.accelerators.count == 0 {
            return Admitted::As(shape);
        }
        let asks = Self::asks(fleet, shape);
        let at = self.part_of(shape.project.as_deref());
        let open: Vec<String> = asks
            .iter()
            .filter(|(model, ask)| self.bar(fleet, at, model, **ask).is_none())
            .map(|(model, _)| model.clone())
            .collect();
        match open.len() {
            0 if !asks.is_empty() => Admitted::No,
            open if open == asks.len() => Admitted::As(shape),
            _ => Admitted::On(shape.on(open)),
        }
    }

    /// Why shares let a workload start on no model: the bar of the first model that would do.
    pub(crate) fn barred(&self, fleet: &Fleet, shape: &Shape) -> Option<Barred> {
        if !matches!(self.admit(fleet, shape), Admitted::No) {
            return None;
        }
        let at = self.part_of(shape.project.as_deref());
        Self::asks(fleet, shape).iter().find_map(|(model, ask)| self.bar(fleet, at, model, *ask))
    }

    /// What a workload that shares do not let start is let start on once less is held, a model each, and what bars it now.
    pub(crate) fn let_later(&self, fleet: &Fleet, shape: &Shape) -> Vec<(Shape, Barred)> {
        let at = self.part_of(shape.project.as_deref());
        let asks = Self::asks(fleet, shape);
        let later = asks.iter().filter(|(model, ask)| self.would_let(fleet, at, model, **ask));
        let barred = later.filter_map(|(model, ask)| self.bar(fleet, at, model, *ask));
        barred.map(|barred| (shape.on(vec![barred.model.clone()]), barred)).collect()
    }

    /// True where a part could take so much of a model if nobody held anything.
    fn would_let(&self, fleet: &Fleet, at: usize, model: &str, ask: u64) -> bool {
        let way = self.way_up(at);
        let limits = |at: usize| self.parts[at].limits(model);
        let is_own = way.iter().filter(|at| **at != ROOT).all(|at| ask <= limits(*at).guaranteed);
        let kept: u64 = self.beside(&way).map(|at| limits(at).kept).sum();
        way.iter().all(|at| limits(*at).maximum.is_none_or(|maximum| ask <= maximum))
            && (is_own || kept == 0 || ask <= fleet.ready_of(model).saturating_sub(kept))
    }

    /// The parts beside a way up, on every level, and those of its first.
    fn beside<'a>(&'a self, way: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
        let of =
            |at: usize, but: Option<usize>| self.parts[at].children.iter().filter(move |child| Some(**child) != but);
        of(way[0], None).chain(way.windows(2).flat_map(move |step| of(step[1], Some(step[0])))).copied()
    }

    /// True where a project may take so much of every model, one or the other.
    pub(crate) fn lets_all(&self, fleet: &Fleet, project: Option<&str>, asks: &BTreeMap<String, u64>) -> bool {
        let at = self.part_of(project);
        asks.iter().all(|(model, ask)| self.bar(fleet, at, model, *ask).is_none())
    }

    /// True where a workload would take of what keeps another from starting: of the share that is at its maximum, or, where
    /// what is free is kept for others, beyond its own guarantee.
    pub(crate) fn draws_on(&self, fleet: &Fleet, shape: &Shape, barred: &Barred) -> bool {
        let way = self.way_up(self.part_of(shape.project.as_deref()));
        let Some(ask) = Self::asks(fleet, shape).get(&barred.model).copied().filter(|ask| *ask > 0) else {
            return false;
        };
        match &barred.share {
            Some(share) => way.iter().any(|at| self.parts[*at].name.as_ref() == Some(share)),
            None => !self.is_within(&way, &barred.model, ask),
        }
    }

    /// True where a project may take what a placement would give it.
    pub(crate) fn lets(&self, fleet: &Fleet, project: Option<&str>, placement: &Placement) -> bool {
        let (at, held) = (self.part_of(project), held_by(fleet, &placement.tasks));
        held.iter().all(|(model, milli)| self.bar(fleet, at, model, *milli).is_none())
    }

    fn bar(&self, fleet: &Fleet, at: usize, model: &str, ask: u64) -> Option<Barred> {
        let way = self.way_up(at);
        for at in &way {
            let part = &self.parts[*at];
            if let Some(limit) = part.limits(model).maximum.filter(|limit| part.held(model) + ask > *limit) {
                let share = part.name.clone();
                return Some(Barred { share, model: model.to_owned(), held: part.held(model), limit });
            }
        }
        if self.is_within(&way, model, ask) {
            return None;
        }
        // What its owners do not lend is left to them: to its own parts, and beside it on every level.
        let left = |at: usize| self.parts[at].limits(model).kept.saturating_sub(self.parts[at].held(model));
        let kept: u64 = self.beside(&way).map(left).sum();
        let (held, limit) = (self.parts[ROOT].held(model), fleet.ready_of(model).saturating_sub(kept));
        (kept > 0 && held + ask > limit).then(|| Barred { share: None, model: model.to_owned(), held, limit })
    }

    /// True where a part, and all that it is a part of below the whole, stay within their guarantee with so much more.
    fn is_within(&self, way: &[usize], model: &str, ask: u64) -> bool {
        let parts = way.iter().filter(|at| **at != ROOT).map(|at| &self.parts[*at]);
        parts.into_iter().all(|part| part.held(model) + ask <= part.limits(model).guaranteed)
    }

    /// A workload of a project takes what it is placed on.
    pub(crate) fn take(&mut self, project: Option<&str>, fleet: &Fleet, placement: &Placement) {
        if !self.is_empty() {
            self.take_held(project, &held_by(fleet, &placement.tasks));
        }
    }

    /// A project has so much more of each model.
    pub(crate) fn take_held(&mut self, project: Option<&str>, held: &BTreeMap<Arc<str>, u64>) {
        let at = self.part_of(project);
        let way = self.way_up(at);
        for (model, milli) in held {
            self.parts[at].own += milli;
            for at in &way {
                let part = &mut self.parts[*at];
                part.used += milli;
                *part.held.entry(model.clone()).or_default() += milli;
            }
        }
    }

    /// What a lease of a project held is given back.
    pub(crate) fn give_back(&mut self, project: Option<&str>, held: &BTreeMap<Arc<str>, u64>) {
        if self.is_empty() {
            return;
        }
        let at = self.part_of(project);
        let way = self.way_up(at);
        for (model, milli) in held {
            self.parts[at].own = self.parts[at].own.saturating_sub(*milli);
            for at in &way {
                let part = &mut self.parts[*at];
                part.used = part.used.saturating_sub(*milli);
                part.held.entry(model.clone()).and_modify(|held| *held = held.saturating_sub(*milli));
            }
        }
    }

    /// The parts, from a project's up, that would stay within their guarantee with what somebody of it asks for.
    pub(crate) fn within<'a>(&'a self, at: usize, asks: &'a BTreeMap<String, u64>) -> impl Iterator<Item = usize> + 'a {
        let stays =
            |part: &Part| asks.iter().any(|(model, ask)| part.held(model) + ask <= part.limits(model).guaranteed);
        self.way_up(at).into_iter().filter(move |at| stays(&self.parts[*at]))
    }

    /// Of the projects for which somebody waits, the one whose turn it is: where somebody stays within a guarantee (`within`)
    /// before where nobody does, and of those the one that has used the least for its weight, part by part from the whole down.
    pub(crate) fn next_of(&self, waiting: &Waiting, within: &BTreeSet<usize>) -> Option<usize> {
        let key = |at: usize, used: u64, weight: u64| {
            (!within.contains(&at), u128::from(used) * u128::from(WHOLE) / u128::from(weight), at)
        };
        let mut at = ROOT;
        for _ in 0..=self.parts.len() {
            let part = &self.parts[at];
            let own = waiting.own.contains(&at).then(|| key(at, part.own, 1));
            let below = part.children.iter().copied().filter(|child| waiting.below[*child] > 0);
            let child = below.map(|child| key(child, self.parts[child].used, self.parts[child].weight)).min();
            match (own, child) {
                (Some(own), Some(child)) if child < own => at = child.2,
                (Some(_), _) => return Some(at),
                (None, child) => at = child?.2,
            }
        }
        None
    }

    /// How much of the leases of another project may be stopped so that a workload of this shape can start, by model: as long
    /// as that project's part holds more than its guarantee, for one that stays within its own; between two that both borrow,
    /// as long as the one that gives has more for its weight than the one that takes. `None` for one and the same project.
    pub(crate) fn claim(&self, fleet: &Fleet, shape: &Shape, other: Option<&str>) -> Option<Room> {
        let (ours, theirs) = (self.way_up(self.part_of(shape.project.as_deref())), self.way_up(self.part_of(other)));
        let common = ours.iter().rev().zip(theirs.iter().rev()).take_while(|(one, two)| one == two).count();
        let (ours_at, theirs_at) = (ours.len().checked_sub(common + 1)?, theirs.len().checked_sub(common + 1)?);
        let (taker, giver) = (&self.parts[ours[ours_at]], &self.parts[theirs[theirs_at]]);
        let mut by_model = BTreeMap::new();
        // What gives must be behind what takes in use as well, or it would go first again as soon as it has given.
        let mut used_stays = 0;
        for (model, ask) in Self::asks(fleet, shape) {
            let within = taker.held(&model) + ask <= taker.limits(&model).guaranteed;
            let beyond = giver.beyond(&model);
            let rule = if within {
                Rule::WhileBeyond
            } else {
                let takes = (taker.held(&model) + ask).saturating_sub(taker.limits(&model).guaranteed);
                used_stays = used_stays.max((taker.used + ask).saturating_mul(giver.weight).div_ceil(taker.weight));
                Rule::DownTo(takes.saturating_mul(giver.weight).div_ceil(taker.weight))
            };
            by_model.insert(model, (beyond, rule));
        }
        Some(Room { part: theirs[theirs_at], by_model, used: giver.used, used_stays })
    }
}

/// What may be taken from one part.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    /// The part that gives, whichever of its projects it is taken from.
    pub(crate) part: usize,
    /// What it holds beyond its guarantee, and how far it may go down.
    by_model: BTreeMap<String, (u64, Rule)>,
    /// What it uses, over all models, and how far that may go down where both borrow.
    used: u64,
    used_stays: u64,
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    /// The next may be stopped while anything is held beyond the guarantee.
    WhileBeyond,
    /// So much beyond the guarantee stays.
    DownTo(u64),
}

impl Room {
    /// Takes a lease out of the room; false where it may not be stopped, or holds nothing that would help.
    pub(crate) fn takes(&mut self, held: &BTreeMap<Arc<str>, u64>) -> bool {
        let helps = held.keys().any(|model| self.by_model.contains_key(model.as_ref()));
        let may = held.iter().all(|(model, milli)| match self.by_model.get(model.as_ref()) {
            None => true,
            Some((beyond, Rule::WhileBeyond)) => *beyond > 0,
            Some((beyond, Rule::DownTo(stays))) => {
                let left = |has: u64, stays: u64| has.checked_sub(*milli).is_some_and(|left| left >= stays);
                left(*beyond, *stays) && left(self.used, self.used_stays)
            }
        });
        if helps && may {
            self.used = self.used.saturating_sub(held.values().sum());
            for (model, milli) in held {
                if let Some((beyond, _)) = self.by_model.get_mut(model.as_ref()) {
                    *beyond = beyond.saturating_sub(*milli);
                }
            }
        }
        helps && may
    }
}

/// The parts for which somebody waits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    own: BTreeSet<usize>,
    /// By part: for how many parts at or below it somebody waits.
    below: Vec<u32>,
}

impl Waiting {
    pub(crate) fn new(shares: &Shares, parts: impl Iterator<Item = usize>) -> Self {
        let mut waiting = Self { own: BTreeSet::new(), below: vec![0; shares.parts.len()] };
        for at in parts {
            if waiting.own.insert(at) {
                shares.way_up(at).into_iter().for_each(|at| waiting.below[at] += 1);
            }
        }
        waiting
    }

    /// Nobody waits for this part any more.
    pub(crate) fn leave(&mut self, shares: &Shares, at: usize) {
        if self.own.remove(&at) {
            shares.way_up(at).into_iter().for_each(|at| self.below[at] -= 1);
        }
    }
}

/// What allotments hold of each model, in thousandths. Nothing of a node that is gone.
pub fn held_by(fleet: &Fleet, tasks: &[eaf_model::Allotment]) -> BTreeMap<Arc<str>, u64> {
    let mut held: BTreeMap<Arc<str>, u64> = BTreeMap::new();
    for task in tasks {
        let Some(node) = fleet.get(task.node) else { continue };
        for one in &task.accelerators {
            if let Some((model, _)) = node.accelerators().nth(usize::from(one.index)) {
                *held.entry(Arc::from(model)).or_default() += one.share.0;
            }
        }
    }
    held
}

impl Fleet {
    /// What one accelerator, share or slice of a request counts, by each model that would do; of a slice the most.
    pub(crate) fn milli_by_model(&self, asked: &AcceleratorRequest) -> BTreeMap<String, u64> {
        let mut found: BTreeMap<String, u64> = BTreeMap::new();
        for kind in self.kinds() {
            for (index, model) in kind.models().iter().enumerate().filter(|(_, model)| asked.suits(model)) {
                let milli = match &asked.slice {
                    None => Some(asked.share.0),
                    Some(slice) => {
                        let profiles = kind.modes(index).iter().flat_map(|mode| &mode.slices);
                        profiles.filter(|profile| profile.is_meant_by(slice)).map(|profile| profile.share.0).max()
                    }
                };
                if let Some(milli) = milli {
                    let known = found.entry(model.clone()).or_default();
                    *known = milli.max(*known);
                }
            }
        }
        found
    }
}
