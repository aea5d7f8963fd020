//! What can be wrong with a journal, in words.
//!
//! What: for each error of the store that a person may meet, one sentence in the reader's language. Absent: what a disk or
//! the database said itself; that is passed on as it came.

use crate::say::Say;
use eaf_api::messages::Lang;
use eaf_store::{BackupError, Breach, Broken, OpenError, RecoverError, VerifyError};
use std::error::Error;

/// A sentence, and behind it what a disk or a database said.
fn lines(lang: Lang, say: &Say, cause: Option<&dyn Error>) -> Vec<String> {
    let mut lines = vec![say.in_lang(lang)];
    let mut cause = cause;
    while let Some(error) = cause {
        let text = error.to_string();
        if !lines.iter().any(|line| line.contains(&text)) {
            lines.push(text);
        }
        cause = error.source();
    }
    lines
}

/// Why a journal could not be opened.
pub(crate) fn open(lang: Lang, error: &OpenError) -> Vec<String> {
    let path = |id, path: &std::path::Path| Say::new(id).with("path", path.display());
    let say = match error {
        OpenError::Locked { dir, pid: Some(pid) } => path("journal-locked-by", dir).with("pid", pid),
        OpenError::Locked { dir, pid: None } => path("journal-locked", dir),
        OpenError::Missing { dir } => path("journal-missing", dir),
        OpenError::NotAJournal { path: file } => path("journal-not-one", file),
        OpenError::TooNew { path: file, found, known } => {
            path("journal-too-new", file).with("found", found).with("known", known)
        }
        OpenError::Damaged { path: file, readable_to, .. } => path("journal-damaged", file).with("step", readable_to),
        OpenError::Path { path: file, .. } => path("journal-path", file),
        OpenError::Store(error) => return lines(lang, &Say::new("journal-store"), Some(error)),
    };
    lines(lang, &say, error.source())
}

fn breach(error: &Breach) -> Say {
    match error {
        Breach::Hole { found } => Say::new("breach-hole").with("found", found),
        Breach::CutOff { known, .. } => Say::new("breach-cut-off").with("known", known),
        Breach::Unreadable(_) => Say::new("breach-unreadable"),
        Breach::CutLine => Say::new("breach-cut-line"),
        Breach::NotAStep(_) => Say::new("breach-not-a-step"),
        Breach::Number { found } => Say::new("breach-number").with("found", found),
        Breach::Length { stored, found } => Say::new("breach-length").with("stored", stored).with("found", found),
        Breach::Instant => Say::new("breach-instant"),
        Breach::Chain { last, computed, stored } => {
            Say::new("breach-chain").with("last", last).with("computed", computed).with("stored", stored)
        }
    }
}

fn broken(lang: Lang, error: &Broken) -> Vec<String> {
    let say = Say::new("journal-broken").with("step", error.step).say("breach", breach(&error.breach));
    lines(lang, &say, error.breach.source())
}

/// Why a journal does not verify.
pub(crate) fn verify(lang: Lang, error: &VerifyError) -> Vec<String> {
    let say = match error {
        VerifyError::Open(error) => return open(lang, error),
        VerifyError::Broken(error) => return broken(lang, error),
        VerifyError::OtherHash { expected, found } => {
            let say = Say::new("journal-other-hash").with("step", expected.step);
            say.with("found", found).with("expected", expected.hash)
        }
        VerifyError::Pruned { expected, anchor } => {
            Say::new("journal-pruned").with("step", expected.step).with("anchor", anchor.step)
        }
        VerifyError::Invariant { step, violation } => {
            Say::new("journal-invariant").with("step", step).with("violation", violation)
        }
        VerifyError::Impossible { step, why } => Say::new("journal-impossible").with("step", step).with("why", why),
        VerifyError::Snapshot { step, why } => Say::new("journal-snapshot").with("step", step).with("why", why),
        VerifyError::NoSnapshot { anchor } => Say::new("journal-no-snapshot").with("anchor", anchor.step),
        VerifyError::History { workload, step } => {
            Say::new("journal-history").with("workload", workload).with("step", step)
        }
        VerifyError::Store(error) => return lines(lang, &Say::new("journal-store"), Some(error)),
    };
    lines(lang, &say, None)
}

/// Why a journal could not be read back.
pub(crate) fn recover(lang: Lang, error: &RecoverError) -> Vec<String> {
    match error {
        RecoverError::Broken(error) => broken(lang, error),
        RecoverError::NoSnapshot { anchor, .. } => {
            lines(lang, &Say::new("journal-no-snapshot").with("anchor", anchor.step), None)
        }
        RecoverError::Store(error) => lines(lang, &Say::new("journal-store"), Some(error)),
    }
}

/// Why there is no backup, or why it was not restored.
pub(crate) fn backup(lang: Lang, error: &BackupError) -> Vec<String> {
    let say = match error {
        BackupError::NotEmpty { path } => Say::new("backup-not-empty").with("path", path.display()),
        BackupError::Path { path, .. } => Say::new("backup-path").with("path", path.display()),
        BackupError::Open(error) => return open(lang, error),
        BackupError::NotWhole(error) => return verify(lang, error),
        BackupError::Store(error) => return lines(lang, &Say::new("journal-store"), Some(error)),
        BackupError::Pruned => Say::new("backup-pruned"),
    };
    lines(lang, &say, error.source())
}
