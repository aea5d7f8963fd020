//! One planning pass.
//!
//! What: who starts now and where, and promises to the first who cannot. The order is that of the queue. The first
//! `holds_max` workloads that do not fit get holds: each the earliest time at which enough comes back beside the holds
//! before it, with a placement. Others may start now only where they delay none of those: they end before one begins, or
//! leave what it needs (conservative backfill; Mu'alem and Feitelson, "Utilization, predictability, workloads, and user
//! runtime estimates in scheduling the IBM SP2 with backfilling", 2001). Why that bounds starvation: every workload comes
//! among the first in its turn, and whoever was told when it starts at the latest keeps that (`Entry::turn`, which whoever keeps the
//! queue sets). What its share does not let start has a hold of the same kind, for as many again.
//! Why it is cheap: a shape that finds no place is passed over whole, so a pass costs what it grants and the shapes it
//! meets, never the length of the queue. A pass that meets a bound ends early rather than out of order.
//! Where the settings say so, nobody passes the first that cannot start, or whatever fits does; but those that have waited
//! too long are promised their start even then.
//! Absent: the order (`order`), who stops for whom (`preempt`), and memory of the last pass.

mod claims;
mod proof;

use crate::beside::Beside;
use crate::place::Chooser;
use crate::preempt::{Claim, Open, Soon};
use crate::scores::{Scores, Side};
use crate::shares::{Admitted, Amounts, Barred, Shares, held_by};
use crate::timeline::{Forecast, Timeline};
use crate::turns::{Turn, Turns};
use crate::valuation::Basis;
use crate::{Fleet, Queue, Releases, Running, Shape, Windows};
use eaf_model::{Allotment, LeaseId, Passing, Placement, Placing, Span, Time, WorkloadId};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::sync::Arc;

/// The most classes of nodes that are alike that one pass looks at, over all shapes; it ends after the shape that goes
/// beyond, and another pass goes on where it granted anything. Only fleets where nearly every node differs and nearly nothing fits come near it.
const LOOKS_MAX: u32 = 65_536;

/// Everything that a pass looks at. A clone is O(1).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The time of the pass.
    pub now: Time,
    /// What is free.
    pub fleet: Fleet,
    /// Who waits.
    pub queue: Queue,
    /// When what is held is expected back.
    pub releases: Releases,
    /// What placement reasons from; without it, nodes with the least left are taken.
    pub basis: Option<Arc<Basis>>,
    /// What may be stopped for others.
    pub running: Running,
    /// Who has which part of the fleet.
    pub shares: Arc<Shares>,
    /// Which nodes are kept for somebody, and when.
    pub windows: Windows,
    /// How many of the first who cannot start are promised a start.
    pub holds_max: u32,
    /// The most grants of one pass.
    pub grants_max: u32,
    /// The most shapes that one pass meets; where projects have shares evenly of each, and at least eight and `holds_max`. Shapes beyond it are not
    /// tried for backfill. Those that no ready node holds do not count, up to 16,384 of a project.
    pub shapes_max: u32,
    /// Who may go before one that cannot start.
    pub passing: Passing,
    /// By which rule nodes are chosen.
    pub placing: Placing,
}

/// What a pass decided. It was cut short at `grants_max` where there are that many grants; another pass goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Who starts now, in queue order.
    pub grants: Vec<Grant>,
    /// The promises to the first who cannot start now, in the order in which they had their turn.
    pub holds: Vec<Hold>,
    /// For whom others must stop, or are stopping already, in queue order.
    pub claims: Vec<Claim>,
}

/// A workload starts now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whose.
    pub workload: WorkloadId,
    /// Where.
    pub placement: Placement,
    /// Who is told to leave for it, wherever: its share counts what they hold as given back at once.
    pub victims: Vec<LeaseId>,
}

/// The planned start of a waiting workload, which backfill may not delay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Whose.
    pub workload: WorkloadId,
    /// When it will fit, if everything takes its whole wall time and those before it start where that is planned now.
    pub at: Time,
    /// When it starts at the latest, if no node is lost and nothing comes to have its turn before it: what runs and lets it wait
    /// has ended by its wall time, and so has all that was promised a start before it, wherever that came to run. `None` where
    /// that is not sure: only the first `holds_max` that wait are promised it, and behind one that has no planned start nobody is.
    pub latest: Option<Time>,
    /// Where.
    pub placement: Placement,
}

