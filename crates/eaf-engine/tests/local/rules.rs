//! What a task may do: sandbox, user, limits; and what is kept of it: logs, usage, energy.

use crate::fixture::Factory;
use eaf_engine::conformance::{Subject, order_of, shell, until};
use eaf_engine::local::{CgroupMode, Sandbox};
use eaf_engine::{Engine, LogStream};
use eaf_model::{AllottedAccelerator, Bytes, CpuMilli, Exit, GpuMilli, Span, StartOrder, TaskReport, WorkloadSpec};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("landlock: a task writes and reads its own and nothing else's", || fences(Sandbox::Landlock)),
    ("bubblewrap: a task writes and reads its own and nothing else's", || fences(Sandbox::Bubblewrap)),
    ("landlock follows what changes beside the data directory", landlock_follows),
    ("landlock keeps signals within the task", signals_stay_within),
    ("bubblewrap: a polite stop is heard within", bubblewrap_stop),
    ("nothing gains privileges", no_new_privileges),
    ("each project has its own user", users_by_project),
    ("root only where it is allowed", root_by_permission),
    ("an absolute working directory must be opened", working_roots),
    ("memory is limited, cgroups v1", out_of_memory),
    ("memory is limited without cgroups", out_of_memory_in_the_fallback),
    ("processor time is limited", processor_time),
    ("processes are limited", processes),
    ("limits in force are told", limits_in_force),
    ("a reused slot counts from zero", reused_slot),
    ("logs are bounded and keep both ends", bounded_logs),
    ("usage is reported while a task runs", usage_reports),
    ("energy is measured where the machine counts it", measured_energy),
    ("accelerators are made visible", accelerators),
    ("orders of any size are carried", large_orders),
    ("a stranger at the supervisor's socket is refused", strangers),
];

fn output(subject: &Subject, order: &StartOrder) -> String {
    subject.output(order, LogStream::Stdout) + &subject.output(order, LogStream::Stderr)
}

/// Runs a shell text and gives its output.
fn tell(subject: &Subject, text: &str) -> String {
    let order = shell(text);
    subject.run(&order);
    output(subject, &order)
}

fn fences(sandbox: Sandbox) {
    if sandbox == Sandbox::Bubblewrap {
        install_bubblewrap();
    }
    let factory = Factory::with(|config| config.sandbox = sandbox);
    let subject = factory.subject();
    let data = factory.config.data_dir.display().to_string();
    fs::write(factory.config.data_dir.join("token"), "secret").expect("written");
    let beside = factory.root().join("beside");
    fs::write(&beside, "public").expect("written");
    fs::set_permissions(&beside, fs::Permissions::from_mode(0o666)).expect("opened");
    // The same user, so that only the sandbox stands between the two.
    let other = shell("echo mine > file; chmod 644 file; chmod 755 .");
    assert_eq!(subject.run(&other), Exit::Code(0));
    let other = subject.directory(&other).display().to_string();
    let open = std::env::temp_dir().join(format!("eaf-open-{}", std::process::id()));
    fs::create_dir_all(&open).expect("made");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).expect("opened");
    for allowed in [
        "echo x > file && mv file other && ln other third && mkdir d && mv other d/ && cat d/other",
        "echo x > $TMPDIR/file && cat $TMPDIR/file",
        "echo x > /dev/null",
        "echo x > /dev/shm/eaf-test-$$ && rm /dev/shm/eaf-test-$$",
        "head -c 4 /dev/urandom | wc -c && head -c 4 /dev/zero | wc -c",
        "cat /etc/hostname && ls /usr/bin > /dev/null",
        "cat /proc/self/status > /dev/null",
        &format!("cat {}", beside.display()),
    ] {
        let order = shell(&format!("set -e; {allowed}; echo allowed"));
        assert_eq!(subject.run(&order), Exit::Code(0), "{allowed}: {}", output(&subject, &order));
    }
    for denied in [
        format!("cat {data}/token"),
        format!("ls {data}/engine"),
        format!("ls {data}/work | grep -qF {}", other.rsplit('/').next().unwrap_or_default()),
        format!("cat {other}/file"),
        format!("ls {other}"),
        format!("echo x > {other}/file"),
        format!("echo x > {other}/new"),
        format!("rm {other}/file"),
        format!("echo x >> {}", beside.display()),
        format!("echo x > {}/new", open.display()),
        format!("mkdir {}/new", open.display()),
        format!("ln -s x {}/new", open.display()),
        "echo x > /tmp/eaf-escape".to_owned(),
        "cp /dev/null /etc/eaf-escape".to_owned(),
        "echo $$ > /sys/fs/cgroup/pids/cgroup.procs".to_owned(),
    ] {
        let order = shell(&format!("({denied}) 2>/dev/null && echo allowed; true"));
        assert_eq!(subject.run(&order), Exit::Code(0), "{denied}");
        assert!(!output(&subject, &order).contains("allowed"), "{sandbox:?} allows {denied}");
    }
    assert!(fs::read_dir(&open).expect("read").next().is_none(), "nothing was written outside");
    assert_eq!(fs::read_to_string(&beside).expect("read"), "public");
    fs::remove_dir(&open).expect("removed");
    // As root, where the user's own rights stop nothing.
    needs_root();
    if sandbox == Sandbox::Landlock {
        root_is_fenced();
    }
}

