//! Metrics, in the text form of Prometheus.
//!
//! What: counters that the driver and the door keep, and gauges that are read off the snapshot when somebody asks.
//! Absent: anything that is kept only for metrics; what the state knows is not counted twice.

use crate::view::View;
use eaf_model::{NodeState, WorkloadState};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByState {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByCode {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByAnswer {
    method: &'static str,
    route: &'static str,
    status: u16,
}

/// Everything that is measured.
pub(crate) struct Metrics {
    registry: Mutex<Registry>,
    /// Inputs that the driver took.
    pub(crate) inputs: Counter,
    steps: Counter,
    batches: Counter,
    batch_steps: Histogram,
    decide_seconds: Histogram,
    append_seconds: Histogram,
    rejections: Family<ByCode, Counter>,
    requests: Family<ByAnswer, Counter>,
    workloads: Family<ByState, Gauge>,
    nodes: Family<ByState, Gauge>,
    journal_step: Gauge,
    resident: Gauge,
    /// Open connections of the door.
    pub(crate) connections: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let seconds = || Histogram::new(exponential_buckets(0.000_05, 2.0, 16));
        let metrics = Self {
            registry: Mutex::new(Registry::with_prefix("eaf")),
            inputs: Counter::default(),
            steps: Counter::default(),
            batches: Counter::default(),
            batch_steps: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            decide_seconds: seconds(),
            append_seconds: seconds(),
            rejections: Family::default(),
            requests: Family::default(),
            workloads: Family::default(),
            nodes: Family::default(),
            journal_step: Gauge::default(),
            resident: Gauge::default(),
            connections: Gauge::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let r = &mut *registry;
        r.register("inputs", "Inputs that the driver took", self.inputs.clone());
        r.register("steps", "Steps made durable", self.steps.clone());
        r.register("batches", "Writes to the journal", self.batches.clone());
        r.register("batch_steps", "Steps of one write", self.batch_steps.clone());
        r.register_with_unit("decide", "Deciding on one batch", Unit::Seconds, self.decide_seconds.clone());
        r.register_with_unit("append", "Making one batch durable", Unit::Seconds, self.append_seconds.clone());
        r.register("rejections", "Inputs that changed nothing, by code", self.rejections.clone());
        r.register("http_requests", "Answers by method, route and status", self.requests.clone());
        r.register("http_connections", "Open connections", self.connections.clone());
        r.register("workloads", "Live workloads by state", self.workloads.clone());
        r.register("nodes", "Nodes by state", self.nodes.clone());
        r.register("journal_step", "The last durable step", self.journal_step.clone());
        r.register_with_unit("resident_memory", "Memory of this process", Unit::Bytes, self.resident.clone());
    }

    /// A batch became durable.
    pub(crate) fn batch(&self, steps: usize, decide: Duration, append: Duration) {
        self.steps.inc_by(steps as u64);
        self.batches.inc();
        self.batch_steps.observe(f64::from(u32::try_from(steps).unwrap_or(u32::MAX)));
        self.decide_seconds.observe(decide.as_secs_f64());
        self.append_seconds.observe(append.as_secs_f64());
    }

    /// An input changed nothing.
    pub(crate) fn rejected(&self, code: &'static str) {
        self.rejections.get_or_create(&ByCode { code }).inc();
    }

    /// A request was answered.
    pub(crate) fn answered(&self, method: &'static str, route: &'static str, status: u16) {
        self.requests.get_or_create(&ByAnswer { method, route, status }).inc();
    }

    /// The text of `GET /v1/metrics`.
    pub(crate) fn text(&self, view: &View) -> String {
        let latest = view.latest();
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for state in WorkloadState::ALL.into_iter().filter(|state| !state.is_ended()) {
            self.workloads.get_or_create(&ByState { state: state.word() }).set(signed(latest.state.count(state)));
        }
        let words = [(NodeState::Ready, "ready"), (NodeState::Cordoned, "cordoned"), (NodeState::Lost, "lost")];
        for (state, word) in words {
            let count = latest.state.nodes().filter(|(_, node)| node.state() == state).count();
            self.nodes.get_or_create(&ByState { state: word }).set(signed(count as u64));
        }
        self.journal_step.set(signed(latest.head.step));
        self.resident.set(signed(resident_bytes().unwrap_or(0)));
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = String::new();
        text::encode(&mut out, &registry).expect("a String takes every write");
        out
    }
}

/// Resident memory, as the kernel counts it.
fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    pages.checked_mul(rustix::param::page_size() as u64)
}
