//! The terminal's layout: one line for each feed item as it comes, then the answer, what to do, what was not seen.
//!
//! Returns text and prints nothing. Width and colour are the caller's: a pipe gets neither.

use tantei_engine::model::alarm::AlarmState;
use tantei_engine::model::feed::{Body, FeedItem};
use tantei_engine::model::id::ItemKind;
use tantei_engine::playbook::schema::Playbook;
use tantei_engine::report::{self, Alternative, Cause, Entry, Fact, Judgement, Parameter, Proposal, Report};

use super::facts::Voice;
use super::layout::{columns, cut, fit, wrap};
use super::sparkline;

/// How to lay out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; lines are not cut at [`Style::PLAIN`]'s.
    pub width: usize,
    /// Whether to use colour.
    pub colour: bool,
}

impl Style {
    /// For a pipe or a file.
    pub const PLAIN: Self = Self { width: usize::MAX, colour: false };

    /// For a terminal of so many columns.
    #[must_use]
    pub fn terminal(width: usize) -> Self {
        // Below this nothing can be laid out; better one torn line than one word a line.
        Self { width: width.max(60), colour: true }
    }

    /// A resource's name in its column: cut on a narrow terminal, whole in a pipe.
    fn subject(self, subject: &str) -> String {
        if self.width == usize::MAX && columns(subject) > SUBJECT_WIDTH.1 {
            return subject.to_owned();
        }
        fit(subject, (self.width / 5).clamp(SUBJECT_WIDTH.0, SUBJECT_WIDTH.1))
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour && code != PLAIN && !text.trim().is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

const PLAIN: &str = "0";
const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";

/// Columns of an item's identifier.
const ITEM_WIDTH: usize = 5;

/// Columns of a resource's name in the feed, at least and at most.
const SUBJECT_WIDTH: (usize, usize) = (16, 30);

/// Columns of a sparkline.
const SPARK_WIDTH: usize = 24;

/// Columns of a label in the summary, in either language.
const LABEL_WIDTH: usize = 18;

/// The line of a feed item; nothing for bookkeeping that nobody reads at night.
#[must_use]
pub fn feed_line(voice: &Voice<'_>, style: Style, item: &FeedItem) -> Option<String> {
    if matches!(item.body, Body::Usage(_)) {
        return None;
    }
    let entry = report::entry(item);
    let good_news = matches!(&item.body, Body::AlarmTransition(t) if t.to == AlarmState::Ok);
    let colour = if good_news { GREEN } else { colour_of(&entry) };
    Some(line(voice, style, &entry, colour))
}

/// `06:12:32  O-12  orders  …`.
fn line(voice: &Voice<'_>, style: Style, entry: &Entry, colour: &str) -> String {
    let subject = style.subject(&voice.subject(&entry.subject));
    let used = 8 + 2 + ITEM_WIDTH + 1 + columns(&subject) + 2;
    let room = style.width.saturating_sub(used);
    let spark = sparkline::draw(&entry.points, SPARK_WIDTH);
    let text = voice.sentence(&entry.fact);
    // The line keeps its sentence whole before it keeps its drawing.
    let drawn = !spark.is_empty() && columns(&text) + 2 + columns(&spark) <= room;
    let text = cut(&text, room);
    let text = style.paint(colour, &text);
    let tail = if drawn { format!("  {}", style.paint(CYAN, &spark)) } else { String::new() };
    let id = fit(&entry.item.to_string(), ITEM_WIDTH);
    let clock = style.paint(DIM, &voice.words.clock(entry.at));
    format!("{clock}  {} {}  {text}{tail}", style.paint(DIM, &id), style.paint(BOLD, &subject))
}

fn colour_of(entry: &Entry) -> &'static str {
    match entry.item.kind() {
        ItemKind::Gap => YELLOW,
        ItemKind::Alarm => RED,
        ItemKind::Hypothesis => BOLD,
        ItemKind::Recovery | ItemKind::Approval => GREEN,
        ItemKind::Lifecycle | ItemKind::Topology | ItemKind::Usage => DIM,
        ItemKind::Observation
        | ItemKind::Suggestion
        | ItemKind::Execution
        | ItemKind::Note
        | ItemKind::Decision => PLAIN,
    }
}

/// The answer and everything that follows from it.
#[must_use]
pub fn summary(voice: &Voice<'_>, style: Style, report: &Report) -> String {
    let mut page = Page { voice, style, out: String::new() };
    page.cause(&report.cause);
    page.facts("head-impact", &report.impact);
    page.evidence(&report.cause);
    page.alternatives(&report.cause);
    page.actions(&report.actions);
    if !report.recovery.is_empty() {
        page.heading("head-recovery");
        report.recovery.iter().for_each(|j| page.judgement(j));
    }
    page.hygiene(&report.hygiene);
    page.gaps(&report.gaps);
    page.out
}

/// One suggestion with its plan, parameters and their origins: what a person must see before they approve.
#[must_use]
pub fn proposal(voice: &Voice<'_>, style: Style, proposal: &Proposal) -> String {
    let mut page = Page { voice, style, out: String::new() };
    page.proposal(proposal);
    page.out
}

/// A page under construction.
struct Page<'a> {
    voice: &'a Voice<'a>,
    style: Style,
    out: String,
}

