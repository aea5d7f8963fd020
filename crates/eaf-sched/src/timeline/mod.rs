//! What will be free, and when a gang that does not fit now will fit.
//!
//! What: how what is free on nodes changes from now on, by what is expected back, by the planned starts made so far, and by
//! windows; and the earliest time from which a gang finds room for its whole wall time and its shares let it (`ahead`).
//! Why without a fleet of every time: only nodes on which something changes are looked at, and what was looked at for one
//! gang is there for the next.
//! Why the best of a time at once: all that comes back at one time is taken together before anyone is placed whom only room keeps
//! from starting.
//! Absent: doubt; everything is expected to run for its whole wall time, and earlier ends only help.

mod by_share;
mod leaving;

use crate::ahead::{Ahead, Stretch};
use crate::candidates::{Candidate, candidates_without, choose};
use crate::capacity::NodeCapacity;
use crate::place::allot;
use crate::rank::Rank;
use crate::releases::{Counts, Return};
use crate::shares::{Amounts, held_by};
use crate::{Fleet, Releases, Shape, Shares, Window, Windows};
use eaf_model::{Allotment, LeaseId, NodeId, Placement, Span, Time};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::Arc;

/// The most leases that one timeline follows, beside those on the nodes of planned starts. A gang that needs more of them to end
/// gets no promise, and the pass ends there, so that nothing goes before it.
pub(crate) const RELEASES_MAX: usize = 65_536;

/// What a forecast says.
pub(crate) enum Forecast {
    /// It fits from this time on.
    Fits { at: Time, placement: Placement },
    /// Not before this time; further on it was not looked.
    NotBefore(Time),
    /// What is expected back is not enough.
    Never,
}

/// What comes back, by rising time.
type Returns<'a> = Box<dyn Iterator<Item = Return<'a>> + 'a>;

/// What is free on nodes from now on.
pub(crate) struct Timeline<'a> {
    now: Time,
    /// The first time after now; what is overdue is expected then.
    soonest: Time,
    releases: &'a Releases,
    /// What is expected back and was not looked at yet, by rising time.
    rest: Peekable<Returns<'a>>,
    /// What of it was looked at all the same.
    ahead_of_turn: BTreeSet<(Time, LeaseId)>,
    /// How many leases were.
    looked: usize,
    /// The nodes on which what is free changes, in the order in which that was found.
    courses: Vec<Course>,
    /// Where each of them stands.
    places: BTreeMap<NodeId, usize>,
    /// When something becomes free, and on which of them.
    stops: BTreeSet<(Time, usize)>,
    /// When planned starts begin, rising, and on which of them.
    begins: Vec<(Time, Vec<usize>)>,
    /// What projects will have; `None` where nobody asks for shares.
    ahead: Option<Ahead>,
    /// What projects have no more from some time on, that nobody was told yet.
    learned: Vec<(Time, Option<Arc<str>>, Amounts)>,
}

/// What is free on a node.
struct Course {
    node: NodeId,
    /// Each step lasts until the next one begins, the last for ever.
    steps: Vec<(Time, NodeCapacity)>,
    /// The times at which there is less than before; at all others there is more.
    falls: Vec<Time>,
}

impl Course {
    fn free_at(&self, at: Time) -> &NodeCapacity {
        &self.steps[self.step_at(at)].1
    }

    fn step_at(&self, at: Time) -> usize {
        self.steps.partition_point(|(from, _)| *from <= at).saturating_sub(1)
    }

    /// Changes what is free over a stretch of time.
    fn change(&mut self, from: Time, until: Time, change: impl Fn(&mut NodeCapacity)) {
        for at in [from, until] {
            let step = self.step_at(at);
            if at < Time::NEVER && self.steps[step].0 < at {
                let same = self.steps[step].1.clone();
                self.steps.insert(step + 1, (at, same));
            }
        }
        let begun = self.steps.partition_point(|(at, _)| *at < from);
        self.steps[begun..].iter_mut().take_while(|(at, _)| *at < until).for_each(|(_, free)| change(free));
    }

