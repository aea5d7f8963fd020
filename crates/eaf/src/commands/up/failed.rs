//! Why a factory does not start, in words.
//!
//! What: for each reason that an operator can put right, what to do. Absent: reasons while it runs; those are in its log
//! and its exit code.

use crate::exit;
use crate::failure::Failure;
use crate::journal;
use crate::say::Say;
use eaf_api::messages::Lang;
use eaf_server::StartError;
use eaf_store::OpenError;
use std::io;
use std::path::Path;

fn bind(address: &std::net::SocketAddr, source: &io::Error) -> Say {
    let id = match source.kind() {
        io::ErrorKind::AddrInUse => "start-port-in-use",
        io::ErrorKind::PermissionDenied => "start-port-forbidden",
        io::ErrorKind::AddrNotAvailable => "start-no-such-address",
        _ => "start-bind",
    };
    Say::new(id).with("address", address).with("port", address.port())
}

/// The failure of a start.
pub(super) fn to_start(error: &StartError, dir: &Path, lang: Lang) -> Failure {
    let code = match error {
        StartError::Fatal(fatal) => u8::try_from(fatal.exit_code()).unwrap_or(exit::FAILED),
        StartError::Site { .. } | StartError::Tls { .. } | StartError::Settings { .. } => exit::BAD_FILE,
        StartError::Recover(_) => exit::NOT_VERIFIED,
        _ => exit::FAILED,
    };
    let say = match error {
        StartError::NeedsTls { address } => Say::new("start-needs-tls").with("address", address),
        StartError::Bind { address, source } => bind(address, source),
        StartError::Open(OpenError::Locked { .. }) => Say::new("start-locked"),
        StartError::Open(_) => Say::new("start-open"),
        StartError::Recover(_) => Say::new("start-recover"),
        StartError::Site { path, .. } => Say::new("start-site").with("path", path.display()),
        StartError::Tls { certificate, .. } => Say::new("start-tls").with("path", certificate.display()),
        StartError::Engine(_) => Say::new("start-engine"),
        StartError::Fatal(_) => Say::new("start-fatal"),
        StartError::Settings { field } => {
            let which = field.rsplit('.').next().unwrap_or(field);
            Say::new("start-setting").with("field", field).with("which", which)
        }
        _ => Say::new("start-other"),
    };
    let say = say.with("dir", dir.display());
    match error {
        StartError::Open(error) => Failure::Said { code, say, why: journal::open(lang, error) },
        StartError::Recover(error) => Failure::Said { code, say, why: journal::recover(lang, error) },
        StartError::NeedsTls { .. } | StartError::Settings { .. } => Failure::new(code, say),
        // The headline says what the error says; what is left to tell is its cause.
        StartError::Bind { source, .. } => Failure::because(code, say, source),
        _ => Failure::because(code, say, error),
    }
}
