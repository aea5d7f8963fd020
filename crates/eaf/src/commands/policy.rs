//! `eaf policy`: shares, reservations and maintenance, in a file.
//!
//! What: shows the policy in force, checks a file, says what it would change, and applies it. Why a file and no verbs that
//! add and remove: it can be kept where other files are kept, read by two people before it counts, and applied again.
//! Absent: editing.

use super::{Context, read_bytes};
use crate::exit;
use crate::failure::Failure;
use crate::files::policy::{self, PolicyFile};
use crate::say::Say;
use crate::screen::{Cell, Paint, Table, now};
use eaf_api::client::ClientError;
use eaf_api::messages;
use eaf_model::{CpuMilli, GpuMilli, Policy, Rejection, ShareUse};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show the policy in force, as a file that can be applied.
    Show(ShowArgs),
    /// Show who holds what of which share.
    Usage(ShowArgs),
    /// Check a policy file; where a factory answers, against its nodes and what runs there too.
    Check(FileArgs),
    /// Say what a policy file would change.
    Diff(FileArgs),
    /// Apply a policy file: the whole policy, as it stands there.
    Apply(FileArgs),
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// A JSON document for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct FileArgs {
    /// The policy file, in TOML; - for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Where in the file something is.
fn place(path: &Path, line: Option<usize>) -> String {
    line.map_or_else(|| path.display().to_string(), |line| format!("{}:{line}", path.display()))
}

/// Reads a file and checks what can be checked without a factory.
fn read(path: &Path, context: &Context) -> Result<PolicyFile, Failure> {
    let wrong = |line, problem: Say| {
        let say = Say::new("fail-policy-file").with("place", place(path, line));
        Failure::new(exit::BAD_FILE, say.say("problem", problem))
    };
    let file = policy::read(&read_bytes(path)?).map_err(|problem| wrong(problem.line, problem.say))?;
    match eaf_core::policy_problem(&file.policy) {
        None => Ok(file),
        Some(rejection) => {
            let line = match &rejection {
                Rejection::PolicyInvalid { place, .. } => file.line_of(place),
                _ => None,
            };
            let detail = messages::rejection(context.lang, &rejection).detail;
            Err(wrong(line, Say::new("policy-detail").with("detail", detail)))
        }
    }
}

/// What the factory says of it, with the line where it names a place.
fn refused(path: &Path, file: &PolicyFile, error: ClientError) -> Failure {
    let named = error.problem().filter(|problem| problem.code == "policy_invalid");
    let at = named.and_then(|problem| problem.numbers.get("place")?.as_str()).and_then(|at| file.line_of(at));
    match (at, named.map(|problem| problem.detail.clone())) {
        (Some(line), Some(detail)) => {
            let say = Say::new("fail-policy-refused").with("place", place(path, Some(line)));
            Failure::new(exit::FAILED, say.with("detail", detail))
        }
        _ => error.into(),
    }
}

/// What one policy has and the other has not, line by line.
fn differences(old: &Policy, new: &Policy, context: &mut Context) -> Result<usize, Failure> {
    let (old, new) = (policy::lines(old), policy::lines(new));
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut count = 0;
    for key in keys {
        let (was, is) = (old.get(key), new.get(key));
        if was == is {
            continue;
        }
        count += 1;
        for (sign, value, paint) in [("-", was, Paint::Bad), ("+", is, Paint::Good)] {
            if let Some(value) = value {
                let line = paint.on(&format!("{sign} {key} = {value}"), context.screen.colours);
                context.screen.line(&line)?;
            }
        }
    }
    Ok(count)
}

fn show(args: &ShowArgs, context: &mut Context) -> Result<u8, Failure> {
    let policy = context.client()?.policy()?;
    if args.json {
        return context.screen.json(&policy).map(|()| exit::OK);
    }
    for (key, value) in policy::lines(&policy) {
        context.screen.line(&format!("{key} = {value}"))?;
    }
    Ok(exit::OK)
}

/// How deep in the tree each share stands, by its name; a whole comes before its parts.
fn depths(uses: &[ShareUse]) -> BTreeMap<&str, usize> {
    let mut depths = BTreeMap::new();
    for (name, of) in uses.iter().filter_map(|of| Some((of.share.as_deref()?, of))) {
        let above = of.parent.as_deref().and_then(|parent| depths.get(parent).copied());
        depths.insert(name, above.map_or(0, |above: usize| above + 1));
    }
    depths
}

