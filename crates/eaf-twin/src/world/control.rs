//! The control plane: the live driver's turn, and where it may end.
//!
//! What: gathers inputs, lets the machine decide, appends, orders, answers, settles; dies between any two of these and
//! starts again from its disk. Absent: what is decided; that is the core's, and the same as live.

use super::link::{Item, unfenced};
use super::planted::{minimum_forgotten, one_victim_more, windows_forgotten};
use super::reference::key_text;
use super::{Bug, Case, Fault, World};
use crate::script::{CrashAt, plural};
use eaf_core::{Machine, State, Step, Turn, Violation, decide, outstanding, reconcile, taken_on};
use eaf_model::{Effect, Event, Input, NodeState, Rejection, TaskKey, TaskReport, Time, WorkloadId};
use eaf_store::model::{Disk, Fault as DiskFault, ModelStore};
use eaf_store::{Batch, Head, Snapshot, Store, recover};

/// The most inputs of a turn.
const BATCH_MAX: usize = 64;
/// The most turns at one instant: more means that the factory is busy with itself.
const TURNS_MAX: u32 = 20_000;

/// The control plane, or the disk that it has left.
pub(super) enum Control {
    Up(Box<Process>),
    Down(Disk),
}

/// A control plane that runs.
pub(super) struct Process {
    pub(super) machine: Machine,
    pub(super) store: ModelStore,
    head: Head,
    /// Requests that wait for the next turn.
    asks: Vec<Input>,
}

impl Control {
    /// One that has just been installed.
    pub(super) fn first() -> Self {
        let store = ModelStore::open(Disk::new(1)).expect("an empty disk is a journal");
        let machine = Machine::new(State::new(), false);
        Self::Up(Box::new(Process { machine, store, head: Head::default(), asks: Vec::new() }))
    }
}

/// What is on the disk for good.
#[derive(Default)]
pub(super) struct Durable {
    pub(super) state: State,
    pub(super) head: Head,
}

/// What was being written when the control plane ended: it may be there, or not.
pub(super) struct InFlight {
    state: State,
    head: Head,
    steps: Vec<Step>,
}

/// What one turn takes.
#[derive(Default)]
struct Gathered {
    inputs: Vec<Input>,
    settle: Vec<TaskKey>,
    /// How many of the inputs, from the first, are requests that wait for an answer.
    asked: usize,
}

impl World {
    /// A request; false where nobody is there to take it.
    pub(super) fn ask(&mut self, input: Input) -> Result<bool, Violation> {
        let Control::Up(process) = &mut self.control else { return Ok(false) };
        process.asks.push(input);
        if process.asks.len() >= BATCH_MAX {
            self.settle_down()?;
        }
        Ok(true)
    }

    /// True where requests wait for the next turn.
    pub(super) fn has_asks(&self) -> bool {
        matches!(&self.control, Control::Up(process) if !process.asks.is_empty())
    }

    /// Takes turns until nothing more happens at this instant.
    pub(super) fn settle_down(&mut self) -> Result<(), Violation> {
        for _ in 0..TURNS_MAX {
            let mut gathered = Gathered::default();
            if let Control::Up(process) = &mut self.control {
                gathered.inputs = std::mem::take(&mut process.asks);
                gathered.asked = gathered.inputs.len();
            }
            let mut met = None;
            let mut busy = !gathered.inputs.is_empty();
            while met.is_none() && gathered.inputs.len() < BATCH_MAX {
                let Some(item) = self.mail.pop(self.now) else { break };
                busy = true;
                met = self.arrive(item, &mut gathered)?;
            }
            if gathered.inputs.is_empty() && met.is_none() && !self.is_due() {
                if busy {
                    continue;
                }
                return Ok(());
            }
            self.turn(gathered)?;
            if let Some(met) = met {
                self.met(met)?;
            }
        }
        let what = format!("more than {TURNS_MAX} turns at {}", self.now.0);
        Err(Violation { rule: "an instant has an end", what })
    }

    fn is_due(&self) -> bool {
        self.due_at().is_some_and(|at| at <= self.now)
    }

    /// When the control plane wants to be woken, in true time.
    pub(super) fn due_at(&self) -> Option<Time> {
        let Control::Up(process) = &self.control else { return None };
        process.machine.due().map(|at| Time(at.0.saturating_sub(self.skew)).max(self.now))
    }

