//! Silences: what people know to come is shown and not investigated while it lasts. Triage keeps them; here they are checked
//! and asked for.

use serde::Serialize;
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::{TimeSpan, Timestamp};
use tantei_engine::triage::{Command, Field, Matcher, SILENCES_MAX, Silence, Silenced};

use super::{DecideError, Service};
use crate::redacting;

/// Longest text of a matcher: the longest ARN of an alarm is shorter.
const VALUE_BYTES_MAX: usize = 1_024;

/// Seconds that a silence lasts at most: what is silenced for longer is an alarm to delete.
const LASTS_S_MAX: i64 = 366 * 86_400;

/// A silence that somebody wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What must be where; `*` stands for any text.
    pub matchers: Vec<(Field, String)>,
    /// From when; from now on when nobody says.
    pub from: Option<Timestamp>,
    /// Until when.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

/// Where a silence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It begins later.
    Pending,
    /// It lasts.
    Active,
    /// It is over.
    Past,
}

/// A silence in a list.
#[derive(Debug, Clone, Serialize)]
pub struct ListedSilence {
    /// Where it stands.
    pub state: Standing,
    /// It.
    #[serde(flatten)]
    pub silenced: Silenced,
}

impl Service {
    /// Silences: those that last and those to come first, then those that are over, the last first.
    pub async fn silences(&self) -> Vec<ListedSilence> {
        let now = self.inner.clock.now();
        let triage = self.inner.triage.read().await;
        let standing = |s: &Silenced| match (s.is_live(now), s.silence.window.start > now) {
            (false, _) => Standing::Past,
            (true, true) => Standing::Pending,
            (true, false) => Standing::Active,
        };
        let listed = |s: &Silenced| ListedSilence { state: standing(s), silenced: s.clone() };
        let mut all: Vec<ListedSilence> = triage.silences().values().map(listed).collect();
        all.sort_by_key(|s| (s.state == Standing::Past, std::cmp::Reverse(s.silenced.silence.window.end)));
        all
    }

    /// Sets a silence; its identifier. It counts for everything that is received from now on.
    ///
    /// # Errors
    /// When it would silence nothing or everything, or cannot be kept.
    pub async fn silence(&self, wanted: Wanted, person: &str) -> Result<String, DecideError> {
        let now = self.inner.clock.now();
        let wrong = |why: &str| DecideError::Invalid(why.to_owned());
        let until = wanted.until.ok_or_else(|| wrong("say until when it lasts"))?;
        let from = wanted.from.unwrap_or(now);
        if until <= now || until <= from {
            return Err(wrong("a silence ends in the future, and after it begins"));
        }
        if until.secs_since(from) > LASTS_S_MAX {
            return Err(wrong(
                "a silence lasts a year at most: an alarm that nobody wants is better deleted",
            ));
        }
        if wanted.reason.trim().is_empty() {
            return Err(wrong("say why, for those who wonder later"));
        }
        if wanted.matchers.iter().all(|(_, value)| value.chars().all(|c| c == '*')) {
            return Err(wrong(
                "name what is silenced: an account, a Region, a service, a resource or an alarm",
            ));
        }
        if wanted.matchers.iter().any(|(_, v)| v.is_empty() || v.len() > VALUE_BYTES_MAX) {
            return Err(wrong("what is silenced is named by 1 to 1,024 bytes"));
        }
        if wanted.matchers.iter().any(|(field, _)| *field == Field::Service) {
            return Err(wrong(
                "no alarm says the tag of its service yet, so that nothing would be silenced: name alarms or resources",
            ));
        }
        let live = self.inner.triage.read().await.silences().values().filter(|s| s.is_live(now)).count();
        if live >= SILENCES_MAX {
            return Err(wrong("too many silences are set: end some first"));
        }
        let id = format!("sil_{}", uuid::Uuid::now_v7().simple());
        let matchers = wanted.matchers.into_iter().map(|(field, value)| Matcher { field, value }).collect();
        let reason = redacting::text(&self.inner.redactor, &Untrusted::new(&wanted.reason));
        let silence = Silence { id: id.clone(), matchers, window: TimeSpan::new(from, until), reason };
        self.ask(Command::Silence { silence, person: person.to_owned() }).await?;
        Ok(id)
    }

    /// Ends a silence before its time: what still fires starts.
    ///
    /// # Errors
    /// When there is none that lasts, or the request cannot be kept.
    pub async fn end_silence(&self, id: &str, person: &str) -> Result<(), DecideError> {
        let now = self.inner.clock.now();
        let live = self.inner.triage.read().await.silences().get(id).is_some_and(|s| s.is_live(now));
        if !live {
            return Err(DecideError::NotFound(format!("there is no silence `{id}` that has not ended")));
        }
        self.ask(Command::EndSilence { silence: id.to_owned(), person: person.to_owned() }).await
    }
}
