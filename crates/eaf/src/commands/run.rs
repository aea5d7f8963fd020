//! `eaf run`: run a command as if it were here.
//!
//! What: submits, follows both outputs, exits with the command's code; Ctrl-C cancels. Absent: standard input, and the
//! environment of the caller; a workload gets what it is given by name.

use super::{Context, figure, pair, workload_ids};
use crate::exit;
use crate::failure::Failure;
use crate::files::{accelerators, parse_bytes, parse_cpu, parse_instant, parse_share, parse_span};
use crate::follow;
use crate::say::Say;
use crate::screen::now;
use eaf_api::client::Client;
use eaf_api::messages::{self, Lang};
use eaf_api::{SubmitRequest, WorkloadView};
use eaf_model::{Exit, OnLoss, Reason, Time, WorkloadId, WorkloadSpec, WorkloadState};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// How long a workload may wait before a person at a terminal is told why.
const QUIET_WAIT: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    ask: Ask,
    /// Print the id and return; do not follow.
    #[arg(short, long)]
    detach: bool,
    /// Idempotency key: the same key and request again give the same workload.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// The command and its arguments; -- may stand before it.
    #[arg(trailing_var_arg = true, required = true, value_name = "CMD")]
    command: Vec<String>,
}

/// What a workload asks for.
#[derive(Debug, clap::Args)]
struct Ask {
    /// A name for people. Otherwise the command's.
    #[arg(short, long, value_name = "NAME")]
    name: Option<String>,
    /// The project that it belongs to.
    #[arg(short, long, value_name = "NAME", default_value = "default")]
    project: String,
    /// How many tasks; more than one start together or not at all.
    #[arg(long, value_name = "N", default_value_t = 1)]
    tasks: u32,
    /// The fewest tasks with which it may start and go on; all of them where nothing is said.
    #[arg(long, value_name = "N")]
    tasks_min: Option<u32>,
    /// The most tasks that may share a node.
    #[arg(long, value_name = "N")]
    tasks_per_node_max: Option<u32>,
    /// CPU threads of each task, such as 2 or 0.5.
    #[arg(short, long, value_name = "N")]
    cpu: Option<String>,
    /// Memory of each task, such as 512MiB or 2GiB.
    #[arg(short, long, value_name = "SIZE")]
    memory: Option<String>,
    /// Accelerators of each task: 4, 4:MI355X, or 1:MI300X|MI325X.
    #[arg(short = 'g', long, value_name = "N[:MODEL]")]
    accelerators: Option<String>,
    /// The share of a single accelerator, such as 0.25.
    #[arg(long, value_name = "SHARE")]
    share: Option<String>,
    /// A slice of an accelerator, such as 1g.10gb or CPX; as many as -g says.
    #[arg(long, value_name = "PROFILE", conflicts_with = "share")]
    slice: Option<String>,
    /// How long it may run, such as 90s or 1h30m.
    #[arg(short = 't', long, value_name = "TIME")]
    wall_time: Option<String>,
    /// Higher goes first; -1000 to 1000.
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    priority: i32,
    /// Make room for workloads that go before it; it then waits again in its old place.
    #[arg(long)]
    preemptible: bool,
    /// It goes on from where it was when it is stopped and started again, so that making room loses nothing.
    #[arg(long)]
    keeps_progress: bool,
    /// How often to try again after a failure.
    #[arg(long, value_name = "N", default_value_t = 0)]
    retries: u32,
    /// Fail instead of trying again when the attempt is lost.
    #[arg(long)]
    fail_on_loss: bool,
    /// Start after these have finished with success.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    after_ok: Vec<String>,
    /// Start after these have ended, however they ended.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    after_any: Vec<String>,
    /// Give up when not started this long after now.
    #[arg(long, value_name = "TIME")]
    expires_after: Option<String>,
    /// Give up when its wall time could not end by then any more: a date with an offset, or a time from now such as 6h.
    #[arg(long, value_name = "WHEN")]
    deadline: Option<String>,
    /// Between the polite and the hard stop.
    #[arg(long, value_name = "TIME")]
    stop_grace: Option<String>,
    /// An environment variable; may be given several times.
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// A label; may be given several times.
    #[arg(short, long, value_name = "NAME=VALUE")]
    label: Vec<String>,
    /// The working directory. Otherwise a fresh one.
    #[arg(short, long, value_name = "DIR")]
    workdir: Option<String>,
}