    /// Something has arrived. What is for the control plane is gathered, and a meeting is given back.
    fn arrive(&mut self, item: Item, gathered: &mut Gathered) -> Result<Option<Item>, Violation> {
        match item {
            Item::Later(key, plan) => {
                let acts = self.engine.go_on(self.now, key, plan);
                self.act(acts)?;
            }
            Item::LaterMode(order) => self.mode_goes_on(&order)?,
            Item::Order(..) | Item::Settle(..) | Item::Meet(..) => self.errand(item)?,
            Item::Reachable => {
                self.noticed();
                self.meet();
            }
            Item::Report(..) | Item::ModeReport(..) | Item::Heartbeat(_) | Item::Unreachable | Item::Met { .. }
                if !self.is_up() =>
            {
                // Nobody listens; what counts is told again when the engine is met.
            }
            Item::Report(key, report) => {
                let key = unfenced(self, key);
                if matches!(report, TaskReport::Exited { .. }) {
                    gathered.settle.push(key);
                }
                gathered.inputs.push(Input::Reported { key, report });
            }
            Item::ModeReport(node, accelerators, order, report) => {
                gathered.inputs.push(Input::ModeReported { node, accelerators, order, report });
            }
            Item::Heartbeat(name) => {
                let heard = self.engine.takes_orders(&name);
                if let Some(node) = self.node_ids.get(&name).filter(|_| !heard) {
                    gathered.inputs.push(Input::NodeLost { node: *node, why: "no heartbeat".to_owned() });
                }
            }
            Item::Unreachable => {
                let nodes = self.state().nodes().filter(|(_, node)| node.state() != NodeState::Lost);
                let lost =
                    |(id, _): (&eaf_model::NodeId, _)| Input::NodeLost { node: *id, why: "no engine".to_owned() };
                let inputs: Vec<Input> = nodes.map(lost).collect();
                gathered.inputs.extend(inputs);
            }
            Item::Met { life, .. } if life == self.life => return Ok(Some(item)),
            Item::Met { .. } => {}
        }
        Ok(None)
    }

    /// Asks the engine for everything.
    fn meet(&mut self) {
        if let Control::Up(process) = &self.control {
            let expected = Box::new(taken_on(process.machine.state()));
            self.give(Item::Meet(expected, self.life));
        }
    }

    /// The engine has said everything that it knows.
    fn met(&mut self, item: Item) -> Result<(), Violation> {
        let Item::Met { met, expected, gaps, .. } = item else { return Ok(()) };
        // The turn before may have ended the process.
        if !self.is_up() {
            return Ok(());
        }
        let (nodes, tasks) = (met.nodes.len(), met.known.len());
        let out = reconcile(self.state(), self.clock(), *met, &expected);
        let strays = out.strays.len();
        self.turn(Gathered { inputs: out.inputs, settle: out.settle, asked: 0 })?;
        let Control::Up(process) = &self.control else { return Ok(()) };
        let mut owed = process.machine.outstanding();
        let first = std::mem::replace(&mut self.met_in, self.life) != self.life;
        if first && self.watch.plant.has(Bug::EffectLost) {
            owed.clear();
        }
        let count = owed.len();
        self.log.say(self.now, || {
            let of = |count: usize, what: &str| format!("{count} {what}{}", plural(count as u64));
            let (nodes, tasks, owed) = (of(nodes, "node"), of(tasks, "task"), of(count, "order"));
            format!("the engine is met: {nodes}, {tasks} known, {owed} owed, {}", of(strays, "stray"))
        });
        owed.extend(out.strays);
        self.give_orders(owed);
        self.mended = gaps;
        Ok(())
    }

