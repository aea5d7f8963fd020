//! The language of a reader.
//!
//! What: English or Korean, from a flag, the environment, or an `Accept-Language` header. Absent: regions and scripts;
//! there is one Korean and one English.

/// A language that every message exists in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English; also for every other locale.
    #[default]
    En,
    /// Korean.
    Ko,
}

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::En, Self::Ko];

    /// The language's tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }

    /// Reads `en`, `ko`, or a locale such as `ko_KR.UTF-8`; `None` for a language that there are no messages in.
    pub fn parse(text: &str) -> Option<Self> {
        let language = text.split(['_', '-', '.', '@']).next().unwrap_or_default().to_ascii_lowercase();
        match language.as_str() {
            "ko" | "kor" | "korean" => Some(Self::Ko),
            "en" | "eng" | "english" | "c" | "posix" => Some(Self::En),
            _ => None,
        }
    }

    /// The reader's language: the flag, else `EAF_LANG`, else the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is
    /// set, else English. `env` looks a variable up.
    pub fn detect(flag: Option<&str>, env: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let asked = flag.and_then(Self::parse).or_else(|| set("EAF_LANG").as_deref().and_then(Self::parse));
        let locale = || set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG"));
        asked.or_else(|| locale().as_deref().and_then(Self::parse)).unwrap_or_default()
    }

    /// The first language of an `Accept-Language` header that there are messages in, else English. Weights other than 0
    /// are not compared: clients list their languages in order.
    pub fn of_header(header: &str) -> Self {
        let wanted = header.split(',').filter_map(|entry| {
            let (tag, weight) = entry.split_once(';').unwrap_or((entry, ""));
            let refused = matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
            if refused { None } else { Self::parse(tag.trim()) }
        });
        wanted.into_iter().next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(flag: Option<&str>, env: &[(&str, &str)], expect: Lang) {
        let look_up = |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(Lang::detect(flag, look_up), expect, "{flag:?} {env:?}");
    }

    #[test]
    fn the_flag_goes_before_the_setting_and_the_setting_before_the_locale() {
        check(None, &[], Lang::En);
        check(None, &[("LANG", "ko_KR.UTF-8")], Lang::Ko);
        check(None, &[("LANG", "ko_KR.UTF-8"), ("LC_ALL", "C")], Lang::En);
        check(None, &[("LANG", "ko_KR.UTF-8"), ("LC_ALL", "")], Lang::Ko);
        check(None, &[("LANG", "en_US"), ("LC_MESSAGES", "ko")], Lang::Ko);
        check(None, &[("LANG", "de_DE"), ("EAF_LANG", "ko")], Lang::Ko);
        check(None, &[("LANG", "ko_KR"), ("EAF_LANG", "xx")], Lang::Ko);
        check(Some("en"), &[("EAF_LANG", "ko")], Lang::En);
        check(Some("KO"), &[], Lang::Ko);
    }

    #[test]
    fn a_header_names_languages_in_order() {
        for (header, expect) in [
            ("ko-KR,ko;q=0.9,en;q=0.8", Lang::Ko),
            ("de, en;q=0.5, ko;q=0.4", Lang::En),
            ("ko;q=0, en", Lang::En),
            ("*", Lang::En),
            ("", Lang::En),
        ] {
            assert_eq!(Lang::of_header(header), expect, "{header:?}");
        }
    }
}
