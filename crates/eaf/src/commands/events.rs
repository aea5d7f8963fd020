//! `eaf events`: what happens, as it happens.
//!
//! What: the events of the journal behind a place, one line each, in words or as JSON. Absent: filters; `--json` and a
//! tool that knows JSON do that better.

use super::Context;
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use crate::screen::Paint;
use eaf_api::messages::{self, Lang};
use eaf_api::{EventId, EventView};
use eaf_model::{Event, TaskKey, Valuation};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Go on with what comes. Otherwise only what has happened is printed.
    #[arg(short, long)]
    follow: bool,
    /// Begin behind this event or step, such as 12.0 or 12. Otherwise the last few, and 0 for the oldest.
    #[arg(long, value_name = "EVENT")]
    after: Option<String>,
    /// One JSON document a line.
    #[arg(long)]
    json: bool,
}

/// How long the first events may take to come.
const FIRST_WITHIN: Duration = Duration::from_secs(30);
/// The pause that tells that a step's events are over.
const PAUSE: Duration = Duration::from_millis(100);
/// Events that wait to be printed.
const CHANNEL_EVENTS: usize = 256;
/// Steps before the head that are shown where no place is named.
const RECENT_STEPS: u64 = 20;

fn task(id: &'static str, key: &TaskKey) -> Say {
    Say::new(id).with("lease", key.lease).with("task", key.task)
}

fn modes(id: &'static str, node: eaf_model::NodeId, accelerators: &[u16]) -> Say {
    let boards = accelerators.iter().map(u16::to_string).collect::<Vec<_>>().join(" ");
    Say::new(id).with("node", node).with("boards", boards)
}

fn windows(begun: &[String], over: &[String]) -> Say {
    let names = |names: &[String]| if names.is_empty() { "–".to_owned() } else { names.join(", ") };
    Say::new("event-windows-moved").with("begun", names(begun)).with("over", names(over))
}

fn valued(valuation: &Valuation) -> Say {
    let accelerators = |milli: u64| format!("{}.{:03}", milli / 1_000, milli % 1_000);
    let (free, capacity) = (accelerators(valuation.free), accelerators(valuation.capacity));
    Say::new("event-fleet-valued").with("free", free).with("capacity", capacity)
}

/// An event of modes in words.
fn of_modes(event: &Event) -> Say {
    match event {
        Event::ModeDraining { node, accelerators, to, workload, .. } => {
            modes("event-mode-draining", *node, accelerators).with("mode", to).with("workload", workload)
        }
        Event::ModeKept { node, accelerators } => modes("event-mode-kept", *node, accelerators),
        Event::ModeOrdered { node, accelerators, to, .. } => {
            modes("event-mode-ordered", *node, accelerators).with("mode", to)
        }
        Event::ModeVerified { node, accelerators, mode } => {
            modes("event-mode-verified", *node, accelerators).with("mode", mode)
        }
        Event::ModeFailed { node, accelerators, why } => {
            modes("event-mode-failed", *node, accelerators).with("why", why)
        }
        _ => unreachable!("{} is not an event of modes", event.kind()),
    }
}