/// Plans one pass. The same snapshot gives the same plan. O(shapes met + grants), logarithmic in nodes and in waiting
/// workloads; the holds add the leases that they wait for.
/// `scores` is what the caller remembers from pass to pass; an empty one gives the same plan.
pub fn plan(snapshot: &Snapshot, scores: &mut Scores) -> Plan {
    proof::proven(snapshot, scores, false).0
}

/// The first workload that cannot start, and the time before which it does not, whether or not that is a promise.
pub(crate) type Head = Option<(WorkloadId, Time)>;

/// The same with what is only for people: the head of a queue in which nobody passes.
pub(crate) fn plan_with_head(snapshot: &Snapshot, scores: &mut Scores) -> (Plan, Head) {
    proof::proven(snapshot, scores, true)
}

/// Nobody stops for those of `vain`. True where it ended early because it had looked at as much as a pass may.
fn pass(
    snapshot: &Snapshot,
    scores: &mut Scores,
    is_explained: bool,
    vain: &BTreeSet<WorkloadId>,
) -> (Plan, Head, bool) {
    let mut pass = Pass {
        snapshot,
        is_explained,
        vain,
        fleet: snapshot.fleet.clone(),
        shares: Shares::clone(&snapshot.shares),
        plan: Plan::default(),
        ends: Vec::new(),
        head: None,
        timeline: None,
        beside: Beside::default(),
        over: snapshot.now,
        all_are_promised: true,
        borrows: BTreeMap::new(),
        claimed: Vec::new(),
        open: Vec::new(),
        contested: false,
        holders: Vec::new(),
        fruitless: 0,
        unpromised: Vec::new(),
        starved: Vec::new(),
        waited_for: BTreeSet::new(),
        no_more_holds: false,
        soon: None,
        chooser: Chooser { rule: snapshot.placing, basis: snapshot.basis.as_ref(), scores, looks: 0 },
    };
    let mut turns = Turns::new(snapshot);
    let is_open = |pass: &Pass<'_>| pass.made() < snapshot.grants_max as usize && pass.chooser.looks < LOOKS_MAX;
    while is_open(&pass) {
        let Some(turn) = turns.next(&snapshot.fleet, &pass.shares, pass.made()) else { break };
        match pass.consider(&turn) {
            Verdict::Starts => turns.again(),
            Verdict::Waits => pass.all_are_promised = false,
            Verdict::Never => {}
            Verdict::LetsNobodyPass => break,
        }
    }
    let cut = pass.chooser.looks >= LOOKS_MAX;
    (pass.plan, pass.head, cut)
}

enum Verdict {
    /// It does, or will as soon as others have stopped for it, or is promised to; the next of its shape has its turn.
    Starts,
    /// It has no planned start, and may come to start before those behind it.
    Waits,
    /// The same, and it starts no sooner than a node comes back or its share is changed.
    Never,
    LetsNobodyPass,
}

/// What keeps a workload from starting that is promised a start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WaitsFor {
    Room,
    Share,
}

