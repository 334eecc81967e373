//! What is wrong with the alarms themselves: shown beside the cause, never as one.

use crate::analysis::ranking::usually_crosses;
use crate::investigation::State;
use crate::model::alarm_health::{AlarmFault, AlarmHealth, Evaluation};
use crate::model::cause::Abstention;

use super::cause::abstention;
use super::fact::{Arg, Fact};
use super::item::Entry;

/// What holds of the alarms, and that the threshold lies inside what the metric usually shows.
pub(super) fn hygiene(state: &State) -> Vec<Entry> {
    let Some(scope) = state.scope() else { return Vec::new() };
    let usual = state.evidence().find(|(_, o)| usually_crosses(&scope, o)).map(|(item, o)| Entry {
        at: o.since,
        item,
        subject: vec![o.resource.as_str().to_owned()],
        fact: abstention(Abstention::ThresholdUsual),
        points: Vec::new(),
    });
    let told = state.unhealthy().map(|(item, h)| Entry {
        at: scope.alarm.at,
        item,
        subject: h.resource.iter().map(|r| r.as_str().to_owned()).collect(),
        fact: health(h),
        points: Vec::new(),
    });
    told.chain(usual).collect()
}

/// One alarm with what is wrong.
pub(super) fn health(h: &AlarmHealth) -> Fact {
    Fact::new("item-alarm-health")
        .with("name", Arg::Name(h.name.raw().to_owned()))
        .remarking(h.faults.iter().map(|f| fault(*f)))
}

fn fault(fault: AlarmFault) -> Fact {
    let times = |key: &str, n: u32| Fact::new(key).with("times", Arg::Count(n.into()));
    match fault {
        AlarmFault::NeverOk { since } => Fact::new("alarm-never-ok").with("since", Arg::Time(since)),
        AlarmFault::NoAction => Fact::new("alarm-no-action"),
        AlarmFault::ActionsDisabled => Fact::new("alarm-actions-disabled"),
        AlarmFault::ActionsSuppressed => Fact::new("alarm-actions-suppressed"),
        AlarmFault::NoOkAction => Fact::new("alarm-no-ok-action"),
        AlarmFault::MissingHides => Fact::new("alarm-missing-hides"),
        AlarmFault::MissingFreezes => Fact::new("alarm-missing-freezes"),
        AlarmFault::MissingFires { times: n } => times("alarm-missing-fires", n),
        AlarmFault::Flaps { times: n } => times("alarm-flaps", n),
        AlarmFault::Evaluation { problem } => {
            Fact::new("alarm-evaluation").with("problem", Arg::Name(evaluation(problem).to_owned()))
        }
    }
}

/// CloudWatch's own words, the same in every language.
fn evaluation(problem: Evaluation) -> &'static str {
    match problem {
        Evaluation::PartialData => "PARTIAL_DATA",
        Evaluation::EvaluationError => "EVALUATION_ERROR",
        Evaluation::EvaluationFailure => "EVALUATION_FAILURE",
    }
}
