//! Sources: what tiers 0 and 1 may not touch, how large a file and a function may grow, and words that may not stay.

use crate::edges::PURE;
use crate::tree::{self, SourceFile};
use crate::{complains, none};

/// No file is longer than this.
const FILE_LINES_MAX: usize = 800;
/// No function is longer than this, from `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

/// What makes a value depend on more than its arguments.
const IMPURE: [&str; 24] = [
    "std::time::Instant",
    "Instant::now",
    "SystemTime",
    "std::thread",
    "thread_local!",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::io",
    "HashMap",
    "HashSet",
    "RandomState",
    "rand::",
    "getrandom",
    "println!",
    "eprintln!",
    "async fn",
    ".await",
    "tokio::",
    "Mutex",
    "RwLock",
    "Atomic",
    "static mut",
];

/// A float as the type of something. Its bare name may stand in a list of all types.
const FLOATS: [&str; 14] = [
    ": f32", ": f64", "-> f32", "-> f64", "as f32", "as f64", "(f32", "(f64", "<f32", "<f64", "[f32", "[f64", ", f32",
    ", f64",
];

/// Words that may not stay, in two halves each so that this list does not find itself.
const UNFINISHED: [(&str, &str); 9] = [
    ("to", "do!("),
    ("unimple", "mented!("),
    ("db", "g!("),
    ("FIX", "ME"),
    ("TO", "DO"),
    ("/work", "/shared"),
    ("/work", "/main"),
    ("DESIGN", ".md"),
    ("PAINS", ".md"),
];

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), text: text.to_owned() }
}

/// The lines of a file that are compiled into the crate: no comments, and nothing behind the unit tests.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.trim_start().starts_with("#[cfg(test)]"))
        .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or(line)))
}

fn is_pure_source(file: &SourceFile) -> bool {
    let in_source = |name: &str| file.path.starts_with(&format!("crates/{name}/src/"));
    file.is_rust() && PURE.iter().any(|name| in_source(name)) && !file.path.ends_with("/tests.rs")
}

/// Tiers 0 and 1: no clock, I/O, thread, environment, randomly ordered map, and no floats in what is kept.
fn impurities(file: &SourceFile) -> Vec<String> {
    if !is_pure_source(file) {
        return Vec::new();
    }
    let kept = matches!(file.crate_name(), Some("eaf-model" | "eaf-core"));
    let floats: &[&str] = if kept { &FLOATS } else { &[] };
    code_lines(&file.text)
        .flat_map(|(number, line)| {
            IMPURE.iter().chain(floats).filter(move |word| line.contains(**word)).map(move |word| (number, word))
        })
        .map(|(number, word)| format!("{}:{number}: `{word}` does not belong in tiers 0 and 1", file.path))
        .collect()
}

/// Sizes, and the words at the head of a file.
fn shape(file: &SourceFile) -> Vec<String> {
    let mut complaints = Vec::new();
    let lines: Vec<&str> = file.text.lines().collect();
    let generated = file.path == "Cargo.lock" || file.path.starts_with("data/") || is_generated(file);
    if lines.len() > FILE_LINES_MAX && !generated {
        complaints.push(format!("{}: {} lines; split it before {FILE_LINES_MAX}", file.path, lines.len()));
    }
    if !file.is_rust() {
        return complaints;
    }
    if !file.text.starts_with("//!") {
        complaints.push(format!("{}: a file opens with `//!`: what, why, and what is absent", file.path));
    }
    for (index, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if !opens_function(line.trim_start()) {
            continue;
        }
        // The code is formatted, so the brace that closes a function stands below the first letter of its head.
        let closing = format!("{}}}", " ".repeat(indent));
        let length = lines[index..].iter().position(|line| **line == closing).map_or(1, |at| at + 1);
        let one_line = line.ends_with('}') || line.ends_with(';');
        if !one_line && length > FUNCTION_LINES_MAX {
            let name = line.split("fn ").nth(1).and_then(|rest| rest.split(['(', '<']).next()).unwrap_or_default();
            complaints.push(format!("{}:{}: fn {name} has {length} lines; split it", file.path, index + 1));
        }
    }
    complaints
}

/// Files that a program writes, and that a test compares with what it writes.
fn is_generated(file: &SourceFile) -> bool {
    let extension = file.path.rsplit('.').next().unwrap_or_default();
    matches!(extension, "snap" | "jsonl") || file.path.ends_with("openapi.json")
}

fn opens_function(line: &str) -> bool {
    let mut words = line.split_whitespace().skip_while(|word| {
        matches!(*word, "pub" | "const" | "async" | "unsafe" | "extern" | "\"C\"") || word.starts_with("pub(")
    });
    words.next() == Some("fn")
}