    /// The live driver's turn.
    fn turn(&mut self, gathered: Gathered) -> Result<(), Violation> {
        let clock = self.clock();
        let Control::Up(process) = &mut self.control else { return Ok(()) };
        if clock < process.machine.state().last_time() {
            // A driver that did not hold its clock would be refused, and nothing would change.
            if let Err(rejection @ Rejection::TimeWentBack { .. }) =
                decide(process.machine.state(), clock, &Input::Wake)
            {
                self.coverage.rejection(&rejection);
            }
        }
        let turn = process.machine.turn(clock, &gathered.inputs).map_err(|broken| broken.violation)?;
        self.figures.turns += 1;
        let results = turn.results.iter().zip(&gathered.inputs);
        for (rejection, input) in results.filter_map(|(result, input)| Some((result.as_ref().err()?, input))) {
            self.coverage.rejection(rejection);
            self.say_fenced(rejection, input);
        }
        let Turn { mut steps, results, mut effects } = turn;
        self.spoil_plan(&mut steps, &mut effects);
        if !steps.is_empty() {
            if !self.append(steps)? {
                return Ok(());
            }
            self.give_orders(effects);
            if self.armed == Some(CrashAt::AfterEffects) {
                // What was given to a link that takes its time is lost with the process; the rest has arrived.
                while let Some(item) = self.mail.pop(self.now) {
                    if let Item::Order(..) = item {
                        self.errand(item)?;
                    } else {
                        self.mail.push(self.now, item);
                        break;
                    }
                }
                self.crash(Fault::CrashAfterEffects, false);
                return Ok(());
            }
        }
        for (result, input) in results.iter().zip(&gathered.inputs).take(gathered.asked) {
            self.answer(input, result)?;
        }
        if !gathered.settle.is_empty() {
            self.give(Item::Settle(gathered.settle, self.life));
        }
        if let Control::Up(process) = &self.control {
            self.promises.tell(process.machine.state(), clock);
        }
        self.check(false)?;
        self.check_orders()
    }

    /// A scheduler that stops one too many, or forgets windows, where that is planted.
    fn spoil_plan(&mut self, steps: &mut [Step], effects: &mut Vec<Effect>) {
        if let Control::Up(process) = &mut self.control
            && self.watch.plant.has(Bug::WindowForgotten)
            && let Some(state) = windows_forgotten(steps, process.machine.state())
        {
            process.machine = Machine::new(state, false);
        }
        if let Control::Up(process) = &mut self.control
            && self.watch.plant.has(Bug::MinimumForgotten)
            && let Some(state) = minimum_forgotten(steps, process.machine.state())
        {
            process.machine = Machine::new(state, false);
        }
        if let Control::Up(process) = &mut self.control
            && self.watch.plant.has(Bug::OneVictimTooMany)
            && let Some((state, lease)) = one_victim_more(steps, process.machine.state())
        {
            effects.extend(
                outstanding(&state).into_iter().filter(|effect| effect.key().is_some_and(|key| key.lease == lease)),
            );
            process.machine = Machine::new(state, false);
        }
    }

    /// Tells of a report of a lease that is over.
    fn say_fenced(&mut self, rejection: &Rejection, input: &Input) {
        if let (Rejection::StaleReport { lease }, Input::Reported { report, .. }) = (rejection, input)
            && self.state().lease(*lease).is_none()
        {
            let what = super::log::report_word(report);
            self.log.say(self.now, || format!("a report of {lease}, which is over, changes nothing: {what}"));
        }
    }

    fn answer(&mut self, input: &Input, result: &Result<eaf_core::Taken, Rejection>) -> Result<(), Violation> {
        self.refused = result.as_ref().err().map(Rejection::code);
        self.refusals += u64::from(result.is_err());
        match result {
            Ok(taken) => match taken.workload {
                Some(workload) => self.reference.acknowledged(workload),
                None => Ok(()),
            },
            Err(rejection) => {
                let what = self.subject(input);
                self.log.say(self.now, || format!("{what}: refused, {}", rejection.code()));
                Ok(())
            }
        }
    }

