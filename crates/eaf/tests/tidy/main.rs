//! Tidy: what holds for the house as a whole, as tests.
//!
//! What: crate edges, what tiers 0 and 1 may not touch, sizes of files and functions, words that may not stay, documents
//! that must agree with the tree, and where dependencies come from. Why as tests: a rule that nothing checks is a wish.
//! Each rule is a function from text to complaints, and each is shown to complain about a planted fault. Absent: what a
//! lint of the compiler can see (the workspace's lints and `clippy.toml`).

mod documents;
mod edges;
mod outside;
mod sources;
mod tree;

/// Fails with every complaint, not only the first.
#[track_caller]
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} complaint(s):\n  {}", complaints.len(), complaints.join("\n  "));
}

/// Shows that a rule can fail: it must complain, and the complaint must say what about.
#[track_caller]
fn complains(complaints: &[String], about: &str) {
    assert!(complaints.iter().any(|text| text.contains(about)), "no complaint about {about:?} in {complaints:?}");
}
