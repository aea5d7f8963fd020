//! What happened, in virtual time, for people.
//!
//! What: a line an occurrence, with the names that the script gave; what happens to many at once is one line. Absent:
//! what concerns nobody (accepted orders, readings).

use super::{EPOCH, World};
use crate::script::reason_word;
use eaf_core::Step;
use eaf_model::{
    Allotment, AllottedAccelerator, Bytes, CpuMilli, Event, Input, LeaseId, ModeReason, NodeId, NodeSpec, Reason, Span,
    TaskReport, Time, WorkloadId, WorkloadState,
};
use std::collections::BTreeMap;

/// The lines so far, if anybody wants them.
pub(super) struct Log {
    wanted: bool,
    lines: Vec<String>,
    /// What happened to members of arrays at this instant: the array, what, the first of them, and how many.
    members: Vec<(String, String, String, u64)>,
    members_at: Time,
}

/// Up to how many that say the same are named one by one.
const NAMED_MAX: usize = 4;

impl Log {
    pub(super) const fn new(wanted: bool) -> Self {
        Self { wanted, lines: Vec::new(), members: Vec::new(), members_at: EPOCH }
    }

    /// Says something, if anybody listens.
    pub(super) fn say(&mut self, now: Time, what: impl FnOnce() -> String) {
        if self.wanted {
            self.flush();
            self.lines.push(format!("{}  {}", clock_text(now), what()));
        }
    }

    /// Says what happened to a member of an array, together with all to whom the same happens at this instant.
    fn member(&mut self, now: Time, array: String, member: String, what: String) {
        if now != self.members_at {
            self.flush();
            self.members_at = now;
        }
        match self.members.iter_mut().find(|(one, same, ..)| *one == array && *same == what) {
            Some((_, _, _, count)) => *count += 1,
            None => self.members.push((array, what, member, 1)),
        }
    }

    fn flush(&mut self) {
        let at = clock_text(self.members_at);
        for (array, what, first, count) in self.members.drain(..) {
            let who = if count == 1 { first } else { format!("{count} members of {array}") };
            self.lines.push(format!("{at}  {who}: {what}"));
        }
    }

    /// All of it.
    pub(super) fn into_lines(mut self) -> Vec<String> {
        self.flush();
        self.lines
    }
}

/// The time since the beginning: `01:30:00.000`.
pub(super) fn clock_text(now: Time) -> String {
    let ms = now.since(EPOCH).0;
    let (hours, minutes, seconds) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60);
    format!("{hours:02}:{minutes:02}:{seconds:02}.{:03}", ms % 1_000)
}

/// What an engine said, in words.
pub(super) fn report_word(report: &TaskReport) -> String {
    match report {
        TaskReport::Accepted => "accepted".to_owned(),
        TaskReport::Started { .. } => "started".to_owned(),
        TaskReport::Used { .. } => "a reading".to_owned(),
        TaskReport::Checkpointed(_) => "a checkpoint".to_owned(),
        TaskReport::Exited { exit, .. } => crate::script::exit_word(exit),
        TaskReport::Unknown => "unknown".to_owned(),
    }
}

/// Whom a line is about.
enum Subject {
    One(String),
    /// An array, and its member.
    Member(String, String),
}

/// What a node has, in words.
fn parts_text(spec: &NodeSpec) -> String {
    let mut models: BTreeMap<&str, usize> = BTreeMap::new();
    for accelerator in &spec.accelerators {
        *models.entry(&accelerator.model).or_default() += 1;
    }
    let CpuMilli(cpu) = spec.cpu;
    let Bytes(memory) = spec.memory;
    let mut items = vec![format!("{} cpu", cpu / 1_000), format!("{} GiB", memory >> 30)];
    items.extend(models.iter().map(|(model, count)| format!("{count} {model}")));
    items.join(", ")
}

/// True where these are numbered one after the other.
fn is_a_run(names: &[&str]) -> bool {
    let front = |name: &str| name.trim_end_matches(|last: char| last.is_ascii_digit()).len();
    let number = |name: &str| name[front(name)..].parse::<u64>().ok();
    let next = |name: &str| Some(format!("{}{}", &name[..front(name)], number(name)?.checked_add(1)?));
    names.windows(2).all(|pair| next(pair[0]).as_deref() == Some(pair[1]))
}

