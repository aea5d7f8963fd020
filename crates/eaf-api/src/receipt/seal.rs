//! The seal: what makes a receipt the word of one factory.
//!
//! What: the lines that follow the body: the public key, the SHA-256 of every line of the body, and an ed25519 signature
//! over the body. Why a digest a line when a signature covers all: a signature only says that something was changed, and a
//! reader wants to know what. Absent: time stamps; the head of the journal in the body says when.

use super::document::Receipt;
use super::keys::{KeyPair, PublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signature;
use sha2::{Digest as _, Sha256};

/// The line that the seal begins with.
pub(super) const SEAL_LINE: &str = "  \"seal\": {";
/// The lines of a seal beside its digests: seal, key, digests, their end, signature, and two closing brackets.
pub(super) const SEAL_LINES: usize = 7;

/// Seals a receipt: the whole file, which ends with a newline.
pub fn sign(receipt: &Receipt, key: &KeyPair) -> String {
    seal(receipt.body(), key)
}

/// Seals a body.
pub(super) fn seal(body: String, key: &KeyPair) -> String {
    let signature = key.sign(body.as_bytes());
    let digests: Vec<_> = body.lines().map(line_digest).collect();
    let mut text = body;
    text.push_str(SEAL_LINE);
    text.push('\n');
    for line in seal_lines(&key.public(), &digests, &signature) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// The lines after that of the seal.
pub(super) fn seal_lines(key: &PublicKey, digests: &[String], signature: &Signature) -> Vec<String> {
    let mut lines = vec![key_line(key), "    \"lines\": [".to_owned()];
    let last = digests.len().saturating_sub(1);
    let ends = (0..digests.len()).map(|nth| if nth == last { "" } else { "," });
    lines.extend(digests.iter().zip(ends).map(|(digest, end)| format!("      \"{digest}\"{end}")));
    lines.extend(["    ],".to_owned(), signature_line(signature), "  }".to_owned(), "}".to_owned()]);
    lines
}

/// The line of the public key.
fn key_line(key: &PublicKey) -> String {
    format!("    \"key\": \"{key}\",")
}

/// The line of the signature.
fn signature_line(signature: &Signature) -> String {
    format!("    \"signature\": \"{}\"", shown(signature))
}

/// A signature in base64.
pub(super) fn shown(signature: &Signature) -> String {
    STANDARD.encode(signature.to_bytes())
}

/// Reads the line of the signature; `None` for any other line.
pub(super) fn read_signature(line: &str) -> Option<Signature> {
    let text = line.strip_prefix("    \"signature\": \"")?.strip_suffix('"')?;
    let signature = Signature::from_slice(&STANDARD.decode(text).ok()?).ok()?;
    (signature_line(&signature) == line).then_some(signature)
}

/// Reads the line of the public key; what is between its quotes, be it a key or not.
pub(super) fn read_key(line: &str) -> Option<&str> {
    line.strip_prefix("    \"key\": \"")?.strip_suffix("\",")
}

/// The SHA-256 of a line without its newline, in lower-case hexadecimal.
pub(super) fn line_digest(line: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    Sha256::digest(line.as_bytes()).iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
