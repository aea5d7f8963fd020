//! The operations of a script, and how each prints.
//!
//! What: everything that a scenario or a seed can do to a factory. Why names and no ids: a shrunk script must still mean
//! what it meant. Absent: reading; `parse` does that, and a test holds the two together.

use super::figures::{bytes_text, milli_text, span_text};
use super::tenancy::{WindowParts, share_text};
use super::words::{mode_word, node_word};
use eaf_model::{Bytes, CpuMilli, ModeState, NodeState, Share, Span, WorkloadState};
use std::fmt;

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// What is random in this script is drawn from this seed.
    Seed(u64),
    /// So many nodes join, named `node-1` and on.
    Fleet {
        /// How many.
        count: u32,
        /// What each has.
        parts: NodeParts,
    },
    /// A node joins, or announces other parts than before.
    Join {
        /// Its name.
        node: String,
        /// What it has.
        parts: NodeParts,
    },
    /// Settings of the core; none for the defaults.
    Set(Vec<(Setting, u64)>),
    /// A share is added to the policy.
    Share {
        /// Its name: that of a project, or of a tenant that has projects.
        name: String,
        /// The share.
        share: Share,
    },
    /// A window is added to the policy.
    Window {
        /// Its name.
        name: String,
        /// The window.
        window: WindowParts,
    },
    /// Someone asks to run something.
    Submit {
        /// Its name, by which the script speaks of it.
        name: String,
        /// What.
        job: Box<JobSpec>,
    },
    /// Someone cancels a workload, an array, or (`sweep.3`) a member of one.
    Cancel {
        /// Its name.
        name: String,
    },
    /// An operator keeps new work off a node.
    Cordon {
        /// The node.
        node: String,
        /// Why.
        why: String,
    },
    /// An operator lets work on it again.
    Uncordon {
        /// The node.
        node: String,
    },
    /// An operator takes an empty node out of the site.
    Remove {
        /// The node.
        node: String,
    },
    /// An operator brings accelerators of a node into a mode.
    Mode {
        /// The node.
        node: String,
        /// Which.
        accelerators: Vec<u16>,
        /// `whole`, or a mode of the partition book.
        mode: String,
    },
    /// A node dies with everything on it; its records are on its disk.
    Fail {
        /// The node.
        node: String,
    },
    /// A node dies with everything on it and its disk.
    Destroy {
        /// The node.
        node: String,
    },
    /// A node is not heard of; what runs there goes on.
    Silence {
        /// The node.
        node: String,
    },
    /// A node that died or was silent is back.
    Restore {
        /// The node.
        node: String,
    },
    /// A task is ended by a signal that nobody ordered.
    Kill {
        /// The workload.
        name: String,
        /// The rank of the task.
        task: u32,
        /// The signal.
        signal: i32,
    },
    /// The engine behaves like this from now on.
    Engine(EngineMode),
    /// The control plane ends without a word.
    Crash(CrashAt),
    /// The control plane starts again.
    Restart,
    /// A write of the next append fails (0 and 1 write, 2 syncs).
    DiskError {
        /// Which.
        write: u64,
    },
    /// The disk is full until the control plane has restarted.
    DiskFull,
    /// The clock of the control plane is moved by so many milliseconds.
    Clock {
        /// Negative for back.
        ms: i64,
    },
    /// Time passes.
    Advance(Span),
    /// A snapshot of the state is saved.
    Snapshot,
    /// What snapshots cover is forgotten.
    Prune,
    /// A report of a lease that nobody ever granted.
    ForeignReport,
    /// Every fault is over, and time passes until nothing is left to do.
    Drain,
    /// Someone asks why a workload waits, and until when.
    Explain {
        /// Its name, or `sweep.3`.
        name: String,
    },
    /// Someone asks what would come of a submission.
    WhatIf {
        /// The name that it would have.
        name: String,
        /// What.
        job: Box<JobSpec>,
    },
    /// Something must be so.
    Expect(Expect),
}

/// What a node has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeParts {
    /// Threads.
    pub cpu: CpuMilli,
    /// Memory.
    pub memory: Bytes,
    /// Accelerators: how many of which model.
    pub accelerators: Vec<(u16, String)>,
    /// The fabric domains that it is in, outermost first.
    pub fabric: Vec<String>,
}