impl World {
    /// The name of a workload: `train`, or `sweep.3` for a member.
    pub(super) fn title(&self, id: WorkloadId) -> String {
        let list = self.titles.get(&id.list()).cloned().unwrap_or_else(|| id.list().to_string());
        id.member().map_or_else(|| list.clone(), |member| format!("{list}.{member}"))
    }

    fn who(&self, id: WorkloadId) -> Subject {
        match id.member() {
            Some(_) => Subject::Member(self.title(id.list()), self.title(id)),
            None => Subject::One(self.title(id)),
        }
    }

    pub(super) fn node_title(&self, id: NodeId) -> String {
        self.node_names.get(&id).cloned().unwrap_or_else(|| id.to_string())
    }

    /// Whom a request is about.
    pub(super) fn subject(&self, input: &Input) -> String {
        match input {
            Input::Submit(submission) => submission.spec.name.clone(),
            Input::Cancel { workload, .. } => self.title(*workload),
            Input::NodeSeen(spec) => spec.name.clone(),
            Input::NodeLost { node, .. }
            | Input::Cordon { node, .. }
            | Input::Uncordon { node }
            | Input::RemoveNode { node }
            | Input::SetMode { node, .. }
            | Input::ModeReported { node, .. } => self.node_title(*node),
            Input::Configure(_) => "settings".to_owned(),
            Input::ApplyPolicy { .. } => "policy".to_owned(),
            Input::ModesSeen { name, .. } => name.clone(),
            Input::Reported { .. } | Input::Wake | Input::Plan => "the engine".to_owned(),
        }
    }

    /// Learns the names that an event brings.
    pub(super) fn learn(&mut self, event: &Event) {
        match event {
            Event::NodeAdded { node, spec } => {
                self.node_ids.insert(spec.name.clone(), *node);
                self.node_names.insert(*node, spec.name.clone());
                self.figures.nodes_max = self.figures.nodes_max.max(self.node_ids.len() as u64);
            }
            Event::NodeRemoved { node } => {
                if let Some(name) = self.node_names.get(node) {
                    self.node_ids.remove(name);
                    self.engine.nodes.remove(name);
                }
            }
            Event::WorkloadSubmitted { workload, spec, array, .. } => {
                self.names.insert(spec.name.clone(), *workload);
                self.titles.insert(*workload, spec.name.clone());
                self.figures.workloads += array.len().max(1) as u64;
            }
            _ => {}
        }
    }

    /// Tells of durable steps.
    pub(super) fn tell(&mut self, steps: &[Step]) {
        if !self.log.wanted {
            return;
        }
        let said = steps.iter().flat_map(|step| step.events.iter().map(|event| (step.at, event)));
        let said: Vec<(Subject, String)> = said.filter_map(|(at, event)| self.words(at, event)).collect();
        let mut plain = Vec::new();
        for (who, text) in said {
            match who {
                Subject::Member(array, member) => {
                    self.tell_plain(&std::mem::take(&mut plain));
                    self.log.member(self.now, array, member, text);
                }
                Subject::One(who) => plain.push((who, text)),
            }
        }
        self.tell_plain(&plain);
    }

    fn tell_plain(&mut self, said: &[(String, String)]) {
        let mut rest = said;
        while let Some((first, text)) = rest.first() {
            let same = rest.iter().take_while(|(_, other)| other == text).count();
            let names: Vec<&str> = rest[..same].iter().map(|(name, _)| name.as_str()).collect();
            let who = if same <= NAMED_MAX && (same < 3 || !is_a_run(&names)) {
                names.join(", ")
            } else {
                format!("{first} to {}", names[same - 1])
            };
            self.log.say(self.now, || format!("{who}: {text}"));
            rest = &rest[same..];
        }
    }

