//! What comes in from outside: licences, bans and sources, by `deny.toml`.
//!
//! What: every package that this machine would compile, against the same file that cargo-deny reads, with the same reader
//! of licence expressions. Why here too: this works wherever the project compiles. Absent: advisories, whose database is
//! not a package; `.ci/run` asks for them.

use crate::tree;
use crate::{complains, none};
use serde_json::Value;
use std::process::Command;

/// What `deny.toml` says.
struct Policy {
    licences: Vec<spdx::Licensee>,
    banned: Vec<String>,
    registries: Vec<String>,
}

fn policy() -> Policy {
    let table: toml::Table = tree::read("deny.toml").parse().expect("deny.toml is TOML");
    let strings = |section: &str, key: &str| -> Vec<String> {
        let list = table[section][key].as_array().expect("a list");
        let name = |entry: &toml::Value| entry.as_str().or_else(|| entry.get("crate")?.as_str()).map(str::to_owned);
        list.iter().map(|entry| name(entry).expect("a name")).collect()
    };
    let licence = |name: &String| spdx::Licensee::parse(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    Policy {
        licences: strings("licenses", "allow").iter().map(licence).collect(),
        banned: strings("bans", "deny"),
        registries: strings("sources", "allow-registry"),
    }
}

/// One package: its name, its licence, and where it is from (`None` for our own).
fn check(policy: &Policy, name: &str, licence: Option<&str>, source: Option<&str>) -> Vec<String> {
    let mut complaints = Vec::new();
    if policy.banned.iter().any(|banned| banned == name) {
        complaints.push(format!("{name} is banned"));
    }
    match licence.map(|text| spdx::Expression::parse_mode(text, spdx::ParseMode::LAX)) {
        None => complaints.push(format!("{name} states no licence")),
        Some(Err(error)) => complaints.push(format!("{name}: {licence:?} is not a licence expression: {error}")),
        Some(Ok(expression)) => {
            if !expression.evaluate(|wanted| policy.licences.iter().any(|allowed| allowed.satisfies(wanted))) {
                complaints.push(format!("{name}: the licence {licence:?} is not among those of deny.toml"));
            }
        }
    }
    let known = |source: &str| policy.registries.iter().any(|registry| source == format!("registry+{registry}"));
    if let Some(source) = source.filter(|source| !known(source)) {
        complaints.push(format!("{name} comes from {source}"));
    }
    complaints
}

/// The target that this machine compiles for.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc can be run");
    let text = String::from_utf8(output.stdout).expect("rustc writes UTF-8");
    text.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host").to_owned()
}

#[test]
fn dependencies_are_licensed_and_from_the_registry() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version=1", "--filter-platform", &host()])
        .current_dir(tree::root())
        .output()
        .expect("cargo can be run");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 50, "only {} packages were listed", packages.len());
    let policy = policy();
    let text = |package: &Value, key: &str| package[key].as_str().map(str::to_owned);
    let complaints: Vec<String> = packages
        .iter()
        .flat_map(|package| {
            let name = text(package, "name").expect("a package has a name");
            check(&policy, &name, text(package, "license").as_deref(), text(package, "source").as_deref())
        })
        .collect();
    none(&complaints);
}

#[test]
fn a_foreign_licence_ban_or_source_is_seen() {
    let policy = policy();
    let registry = Some("registry+https://github.com/rust-lang/crates.io-index");
    complains(&check(&policy, "planted", Some("AGPL-3.0-only"), registry), "AGPL-3.0-only");
    complains(&check(&policy, "planted", Some("MIT AND SSPL-1.0"), registry), "SSPL-1.0");
    complains(&check(&policy, "planted", None, registry), "states no licence");
    complains(&check(&policy, "openssl", Some("Apache-2.0"), registry), "banned");
    complains(&check(&policy, "planted", Some("MIT"), Some("git+https://example.com/x")), "comes from git+");
    none(&check(&policy, "planted", Some("GPL-3.0-only OR MIT"), registry));
}
