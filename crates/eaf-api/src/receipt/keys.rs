//! Keys: the one that a factory signs its receipts with, and the public one that readers pin.
//!
//! What: `receipt.key` (one line, mode 0600) and `receipt.pub` (base64) in a directory. Why a refusal where others may read
//! the key: a receipt signed with it would no longer be the word of the factory. Absent: passwords, and key servers.

use crate::messages::{Lang, Value, text};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The file of the key pair.
pub const KEY_FILE: &str = "receipt.key";
/// The file of the public key, for readers to pin.
pub const PUBLIC_KEY_FILE: &str = "receipt.pub";
/// What the line of the key file begins with.
const KEY_PREFIX: &str = "eaf-receipt-key-1 ";

/// Why there is no key pair.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The system refused.
    #[error("{}: {doing}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The key file is not one.
    #[error("{} is not a receipt key; restore it from a backup, or move it away to have another made", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// Others may read the key file.
    #[error("{} has mode {mode:o}; run `chmod 600` on it, and replace it if somebody may have read it", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The system has no randomness.
    #[error("no randomness for a receipt key")]
    Randomness(#[source] io::Error),
}

/// Why there is no key pair, in the reader's language.
pub fn describe(lang: Lang, error: &KeyError) -> String {
    let path = |path: &Path| ("path", Value::from(path.display().to_string()));
    match error {
        KeyError::Io { path: at, doing, source } => {
            text(lang, "receipt-key-io", &[path(at), ("doing", (*doing).into()), ("why", source.to_string().into())])
        }
        KeyError::NotAKey { path: at } => text(lang, "receipt-key-not-a-key", &[path(at)]),
        KeyError::Exposed { path: at, mode } => {
            text(lang, "receipt-key-exposed", &[path(at), ("mode", format!("{mode:o}").into())])
        }
        KeyError::Randomness(why) => text(lang, "receipt-key-randomness", &[("why", why.to_string().into())]),
    }
}

/// That a text is no public key, in the reader's language.
pub fn describe_not_public(lang: Lang) -> String {
    text(lang, "receipt-key-not-public", &[])
}

/// A text that is no public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a receipt key; expected 44 characters of base64, as in {PUBLIC_KEY_FILE}")]
pub struct NotAPublicKey;

/// A factory's public key. Shown, and read, as base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// A short name of the key, for people to compare: `SHA256:` and base64 without padding, as ssh shows keys.
    pub fn fingerprint(&self) -> String {
        let digest = STANDARD.encode(Sha256::digest(self.0.as_bytes()));
        format!("SHA256:{}", digest.trim_end_matches('='))
    }

    /// True where this key signed these bytes.
    pub(super) fn signed(&self, bytes: &[u8], signature: &Signature) -> bool {
        self.0.verify_strict(bytes, signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0.as_bytes()))
    }
}

impl FromStr for PublicKey {
    type Err = NotAPublicKey;

    fn from_str(text: &str) -> Result<Self, NotAPublicKey> {
        let bytes = STANDARD.decode(text.trim()).map_err(|_| NotAPublicKey)?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| NotAPublicKey)?;
        let key = VerifyingKey::from_bytes(&bytes).map_err(|_| NotAPublicKey)?;
        // A weak key takes one signature for many texts.
        if key.is_weak() { Err(NotAPublicKey) } else { Ok(Self(key)) }
    }
}

/// A factory's key pair.
#[derive(Clone)]
pub struct KeyPair(SigningKey);

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({})", self.public())
    }
}

impl KeyPair {
    /// The key pair of a seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> Signature {
        self.0.sign(bytes)
    }

    /// The line of the key file.
    fn to_line(&self) -> String {
        format!("{KEY_PREFIX}{}\n", STANDARD.encode(self.0.as_bytes()))
    }

    fn from_line(line: &str) -> Option<Self> {
        let seed = STANDARD.decode(line.strip_prefix(KEY_PREFIX)?.strip_suffix('\n')?).ok()?;
        Some(Self::from_seed(&seed.try_into().ok()?))
    }
}

/// The key pair of a directory; made there, once, where there is none. The directory exists.
///
/// A key is on disk, under its name, before it signs anything.
pub fn load_or_create(directory: &Path) -> Result<KeyPair, KeyError> {
    let path = directory.join(KEY_FILE);
    let pair = match load(&path)? {
        Some(pair) => pair,
        None => create(directory, &path)?,
    };
    publish(directory, &pair)?;
    Ok(pair)
}

/// The public key of a directory, for checking receipts without the private one.
pub fn load_public(directory: &Path) -> Result<PublicKey, KeyError> {
    let path = directory.join(PUBLIC_KEY_FILE);
    let text = fs::read_to_string(&path).map_err(at(&path, "read the public key"))?;
    text.parse().map_err(|NotAPublicKey| KeyError::NotAKey { path })
}

