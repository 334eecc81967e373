//! One fact, one sentence: arguments are written by their type, then put into the words of the language.
//!
//! The only place where facts meet words, so that both languages say the same and nothing escapes unescaped.

use tantei_engine::model::feed::FeedItem;
use tantei_engine::model::id::ItemId;
use tantei_engine::playbook::matching::Library;
use tantei_engine::playbook::schema;
use tantei_engine::report::{self, Arg, Fact};

use crate::words::{Lang, Words};

use super::escape;

/// Where text goes, which decides how it is escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// A terminal, or a plain text file.
    Terminal,
    /// Markdown.
    Markdown,
}

/// Longest name from outside: AWS makes none longer than an ARN.
const NAME_CHARS_MAX: usize = 256;

/// Longest text from outside in a line of a terminal.
const TEXT_CHARS_TERMINAL: usize = 100;

/// Longest text from outside in the report.
const TEXT_CHARS_MARKDOWN: usize = 240;

/// Says facts in one language for one surface.
#[derive(Debug, Clone, Copy)]
pub struct Voice<'a> {
    /// The language.
    pub words: &'a Words,
    /// Playbooks, for their own texts.
    pub library: &'a Library,
    /// Where the text goes.
    pub surface: Surface,
}

impl Voice<'_> {
    /// A fact as a sentence, with its remarks in brackets.
    #[must_use]
    pub fn sentence(&self, fact: &Fact) -> String {
        let args: Vec<(&str, String)> = fact.args.iter().map(|(n, a)| (n.as_str(), self.arg(a))).collect();
        let args: Vec<(&str, &str)> = args.iter().map(|(n, a)| (*n, a.as_str())).collect();
        let main = self.words.say(&fact.key, &args);
        if fact.remarks.is_empty() {
            return main;
        }
        let remarks = self.list(fact.remarks.iter().map(|r| self.sentence(r)));
        self.words.say("with-remarks", &[("main", &main), ("remarks", &remarks)])
    }

    /// A feed item as a sentence, without its time and identifier.
    #[must_use]
    pub fn item(&self, item: &FeedItem) -> String {
        self.sentence(&report::entry(item).fact)
    }

    /// Sentences in a row.
    #[must_use]
    pub fn list(&self, sentences: impl IntoIterator<Item = String>) -> String {
        let sentences: Vec<String> = sentences.into_iter().collect();
        sentences.join(&self.words.word("list-separator"))
    }

    /// A statement and why: the answer first.
    #[must_use]
    pub fn because(&self, statement: &Fact, reasons: &[Fact]) -> String {
        let statement = self.sentence(statement);
        if reasons.is_empty() {
            return statement;
        }
        let reasons = self.list(reasons.iter().map(|r| self.sentence(r)));
        self.words.say("because", &[("statement", &statement), ("reasons", &reasons)])
    }

    /// Whom a line is about: a resource, or caller and called one.
    #[must_use]
    pub fn subject(&self, subject: &[String]) -> String {
        let names: Vec<String> = subject.iter().map(|s| self.name(s)).collect();
        names.join(" → ")
    }

    /// A name from outside.
    #[must_use]
    pub fn name(&self, name: &str) -> String {
        match self.surface {
            Surface::Terminal => escape::terminal(name, NAME_CHARS_MAX),
            Surface::Markdown => escape::markdown(name, NAME_CHARS_MAX),
        }
    }

    /// Identifiers in square brackets; nothing when there are none.
    #[must_use]
    pub fn cites(&self, items: &[ItemId]) -> String {
        if items.is_empty() {
            return String::new();
        }
        let items: Vec<String> = items.iter().map(ToString::to_string).collect();
        let cited = self.words.say("cites", &[("items", &items.join(", "))]);
        format!(" {}", self.own(&cited))
    }

    /// A word of our own.
    #[must_use]
    pub fn word(&self, key: &str) -> String {
        self.words.word(key)
    }

    /// A label and what it labels.
    #[must_use]
    pub fn labelled(&self, key: &str, text: &str) -> String {
        let label = self.word(key);
        self.words.say("labelled", &[("label", &label), ("text", text)])
    }

    /// A text of a playbook in the reader's language. Trusted, but not markup.
    #[must_use]
    pub fn playbook_text(&self, text: &schema::Words) -> String {
        self.own(match self.words.lang() {
            Lang::En => &text.en,
            Lang::Ja => &text.ja,
        })
    }

    /// The title of a playbook; its identifier when it is not in the library any more.
    #[must_use]
    pub fn title(&self, playbook: &str) -> String {
        let known = self.library.get(playbook);
        known.map_or_else(|| self.name(playbook), |p| self.playbook_text(&p.title))
    }

    /// Trusted text.
    fn own(&self, text: &str) -> String {
        match self.surface {
            Surface::Terminal => escape::terminal(text, usize::MAX),
            Surface::Markdown => escape::markdown_words(text),
        }
    }

    /// Free text from outside, recognisable as such.
    fn text(&self, text: &str) -> String {
        match self.surface {
            Surface::Terminal => {
                let text = escape::terminal(text, TEXT_CHARS_TERMINAL);
                self.words.say("quoted", &[("text", &text)])
            }
            Surface::Markdown => escape::markdown(&escape::inert_urls(text), TEXT_CHARS_MARKDOWN),
        }
    }

    fn arg(&self, arg: &Arg) -> String {
        let words = self.words;
        match arg {
            Arg::Item(id) => id.to_string(),
            Arg::Name(name) => self.name(name),
            Arg::Path(names) => self.subject(names),
            Arg::Text(text) => self.text(text.raw()),
            Arg::Number { value, unit } => words.number(*value, unit.as_deref()),
            Arg::Count(n) => n.to_string(),
            Arg::Factor(factor) => words.factor(*factor),
            Arg::Share(share) => words.share(*share),
            Arg::Milliseconds(ms) => words.milliseconds(*ms),
            Arg::Seconds(s) => words.duration(*s),
            Arg::Time(t) => words.time(*t),
            Arg::Clock(t) => words.clock(*t),
            Arg::Term(key) => words.word(key),
            Arg::Playbook(id) => self.title(id),
        }
    }
}
