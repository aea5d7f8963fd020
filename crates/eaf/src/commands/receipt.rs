//! `eaf receipt`: what a workload cost, as a signed document.
//!
//! What: shows it to people, gives it byte for byte to programs, checks one offline. Why the key is pinned: whoever can
//! write a receipt can sign it with a key of their own. Absent: making receipts; the factory does, from its journal.

use super::{Context, workload_id};
use crate::exit;
use crate::failure::Failure;
use crate::say::Say;
use crate::screen::Paint;
use eaf_api::receipt::{self, PublicKey, RECEIPT_BYTES_MAX, keys};
use std::io::Read;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show the receipt of an ended workload.
    Show(ShowArgs),
    /// Recompute a receipt and check its signature, without the factory.
    Verify(VerifyArgs),
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// The workload, such as wl-12 or wl-12.0.
    #[arg(value_name = "ID")]
    id: String,
    /// The signed document, byte for byte.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct VerifyArgs {
    /// The receipt; - for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The factory's public key, as text or as a file. Otherwise the data directory's.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// A JSON document for programs.
    #[arg(long)]
    json: bool,
}

/// The key that receipts are checked against: the one that was given, else the data directory's.
fn pinned(given: Option<&str>, context: &Context) -> Result<PublicKey, Failure> {
    let Some(given) = given else {
        let dir = context.data_dir().join("keys");
        return keys::load_public(&dir).map_err(|error| {
            let why = vec![keys::describe(context.lang, &error)];
            Failure::Said { code: exit::NOT_FOUND, say: Say::new("fail-no-key").with("path", dir.display()), why }
        });
    };
    if let Ok(key) = given.parse() {
        return Ok(key);
    }
    let text = std::fs::read_to_string(given).map_err(|error| Failure::file("fail-read", Path::new(given), &error))?;
    text.trim().parse().map_err(|_| Failure::new(exit::BAD_FILE, Say::new("fail-key").with("given", given)))
}

fn show(args: &ShowArgs, context: &mut Context) -> Result<u8, Failure> {
    let bytes = context.client()?.receipt(workload_id(&args.id)?)?;
    if args.json {
        return context.screen.bytes(&bytes).map(|()| exit::OK);
    }
    print(&bytes, context)
}

/// Prints a receipt for people: checked against this machine's key, or where that is another factory's, against the key
/// that it names itself, which shows that it adds up and not who made it.
pub(crate) fn print(bytes: &[u8], context: &mut Context) -> Result<u8, Failure> {
    let elsewhere = std::env::var_os("EAF_URL").is_some_and(|url| !url.is_empty());
    let known = if elsewhere { None } else { pinned(None, context).ok() };
    let Some(key) = known.or_else(|| receipt::stated_key(bytes)) else {
        return Err(Failure::new(exit::NOT_VERIFIED, Say::new("fail-receipt")));
    };
    let verified = receipt::verify(bytes, &key).map_err(|error| not_verified(&error, context))?;
    let text = receipt::render(&verified, context.lang);
    context.screen.bytes(text.as_bytes())?;
    if known.is_none() {
        context.screen.flush()?;
        context.screen.note(&context.say(&Say::new("receipt-unchecked")));
    }
    Ok(exit::OK)
}

fn not_verified(error: &receipt::ReceiptError, context: &Context) -> Failure {
    let why = vec![receipt::describe(context.lang, error)];
    Failure::Said { code: exit::NOT_VERIFIED, say: Say::new("fail-receipt"), why }
}

fn verify(args: &VerifyArgs, context: &mut Context) -> Result<u8, Failure> {
    let key = pinned(args.key.as_deref(), context)?;
    let (mut bytes, max) = (Vec::new(), RECEIPT_BYTES_MAX as u64 + 1);
    let read = if args.file == Path::new("-") {
        std::io::stdin().lock().take(max).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(&args.file).and_then(|file| file.take(max).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::file("fail-read", &args.file, &error))?;
    let verified = receipt::verify(&bytes, &key).map_err(|error| not_verified(&error, context))?;
    if args.json {
        return context.screen.json(&verified.receipt).map(|()| exit::OK);
    }
    let line = Say::new("receipt-verified").with("key", verified.key.fingerprint());
    let line = context.say(&line);
    context.screen.painted(Paint::Good, &line).map(|()| exit::OK)
}

pub(crate) fn run(args: &Args, context: &mut Context) -> Result<u8, Failure> {
    match &args.verb {
        Verb::Show(args) => show(args, context),
        Verb::Verify(args) => verify(args, context),
    }
}