/// Words that may not stay, and tests that do not run.
fn leftovers(file: &SourceFile) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        let mut complain = |what: &str| complaints.push(format!("{}:{}: `{what}` may not stay", file.path, number + 1));
        for (head, tail) in UNFINISHED {
            let word = format!("{head}{tail}");
            if line.contains(&word) {
                complain(&word);
            }
        }
        if file.is_rust() && line.trim_start().starts_with(concat!("#[", "ignore")) {
            complain("an ignored test");
        }
        let lower = line.to_lowercase();
        let ticket = concat!("iss", "ue ");
        let named = lower.match_indices(ticket).any(|(at, _)| {
            let next = lower[at + ticket.len()..].chars().next();
            next.is_some_and(|next| next.is_ascii_digit() || next == '#')
        });
        if named && !file.path.starts_with("data/") {
            complain("the number of a ticket");
        }
    }
    complaints
}

/// `unsafe` has one home: the module that starts processes.
fn unsafe_homes(files: &[SourceFile]) -> Vec<String> {
    let allows = concat!("allow(unsafe", "_code");
    let expects = concat!("expect(unsafe", "_code");
    let homes: Vec<&str> = files
        .iter()
        .filter(|file| file.is_rust() && (file.text.contains(allows) || file.text.contains(expects)))
        .map(|file| file.path.as_str())
        .collect();
    match homes[..] {
        [] => Vec::new(),
        [home] if home.starts_with("crates/eaf-engine/src/") => Vec::new(),
        _ => vec![format!("unsafe code is allowed in {homes:?}; one module of eaf-engine may have it")],
    }
}

fn check_all(rule: impl Fn(&SourceFile) -> Vec<String>) {
    none(&tree::files().iter().flat_map(rule).collect::<Vec<_>>());
}

#[test]
fn tiers_0_and_1_are_values_in_values_out() {
    check_all(impurities);
}

#[test]
fn files_and_functions_stay_small_and_say_what_they_are() {
    check_all(shape);
}

#[test]
fn nothing_unfinished_and_nothing_foreign_stays() {
    check_all(leftovers);
}

#[test]
fn unsafe_code_has_one_home() {
    none(&unsafe_homes(&tree::files()));
}

#[test]
fn an_impurity_is_seen() {
    let check = |text: &str, about| complains(&impurities(&file("crates/eaf-core/src/planted.rs", text)), about);
    check("fn now() { std::time::Instant::now(); }", "planted.rs:1: `std::time::Instant`");
    check("use std::collections::HashMap;", "HashMap");
    check("//! Words.\n\nfn go() { std::thread::spawn(|| ()); }", "planted.rs:3: `std::thread`");
    check("struct Score(f64);", "f64");
    none(&impurities(&file("crates/eaf-core/src/fine.rs", "all_types!(u64 f64 str);")));
    none(&impurities(&file("crates/eaf-core/src/fine.rs", "// A HashMap would not do.\nstruct Fine;")));
    none(&impurities(&file("crates/eaf-core/src/fine.rs", "struct Fine;\n#[cfg(test)]\nmod tests { use std::fs; }")));
    none(&impurities(&file("crates/eaf-server/src/clock.rs", "use std::time::Instant;")));
}

#[test]
fn a_large_or_nameless_file_is_seen() {
    let long_function =
        format!("//! A.\nimpl A {{\n    pub fn long() {{\n{}    }}\n}}\n", "        step();\n".repeat(70));
    complains(&shape(&file("crates/eaf/src/a.rs", &long_function)), "a.rs:3: fn long has 72 lines");
    complains(&shape(&file("crates/eaf/src/a.rs", &format!("//! A.\n{}", "//\n".repeat(800)))), "801 lines");
    complains(&shape(&file("crates/eaf/src/a.rs", "fn main() {}\n")), "opens with `//!`");
    none(&shape(&file("crates/eaf/src/a.rs", "//! A.\nfn main() {}\n")));
}

#[test]
fn a_leftover_is_seen() {
    let check = |text: &str, about| complains(&leftovers(&file("crates/eaf/src/a.rs", text)), about);
    check(concat!("    to", "do!()"), concat!("a.rs:1: `to", "do!("));
    check(concat!("    #[", "ignore]"), "ignored");
    check(concat!("// see iss", "ue 12"), "ticket");
    none(&leftovers(&file("crates/eaf/src/a.rs", "// Whoever issues receipts signs them.")));
    let stray = file("crates/eaf/src/a.rs", concat!("#![allow(unsafe", "_code)]"));
    complains(&unsafe_homes(&[stray]), "one module");
}
