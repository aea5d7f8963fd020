//! Shares: who has which part of the fleet, and who may take more.
//!
//! What: a tree of parts with what each holds, its guarantee, its maximum and how much of it others may borrow; who of
//! several that wait goes first by it; and who must give back for whom. Why values of a pass: what a pass grants counts at
//! once, so that two requests never both pass where only one may.
//! Absent: the decay of use, which is told as an average by whoever keeps it; and order inside one project (`order`).

mod asking;

pub(crate) use asking::{Less, Room};

use crate::order::Place;
use crate::{Fleet, Queue, Shape};
use eaf_model::{AcceleratorRequest, Allotment, GpuMilli, ModelUse, Policy, ShareUse};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::sync::Arc;

/// One accelerator, in thousandths.
const WHOLE: u64 = 1_000;
/// The whole fleet.
const ROOT: usize = 0;
/// Projects without a share, together.
const OTHERS: usize = 1;

/// So much of each model, in thousandths of an accelerator.
pub type Amounts = BTreeMap<Arc<str>, u64>;

/// What a project has of the fleet and had of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// What it holds now.
    pub held: Amounts,
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
    children: Arc<Vec<usize>>,
    pub(crate) weight: u64,
    priority: i32,
    pub(crate) limits: Arc<BTreeMap<Arc<str>, Limits>>,
    pub(crate) held: Amounts,
    /// Held and the average of it, over all models.
    used: u64,
    /// The same without what its parts use.
    own: u64,
    /// True where it, or a part of it, has something that it does not lend.
    keeps: bool,
}

impl Part {
    /// The name of a share; `None` for the whole, and for what has none.
    pub(crate) const fn name(&self) -> Option<&Arc<str>> {
        self.name.as_ref()
    }

    pub(crate) fn held(&self, model: &str) -> u64 {
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
    pub(crate) model: Arc<str>,
    /// What it holds of it, in thousandths.
    pub(crate) held: u64,
    /// What it may hold, in thousandths.
    pub(crate) limit: u64,
}

impl Shares {
    /// The whole fleet, of which everything is a part.
    pub(crate) const ROOT: usize = ROOT;

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
            let (weight, limits) = (u64::from(share.weight.max(1)), Arc::new(limits.collect()));
            let priority = share.priority;
            parts.push(Part { name: Some(name), parent, weight, priority, limits, ..Part::default() });
        }
        for at in OTHERS..parts.len() {
            let parent = parts[at].parent;
            Arc::make_mut(&mut parts[parent].children).push(at);
        }
        let mut shares = Self { parts, by_project };
        for at in OTHERS..shares.parts.len() {
            if shares.parts[at].limits.values().any(|limits| limits.kept > 0) {
                shares.way_up(at).into_iter().for_each(|at| shares.parts[at].keeps = true);
            }
        }
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
        let mut next: Vec<usize> = self.parts.first().map_or_else(Vec::new, |whole| whole.children.to_vec());
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

    /// A part, and those that it is a part of up to the whole.
    pub(crate) fn up(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        // The policy was refused where a part is a part of itself; the bound says so again.
        iter::successors(Some(at), |at| (*at != ROOT).then(|| self.parts[*at].parent)).take(self.parts.len())
    }

    /// The same as a list.
    pub(crate) fn way_up(&self, at: usize) -> Vec<usize> {
        self.up(at).collect()
    }

    /// The topmost part with a maximum that binds a workload of this shape; `None` where something is kept for others, and
    /// the whole binds it too.
    pub(crate) fn topmost_maximum(&self, fleet: &Fleet, shape: &Shape) -> Option<usize> {
        if self.parts[ROOT].keeps {
            return None;
        }
        let asks = Self::asks(fleet, shape);
        let binds = |at: &usize| asks.keys().any(|model| self.parts[*at].limits(model).maximum.is_some());
        self.up(self.part_of(shape.project.as_deref())).filter(binds).last()
    }

    /// The projects that draw on a share or on parts of it.
    pub(crate) fn projects_of(&self, at: usize) -> Vec<Arc<str>> {
        let (mut next, mut projects) = (vec![at], Vec::new());
        while let Some(at) = next.pop() {
            next.extend(self.parts[at].children.iter());
            projects.extend(self.parts[at].name.clone());
        }
        projects
    }

    /// What a workload of this shape would hold of each model that would do, were it all of that model.
    pub(crate) fn asks(fleet: &Fleet, shape: &Shape) -> Amounts {
        let asked = &shape.task.accelerators;
        let count = u64::from(shape.tasks).saturating_mul(u64::from(asked.count));
        fleet.milli_by_model(asked).into_iter().map(|(model, milli)| (model, milli.saturating_mul(count))).collect()
    }

