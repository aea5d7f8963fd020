//! The published partition book, for worlds in which accelerators are cut.
//!
//! What: `data/partitions.toml`, as the live factory carries it. Absent: books of operators; their settings hold those.

use eaf_model::PartitionBook;
use std::sync::LazyLock;

static PUBLISHED: LazyLock<PartitionBook> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../data/partitions.toml")).expect("the partition book that is carried reads")
});

/// The published book.
pub(crate) fn published() -> PartitionBook {
    PUBLISHED.clone()
}
