//! One sentence for each code of the model.
//!
//! What: states, reasons, blockers, tests, exits and rejections in the reader's language. Why they match without a
//! wildcard: a new code does not compile until it has words. Absent: layout.

use super::policy::policy_problem;
use super::{Lang, Value, bytes, cpu, instant, signal_name, span, text};
use eaf_model::{
    Blocker, Change, CpuMilli, Exit, FieldProblem, LargestFit, ModeState, NodeState, Reason, Rejection, Short, Test,
    WorkloadState,
};

/// A rejection in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// What is wrong, in a few words without a full stop.
    pub title: String,
    /// What happened and what to do next, in sentences.
    pub detail: String,
}

pub(super) fn shown<'a>(value: impl std::fmt::Display) -> Value<'a> {
    Value::from(value.to_string())
}

/// A workload's state.
pub fn state(lang: Lang, state: WorkloadState) -> String {
    text(lang, &format!("state-{}", state.word()), &[])
}

/// A node's state.
pub fn node_state(lang: Lang, state: NodeState) -> String {
    let id = match state {
        NodeState::Ready => "node-state-ready",
        NodeState::Cordoned => "node-state-cordoned",
        NodeState::Lost => "node-state-lost",
    };
    text(lang, id, &[])
}

/// How a task ended.
pub fn exit(lang: Lang, exit: &Exit) -> String {
    match exit {
        Exit::Code(code) => text(lang, "exit-code", &[("code", shown(code))]),
        Exit::Signal(signal) => {
            text(lang, "exit-signal", &[("signal", shown(signal)), ("name", signal_name(*signal).into())])
        }
        Exit::OutOfMemory => text(lang, "exit-out-of-memory", &[]),
        Exit::CannotStart(why) => text(lang, "exit-cannot-start", &[("why", why.as_str().into())]),
        Exit::Lost(why) => text(lang, "exit-lost", &[("why", why.as_str().into())]),
    }
}

