//! Accelerators found by the files and tools of their makers, as recorded.

use crate::fixture::Factory;
use eaf_engine::Engine;
use eaf_engine::conformance::shell;
use eaf_engine::local::LocalConfig;
use eaf_model::{Accelerator, AllottedAccelerator, Bytes, Exit, GpuMilli};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tempfile::TempDir;

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("AMD's GPUs are found in the kernel's files", amd_by_the_kernel),
    ("AMD's GPUs are found by amd-smi", amd_by_amd_smi),
    ("AMD's GPUs are found by rocm-smi where there is no amd-smi", amd_by_rocm_smi),
    ("NVIDIA's GPUs are found by nvidia-smi", nvidia),
    ("a tool that fails offers nothing", failing_tool),
];

/// A machine without any accelerator, to be furnished.
fn bare() -> TempDir {
    let machine = tempfile::tempdir().expect("a directory");
    for directory in ["sys", "dev", "bin"] {
        fs::create_dir(machine.path().join(directory)).expect("made");
    }
    machine
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("made");
    fs::write(path, text).expect("written");
}

/// A tool that prints what was recorded.
fn tool(machine: &TempDir, name: &str, recorded: &str) -> OsString {
    let path = machine.path().join("bin").join(name);
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(recorded);
    write(&path, &format!("#!/bin/sh\nexec cat {}\n", recorded.display()));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("made executable");
    path.into()
}

fn look(config: &mut LocalConfig, machine: &TempDir) {
    config.machine.sys = machine.path().join("sys");
    config.machine.dev = machine.path().join("dev");
    for tool in [&mut config.machine.nvidia_smi, &mut config.machine.amd_smi, &mut config.machine.rocm_smi] {
        *tool = machine.path().join("bin/absent").into();
    }
}

fn check(machine: &TempDir, change: impl FnOnce(&mut LocalConfig), expect: &[(&str, u64, Option<&str>)]) {
    let factory = Factory::with(|config| {
        look(config, machine);
        change(config);
    });
    let engine = factory.local(Box::new(|_| {}));
    let nodes = engine.discover().expect("found");
    let accelerator = |(model, memory, uuid): &(&str, u64, Option<&str>)| Accelerator {
        model: (*model).to_owned(),
        memory: (*memory > 0).then_some(Bytes(*memory)),
        uuid: uuid.map(str::to_owned),
    };
    let expect: Vec<Accelerator> = expect.iter().map(accelerator).collect();
    assert_eq!((nodes.len(), nodes[0].pretended), (1, false));
    assert_eq!(nodes[0].accelerators, expect);
}

/// The driver's topology of a machine with a processor and two MI355X, one of them under another name.
fn topology(machine: &TempDir) {
    let nodes = machine.path().join("sys/class/kfd/kfd/topology/nodes");
    write(
        &nodes.join("0/properties"),
        "cpu_cores_count 64\nsimd_count 0\nvendor_id 0\ndevice_id 0\ndrm_render_minor 0\n",
    );
    write(&nodes.join("0/gpu_id"), "0\n");
    for (node, minor, unique) in [("1", 128, 4_242_u64), ("2", 136, 0)] {
        let properties = format!(
            "cpu_cores_count 0\nsimd_count 1024\ngfx_target_version 90500\nvendor_id 4098\ndevice_id 30115\n\
             drm_render_minor {minor}\nunique_id {unique}\n"
        );
        write(&nodes.join(node).join("properties"), &properties);
        write(&nodes.join(node).join("gpu_id"), "51234\n");
        write(&nodes.join(node).join("mem_banks/0/properties"), "heap_type 1\nsize_in_bytes 309220868096\nflags 0\n");
        let card = machine.path().join(format!("sys/class/drm/renderD{minor}/device"));
        write(&card.join("gpu_busy_percent"), "50\n");
        write(&card.join("hwmon/hwmon3/power1_average"), "700000000\n");
        write(&machine.path().join(format!("dev/dri/renderD{minor}")), "");
    }
    write(&machine.path().join("sys/class/drm/renderD128/device/product_name"), "AMD Instinct MI355X\n");
    write(&machine.path().join("dev/kfd"), "");
}

