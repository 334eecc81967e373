//! The report in Markdown, from its facts alone.
//!
//! Everything from outside is a code span, so that no link, image, HTML, emphasis or table break can come out of
//! telemetry. Links are the playbooks' own.

use tantei_engine::playbook::schema::Playbook;
use tantei_engine::report::{Alternative, Arg, Cause, Entry, Fact, Judgement, Proposal, Report};

use super::facts::Voice;
use super::sparkline;

/// Columns of a sparkline in a table.
const SPARK_WIDTH: usize = 30;

/// The report. `voice` must speak Markdown.
#[must_use]
pub fn report(voice: &Voice<'_>, report: &Report) -> String {
    let mut page = Page { voice, out: String::new() };
    let investigation = voice.name(&report.investigation);
    let title = voice.words.say("head-report", &[("investigation", &investigation)]);
    page.line(&format!("# {title}\n"));
    page.answer(&report.cause);
    page.section("head-overview", &report.overview);
    page.section("head-impact", &report.impact);
    page.heading("head-detection");
    page.table(&report.detection);
    if !report.hygiene.is_empty() {
        page.heading("head-hygiene");
        page.table(&report.hygiene);
    }
    page.heading("head-timeline");
    page.table(&report.timeline.entries);
    if report.timeline.omitted > 0 {
        let count = report.timeline.omitted.to_string();
        page.line(&format!("\n{}", voice.words.say("timeline-omitted", &[("count", &count)])));
    }
    page.cause(&report.cause);
    page.actions(&report.actions);
    if !report.recovery.is_empty() {
        page.heading("head-recovery");
        report.recovery.iter().for_each(|j| page.judgement(j));
    }
    page.gaps(&report.gaps);
    page.follow_ups(report);
    page.out
}

/// A page under construction.
struct Page<'a> {
    voice: &'a Voice<'a>,
    out: String,
}

