//! Whose turn it is in a pass.
//!
//! What: the queue's own order where there are no shares; else one walk a project, and between projects the one that shares
//! name. Why asked anew for every turn: each grant moves the shares, and a project that has just been served may come
//! behind another. Why whoever has waited too long goes first all the same: it is promised that, whatever its project used.
//! Absent: who fits.

use crate::order::Place;
use crate::queue::{Queue, Walk};
use crate::shares::{Amounts, Asker, Shares};
use crate::{Fleet, Shape};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Turns of one pass.
pub(crate) enum Turns<'a> {
    InOrder(Walk<'a>),
    ByShare(ByShare<'a>),
}

/// Turns where projects have shares.
pub(crate) struct ByShare<'a> {
    /// By part: its projects (more than one of those without a share) and who of each is next.
    lines: Vec<Line<'a>>,
    /// The line that gave the last one.
    last: Option<usize>,
    /// True where somebody else waits who stays within a guarantee.
    contested: bool,
}

struct Line<'a> {
    /// From its part up to the whole.
    way: Vec<usize>,
    walk: Walk<'a>,
    next: Option<(Place, &'a Arc<Shape>)>,
    /// What whoever is next asks for, by model.
    asks: Amounts,
}

impl Line<'_> {
    fn go_on(&mut self, fleet: &Fleet, shares: &Shares) {
        // What its shares never let start would hide what stands behind it, which may be short of a guarantee.
        loop {
            self.next = self.walk.next();
            self.asks = self.next.map(|(_, shape)| Shares::asks(fleet, shape)).unwrap_or_default();
            if shares.barred_for_ever(fleet, self.way[0], &self.asks).is_none() {
                break;
            }
        }
    }
}

impl<'a> Turns<'a> {
    pub(crate) fn new(queue: &'a Queue, fleet: &Fleet, shares: &Shares, shapes_max: u32) -> Self {
        if shares.is_empty() {
            return Self::InOrder(queue.walk(shapes_max));
        }
        let mut lines = Vec::new();
        for (project, walk) in queue.walks(shapes_max) {
            let way = shares.way_up(shares.part_of(project.as_deref()));
            let mut line = Line { way, walk, next: None, asks: BTreeMap::new() };
            line.go_on(fleet, shares);
            lines.push(line);
        }
        Self::ByShare(ByShare { lines, last: None, contested: false })
    }

    /// Whoever is next, and its shape.
    pub(crate) fn next(&mut self, fleet: &Fleet, shares: &Shares) -> Option<(Place, &'a Arc<Shape>)> {
        match self {
            Self::InOrder(walk) => walk.next(),
            Self::ByShare(turns) => turns.next(fleet, shares),
        }
    }

    /// True where, behind the last one, somebody of another project waits who stays within a guarantee.
    pub(crate) const fn is_contested(&self) -> bool {
        match self {
            Self::InOrder(_) => false,
            Self::ByShare(turns) => turns.contested,
        }
    }

    /// The shape of the last one comes again, with its next workload.
    pub(crate) fn again(&mut self) {
        match self {
            Self::InOrder(walk) => walk.again(),
            Self::ByShare(turns) => {
                if let Some(last) = turns.last {
                    turns.lines[last].walk.again();
                }
            }
        }
    }
}

impl<'a> ByShare<'a> {
    fn next(&mut self, fleet: &Fleet, shares: &Shares) -> Option<(Place, &'a Arc<Shape>)> {
        if let Some(last) = self.last.take() {
            self.lines[last].go_on(fleet, shares);
        }
        let place = |line: &Line<'_>| line.next.map(|(place, _)| place);
        let first = |lines: &mut dyn Iterator<Item = (usize, Place)>| lines.min_by_key(|(_, place)| *place);
        let heads = || self.lines.iter().enumerate().filter_map(|(at, line)| Some((at, place(line)?)));
        let aged = first(&mut heads().filter(|(_, place)| place.is_aged()));
        let waiting = self.lines.iter().enumerate().filter(|(_, line)| line.next.is_some());
        let asker = |(at, line): (usize, &'_ Line<'a>)| (at, shares.within(line.way[0], &line.asks).collect());
        let askers = waiting.map(asker).map(|(line, within)| Asker { line, way: &self.lines[line].way, within });
        let askers: Vec<Asker<'_>> = askers.collect();
        let within: Vec<usize> =
            askers.iter().filter(|asker| !asker.within.is_empty()).map(|asker| asker.line).collect();
        let (at, _) = if let Some(aged) = aged {
            aged
        } else {
            let turn: Vec<usize> = shares.next_of(askers).iter().map(|asker| asker.line).collect();
            first(&mut heads().filter(|(at, _)| turn.contains(at)))?
        };
        self.contested = within.iter().any(|line| *line != at);
        self.last = Some(at);
        self.lines[at].next
    }
}
