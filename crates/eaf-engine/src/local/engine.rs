//! The factory's end of the local engine.
//!
//! What: implements the contract by talking to the supervisor, hands its reports to the sink, and brings a supervisor
//! that has died back. Why a dropped engine changes nothing: the supervisor and every task go on without a listener.
//! Absent: starting tasks; the supervisor does that.

use crate::local::discover::{self, Found};
use crate::local::link::{Link, Linker, next_message};
use crate::local::logs::LogName;
use crate::local::modes::{self, Job, KnownOrder, Modes, NoSlice};
use crate::local::wire::{self, ToFactory, ToSupervisor};
use crate::local::{Catalogue, Device, Dirs, LocalConfig, Sandbox, Settings, SupervisorCommand, sandbox, users};
use crate::{Engine, EngineError, LogChunk, LogStream, Observation, Sink};
use eaf_model::{
    Effect, Exit, Known, ModeOrder, ModeReport, NodeSpec, SeenModes, StartOrder, TaskKey, TaskReport, Time, Usage,
    WHOLE_MODE, WorkloadId,
};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long the supervisor may take to answer a question.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Bytes of orders in one message, so that no line grows large; one order alone is bounded by its specification.
const ORDER_BYTES: usize = 1 << 20;
/// Between two attempts to bring a supervisor back; doubles up to the second.
const RETRY_FIRST: Duration = Duration::from_millis(20);
const RETRY_MAX: Duration = Duration::from_secs(5);

/// The local engine. Dropping it leaves the supervisor and every task running.
///
/// The sink is called from a thread of the engine's own and must not call the engine.
pub struct LocalEngine {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    cutter: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    config: LocalConfig,
    catalogue: Catalogue,
    dirs: Dirs,
    sink: Sink,
    settings: Mutex<Settings>,
    modes: Mutex<Modes>,
    /// What the thread that changes modes is to do; gone when the engine is closed.
    jobs: Mutex<Option<Sender<Job>>>,
    writer: Mutex<Option<UnixStream>>,
    calls: Mutex<BTreeMap<u64, Sender<ToFactory>>>,
    next_call: AtomicU64,
    closing: AtomicBool,
}

/// A lock whose holder has panicked still guards whole values here.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LocalEngine {
    /// Connects to the supervisor of the data directory, or starts one. Call `reconcile` next.
    pub fn start(config: LocalConfig, sink: Sink) -> Result<Self, EngineError> {
        let dirs = Dirs::new(&config.data_dir)?;
        let catalogue = match &config.catalogue {
            Some(path) => Catalogue::read(path).map_err(|error| setting("catalogue", whole(&error)))?,
            None => Catalogue::built_in(),
        };
        check_sandbox(&config)?;
        warn_of_closed_ways(&dirs);
        let found = discover::machine(&config, &catalogue)?;
        let modes = Modes::open(&dirs);
        let mut settings = settings(&config, &found)?;
        modes.furnish(&mut settings.devices, config.pretend_accelerators.is_some());
        let (jobs, inbox) = mpsc::channel();
        let mut linker = Linker { command: command(&config, &dirs)?, dirs: dirs.clone(), child: None };
        let link = linker.link(&settings)?;
        let shared = Arc::new(Shared {
            config,
            catalogue,
            dirs,
            sink,
            settings: Mutex::new(settings),
            modes: Mutex::new(modes),
            jobs: Mutex::new(Some(jobs)),
            writer: Mutex::new(None),
            calls: Mutex::new(BTreeMap::new()),
            next_call: AtomicU64::new(1),
            closing: AtomicBool::new(false),
        });
        shared.attach(&link)?;
        let listener = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("local-engine".to_owned()).spawn(move || listener.listen(linker, link));
        let thread =
            thread.map_err(|source| EngineError::Supervisor { program: "the listening thread".into(), source })?;
        let cutter = Arc::clone(&shared);
        let cutter = std::thread::Builder::new().name("local-modes".to_owned()).spawn(move || cutter.cut(&inbox));
        let cutter =
            cutter.map_err(|source| EngineError::Supervisor { program: "the thread of modes".into(), source })?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)), cutter: Mutex::new(Some(cutter)) })
    }

    /// Ends the supervisor: with `stop_work` every task is stopped first (TERM, then KILL) and its exit reported;
    /// without it, running tasks go on and the next supervisor finds them, though an exit in between may be lost.
    /// Returns when the supervisor has gone. The engine is of no use after that.
    pub fn shutdown(&self, stop_work: bool) -> Result<(), EngineError> {
        self.shared.closing.store(true, Ordering::SeqCst);
        self.shared.say(&ToSupervisor::Shutdown { stop_work })?;
        if let Some(thread) = locked(&self.thread).take() {
            let _ = thread.join();
        }
        Ok(())
    }

    /// What keeps the limits of a task here, in words for a log line: control groups, or what stands in for them.
    pub fn limits_in_force(&self) -> Result<String, EngineError> {
        match self.shared.ask(|call| ToSupervisor::Limits { call })? {
            ToFactory::Limits { text, .. } => Ok(text),
            other => Err(EngineError::Protocol { why: format!("{other:?}") }),
        }
    }

    /// The catalogue that is in use.
    pub fn catalogue(&self) -> &Catalogue {
        &self.shared.catalogue
    }
}

