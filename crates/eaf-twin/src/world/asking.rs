//! What a world is asked: why a workload waits and until when, and what would come of a submission.
//!
//! What: the answers of the core, said in the log and held against what they must be. Why the search asks too: an answer
//! must come whatever has happened, and asking may change nothing. Absent: how good the answers are; replays score that.

use super::{Case, World, log::clock_text, play::Played, play::workload_spec};
use crate::script::{JobSpec, milli_text, plural, span_text};
use eaf_core::{Violation, explain, preview};
use eaf_model::{Blocker, Change, Explanation, Short, StartEstimate, Submission, Test, WorkloadState};

fn broken(what: String) -> Violation {
    Violation { rule: "who waits is told why and until when", what }
}

impl World {
    /// Asks why a workload waits.
    pub(super) fn explain(&mut self, name: &str) -> Result<Played, Violation> {
        let asked = self.find(name).filter(|_| self.is_up());
        let Some(answer) = asked.and_then(|id| explain(self.state(), self.clock(), id)) else {
            return Ok(Played::Nothing(format!("there is no live {name}")));
        };
        if answer.state == WorkloadState::Queued {
            if answer.blockers.is_empty() || answer.estimate.is_none() {
                return Err(broken(format!("{name} waits, and is told {answer:?}")));
            }
            self.coverage.case(Case::WaitExplained);
        }
        self.answered(name, &answer)?;
        Ok(Played::Done)
    }

    /// Asks what would come of a submission.
    pub(super) fn what_if(&mut self, name: &str, job: &JobSpec) -> Result<Played, Violation> {
        if !self.is_up() {
            return Ok(Played::Nothing("the control plane is down".to_owned()));
        }
        let mut spec = workload_spec(name, job, self.clock());
        let ids = |names: &[String]| names.iter().filter_map(|name| self.find(name)).collect();
        (spec.after_ok, spec.after_any) = (ids(&job.after_ok), ids(&job.after_any));
        let array = (0..job.array).collect();
        let submission = Submission { spec, array, key: None, by: "someone".to_owned(), ended: Vec::new() };
        let before = self.state().clone();
        let answer = preview(self.state(), self.clock(), &submission);
        if *self.state() != before {
            return Err(broken(format!("asking about {name} has changed the factory")));
        }
        match answer {
            Err(rejection) => self.log.say(self.now, || format!("{name} would be refused: {}", rejection.code())),
            Ok(answer) => {
                let (starting, of) = (answer.starting, answer.workloads);
                let places: Vec<String> = answer
                    .placement
                    .iter()
                    .flat_map(|placement| &placement.tasks)
                    .map(|part| self.node_title(part.node))
                    .collect();
                self.coverage.case(if starting > 0 { Case::WhatIfStarts } else { Case::WhatIfWaits });
                if starting > 0 {
                    let places = places.join(", ");
                    self.log.say(self.now, || format!("{name}: {starting} of {of} would start now on {places}"));
                }
                if let Some(explanation) = &answer.explanation {
                    self.answered(name, explanation)?;
                }
            }
        }
        Ok(Played::Done)
    }

    /// Says an explanation.
    fn answered(&mut self, name: &str, answer: &Explanation) -> Result<(), Violation> {
        for blocker in &answer.blockers {
            let text = self.blocker_text(blocker);
            self.log.say(self.now, || format!("{name} waits: {text}"));
        }
        if !answer.failing.is_empty() {
            let failing = answer.failing.iter().map(|failing| format!("{} {}", failing.nodes, test_word(failing.test)));
            let failing = failing.collect::<Vec<_>>().join(", ");
            let (fitting, total) = (answer.nodes_fitting, answer.nodes_total);
            self.log.say(self.now, || format!("{name}: {fitting} of {total} nodes could take a task; not: {failing}"));
        }
        for change in &answer.would_start {
            self.log.say(self.now, || format!("{name} would start now {}", change_text(change)));
        }
        if let Some(estimate) = &answer.estimate {
            if estimate.p90.is_some_and(|p90| estimate.p50.is_none_or(|p50| p50 > p90)) {
                return Err(broken(format!("{name} starts by {estimate:?}")));
            }
            let by_runs = estimate.learned_from > 0;
            self.coverage.case(if by_runs { Case::StartEstimatedByRuns } else { Case::StartEstimated });
            self.log.say(self.now, || format!("{name} {}", estimate_text(estimate)));
        }
        Ok(())
    }

