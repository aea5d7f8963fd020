//! The harness of the acceptance tests: a real factory in a directory of its own, and the tools around it.
//!
//! What: the built `eaf` is started the way that a person starts it, found through what it writes for its own command
//! line, killed, started again, and taken down with all its work, whatever the test did. Absent: anything that a user
//! could not do; the tests go through the public door.

pub(crate) mod factory;
pub(crate) mod random;
pub(crate) mod tools;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Each acceptance test wants the machine to itself: several kill, load or trace it. A test that failed while it held the
/// machine leaves nothing behind that the next would see.
pub(crate) fn machine() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::new(());
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks until there is an answer, or says what did not come in time.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, within: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {within:?} for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
