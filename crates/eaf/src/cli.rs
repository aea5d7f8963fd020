//! The command line: verbs and their arguments.
//!
//! What: the tree that clap parses. Its comments are the English help; the Korean help is in `help.ftl`, by the place in
//! the tree. Why one file for the verbs and one for each verb's arguments: this one reads as the table of contents.
//! Absent: what the verbs do; `commands` has one file each.

use crate::bench;
use crate::commands::{
    backup, cancel, checkpoint, completions, cp, down, events, explain, logs, node, policy, ps, receipt, restore, run,
    show, submit, supervise, twin, up, verify, wait,
};
use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// The Eco-AI Factory: queues, places, runs, meters and bills the work of an AI data centre.
#[derive(Debug, Parser)]
#[command(name = "eaf", version, disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// Language of messages: en or ko. Otherwise EAF_LANG, then the locale.
    #[arg(long, global = true, value_name = "LANG")]
    pub(crate) lang: Option<String>,
    /// The factory's data directory. Otherwise EAF_DATA_DIR, then /var/lib/eaf for root and ~/.local/share/eaf.
    #[arg(long, global = true, value_name = "DIR", env = "EAF_DATA_DIR", hide_env = true)]
    pub(crate) data_dir: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Start a factory on this machine.
    Up(Box<up::Args>),
    /// Stop the factory; running work goes on unless told otherwise.
    Down(down::Args),
    /// Run a command, follow its output, and exit with its code.
    Run(Box<run::Args>),
    /// Submit a workload file: TOML, YAML, or a shell script with #SBATCH lines.
    Submit(submit::Args),
    /// List workloads.
    Ps(ps::Args),
    /// Show a workload: what it asked for, its attempts, what it used.
    Show(show::Args),
    /// Say why a workload waits, and when it is expected to start.
    Explain(explain::Args),
    /// Print the output of a workload.
    Logs(logs::Args),
    /// Copy files out of a workload's directory.
    Cp(cp::Args),
    /// Cancel workloads, or every live member of an array.
    Cancel(cancel::Args),
    /// Inside a task: say that it has written a checkpoint.
    Checkpoint(checkpoint::Args),
    /// Wait until workloads have ended.
    Wait(wait::Args),
    /// Show or check the receipt of a workload.
    Receipt(receipt::Args),
    /// List, show and cordon nodes.
    Node(node::Args),
    /// Shares, reservations and maintenance windows: show, check, compare and apply a policy file.
    Policy(policy::Args),
    /// Follow what happens.
    Events(events::Args),
    /// Check the journal: its chain, its invariants, its history.
    Verify(verify::Args),
    /// Copy the journal and the keys while the factory runs.
    Backup(backup::Args),
    /// Make a data directory from a backup.
    Restore(restore::Args),
    /// Print a completion script for a shell.
    Completions(completions::Args),
    /// Work in virtual time: replay traces through the factory's own core.
    Twin(twin::Args),
    /// Measure this factory against its budget and its peers.
    Bench(bench::Args),
    /// Keep running work of a data directory; started by the factory itself.
    #[command(hide = true)]
    Supervise(supervise::Args),
}