fn root_is_fenced() {
    let factory = Factory::with(|config| config.allow_root = ["default".to_owned()].into());
    let subject = factory.subject();
    let data = factory.config.data_dir.display();
    let text = format!(
        "id -u; cat {data}/engine/secret; touch /etc/eaf-escape; touch /tmp/eaf-escape; mknod n b 7 0; \
                        cat /dev/mem; ls /proc/1/root/etc; true"
    );
    let told = tell(&subject, &text);
    assert!(
        told.starts_with("0\n") && told.matches("denied").count() + told.matches("not permitted").count() >= 4,
        "{told}"
    );
    assert!(!Path::new("/etc/eaf-escape").exists() && !Path::new("/tmp/eaf-escape").exists());
}

fn landlock_follows() {
    let factory = Factory::new();
    let subject = factory.subject();
    let later = factory.root().join("later");
    let text = format!("cat {}", later.display());
    assert_ne!(subject.run(&shell(&text)), Exit::Code(0));
    fs::write(&later, "here").expect("written");
    assert_eq!(tell(&subject, &text), "here");
}

fn signals_stay_within() {
    let factory = Factory::new();
    let subject = factory.subject();
    let victim = shell("echo $$; while [ ! -e go ]; do sleep 0.01; done; exit 5");
    subject.start(&[&victim]);
    subject.wait_output(&victim, "\n");
    let pid = subject.output(&victim, LogStream::Stdout);
    let told = tell(&subject, &format!("kill -0 $$ && echo own; kill -KILL {} || echo kept", pid.trim()));
    assert!(told.contains("own") && told.contains("kept"), "{told}");
    fs::write(subject.directory(&victim).join("go"), "").expect("written");
    assert_eq!(subject.exit(victim.key).0, Exit::Code(5));
}

fn bubblewrap_stop() {
    install_bubblewrap();
    let factory = Factory::with(|config| config.sandbox = Sandbox::Bubblewrap);
    let subject = factory.subject();
    let order = shell("trap 'echo heard; exit 9' TERM; echo ready; while :; do sleep 0.01; done");
    subject.start(&[&order]);
    subject.wait_output(&order, "ready");
    subject.stop(order.key, Span::from_secs(30));
    assert_eq!(subject.exit(order.key).0, Exit::Code(9));
    assert!(output(&subject, &order).contains("heard"));
}

fn install_bubblewrap() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let there = || Command::new("bwrap").arg("--version").output().is_ok_and(|output| output.status.success());
        if !there() {
            let apt = |args: &[&str]| Command::new("apt-get").args(args).output();
            let _ = apt(&["update", "-q"]);
            let installed = apt(&["install", "-y", "-q", "bubblewrap"]);
            assert!(there(), "this test needs bubblewrap, and it could not be installed: {installed:?}");
        }
    });
}

fn no_new_privileges() {
    let factory = Factory::new();
    let told =
        tell(&factory.subject(), "grep -E '^(NoNewPrivs|SigBlk|SigIgn)' /proc/self/status; ls /proc/self/fd | wc -l");
    assert!(told.contains("NoNewPrivs:\t1"), "{told}");
    assert!(told.contains("SigBlk:\t0000000000000000") && told.contains("SigIgn:\t0000000000000000"), "{told}");
    // Three, and the one by which `ls` reads: no file of the supervisor is inherited.
    assert!(told.ends_with("4\n"), "{told}");
}

fn needs_root() {
    assert!(rustix::process::geteuid().is_root(), "this test must run as root, for other users and control groups");
}

