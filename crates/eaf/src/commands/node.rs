//! `eaf node`: the machines of the site.
//!
//! What: lists and shows them, and cordons them for maintenance. Absent: adding nodes; engines discover them and a site
//! file names them.

use super::Context;
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use crate::screen::{Cell, Paint, Table};
use eaf_api::NodeView;
use eaf_api::client::Client;
use eaf_api::messages;
use eaf_model::{BoardMode, GpuMilli, ModeReason, NodeId};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List the nodes.
    List(ListArgs),
    /// Show a node.
    Show(OneArgs),
    /// Place nothing more on a node; what runs there goes on.
    Cordon(CordonArgs),
    /// Place work on a node again.
    Uncordon(OneArgs),
    /// Bring empty accelerators into a mode; those that are out of service come back.
    Mode(ModeArgs),
}

#[derive(Debug, clap::Args)]
struct ListArgs {
    /// A JSON array for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct OneArgs {
    /// The node, by id or name.
    #[arg(value_name = "NODE")]
    node: String,
    /// A JSON document for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct CordonArgs {
    /// The node, by id or name.
    #[arg(value_name = "NODE")]
    node: String,
    /// Why, for the next one on call.
    #[arg(short, long, value_name = "TEXT", default_value = "no reason given")]
    why: String,
    /// A JSON document for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct ModeArgs {
    /// The node, by id or name.
    #[arg(value_name = "NODE")]
    node: String,
    /// Which accelerators, such as 0,1,2.
    #[arg(value_name = "N", value_delimiter = ',', required = true)]
    accelerators: Vec<u16>,
    /// whole, or a mode such as MIG or CPX/NPS4.
    #[arg(long, value_name = "MODE")]
    mode: String,
    /// A JSON document for programs.
    #[arg(long)]
    json: bool,
}

/// The mode of an accelerator in words.
fn mode_text(mode: &BoardMode, context: &Context) -> String {
    let (id, key, value) = match (&mode.state_reason, &mode.to) {
        (ModeReason::Failed { why }, _) => ("node-mode-why", "why", why.as_str()),
        (_, Some(to)) => ("node-mode-to", "to", to.as_str()),
        (_, None) => ("node-mode", "to", ""),
    };
    let state = messages::mode_state(context.lang, mode.state);
    context.say(&Say::new(id).with("mode", &mode.mode).with("state", state).with(key, value))
}

fn find(client: &Client, given: &str) -> Result<NodeView, Failure> {
    if let Ok(id) = given.parse::<NodeId>() {
        return Ok(client.node(id)?);
    }
    let named = client.nodes()?.items.into_iter().find(|node| node.name == given);
    named.ok_or_else(|| Failure::new(exit::NOT_FOUND, Say::new("fail-no-node").with("given", given)))
}

/// Accelerators by model: `8 × MI355X`.
fn accelerators(node: &NodeView) -> String {
    let mut models: Vec<(&str, u32)> = Vec::new();
    for accelerator in &node.spec.accelerators {
        match models.iter_mut().find(|(model, _)| *model == accelerator.model) {
            Some((_, count)) => *count += 1,
            None => models.push((&accelerator.model, 1)),
        }
    }
    models.iter().map(|(model, count)| format!("{count} × {model}")).collect::<Vec<_>>().join(", ")
}

/// The same, saying where they are pretended.
fn accelerators_text(node: &NodeView, context: &Context) -> String {
    let text = accelerators(node);
    if node.spec.pretended && !text.is_empty() {
        context.say(&Say::new("pretended").with("accelerators", text))
    } else {
        text
    }
}

fn held(shares: &[GpuMilli]) -> String {
    let total: u64 = shares.iter().map(|share| share.0).sum();
    messages::cpu(eaf_model::CpuMilli(total))
}

