//! Durability against the machine itself: the system calls in their order, a disk that is full, a disk that is read-only.
//!
//! Absent: power loss at every write. The store's own tests have a disk that forgets what was not synced.

use crate::support::factory::Factory;
use crate::support::{machine, tools, wait_for};
use eaf_api::SubmitRequest;
use eaf_api::client::Client;
use eaf_model::{Bytes, CpuMilli, WorkloadId, WorkloadSpec};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A workload that holds nearly nothing and waits, so that submissions meet a factory that is at work.
fn small(name: &str, argv: &[&str]) -> WorkloadSpec {
    let mut spec = WorkloadSpec::command(argv);
    name.clone_into(&mut spec.name);
    spec.task.cpu = CpuMilli(10);
    spec.task.memory = Bytes(16 << 20);
    spec
}

/// strace on every thread of a running process, until it is dropped.
struct Trace {
    strace: Child,
    output: PathBuf,
}

impl Trace {
    fn of(pid: u32, folder: &Path) -> Self {
        tools::ensure("strace");
        let (output, said) = (folder.join("strace.out"), folder.join("strace.err"));
        let strace = Command::new("strace")
            .args([
                "-f",
                "-y",
                "-s",
                "48",
                "-e",
                "trace=fsync,fdatasync,read,recvfrom,recvmsg,readv,write,writev,sendto,sendmsg",
            ])
            .args(["-p", &pid.to_string(), "-o"])
            .arg(&output)
            .stderr(File::create(&said).expect("a file can be made"))
            .stdin(Stdio::null())
            .spawn()
            .expect("strace can be started");
        wait_for("strace to attach", Duration::from_secs(20), || {
            fs::read_to_string(&said).ok().filter(|text| text.contains("attached"))
        });
        Self { strace, output }
    }

    /// Detaches, and gives the calls in the order in which they were seen to begin or to return.
    fn finish(mut self) -> String {
        let pid = rustix::process::Pid::from_raw(self.strace.id().cast_signed()).expect("a pid");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("strace can be told");
        self.strace.wait().expect("strace ends");
        fs::read_to_string(&self.output).expect("strace wrote")
    }
}

/// What a line of strace shows of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// The request was read from the socket.
    Request,
    /// A sync of the journal returned with success.
    Synced,
    /// The answer is being written to the socket.
    Answer,
}

/// Reads one line. A call that another thread interrupts is shown in two lines; the sync counts where it returns. The
/// path stands only in the first of the two, and nothing else of this process is ever synced while it only submits but
/// the journal, so the second is taken by its name and result.
fn seen(line: &str) -> Option<Seen> {
    let call = line.split_once(' ')?.1.trim_start();
    let synced = ["fsync(", "fdatasync("].iter().any(|name| call.starts_with(name)) && call.contains("journal.db");
    let resumed = call.starts_with("<... fsync resumed") || call.starts_with("<... fdatasync resumed");
    if (synced || resumed) && call.trim_end().ends_with("= 0") {
        return Some(Seen::Synced);
    }
    if call.contains("\"POST /v1/workloads") {
        return Some(Seen::Request);
    }
    let writes = ["write(", "writev(", "sendto(", "sendmsg("].iter().any(|name| call.starts_with(name));
    (writes && call.contains("\"HTTP/1.1 20")).then_some(Seen::Answer)
}

/// How many submissions were answered behind a sync that returned after their request was read; a complaint otherwise.
fn synced_before_answer(trace: &str) -> Result<usize, String> {
    let (mut answered, mut asked, mut synced) = (0, false, false);
    for line in trace.lines() {
        match seen(line) {
            Some(Seen::Request) => (asked, synced) = (true, false),
            Some(Seen::Synced) => synced = true,
            Some(Seen::Answer) if asked && !synced => return Err(format!("answered before the sync returned: {line}")),
            Some(Seen::Answer) if asked => (answered, asked) = (answered + 1, false),
            _ => {}
        }
    }
    Ok(answered)
}

#[test]
fn the_sync_returns_before_the_answer_is_written() {
    let _machine = machine();
    let factory = Factory::start("");
    let trace = Trace::of(factory.pid(), factory.folder());
    // One at a time, so that an answer can only be that of the request before it.
    let client = factory.client();
    for number in 0..50 {
        let spec = small(&format!("traced-{number}"), &["/bin/true"]);
        client.submit(&SubmitRequest { spec, array: Vec::new() }, None).expect("it is taken");
    }
    let text = trace.finish();
    match synced_before_answer(&text) {
        Ok(answered) => assert_eq!(answered, 50, "every submission is seen in the trace:\n{text}"),
        Err(complaint) => panic!("{complaint}\n{text}"),
    }
}