fn users_by_project() {
    needs_root();
    let factory = Factory::with(|config| {
        config.users.insert("mapped".to_owned(), "nobody".to_owned());
        config.users.insert("numbers".to_owned(), "4242:4343".to_owned());
    });
    let subject = factory.subject();
    let ids = |project: &str| {
        let spec = WorkloadSpec {
            project: project.to_owned(),
            ..WorkloadSpec::command(&["/bin/sh", "-c", "id -u; id -g; id -G"])
        };
        let order = order_of(spec);
        assert_eq!(subject.run(&order), Exit::Code(0));
        let owner = fs::metadata(subject.directory(&order)).expect("a directory");
        let told = output(&subject, &order);
        assert_eq!(told.lines().next(), Some(owner.uid().to_string().as_str()), "the directory is the task's own");
        assert_eq!(owner.mode() & 0o777, 0o700);
        told.split_whitespace().map(|id| id.parse().expect("a number")).collect::<Vec<u32>>()
    };
    assert_eq!(ids("first"), [790_000; 3]);
    assert_eq!(ids("second"), [790_001; 3]);
    assert_eq!(ids("first"), [790_000; 3]);
    assert_eq!(ids("mapped")[0], 65_534);
    assert_eq!(ids("numbers"), [4_242, 4_343, 4_343]);
    drop(subject);
    factory.kill_supervisor();
    let subject = factory.subject();
    let again = order_of(WorkloadSpec { project: "second".to_owned(), ..WorkloadSpec::command(&["id", "-u"]) });
    assert_eq!(subject.run(&again), Exit::Code(0));
    assert_eq!(output(&subject, &again), "790001\n");
}

fn root_by_permission() {
    needs_root();
    let mut factory = Factory::with(|config| config.users = [("p".to_owned(), "root".to_owned())].into());
    let start = |factory: &Factory| eaf_engine::local::LocalEngine::start(factory.config.clone(), Box::new(|_| {}));
    let refused = start(&factory).err().expect("refused").to_string();
    assert!(refused.contains("allow_root"), "{refused}");
    factory.config.allow_root.insert("p".to_owned());
    let subject = factory.subject();
    let order = order_of(WorkloadSpec { project: "p".to_owned(), ..WorkloadSpec::command(&["id", "-u"]) });
    assert_eq!(subject.run(&order), Exit::Code(0));
    assert_eq!(output(&subject, &order), "0\n");
}

fn working_roots() {
    let shared = tempfile::tempdir().expect("a directory");
    fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o777)).expect("opened");
    let factory = Factory::with(|config| config.working_roots.push(shared.path().to_owned()));
    let subject = factory.subject();
    let spec = WorkloadSpec {
        working_directory: shared.path().to_str().map(str::to_owned),
        ..WorkloadSpec::command(&["/bin/sh", "-c", "pwd; echo x > file; echo y > $HOME/file"])
    };
    let order = order_of(spec);
    assert_eq!(subject.run(&order), Exit::Code(0), "{}", output(&subject, &order));
    assert_eq!(output(&subject, &order).trim(), shared.path().to_str().expect("text"));
    assert!(shared.path().join("file").exists());
}

fn hungry(megabytes: u32) -> StartOrder {
    let mut order = shell(&format!("x=$(head -c {megabytes}000000 /dev/zero | tr '\\0' x); echo ${{#x}}"));
    order.allotment.memory = Bytes(48 << 20);
    order
}

fn out_of_memory() {
    needs_root();
    let factory = Factory::with(|config| config.cgroups = CgroupMode::V1);
    let subject = factory.subject();
    assert_eq!(subject.run(&hungry(300)), Exit::OutOfMemory);
    let modest = hungry(2);
    assert_eq!(subject.run(&modest), Exit::Code(0), "the next in the slot is not blamed");
    assert_eq!(output(&subject, &modest), "2000000\n");
}

fn out_of_memory_in_the_fallback() {
    let factory = Factory::with(|config| config.cgroups = CgroupMode::None);
    let subject = factory.subject();
    let exit = subject.run(&hungry(300));
    assert!(!exit.is_success() && !exit.is_loss(), "{exit:?}");
    assert_eq!(subject.run(&hungry(2)), Exit::Code(0));
}

