//! Following a workload: its output as it comes, and its end.
//!
//! What: output of one task across broken connections, output of all tasks at once, and waiting for a condition. Why
//! events and not a clock: the end is seen when it happens, and an idle wait costs nothing. Absent: giving up; a caller
//! who wants to stop waiting ends the process.

use crate::exit;
use crate::failure::Failure;
use crate::screen::Paint;
use eaf_api::client::{Client, ClientError};
use eaf_api::{EventId, LogQuery, Stream, WorkloadView};
use eaf_model::{Event, WorkloadId};
use std::io::{IsTerminal, Read, Write};
use std::time::Duration;

/// How long a factory may be away (a restart) before a follower gives up.
const AWAY_MAX: Duration = Duration::from_secs(30);
/// Between two tries to reach a factory that is away.
const RETRY_AFTER: Duration = Duration::from_millis(200);
/// Bytes that are copied at once.
const CHUNK: usize = 64 << 10;
/// Tasks of a gang whose output is followed at once.
pub(crate) const TASKS_FOLLOWED_MAX: u32 = 16;

/// One output of one task.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub(crate) id: WorkloadId,
    pub(crate) attempt: Option<u32>,
    pub(crate) task: u32,
    pub(crate) stream: Stream,
}

/// Counts how long a factory has been away.
#[derive(Default)]
struct Away {
    since: Option<std::time::Instant>,
}

impl Away {
    /// True where the error is a connection's and there is reason to try again; waits a little then.
    fn again(&mut self, error: &ClientError) -> bool {
        let stopping = error.problem().is_some_and(|problem| problem.status == 503);
        if !stopping && !matches!(error, ClientError::Unreachable { .. } | ClientError::Broken { .. }) {
            return false;
        }
        let since = *self.since.get_or_insert_with(std::time::Instant::now);
        if since.elapsed() > AWAY_MAX {
            return false;
        }
        std::thread::sleep(RETRY_AFTER);
        true
    }

    fn back(&mut self) {
        self.since = None;
    }
}

/// True where the factory says that this task has no such output: it never ran.
fn never_ran(error: &ClientError) -> bool {
    error.problem().is_some_and(|problem| problem.code == "no_such_log")
}

