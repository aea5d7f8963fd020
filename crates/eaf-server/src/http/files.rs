//! `GET /v1/workloads/{id}/files`: files out of a workload's directory.
//!
//! What: a file as bytes, or a directory as a listing. Why the kernel resolves the path: it refuses, in one step, every
//! `..` and symbolic link that leads out, so a running workload cannot change a path between the check and the use.
//! Absent: writing.

use super::App;
use super::answer::{Refused, internal, json, with_type};
use super::extract::{Query, WorkloadPath};
use super::history;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use eaf_api::{EntryKind, Listing, ListingEntry, Refusal};
use futures_util::stream::unfold;
use rustix::fs::{Dir, FileType, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use serde::Deserialize;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use tokio::io::AsyncReadExt;

/// Entries of one listing.
const ENTRIES_MAX: usize = 10_000;
/// Bytes of a path.
const PATH_MAX: usize = 4_096;
/// Bytes that are read at once.
const PIECE: usize = 256 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    #[serde(default)]
    path: String,
}

/// What was found at a path.
enum Opened {
    File { file: File, size: u64 },
    Directory(Listing),
}

pub(super) async fn file(
    State(app): State<App>,
    WorkloadPath(id): WorkloadPath,
    Query(Parameters { path }): Query<Parameters>,
) -> Result<Response, Refused> {
    let at = app.view.latest();
    if history::find(&app, &at, id).await?.is_none() {
        return Err(history::absent(&app, &at, id).await);
    }
    let engine = app.engine.clone();
    let asked = path.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let root = engine.directory(id).ok_or(Errno::NOENT)?;
        open(&root, &asked)
    });
    match opened.await {
        Ok(Ok(Opened::File { file, size })) => Ok(send(file, size)),
        Ok(Ok(Opened::Directory(listing))) => Ok(json(&listing)),
        Ok(Err(Errno::IO | Errno::MFILE | Errno::NFILE)) => Err(Refusal::Internal.into()),
        Ok(Err(_)) => Err(Refusal::NoSuchFile { path: path.chars().take(200).collect() }.into()),
        Err(error) => Err(internal("reading a file", &error)),
    }
}

/// Opens a path below `root`. Everything that is not a file or a directory below it is `NOENT`.
fn open(root: &Path, path: &str) -> Result<Opened, Errno> {
    if path.len() > PATH_MAX || path.contains('\0') || path.starts_with('/') {
        return Err(Errno::NOENT);
    }
    // Not blocking: opening a named pipe would otherwise wait for its writer.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let root = rustix::fs::open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let below = if path.is_empty() { "." } else { path };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let found = openat2(&root, below, flags, Mode::empty(), resolve)?;
    let stat = rustix::fs::fstat(&found)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            Ok(Opened::File { file: File::from(found), size: u64::try_from(stat.st_size).unwrap_or(0) })
        }
        FileType::Directory => list(&found, path).map(Opened::Directory),
        _ => Err(Errno::NOENT),
    }
}

fn list(directory: &OwnedFd, path: &str) -> Result<Listing, Errno> {
    let mut entries = Vec::new();
    let mut cut = false;
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        if entries.len() == ENTRIES_MAX {
            cut = true;
            break;
        }
        let stat = rustix::fs::statat(directory, name, rustix::fs::AtFlags::SYMLINK_NOFOLLOW);
        // An entry may be gone between the listing and the look at it.
        let Ok(stat) = stat else { continue };
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => EntryKind::File,
            FileType::Directory => EntryKind::Directory,
            _ => EntryKind::Other,
        };
        let size = (kind == EntryKind::File).then(|| u64::try_from(stat.st_size).unwrap_or(0));
        entries.push(ListingEntry { name: name.to_string_lossy().into_owned(), kind, size });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Listing { path: path.trim_end_matches('/').to_owned(), entries, cut })
}

/// Sends as many bytes as the file had when it was opened; one that has shrunk meanwhile breaks off.
fn send(file: File, size: u64) -> Response {
    let state = (tokio::fs::File::from_std(file), size);
    let pieces = unfold(state, |(mut file, left)| async move {
        if left == 0 {
            return None;
        }
        let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
        match file.read(&mut piece).await {
            Ok(0) => Some((Err(io::Error::from(io::ErrorKind::UnexpectedEof)), (file, 0))),
            Ok(read) => {
                piece.truncate(read);
                Some((Ok(Bytes::from(piece)), (file, left - read as u64)))
            }
            Err(error) => Some((Err(error), (file, 0))),
        }
    });
    let mut response = with_type(StatusCode::OK, "application/octet-stream", Body::from_stream(pieces));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn check(root: &Path, path: &str, expect: Option<&str>) {
        let got = match open(root, path) {
            Ok(Opened::File { size, .. }) => Some(format!("file of {size}")),
            Ok(Opened::Directory(listing)) => {
                Some(listing.entries.iter().map(|entry| entry.name.clone()).collect::<Vec<_>>().join(" "))
            }
            Err(_) => None,
        };
        assert_eq!(got.as_deref(), expect, "{path:?}");
    }

    #[test]
    fn nothing_outside_of_the_directory_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::write(dir.path().join("secret"), "s").unwrap();
        std::fs::write(root.join("sub/out"), "12345").unwrap();
        symlink("../secret", root.join("up")).unwrap();
        symlink("/etc/passwd", root.join("absolute")).unwrap();
        symlink("sub/out", root.join("inside")).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, root.join("pipe"), FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();

        check(&root, "", Some("absolute inside pipe sub up"));
        check(&root, "sub/out", Some("file of 5"));
        check(&root, "sub/../sub/out", Some("file of 5"));
        check(&root, "inside", Some("file of 5"));
        for out in ["../secret", "up", "absolute", "/etc/passwd", "sub/../../secret", "pipe", "nothing", "a\0b"] {
            check(&root, out, None);
        }
    }
}