impl Page<'_> {
    fn heading(&mut self, key: &str) {
        let text = self.style.paint(BOLD, &self.voice.word(key));
        let gap = if self.out.is_empty() { "" } else { "\n" };
        self.push(&format!("{gap}{text}"));
    }

    fn push(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    /// Text behind a mark, following lines under its beginning.
    fn hanging(&mut self, mark: &str, mark_columns: usize, text: &str) {
        let room = self.style.width.saturating_sub(mark_columns).max(20);
        let lines = wrap(text, room);
        for (i, line) in lines.iter().enumerate() {
            if i == 0 {
                self.push(&format!("{mark}{line}"));
            } else {
                self.push(&format!("{}{line}", " ".repeat(mark_columns)));
            }
        }
    }

    /// `  label   text`.
    fn labelled(&mut self, key: &str, text: &str) {
        let label = fit(&self.voice.word(key), LABEL_WIDTH);
        let mark = format!("  {}  ", self.style.paint(DIM, &label));
        self.hanging(&mark, LABEL_WIDTH + 4, text);
    }

    /// One label for many lines: shown once.
    fn each(&mut self, key: &str, texts: impl IntoIterator<Item = String>) {
        for (i, text) in texts.into_iter().enumerate() {
            if i == 0 {
                self.labelled(key, &text);
            } else {
                let indent = " ".repeat(LABEL_WIDTH + 4);
                self.hanging(&indent, LABEL_WIDTH + 4, &text);
            }
        }
    }

    fn sentences(&mut self, key: &str, facts: &[Fact]) {
        let texts: Vec<String> = facts.iter().map(|f| self.voice.sentence(f)).collect();
        self.each(key, texts);
    }

    fn facts(&mut self, heading: &str, facts: &[Fact]) {
        if facts.is_empty() {
            return;
        }
        self.heading(heading);
        for fact in facts {
            self.hanging("  ", 2, &about(self.voice, fact));
        }
    }

    fn entries(&mut self, entries: &[Entry]) {
        for entry in entries {
            let style = Style { width: self.style.width.saturating_sub(2), ..self.style };
            let line = line(self.voice, style, entry, colour_of(entry));
            self.push(&format!("  {line}"));
        }
    }

    fn cause(&mut self, cause: &Cause) {
        self.heading("head-answer");
        let Some(statement) = &cause.statement else {
            let text = self.style.paint(YELLOW, &self.voice.word("cause-unknown"));
            self.push(&format!("  {text}"));
            self.sentences("label-why", &cause.unknown);
            self.sentences("label-revised", &cause.revised);
            return;
        };
        let id = cause.item.map(|i| i.to_string()).unwrap_or_default();
        let mark = format!("  {}  ", self.style.paint(BOLD, &id));
        self.hanging(&mark, columns(&id) + 4, &self.voice.sentence(statement));
        self.sentences("label-why", &cause.reasons);
        self.sentences("label-where", &cause.details);
        self.sentences("label-revised", &cause.revised);
    }

    /// What carries the statement, what speaks against it, and what would settle it.
    fn evidence(&mut self, cause: &Cause) {
        if cause.statement.is_none() {
            return;
        }
        self.heading("head-evidence");
        self.entries(&cause.supporting);
        if let Some(trigger) = &cause.trigger {
            self.push(&format!("  {}", self.style.paint(DIM, &self.voice.word("label-trigger"))));
            self.entries(std::slice::from_ref(trigger));
        }
        if !cause.contradicting.is_empty() {
            self.push(&format!("  {}", self.style.paint(DIM, &self.voice.word("head-contradicting"))));
            self.entries(&cause.contradicting);
        }
        self.heading("head-checks");
        self.sentences("label-confirm", &cause.confirm);
        self.sentences("label-refute", &cause.refute);
    }

    fn alternatives(&mut self, cause: &Cause) {
        if cause.alternatives.is_empty() {
            return;
        }
        self.heading("head-alternatives");
        for Alternative { item, statement, why } in &cause.alternatives {
            let id = fit(&item.map_or_else(|| "—".to_owned(), |i| i.to_string()), ITEM_WIDTH);
            let mark = format!("  {}", self.style.paint(DIM, &id));
            self.hanging(&mark, ITEM_WIDTH + 2, &self.voice.because(statement, why));
        }
    }

    fn actions(&mut self, proposals: &[Proposal]) {
        self.heading("head-actions");
        if proposals.is_empty() {
            self.push(&format!("  {}", self.voice.word("actions-none")));
        }
        // One in full: the one that was acted on, else the best. At night nobody reads five.
        let acted = |p: &&Proposal| !p.decisions.is_empty() || !p.run.is_empty();
        let first = proposals.iter().find(acted).or_else(|| proposals.first());
        first.iter().for_each(|p| self.proposal(p));
        for p in proposals.iter().filter(|p| Some(p.item) != first.map(|f| f.item)) {
            self.title(p);
            let why = self.voice.list(p.reasons.iter().map(|r| self.voice.sentence(r)));
            self.labelled("label-why", &why);
        }
    }

    fn title(&mut self, p: &Proposal) {
        let id = p.item.to_string();
        let title = self.voice.title(&p.playbook);
        let star = if p.recommended {
            format!(" ★ {}", self.voice.word("label-recommended"))
        } else {
            String::new()
        };
        let mark = format!("  {}  ", self.style.paint(BOLD, &id));
        self.hanging(&mark, columns(&id) + 4, &format!("{title}{star}"));
    }

    fn proposal(&mut self, p: &Proposal) {
        self.title(p);
        self.labelled("label-run", &self.voice.sentence(&p.action));
        let why = self.voice.list(p.reasons.iter().map(|r| self.voice.sentence(r)));
        self.labelled("label-why", &why);
        let parameters: Vec<String> = p.parameters.iter().map(|x| parameter(self.voice, x)).collect();
        self.each("label-parameter", parameters);
        if let Some(playbook) = self.voice.library.get(&p.playbook) {
            self.playbook(playbook);
        }
        let decisions: Vec<Fact> = p.decisions.iter().map(|e| e.fact.clone()).collect();
        self.sentences("label-approval", &decisions);
        self.entries(&p.run);
        p.judgements.iter().for_each(|j| self.judgement(j));
    }

    fn playbook(&mut self, playbook: &Playbook) {
        let voice = *self.voice;
        let all = |texts: &[tantei_engine::playbook::schema::Words]| -> Vec<String> {
            texts.iter().map(|t| voice.playbook_text(t)).collect()
        };
        self.each("label-precondition", all(&playbook.preconditions));
        self.each("label-step", all(&playbook.steps));
        self.labelled("label-expect", &voice.playbook_text(&playbook.expect));
        self.labelled("label-undo", &voice.playbook_text(&playbook.undo));
        let links = playbook.links.iter().map(|l| format!("{} <{}>", voice.playbook_text(&l.title), l.url));
        self.each("label-link", links);
    }

    fn judgement(&mut self, j: &Judgement) {
        self.labelled("label-result", &self.voice.sentence(&j.verdict));
        let measures = j.measures.iter().map(|m| {
            let mark = if m.back { "✓" } else { "✗" };
            let spark = sparkline::draw(&m.points, SPARK_WIDTH);
            format!("{mark} {} {spark}", self.voice.sentence(&m.fact))
        });
        let measures: Vec<String> = measures.collect();
        self.each("label-measure", measures);
    }

    fn gaps(&mut self, gaps: &[Entry]) {
        self.heading("head-gaps");
        if gaps.is_empty() {
            self.push(&format!("  {}", self.voice.word("gaps-none")));
        }
        self.warnings(gaps);
    }

    fn hygiene(&mut self, hygiene: &[Entry]) {
        if !hygiene.is_empty() {
            self.heading("head-hygiene");
            self.warnings(hygiene);
        }
    }

    fn warnings(&mut self, entries: &[Entry]) {
        for entry in entries {
            let id = fit(&entry.item.to_string(), ITEM_WIDTH);
            let mark = format!("  {}", self.style.paint(YELLOW, &id));
            self.hanging(&mark, ITEM_WIDTH + 2, &with_subject(self.voice, entry));
        }
    }
}

/// A sentence led by the resource that it is about, where it has one and does not name it itself.
fn about(voice: &Voice<'_>, fact: &Fact) -> String {
    let led = fact.key.starts_with("item-");
    match fact.args.get("resource") {
        Some(report::Arg::Name(name)) if led => format!("{} — {}", voice.name(name), voice.sentence(fact)),
        Some(_) | None => voice.sentence(fact),
    }
}

fn with_subject(voice: &Voice<'_>, entry: &Entry) -> String {
    if entry.subject.is_empty() {
        return voice.sentence(&entry.fact);
    }
    format!("{} — {}", voice.subject(&entry.subject), voice.sentence(&entry.fact))
}

/// `name = value (where it came from)`.
fn parameter(voice: &Voice<'_>, p: &Parameter) -> String {
    let values: Vec<String> = p.values.iter().map(|v| voice.name(v)).collect();
    let value = if values.is_empty() { "?".to_owned() } else { values.join(", ") };
    let main = format!("{} = {value}", voice.name(&p.name));
    let origin = voice.sentence(&p.origin);
    voice.words.say("with-remarks", &[("main", &main), ("remarks", &origin)])
}
