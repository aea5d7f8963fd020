//! The accelerators of this machine, as a task meets them.
//!
//! What: device files, and the environment variables by which each vendor's runtime is told what it may see. Absent:
//! finding them (`discover`) and giving them out (the core).

use eaf_model::{AllottedAccelerator, Bytes};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::path::PathBuf;

/// Who made it, as far as its runtime is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vendor {
    /// AMD: ROCm.
    Amd,
    /// NVIDIA: CUDA.
    Nvidia,
    /// FuriosaAI.
    Furiosa,
    /// Rebellions.
    Rebellions,
}

/// A slice of an accelerator that is cut, as a task meets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its first place.
    pub start: u8,
    /// What its vendor's runtime is told: an identifier, or a number.
    pub name: String,
    /// The device files that its user must be able to open, besides those of the accelerator.
    pub files: Vec<PathBuf>,
}

/// One accelerator that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The model's name in the catalogue, or what the machine calls it.
    pub model: String,
    /// Who made it; `None` where nothing tells.
    pub vendor: Option<Vendor>,
    /// Its number in its own vendor's counting.
    pub ordinal: u32,
    /// The maker's identifier, where the machine tells it.
    pub uuid: Option<String>,
    /// Its memory, where the machine or the catalogue tells it.
    pub memory: Option<Bytes>,
    /// The device files that its user must be able to open.
    pub files: Vec<PathBuf>,
    /// A file with its load in percent, where the driver offers one.
    pub busy_percent: Option<PathBuf>,
    /// A file with its draw in microwatts, where the driver offers one.
    pub power_microwatts: Option<PathBuf>,
    /// Its slices, where it is cut and they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

impl Device {
    /// The slice that is held, where a slice is.
    fn part(&self, held: &AllottedAccelerator) -> Option<&Part> {
        let slice = held.slice.as_ref()?;
        self.parts.iter().find(|part| part.start == slice.start)
    }

    /// What its runtime is told of it, or of the slice that is held of it.
    fn name(&self, held: &AllottedAccelerator) -> String {
        match (self.part(held), self.vendor) {
            (Some(part), _) => part.name.clone(),
            (None, Some(Vendor::Nvidia)) => self.uuid.clone().unwrap_or_else(|| self.ordinal.to_string()),
            (None, _) => self.ordinal.to_string(),
        }
    }

    /// The device files that whoever holds this must be able to open.
    pub(crate) fn files_of(&self, held: &AllottedAccelerator) -> Vec<PathBuf> {
        let own = self.files.iter();
        own.chain(self.part(held).into_iter().flat_map(|part| &part.files)).cloned().collect()
    }
}

/// The variables that make exactly these accelerators visible; without any, nothing is.
pub(crate) fn visibility(devices: &[Device], held: &[AllottedAccelerator]) -> Vec<(&'static str, String)> {
    let of = |vendor| {
        let held = held.iter().filter_map(|held| Some((devices.get(usize::from(held.index))?, held)));
        held.filter(move |(device, _)| device.vendor == Some(vendor))
    };
    let list = |names: &mut dyn Iterator<Item = String>| {
        names.fold(String::new(), |mut list, name| {
            let comma = if list.is_empty() { "" } else { "," };
            let _ = write!(list, "{comma}{name}");
            list
        })
    };
    let amd = list(&mut of(Vendor::Amd).map(|(device, held)| device.name(held)));
    // HIP counts within what ROCr shows, and falls back to CUDA's variable: both count from zero again.
    let hip = list(&mut of(Vendor::Amd).enumerate().map(|(place, _)| place.to_string()));
    let nvidia = list(&mut of(Vendor::Nvidia).map(|(device, held)| device.name(held)));
    let furiosa = list(&mut of(Vendor::Furiosa).map(|(device, _)| format!("npu:{}", device.ordinal)));
    let rebellions = list(&mut of(Vendor::Rebellions).map(|(device, _)| device.ordinal.to_string()));
    let cuda = if nvidia.is_empty() { hip.clone() } else { nvidia };
    let mut variables =
        vec![("ROCR_VISIBLE_DEVICES", amd), ("HIP_VISIBLE_DEVICES", hip), ("CUDA_VISIBLE_DEVICES", cuda)];
    variables
        .extend([("FURIOSA_DEVICES", furiosa), ("RBLN_DEVICES", rebellions)].into_iter().filter(|v| !v.1.is_empty()));
    variables
}

#[cfg(test)]
mod tests {
    use super::*;
    use eaf_model::GpuMilli;

    fn check(vendor: Vendor, uuid: Option<&str>, held: &[u16], expect: &[(&str, &str)]) {
        let device = |ordinal| Device {
            model: "M".into(),
            vendor: Some(vendor),
            ordinal,
            uuid: uuid.map(|uuid| format!("{uuid}{ordinal}")),
            memory: None,
            files: Vec::new(),
            busy_percent: None,
            power_microwatts: None,
            parts: Vec::new(),
        };
        let held: Vec<_> = held.iter().map(|&index| AllottedAccelerator::of(index, GpuMilli(1_000))).collect();
        let devices: Vec<_> = (0..4).map(device).collect();
        let got = visibility(&devices, &held);
        let got: Vec<_> = got.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(got, expect);
    }

    #[test]
    fn each_runtime_sees_what_is_held_and_nothing_else() {
        let none = [("ROCR_VISIBLE_DEVICES", ""), ("HIP_VISIBLE_DEVICES", ""), ("CUDA_VISIBLE_DEVICES", "")];
        check(Vendor::Amd, None, &[], &none);
        let amd = [("ROCR_VISIBLE_DEVICES", "2,3"), ("HIP_VISIBLE_DEVICES", "0,1"), ("CUDA_VISIBLE_DEVICES", "0,1")];
        check(Vendor::Amd, Some("GPU-"), &[2, 3], &amd);
        let nvidia = |cuda| [("ROCR_VISIBLE_DEVICES", ""), ("HIP_VISIBLE_DEVICES", ""), ("CUDA_VISIBLE_DEVICES", cuda)];
        check(Vendor::Nvidia, None, &[1], &nvidia("1"));
        check(Vendor::Nvidia, Some("GPU-"), &[1, 3], &nvidia("GPU-1,GPU-3"));
        check(Vendor::Rebellions, None, &[0], &[none[0], none[1], none[2], ("RBLN_DEVICES", "0")]);
    }
}
