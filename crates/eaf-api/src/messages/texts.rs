//! The Fluent texts, by id.
//!
//! What: the files of `i18n/`, compiled in, parsed once a language on first use. Why the language is an argument of every
//! call: a server speaks both at once. Absent: files read at run time, and any state but the parsed texts.

use super::{Lang, Value};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use std::borrow::Cow;
use std::sync::OnceLock;
use unic_langid::LanguageIdentifier;

/// The files that exist in both languages; columns in the order of `Lang`.
const FILES: &[[&str; 2]] = &[
    [include_str!("../../i18n/en/bench.ftl"), include_str!("../../i18n/ko/bench.ftl")],
    [include_str!("../../i18n/en/cli.ftl"), include_str!("../../i18n/ko/cli.ftl")],
    [include_str!("../../i18n/en/core.ftl"), include_str!("../../i18n/ko/core.ftl")],
    [include_str!("../../i18n/en/receipt.ftl"), include_str!("../../i18n/ko/receipt.ftl")],
    [include_str!("../../i18n/en/server.ftl"), include_str!("../../i18n/ko/server.ftl")],
    [include_str!("../../i18n/en/twin.ftl"), include_str!("../../i18n/ko/twin.ftl")],
];

/// Help of the command line in Korean; the English help stands in the code, beside what it speaks of.
const HELP_KO: &str = include_str!("../../i18n/ko/help.ftl");

type Bundle = FluentBundle<FluentResource>;

fn load(lang: Lang) -> Bundle {
    let column = lang as usize;
    let identifier: LanguageIdentifier = match lang.tag().parse() {
        Ok(identifier) => identifier,
        Err(error) => panic!("{} is no language tag: {error}", lang.tag()),
    };
    let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
    // The marks that Fluent puts around arguments show up as rubbish in terminals and in JSON.
    bundle.set_use_isolating(false);
    let help = (lang == Lang::Ko).then_some(HELP_KO);
    for file in FILES.iter().map(|file| file[column]).chain(help) {
        let resource = match FluentResource::try_new(file.to_owned()) {
            Ok(resource) => resource,
            Err((_, errors)) => panic!("a message file in {lang:?} is malformed: {errors:?}"),
        };
        if let Err(errors) = bundle.add_resource(resource) {
            panic!("a message file in {lang:?} repeats an id: {errors:?}");
        }
    }
    bundle
}

fn bundle(lang: Lang) -> &'static Bundle {
    static BUNDLES: [OnceLock<Bundle>; 2] = [const { OnceLock::new() }; 2];
    BUNDLES[lang as usize].get_or_init(|| load(lang))
}

fn split(id: &str) -> (&str, Option<&str>) {
    id.split_once('.').map_or((id, None), |(message, attribute)| (message, Some(attribute)))
}

/// The ids of the Korean help, so that a test can tell help of nothing.
pub fn korean_help_ids() -> impl Iterator<Item = &'static str> {
    HELP_KO.lines().filter(|line| !line.starts_with(['#', ' '])).filter_map(|line| Some(line.split_once(" =")?.0))
}

/// True where there is a message `id`, or an attribute `id.attribute`, in this language.
pub fn has(lang: Lang, id: &str) -> bool {
    let (message, attribute) = split(id);
    bundle(lang).get_message(message).is_some_and(|message| match attribute {
        None => message.value().is_some(),
        Some(attribute) => message.get_attribute(attribute).is_some(),
    })
}

/// The message `id`, or its attribute `id.attribute`, with these arguments. An id that does not exist gives the id itself:
/// a reader then sees which one is missing, and the tests have told before.
pub fn text(lang: Lang, id: &str, args: &[(&str, Value<'_>)]) -> String {
    let (name, attribute) = split(id);
    let bundle = bundle(lang);
    let Some(message) = bundle.get_message(name) else {
        return id.to_owned();
    };
    let pattern = match attribute {
        None => message.value(),
        Some(attribute) => message.get_attribute(attribute).map(|attribute| attribute.value()),
    };
    let Some(pattern) = pattern else { return id.to_owned() };
    let args: FluentArgs<'_> = args.iter().map(|(name, value)| (Cow::Borrowed(*name), value.clone())).collect();
    let mut errors = Vec::new();
    bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    /// The texts of one language: per id (attributes as `id.attribute`) the variables that it names.
    fn variables(column: usize) -> BTreeMap<String, BTreeSet<String>> {
        let mut found = BTreeMap::new();
        for file in FILES {
            let mut message = String::new();
            let mut current = String::new();
            for line in file[column].lines().filter(|line| !line.starts_with('#')) {
                let head = line.split_once(" =").map(|(head, _)| head.trim());
                match head {
                    Some(id) if !line.starts_with(' ') => {
                        id.clone_into(&mut message);
                        current.clone_from(&message);
                    }
                    Some(attribute) if attribute.starts_with('.') => current = format!("{message}{attribute}"),
                    _ => {}
                }
                let names = found.entry(current.clone()).or_insert_with(BTreeSet::new);
                for part in line.split('$').skip(1) {
                    let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
                    names.insert(part[..end].to_owned());
                }
            }
        }
        found.remove("");
        found
    }

    #[test]
    fn every_message_exists_in_both_languages_with_the_same_variables() {
        let (english, korean) = (variables(0), variables(1));
        let ids = |texts: &BTreeMap<String, BTreeSet<String>>| texts.keys().cloned().collect::<Vec<_>>();
        assert_eq!(ids(&english), ids(&korean));
        for (id, names) in &english {
            assert_eq!(names, &korean[id], "the variables of {id}");
            for lang in Lang::ALL {
                assert!(has(lang, id), "{id} in {lang:?}");
            }
        }
        assert!(english.len() > 100, "{} messages", english.len());
    }

    #[test]
    fn a_missing_id_shows_itself() {
        assert_eq!(text(Lang::Ko, "no-such-message", &[]), "no-such-message");
        assert_eq!(text(Lang::En, "rejection-no-nodes.nothing", &[]), "rejection-no-nodes.nothing");
    }

    #[test]
    fn numbers_choose_the_english_plural() {
        let say = |n: u32| text(Lang::En, "reason-waiting-for-dependencies", &[("pending", n.into())]);
        assert_eq!((say(1), say(2)), ("waits for 1 workload to end".into(), "waits for 2 workloads to end".into()));
    }
}
