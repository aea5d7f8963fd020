//! MIG by `nvidia-smi`.
//!
//! What: switching it on and off, instances at stated places, and the identifiers by which CUDA finds them. Why an instance is
//! told by its identifier appearing: the tool lists instances and identifiers apart. Absent: instances shared by compute
//! instances; each has one, which fills it.

use super::tool;
use crate::local::devices::Part;
use crate::local::{Device, MachinePaths};
use eaf_model::{HeldSlice, WHOLE_MODE};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

const MIG: &str = "MIG";

/// The mode of each GPU, by its index.
pub(super) fn modes(paths: &MachinePaths) -> BTreeMap<u32, String> {
    let query = ["--query-gpu=index,mig.mode.current", "--format=csv,noheader"];
    tool::run(&paths.nvidia_smi, &query).map(|text| read_modes(&text)).unwrap_or_default()
}

fn read_modes(text: &str) -> BTreeMap<u32, String> {
    let mode = |line: &str| {
        let (index, mode) = line.split_once(',')?;
        let mode = match mode.trim() {
            "Enabled" => MIG,
            "Disabled" | "[N/A]" => WHOLE_MODE,
            _ => return None,
        };
        Some((index.trim().parse().ok()?, mode.to_owned()))
    };
    text.lines().filter_map(mode).collect()
}

/// Switches MIG on or off. Instances that are left over go first; where something still runs in one, the tool refuses.
pub(super) fn change(paths: &MachinePaths, gpu: u32, mode: &str) -> Result<(), String> {
    let gpu = gpu.to_string();
    let run = |args: &[&str]| tool::run(&paths.nvidia_smi, args);
    if mode == WHOLE_MODE {
        if !read_instances(&run(&["mig", "-i", &gpu, "-lgi"]).unwrap_or_default()).is_empty() {
            run(&["mig", "-i", &gpu, "-dci"])?;
            run(&["mig", "-i", &gpu, "-dgi"])?;
        }
        return run(&["-i", &gpu, "-mig", "0"]).map(|_| ());
    }
    if mode != MIG {
        return Err(format!("an NVIDIA GPU has no mode {mode}"));
    }
    run(&["-i", &gpu, "-mig", "1"]).map(|_| ())
}

/// Makes an instance with its compute instance at a place, and tells its number and how it is found.
pub(super) fn make(paths: &MachinePaths, device: &Device, slice: &HeldSlice) -> Result<(u32, Part), String> {
    let gpu = device.ordinal.to_string();
    let run = |args: &[&str]| tool::run(&paths.nvidia_smi, args);
    let listed = || run(&["-L"]).map(|text| read_identifiers(&text, device.ordinal));
    let there = read_instances(&run(&["mig", "-i", &gpu, "-lgi"]).unwrap_or_default());
    if let Some((instance, ..)) = there.iter().find(|(_, start)| *start == slice.start) {
        // One was left behind by a task of which nothing is known any more.
        unmake(paths, device, *instance)?;
    }
    let before = listed()?;
    let place = format!("{}:{}", slice.profile, slice.start);
    let made = run(&["mig", "-i", &gpu, "-cgi", &place, "-C"])?;
    let instance = read_made(&made).ok_or_else(|| format!("nvidia-smi did not say what it made: {made}"))?;
    let new = listed()?.difference(&before).next().cloned();
    let name = new.ok_or_else(|| format!("instance {instance} has no identifier"))?;
    Ok((instance, Part { start: slice.start, name, files: files(paths, device, instance) }))
}

/// Takes an instance apart.
pub(super) fn unmake(paths: &MachinePaths, device: &Device, instance: u32) -> Result<(), String> {
    let (gpu, instance) = (device.ordinal.to_string(), instance.to_string());
    tool::run(&paths.nvidia_smi, &["mig", "-i", &gpu, "-dci", "-gi", &instance])?;
    tool::run(&paths.nvidia_smi, &["mig", "-i", &gpu, "-dgi", "-gi", &instance]).map(|_| ())
}

