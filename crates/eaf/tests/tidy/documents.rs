//! Documents that must agree with the tree: `ARCHITECTURE.md`, `GLOSSARY.md`, `CHANGELOG.md`, `data/SOURCES.md`.
//!
//! What: every crate and module folder is in the code map and nothing else is; the table of limits shows the defaults of
//! the code; every word of the glossary is a name in the code and has one meaning; every file of data names its source.

use crate::tree::{self, SourceFile};
use crate::{complains, none};
use serde_json::{Value, to_value};
use std::collections::{BTreeMap, BTreeSet};

/// The code map: each crate that has a heading of its own, with the text below it.
fn code_map(architecture: &str) -> BTreeMap<String, String> {
    let mut sections = BTreeMap::new();
    for part in architecture.split("\n### `crates/").skip(1) {
        let (name, rest) = part.split_once('`').unwrap_or((part, ""));
        let body = rest.split("\n## ").next().unwrap_or_default();
        sections.insert(name.to_owned(), body.to_owned());
    }
    sections
}

/// The folders of modules in each crate.
fn module_folders(files: &[SourceFile]) -> BTreeMap<String, BTreeSet<String>> {
    let mut folders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let Some(name) = file.crate_name() else { continue };
        let known = folders.entry(name.to_owned()).or_default();
        let inside = file.path.strip_prefix(&format!("crates/{name}/src/")).and_then(|path| path.split_once('/'));
        if let Some((folder, _)) = inside {
            known.insert(folder.to_owned());
        }
    }
    folders
}

/// The code map and the tree name the same things.
fn map_agrees(architecture: &str, folders: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let map = code_map(architecture);
    let mut complaints = Vec::new();
    for (name, modules) in folders {
        let Some(section) = map.get(name) else {
            complaints.push(format!("ARCHITECTURE.md: the code map has no heading for crates/{name}"));
            continue;
        };
        if !section.contains("**Invariant") {
            complaints.push(format!("ARCHITECTURE.md: crates/{name} states no invariant"));
        }
        for module in modules.iter().filter(|module| !section.contains(&format!("`{module}/`"))) {
            complaints.push(format!("ARCHITECTURE.md: crates/{name} does not say what is in `{module}/`"));
        }
        for named in folder_words(section) {
            if !modules.contains(&named) {
                complaints.push(format!("ARCHITECTURE.md: crates/{name} has no folder `{named}/`"));
            }
        }
    }
    for name in map.keys().filter(|name| !folders.contains_key(*name)) {
        complaints.push(format!("ARCHITECTURE.md: there is no crates/{name}"));
    }
    complaints
}

/// Words such as `work/`, in backticks and without a path before them.
fn folder_words(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let word =
        |text: &str| text.strip_suffix('/').filter(|name| !name.contains('/') && !name.is_empty()).map(str::to_owned);
    quoted.filter_map(word).collect()
}

