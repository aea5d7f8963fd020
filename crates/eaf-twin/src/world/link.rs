//! What is on its way: reports to the control plane, errands to the engine, and what time will bring.
//!
//! What: a heap by time. Errands arrive in the order they were given, as over the live driver's link; reports may be late,
//! doubled, lost and overtaken. Why an errand carries a life: what a process had not sent dies with it. Absent: policy.

use super::engine::Act;
use super::{Bug, Fault, World};
use eaf_core::{Expected, Met, Violation};
use eaf_model::{
    Allotment, Effect, LeaseId, ModeOrder, ModeReport, NodeId, Span, StartOrder, StopOrder, TaskKey, TaskReport, Time,
};
use std::collections::BTreeMap;

/// How long until the silence of a node is noticed.
const HEARTBEAT: Span = Span::from_secs(5);
/// How long until a loss of reports is noticed, and the engine is met again.
const NOTICED: Span = Span::from_secs(10);

/// Something that arrives.
#[derive(Clone, Debug)]
pub(super) enum Item {
    /// At the control plane: a report.
    Report(TaskKey, TaskReport),
    /// At the control plane: what came of an order of a mode.
    ModeReport(NodeId, Vec<u16>, u64, ModeReport),
    /// At the control plane: a node may be silent.
    Heartbeat(String),
    /// At the control plane: the engine is out of reach as a whole.
    Unreachable,
    /// At the control plane: the engine asks to be met.
    Reachable,
    /// At the control plane: everything that the engine knows.
    Met { met: Box<Met>, expected: Box<Expected>, life: u64, gaps: u64 },
    /// At the engine: an order.
    Order(Box<Effect>, u64),
    /// At the engine: exits that are durable.
    Settle(Vec<TaskKey>, u64),
    /// At the engine: say everything.
    Meet(Box<Expected>, u64),
    /// Within the engine: a task goes on.
    Later(TaskKey, u32),
    /// Within the engine: a change of mode is done.
    LaterMode(Box<ModeOrder>),
}

/// What is on its way, by time.
#[derive(Default)]
pub(super) struct Mail {
    items: BTreeMap<(Time, u64), Item>,
    count: u64,
    /// When the last errand arrives.
    link_until: Time,
    /// Errands on their way.
    pub(super) errands: u64,
    /// When the last answer of a meeting arrives: answers do not overtake each other.
    met_until: Time,
    /// When the last report arrives, to know who overtakes whom.
    reports_until: Time,
    noticing: bool,
}

impl Mail {
    pub(super) fn push(&mut self, at: Time, item: Item) {
        self.count += 1;
        self.items.insert((at, self.count), item);
    }

    /// The time of the next item.
    pub(super) fn next_at(&self) -> Option<Time> {
        self.items.first_key_value().map(|((at, _), _)| *at)
    }

    /// The reports of a task that nobody knows any more were lost with its machine.
    fn forget(&mut self, key: TaskKey) {
        self.items.retain(|_, item| !matches!(item, Item::Report(of, _) if *of == key));
    }

    /// The link is gone; the next one carries at once.
    pub(super) fn cut(&mut self, now: Time) {
        self.link_until = now;
    }

    /// The next item that is due.
    pub(super) fn pop(&mut self, now: Time) -> Option<Item> {
        let entry = self.items.first_entry().filter(|entry| entry.key().0 <= now)?;
        Some(entry.remove())
    }
}

impl World {
    /// Carries out what follows from something at the engine.
    pub(super) fn act(&mut self, acts: Vec<Act>) -> Result<(), Violation> {
        for act in acts {
            match act {
                Act::Say(key, report) => self.say(key, &report),
                Act::Later(at, key, plan) => self.mail.push(at, Item::Later(key, plan)),
                Act::Began(key, part) => {
                    let part = self.really(part);
                    self.reference.began(key, &part)?;
                }
                Act::Gone(key) => {
                    self.careless(key)?;
                    self.reference.gone(key)?;
                }
                Act::SayMode(order, report) => self.say_mode(&order, &report),
                Act::LaterMode(at, order) => self.mail.push(at, Item::LaterMode(Box::new(order))),
                Act::Cut(node, board) => self.cut(&node, board)?,
                Act::Forgotten(key) => {
                    self.gaps += 1;
                    self.mail.forget(key);
                    self.received.remove(&(key, true));
                    self.received.remove(&(key, false));
                    self.reference.forgotten(key);
                }
            }
        }
        Ok(())
    }

    /// Where a task really is: at the first place of its board, where a careless engine is planted.
    fn really(&self, mut part: Allotment) -> Allotment {
        if self.watch.plant.has(Bug::SliceTwice) {
            for slice in part.accelerators.iter_mut().filter_map(|one| one.slice.as_mut()) {
                slice.start = 0;
            }
        }
        part
    }

    /// Sends a report on its way.
    fn say(&mut self, key: TaskKey, report: &TaskReport) {
        self.send(&Item::Report(key, report.clone()));
    }

