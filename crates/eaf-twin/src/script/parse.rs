//! Reading a script: a line an operation.
//!
//! What: words, and a place for whatever is wrong. `#` begins a comment. Absent: meaning; a name is a name until the
//! world is asked for it.

use super::error::{Problem, ScriptError};
use super::figures;
use super::ops::{CrashAt, EngineMode, Expect, Form, JobSpec, NodeParts, Op, ProgramEnd, Setting};
use super::{tenancy, words};
use eaf_model::{Bytes, CpuMilli, Span};
use std::str::FromStr;

/// The most nodes that one line brings.
const FLEET_MAX: u32 = 10_000;

/// An operation and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line, from 1; 0 where it stands in no text.
    pub number: usize,
    /// What it says.
    pub op: Op,
}

const VERBS: &str = "advance, cancel, clock, cordon, crash, destroy, disk, drain, engine, expect, explain, fail, \
                     fleet, foreign, join, kill, maintain, mode, power, prune, remove, reserve, restart, restore, \
                     seed, set, share, silence, snapshot, submit, uncordon, what-if";

/// Reads a whole script.
///
/// # Errors
/// The first line that does not read.
pub fn parse(text: &str) -> Result<Vec<Line>, ScriptError> {
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        if !line.trim().is_empty() {
            let mut words = Words::new(index + 1, line);
            let op = op(&mut words)?;
            words.end()?;
            lines.push(Line { number: index + 1, op });
        }
    }
    Ok(lines)
}

/// The words of a line; a colon and a comma are words of their own.
pub(super) struct Words<'a> {
    line: usize,
    text: &'a str,
    all: Vec<(usize, &'a str)>,
    at: usize,
}

type Read<T> = Result<T, ScriptError>;

impl<'a> Words<'a> {
    fn new(line: usize, text: &'a str) -> Self {
        let mut words = Vec::new();
        let mut start = None;
        for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
            let ends = letter.is_whitespace() || matches!(letter, ':' | ',');
            if ends {
                words.extend(start.take().map(|from| (from, &text[from..at])));
                if matches!(letter, ':' | ',') {
                    words.push((at, &text[at..=at]));
                }
            } else {
                start.get_or_insert(at);
            }
        }
        Self { line, text, all: words, at: 0 }
    }

    fn peek(&self) -> Option<&'a str> {
        self.all.get(self.at).map(|(_, word)| *word)
    }

    fn problem(&self, back: usize, problem: Problem) -> ScriptError {
        let byte = self.all.get(self.at.saturating_sub(back)).map_or(self.text.trim_end().len(), |(byte, _)| *byte);
        ScriptError { line: self.line, column: self.text[..byte].chars().count() + 1, problem }
    }

    fn expected(&self, expected: &str) -> ScriptError {
        let found = self.peek().unwrap_or_default().to_owned();
        self.problem(0, Problem::Expected { found, expected: expected.to_owned() })
    }

    pub(super) fn word(&mut self, expected: &str) -> Read<&'a str> {
        match self.peek() {
            Some(word) if !matches!(word, ":" | ",") => {
                self.at += 1;
                Ok(word)
            }
            _ => Err(self.expected(expected)),
        }
    }

    pub(super) fn eat(&mut self, word: &str) -> bool {
        let there = self.peek() == Some(word);
        self.at += usize::from(there);
        there
    }

    pub(super) fn need(&mut self, words: &[&str]) -> Read<()> {
        for word in words {
            if !self.eat(word) {
                return Err(self.expected(word));
            }
        }
        Ok(())
    }

    /// The next word, as this reads it.
    fn read<T>(&mut self, expected: &str, read: impl Fn(&str) -> Option<T>) -> Read<T> {
        let word = self.word(expected)?;
        read(word).ok_or_else(|| {
            self.at -= 1;
            self.expected(expected)
        })
    }

    pub(super) fn number<T: FromStr>(&mut self) -> Read<T> {
        let word = self.word("a number")?;
        word.parse().map_err(|_| {
            let digits = word.trim_start_matches('-');
            let found = word.to_owned();
            if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return self.problem(1, Problem::OutOfRange { found });
            }
            self.problem(1, Problem::Expected { found, expected: "a number".to_owned() })
        })
    }

    pub(super) fn span(&mut self) -> Read<Span> {
        self.read("a span such as 1h30m", figures::span)
    }

    /// The rest of the line, as it stands.
    fn rest(&mut self) -> Read<&'a str> {
        let Some((from, _)) = self.all.get(self.at) else { return Err(self.expected("a text")) };
        self.at = self.all.len();
        Ok(self.text[*from..].trim())
    }

    fn end(&self) -> Read<()> {
        if self.peek().is_none() { Ok(()) } else { Err(self.expected("the end of the line")) }
    }

    /// Names until a comma or the end.
    pub(super) fn names(&mut self) -> Read<Vec<String>> {
        let mut names = vec![self.word("a name")?.to_owned()];
        while self.peek().is_some_and(|word| word != ",") {
            names.push(self.word("a name")?.to_owned());
        }
        Ok(names)
    }
}

