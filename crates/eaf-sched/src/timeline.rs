//! What will be free, and when a gang that does not fit now will fit.
//!
//! What: how what is free on nodes changes from now on, by what is expected back, by the planned starts made so far, and by
//! windows; and the earliest time from which a gang finds room for its whole wall time. Why without a fleet of every time:
//! only nodes on which something changes are looked at, and what was looked at for one gang is there for the next.
//! Why the best of a time at once: all that comes back at one time is taken together before anyone is placed.
//! Absent: doubt; everything is expected to run for its whole wall time, and earlier ends only help.

use crate::candidates::{Candidate, candidates_without, choose};
use crate::capacity::NodeCapacity;
use crate::place::allot;
use crate::rank::Rank;
use crate::{Fleet, Releases, Shape, Window, Windows};
use eaf_model::{Allotment, NodeId, Placement, Span, Time};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;

/// The most leases that one timeline follows. A gang that needs more of them to end gets no promise, and the pass ends
/// there, so that nothing goes before it.
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
type Returns<'a> = Box<dyn Iterator<Item = (Time, &'a [Allotment])> + 'a>;

/// What is free on nodes from now on.
pub(crate) struct Timeline<'a> {
    /// The first time after now; what is overdue is expected then.
    soonest: Time,
    now: Time,
    /// What is expected back and was not looked at yet, by rising time.
    rest: Peekable<Returns<'a>>,
    /// How many leases were.
    looked: usize,
    /// When something becomes free, and where.
    stops: BTreeMap<Time, Vec<NodeId>>,
    /// What is free on the nodes on which that changes.
    courses: BTreeMap<NodeId, Course>,
    /// When planned starts begin, rising, and where.
    begins: Vec<(Time, Vec<NodeId>)>,
}

