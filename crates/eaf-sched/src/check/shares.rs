//! The checker of shares.
//!
//! What: adds up what each share holds with every grant and claim of a plan, without the planner's arithmetic: none above
//! its maximum, now or when a planned start begins, none into what others do not lend, and nobody stopped for another share who
//! had no more than its own.
//! Absent: the order between projects; a plan that serves them in another order is lawful and unfair.

use super::Violation;
use super::leaving::Leaving;
use crate::shares::{Amounts, Part};
use crate::{Claim, Entry, Grant, Plan, Snapshot, held_by};
use eaf_model::{Allotment, LeaseId, Placement, Time, WorkloadId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What every part holds.
struct Books<'a> {
    snapshot: &'a Snapshot,
    parts: &'a [Part],
    /// The parts of each part.
    below: Vec<Vec<usize>>,
    held: Vec<Amounts>,
}

/// Of one claim, the models of accelerators that its shares let it take if all but one are gone who are told to leave for it, for
/// each of those.
pub(super) type Open = Vec<Vec<String>>;

/// Tests grants and claims against the shares.
pub(super) fn within_shares(snapshot: &Snapshot, plan: &Plan) -> Result<Vec<Open>, Violation> {
    if snapshot.shares.is_empty() {
        let stops = plan.grants.iter().find_map(|grant| Some((grant.workload, *grant.victims.first()?)));
        return stops.map_or(Ok(Vec::new()), |(workload, lease)| Err(Violation::NeedNotStop { workload, lease }));
    }
    let mut books = Books::new(snapshot);
    let mut open = Vec::new();
    let mut claims = plan.claims.iter().peekable();
    for (at, grant) in plan.grants.iter().enumerate() {
        while let Some(claim) = claims.next_if(|claim| claim.behind <= at) {
            open.push(books.claim(claim)?);
        }
        books.all_are_needed(grant)?;
        books.give_back(grant.workload, &grant.victims)?;
        books.take(grant.workload, &grant.placement)?;
    }
    for claim in claims {
        open.push(books.claim(claim)?);
    }
    Ok(open)
}

/// At the beginning of every planned start no share that takes it is above its maximum.
pub(super) fn maxima_kept(
    snapshot: &Snapshot,
    plan: &Plan,
    entries: &[Entry],
    granted: &[(Entry, &Placement)],
    leaving: &Leaving<'_>,
) -> Result<(), Violation> {
    if snapshot.shares.is_empty() {
        return Ok(());
    }
    let mut books = Books::new(snapshot);
    let mut given = Vec::new();
    for lease in leaving.told.keys().filter_map(|lease| snapshot.running.get(*lease)) {
        books.subtract(lease.project.as_deref(), &lease.tasks);
    }
    for (entry, placement, over) in &leaving.claims {
        books.add(entry.workload, placement);
        given.push(Given::new(&books, entry, placement, (Time(i64::MIN), *over)));
    }
    for (entry, placement) in granted {
        books.add(entry.workload, placement);
        let until = snapshot.now.after(entry.shape.wall);
        given.push(Given::new(&books, entry, placement, (Time(i64::MIN), until)));
    }
    for (hold, entry) in plan.holds.iter().zip(entries) {
        let until = hold.at.after(entry.shape.wall);
        given.push(Given::new(&books, entry, &hold.placement, (hold.at, until)));
    }
    let last = plan.holds.iter().map(|hold| hold.at).max().unwrap_or(snapshot.now);
    let mut back: BTreeMap<(usize, &Arc<str>), Back> = BTreeMap::new();
    for (hold, entry) in plan.holds.iter().zip(entries) {
        let asked = held_by(&snapshot.fleet, &hold.placement.tasks);
        for at in books.way_up(entry.shape.project.as_deref()) {
            let limits = books.parts[at].limits.iter().filter_map(|(model, limits)| Some((model, limits.maximum?)));
            for (model, maximum) in limits.filter(|(model, _)| asked.contains_key(*model)) {
                let back = back.entry((at, model)).or_insert_with(|| books.returns(at, model, last, leaving));
                if books.held_at(hold.at, at, model, back, &given) > maximum {
                    return Err(Violation::AboveShare { workload: hold.workload, model: model.to_string() });
                }
            }
        }
    }
    Ok(())
}

/// Times, rising, and how much of a model has come back to a part by each.
type Back = Vec<(Time, u64)>;

/// What a plan gives somebody, and for which time.
struct Given {
    from: Time,
    until: Time,
    way: Vec<usize>,
    held: Amounts,
}

