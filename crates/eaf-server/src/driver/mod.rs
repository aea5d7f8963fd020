//! The live driver: one thread that owns the state and the store.
//!
//! What: gathers what has come in, takes it as one turn, makes the turn durable with one write, and only then answers
//! callers and gives orders to the engine. Why one thread: nothing is decided on a state that somebody else changes, and
//! while one batch goes to the disk the next one gathers. Absent: rules (the core's) and HTTP.

mod keeper;
mod link;

pub(crate) use keeper::{FORGET_MAX, stale_files};
pub(crate) use link::{Errand, Link};

use crate::Fatal;
use crate::clock::now;
use crate::config::Retention;
use crate::metrics::Metrics;
use crate::view::View;
use eaf_core::{Expected, Machine, Met, Taken, Turn, reconcile, taken_on};
use eaf_engine::Observation;
use eaf_model::{Input, NodeState, Rejection, TaskKey, TaskReport, Time};
use eaf_store::{Batch, Head, SnapshotPolicy, Snapshots, Store};
use keeper::save_snapshot;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tracing::{debug, error, info, warn};

/// How often old batches and old history are looked for.
const PRUNE_EVERY: Duration = Duration::from_secs(600);
/// How much longer than its grace a stop of all work may take.
const STOP_SLACK: Duration = Duration::from_secs(20);

/// What comes to the driver.
pub(crate) enum Message {
    /// A request; answered once it is durable.
    Ask { input: Input, reply: oneshot::Sender<Result<Taken, Rejection>> },
    /// From an engine.
    Observed(Observation),
    /// The engine has said everything that it knows.
    Met { met: Met, expected: Expected },
    /// A snapshot was saved, or could not be.
    SnapshotSaved { bytes: Option<u64> },
    /// End: at once, or after all running work.
    Stop { stop_work: bool },
}

/// Whether work is taken.
#[derive(Default)]
pub(crate) struct Readiness {
    word: Mutex<Readied>,
    changed: Condvar,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Readied {
    #[default]
    Starting,
    Ready,
    Unreachable,
    Stopping,
}

impl Readiness {
    fn get(&self) -> Readied {
        *self.word.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, word: Readied) {
        let mut old = self.word.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing comes back from stopping.
        if *old != Readied::Stopping {
            *old = word;
        }
        self.changed.notify_all();
    }

    /// The factory is stopping; new work is refused from here on.
    pub(crate) fn stop(&self) {
        self.set(Readied::Stopping);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.get() == Readied::Stopping
    }

    /// What is missing, if anything is.
    pub(crate) fn missing(&self) -> Option<&'static str> {
        match self.get() {
            Readied::Ready => None,
            Readied::Starting => Some("the engine has not been met yet"),
            Readied::Unreachable => Some("the engine is out of reach"),
            Readied::Stopping => Some("the factory is stopping"),
        }
    }

    /// Waits for the engine to be met.
    pub(crate) fn wait_until_met(&self, at_most: Duration) {
        let word = self.word.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(word, at_most, |word| *word == Readied::Starting));
    }
}

/// Why the driver did not take a request.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// The core said no.
    Rejected(Rejection),
    /// Too much waits already.
    Overloaded,
    /// The factory is stopping.
    Stopping,
}

/// Sends requests to the driver. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Door {
    messages: SyncSender<Message>,
}

impl Door {
    pub(crate) const fn new(messages: SyncSender<Message>) -> Self {
        Self { messages }
    }

    /// Hands in a request and waits until what it did is durable.
    pub(crate) async fn ask(&self, input: Input) -> Result<Taken, NotTaken> {
        let (reply, answer) = oneshot::channel();
        self.messages.try_send(Message::Ask { input, reply }).map_err(|error| match error {
            TrySendError::Full(_) => NotTaken::Overloaded,
            TrySendError::Disconnected(_) => NotTaken::Stopping,
        })?;
        match answer.await {
            Ok(result) => result.map_err(NotTaken::Rejected),
            Err(_) => Err(NotTaken::Stopping),
        }
    }

    /// Tells the driver to end; blocks while it is busy.
    pub(crate) fn stop(&self, stop_work: bool) {
        // A driver that is gone has nothing to end.
        let _ = self.messages.send(Message::Stop { stop_work });
    }
}

/// What the driver is made of.
pub(crate) struct Driver {
    pub(crate) machine: Machine,
    /// The head of the journal: the state of `machine` is the one there.
    pub(crate) head: Head,
    pub(crate) store: Box<dyn Store>,
    pub(crate) snapshots: Snapshots,
    pub(crate) policy: SnapshotPolicy,
    pub(crate) view: Arc<View>,
    pub(crate) link: Arc<Link>,
    pub(crate) readiness: Arc<Readiness>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) retention: Retention,
    pub(crate) batch_max: usize,
    pub(crate) inbox: Receiver<Message>,
    pub(crate) own: SyncSender<Message>,
}

