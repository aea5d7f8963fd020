//! A long history and a long queue: start-up, memory, and how long a listing takes.
//!
//! What: a million ended workloads, written by the store itself as the factory would; then a hundred thousand that wait.

use super::factory::{Factory, new_folder, trivial};
use super::figures::{Report, Unit, percentile};
use super::{BenchError, Plan, machine};
use eaf_model::Time;
use eaf_store::{OpenOptions, SqliteStore, sample};
use std::path::Path;
use std::time::Duration;

const NAME: &str = "store";
const ENDED: u32 = 1_000_000;
const WAITING: u32 = 100_000;
/// Members of one array, as many as one may have.
const ARRAY: u16 = 10_000;
const DAY_MS: i64 = 86_400_000;
/// How often a listing is timed.
const LISTINGS: u32 = 11;

fn listing(factory: &Factory, arguments: &[&str]) -> Result<f64, BenchError> {
    let time = |_| Ok(factory.time_verb(arguments)?.as_secs_f64() * 1_000.0);
    let times = (0..LISTINGS).map(time).collect::<Result<Vec<f64>, BenchError>>()?;
    Ok(percentile(&times, 50))
}

/// A store that has seen so many workloads come and go, the last of them just now.
fn fill(data: &Path, count: u64) -> Result<(), BenchError> {
    let mut store = SqliteStore::open(data, OpenOptions::default()).map_err(BenchError::journal("making a history"))?;
    let from = machine::now().0.saturating_sub(DAY_MS);
    sample::fill(&mut store, count, Time(from)).map_err(BenchError::journal("filling a history"))?;
    Ok(())
}

fn with_history(plan: &Plan, report: &mut Report) -> Result<(), BenchError> {
    let folder = new_folder(plan)?;
    fill(&folder.join("data"), u64::from(plan.amount(ENDED)))?;
    // The first start meets a directory that no factory has used and makes its keys; the second is the usual one.
    let folder = Factory::start_in(folder)?.stop();
    let mut starts = Vec::new();
    let mut folder = Some(folder);
    for round in 0..plan.rounds {
        let factory = Factory::start_in(folder.take().expect("a directory between two rounds"))?;
        starts.push(factory.ready_after.as_secs_f64() * 1_000.0);
        if round + 1 < plan.rounds {
            folder = Some(factory.stop());
            continue;
        }
        report.median(NAME, "startup", Unit::Milliseconds, &starts);
        report.value(NAME, "memory", Unit::MebiBytes, factory.resident_mib()?);
        report.value(NAME, "ps", Unit::Milliseconds, listing(&factory, &["ps"])?);
        report.value(NAME, "ps-all", Unit::Milliseconds, listing(&factory, &["ps", "--all"])?);
        report.value(NAME, "memory-after", Unit::MebiBytes, factory.resident_mib()?);
    }
    Ok(())
}

fn with_queue(plan: &Plan, report: &mut Report) -> Result<(), BenchError> {
    let factory = Factory::start(plan)?;
    factory.occupy()?;
    for _ in 0..plan.amount(WAITING) / u32::from(ARRAY) {
        factory.submit(trivial(), (0..ARRAY).collect())?;
    }
    // What was allocated for the last of them is given back by the next planning pass, or is not.
    std::thread::sleep(Duration::from_secs(2));
    report.value(NAME, "waiting", Unit::MebiBytes, factory.resident_mib()?);
    report.value(NAME, "waiting-ps", Unit::Milliseconds, listing(&factory, &["ps"])?);
    Ok(())
}

pub(super) fn measure(plan: &Plan, report: &mut Report) -> Result<(), BenchError> {
    with_history(plan, report)?;
    with_queue(plan, report)
}
