//! `eaf submit`: a workload file becomes a workload.
//!
//! What: reads the file, sends it, prints the id; with `--wait`, waits for the end; with `--what-if`, only asks. Absent:
//! judging sizes; the factory does, and says what would fit.

use super::{Context, explain, read_workload};
use crate::exit;
use crate::failure::Failure;
use crate::follow;
use crate::say::Say;
use eaf_api::{Planned, SubmitRequest};
use eaf_model::WorkloadState;
use std::collections::BTreeMap;
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
    /// Submit nothing; say whether it would start now and where, or why it would wait and when it would start.
    #[arg(long, conflicts_with_all = ["key", "wait", "dry_run"])]
    what_if: bool,
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
    if args.what_if {
        return what_if(&client.what_if(&request)?, args.json, context);
    }
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

/// Says what would come of it.
fn what_if(planned: &Planned, json: bool, context: &mut Context) -> Result<u8, Failure> {
    if json {
        return context.screen.json(planned).map(|()| exit::OK);
    }
    let (starting, workloads) = (planned.starting.into(), planned.workloads.into());
    let first = match (starting, workloads) {
        (0, _) => Say::new("planned-waits"),
        (1, 1) => Say::new("planned-starts"),
        _ => Say::new("planned-starts-of").count("starting", starting).count("workloads", workloads),
    };
    context.screen.line(&context.say(&first))?;
    let mut nodes: BTreeMap<&str, u64> = BTreeMap::new();
    planned.tasks.iter().for_each(|task| *nodes.entry(&task.name).or_default() += 1);
    for (node, tasks) in nodes {
        let say = Say::new("planned-tasks").with("node", node).count("tasks", tasks);
        context.screen.line(&format!("  {}", context.say(&say)))?;
    }
    if let Some(explanation) = &planned.explanation {
        if starting > 0 {
            context.screen.line(&context.say(&Say::new("planned-next")))?;
        }
        explain::waiting(explanation, context)?;
    }
    if let Some(last) = &planned.last {
        context.screen.line(&context.say(&Say::new("planned-last")))?;
        explain::starts(last, context)?;
    }
    Ok(exit::OK)
}
