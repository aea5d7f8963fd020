//! Files that people write: what to run, in TOML, in YAML, or as a shell script with `#SBATCH` lines.
//!
//! What: a text becomes a specification, or a problem that names its line. Why one reader behind three forms: a field is
//! judged once, in the same words. Absent: defaults of the factory and judgement of sizes; the core has them.

mod array;
mod doc;
mod fields;
mod figures;
pub(crate) mod policy;
mod sbatch;
mod slurm;
mod suggest;
mod workload;

pub(crate) use figures::{FigureProblem, parse_bytes, parse_cpu, parse_instant, parse_share, parse_span};
pub(crate) use workload::accelerators;

use crate::say::Say;
use eaf_model::WorkloadSpec;
use std::path::Path;

/// What a file asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WorkloadFile {
    /// What to run.
    pub(crate) spec: WorkloadSpec,
    /// The index values of an array; empty for a single workload.
    pub(crate) array: Vec<u16>,
    /// What the writer should know, though nothing is wrong.
    pub(crate) notes: Vec<Note>,
}

/// Something that is not wrong and yet not what its writer may think.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// The line, from 1.
    pub(crate) line: usize,
    /// What to know.
    pub(crate) say: Say,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileProblem {
    /// The line, from 1, where one can be named.
    pub(crate) line: Option<usize>,
    /// What is wrong there.
    pub(crate) say: Say,
}

impl FileProblem {
    fn at(line: usize, say: Say) -> Self {
        Self { line: Some(line), say }
    }
}

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Toml,
    Yaml,
    Script,
}

impl Form {
    /// By its ending, else by how it begins.
    fn of(path: &Path, text: &str) -> Self {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
        match ending.as_str() {
            "toml" => Self::Toml,
            "yaml" | "yml" | "json" => Self::Yaml,
            "sh" | "bash" | "sbatch" | "slurm" | "job" => Self::Script,
            _ if text.starts_with("#!") => Self::Script,
            _ => Self::Toml,
        }
    }
}

/// Reads a workload file. `path` names its form and, where the file names no name, the workload.
pub(crate) fn read(path: &Path, bytes: &[u8]) -> Result<WorkloadFile, FileProblem> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| FileProblem::at(doc::line_at(bytes, error.valid_up_to()), Say::new("file-not-utf8")))?;
    let mut file = match Form::of(path, text) {
        Form::Toml => workload::read(&doc::toml(text)?)?,
        Form::Yaml => workload::read(&doc::yaml(text)?)?,
        Form::Script => sbatch::read(text)?,
    };
    if file.spec.name.is_empty() {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).filter(|stem| !stem.is_empty() && *stem != "-");
        stem.unwrap_or("unnamed").clone_into(&mut file.spec.name);
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
