//! Measured energy and accelerator time, where the machine offers counters.
//!
//! What: the processor packages' energy counters (RAPL), shared out by processor time; the accelerators' load and draw,
//! shared out by what is held. A task's energy is known only where everything that it holds is measured from its start.
//! Absent: estimates; those are made from the catalogue, elsewhere, and marked so.

use super::task::{Metered, Task};
use super::{Due, SAMPLE_EVERY, Supervisor};
use crate::local::devices::Device;
use crate::local::records::Intent;
use crate::local::{Settings, tree};
use eaf_model::{CpuMicros, MilliJoules, Span, TaskReport, Usage};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A sample this fresh is good enough for a task's end; the kernel's clock of processor time ticks every 10 ms. Each
/// live task makes a sample dearer and so adds to it.
const FRESH: Duration = Duration::from_millis(10);
const FRESH_A_TASK: Duration = Duration::from_micros(100);

/// The counters of this machine, and what they stood at.
#[derive(Default)]
pub(super) struct Meter {
    packages: Vec<Package>,
    devices: Vec<Device>,
    busy_seen: u64,
    sampled_at: Option<Instant>,
    /// Microjoules per second of processor time, over the last sample.
    microjoules_a_second: u64,
}

/// One energy counter, which wraps around.
struct Package {
    counter: PathBuf,
    range: u64,
    seen: u64,
}

fn number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Processor time of the whole machine that was not idle, in microseconds.
fn machine_busy() -> u64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields =
        text.lines().next().unwrap_or_default().split_whitespace().skip(1).map(|field| field.parse().unwrap_or(0));
    // user nice system idle iowait irq softirq steal; guests are within user.
    let ticks: u64 =
        fields.take(7).enumerate().filter(|(at, _)| *at != 3 && *at != 4).map(|(_, ticks)| ticks).sum::<u64>();
    ticks_to_micros(ticks)
}

fn ticks_to_micros(ticks: u64) -> u64 {
    ticks.saturating_mul(1_000_000) / rustix::param::clock_ticks_per_second().max(1)
}

impl Meter {
    /// Finds counters; called with every change of settings.
    pub(super) fn configure(&mut self, settings: &Settings) {
        let entries = fs::read_dir(&settings.powercap).into_iter().flatten().flatten().map(|entry| entry.path());
        let package = |zone: PathBuf| {
            // Packages alone: their parts are counted within them.
            let name = fs::read_to_string(zone.join("name")).ok()?;
            let counter = zone.join("energy_uj");
            let seen = number(&counter).filter(|_| name.starts_with("package"))?;
            Some(Package { range: number(&zone.join("max_energy_range_uj")).unwrap_or(u64::MAX), counter, seen })
        };
        self.packages = entries.filter_map(package).collect();
        self.devices.clone_from(&settings.devices);
        self.busy_seen = machine_busy();
        self.sampled_at = Some(Instant::now());
    }

    /// True where there is anything to sample.
    pub(super) fn measures(&self) -> bool {
        let counters = |device: &Device| device.busy_percent.is_some() || device.power_microwatts.is_some();
        !self.packages.is_empty() || self.devices.iter().any(counters)
    }

    /// Reads the packages: how much energy a second of processor time has taken since the last sample, in which tasks
    /// have worked for at least `by_tasks` microseconds. What is shared out never sums to more than what was measured.
    fn sample_packages(&mut self, by_tasks: u64) {
        let busy = machine_busy();
        let spent = self.packages.iter_mut().map(|package| {
            let Some(now) = number(&package.counter) else { return 0 };
            let before = std::mem::replace(&mut package.seen, now);
            if now >= before { now - before } else { package.range.saturating_sub(before).saturating_add(now) }
        });
        let spent: u64 = spent.sum();
        // The machine's clock ticks in steps, the tasks' does not.
        let worked = busy.saturating_sub(std::mem::replace(&mut self.busy_seen, busy)).max(by_tasks);
        if worked > 0 {
            self.microjoules_a_second =
                u64::try_from(u128::from(spent) * 1_000_000 / u128::from(worked)).unwrap_or(u64::MAX);
        }
    }

    /// Adds a sample to a task.
    fn add(&self, metered: &mut Metered, intent: &Intent, cpu_micros: u64, passed: Duration) {
        let worked = cpu_micros.saturating_sub(metered.cpu_seen);
        metered.cpu_seen = cpu_micros.max(metered.cpu_seen);
        metered.microjoules += scale(worked, self.microjoules_a_second, 1_000_000);
        let passed = u64::try_from(passed.as_micros()).unwrap_or(u64::MAX);
        for &(index, share) in &intent.accelerators {
            let Some(device) = self.devices.get(usize::from(index)) else { continue };
            let read = |path: &Option<PathBuf>| path.as_deref().and_then(number).unwrap_or(0);
            metered.busy_micros += scale(passed, read(&device.busy_percent).min(100) * share, 100 * 1_000);
            // Microwatts times microseconds are a millionth of a microjoule.
            let microjoules = scale(passed, read(&device.power_microwatts), 1_000_000);
            metered.microjoules += scale(microjoules, share, 1_000);
        }
    }

