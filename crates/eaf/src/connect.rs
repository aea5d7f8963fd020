//! Which factory a command speaks to, and with which token.
//!
//! What: `EAF_URL` and `EAF_TOKEN`, else what a factory on this machine has left in its data directory. Absent: any
//! asynchronous runtime; the client blocks, so that a command starts in a millisecond.

use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use eaf_api::client::Client;
use eaf_api::messages::Lang;
use serde::Deserialize;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// Where a factory of the whole machine keeps its data.
const SYSTEM_DATA_DIR: &str = "/var/lib/eaf";

/// What this program reads of `run.json`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Running {
    /// The process.
    pub(crate) pid: u32,
    /// The door.
    pub(crate) url: String,
}

fn set(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The data directory of this user: `/var/lib/eaf` for root, else below the home directory.
pub(crate) fn default_data_dir() -> PathBuf {
    if rustix::process::geteuid().is_root() {
        return SYSTEM_DATA_DIR.into();
    }
    let home = || set("HOME").map(|home| Path::new(&home).join(".local/share"));
    let base = set("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute()).or_else(home);
    base.map_or_else(|| SYSTEM_DATA_DIR.into(), |base| base.join("eaf"))
}

/// The data directories to look into: the one that was named, else the user's own and the machine's.
fn data_dirs(named: Option<&Path>) -> Vec<PathBuf> {
    if let Some(named) = named {
        return vec![named.to_owned()];
    }
    let own = default_data_dir();
    let system = (own != Path::new(SYSTEM_DATA_DIR)).then(|| PathBuf::from(SYSTEM_DATA_DIR));
    std::iter::once(own).chain(system).collect()
}

/// The factory that says it runs on this data directory.
pub(crate) fn running(data_dir: &Path) -> Option<Running> {
    let text = std::fs::read(data_dir.join("run.json")).ok()?;
    serde_json::from_slice(&text).ok()
}

/// The token of a data directory.
pub(crate) fn token(data_dir: &Path) -> Result<Option<String>, Failure> {
    let path = data_dir.join("token");
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            Err(Failure::because(exit::DENIED, Say::new("fail-token-file").with("path", path.display()), &error))
        }
    }
}

/// True where the host of a URL is this machine, by name or number.
pub(crate) fn is_local(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return false;
    }
    if let Some(six) = authority.strip_prefix('[') {
        return six.split_once(']').is_some_and(|(host, _)| host == "::1");
    }
    let host = authority.split(':').next().unwrap_or_default();
    host == "localhost" || host.parse::<Ipv4Addr>().is_ok_and(|host| host.is_loopback() || host.is_unspecified())
}

fn client(url: &str, token: Option<String>, lang: Lang) -> Result<Client, Failure> {
    let client = match set("EAF_CA") {
        None => Client::new(url, token),
        Some(path) => {
            let path = PathBuf::from(path);
            let pem = std::fs::read(&path).map_err(|error| Failure::file("fail-read", &path, &error))?;
            Client::trusting(url, token, &pem)?
        }
    };
    Ok(client.with_language(lang.tag()))
}

/// A client of the factory that this command is meant for.
pub(crate) fn connect(data_dir: Option<&Path>, lang: Lang) -> Result<Client, Failure> {
    let dirs = data_dirs(data_dir);
    if let Some(url) = set("EAF_URL") {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(Failure::new(exit::USAGE, Say::new("fail-url").with("url", url)));
        }
        // The token of this machine is never shown to another one.
        let local = || dirs.iter().filter(|_| is_local(&url)).find_map(|dir| token(dir).ok().flatten());
        return client(&url, set("EAF_TOKEN").or_else(local), lang);
    }
    let Some((dir, running)) = dirs.iter().find_map(|dir| running(dir).map(|running| (dir, running))) else {
        let looked = dirs.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(", ");
        return Err(Failure::new(exit::NO_FACTORY, Say::new("fail-no-factory").with("looked", looked)));
    };
    let token = match set("EAF_TOKEN") {
        Some(token) => Some(token),
        None => token(dir)?,
    };
    client(&running.url, token, lang)
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn only_this_machine_is_this_machine() {
        let check = |url: &str, expect: bool| assert_eq!(is_local(url), expect, "{url}");
        check("http://127.0.0.1:7070", true);
        check("http://localhost:7070/", true);
        check("https://[::1]:7070", true);
        check("http://127.0.0.1.evil.example:7070", false);
        check("http://127.0.0.1@evil.example", false);
        check("http://localhost.example", false);
        check("http://10.0.0.1:7070", false);
        check("http://[::2]:7070", false);
    }
}
