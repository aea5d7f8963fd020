//! AMD's GPUs, by the kernel's own files, or by `amd-smi` or `rocm-smi` where those do not tell.
//!
//! What: model, memory, identifier, device files and counters. Each partition of a partitioned GPU (CPX) is a node of the
//! driver, and a slice of one accelerator here: partitions are functions of one device on the bus. Absent: changing
//! partitions (`modes`).

use super::tool;
use crate::local::{Catalogue, Device, MachinePaths, Part, Vendor};
use eaf_model::Bytes;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const AMD_SMI: [&str; 4] = ["static", "--asic", "--vram", "--json"];
const ROCM_SMI: [&str; 4] = ["--showproductname", "--showmeminfo=vram", "--showuniqueid", "--json"];

pub(super) fn find(paths: &MachinePaths, catalogue: &Catalogue) -> Vec<Device> {
    let found = by_kernel(paths, catalogue);
    if !found.is_empty() {
        return found;
    }
    let told = |tool: &std::ffi::OsStr, args: &[&str], read: fn(&Value) -> Option<Vec<Told>>| {
        let answer = serde_json::from_str::<Value>(&tool::ask(tool, args)?).ok()?;
        Some((0..).zip(read(&answer)?).map(|(at, told)| told.device(at, paths, catalogue)).collect())
    };
    told(&paths.amd_smi, &AMD_SMI, by_amd_smi)
        .or_else(|| told(&paths.rocm_smi, &ROCM_SMI, by_rocm_smi))
        .unwrap_or_default()
}

/// `name value` lines.
fn properties(path: &Path) -> BTreeMap<String, u64> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let pair =
        |line: &str| line.split_once(' ').and_then(|(name, value)| Some((name.to_owned(), value.trim().parse().ok()?)));
    text.lines().filter_map(pair).collect()
}

fn by_kernel(paths: &MachinePaths, catalogue: &Catalogue) -> Vec<Device> {
    let nodes = paths.sys.join("class/kfd/kfd/topology/nodes");
    let entries = fs::read_dir(&nodes).into_iter().flatten().flatten();
    let mut numbers: Vec<u32> = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    let mut devices: Vec<Device> = Vec::new();
    let mut last_place = None;
    let mut ordinal = 0;
    for number in numbers {
        let node = nodes.join(number.to_string());
        let own = properties(&node.join("properties"));
        let of = |name: &str| own.get(name).copied().unwrap_or(0);
        // Processors are nodes too, without SIMD units; a GPU that this container may not use has no readable id.
        if of("simd_count") == 0 || fs::read_to_string(node.join("gpu_id")).is_ok_and(|id| id.trim() == "0") {
            continue;
        }
        let minor = of("drm_render_minor");
        let card = paths.sys.join(format!("class/drm/renderD{minor}/device"));
        let product = fs::read_to_string(card.join("product_name")).unwrap_or_default();
        let model = catalogue.of_product(product.trim()).or_else(|| catalogue.of_pci(of("vendor_id"), of("device_id")));
        let unnamed =
            || if product.trim().is_empty() { format!("AMD {:04x}", of("device_id")) } else { product.trim().into() };
        let unique = of("unique_id");
        let render = paths.dev.join(format!("dri/renderD{minor}"));
        let place = (of("location_id") != 0).then(|| (of("domain"), of("location_id") >> 3));
        let same = place.is_some() && place == last_place;
        last_place = place;
        if let Some(board) = devices.last_mut().filter(|_| same) {
            add_partition(board, ordinal, render, board_memory(&node));
            ordinal += 1;
            continue;
        }
        devices.push(Device {
            model: model.map_or_else(unnamed, |model| model.name.clone()),
            vendor: Some(Vendor::Amd),
            ordinal,
            uuid: (unique != 0).then(|| format!("GPU-{unique:016x}")),
            memory: board_memory(&node).or_else(|| model?.memory()),
            files: vec![paths.dev.join("kfd"), render],
            busy_percent: existing(card.join("gpu_busy_percent")),
            power_microwatts: power_file(&card),
            parts: Vec::new(),
        });
        ordinal += 1;
    }
    devices
}

