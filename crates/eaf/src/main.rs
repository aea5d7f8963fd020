//! `eaf`: the one program of the factory.
//!
//! What: finds the reader's language, parses the command line, runs a verb, and turns its failure into words and an exit
//! code. Absent: logging and any asynchronous runtime outside of `up`; a verb starts in a millisecond.

mod bench;
mod cli;
mod commands;
mod connect;
mod exit;
mod failure;
mod files;
mod follow;
mod help;
mod journal;
mod say;
mod screen;

use clap::{CommandFactory, FromArgMatches};
use cli::{Cli, Verb};
use commands::Context;
use failure::Failure;
use std::ffi::OsString;
use std::process::ExitCode;

fn dispatch(verb: Verb, context: &mut Context) -> Result<u8, Failure> {
    match verb {
        Verb::Up(args) => commands::up::run(&args, context),
        Verb::Down(args) => commands::down::run(&args, context),
        Verb::Run(args) => commands::run::run(*args, context),
        Verb::Submit(args) => commands::submit::run(&args, context),
        Verb::Ps(args) => commands::ps::run(&args, context),
        Verb::Show(args) => commands::show::run(&args, context),
        Verb::Explain(args) => commands::explain::run(&args, context),
        Verb::Logs(args) => commands::logs::run(&args, context),
        Verb::Cp(args) => commands::cp::run(&args, context),
        Verb::Cancel(args) => commands::cancel::run(&args, context),
        Verb::Checkpoint(args) => commands::checkpoint::run(&args, context),
        Verb::Wait(args) => commands::wait::run(&args, context),
        Verb::Receipt(args) => commands::receipt::run(&args, context),
        Verb::Node(args) => commands::node::run(&args, context),
        Verb::Policy(args) => commands::policy::run(&args, context),
        Verb::Events(args) => commands::events::run(&args, context),
        Verb::Verify(args) => commands::verify::run(&args, context),
        Verb::Backup(args) => commands::backup::run(&args, context),
        Verb::Restore(args) => commands::restore::run(&args, context),
        Verb::Completions(args) => commands::completions::run(&args, context),
        Verb::Twin(args) => commands::twin::run(&args, context),
        Verb::Bench(args) => bench::run(&args, context),
        Verb::Supervise(args) => commands::supervise::run(&args, context),
    }
}

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let lang = help::language(&words);
    let parsed = help::localised(Cli::command(), lang)
        .try_get_matches_from(words)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return help::report(lang, &error).into(),
    };
    let mut context = Context::new(lang, cli.data_dir);
    let done = dispatch(cli.verb, &mut context).and_then(|code| context.screen.flush().map(|()| code));
    match done {
        Ok(code) => code.into(),
        Err(failure) => {
            // What was printed before goes out before what went wrong; where even that fails, nothing more can be said.
            let _ = context.screen.flush();
            screen::report(lang, &failure);
            failure.code().into()
        }
    }
}