/// Why a workload is in its state.
pub fn reason(lang: Lang, reason: &Reason) -> String {
    let say = |id: &str, args: &[(&str, Value<'_>)]| text(lang, id, args);
    match reason {
        Reason::WaitingForCapacity => say("reason-waiting-for-capacity", &[]),
        Reason::WaitingForDependencies { pending } => {
            say("reason-waiting-for-dependencies", &[("pending", (*pending).into())])
        }
        Reason::RetryAfterFailure { exit: ended } => {
            say("reason-retry-after-failure", &[("exit", exit(lang, ended).into())])
        }
        Reason::RetryAfterLoss { why } => say("reason-retry-after-loss", &[("why", why.as_str().into())]),
        Reason::WaitingAfterPreemption { by } => say("reason-waiting-after-preemption", &[("by", shown(by))]),
        Reason::Preempted { by } => say("reason-preempted", &[("by", shown(by))]),
        Reason::Placed => say("reason-placed", &[]),
        Reason::TasksStarting { started, of } => {
            say("reason-tasks-starting", &[("started", shown(started)), ("of", shown(of))])
        }
        Reason::TasksStarted => say("reason-tasks-started", &[]),
        Reason::CancelRequested { by } => say("reason-cancel-requested", &[("by", by.as_str().into())]),
        Reason::WallTimeReached => say("reason-wall-time-reached", &[]),
        Reason::StartTimedOut => say("reason-start-timed-out", &[]),
        Reason::TaskFailed { task, exit: ended } => {
            say("reason-task-failed", &[("task", shown(task)), ("exit", exit(lang, ended).into())])
        }
        Reason::NodeLost { node } => say("reason-node-lost", &[("node", shown(node))]),
        Reason::Lost { why } => say("reason-lost", &[("why", why.as_str().into())]),
        Reason::DependencyFailed { workload } => say("reason-dependency-failed", &[("workload", shown(workload))]),
        Reason::DidNotStartInTime => say("reason-did-not-start-in-time", &[]),
        Reason::DeadlineOutOfReach => say("reason-deadline-out-of-reach", &[]),
        Reason::AllTasksExitedZero => say("reason-all-tasks-exited-zero", &[]),
    }
}

/// What a node failed for a task.
pub fn test(lang: Lang, test: Test) -> String {
    let id = match test {
        Test::Cordoned => "test-cordoned",
        Test::Lost => "test-lost",
        Test::Reserved => "test-reserved",
        Test::AcceleratorModel => "test-accelerator-model",
        Test::Cpu => "test-cpu",
        Test::Memory => "test-memory",
        Test::Mode => "test-mode",
        Test::Accelerators => "test-accelerators",
    };
    text(lang, id, &[])
}

/// What blocks a waiting workload.
pub fn blocker(lang: Lang, blocker: &Blocker) -> String {
    let say = |id: &str, args: &[(&str, Value<'_>)]| text(lang, id, args);
    match blocker {
        Blocker::Dependencies { workloads, pending } => {
            let mut names = workloads.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            if (workloads.len() as u64) < u64::from(*pending) {
                names.push_str(", …");
            }
            say("blocker-dependencies", &[("pending", (*pending).into()), ("workloads", names.into())])
        }
        Blocker::Backoff { until } => say("blocker-backoff", &[("until", instant(*until).into())]),
        Blocker::Capacity { tasks_placeable, tasks_wanted, short } => {
            let args = [("placeable", shown(tasks_placeable)), ("wanted", (*tasks_wanted).into())];
            let said = say("blocker-capacity", &args);
            if short.is_empty() {
                return said;
            }
            let what = short.iter().map(|each| self::short(lang, *each)).collect::<Vec<_>>().join(", ");
            format!("{said} {}", say("blocker-short", &[("what", what.into())]))
        }
        Blocker::Scattered { free, wanted } => say(
            "blocker-scattered",
            &[("free", cpu(CpuMilli(free.0)).into()), ("wanted", cpu(CpuMilli(wanted.0)).into())],
        ),
        Blocker::NodesNotReady { cordoned, lost } => {
            say("blocker-nodes-not-ready", &[("cordoned", shown(cordoned)), ("lost", shown(lost))])
        }
        Blocker::ModeChange { node, mode, draining, until } => {
            let id = if *draining { "blocker-mode-draining" } else { "blocker-mode-change" };
            let until = until.map_or_else(|| "?".to_owned(), instant);
            say(id, &[("node", shown(node)), ("mode", mode.as_str().into()), ("until", until.into())])
        }
        Blocker::Planned { at, latest: None } => say("blocker-planned-about", &[("at", instant(*at).into())]),
        Blocker::Planned { at, latest: Some(latest) } => {
            let id = if at == latest { "blocker-planned" } else { "blocker-planned-until" };
            say(id, &[("at", instant(*at).into()), ("latest", instant(*latest).into())])
        }
        Blocker::Hold { workload, at } => {
            say("blocker-hold", &[("workload", shown(workload)), ("at", instant(*at).into())])
        }
        Blocker::Share { share, model, held, limit } => {
            let id = if share.is_some() { "blocker-share" } else { "blocker-share-kept" };
            let (held, limit) = (cpu(CpuMilli(held.0)), cpu(CpuMilli(limit.0)));
            let share = share.clone().unwrap_or_default();
            say(id, &[("share", share.into()), ("model", shown(model)), ("held", held.into()), ("limit", limit.into())])
        }
        Blocker::ShareTooSmall { share, model, wanted, limit } => {
            let id = if share.is_some() { "blocker-share-too-small" } else { "blocker-share-too-small-kept" };
            let (wanted, limit) = (cpu(CpuMilli(wanted.0)), cpu(CpuMilli(limit.0)));
            let share = share.clone().unwrap_or_default();
            let (wanted, limit) = (("wanted", wanted.into()), ("limit", limit.into()));
            say(id, &[("share", share.into()), ("model", shown(model)), wanted, limit])
        }
        Blocker::Reserved { nodes, until } => {
            say("blocker-reserved", &[("nodes", (*nodes).into()), ("until", instant(*until).into())])
        }
        Blocker::Preemption { workloads } => say("blocker-preemption", &[("workloads", (*workloads).into())]),
        Blocker::NextPass => say("blocker-next-pass", &[]),
        Blocker::FleetTooSmall => say("blocker-fleet-too-small", &[]),
    }
}

/// What is short.
fn short(lang: Lang, short: Short) -> String {
    let id = match short {
        Short::Cpu => "short-cpu",
        Short::Memory => "short-memory",
        Short::Accelerators => "short-accelerators",
        Short::AcceleratorModel => "short-accelerator-model",
        Short::TasksPerNode => "short-tasks-per-node",
    };
    text(lang, id, &[])
}

/// What would make a waiting workload start now.
pub fn change(lang: Lang, change: &Change) -> String {
    let say = |id: &str, args: &[(&str, Value<'_>)]| text(lang, id, args);
    match change {
        Change::FewerTasks { tasks } => say("change-fewer-tasks", &[("tasks", (*tasks).into())]),
        Change::FewerAccelerators { count } => say("change-fewer-accelerators", &[("count", (*count).into())]),
        Change::SmallerShare { share } => say("change-smaller-share", &[("share", cpu(CpuMilli(share.0)).into())]),
        Change::LessCpu { cpu: threads } => say("change-less-cpu", &[("cpu", cpu(*threads).into())]),
        Change::LessMemory { memory } => say("change-less-memory", &[("memory", bytes(*memory).into())]),
        Change::OtherModels { models } => say("change-other-models", &[("models", models.join(", ").into())]),
        Change::AnyTasksPerNode => say("change-any-tasks-per-node", &[]),
        Change::ShorterWallTime { wall_time } => say("change-shorter-wall-time", &[("span", span(*wall_time).into())]),
    }
}

fn field_problem(lang: Lang, field: &str, problem: &FieldProblem) -> String {
    let mut args = vec![("field", Value::from(field.to_owned()))];
    let id = match problem {
        FieldProblem::Empty => "field-empty",
        FieldProblem::TooSmall { given, min } => {
            args.extend([("given", shown(given)), ("min", shown(min))]);
            "field-too-small"
        }
        FieldProblem::TooLarge { given, max } => {
            args.extend([("given", shown(given)), ("max", shown(max))]);
            "field-too-large"
        }
        FieldProblem::Twice { what } => {
            args.push(("what", shown(what)));
            "field-twice"
        }
        FieldProblem::Malformed { expected } => {
            args.push(("expected", shown(expected)));
            "field-malformed"
        }
        FieldProblem::Conflicts { with } => {
            args.push(("with", shown(with)));
            "field-conflicts"
        }
    };
    text(lang, id, &args)
}

/// What is offered, or that nothing is.
fn names(lang: Lang, offered: &[String]) -> Value<'static> {
    if offered.is_empty() { text(lang, "none-offered", &[]).into() } else { offered.join(", ").into() }
}

/// The most that could be asked for; what would not help by itself is not named.
fn largest_fit(lang: Lang, largest: LargestFit) -> String {
    if largest.tasks > 0 {
        return text(lang, "fit-tasks", &[("tasks", largest.tasks.into())]);
    }
    let say = |id, value: Value<'static>| text(lang, id, &[("most", value)]);
    let alone = [
        (largest.cpu.0 > 0).then(|| say("fit-cpu", cpu(largest.cpu).into())),
        (largest.memory.0 > 0).then(|| say("fit-memory", bytes(largest.memory).into())),
        (largest.accelerators > 0).then(|| say("fit-accelerators", largest.accelerators.into())),
    ];
    let alone: Vec<String> = alone.into_iter().flatten().collect();
    if alone.is_empty() {
        return text(lang, "fit-several", &[]);
    }
    text(lang, "fit-alone", &[("most", alone.join(", ").into())])
}

/// Where an accelerator is between two modes.
pub fn mode_state(lang: Lang, state: ModeState) -> String {
    let id = match state {
        ModeState::Settled => "mode-state-settled",
        ModeState::Draining => "mode-state-draining",
        ModeState::Changing => "mode-state-changing",
        ModeState::OutOfService => "mode-state-out-of-service",
    };
    text(lang, id, &[])
}

fn rejection_args(lang: Lang, rejection: &Rejection) -> Vec<(&'static str, Value<'static>)> {
    match rejection {
        Rejection::Invalid { field, problem: _ } => vec![("field", shown(field))],
        Rejection::NeverFits { largest } => vec![("largest", largest_fit(lang, *largest).into())],
        Rejection::ModelUnknown { models, offered } => {
            vec![("models", names(lang, models)), ("offered", names(lang, offered))]
        }
        Rejection::NoNodes => Vec::new(),
        Rejection::QueueFull { max } | Rejection::TooManyNodes { max } => vec![("max", shown(max))],
        Rejection::KeyReused { workload }
        | Rejection::UnknownWorkload { workload }
        | Rejection::UnknownDependency { workload }
        | Rejection::AlreadyStopping { workload } => vec![("workload", shown(workload))],
        Rejection::DependencyFailed { workload, state: ended } => {
            vec![("workload", shown(workload)), ("state", state(lang, *ended).into())]
        }
        Rejection::DeadlineTooSoon { deadline, earliest } => {
            vec![("deadline", instant(*deadline).into()), ("earliest", instant(*earliest).into())]
        }
        Rejection::UnknownNode { node } | Rejection::NodeUnchanged { node } => vec![("node", shown(node))],
        Rejection::NodeHoldsMore { node, leases } => vec![("node", shown(node)), ("leases", (*leases).into())],
        Rejection::StaleReport { lease } => vec![("lease", shown(lease))],
        Rejection::SliceUnknown { slice, model, offered } => {
            let model = model.clone().unwrap_or_default();
            vec![("slice", shown(slice)), ("model", model.into()), ("offered", names(lang, offered))]
        }
        Rejection::ModeUnknown { mode, model, offered } => {
            vec![("mode", shown(mode)), ("model", shown(model)), ("offered", names(lang, offered))]
        }
        Rejection::AcceleratorBusy { node, accelerator } => {
            vec![("node", shown(node)), ("accelerator", shown(accelerator))]
        }
        Rejection::StaleModeReport { node } => vec![("node", shown(node))],
        Rejection::TimeWentBack { last, now } => {
            vec![("last", instant(*last).into()), ("now", instant(*now).into())]
        }
        Rejection::SettingsInvalid { field } => vec![("field", shown(field))],
        Rejection::PolicyInvalid { place, problem: _ } => vec![("place", shown(place))],
    }
}

/// Why a request changed nothing, and what would make it pass.
pub fn rejection(lang: Lang, rejection: &Rejection) -> Rejected {
    let id = format!("rejection-{}", rejection.code().replace('_', "-"));
    let args = rejection_args(lang, rejection);
    let happened = match rejection {
        Rejection::Invalid { field, problem } => field_problem(lang, field, problem),
        Rejection::PolicyInvalid { place, problem } => policy_problem(lang, place, problem),
        Rejection::ModelUnknown { models, .. } if models.is_empty() => text(lang, &format!("{id}.none"), &args),
        Rejection::SliceUnknown { model: None, .. } => text(lang, &format!("{id}.anywhere"), &args),
        _ => text(lang, &format!("{id}.detail"), &args),
    };
    let next = text(lang, &format!("{id}.next"), &args);
    Rejected { title: text(lang, &id, &args), detail: format!("{happened} {next}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use eaf_model::{Bytes, GpuMilli, LeaseId, NodeId, Span, Time, WorkloadId};

    fn workload() -> WorkloadId {
        WorkloadId::of_step(7)
    }

    fn node() -> NodeId {
        NodeId::of_step(3)
    }

    /// Fails where a text is an id that has no message, or where an argument was left out.
    fn check(texts: impl IntoIterator<Item = String>) {
        for text in texts {
            let is_id = !text.contains(' ') && text.contains('-') && text.is_ascii();
            assert!(!is_id && !text.contains('{') && !text.contains("  "), "{text:?}");
        }
    }

    fn exits() -> Vec<Exit> {
        vec![Exit::Code(3), Exit::Signal(9), Exit::OutOfMemory, Exit::CannotStart("x".into()), Exit::Lost("y".into())]
    }

    fn rejections() -> Vec<Rejection> {
        let problems = [
            FieldProblem::Empty,
            FieldProblem::TooSmall { given: -1, min: 0 },
            FieldProblem::TooLarge { given: 9, max: 8 },
            FieldProblem::Twice { what: "wl-1".into() },
            FieldProblem::Malformed { expected: "letters".into() },
            FieldProblem::Conflicts { with: "task.cpu".into() },
        ];
        let mut all: Vec<_> =
            problems.into_iter().map(|problem| Rejection::Invalid { field: "tasks".into(), problem }).collect();
        let largest = LargestFit { tasks: 4, cpu: CpuMilli(1_500), memory: Bytes(3 << 29), accelerators: 8 };
        all.extend([
            Rejection::NeverFits { largest },
            Rejection::NeverFits { largest: LargestFit { tasks: 0, ..largest } },
            Rejection::NeverFits { largest: LargestFit::default() },
            Rejection::ModelUnknown { models: vec!["H100".into()], offered: vec!["MI355X".into()] },
            Rejection::ModelUnknown { models: Vec::new(), offered: Vec::new() },
            Rejection::DeadlineTooSoon { deadline: Time(1), earliest: Time(2) },
            Rejection::NoNodes,
            Rejection::QueueFull { max: 10 },
            Rejection::KeyReused { workload: workload() },
            Rejection::UnknownWorkload { workload: workload() },
            Rejection::UnknownDependency { workload: workload() },
            Rejection::DependencyFailed { workload: workload(), state: WorkloadState::Failed },
            Rejection::AlreadyStopping { workload: workload() },
            Rejection::UnknownNode { node: node() },
            Rejection::NodeUnchanged { node: node() },
            Rejection::NodeHoldsMore { node: node(), leases: 2 },
            Rejection::TooManyNodes { max: 5 },
            Rejection::StaleReport { lease: LeaseId::of_step(2) },
            Rejection::SliceUnknown { slice: "9g".into(), model: None, offered: vec!["1g.10gb".into()] },
            Rejection::SliceUnknown { slice: "9g".into(), model: Some("RNGD".into()), offered: Vec::new() },
            Rejection::ModeUnknown { mode: "MIG".into(), model: "MI300X".into(), offered: vec!["whole".into()] },
            Rejection::AcceleratorBusy { node: node(), accelerator: 3 },
            Rejection::StaleModeReport { node: node() },
            Rejection::TimeWentBack { last: Time(2), now: Time(1) },
            Rejection::SettingsInvalid { field: "timing".into() },
        ]);
        all.extend(crate::messages::policy::tests::every_problem().into_iter().map(|problem| {
            let place = "shares.vision".to_owned();
            Rejection::PolicyInvalid { place, problem }
        }));
        all
    }

    #[test]
    fn every_rejection_has_a_title_what_happened_and_what_to_do() {
        for lang in Lang::ALL {
            for case in rejections() {
                let Rejected { title, detail } = rejection(lang, &case);
                assert!(title.contains(' ') && !title.ends_with('.'), "{title:?}");
                assert!(detail.len() > title.len() / 2, "{case:?}: {detail:?}");
                check([title, detail]);
            }
        }
    }

    fn blockers() -> Vec<Blocker> {
        let shorts = [Short::Cpu, Short::Memory, Short::Accelerators, Short::AcceleratorModel, Short::TasksPerNode];
        vec![
            Blocker::Dependencies { workloads: vec![workload()], pending: 1 },
            Blocker::Dependencies { workloads: vec![workload()], pending: 9 },
            Blocker::Backoff { until: Time(5) },
            Blocker::Capacity { tasks_placeable: 0, tasks_wanted: 1, short: Vec::new() },
            Blocker::Capacity { tasks_placeable: 1, tasks_wanted: 4, short: shorts.to_vec() },
            Blocker::Scattered { free: GpuMilli(9_500), wanted: GpuMilli(8_000) },
            Blocker::NodesNotReady { cordoned: 1, lost: 2 },
            Blocker::ModeChange { node: node(), mode: "MIG".into(), draining: true, until: Some(Time(9)) },
            Blocker::ModeChange { node: node(), mode: "MIG".into(), draining: false, until: None },
            Blocker::Planned { at: Time(9), latest: None },
            Blocker::Planned { at: Time(9), latest: Some(Time(9)) },
            Blocker::Planned { at: Time(9), latest: Some(Time(99)) },
            Blocker::Hold { workload: workload(), at: Time(9) },
            Blocker::Share {
                share: Some("vision".into()),
                model: "H100".into(),
                held: GpuMilli(9),
                limit: GpuMilli(8),
            },
            Blocker::ShareTooSmall {
                share: Some("vision".into()),
                model: "H100".into(),
                wanted: GpuMilli(9),
                limit: GpuMilli(8),
            },
            Blocker::ShareTooSmall { share: None, model: "H100".into(), wanted: GpuMilli(9), limit: GpuMilli(8) },
            Blocker::Reserved { nodes: 2, until: Time(9) },
            Blocker::Share { share: None, model: "H100".into(), held: GpuMilli(9), limit: GpuMilli(8) },
            Blocker::Preemption { workloads: 0 },
            Blocker::Preemption { workloads: 1 },
            Blocker::Preemption { workloads: 7 },
            Blocker::NextPass,
            Blocker::FleetTooSmall,
        ]
    }

    #[test]
    fn every_state_reason_blocker_and_test_has_words() {
        let by = || "admin".to_owned();
        let mut reasons = vec![
            Reason::WaitingForCapacity,
            Reason::WaitingForDependencies { pending: 2 },
            Reason::RetryAfterLoss { why: "gone".into() },
            Reason::WaitingAfterPreemption { by: workload() },
            Reason::Preempted { by: workload() },
            Reason::Placed,
            Reason::TasksStarting { started: 1, of: 2 },
            Reason::TasksStarted,
            Reason::CancelRequested { by: by() },
            Reason::WallTimeReached,
            Reason::StartTimedOut,
            Reason::NodeLost { node: node() },
            Reason::Lost { why: "gone".into() },
            Reason::DependencyFailed { workload: workload() },
            Reason::DidNotStartInTime,
            Reason::DeadlineOutOfReach,
            Reason::AllTasksExitedZero,
        ];
        for ended in exits() {
            reasons.push(Reason::RetryAfterFailure { exit: ended.clone() });
            reasons.push(Reason::TaskFailed { task: 1, exit: ended });
        }
        let changes = [
            Change::FewerTasks { tasks: 1 },
            Change::FewerAccelerators { count: 4 },
            Change::SmallerShare { share: GpuMilli(250) },
            Change::LessCpu { cpu: CpuMilli(1_500) },
            Change::LessMemory { memory: Bytes(1 << 30) },
            Change::OtherModels { models: vec!["H200".into(), "MI355X".into()] },
            Change::AnyTasksPerNode,
            Change::ShorterWallTime { wall_time: Span::from_secs(60) },
        ];
        let parts = [Test::AcceleratorModel, Test::Cpu, Test::Memory, Test::Mode, Test::Accelerators, Test::Reserved];
        let tests = [Test::Cordoned, Test::Lost].into_iter().chain(parts);
        let modes = [ModeState::Settled, ModeState::Draining, ModeState::Changing, ModeState::OutOfService];
        for lang in Lang::ALL {
            check(WorkloadState::ALL.map(|each| state(lang, each)));
            check([NodeState::Ready, NodeState::Cordoned, NodeState::Lost].map(|each| node_state(lang, each)));
            check(reasons.iter().map(|each| reason(lang, each)));
            check(exits().iter().map(|each| exit(lang, each)));
            check(blockers().iter().map(|each| blocker(lang, each)));
            check(changes.iter().map(|each| change(lang, each)));
            check(tests.clone().map(|each| test(lang, each)));
            check(modes.map(|each| mode_state(lang, each)));
        }
    }

    #[test]
    fn a_rejection_reads_like_this() {
        let largest = LargestFit { tasks: 4, cpu: CpuMilli(1_500), memory: Bytes(3 << 29), accelerators: 8 };
        let say = |lang, largest| rejection(lang, &Rejection::NeverFits { largest });
        assert_eq!(say(Lang::Ko, largest).title, "어떤 노드에도 들어갈 수 없습니다");
        let check = |largest, expect: &str| {
            let detail = say(Lang::En, largest).detail;
            assert_eq!(
                detail,
                format!("The fleet cannot run this even when nothing else runs. {expect} Ask for less, or add nodes.")
            );
        };
        check(largest, "No more than 4 such tasks fit at once.");
        check(
            LargestFit { tasks: 0, memory: Bytes(0), ..largest },
            "With everything else as asked, a task could have no more than this: 1.5 CPU, 8 accelerators.",
        );
        check(
            LargestFit::default(),
            "Each node that has enough of one thing that it asks for has too little of another.",
        );
    }
}