impl Page<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn heading(&mut self, key: &str) {
        self.line(&format!("\n## {}\n", self.voice.word(key)));
    }

    fn part(&mut self, key: &str) {
        self.line(&format!("\n### {}\n", self.voice.word(key)));
    }

    fn answer(&mut self, cause: &Cause) {
        let text = match &cause.statement {
            Some(statement) => {
                let head = format!("**{}**", self.voice.sentence(statement));
                let reasons = self.voice.list(cause.reasons.iter().map(|r| self.voice.sentence(r)));
                let cited = self.voice.cites(&statement.cites);
                format!(
                    "{}{cited}",
                    self.voice.words.say("because", &[("statement", &head), ("reasons", &reasons)])
                )
            }
            None => {
                let reasons = self.voice.list(cause.unknown.iter().map(|r| self.voice.sentence(r)));
                let head = format!("**{}**", self.voice.word("cause-unknown"));
                self.voice.words.say("because", &[("statement", &head), ("reasons", &reasons)])
            }
        };
        self.line(&format!("> {text}"));
    }

    fn section(&mut self, key: &str, facts: &[Fact]) {
        self.heading(key);
        self.bullets(facts);
    }

    fn bullets(&mut self, facts: &[Fact]) {
        for fact in facts {
            self.line(&format!("- {}", about(self.voice, fact)));
        }
    }

    /// Facts under a label of their own.
    fn listed(&mut self, key: &str, facts: &[Fact]) {
        if facts.is_empty() {
            return;
        }
        self.line(format!("- {}", self.voice.labelled(key, "")).trim_end());
        for fact in facts {
            self.line(&format!("  - {}", self.voice.sentence(fact)));
        }
    }

    fn header(&mut self, keys: &[&str]) {
        let names: Vec<String> = keys.iter().map(|k| self.voice.word(k)).collect();
        self.line(&format!("| {} |", names.join(" | ")));
        self.line(&format!("|{}", " --- |".repeat(keys.len())));
    }

    /// Items in order of time; their course where one is drawn.
    fn table(&mut self, entries: &[Entry]) {
        if entries.is_empty() {
            self.line(&self.voice.word("none"));
            return;
        }
        let drawn = entries.iter().any(|e| !e.points.is_empty());
        let mut keys = vec!["column-time", "column-item", "column-resource", "column-what"];
        keys.extend(drawn.then_some("column-course"));
        self.header(&keys);
        for e in entries {
            let (at, subject) = (self.voice.words.clock(e.at), self.voice.subject(&e.subject));
            let mut cells = vec![at, e.item.to_string(), subject, self.voice.sentence(&e.fact)];
            cells.extend(drawn.then(|| sparkline::draw(&e.points, SPARK_WIDTH)));
            self.line(&format!("| {} |", cells.join(" | ")));
        }
    }

    fn cause(&mut self, cause: &Cause) {
        self.heading("head-cause");
        match &cause.statement {
            Some(statement) => {
                self.line(&format!(
                    "{}{}\n",
                    self.voice.sentence(statement),
                    self.voice.cites(&statement.cites)
                ));
                self.bullets(&cause.reasons);
                self.bullets(&cause.details);
            }
            None => {
                self.line(&format!("{}\n", self.voice.word("cause-unknown")));
                self.bullets(&cause.unknown);
            }
        }
        self.listed("label-revised", &cause.revised);
        if !cause.supporting.is_empty() {
            self.part("head-evidence");
            let trigger = cause.trigger.iter().cloned();
            let entries: Vec<Entry> = cause.supporting.iter().cloned().chain(trigger).collect();
            self.table(&entries);
        }
        if !cause.account.is_empty() {
            self.part("head-account");
            for a in &cause.account {
                let bar = "█".repeat(tantei_engine::model::num::index((a.value * 10.0).round()).min(10));
                let cited = self.voice.cites(&a.fact.cites);
                let value = self.voice.words.number(a.value, None);
                self.line(&format!("- {} {value} {bar}{cited}", self.voice.sentence(&a.fact)));
            }
        }
        if cause.statement.is_some() {
            self.part("head-contradicting");
            self.table(&cause.contradicting);
        }
        self.alternatives(cause);
        if cause.statement.is_some() {
            self.part("head-checks");
            self.listed("label-confirm", &cause.confirm);
            self.listed("label-refute", &cause.refute);
        }
    }

    fn alternatives(&mut self, cause: &Cause) {
        if cause.alternatives.is_empty() {
            return;
        }
        self.part("head-alternatives");
        for Alternative { item, statement, why } in &cause.alternatives {
            let cited = item.map(|i| self.voice.cites(&[i])).unwrap_or_default();
            self.line(&format!("- {}{cited}", self.voice.because(statement, why)));
        }
    }

    fn actions(&mut self, proposals: &[Proposal]) {
        self.heading("head-actions");
        if proposals.is_empty() {
            self.line(&self.voice.word("actions-none"));
        }
        for p in proposals {
            let star = if p.recommended {
                format!(" ★ {}", self.voice.word("label-recommended"))
            } else {
                String::new()
            };
            self.line(&format!("### {} {}{star}\n", p.item, self.voice.title(&p.playbook)));
            self.proposal(p);
            self.line("");
        }
    }

    fn proposal(&mut self, p: &Proposal) {
        self.line(&format!("- {}", self.voice.sentence(&p.action)));
        self.listed("label-why", &p.reasons);
        if let Some(playbook) = self.voice.library.get(&p.playbook) {
            self.playbook(playbook);
        }
        if !p.parameters.is_empty() {
            self.line("");
            self.header(&["column-parameter", "column-value", "column-origin"]);
            for x in &p.parameters {
                let values: Vec<String> = x.values.iter().map(|v| self.voice.name(v)).collect();
                let value = if values.is_empty() { "?".to_owned() } else { values.join(", ") };
                let origin = self.voice.sentence(&x.origin);
                self.line(&format!("| {} | {value} | {origin} |", self.voice.name(&x.name)));
            }
        }
        if !p.decisions.is_empty() || !p.run.is_empty() {
            self.line("");
            let entries: Vec<Entry> = p.decisions.iter().chain(&p.run).cloned().collect();
            self.table(&entries);
        }
        p.judgements.iter().for_each(|j| self.judgement(j));
    }

    fn playbook(&mut self, playbook: &Playbook) {
        let voice = *self.voice;
        let mut all = |key: &str, texts: &[tantei_engine::playbook::schema::Words]| {
            for text in texts {
                self.line(&format!("- {}", voice.labelled(key, &voice.playbook_text(text))));
            }
        };
        all("label-precondition", &playbook.preconditions);
        all("label-step", &playbook.steps);
        all("label-expect", std::slice::from_ref(&playbook.expect));
        all("label-undo", std::slice::from_ref(&playbook.undo));
        for link in &playbook.links {
            let text = format!("{} <{}>", voice.playbook_text(&link.title), link.url);
            self.line(&format!("- {}", voice.labelled("label-link", &text)));
        }
    }

    fn judgement(&mut self, j: &Judgement) {
        let verdict = self.voice.sentence(&j.verdict);
        let cited = self.voice.cites(&[j.item]);
        self.line(&format!("\n**{}**{cited}\n", self.voice.labelled("label-result", &verdict)));
        for m in &j.measures {
            let mark = if m.back { "✓" } else { "✗" };
            let spark = sparkline::draw(&m.points, SPARK_WIDTH);
            self.line(&format!("- {mark} {} {spark}", self.voice.sentence(&m.fact)));
        }
    }

    fn gaps(&mut self, gaps: &[Entry]) {
        self.heading("head-gaps");
        if gaps.is_empty() {
            self.line(&self.voice.word("gaps-none"));
        }
        for gap in gaps {
            let subject = self.voice.subject(&gap.subject);
            let about = if gap.subject.is_empty() { String::new() } else { format!("{subject} — ") };
            self.line(&format!("- {} {about}{}", gap.item, self.voice.sentence(&gap.fact)));
        }
    }

    fn follow_ups(&mut self, report: &Report) {
        self.heading("head-follow-ups");
        for task in &report.follow_ups {
            self.line(&format!("- [ ] {}", self.voice.sentence(task)));
        }
    }
}

/// A sentence led by the resource that it is about, where it does not name it itself.
fn about(voice: &Voice<'_>, fact: &Fact) -> String {
    let led = fact.key.starts_with("item-");
    match fact.args.get("resource") {
        Some(Arg::Name(name)) if led => {
            format!("{} — {}{}", voice.name(name), voice.sentence(fact), voice.cites(&fact.cites))
        }
        Some(_) | None => voice.sentence(fact),
    }
}
