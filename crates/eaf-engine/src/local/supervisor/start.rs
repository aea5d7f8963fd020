//! Starting a task.
//!
//! What: makes everything ready, puts the intent on file, starts the process, reports. Why in this order: after a kill
//! at any point the next supervisor either finds the process or knows that there is none. Absent: retries.

use super::prepare::{self, Unready};
use super::task::{Metered, Output, Task};
use super::{Supervisor, Token, now};
use crate::LogStream;
use crate::local::cgroup::{Limits, Slot};
use crate::local::config::{Identities, Identity};
use crate::local::logs::{LogName, LogWriter};
use crate::local::records::{Intent, Process};
use crate::local::spawn::{Failure, Plan, Step};
use crate::local::{Sandbox, Settings, sandbox, tree};
use eaf_model::{Exit, Span, StartOrder, TaskReport};
use std::ffi::{CString, OsString};
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Between the polite and the hard stop of a workload that names none, when the factory itself is shut down.
const GRACE_DEFAULT: Span = Span::from_secs(10);

/// A start in preparation.
struct Ready {
    identity: Option<Identity>,
    dirs: prepare::Directories,
    pipes: [prepare::Pipe; 2],
    environment: Vec<CString>,
    programs: Vec<CString>,
    args: Vec<CString>,
    temporary: CString,
    ruleset: Option<OwnedFd>,
    extra_groups: Vec<u32>,
}

impl Supervisor {
    /// Starts a task, or reports why it cannot be.
    pub(super) fn start(&mut self, order: &StartOrder) {
        let outcome = match self.settings.take() {
            Some(settings) => {
                let outcome = self.make_ready(order, &settings).and_then(|ready| self.launch(order, &settings, ready));
                self.settings = Some(settings);
                outcome
            }
            None => Err(Unready::Machine("the supervisor has no settings yet".to_owned())),
        };
        match outcome {
            Ok(()) => {}
            Err(Unready::Specification(why)) => self.never_started(order.key, Exit::CannotStart(why)),
            Err(Unready::Machine(why)) => {
                tracing::warn!(task = ?order.key, why, "a task could not be started");
                self.never_started(order.key, Exit::Lost(why));
            }
        }
    }

    fn make_ready(&mut self, order: &StartOrder, settings: &Settings) -> Result<Ready, Unready> {
        let identity = self.users.of_project(&settings.identities, &order.spec.project);
        let identity = identity.map_err(Unready::machine("give the project a user"))?;
        let dirs = self.directories(order, settings, identity.as_ref())?;
        let temporary = format!(".tmp-{}.{}", order.attempt, order.key.task);
        let user = match (&identity, &settings.identities) {
            (Some(identity), _) => &identity.name,
            (None, Identities::Own { name }) => name,
            (None, Identities::ByProject { .. }) => "root",
        };
        let environment = prepare::environment(order, settings, &dirs, user, &temporary)?;
        let command = prepare::command(order, &dirs, identity.as_ref())?;
        let held = order.allotment.accelerators.iter();
        let held = held.filter_map(|held| Some((settings.devices.get(usize::from(held.index))?, held)));
        let devices: Vec<PathBuf> = held.flat_map(|(device, held)| device.files_of(held)).collect();
        let (command, ruleset) = self.enclose(settings, &dirs, &devices, command)?;
        let pipe = || prepare::pipe(identity.as_ref()).map_err(Unready::machine("make a pipe"));
        Ok(Ready {
            pipes: [pipe()?, pipe()?],
            programs: prepare::programs(&command[0], &settings.path)?,
            args: command.into_iter().map(prepare::text).collect::<Result<_, _>>()?,
            temporary: prepare::text(temporary.into())?,
            extra_groups: if identity.is_some() { groups_of(&devices) } else { Vec::new() },
            identity,
            dirs,
            environment,
            ruleset,
        })
    }

    /// Puts the command into the sandbox that is set.
    fn enclose(
        &mut self,
        settings: &Settings,
        dirs: &prepare::Directories,
        devices: &[PathBuf],
        command: Vec<OsString>,
    ) -> Result<(Vec<OsString>, Option<OwnedFd>), Unready> {
        match settings.sandbox {
            Sandbox::None => Ok((command, None)),
            Sandbox::Landlock => {
                let mut owned = vec![dirs.work.as_fd()];
                owned.extend(dirs.elsewhere.then(|| dirs.cwd.as_fd()));
                let ruleset = self.sandboxes.ruleset(&owned, devices);
                ruleset.map(|ruleset| (command, Some(ruleset))).map_err(|error| {
                    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
                    Unready::Machine(format!("{error}{cause}"))
                })
            }
            Sandbox::Bubblewrap => {
                let mut owned = vec![dirs.work_path.clone()];
                owned.extend(dirs.elsewhere.then(|| dirs.cwd_path.clone()));
                let mut wrapped = vec![OsString::from("bwrap")];
                wrapped.extend(sandbox::bubblewrap(self.dirs.data(), &owned, &dirs.cwd_path, devices));
                wrapped.extend(command);
                Ok((wrapped, None))
            }
        }
    }