struct Pass<'a> {
    snapshot: &'a Snapshot,
    is_explained: bool,
    /// For whom nobody stops.
    vain: &'a BTreeSet<WorkloadId>,
    /// What is free once the grants so far are made.
    fleet: Fleet,
    /// What projects have once they are.
    shares: Shares,
    plan: Plan,
    /// When each grant so far ends.
    ends: Vec<Time>,
    head: Head,
    /// What will be free, once somebody was to be promised a start.
    timeline: Option<Timeline<'a>>,
    /// What is free beside the holds.
    beside: Beside,
    /// When everything that is promised a start is over at the latest.
    over: Time,
    /// True as long as everybody who waits so far has a planned start.
    all_are_promised: bool,
    /// By project, the parts of which somebody had his turn and waits who would borrow there.
    borrows: BTreeMap<Option<Arc<str>>, BTreeSet<usize>>,
    /// The shapes of those for whom others stop.
    claimed: Vec<Arc<Shape>>,
    /// Those for whom others stop, where shares say who goes first once they have.
    open: Vec<Open>,
    /// True where somebody of another project waits who stays within a guarantee.
    contested: bool,
    /// Of each hold, whose it is, and for what that waits.
    holders: Vec<(Option<Arc<str>>, WaitsFor)>,
    /// How often a start was looked for in vain that a share has room for later.
    fruitless: u32,
    /// What those wait for of their shares who are not promised a start.
    unpromised: Vec<Barred>,
    /// What those of them wait for who have waited too long.
    starved: Vec<Barred>,
    /// The shares for which somebody has waited; `None` where what is free is kept for others.
    waited_for: BTreeSet<Option<Arc<str>>>,
    /// True once somebody waits for room who is not promised it, or more leases were looked at than a pass may follow: nobody
    /// else is promised a start.
    no_more_holds: bool,
    /// Set once somebody was looked at for whom others may stop.
    soon: Option<Soon>,
    chooser: Chooser<'a>,
}

