//! `eaf verify`: is the journal what was written?
//!
//! What: replays it without the factory, checks chain, invariants, snapshots and history, and says at which step it
//! breaks. With `--expect STEP:HASH`, from a receipt, shows that nothing was cut off behind it. Absent: repair.

use super::Context;
use crate::exit;
use crate::failure::Failure;
use crate::journal;
use crate::say::Say;
use crate::screen::{Cell, Paint, Table};
use eaf_store::{Head, VerifyOptions, VerifyReport, verify};
use serde_json::json;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A place that the journal must have, as a receipt states it.
    #[arg(long, value_name = "STEP:HASH")]
    expect: Option<String>,
    /// Check the invariants after every so many steps, and at the end.
    #[arg(long, value_name = "N")]
    invariants_every: Option<std::num::NonZeroU64>,
    /// A JSON document for programs.
    #[arg(long)]
    json: bool,
}

/// What was found to be whole, for programs.
fn document(report: &VerifyReport) -> serde_json::Value {
    json!({
        "head": report.head.to_string(),
        "anchor": report.anchor.to_string(),
        "steps": report.steps,
        "replayed": report.replayed,
        "snapshots": report.snapshots,
        "ended": report.ended,
        "ended_replayed": report.ended_replayed,
        "state_digest": report.state_digest.to_string(),
        "history_digest": report.history_digest.to_string(),
    })
}

/// Prints what was found to be whole.
pub(super) fn print(report: &VerifyReport, json: bool, context: &mut Context) -> Result<(), Failure> {
    if json {
        return context.screen.json(&document(report));
    }
    let headline = context.say(&Say::new("verify-whole").count("steps", report.steps));
    context.screen.painted(Paint::Good, &headline)?;
    let mut facts = vec![("verify-head", report.head.to_string())];
    if report.anchor.step > 0 {
        facts.push(("verify-anchor", report.anchor.step.to_string()));
    }
    let replayed = Say::new("verify-replayed-of").with("replayed", report.replayed).with("steps", report.steps);
    facts.push(("verify-replayed", context.say(&replayed)));
    facts.push(("verify-snapshots", report.snapshots.len().to_string()));
    facts.push(("verify-ended", report.ended.to_string()));
    facts.push(("verify-state", report.state_digest.to_string()));
    facts.push(("verify-history", report.history_digest.to_string()));
    let mut table = Table::bare();
    for (id, value) in facts {
        table.row([Cell::text(format!("  {}", context.say(&Say::new(id)))).paint(Paint::Dim), Cell::text(value)]);
    }
    // Digests are for comparing, so they are never cut at the terminal's edge.
    for line in table.render(None, context.screen.colours) {
        context.screen.line(&line)?;
    }
    Ok(())
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let expect = args.expect.as_deref().map(|text| {
        text.parse::<Head>().map_err(|_| Failure::new(exit::USAGE, Say::new("fail-not-a-head").with("given", text)))
    });
    let options = VerifyOptions { expect: expect.transpose()?, invariants_every: args.invariants_every };
    let dir = context.data_dir();
    let report = verify(&dir, options, &mut |_| {}).map_err(|error| {
        let missing = matches!(error, eaf_store::VerifyError::Open(_));
        let (code, id) =
            if missing { (exit::NOT_FOUND, "fail-journal-open") } else { (exit::NOT_VERIFIED, "fail-journal") };
        let why = journal::verify(context.lang, &error);
        Failure::Said { code, say: Say::new(id).with("path", dir.display()), why }
    })?;
    print(&report, args.json, context).map(|()| exit::OK)
}
