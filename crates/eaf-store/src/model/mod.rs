//! A store on a modelled disk: power may fail at every write.
//!
//! What: [`Disk`] keeps what was synced and, after a power loss, any part of what was not; [`ModelStore`] is a log on it
//! that keeps the contract of `Store`. Why: a real disk loses power too seldom to test on, and the twin needs a store
//! that is the same for the same seed. Absent: clocks, I/O, threads, and randomness but for the seed.

mod disk;
mod log;
mod store;

pub use disk::{Disk, DiskError, Fault};
pub use store::{ModelOpenError, ModelStore};