fn op(words: &mut Words<'_>) -> Read<Op> {
    let verb = words.word("a verb")?;
    let name = |words: &mut Words<'_>| words.word("a name").map(str::to_owned);
    Ok(match verb {
        "seed" => Op::Seed(words.number()?),
        "fleet" => {
            let count: u32 = words.number()?;
            if count > FLEET_MAX {
                return Err(words.problem(1, Problem::OutOfRange { found: count.to_string() }));
            }
            if !words.eat("nodes") {
                words.need(&["node"])?;
            }
            words.need(&[":"])?;
            Op::Fleet { count, parts: parts(words)? }
        }
        "join" => {
            let node = name(words)?;
            words.need(&[":"])?;
            Op::Join { node, parts: parts(words)? }
        }
        "set" => Op::Set(settings(words)?),
        "share" => {
            let name = name(words)?;
            words.need(&[":"])?;
            Op::Share { name, share: tenancy::share(words)? }
        }
        "reserve" | "maintain" => {
            let name = name(words)?;
            words.need(&[":"])?;
            Op::Window { name, window: tenancy::window(words, verb == "reserve")? }
        }
        "submit" => Op::Submit { name: name(words)?, job: Box::new(job(words)?) },
        "cancel" => Op::Cancel { name: name(words)? },
        "cordon" => {
            let node = name(words)?;
            words.need(&[":"])?;
            Op::Cordon { node, why: words.rest()?.to_owned() }
        }
        "uncordon" => Op::Uncordon { node: name(words)? },
        "remove" => Op::Remove { node: name(words)? },
        "mode" => {
            let node = name(words)?;
            let mut accelerators = vec![words.number()?];
            while !words.eat(":") {
                accelerators.push(words.number()?);
            }
            Op::Mode { node, accelerators, mode: words.word("a mode")?.to_owned() }
        }
        "fail" => Op::Fail { node: name(words)? },
        "destroy" => Op::Destroy { node: name(words)? },
        "silence" => Op::Silence { node: name(words)? },
        "restore" => Op::Restore { node: name(words)? },
        "kill" => {
            let name = name(words)?;
            words.need(&["task"])?;
            let task = words.number()?;
            words.need(&[":", "signal"])?;
            Op::Kill { name, task, signal: words.number()? }
        }
        "explain" => Op::Explain { name: name(words)? },
        "what-if" => Op::WhatIf { name: name(words)?, job: Box::new(job(words)?) },
        "expect" => Op::Expect(expect(words)?),
        _ => return machine(verb, words),
    })
}

