//! `eaf submit`: a workload file becomes a workload.
//!
//! What: reads the file, sends it, prints the id; with `--wait`, waits for the end. Absent: judging sizes; the factory
//! does, and says what would fit.

use super::{Context, read_workload};
use crate::exit;
use crate::failure::Failure;
use crate::follow;
use eaf_api::SubmitRequest;
use eaf_model::WorkloadState;
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file: TOML, YAML, or a shell script with #SBATCH lines; - for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Idempotency key: the same key and request again give the same workload.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Make room for workloads that go before it, whatever the file says; it then waits again in its old place.
    #[arg(long)]
    preemptible: bool,
    /// Wait until it has ended; exit with 0 only if it finished.
    #[arg(short, long)]
    wait: bool,
    /// Read the file and print what would be asked for; send nothing.
    #[arg(long)]
    dry_run: bool,
    /// A JSON document for programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let mut file = read_workload(&args.file, context)?;
    file.spec.preemptible |= args.preemptible;
    let request = SubmitRequest { spec: file.spec, array: file.array };
    if args.dry_run {
        return context.screen.json(&request).map(|()| exit::OK);
    }
    let client = context.client()?;
    let submitted = client.submit(&request, args.key.as_deref())?;
    if args.json {
        context.screen.json(&submitted)?;
    } else {
        context.screen.line(&submitted.id.to_string())?;
    }
    if !args.wait {
        return Ok(exit::OK);
    }
    context.screen.flush()?;
    let view = follow::wait_ended(&client, submitted.id)?;
    super::run::tell_end(&view, context);
    Ok(if view.state == WorkloadState::Finished { exit::OK } else { exit::FAILED })
}
