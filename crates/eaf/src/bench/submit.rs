//! Durable submissions over HTTP: one workload a request, 32 connections, the factory scheduling meanwhile.
//!
//! What: a factory whose processors are all taken, so that every planning pass meets the growing queue and none of the
//! measured time goes into running what is submitted. The floor is plain SQLite on the same disk with the same bytes in
//! the batch sizes that the factory's own journal shows. Absent: execution (`throughput`).

use super::factory::{Factory, remove};
use super::figures::{Report, Unit, percentile};
use super::{BenchError, Plan, door, floor};
use eaf_api::SubmitRequest;
use eaf_model::{Bytes, CpuMilli, WorkloadSpec};
use eaf_store::SqliteReader;
use std::path::Path;

const NAME: &str = "submit";
const CONNECTIONS: usize = 32;
const SUBMISSIONS: u32 = 60_000;
/// Batches that are read at once.
const BATCHES: u32 = 256;

/// Eight shapes of request, as a queue has several.
fn requests(token: &str) -> Vec<Vec<u8>> {
    let request = |shape: u64| {
        let mut spec = WorkloadSpec::command(&["/bin/echo", "hello"]);
        spec.name = format!("shape-{shape}");
        spec.task.cpu = CpuMilli(250 * (1 + shape % 4));
        spec.task.memory = Bytes((64 + 64 * (shape / 4)) << 20);
        SubmitRequest { spec, array: Vec::new() }
    };
    (0..8).map(|shape| door::submission(token, &request(shape))).collect()
}

/// The sizes of the steps of each batch behind `after`, as the journal has them.
fn batches_behind(data: &Path, after: u64) -> Result<Vec<Vec<usize>>, BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(BenchError::io("reading the journal"))?;
    runtime.block_on(async {
        let doing = || BenchError::journal("reading the journal");
        let reader = SqliteReader::open(data).await.map_err(BenchError::journal("opening the journal"))?;
        let (mut found, mut at) = (Vec::new(), after);
        loop {
            let batches = reader.batches(at, BATCHES).await.map_err(doing())?;
            let Some(last) = batches.last() else { break };
            at = last.head.step;
            let sizes = |body: &[u8]| body.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::len).collect();
            found.extend(batches.iter().map(|batch| sizes(&batch.body)));
        }
        reader.close().await;
        Ok(found)
    })
}

pub(super) fn measure(plan: &Plan, report: &mut Report) -> Result<(), BenchError> {
    let count = plan.amount(SUBMISSIONS);
    let (mut rates, mut floors, mut p50, mut p99, mut sizes) = (vec![], vec![], vec![], vec![], vec![]);
    for _ in 0..plan.rounds {
        let factory = Factory::start(plan)?;
        factory.occupy()?;
        let head = factory.client().journal_head().map_err(BenchError::client("asking for the head"))?;
        let requests = requests(factory.token());
        let (elapsed, waits) = door::send_all(factory.port(), CONNECTIONS, &requests, count)?;
        let folder = factory.stop();
        let batches = batches_behind(&folder.join("data"), head.step)?;
        let floor = floor::replay(&folder.join("floor.db"), &batches)?;
        remove(&folder);
        rates.push(f64::from(count) / elapsed.as_secs_f64());
        floors.push(f64::from(count) / floor.as_secs_f64());
        p50.push(percentile(&waits, 50));
        p99.push(percentile(&waits, 99));
        sizes.push(f64::from(count) / batches.len().max(1) as f64);
    }
    let ratio: Vec<f64> = rates.iter().zip(&floors).map(|(rate, floor)| floor / rate).collect();
    report.median(NAME, "rate", Unit::PerSecond, &rates);
    report.median(NAME, "floor", Unit::PerSecond, &floors);
    report.median(NAME, "ratio", Unit::Times, &ratio);
    report.median(NAME, "batch", Unit::Count, &sizes);
    report.median(NAME, "p50", Unit::Milliseconds, &p50);
    report.median(NAME, "p99", Unit::Milliseconds, &p99);
    Ok(())
}