fn list(args: &ListArgs, context: &mut Context) -> Result<u8, Failure> {
    let nodes = context.client()?.nodes()?.items;
    if args.json {
        return context.screen.json(&nodes).map(|()| exit::OK);
    }
    if nodes.is_empty() {
        context.screen.note(&context.say(&Say::new("node-none")));
        return Ok(exit::OK);
    }
    let heading = |id| context.say(&Say::new(id));
    let mut table = Table::new([
        Cell::text(heading("head-id")),
        Cell::text(heading("head-name")),
        Cell::text(heading("head-state")),
        Cell::figure(heading("head-cpu")),
        Cell::figure(heading("head-memory")),
        Cell::figure(heading("head-tasks")),
        Cell::text(heading("head-accelerators")),
        Cell::text(heading("head-reason")),
    ]);
    for node in &nodes {
        let (spec, status) = (&node.spec, &node.status);
        table.row([
            Cell::text(node.id.to_string()),
            Cell::text(&node.name),
            Cell::text(messages::node_state(context.lang, node.state)).paint(Paint::of_node(node.state)),
            Cell::figure(format!("{}/{}", messages::cpu(status.cpu_held), messages::cpu(spec.cpu))),
            Cell::figure(format!("{}/{}", messages::bytes(status.memory_held), messages::bytes(spec.memory))),
            Cell::figure(status.tasks.to_string()),
            Cell::text(accelerators_text(node, context)),
            Cell::text(node.state_reason.as_deref().unwrap_or_default()),
        ]);
    }
    context.screen.table(&table).map(|()| exit::OK)
}

fn print(node: &NodeView, json: bool, context: &mut Context) -> Result<u8, Failure> {
    if json {
        return context.screen.json(node).map(|()| exit::OK);
    }
    let state = messages::node_state(context.lang, node.state);
    let state = Paint::of_node(node.state).on(&state, context.screen.colours);
    let id = Paint::Bold.on(&node.id.to_string(), context.screen.colours);
    context.screen.line(&format!("{id}  {state}"))?;
    let (spec, status) = (&node.spec, &node.status);
    let of = |held: String, all: String| context.say(&Say::new("held-of").with("held", held).with("all", all));
    let mut facts = vec![
        ("show-name", node.name.clone()),
        ("show-cpu", of(messages::cpu(status.cpu_held), messages::cpu(spec.cpu))),
        ("show-memory", of(messages::bytes(status.memory_held), messages::bytes(spec.memory))),
        ("show-tasks", status.tasks.to_string()),
    ];
    if !spec.accelerators.is_empty() {
        let text = accelerators_text(node, context);
        facts.push(("show-accelerators", of(held(&status.accelerators_held), text)));
    }
    if !spec.fabric.is_empty() {
        facts.push(("show-fabric", spec.fabric.join(" / ")));
    }
    facts.extend(node.state_reason.clone().filter(|why| !why.is_empty()).map(|why| ("show-reason", why)));
    facts.extend(node.state_since.map(|since| ("show-since", messages::instant(since))));
    facts.extend(node.state_deadline.map(|at| ("show-deadline", messages::instant(at))));
    facts.extend(node.labels.iter().map(|(name, value)| ("show-labels", format!("{name}={value}"))));
    let mut table = Table::bare();
    let modes =
        status.modes.iter().map(|(index, mode)| (context.say(&Say::new("show-mode").with("index", index)), mode));
    let modes: Vec<_> = modes.map(|(name, mode)| (name, mode_text(mode, context))).collect();
    for (id, value) in facts {
        table.row([Cell::text(format!("  {}", context.say(&Say::new(id)))).paint(Paint::Dim), Cell::text(value)]);
    }
    for (name, value) in modes {
        table.row([Cell::text(format!("  {name}")).paint(Paint::Dim), Cell::text(value)]);
    }
    context.screen.table(&table).map(|()| exit::OK)
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    match &args.verb {
        Verb::List(args) => list(args, context),
        Verb::Show(args) => {
            let node = find(&context.client()?, &args.node)?;
            print(&node, args.json, context)
        }
        Verb::Cordon(args) => {
            let client = context.client()?;
            let node = client.cordon(find(&client, &args.node)?.id, &args.why)?;
            print(&node, args.json, context)
        }
        Verb::Mode(args) => {
            let client = context.client()?;
            let mut accelerators = args.accelerators.clone();
            accelerators.sort_unstable();
            accelerators.dedup();
            let node = client.set_mode(find(&client, &args.node)?.id, accelerators, &args.mode)?;
            print(&node, args.json, context)
        }
        Verb::Uncordon(args) => {
            let client = context.client()?;
            let node = client.uncordon(find(&client, &args.node)?.id)?;
            print(&node, args.json, context)
        }
    }
}