    /// Whether shares let a workload start that asks for this, on which models.
    pub(crate) fn admit<'a>(&self, fleet: &Fleet, shape: &'a Shape, asks: &Amounts) -> Admitted<'a> {
        if self.is_empty() || shape.task.accelerators.count == 0 {
            return Admitted::As(shape);
        }
        let at = self.part_of(shape.project.as_deref());
        let open = || asks.iter().filter(|(model, ask)| self.bar(fleet, at, model, **ask).is_none());
        match open().count() {
            0 if !asks.is_empty() => Admitted::No,
            count if count == asks.len() => Admitted::As(shape),
            _ => Admitted::On(shape.on(open().map(|(model, _)| model))),
        }
    }

    /// Why shares let a workload start on no model: the bar of the first model that would do.
    pub(crate) fn barred(&self, fleet: &Fleet, shape: &Shape) -> Option<Barred> {
        let asks = Self::asks(fleet, shape);
        if !matches!(self.admit(fleet, shape, &asks), Admitted::No) {
            return None;
        }
        let at = self.part_of(shape.project.as_deref());
        asks.iter().find_map(|(model, ask)| self.bar(fleet, at, model, *ask))
    }

    /// What a workload that shares do not let start is let start on once less is held, a model each, and what bars it now.
    pub(crate) fn let_later(&self, fleet: &Fleet, shape: &Shape, asks: &Amounts) -> Vec<(Shape, Barred)> {
        let at = self.part_of(shape.project.as_deref());
        let could = |model: &Arc<str>, ask: u64| self.lets_over(fleet, at, model, ask, |_| 0);
        let later = asks.iter().filter(|(model, ask)| could(model, **ask));
        let barred = later.filter_map(|(model, ask)| self.bar(fleet, at, model, *ask));
        barred.map(|barred| (shape.on([&barred.model]), barred)).collect()
    }

    /// What a part may never have of what a workload asks for, however little is held and though every node were ready, and how
    /// much of that model it asks for: of the first such model.
    pub(crate) fn barred_for_ever(&self, fleet: &Fleet, at: usize, asks: &Amounts) -> Option<(Barred, u64)> {
        asks.iter().find_map(|(model, ask)| Some((self.bar_ever(fleet, at, model, *ask)?, *ask)))
    }

    /// Of what a workload asks for, the models that its shares may ever let it have; nothing where the ready nodes do not hold it
    /// on those.
    pub(crate) fn ever(&self, fleet: &Fleet, at: usize, shape: &Shape, asks: &Amounts) -> Amounts {
        let may = self.may_ever(fleet, at, asks);
        let is_narrowed = !may.is_empty() && may.len() < asks.len();
        if is_narrowed && !fleet.ready_fit(&shape.on(may.keys())) { Amounts::new() } else { may }
    }

    /// The same, whatever fits on those.
    pub(crate) fn may_ever(&self, fleet: &Fleet, at: usize, asks: &Amounts) -> Amounts {
        let may = asks.iter().filter(|(model, ask)| self.bar_ever(fleet, at, model, **ask).is_none());
        may.map(|(model, ask)| (model.clone(), *ask)).collect()
    }

    fn bar_ever(&self, fleet: &Fleet, at: usize, model: &Arc<str>, ask: u64) -> Option<Barred> {
        self.bar_over(fleet.all_of(model), at, model, ask, |_| 0)
    }

    /// The parts beside a way up, on every level, and those of its first.
    fn beside<'a>(&'a self, way: &'a [usize]) -> impl Iterator<Item = usize> + 'a {
        let of =
            |at: usize, but: Option<usize>| self.parts[at].children.iter().filter(move |child| Some(**child) != but);
        of(way[0], None).chain(way.windows(2).flat_map(move |step| of(step[1], Some(step[0])))).copied()
    }

    /// True where a project may take as much of each of these models.
    pub(crate) fn lets(&self, fleet: &Fleet, project: Option<&str>, amounts: &Amounts) -> bool {
        let at = self.part_of(project);
        amounts.iter().all(|(model, milli)| self.bar(fleet, at, model, *milli).is_none())
    }

    /// True where one of a project that asks for this would take of what keeps another from starting: of the share that is at
    /// its maximum, or, where what is free is kept for others, beyond its own guarantee.
    pub(crate) fn draws_on(&self, project: Option<&str>, asks: &Amounts, barred: &Barred) -> bool {
        let Some(ask) = asks.get(&barred.model).copied().filter(|ask| *ask > 0) else {
            return false;
        };
        let way = self.way_up(self.part_of(project));
        match &barred.share {
            Some(share) => way.iter().any(|at| self.parts[*at].name.as_ref() == Some(share)),
            None => !self.is_within(&way, &barred.model, ask, self.held_now(&barred.model)),
        }
    }

    /// What keeps a part from taking so much more of a model.
    fn bar(&self, fleet: &Fleet, at: usize, model: &Arc<str>, ask: u64) -> Option<Barred> {
        self.bar_over(fleet.ready_of(model), at, model, ask, self.held_now(model))
    }

    fn held_now<'a>(&'a self, model: &'a str) -> impl Fn(usize) -> u64 + 'a {
        |at| self.parts[at].held(model)
    }

    /// True where a part could take so much of a model if parts held so much of it.
    pub(crate) fn lets_over(
        &self,
        fleet: &Fleet,
        at: usize,
        model: &Arc<str>,
        ask: u64,
        held: impl Fn(usize) -> u64,
    ) -> bool {
        self.bar_over(fleet.ready_of(model), at, model, ask, held).is_none()
    }

    /// What would keep a part from taking so much of a model if there were so much of it, and parts held so much.
    fn bar_over(
        &self,
        whole: u64,
        at: usize,
        model: &Arc<str>,
        ask: u64,
        held: impl Fn(usize) -> u64,
    ) -> Option<Barred> {
        let way = self.way_up(at);
        for at in &way {
            let part = &self.parts[*at];
            if let Some(limit) = part.limits(model).maximum.filter(|limit| held(*at) + ask > *limit) {
                return Some(Barred { share: part.name.clone(), model: model.clone(), held: held(*at), limit });
            }
        }
        if !self.parts[ROOT].keeps || self.is_within(&way, model, ask, &held) {
            return None;
        }
        // What its owners do not lend is left to them: to its own parts, and beside it on every level.
        let kept: u64 = self.beside(&way).map(|at| self.kept_for(at, model, &held)).sum();
        let (held, limit) = (held(ROOT), whole.saturating_sub(kept));
        (kept > 0 && held + ask > limit).then(|| Barred { share: None, model: model.clone(), held, limit })
    }

    /// What must stay free for a part: what it does not lend and does not hold, or what its parts so keep where that is more.
    fn kept_for(&self, at: usize, model: &str, held: &impl Fn(usize) -> u64) -> u64 {
        let part = &self.parts[at];
        if !part.keeps {
            return 0;
        }
        let of_parts = part.children.iter().map(|child| self.kept_for(*child, model, held)).sum();
        part.limits(model).kept.saturating_sub(held(at)).max(of_parts)
    }

    /// True where a part, and all that it is a part of below the whole, stay within their guarantee with so much more than
    /// parts hold.
    fn is_within(&self, way: &[usize], model: &str, ask: u64, held: impl Fn(usize) -> u64) -> bool {
        let mut parts = way.iter().filter(|at| **at != ROOT);
        parts.all(|at| held(*at) + ask <= self.parts[*at].limits(model).guaranteed)
    }

    /// What allotments count here: nothing where there are no shares.
    pub(crate) fn amounts(&self, fleet: &Fleet, tasks: &[Allotment]) -> Amounts {
        if self.is_empty() { Amounts::new() } else { held_by(fleet, tasks) }
    }

    /// A project has so much more.
    pub(crate) fn take(&mut self, project: Option<&str>, amounts: &Amounts) {
        self.change(project, amounts, u64::saturating_add);
    }

    /// A project has so much less.
    pub(crate) fn give_back(&mut self, project: Option<&str>, amounts: &Amounts) {
        self.change(project, amounts, u64::saturating_sub);
    }

    fn change(&mut self, project: Option<&str>, amounts: &Amounts, change: fn(u64, u64) -> u64) {
        if self.is_empty() {
            return;
        }
        let at = self.part_of(project);
        let way = self.way_up(at);
        for (model, milli) in amounts {
            self.parts[at].own = change(self.parts[at].own, *milli);
            for at in &way {
                let part = &mut self.parts[*at];
                part.used = change(part.used, *milli);
                let held = part.held.entry(model.clone()).or_default();
                *held = change(*held, *milli);
            }
        }
    }

    /// The parts, from a project's up, that would stay within their guarantee with what somebody of it asks for, whichever of
    /// the models that would do it gets. None where that is nothing: it would come and go with what others of its project hold.
    pub(crate) fn within<'a>(&'a self, at: usize, asks: &'a Amounts) -> impl Iterator<Item = usize> + 'a {
        let stays =
            |part: &Part| asks.iter().all(|(model, ask)| part.held(model) + ask <= part.limits(model).guaranteed);
        let asks_any = asks.values().any(|ask| *ask > 0);
        self.up(at).filter(move |at| *at != ROOT && asks_any && stays(&self.parts[*at]))
    }

    /// The same for a workload of this shape.
    pub(crate) fn within_with(&self, fleet: &Fleet, shape: &Shape) -> Vec<usize> {
        self.within(self.part_of(shape.project.as_deref()), &Self::asks(fleet, shape)).collect()
    }

    /// Of those who wait, the ones whose turn it is, all of one part: where somebody stays within a guarantee before where
    /// nobody does, of those the higher priority, of those where somebody keeps the earliest turn, and of those the one that has used
    /// the least for its weight, part by part from the whole down. Below a part that has its turn by its guarantee only those have it
    /// who stay within that.
    pub(crate) fn next_of<'a>(&self, askers: Vec<Asker<'a>>) -> Vec<Asker<'a>> {
        self.next_below(ROOT, askers)
    }

    /// The same of those below a part.
    fn next_below<'a>(&self, at: usize, askers: Vec<Asker<'a>>) -> Vec<Asker<'a>> {
        let mut below: BTreeMap<Option<usize>, Vec<Asker<'a>>> = BTreeMap::new();
        for asker in askers {
            below.entry(asker.below(at)).or_default().push(asker);
        }
        let ranked = below.into_iter().map(|(child, mut group)| {
            let beyond = !group.iter().any(|asker| asker.is_within(at));
            group.retain(|asker| beyond || asker.is_within(at));
            // A part has the turn of whoever is first in it: else others of it would go by a turn that is not theirs.
            let mut turn = u64::MAX;
            if group.iter().any(|asker| asker.turn() < u64::MAX) {
                if let Some(child) = child {
                    group = self.next_below(child, group);
                }
                turn = group.iter().min_by_key(|asker| asker.place).map_or(u64::MAX, Asker::turn);
            }
            let part = &self.parts[child.unwrap_or(at)];
            let (priority, used, weight) = child.map_or((0, part.own, 1), |_| (part.priority, part.used, part.weight));
            let by_use = u128::from(used) * u128::from(WHOLE) / u128::from(weight);
            ((beyond, Reverse(priority), turn, by_use, child.unwrap_or(at)), child, group)
        });
        match ranked.min_by_key(|(key, ..)| *key) {
            Some((_, Some(child), group)) => self.next_below(child, group),
            Some((_, None, group)) => group,
            None => Vec::new(),
        }
    }
}