    /// What is free through a whole stretch.
    fn least(&self, from: Time, until: Time) -> Cow<'_, NodeCapacity> {
        let mut least = Cow::Borrowed(self.free_at(from));
        for at in self.falls.iter().filter(|at| **at > from && **at < until) {
            least.to_mut().limit(self.free_at(*at));
        }
        least
    }
}

impl<'a> Timeline<'a> {
    /// What `releases` bring.
    pub(crate) fn new(releases: &'a Releases, now: Time) -> Self {
        let rest: Returns<'a> = Box::new(releases.returns());
        Self {
            now,
            soonest: now.after(Span::from_ms(1)),
            releases,
            rest: rest.peekable(),
            ahead_of_turn: BTreeSet::new(),
            looked: 0,
            courses: Vec::new(),
            places: BTreeMap::new(),
            stops: BTreeSet::new(),
            begins: Vec::new(),
            ahead: None,
            learned: Vec::new(),
        }
    }

    /// The same, held by shares; `now` is what projects have before anything is said here.
    pub(crate) fn with_shares(self, now: &Shares) -> Self {
        let ahead = (!now.is_empty()).then(|| Ahead::new(now.clone()));
        Self { ahead, ..self }
    }

    /// What has started in this pass before anything else was said here; `fleet` holds it already.
    pub(crate) fn started(&mut self, fleet: &Fleet, placement: &Placement, end: Time) {
        for task in placement.tasks.iter().filter(|_| end < Time::NEVER) {
            self.give_back(fleet, task, end);
        }
    }

    /// A project has more from now on, until it ends.
    pub(crate) fn take(&mut self, project: Option<&Arc<str>>, held: Amounts, end: Time) {
        if let Some(ahead) = &mut self.ahead {
            ahead.start(project, held, end);
        }
    }

    /// A task starts now; `fleet` holds it already, and nothing that is not said here.
    pub(crate) fn start(&mut self, fleet: &Fleet, task: &Allotment, end: Time) {
        if let Some(place) = self.places.get(&task.node).copied() {
            self.courses[place].change(self.now, end, |free| free.hold(task));
            self.stop(end, place);
        } else if end < Time::NEVER {
            self.give_back(fleet, task, end);
        }
    }

    /// A start is planned, where there is room for it, with which a project has so much more.
    pub(crate) fn promise(&mut self, fleet: &Fleet, shape: &Shape, placement: &Placement, held: Amounts, from: Time) {
        let until = from.after(shape.wall);
        if let Some(ahead) = &mut self.ahead {
            ahead.promise(shape.project.as_ref(), held, (from, until));
        }
        let mut places = BTreeSet::new();
        for task in &placement.tasks {
            self.know(fleet, task.node, from);
            let place = self.place(fleet, task.node);
            self.courses[place].change(from, until, |free| free.hold(task));
            places.insert(place);
        }
        for place in &places {
            self.courses[*place].falls.push(from);
            self.stop(until, *place);
        }
        let at = self.begins.partition_point(|(begin, _)| *begin <= from);
        self.begins.insert(at, (from, places.into_iter().collect()));
    }

    /// What is free on a node at some time, as far as that is known to change.
    pub(crate) fn free_at<'f>(&'f self, fleet: &'f Fleet, node: NodeId, at: Time) -> &'f NodeCapacity {
        self.places.get(&node).map_or_else(|| known(fleet, node), |place| self.courses[*place].free_at(at))
    }

