//! Verifying a receipt, offline, against the factory's pinned public key.
//!
//! What: the seal first, by text alone, so that a byte changed anywhere is found on its line whatever it did to the JSON;
//! then the shape, the one way of writing, and every figure once more. Why the figures too, when the signature holds: a
//! receipt that its own factory got wrong does not pass either. Absent: trust in the key that the file brings along.

use super::document::{FORMAT, Figure, Receipt};
use super::error::{Mismatch, ReceiptError};
use super::keys::PublicKey;
use super::seal::{SEAL_LINE, SEAL_LINES, line_digest, read_key, read_signature, seal_lines, shown};
use ed25519_dalek::Signature;
use std::collections::BTreeMap;

/// The largest receipt, in bytes: a hundred attempts of thousands of tasks stay far below.
pub const RECEIPT_BYTES_MAX: usize = 64 << 20;

/// A receipt whose every byte is the word of the factory, and whose every figure adds up.
#[derive(Clone, Debug)]
pub struct VerifiedReceipt {
    /// What it says.
    pub receipt: Receipt,
    /// Whose word it is.
    pub key: PublicKey,
    /// The signature, in base64.
    pub signature: String,
}

/// The key that a file says it was sealed with, for a reader that has none to pin. It proves nothing: anybody can seal
/// anything with a key of their own.
pub fn stated_key(bytes: &[u8]) -> Option<PublicKey> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.lines().skip_while(|line| *line != SEAL_LINE).nth(1).and_then(read_key)?.parse().ok()
}

/// Checks a receipt against the factory's public key. An error names the line.
pub fn verify(bytes: &[u8], pinned: &PublicKey) -> Result<VerifiedReceipt, ReceiptError> {
    if bytes.len() > RECEIPT_BYTES_MAX {
        return Err(ReceiptError::TooLarge { bytes: bytes.len(), max: RECEIPT_BYTES_MAX });
    }
    let text = std::str::from_utf8(bytes).map_err(|error| ReceiptError::NotUtf8 {
        line: bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count(),
    })?;
    let lines: Vec<&str> = text.split('\n').collect();
    let seal_at = find_seal(&lines)?;
    check_key(&lines, seal_at, pinned)?;
    let body_bytes = lines[..seal_at].iter().map(|line| line.len() + 1).sum::<usize>();
    let body = &text[..body_bytes];
    let signature = lines[seal_at..].iter().find_map(|line| read_signature(line));
    let Some(signature) = signature.filter(|signature| pinned.signed(body.as_bytes(), signature)) else {
        return Err(find_change(&lines, seal_at, body));
    };
    check_seal(&lines, seal_at, pinned, &signature)?;
    let receipt = read(body)?;
    check_writing(&receipt, &lines, seal_at)?;
    for (figure, derived) in derivations(&receipt) {
        let line = || line_of_figure(&lines, &figure.name);
        let recomputed =
            derived.map_err(|source| ReceiptError::Formula { line: line(), figure: figure.name.clone(), source })?;
        if let Some(mismatch) = mismatch(figure, recomputed) {
            return Err(ReceiptError::DoesNotAddUp { line: line(), mismatch });
        }
    }
    Ok(VerifiedReceipt { receipt, key: *pinned, signature: shown(&signature) })
}

/// The index of the line that the seal begins with.
fn find_seal(lines: &[&str]) -> Result<usize, ReceiptError> {
    if let Some(at) = lines.iter().position(|line| *line == SEAL_LINE) {
        return Ok(at);
    }
    // The line itself was changed. Its number follows from the count of lines, or from its neighbour.
    let missing = |index: usize| Err(ReceiptError::Seal { line: index + 1, field: "seal".to_owned() });
    if let Some(at) = lines.iter().position(|line| line.contains("\"seal\": {")) {
        return missing(at);
    }
    if let Some(key_at) = lines.iter().position(|line| read_key(line).is_some()) {
        return missing(key_at.saturating_sub(1));
    }
    missing(lines.len().saturating_sub(1))
}

fn check_key(lines: &[&str], seal_at: usize, pinned: &PublicKey) -> Result<(), ReceiptError> {
    let line = seal_at + 2;
    let key = lines.get(seal_at + 1).and_then(|line| read_key(line));
    let key = key.ok_or_else(|| ReceiptError::Seal { line, field: "seal.key".to_owned() })?;
    if key == pinned.to_string() {
        return Ok(());
    }
    // A foreign "key" may be anything, as long as the file.
    let stated = key.chars().take(64).collect();
    Err(ReceiptError::ForeignKey { line, stated, pinned: pinned.to_string() })
}

/// Checks the lines of the seal of a body that is as it was signed.
fn check_seal(lines: &[&str], seal_at: usize, key: &PublicKey, signature: &Signature) -> Result<(), ReceiptError> {
    let digests: Vec<_> = lines[..seal_at].iter().map(|line| line_digest(line)).collect();
    // After the last newline there is nothing: the last line of the split is empty.
    let expected = seal_lines(key, &digests, signature).into_iter().chain([String::new()]);
    for (index, expected) in (seal_at + 1..).zip(expected) {
        if lines.get(index).is_none_or(|line| **line != *expected) {
            let line = index.min(lines.len() - 1) + 1;
            return Err(ReceiptError::SealChanged { line, field: seal_field(seal_at, index) });
        }
    }
    let end = 2 * seal_at + SEAL_LINES;
    if lines.len() > end + 1 {
        return Err(ReceiptError::SealChanged { line: end + 1, field: seal_field(seal_at, end) });
    }
    Ok(())
}