    /// Makes steps durable; false where the control plane ended over it.
    fn append(&mut self, steps: Vec<Step>) -> Result<bool, Violation> {
        let Control::Up(process) = &mut self.control else { return Ok(false) };
        let batch = Batch::of_steps(&steps, process.head);
        let state = process.machine.state().clone();
        if self.armed == Some(CrashAt::BeforeAppend) {
            self.crash(Fault::CrashBeforeAppend, false);
            return Ok(false);
        }
        if let Some(CrashAt::PowerInWrite(write)) = self.armed {
            let disk = process.store.disk_mut();
            let at = disk.operations() + write;
            disk.expect(Some(DiskFault::PowerLoss { at }));
        }
        if let Err(error) = process.store.append(&batch) {
            self.in_flight = Some(InFlight { state, head: batch.head, steps });
            let full = matches!(error, eaf_store::StoreError::Full { .. });
            let (fault, power) = match self.armed {
                Some(CrashAt::PowerInWrite(_)) => (Fault::PowerLossInAppend, true),
                _ if full => (Fault::DiskFull, false),
                _ => (Fault::DiskError, false),
            };
            self.crash(fault, power);
            return Ok(false);
        }
        process.head = batch.head;
        self.durable = Durable { state, head: batch.head };
        self.now_durable(&steps)?;
        if self.armed == Some(CrashAt::AfterAppend) {
            self.crash(Fault::CrashAfterAppend, false);
            return Ok(false);
        }
        Ok(true)
    }

    /// Steps are part of history: whoever only hears of history hears of them.
    fn now_durable(&mut self, steps: &[Step]) -> Result<(), Violation> {
        for step in steps {
            self.figures.steps += 1;
            eaf_core::replay(&mut self.replayed, step);
            self.reference.durable(step)?;
            self.stops.durable(step, |lease| self.reference.workload_of(lease))?;
            self.promises.durable(step, &self.replayed)?;
            for event in &step.events {
                self.coverage.event(event);
                self.case(event);
                self.learn(event);
            }
        }
        self.tell(steps);
        Ok(())
    }

    /// What an event is a case of.
    fn case(&mut self, event: &Event) {
        let spec = |id: WorkloadId| self.replayed.workload(id).map(|workload| &workload.spec);
        let case = match *event {
            Event::LeaseGranted { workload, ref placement, .. } => {
                let is_smaller = spec(workload).is_some_and(|spec| placement.tasks.len() < spec.tasks as usize);
                is_smaller.then_some(Case::GangSmaller)
            }
            Event::WorkloadPreempted { workload, by } => {
                let projects = spec(workload).zip(spec(by)).map(|(one, other)| one.project != other.project);
                projects.unwrap_or(false).then_some(Case::StoppedBetweenProjects)
            }
            _ => None,
        };
        if let Some(case) = case {
            self.coverage.case(case);
        }
    }

    /// The control plane is gone.
    pub(super) fn crash(&mut self, fault: Fault, power: bool) {
        if !self.is_up() {
            return;
        }
        let Control::Up(process) = std::mem::replace(&mut self.control, Control::Down(Disk::new(0))) else { return };
        self.fault(fault);
        self.armed = None;
        self.mail.cut(self.now);
        let mut disk = process.store.into_disk();
        disk = if power { disk.restart(self.draw.bits()) } else { disk.repaired() };
        self.control = Control::Down(disk);
        self.log.say(self.now, || format!("the control plane is down: {}", fault.name().replace('_', " ")));
    }

    /// The control plane starts again; false where it runs.
    pub(super) fn restart(&mut self) -> Result<bool, Violation> {
        if self.is_up() {
            return Ok(false);
        }
        let Control::Down(disk) = std::mem::replace(&mut self.control, Control::Down(Disk::new(0))) else {
            return Ok(false);
        };
        let broken = |what: String| Violation { rule: "what was durable is recovered", what };
        let mut store = ModelStore::open(disk).map_err(|error| broken(error.to_string()))?;
        let recovered = recover(&mut store).map_err(|error| broken(error.to_string()))?;
        if let Some(in_flight) = self.in_flight.take().filter(|in_flight| in_flight.head == recovered.head) {
            self.durable = Durable { state: in_flight.state, head: in_flight.head };
            self.now_durable(&in_flight.steps)?;
        }
        if recovered.head != self.durable.head {
            let (found, durable) = (recovered.head.step, self.durable.head.step);
            return Err(broken(format!("the journal ends at step {found}, and step {durable} was durable")));
        }
        if recovered.state != self.durable.state {
            return Err(broken(format!("the state at step {} is another", recovered.head.step)));
        }
        let replayed = recovered.replayed;
        let machine = Machine::new(recovered.state, false);
        self.control = Control::Up(Box::new(Process { machine, store, head: recovered.head, asks: Vec::new() }));
        self.spoil_disk();
        self.life += 1;
        self.gaps += 1;
        self.figures.starts += 1;
        self.log.say(self.now, || {
            let word = plural(replayed);
            format!("the control plane is up at step {}, {replayed} step{word} replayed", recovered.head.step)
        });
        self.check(true)?;
        self.meet();
        Ok(true)
    }

