//! Something to say, not yet in a language.
//!
//! What: the id of a message and its arguments, which may be messages themselves. Why data: what is read from a file is
//! judged far from the screen, and the language is known at the screen alone. Absent: the texts; they are in
//! `crates/eaf-api/i18n`.

use eaf_api::messages::{self, Lang, Value};
use std::fmt::Display;

/// A message and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Say {
    id: &'static str,
    args: Vec<(&'static str, Arg)>,
}

/// An argument of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Arg {
    Text(String),
    Count(u64),
    Say(Say),
}

impl Say {
    /// The message with this id.
    pub(crate) const fn new(id: &'static str) -> Self {
        Self { id, args: Vec::new() }
    }

    /// The same with an argument that is shown as it is.
    pub(crate) fn with(mut self, name: &'static str, value: impl Display) -> Self {
        self.args.push((name, Arg::Text(value.to_string())));
        self
    }

    /// The same with a number that may choose the form of a word.
    pub(crate) fn count(mut self, name: &'static str, value: u64) -> Self {
        self.args.push((name, Arg::Count(value)));
        self
    }

    /// The same with a message as an argument.
    pub(crate) fn say(mut self, name: &'static str, value: Self) -> Self {
        self.args.push((name, Arg::Say(value)));
        self
    }

    fn render(&self, lang: Lang, id: &str) -> String {
        let args: Vec<(&str, Value<'static>)> = self
            .args
            .iter()
            .map(|(name, value)| {
                let value = match value {
                    Arg::Text(text) => Value::from(text.clone()),
                    Arg::Count(count) => Value::from(*count),
                    Arg::Say(say) => Value::from(say.in_lang(lang)),
                };
                (*name, value)
            })
            .collect();
        messages::text(lang, id, &args)
    }

    /// The message in the reader's language.
    pub(crate) fn in_lang(&self, lang: Lang) -> String {
        self.render(lang, self.id)
    }

    /// What to do next, where the message says so.
    pub(crate) fn next(&self, lang: Lang) -> Option<String> {
        let id = format!("{}.next", self.id);
        messages::has(lang, &id).then(|| self.render(lang, &id))
    }
}