fn amd_by_the_kernel() {
    let machine = bare();
    topology(&machine);
    let expect = [("MI355X", 309_220_868_096, Some("GPU-0000000000001092")), ("MI355X", 309_220_868_096, None)];
    check(&machine, |_| {}, &expect);
    // A task may open what it holds and nothing else, and is told how busy that was.
    let factory = Factory::with(|config| look(config, &machine));
    let subject = factory.subject();
    let dev = machine.path().join("dev/dri");
    for file in ["renderD128", "renderD136"] {
        fs::set_permissions(dev.join(file), fs::Permissions::from_mode(0o666)).expect("opened");
    }
    fs::set_permissions(machine.path(), fs::Permissions::from_mode(0o755)).expect("opened");
    let text = format!(
        "for d in renderD128 renderD136; do (echo x >> {}/$d) 2>/dev/null && echo $d; done; \
         echo $ROCR_VISIBLE_DEVICES; while [ ! -e go ]; do sleep 0.01; done",
        dev.display()
    );
    let mut order = shell(&text);
    order.allotment.accelerators = vec![AllottedAccelerator::of(1, GpuMilli(1_000))];
    let started = std::time::Instant::now();
    subject.start(&[&order]);
    subject.wait_output(&order, "1\n");
    eaf_engine::conformance::until("half a second of load", || started.elapsed().as_millis() > 600);
    fs::write(subject.directory(&order).join("go"), "").expect("written");
    let (exit, usage) = subject.exit(order.key);
    assert_eq!(exit, Exit::Code(0));
    assert_eq!(subject.output(&order, eaf_engine::LogStream::Stdout), "renderD136\n1\n");
    let busy = usage.accelerator_busy.expect("counted").0;
    assert!((200..20_000).contains(&busy), "half of the time: {busy} ms");
    assert_eq!(usage.energy, None, "the processors are not measured here, so the whole is not");
}

fn amd_by_amd_smi() {
    let machine = bare();
    let amd_smi = tool(&machine, "amd-smi", "amd-smi-static.json");
    let expect = [("MI325X", 262_128 << 20, Some("GPU-8a4c11d05f3b2e71")), ("MI325X", 262_128 << 20, None)];
    check(&machine, |config| config.machine.amd_smi = amd_smi, &expect);
}

fn amd_by_rocm_smi() {
    let machine = bare();
    let rocm_smi = tool(&machine, "rocm-smi", "rocm-smi.json");
    let expect = [
        ("MI300X", 206_141_652_992, Some("GPU-4a0b1d8e9c3f2205")),
        ("MI300X", 206_141_652_992, Some("GPU-6be1ef4c1dbd7a6f")),
    ];
    check(&machine, |config| config.machine.rocm_smi = rocm_smi, &expect);
}

fn nvidia() {
    let machine = bare();
    let nvidia_smi = tool(&machine, "nvidia-smi", "nvidia-smi.csv");
    let expect = [
        ("H100", 81_559 << 20, Some("GPU-3f2b8e1a-5c44-9d0e-7a61-1b2c3d4e5f60")),
        ("H100", 81_559 << 20, Some("GPU-9a8b7c6d-1e2f-4a3b-8c9d-0e1f2a3b4c5d")),
        ("NVIDIA GeForce GT 710", 0, None),
    ];
    check(&machine, |config| config.machine.nvidia_smi = nvidia_smi, &expect);
}

fn failing_tool() {
    let machine = bare();
    let broken = machine.path().join("bin/nvidia-smi");
    write(
        &broken,
        "#!/bin/sh\necho 'NVIDIA-SMI has failed because it could not communicate with the driver'\nexit 9\n",
    );
    fs::set_permissions(&broken, fs::Permissions::from_mode(0o755)).expect("made executable");
    check(&machine, |config| config.machine.nvidia_smi = broken.into(), &[]);
}
