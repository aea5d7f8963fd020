//! `eaf checkpoint`: a task says that it has written a checkpoint.
//!
//! What: writes the file that the task finds by `EAF_CHECKPOINT`; the engine sees it and tells the factory. Why a file and
//! no socket: it is there while nobody listens, it passes every sandbox, its name may be long, and any program can write
//! it: `touch "$EAF_CHECKPOINT"` says the same. Absent: the checkpoint itself, and an answer of the factory.

use super::Context;
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use eaf_model::CHECKPOINT_LABEL_MAX;
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What this checkpoint is, such as "epoch 12"; shown with it.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// It holds what every task of the gang needs, not only what this one needs.
    #[arg(long)]
    whole_gang: bool,
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let door = std::env::var_os("EAF_CHECKPOINT").filter(|door| !door.is_empty()).map(PathBuf::from);
    let Some(door) = door else { return Err(Failure::new(exit::USAGE, Say::new("fail-checkpoint-outside"))) };
    if args.label.as_ref().is_some_and(|label| label.chars().count() > CHECKPOINT_LABEL_MAX) {
        let say = Say::new("fail-checkpoint-label").with("max", CHECKPOINT_LABEL_MAX);
        return Err(Failure::new(exit::USAGE, say));
    }
    let text = json!({ "label": args.label, "whole_gang": args.whole_gang }).to_string();
    write(&door, &text).map_err(|error| Failure::file("fail-write", &door, &error))?;
    context.screen.flush().map(|()| exit::OK)
}

/// Writes the file beside its place first, so that whoever looks finds all of it.
fn write(door: &Path, text: &str) -> std::io::Result<()> {
    let new = door.with_extension(format!("{}.new", std::process::id()));
    std::fs::write(&new, text)?;
    std::fs::rename(&new, door)
}
