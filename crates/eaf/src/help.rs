//! Help and the errors of the command line itself, in the reader's language.
//!
//! What: walks clap's tree and replaces headings and texts; says in Korean what clap says in English. Why not clap's own
//! texts for Korean: it has none. Absent: help of hidden verbs.

use crate::exit;
use crate::screen::Paint;
use clap::builder::styling::{AnsiColor, Effects, Style, Styles};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, Error};
use eaf_api::messages::{self, Lang, Value};
use std::ffi::OsString;
use std::io::{IsTerminal, Write};

/// The language that a command line asks for, before it is parsed: help and errors are in it too.
pub(crate) fn language(args: &[OsString]) -> Lang {
    let mut words = args.iter().skip(1).map(|word| word.to_string_lossy()).take_while(|word| word != "--");
    let mut flag = None;
    while let Some(word) = words.next() {
        if word == "--lang" {
            flag = words.next().map(std::borrow::Cow::into_owned);
        } else if let Some(value) = word.strip_prefix("--lang=") {
            flag = Some(value.to_owned());
        }
    }
    Lang::detect(flag.as_deref(), |name| std::env::var(name).ok())
}

fn say(lang: Lang, id: &str) -> String {
    messages::text(lang, id, &[])
}

const STYLES: Styles = Styles::styled()
    .header(Style::new().effects(Effects::BOLD))
    .usage(Style::new().effects(Effects::BOLD))
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(Style::new());

/// The tree with headings and texts in this language.
pub(crate) fn localised(command: Command, lang: Lang) -> Command {
    let command = command.styles(STYLES);
    walk(command, lang, "help").after_help(say(lang, "help-after"))
}

/// The place of what every verb has: behind its own arguments.
const LAST: usize = 900;

/// The id of an argument's help below its command's.
fn arg_id(path: &str, arg: &Arg) -> String {
    format!("{path}-{}", arg.get_id().as_str().replace('_', "-"))
}

fn walk(command: Command, lang: Lang, path: &str) -> Command {
    let usage = say(lang, "help-usage");
    let template = format!(
        "{{about-with-newline}}\n{} {{usage}}\n\n{{all-args}}{{after-help}}",
        Paint::Bold.on(&format!("{usage}:"), true)
    );
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help).help(say(lang, "help-help"));
    let help = help.display_order(LAST);
    let mut command = command
        .disable_help_flag(true)
        .help_template(template)
        .subcommand_help_heading(say(lang, "help-commands"))
        .subcommand_value_name(say(lang, "help-command"))
        .arg(help);
    if path == "help" {
        let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
        let version = version.help(say(lang, "help-version")).display_order(LAST);
        command = command.disable_version_flag(true).arg(version);
    }
    let (arguments, options) = (say(lang, "help-arguments"), say(lang, "help-options"));
    let path_owned = path.to_owned();
    command = command.mut_args(move |arg| {
        let heading = if arg.is_positional() { &arguments } else { &options };
        let mut arg = arg.help_heading(heading.clone());
        if arg.is_global_set() {
            arg = arg.display_order(LAST - 1);
        }
        if arg.get_action().takes_values() {
            arg = arg.hide_default_value(true).hide_possible_values(true);
        }
        let own = arg_id(&path_owned, &arg);
        if lang != Lang::En && messages::has(lang, &own) { arg.help(say(lang, &own)) } else { arg }
    });
    if lang != Lang::En && messages::has(lang, path) {
        command = command.about(say(lang, path));
    }
    let after = format!("{path}-after");
    if messages::has(lang, &after) && path != "help" {
        command = command.after_help(say(lang, &after));
    }
    let path = path.to_owned();
    command.mut_subcommands(move |verb| {
        let below = format!("{path}-{}", verb.get_name());
        walk(verb, lang, &below)
    })
}

/// Prints what clap has to say: help and versions, or what is wrong with the command line. Gives the exit code.
pub(crate) fn report(lang: Lang, error: &Error) -> u8 {
    if !error.use_stderr() {
        let text = error.render();
        let mut out = std::io::stdout().lock();
        let colours = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let text = if colours { text.ansi().to_string() } else { text.to_string() };
        // A reader who has gone does not want help.
        let _ = out.write_all(text.as_bytes());
        return exit::OK;
    }
    let text = if lang == Lang::En { error.render().to_string() } else { korean(error) };
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
    exit::USAGE
}