/// What happens to the machines that the factory runs on.
fn machine(verb: &str, words: &mut Words<'_>) -> Read<Op> {
    Ok(match verb {
        "engine" => Op::Engine(engine(words)?),
        "crash" if words.eat("now") => Op::Crash(CrashAt::Now),
        "crash" if words.eat("before") => words.need(&["append"]).map(|()| Op::Crash(CrashAt::BeforeAppend))?,
        "crash" => {
            words.need(&["after"])?;
            if words.eat("append") {
                return Ok(Op::Crash(CrashAt::AfterAppend));
            }
            words.need(&["effects"]).map(|()| Op::Crash(CrashAt::AfterEffects))?
        }
        "power" => {
            words.need(&["loss"])?;
            if words.eat("now") {
                return Ok(Op::Crash(CrashAt::PowerNow));
            }
            words.need(&["in", "write"])?;
            Op::Crash(CrashAt::PowerInWrite(words.number()?))
        }
        "restart" => Op::Restart,
        "disk" if words.eat("full") => Op::DiskFull,
        "disk" => {
            words.need(&["error", "in", "write"])?;
            Op::DiskError { write: words.number()? }
        }
        "clock" => {
            let back = words.eat("back");
            if !back {
                words.need(&["forward"])?;
            }
            let ms = i64::try_from(words.span()?.0).unwrap_or(i64::MAX);
            Op::Clock { ms: if back { -ms } else { ms } }
        }
        "advance" => Op::Advance(words.span()?),
        "snapshot" => Op::Snapshot,
        "prune" => Op::Prune,
        "foreign" => words.need(&["report"]).map(|()| Op::ForeignReport)?,
        "drain" => Op::Drain,
        _ => {
            let (found, known) = (verb.to_owned(), VERBS.to_owned());
            return Err(words.problem(1, Problem::UnknownVerb { found, known }));
        }
    })
}

fn engine(words: &mut Words<'_>) -> Read<EngineMode> {
    match words.word("what the engine does")? {
        "is" if words.eat("well") => Ok(EngineMode::Well),
        "is" if words.eat("lost") => Ok(EngineMode::Lost),
        "is" => words.need(&["back"]).map(|()| EngineMode::Back),
        "doubles" => words.need(&["reports"]).map(|()| EngineMode::Doubles),
        "loses" => words.need(&["reports"]).map(|()| EngineMode::Loses),
        "fails" => words.need(&["modes"]).map(|()| EngineMode::FailsModes),
        "delays" => {
            words.need(&["reports", "up", "to"])?;
            Ok(EngineMode::Delays(words.span()?))
        }
        "takes" => {
            words.need(&["orders", "after", "up", "to"])?;
            Ok(EngineMode::Slow(words.span()?))
        }
        _ => {
            words.at -= 1;
            Err(words.expected("is, doubles, delays, loses, fails or takes"))
        }
    }
}

fn parts(words: &mut Words<'_>) -> Read<NodeParts> {
    let mut parts = NodeParts { cpu: CpuMilli(0), memory: Bytes(0), accelerators: Vec::new(), fabric: Vec::new() };
    loop {
        if words.eat("in") {
            parts.fabric = words.names()?;
            if words.eat(",") {
                continue;
            }
            return Ok(parts);
        }
        let number = words.word("a number")?;
        let unit = words.word("cpu, a size or a model")?;
        if unit == "cpu" {
            parts.cpu = CpuMilli(figures::milli(number).ok_or_else(|| out_of_range(words, number))?);
        } else if is_size(unit) {
            parts.memory = figures::bytes(number, unit).ok_or_else(|| out_of_range(words, number))?;
        } else {
            let count = number.parse().map_err(|_| out_of_range(words, number))?;
            parts.accelerators.push((count, model(words, unit)?));
        }
        if !words.eat(",") {
            return Ok(parts);
        }
    }
}

