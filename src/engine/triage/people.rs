//! What people, the shell and a newer topology say. A person's word on membership wins over the rules.

use serde::{Deserialize, Serialize};

use super::decision::{InvestigationId, Reason, What};
use super::elect::elect;
use super::incoming::{AlarmKey, Link, Silence};
use super::{SILENCES_MAX, Work};

/// What can be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Some alarms of an investigation are another incident.
    Split {
        /// Theirs.
        investigation: InvestigationId,
        /// Which: some of its members, not all.
        alarms: Vec<AlarmKey>,
        /// Who says so.
        person: String,
    },
    /// Two investigations are one incident.
    Merge {
        /// The one that ends.
        from: InvestigationId,
        /// The one that goes on.
        into: InvestigationId,
        /// Who says so.
        person: String,
    },
    /// A person ends an investigation.
    Close {
        /// Which.
        investigation: InvestigationId,
        /// Who says so.
        person: String,
    },
    /// A person opens an ended investigation again.
    Reopen {
        /// Which.
        investigation: InvestigationId,
        /// Who says so.
        person: String,
    },
    /// The deep work on an investigation is done.
    Finish {
        /// Which.
        investigation: InvestigationId,
    },
    /// Edges became known.
    Learn {
        /// Which.
        links: Vec<Link>,
    },
    /// Sets a silence, or replaces the one with its identifier.
    Silence {
        /// Which.
        silence: Silence,
        /// Who says so.
        person: String,
    },
    /// Ends a silence before its time.
    EndSilence {
        /// Which.
        silence: String,
        /// Who says so.
        person: String,
    },
}

/// Why a command was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No such investigation, or not open.
    #[error("investigation {0} is not open: name one that is")]
    NotOpen(u64),
    /// No such investigation, or not one that can go on.
    #[error("investigation {0} has not ended, or another one goes on for it: name one that has ended")]
    NotEnded(u64),
    /// Nothing to merge.
    #[error("investigation {0} cannot be merged with itself: name two")]
    Same(u64),
    /// An alarm is elsewhere.
    #[error("the alarm is no member of investigation {0}: name alarms that are in it")]
    NoMember(u64),
    /// A split leaves something on both sides.
    #[error("a split of investigation {0} needs at least one alarm, and one that stays")]
    Nothing(u64),
    /// No such silence.
    #[error("there is no such silence: list those that are set")]
    NoSilence,
    /// See [`SILENCES_MAX`].
    #[error("{SILENCES_MAX} silences are set: end some first")]
    TooManySilences,
}

impl Work<'_> {
    /// Does it, or changes nothing.
    pub(super) fn command(&mut self, command: &Command) -> Result<(), Refused> {
        match command {
            Command::Split { investigation, alarms, person } => self.split(*investigation, alarms, person),
            Command::Merge { from, into, person } => {
                if from == into {
                    return Err(Refused::Same(from.0));
                }
                for id in [from, into] {
                    self.open(*id)?;
                }
                let reason = Reason::Person { name: person.clone() };
                self.decide(What::Merged { from: *from, into: *into, reason });
                Ok(())
            }
            Command::Close { investigation, person } => {
                if !self.state.is_open(*investigation) {
                    return Err(Refused::NotOpen(investigation.0));
                }
                self.decide(What::Ended { investigation: *investigation, person: person.clone() });
                Ok(())
            }
            Command::Reopen { investigation, person } => {
                let known = self.state.investigations.get(investigation);
                let ended = known.is_some_and(|i| {
                    i.closed.is_some() && i.merged_into.is_none() && i.depth != super::Depth::Storm
                });
                if !ended {
                    return Err(Refused::NotEnded(investigation.0));
                }
                self.decide(What::Resumed { investigation: *investigation, person: person.clone() });
                Ok(())
            }
            Command::Finish { investigation } => {
                self.open(*investigation)?;
                self.decide(What::Finished { investigation: *investigation });
                Ok(())
            }
            Command::Learn { links } => {
                self.learn(links);
                Ok(())
            }
            Command::Silence { silence, person } => {
                let known = self.state.silences.get(&silence.id).is_some_and(|s| s.is_live(self.now));
                let live = self.state.silences.values().filter(|s| s.is_live(self.now)).count();
                if !known && live >= SILENCES_MAX {
                    return Err(Refused::TooManySilences);
                }
                self.decide(What::SilenceSet { silence: silence.clone(), person: person.clone() });
                Ok(())
            }
            Command::EndSilence { silence, person } => {
                if !self.state.silences.get(silence).is_some_and(|s| s.is_live(self.now)) {
                    return Err(Refused::NoSilence);
                }
                self.decide(What::SilenceEnded { silence: silence.clone(), person: person.clone() });
                Ok(())
            }
        }
    }

    fn open(&self, id: InvestigationId) -> Result<&super::Investigation, Refused> {
        let found = self
            .state
            .investigations
            .get(&id)
            .filter(|i| self.state.is_open(id) && i.depth != super::Depth::Storm);
        found.ok_or(Refused::NotOpen(id.0))
    }

    fn split(&mut self, id: InvestigationId, alarms: &[AlarmKey], person: &str) -> Result<(), Refused> {
        let members = &self.open(id)?.alarms;
        if alarms.iter().any(|a| !members.contains(a)) {
            return Err(Refused::NoMember(id.0));
        }
        if alarms.is_empty() || members.iter().all(|m| alarms.contains(m)) {
            return Err(Refused::Nothing(id.0));
        }
        let to = self.next_id();
        self.decide(What::Split { investigation: to, from: id, person: person.to_owned() });
        for alarm in alarms {
            let reason = Reason::Person { name: person.to_owned() };
            self.decide(What::Moved { alarm: alarm.clone(), from: Some(id), to, reason });
        }
        Ok(())
    }

    /// Takes edges in and looks again at those whose callers fire.
    fn learn(&mut self, links: &[Link]) {
        self.decide(What::Learned { links: links.to_vec() });
        for link in links {
            let Some(caller) = self.state.names.get(&link.caller).copied() else { continue };
            let Some(at) = self.state.nodes.get(&caller).map(|n| n.onset) else { continue };
            if let Some(group) = self.state.group_at(caller, at)
                && !self.state.is_frozen(group)
            {
                let paths = elect(self.state, caller, at);
                self.reassign(at, &paths);
            }
        }
    }
}
