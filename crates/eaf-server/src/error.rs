//! Why a factory does not start, or ends.
//!
//! What: one enum for starting, one for running, and the exit codes of the process. Absent: refusals of single requests;
//! those are problems of the HTTP API.

use crate::config::EmbeddedError;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Exit codes of a process that runs a factory, by what the operator must do.
pub mod exit_code {
    /// The disk or its quota is full: free some space and start again.
    pub const DISK_FULL: i32 = 73;
    /// The journal failed in another way: look at the disk and the log.
    pub const STORE_FAILED: i32 = 74;
    /// The journal's file or file system is read-only.
    pub const READ_ONLY: i32 = 75;
    /// An invariant of the state is broken: nothing was written; report it.
    pub const INVARIANT_BROKEN: i32 = 76;
}

/// Why a factory does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address that others can reach, without encryption.
    #[error("{address} can be reached from other machines: configure tls, or allow plain HTTP with insecure_http")]
    NeedsTls {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// A file or directory cannot be used.
    #[error("cannot {what} {}", path.display())]
    File {
        /// What was tried, as a verb.
        what: &'static str,
        /// With which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Certificate and key do not make a door.
    #[error("cannot use the certificate {}", certificate.display())]
    Tls {
        /// The certificate.
        certificate: PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The site file does not read.
    #[error("cannot read the site file {}", path.display())]
    Site {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, with line and column.
        source: Box<toml::de::Error>,
    },
    /// An embedded file does not read.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The settings of the core do not hold together.
    #[error("the setting {field} does not hold together with the others")]
    Settings {
        /// Its path.
        field: String,
    },
    /// The journal cannot be opened.
    #[error(transparent)]
    Open(#[from] eaf_store::OpenError),
    /// The journal cannot be read back.
    #[error(transparent)]
    Recover(#[from] eaf_store::RecoverError),
    /// The first steps could not be made durable.
    #[error(transparent)]
    Fatal(#[from] Fatal),
    /// The engine does not start.
    #[error(transparent)]
    Engine(#[from] eaf_engine::EngineError),
    /// The key that signs receipts cannot be used.
    #[error("cannot use the receipt key in {}", path.display())]
    ReceiptKey {
        /// Its path.
        path: PathBuf,
        /// Why not.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The system gives no thread or no randomness.
    #[error("the system is short of threads or randomness")]
    Thread {
        /// Why not.
        source: std::io::Error,
    },
}

/// Why a running factory ends by itself. Nothing acknowledged is lost.
#[derive(Debug, thiserror::Error)]
pub enum Fatal {
    /// A batch did not become durable.
    #[error("a batch did not become durable, so the factory ends; nothing acknowledged is lost")]
    Store(#[from] eaf_store::StoreError),
    /// A step broke an invariant; it was not written.
    #[error("step {step} breaks an invariant and was not written: {violation}")]
    Invariant {
        /// The step.
        step: u64,
        /// What is broken.
        violation: eaf_core::Violation,
    },
}

impl From<eaf_core::BrokenStep> for Fatal {
    fn from(broken: eaf_core::BrokenStep) -> Self {
        Self::Invariant { step: broken.step, violation: broken.violation }
    }
}

impl Fatal {
    /// What the process exits with.
    pub const fn exit_code(&self) -> i32 {
        match self {
            Self::Store(eaf_store::StoreError::Full { .. }) => exit_code::DISK_FULL,
            Self::Store(eaf_store::StoreError::ReadOnly { .. }) => exit_code::READ_ONLY,
            Self::Store(_) => exit_code::STORE_FAILED,
            Self::Invariant { .. } => exit_code::INVARIANT_BROKEN,
        }
    }
}