/// The name of a model, which the catalogue writes without small letters: a slip of the pen is not taken for one.
fn model(words: &Words<'_>, name: &str) -> Read<String> {
    let begins = name.chars().next().is_some_and(|first| first.is_ascii_uppercase());
    if begins && !name.chars().any(|letter| letter.is_ascii_lowercase()) {
        return Ok(name.to_owned());
    }
    let expected = "cpu, a size, tasks, gpu or a model such as MI355X".to_owned();
    Err(words.problem(1, Problem::Expected { found: name.to_owned(), expected }))
}

fn is_size(unit: &str) -> bool {
    matches!(unit, "TiB" | "GiB" | "MiB" | "KiB" | "B")
}

/// The number before the unit that was just read does not read.
fn out_of_range(words: &Words<'_>, number: &str) -> ScriptError {
    words.problem(2, Problem::OutOfRange { found: number.to_owned() })
}

fn settings(words: &mut Words<'_>) -> Read<Vec<(Setting, u64)>> {
    let mut settings = Vec::new();
    if words.eat("defaults") {
        return Ok(settings);
    }
    loop {
        let known = Setting::ALL.map(|(_, word, _)| word).join(", ");
        let find = |word: &str| Setting::ALL.into_iter().find(|(_, name, _)| *name == word);
        let (setting, _, form) = words.read(&known, find)?;
        let value = match form {
            Form::Number => words.number()?,
            Form::Span => words.span()?.0,
            Form::Word(known) => {
                let place = |word: &str| (0..).zip(known).find(|(_, one)| **one == word).map(|(place, _)| place);
                words.read(&known.join(", "), place)?
            }
        };
        settings.push((setting, value));
        if !words.eat(",") {
            return Ok(settings);
        }
    }
}

fn job(words: &mut Words<'_>) -> Read<JobSpec> {
    let mut job = JobSpec::default();
    if !words.eat(":") {
        return Ok(job);
    }
    loop {
        let first = words.word("an item")?;
        if first.starts_with(|c: char| c.is_ascii_digit()) {
            amount(words, &mut job, first)?;
        } else if !trait_of(words, &mut job, first)? && !behaviour(words, &mut job, first)? {
            words.at -= 1;
            return Err(words.expected(
                "an amount, or one of: after, array, at most, cannot start, checkpoints, deadline, exits, expires, fails, grace, \
                 ignores stops, keeps progress, key, out of memory, preemptible, priority, retries, runs, signal, slice, \
                 starts in, wall",
            ));
        }
        if !words.eat(",") {
            return Ok(job);
        }
    }
}

fn amount(words: &mut Words<'_>, job: &mut JobSpec, number: &str) -> Read<()> {
    let unit = words.word("tasks, cpu, a size, gpu or a model")?;
    match unit {
        "task" | "tasks" => job.tasks = number.parse().map_err(|_| out_of_range(words, number))?,
        "cpu" => job.cpu = CpuMilli(figures::milli(number).ok_or_else(|| out_of_range(words, number))?),
        unit if is_size(unit) => {
            job.memory = figures::bytes(number, unit).ok_or_else(|| out_of_range(words, number))?;
        }

        unit => {
            job.model = if unit == "gpu" { None } else { Some(model(words, unit)?) };
            job.accelerators = figures::milli(number).ok_or_else(|| out_of_range(words, number))?;
        }
    }
    Ok(())
}