/// A setting of the core that a script may change; spans in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setting {
    /// `limits.remembered_max`.
    Remembered,
    /// `limits.nodes_max`.
    Nodes,
    /// `limits.live_workloads_max`.
    Live,
    /// `limits.array_max`.
    Array,
    /// `limits.grants_per_plan_max`.
    Grants,
    /// `limits.losses_max`.
    Losses,
    /// `timing.lost_node_grace`.
    LostGrace,
    /// `timing.start_timeout`.
    StartTimeout,
    /// `timing.retry_backoff`.
    Backoff,
    /// `timing.wall_time_default`.
    Wall,
    /// `timing.mode_change`.
    ModeChange,
    /// `timing.mode_change_timeout`.
    ModeTimeout,
    /// `partitions`: 1 for the published book, 0 for none.
    Partitions,
    /// `limits.preemptions_max`.
    Preemptions,
    /// `queue.order`.
    Order,
    /// `queue.passing`.
    Passing,
    /// `queue.holds`.
    Holds,
    /// `queue.head_after`.
    HeadAfter,
    /// `queue.preempt_after`.
    PreemptAfter,
    /// `queue.level_service`.
    LevelService,
}

/// How the value of a setting is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Number,
    Span,
    /// One of these; the value is its place among them.
    Word(&'static [&'static str]),
}

impl Setting {
    pub(super) const ALL: [(Self, &'static str, Form); 20] = [
        (Self::Remembered, "remembered", Form::Number),
        (Self::Nodes, "nodes", Form::Number),
        (Self::Live, "live", Form::Number),
        (Self::Array, "array", Form::Number),
        (Self::Grants, "grants", Form::Number),
        (Self::Losses, "losses", Form::Number),
        (Self::LostGrace, "lost-grace", Form::Span),
        (Self::StartTimeout, "start-timeout", Form::Span),
        (Self::Backoff, "backoff", Form::Span),
        (Self::Wall, "wall", Form::Span),
        (Self::Preemptions, "preemptions", Form::Number),
        (Self::Order, "order", Form::Word(&["priority", "fifo", "sjf", "las"])),
        (Self::Passing, "passing", Form::Word(&["strict", "skip", "backfill"])),
        (Self::Holds, "holds", Form::Number),
        (Self::HeadAfter, "head-after", Form::Span),
        (Self::PreemptAfter, "preempt-after", Form::Span),
        (Self::LevelService, "level-service", Form::Span),
        (Self::ModeChange, "mode-change", Form::Span),
        (Self::ModeTimeout, "mode-timeout", Form::Span),
        (Self::Partitions, "partitions", Form::Number),
    ];
}

/// What someone asks to run, and how it will behave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSpec {
    /// Tasks of the gang.
    pub tasks: u32,
    /// The fewest with which it starts and goes on; all where it is not named.
    pub tasks_min: Option<u32>,
    /// The most of them on one node.
    pub per_node: Option<u32>,
    /// Threads of a task.
    pub cpu: CpuMilli,
    /// Memory of a task.
    pub memory: Bytes,
    /// Accelerators of a task, in thousandths.
    pub accelerators: u64,
    /// Their model; any where it is not named.
    pub model: Option<String>,
    /// The slice of an accelerator that it asks for, by its profile.
    pub slice: Option<String>,
    /// The project; the default one where it is not named.
    pub project: Option<String>,
    /// The wall time.
    pub wall: Option<Span>,
    /// The priority.
    pub priority: i32,
    /// Retries.
    pub retries: u32,
    /// It makes room for others.
    pub preemptible: bool,
    /// It is said to go on from where it was.
    pub keeps_progress: bool,
    /// It fails where an attempt is lost.
    pub fails_when_lost: bool,
    /// Names of workloads that must finish first.
    pub after_ok: Vec<String>,
    /// Names of workloads that must end first.
    pub after_any: Vec<String>,
    /// It expires where it has not started by then.
    pub expires: Option<Span>,
    /// It gives up where it could not end so long after its submission.
    pub deadline: Option<Span>,
    /// Between the polite and the hard stop.
    pub grace: Option<Span>,
    /// The idempotency key.
    pub key: Option<String>,
    /// Members of an array; 0 for a single workload.
    pub array: u16,
    /// How each of its tasks behaves.
    pub program: Program,
}

