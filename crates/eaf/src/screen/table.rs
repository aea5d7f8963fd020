//! Tables for people.
//!
//! What: columns as wide as their widest cell, Korean letters counted as two, the last column cut at the terminal's edge.
//! Absent: borders, and wrapping of cells; a table is for looking over.

use super::{Paint, clean};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The space between columns.
const GAP: usize = 2;

/// A cell: a text, its emphasis, and its side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    paint: Paint,
    right: bool,
}

impl Cell {
    /// A text on the left.
    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        Self { text: clean(text.as_ref()), ..Self::default() }
    }

    /// A figure on the right.
    pub(crate) fn figure(text: impl AsRef<str>) -> Self {
        Self { right: true, ..Self::text(text) }
    }

    /// The same with an emphasis.
    pub(crate) const fn paint(mut self, paint: Paint) -> Self {
        self.paint = paint;
        self
    }
}

/// A table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these headings; figures are headed on the right.
    pub(crate) fn new(headings: impl IntoIterator<Item = Cell>) -> Self {
        Self { rows: vec![headings.into_iter().map(|cell| cell.paint(Paint::Bold)).collect()] }
    }

    /// A table without headings, such as names and values.
    pub(crate) const fn bare() -> Self {
        Self { rows: Vec::new() }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The lines of the table.
    pub(crate) fn render(&self, width: Option<usize>, colours: bool) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.text.width()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(widest).collect();
        let before_last: usize = widths.iter().take(columns.saturating_sub(1)).map(|width| width + GAP).sum();
        let last_max = width.map_or(usize::MAX, |width| width.saturating_sub(before_last).max(10));
        self.rows.iter().map(|row| line(row, &widths, last_max, colours)).collect()
    }
}

fn line(row: &[Cell], widths: &[usize], last_max: usize, colours: bool) -> String {
    let mut line = String::new();
    for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
        let last = column + 1 == widths.len();
        let text = if last { cut(&cell.text, last_max) } else { cell.text.clone() };
        let pad = " ".repeat(width.min(&last_max).saturating_sub(text.width()));
        let painted = cell.paint.on(&text, colours);
        if cell.right {
            line.push_str(&pad);
            line.push_str(&painted);
        } else {
            line.push_str(&painted);
            line.push_str(&pad);
        }
        if !last {
            line.push_str(&" ".repeat(GAP));
        }
    }
    line.truncate(line.trim_end().len());
    line
}

/// The head of a text that fits into so many columns, with a sign where something is left off.
fn cut(text: &str, max: usize) -> String {
    if text.width() <= max {
        return text.to_owned();
    }
    let (mut kept, mut used) = (String::new(), 0);
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > max {
            break;
        }
        used += wide;
        kept.push(c);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rows: &[&[Cell]], width: Option<usize>, expect: &[&str]) {
        let mut table = Table::bare();
        for row in rows {
            table.row(row.iter().cloned());
        }
        assert_eq!(table.render(width, false), expect);
    }

    #[test]
    fn columns_align_with_wide_letters() {
        check(
            &[
                &[Cell::text("이름"), Cell::figure("개수"), Cell::text("상태")],
                &[Cell::text("train"), Cell::figure("12"), Cell::text("실행 중")],
                &[Cell::text("가나다라"), Cell::figure("1"), Cell::text("x")],
            ],
            None,
            &["이름      개수  상태", "train       12  실행 중", "가나다라     1  x"],
        );
    }

    #[test]
    fn the_last_column_is_cut_at_the_edge() {
        check(&[&[Cell::text("a"), Cell::text("0123456789abcdef")]], Some(15), &["a  0123456789a…"]);
        check(&[&[Cell::text("a"), Cell::text("가나다라마바사아자차")]], Some(14), &["a  가나다라마…"]);
        check(&[&[Cell::text("a"), Cell::text("short")]], Some(80), &["a  short"]);
    }

    #[test]
    fn emphasis_does_not_move_columns() {
        let mut table = Table::new([Cell::text("A"), Cell::text("B")]);
        table.row([Cell::text("xx").paint(Paint::Bad), Cell::text("y")]);
        let lines = table.render(None, true);
        assert_eq!(lines[1], "\u{1b}[31mxx\u{1b}[0m  y");
        assert!(lines[0].starts_with("\u{1b}[1mA\u{1b}[0m   \u{1b}[1mB"));
    }
}
