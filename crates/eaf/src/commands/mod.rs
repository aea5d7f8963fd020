//! The verbs, one file each.
//!
//! What: what every verb is given, and the small things that several of them need. Absent: the command line's tree.

pub(crate) mod backup;
pub(crate) mod cancel;
pub(crate) mod checkpoint;
pub(crate) mod completions;
pub(crate) mod cp;
pub(crate) mod down;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod logs;
pub(crate) mod node;
pub(crate) mod policy;
pub(crate) mod ps;
pub(crate) mod receipt;
pub(crate) mod restore;
pub(crate) mod run;
pub(crate) mod show;
pub(crate) mod submit;
pub(crate) mod supervise;
pub(crate) mod twin;
pub(crate) mod up;
pub(crate) mod verify;
pub(crate) mod wait;

use crate::connect;
use crate::exit;
use crate::failure::Failure;
use crate::files::{self, FigureProblem, WorkloadFile};
use crate::say::Say;
use crate::screen::Screen;
use eaf_api::client::Client;
use eaf_api::messages::Lang;
use eaf_model::{AcceleratorRequest, TaskRequest, WorkloadId};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The most bytes of a workload file that are read.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// What every verb is given.
pub(crate) struct Context {
    /// What it prints to.
    pub(crate) screen: Screen,
    /// The reader's language.
    pub(crate) lang: Lang,
    /// The data directory that was named.
    pub(crate) data_dir: Option<PathBuf>,
}

impl Context {
    pub(crate) fn new(lang: Lang, data_dir: Option<PathBuf>) -> Self {
        Self { screen: Screen::new(lang), lang, data_dir }
    }

    /// A client of the factory.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        connect::connect(self.data_dir.as_deref(), self.lang)
    }

    /// The data directory, named or this user's own.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(connect::default_data_dir)
    }

    /// A message in the reader's language.
    pub(crate) fn say(&self, say: &Say) -> String {
        say.in_lang(self.lang)
    }
}

/// The id of a workload on the command line.
fn workload_id(text: &str) -> Result<WorkloadId, Failure> {
    text.parse().map_err(|_| Failure::new(exit::USAGE, Say::new("fail-not-an-id").with("given", text)))
}

fn workload_ids(texts: &[String]) -> Result<Vec<WorkloadId>, Failure> {
    texts.iter().map(|text| workload_id(text)).collect()
}

/// A figure on the command line.
fn figure<T>(
    option: &str,
    given: &str,
    example: &'static str,
    parse: impl Fn(&str) -> Result<T, FigureProblem>,
) -> Result<T, Failure> {
    parse(given).map_err(|problem| {
        let say = Say::new("fail-figure").with("option", option).with("given", given);
        Failure::new(exit::USAGE, say.say("problem", problem.say(example)))
    })
}

/// `NAME=VALUE` on the command line.
fn pair(option: &str, given: &str) -> Result<(String, String), Failure> {
    match given.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Failure::new(exit::USAGE, Say::new("fail-pair").with("option", option).with("given", given))),
    }
}

/// The bytes of a file that someone wrote, or of standard input.
fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::file("fail-read", path, &error))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let say = Say::new("fail-file-too-large").with("path", path.display()).with("max", "4 MiB");
        return Err(Failure::new(exit::BAD_FILE, say));
    }
    Ok(bytes)
}

/// Reads a workload file; `-` is standard input. Tells the notes on it.
fn read_workload(path: &Path, context: &Context) -> Result<WorkloadFile, Failure> {
    let bytes = read_bytes(path)?;
    let file = files::read(path, &bytes).map_err(|problem| {
        let place =
            problem.line.map_or_else(|| path.display().to_string(), |line| format!("{}:{line}", path.display()));
        Failure::new(exit::BAD_FILE, Say::new("fail-workload-file").with("place", place).say("problem", problem.say))
    })?;
    for note in &file.notes {
        context.screen.note(&format!("{}:{}: {}", path.display(), note.line, context.say(&note.say)));
    }
    Ok(file)
}

/// Accelerators in a word: `4 × MI355X`, `0.25 × any`; empty for none.
fn accelerators_text(request: &AcceleratorRequest, lang: Lang) -> String {
    if request.count == 0 {
        return String::new();
    }
    let models = match request.models.as_slice() {
        [] => Say::new("any-model").in_lang(lang),
        models => models.join("|"),
    };
    let count = if request.share.0 == 1_000 {
        request.count.to_string()
    } else {
        eaf_api::messages::cpu(eaf_model::CpuMilli(request.share.0.saturating_mul(request.count.into())))
    };
    format!("{count} × {models}")
}

/// What one task asks for, in words.
fn request_text(task: &TaskRequest, lang: Lang) -> String {
    let cpu = eaf_api::messages::cpu(task.cpu);
    let memory = eaf_api::messages::bytes(task.memory);
    let accelerators = accelerators_text(&task.accelerators, lang);
    let base = Say::new("request").with("cpu", cpu).with("memory", memory).in_lang(lang);
    if accelerators.is_empty() { base } else { format!("{base}, {accelerators}") }
}