/// How a task behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// From the order to its start.
    pub starts_in: Span,
    /// From its start to its end; `None` where it never ends by itself.
    pub runs: Option<Span>,
    /// How it ends.
    pub end: ProgramEnd,
    /// Its first attempts, so many of them, end with 1.
    pub fails: u32,
    /// It ends by the hard stop only.
    pub ignores_stops: bool,
    /// Between two checkpoints; `None` where it writes none.
    pub checkpoints: Option<Span>,
}

/// How a program ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramEnd {
    /// With this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// For want of memory.
    OutOfMemory,
    /// Before it began.
    CannotStart,
}

impl Default for JobSpec {
    fn default() -> Self {
        Self {
            tasks: 1,
            tasks_min: None,
            per_node: None,
            cpu: CpuMilli(1_000),
            memory: Bytes(1 << 30),
            accelerators: 0,
            model: None,
            slice: None,
            project: None,
            wall: None,
            priority: 0,
            retries: 0,
            preemptible: false,
            keeps_progress: false,
            fails_when_lost: false,
            after_ok: Vec::new(),
            after_any: Vec::new(),
            expires: None,
            deadline: None,
            grace: None,
            key: None,
            array: 0,
            program: Program::default(),
        }
    }
}

impl Default for Program {
    fn default() -> Self {
        Self {
            starts_in: Span::from_secs(1),
            runs: Some(Span::from_secs(600)),
            end: ProgramEnd::Code(0),
            fails: 0,
            ignores_stops: false,
            checkpoints: None,
        }
    }
}

/// How the engine behaves. Modes add up until it is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineMode {
    /// It reports at once and in order, each once.
    Well,
    /// It sends every report twice.
    Doubles,
    /// It sends each report after some time of its own, up to this, so that later ones overtake.
    Delays(Span),
    /// Its reports are lost, until it is met again.
    Loses,
    /// Orders reach it after some time, up to this, in the order they were given.
    Slow(Span),
    /// Its changes of modes fail.
    FailsModes,
    /// It is out of reach as a whole.
    Lost,
    /// It is in reach again.
    Back,
}

/// When the control plane ends without a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashAt {
    /// Now.
    Now,
    /// Behind the next decision, before it is written.
    BeforeAppend,
    /// When the next batch is durable, before anybody is answered or ordered.
    AfterAppend,
    /// When the next batch was acted on, before exits are settled.
    AfterEffects,
    /// Now, with the power of the machine.
    PowerNow,
    /// In the next append, with the power of the machine (0 and 1 write, 2 syncs).
    PowerInWrite(u64),
}

/// What must be so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// A workload is in a state.
    State {
        /// Its name, or `sweep.3`.
        name: String,
        /// The state.
        state: WorkloadState,
        /// On these nodes, by rank; any where empty.
        nodes: Vec<String>,
        /// For this reason, as `reason_word` says it.
        reason: Option<String>,
    },
    /// So many workloads, live or ended, are in a state.
    Count {
        /// How many.
        count: u64,
        /// The state.
        state: WorkloadState,
    },
    /// What a workload holds could go on from a checkpoint of this time since its start; `None` for from none.
    Checkpoint {
        /// Its name.
        name: String,
        /// Since the start of its last task.
        after: Option<Span>,
    },
    /// A workload has had so many attempts, that are over.
    Attempts {
        /// Its name.
        name: String,
        /// How many.
        count: usize,
    },
    /// An accelerator is in a mode, settled or not.
    Mode {
        /// The node.
        node: String,
        /// Which.
        accelerator: u16,
        /// The mode.
        mode: String,
        /// Where it is between two.
        state: ModeState,
    },
    /// A node is in a state.
    Node {
        /// The node.
        node: String,
        /// The state.
        state: NodeState,
    },
    /// The last request was refused with this code.
    Refused(String),
    /// The control plane is down.
    Down,
}

fn times(count: u32) -> String {
    format!("{count} time{}", plural(u64::from(count)))
}

/// The ending of a word that counts this many.
pub(crate) const fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Writes items with commas between them.
fn list(f: &mut fmt::Formatter<'_>, items: &[String]) -> fmt::Result {
    f.write_str(&items.join(", "))
}

