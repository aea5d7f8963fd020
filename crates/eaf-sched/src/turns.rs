//! Whose turn it is in a pass.
//!
//! What: the queue's own order where there are no shares; else two walks a project (what asks for accelerators, and what does
//! not), and between them the one that shares name. Why asked anew behind every start: each moves the shares, and a project that has just been served may come
//! behind another. Why whoever has waited too long goes first all the same: it is promised that, whatever its project used.
//! Absent: who fits.

use crate::order::Place;
use crate::queue::Walk;
use crate::shares::{Amounts, Asker, Shares};
use crate::{Fleet, Shape, Snapshot};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Turns of one pass.
pub(crate) enum Turns<'a> {
    InOrder(Walk<'a>),
    ByShare(ByShare<'a>),
}

/// So many shapes of a line are met in every pass, however many lines there are; and as many as are promised a start.
const SHAPES_MIN: u32 = 8;
/// Where shares decide nothing, nobody looks at what is asked for.
static NOTHING: Amounts = Amounts::new();

/// Whoever is next.
pub(crate) struct Turn<'a, 't> {
    pub(crate) place: Place,
    pub(crate) shape: &'a Arc<Shape>,
    /// What it asks for, by model.
    pub(crate) asks: &'t Amounts,
    /// The same of the models that its shares may ever let it have.
    pub(crate) asks_within: &'t Amounts,
    /// The parts, from its project's up, whose guarantee it stays within.
    pub(crate) within: &'t [usize],
    /// True where, behind it, somebody of another project waits who stays within a guarantee.
    pub(crate) is_contested: bool,
}

/// Turns where projects have shares.
pub(crate) struct ByShare<'a> {
    /// Of each project what asks for accelerators and what does not, and who of each is next.
    lines: Vec<Line<'a>>,
    /// How many shapes may be met beside those that lines may meet of their own.
    shapes_left: u32,
    last: Option<Last>,
}

/// The turn before.
struct Last {
    /// The line that gave it.
    line: usize,
    /// How many had started by then.
    made: usize,
    /// True where nobody else could have had it, as long as nobody starts.
    is_sole: bool,
    is_contested: bool,
}

struct Line<'a> {
    /// From its part up to the whole.
    way: Vec<usize>,
    walk: Walk<'a>,
    next: Option<(Place, &'a Arc<Shape>)>,
    /// What whoever is next asks for, by model.
    asks: Amounts,
    /// The same of the models that its shares may ever let it have.
    asks_within: Amounts,
    /// The parts of the way whose guarantee that stays within.
    within: Vec<usize>,
}

impl Line<'_> {
    fn go_on(&mut self, fleet: &Fleet, shares: &Shares) {
        // What its shares never let start would hide what stands behind it, which may be short of a guarantee.
        loop {
            self.next = self.walk.next();
            self.asks = self.next.map(|(_, shape)| Shares::asks(fleet, shape)).unwrap_or_default();
            let ever = |(_, shape): (_, &Arc<Shape>)| shares.ever(fleet, self.way[0], shape, &self.asks);
            self.asks_within = self.next.map(ever).unwrap_or_default();
            let is_barred = self.asks_within.is_empty() && !self.asks.is_empty();
            if is_barred || self.next.is_some_and(|(_, shape)| !fleet.ready_fit(shape)) {
                self.walk.does_not_count();
            }
            if !is_barred {
                break;
            }
        }
        self.ask_again(shares);
    }

    fn ask_again(&mut self, shares: &Shares) {
        self.within.clear();
        if self.next.is_some() {
            self.within.extend(shares.within(self.way[0], &self.asks_within));
        }
    }

    /// The turn that whoever is next keeps between projects, and the greatest where that keeps none.
    fn turn(&self) -> u64 {
        self.next.map_or(u64::MAX, |(place, _)| place.turn_between())
    }

    fn is_aged(&self) -> bool {
        self.next.is_some_and(|(place, _)| place.is_aged())
    }
}