    /// Whom an event is about, and what it says of them; `None` where it concerns nobody.
    fn words(&self, at: Time, event: &Event) -> Option<(Subject, String)> {
        let node = |id: &NodeId, text: String| Some((Subject::One(self.node_title(*id)), text));
        let work = |id: &WorkloadId, text: String| Some((self.who(*id), text));
        match event {
            Event::Configured(_) => Some((Subject::One("settings".to_owned()), "in force".to_owned())),
            Event::PolicyApplied { .. } => Some((Subject::One("policy".to_owned()), "in force".to_owned())),
            Event::WindowsMoved { begun, over } => {
                let said = [("begun", begun), ("over", over)].map(|(what, names)| (what, names.join(", ")));
                let said = said.iter().filter(|(_, names)| !names.is_empty());
                let said: Vec<String> = said.map(|(what, names)| format!("{names} {what}")).collect();
                Some((Subject::One("windows".to_owned()), said.join("; ")))
            }
            Event::NodeAdded { node: id, spec } => node(id, format!("joined with {}", parts_text(spec))),
            Event::NodeChanged { node: id, spec } => node(id, format!("has {}", parts_text(spec))),
            Event::NodeLost { node: id, why } => node(id, format!("not heard of ({why})")),
            Event::NodeGivenUp { node: id } => node(id, "given up; its work goes on without it".to_owned()),
            Event::NodeBack { node: id } => node(id, "heard of again".to_owned()),
            Event::NodeCordoned { node: id, why } => node(id, format!("takes no more work ({why})")),
            Event::NodeUncordoned { node: id } => node(id, "takes work again".to_owned()),
            Event::NodeRemoved { node: id } => node(id, "left the site".to_owned()),
            Event::ModeDraining { .. }
            | Event::ModeKept { .. }
            | Event::ModeOrdered { .. }
            | Event::ModeVerified { .. }
            | Event::ModeFailed { .. } => self.mode_words(event),
            Event::WorkloadSubmitted { workload, array, waits_for, .. } => {
                let many = if array.is_empty() { String::new() } else { format!(" with {} members", array.len()) };
                let waits =
                    if waits_for.is_empty() { String::new() } else { format!(", waits for {}", self.these(waits_for)) };
                work(workload, format!("queued as {workload}{many}{waits}"))
            }
            Event::LeaseGranted { lease, workload, placement, .. } if workload.member().is_none() => {
                work(workload, format!("granted {} (lease {lease})", self.places(&placement.tasks)))
            }
            Event::LeaseGranted { workload, .. } => work(workload, "granted a place".to_owned()),
            Event::WorkloadRequeued { workload, reason, not_before, .. } => {
                let wait = crate::script::span_text(not_before.since(at));
                work(workload, format!("queued again in {wait}: {}", reason_word(reason)))
            }
            Event::WorkloadEligible { workload } => work(workload, "may be tried again".to_owned()),
            Event::WorkloadPromised { workload, latest } => {
                work(workload, format!("is told that it starts at {} at the latest", clock_text(*latest)))
            }
            Event::WorkloadPassed { workload } => work(workload, "goes behind those who were told since".to_owned()),
            Event::WorkloadAged { workload } => work(workload, "has waited so long that it goes first".to_owned()),
            Event::ServiceLevelReached { workload, level } => work(workload, format!("reached service level {level}")),
            Event::WorkloadPreempted { workload, by } => {
                work(workload, format!("waits again in its place; it made room for {}", self.title(*by)))
            }
            Event::WorkloadEnded { workload, state, reason } => {
                let why = if *state == WorkloadState::Cancelled {
                    String::new()
                } else {
                    format!(": {}", reason_word(reason))
                };
                work(workload, format!("{}{why}", state.word()))
            }
            _ => self.task_words(event),
        }
    }

