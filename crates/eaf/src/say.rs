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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    const OWN: [&str; 2] =
        [include_str!("../../eaf-api/i18n/en/cli.ftl"), include_str!("../../eaf-api/i18n/en/twin.ftl")];

    fn sources(folder: &Path, text: &mut String) {
        for entry in std::fs::read_dir(folder).expect("a folder of sources").flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("snapshots") {
                sources(&path, text);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                text.push_str(&std::fs::read_to_string(&path).expect("a source"));
            }
        }
    }

    /// The messages of the command line, by id.
    fn ids() -> BTreeSet<&'static str> {
        let lines = OWN.into_iter().flat_map(str::lines).filter(|line| !line.starts_with(['#', ' ', '}']));
        lines.filter_map(|line| Some(line.split_once(" =")?.0)).collect()
    }

    #[test]
    fn every_message_that_is_named_exists_and_every_message_is_named() {
        let mut text = String::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut text);
        let literals: BTreeSet<&str> = text.split('"').collect();
        let ids = ids();
        // Help behind a verb's own is named by the verb's place in the tree.
        let unused: Vec<_> = ids.iter().filter(|id| !literals.contains(*id) && !id.starts_with("help-")).collect();
        assert!(unused.is_empty(), "nobody says: {unused:#?}");
        let named = text.split("Say::new(\"").skip(1).filter_map(|rest| rest.split('"').next());
        let missing: Vec<_> = named.filter(|id| Lang::ALL.iter().any(|lang| !messages::has(*lang, id))).collect();
        assert!(missing.is_empty(), "no words for: {missing:#?}");
        assert!(ids.len() > 200, "{}", ids.len());
    }

    #[test]
    fn a_message_may_hold_another() {
        let say = Say::new("file-field").with("field", "array").say("problem", Say::new("array-limit"));
        assert_eq!(say.in_lang(Lang::Ko), "array: 동시 실행 수 제한(%)은 지원하지 않습니다. 빼십시오");
        assert_eq!(say.next(Lang::En), None);
        assert!(
            Say::new("fail-no-factory").with("looked", "/x").next(Lang::En).is_some_and(|next| next.contains("/x"))
        );
    }
}