/// What is free on a node.
struct Course {
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
        let begun = self.steps.iter_mut().skip_while(|(at, _)| *at < from);
        begun.take_while(|(at, _)| *at < until).for_each(|(_, free)| change(free));
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
        let rest: Returns<'a> = Box::new(releases.iter().map(|(at, _, tasks)| (at, tasks.as_ref())));
        Self {
            soonest: now.after(Span::from_ms(1)),
            now,
            rest: rest.peekable(),
            looked: 0,
            stops: BTreeMap::new(),
            courses: BTreeMap::new(),
            begins: Vec::new(),
        }
    }

    /// What has started in this pass before anything else was said here; `fleet` holds it already.
    pub(crate) fn started(&mut self, fleet: &Fleet, placement: &Placement, end: Time) {
        for task in placement.tasks.iter().filter(|_| end < Time::NEVER) {
            self.course(fleet, task.node).change(end, Time::NEVER, |free| free.release(task));
            self.stop(end, task.node);
        }
    }

    /// A task starts now; `fleet` holds it already, and nothing that is not said here.
    pub(crate) fn start(&mut self, fleet: &Fleet, task: &Allotment, end: Time) {
        if let Some(course) = self.courses.get_mut(&task.node) {
            course.change(self.now, end, |free| free.hold(task));
        } else if end < Time::NEVER {
            self.course(fleet, task.node).change(end, Time::NEVER, |free| free.release(task));
        }
        self.stop(end, task.node);
    }

    /// A start is planned, where there is room for it.
    pub(crate) fn promise(&mut self, fleet: &Fleet, placement: &Placement, from: Time, until: Time) {
        let nodes: BTreeSet<NodeId> = placement.tasks.iter().map(|task| task.node).collect();
        for task in &placement.tasks {
            self.course(fleet, task.node).change(from, until, |free| free.hold(task));
        }
        for node in &nodes {
            self.course(fleet, *node).falls.push(from);
            self.stop(until, *node);
        }
        let at = self.begins.partition_point(|(begin, _)| *begin <= from);
        self.begins.insert(at, (from, nodes.into_iter().collect()));
    }

    /// What is free on a node at some time, as far as that is known to change.
    pub(crate) fn free_at<'f>(&'f self, fleet: &'f Fleet, node: NodeId, at: Time) -> &'f NodeCapacity {
        self.courses.get(&node).map_or_else(|| known(fleet, node), |course| course.free_at(at))
    }

    /// The earliest time after now from which `shape`, which does not fit now, does for its whole wall time.
    pub(crate) fn soonest(&mut self, fleet: &Fleet, windows: &Windows, shape: &Shape) -> Forecast {
        let mut search = Search::new(self, fleet, windows, shape);
        let mut at = self.now;
        loop {
            at = match self.next(fleet, &search, at) {
                Next::Stop(next) => next,
                Next::Cut(next) => return Forecast::NotBefore(next),
                Next::Nothing => return Forecast::Never,
            };
            search.go_to(self, at);
            if let Some(placement) = search.placement(self, at) {
                return Forecast::Fits { at, placement };
            }
        }
    }

    /// The next time at which something becomes free.
    fn next(&mut self, fleet: &Fleet, search: &Search<'_>, after: Time) -> Next {
        let above = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        loop {
            let known = self.stops.range(above).map(|(at, _)| *at).next();
            let opens = search.opens.range(above).map(|(at, _)| *at).next();
            let next = known.into_iter().chain(opens).min();
            let coming = self.rest.peek().map(|(at, _)| (*at).max(self.soonest)).filter(|at| *at < Time::NEVER);
            match (next, coming) {
                (Some(next), None) => return Next::Stop(next),
                (Some(next), Some(coming)) if next < coming => return Next::Stop(next),
                (None, None) => return Next::Nothing,
                (_, Some(coming)) if self.looked >= RELEASES_MAX => return Next::Cut(coming),
                (_, Some(coming)) => self.look_at(fleet, coming),
            }
        }
    }

    /// Takes in all that comes back at one time.
    fn look_at(&mut self, fleet: &Fleet, at: Time) {
        let soonest = self.soonest;
        while let Some((_, tasks)) = self.rest.next_if(|(next, _)| (*next).max(soonest) <= at) {
            self.looked += 1;
            for task in tasks {
                self.course(fleet, task.node).change(at, Time::NEVER, |free| free.release(task));
                self.stop(at, task.node);
            }
        }
    }

    fn course(&mut self, fleet: &Fleet, node: NodeId) -> &mut Course {
        let now = self.now;
        self.courses
            .entry(node)
            .or_insert_with(|| Course { steps: vec![(now, known(fleet, node).clone())], falls: Vec::new() })
    }

    fn stop(&mut self, at: Time, node: NodeId) {
        if at < Time::NEVER {
            self.stops.entry(at).or_default().push(node);
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
    fleet: &'a Fleet,
    shape: &'a Shape,
    /// Nodes on which nothing changes, as they are now; some of those that do are among them, and looked at again.
    still: Vec<Candidate>,
    /// How many tasks go on nodes on which something changes.
    tasks: BTreeMap<NodeId, u32>,
    /// How many tasks go on all nodes together.
    room: u64,
    /// Windows that close a node to it.
    closing: BTreeMap<NodeId, Vec<&'a Window>>,
    /// When such a window is over, and where.
    opens: BTreeMap<Time, Vec<NodeId>>,
    /// What will narrow its room as soon as it would last beyond it: windows and planned starts, the last first.
    narrowing: Vec<(Time, Vec<NodeId>)>,
}

impl<'a> Search<'a> {
    fn new(timeline: &Timeline<'_>, fleet: &'a Fleet, windows: &'a Windows, shape: &'a Shape) -> Self {
        let mut closing: BTreeMap<NodeId, Vec<&Window>> = BTreeMap::new();
        let mut opens: BTreeMap<Time, Vec<NodeId>> = BTreeMap::new();
        let mut narrowing = timeline.begins.clone();
        for window in windows.closing(shape.project.as_deref(), timeline.now, Time::NEVER) {
            if fleet.get(window.node).is_some() {
                closing.entry(window.node).or_default().push(window);
                narrowing.push((window.from, vec![window.node]));
                opens.entry(window.until).or_default().push(window.node);
            }
        }
        narrowing.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let narrowed: BTreeSet<NodeId> = narrowing.iter().flat_map(|(_, nodes)| nodes.iter().copied()).collect();
        let still = candidates_without(fleet.ready(), shape, &narrowed);
        let room = still.iter().map(|candidate| u64::from(candidate.tasks)).sum();
        let tasks = narrowed.iter().map(|node| (*node, 0)).collect();
        let mut search = Self { fleet, shape, still, tasks, room, closing, opens, narrowing };
        for node in narrowed {
            search.look_again(timeline, node, timeline.now);
        }
        search
    }

    /// Brings what has changed since the last time up to date.
    fn go_to(&mut self, timeline: &Timeline<'_>, at: Time) {
        let end = at.after(self.shape.wall);
        let freed = timeline.stops.get(&at).into_iter().chain(self.opens.get(&at)).flatten();
        let mut changed: BTreeSet<NodeId> = freed.copied().collect();
        while let Some((_, nodes)) = self.narrowing.pop_if(|(begin, _)| *begin < end) {
            changed.extend(nodes);
        }
        for node in changed {
            self.look_again(timeline, node, at);
        }
    }

    fn look_again(&mut self, timeline: &Timeline<'_>, node: NodeId, at: Time) {
        let most = self.shape.tasks_on_a_node();
        let tasks = self.free(timeline, node, at).map_or(0, |free| free.room(&self.shape.task).min(most));
        let before = self.tasks.insert(node, tasks);
        let before = before.unwrap_or_else(|| known(self.fleet, node).room(&self.shape.task).min(most));
        self.room = (self.room + u64::from(tasks)).saturating_sub(u64::from(before));
    }

    /// What is free on a node for the whole wall time; `None` where it is closed to it.
    fn free<'f>(&'f self, timeline: &'f Timeline<'_>, node: NodeId, at: Time) -> Option<Cow<'f, NodeCapacity>> {
        let end = at.after(self.shape.wall);
        let closes = |window: &&Window| window.from < end && window.until > at;
        if self.closing.get(&node).is_some_and(|windows| windows.iter().any(closes)) {
            return None;
        }
        let course = timeline.courses.get(&node);
        Some(course.map_or_else(|| Cow::Borrowed(known(self.fleet, node)), |course| course.least(at, end)))
    }

    /// The places of the whole gang, where there is room for it.
    fn placement(&self, timeline: &Timeline<'_>, at: Time) -> Option<Placement> {
        if self.room < u64::from(self.shape.tasks) {
            return None;
        }
        let still = self.still.iter().filter(|candidate| !self.tasks.contains_key(&candidate.rank.node)).cloned();
        let has_room = self.tasks.iter().filter(|(_, tasks)| **tasks > 0);
        let changed = has_room.filter_map(|(node, tasks)| {
            let free = self.free(timeline, *node, at)?;
            Some(Candidate { tasks: *tasks, rank: Rank::of(*node, &free) })
        });
        let chosen = choose(still.chain(changed).collect(), self.shape.tasks)?;
        let free = |node| self.free(timeline, node, at).expect("a chosen node is open").into_owned();
        Some(allot(&chosen, self.shape, free))
    }
}

fn known(fleet: &Fleet, id: NodeId) -> &NodeCapacity {
    fleet.get(id).unwrap_or_else(|| panic!("{id}, on which capacity is held, is in the fleet"))
}