/// What the driver remembers between turns.
struct Housekeeping {
    snapshot_running: bool,
    prune_at: Instant,
    /// Set while all work is being stopped: when that is given up.
    stop_by: Option<Instant>,
    stopping: bool,
}

/// Messages of one turn.
#[derive(Default)]
struct Gathered {
    inputs: Vec<Input>,
    replies: Vec<Option<oneshot::Sender<Result<Taken, Rejection>>>>,
    settle: Vec<TaskKey>,
    /// The first message that must be looked at on the state behind the inputs.
    control: Option<Message>,
    reachable: bool,
}

impl Gathered {
    fn push(&mut self, input: Input, reply: Option<oneshot::Sender<Result<Taken, Rejection>>>) {
        self.inputs.push(input);
        self.replies.push(reply);
    }
}

impl Driver {
    /// Takes inputs before the thread starts, such as the settings; answers as the driver would.
    pub(crate) fn take_now(&mut self, inputs: Vec<Input>) -> Result<Vec<Result<Taken, Rejection>>, Fatal> {
        let replies = inputs.iter().map(|_| None).collect();
        self.turn(Gathered { inputs, replies, ..Gathered::default() })
    }

    /// Runs until it is told to stop.
    pub(crate) fn run(mut self) -> Result<(), Fatal> {
        let mut house =
            Housekeeping { snapshot_running: false, prune_at: Instant::now(), stop_by: None, stopping: false };
        self.link.give(Errand::Reconcile { expected: taken_on(self.machine.state()) });
        loop {
            let mut gathered = self.gather(&house);
            let control = gathered.control.take();
            let reachable = gathered.reachable;
            self.turn(gathered)?;
            if reachable {
                self.link.give(Errand::Reconcile { expected: taken_on(self.machine.state()) });
            }
            if let Some(control) = control {
                self.control(control, &mut house)?;
            }
            self.keep_house(&mut house)?;
            if house.stopping && self.may_end(&house) {
                return Ok(());
            }
        }
    }

    /// Waits for the first message or the next deadline, then takes what else is there, up to the bound.
    fn gather(&self, house: &Housekeeping) -> Gathered {
        let mut gathered = Gathered::default();
        if house.stopping && house.stop_by.is_none() {
            // What was asked before the stop is still answered; nothing is waited for.
            self.drain(&mut gathered);
            return gathered;
        }
        let first = match self.patience(house) {
            Duration::ZERO => self.inbox.try_recv().ok(),
            patience => self.inbox.recv_timeout(patience).ok(),
        };
        if let Some(message) = first {
            self.sort(message, &mut gathered);
            self.drain(&mut gathered);
        }
        gathered
    }

    fn drain(&self, gathered: &mut Gathered) {
        while gathered.control.is_none() && gathered.inputs.len() < self.batch_max {
            let Ok(message) = self.inbox.try_recv() else { return };
            self.sort(message, gathered);
        }
    }

    fn patience(&self, house: &Housekeeping) -> Duration {
        let until_due = self.machine.due().map(|at| Duration::from_millis(at.since(now()).0));
        let until_house = house.stop_by.unwrap_or(house.prune_at).saturating_duration_since(Instant::now());
        until_due.unwrap_or(until_house).min(until_house)
    }

    fn sort(&self, message: Message, gathered: &mut Gathered) {
        match message {
            Message::Ask { input, reply } => gathered.push(input, Some(reply)),
            Message::Observed(Observation::Task { key, report }) => {
                if matches!(report, TaskReport::Exited { .. }) {
                    gathered.settle.push(key);
                }
                gathered.push(Input::Reported { key, report }, None);
            }
            Message::Observed(Observation::Mode { node, accelerators, order, report }) => {
                gathered.push(Input::ModeReported { node, accelerators, order, report }, None);
            }
            Message::Observed(Observation::Unreachable { why }) => {
                warn!(why, "the engine is out of reach");
                self.readiness.set(Readied::Unreachable);
                for (node, record) in self.machine.state().nodes() {
                    if record.state() != NodeState::Lost {
                        gathered.push(Input::NodeLost { node: *node, why: why.clone() }, None);
                    }
                }
            }
            Message::Observed(Observation::Reachable) => gathered.reachable = true,
            other => gathered.control = Some(other),
        }
    }

    /// Takes inputs, makes what they did durable, and then lets everybody know.
    fn turn(&mut self, gathered: Gathered) -> Result<Vec<Result<Taken, Rejection>>, Fatal> {
        let started = Instant::now();
        let Turn { steps, results, effects } = self.machine.turn(now(), &gathered.inputs)?;
        self.metrics.inputs.inc_by(gathered.inputs.len() as u64);
        if !steps.is_empty() {
            let batch = Batch::of_steps(&steps, self.head);
            let decided = Instant::now();
            self.store.append(&batch)?;
            self.head = batch.head;
            self.metrics.batch(steps.len(), decided - started, decided.elapsed());
            self.policy.appended(batch.body.len() as u64);
            if !effects.is_empty() {
                self.link.give(Errand::Order(effects));
            }
            self.view.publish(self.machine.state().clone(), self.head, steps);
        }
        for (result, reply) in results.iter().zip(gathered.replies) {
            if let Err(rejection) = result {
                self.metrics.rejected(rejection.code());
                if reply.is_none() {
                    debug!(code = rejection.code(), "a report changed nothing");
                }
            }
            if let Some(reply) = reply {
                // A caller that went away has its answer in the journal.
                let _ = reply.send(result.clone());
            }
        }
        if !gathered.settle.is_empty() {
            self.link.give(Errand::Settle(gathered.settle));
        }
        Ok(results)
    }

