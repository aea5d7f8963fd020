//! Files of the data directory that the server itself keeps: the token, and where it runs.
//!
//! What: made once with the right mode and complete from the first moment. Absent: the receipt key; its module makes it.

use crate::StartError;
use crate::server::{RunFile, TOKEN_FILE};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Bytes of randomness in a token.
const TOKEN_BYTES: usize = 32;

fn file(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StartError {
    let path = path.to_owned();
    move |source| StartError::File { what, path, source }
}

/// The administrator's token; made on first use, readable by the owner alone.
pub(crate) fn token(data_dir: &Path) -> Result<String, StartError> {
    let path = data_dir.join(TOKEN_FILE);
    match fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(file("read the token", &path)(error)),
    }
    let token = random_name(TOKEN_BYTES).map_err(file("make", &path))?;
    replace(&path, format!("{token}\n").as_bytes(), 0o600).map_err(file("write the token", &path))?;
    Ok(token)
}

/// So many random bytes, in hexadecimal.
pub(crate) fn random_name(bytes: usize) -> io::Result<String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let mut name = String::with_capacity(2 * bytes);
    for byte in random {
        write!(name, "{byte:02x}").expect("a String takes every write");
    }
    Ok(name)
}

/// Says where the factory is, for command lines on this machine.
pub(crate) fn write_run_file(data_dir: &Path, run: &RunFile) -> Result<(), StartError> {
    let path = data_dir.join(RunFile::NAME);
    let text = serde_json::to_vec(run).map_err(|e| file("write", &path)(e.into()))?;
    replace(&path, &text, 0o644).map_err(file("write", &path))
}

/// Takes that back.
pub(crate) fn remove_run_file(data_dir: &Path) {
    // Where it cannot be removed, its process id tells that it is stale.
    let _ = fs::remove_file(data_dir.join(RunFile::NAME));
}

/// Puts a whole file in place of what was there.
fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let part = path.with_extension("part");
    match fs::remove_file(&part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut out = OpenOptions::new().write(true).create_new(true).mode(mode).open(&part)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    fs::rename(part, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_token_is_made_once_and_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let first = token(dir.path()).unwrap();
        assert_eq!(first.len(), 2 * TOKEN_BYTES);
        assert_eq!(token(dir.path()).unwrap(), first);
        let mode = fs::metadata(dir.path().join(TOKEN_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = tempfile::tempdir().unwrap();
        assert_ne!(token(other.path()).unwrap(), first);
    }
}
