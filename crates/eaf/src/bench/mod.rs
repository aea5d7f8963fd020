//! `eaf bench`: every figure that the project states about its speed and memory, on the machine in front of you.
//!
//! What: one file a benchmark. Each starts a factory of its own in a directory of its own, through the same door and with
//! the same defaults as anybody, and measures the floor (what the machine can do without a factory) in the same run.
//! Why in the binary: a figure that its reader cannot make again is an advertisement. Absent: targets; a benchmark states
//! what it saw, and figures are never typed by hand.

#![allow(clippy::cast_precision_loss, reason = "figures are shown with three digits")]

mod door;
mod factory;
mod figures;
mod floor;
mod loops;
mod machine;
mod marked;
mod own;
mod peers;
mod placement;
mod replay;
mod scheduler;
mod start;
mod store;
mod submit;
mod throughput;
mod topology;
mod twin;

use crate::commands::Context;
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use clap::{Args as ClapArgs, ValueEnum};
use figures::Report;
use std::io::Write;
use std::path::PathBuf;

/// What to measure and how to show it.
#[derive(ClapArgs, Clone, Debug)]
pub(crate) struct Args {
    /// What to measure: submit, start, throughput, store, twin, topology, scheduler, floor, placement, replay, or all but the
    /// last two.
    #[arg(value_enum)]
    what: What,
    /// How often each is run; the median is shown.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    rounds: u32,
    /// A tenth of the work, to see that it runs.
    #[arg(long)]
    quick: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Write this part of a Markdown page to a file as well; its other parts stay.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Where the factories and the floor's files are put; it should be on the disk that a factory would use.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// scheduler: how many workloads wait.
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=900_000))]
    pending: u32,
    /// replay: a Philly trace for the tables on 64, 56 and 48 nodes, which are left out without it.
    #[arg(long, value_name = "FILE")]
    jobs: Option<PathBuf>,
    #[command(flatten)]
    placement: placement::Args,
}

/// The benchmarks.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Durable submissions over HTTP, beside plain SQLite.
    Submit,
    /// From submission to the start of the process, when idle.
    Start,
    /// Trivial workloads from submission to end, beside a bare loop of fork and exec.
    Throughput,
    /// Start-up, memory and listing with a long history and a long queue.
    Store,
    /// Replays of traces and the search over seeds, in virtual time.
    Twin,
    /// How far apart gangs land on a real network.
    Topology,
    /// What a planning pass costs with a long queue, at three sizes of fleet.
    Scheduler,
    /// What the disk and the kernel can do without a factory.
    Floor,
    /// The published placement benchmark; its figures have a page of their own.
    Placement,
    /// The published queueing benchmark; its tables are a marked part of the page.
    Replay,
    /// All but placement and replay.
    All,
}

/// What every benchmark is told.
#[derive(Clone, Debug)]
struct Plan {
    rounds: u32,
    quick: bool,
    directory: PathBuf,
}

impl Plan {
    /// An amount of work, a tenth of it where only the running is to be seen.
    const fn amount(&self, full: u32) -> u32 {
        if self.quick { full / 10 } else { full }
    }
}

/// Why a benchmark could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    /// A file or a process did not do what it had to.
    #[error("{doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// What happened.
        source: std::io::Error,
    },
    /// The factory did not do what it had to.
    #[error("{doing}: {what}")]
    Factory {
        /// What was being done.
        doing: String,
        /// What it said or did.
        what: String,
    },
    /// The factory refused or did not answer.
    #[error("{doing}")]
    Client {
        /// What was being done.
        doing: String,
        /// What happened.
        source: Box<eaf_api::client::ClientError>,
    },
    /// The journal of the factory could not be read or filled.
    #[error("{doing}: {what}")]
    Journal {
        /// What was being done.
        doing: String,
        /// What the store said.
        what: String,
    },
    /// The floor's own database failed.
    #[error("{doing}")]
    Database {
        /// What was being done.
        doing: String,
        /// What happened.
        source: sqlx::Error,
    },
}

