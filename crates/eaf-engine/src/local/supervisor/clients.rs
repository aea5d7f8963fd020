//! Connections to the supervisor.
//!
//! What: accepts, reads lines, and writes without ever waiting for a slow reader. Absent: the meaning of lines
//! (`orders`).

use super::{Supervisor, Token};
use crate::local::wire::{self, LINE_BYTES_MAX, Lines, ToFactory};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;

/// Connections at once; one factory has one, and a second for the moment of its restart.
const CLIENTS_MAX: usize = 16;

/// One connection.
pub(super) struct Client {
    stream: UnixStream,
    lines: Lines,
    out: Vec<u8>,
    written: usize,
    /// True once it has shown that it can read the factory's files.
    pub(super) greeted: bool,
    waits_for_room: bool,
}

impl Client {
    /// Writes what the socket takes now; false where the connection is broken.
    fn write(&mut self) -> bool {
        while self.written < self.out.len() {
            match self.stream.write(&self.out[self.written..]) {
                Ok(0) => return false,
                Ok(length) => self.written += length,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(_) => return false,
            }
        }
        self.out.clear();
        self.written = 0;
        true
    }
}

impl Supervisor {
    pub(super) fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            self.serial += 1;
            let token = Token::Client(self.serial);
            let ready = self.clients.len() < CLIENTS_MAX
                && stream.set_nonblocking(true).is_ok()
                && self.poller.add(&stream, token).is_ok();
            if ready {
                let lines = Lines::default();
                let client =
                    Client { stream, lines, out: Vec::new(), written: 0, greeted: false, waits_for_room: false };
                self.clients.insert(self.serial, client);
            }
        }
    }

    /// Reads and carries out what a client says.
    pub(super) fn serve(&mut self, serial: u32) {
        let Some(client) = self.clients.get_mut(&serial) else { return };
        let mut alive = client.write();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match client.stream.read(&mut buffer) {
                Ok(0) => alive = false,
                Ok(length) => {
                    client.lines.push(&buffer[..length]);
                    alive &= !client.lines.overflows();
                    if alive {
                        continue;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => alive &= error.kind() == ErrorKind::WouldBlock,
            }
            break;
        }
        while let Some(line) = self.clients.get_mut(&serial).and_then(|client| client.lines.next_line()) {
            self.obey(serial, &line);
        }
        if alive {
            self.pump(serial);
        } else {
            self.clients.remove(&serial);
        }
    }

    /// Says something to one client.
    pub(super) fn say(&mut self, serial: u32, message: &ToFactory) {
        if let Some(client) = self.clients.get_mut(&serial) {
            client.out.extend_from_slice(&wire::line(message));
            self.pump(serial);
        }
    }

    /// Says something to every client that has greeted.
    pub(super) fn broadcast(&mut self, message: &ToFactory) {
        let line = wire::line(message);
        let listening: Vec<u32> = self.clients.iter().filter(|(_, client)| client.greeted).map(|(s, _)| *s).collect();
        for serial in listening {
            if let Some(client) = self.clients.get_mut(&serial) {
                client.out.extend_from_slice(&line);
            }
            self.pump(serial);
        }
    }

    /// Writes what can be written; a client that does not read is cut off, and reconciles when it comes again.
    fn pump(&mut self, serial: u32) {
        let Some(client) = self.clients.get_mut(&serial) else { return };
        if !client.write() || client.out.len() - client.written > LINE_BYTES_MAX {
            self.clients.remove(&serial);
            return;
        }
        let waits = !client.out.is_empty();
        if waits != client.waits_for_room {
            client.waits_for_room = waits;
            let _ = self.poller.want_room(&client.stream, Token::Client(serial), waits);
        }
    }

    /// Gives clients a last chance to hear everything.
    pub(super) fn flush_clients(&mut self) {
        for client in self.clients.values_mut() {
            let _ = client.stream.set_nonblocking(false);
            let _ = client.stream.set_write_timeout(Some(std::time::Duration::from_secs(2)));
            client.write();
        }
    }
}