/// An event in words.
fn words(event: &Event, lang: Lang) -> Say {
    match event {
        Event::Configured(_) => Say::new("event-configured"),
        Event::PolicyApplied { by, .. } => Say::new("event-policy-applied").with("by", by),
        Event::WindowsMoved { begun, over } => windows(begun, over),
        Event::NodeAdded { node, spec } => Say::new("event-node-added").with("node", node).with("name", &spec.name),
        Event::NodeChanged { node, .. } => Say::new("event-node-changed").with("node", node),
        Event::NodeLost { node, why } => Say::new("event-node-lost").with("node", node).with("why", why),
        Event::NodeGivenUp { node } => Say::new("event-node-given-up").with("node", node),
        Event::NodeBack { node } => Say::new("event-node-back").with("node", node),
        Event::NodeCordoned { node, why } => Say::new("event-node-cordoned").with("node", node).with("why", why),
        Event::NodeUncordoned { node } => Say::new("event-node-uncordoned").with("node", node),
        Event::ModeDraining { .. }
        | Event::ModeKept { .. }
        | Event::ModeOrdered { .. }
        | Event::ModeVerified { .. }
        | Event::ModeFailed { .. } => of_modes(event),
        Event::NodeRemoved { node } => Say::new("event-node-removed").with("node", node),
        Event::WorkloadSubmitted { workload, spec, array, by, .. } => {
            let id = if array.is_empty() { "event-workload-submitted" } else { "event-array-submitted" };
            let say = Say::new(id).with("workload", workload).with("name", &spec.name).with("by", by);
            if array.is_empty() { say } else { say.count("members", array.len() as u64) }
        }
        Event::FleetValued { valuation, .. } => valued(valuation),
        Event::LeaseGranted { lease, workload, placement, .. } => {
            let mut nodes: Vec<_> = placement.tasks.iter().map(|allotment| allotment.node.to_string()).collect();
            nodes.dedup();
            let say = Say::new("event-lease-granted").with("lease", lease).with("workload", workload);
            say.with("nodes", nodes.join(", "))
        }
        Event::TaskAccepted { key } => task("event-task-accepted", key),
        Event::TaskStarted { key, .. } => task("event-task-started", key),
        Event::TaskUsed { key, .. } => task("event-task-used", key),
        Event::TaskCheckpointed { key, checkpoint } => match &checkpoint.label {
            Some(label) => task("event-task-checkpointed-label", key).with("label", label),
            None => task("event-task-checkpointed", key),
        },
        Event::TaskExited { key, exit, .. } => task("event-task-exited", key).with("exit", messages::exit(lang, exit)),
        Event::TaskAbandoned { key, .. } => task("event-task-abandoned", key),
        Event::AbandonedTaskGone { key, .. } => task("event-abandoned-task-gone", key),
        Event::LeaseStopping { lease, reason, .. } => {
            Say::new("event-lease-stopping").with("lease", lease).with("reason", messages::reason(lang, reason))
        }
        Event::LeaseClosed { lease, .. } => Say::new("event-lease-closed").with("lease", lease),
        Event::WorkloadRequeued { workload, reason, .. } => {
            let reason = messages::reason(lang, reason);
            Say::new("event-workload-requeued").with("workload", workload).with("reason", reason)
        }
        Event::WorkloadEligible { workload } => Say::new("event-workload-eligible").with("workload", workload),
        Event::WorkloadPromised { workload, latest } => {
            Say::new("event-workload-promised").with("workload", workload).with("at", messages::instant(*latest))
        }
        Event::WorkloadPassed { workload } => Say::new("event-workload-passed").with("workload", workload),
        Event::WorkloadAged { workload } => Say::new("event-workload-aged").with("workload", workload),
        Event::ServiceLevelReached { workload, level } => {
            Say::new("event-service-level-reached").with("workload", workload).with("level", level)
        }
        Event::LeaseEvictable { lease } => Say::new("event-lease-evictable").with("lease", lease),
        Event::WorkloadPreempted { workload, by } => {
            Say::new("event-workload-preempted").with("workload", workload).with("by", by)
        }
        Event::WorkloadEnded { workload, state, reason } => Say::new("event-workload-ended")
            .with("workload", workload)
            .with("state", messages::state(lang, *state))
            .with("reason", messages::reason(lang, reason)),
    }
}

fn print(event: &EventView, args: &Args, context: &mut Context) -> Result<(), Failure> {
    if args.json {
        let text = serde_json::to_string(event).map_err(|error| Failure::output(&error.into()))?;
        return context.screen.line(&text);
    }
    let words = crate::screen::clean(&context.say(&words(&event.event, context.lang)));
    let place =
        Paint::Dim.on(&format!("{}  {:>8}", messages::instant(event.at), event.id.to_string()), context.screen.colours);
    context.screen.line(&format!("{place}  {words}"))
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let client = context.client()?;
    let head = client.journal_head()?.step;
    let after = match &args.after {
        Some(text) => {
            text.parse().map_err(|_| Failure::new(exit::USAGE, Say::new("fail-not-an-event").with("given", text)))?
        }
        None => EventId::behind(head.saturating_sub(RECENT_STEPS)),
    };
    if args.follow {
        for event in client.events(Some(after)) {
            print(&event?, args, context)?;
            context.screen.flush()?;
        }
        return Ok(exit::OK);
    }
    if after >= EventId::behind(head) {
        return Ok(exit::OK);
    }
    let (sender, receiver) = sync_channel(CHANNEL_EVENTS);
    let mut stream = client.events(Some(after));
    // The thread ends with the process, or when nobody listens any more.
    std::thread::spawn(move || stream.all(|event| sender.send(event).is_ok()));
    let mut patience = FIRST_WITHIN;
    while let Ok(event) = receiver.recv_timeout(patience) {
        let event = event?;
        if event.id.step > head {
            break;
        }
        // The events of one step come together, so a pause behind the last step is its end.
        if event.id.step == head {
            patience = PAUSE;
        }
        print(&event, args, context)?;
    }
    Ok(exit::OK)
}
