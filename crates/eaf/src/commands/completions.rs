//! `eaf completions`: a script that completes verbs and arguments in a shell.
//!
//! What: clap's own generators. Absent: completing ids; that would ask the factory at every key.

use super::Context;
use crate::cli::Cli;
use crate::exit;
use crate::failure::Failure;
use crate::help;
use clap::CommandFactory;
use clap_complete::Shell;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The shell: bash, zsh, fish, elvish or powershell.
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let mut command = help::localised(Cli::command(), context.lang);
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "eaf", &mut script);
    context.screen.bytes(&script).map(|()| exit::OK)
}