impl fmt::Display for NodeParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut items = vec![format!("{} cpu", milli_text(self.cpu.0)), bytes_text(self.memory)];
        items.extend(self.accelerators.iter().map(|(count, model)| format!("{count} {model}")));
        if !self.fabric.is_empty() {
            items.push(format!("in {}", self.fabric.join(" ")));
        }
        list(f, &items)
    }
}

impl JobSpec {
    /// What differs from the defaults, item by item.
    fn items(&self) -> Vec<String> {
        let plain = Self::default();
        let mut items = Vec::new();
        let mut item = |differs: bool, text: String| {
            if differs {
                items.push(text);
            }
        };
        item(self.tasks != 1, format!("{} tasks", self.tasks));
        item(self.tasks_min.is_some(), format!("at least {} tasks", self.tasks_min.unwrap_or(0)));
        item(self.per_node.is_some(), format!("at most {} a node", self.per_node.unwrap_or(0)));
        item(self.cpu != plain.cpu, format!("{} cpu", milli_text(self.cpu.0)));
        item(self.memory != plain.memory, bytes_text(self.memory));
        let model = self.model.as_deref().unwrap_or("gpu");
        item(self.accelerators > 0, format!("{} {model}", milli_text(self.accelerators)));
        item(self.slice.is_some(), format!("slice {}", self.slice.as_deref().unwrap_or_default()));
        item(self.project.is_some(), format!("project {}", self.project.as_deref().unwrap_or_default()));
        let span = |word: &str, span: Option<Span>| format!("{word} {}", span_text(span.unwrap_or_default()));
        item(self.wall.is_some(), span("wall", self.wall));
        item(self.program.starts_in != plain.program.starts_in, span("starts in", Some(self.program.starts_in)));
        let runs = self.program.runs.map_or_else(|| "runs for ever".to_owned(), |runs| span("runs", Some(runs)));
        item(true, runs);
        item(self.program.end != plain.program.end, self.program.end.to_string());
        item(self.program.fails > 0, format!("fails {}", times(self.program.fails)));
        item(self.program.ignores_stops, "ignores stops".to_owned());
        item(self.program.checkpoints.is_some(), span("checkpoints every", self.program.checkpoints));
        item(self.priority != 0, format!("priority {}", self.priority));
        item(self.retries != 0, format!("retries {}", self.retries));
        item(self.preemptible, "preemptible".to_owned());
        item(self.keeps_progress, "keeps progress".to_owned());
        item(self.fails_when_lost, "fails when lost".to_owned());
        item(!self.after_ok.is_empty(), format!("after ok {}", self.after_ok.join(" ")));
        item(!self.after_any.is_empty(), format!("after any {}", self.after_any.join(" ")));
        item(self.expires.is_some(), span("expires", self.expires));
        item(self.deadline.is_some(), span("deadline", self.deadline));
        item(self.grace.is_some(), span("grace", self.grace));
        item(self.key.is_some(), format!("key {}", self.key.as_deref().unwrap_or_default()));
        item(self.array > 0, format!("array {}", self.array));
        items
    }
}

impl fmt::Display for ProgramEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exits {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::OutOfMemory => f.write_str("out of memory"),
            Self::CannotStart => f.write_str("cannot start"),
        }
    }
}

impl fmt::Display for EngineMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Well => f.write_str("is well"),
            Self::Doubles => f.write_str("doubles reports"),
            Self::Delays(most) => write!(f, "delays reports up to {}", span_text(*most)),
            Self::Loses => f.write_str("loses reports"),
            Self::FailsModes => f.write_str("fails modes"),
            Self::Slow(most) => write!(f, "takes orders after up to {}", span_text(*most)),
            Self::Lost => f.write_str("is lost"),
            Self::Back => f.write_str("is back"),
        }
    }
}