fn name_of(command: &[String]) -> String {
    let program = command.first().map_or("", String::as_str);
    program.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("unnamed").to_owned()
}

fn span(option: &str, given: Option<&String>) -> Result<Option<eaf_model::Span>, Failure> {
    given.map(|given| figure(option, given, "1h30m", parse_span)).transpose()
}

/// A date, or a time from now.
fn instant(option: &str, given: &str) -> Result<Time, Failure> {
    let wrong = || Failure::new(exit::USAGE, Say::new("fail-instant").with("option", option).with("given", given));
    parse_span(given).ok().map(|span| now().after(span)).or_else(|| parse_instant(given)).ok_or_else(wrong)
}

fn spec(ask: Ask, command: &[String]) -> Result<WorkloadSpec, Failure> {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let mut spec = WorkloadSpec::command(&words);
    spec.wall_time = span("--wall-time", ask.wall_time.as_ref())?;
    spec.expires_after = span("--expires-after", ask.expires_after.as_ref())?;
    spec.deadline = ask.deadline.as_ref().map(|given| instant("--deadline", given)).transpose()?;
    spec.stop_grace = span("--stop-grace", ask.stop_grace.as_ref())?;
    if let Some(given) = &ask.cpu {
        spec.task.cpu = figure("--cpu", given, "1.5", parse_cpu)?;
    }
    if let Some(given) = &ask.memory {
        spec.task.memory = figure("--memory", given, "512MiB", parse_bytes)?;
    }
    if let Some(given) = &ask.accelerators {
        let wrong = || Failure::new(exit::USAGE, Say::new("fail-accelerators").with("given", given));
        spec.task.accelerators = accelerators(given).ok_or_else(wrong)?;
    }
    if let Some(given) = &ask.share {
        spec.task.accelerators.share = figure("--share", given, "0.25", parse_share)?;
        spec.task.accelerators.count = spec.task.accelerators.count.max(1);
    }
    if ask.slice.is_some() {
        spec.task.accelerators.slice = ask.slice;
        spec.task.accelerators.count = spec.task.accelerators.count.max(1);
    }
    spec.name = ask.name.unwrap_or_else(|| name_of(command));
    spec.project = ask.project;
    spec.tasks = ask.tasks;
    spec.tasks_min = ask.tasks_min;
    if let Some(min) = ask.tasks_min.filter(|min| *min > ask.tasks) {
        let say = Say::new("file-tasks-min").with("min", min.to_string()).with("tasks", ask.tasks.to_string());
        return Err(Failure::new(exit::USAGE, say));
    }
    spec.tasks_per_node_max = ask.tasks_per_node_max;
    spec.priority = ask.priority;
    spec.preemptible = ask.preemptible;
    spec.keeps_progress = ask.keeps_progress;
    spec.retries = ask.retries;
    spec.on_loss = if ask.fail_on_loss { OnLoss::Fail } else { OnLoss::Requeue };
    spec.after_ok = workload_ids(&ask.after_ok)?;
    spec.after_any = workload_ids(&ask.after_any)?;
    spec.environment = ask.env.iter().map(|given| pair("--env", given)).collect::<Result<_, _>>()?;
    spec.labels = ask.label.iter().map(|given| pair("--label", given)).collect::<Result<_, _>>()?;
    spec.working_directory = ask.workdir;
    Ok(spec)
}

/// What `eaf run` exits with for a workload that has ended.
pub(crate) fn exit_code(view: &WorkloadView) -> u8 {
    match (&view.state, &view.state_reason) {
        (WorkloadState::Finished, _) => exit::OK,
        (WorkloadState::Cancelled, _) => exit::RUN_CANCELLED,
        (_, Reason::WallTimeReached) => exit::RUN_TIMED_OUT,
        (_, Reason::TaskFailed { exit: ended, .. }) => match ended {
            Exit::Code(code) => u8::try_from(*code).unwrap_or(exit::FAILED),
            Exit::Signal(signal) => exit::RUN_SIGNAL.saturating_add(u8::try_from(*signal).unwrap_or(0)),
            Exit::OutOfMemory => exit::RUN_SIGNAL + 9,
            Exit::CannotStart(_) => exit::RUN_CANNOT_START,
            Exit::Lost(_) => exit::RUN_FAILED,
        },
        _ => exit::RUN_FAILED,
    }
}