/// Rows of the tables of a document, as cells without backticks.
fn rows(text: &str) -> impl Iterator<Item = Vec<String>> {
    text.lines()
        .filter(|line| line.starts_with("| ") && !line.contains("---"))
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`').to_owned()).collect())
}

/// A figure with its unit, in the unit of the code: spans in milliseconds, sizes in bytes.
fn figure(text: &str) -> Option<u64> {
    let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
    let scale = match unit {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    number.replace(',', "").parse::<u64>().ok()?.checked_mul(scale)
}

/// The table of limits shows every default of the code.
fn limits_agree(architecture: &str, defaults: &BTreeMap<String, u64>) -> Vec<String> {
    let shown: BTreeMap<String, String> =
        rows(architecture).filter(|row| row.len() >= 2).map(|row| (row[0].clone(), row[1].clone())).collect();
    let mut complaints = Vec::new();
    for (name, value) in defaults {
        match shown.get(name) {
            None => complaints.push(format!("ARCHITECTURE.md: the table of limits has no row for `{name}` ({value})")),
            Some(cell) if figure(cell) != Some(*value) => {
                complaints.push(format!("ARCHITECTURE.md: `{name}` is shown as {cell} and is {value} in the code"));
            }
            Some(_) => {}
        }
    }
    complaints
}

/// Every integer of the defaults, by its name.
fn defaults() -> BTreeMap<String, u64> {
    let config = eaf_server::Config::default();
    let core = &config.settings;
    let values = [to_value(&core.limits), to_value(&core.timing), to_value(&core.estimates), to_value(&config.limits)];
    let mut found = BTreeMap::from([("log_bytes_max".to_owned(), config.engine.log_bytes_max.0)]);
    for value in values {
        let Ok(Value::Object(fields)) = value else { panic!("settings are an object") };
        found.extend(fields.into_iter().filter_map(|(name, value)| Some((name, value.as_u64()?))));
    }
    found
}

/// Each word of the glossary has both languages, one meaning, and a name in the code that is there.
fn glossary_agrees(glossary: &str, files: &[SourceFile]) -> Vec<String> {
    let words: Vec<Vec<String>> = rows(glossary).filter(|row| row[0] != "English").collect();
    let mut complaints = Vec::new();
    let mut seen = BTreeSet::new();
    if words.len() < 20 {
        complaints.push(format!("GLOSSARY.md: only {} words were read", words.len()));
    }
    for row in &words {
        let [english, korean, meaning, code] = &row[..] else {
            complaints.push(format!("GLOSSARY.md: {row:?} does not have four cells"));
            continue;
        };
        if !korean.chars().any(|letter| ('가'..='힣').contains(&letter)) || meaning.is_empty() {
            complaints.push(format!("GLOSSARY.md: {english} lacks its Korean word or its meaning"));
        }
        if !seen.insert(english.to_lowercase()) || !seen.insert(korean.clone()) {
            complaints.push(format!("GLOSSARY.md: {english} ({korean}) stands there twice; one meaning each"));
        }
        if !files.iter().any(|file| file.is_rust() && defines(&file.text, code)) {
            complaints.push(format!("GLOSSARY.md: {english} is `{code}` in the code, and nothing there has that name"));
        }
    }
    complaints
}

/// True where the text defines a type, a variant, a field, a function or a macro of this name.
fn defines(text: &str, name: &str) -> bool {
    let last = name.rsplit("::").next().unwrap_or(name);
    text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")).any(|line| {
        let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
        let line = ["struct ", "enum ", "trait ", "type ", "const fn ", "fn ", "mod "]
            .iter()
            .find_map(|head| line.strip_prefix(head))
            .unwrap_or(line);
        let rest = line.strip_prefix(last);
        rest.is_some_and(|rest| rest.chars().next().is_none_or(|next| !next.is_alphanumeric() && next != '_'))
    })
}

/// Every file below `data/` is named in its list of sources.
fn sources_agree(sources: &str, files: &[SourceFile]) -> Vec<String> {
    let data = files.iter().filter_map(|file| file.path.strip_prefix("data/")).filter(|name| *name != "SOURCES.md");
    data.filter(|name| !sources.contains(&format!("`{name}`")))
        .map(|name| format!("data/SOURCES.md does not say where `{name}` is from"))
        .collect()
}

#[test]
fn the_code_map_agrees_with_the_tree() {
    none(&map_agrees(&tree::read("ARCHITECTURE.md"), &module_folders(&tree::files())));
}

#[test]
fn the_table_of_limits_agrees_with_the_code() {
    let defaults = defaults();
    assert!(defaults.len() >= 28, "only {} defaults were read", defaults.len());
    none(&limits_agree(&tree::read("ARCHITECTURE.md"), &defaults));
}

#[test]
fn the_glossary_agrees_with_the_code() {
    none(&glossary_agrees(&tree::read("GLOSSARY.md"), &tree::files()));
}

#[test]
fn data_names_its_sources() {
    none(&sources_agree(&tree::read("data/SOURCES.md"), &tree::files()));
}

#[test]
fn the_changelog_speaks_of_this_version() {
    let heading = format!("## [{}]", env!("CARGO_PKG_VERSION"));
    assert!(tree::read("CHANGELOG.md").contains(&heading), "CHANGELOG.md has no heading {heading}");
}

#[test]
fn a_document_that_is_behind_is_seen() {
    let files = [SourceFile { path: "crates/eaf-core/src/work/submit.rs".into(), text: "//! A.".into() }];
    let folders = module_folders(&files);
    let map = |body: &str| format!("## Code map\n\n### `crates/eaf-core`\n{body}\n## Boundaries\n");
    complains(&map_agrees("## Code map\n", &folders), "no heading for crates/eaf-core");
    complains(&map_agrees(&map("**Invariant:** no clock."), &folders), "does not say what is in `work/`");
    complains(&map_agrees(&map("`work/` **Invariant:** `gone/`"), &folders), "no folder `gone/`");
    complains(&map_agrees(&map("`work/`"), &folders), "no invariant");
    complains(&map_agrees("\n### `crates/eaf-gone`\n", &folders), "no crates/eaf-gone");
    none(&map_agrees(&map("`work/` **Invariant:** no clock."), &folders));

    let defaults = BTreeMap::from([("nodes_max".to_owned(), 5), ("start_timeout".to_owned(), 600_000)]);
    complains(&limits_agree("| `nodes_max` | 6 | x |", &defaults), "shown as 6 and is 5");
    complains(&limits_agree("| `nodes_max` | 5 | x |", &defaults), "no row for `start_timeout`");
    none(&limits_agree("| `nodes_max` | 5 | x |\n| `start_timeout` | 10 min | x |", &defaults));

    let gone = "| Gizmo | 장치 | a thing | `Gizmo` |";
    complains(&glossary_agrees(gone, &files), "nothing there has that name");
    complains(&glossary_agrees("| Gizmo | gizmo | a thing | `Gizmo` |", &files), "lacks its Korean word");
    complains(&glossary_agrees(&format!("{gone}\n{gone}"), &files), "twice");

    let stray = [SourceFile { path: "data/prices.toml".into(), text: String::new() }];
    complains(&sources_agree("", &stray), "`prices.toml`");
}
