//! The screen: what a command prints, for people and for programs.
//!
//! What: one buffered standard output, colours on a terminal alone, tables, relative times. Why texts are cleaned: names
//! and messages come from others, and a terminal obeys escape sequences. Absent: progress bars and cursors.

mod table;

pub(crate) use table::{Cell, Table};

use crate::failure::Failure;
use crate::say::Say;
use clap::builder::styling::{AnsiColor, Effects, Style};
use eaf_api::messages::{self, Lang};
use eaf_model::{NodeState, Time, WorkloadState};
use serde::Serialize;
use std::io::{BufWriter, IsTerminal, Stdout, Write};
use std::time::{SystemTime, UNIX_EPOCH};

/// The emphasis of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Paint {
    /// None.
    #[default]
    Plain,
    /// A heading.
    Bold,
    /// Something beside the point.
    Dim,
    /// All is well.
    Good,
    /// On its way.
    Waiting,
    /// Something failed.
    Bad,
}

impl Paint {
    const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Bold => Style::new().effects(Effects::BOLD),
            Self::Dim => Style::new().effects(Effects::DIMMED),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Waiting => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
        }
    }

    /// The text with this emphasis, where colours are wanted.
    pub(crate) fn on(self, text: &str, colours: bool) -> String {
        if colours && self != Self::Plain {
            let style = self.style();
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    /// The emphasis of a workload's state.
    pub(crate) const fn of_state(state: WorkloadState) -> Self {
        match state {
            WorkloadState::Running => Self::Good,
            WorkloadState::Queued | WorkloadState::Granted | WorkloadState::Starting | WorkloadState::Stopping => {
                Self::Waiting
            }
            WorkloadState::Failed | WorkloadState::Expired => Self::Bad,
            WorkloadState::Finished | WorkloadState::Cancelled => Self::Plain,
        }
    }

    /// The emphasis of a node's state.
    pub(crate) const fn of_node(state: NodeState) -> Self {
        match state {
            NodeState::Ready => Self::Good,
            NodeState::Cordoned => Self::Waiting,
            NodeState::Lost => Self::Bad,
        }
    }
}

/// What a command prints to.
pub(crate) struct Screen {
    /// The reader's language.
    pub(crate) lang: Lang,
    /// True where standard output is a terminal that shows colours.
    pub(crate) colours: bool,
    /// The width of the terminal, where standard output is one.
    pub(crate) width: Option<usize>,
    out: BufWriter<Stdout>,
    /// The emphasis of what is told beside the output.
    aside: Paint,
}

/// True where colours are wanted by nobody's objection (`NO_COLOR`, a dumb terminal).
fn colours_wanted() -> bool {
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !no_colour && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

impl Screen {
    pub(crate) fn new(lang: Lang) -> Self {
        let stdout = std::io::stdout();
        let terminal = stdout.is_terminal();
        let size = if terminal { rustix::termios::tcgetwinsize(&stdout).ok() } else { None };
        Self {
            lang,
            colours: terminal && colours_wanted(),
            width: size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0),
            out: BufWriter::new(stdout),
            aside: if std::io::stderr().is_terminal() && colours_wanted() { Paint::Dim } else { Paint::Plain },
        }
    }

    /// A message in the reader's language.
    pub(crate) fn say(&self, say: &Say) -> String {
        say.in_lang(self.lang)
    }

    /// Prints a line.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        writeln!(self.out, "{text}").map_err(|error| Failure::output(&error))
    }

    /// Prints a line with an emphasis.
    pub(crate) fn painted(&mut self, paint: Paint, text: &str) -> Result<(), Failure> {
        let text = paint.on(text, self.colours);
        self.line(&text)
    }

    /// Prints bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(|error| Failure::output(&error))
    }

    /// Prints a document for programs: one line, or laid out where people look at it.
    pub(crate) fn json<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        let text =
            if self.width.is_some() { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
        let text = text.map_err(|error| Failure::output(&error.into()))?;
        self.line(&text)
    }

    /// Prints a table.
    pub(crate) fn table(&mut self, table: &Table) -> Result<(), Failure> {
        for line in table.render(self.width, self.colours) {
            self.line(&line)?;
        }
        Ok(())
    }

    /// Sends what is buffered on its way.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| Failure::output(&error))
    }

    /// Tells the reader something beside the output, on standard error.
    pub(crate) fn note(&self, text: &str) {
        // A reader who has closed standard error does not want to hear of it.
        let _ = writeln!(std::io::stderr(), "{}", self.aside.on(text, true));
    }

    /// How long ago an instant was, in its largest unit.
    pub(crate) fn ago(&self, instant: Time) -> String {
        self.say(&Say::new("ago").with("span", short_span(instant, now())))
    }
}

/// The present.
pub(crate) fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The time between two instants in its largest unit: `3m`, `2d`.
pub(crate) fn short_span(from: Time, to: Time) -> String {
    let seconds = to.since(from).0 / 1_000;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A text of others, made safe for a terminal: control characters become visible signs.
pub(crate) fn clean(text: &str) -> String {
    let shown = |c: char| match c {
        '\t' => ' ',
        c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => '\u{fffd}',
        c => c,
    };
    text.chars().map(shown).collect()
}

/// Prints a failure on standard error.
pub(crate) fn report(lang: Lang, failure: &Failure) {
    let Some((headline, below)) = failure.told(lang) else { return };
    let mut error = std::io::stderr().lock();
    let colours = error.is_terminal() && colours_wanted();
    let label = Paint::Bad.on(&messages::text(lang, "error-label", &[]), colours);
    let mut text = format!("{label}: {}\n", Paint::Bold.on(&clean(&headline), colours));
    for line in below {
        text.push_str("  ");
        text.push_str(&line.lines().map(clean).collect::<Vec<_>>().join("\n  "));
        text.push('\n');
    }
    // A reader who has closed standard error does not want to hear of it.
    let _ = error.write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_others_cannot_steer_a_terminal() {
        let check = |text: &str, expect: &str| assert_eq!(clean(text), expect);
        check("plain 한글", "plain 한글");
        check("\u{1b}[31mred\u{7}", "\u{fffd}[31mred\u{fffd}");
        check("a\tb\nc", "a b\u{fffd}c");
        check("\u{202e}gnp.exe", "\u{fffd}gnp.exe");
    }

    #[test]
    fn spans_are_cut_to_one_unit() {
        let check = |ms, expect: &str| assert_eq!(short_span(Time(0), Time(ms)), expect);
        check(-5, "0s");
        check(59_999, "59s");
        check(60_000, "1m");
        check(7_199_000, "1h");
        check(200_000_000, "2d");
    }

    #[test]
    fn paint_is_seen_only_where_it_is_wanted() {
        assert_eq!(Paint::Bad.on("x", false), "x");
        assert_eq!(Paint::Bad.on("x", true), "\u{1b}[31mx\u{1b}[0m");
        assert_eq!(Paint::Plain.on("x", true), "x");
    }
}
