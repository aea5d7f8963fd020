//! The one clock of the server.
//!
//! What: wall time as the core counts it. Absent: monotony; the machine holds time where the clock went back.

use eaf_model::Time;
use std::time::{SystemTime, UNIX_EPOCH};

/// The present instant.
pub(crate) fn now() -> Time {
    instant(SystemTime::now())
}

/// An instant of the system's, such as a file's.
pub(crate) fn instant(time: SystemTime) -> Time {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