fn processor_time() {
    needs_root();
    let factory = Factory::with(|config| config.cgroups = CgroupMode::V1);
    let subject = factory.subject();
    let mut order = shell("x=0; while [ $x -lt 300000 ]; do x=$((x+1)); done");
    order.allotment.cpu = CpuMilli(200);
    let before = Instant::now();
    subject.start(&[&order]);
    let (exit, usage) = subject.exit(order.key);
    assert_eq!(exit, Exit::Code(0));
    let wall = before.elapsed().as_micros();
    assert!(u128::from(usage.cpu.0) * 2 < wall, "a fifth of a thread was held: {usage:?} in {wall} us");
}

fn processes() {
    needs_root();
    let factory = Factory::with(|config| {
        config.cgroups = CgroupMode::V1;
        config.processes_max = 8;
    });
    let told = tell(&factory.subject(), "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 100 & done; wait");
    assert!(told.to_lowercase().contains("fork"), "{told}");
}

fn limits_in_force() {
    needs_root();
    for (mode, expect) in [
        (CgroupMode::Auto, "limit memory, processor time, processes"),
        (CgroupMode::V1, "version 1 limit memory"),
        (CgroupMode::V2, "version 2"),
        (CgroupMode::None, "RLIMIT_AS"),
    ] {
        let factory = Factory::with(|config| config.cgroups = mode);
        let told = factory.local(Box::new(|_| {})).limits_in_force().expect("told");
        assert!(told.contains(expect), "{mode:?}: {told}");
    }
}

fn reused_slot() {
    needs_root();
    let factory = Factory::with(|config| config.cgroups = CgroupMode::V1);
    let subject = factory.subject();
    let busy = shell("x=$(head -c 20000000 /dev/zero | tr '\\0' x); x=0; while [ $x -lt 300000 ]; do x=$((x+1)); done");
    subject.start(&[&busy]);
    let busy = subject.exit(busy.key).1;
    let idle = shell("true");
    subject.start(&[&idle]);
    let idle = subject.exit(idle.key).1;
    assert!(idle.cpu.0 > 0 && idle.cpu.0 * 4 < busy.cpu.0, "{idle:?} after {busy:?}");
    let peak = |usage: eaf_model::Usage| usage.memory_peak.expect("counted").0;
    assert!(peak(idle) > 0 && peak(idle) * 2 < peak(busy), "{idle:?} after {busy:?}");
}

fn bounded_logs() {
    let factory = Factory::with(|config| config.log_bytes_max = Bytes(80_000));
    let subject = factory.subject();
    let order = shell("i=0; while [ $i -lt 50000 ]; do echo line-$i; i=$((i+1)); done");
    assert_eq!(subject.run(&order), Exit::Code(0));
    let logs = factory.config.data_dir.join("logs").join(order.workload.to_string());
    let kept: u64 =
        fs::read_dir(&logs).expect("read").map(|entry| entry.expect("an entry").metadata().expect("read").len()).sum();
    assert!(kept <= 80_000, "{kept} bytes are kept");
    let (mut offset, mut pieces) = (0, Vec::new());
    loop {
        let chunk = subject.engine.read_log(order.workload, 1, 0, LogStream::Stdout, offset, 7_000).expect("read");
        if chunk.bytes.is_empty() {
            break;
        }
        pieces.push((chunk.offset, String::from_utf8(chunk.bytes).expect("text")));
        offset = pieces.last().map_or(0, |(at, text)| at + text.len() as u64);
    }
    assert!(pieces[0].0 == 0 && pieces[0].1.starts_with("line-0\nline-1\n"), "the beginning is kept");
    assert!(pieces.last().is_some_and(|(_, text)| text.ends_with("line-49999\n")), "the end is kept");
    let whole: u64 = (0..50_000_u64).map(|i| format!("line-{i}\n").len() as u64).sum();
    assert_eq!(offset, whole, "positions count from the start, whatever was dropped");
}

fn usage_reports() {
    let factory = Factory::with(|config| config.used_every = Span::from_ms(50));
    let subject = factory.subject();
    let order = shell("x=0; while [ ! -e go ]; do x=$((x+1)); done");
    subject.start(&[&order]);
    let used = || {
        let reports = subject.reports(order.key);
        let used = reports
            .iter()
            .filter_map(|report| if let TaskReport::Used { usage } = report { Some(usage.cpu.0) } else { None });
        used.collect::<Vec<_>>()
    };
    until("four reports", || used().len() >= 4);
    let used = used();
    assert!(used.is_sorted() && used[3] > used[0], "{used:?}");
    fs::write(subject.directory(&order).join("go"), "").expect("written");
    assert!(subject.exit(order.key).1.cpu.0 >= used[3]);
}