impl Drop for LocalEngine {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        if let Some(stream) = locked(&self.shared.writer).take() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let Some(thread) = locked(&self.thread).take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
        *locked(&self.shared.jobs) = None;
        if let Some(cutter) = locked(&self.cutter).take() {
            let _ = cutter.join();
        }
    }
}

fn setting(setting: &'static str, why: String) -> EngineError {
    EngineError::Setting { setting, why }
}

/// An error with its causes.
fn whole(error: &dyn std::error::Error) -> String {
    std::iter::successors(error.source(), |cause| cause.source())
        .fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn check_sandbox(config: &LocalConfig) -> Result<(), EngineError> {
    match config.sandbox {
        Sandbox::Landlock if !sandbox::available() => Err(setting(
            "sandbox",
            "this kernel has no Landlock (Linux 5.13); set it to bubblewrap, or to none for tasks that are trusted"
                .to_owned(),
        )),
        Sandbox::Bubblewrap if !config.path.split(':').any(|dir| Path::new(dir).join("bwrap").is_file()) => {
            Err(setting("sandbox", format!("there is no program bwrap in {}; install bubblewrap", config.path)))
        }
        Sandbox::Landlock | Sandbox::Bubblewrap | Sandbox::None => Ok(()),
    }
}

/// Users of tasks must be able to pass through every directory on the way to their own.
fn warn_of_closed_ways(dirs: &Dirs) {
    use std::os::unix::fs::PermissionsExt;
    let passable =
        |path: &Path| std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0);
    if let Some(closed) = dirs.data().ancestors().find(|path| !passable(path))
        && rustix::process::geteuid().is_root()
    {
        tracing::warn!(
            directory = %closed.display(),
            "the users of tasks cannot pass through this directory, so scripts and files in HOME are out of their reach; \
             use a data directory elsewhere, such as /var/lib/eaf"
        );
    }
}

fn command(config: &LocalConfig, dirs: &Dirs) -> Result<SupervisorCommand, EngineError> {
    if let Some(command) = &config.supervisor {
        return Ok(command.clone());
    }
    let program = std::env::current_exe();
    let program = program.map_err(|source| EngineError::Supervisor { program: "this program".into(), source })?;
    let data = dirs.data().to_str().ok_or_else(|| setting("data_dir", "its name is not UTF-8".to_owned()))?;
    Ok(SupervisorCommand { program, args: vec!["supervise".into(), "--data-dir".into(), data.into()] })
}

fn settings(config: &LocalConfig, found: &Found) -> Result<Settings, EngineError> {
    Ok(Settings {
        sandbox: config.sandbox,
        cgroups: config.cgroups,
        identities: users::identities(config)?,
        log_bytes_max: config.log_bytes_max,
        processes_max: config.processes_max,
        working_roots: config.working_roots.clone(),
        devices: found.devices.clone(),
        used_every: config.used_every,
        path: config.path.clone(),
        lang: config.lang.clone(),
        powercap: config.machine.sys.join("class/powercap"),
    })
}

impl Shared {
    /// Uses this connection from now on.
    fn attach(&self, link: &Link) -> Result<(), EngineError> {
        let unusable = |error: std::io::Error| EngineError::Unreachable { why: error.to_string() };
        link.stream.set_read_timeout(None).map_err(unusable)?;
        *locked(&self.writer) = Some(link.stream.try_clone().map_err(unusable)?);
        Ok(())
    }

    fn say(&self, message: &ToSupervisor) -> Result<(), EngineError> {
        self.say_line(&wire::line(message))
    }

    fn say_line(&self, line: &[u8]) -> Result<(), EngineError> {
        let mut writer = locked(&self.writer);
        let why = || "it is being brought back".to_owned();
        let stream = writer.as_mut().ok_or_else(|| EngineError::Unreachable { why: why() })?;
        if let Err(error) = stream.write_all(line) {
            // Half a line may be on its way, so the connection is of no more use; the listener makes another.
            let _ = stream.shutdown(Shutdown::Both);
            *writer = None;
            return Err(EngineError::Unreachable { why: error.to_string() });
        }
        Ok(())
    }

