//! The twin through its public door: replays that can be reckoned by hand, and futures of a small factory.

mod estimates;
mod placement;
mod queueing;
mod replays;
mod what_ifs;

use eaf_model::{AcceleratorRequest, Bytes, CpuMilli, GpuMilli, NodeSpec, Span, TaskRequest, Time};
use eaf_twin::fleet::EqualNodes;
use eaf_twin::replay::{Options, PreemptionCost, WallTimes};
use eaf_twin::trace::Job;
use std::sync::Arc;

fn fleet(word: &str) -> Vec<NodeSpec> {
    word.parse::<EqualNodes>().expect("a fleet").specs((CpuMilli(12_000), Bytes(96 << 30)))
}

/// A job of whole accelerators: its number, when it comes, how many tasks of how many accelerators, how long it runs.
fn job(line: u64, submitted_s: u64, tasks: u32, count: u32, runs_s: u64) -> Job {
    let accelerators = AcceleratorRequest { count, share: GpuMilli(1_000), models: Vec::new(), slice: None };
    Job {
        line,
        name: Arc::from(format!("job-{line}")),
        project: Arc::from("default"),
        submitted: Span::from_secs(submitted_s),
        runs: Span::from_secs(runs_s),
        has_start: true,
        tasks,
        task: TaskRequest { cpu: CpuMilli(1), memory: Bytes(1 << 20), accelerators },
    }
}

fn options() -> Options {
    Options {
        settings: eaf_model::Settings::default(),
        rate_milli: 1_000,
        wall_times: WallTimes::Unknown,
        estimates: None,
        preemptible: false,
        preemption_cost: PreemptionCost::None,
        begins_at: Time(1_767_225_600_000),
        check: true,
    }
}