/// Somebody who waits for his turn.
#[derive(Clone, Debug)]
pub(crate) struct Asker<'a> {
    /// Which of those who wait.
    pub(crate) line: usize,
    /// From its part up to the whole.
    pub(crate) way: &'a [usize],
    /// Those of them whose guarantee it stays within.
    pub(crate) within: &'a [usize],
    /// Its place in its project, with the turn that it keeps; `None` where only shares are asked.
    pub(crate) place: Option<Place>,
}

impl Asker<'_> {
    /// The turn that it keeps between projects, and the greatest where it keeps none.
    fn turn(&self) -> u64 {
        self.place.map_or(u64::MAX, Place::turn_between)
    }

    /// True where it stays within a guarantee of the part below this one, or of one below that: what a part is guaranteed covers
    /// what its own parts are, and what brings it above that is what others of it have borrowed.
    fn is_within(&self, at: usize) -> bool {
        let Some(place) = self.way.iter().position(|part| *part == at) else { return false };
        self.way[..place.max(1)].iter().any(|part| self.within.contains(part))
    }

    /// The part below this one through which it asks; `None` for itself.
    fn below(&self, at: usize) -> Option<usize> {
        let place = self.way.iter().position(|part| *part == at)?;
        place.checked_sub(1).map(|below| self.way[below])
    }
}

/// What allotments hold. Nothing of a node that is gone.
pub fn held_by(fleet: &Fleet, tasks: &[Allotment]) -> Amounts {
    let mut held = Amounts::new();
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
    pub(crate) fn milli_by_model(&self, asked: &AcceleratorRequest) -> Amounts {
        let mut found = Amounts::new();
        for kind in self.kinds() {
            for (index, model) in kind.models().iter().enumerate().filter(|(_, model)| asked.suits(model)) {
                let milli = match &asked.slice {
                    None => Some(asked.share.0),
                    Some(slice) => {
                        let profiles = kind.modes(index).iter().flat_map(|mode| &mode.slices);
                        profiles.filter(|profile| profile.is_meant_by(slice)).map(|profile| profile.share.0).max()
                    }
                };
                match (milli, found.get_mut(model.as_str())) {
                    (Some(milli), Some(known)) => *known = milli.max(*known),
                    (Some(milli), None) => {
                        found.insert(Arc::from(model.as_str()), milli);
                    }
                    (None, _) => {}
                }
            }
        }
        found
    }
}