/// Tells how a workload ended, unless its own exit code says it all.
pub(crate) fn tell_end(view: &WorkloadView, context: &Context) {
    let own_code = matches!(view.state_reason, Reason::TaskFailed { exit: Exit::Code(_), .. });
    if view.state != WorkloadState::Finished && !(own_code && view.spec.tasks == 1) {
        let state = messages::state(context.lang, view.state);
        let reason = messages::reason(context.lang, &view.state_reason);
        context.screen.note(&format!("eaf: {} {state}: {reason}", view.id));
    }
}

/// Cancels the workload on the first interruption; ends this process on the second.
fn cancel_on_interruption(client: &Client, id: WorkloadId, said: String) -> Result<(), Failure> {
    let signals = Signals::new([SIGINT, SIGTERM]);
    let mut signals = signals.map_err(|error| Failure::because(exit::RUN_FAILED, Say::new("fail-signals"), &error))?;
    let client = client.clone();
    std::thread::spawn(move || {
        for (count, _) in signals.forever().enumerate() {
            if count > 0 {
                std::process::exit(exit::RUN_CANCELLED.into());
            }
            // It may have ended meanwhile; the follower sees that and nothing is left to cancel.
            if client.cancel(id).is_ok() {
                let _ = writeln!(std::io::stderr(), "{said}");
            }
        }
    });
    Ok(())
}

/// Says what a workload waits for, if it still waits after a moment.
fn tell_waiting(client: &Client, id: WorkloadId, lang: Lang) {
    let client = client.clone();
    std::thread::spawn(move || {
        std::thread::sleep(QUIET_WAIT);
        let waits = client.workload(id).is_ok_and(|view| view.state == WorkloadState::Queued);
        if let (true, Ok(explanation)) = (waits, client.explanation(id)) {
            for blocker in &explanation.blockers {
                // A reader who has closed standard error does not want to hear of it.
                let _ = writeln!(std::io::stderr(), "eaf: {}", messages::blocker(lang, blocker));
            }
        }
    });
}

fn submit_and_follow(args: Args, context: &mut Context) -> Result<u8, Failure> {
    let spec = spec(args.ask, &args.command)?;
    let tasks = spec.tasks;
    let client = context.client()?;
    let submitted = client.submit(&SubmitRequest { spec, array: Vec::new() }, args.key.as_deref())?;
    if args.detach {
        return context.screen.line(&submitted.id.to_string()).map(|()| exit::OK);
    }
    let said = context.say(&Say::new("run-cancelling").with("id", submitted.id));
    cancel_on_interruption(&client, submitted.id, said)?;
    if tasks > follow::TASKS_FOLLOWED_MAX {
        let some = Say::new("run-follows-some").with("max", follow::TASKS_FOLLOWED_MAX).with("tasks", tasks);
        context.screen.note(&context.say(&some.with("id", submitted.id)));
    }
    if std::io::stderr().is_terminal() {
        context.screen.note(&format!("eaf: {}", submitted.id));
        tell_waiting(&client, submitted.id, context.lang);
    }
    let view = follow::to_the_end(&client, submitted.id)?;
    tell_end(&view, context);
    Ok(exit_code(&view))
}

pub(crate) fn run(args: Args, context: &mut Context) -> Result<u8, Failure> {
    // A script must be able to tell the command's own exit code from a failure of the factory.
    submit_and_follow(args, context).map_err(|failure| match failure {
        Failure::Said { code, say, why } if code != exit::USAGE => Failure::Said { code: exit::RUN_FAILED, say, why },
        Failure::Refused(problem) => Failure::RunRefused(problem),
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workload_is_named_after_its_program() {
        let check = |program: &str, expect: &str| assert_eq!(name_of(&[program.to_owned()]), expect);
        check("/usr/bin/python3", "python3");
        check("true", "true");
        check("dir/", "unnamed");
        check("", "unnamed");
    }
}