fn measured_energy() {
    let machine = tempfile::tempdir().expect("a directory");
    let zone = machine.path().join("class/powercap/intel-rapl:0");
    fs::create_dir_all(&zone).expect("made");
    fs::write(zone.join("name"), "package-0\n").expect("written");
    fs::write(zone.join("max_energy_range_uj"), "1000000000\n").expect("written");
    // Just before the counter wraps around.
    fs::write(zone.join("energy_uj"), "999000000\n").expect("written");
    let factory = Factory::with(|config| {
        machine.path().clone_into(&mut config.machine.sys);
        config.used_every = Span::from_ms(20);
    });
    let subject = factory.subject();
    let order = shell("x=0; while [ ! -e go ]; do x=$((x+1)); done");
    subject.start(&[&order]);
    subject.started(order.key);
    fs::write(zone.join("energy_uj"), "9000000\n").expect("written");
    let energy = || {
        subject.reports(order.key).iter().find_map(|report| match report {
            TaskReport::Used { usage } => usage.energy.filter(|energy| energy.0 > 0),
            _ => None,
        })
    };
    until("energy", || energy().is_some());
    fs::write(subject.directory(&order).join("go"), "").expect("written");
    let energy = subject.exit(order.key).1.energy.expect("measured").0;
    assert!(energy > 0 && energy <= 10_000, "a share of 10 J, around the wrap: {energy} mJ");
}

fn accelerators() {
    let factory = Factory::with(|config| config.pretend_accelerators = Some("8xMI355X".to_owned()));
    let subject = factory.subject();
    let nodes = subject.engine.discover().expect("found");
    assert!(nodes[0].pretended && nodes[0].accelerators.len() == 8);
    assert_eq!(nodes[0].accelerators[0].memory, Some(Bytes(288_000_000_000)));
    let mut order = shell("echo $ROCR_VISIBLE_DEVICES $HIP_VISIBLE_DEVICES $CUDA_VISIBLE_DEVICES $EAF_ACCELERATORS");
    order.allotment.accelerators = [3, 5].map(|index| AllottedAccelerator::of(index, GpuMilli(1_000))).to_vec();
    assert_eq!(subject.run(&order), Exit::Code(0));
    assert_eq!(output(&subject, &order), "3,5 0,1 0,1 2\n");
    let local: Arc<dyn Engine> = Arc::new(factory.local(Box::new(|_| {})));
    assert_eq!(local.discover().expect("found"), nodes, "found again, the same");
    assert!(factory.work().is_dir());
}

fn large_orders() {
    let factory = Factory::new();
    let subject = factory.subject();
    let mut spec = WorkloadSpec::command(&["/bin/true"]);
    spec.labels.insert("large".to_owned(), "x".repeat(900_000));
    // Together more than one message may ever hold.
    let orders: Vec<StartOrder> = (0..80).map(|_| order_of(spec.clone())).collect();
    subject.start(&orders.iter().collect::<Vec<_>>());
    for order in &orders {
        assert_eq!(subject.exit(order.key).0, Exit::Code(0));
    }
}

fn strangers() {
    use std::io::{BufRead, BufReader, Write};
    let factory = Factory::new();
    let subject = factory.subject();
    let socket = factory.config.data_dir.join("engine/supervisor.sock");
    let check = |line: &str, expect: &str| {
        let mut stream = std::os::unix::net::UnixStream::connect(&socket).expect("connected");
        stream.write_all(line.as_bytes()).expect("said");
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer).expect("heard");
        assert!(answer.contains("refused") && answer.contains(expect), "{line:?}: {answer}");
    };
    let hello = r#"{"hello":{"version":{"protocol":1,"release":"0.1.0"},"secret":"guess"}}"#;
    check(&format!("{hello}\n"), "secret is wrong");
    check("{\"shutdown\":{\"stop_work\":true}}\n", "hello first");
    check("{\"upgrade\":{\"executable\":\"/bin/sh\",\"args\":[]}}\n", "hello first");
    check("no message at all \u{fffd}\n", "no message");
    check(&format!("{}1{}\n", "[".repeat(100_000), "]".repeat(100_000)), "no message");
    assert_eq!(subject.run(&shell("exit 2")), Exit::Code(2), "the supervisor minds none of it");
}
