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
    recent: Mutex<VecDeque<Arc<Step>>>,
    recent_max: usize,
    bell: watch::Sender<u64>,
}

/// Steps of late, or the news that they are no longer in memory.
pub(crate) enum Recent {
    /// Steps right behind the one asked for; empty where there are none yet.
    Steps(Vec<Arc<Step>>),
    /// The ring begins later; read the journal.
    Older,
}

impl View {
    pub(crate) fn new(state: State, head: Head, recent_max: u32) -> Self {
        Self {
            bell: watch::Sender::new(head.step),
            latest: RwLock::new(Arc::new(Published { state, head })),
            recent: Mutex::new(VecDeque::new()),
            recent_max: recent_max.max(1) as usize,
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
        recent.extend(steps.into_iter().map(Arc::new));
        while recent.len() > self.recent_max {
            recent.pop_front();
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
        match recent.front() {
            Some(first) if first.number <= from => {
                let skip = usize::try_from(from - first.number).unwrap_or(usize::MAX);
                Recent::Steps(recent.iter().skip(skip).take(max).cloned().collect())
            }
            _ => Recent::Older,
        }
    }
}