impl fmt::Display for CrashAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now => f.write_str("crash now"),
            Self::BeforeAppend => f.write_str("crash before append"),
            Self::AfterAppend => f.write_str("crash after append"),
            Self::AfterEffects => f.write_str("crash after effects"),
            Self::PowerNow => f.write_str("power loss now"),
            Self::PowerInWrite(write) => write!(f, "power loss in write {write}"),
        }
    }
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State { name, state, nodes, reason } => {
                write!(f, "{name} {}", state.word())?;
                if !nodes.is_empty() {
                    write!(f, " on {}", nodes.join(", "))?;
                }
                reason.as_ref().map_or(Ok(()), |reason| write!(f, ": {reason}"))
            }
            Self::Count { count, state } => write!(f, "{count} {}", state.word()),
            Self::Checkpoint { name, after: Some(after) } => write!(f, "{name} checkpoint {}", span_text(*after)),
            Self::Checkpoint { name, after: None } => write!(f, "{name} checkpoint none"),
            Self::Attempts { name, count } => write!(f, "{name} after {count} attempt{}", plural(*count as u64)),
            Self::Node { node, state } => write!(f, "node {node} {}", node_word(*state)),
            Self::Mode { node, accelerator, mode, state } => {
                write!(f, "mode {node} {accelerator} {mode} {}", mode_word(*state))
            }
            Self::Refused(code) => write!(f, "refused: {code}"),
            Self::Down => f.write_str("down"),
        }
    }
}

/// The word in this place; the last where there is none.
fn nth(words: &[&'static str], place: u64) -> &'static str {
    let place = usize::try_from(place).unwrap_or(usize::MAX).min(words.len().saturating_sub(1));
    words.get(place).copied().unwrap_or_default()
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seed(seed) => write!(f, "seed {seed}"),
            Self::Fleet { count, parts } => write!(f, "fleet {count} node{}: {parts}", plural(u64::from(*count))),
            Self::Join { node, parts } => write!(f, "join {node}: {parts}"),
            Self::Set(settings) if settings.is_empty() => f.write_str("set defaults"),
            Self::Set(settings) => {
                let shown = settings.iter().map(|(setting, value)| {
                    let found = Setting::ALL.iter().find(|(one, ..)| one == setting);
                    let (word, form) = found.map_or(("", Form::Number), |(_, word, form)| (*word, *form));
                    let text = match form {
                        Form::Number => value.to_string(),
                        Form::Span => span_text(Span(*value)),
                        Form::Word(words) => nth(words, *value).to_owned(),
                    };
                    format!("{word} {text}")
                });
                write!(f, "set {}", shown.collect::<Vec<_>>().join(", "))
            }
            Self::Share { name, share } => write!(f, "share {name}: {}", share_text(share)),
            Self::Window { name, window } => {
                let verb = if window.project.is_some() { "reserve" } else { "maintain" };
                write!(f, "{verb} {name}: {window}")
            }
            Self::Submit { name, job } => write!(f, "submit {name}: {}", job.items().join(", ")),
            Self::Cancel { name } => write!(f, "cancel {name}"),
            Self::Cordon { node, why } => write!(f, "cordon {node}: {why}"),
            Self::Uncordon { node } => write!(f, "uncordon {node}"),
            Self::Remove { node } => write!(f, "remove {node}"),
            Self::Mode { node, accelerators, mode } => {
                let boards: Vec<String> = accelerators.iter().map(u16::to_string).collect();
                write!(f, "mode {node} {}: {mode}", boards.join(" "))
            }
            Self::Fail { node } => write!(f, "fail {node}"),
            Self::Destroy { node } => write!(f, "destroy {node}"),
            Self::Silence { node } => write!(f, "silence {node}"),
            Self::Restore { node } => write!(f, "restore {node}"),
            Self::Kill { name, task, signal } => write!(f, "kill {name} task {task}: signal {signal}"),
            Self::Engine(mode) => write!(f, "engine {mode}"),
            Self::Crash(at) => at.fmt(f),
            Self::Restart => f.write_str("restart"),
            Self::DiskError { write } => write!(f, "disk error in write {write}"),
            Self::DiskFull => f.write_str("disk full"),
            Self::Clock { ms } => {
                let way = if *ms < 0 { "back" } else { "forward" };
                write!(f, "clock {way} {}", span_text(Span(ms.unsigned_abs())))
            }
            Self::Advance(span) => write!(f, "advance {}", span_text(*span)),
            Self::Snapshot => f.write_str("snapshot"),
            Self::Prune => f.write_str("prune"),
            Self::ForeignReport => f.write_str("foreign report"),
            Self::Drain => f.write_str("drain"),
            Self::Explain { name } => write!(f, "explain {name}"),
            Self::WhatIf { name, job } => write!(f, "what-if {name}: {}", job.items().join(", ")),
            Self::Expect(expect) => write!(f, "expect {expect}"),
        }
    }
}