/// What the factory is told of a job; false where the word is none of it.
fn trait_of(words: &mut Words<'_>, job: &mut JobSpec, first: &str) -> Read<bool> {
    match first {
        "at" => {
            if words.eat("least") {
                job.tasks_min = Some(words.number()?);
                words.need(&["tasks"])?;
            } else {
                words.need(&["most"])?;
                job.per_node = Some(words.number()?);
                words.need(&["a", "node"])?;
            }
        }
        "wall" => job.wall = Some(words.span()?),
        "priority" => job.priority = words.number()?,
        "project" => job.project = Some(words.word("a project")?.to_owned()),
        "preemptible" => job.preemptible = true,
        "keeps" => {
            words.need(&["progress"])?;
            job.keeps_progress = true;
        }
        "retries" => job.retries = words.number()?,
        "after" if words.eat("ok") => job.after_ok = words.names()?,
        "after" => {
            words.need(&["any"])?;
            job.after_any = words.names()?;
        }
        "expires" => job.expires = Some(words.span()?),
        "deadline" => job.deadline = Some(words.span()?),
        "grace" => job.grace = Some(words.span()?),
        "slice" => job.slice = Some(words.word("a slice")?.to_owned()),
        "key" => job.key = Some(words.word("a key")?.to_owned()),
        "array" => job.array = words.number()?,
        "fails" if words.eat("when") => {
            words.need(&["lost"])?;
            job.fails_when_lost = true;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// How the tasks of a job will behave; false where the word is none of it.
fn behaviour(words: &mut Words<'_>, job: &mut JobSpec, first: &str) -> Read<bool> {
    let program = &mut job.program;
    match first {
        "runs" if words.eat("for") => {
            words.need(&["ever"])?;
            program.runs = None;
        }
        "runs" => program.runs = Some(words.span()?),
        "starts" => {
            words.need(&["in"])?;
            program.starts_in = words.span()?;
        }
        "exits" => program.end = ProgramEnd::Code(words.number()?),
        "signal" => program.end = ProgramEnd::Signal(words.number()?),
        "out" => {
            words.need(&["of", "memory"])?;
            program.end = ProgramEnd::OutOfMemory;
        }
        "cannot" => {
            words.need(&["start"])?;
            program.end = ProgramEnd::CannotStart;
        }
        "fails" => {
            program.fails = words.number()?;
            if !words.eat("time") {
                words.need(&["times"])?;
            }
        }
        "checkpoints" => {
            words.need(&["every"])?;
            program.checkpoints = Some(words.span()?);
        }
        "ignores" => {
            words.need(&["stops"])?;
            program.ignores_stops = true;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

const STATES: &str = "a state: queued, granted, starting, running, stopping, finished, failed, cancelled or expired";

fn expect(words: &mut Words<'_>) -> Read<Expect> {
    let first = words.word("what must be so")?;
    if first.bytes().all(|byte| byte.is_ascii_digit()) {
        words.at -= 1;
        let count = words.number()?;
        return Ok(Expect::Count { count, state: words.read(STATES, words::workload_state)? });
    }
    match first {
        "down" if words.peek().is_none() => return Ok(Expect::Down),
        "refused" => {
            words.need(&[":"])?;
            return Ok(Expect::Refused(words.word("a code")?.to_owned()));
        }
        "mode" => {
            let node = words.word("a node")?.to_owned();
            let (accelerator, mode) = (words.number()?, words.word("a mode")?.to_owned());
            let state = words.read("settled, draining, changing or out-of-service", words::mode_state)?;
            return Ok(Expect::Mode { node, accelerator, mode, state });
        }
        "node" => {
            let node = words.word("a node")?.to_owned();
            return Ok(Expect::Node { node, state: words.read("ready, cordoned or lost", words::node_state)? });
        }
        _ => {}
    }
    let name = first.to_owned();
    if words.eat("after") {
        let count = words.number()?;
        if !words.eat("attempts") {
            words.need(&["attempt"])?;
        }
        return Ok(Expect::Attempts { name, count });
    }
    if words.eat("checkpoint") {
        let after = if words.eat("none") { None } else { Some(words.span()?) };
        return Ok(Expect::Checkpoint { name, after });
    }
    let state = words.read(STATES, words::workload_state)?;
    let mut nodes = Vec::new();
    if words.eat("on") {
        nodes.push(words.word("a node")?.to_owned());
        while words.eat(",") {
            nodes.push(words.word("a node")?.to_owned());
        }
    }
    let reason = if words.eat(":") { Some(words.rest()?.to_owned()) } else { None };
    Ok(Expect::State { name, state, nodes, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a line, and gives how it prints.
    fn again(text: &str) -> String {
        parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))[0].op.to_string()
    }

    #[test]
    fn lines_read_and_print_the_same() {
        for line in [
            "seed 7",
            "fleet 4 nodes: 8 cpu, 64 GiB, 2 MI355X",
            "join node-9: 0.5 cpu, 512 MiB, 1 H200, 3 MI355X, in spine-1 leaf-2",
            "set defaults",
            "set remembered 5, lost-grace 1m, array 0",
            "set order las, passing skip, head-after 1h, preempt-after 0s, level-service 10m, preemptions 3",
            "submit train: runs 10m",
            "submit train: 2 tasks, at most 1 a node, 4 cpu, 8 GiB, 0.25 gpu, wall 1h, starts in 5s, runs for ever, exits 3, \
             fails 2 times, ignores stops, priority -5, retries 2, preemptible, keeps progress, fails when lost, after ok \
             a b, after any c, expires 10m, deadline 2h, grace 0s, key k-1, array 10000",
            "submit b: 1 H200, runs 1m30s, signal 9",
            "submit c: runs 10m, out of memory",
            "submit d: runs 10m, cannot start",
            "submit e: 0 tasks, runs 10m, fails 1 time",
            "cancel sweep.3",
            "cordon node-1: the fan, it is loud: very",
            "uncordon node-1",
            "remove node-1",
            "fail node-1",
            "destroy node-1",
            "silence node-1",
            "restore node-1",
            "kill train task 1: signal 9",
            "engine is well",
            "engine doubles reports",
            "engine delays reports up to 20s",
            "engine loses reports",
            "engine fails modes",
            "mode node-1 0 3: CPX/NPS4",
            "submit f: 1 H100, slice 1g.10gb, runs 10m",
            "set mode-change 30s, partitions 1",
            "expect mode node-1 0 MIG draining",
            "engine takes orders after up to 3s",
            "engine is lost",
            "engine is back",
            "crash now",
            "crash before append",
            "crash after append",
            "crash after effects",
            "power loss now",
            "power loss in write 1",
            "restart",
            "disk error in write 2",
            "disk full",
            "clock back 5s",
            "clock forward 1h",
            "advance 10m",
            "snapshot",
            "prune",
            "foreign report",
            "drain",
            "expect train running on node-1, node-2",
            "expect train failed: wall time",
            "expect 3 queued",
            "expect train after 2 attempts",
            "expect train after 1 attempt",
            "expect node node-1 lost",
            "expect refused: never_fits",
            "expect down",
        ] {
            assert_eq!(again(line), line);
        }
    }

    #[test]
    fn comments_and_spaces_are_nothing() {
        assert_eq!(parse("# a story\n\n   # more\n").unwrap(), vec![]);
        assert_eq!(again("  advance   90s  # a while"), "advance 1m30s");
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        let check = |text: &str, expect: &str| assert_eq!(parse(text).unwrap_err().to_string(), expect);
        check("\nfly away", &format!("2:1: there is no verb \"fly\"; the verbs are: {VERBS}"));
        check("advance", "1:8: \"\" stands where a span such as 1h30m should");
        check("advance soon", "1:9: \"soon\" stands where a span such as 1h30m should");
        check("fleet four nodes: 1 cpu", "1:7: \"four\" stands where a number should");
        check("fleet 99999999999 nodes: 1 cpu", "1:7: \"99999999999\" is out of range");
        check("submit a: 1.0005 cpu", "1:11: \"1.0005\" is out of range");
        check("cancel a b", "1:10: \"b\" stands where the end of the line should");
        check("expect 한글 gone", &format!("1:11: \"gone\" stands where {STATES} should"));
        let error = parse("advance soon").unwrap_err();
        assert_eq!((error.problem.code(), error.problem.args()[0].1.as_str()), ("expected", "soon"));
    }
}
