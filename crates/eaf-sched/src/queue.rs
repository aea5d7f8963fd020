//! The queue: workloads that only wait for capacity.
//!
//! What: everybody in order (`order` says which) and, beside it, the same workloads by shape, so that a pass walks shapes
//! and not workloads. Why persistent: a plan and every reader take a copy. Absent: workloads that wait for something else
//! (dependencies, a retry that is not due); they are not in here.

use crate::Shape;
use crate::order::Place;
use eaf_model::{Order, Time, WorkloadId};
use imbl::shared_ptr::DefaultSharedPtr;
use imbl::{OrdMap, OrdSet, ordmap, ordset};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter::Peekable;
use std::sync::Arc;

/// A waiting workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub workload: WorkloadId,
    /// Higher goes first, where the order looks at it.
    pub priority: i32,
    /// Earlier goes first, between those that are level otherwise.
    pub submitted_at: Time,
    /// What it asks for.
    pub shape: Arc<Shape>,
    /// The level of its attained service, where the order looks at it; lower goes first.
    pub level: u8,
    /// True where it has waited so long that it goes before everybody who has not.
    pub is_aged: bool,
    /// Set where it has had its turn, lower for who had it before: it was told when it starts at the latest, or has started before. Of
    /// one class in one project it goes before whoever had none, or had it later.
    pub turn: Option<u64>,
    /// The same between projects. Not set where it has made room for others since: it would take back what it gave to another project,
    /// or its own would have one turn twice.
    pub turn_between: Option<u64>,
}

impl Entry {
    /// One that has attained no service and has not waited long.
    pub const fn new(workload: WorkloadId, priority: i32, submitted_at: Time, shape: Arc<Shape>) -> Self {
        Self { workload, priority, submitted_at, shape, level: 0, is_aged: false, turn: None, turn_between: None }
    }
}

/// Whose a shape is, where that decides anything.
pub(crate) type Project = Option<Arc<str>>;

/// Where shares decide, each project waits in two lines: what asks for accelerators, and what does not. Shares are of accelerators, so
/// that what asks for none has no turn by them, and must not stand before what has.
pub(crate) type LineOf = (Project, bool);

/// Waiting workloads that may start as soon as there is capacity, in one order inside a shape and between shapes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    /// Who goes first.
    by: Order,
    /// Everyone, in order.
    order: OrdMap<Place, Arc<Shape>>,
    /// The same by shape, each in order; none is empty.
    by_shape: OrdMap<Arc<Shape>, OrdSet<Place>>,
    /// The first of every shape, in order.
    firsts: OrdMap<Place, Arc<Shape>>,
    /// The same by line; none is empty.
    lines: OrdMap<LineOf, OrdMap<Place, Arc<Shape>>>,
    /// The place of everyone.
    by_id: OrdMap<WorkloadId, Place>,
    /// Who keeps a turn between projects, by that.
    between: OrdMap<u64, WorkloadId>,
}

impl Queue {
    /// Nobody waits; the order is the default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nobody waits; those that come stand in this order.
    pub fn in_order(by: Order) -> Self {
        Self { by, ..Self::default() }
    }

    /// The order.
    pub const fn order(&self) -> Order {
        self.by
    }

    /// Adds a workload. Asserts that it is not queued already. O(log waiting).
    pub fn insert(&mut self, entry: Entry) {
        let place = Place::of(self.by, &entry);
        // One value serves all of one shape, whatever the callers bring along.
        let known = self.by_shape.get_key_value(&entry.shape).map(|(shape, _)| shape.clone());
        let shape = known.unwrap_or(entry.shape);
        assert!(self.by_id.insert(entry.workload, place).is_none(), "{} is queued once", entry.workload);
        self.order.insert(place, shape.clone());
        self.between.extend(entry.turn_between.map(|turn| (turn, entry.workload)));
        let places = self.by_shape.entry(shape.clone()).or_default();
        let first = places.get_min().copied();
        places.insert(place);
        if first.is_none_or(|first| place < first) {
            self.change_first(&shape, first, Some(place));
        }
    }