    fn control(&mut self, message: Message, house: &mut Housekeeping) -> Result<(), Fatal> {
        match message {
            Message::Met { met, expected } => self.met(met, &expected)?,
            Message::SnapshotSaved { bytes } => {
                house.snapshot_running = false;
                if let Some(bytes) = bytes {
                    self.policy.saved(bytes);
                }
            }
            Message::Stop { stop_work } => self.begin_stop(stop_work, house)?,
            Message::Ask { .. } | Message::Observed(_) => unreachable!("sorted among the inputs"),
        }
        Ok(())
    }

    fn met(&mut self, met: Met, expected: &Expected) -> Result<(), Fatal> {
        let (nodes, tasks) = (met.nodes.len(), met.known.len());
        let out = reconcile(self.machine.state(), now(), met, expected);
        let inputs = out.inputs;
        let replies = inputs.iter().map(|_| None).collect();
        self.turn(Gathered { inputs, replies, settle: out.settle, ..Gathered::default() })?;
        let mut owed = self.machine.outstanding();
        info!(nodes, tasks, owed = owed.len(), strays = out.strays.len(), "the engine and the state are together");
        owed.extend(out.strays);
        if !owed.is_empty() {
            self.link.give(Errand::Order(owed));
        }
        self.readiness.set(Readied::Ready);
        Ok(())
    }

    fn begin_stop(&mut self, stop_work: bool, house: &mut Housekeeping) -> Result<(), Fatal> {
        house.stopping = true;
        self.readiness.stop();
        if !stop_work {
            return Ok(());
        }
        self.machine.stop_planning();
        let state = self.machine.state();
        let graces = state.workloads().filter_map(|workload| workload.spec.stop_grace).max();
        let grace = graces.unwrap_or_default().max(state.settings().timing.stop_grace_default);
        let inputs: Vec<Input> = state
            .leases()
            .map(|lease| Input::Cancel { workload: lease.workload, by: "stop of all work".to_owned() })
            .collect();
        info!(workloads = inputs.len(), grace_ms = grace.0, "all work is being stopped");
        house.stop_by = Some(Instant::now() + Duration::from_millis(grace.0) + STOP_SLACK);
        self.take_now(inputs)?;
        Ok(())
    }

    fn may_end(&self, house: &Housekeeping) -> bool {
        match house.stop_by {
            None => true,
            Some(stop_by) => {
                let left = self.machine.state().leases().count();
                if left > 0 && Instant::now() >= stop_by {
                    warn!(left, "not all work has ended in time; the engine ends the rest");
                    return true;
                }
                left == 0
            }
        }
    }

    fn keep_house(&mut self, house: &mut Housekeeping) -> Result<(), Fatal> {
        if self.policy.due() && !house.snapshot_running {
            self.policy.begun();
            let (published, snapshots, own) = (self.view.latest(), self.snapshots.clone(), self.own.clone());
            house.snapshot_running = save_snapshot(published, snapshots, own);
        }
        if Instant::now() >= house.prune_at && !house.stopping {
            let before =
                |kept: eaf_model::Span| Time(now().0.saturating_sub(i64::try_from(kept.0).unwrap_or(i64::MAX)));
            let pruned = self.store.prune(before(self.retention.journal), before(self.retention.history))?;
            if pruned.batches + pruned.ended > 0 {
                info!(batches = pruned.batches, ended = pruned.ended, "old history was forgotten");
            }
            let wait = if pruned.more { Duration::from_millis(100) } else { PRUNE_EVERY };
            house.prune_at = Instant::now() + wait;
        }
        Ok(())
    }
}

/// Starts the driver's thread. A driver that cannot go on ends the process: what it owes cannot be answered any more.
pub(crate) fn start(driver: Driver) -> std::io::Result<std::thread::JoinHandle<()>> {
    std::thread::Builder::new().name("eaf-driver".to_owned()).spawn(move || {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| driver.run()));
        let code = match outcome {
            Ok(Ok(())) => return,
            Ok(Err(fatal)) => {
                let cause = std::error::Error::source(&fatal).map(ToString::to_string).unwrap_or_default();
                error!(error = %fatal, cause, "the factory ends");
                fatal.exit_code()
            }
            Err(_) => {
                error!("the driver has panicked; the factory ends and nothing acknowledged is lost");
                crate::exit_code::INVARIANT_BROKEN
            }
        };
        std::process::exit(code);
    })
}