    /// Energy of a task, where everything that it holds is measured.
    fn energy(&self, intent: &Intent, metered: &Metered) -> Option<MilliJoules> {
        let held = || intent.accelerators.iter().map(|(index, _)| self.devices.get(usize::from(*index)));
        let measured = held().all(|device| device.is_some_and(|device| device.power_microwatts.is_some()));
        (metered.whole && measured && !self.packages.is_empty()).then_some(MilliJoules(metered.microjoules / 1_000))
    }

    /// Busy time of a task's accelerators, where all of them tell.
    fn busy(&self, intent: &Intent, metered: &Metered) -> Option<Span> {
        let mut held = intent.accelerators.iter().map(|(index, _)| self.devices.get(usize::from(*index)));
        let told = held.all(|device| device.is_some_and(|device| device.busy_percent.is_some()));
        (metered.whole && told && !intent.accelerators.is_empty()).then_some(Span(metered.busy_micros / 1_000))
    }
}

fn scale(value: u64, times: u64, per: u64) -> u64 {
    u64::try_from(u128::from(value) * u128::from(times) / u128::from(per)).unwrap_or(u64::MAX)
}

impl Supervisor {
    /// Reads every counter and shares it out over what runs.
    pub(super) fn sample_power(&mut self) {
        self.due.insert((Instant::now() + SAMPLE_EVERY, Due::Sample));
        self.take_sample();
    }

    fn take_sample(&mut self) {
        let passed = self.meter.sampled_at.replace(Instant::now()).map_or(Duration::ZERO, |at| at.elapsed());
        let live = self.tasks.values_mut().filter(|task| task.is_live());
        let worked: Vec<_> = live.map(|task| (raw_usage(task).cpu.0, task)).collect();
        let by_tasks = worked.iter().map(|(cpu, task)| cpu.saturating_sub(task.metered.cpu_seen)).sum();
        self.meter.sample_packages(by_tasks);
        for (cpu, task) in worked {
            if let Some(intent) = &task.intent {
                self.meter.add(&mut task.metered, intent, cpu, passed);
            }
        }
    }

    /// What a task has used until now. One that is over before it was ever sampled gets its share at the rate of the last
    /// sample; for any other the samples alone count.
    pub(super) fn usage_of(&mut self, key: eaf_model::TaskKey) -> Usage {
        let fresh = FRESH + FRESH_A_TASK * u32::try_from(self.live).unwrap_or(u32::MAX);
        let stale = self.meter.sampled_at.is_none_or(|at| at.elapsed() >= fresh);
        if stale && self.meter.measures() {
            self.take_sample();
        }
        let Some(task) = self.tasks.get_mut(&key) else { return Usage::default() };
        let mut usage = raw_usage(task);
        usage.cpu = usage.cpu.max(task.cpu_reported);
        task.cpu_reported = usage.cpu;
        let Some(intent) = &task.intent else { return usage };
        if self.meter.measures() {
            let mut metered = task.metered;
            if metered.cpu_seen == 0 {
                let age = task.process.map_or(0, |process| super::now().since(process.started_at).0);
                let passed = self.meter.sampled_at.map_or(Duration::ZERO, |at| at.elapsed());
                self.meter.add(&mut metered, intent, usage.cpu.0, passed.min(Duration::from_millis(age)));
            }
            usage.energy = self.meter.energy(intent, &metered);
            usage.accelerator_busy = self.meter.busy(intent, &metered);
        }
        usage
    }

    /// Reports what every running task has used.
    pub(super) fn report_usage(&mut self) {
        let every = self.settings.as_ref().map_or(60_000, |settings| settings.used_every.0.max(1));
        self.due.insert((Instant::now() + Duration::from_millis(every), Due::Used));
        let running = |(key, task): (&_, &Task)| matches!(task.phase, super::task::Phase::Running).then_some(*key);
        let keys: Vec<_> = self.tasks.iter().filter_map(running).collect();
        for key in keys {
            let usage = self.usage_of(key);
            self.report(key, TaskReport::Used { usage });
        }
    }
}

/// Processor time and memory, by the best counter there is.
fn raw_usage(task: &Task) -> Usage {
    let counters = task.slot.as_ref().map(crate::local::cgroup::Slot::counters).unwrap_or_default();
    let waited = || task.waited.map(|(cpu, _)| cpu);
    let ticking = || {
        let main = task.process?.pid;
        let key = task.intent.as_ref()?.key;
        let ticks = tree::tree_of(key, Some(main)).into_iter().filter_map(tree::stat).map(|stat| stat.cpu_ticks);
        Some(ticks_to_micros(ticks.sum()))
    };
    let cpu = counters.cpu_micros.or_else(waited).or_else(ticking).unwrap_or(0);
    let memory_peak = counters.memory_peak.or_else(|| task.waited.map(|(_, peak)| peak)).map(eaf_model::Bytes);
    Usage { cpu: CpuMicros(cpu), memory_peak, accelerator_busy: None, energy: None }
}
