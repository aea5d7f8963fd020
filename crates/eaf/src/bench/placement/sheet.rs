//! Sheets: figures in rows, for a screen in the reader's language and for a page in English.
//!
//! Absent: what the figures are.

use crate::commands::Context;
use crate::failure::Failure;
use crate::say::Say;
use crate::screen::{Cell, Paint, Table};
use eaf_api::messages::Lang;

/// A heading: words, or a name that is the same in every language.
enum Heading {
    Say(Say),
    Name(&'static str),
}

impl Heading {
    fn in_lang(&self, lang: Lang) -> String {
        match self {
            Self::Say(say) => say.in_lang(lang),
            Self::Name(name) => (*name).to_owned(),
        }
    }
}

/// A table of figures with a title.
pub(crate) struct Sheet {
    title: Say,
    headings: Vec<Heading>,
    rows: Vec<Vec<String>>,
}

impl Sheet {
    /// An empty sheet; headings are ids of words.
    pub(crate) fn new(title: &'static str, headings: &[&'static str]) -> Self {
        let headings = headings.iter().map(|id| Heading::Say(Say::new(id))).collect();
        Self { title: Say::new(title), headings, rows: Vec::new() }
    }

    /// The same with further headings that are names.
    pub(crate) fn named(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
        self.headings.extend(names.into_iter().map(Heading::Name));
        self
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// For a screen.
    pub(crate) fn print(&self, about: &str, context: &mut Context) -> Result<(), Failure> {
        let title = self.title.in_lang(context.lang);
        let title = if about.is_empty() { title } else { format!("{title}: {about}") };
        context.screen.painted(Paint::Bold, &title)?;
        let mut table = Table::new(self.headings.iter().enumerate().map(|(at, heading)| {
            let text = heading.in_lang(context.lang);
            if at == 0 { Cell::text(text) } else { Cell::figure(text) }
        }));
        for row in &self.rows {
            table.row(
                row.iter().enumerate().map(|(at, cell)| if at == 0 { Cell::text(cell) } else { Cell::figure(cell) }),
            );
        }
        context.screen.table(&table)?;
        context.screen.line("")
    }

    /// For a page.
    pub(crate) fn markdown(&self) -> String {
        let headings: Vec<String> = self.headings.iter().map(|heading| heading.in_lang(Lang::En)).collect();
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let rule = format!("| --- |{}\n", " ---: |".repeat(headings.len().saturating_sub(1)));
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        format!("## {}\n\n{}{rule}{rows}", self.title.in_lang(Lang::En), line(&headings))
    }
}

/// A share with two digits; a dash where nothing arrived.
pub(super) fn share(value: f64) -> String {
    if value.is_finite() { format!("{value:.2}") } else { "-".to_owned() }
}

/// A part of a whole; a dash where there is no whole.
pub(super) fn whole_percent(value: f64) -> String {
    if value.is_finite() { format!("{value:.0} %") } else { "-".to_owned() }
}