    /// What was found since it was last asked that projects have no more, and from when on.
    pub(crate) fn learned(&mut self) -> impl Iterator<Item = (Time, Option<Arc<str>>, Amounts)> + '_ {
        self.learned.drain(..)
    }

    /// What projects have at some time, as far as was looked; `None` where nobody asks.
    pub(crate) fn shares_at(&self, at: Time) -> Option<Shares> {
        self.ahead.as_ref().map(|ahead| ahead.at(at))
    }

    /// The earliest time after now from which `shape`, which does not start now, fits for its whole wall time, and its shares
    /// let it.
    /// It is not looked for behind some time.
    pub(crate) fn soonest(&mut self, fleet: &Fleet, windows: &Windows, shape: &Shape, until: Time) -> Forecast {
        let mut search = Search::new(self, fleet, windows, shape);
        let mut own = None;
        let mut at = self.now;
        loop {
            at = match self.next(fleet, &search, at) {
                Next::Stop(next) => next,
                Next::Cut(next) => return Forecast::NotBefore(next),
                Next::Nothing => return Forecast::Never,
            };
            if at > until {
                return Forecast::NotBefore(at);
            }
            search.ask_shares(self, fleet, at);
            if !search.is_let && own.is_none() {
                own = self.own_returns(fleet, shape);
            }
            let found = match &mut own {
                Some(own) if !search.is_let => {
                    at = match self.let_from(fleet, &mut search, own, at) {
                        Next::Stop(from) => from,
                        Next::Cut(next) => return Forecast::NotBefore(next),
                        Next::Nothing => return Forecast::Never,
                    };
                    self.room_at(fleet, &mut search, at)
                }
                _ => {
                    search.catch_up(self, at);
                    search.placement(self, fleet, at)
                }
            };
            if let Some(placement) = found {
                return Forecast::Fits { at, placement };
            }
        }
    }

    /// The next time at which something becomes free.
    fn next(&mut self, fleet: &Fleet, search: &Search<'_>, after: Time) -> Next {
        let above = (Bound::Excluded(after), Bound::Unbounded);
        loop {
            let known =
                self.stops.range((Bound::Excluded((after, usize::MAX)), Bound::Unbounded)).map(|(at, _)| *at).next();
            let opens = search.opens.range(above).map(|(at, _)| *at).next();
            let next = known.into_iter().chain(opens).min();
            let coming = self.coming();
            match (next, coming) {
                (Some(next), None) => return Next::Stop(next),
                (Some(next), Some(coming)) if next < coming => return Next::Stop(next),
                (None, None) => return Next::Nothing,
                (_, Some(coming)) if self.looked >= RELEASES_MAX => return Next::Cut(coming),
                (_, Some(coming)) => self.look_at(fleet, coming),
            }
        }
    }

    /// When the next comes back that was not looked at yet.
    fn coming(&mut self) -> Option<Time> {
        while self.rest.next_if(|next| self.ahead_of_turn.remove(&next.key())).is_some() {}
        self.rest.peek().map(|next| next.at.max(self.soonest)).filter(|at| *at < Time::NEVER)
    }

    /// Takes in all that comes back at one time.
    fn look_at(&mut self, fleet: &Fleet, at: Time) {
        while self.coming().is_some_and(|next| next <= at) {
            if let Some(next) = self.rest.next() {
                self.take_in(fleet, next);
            }
        }
    }

    /// Takes in something that comes back.
    fn take_in(&mut self, fleet: &Fleet, back: Return<'_>) {
        self.looked += 1;
        let at = back.at.max(self.soonest);
        if let (Some(ahead), Counts::For(project)) = (&mut self.ahead, back.counts) {
            let held = held_by(fleet, back.tasks);
            self.learned.push((at, project.clone(), held.clone()));
            ahead.give_back(project.as_ref(), held, at);
        }
        for task in back.tasks {
            self.give_back(fleet, task, at);
        }
    }

    fn give_back(&mut self, fleet: &Fleet, task: &Allotment, at: Time) {
        let place = self.place(fleet, task.node);
        self.courses[place].change(at, Time::NEVER, |free| free.release(task));
        self.stop(at, place);
    }

    /// Where the course of a node stands.
    fn place(&mut self, fleet: &Fleet, node: NodeId) -> usize {
        let next = self.courses.len();
        let place = *self.places.entry(node).or_insert(next);
        if place == next {
            // Mostly something comes back there once or twice.
            let mut steps = Vec::with_capacity(3);
            steps.push((self.now, known(fleet, node).clone()));
            self.courses.push(Course { node, steps, falls: Vec::new() });
        }
        place
    }

    fn stop(&mut self, at: Time, place: usize) {
        if at < Time::NEVER {
            self.stops.insert((at, place));
        }
    }
}