    fn launch(&mut self, order: &StartOrder, settings: &Settings, ready: Ready) -> Result<(), Unready> {
        let allotment = &order.allotment;
        let limits =
            Limits { memory: allotment.memory.0, cpu_milli: allotment.cpu.0, processes: settings.processes_max };
        let slot = match &mut self.cgroups {
            Some(cgroups) => Some(cgroups.take(&limits).map_err(Unready::machine("make the task's control groups"))?),
            None => None,
        };
        let memory_is_limited = self.cgroups.as_ref().is_some_and(crate::local::cgroup::Cgroups::limit_memory);
        let intent = Intent {
            key: order.key,
            workload: order.workload,
            attempt: order.attempt,
            slot: slot.as_ref().map(|slot| (slot.number(), slot.bases())),
            grace: order.spec.stop_grace.unwrap_or(GRACE_DEFAULT),
            log_bytes_max: settings.log_bytes_max,
            accelerators: allotment.accelerators.iter().map(|held| (held.index, held.share.0)).collect(),
            identity: ready.identity,
            wrapped: settings.sandbox == Sandbox::Bubblewrap,
        };
        if let Err(error) = self.records.intent(&intent) {
            self.give_back(slot);
            return Err(Unready::machine("put the start on file")(error));
        }
        let plan = Plan {
            programs: ready.programs,
            args: ready.args,
            environment: ready.environment,
            directory: ready.dirs.cwd.as_fd(),
            temporary: (ready.dirs.work.as_fd(), ready.temporary),
            stdio: [self.null.as_fd(), ready.pipes[0].theirs.as_fd(), ready.pipes[1].theirs.as_fd()],
            cgroups: slot.as_ref().map_or(&[], Slot::joins),
            born_in: slot.as_ref().and_then(Slot::born_in),
            identity: intent.identity.as_ref(),
            extra_groups: ready.extra_groups,
            ruleset: ready.ruleset.as_ref().map(AsFd::as_fd),
            open_files: self.open_files,
            address_space: (!memory_is_limited).then_some(allotment.memory.0),
        };
        let spawned = self.spawner.spawn(&plan);
        let started_at = now();
        match spawned {
            Ok(pid) => {
                let ticks = tree::stat(pid).map_or(0, |stat| stat.start_ticks);
                let pipes = [prepare::inode(&ready.pipes[0].ours), prepare::inode(&ready.pipes[1].ours)];
                let process = Process { pid, ticks, started_at, pipes };
                let [out, err] = ready.pipes;
                self.adopt_child(intent, process, slot, [out.ours, err.ours]);
                Ok(())
            }
            Err(failure) => {
                self.give_back(slot);
                Err(explain(failure, &order.spec.run))
            }
        }
    }

    /// Watches over a process that has just been started.
    fn adopt_child(&mut self, intent: Intent, process: Process, slot: Option<Slot>, pipes: [OwnedFd; 2]) {
        let key = intent.key;
        self.records.process(key, process);
        let mut task = self.begin_task(intent, process, slot);
        task.metered = Metered { whole: true, ..Metered::default() };
        for (at, (pipe, stream)) in (0..).zip(pipes.into_iter().zip([LogStream::Stdout, LogStream::Stderr])) {
            let Some(intent) = &task.intent else { continue };
            let name = LogName::new(&self.dirs.logs(), intent.workload, intent.attempt, key.task, stream);
            let log = LogWriter::new(name, intent.log_bytes_max);
            task.outputs[usize::from(at)] = self.watch_output(task.serial, at, File::from(pipe), log);
        }
        self.by_pid.insert(process.pid, key);
        self.tasks.insert(key, task);
        self.report(key, TaskReport::Started { at: process.started_at });
    }

    /// A task with a serial number of its own, counted as live.
    pub(super) fn begin_task(&mut self, intent: Intent, process: Process, slot: Option<Slot>) -> Task {
        self.serial += 1;
        self.live += 1;
        self.by_serial.insert(self.serial, intent.key);
        Task::running(self.serial, intent, process, slot)
    }

    /// Watches one output.
    pub(super) fn watch_output(&self, serial: u32, at: u8, pipe: File, log: LogWriter) -> Option<Output> {
        if let Err(error) = self.poller.add(&pipe, Token::Output(serial, at)) {
            tracing::error!(%error, "an output of a task cannot be watched");
            return None;
        }
        Some(Output { pipe, log })
    }

    pub(super) fn give_back(&mut self, slot: Option<Slot>) {
        if let (Some(cgroups), Some(slot)) = (&mut self.cgroups, slot) {
            cgroups.give_back(slot);
        }
    }
}

/// The groups of these device files, other than root's.
fn groups_of(devices: &[PathBuf]) -> Vec<u32> {
    let groups = devices.iter().filter_map(|device| std::fs::metadata(device).ok()).map(|metadata| metadata.gid());
    groups.filter(|gid| *gid != 0).collect()
}

/// Why a process did not start, in words.
fn explain(failure: Failure, run: &eaf_model::Run) -> Unready {
    let error = std::io::Error::from_raw_os_error(failure.errno);
    let program = match run {
        eaf_model::Run::Command(argv) => argv.first().map_or("", String::as_str),
        eaf_model::Run::Script(_) => "the script or its interpreter",
    };
    match (failure.step, failure.errno) {
        (Step::Execute, libc::ENOENT) => Unready::Specification(format!("there is no program {program}")),
        (Step::Execute, libc::ENOEXEC) => {
            Unready::Specification(format!("{program} is not a program (a script needs #! in its first line)"))
        }
        (Step::Execute, libc::ENOMEM | libc::EAGAIN) => Unready::Machine(format!("cannot execute {program}: {error}")),
        (Step::Execute, _) => Unready::Specification(format!("cannot execute {program}: {error}")),
        (Step::Directory, _) => Unready::Specification(format!("the working directory cannot be entered: {error}")),
        (step, _) => Unready::Machine(format!("the start failed at the step {step:?}: {error}")),
    }
}
