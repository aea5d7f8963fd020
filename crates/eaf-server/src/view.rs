//! What readers see: the latest durable state, and the steps of late.
//!
//! What: a snapshot that is swapped once a batch is durable, a bounded ring of steps, and a bell that rings for both.
//! Why: a query never waits for the driver, and the driver never for a query. Absent: history; that is SQL.

use eaf_core::{State, Step};
use eaf_store::Head;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::watch;

/// A durable place in history, as readers see it.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    /// The state there.
    pub(crate) state: State,
    /// The journal's head there.
    pub(crate) head: Head,
}

/// Where readers look.
pub(crate) struct View {
    latest: RwLock<Arc<Published>>,
    recent: Mutex<Ring>,
    events_max: usize,
    bell: watch::Sender<u64>,
}

/// The latest steps, bounded by their events: one step may have one or ten thousand.
#[derive(Default)]
struct Ring {
    steps: VecDeque<Arc<Step>>,
    events: usize,
}

/// Steps of late, or the news that they are no longer in memory.
pub(crate) enum Recent {
    /// Steps right behind the one asked for; empty where there are none yet.
    Steps(Vec<Arc<Step>>),
    /// The ring begins later; read the journal.
    Older,
}

impl View {
    pub(crate) fn new(state: State, head: Head, events_max: u32) -> Self {
        Self {
            bell: watch::Sender::new(head.step),
            latest: RwLock::new(Arc::new(Published { state, head })),
            recent: Mutex::new(Ring::default()),
            events_max: events_max as usize,
        }
    }

    /// The latest durable state.
    pub(crate) fn latest(&self) -> Arc<Published> {
        Arc::clone(&self.latest.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A batch is durable: shows it.
    pub(crate) fn publish(&self, state: State, head: Head, steps: Vec<Step>) {
        let next = Arc::new(Published { state, head });
        // The old snapshot is dropped outside of the lock: freeing what only it held takes time.
        let old = std::mem::replace(&mut *self.latest.write().unwrap_or_else(PoisonError::into_inner), next);
        drop(old);
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        for step in steps {
            recent.events += step.events.len();
            recent.steps.push_back(Arc::new(step));
        }
        while recent.events > self.events_max {
            let Some(oldest) = recent.steps.pop_front() else { break };
            recent.events -= oldest.events.len();
        }
        drop(recent);
        self.bell.send_replace(head.step);
    }

    /// Rings with the number of the last durable step.
    pub(crate) fn bell(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    /// At most `max` steps from step `from` on.
    pub(crate) fn recent(&self, from: u64, max: usize) -> Recent {
        let head = *self.bell.borrow();
        if from > head {
            return Recent::Steps(Vec::new());
        }
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        match recent.steps.front() {
            Some(first) if first.number <= from => {
                let skip = usize::try_from(from - first.number).unwrap_or(usize::MAX);
                Recent::Steps(recent.steps.iter().skip(skip).take(max).cloned().collect())
            }
            _ => Recent::Older,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eaf_model::{Event, NodeId, Time};

    fn step(number: u64, events: usize) -> Step {
        let event = Event::NodeRemoved { node: NodeId::of_step(1) };
        Step { number, at: Time(0), events: vec![event; events], ended: Vec::new() }
    }

    fn check(view: &View, from: u64, expect: Option<&[u64]>) {
        let got = match view.recent(from, 2) {
            Recent::Steps(steps) => Some(steps.iter().map(|step| step.number).collect::<Vec<_>>()),
            Recent::Older => None,
        };
        assert_eq!(got.as_deref(), expect, "from {from}");
    }

    #[test]
    fn the_ring_is_bounded_by_events_and_says_where_it_begins() {
        let view = View::new(State::new(), Head { step: 4, ..Head::default() }, 5);
        check(&view, 3, None);
        check(&view, 5, Some(&[]));
        let head = Head { step: 7, ..Head::default() };
        view.publish(State::new(), head, vec![step(5, 3), step(6, 2), step(7, 1)]);
        check(&view, 5, None);
        check(&view, 6, Some(&[6, 7]));
        check(&view, 7, Some(&[7]));
        check(&view, 8, Some(&[]));
        assert_eq!(*view.bell().borrow(), 7);
    }
}
