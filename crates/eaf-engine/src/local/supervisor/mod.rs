//! The supervisor: a small process that starts tasks, watches them, and keeps their exits until they are settled.
//!
//! What: one thread around `epoll`; orders come from the factory over a socket, ends come from the kernel. Why a process
//! of its own: work and exit codes outlive the factory's crashes and upgrades. Why one thread: a start shares memory
//! with its child for a moment (`spawn`), and nothing here blocks for long. Absent: policy, and any wish to be told twice.

mod checkpoints;
mod clients;
mod energy;
mod events;
mod finish;
mod orders;
mod prepare;
mod recover;
mod start;
mod task;
mod upgrade;
mod users;

use crate::EngineError;
use crate::local::cgroup::Cgroups;
use crate::local::records::Records;
use crate::local::sandbox::Sandboxes;
use crate::local::spawn::{self, Spawner};
use crate::local::wire::{Report, Version};
use crate::local::{CgroupMode, Dirs, Settings};
use clients::Client;
use eaf_model::{StartOrder, TaskKey, TaskReport, Time};
use events::{Due, Poller, Token};
use rustix::fs::FlockOperation;
use rustix::process::{Resource, Rlimit};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};
use task::Task;

/// Starts between two looks at everything else, so that a long queue delays neither exits nor outputs.
const STARTS_A_TURN: usize = 4;
/// How often it is seen whether the data directory is still there.
const PRESENCE_EVERY: Duration = Duration::from_secs(5);
/// Between two samples of the power counters.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);

/// Settings of the supervisor's process; everything else comes from the factory over the socket.
#[derive(Clone, Debug)]
pub struct SuperviseConfig {
    /// The factory's data directory.
    pub data_dir: PathBuf,
    /// What this program says it is; anything but the true version is for tests of upgrades.
    pub version: Version,
    /// The id of the machine's start; `None` asks the kernel. Anything else is for tests of restarts.
    pub boot_id: Option<String>,
}

impl SuperviseConfig {
    /// The defaults for a data directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), version: Version::current(), boot_id: None }
    }
}

/// Runs the supervisor until it is told to end. The hidden verb `eaf supervise` is a call of this; the process must have
/// no other thread. Returns at once, with success, where the data directory has a supervisor already.
pub fn supervise(config: &SuperviseConfig) -> Result<(), EngineError> {
    let dirs = Dirs::new(&config.data_dir)?;
    let state = std::env::var(upgrade::STATE_VARIABLE).ok().and_then(|number| number.parse().ok());
    let handover = state.and_then(spawn::inherited).map(upgrade::take_over).transpose()?;
    spawn::close_on_execute();
    if handover.is_none() {
        // Fails where the caller has made a session already.
        let _ = rustix::process::setsid();
    }
    let Some(mut supervisor) = Supervisor::begin(config.clone(), dirs, handover)? else { return Ok(()) };
    supervisor.run()
}

/// Everything that the supervisor knows.
pub(crate) struct Supervisor {
    config: SuperviseConfig,
    dirs: Dirs,
    poller: Poller,
    signals: OwnedFd,
    listener: UnixListener,
    lock: File,
    secret: String,
    clients: BTreeMap<u32, Client>,
    serial: u32,
    settings: Option<Settings>,
    users: users::Users,
    tasks: BTreeMap<TaskKey, Task>,
    by_pid: BTreeMap<u32, TaskKey>,
    by_serial: BTreeMap<u32, TaskKey>,
    live: usize,
    queue: VecDeque<StartOrder>,
    queued: BTreeSet<TaskKey>,
    due: BTreeSet<(Instant, Due)>,
    outbox: Vec<Report>,
    buffer: Vec<u8>,
    records: Records,
    cgroups: Option<Cgroups>,
    sandboxes: Sandboxes,
    spawner: Spawner,
    null: File,
    open_files: (u64, u64),
    meter: energy::Meter,
    ending: bool,
    done: bool,
}

