//! What projects will have.
//!
//! What: what projects have now, what of it comes back and when, and what planned starts take and how long; and whether the
//! shares of one gang let it start at some time and go on. Why a planned start counts in the whole stretch in which it
//! begins: what comes back before it begins would lower that, so this errs to the safe side, and needs one look a time.
//! Absent: nodes (`timeline`).

use crate::shares::held_by;
use crate::{Fleet, Shape, Shares};
use eaf_model::{Allotment, Time};
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
    held: BTreeMap<Arc<str>, u64>,
}

impl Part {
    fn new(fleet: &Fleet, project: Option<&Arc<str>>, tasks: &[Allotment]) -> Self {
        Self { project: project.cloned(), held: held_by(fleet, tasks) }
    }

    fn add(&self, shares: &mut Shares) {
        shares.take_held(self.project.as_deref(), &self.held);
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
    pub(crate) fn give_back(&mut self, fleet: &Fleet, project: Option<&Arc<str>>, tasks: &[Allotment], at: Time) {
        self.returns.entry(at).or_default().push(Part::new(fleet, project, tasks));
    }

    /// A workload starts now.
    pub(crate) fn start(&mut self, fleet: &Fleet, project: Option<&Arc<str>>, tasks: &[Allotment], end: Time) {
        let part = Part::new(fleet, project, tasks);
        part.add(&mut self.now);
        self.returns.entry(end).or_default().push(part);
    }

    /// A start is planned.
    pub(crate) fn promise(
        &mut self,
        fleet: &Fleet,
        project: Option<&Arc<str>>,
        tasks: &[Allotment],
        (from, until): (Time, Time),
    ) {
        self.planned.push(Planned { from, until, part: Part::new(fleet, project, tasks) });
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

/// What projects have in the stretch that one gang would run, moved forward with it.
pub(crate) struct Stretch {
    shares: Shares,
    /// Up to when what comes back is back.
    at: Time,
    /// Which planned starts are counted.
    counted: Vec<bool>,
    /// What the gang asks for, by model.
    asks: BTreeMap<String, u64>,
}

impl Stretch {
    pub(crate) fn new(ahead: &Ahead, fleet: &Fleet, shape: &Shape) -> Self {
        let (shares, counted) = (ahead.now.clone(), vec![false; ahead.planned.len()]);
        Self { shares, at: Time(i64::MIN), counted, asks: Shares::asks(fleet, shape) }
    }

    /// The gang would run from one time to another; neither moves back.
    pub(crate) fn go_to(&mut self, ahead: &Ahead, at: Time, end: Time) {
        let back = ahead.returns.range((Bound::Excluded(self.at), Bound::Included(at)));
        back.flat_map(|(_, parts)| parts).for_each(|part| part.subtract(&mut self.shares));
        self.at = at;
        for (planned, counted) in ahead.planned.iter().zip(&mut self.counted) {
            let meets = planned.from < end && planned.until > at;
            if meets && !*counted {
                planned.part.add(&mut self.shares);
            } else if *counted && !meets {
                planned.part.subtract(&mut self.shares);
            }
            *counted = meets;
        }
    }

    /// True where its shares let it take what it asks for, whichever of the models it gets.
    pub(crate) fn lets(&self, fleet: &Fleet, project: Option<&str>) -> bool {
        self.shares.lets_all(fleet, project, &self.asks)
    }
}
