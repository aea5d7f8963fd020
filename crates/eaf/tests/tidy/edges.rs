//! Crate edges: lower tiers only.
//!
//! What: which crate may use which, and how few outside crates tiers 0 and 1 may have. The table is the rule; a new crate
//! without a line in it fails.

use crate::tree;
use crate::{complains, none};

/// Each crate with the crates of the house that it may use.
const MAY_USE: [(&str, &[&str]); 10] = [
    ("eaf-model", &[]),
    ("eaf-sched", &["eaf-model"]),
    ("eaf-energy", &["eaf-model"]),
    ("eaf-core", &["eaf-model", "eaf-sched", "eaf-energy"]),
    ("eaf-store", &["eaf-model", "eaf-core"]),
    ("eaf-engine", &["eaf-model"]),
    ("eaf-api", &["eaf-model"]),
    ("eaf-server", &["eaf-model", "eaf-sched", "eaf-energy", "eaf-core", "eaf-store", "eaf-engine", "eaf-api"]),
    ("eaf-twin", &["eaf-model", "eaf-sched", "eaf-energy", "eaf-core", "eaf-store"]),
    (
        "eaf",
        &[
            "eaf-model",
            "eaf-sched",
            "eaf-energy",
            "eaf-core",
            "eaf-store",
            "eaf-engine",
            "eaf-api",
            "eaf-server",
            "eaf-twin",
        ],
    ),
];

/// Tiers 0 and 1: values in, values out.
pub(crate) const PURE: [&str; 4] = ["eaf-model", "eaf-sched", "eaf-energy", "eaf-core"];

/// What the pure crates may use from outside.
const PURE_MAY_USE: [&str; 4] = ["serde", "imbl", "libm", "thiserror"];

fn check(name: &str, manifest: &str) -> Vec<String> {
    let Some((_, allowed)) = MAY_USE.iter().find(|(known, _)| *known == name) else {
        return vec![format!("{name}: this crate has no tier; add it to the table of edges")];
    };
    let manifest: toml::Table = manifest.parse().expect("a manifest is TOML");
    let mut complaints = Vec::new();
    let tables = [manifest.get("dependencies"), manifest.get("build-dependencies")];
    let target = manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    let of_targets = target.map(|table| table.get("dependencies"));
    for (dependency, _) in tables.into_iter().chain(of_targets).flatten().filter_map(toml::Value::as_table).flatten() {
        let ours = dependency == "eaf" || dependency.starts_with("eaf-");
        if ours && !allowed.contains(&dependency.as_str()) {
            complaints.push(format!("{name} may not use {dependency}: lower tiers only"));
        }
        if !ours && PURE.contains(&name) && !PURE_MAY_USE.contains(&dependency.as_str()) {
            complaints
                .push(format!("{name} may not use {dependency}: tiers 0 and 1 have {PURE_MAY_USE:?} from outside"));
        }
    }
    // Tests may not climb either: a test of a lower crate that needs an upper one belongs to the upper one.
    for dependency in
        manifest.get("dev-dependencies").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys)
    {
        if dependency.starts_with("eaf-") && dependency != name && !allowed.contains(&dependency.as_str()) {
            complaints.push(format!("the tests of {name} may not use {dependency}: lower tiers only"));
        }
    }
    if manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool) != Some(true) {
        complaints.push(format!("{name} does not take the workspace's lints"));
    }
    complaints
}

#[test]
fn crates_use_lower_tiers_only() {
    let crates = tree::crates();
    let complaints: Vec<String> =
        crates.iter().flat_map(|name| check(name, &tree::read(&format!("crates/{name}/Cargo.toml")))).collect();
    none(&complaints);
}

#[test]
fn a_forbidden_edge_is_seen() {
    let manifest = |table: &str, dependency: &str| {
        format!("[{table}]\n{dependency}.workspace = true\n[lints]\nworkspace = true\n")
    };
    complains(&check("eaf-core", &manifest("dependencies", "eaf-store")), "may not use eaf-store");
    complains(&check("eaf-core", &manifest("dependencies", "tokio")), "may not use tokio");
    complains(&check("eaf-model", &manifest("dev-dependencies", "eaf-core")), "may not use eaf-core");
    complains(&check("eaf-engine", &manifest("target.'cfg(unix)'.dependencies", "eaf-core")), "may not use eaf-core");
    complains(&check("eaf-new", &manifest("dependencies", "serde")), "no tier");
    complains(&check("eaf-core", "[dependencies]\nserde = \"1\"\n"), "lints");
    none(&check("eaf-core", &manifest("dependencies", "eaf-model")));
}

#[test]
fn the_pure_crates_share_one_clippy_configuration() {
    let one = tree::read("crates/eaf-model/clippy.toml");
    for name in PURE {
        assert_eq!(tree::read(&format!("crates/{name}/clippy.toml")), one, "{name} has rules of its own");
    }
    for banned in [
        "std::time::Instant",
        "std::time::SystemTime",
        "HashMap",
        "std::thread::spawn",
        "std::env::var",
        "std::fs::read",
    ] {
        assert!(one.contains(banned), "clippy.toml of tiers 0 and 1 no longer bans {banned}");
    }
}
