//! What the supervisor waits for.
//!
//! What: `epoll` with tokens that name what is ready, and the kinds of things that fall due. Absent: what is then done.

use eaf_model::TaskKey;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// Events taken from the kernel at once.
const EVENTS_A_TURN: usize = 256;

/// What is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A client wants to connect.
    Listener,
    /// A signal has come.
    Signals,
    /// A client has said something or can be told more.
    Client(u32),
    /// A task has written something.
    Output(u32, u8),
    /// A process that is not our child has ended.
    Process(u32),
}

impl Token {
    fn pack(self) -> u64 {
        let (kind, serial, stream): (u8, u32, u8) = match self {
            Self::Listener => (0, 0, 0),
            Self::Signals => (1, 0, 0),
            Self::Client(serial) => (2, serial, 0),
            Self::Output(serial, stream) => (3, serial, stream),
            Self::Process(serial) => (4, serial, 0),
        };
        u64::from(kind) << 40 | u64::from(stream) << 32 | u64::from(serial)
    }

    fn unpack(bits: u64) -> Self {
        let [a, b, c, d, stream, kind, ..] = bits.to_le_bytes();
        let serial = u32::from_le_bytes([a, b, c, d]);
        match kind {
            0 => Self::Listener,
            1 => Self::Signals,
            2 => Self::Client(serial),
            3 => Self::Output(serial, stream),
            _ => Self::Process(serial),
        }
    }
}

/// What falls due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A task must be killed, or looked at again.
    Task(TaskKey),
    /// Usage is reported.
    Used,
    /// Checkpoints are looked for.
    Checkpoints,
    /// Power counters are read.
    Sample,
    /// The data directory is looked for.
    Presence,
    /// The records are tried again.
    Publish,
}

/// `epoll`.
pub(super) struct Poller {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
}

impl Poller {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self { epoll, events: Vec::with_capacity(EVENTS_A_TURN) })
    }

    /// Watches for something to read; closing the file ends that.
    pub(super) fn add(&self, file: &impl AsFd, token: Token) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, file, epoll::EventData::new_u64(token.pack()), epoll::EventFlags::IN)?)
    }

    /// Watches for room to write as well, or no more.
    pub(super) fn want_room(&self, file: &impl AsFd, token: Token, wanted: bool) -> io::Result<()> {
        let flags = if wanted { epoll::EventFlags::IN | epoll::EventFlags::OUT } else { epoll::EventFlags::IN };
        Ok(epoll::modify(&self.epoll, file, epoll::EventData::new_u64(token.pack()), flags)?)
    }

    /// What is ready; nothing where the time has run out.
    pub(super) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<Vec<Token>> {
        // A moment more than asked for, so that what falls due has fallen due.
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(timeout.subsec_nanos()),
        });
        self.events.clear();
        match epoll::wait(&self.epoll, spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.events.iter().map(|event| Token::unpack(event.data.u64())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_unpack_to_what_was_packed() {
        let last = u32::MAX;
        for token in [Token::Listener, Token::Signals, Token::Client(last), Token::Output(last, 1), Token::Process(7)] {
            assert_eq!(Token::unpack(token.pack()), token);
        }
    }
}
