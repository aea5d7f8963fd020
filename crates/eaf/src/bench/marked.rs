//! Marked parts of a page: one benchmark writes its own and leaves the rest.
//!
//! What: a part stands between two comments that name it. Why: a page of many benchmarks need not be made in one run.
//! Absent: what is in the parts.

use std::path::Path;

fn marks(name: &str) -> (String, String) {
    (format!("<!-- {name} -->"), format!("<!-- end of {name} -->"))
}

/// A part of a text, with its marks.
fn part<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (begin, end) = marks(name);
    let from = text.find(&begin)?;
    let length = text[from..].find(&end)? + end.len();
    Some(&text[from..from + length])
}

/// The text with this part instead of the one that it had, or with it at its end.
fn with(text: &str, name: &str, content: &str) -> String {
    let (begin, end) = marks(name);
    let new = format!("{begin}\n\n{}\n\n{end}", content.trim());
    match part(text, name) {
        Some(old) => text.replacen(old, &new, 1),
        None => format!("{}\n\n{new}\n", text.trim_end()).trim_start().to_owned(),
    }
}

/// What a page begins with.
const TITLE: &str = "# Benchmarks\n\nWritten by `eaf bench`; nothing here is typed by hand. `make bench` makes it again on your machine.\n";

/// Writes a part into a page, which is made where there is none.
pub(super) fn put(path: &Path, name: &str, content: &str) -> std::io::Result<()> {
    let text = if path.exists() { std::fs::read_to_string(path)? } else { TITLE.to_owned() };
    std::fs::write(path, with(&text, name, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_replaced_and_the_rest_stays() {
        let first = with("# Page\n", "a", "one");
        assert_eq!(first, "# Page\n\n<!-- a -->\n\none\n\n<!-- end of a -->\n");
        let both = with(&first, "b", "two");
        assert_eq!(with(&both, "a", "three"), both.replace("one", "three"));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("page.md");
        for (name, content) in [("a", "one"), ("b", "two"), ("a", "three")] {
            put(&path, name, content).expect("the page is written");
        }
        let text = std::fs::read_to_string(&path).expect("the page");
        assert_eq!(text, both.replace("# Page\n", TITLE).replace("one", "three"));
    }
}