/// The time now, for records and reports.
fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Takes the lock of the data directory; `None` where another supervisor has it.
fn lock(dirs: &Dirs) -> Result<Option<File>, EngineError> {
    let path = dirs.engine().join("supervisor.lock");
    let fail = EngineError::file("lock", path.clone());
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    match file.and_then(|file| match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }) {
        Ok(lock) => Ok(lock),
        Err(error) => Err(fail(error)),
    }
}

/// The secret that proves that a client can read the factory's files, which no task can.
fn secret(dirs: &Dirs) -> Result<String, EngineError> {
    let path = dirs.secret();
    if let Ok(secret) = fs::read_to_string(&path)
        && !secret.is_empty()
    {
        return Ok(secret);
    }
    let make = || {
        let mut bytes = [0; 16];
        File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        let secret = format!("{:032x}", u128::from_ne_bytes(bytes));
        let new = path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        io::Write::write_all(&mut file, secret.as_bytes())?;
        fs::rename(&new, &path)?;
        Ok(secret)
    };
    make().map_err(EngineError::file("make", path.clone()))
}

fn listen(dirs: &Dirs) -> Result<UnixListener, EngineError> {
    // Through the open directory: a socket's path may not be longer than 107 bytes, a data directory's may.
    let directory = File::open(dirs.engine()).map_err(EngineError::file("open", dirs.engine()))?;
    let path = Dirs::socket_through(&directory);
    let _ = fs::remove_file(&path);
    UnixListener::bind(&path).map_err(EngineError::file("listen on", dirs.socket()))
}

/// Raises the limit of open files as far as it goes and returns what it was, for the tasks.
fn raise_open_files() -> (u64, u64) {
    let before = rustix::process::getrlimit(Resource::Nofile);
    let _ = rustix::process::setrlimit(Resource::Nofile, Rlimit { current: before.maximum, maximum: before.maximum });
    (before.current.unwrap_or(u64::MAX), before.maximum.unwrap_or(u64::MAX))
}

/// What a supervisor begins with that takes over from none; `None` where the data directory has one.
fn first(dirs: &Dirs) -> Result<Option<upgrade::Handover>, EngineError> {
    let Some(lock) = lock(dirs)? else { return Ok(None) };
    // The secret first: whoever can connect can read it.
    secret(dirs)?;
    let (listener, open_files) = (listen(dirs)?, raise_open_files());
    Ok(Some(upgrade::Handover { lock, listener, open_files, queue: VecDeque::new(), tasks: Vec::new() }))
}

impl Supervisor {
    fn begin(
        config: SuperviseConfig,
        dirs: Dirs,
        handover: Option<upgrade::Handover>,
    ) -> Result<Option<Self>, EngineError> {
        let resumed = handover.is_some();
        let handover = match handover {
            Some(handover) => handover,
            None => match first(&dirs)? {
                Some(handover) => handover,
                None => return Ok(None),
            },
        };
        let upgrade::Handover { lock, listener, open_files, queue, tasks } = handover;
        let inherited = resumed.then_some(tasks);
        let engine = |what, error: io::Error| EngineError::file(what, dirs.engine())(error);
        listener.set_nonblocking(true).map_err(|e| engine("listen in", e))?;
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
        let signals = spawn::signal_file().map_err(|e| engine("watch signals for", e))?;
        let poller = Poller::new().map_err(|e| engine("watch", e))?;
        poller.add(&listener, Token::Listener).map_err(|e| engine("watch", e))?;
        poller.add(&signals, Token::Signals).map_err(|e| engine("watch", e))?;
        let boot = match &config.boot_id {
            Some(boot) => boot.clone(),
            None => {
                fs::read_to_string("/proc/sys/kernel/random/boot_id").map_err(|e| engine("read the boot id for", e))?
            }
        };
        let left = crate::local::records::read(&dirs.records()).map_err(|e| engine("read the records of", e))?;
        let records = Records::begin(dirs.records(), boot.trim().to_owned(), &left.tasks);
        let mut supervisor = Self {
            secret: secret(&dirs)?,
            null: File::options()
                .read(true)
                .write(true)
                .open("/dev/null")
                .map_err(|e| engine("open /dev/null for", e))?,
            users: users::Users::load(dirs.engine().join("users.json")),
            sandboxes: Sandboxes::new(dirs.data().to_owned()),
            queued: queue.iter().map(|order: &StartOrder| order.key).collect(),
            records: records.map_err(|e| engine("write the records of", e))?,
            spawner: Spawner::new(),
            meter: energy::Meter::default(),
            settings: None,
            clients: BTreeMap::new(),
            tasks: BTreeMap::new(),
            by_pid: BTreeMap::new(),
            by_serial: BTreeMap::new(),
            due: BTreeSet::new(),
            outbox: Vec::new(),
            buffer: vec![0; finish::READ_BYTES],
            cgroups: None,
            serial: 0,
            live: 0,
            ending: false,
            done: false,
            config,
            dirs,
            poller,
            signals,
            listener,
            lock,
            queue,
            open_files,
        };
        supervisor.load_settings();
        supervisor.recover(left, &boot, inherited);
        supervisor.due.insert((Instant::now() + PRESENCE_EVERY, Due::Presence));
        Ok(Some(supervisor))
    }

