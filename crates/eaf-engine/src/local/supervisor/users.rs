//! Which system user a project's tasks run as.
//!
//! What: the mapped one, else an automatic one that is remembered in a file, so that a project keeps its user. Absent:
//! making accounts; an automatic user is a number without a name in `/etc/passwd`.

use crate::local::config::{Identities, Identity};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

/// Automatic users that were given out.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Given {
    uid_by_project: BTreeMap<String, u32>,
}

/// Automatic users and the file that remembers them.
pub(super) struct Users {
    path: PathBuf,
    given: Given,
}

impl Users {
    /// Reads the file; a new one begins empty.
    pub(super) fn load(path: PathBuf) -> Self {
        let given = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { path, given }
    }

    /// The user of a project; `None` for the factory's own.
    pub(super) fn of_project(&mut self, identities: &Identities, project: &str) -> io::Result<Option<Identity>> {
        let Identities::ByProject { mapped, automatic_first } = identities else { return Ok(None) };
        if let Some(identity) = mapped.get(project) {
            return Ok(Some(identity.clone()));
        }
        let uid = match self.given.uid_by_project.get(project) {
            Some(uid) => *uid,
            None => self.give(project, *automatic_first)?,
        };
        Ok(Some(Identity { name: format!("eaf-{project}"), uid, gid: uid, groups: Vec::new() }))
    }

    fn give(&mut self, project: &str, first: u32) -> io::Result<u32> {
        let highest = self.given.uid_by_project.values().max().map(|uid| uid + 1);
        let uid = highest.unwrap_or(first).max(first);
        self.given.uid_by_project.insert(project.to_owned(), uid);
        let new = self.path.with_extension("new");
        fs::write(&new, serde_json::to_vec_pretty(&self.given)?)?;
        fs::rename(&new, &self.path)?;
        Ok(uid)
    }
}