    /// The same for what happens to modes.
    fn mode_words(&self, event: &Event) -> Option<(Subject, String)> {
        let boards = |list: &[u16]| {
            let list: Vec<String> = list.iter().map(u16::to_string).collect();
            format!("accelerator{} {}", crate::script::plural(list.len() as u64), list.join(" "))
        };
        let (node, text) = match event {
            Event::ModeDraining { node, accelerators, to, workload, .. } => {
                let whose = self.title(*workload);
                (node, format!("{}: no more work, {to} when empty, for {whose}", boards(accelerators)))
            }
            Event::ModeKept { node, accelerators } => (node, format!("{}: takes work as it is", boards(accelerators))),
            Event::ModeOrdered { node, accelerators, to, reason, .. } => {
                let why = match reason {
                    ModeReason::Wanted { workload } => format!("for {}", self.title(*workload)),
                    _ => "by order of an operator".to_owned(),
                };
                (node, format!("{}: changing to {to}, {why}", boards(accelerators)))
            }
            Event::ModeVerified { node, accelerators, mode } => {
                (node, format!("{}: {mode} is in force", boards(accelerators)))
            }
            Event::ModeFailed { node, accelerators, why } => {
                (node, format!("{}: out of service ({why})", boards(accelerators)))
            }
            _ => return None,
        };
        Some((Subject::One(self.node_title(*node)), text))
    }

    /// The same for what happens to leases and their tasks.
    fn task_words(&self, event: &Event) -> Option<(Subject, String)> {
        let of = |lease: LeaseId| {
            let workload = self.reference.workload_of(lease);
            (workload, workload.map_or_else(|| Subject::One(lease.to_string()), |workload| self.who(workload)))
        };
        match event {
            Event::TaskStarted { key, run_until, .. } => {
                let (workload, title) = of(key.lease);
                let member = workload.is_some_and(|workload| workload.member().is_some());
                let text = match run_until {
                    None => format!("task {} has started", key.task),
                    Some(_) if member => "running".to_owned(),
                    Some(_) => format!("running (lease {})", key.lease),
                };
                Some((title, text))
            }
            Event::TaskCheckpointed { key, checkpoint } => {
                let whole = if checkpoint.whole_gang { "the whole gang" } else { "it" };
                let text = format!("task {} has a checkpoint of {whole} at {}", key.task, clock_text(checkpoint.at));
                Some((of(key.lease).1, text))
            }
            Event::TaskExited { key, exit, .. } => {
                let (workload, title) = of(key.lease);
                let member = workload.is_some_and(|workload| workload.member().is_some());
                // What a member's only task did is told by its end.
                let text = format!("task {} is gone: {}", key.task, crate::script::exit_word(exit));
                (!member).then_some((title, text))
            }
            Event::LeaseClosed { lease, bill, .. } => {
                let lost = Span(bill.preempted?.lost.0);
                let text = match lost {
                    Span::ZERO => "its receipt: no accelerator time lost".to_owned(),
                    lost => format!("its receipt: {} of accelerator time lost", crate::script::span_text(lost)),
                };
                Some((of(*lease).1, text))
            }
            Event::TaskAbandoned { key, .. } => {
                Some((of(key.lease).1, format!("task {} is given up; its place is kept", key.task)))
            }
            Event::AbandonedTaskGone { key, node } => {
                let text = format!("task {} is gone; its place on {} is free", key.task, self.node_title(*node));
                Some((of(key.lease).1, text))
            }
            Event::LeaseEvictable { lease } => Some((of(*lease).1, "may now be stopped for others".to_owned())),
            Event::LeaseStopping { lease, reason: Reason::Preempted { by }, .. } => {
                Some((of(*lease).1, format!("stopping: it makes room for {}", self.title(*by))))
            }
            Event::LeaseStopping { lease, reason, .. } => {
                Some((of(*lease).1, format!("stopping: {}", reason_word(reason))))
            }
            _ => None,
        }
    }

    fn places(&self, parts: &[Allotment]) -> String {
        let slice = |one: &AllottedAccelerator| {
            one.slice.as_ref().map(|slice| format!("{} at {} of accelerator {}", slice.profile, slice.start, one.index))
        };
        let place = |part: &Allotment| {
            let slices: Vec<String> = part.accelerators.iter().filter_map(slice).collect();
            let node = self.node_title(part.node);
            if slices.is_empty() { node } else { format!("{node} {}", slices.join(" and ")) }
        };
        parts.iter().map(place).collect::<Vec<_>>().join(", ")
    }

    /// A few workloads by name.
    fn these(&self, ids: &[WorkloadId]) -> String {
        let few: Vec<String> = ids.iter().take(4).map(|id| self.title(*id)).collect();
        if ids.len() > 4 { format!("{} and {} more", few.join(", "), ids.len() - 4) } else { few.join(", ") }
    }
}