impl BenchError {
    fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }

    fn client(doing: impl Into<String>) -> impl FnOnce(eaf_api::client::ClientError) -> Self {
        let doing = doing.into();
        move |source| Self::Client { doing, source: Box::new(source) }
    }

    fn journal<E: std::fmt::Display>(doing: impl Into<String>) -> impl FnOnce(E) -> Self {
        let doing = doing.into();
        move |error| Self::Journal { doing, what: error.to_string() }
    }

    fn database(doing: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Database { doing, source }
    }

    fn factory(doing: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Factory { doing: doing.into(), what: what.into() }
    }
}

/// Runs what was asked for, prints it, and where asked writes a page of Markdown.
pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    if args.what == What::Placement {
        let directory = args.directory.clone().unwrap_or_else(std::env::temp_dir);
        let machine = machine::describe(&directory).line();
        let manner =
            placement::Manner { json: args.json, quick: args.quick, markdown: args.markdown.as_deref(), machine };
        return placement::run(&args.placement, &manner, context);
    }
    args.placement.only_here(args.what == What::Replay)?;
    if args.what == What::Replay {
        let directory = args.directory.clone().unwrap_or_else(std::env::temp_dir);
        let asked = replay::Asked {
            all: args.placement.all(),
            jobs: args.jobs.as_deref(),
            machine: machine::describe(&directory).line(),
            json: args.json,
            markdown: args.markdown.as_deref(),
        };
        return replay::run(&asked, context).map(|()| exit::OK);
    }
    let size = scheduler_size(args)?;
    let failed = |error: BenchError| Failure::because(exit::FAILED, Say::new("fail-bench"), &error);
    let report = measure(args, size).map_err(failed)?;
    let text = if args.json { report.json() } else { report.table(context.lang) };
    std::io::stdout().lock().write_all(text.as_bytes()).map_err(|error| Failure::output(&error))?;
    if let Some(file) = &args.markdown {
        let mut parts = report.parts().into_iter();
        let written = parts.try_for_each(|(name, text)| marked::put(file, name, &text));
        written.map_err(BenchError::io(format!("writing {}", file.display()))).map_err(failed)?;
    }
    Ok(exit::OK)
}

/// The size that the scheduler is measured at; `--nodes` and `--pending` say nothing to the others.
fn scheduler_size(args: &Args) -> Result<scheduler::Size, Failure> {
    let given = args.placement.nodes.as_ref();
    if let (Some(_), false) = (given, args.what == What::Scheduler) {
        return Err(Failure::new(exit::USAGE, Say::new("fail-bench-placement-only").with("option", "--nodes")));
    }
    let count = |text: &PathBuf| {
        let number =
            text.to_str().and_then(|text| text.parse::<u32>().ok()).filter(|count| (1..=200_000).contains(count));
        let refused = || Say::new("fail-bench-nodes").with("given", text.display());
        number.ok_or_else(|| Failure::new(exit::USAGE, refused()))
    };
    Ok(scheduler::Size { nodes: given.map(count).transpose()?, pending: args.pending })
}

fn measure(args: &Args, size: scheduler::Size) -> Result<Report, BenchError> {
    let directory = args.directory.clone().unwrap_or_else(std::env::temp_dir);
    let plan = Plan { rounds: args.rounds, quick: args.quick, directory };
    let mut report = Report::new(machine::describe(&plan.directory), plan.rounds, plan.quick);
    let asked = |one: What| args.what == one || args.what == What::All;
    if asked(What::Submit) {
        submit::measure(&plan, &mut report)?;
        peers::submit(&mut report)?;
    }
    if asked(What::Start) {
        start::measure(&plan, &mut report)?;
        peers::start(&mut report);
    }
    if asked(What::Throughput) {
        throughput::measure(&plan, &mut report)?;
        peers::throughput(&mut report);
    }
    if asked(What::Store) {
        store::measure(&plan, &mut report)?;
    }
    if asked(What::Twin) {
        twin::measure(&plan, &mut report)?;
    }
    if asked(What::Topology) {
        topology::measure(&mut report)?;
    }
    if asked(What::Scheduler) {
        scheduler::measure(&plan, size, &mut report)?;
    }
    if asked(What::Floor) {
        floor::measure(&plan, &mut report)?;
    }
    Ok(report)
}