    fn blocker_text(&self, blocker: &Blocker) -> String {
        match blocker {
            Blocker::Dependencies { workloads, pending } => {
                let names: Vec<String> = workloads.iter().map(|id| self.title(*id)).collect();
                format!("for {pending} to end: {}", names.join(", "))
            }
            Blocker::Backoff { until } => format!("its next attempt is due at {}", clock_text(*until)),
            Blocker::Capacity { tasks_placeable, tasks_wanted, short } => {
                let words: Vec<&str> = short.iter().map(|short| short_word(*short)).collect();
                let short = if words.is_empty() { String::new() } else { format!(", short of {}", words.join(", ")) };
                format!("{tasks_placeable} of {tasks_wanted} tasks would find a place{short}")
            }
            Blocker::Scattered { free, wanted } => {
                format!("{} thousandths of accelerators are free and scattered, {} are wanted", free.0, wanted.0)
            }
            Blocker::ModeChange { node, mode, draining, .. } => {
                let doing = if *draining { "emptied for" } else { "brought into" };
                format!("accelerators of {} are being {doing} mode {mode} for it", self.node_title(*node))
            }
            Blocker::Planned { at, latest: None } => {
                format!("it is to start at {}, which may move", clock_text(*at))
            }
            Blocker::Planned { at, latest: Some(latest) } if at == latest => {
                format!("it starts at {} at the latest", clock_text(*at))
            }
            Blocker::Planned { at, latest: Some(latest) } => {
                format!("it is to start at {}, at the latest at {}", clock_text(*at), clock_text(*latest))
            }
            Blocker::Hold { workload, at } => {
                format!("it would delay {}, which is to start at {}", self.title(*workload), clock_text(*at))
            }
            Blocker::Share { share: Some(share), model, limit, .. } => {
                format!("share {share} may hold no more than {} of {model}", milli_text(limit.0))
            }
            Blocker::Share { share: None, model, .. } => format!("what is free of {model} is kept for other shares"),
            Blocker::Reserved { nodes, until } => {
                let plural = plural(u64::from(*nodes));
                format!("{nodes} node{plural} kept for others in its time, at first until {}", clock_text(*until))
            }
            Blocker::Preemption { workloads } => format!("{workloads} others are stopped for it"),
            Blocker::NextPass => "it is next".to_owned(),
            Blocker::NodesNotReady { cordoned, lost } => {
                format!("only nodes that are not ready could hold it ({cordoned} cordoned, {lost} lost)")
            }
            Blocker::ShareTooSmall { share: Some(share), model, .. } => {
                format!("it asks for more {model} than {share} may ever hold")
            }
            Blocker::ShareTooSmall { share: None, model, .. } => {
                format!("it asks for more {model} than others ever lend")
            }
            Blocker::FleetTooSmall => "the fleet can never hold it".to_owned(),
        }
    }
}

const fn short_word(short: Short) -> &'static str {
    match short {
        Short::Cpu => "cpu",
        Short::Memory => "memory",
        Short::Accelerators => "accelerators",
        Short::AcceleratorModel => "accelerators of its models",
        Short::TasksPerNode => "nodes for so few tasks each",
    }
}

const fn test_word(test: Test) -> &'static str {
    match test {
        Test::Cordoned => "cordoned",
        Test::Lost => "lost",
        Test::AcceleratorModel => "without its models",
        Test::Cpu => "too little cpu",
        Test::Memory => "too little memory",
        Test::Mode => "no accelerator in a mode for it",
        Test::Accelerators => "too few accelerators",
        Test::Reserved => "kept for others",
    }
}

fn change_text(change: &Change) -> String {
    match change {
        Change::FewerTasks { tasks } => format!("with {tasks} task{}", plural(u64::from(*tasks))),
        Change::FewerAccelerators { count } => format!("with {count} accelerator{} a task", plural(u64::from(*count))),
        Change::SmallerShare { share } => format!("with {} thousandths of an accelerator", share.0),
        Change::LessCpu { cpu } => format!("with {} thousandths of a cpu a task", cpu.0),
        Change::LessMemory { memory } => format!("with {} MiB a task", memory.0 >> 20),
        Change::OtherModels { models } => format!("on {}", models.join(", ")),
        Change::AnyTasksPerNode => "with any number of tasks a node".to_owned(),
        Change::ShorterWallTime { wall_time } => format!("with a wall time of {}", span_text(*wall_time)),
    }
}

fn estimate_text(estimate: &StartEstimate) -> String {
    let basis = match estimate.learned_from {
        0 => "by wall times".to_owned(),
        attempts => format!("{} runs, learned from {attempts}", estimate.runs),
    };
    let basis = match estimate.stops {
        0 => basis,
        stops => format!("{stops} stopped for it, {basis}"),
    };
    match (estimate.p50, estimate.p90, estimate.not_before) {
        (Some(p50), Some(p90), _) if p50 == p90 => format!("starts by {} ({basis})", clock_text(p50)),
        (Some(p50), Some(p90), _) => {
            format!("starts by {}, nine times in ten by {} ({basis})", clock_text(p50), clock_text(p90))
        }
        (Some(p50), None, _) => format!("starts by {}, or nobody knows when ({basis})", clock_text(p50)),
        (None, _, Some(at)) => format!("does not start before {} ({basis})", clock_text(at)),
        (None, _, None) => "may never start".to_owned(),
    }
}