fn at(path: &Path, doing: &'static str) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.to_owned();
    move |source| KeyError::Io { path, doing, source }
}

fn load(path: &Path) -> Result<Option<KeyPair>, KeyError> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            return Err(KeyError::NotAKey { path: path.into() });
        }
        read => read.map_err(at(path, "read the receipt key"))?,
    };
    let mode = fs::metadata(path).map_err(at(path, "read the mode of the receipt key"))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.into(), mode });
    }
    KeyPair::from_line(&text).map(Some).ok_or_else(|| KeyError::NotAKey { path: path.into() })
}

fn create(directory: &Path, path: &Path) -> Result<KeyPair, KeyError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| KeyError::Randomness(io::Error::other(error)))?;
    let pair = KeyPair::from_seed(&seed);
    let draft = directory.join(format!("{KEY_FILE}.draft"));
    write_new(&draft, pair.to_line().as_bytes(), 0o600)?;
    // A link never replaces: of two that start at once, one makes the key and the other takes it.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft).map_err(at(&draft, "remove the draft of the receipt key"))?;
    sync_directory(directory)?;
    match linked {
        Ok(()) => Ok(pair),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            load(path)?.ok_or_else(|| KeyError::NotAKey { path: path.into() })
        }
        Err(error) => Err(at(path, "name the receipt key")(error)),
    }
}

/// Writes the public key beside the pair, where it is not there already.
fn publish(directory: &Path, pair: &KeyPair) -> Result<(), KeyError> {
    let path = directory.join(PUBLIC_KEY_FILE);
    let line = format!("{}\n", pair.public());
    if fs::read(&path).is_ok_and(|there| there == line.as_bytes()) {
        return Ok(());
    }
    let draft = directory.join(format!("{PUBLIC_KEY_FILE}.draft"));
    write_new(&draft, line.as_bytes(), 0o644)?;
    fs::rename(&draft, &path).map_err(at(&path, "name the public key"))?;
    sync_directory(directory)
}

/// Writes a file that was not there (what a crash left of it is replaced) and waits until it is on disk.
fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(path, "remove an old draft")(error)),
        _ => {}
    }
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(at(path, "create the file"))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(at(path, "write the file"))
}

fn sync_directory(directory: &Path) -> Result<(), KeyError> {
    File::open(directory).and_then(|opened| opened.sync_all()).map_err(at(directory, "sync the directory"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        let directory = tempfile::tempdir().unwrap();
        let first = load_or_create(directory.path()).unwrap();
        let again = load_or_create(directory.path()).unwrap();
        assert_eq!(first.public(), again.public());
        assert_eq!(load_public(directory.path()).unwrap(), first.public());
        let path = directory.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2, "no draft is left");
        fs::remove_file(directory.path().join(PUBLIC_KEY_FILE)).unwrap();
        load_or_create(directory.path()).unwrap();
        assert_eq!(load_public(directory.path()).unwrap(), first.public(), "the public key follows from the pair");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(load_or_create(directory.path()), Err(KeyError::Exposed { mode: 0o640, .. })));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(KEY_FILE);
        for text in [&b""[..], b"eaf-receipt-key-1 AAAA\n", b"\xff", b"eaf-receipt-key-1 ", &[b'a'; 5_000]] {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(load_or_create(directory.path()), Err(KeyError::NotAKey { .. })), "{text:?}");
        }
        assert!(matches!(load_or_create(&path), Err(KeyError::Io { .. })));
    }

    #[test]
    fn every_error_has_words_in_both_languages() {
        let errors = [
            KeyError::Io { path: "/x".into(), doing: "read the receipt key", source: io::Error::other("3") },
            KeyError::NotAKey { path: "/x".into() },
            KeyError::Exposed { path: "/x".into(), mode: 0o644 },
            KeyError::Randomness(io::Error::other("3")),
        ];
        for lang in Lang::ALL {
            let words = errors.iter().map(|error| describe(lang, error)).chain([describe_not_public(lang)]);
            for words in words {
                assert!(words.contains(' ') && !words.contains("receipt-key") && !words.contains('{'), "{words}");
            }
        }
    }

    #[test]
    fn public_keys_read_back_what_they_show() {
        let key = KeyPair::from_seed(&[7; 32]).public();
        assert_eq!(format!(" {key}\n").parse(), Ok(key));
        assert!(key.fingerprint().starts_with("SHA256:") && key.fingerprint().len() == 50);
        for bad in ["", "AAAA", "~", &"A".repeat(44), &"A".repeat(4_000)] {
            assert_eq!(bad.parse::<PublicKey>(), Err(NotAPublicKey), "{bad}");
        }
        // The neutral point takes any text.
        assert_eq!(STANDARD.encode([[1].as_slice(), &[0; 31]].concat()).parse::<PublicKey>(), Err(NotAPublicKey));
    }
}
