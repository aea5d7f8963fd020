//! `eaf cp`: files out of a workload's directory.
//!
//! What: one file, or a directory with what is below it. Why names are checked here too: they come from a workload, and
//! none may lead out of the destination. Absent: copying in; a workload brings its own files or fetches them.

use super::{Context, workload_id};
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use eaf_api::client::{Client, FileReply};
use eaf_api::{EntryKind, Listing};
use eaf_model::WorkloadId;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// How deep directories may lie in one another.
const DEPTH_MAX: usize = 64;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to copy: a workload and a path in its directory, such as wl-12:out/model.bin.
    #[arg(value_name = "ID:PATH")]
    from: String,
    /// Where to: a file, a directory, or - for standard output.
    #[arg(value_name = "DEST")]
    to: PathBuf,
}

/// A copy under way.
struct Copy<'a> {
    client: &'a Client,
    id: WorkloadId,
    files: u64,
    bytes: u64,
}

fn write_failed(path: &Path) -> impl Fn(io::Error) -> Failure {
    move |error| Failure::file("fail-write", path, &error)
}

impl Copy<'_> {
    fn file(&mut self, content: &mut dyn Read, to: &Path) -> Result<(), Failure> {
        let mut file = File::create(to).map_err(write_failed(to))?;
        self.bytes += io::copy(content, &mut file).map_err(write_failed(to))?;
        self.files += 1;
        Ok(())
    }

    fn directory(&mut self, listing: &Listing, to: &Path, depth: usize) -> Result<(), Failure> {
        if listing.cut || depth == 0 {
            let say = Say::new("fail-directory-too-large").with("path", &listing.path);
            return Err(Failure::new(exit::FAILED, say));
        }
        fs::create_dir_all(to).map_err(write_failed(to))?;
        for entry in &listing.entries {
            let harmless =
                !entry.name.is_empty() && !entry.name.contains('/') && entry.name != "." && entry.name != "..";
            if !harmless || entry.kind == EntryKind::Other {
                continue;
            }
            let below =
                if listing.path.is_empty() { entry.name.clone() } else { format!("{}/{}", listing.path, entry.name) };
            self.any(&below, &to.join(&entry.name), depth - 1)?;
        }
        Ok(())
    }

    fn any(&mut self, path: &str, to: &Path, depth: usize) -> Result<(), Failure> {
        match self.client.file(self.id, path)? {
            FileReply::File { mut content, .. } => self.file(&mut content, to),
            FileReply::Directory(listing) => self.directory(&listing, to, depth),
        }
    }
}

fn to_output(client: &Client, id: WorkloadId, path: &str) -> Result<u8, Failure> {
    let FileReply::File { mut content, .. } = client.file(id, path)? else {
        return Err(Failure::new(exit::FAILED, Say::new("fail-directory-to-output").with("path", path)));
    };
    let mut out = io::stdout().lock();
    io::copy(&mut content, &mut out).and_then(|_| out.flush()).map_err(|error| Failure::output(&error))?;
    Ok(exit::OK)
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    let Some((id, path)) = args.from.split_once(':') else {
        return Err(Failure::new(exit::USAGE, Say::new("fail-cp-source").with("given", &args.from)));
    };
    let (client, id) = (context.client()?, workload_id(id)?);
    let path = path.trim_matches('/');
    let path = if path == "." { "" } else { path };
    if args.to == Path::new("-") {
        return to_output(&client, id, path);
    }
    let name = path.rsplit('/').next().filter(|name| !name.is_empty());
    let to = match name {
        Some(name) if args.to.is_dir() => args.to.join(name),
        _ => args.to.clone(),
    };
    let mut copy = Copy { client: &client, id, files: 0, bytes: 0 };
    copy.any(path, &to, DEPTH_MAX)?;
    let size = eaf_api::messages::bytes(eaf_model::Bytes(copy.bytes));
    let done = Say::new("cp-done").count("files", copy.files).with("size", size).with("to", to.display());
    context.screen.note(&context.say(&done));
    Ok(exit::OK)
}