    /// Takes a workload out. Asserts that it was queued like this. O(log waiting).
    pub fn remove(&mut self, entry: &Entry) {
        let place = Place::of(self.by, entry);
        let shape = self.order.remove(&place);
        self.by_id.remove(&entry.workload);
        entry.turn_between.map(|turn| self.between.remove(&turn));
        assert!(shape.is_some_and(|shape| shape == entry.shape), "{} is queued", entry.workload);
        let places = self.by_shape.get_mut(&entry.shape).expect("a queued shape has its places");
        assert!(places.remove(&place).is_some(), "{} is queued under its shape", entry.workload);
        let next = places.get_min().copied();
        if next.is_none() {
            self.by_shape.remove(&entry.shape);
        }
        if let Some(shape) = self.firsts.get(&place).cloned() {
            self.change_first(&shape, Some(place), next);
        }
    }

    /// Another is the first of a shape now.
    fn change_first(&mut self, shape: &Arc<Shape>, old: Option<Place>, new: Option<Place>) {
        let of = line_of(shape);
        let line = self.lines.entry(of.clone()).or_default();
        if let Some(old) = old {
            self.firsts.remove(&old);
            line.remove(&old);
        }
        if let Some(new) = new {
            self.firsts.insert(new, shape.clone());
            line.insert(new, shape.clone());
        }
        if line.is_empty() {
            self.lines.remove(&of);
        }
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// True where nobody waits.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The entry of a workload that waits. O(log waiting).
    pub fn get(&self, workload: WorkloadId) -> Option<Entry> {
        let place = self.by_id.get(&workload)?;
        Some(place.entry(self.order.get(place)?))
    }

    /// Who keeps a turn between projects that is less than this, by that.
    pub fn turns_before(&self, turn: u64) -> impl Iterator<Item = WorkloadId> {
        self.between.range(..turn).map(|(_, workload)| *workload)
    }

    /// Who goes before this one, and the shape of each. O(that many).
    pub(crate) fn ahead_of(&self, entry: &Entry) -> impl Iterator<Item = (&Place, &Arc<Shape>)> {
        self.order.range::<_, Place>(..Place::of(self.by, entry))
    }

    /// The first of every shape, in queue order.
    pub(crate) fn firsts(&self) -> impl Iterator<Item = Entry> {
        self.firsts.iter().map(|(place, shape)| place.entry(shape))
    }

    /// Everyone of one shape, in queue order.
    pub(crate) fn of_shape(&self, shape: &Arc<Shape>) -> impl Iterator<Item = WorkloadId> {
        self.by_shape.get(shape).into_iter().flat_map(|places| places.iter().map(Place::workload))
    }

    /// Everyone who waits, in queue order.
    pub fn iter(&self) -> impl Iterator<Item = Entry> {
        self.order.iter().map(|(place, shape)| place.entry(shape))
    }

    /// How many shapes wait.
    pub fn shapes(&self) -> usize {
        self.by_shape.len()
    }

    /// How many wait, by project, in parts.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&Project, u64)> {
        self.by_shape.iter().map(|(shape, places)| (&shape.project, places.len() as u64))
    }

    /// Walks the queue for one pass, meeting at most `shapes_max` shapes.
    pub(crate) fn walk(&self, shapes_max: u32) -> Walk<'_> {
        self.walk_through(&self.firsts, shapes_max)
    }

    /// How many lines there are in which somebody waits.
    pub(crate) fn lines(&self) -> usize {
        self.lines.len()
    }

    /// A walk for each line in which somebody waits, and whose it is.
    pub(crate) fn walks(&self, shapes_max: u32) -> impl Iterator<Item = (&Project, Walk<'_>)> {
        self.lines.iter().map(move |((project, _), firsts)| (project, self.walk_through(firsts, shapes_max)))
    }

    fn walk_through<'a>(&'a self, firsts: &'a OrdMap<Place, Arc<Shape>>, shapes_max: u32) -> Walk<'a> {
        Walk {
            queue: self,
            fresh: firsts.iter().peekable(),
            shapes_left: shapes_max,
            uncounted_left: UNCOUNTED_MAX,
            cursors: Vec::new(),
            again: BinaryHeap::new(),
            met: None,
        }
    }
}