    fn run(&mut self) -> Result<(), EngineError> {
        tracing::info!(pid = std::process::id(), release = self.config.version.release, "the supervisor runs");
        self.reap();
        self.look_for_checkpoints();
        while !self.done {
            let timeout = if self.queue.is_empty() { self.until_due() } else { Some(Duration::ZERO) };
            let events = self.poller.wait(timeout).map_err(EngineError::file("wait for", self.dirs.engine()))?;
            for token in events {
                self.handle(token);
            }
            self.handle_due();
            for _ in 0..STARTS_A_TURN {
                let Some(order) = self.queue.pop_front() else { break };
                self.queued.remove(&order.key);
                self.start(&order);
            }
            self.publish();
            if self.ending && self.live == 0 && self.queue.is_empty() {
                self.flush_clients();
                self.done = true;
            }
        }
        if let Some(cgroups) = self.cgroups.as_mut().filter(|_| self.live == 0) {
            cgroups.remove_all();
        }
        tracing::info!(tasks = self.live, "the supervisor ends");
        Ok(())
    }

    fn handle(&mut self, token: Token) {
        match token {
            Token::Listener => self.accept(),
            Token::Signals => self.read_signals(),
            Token::Client(serial) => self.serve(serial),
            Token::Output(serial, stream) => self.read_output(serial, usize::from(stream)),
            Token::Process(serial) => self.adopted_ended(serial),
        }
    }

    fn read_signals(&mut self) {
        let mut buffer = [0; 128 * 16];
        let mut told_to_end = false;
        while let Ok(length) = rustix::io::read(&self.signals, &mut buffer) {
            let numbers = buffer[..length].chunks_exact(128).filter_map(|info| info.first_chunk::<4>());
            told_to_end |= numbers.map(|bytes| u32::from_ne_bytes(*bytes).cast_signed()).any(|n| n != libc::SIGCHLD);
            if length < buffer.len() {
                break;
            }
        }
        self.reap();
        if told_to_end {
            // A signal ends the supervisor alone; the next one finds the tasks.
            self.done = true;
        }
    }

    /// Puts on file what has happened, and only then tells it.
    fn publish(&mut self) {
        let compacted = self.records.flush().and_then(|()| {
            let tasks = &self.tasks;
            self.records.compact(|| tasks.iter().map(|(key, task)| (*key, task.recorded())).collect())
        });
        if let Err(error) = compacted {
            // The reports stay in the outbox: what is not on file is not told. The next turn tries again.
            tracing::error!(%error, "cannot write the records of tasks");
            self.due.insert((Instant::now() + SAMPLE_EVERY, Due::Publish));
            return;
        }
        if !self.outbox.is_empty() {
            let reports = std::mem::take(&mut self.outbox);
            self.broadcast(&crate::local::wire::ToFactory::Reports(reports));
        }
    }