/// Another partition of a board: the first becomes a slice as well.
fn add_partition(board: &mut Device, ordinal: u32, render: PathBuf, memory: Option<Bytes>) {
    let part = |start: usize, ordinal: u32, file: PathBuf| Part {
        start: u8::try_from(start).unwrap_or(u8::MAX),
        name: ordinal.to_string(),
        files: vec![file],
    };
    if board.parts.is_empty() {
        board.parts.extend(board.files.pop().map(|file| part(0, board.ordinal, file)));
    }
    board.parts.push(part(board.parts.len(), ordinal, render));
    board.memory = board.memory.zip(memory).map(|(sum, more)| sum.saturating_add(more));
}

fn existing(path: PathBuf) -> Option<PathBuf> {
    path.exists().then_some(path)
}

/// Memory on the board: heaps 1 and 2 are its own, others the machine's.
fn board_memory(node: &Path) -> Option<Bytes> {
    let banks = fs::read_dir(node.join("mem_banks")).into_iter().flatten().flatten();
    let banks = banks.map(|bank| properties(&bank.path().join("properties")));
    let own = banks.filter(|bank| matches!(bank.get("heap_type"), Some(1 | 2)));
    let bytes: u64 = own.filter_map(|bank| bank.get("size_in_bytes").copied()).sum();
    (bytes > 0).then_some(Bytes(bytes))
}

fn power_file(card: &Path) -> Option<PathBuf> {
    let monitors = fs::read_dir(card.join("hwmon")).into_iter().flatten().flatten().map(|monitor| monitor.path());
    monitors
        .flat_map(|monitor| ["power1_average", "power1_input"].map(|name| monitor.join(name)))
        .find(|path| path.exists())
}

/// What a tool tells of one GPU.
struct Told {
    product: String,
    serial: Option<String>,
    memory: Option<Bytes>,
}

impl Told {
    fn device(self, ordinal: u32, paths: &MachinePaths, catalogue: &Catalogue) -> Device {
        let model = catalogue.of_product(&self.product);
        Device {
            memory: self.memory.or_else(|| model?.memory()),
            model: model.map_or(self.product, |model| model.name.clone()),
            vendor: Some(Vendor::Amd),
            ordinal,
            uuid: self.serial.map(|serial| format!("GPU-{}", serial.trim_start_matches("0x").to_lowercase())),
            // Render nodes are numbered from 128 in the order of the cards.
            files: [paths.dev.join("kfd"), paths.dev.join(format!("dri/renderD{}", 128 + ordinal))]
                .into_iter()
                .filter(|path| path.exists())
                .collect(),
            busy_percent: None,
            power_microwatts: None,
            parts: Vec::new(),
        }
    }
}

fn by_amd_smi(answer: &Value) -> Option<Vec<Told>> {
    // A list of GPUs, or since ROCm 7 an object around it.
    let list = answer.as_array().or_else(|| answer.get("gpu_data")?.as_array())?;
    let told = |gpu: &Value| {
        let asic = gpu.get("asic")?;
        let size = gpu.get("vram").and_then(|vram| vram.get("size"));
        let mib = size.and_then(|size| size.get("value").unwrap_or(size).as_u64());
        Some(Told {
            product: asic.get("market_name")?.as_str()?.to_owned(),
            serial: asic.get("asic_serial").and_then(Value::as_str).filter(|s| *s != "N/A").map(str::to_owned),
            memory: mib.map(|mib| Bytes(mib << 20)),
        })
    };
    Some(list.iter().filter_map(told).collect())
}

fn by_rocm_smi(answer: &Value) -> Option<Vec<Told>> {
    let mut cards: Vec<(u32, &Value)> = answer
        .as_object()?
        .iter()
        .filter_map(|(name, card)| Some((name.strip_prefix("card")?.parse().ok()?, card)))
        .collect();
    cards.sort_unstable_by_key(|(number, _)| *number);
    let text = |card: &Value, name: &str| card.get(name).and_then(Value::as_str).map(str::to_owned);
    let told = |(_, card): (u32, &Value)| {
        Some(Told {
            product: text(card, "Card Series").or_else(|| text(card, "Card series"))?,
            serial: text(card, "Unique ID").filter(|serial| serial != "N/A"),
            memory: text(card, "VRAM Total Memory (B)").and_then(|bytes| bytes.parse().ok()).map(Bytes),
        })
    };
    Some(cards.into_iter().filter_map(told).collect())
}
