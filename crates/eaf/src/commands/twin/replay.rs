//! `eaf twin replay`: the work of a trace through the factory's own state, in virtual time.
//!
//! What: reads the trace and the fleet, replays them once for every fleet and rate that is named, and shows the runs side
//! by side: as a table, as JSON, and as a page with charts. Absent: rules of scheduling; they are the core's.

use super::page;
use super::runs;
use super::table;
use crate::commands::Context;
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use clap::ValueEnum;
use eaf_twin::replay::Policy;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The format of the trace: openb, philly, or synthetic.
    #[arg(long, value_enum)]
    pub(super) format: Format,
    /// The fleet: a file of openb nodes, or a word such as 16x8 or 16x8xMI355X. Several make several runs.
    #[arg(long, value_name = "FILE|NxA")]
    pub(super) nodes: Vec<String>,
    /// The pods of an openb trace; the trace that this program carries where no file is named.
    #[arg(long, value_name = "FILE")]
    pub(super) pods: Option<PathBuf>,
    /// The jobs of a Philly trace (the 2,000 that this program carries where no file is named), or how many to make up.
    #[arg(long, value_name = "FILE|N")]
    pub(super) jobs: Option<String>,
    /// How many times faster work arrives than the trace says. Several make several runs.
    #[arg(long, value_name = "RATE", default_value = "1")]
    pub(super) rate: Vec<String>,
    /// Leave out what was submitted before this time since the trace began, such as 30d.
    #[arg(long, value_name = "SPAN")]
    pub(super) from: Option<String>,
    /// Leave out what was submitted at or after this time since the trace began.
    #[arg(long, value_name = "SPAN")]
    pub(super) to: Option<String>,
    /// Use only so many of the nodes, taken evenly over the list.
    #[arg(long, value_name = "N")]
    pub(super) nodes_max: Option<std::num::NonZeroU32>,
    /// What the factory is told of how long work will run: unknown, exact, or overstated.
    #[arg(long, value_enum, default_value_t)]
    pub(super) wall_times: Told,
    /// The least share of an overstated wall time that is used; each is drawn evenly between it and 1. 0.1 where nothing is said.
    #[arg(long, value_name = "SHARE")]
    pub(super) least_used: Option<String>,
    /// Ask for an estimated start at the submission of about so many workloads, and report how wrong it was.
    #[arg(long, value_name = "N")]
    pub(super) estimates: Option<std::num::NonZeroU32>,
    /// Queue policies, side by side: fifo, fifo-skip, sjf, sjf-skip, las, eaf. What the factory does by default where
    /// none is named.
    #[arg(long, value_enum, value_delimiter = ',')]
    pub(super) policy: Vec<PolicyWord>,
    /// By which rule nodes are chosen under a policy: the factory's own, or that of the published benchmark.
    #[arg(long, value_enum, default_value_t)]
    pub(super) placement: Rule,
    /// What each stop for other work costs the work that is stopped, under a policy that stops any.
    #[arg(long, value_enum, default_value_t)]
    pub(super) preemption_cost: Cost,
    /// The day on which the trace begins, for prices and carbon.
    #[arg(long, value_name = "DATE", default_value = "2026-01-01")]
    pub(super) begins: String,
    /// The seed of made-up work; 1 where nothing is said.
    #[arg(long, value_name = "S")]
    pub(super) seed: Option<u64>,
    /// The load that made-up work offers, as a share of the fleet; 0.9 where nothing is said.
    #[arg(long, value_name = "SHARE")]
    pub(super) load: Option<String>,
    /// Check every invariant after every step; slow.
    #[arg(long)]
    pub(super) check_invariants: bool,
    /// Write a page with charts to this file.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// A JSON document for programs: one object, or a list of several runs.
    #[arg(long)]
    pub(super) json: bool,
}

/// The formats that are read.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Alibaba, 2023: pods and nodes.
    Openb,
    /// Microsoft, 2017: jobs.
    Philly,
    /// Made up from a seed.
    Synthetic,
}

/// A queue policy.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PolicyWord {
    /// By age; the head blocks.
    Fifo,
    /// By age; what fits passes.
    FifoSkip,
    /// The shortest first, by known durations; the head blocks.
    Sjf,
    /// The shortest first, by known durations; what fits passes.
    SjfSkip,
    /// The least attained service, and all work may be stopped for other work.
    Las,
    /// The factory's default, and all work may be stopped for other work.
    Eaf,
}

impl PolicyWord {
    pub(super) const fn policy(self) -> Policy {
        match self {
            Self::Fifo => Policy::Fifo,
            Self::FifoSkip => Policy::FifoSkip,
            Self::Sjf => Policy::Sjf,
            Self::SjfSkip => Policy::SjfSkip,
            Self::Las => Policy::Las,
            Self::Eaf => Policy::Eaf,
        }
    }
}

/// By which rule nodes are chosen.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Rule {
    /// The factory's own.
    #[default]
    Eaf,
    /// Best fit on one node, or whole free nodes by their number and the rest on the first that takes it.
    Reference,
}

/// What being stopped costs.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Cost {
    /// Nothing.
    #[default]
    None,
    /// 40 s up to eight accelerators, 60 s above.
    Published,
}

/// What the factory is told of durations.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Told {
    /// Nothing.
    #[default]
    Unknown,
    /// The duration itself.
    Exact,
    /// More than that.
    Overstated,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let runs = runs::all(args, context)?;
    if let Some(path) = &args.html {
        let page = page::render(args, &runs, context);
        std::fs::write(path, page).map_err(|error| Failure::file("fail-write", path, &error))?;
        context.screen.note(&context.say(&Say::new("twin-page-written").with("path", path.display())));
    }
    if args.json {
        let documents: Vec<_> = runs.iter().map(|run| run.document(args)).collect();
        return match documents.as_slice() {
            [one] => context.screen.json(one),
            all => context.screen.json(&all),
        }
        .map(|()| exit::OK);
    }
    table::print(&runs, context).map(|()| exit::OK)
}