enum Next {
    Stop(Time),
    /// So many leases were looked at that this is as far as it goes.
    Cut(Time),
    Nothing,
}

/// The search for the time of one gang.
struct Search<'a> {
    shape: &'a Shape,
    /// Nodes as they are now, without those that it may be kept from later; some of those that change are among them, and
    /// looked at again.
    still: Vec<Candidate>,
    /// How many tasks go on each node on which something changes, by its place; `None` while it is as it is now.
    tasks: Vec<Option<u32>>,
    /// How many tasks go on all nodes together.
    room: u64,
    /// Windows that close a node to it, by its place.
    closing: BTreeMap<usize, Vec<&'a Window>>,
    /// When such a window is over, and where.
    opens: BTreeMap<Time, Vec<usize>>,
    /// What will narrow its room as soon as it would last beyond it: windows and planned starts, the last first.
    narrowing: Vec<(Time, Vec<usize>)>,
    /// What projects have meanwhile; `None` where nobody asks.
    stretch: Option<Stretch>,
    /// True where they let it.
    is_let: bool,
    /// Up to when nodes were looked at.
    seen: Time,
}

impl<'a> Search<'a> {
    fn new(timeline: &mut Timeline<'_>, fleet: &Fleet, windows: &'a Windows, shape: &'a Shape) -> Self {
        let mut closing: BTreeMap<usize, Vec<&Window>> = BTreeMap::new();
        let mut opens: BTreeMap<Time, Vec<usize>> = BTreeMap::new();
        let mut narrowing = timeline.begins.clone();
        for window in windows.closing(shape.project.as_deref(), timeline.now, Time::NEVER) {
            if fleet.get(window.node).is_some() {
                let place = timeline.place(fleet, window.node);
                closing.entry(place).or_default().push(window);
                narrowing.push((window.from, vec![place]));
                opens.entry(window.until).or_default().push(place);
            }
        }
        narrowing.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let narrowed: BTreeSet<usize> = narrowing.iter().flat_map(|(_, places)| places.iter().copied()).collect();
        let nodes = narrowed.iter().map(|place| timeline.courses[*place].node).collect();
        let still = candidates_without(fleet.ready(), shape, &nodes);
        let room = still.iter().map(|candidate| u64::from(candidate.tasks)).sum();
        let mut tasks = vec![None; timeline.courses.len()];
        for place in &narrowed {
            tasks[*place] = Some(0);
        }
        let asks = shape.task.accelerators.count > 0;
        let stretch = timeline.ahead.as_ref().filter(|_| asks).map(|ahead| Stretch::new(ahead, fleet, shape));
        let (is_let, seen) = (true, timeline.now);
        let mut search = Self { shape, still, tasks, room, closing, opens, narrowing, stretch, is_let, seen };
        for place in narrowed {
            search.look_again(timeline, place, timeline.now);
        }
        search
    }

    /// Whether its shares let it start at this time, which does not move back.
    fn ask_shares(&mut self, timeline: &Timeline<'_>, fleet: &Fleet, at: Time) {
        if let (Some(ahead), Some(stretch)) = (&timeline.ahead, &mut self.stretch) {
            stretch.go_to(ahead, at, at.after(self.shape.wall));
            self.is_let = stretch.lets(ahead, fleet, self.shape.project.as_deref());
        }
    }

