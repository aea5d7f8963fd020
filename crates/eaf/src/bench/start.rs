//! An idle factory: from the submission to the process, by the clock of the task itself.
//!
//! What: one workload at a time; its task prints the time in nanoseconds as the first thing that it does, which is later
//! than its start by what `date` needs to load. Taken is the time just before the request is written. Absent: load.

use super::factory::Factory;
use super::figures::{Report, Unit, percentile};
use super::{BenchError, Plan};
use eaf_api::LogQuery;
use eaf_model::{Bytes, CpuMilli, WorkloadSpec, WorkloadState};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const NAME: &str = "start";
const SUBMISSIONS: u32 = 300;
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two submissions, so that each meets an idle factory.
const PAUSE: Duration = Duration::from_millis(40);

fn stamp() -> WorkloadSpec {
    let mut spec = WorkloadSpec::command(&["/bin/date", "+%s%N"]);
    spec.task.cpu = CpuMilli(1_000);
    spec.task.memory = Bytes(64 << 20);
    spec
}

fn one(factory: &Factory) -> Result<f64, BenchError> {
    let client = factory.client();
    // The connection is opened before, as anybody's who submits more than once.
    client.ready().map_err(BenchError::client("asking whether it is ready"))?;
    let request = eaf_api::SubmitRequest { spec: stamp(), array: Vec::new() };
    let asked = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let id = client.submit(&request, None).map_err(BenchError::client("submitting"))?.id;
    std::thread::sleep(PAUSE);
    let view = factory.wait(id, Duration::from_millis(5), PATIENCE, WorkloadState::is_ended)?;
    let log = client.log(id, &LogQuery::default()).map_err(BenchError::client("reading a log"))?;
    let text = String::from_utf8_lossy(&log.bytes).into_owned();
    let started: u128 = text.trim().parse().map_err(|_| {
        BenchError::factory(format!("{id} printed {text:?} instead of a time"), format!("{:?}", view.state_reason))
    })?;
    Ok(started.saturating_sub(asked) as f64 / 1e6)
}

pub(super) fn measure(plan: &Plan, report: &mut Report) -> Result<(), BenchError> {
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        let factory = Factory::start(plan)?;
        one(&factory)?;
        let waits = (0..plan.amount(SUBMISSIONS)).map(|_| one(&factory)).collect::<Result<Vec<f64>, _>>()?;
        p50.push(percentile(&waits, 50));
        p99.push(percentile(&waits, 99));
    }
    report.median(NAME, "p50", Unit::Milliseconds, &p50);
    report.median(NAME, "p99", Unit::Milliseconds, &p99);
    Ok(())
}
