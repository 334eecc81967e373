//! Words: every sentence that people read, in English and Japanese, by key.
//!
//! No facts and no layout. Numbers, times and names are written by our own code before they come here, so that both
//! languages show the same digits and identifiers; Fluent only puts them in their place.

mod numbers;

use std::fmt;
use std::str::FromStr;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use serde::{Deserialize, Serialize};
use unic_langid::LanguageIdentifier;

const EN: &str = include_str!("en.ftl");
const JA: &str = include_str!("ja.ftl");

/// A language that Tantei speaks.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
}

impl Lang {
    /// Both.
    pub const ALL: [Self; 2] = [Self::En, Self::Ja];

    /// Its code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why a text is no language.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a language: `en` or `ja`")]
pub struct LangError {
    text: String,
}

impl FromStr for Lang {
    type Err = LangError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|l| l.code() == text);
        found.ok_or_else(|| LangError { text: text.chars().take(32).collect() })
    }
}

/// The words of one language.
pub struct Words {
    lang: Lang,
    bundle: FluentBundle<FluentResource>,
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Words").field("lang", &self.lang).finish_non_exhaustive()
    }
}

impl Words {
    /// Reads the embedded words of a language.
    #[must_use]
    pub fn new(lang: Lang) -> Self {
        let text = match lang {
            Lang::En => EN,
            Lang::Ja => JA,
        };
        // A broken line costs its own key only, and the tests rule it out.
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(resource, _)| resource);
        let identifier: LanguageIdentifier = lang.code().parse().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
        // Isolation marks are invisible characters, which we take out of everything that people read.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        Self { lang, bundle }
    }

    /// The language.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// A sentence. Never fails: an unknown key shows itself in brackets, a missing argument its name.
    #[must_use]
    pub fn say(&self, key: &str, args: &[(&str, &str)]) -> String {
        let pattern = self.bundle.get_message(key).and_then(|m| m.value());
        debug_assert!(pattern.is_some(), "there are no words for `{key}`");
        let Some(pattern) = pattern else { return format!("[{key}]") };
        let mut given = FluentArgs::with_capacity(args.len());
        for (name, value) in args {
            given.set(*name, *value);
        }
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&given), &mut errors).into_owned();
        debug_assert!(errors.is_empty(), "`{key}`: {errors:?}");
        text
    }

    /// A word without arguments.
    #[must_use]
    pub fn word(&self, key: &str) -> String {
        self.say(key, &[])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Everything that may name a key.
    const USERS: [&str; 19] = [
        include_str!("../engine/report/mod.rs"),
        include_str!("../engine/report/actions.rs"),
        include_str!("../engine/report/cause.rs"),
        include_str!("../engine/report/hygiene.rs"),
        include_str!("../engine/report/item.rs"),
        include_str!("../engine/report/terms.rs"),
        include_str!("../render/facts.rs"),
        include_str!("../render/markdown.rs"),
        include_str!("../render/terminal.rs"),
        include_str!("../cli/demo.rs"),
        include_str!("../cli/doctor.rs"),
        include_str!("../cli/log_table.rs"),
        include_str!("../cli/record.rs"),
        include_str!("../cli/remote.rs"),
        include_str!("../render/mod.rs"),
        include_str!("../doctor/mod.rs"),
        include_str!("../doctor/access.rs"),
        include_str!("../doctor/deliveries.rs"),
        include_str!("../doctor/local.rs"),
    ];

    /// Keys with their variables.
    fn keys(ftl: &str) -> BTreeMap<&str, BTreeSet<&str>> {
        let lines = ftl.lines().filter(|l| l.starts_with(|c: char| c.is_ascii_lowercase()));
        let parted = lines.map(|l| l.split_once(" = ").unwrap());
        parted
            .map(|(key, text)| {
                let variables = text.split("{ $").skip(1).map(|v| v.split_once(" }").unwrap().0).collect();
                (key, variables)
            })
            .collect()
    }

    #[test]
    fn both_languages_have_the_same_keys_with_the_same_variables() {
        let (en, ja) = (keys(EN), keys(JA));
        assert_eq!(en, ja);
        for (lang, keys) in [(Lang::En, &en), (Lang::Ja, &ja)] {
            let words = Words::new(lang);
            for (key, variables) in keys {
                let args: Vec<(&str, &str)> = variables.iter().map(|v| (*v, "x")).collect();
                let text = words.say(key, &args);
                assert!(
                    !text.is_empty() && !text.contains('{') && !text.contains('\u{2068}'),
                    "{key}: {text}"
                );
            }
        }
    }

    #[test]
    fn every_key_is_used_and_every_used_key_exists() {
        let en = keys(EN);
        let unused: Vec<&str> =
            en.keys().filter(|k| !USERS.iter().any(|u| u.contains(&format!("\"{k}\"")))).copied().collect();
        assert_eq!(unused, Vec::<&str>::new(), "words that nothing says");
        for user in USERS {
            for call in ["Fact::new(\"", ".say(\"", ".word(\"", "term(\""] {
                for rest in user.split(call).skip(1) {
                    let key = rest.split('"').next().unwrap();
                    assert!(en.contains_key(key), "`{key}` is said and has no words");
                }
            }
            for rest in user.split("\"doctor-").skip(1) {
                let key = format!("doctor-{}", rest.split('"').next().unwrap());
                assert!(en.contains_key(key.as_str()), "`{key}` is said and has no words");
            }
        }
    }

    #[test]
    fn each_file_is_wholly_readable() {
        for text in [EN, JA] {
            assert!(FluentResource::try_new(text.to_owned()).is_ok());
        }
    }

    #[test]
    fn languages_are_named_by_code() {
        assert_eq!("ja".parse::<Lang>().unwrap(), Lang::Ja);
        assert!("Klingon".parse::<Lang>().is_err());
    }
}
