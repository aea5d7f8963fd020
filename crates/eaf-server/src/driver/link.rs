//! The thread between the driver and an engine.
//!
//! What: carries orders over in the order they were given, and brings answers back as messages. Why a thread: an engine
//! may take its time, and the driver may not. Its queue has no bound of its own: orders are bounded by live leases and
//! settlements by live tasks, and the driver must never wait for an engine that waits for the driver. Absent: policy.

use super::Message;
use crate::config::Site;
use eaf_core::{Expected, Met};
use eaf_engine::{Engine, EngineError};
use eaf_model::{Effect, TaskKey, WorkloadId};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tracing::warn;

/// How long to wait before an engine that failed is asked again.
const RETRY: Duration = Duration::from_secs(1);
/// How long to wait where nothing but an errand can come.
const FOREVER: Duration = Duration::from_secs(3_600);

/// What the driver has for an engine.
pub(crate) enum Errand {
    /// Orders.
    Order(Vec<Effect>),
    /// Exits that are durable.
    Settle(Vec<TaskKey>),
    /// Say everything; `expected` comes back with the answer.
    Reconcile { expected: Expected },
    /// Remove files.
    Forget(Vec<WorkloadId>),
}

/// The driver's end.
pub(crate) struct Link {
    errands: Option<Sender<Errand>>,
    thread: Option<JoinHandle<()>>,
}

impl Link {
    /// Starts the thread.
    pub(crate) fn start(engine: Arc<dyn Engine>, site: Site, back: SyncSender<Message>) -> std::io::Result<Self> {
        let (errands, inbox) = channel();
        let carrier = Carrier { engine, site, back, failed: None };
        let thread =
            std::thread::Builder::new().name("eaf-engine-link".to_owned()).spawn(move || carrier.run(&inbox))?;
        Ok(Self { errands: Some(errands), thread: Some(thread) })
    }

    /// Gives an errand; never waits.
    pub(crate) fn give(&self, errand: Errand) {
        if let Some(errands) = &self.errands {
            // The thread ends only when this sender is gone, so nobody is missed.
            let _ = errands.send(errand);
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.errands = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Carrier {
    engine: Arc<dyn Engine>,
    site: Site,
    back: SyncSender<Message>,
    /// Set where the engine has failed since it was last reconciled: what the state expected of it.
    failed: Option<Failure>,
}

struct Failure {
    expected: Expected,
    retry_at: Instant,
}

impl Failure {
    fn new(expected: Expected) -> Self {
        Self { expected, retry_at: Instant::now() + RETRY }
    }
}

impl Carrier {
    fn run(mut self, inbox: &Receiver<Errand>) {
        loop {
            let patience = match &self.failed {
                Some(failure) => failure.retry_at.saturating_duration_since(Instant::now()),
                None => FOREVER,
            };
            match inbox.recv_timeout(patience) {
                Ok(errand) => self.carry(errand),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(failure) = self.failed.take() {
                        self.reconcile(failure.expected);
                    }
                }
            }
        }
    }

    fn carry(&mut self, errand: Errand) {
        let (what, result) = match errand {
            Errand::Order(effects) => ("order", self.engine.order(&effects)),
            Errand::Settle(keys) => ("settle", self.engine.settle(&keys)),
            Errand::Forget(workloads) => ("forget files", self.engine.forget_files(&workloads)),
            Errand::Reconcile { expected } => return self.reconcile(expected),
        };
        if let Err(error) = result {
            warn!(%error, what, "the engine failed; it will be reconciled");
            self.failed.get_or_insert_with(|| Failure::new(Expected::default()));
        }
    }

    fn reconcile(&mut self, expected: Expected) {
        match self.meet() {
            Ok(met) => {
                self.failed = None;
                // The driver is gone only when it is ending; nobody is left to tell.
                let _ = self.back.send(Message::Met { met, expected });
            }
            Err(error) => {
                warn!(%error, "the engine cannot be reconciled; it will be asked again");
                self.failed = Some(Failure::new(expected));
            }
        }
    }

    fn meet(&self) -> Result<Met, EngineError> {
        let mut nodes = self.engine.discover()?;
        for node in &mut nodes {
            self.site.bound(node);
        }
        Ok(Met { nodes, known: self.engine.reconcile()?, modes: self.engine.modes()? })
    }
}