impl Pass<'_> {
    fn consider(&mut self, turn: &Turn<'_, '_>) -> Verdict {
        let (made, project) = (self.made(), &turn.shape.project);
        self.contested = turn.is_contested;
        let verdict = self.judge(turn);
        // Nobody is asked to make room where nothing may be stopped. What asks for no accelerators stands in another line.
        let is_asked = !self.shares.is_empty() && !self.snapshot.running.is_idle();
        if self.made() == made && is_asked && turn.asks.values().any(|ask| *ask > 0) {
            let way = self.shares.up(self.shares.part_of(project.as_deref()));
            let borrows = way.filter(|at| !turn.within.contains(at));
            self.borrows.entry(project.clone()).or_default().extend(borrows);
        }
        verdict
    }

    /// How many have started, or will as soon as others have stopped for them.
    fn made(&self) -> usize {
        self.plan.grants.len() + self.plan.claims.len()
    }

    fn judge(&mut self, turn: &Turn<'_, '_>) -> Verdict {
        // Else small work of a share could keep it used up for ever, and large work of it would never start.
        if self.is_behind(&self.starved, turn.shape, turn.asks) {
            return Verdict::Waits;
        }
        // What one may have is settled in the step that gives it, or two would be let where there is enough for one: budgets and
        // headroom of power belong here as well.
        match self.shares.admit(&self.snapshot.fleet, turn.shape, turn.asks) {
            Admitted::As(shape) => self.seat(turn, shape, turn.asks),
            // Nothing of these models would ever do; it waits for those that its shares do not let it have now.
            Admitted::On(shape) if !self.fleet.ready_fit(&shape) => self.wait_for_share(turn),
            Admitted::On(shape) => self.seat(turn, &shape, &Shares::asks(&self.snapshot.fleet, &shape)),
            Admitted::No if self.claim_of_share(turn) => Verdict::Starts,
            Admitted::No => self.wait_for_share(turn),
        }
    }

    /// What its share does not give it comes back from work of that share. The first of those are promised a start.
    fn wait_for_share(&mut self, turn: &Turn<'_, '_>) -> Verdict {
        let shape = turn.shape;
        let later = self.shares.let_later(&self.snapshot.fleet, shape, turn.asks);
        if later.is_empty() || !self.fleet.ready_fit(shape) {
            return Verdict::Never;
        }
        self.waited_for.extend(later.iter().map(|(_, barred)| barred.share.clone()));
        if self.may_promise_share(turn) {
            if let Some((at, placement)) = self.soonest_of(&on_later(turn, &later), Time::NEVER) {
                self.hold(turn.place.workload(), shape, WaitsFor::Share, at, placement);
                return Verdict::Starts;
            }
            self.fruitless += 1;
        }
        let kind = if turn.place.is_aged() { &mut self.starved } else { &mut self.unpromised };
        for (_, barred) in later {
            if !kind.contains(&barred) {
                kind.push(barred);
            }
        }
        Verdict::Waits
    }

    /// The first of these that fits by some time, and where.
    fn soonest_of(&mut self, shapes: &[Shape], mut until: Time) -> Option<(Time, Placement)> {
        let mut best = None;
        for shape in shapes {
            match self.forecast(shape, until) {
                // Another only if that is sooner.
                Forecast::Fits { at, placement } if at <= until => {
                    until = at.before(Span::from_ms(1));
                    best = Some((at, placement));
                }
                _ => {}
            }
        }
        best
    }

    /// True where one that its share does not let start may be promised that.
    fn may_promise_share(&self, turn: &Turn<'_, '_>) -> bool {
        let passes = match self.snapshot.passing {
            Passing::Strict => false,
            Passing::Skip => turn.place.is_aged(),
            Passing::Backfill => true,
        };
        let is_cheap = self.fruitless < self.snapshot.holds_max;
        let may = passes && is_cheap && !self.no_more_holds;
        may && self.is_among_first(turn.shape, WaitsFor::Share)
            && !self.is_behind(&self.unpromised, turn.shape, turn.asks)
    }

    /// True where it is of the first who wait for the same, and of the first of its project.
    fn is_among_first(&self, shape: &Shape, waits_for: WaitsFor) -> bool {
        let max = self.snapshot.holds_max as usize;
        let alike = self.holders.iter().filter(|(_, other)| *other == waits_for).count();
        let own = self.holders.iter().filter(|(project, _)| *project == shape.project).count();
        // Those without a share are not one project. Of one project both kinds count together: what waits for its share waits for room
        // later, and must not put one out that was promised a start behind it.
        alike < max && (own < max || shape.project.is_none())
    }

    /// What a workload counts for in its share that is placed there: of each model all that it asks for, since it is let have that
    /// or none.
    fn counts(&self, shape: &Shape, tasks: &[Allotment]) -> Amounts {
        let held = self.shares.amounts(&self.fleet, tasks);
        if held.len() < 2 {
            return held;
        }
        let mut asks = Shares::asks(&self.fleet, shape);
        asks.retain(|model, _| held.contains_key(model));
        asks
    }

    /// True where a workload would take of what somebody before it waits for.
    fn is_behind(&self, waits_for: &[Barred], shape: &Shape, asks: &Amounts) -> bool {
        waits_for.iter().any(|barred| self.shares.draws_on(shape.project.as_deref(), asks, barred))
    }

    /// Starts one that its share lets start, or promises it a start.
    fn seat(&mut self, turn: &Turn<'_, '_>, shape: &Shape, asks: &Amounts) -> Verdict {
        let workload = turn.place.workload();
        let end = self.snapshot.now.after(shape.wall);
        if let Some(placement) = self.place(shape, end) {
            let (project, tasks) = (shape.project.as_ref(), &placement.tasks);
            // What stops counts as given back, and may open to the next of a shape what was closed to the one for whom it stops.
            let is_passed = self.claimed.contains(turn.shape);
            if is_passed || !Self::leaves_turns(&self.open, &mut self.shares, project, tasks, &self.fleet) {
                return Verdict::Waits;
            }
            self.grant(workload, shape, placement, Vec::new());
            return Verdict::Starts;
        }
        if self.claim(turn, shape) {
            return Verdict::Starts;
        }
        match self.snapshot.passing {
            Passing::Strict => self.block(workload, shape),
            Passing::Skip if !turn.place.is_aged() => Verdict::Waits,
            // What the ready nodes could not hold even empty waits for nodes, and keeps nobody from starting.
            _ if !self.fleet.ready_fit(shape) => Verdict::Never,
            _ if self.no_more_holds || !self.is_among_first(shape, WaitsFor::Room) => {
                self.no_more_holds |= self.held_for_room() >= self.snapshot.holds_max as usize;
                Verdict::Waits
            }
            // Who is before it and is not promised a start may come to start before it all the same.
            _ if self.is_behind(&self.unpromised, shape, asks) => Verdict::Waits,
            _ => self.promise(turn, shape, asks),
        }
    }

    /// A place for as many of its tasks as find one now, and as its share lets it have.
    fn place(&mut self, shape: &Shape, end: Time) -> Option<Placement> {
        let (snapshot, project) = (self.snapshot, shape.project.as_deref());
        let beside = self.beside.view(end);
        let (side, free) = beside.map_or((Side::Free, &self.fleet), |fleet| (Side::Beside, fleet));
        // What lasts beyond a planned start must leave the share what that will take.
        let shares = || iter::once(&self.shares).chain(self.beside.shares(end));
        let shape = &*let_by(shares(), &snapshot.fleet, shape)?;
        let closed = snapshot.windows.close(free, project, snapshot.now, end);
        let free = closed.as_ref().unwrap_or(free);
        let mut best = self.chooser.place(side, free, shape)?;
        let (mut fits, mut too_many) = (shape.tasks, shape.tasks_max + 1);
        let mut tasks = shape.tasks_max;
        // Beyond a guarantee by which it has its turn, where others wait for theirs, what it took would be asked back at once.
        let within = |shape: &Shape| self.shares.within_with(&snapshot.fleet, shape);
        let own = (self.contested && fits < tasks).then(|| within(shape));
        while fits < tasks {
            let more = shape.with_tasks(tasks);
            let is_its_own = own.as_ref().is_none_or(|own| *own == within(&more));
            let more = if is_its_own { let_by(shares(), &snapshot.fleet, &more) } else { None };
            match more.and_then(|more| self.chooser.place(side, free, &more)) {
                Some(placement) => (best, fits) = (placement, tasks),
                None => too_many = tasks,
            }
            tasks = u32::midpoint(fits, too_many);
        }
        Some(best)
    }

    /// Nobody passes the first workload that does not fit.
    fn block(&mut self, workload: WorkloadId, shape: &Shape) -> Verdict {
        if !self.fleet.ready_fit(shape) {
            return Verdict::Never;
        }
        if self.is_explained {
            self.head = match self.forecast(shape, Time::NEVER) {
                Forecast::Fits { at, .. } | Forecast::NotBefore(at) => Some((workload, at)),
                Forecast::Never => Some((workload, Time::NEVER)),
            };
        }
        Verdict::LetsNobodyPass
    }

    fn grant(&mut self, workload: WorkloadId, shape: &Shape, placement: Placement, victims: Vec<LeaseId>) {
        let end = self.snapshot.now.after(shape.wall);
        let held = self.shares.amounts(&self.fleet, &placement.tasks);
        self.shares.take(shape.project.as_deref(), &held);
        self.beside.take(shape.project.as_deref(), &held, (self.snapshot.now, end));
        if let Some(timeline) = &mut self.timeline {
            timeline.take(shape.project.as_ref(), held, end);
        }
        for task in &placement.tasks {
            self.fleet.hold(task);
            if let Some(soon) = &mut self.soon {
                soon.fleet.hold(task);
            }
            self.beside.start(&self.fleet, task, end);
            if let Some(timeline) = &mut self.timeline {
                timeline.start(&self.fleet, task, end);
            }
        }
        self.ends.push(end);
        self.plan.grants.push(Grant { workload, placement, victims });
    }

    /// Promises one that does not fit a start: on what its share lets it have now, or sooner on what that lets it have later.
    fn promise(&mut self, turn: &Turn<'_, '_>, shape: &Shape, asks: &Amounts) -> Verdict {
        let workload = turn.place.workload();
        let mut forecast = self.forecast(shape, Time::NEVER);
        if asks.len() < turn.asks.len() {
            let later = self.shares.let_later(&self.snapshot.fleet, turn.shape, turn.asks);
            let until =
                if let Forecast::Fits { at, .. } = &forecast { at.before(Span::from_ms(1)) } else { Time::NEVER };
            if let Some((at, placement)) = self.soonest_of(&on_later(turn, &later), until) {
                forecast = Forecast::Fits { at, placement };
            }
        }
        match forecast {
            Forecast::Fits { at, placement } => {
                self.head.get_or_insert((workload, at));
                self.hold(workload, turn.shape, WaitsFor::Room, at, placement);
                Verdict::Starts
            }
            Forecast::NotBefore(_) if self.held_for_room() > 0 => {
                self.no_more_holds = true;
                Verdict::Waits
            }
            Forecast::NotBefore(at) => {
                self.head.get_or_insert((workload, at));
                Verdict::LetsNobodyPass
            }
            // Held by something that no lease gives back; there is no time to keep free for it. A mode that changes may open it soon.
            Forecast::Never => Verdict::Waits,
        }
    }

    /// Keeps free what a planned start needs, and says when it is at the latest.
    fn hold(&mut self, workload: WorkloadId, shape: &Shape, waits_for: WaitsFor, at: Time, placement: Placement) {
        let held = self.counts(shape, &placement.tasks);
        let timeline = self.timeline.as_mut().expect("a forecast is made on the timeline");
        self.beside.take(shape.project.as_deref(), &held, (at, at.after(shape.wall)));
        timeline.promise(&self.fleet, shape, &placement, held, at);
        self.beside.learn(timeline);
        self.beside.promise(&self.fleet, timeline, &placement, at);
        let latest = if self.plan.holds.is_empty() && self.plan.claims.is_empty() {
            at
        } else {
            // Those before it may come to run where it is planned, and then it takes whatever nodes are left.
            self.snapshot.windows.clear_from(shape.project.as_deref(), at.max(self.over), shape.wall)
        };
        self.over = self.over.max(latest.after(shape.wall));
        // What waits for its share now waits for room later, and the other way round: who is among the first of all stays so.
        let is_sure = self.all_are_promised && self.plan.holds.len() < self.snapshot.holds_max as usize;
        self.holders.push((shape.project.clone(), waits_for));
        self.plan.holds.push(Hold { workload, at, latest: is_sure.then_some(latest), placement });
    }

    /// How many are promised a start that wait for room.
    fn held_for_room(&self) -> usize {
        self.holders.iter().filter(|(_, waits_for)| *waits_for == WaitsFor::Room).count()
    }

    /// When one fits; behind some time it is not looked.
    fn forecast(&mut self, shape: &Shape, until: Time) -> Forecast {
        let snapshot = self.snapshot;
        let timeline = self.timeline.get_or_insert_with(|| timeline(snapshot, &self.fleet, &self.plan, &self.ends));
        let forecast = timeline.soonest(&self.fleet, &snapshot.windows, shape, until);
        self.beside.learn(timeline);
        forecast
    }
}

