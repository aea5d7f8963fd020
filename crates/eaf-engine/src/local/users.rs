//! Resolving the users that an operator has mapped projects to.
//!
//! What: names become numbers once, when the engine starts, by the system's own databases. Why here and not in the
//! supervisor: asking a directory service may take its time. Absent: automatic users (the supervisor gives those out).

use crate::EngineError;
use crate::local::config::{Identities, Identity, LocalConfig};
use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

/// As whom tasks run, by these settings and by who we are.
pub(crate) fn identities(config: &LocalConfig) -> Result<Identities, EngineError> {
    let own = rustix::process::geteuid();
    if !own.is_root() {
        if let Some(project) = config.users.keys().next() {
            let why = format!("only root can run tasks as other users, and the project {project} is mapped to one");
            return Err(EngineError::Setting { setting: "users", why });
        }
        let name = account(&own.as_raw().to_string()).map_or_else(|| own.as_raw().to_string(), |account| account.name);
        return Ok(Identities::Own { name });
    }
    let mut mapped = BTreeMap::new();
    for (project, user) in &config.users {
        let fault = |why: String| EngineError::Setting { setting: "users", why };
        let identity = resolve(user).ok_or_else(|| {
            fault(format!("there is no user {user:?} for the project {project}; a name, UID or UID:GID is needed"))
        })?;
        if identity.uid == 0 && !config.allow_root.contains(project) {
            return Err(fault(format!("the project {project} is mapped to root; allow_root must name it")));
        }
        mapped.insert(project.clone(), identity);
    }
    for project in &config.allow_root {
        let root = || Identity { name: "root".to_owned(), uid: 0, gid: 0, groups: Vec::new() };
        mapped.entry(project.clone()).or_insert_with(root);
    }
    Ok(Identities::ByProject { mapped, automatic_first: config.automatic_uid_first })
}

fn resolve(user: &str) -> Option<Identity> {
    if let Some((uid, gid)) = user.split_once(':') {
        let (uid, gid): (u32, u32) = (uid.parse().ok()?, gid.parse().ok()?);
        return Some(Identity { name: uid.to_string(), uid, gid, groups: Vec::new() });
    }
    if let Some(account) = account(user) {
        return Some(account);
    }
    let uid = user.parse().ok()?;
    Some(Identity { name: user.to_owned(), uid, gid: uid, groups: Vec::new() })
}

/// An account by name or number, with its groups: by the system's databases, else by `/etc/passwd` alone.
fn account(user: &str) -> Option<Identity> {
    let line = ask("getent", &["passwd", user]).or_else(|| {
        let passwd = fs::read_to_string("/etc/passwd").ok()?;
        let here = |line: &&str| line.split(':').next() == Some(user) || line.split(':').nth(2) == Some(user);
        passwd.lines().find(here).map(str::to_owned)
    })?;
    let mut fields = line.trim().split(':');
    let name = fields.next()?.to_owned();
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    let groups = ask("id", &["-G", &name]).unwrap_or_default();
    let groups = groups.split_whitespace().filter_map(|group| group.parse().ok()).collect();
    Some(Identity { name, uid, gid, groups })
}

fn ask(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
        .filter(|text| !text.is_empty())
}