    /// Sends something on its way to the control plane.
    pub(super) fn send(&mut self, item: &Item) {
        if self.engine.unreachable {
            return;
        }
        if self.modes.loses && self.draw.one_in(2) {
            self.fault(Fault::ReportLost);
            if !std::mem::replace(&mut self.mail.noticing, true) {
                self.mail.push(self.now.after(NOTICED), Item::Reachable);
            }
            return;
        }
        let copies = if self.modes.doubles { 2 } else { 1 };
        for copy in 0..copies {
            let mut at = self.now;
            if let Some(most) = self.modes.delay {
                at = at.after(Span(self.draw.below(most.0 + 1)));
            }
            if copy > 0 {
                self.fault(Fault::ReportDoubled);
                at = at.after(Span(self.draw.below(4_000)));
            }
            if at > self.now {
                self.fault(Fault::ReportLate);
            }
            if at < self.mail.reports_until {
                self.fault(Fault::ReportOvertook);
            }
            self.mail.reports_until = self.mail.reports_until.max(at);
            self.mail.push(at, item.clone());
        }
    }

    /// Gives an errand to the link; it arrives behind those that were given before.
    pub(super) fn give(&mut self, item: Item) {
        let mut at = self.now.max(self.mail.link_until);
        if let Some(most) = self.modes.slow {
            let slow = self.now.after(Span(self.draw.below(most.0 + 1)));
            at = at.max(slow);
        }
        if at > self.now {
            self.fault(Fault::OrderLate);
        }
        self.mail.link_until = at;
        self.mail.errands += 1;
        self.mail.push(at, item);
    }

    /// Orders, in order.
    pub(super) fn give_orders(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let in_part = self.watch.plant.has(Bug::GangInPart) && effect.key().is_some_and(|key| key.task > 0);
            if !(in_part && matches!(effect, Effect::Start(_))) {
                self.give(Item::Order(Box::new(effect), self.life));
            }
        }
    }

    /// An errand has arrived at the engine, unless who gave it is gone.
    pub(super) fn errand(&mut self, item: Item) -> Result<(), Violation> {
        self.mail.errands -= 1;
        let life = match &item {
            Item::Order(_, life) | Item::Settle(_, life) | Item::Meet(_, life) => *life,
            _ => self.life,
        };
        if life != self.life || !self.is_up() {
            self.fault(Fault::OrderLost);
            return Ok(());
        }
        match item {
            Item::Order(effect, _) => self.order(&effect),
            Item::Settle(keys, _) if !self.engine.unreachable => {
                for key in keys {
                    self.engine.settle(key);
                }
                Ok(())
            }
            Item::Meet(expected, life) if !self.engine.unreachable => {
                let met = Box::new(Met {
                    nodes: self.engine.discover(),
                    known: self.engine.known(),
                    modes: self.engine.seen_modes(),
                });
                let at = self.modes.delay.map_or(self.now, |most| self.now.after(Span(self.draw.below(most.0 + 1))));
                let at = at.max(self.mail.met_until);
                self.mail.met_until = at;
                self.mail.push(at, Item::Met { met, expected, life, gaps: self.gaps });
                Ok(())
            }
            _ => {
                self.gaps += 1;
                Ok(())
            }
        }
    }

    fn order(&mut self, effect: &Effect) -> Result<(), Violation> {
        let key = match effect {
            Effect::Start(StartOrder { key, .. }) | Effect::Stop(StopOrder { key, .. }) => *key,
            Effect::SetMode(order) => return self.order_mode(order),
        };
        let node = match effect {
            Effect::Start(order) => self.node_names.get(&order.allotment.node).cloned().unwrap_or_default(),
            _ => self.engine.node_of(key).unwrap_or_default().to_owned(),
        };
        let takes = if node.is_empty() { !self.engine.unreachable } else { self.engine.takes_orders(&node) };
        if !takes {
            self.fault(Fault::OrderLost);
            self.gaps += 1;
            return Ok(());
        }
        self.received.insert((key, matches!(effect, Effect::Start(_))));
        let acts = match effect {
            Effect::Start(order) => self.engine.start(self.now, order, &node),
            Effect::Stop(order) => self.engine.stop(self.now, order),
            Effect::SetMode(_) => Vec::new(),
        };
        self.act(acts)
    }

    /// The node is not heard of from now on.
    pub(super) fn watch_node(&mut self, node: &str) {
        self.mail.push(self.now.after(HEARTBEAT), Item::Heartbeat(node.to_owned()));
    }

    /// The engine asks to be met, at once.
    pub(super) fn reachable(&mut self) {
        self.gaps += 1;
        self.mail.push(self.now, Item::Reachable);
    }

    /// The loss of reports has been noticed.
    pub(super) fn noticed(&mut self) {
        self.mail.noticing = false;
    }

    /// A report of a lease that nobody granted arrives.
    pub(super) fn foreign_report(&mut self) {
        self.fault(Fault::ReportForeign);
        let key = TaskKey { lease: LeaseId::of_step(1 << 40), task: 0 };
        self.mail.push(self.now, Item::Report(key, TaskReport::Started { at: self.now }));
    }
}

/// What a report without a fence would be taken for.
pub(super) fn unfenced(world: &World, key: TaskKey) -> TaskKey {
    let old = world.state().lease(key.lease).is_none();
    let newer = world.reference.workload_of(key.lease).and_then(|workload| world.reference.lease_of(workload));
    match newer {
        Some(lease) if old && world.watch.plant.has(Bug::LeaseNotFenced) => TaskKey { lease, ..key },
        _ => key,
    }
}
