//! NVIDIA's GPUs, by `nvidia-smi`.
//!
//! What: model, memory, identifier and device files. Absent: MIG instances; `modes` makes them for
//! the tasks that hold them.

use super::tool;
use crate::local::{Catalogue, Device, MachinePaths, Vendor};
use eaf_model::Bytes;
use std::fs;

const QUERY: [&str; 2] = ["--query-gpu=index,name,uuid,memory.total,pci.bus_id", "--format=csv,noheader,nounits"];
/// Device files that every user of any of the GPUs opens.
const SHARED_FILES: [&str; 3] = ["nvidiactl", "nvidia-uvm", "nvidia-uvm-tools"];

pub(super) fn find(paths: &MachinePaths, catalogue: &Catalogue) -> Vec<Device> {
    let Some(text) = tool::ask(&paths.nvidia_smi, &QUERY) else { return Vec::new() };
    text.lines().filter_map(|line| device(line, paths, catalogue)).collect()
}

fn device(line: &str, paths: &MachinePaths, catalogue: &Catalogue) -> Option<Device> {
    let fields: Vec<&str> = line.split(',').map(str::trim).collect();
    let &[index, name, uuid, memory_mib, bus] = fields.as_slice() else { return None };
    let ordinal: u32 = index.parse().ok()?;
    let shared = SHARED_FILES.iter().map(|file| paths.dev.join(file)).filter(|path| path.exists());
    let own = paths.dev.join(format!("nvidia{}", minor(paths, bus).unwrap_or(ordinal)));
    let model = catalogue.of_product(name);
    Some(Device {
        model: model.map_or_else(|| name.to_owned(), |model| model.name.clone()),
        vendor: Some(Vendor::Nvidia),
        ordinal,
        uuid: Some(uuid.to_owned()).filter(|uuid| uuid.starts_with("GPU-")),
        memory: memory_mib.parse().ok().map(|mib: u64| Bytes(mib << 20)).or_else(|| model?.memory()),
        files: shared.chain([own].into_iter().filter(|path| path.exists())).collect(),
        busy_percent: None,
        power_microwatts: None,
        parts: Vec::new(),
    })
}

/// The number of the device file, which need not be the index.
fn minor(paths: &MachinePaths, bus: &str) -> Option<u32> {
    // nvidia-smi writes the domain with eight digits, the kernel with four.
    let (domain, rest) = bus.split_once(':')?;
    let bus = format!("{}:{}", &domain[domain.len().checked_sub(4)?..], rest).to_lowercase();
    let text = fs::read_to_string(paths.proc.join("driver/nvidia/gpus").join(bus).join("information")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("Device Minor:")?.trim().parse().ok())
}