    fn ask(&self, question: impl FnOnce(u64) -> ToSupervisor) -> Result<ToFactory, EngineError> {
        let call = self.next_call.fetch_add(1, Ordering::Relaxed);
        let (send, receive) = mpsc::channel();
        locked(&self.calls).insert(call, send);
        let answer = self.say(&question(call)).and_then(|()| {
            receive
                .recv_timeout(ANSWER_WITHIN)
                .map_err(|_| EngineError::Unreachable { why: "it does not answer".to_owned() })
        });
        locked(&self.calls).remove(&call);
        answer
    }

    /// Hears the supervisor until the engine is closed, making new connections as needed.
    fn listen(&self, mut linker: Linker, mut link: Link) {
        loop {
            let why = self.hear(&mut link);
            *locked(&self.writer) = None;
            // Whoever waits for an answer learns that none will come.
            locked(&self.calls).clear();
            if self.closing.load(Ordering::SeqCst) {
                return;
            }
            tracing::warn!(why, "the supervisor is out of reach");
            (self.sink)(Observation::Unreachable { why });
            let Some(again) = self.link_again(&mut linker) else { return };
            link = again;
            (self.sink)(Observation::Reachable);
        }
    }

    fn link_again(&self, linker: &mut Linker) -> Option<Link> {
        let mut wait = RETRY_FIRST;
        loop {
            let settings = locked(&self.settings).clone();
            match linker.link(&settings).and_then(|link| self.attach(&link).map(|()| link)) {
                // Looked at after the connection is in its place: whoever closes the engine either finds it there or is
                // seen here.
                Ok(link) => return (!self.closing.load(Ordering::SeqCst)).then_some(link),
                Err(error) => tracing::error!(error = whole(&error), "the supervisor cannot be brought back yet"),
            }
            std::thread::park_timeout(wait);
            wait = (wait * 2).min(RETRY_MAX);
            if self.closing.load(Ordering::SeqCst) {
                return None;
            }
        }
    }

    /// Hears one connection to its end, and tells why it ended.
    fn hear(&self, link: &mut Link) -> String {
        self.forward(std::mem::take(&mut link.early));
        let mut buffer = vec![0; 256 << 10];
        loop {
            loop {
                match next_message(&mut link.lines) {
                    Ok(Some(message)) => self.take(message),
                    Ok(None) => break,
                    Err(error) => return whole(&error),
                }
            }
            match link.stream.read(&mut buffer) {
                Ok(0) => return "the supervisor has hung up".to_owned(),
                Ok(length) => link.lines.push(&buffer[..length]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.to_string(),
            }
        }
    }

    fn take(&self, message: ToFactory) {
        match message {
            ToFactory::Reports(reports) => self.forward(reports),
            ToFactory::Known { call, .. } | ToFactory::Limits { call, .. } => {
                if let Some(waiting) = locked(&self.calls).remove(&call) {
                    // Whoever asked may have given up.
                    let _ = waiting.send(message);
                }
            }
            ToFactory::Refused { why } => tracing::error!(why, "the supervisor refused"),
            ToFactory::Hello { .. } | ToFactory::Configured => {}
        }
    }

    fn forward(&self, reports: Vec<wire::Report>) {
        for wire::Report { key, report } in reports {
            if matches!(report, TaskReport::Exited { .. } | TaskReport::Unknown) {
                self.task_is_gone(key);
            }
            (self.sink)(Observation::Task { key, report });
        }
    }

    fn remove(path: PathBuf) -> Result<(), EngineError> {
        let removed = match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                // A task may have closed its own directories, which only root could remove then.
                open_up(&path).and_then(|()| std::fs::remove_dir_all(&path))
            }
            outcome => outcome,
        };
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(EngineError::file("remove", path)(error)),
            _ => Ok(()),
        }
    }
}

/// Modes and slices.
impl Shared {
    /// True where an order is not for the supervisor as it is.
    fn keeps(&self, effect: &Effect) -> bool {
        match effect {
            Effect::SetMode(order) => self.job(Job::Mode(order.clone())),
            Effect::Start(order) => {
                let held = &order.allotment.accelerators;
                locked(&self.modes).begins(order.key, held);
                // Starts on slices wait for those to be made, behind changes of modes that were ordered before.
                if held.iter().all(|held| held.slice.is_none()) {
                    return false;
                }
                locked(&self.modes).waits(order.key, true);
                self.job(Job::Start(Box::new(order.clone())))
            }
            // Behind the start of the same task, where that is still here.
            Effect::Stop(order) => locked(&self.modes).is_waiting(order.key) && self.job(Job::Stop(*order)),
        }
    }