/// What will be free, with every grant so far made; nothing was claimed yet.
fn timeline<'a>(snapshot: &'a Snapshot, fleet: &Fleet, plan: &Plan, ends: &[Time]) -> Timeline<'a> {
    let mut timeline = Timeline::new(&snapshot.releases, snapshot.now).with_shares(&snapshot.shares);
    for (grant, end) in plan.grants.iter().zip(ends) {
        timeline.started(fleet, &grant.placement, *end);
        if !snapshot.shares.is_empty() {
            let project = snapshot.queue.get(grant.workload).and_then(|entry| entry.shape.project.clone());
            timeline.take(project.as_ref(), held_by(fleet, &grant.placement.tasks), *end);
        }
    }
    timeline
}

/// What a workload may start on once its share has enough again: one of the models of which that has too much now, or all together
/// that it may ever have.
fn on_later(turn: &Turn<'_, '_>, later: &[(Shape, Barred)]) -> Vec<Shape> {
    let mixed = (turn.asks_within.len() > 1).then(|| turn.shape.on(turn.asks_within.keys()));
    later.iter().map(|(shape, _)| shape.clone()).chain(mixed).collect()
}

/// What a workload may take that all of these let start; `None` for nothing.
fn let_by<'s, 'p>(shares: impl Iterator<Item = &'p Shares>, fleet: &Fleet, shape: &'s Shape) -> Option<Cow<'s, Shape>> {
    let mut found = Cow::Borrowed(shape);
    let mut asks = None;
    for shares in shares.filter(|shares| !shares.is_empty()) {
        let asks = asks.get_or_insert_with(|| Shares::asks(fleet, shape));
        let narrowed = match shares.admit(fleet, &found, asks) {
            Admitted::As(_) => continue,
            Admitted::On(shape) => shape,
            Admitted::No => return None,
        };
        asks.retain(|model, _| narrowed.task.accelerators.models.iter().any(|open| **open == **model));
        found = Cow::Owned(narrowed);
    }
    Some(found)
}