    /// The disk has no fault any more, but for one that is planted.
    pub(super) fn disk_is_well(&mut self) {
        self.disk_fault(|_| None);
        self.spoil_disk();
    }

    /// A disk that lies, where that is planted.
    pub(super) fn spoil_disk(&mut self) {
        let lies = self.watch.plant.has(Bug::TailNotSynced);
        if let Control::Up(process) = &mut self.control
            && lies
        {
            process.store.disk_mut().expect(Some(DiskFault::LyingSync));
        }
    }

    /// A fault for the disk; false while nobody writes to it.
    pub(super) fn disk_fault(&mut self, fault: impl FnOnce(&Disk) -> Option<DiskFault>) -> bool {
        let Control::Up(process) = &mut self.control else { return false };
        let disk = process.store.disk_mut();
        let fault = fault(disk);
        disk.expect(fault);
        true
    }

    /// Saves a snapshot, or forgets what snapshots cover; false while the control plane is down.
    pub(super) fn keep_house(&mut self, prune: bool) -> bool {
        let now = self.clock();
        let Control::Up(process) = &mut self.control else { return false };
        let failed = if prune {
            process.store.prune(now, now).is_err()
        } else {
            let body = serde_json::to_vec(process.machine.state()).expect("a state is JSON and memory takes it");
            process.store.save_snapshot(&Snapshot { head: process.head, body }).is_err()
        };
        if failed {
            self.crash(Fault::DiskError, false);
        }
        true
    }

    /// How what has left memory has ended, as the history has it.
    pub(super) fn history(&mut self, id: WorkloadId) -> Vec<(WorkloadId, eaf_model::WorkloadState)> {
        let Control::Up(process) = &mut self.control else { return Vec::new() };
        let filter = eaf_store::EndedFilter { list: Some(id), limit: 100, ..eaf_store::EndedFilter::default() };
        let ended = process.store.list_ended(&filter).unwrap_or_default();
        ended.into_iter().map(|ended| (ended.workload.id, ended.workload.state)).collect()
    }

    /// An ended workload of the history.
    pub(super) fn ended(&mut self, id: WorkloadId) -> Option<std::sync::Arc<eaf_core::Workload>> {
        let Control::Up(process) = &mut self.control else { return None };
        process.store.ended(id).ok().flatten().map(|ended| ended.workload)
    }

    /// True where the history has a workload of this key, and memory has not.
    pub(super) fn key_is_history(&mut self, key: &str) -> bool {
        let Control::Up(process) = &mut self.control else { return false };
        let state = process.machine.state();
        state.has_forgotten()
            && state.remembered_by_key(key).is_none()
            && process.store.ended_with_key(key).ok().flatten().is_some()
    }

    /// What is owed has been given to the engine, and a gang is ordered whole.
    fn check_orders(&self) -> Result<(), Violation> {
        let Control::Up(process) = &self.control else { return Ok(()) };
        if self.gaps != self.mended || self.mail.errands > 0 {
            return Ok(());
        }
        for effect in process.machine.outstanding() {
            if let Effect::SetMode(order) = &effect
                && !self.received_modes.contains(&(order.node, order.order, order.mode.clone()))
            {
                let what = format!("the engine never had the order to bring {} into {}", order.name, order.mode);
                return Err(Violation { rule: "what is owed is ordered", what });
            }
            let start = matches!(effect, Effect::Start(_));
            let Some(key) = effect.key() else { continue };
            if self.received.contains(&(key, start)) {
                continue;
            }
            let rest = (0..16).find(|task| self.received.contains(&(TaskKey { task: *task, ..key }, true)));
            if start && rest.is_some() {
                let what = format!("{} was not ordered, and others of it were", key_text(key));
                return Err(Violation { rule: "a gang starts whole or not at all", what });
            }
            let order = if start { "start" } else { "stop" };
            let what = format!("the engine never had the order to {order} {}", key_text(key));
            return Err(Violation { rule: "what is owed is ordered", what });
        }
        Ok(())
    }
}