fn context(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        ContextValue::StyledStr(text) => Some(text.to_string()),
        ContextValue::StyledStrs(texts) => Some(texts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        ContextValue::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The error in Korean, by its kind and what it is about.
fn korean(error: &Error) -> String {
    let lang = Lang::Ko;
    let about = |kind| Value::from(context(error, kind).unwrap_or_default());
    let args = [
        ("arg", about(ContextKind::InvalidArg)),
        ("other", about(ContextKind::PriorArg)),
        ("value", about(ContextKind::InvalidValue)),
        ("verb", about(ContextKind::InvalidSubcommand)),
    ];
    let id = match error.kind() {
        ErrorKind::UnknownArgument => "usage-unknown-argument",
        ErrorKind::InvalidSubcommand => "usage-unknown-verb",
        ErrorKind::MissingRequiredArgument => "usage-missing-argument",
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "usage-missing-verb",
        ErrorKind::InvalidValue if context(error, ContextKind::InvalidValue).is_none_or(|value| value.is_empty()) => {
            "usage-missing-value"
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => "usage-bad-value",
        ErrorKind::ArgumentConflict => "usage-conflict",
        ErrorKind::NoEquals | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => "usage-missing-value",
        ErrorKind::TooManyValues => "usage-too-many-values",
        ErrorKind::InvalidUtf8 => "usage-not-utf8",
        _ => "usage-other",
    };
    let mut lines = vec![format!("{}: {}", say(lang, "error-label"), messages::text(lang, id, &args))];
    let mut below = |id: &str, name: &'static str, value: Option<String>| {
        let value = value.filter(|value| !value.is_empty());
        lines.extend(value.map(|value| format!("  {}", messages::text(lang, id, &[(name, value.into())]))));
    };
    let near = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue];
    below("usage-near", "near", near.into_iter().find_map(|kind| context(error, kind)));
    below("usage-values", "values", context(error, ContextKind::ValidValue));
    if let Some(usage) = context(error, ContextKind::Usage).filter(|usage| !usage.is_empty()) {
        let usage = usage.replacen("Usage:", &format!("{}:", say(lang, "help-usage")), 1);
        lines.extend([String::new(), usage.trim_end().to_owned()]);
    }
    lines.extend([String::new(), say(lang, "usage-help"), String::new()]);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;
    use std::collections::BTreeSet;

    fn each(command: &Command, path: &str, visit: &mut dyn FnMut(&Command, &str)) {
        visit(command, path);
        for verb in command.get_subcommands() {
            each(verb, &format!("{path}-{}", verb.get_name()), visit);
        }
    }

    #[test]
    fn every_verb_and_argument_has_help_in_both_languages() {
        let mut ids = BTreeSet::new();
        let mut missing = Vec::new();
        each(&Cli::command(), "help", &mut |command, path| {
            ids.insert(path.to_owned());
            if command.get_about().is_none() || !messages::has(Lang::Ko, path) {
                missing.push(path.to_owned());
            }
            for arg in command.get_arguments() {
                let id = arg_id(path, arg);
                if arg.get_help().is_none() || !messages::has(Lang::Ko, &id) {
                    missing.push(id.clone());
                }
                ids.insert(id);
            }
        });
        assert!(missing.is_empty(), "no help in English or Korean: {missing:#?}");
        assert!(ids.len() > 60, "{}", ids.len());
        let stale: Vec<_> = messages::korean_help_ids().filter(|id| !ids.contains(*id)).collect();
        assert!(stale.is_empty(), "Korean help of nothing: {stale:#?}");
    }

    #[test]
    fn the_tree_is_well_formed_in_both_languages() {
        for lang in Lang::ALL {
            localised(Cli::command(), lang).debug_assert();
        }
    }

    #[test]
    fn the_language_is_found_before_anything_is_parsed() {
        let check = |words: &[&str], expect: Lang| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            assert_eq!(language(&words), expect, "{words:?}");
        };
        check(&["eaf", "ps", "--lang", "ko"], Lang::Ko);
        check(&["eaf", "--lang=ko", "ps", "--bogus"], Lang::Ko);
        check(&["eaf", "--lang=en", "run", "--", "--lang=ko"], Lang::En);
    }

    /// What a reader is told of a command line that does not pass.
    fn told(lang: Lang, words: &[&str]) -> String {
        let words = std::iter::once("eaf").chain(words.iter().copied());
        let error = localised(Cli::command(), lang).try_get_matches_from(words).expect_err("refused");
        if lang == Lang::En { error.render().to_string() } else { korean(&error) }
    }

    #[test]
    fn usage_errors_are_told_in_korean() {
        let check = |words: &[&str], expect: &str| {
            let text = told(Lang::Ko, words);
            assert!(text.starts_with(&format!("오류: {expect}\n")), "{words:?}: {text}");
            assert!(!text.contains("Usage"), "{text}");
        };
        check(&["pss"], "“pss” 명령은 없습니다");
        check(&["ps", "--al"], "“--al” 인자는 쓸 수 없습니다");
        check(&["show"], "인자가 빠졌습니다: <ID>");
        check(&["ps", "--limit", "x"], "“--limit <N>” 인자에 “x” 값은 쓸 수 없습니다");
        check(&["node"], "명령이 빠졌습니다");
        check(&["ps", "--limit"], "“--limit <N>” 인자에 값이 없습니다");
    }

    #[test]
    fn help_reads_like_this() {
        for lang in Lang::ALL {
            for words in [&["--help"][..], &["up", "--help"], &["run", "--help"], &["submit", "--help"], &["ps", "-h"]]
            {
                let all = std::iter::once("eaf").chain(words.iter().copied());
                let error = localised(Cli::command().term_width(100), lang).try_get_matches_from(all).unwrap_err();
                let name = format!("help-{}-{}", lang.tag(), words.join("").replace(['-'], ""));
                insta::assert_snapshot!(name, error.render().to_string());
            }
        }
    }
}
