//! Durability as it is seen from outside: the order of system calls, a full disk, a read-only one, and a second writer.

use eaf_store::{Head, JOURNAL_FILE, OpenError, OpenOptions, Source, SqliteStore, VerifyOptions, recover, verify};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The example `append`, which a whole `cargo test -p eaf-store` builds.
fn append() -> PathBuf {
    let deps = std::env::current_exe().unwrap();
    let path = deps.parent().unwrap().parent().unwrap().join("examples/append");
    assert!(path.exists(), "build it with `cargo build -p eaf-store --example append`: {}", path.display());
    path
}

fn heads(stdout: &[u8]) -> Vec<Head> {
    let text = String::from_utf8(stdout.to_vec()).unwrap();
    text.lines().map(|line| line.strip_prefix("acknowledged ").unwrap().parse().unwrap()).collect()
}

/// Everything that was acknowledged is there, and what is there is whole.
fn check_kept(dir: &Path, acknowledged: &[Head]) {
    let last = *acknowledged.last().expect("something was acknowledged");
    let report = verify(dir, VerifyOptions { expect: Some(last), ..VerifyOptions::default() }, &mut |_| {}).unwrap();
    assert!(report.head.step >= last.step);
    let mut store = SqliteStore::open(dir, OpenOptions { create: false, ..OpenOptions::default() }).unwrap();
    assert_eq!(recover(&mut store).unwrap().head, report.head);
}

#[test]
fn the_sync_returns_before_the_answer() {
    let dir = tempfile::tempdir().unwrap();
    let (data, trace) = (dir.path().join("data"), dir.path().join("trace"));
    let output = Command::new("strace")
        .args(["-f", "-y", "-s", "200", "-e", "trace=pwrite64,write,fsync,fdatasync", "-o"])
        .arg(&trace)
        .arg(append())
        .arg(&data)
        .arg("40")
        .output()
        .expect("this test needs strace: apt-get install strace");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let acknowledged = heads(&output.stdout);
    assert_eq!(acknowledged.len(), 40);
    let (answers, syncs) = read_trace(&std::fs::read_to_string(trace).unwrap());
    assert_eq!(answers, 40, "every answer is in the trace");
    assert!(syncs >= 40, "each batch has a sync of its own: {syncs}");
    check_kept(&data, &acknowledged);
}

/// Walks a trace in its order and checks that at each answer every write to the log has been followed by a sync of it
/// that has returned, and that there was one since the last answer. Gives the number of answers and of syncs.
fn read_trace(trace: &str) -> (usize, usize) {
    let (mut answers, mut syncs, mut syncs_at_answer) = (0, 0, 0);
    let mut unsynced_writes = 0;
    // By thread: a sync of the log that has been entered and has not returned.
    let mut entered = std::collections::BTreeSet::new();
    for line in trace.lines() {
        let (thread, call) = line.split_once(char::is_whitespace).unwrap();
        let call = call.trim_start();
        let of_log = call.contains("journal.db-wal>");
        if call.starts_with("pwrite64(") && of_log {
            unsynced_writes += 1;
        } else if (call.starts_with("fdatasync(") || call.starts_with("fsync(")) && of_log {
            if call.contains("<unfinished") {
                entered.insert(thread);
            } else {
                assert!(call.ends_with("= 0"), "{line}");
                (syncs, unsynced_writes) = (syncs + 1, 0);
            }
        } else if (call.contains("fdatasync resumed") || call.contains("fsync resumed")) && entered.remove(thread) {
            assert!(call.ends_with("= 0"), "{line}");
            (syncs, unsynced_writes) = (syncs + 1, 0);
        } else if call.starts_with("write(1<") && call.contains("acknowledged ") {
            assert_eq!(unsynced_writes, 0, "an answer before the sync of what it answers: {line}");
            assert!(syncs > syncs_at_answer, "an answer without a sync: {line}");
            syncs_at_answer = syncs;
            answers += 1;
        }
    }
    (answers, syncs)
}

#[test]
fn the_trace_reader_sees_an_early_answer() {
    let early = "1 pwrite64(9</d/journal.db-wal>, \"x\", 1, 0) = 1\n\
                 1 fdatasync(9</d/journal.db-wal> <unfinished ...>\n\
                 2 write(1<pipe:[1]>, \"acknowledged 1:00\\n\", 10) = 10\n\
                 1 <... fdatasync resumed>) = 0\n";
    assert!(std::panic::catch_unwind(|| read_trace(early)).is_err());
    let mut lines: Vec<&str> = early.lines().collect();
    lines.swap(2, 3);
    assert_eq!(read_trace(&lines.join("\n")), (1, 1));
}

/// Runs a shell script in a mount namespace of its own; `$1` is the example, `$2` a folder.
fn in_own_mounts(script: &str, folder: &Path) -> std::process::Output {
    let user = if rustix::process::geteuid().is_root() { &[][..] } else { &["--user", "--map-root-user"][..] };
    let output = Command::new("unshare")
        .args(user)
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(append())
        .arg(folder)
        .output()
        .expect("this test needs unshare of util-linux");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("unshare:"), "this test needs root or user namespaces: {stderr}");
    output
}