/// The device files of an instance, besides those of its GPU: one that grants it, and one for its compute instance.
fn files(paths: &MachinePaths, device: &Device, instance: u32) -> Vec<PathBuf> {
    let own = paths.proc.join(format!("driver/nvidia/capabilities/gpu{}/mig/gi{instance}", device.ordinal));
    let minor = |path: PathBuf| {
        let text = fs::read_to_string(path).ok()?;
        text.lines().find_map(|line| line.strip_prefix("DeviceFileMinor:")?.trim().parse::<u32>().ok())
    };
    let minors = [own.join("access"), own.join("ci0/access")].into_iter().filter_map(minor);
    minors.map(|minor| paths.dev.join(format!("nvidia-caps/nvidia-cap{minor}"))).collect()
}

/// Instances and their first places, out of the table of `mig -lgi`.
fn read_instances(text: &str) -> Vec<(u32, u8)> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches(['|', ' ']).split_whitespace().collect();
        let ["MIG", .., instance, place] = cells.get(1..)? else { return None };
        Some((instance.parse().ok()?, place.split(':').next()?.parse().ok()?))
    };
    text.lines().filter_map(row).collect()
}

/// The number of the instance that was made.
fn read_made(text: &str) -> Option<u32> {
    let rest = text.lines().find_map(|line| line.strip_prefix("Successfully created GPU instance ID"))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// The identifiers of the instances of one GPU, out of `nvidia-smi -L`.
fn read_identifiers(text: &str, gpu: u32) -> BTreeSet<String> {
    let mut own = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("GPU ") {
            own = rest.split(':').next().is_some_and(|index| index.trim() == gpu.to_string());
        } else if let Some((_, rest)) = line.split_once("(UUID: ").filter(|_| own) {
            found.extend(rest.split(')').next().map(str::to_owned));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_tool_prints_is_read() {
        let modes = read_modes("0, Enabled\n1, Disabled\n2, [N/A]\n3, [Unknown Error]\n");
        let expect = [(0, "MIG"), (1, "whole"), (2, "whole")].map(|(gpu, mode)| (gpu, mode.to_owned()));
        assert_eq!(modes, BTreeMap::from(expect));

        let table = "\
+-------------------------------------------------------+
| GPU instances:                                        |
| GPU   Name             Profile  Instance   Placement  |
|                          ID       ID       Start:Size |
|=======================================================|
|   0  MIG 1g.10gb         19        9          6:1     |
+-------------------------------------------------------+
|   0  MIG 3g.40gb          9        2          0:4     |
+-------------------------------------------------------+
";
        assert_eq!(read_instances(table), [(9, 6), (2, 0)]);
        assert_eq!(read_instances("No GPU instances found: Not Found\n"), []);

        let made = "\
Successfully created GPU instance ID  9 on GPU  0 using profile MIG 1g.10gb (ID 19)
Successfully created compute instance ID  0 on GPU  0 GPU instance ID  9 using profile MIG 1g.10gb (ID  0)
";
        assert_eq!(read_made(made), Some(9));
        assert_eq!(read_made("Unable to create a GPU instance\n"), None);

        let list = "\
GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
  MIG 1g.10gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)
  MIG 1g.10gb     Device  1: (UUID: MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb)
GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-aaaaaaaa-d33d-2b2c-524d-9e3d8d2b8a77)
  MIG 1g.10gb     Device  0: (UUID: MIG-1e852206-3a6c-5fc8-9f2a-0b6bdd6a38b0)
";
        let of = |gpu| read_identifiers(list, gpu).len();
        assert_eq!((of(0), of(1), of(2)), (2, 1, 0));
        assert!(read_identifiers(list, 1).contains("MIG-1e852206-3a6c-5fc8-9f2a-0b6bdd6a38b0"));
    }
}