impl Given {
    fn new(books: &Books<'_>, entry: &Entry, placement: &Placement, (from, until): (Time, Time)) -> Self {
        let way = books.way_up(entry.shape.project.as_deref());
        Self { from, until, way, held: held_by(&books.snapshot.fleet, &placement.tasks) }
    }
}

impl<'a> Books<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        let parts = snapshot.shares.parts();
        let mut below = vec![Vec::new(); parts.len()];
        for (at, part) in parts.iter().enumerate().skip(1) {
            below[part.parent].push(at);
        }
        Self { snapshot, parts, below, held: parts.iter().map(|part| part.held.clone()).collect() }
    }

    fn project(&self, workload: WorkloadId) -> Option<Arc<str>> {
        self.snapshot.queue.get(workload).and_then(|entry| entry.shape.project.clone())
    }

    /// From a project's part to the whole, which is the first of all parts.
    fn way_up(&self, project: Option<&str>) -> Vec<usize> {
        let mut at = self.snapshot.shares.part_of(project);
        let mut way = vec![at];
        while at != 0 && way.len() <= self.parts.len() {
            at = self.parts[at].parent;
            way.push(at);
        }
        way
    }

    /// Without any one of those who are told to leave its shares would not let it have what it is granted.
    fn all_are_needed(&mut self, grant: &Grant) -> Result<(), Violation> {
        let held = held_by(&self.snapshot.fleet, &grant.placement.tasks);
        let way = self.way_up(self.project(grant.workload).as_deref());
        for lease in &grant.victims {
            let lets = |books: &Self| held.iter().all(|(model, milli)| books.lets(&way, model, *milli));
            if self.with_all_gone_but(&grant.victims, *lease, lets) {
                return Err(Violation::NeedNotStop { workload: grant.workload, lease: *lease });
            }
        }
        Ok(())
    }

    /// What is true once all of these are gone but one.
    fn with_all_gone_but<T>(&mut self, victims: &[LeaseId], but: LeaseId, ask: impl Fn(&Self) -> T) -> T {
        let held = self.held.clone();
        for other in victims.iter().filter(|other| **other != but) {
            if let Some(other) = self.snapshot.running.get(*other) {
                self.subtract(other.project.as_deref(), &other.tasks);
            }
        }
        let answer = ask(self);
        self.held = held;
        answer
    }

    fn claim(&mut self, claim: &Claim) -> Result<Open, Violation> {
        let mut open = Vec::new();
        for lease in &claim.victims {
            open.push(self.with_all_gone_but(&claim.victims, *lease, |books| books.open_to(claim.workload)));
        }
        self.give_back(claim.workload, &claim.victims)?;
        self.take(claim.workload, &claim.placement)?;
        Ok(open)
    }

    /// The models of which a workload may take all that it asks for.
    fn open_to(&self, workload: WorkloadId) -> Vec<String> {
        let Some(entry) = self.snapshot.queue.get(workload) else { return Vec::new() };
        let asked = &entry.shape.task.accelerators;
        let count = u64::from(entry.shape.tasks) * u64::from(asked.count);
        let way = self.way_up(entry.shape.project.as_deref());
        let models = self.snapshot.fleet.milli_by_model(asked).into_iter();
        let open = models.filter(|(model, milli)| self.lets(&way, model, milli.saturating_mul(count)));
        open.map(|(model, _)| model.to_string()).collect()
    }

    /// True where shares let a project take so much more of a model.
    fn lets(&self, way: &[usize], model: &str, more: u64) -> bool {
        let has = |at: usize| self.held[at].get(model).copied().unwrap_or(0);
        let limits = |at: usize| self.parts[at].limits.get(model).copied().unwrap_or_default();
        let above = way.iter().any(|at| limits(*at).maximum.is_some_and(|maximum| has(*at) + more > maximum));
        let own = way.iter().filter(|at| **at != 0).all(|at| has(*at) + more <= limits(*at).guaranteed);
        let is_beside = |at: &usize| *at != 0 && !way.contains(at) && way.contains(&self.parts[*at].parent);
        let beside = (0..self.parts.len()).filter(is_beside);
        let kept: u64 = beside.map(|at| self.kept_for(at, model)).sum();
        let free = self.snapshot.fleet.ready_of(model).saturating_sub(has(0));
        !above && (own || kept == 0 || free >= kept + more)
    }

    /// What a share and the parts of it do not lend and do not hold.
    fn kept_for(&self, at: usize, model: &str) -> u64 {
        let kept = self.parts[at].limits.get(model).map_or(0, |limits| limits.kept);
        let own = kept.saturating_sub(self.held[at].get(model).copied().unwrap_or(0));
        own.max(self.below[at].iter().map(|part| self.kept_for(*part, model)).sum())
    }

    fn take(&mut self, workload: WorkloadId, placement: &Placement) -> Result<(), Violation> {
        self.add(workload, placement);
        self.is_within(workload, placement)
    }

    fn add(&mut self, workload: WorkloadId, placement: &Placement) {
        let way = self.way_up(self.project(workload).as_deref());
        for (model, milli) in held_by(&self.snapshot.fleet, &placement.tasks) {
            for at in &way {
                *self.held[*at].entry(model.clone()).or_default() += milli;
            }
        }
    }

    fn subtract(&mut self, project: Option<&str>, tasks: &[Allotment]) {
        let held = held_by(&self.snapshot.fleet, tasks);
        for at in self.way_up(project) {
            for (model, milli) in &held {
                self.held[at].entry(model.clone()).and_modify(|held| *held = held.saturating_sub(*milli));
            }
        }
    }

    /// What comes back to a part of a model up to some time.
    fn returns(&self, at: usize, model: &str, last: Time, leaving: &Leaving<'_>) -> Back {
        let mut back = Back::new();
        let mut below = vec![at];
        while let Some(at) = below.pop() {
            below.extend(&self.below[at]);
            let Some(project) = self.parts[at].name() else { continue };
            let backs = self.snapshot.releases.of_project(project).take_while(|lease| lease.at <= last);
            for lease in backs.filter(|back| !leaving.told.contains_key(&back.lease)) {
                let held = held_by(&self.snapshot.fleet, lease.tasks);
                back.push((lease.at, held.get(model).copied().unwrap_or(0)));
            }
        }
        back.sort_unstable_by_key(|(at, _)| *at);
        let mut sum = 0;
        for (_, milli) in &mut back {
            sum += *milli;
            *milli = sum;
        }
        back
    }

    /// What a part has of a model at some time: what it has now with every grant, less what is back by then, and with what
    /// the plan gives it from later on.
    fn held_at(&self, when: Time, at: usize, model: &str, back: &[(Time, u64)], given: &[Given]) -> u64 {
        let has = self.held[at].get(model).copied().unwrap_or(0);
        let over = back.partition_point(|(at, _)| *at <= when).checked_sub(1).map_or(0, |last| back[last].1);
        let mut held = has.saturating_sub(over);
        for given in given.iter().filter(|given| given.way.contains(&at)) {
            let milli = given.held.get(model).copied().unwrap_or(0);
            // What is granted counts in what it has now.
            let is_planned = given.from > self.snapshot.now;
            match given.until <= when {
                false if is_planned && given.from <= when => held += milli,
                true if !is_planned => held = held.saturating_sub(milli),
                _ => {}
            }
        }
        held
    }

    fn is_within(&self, workload: WorkloadId, placement: &Placement) -> Result<(), Violation> {
        let way = self.way_up(self.project(workload).as_deref());
        let held = held_by(&self.snapshot.fleet, &placement.tasks);
        match held.keys().find(|model| !self.lets(&way, model, 0)) {
            Some(model) => Err(Violation::AboveShare { workload, model: model.to_string() }),
            None => Ok(()),
        }
    }

    /// Leases of other shares may be told to leave, in this order, while the part that gives still holds more than its own.
    fn give_back(&mut self, workload: WorkloadId, victims: &[LeaseId]) -> Result<(), Violation> {
        let ours = self.way_up(self.project(workload).as_deref());
        for lease in victims {
            let Some(victim) = self.snapshot.running.get(*lease) else {
                return Err(Violation::MayNotStop { workload, lease: *lease });
            };
            let theirs = self.way_up(victim.project.as_deref());
            if let Some(giver) = theirs.iter().rev().find(|at| !ours.contains(at)) {
                let limits = &self.parts[*giver].limits;
                let is_beyond =
                    |(model, has): (&Arc<str>, &u64)| *has > limits.get(model).map_or(0, |of| of.guaranteed);
                let held = held_by(&self.snapshot.fleet, &victim.tasks);
                if !self.held[*giver].iter().filter(|(model, _)| held.contains_key(*model)).any(is_beyond) {
                    return Err(Violation::MayNotStop { workload, lease: *lease });
                }
            }
            self.subtract(victim.project.as_deref(), &victim.tasks);
        }
        Ok(())
    }
}