    /// Gives the thread of modes something to do; false where there is none any more.
    fn job(&self, job: Job) -> bool {
        locked(&self.jobs).as_ref().is_some_and(|jobs| jobs.send(job).is_ok())
    }

    fn task_is_gone(&self, key: TaskKey) {
        if locked(&self.modes).ends(key) {
            self.job(Job::Gone(key));
        }
    }

    /// Does one job after the other, until the engine is closed.
    fn cut(&self, inbox: &mpsc::Receiver<Job>) {
        while let Ok(job) = inbox.recv() {
            match job {
                Job::Mode(order) => self.change_mode(&order),
                Job::Start(order) => self.start_on_slices(*order),
                Job::Stop(order) => self.pass_on(&Effect::Stop(order)),
                Job::Gone(key) => {
                    let devices = locked(&self.settings).devices.clone();
                    let made = locked(&self.modes).of_task(key);
                    for (board, instance) in made {
                        match modes::unmake(board, instance, &devices, &self.config.machine) {
                            Ok(()) => locked(&self.modes).unmade(board, instance),
                            Err(why) => tracing::error!(why, "a MIG instance stays behind"),
                        }
                    }
                    self.refurnish();
                }
            }
        }
    }

    fn pass_on(&self, effect: &Effect) {
        let mut orders = wire::Orders::default();
        orders.push(effect);
        // What does not arrive is ordered again when the engine is met.
        if let Err(error) = self.say_line(&orders.into_line()) {
            tracing::warn!(error = whole(&error), "an order did not reach the supervisor");
        }
    }

    /// Tells the supervisor of slices that are there now.
    fn refurnish(&self) {
        let found = discover::machine(&self.config, &self.catalogue);
        let Ok(mut found) =
            found.inspect_err(|error| tracing::warn!(error = whole(error), "this machine is not told of"))
        else {
            return;
        };
        locked(&self.modes).furnish(&mut found.devices, found.node.pretended);
        let mut settings = locked(&self.settings);
        if settings.devices == found.devices {
            return;
        }
        settings.devices = found.devices;
        if let Err(error) = self.say(&ToSupervisor::Configure(Box::new(settings.clone()))) {
            tracing::warn!(error = whole(&error), "the supervisor does not know of the slices yet");
        }
    }

    fn change_mode(&self, order: &ModeOrder) {
        let known = locked(&self.modes).known(order);
        let report = match known {
            KnownOrder::Superseded => return,
            KnownOrder::Answered(report) => report,
            KnownOrder::New => {
                let report = self.mode_now(order);
                locked(&self.modes).done(order, self.config.pretend_accelerators.is_some(), &report);
                self.refurnish();
                report
            }
        };
        let (node, accelerators, order) = (order.node, order.accelerators.clone(), order.order);
        (self.sink)(Observation::Mode { node, accelerators, order, report });
    }

    /// Carries a change out, and reads back what is in force.
    fn mode_now(&self, order: &ModeOrder) -> ModeReport {
        if let Some(board) = locked(&self.modes).tenant(order) {
            return ModeReport::Failed { why: format!("a task runs on accelerator {board}") };
        }
        let devices = locked(&self.settings).devices.clone();
        if order.accelerators.iter().any(|board| usize::from(*board) >= devices.len()) {
            return ModeReport::Failed { why: format!("there are {} accelerators here", devices.len()) };
        }
        if self.config.pretend_accelerators.is_some() {
            return ModeReport::InForce { mode: order.mode.clone() };
        }
        let paths = &self.config.machine;
        if let Err(why) = modes::change(order, &devices, paths) {
            return ModeReport::Failed { why };
        }
        let modes = locked(&self.modes).clone();
        let seen = modes.in_force(&devices, false, paths);
        let of = |board: &u16| seen.iter().find(|(index, _)| index == board).map(|(_, mode)| mode);
        match order.accelerators.iter().find(|board| of(board) != Some(&order.mode)) {
            None => ModeReport::InForce { mode: order.mode.clone() },
            Some(board) => {
                let mode = of(board).map_or("something that nobody can tell", String::as_str);
                ModeReport::Failed { why: format!("accelerator {board} reads {mode}") }
            }
        }
    }

    /// Makes what a task lacks; the tool takes its time, and nobody waits for it at a lock.
    fn make_slices(&self, order: &StartOrder, devices: &[Device]) -> Result<(), NoSlice> {
        let lacking = locked(&self.modes).lacking(order, devices);
        for held in lacking {
            let made = modes::make(&held, devices, &self.config.machine)?;
            locked(&self.modes).made(order.key, held.index, made);
        }
        Ok(())
    }