    fn report(&mut self, key: TaskKey, report: TaskReport) {
        self.outbox.push(Report { key, report });
    }

    fn until_due(&self) -> Option<Duration> {
        self.due.first().map(|(at, _)| at.saturating_duration_since(Instant::now()))
    }

    fn handle_due(&mut self) {
        let now = Instant::now();
        while let Some(&(at, due)) = self.due.first() {
            if at > now {
                break;
            }
            self.due.remove(&(at, due));
            match due {
                Due::Task(key) => self.task_is_due(key, now),
                Due::Used => self.report_usage(),
                Due::Checkpoints => self.look_for_checkpoints(),
                Due::Sample => self.sample_power(),
                Due::Presence => self.see_presence(),
                // `publish` runs in every turn; this only ends the wait.
                Due::Publish => {}
            }
        }
    }

    /// Ends where the data directory has gone and nothing runs: nobody can ever ask for this supervisor again.
    fn see_presence(&mut self) {
        let here = self.lock.metadata().is_ok_and(|ours| {
            fs::metadata(self.dirs.engine().join("supervisor.lock")).is_ok_and(|there| there.ino() == ours.ino())
        });
        if here || self.live > 0 || !self.queue.is_empty() {
            self.due.insert((Instant::now() + PRESENCE_EVERY, Due::Presence));
        } else {
            tracing::info!("the data directory has gone");
            self.ending = true;
        }
    }

    fn load_settings(&mut self) {
        let read = fs::read(self.dirs.settings()).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if let Some(settings) = read
            && let Err(why) = self.put_in_force(settings)
        {
            tracing::warn!(why, "the settings of before are not in force");
        }
    }

    /// Uses these settings from now on, or tells why they cannot be used.
    fn put_in_force(&mut self, settings: Settings) -> Result<(), String> {
        let changed = self.settings.as_ref().is_none_or(|before| before.cgroups != settings.cgroups);
        if changed && self.live == 0 {
            let found = Cgroups::find(settings.cgroups, &self.dirs.group_name());
            if found.is_none() && matches!(settings.cgroups, CgroupMode::V1 | CgroupMode::V2) {
                let (wanted, auto) = (settings.cgroups, CgroupMode::Auto);
                return Err(format!(
                    "cgroups = {wanted:?} cannot be used: none can be written here; {auto:?} takes what there is"
                ));
            }
            self.cgroups = found;
            tracing::info!("{}", self.limits_text());
        } else if changed {
            tracing::warn!("another kind of control groups is used once nothing runs");
        }
        self.meter.configure(&settings);
        if self.settings.is_none() {
            self.due.insert((Instant::now() + Duration::from_millis(settings.used_every.0.max(1)), Due::Used));
            if self.meter.measures() {
                self.due.insert((Instant::now() + SAMPLE_EVERY, Due::Sample));
            }
        }
        self.settings = Some(settings);
        Ok(())
    }

    fn limits_text(&self) -> String {
        self.cgroups.as_ref().map_or_else(
            || {
                "no control group can be written: memory is limited for each process alone (RLIMIT_AS), processor time and \
                 processes are not limited, and a task's processes are found by session, descent and environment"
                    .to_owned()
            },
            Cgroups::describe,
        )
    }
}

/// Makes a directory that may be there already.
fn make_dir(path: &std::path::Path, mode: u32) -> io::Result<bool> {
    match fs::DirBuilder::new().mode(mode).create(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Opens a directory only to name it.
fn open_dir(path: &std::path::Path) -> io::Result<OwnedFd> {
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    Ok(OpenOptions::new().read(true).custom_flags(flags).open(path)?.into())
}
