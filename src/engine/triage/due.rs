//! What time alone brings: an OK that has held, an investigation whose members all recovered, a silence that ended.

use super::decision::{Only, Outcome, What};
use super::elect::Paths;
use super::incoming::AlarmKey;
use super::place::is_membership;
use super::{HOLD_S, Work};

impl Work<'_> {
    /// Decides everything that is due.
    pub(super) fn due(&mut self) {
        while let Some((since, alarm)) = self.state.holding.first().cloned() {
            if self.now.secs_since(since) < HOLD_S {
                break;
            }
            self.decide(What::Recovered { alarm: alarm.clone() });
            self.close_if_recovered(&alarm);
        }
        while let Some((until, alarm)) = self.state.held.first().cloned() {
            if until > self.now {
                break;
            }
            self.release(&alarm);
        }
    }

    fn close_if_recovered(&mut self, alarm: &AlarmKey) {
        let Some(member) = self.state.alarms.get(alarm) else { return };
        let Some(id) = member.investigation.map(|i| self.state.current(i)) else { return };
        let all = self.state.investigations.get(&id).is_some_and(|i| i.unrecovered == 0);
        if all && self.state.is_open(id) {
            self.decide(What::Closed { investigation: id });
        }
    }

    /// The alarm still fires: it starts now, unless another silence covers it.
    fn release(&mut self, alarm: &AlarmKey) {
        let Some(incoming) = self.state.alarms.get(alarm).map(|m| m.last.clone()) else { return };
        let investigation = self.state.shown(alarm, &incoming.node());
        let (outcome, paths) = match self.silenced(&incoming) {
            Some(why @ Only::Silenced { .. }) => (Outcome::RecordedOnly { investigation, why }, Paths::new()),
            Some(_) | None => self.firing(&incoming, self.now),
        };
        let member = is_membership(&outcome);
        self.decide(What::Released { alarm: alarm.clone(), outcome });
        if member {
            self.follow(alarm, self.now, &paths);
        }
    }
}