/// The line in which a shape waits.
pub(crate) fn line_of(shape: &Shape) -> LineOf {
    (shape.project.clone(), shape.task.accelerators.count > 0)
}

/// The most shapes that one walk meets and does not count.
const UNCOUNTED_MAX: u32 = 16_384;

/// A walk in queue order that passes over whole shapes: whoever `next` gives is the first of its shape that was not
/// given yet, and more of that shape follow only where `again` is called. It ends early, rather than out of order, where
/// the next in order has a shape beyond the bound.
pub(crate) struct Walk<'a> {
    queue: &'a Queue,
    /// The first of each shape that was not met yet.
    fresh: Peekable<ordmap::Iter<'a, Place, Arc<Shape>, DefaultSharedPtr>>,
    shapes_left: u32,
    uncounted_left: u32,
    /// Where the walk stands within the shapes that came again.
    cursors: Vec<Cursor<'a>>,
    /// The next of each of those, with its cursor; the least place on top.
    again: BinaryHeap<Reverse<(Place, usize)>>,
    /// What `next` gave last: the cursor, or the shape where there is none yet.
    met: Option<Result<usize, &'a Arc<Shape>>>,
}

struct Cursor<'a> {
    shape: &'a Arc<Shape>,
    rest: ordset::Iter<'a, Place, DefaultSharedPtr>,
}

impl<'a> Walk<'a> {
    /// The next in queue order, and its shape.
    pub(crate) fn next(&mut self) -> Option<(Place, &'a Arc<Shape>)> {
        if !self.is_fresh_next() {
            let Reverse((place, cursor)) = self.again.pop()?;
            self.met = Some(Ok(cursor));
            return Some((place, self.cursors[cursor].shape));
        }
        self.shapes_left = self.shapes_left.checked_sub(1)?;
        let (place, shape) = self.fresh.next()?;
        self.met = Some(Err(shape));
        Some((*place, shape))
    }

    /// True where the next in queue order is of a shape that was not met yet.
    fn is_fresh_next(&mut self) -> bool {
        let again = self.again.peek().map(|Reverse((place, _))| *place);
        self.fresh.peek().is_some_and(|(fresh, _)| again.is_none_or(|again| **fresh < again))
    }

    /// True where it has met as many shapes as it may, and there are more.
    pub(crate) fn is_cut(&mut self) -> bool {
        self.shapes_left == 0 && self.is_fresh_next()
    }

    /// It may meet so many shapes more.
    pub(crate) const fn may_meet(&mut self, more: u32) {
        self.shapes_left += more;
    }

    /// Gives back what it may meet beyond what there is.
    pub(crate) fn spare(&mut self) -> u32 {
        if self.fresh.peek().is_some() { 0 } else { std::mem::take(&mut self.shapes_left) }
    }

    /// The shape that `next` gave last is not one of those that it may meet: what could not start whatever is free must not
    /// keep a pass from what stands behind it.
    pub(crate) const fn does_not_count(&mut self) {
        if matches!(self.met, Some(Err(_))) && self.uncounted_left > 0 {
            self.uncounted_left -= 1;
            self.shapes_left += 1;
        }
    }

    /// The shape that `next` gave last comes again, with its next workload.
    pub(crate) fn again(&mut self) {
        let cursor = match self.met.take() {
            None => return,
            Some(Ok(cursor)) => cursor,
            Some(Err(shape)) => {
                let mut rest = self.queue.by_shape.get(shape).expect("a queued shape has its places").iter();
                rest.next();
                self.cursors.push(Cursor { shape, rest });
                self.cursors.len() - 1
            }
        };
        if let Some(place) = self.cursors[cursor].rest.next() {
            self.again.push(Reverse((*place, cursor)));
        }
    }
}