impl<'a> Turns<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot) -> Self {
        let Snapshot { queue, fleet, shares, shapes_max, holds_max, .. } = snapshot;
        let shapes_max = *shapes_max;
        if shares.is_empty() {
            return Self::InOrder(queue.walk(shapes_max));
        }
        // One project with very many shapes must not use up what all others may have looked at.
        let count = u32::try_from(queue.lines()).unwrap_or(u32::MAX).max(1);
        let own = (shapes_max / count).max(SHAPES_MIN).max(*holds_max);
        let mut lines = Vec::new();
        for (project, walk) in queue.walks(own) {
            let way = shares.way_up(shares.part_of(project.as_deref()));
            let mut line =
                Line { way, walk, next: None, asks: BTreeMap::new(), asks_within: BTreeMap::new(), within: Vec::new() };
            line.go_on(fleet, shares);
            lines.push(line);
        }
        let shapes_left = shapes_max.saturating_sub(own.saturating_mul(count));
        Self::ByShare(ByShare { lines, shapes_left, last: None })
    }

    /// Whoever is next; `made` is how many have started so far, or will as soon as others have stopped for them.
    pub(crate) fn next(&mut self, fleet: &Fleet, shares: &Shares, made: usize) -> Option<Turn<'a, '_>> {
        match self {
            Self::InOrder(walk) => {
                let (place, shape) = walk.next()?;
                if !fleet.ready_fit(shape) {
                    walk.does_not_count();
                }
                Some(Turn { place, shape, asks: &NOTHING, asks_within: &NOTHING, within: &[], is_contested: false })
            }
            Self::ByShare(turns) => turns.next(fleet, shares, made),
        }
    }

    /// The shape of the last one comes again, with its next workload.
    pub(crate) fn again(&mut self) {
        match self {
            Self::InOrder(walk) => walk.again(),
            Self::ByShare(turns) => {
                if let Some(last) = &turns.last {
                    turns.lines[last.line].walk.again();
                }
            }
        }
    }
}

impl<'a> ByShare<'a> {
    fn next(&mut self, fleet: &Fleet, shares: &Shares, made: usize) -> Option<Turn<'a, '_>> {
        let last = self.last.take().and_then(|last| self.go_on(fleet, shares, last, made));
        let last = match last.or_else(|| self.choose(shares, made)) {
            Some(last) => last,
            None if self.share_out(fleet, shares) => self.choose(shares, made)?,
            None => return None,
        };
        let line = &self.lines[last.line];
        let (place, shape) = line.next?;
        let is_contested = last.is_contested;
        let turn =
            Turn { place, shape, asks: &line.asks, asks_within: &line.asks_within, within: &line.within, is_contested };
        self.last = Some(last);
        Some(turn)
    }

    /// The line that gave the last one goes on; it gives the next as well where nothing has changed by which turns go.
    fn go_on(&mut self, fleet: &Fleet, shares: &Shares, last: Last, made: usize) -> Option<Last> {
        let line = &mut self.lines[last.line];
        let before = (line.within.clone(), line.turn());
        line.go_on(fleet, shares);
        let same = line.next.is_some() && (&line.within, line.turn()) == (&before.0, before.1) && !line.is_aged();
        if last.made != made {
            self.lines.iter_mut().for_each(|line| line.ask_again(shares));
        }
        (same && last.is_sole && last.made == made).then_some(last)
    }

    /// Once no line may go on, those that have more shapes share what is left of the bound evenly; false where that is nothing.
    fn share_out(&mut self, fleet: &Fleet, shares: &Shares) -> bool {
        let spare = self.lines.iter_mut().map(|line| line.walk.spare()).fold(0, u32::saturating_add);
        let mut left = self.shapes_left.saturating_add(spare);
        let mut cut: Vec<&mut Line<'_>> =
            self.lines.iter_mut().filter_map(|line| line.walk.is_cut().then_some(line)).collect();
        let each = u32::try_from(cut.len()).ok().and_then(|lines| left.checked_div(lines)).unwrap_or(0).max(1);
        let mut goes_on = false;
        for line in &mut cut {
            let more = each.min(left);
            left -= more;
            line.walk.may_meet(more);
            line.go_on(fleet, shares);
            goes_on |= line.next.is_some();
        }
        self.shapes_left = left;
        goes_on
    }

    fn choose(&self, shares: &Shares, made: usize) -> Option<Last> {
        let place = |at: &usize| self.lines[*at].next.map(|(place, _)| place);
        let waiting = || (0..self.lines.len()).filter(|at| self.lines[*at].next.is_some());
        let aged = waiting().filter(|at| self.lines[*at].is_aged()).min_by_key(place);
        let (line, is_sole) = if let Some(aged) = aged {
            (aged, false)
        } else {
            let asker = |at: usize| {
                let line = &self.lines[at];
                Asker { line: at, way: &line.way, within: &line.within, place: place(&at) }
            };
            let turn = shares.next_of(waiting().map(asker).collect());
            let lines = turn.iter().map(|asker| asker.line);
            (lines.min_by_key(place)?, turn.len() == 1)
        };
        let is_contested = waiting().any(|at| at != line && !self.lines[at].within.is_empty());
        Some(Last { line, made, is_sole, is_contested })
    }
}