/// Copies one output until its task is over.
pub(crate) fn copy(
    client: &Client,
    source: &Source,
    take: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut query =
        LogQuery { attempt: source.attempt, task: source.task, stream: source.stream, offset: 0, limit: None };
    let mut away = Away::default();
    let mut chunk = vec![0; CHUNK];
    loop {
        match client.follow_log(source.id, &query) {
            Ok(mut reader) => {
                while let Ok(count @ 1..) = reader.read(&mut chunk) {
                    take(&chunk[..count])?;
                    query.offset += count as u64;
                    away.back();
                }
            }
            Err(error) if never_ran(&error) => return Ok(()),
            Err(error) if away.again(&error) => continue,
            Err(error) => return Err(error.into()),
        }
        // A stream that ended may have been cut: the factory itself says whether more is to come.
        match client.log(source.id, &query) {
            Ok(piece) => {
                take(&piece.bytes)?;
                query.offset = piece.next;
                if piece.end {
                    return Ok(());
                }
            }
            Err(error) if never_ran(&error) => return Ok(()),
            Err(error) if away.again(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Writes what came of one task to this process's own output, whole lines at a time where several tasks share it.
struct Mouth {
    stream: Stream,
    label: Option<String>,
    line: Vec<u8>,
}

impl Mouth {
    fn new(source: &Source, tasks: u32) -> Self {
        let terminal = match source.stream {
            Stream::Stdout => std::io::stdout().is_terminal(),
            Stream::Stderr => std::io::stderr().is_terminal(),
        };
        let label = (tasks > 1).then(|| Paint::Dim.on(&format!("[{}] ", source.task), terminal));
        Self { stream: source.stream, label, line: Vec::new() }
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        let done = match self.stream {
            Stream::Stdout => {
                let mut out = std::io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
            Stream::Stderr => std::io::stderr().lock().write_all(bytes),
        };
        done.map_err(|error| Failure::output(&error))
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Some(label) = self.label.clone() else { return self.write(bytes) };
        self.line.extend_from_slice(bytes);
        while let Some(end) = self.line.iter().position(|byte| *byte == b'\n') {
            let rest = self.line.split_off(end + 1);
            let line = std::mem::replace(&mut self.line, rest);
            self.write(&[label.as_bytes(), &line].concat())?;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Failure> {
        match (&self.label, self.line.is_empty()) {
            (Some(label), false) => self.write(&[label.as_bytes(), &self.line, b"\n"].concat()),
            _ => Ok(()),
        }
    }
}

/// Copies both outputs of every task of an attempt to this process's own, until all tasks are over. Of a large gang, the
/// first few tasks are followed.
pub(crate) fn copy_all(client: &Client, id: WorkloadId, attempt: u32, tasks: u32) -> Result<(), Failure> {
    let followed = tasks.min(TASKS_FOLLOWED_MAX);
    let sources = (0..followed).flat_map(|task| {
        [Stream::Stdout, Stream::Stderr].map(|stream| Source { id, attempt: Some(attempt), task, stream })
    });
    std::thread::scope(|scope| {
        let threads: Vec<_> = sources
            .map(|source| {
                scope.spawn(move || {
                    let mut mouth = Mouth::new(&source, tasks);
                    copy(client, &source, &mut |bytes| mouth.take(bytes))?;
                    mouth.end()
                })
            })
            .collect();
        let ended = threads.into_iter().map(|thread| thread.join().unwrap_or(Err(Failure::Silent(exit::FAILED))));
        ended.fold(Ok(()), Result::and)
    })
}

/// Waits until `done` holds for a workload, or it has ended. For an array, `done` is asked only when all members ended.
pub(crate) fn wait_for(
    client: &Client,
    id: WorkloadId,
    done: impl Fn(&WorkloadView) -> bool,
) -> Result<WorkloadView, Failure> {
    let mut away = Away::default();
    loop {
        match watch(client, id, &done, &mut away) {
            Ok(Some(view)) => return Ok(view),
            Ok(None) => {}
            Err(error) if away.again(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn live_members(view: &WorkloadView) -> u64 {
    view.status.array.as_ref().map_or(1, |array| {
        let live = array.by_state.iter().filter(|(state, _)| !state.is_ended());
        live.map(|(_, count)| u64::from(*count)).sum()
    })
}

/// Looks, and watches the events until there is reason to say so. `None` where the stream of events is over.
fn watch(
    client: &Client,
    id: WorkloadId,
    done: &dyn Fn(&WorkloadView) -> bool,
    away: &mut Away,
) -> Result<Option<WorkloadView>, ClientError> {
    // The place is taken before the look, so that nothing can happen between the two unseen.
    let head = client.journal_head()?;
    let view = client.workload(id)?;
    away.back();
    if view.state.is_ended() || done(&view) {
        return Ok(Some(view));
    }
    let mut left = live_members(&view);
    for event in client.events(Some(EventId::behind(head.step))) {
        let look = match event?.event {
            Event::WorkloadEnded { workload, .. } if workload == id || workload.list() == id => {
                left = left.saturating_sub(1);
                left == 0
            }
            Event::LeaseGranted { workload, .. } | Event::WorkloadRequeued { workload, .. } => workload == id,
            _ => false,
        };
        if look {
            let view = client.workload(id)?;
            if view.state.is_ended() || done(&view) {
                return Ok(Some(view));
            }
        }
    }
    Ok(None)
}

/// Waits until a workload, or every member of an array, has ended.
pub(crate) fn wait_ended(client: &Client, id: WorkloadId) -> Result<WorkloadView, Failure> {
    wait_for(client, id, |_| false)
}

/// Follows a workload to its end: the output of each of its attempts, in order.
pub(crate) fn to_the_end(client: &Client, id: WorkloadId) -> Result<WorkloadView, Failure> {
    let mut attempt = 1;
    let mut view = client.workload(id)?;
    loop {
        if !view.state.is_ended() || view.status.attempts.len() >= attempt as usize {
            copy_all(client, id, attempt, view.spec.tasks)?;
        }
        view = wait_for(client, id, |view| view.status.lease.as_ref().is_some_and(|lease| lease.attempt > attempt))?;
        if view.state.is_ended() && view.status.attempts.len() <= attempt as usize {
            return Ok(view);
        }
        attempt += 1;
    }
}
