//! The way to the supervisor.
//!
//! What: connects, starts a supervisor where none answers, says hello, has an older one become this program, and sends
//! the settings. Absent: what is said after that (`engine`).

use crate::EngineError;
use crate::local::wire::{self, Lines, Report, ToFactory, ToSupervisor, Version};
use crate::local::{Dirs, Settings, SupervisorCommand};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a supervisor may take to come up or to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Between two attempts to connect while it comes up.
const ATTEMPT_EVERY: Duration = Duration::from_millis(2);

/// A connection that is ready for orders.
pub(super) struct Link {
    pub(super) stream: UnixStream,
    pub(super) lines: Lines,
    /// Reports that came before the connection was ready.
    pub(super) early: Vec<Report>,
}

/// Makes connections; keeps the supervisor that it has started, to reap it.
pub(super) struct Linker {
    pub(super) dirs: Dirs,
    pub(super) command: SupervisorCommand,
    pub(super) child: Option<Child>,
}

impl Linker {
    /// Connects to the supervisor, starting one or renewing an older one as needed.
    pub(super) fn link(&mut self, settings: &Settings) -> Result<Link, EngineError> {
        let mut upgraded = false;
        loop {
            let mut link = self.connect()?;
            let secret =
                fs::read_to_string(self.dirs.secret()).map_err(EngineError::file("read", self.dirs.secret()))?;
            let ours = Version::current();
            link.say(&ToSupervisor::Hello { version: ours.clone(), secret })?;
            let ToFactory::Hello { version: theirs, pid } = link.hear()? else {
                return Err(EngineError::Protocol { why: "it does not answer hello".to_owned() });
            };
            if ours.is_newer_than(&theirs) && !upgraded {
                tracing::info!(pid, from = theirs.release, to = ours.release, "the supervisor becomes this program");
                link.upgrade(&self.command, &theirs, &ours)?;
                upgraded = true;
                continue;
            }
            if theirs.protocol != ours.protocol {
                let why = format!(
                    "its protocol is {} and this program's is {}; stop the work (eaf down --stop-work) with the program \
                     that started it, or use a newer one",
                    theirs.protocol, ours.protocol
                );
                return Err(EngineError::Protocol { why });
            }
            link.say(&ToSupervisor::Configure(Box::new(settings.clone())))?;
            loop {
                match link.hear()? {
                    ToFactory::Configured => return Ok(link),
                    ToFactory::Reports(reports) => link.early.extend(reports),
                    ToFactory::Refused { why } => return Err(EngineError::Refused { why }),
                    other => return Err(EngineError::Protocol { why: format!("it answers {other:?} to settings") }),
                }
            }
        }
    }

    fn connect(&mut self) -> Result<Link, EngineError> {
        let engine = File::open(self.dirs.engine()).map_err(EngineError::file("open", self.dirs.engine()))?;
        let socket = Dirs::socket_through(&engine);
        let give_up = Instant::now() + ANSWER_WITHIN;
        let mut started = false;
        loop {
            if let Ok(stream) = UnixStream::connect(&socket) {
                let _ = stream.set_read_timeout(Some(ANSWER_WITHIN));
                let _ = stream.set_write_timeout(Some(ANSWER_WITHIN));
                return Ok(Link { stream, lines: Lines::default(), early: Vec::new() });
            }
            let failed = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if started && failed.is_some_and(|status| !status.success()) || Instant::now() > give_up {
                return Err(EngineError::Unreachable { why: self.last_words() });
            }
            if !started {
                self.child = Some(self.spawn()?);
                started = true;
            }
            std::thread::sleep(ATTEMPT_EVERY);
        }
    }

    fn spawn(&self) -> Result<Child, EngineError> {
        let fail = |source| EngineError::Supervisor { program: self.command.program.clone(), source };
        let log =
            OpenOptions::new().append(true).create(true).mode(0o600).open(self.dirs.engine().join("supervisor.log"));
        let log = log.map_err(fail)?;
        let mut command = Command::new(&self.command.program);
        command.args(&self.command.args).current_dir("/").stdin(Stdio::null());
        command.stdout(log.try_clone().map_err(fail)?).stderr(log).spawn().map_err(fail)
    }

    /// The end of the supervisor's own log.
    fn last_words(&self) -> String {
        let text = fs::read_to_string(self.dirs.engine().join("supervisor.log")).unwrap_or_default();
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("its log is empty");
        format!("the supervisor does not come up; its last words: {last}")
    }
}

impl Link {
    fn say(&mut self, message: &ToSupervisor) -> Result<(), EngineError> {
        self.stream.write_all(&wire::line(message)).map_err(|error| lost(&error))
    }

    fn hear(&mut self) -> Result<ToFactory, EngineError> {
        loop {
            if let Some(message) = next_message(&mut self.lines)? {
                return Ok(message);
            }
            let mut buffer = vec![0; 64 << 10];
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(lost(&io::ErrorKind::UnexpectedEof.into())),
                Ok(length) => self.lines.push(&buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(lost(&error)),
            }
        }
    }

    /// Has the supervisor become this program; it hangs up when it does.
    fn upgrade(&mut self, command: &SupervisorCommand, theirs: &Version, ours: &Version) -> Result<(), EngineError> {
        let (executable, args) = (command.program.clone(), command.args.clone());
        self.say(&ToSupervisor::Upgrade { executable, args })?;
        loop {
            match self.hear() {
                Ok(ToFactory::Refused { why }) if theirs.protocol == ours.protocol => {
                    tracing::warn!(why, "the supervisor stays as it is");
                    return Ok(());
                }
                Ok(ToFactory::Refused { why }) => return Err(EngineError::Refused { why }),
                // Reports on the way; they are repeated when asked for.
                Ok(_) => {}
                Err(EngineError::Unreachable { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

fn lost(error: &io::Error) -> EngineError {
    EngineError::Unreachable { why: format!("the connection to the supervisor broke: {error}") }
}

/// The next message among the lines that were read.
pub(super) fn next_message(lines: &mut Lines) -> Result<Option<ToFactory>, EngineError> {
    let Some(line) = lines.next_line() else { return Ok(None) };
    let message = serde_json::from_slice(&line);
    message.map(Some).map_err(|error| EngineError::Protocol { why: error.to_string() })
}