/// What a line of the seal is called.
fn seal_field(seal_at: usize, index: usize) -> String {
    match index - seal_at {
        1 => "seal.key".to_owned(),
        2 => "seal.lines".to_owned(),
        nth if nth < seal_at + 3 => format!("seal.lines[{}]", nth - 3),
        nth if nth == seal_at + 4 => "seal.signature".to_owned(),
        _ => "seal".to_owned(),
    }
}

/// Says which line of a receipt was changed whose signature does not hold.
fn find_change(lines: &[&str], seal_at: usize, body: &str) -> ReceiptError {
    let digest_line = |nth: usize| lines.get(seal_at + 3 + nth).copied().unwrap_or_default();
    for (nth, line) in lines[..seal_at].iter().enumerate() {
        if digest_line(nth).trim_end_matches(',') != format!("      \"{}\"", line_digest(line)) {
            let mismatch = read(body).ok().and_then(|receipt| first_mismatch(&receipt));
            return ReceiptError::Changed { line: nth + 1, field: field_of_line(lines, nth), mismatch };
        }
    }
    // Body and digests agree, so the seal itself was changed, cut, or made with another key.
    let structure = [(seal_at + 2, "    \"lines\": ["), (2 * seal_at + 3, "    ],")];
    for (index, expected) in structure {
        if lines.get(index) != Some(&expected) {
            return ReceiptError::Seal { line: index.min(lines.len() - 1) + 1, field: seal_field(seal_at, index) };
        }
    }
    ReceiptError::Signature { line: 2 * seal_at + 5 }
}

/// Reads the body as JSON.
fn read(body: &str) -> Result<Receipt, ReceiptError> {
    let closed = format!("{}\n}}", body.trim_end_matches('\n').trim_end_matches(','));
    let malformed = |line: usize, problem: String| ReceiptError::Malformed { line, problem };
    let receipt: Receipt =
        serde_json::from_str(&closed).map_err(|error| malformed(error.line().max(1), error.to_string()))?;
    if receipt.receipt == FORMAT {
        Ok(receipt)
    } else {
        Err(malformed(2, format!("format {} is not {FORMAT}, the one that is known", receipt.receipt)))
    }
}

fn check_writing(receipt: &Receipt, lines: &[&str], seal_at: usize) -> Result<(), ReceiptError> {
    let body = receipt.body();
    let mut expected = body.lines();
    for nth in 0..=seal_at {
        let found = if nth < seal_at { Some(lines[nth]) } else { None };
        if expected.next() != found {
            return Err(ReceiptError::NotCanonical { line: nth + 1, field: field_of_line(lines, nth) });
        }
    }
    Ok(())
}

/// Every figure with what its formula gives, from inputs and the stated values of the figures before it.
fn derivations(
    receipt: &Receipt,
) -> impl Iterator<Item = (&Figure, Result<Option<i64>, super::formula::FormulaError>)> {
    let mut stated = BTreeMap::<&str, Option<i64>>::new();
    receipt.figures.iter().map(move |figure| {
        let derived = figure.derive(|name| stated.get(name).copied());
        stated.insert(&figure.name, figure.value);
        (figure, derived)
    })
}

fn mismatch(figure: &Figure, recomputed: Option<i64>) -> Option<Mismatch> {
    let differs = figure.value != recomputed || figure.unknown.is_some() != figure.value.is_none();
    differs.then(|| Mismatch { figure: figure.name.clone(), stated: figure.value, recomputed })
}

fn first_mismatch(receipt: &Receipt) -> Option<Mismatch> {
    derivations(receipt).find_map(|(figure, derived)| mismatch(figure, derived.ok()?))
}

fn line_of_figure(lines: &[&str], name: &str) -> usize {
    lines.iter().position(|line| name_of_line(line) == Some(name)).map_or(1, |index| index + 1)
}

/// The name of the figure that a line holds.
fn name_of_line(line: &str) -> Option<&str> {
    line.strip_prefix("    {\"name\": \"")?.split('"').next()
}

/// What a line of the body is called: `price` for the figure, `workload.state`, `attempts[0]`.
fn field_of_line(lines: &[&str], index: usize) -> String {
    let key = |line: &str, indent: &str| -> Option<String> {
        let rest = line.strip_prefix(indent)?.strip_prefix('"')?;
        Some(rest.split('"').next().unwrap_or_default().chars().take(64).collect())
    };
    let line = lines.get(index).copied().unwrap_or_default();
    if let Some(name) = name_of_line(line) {
        return name.chars().take(128).collect();
    }
    if let Some(top) = key(line, "  ") {
        return top;
    }
    let section = (0..index.min(lines.len())).rev().find_map(|at| Some((at, key(lines[at], "  ")?)));
    match (section, key(line, "    ")) {
        (Some((_, section)), Some(name)) => format!("{section}.{name}"),
        (Some((at, section)), None) if line.starts_with("    ") => format!("{section}[{}]", index - at - 1),
        (Some((_, section)), None) => section,
        (None, _) => "receipt".to_owned(),
    }
}