    /// Brings what has changed since nodes were looked at up to date. They are not looked at while its shares do not let it.
    fn catch_up(&mut self, timeline: &Timeline<'_>, at: Time) {
        if !self.is_let {
            return;
        }
        let end = at.after(self.shape.wall);
        let since = (Bound::Excluded((self.seen, usize::MAX)), Bound::Included((at, usize::MAX)));
        let mut changed: Vec<usize> = timeline.stops.range(since).map(|(_, place)| *place).collect();
        while let Some(first) = self.opens.first_entry().filter(|first| *first.key() <= at) {
            changed.extend(first.remove());
        }
        while let Some((_, places)) = self.narrowing.pop_if(|(begin, _)| *begin < end) {
            changed.extend(places);
        }
        self.look_again_at(timeline, changed, at);
        self.seen = at;
    }

    /// What is free on some nodes at the time at which the gang would start is not what it was.
    fn look_again_at(&mut self, timeline: &Timeline<'_>, mut changed: Vec<usize>, at: Time) {
        self.tasks.resize(timeline.courses.len(), None);
        changed.sort_unstable();
        changed.dedup();
        for place in changed {
            self.look_again(timeline, place, at);
        }
    }

    fn look_again(&mut self, timeline: &Timeline<'_>, place: usize, at: Time) {
        let most = self.shape.tasks_on_a_node();
        let room = |free: &NodeCapacity| free.room(&self.shape.task).min(most);
        let tasks = self.free(timeline, place, at).map_or(0, |free| room(&free));
        let before = self.tasks[place].unwrap_or_else(|| room(timeline.courses[place].free_at(timeline.now)));
        self.tasks[place] = Some(tasks);
        self.room = (self.room + u64::from(tasks)).saturating_sub(u64::from(before));
    }

    /// What is free on a node for the whole wall time; `None` where it is closed to it.
    fn free<'f>(&self, timeline: &'f Timeline<'_>, place: usize, at: Time) -> Option<Cow<'f, NodeCapacity>> {
        let end = at.after(self.shape.wall);
        let closes = |window: &&Window| window.from < end && window.until > at;
        if self.closing.get(&place).is_some_and(|windows| windows.iter().any(closes)) {
            return None;
        }
        Some(timeline.courses[place].least(at, end))
    }

    /// The places of the whole gang, where there is room for it and its shares let it.
    fn placement(&self, timeline: &Timeline<'_>, fleet: &Fleet, at: Time) -> Option<Placement> {
        if !self.is_let || self.room < u64::from(self.shape.tasks) {
            return None;
        }
        let place_of = |node: &NodeId| timeline.places.get(node).copied();
        let changed = |node: &NodeId| place_of(node).is_some_and(|place| self.tasks[place].is_some());
        let still = self.still.iter().filter(|candidate| !changed(&candidate.rank.node)).cloned();
        let has_room = self.tasks.iter().zip(0..).filter_map(|(tasks, place)| Some((tasks.filter(|n| *n > 0)?, place)));
        let changing = has_room.filter_map(|(tasks, place)| {
            let (course, free) = (&timeline.courses[place], self.free(timeline, place, at)?);
            let rank = Rank::of(course.node, &free);
            let before = if timeline.ahead.is_some() {
                Rank::of(course.node, course.free_at(at.before(Span::from_ms(1)))).share
            } else {
                rank.share
            };
            Some(Candidate { tasks, rank, before })
        });
        let chosen = choose(still.chain(changing).collect(), self.shape.tasks)?;
        let free = |node: NodeId| {
            let place = place_of(&node).filter(|place| self.tasks[*place].is_some());
            let free = place.and_then(|place| self.free(timeline, place, at));
            free.map_or_else(|| known(fleet, node).clone(), Cow::into_owned)
        };
        Some(allot(&chosen, self.shape, free))
    }
}

fn known(fleet: &Fleet, id: NodeId) -> &NodeCapacity {
    fleet.get(id).unwrap_or_else(|| panic!("{id}, on which capacity is held, is in the fleet"))
}
