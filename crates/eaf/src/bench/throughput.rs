//! Trivial workloads from submission to end, everything on: journal, limits, sandbox, user, logs, receipts.
//!
//! What: ten thousand as one array, and ten thousand submitted one by one while they run; beside them the bare loop in the
//! same run. Eight run at once on two processors. Absent: anything switched off for the occasion.

use super::factory::{Factory, trivial};
use super::figures::{Report, Unit};
use super::{BenchError, Plan, door, loops};
use eaf_api::SubmitRequest;
use eaf_model::WorkloadState;
use std::time::{Duration, Instant};

const NAME: &str = "throughput";
const WORKLOADS: u32 = 10_000;
const CONNECTIONS: usize = 32;
const PATIENCE: Duration = Duration::from_secs(900);
const LOOK_EVERY: Duration = Duration::from_millis(250);

fn as_array(plan: &Plan, count: u32) -> Result<f64, BenchError> {
    let factory = Factory::start(plan)?;
    let members = u16::try_from(count).expect("an array has at most 10,000 members");
    let begun = Instant::now();
    let id = factory.submit(trivial(), (0..members).collect())?;
    factory.wait_idle(LOOK_EVERY, PATIENCE)?;
    let elapsed = begun.elapsed();
    let view = factory.wait(id, LOOK_EVERY, PATIENCE, WorkloadState::is_ended)?;
    if view.state != WorkloadState::Finished {
        return Err(BenchError::factory("running an array of `true`", format!("it is {:?}", view.state_reason)));
    }
    Ok(f64::from(count) / elapsed.as_secs_f64())
}

fn one_by_one(plan: &Plan, count: u32) -> Result<f64, BenchError> {
    let factory = Factory::start(plan)?;
    let request = SubmitRequest { spec: trivial(), array: Vec::new() };
    let bytes = [door::submission(factory.token(), &request)];
    let begun = Instant::now();
    door::send_all(factory.port(), CONNECTIONS, &bytes, count)?;
    factory.wait_idle(LOOK_EVERY, PATIENCE)?;
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

pub(super) fn measure(plan: &Plan, report: &mut Report) -> Result<(), BenchError> {
    let count = plan.amount(WORKLOADS);
    let (mut array, mut single, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        array.push(as_array(plan, count)?);
        single.push(one_by_one(plan, count)?);
        bare.push(loops::fork_and_exec(plan, count)?);
    }
    report.median(NAME, "array", Unit::PerSecond, &array);
    report.median(NAME, "single", Unit::PerSecond, &single);
    report.median(NAME, "loop", Unit::PerSecond, &bare);
    Ok(())
}
