//! What this machine has.
//!
//! What: processor threads and memory that we may use, and accelerators as the vendor's own files and tools tell.
//! Absent: changing anything (partition modes, power limits).

mod amd;
mod nvidia;
mod tool;

use crate::EngineError;
use crate::local::{Catalogue, Device, LocalConfig, MachinePaths};
use eaf_model::{Accelerator, Bytes, CpuMilli, NodeSpec};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The most accelerators that can be pretended; more than any machine has.
const PRETENDED_MAX: u16 = 1_024;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) node: NodeSpec,
    pub(crate) devices: Vec<Device>,
}

/// Looks at this machine.
pub(crate) fn machine(config: &LocalConfig, catalogue: &Catalogue) -> Result<Found, EngineError> {
    let paths = &config.machine;
    let (devices, pretended) = match &config.pretend_accelerators {
        Some(text) => (pretend(text, catalogue)?, true),
        None => (accelerators(paths, catalogue), false),
    };
    let accelerator =
        |device: &Device| Accelerator { model: device.model.clone(), memory: device.memory, uuid: device.uuid.clone() };
    let node = NodeSpec {
        name: host_name(&paths.proc),
        cpu: CpuMilli(threads() * 1_000),
        memory: Bytes(memory(paths)?.saturating_sub(config.memory_reserved.0)),
        accelerators: devices.iter().map(accelerator).collect(),
        fabric: Vec::new(),
        pretended,
        labels: BTreeMap::new(),
    };
    Ok(Found { node, devices })
}

fn accelerators(paths: &MachinePaths, catalogue: &Catalogue) -> Vec<Device> {
    let mut devices = amd::find(paths, catalogue);
    devices.extend(nvidia::find(paths, catalogue));
    devices
}

/// Accelerators that are not there: `8xMI355X`, several kinds with commas between.
fn pretend(text: &str, catalogue: &Catalogue) -> Result<Vec<Device>, EngineError> {
    let fault = |why: String| EngineError::Setting { setting: "pretend_accelerators", why };
    let mut devices = Vec::new();
    for part in text.split(',') {
        let form = || fault(format!("{part:?} is not of the form 8xMI355X"));
        let (count, name) = part.trim().split_once('x').ok_or_else(form)?;
        let count: u16 = count.parse().ok().filter(|count| (1..=PRETENDED_MAX).contains(count)).ok_or_else(form)?;
        let known = || catalogue.models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>().join(", ");
        let model = catalogue
            .model(name)
            .ok_or_else(|| fault(format!("the catalogue has no model {name:?}; it has {}", known())))?;
        let device = |ordinal| Device {
            model: model.name.clone(),
            vendor: Some(model.vendor),
            ordinal,
            uuid: None,
            memory: model.memory(),
            files: Vec::new(),
            busy_percent: None,
            power_microwatts: None,
            parts: Vec::new(),
        };
        let before = devices.iter().rev().find(|device: &&Device| device.vendor == Some(model.vendor));
        let first = before.map_or(0, |device| device.ordinal + 1);
        devices.extend((first..first + u32::from(count)).map(device));
    }
    Ok(devices)
}

pub(crate) fn host_name(proc: &Path) -> String {
    let name = fs::read_to_string(proc.join("sys/kernel/hostname")).unwrap_or_default();
    if name.trim().is_empty() { "localhost".to_owned() } else { name.trim().to_owned() }
}

/// Threads that we may use: the standard library minds affinity and the quotas of control groups.
fn threads() -> u64 {
    std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64)
}

/// Memory that we may use: the machine's, or the limit of a control group that we are in.
fn memory(paths: &MachinePaths) -> Result<u64, EngineError> {
    let path = paths.proc.join("meminfo");
    let text = fs::read_to_string(&path).map_err(EngineError::file("read", &path))?;
    let total =
        text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse().ok());
    let total: u64 =
        total.ok_or_else(|| EngineError::Protocol { why: format!("{} has no MemTotal", path.display()) })?;
    let limit = group_limit(paths).unwrap_or(u64::MAX);
    Ok((total << 10).min(limit))
}

fn group_limit(paths: &MachinePaths) -> Option<u64> {
    let own = fs::read_to_string(paths.proc.join("self/cgroup")).ok()?;
    let mut lowest = None;
    for line in own.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(names), Some(place)) = (parts.next(), parts.next()) else { continue };
        let (mount, file) = match names {
            "" => ("fs/cgroup", "memory.max"),
            names if names.split(',').any(|name| name == "memory") => ("fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => continue,
        };
        let root = paths.sys.join(mount);
        let mut place = root.join(place.trim_start_matches('/'));
        // A limit of any group above counts as well.
        loop {
            let limit = fs::read_to_string(place.join(file)).ok().and_then(|text| text.trim().parse::<u64>().ok());
            lowest = lowest.into_iter().chain(limit).min();
            if place == root || !place.pop() {
                break;
            }
        }
    }
    lowest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::Vendor;

    fn check(text: &str, expect: Result<&[(&str, u32)], &str>) {
        match (pretend(text, &Catalogue::built_in()), expect) {
            (Ok(devices), Ok(expect)) => {
                let got: Vec<_> = devices.iter().map(|device| (device.model.as_str(), device.ordinal)).collect();
                assert_eq!(got, expect, "{text}");
            }
            (Err(error), Err(expect)) => assert!(error.to_string().contains(expect), "{text}: {error}"),
            (got, expect) => panic!("{text}: {got:?}, not {expect:?}"),
        }
    }

    #[test]
    fn accelerators_are_pretended_by_count_and_model() {
        check("2xMI355X", Ok(&[("MI355X", 0), ("MI355X", 1)]));
        check("1xmi300x, 1xMI355X,1xH200", Ok(&[("MI300X", 0), ("MI355X", 1), ("H200", 0)]));
        check("MI355X", Err("8xMI355X"));
        check("0xMI355X", Err("8xMI355X"));
        check("2xMI999", Err("it has MI300X"));
    }

    #[test]
    fn this_machine_is_found() {
        let mut config = LocalConfig::new("/nonexistent");
        config.pretend_accelerators = Some("8xMI355X".into());
        let found = machine(&config, &Catalogue::built_in()).expect("found");
        assert!(found.node.cpu.0 >= 1_000 && found.node.memory.0 > 0 && found.node.pretended);
        assert_eq!(found.node.accelerators.len(), 8);
        assert_eq!(found.devices[7].vendor, Some(Vendor::Amd));
    }
}
