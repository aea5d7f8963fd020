//! Who goes first.
//!
//! What: a place in the queue for each order that can be chosen, and the class by which one workload may have another
//! stopped. Why apart from the queue: it keeps places sorted and need not know what they are made of. Absent: time; who
//! has waited too long is told by whoever keeps the queue.

use crate::{Entry, Shape};
use eaf_model::{Order, Span, Time, WorkloadId};
use std::cmp::Reverse;
use std::sync::Arc;

/// What one workload has over another whatever its age: the lesser goes first, and only the lesser may evict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Class {
    priority: Reverse<i32>,
    level: u8,
}

impl Class {
    /// The class of a workload under an order. Where age or length decides, all are of one class.
    pub const fn of(order: Order, priority: i32, level: u8) -> Self {
        match order {
            Order::Priority => Self { priority: Reverse(priority), level },
            Order::Las => Self { priority: Reverse(0), level },
            Order::Fifo | Order::Sjf => Self { priority: Reverse(0), level: 0 },
        }
    }
}

/// A place in the queue; the least goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    is_young: bool,
    /// Of those that are not aged.
    class: Option<Class>,
    /// Of those that keep no turn the greatest.
    turn: u64,
    /// Of those that are not aged, where length decides.
    length: Span,
    submitted_at: Time,
    workload: WorkloadId,
    /// Behind the id, so that they decide nothing.
    priority: i32,
    level: u8,
    turn_between: Option<u64>,
}

impl Place {
    pub(crate) fn of(order: Order, entry: &Entry) -> Self {
        let Entry { workload, priority, submitted_at, level, turn, turn_between, .. } = *entry;
        let is_young = !entry.is_aged;
        Self {
            is_young,
            class: is_young.then(|| Class::of(order, priority, level)),
            turn: turn.unwrap_or(u64::MAX),
            length: if is_young && order == Order::Sjf { entry.shape.wall } else { Span::ZERO },
            submitted_at,
            workload,
            priority,
            level,
            turn_between,
        }
    }

    pub(crate) fn entry(self, shape: &Arc<Shape>) -> Entry {
        let Self { workload, priority, submitted_at, level, is_young, turn, turn_between, .. } = self;
        let turn = (turn != u64::MAX).then_some(turn);
        Entry { workload, priority, submitted_at, shape: shape.clone(), level, is_aged: !is_young, turn, turn_between }
    }

    pub(crate) const fn workload(&self) -> WorkloadId {
        self.workload
    }

    /// The class of its workload under an order.
    pub(crate) const fn class(&self, order: Order) -> Class {
        Class::of(order, self.priority, self.level)
    }

    /// The turn that it keeps between projects, and the greatest where it keeps none.
    pub(crate) const fn turn_between(self) -> u64 {
        match self.turn_between {
            Some(turn) => turn,
            None => u64::MAX,
        }
    }

    /// True where it goes before everybody who has not waited as long.
    pub(crate) const fn is_aged(&self) -> bool {
        !self.is_young
    }
}
