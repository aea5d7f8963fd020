//! Is the database file as long as it says?
//!
//! What: compares the length of the file with the count of pages in its own header, allowing for pages that only the
//! write-ahead log has. Why: SQLite looks only where there is no log, and a file that was cut behind a crash would be
//! noticed when a page is missed, which may be never. Absent: checksums; the hash chain is over what matters.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

const WAL_HEADER_BYTES: u64 = 32;
const FRAME_HEADER_BYTES: u64 = 24;

/// The first page that is neither in the file nor in its log, if one is missing.
/// Formats: <https://www.sqlite.org/fileformat2.html>, sections 1.3 and 4.
pub(super) fn missing_page(path: &Path) -> io::Result<Option<u32>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut header = [0_u8; 32];
    if length < header.len() as u64 {
        return Ok(None);
    }
    file.read_exact_at(&mut header, 0)?;
    if !header.starts_with(b"SQLite format 3\0") {
        // No database: that is found out, and said, by whoever opens it.
        return Ok(None);
    }
    let page_bytes = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        bytes => u64::from(bytes),
    };
    let pages = u32::from_be_bytes([header[28], header[29], header[30], header[31]]);
    if page_bytes == 0 || u64::from(pages) * page_bytes <= length {
        return Ok(None);
    }
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    let logged = logged_pages(Path::new(&wal), page_bytes)?;
    let first = u32::try_from(length / page_bytes).unwrap_or(u32::MAX).saturating_add(1);
    Ok((first..=pages).find(|page| !logged.contains(page)))
}

/// The pages of the frames that belong to the present run of the log: those with its salt.
fn logged_pages(path: &Path, page_bytes: u64) -> io::Result<std::collections::BTreeSet<u32>> {
    let mut pages = std::collections::BTreeSet::new();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(pages),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    if length < WAL_HEADER_BYTES {
        return Ok(pages);
    }
    let mut salt = [0_u8; 8];
    file.read_exact_at(&mut salt, 16)?;
    let mut at = WAL_HEADER_BYTES;
    while at + FRAME_HEADER_BYTES + page_bytes <= length {
        let mut frame = [0_u8; 16];
        file.read_exact_at(&mut frame, at)?;
        if frame[8..] != salt {
            break;
        }
        pages.insert(u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]));
        at += FRAME_HEADER_BYTES + page_bytes;
    }
    Ok(pages)
}