#[test]
fn an_answer_before_its_sync_would_be_seen() {
    let request = "7 read(9<socket:[1]>, \"POST /v1/workloads HTTP/1.1\\r\\n\"..., 4096) = 300";
    let answer = "7 write(9<socket:[1]>, \"HTTP/1.1 201 Created\\r\\n\"..., 200) = 200";
    let sync = "8 fdatasync(5</d/journal.db-wal>) = 0";
    let begun = "8 fdatasync(5</d/journal.db-wal> <unfinished ...>";
    let resumed = "8 <... fdatasync resumed>) = 0";
    let failed = "8 fdatasync(5</d/journal.db-wal>) = -1 EIO (Input/output error)";
    let check = |lines: &[&str], expect: Option<usize>| {
        assert_eq!(synced_before_answer(&lines.join("\n")).ok(), expect, "{lines:?}");
    };
    check(&[request, sync, answer], Some(1));
    check(&[request, begun, resumed, answer], Some(1));
    check(&[request, answer, sync], None);
    check(&[sync, request, answer], None);
    check(&[request, begun, answer, resumed], None);
    check(&[request, failed, answer], None);
}

/// A small disk of its own, below the folder of a factory.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path, megabytes: u32) -> Self {
        fs::create_dir_all(at).expect("a directory can be made");
        let disk = Self(at.to_owned());
        disk.run(&["-t", "tmpfs", "-o", &format!("size={megabytes}m,mode=0711"), "none"]);
        disk
    }

    fn remount(&self, options: &str) {
        self.run(&["-o", &format!("remount,{options}")]);
    }

    fn run(&self, arguments: &[&str]) {
        let output = Command::new("mount").args(arguments).arg(&self.0).output().expect("mount can be run");
        assert!(
            output.status.success(),
            "this test needs a small disk of its own, and so root with the right to mount: {}",
            tools::text(&output)
        );
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily, as a process that is just ending may still stand in it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Submits until an answer fails to come; gives what was acknowledged.
fn submit_until_refused(client: &Client) -> Vec<WorkloadId> {
    let padding = "x".repeat(100_000);
    let mut acknowledged = Vec::new();
    for number in 0..2_000 {
        let mut spec = small(&format!("filler-{number}"), &["/bin/sleep", "600"]);
        spec.environment.insert("PADDING".to_owned(), padding.clone());
        match client.submit(&SubmitRequest { spec, array: Vec::new() }, None) {
            Ok(submitted) => acknowledged.push(submitted.id),
            Err(_) => return acknowledged,
        }
    }
    panic!("200 MB went onto a disk of 24");
}

fn nothing_is_lost(factory: &Factory, acknowledged: &[WorkloadId]) {
    let known: Vec<WorkloadId> = factory.every_workload().into_iter().map(|view| view.id).collect();
    let lost: Vec<&WorkloadId> = acknowledged.iter().filter(|id| !known.contains(id)).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
}

#[test]
fn a_full_disk_stops_the_factory_and_loses_nothing_acknowledged() {
    let _machine = machine();
    let mut factory = Factory::prepare("");
    let disk = Disk::mount(factory.data(), 24);
    factory.spawn();
    factory.wait_ready();
    let acknowledged = submit_until_refused(&factory.client());
    assert!(acknowledged.len() > 10, "only {} were taken", acknowledged.len());
    let status = factory.wait_exit();
    assert_eq!(status.code(), Some(73), "it ended with {status}");
    let said = factory.log_tail();
    assert!(said.contains("no space is left"), "the reason is not in what it said:\n{said}");

    disk.remount("size=256m");
    factory.spawn();
    factory.wait_ready();
    nothing_is_lost(&factory, &acknowledged);
    factory.cli_ok(&["verify"]);
    drop(factory);
}

#[test]
fn a_read_only_disk_is_refused_at_the_start_and_nothing_is_lost() {
    let _machine = machine();
    let mut factory = Factory::prepare("");
    let disk = Disk::mount(factory.data(), 64);
    factory.spawn();
    factory.wait_ready();
    let acknowledged = vec![factory.submit(small("kept", &["/bin/true"]))];
    factory.wait_ended(acknowledged[0]);
    factory.cli_ok(&["down", "--stop-work"]);
    factory.wait_exit();

    disk.remount("ro");
    factory.spawn();
    let status = factory.wait_exit();
    assert!(!status.success(), "it ended with {status}");
    let said = factory.log_tail().to_lowercase();
    assert!(said.contains("read-only") || said.contains("readonly"), "the reason is not in what it said:\n{said}");

    disk.remount("rw");
    factory.spawn();
    factory.wait_ready();
    nothing_is_lost(&factory, &acknowledged);
    drop(factory);
}