#[test]
fn a_full_disk_stops_it_and_loses_nothing() {
    for kib in [600, 1_024, 3_000] {
        let dir = tempfile::tempdir().unwrap();
        let script = format!(
            "mkdir $2/small $2/kept && mount -t tmpfs -o size={kib}k none $2/small || exit 99
             $1 $2/small/data 1000000; code=$?
             cp -r $2/small/data/. $2/kept && exit $code"
        );
        let output = in_own_mounts(&script, dir.path());
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("no space is left for the journal"), "{stderr}");
        check_kept(&dir.path().join("kept"), &heads(&output.stdout));
    }
}

#[test]
fn a_read_only_disk_stops_it_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(append()).arg(dir.path().join("data")).arg("10").output().unwrap();
    let acknowledged = heads(&output.stdout);
    let script = "mount --bind $2/data $2/data && mount -o remount,bind,ro $2/data || exit 99; exec $1 $2/data 10";
    let output = in_own_mounts(script, dir.path());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("lock cannot be opened") && stderr.contains("Read-only file system"), "{stderr}");
    check_kept(&dir.path().join("data"), &acknowledged);
}

#[test]
fn a_read_only_file_stops_it_and_loses_nothing() {
    use std::os::unix::fs::{PermissionsExt, chown};
    const NOBODY: u32 = 65_534;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let output = Command::new(append()).arg(&data).arg("10").output().unwrap();
    let acknowledged = heads(&output.stdout);
    std::fs::set_permissions(data.join(JOURNAL_FILE), std::fs::Permissions::from_mode(0o400)).unwrap();
    let mut writer = Command::new(append());
    if rustix::process::geteuid().is_root() {
        // Modes do not bind root, so the factory of this test belongs to somebody else.
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o711)).unwrap();
        for path in [data.clone(), data.join("lock"), data.join("snapshots"), data.join(JOURNAL_FILE)] {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let copy = dir.path().join("append");
        std::fs::copy(append(), &copy).unwrap();
        writer = Command::new("setpriv");
        writer.args([format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".to_owned()]).arg(copy);
    }
    let output = writer.arg(&data).arg("10").output().expect("this test needs setpriv of util-linux when run by root");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{stderr}");
    assert!(stderr.contains("read-only"), "{stderr}");
    std::fs::set_permissions(data.join(JOURNAL_FILE), std::fs::Permissions::from_mode(0o600)).unwrap();
    check_kept(&data, &acknowledged);
}

#[test]
fn a_second_writer_is_refused_and_readers_are_welcome() {
    let dir = tempfile::tempdir().unwrap();
    let mut holder = Command::new(append())
        .arg(dir.path())
        .arg("hold")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "open\n");
    let error = SqliteStore::open(dir.path(), OpenOptions::default()).map(drop).unwrap_err();
    assert!(matches!(error, OpenError::Locked { pid, .. } if pid == Some(holder.id())), "{error}");
    assert!(error.to_string().contains(&format!("in use by process {}", holder.id())), "{error}");
    verify(dir.path(), VerifyOptions::default(), &mut |_| {}).unwrap();
    // A holder that is killed lets go.
    holder.kill().unwrap();
    holder.wait().unwrap();
    let mut store = SqliteStore::open(dir.path(), OpenOptions::default()).unwrap();
    assert_eq!(store.head().unwrap(), Head::default());
    let again = SqliteStore::open(dir.path(), OpenOptions::default()).map(drop).unwrap_err();
    assert!(matches!(again, OpenError::Locked { pid, .. } if pid == Some(std::process::id())), "{again}");
}

#[test]
fn a_killed_writer_loses_nothing_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut acknowledged: Vec<Head> = Vec::new();
    for round in 0..5_usize {
        let mut writer = Command::new(append()).arg(&data).arg("1000000").stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        for line in lines.by_ref().take(20 + 13 * round) {
            acknowledged.extend(heads(line.unwrap().as_bytes()));
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        // What was still in the pipe was acknowledged as well.
        lines.for_each(|line| acknowledged.extend(line.ok().into_iter().flat_map(|line| heads(line.as_bytes()))));
        check_kept(&data, &acknowledged);
    }
    assert!(acknowledged.len() >= 230);
    for head in acknowledged.iter().step_by(29) {
        verify(&data, VerifyOptions { expect: Some(*head), ..VerifyOptions::default() }, &mut |_| {}).unwrap();
    }
}

#[test]
fn only_the_owner_reads_the_journal() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let _store = SqliteStore::open(&data, OpenOptions::default()).unwrap();
    let check = |path: PathBuf, mode: u32| {
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode, "{}", path.display());
    };
    check(data.clone(), 0o711);
    check(data.join(JOURNAL_FILE), 0o600);
    check(data.join("journal.db-wal"), 0o600);
    check(data.join("snapshots"), 0o700);
}