fn usage(args: &ShowArgs, context: &mut Context) -> Result<u8, Failure> {
    let uses = context.client()?.share_uses()?;
    if args.json {
        return context.screen.json(&uses).map(|()| exit::OK);
    }
    if uses.items.is_empty() {
        context.screen.note(&context.say(&Say::new("policy-no-shares")));
        return Ok(exit::OK);
    }
    let heading = |id| context.say(&Say::new(id));
    let mut table = Table::new([
        Cell::text(heading("head-share")),
        Cell::figure(heading("head-average")),
        Cell::figure(heading("head-waiting")),
        Cell::text(heading("head-model")),
        Cell::figure(heading("head-held")),
        Cell::figure(heading("head-guaranteed")),
        Cell::figure(heading("head-kept")),
        Cell::figure(heading("head-maximum")),
    ]);
    let figure = |milli: GpuMilli| Cell::figure(messages::cpu(CpuMilli(milli.0)));
    let depths = depths(&uses.items);
    for of in &uses.items {
        let name = of.share.as_deref();
        let depth = name.and_then(|name| depths.get(name).copied()).unwrap_or(0);
        let shown = name.map_or_else(|| context.say(&Say::new("policy-without-share")), str::to_owned);
        let mut first = vec![
            Cell::text(format!("{}{shown}", "  ".repeat(depth))),
            figure(of.average),
            Cell::figure(of.waiting.to_string()),
        ];
        if of.models.is_empty() {
            first.extend((0..5).map(|_| Cell::text("")));
            table.row(std::mem::take(&mut first));
        }
        for (model, held) in &of.models {
            let mut row = std::mem::take(&mut first);
            row.extend((row.len()..3).map(|_| Cell::text("")));
            let quota = |milli: GpuMilli| if milli == GpuMilli::ZERO { Cell::figure("-") } else { figure(milli) };
            row.extend([Cell::text(model), figure(held.held), quota(held.guaranteed), quota(held.kept)]);
            row.push(held.maximum.map_or_else(|| Cell::figure("-"), figure));
            table.row(row);
        }
    }
    context.screen.table(&table).map(|()| exit::OK)
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    match &args.verb {
        Verb::Show(args) => show(args, context),
        Verb::Usage(args) => usage(args, context),
        Verb::Check(FileArgs { file: path }) => {
            let file = read(path, context)?;
            let say = match context.client().map(|client| client.check_policy(&file.policy)) {
                Ok(Ok(_)) => "policy-checked",
                Ok(Err(error)) if error.problem().is_some() => return Err(refused(path, &file, error)),
                // No factory is needed to check a file by itself.
                Ok(Err(_)) | Err(_) => "policy-checked-alone",
            };
            context.screen.line(&context.say(&Say::new(say)))?;
            note_what_is_over(&file.policy, context);
            Ok(exit::OK)
        }
        Verb::Diff(FileArgs { file: path }) => {
            let file = read(path, context)?;
            let client = context.client()?;
            let would_be = client.check_policy(&file.policy).map_err(|error| refused(path, &file, error))?;
            if differences(&client.policy()?, &would_be, context)? == 0 {
                context.screen.note(&context.say(&Say::new("policy-same")));
            }
            Ok(exit::OK)
        }
        Verb::Apply(FileArgs { file: path }) => {
            let file = read(path, context)?;
            let client = context.client()?;
            let before = client.policy()?;
            let now = client.apply_policy(&file.policy).map_err(|error| refused(path, &file, error))?;
            let changed = differences(&before, &now, context)?;
            let say = if changed == 0 { "policy-same" } else { "policy-applied" };
            context.screen.note(&context.say(&Say::new(say)));
            note_what_is_over(&file.policy, context);
            Ok(exit::OK)
        }
    }
}

/// A window that is over may be one whose year was mistyped.
fn note_what_is_over(policy: &Policy, context: &mut Context) {
    for window in policy.windows().filter(|window| window.until <= now()) {
        let say =
            Say::new("policy-is-over").with("place", window.place()).with("until", messages::instant(window.until));
        context.screen.note(&context.say(&say));
    }
}
