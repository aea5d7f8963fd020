//! What projects will have.
//!
//! What: what projects have now, what of it comes back and when, and what planned starts take and how long; and whether the
//! shares of one gang let it start at some time and go on. Why a planned start counts in the whole stretch in which it
//! begins: what comes back before it begins would lower that, so this errs to the safe side, and needs one look a time.
//! Absent: nodes (`timeline`).

use crate::shares::Amounts;
use crate::{Fleet, Shape, Shares};
use eaf_model::Time;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// What projects will have.
pub(crate) struct Ahead {
    /// What they have now.
    now: Shares,
    /// What comes back, by time.
    returns: BTreeMap<Time, Vec<Part>>,
    /// Planned starts.
    planned: Vec<Planned>,
}

/// What a project has a part of the time.
struct Part {
    project: Option<Arc<str>>,
    held: Amounts,
}

impl Part {
    fn new(project: Option<&Arc<str>>, held: Amounts) -> Self {
        Self { project: project.cloned(), held }
    }

    fn add(&self, shares: &mut Shares) {
        shares.take(self.project.as_deref(), &self.held);
    }

    fn subtract(&self, shares: &mut Shares) {
        shares.give_back(self.project.as_deref(), &self.held);
    }
}

struct Planned {
    from: Time,
    until: Time,
    part: Part,
}

impl Ahead {
    /// Projects have this now, and nothing is known to come back.
    pub(crate) fn new(now: Shares) -> Self {
        Self { now, returns: BTreeMap::new(), planned: Vec::new() }
    }

    /// Something that a project has now comes back.
    pub(crate) fn give_back(&mut self, project: Option<&Arc<str>>, held: Amounts, at: Time) {
        self.returns.entry(at).or_default().push(Part::new(project, held));
    }

    /// Something that a project has now is told to come back sooner, and counts no more; `known` says when it was to come back,
    /// where that was told here.
    pub(crate) fn leaves(&mut self, project: Option<&Arc<str>>, held: &Amounts, known: Option<Time>) {
        self.now.give_back(project.map(AsRef::as_ref), held);
        let Some(parts) = known.and_then(|at| self.returns.get_mut(&at)) else { return };
        if let Some(place) = parts.iter().position(|part| part.project.as_ref() == project && part.held == *held) {
            parts.swap_remove(place);
        }
    }

    /// A workload starts now.
    pub(crate) fn start(&mut self, project: Option<&Arc<str>>, held: Amounts, end: Time) {
        let part = Part::new(project, held);
        part.add(&mut self.now);
        self.returns.entry(end).or_default().push(part);
    }

    /// A start is planned.
    pub(crate) fn promise(&mut self, project: Option<&Arc<str>>, held: Amounts, (from, until): (Time, Time)) {
        self.planned.push(Planned { from, until, part: Part::new(project, held) });
    }

    /// The projects that have a maximum together with a gang: those of the topmost part that has one. `None` where none has, or
    /// where what is kept for others counts.
    pub(crate) fn bound_with(&self, fleet: &Fleet, shape: &Shape) -> Option<Vec<Arc<str>>> {
        Some(self.now.projects_of(self.now.topmost_maximum(fleet, shape)?))
    }

    /// The next time at which projects are known to have something else than before.
    pub(crate) fn changes_after(&self, at: Time) -> Option<Time> {
        let above = (Bound::Excluded(at), Bound::Unbounded);
        let back = self.returns.range(above).map(|(at, _)| *at).next();
        let over = self.planned.iter().map(|planned| planned.until).filter(|until| *until > at).min();
        back.into_iter().chain(over).min().filter(|at| *at < Time::NEVER)
    }

    /// What projects have at some time, as far as it is known.
    pub(crate) fn at(&self, at: Time) -> Shares {
        let mut shares = self.now.clone();
        self.returns.range(..=at).flat_map(|(_, parts)| parts).for_each(|part| part.subtract(&mut shares));
        let planned = self.planned.iter().filter(|planned| planned.from <= at && planned.until > at);
        planned.for_each(|planned| planned.part.add(&mut shares));
        shares
    }
}

/// What projects have in the stretch that one gang would run, moved forward with it: of the models that it asks for alone.
pub(crate) struct Stretch {
    asks: Vec<Asked>,
    /// Up to when what comes back is back.
    at: Time,
    /// Which planned starts are counted.
    counted: Vec<bool>,
}

/// What a gang asks for of one model.
struct Asked {
    model: Arc<str>,
    milli: u64,
    /// What each part has of it.
    held: Vec<u64>,
}

impl Stretch {
    pub(crate) fn new(ahead: &Ahead, fleet: &Fleet, shape: &Shape) -> Self {
        let held = |model: &Arc<str>| ahead.now.parts().iter().map(|part| part.held(model)).collect();
        let asked = |(model, milli)| Asked { held: held(&model), model, milli };
        let asks = Shares::asks(fleet, shape).into_iter().map(asked).collect();
        Self { asks, at: Time(i64::MIN), counted: vec![false; ahead.planned.len()] }
    }

    /// The gang would run from one time to another; neither moves back.
    pub(crate) fn go_to(&mut self, ahead: &Ahead, at: Time, end: Time) {
        let back = ahead.returns.range((Bound::Excluded(self.at), Bound::Included(at)));
        back.flat_map(|(_, parts)| parts).for_each(|part| self.change(&ahead.now, part, u64::saturating_sub));
        self.at = at;
        for (place, planned) in ahead.planned.iter().enumerate() {
            let meets = planned.from < end && planned.until > at;
            if meets && !self.counted[place] {
                self.change(&ahead.now, &planned.part, u64::saturating_add);
            } else if self.counted[place] && !meets {
                self.change(&ahead.now, &planned.part, u64::saturating_sub);
            }
            self.counted[place] = meets;
        }
    }

    fn change(&mut self, shares: &Shares, part: &Part, change: fn(u64, u64) -> u64) {
        for asked in &mut self.asks {
            let Some(milli) = part.held.get(&asked.model) else { continue };
            for at in shares.up(shares.part_of(part.project.as_deref())) {
                asked.held[at] = change(asked.held[at], *milli);
            }
        }
    }

    /// True where its shares let it take what it asks for, whichever of the models it gets.
    pub(crate) fn lets(&self, ahead: &Ahead, fleet: &Fleet, project: Option<&str>) -> bool {
        let at = ahead.now.part_of(project);
        let lets = |asked: &Asked| ahead.now.lets_over(fleet, at, &asked.model, asked.milli, |part| asked.held[part]);
        self.asks.iter().all(lets)
    }
}
