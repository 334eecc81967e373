//! An investigation as it happens, for a person: the feed line by line, progress while a source is read, then the
//! summary and the report.

use anyhow::Result;
use indicatif::ProgressBar;
use tantei_engine::investigation::{State, ranking};
use tantei_engine::model::feed::FeedItem;
use tantei_engine::model::query::Source;
use tantei_engine::playbook::matching::Library;
use tantei_engine::report::{self, Report};

use super::output;
use crate::ports::Observer;
use crate::render::terminal::{Style, feed_line, summary};
use crate::render::{Surface, Voice, markdown};
use crate::replay::Investigated;
use crate::words::{Lang, Words};

/// Records between two updates of the progress line.
const PROGRESS_EVERY: u64 = 20_000;

/// Prints the feed as it grows.
#[derive(Debug)]
pub(super) struct Live {
    words: Words,
    library: Library,
    style: Style,
    /// Shown only while a source takes long.
    progress: Option<ProgressBar>,
    shown: u64,
    failure: Option<anyhow::Error>,
}

impl Live {
    pub(super) fn new(lang: Lang, library: Library) -> Self {
        Self {
            words: Words::new(lang),
            library,
            style: output::style(),
            progress: None,
            shown: 0,
            failure: None,
        }
    }

    pub(super) fn words(&self) -> &Words {
        &self.words
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }

    pub(super) fn voice(&self, surface: Surface) -> Voice<'_> {
        Voice { words: &self.words, library: &self.library, surface }
    }

    /// Ends the progress line; an error of printing that happened underway comes out here.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.end_progress();
        self.failure.take().map_or(Ok(()), Err)
    }

    fn end_progress(&mut self) {
        self.shown = 0;
        if let Some(bar) = self.progress.take() {
            bar.finish_and_clear();
        }
    }

    /// The answer and everything that follows from it.
    pub(super) fn summary(&self, replayed: &Investigated) -> String {
        format!("\n{}", summary(&self.voice(Surface::Terminal), self.style, &facts(replayed)))
    }

    /// The report as a document.
    pub(super) fn report(&self, replayed: &Investigated, surface: Surface) -> String {
        markdown::report(&self.voice(surface), &facts(replayed))
    }
}

fn facts(replayed: &Investigated) -> Report {
    report::facts(replayed.state(), replayed.feed(), &ranking(replayed.state()))
}

impl Observer for Live {
    fn appended(&mut self, item: &FeedItem, _: &State) {
        let Some(line) = feed_line(&self.voice(Surface::Terminal), self.style, item) else { return };
        // The progress line must not stand between the lines of the feed.
        self.end_progress();
        if let Err(e) = output::line(&line) {
            self.failure.get_or_insert(e);
        }
    }

    fn progress(&mut self, source: Source, records: u64) {
        if records >= self.shown + PROGRESS_EVERY {
            self.shown = records;
            let bar = self.progress.get_or_insert_with(output::spinner);
            bar.set_message(format!("{} {records}", source.name()));
            bar.tick();
        }
    }
}