    /// Starts a task whose slices are there, or says that they are not.
    fn start_on_slices(&self, order: StartOrder) {
        let devices = locked(&self.settings).devices.clone();
        let pretended = self.config.pretend_accelerators.is_some();
        let paths = &self.config.machine;
        let modes = locked(&self.modes).clone();
        let seen = modes.in_force(&devices, pretended, paths);
        let wrong = order.allotment.accelerators.iter().find(|held| {
            let of = held.slice.as_ref().map_or(WHOLE_MODE, |slice| slice.mode.as_str());
            !seen.iter().any(|(board, mode)| *board == held.index && mode == of)
        });
        let made = match wrong {
            Some(held) => Err(NoSlice(format!("accelerator {} is in another mode", held.index))),
            None if pretended => Ok(()),
            None => self.make_slices(&order, &devices),
        };
        locked(&self.modes).waits(order.key, false);
        match made {
            Ok(()) => {
                self.refurnish();
                self.pass_on(&Effect::Start(order));
            }
            Err(NoSlice(why)) => {
                self.task_is_gone(order.key);
                let at = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH);
                let at = Time(at.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX)));
                let report = TaskReport::Exited { at, exit: Exit::Lost(why), usage: Usage::default() };
                (self.sink)(Observation::Task { key: order.key, report });
            }
        }
    }
}

/// Lets the owner into every directory below this one; links are not followed.
fn open_up(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700))?;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}

impl Engine for LocalEngine {
    fn discover(&self) -> Result<Vec<NodeSpec>, EngineError> {
        let mut found = discover::machine(&self.shared.config, &self.shared.catalogue)?;
        locked(&self.shared.modes).furnish(&mut found.devices, found.node.pretended);
        let mut settings = locked(&self.shared.settings);
        if settings.devices != found.devices {
            settings.devices.clone_from(&found.devices);
            self.shared.say(&ToSupervisor::Configure(Box::new(settings.clone())))?;
        }
        Ok(vec![found.node])
    }

    fn order(&self, effects: &[Effect]) -> Result<(), EngineError> {
        let mut orders = wire::Orders::default();
        for effect in effects {
            if self.shared.keeps(effect) {
                continue;
            }
            orders.push(effect);
            if orders.bytes() >= ORDER_BYTES {
                self.shared.say_line(&std::mem::take(&mut orders).into_line())?;
            }
        }
        if orders.bytes() > 0 { self.shared.say_line(&orders.into_line()) } else { Ok(()) }
    }

    fn modes(&self) -> Result<Vec<SeenModes>, EngineError> {
        let shared = &self.shared;
        let devices = locked(&shared.settings).devices.clone();
        let pretended = shared.config.pretend_accelerators.is_some();
        let kept = locked(&shared.modes).clone();
        let modes = kept.in_force(&devices, pretended, &shared.config.machine);
        let name = discover::host_name(&shared.config.machine.proc);
        Ok(vec![SeenModes { name, modes }])
    }

    fn reconcile(&self) -> Result<Vec<Known>, EngineError> {
        match self.shared.ask(|call| ToSupervisor::Reconcile { call })? {
            ToFactory::Known { tasks, .. } => Ok(tasks),
            other => Err(EngineError::Protocol { why: format!("{other:?}") }),
        }
    }

    fn settle(&self, keys: &[TaskKey]) -> Result<(), EngineError> {
        self.shared.say(&ToSupervisor::Settle(keys.to_vec()))
    }

    fn read_log(
        &self,
        workload: WorkloadId,
        attempt: u32,
        task: u32,
        stream: LogStream,
        offset: u64,
        limit: usize,
    ) -> Result<LogChunk, EngineError> {
        let name = LogName::new(&self.shared.dirs.logs(), workload, attempt, task, stream);
        name.read(offset, limit).map_err(EngineError::file("read a log in", self.shared.dirs.logs()))
    }

    fn directory(&self, workload: WorkloadId) -> Option<PathBuf> {
        Some(self.shared.dirs.work(workload)).filter(|path| path.is_dir())
    }

    fn forget_files(&self, workloads: &[WorkloadId]) -> Result<(), EngineError> {
        let mut outcome = Ok(());
        for workload in workloads {
            let work = Shared::remove(self.shared.dirs.work(*workload));
            let logs = Shared::remove(self.shared.dirs.logs().join(workload.to_string()));
            // One that cannot be removed does not keep the others.
            outcome = outcome.and(work).and(logs);
        }
        outcome
    }
}
