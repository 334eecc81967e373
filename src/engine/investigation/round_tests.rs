//! Further rounds on small feeds: when one is due, what people discarded, what is asked again and what is not.

use super::tests::{add, measured, opened, t, waiting};
use super::{Action, Reading, State, authorise, propose, revise, step};
use crate::limits::Limits;
use crate::model::cause::Abstention;
use crate::model::execution::{Approval, Execution, Refusal, RunEvent, RunStatus};
use crate::model::feed::{Body, Collected, Decision, DecisionKind, NewItem, Principal, Round, RoundReason};
use crate::model::id::ItemId;
use crate::model::query::Source;
use crate::model::revision::Revision;
use crate::model::time::TimeSpan;

fn collect_all(state: &mut State) {
    for source in Source::ALL {
        add(state, Body::Collected(Collected { source, records: 0, outdated: Vec::new() }));
    }
}

fn record(state: &mut State, actions: Vec<Action>) {
    for action in actions {
        let Action::Record(items) = action else { panic!("{action:?} is not recorded") };
        for item in items {
            let sealed = state.seal(item, t(1_500));
            state.apply(&sealed).unwrap();
        }
    }
}

/// Lets the spine conclude, and records it.
fn conclude(state: &mut State) {
    let conclusion = step(state, t(1_500), &Limits::default());
    record(state, conclusion);
}

fn begin_round(state: &mut State, until: i64) {
    let (window, baseline) = (TimeSpan::new(t(900), t(until)), vec![TimeSpan::new(t(0), t(900))]);
    add(
        state,
        Body::Round(Round { number: 2, window, baseline, why: RoundReason::Asked, focus: Vec::new() }),
    );
}

fn discard(state: &mut State, item: ItemId) {
    add(state, Body::Decision(Decision { item, decision: DecisionKind::Discarded }));
}

/// The alarm's own metric deviates by `z` from second 1,000 on.
fn deviation(z: f64) -> Body {
    measured("front", z)
}

#[test]
fn a_provisional_conclusion_is_looked_at_again_when_its_time_has_come() {
    let mut state = State::default();
    let Body::Opened(mut first) = opened() else { panic!("the opening opens") };
    first.alarm.window.end = t(1_030);
    add(&mut state, Body::Opened(first));
    add(&mut state, deviation(9.0));
    collect_all(&mut state);
    let conclusion = step(&state, t(1_030), &Limits::default());
    record(&mut state, conclusion);
    assert!(state.concluded.as_ref().is_some_and(|c| c.provisional));
    let early = step(&state, t(1_119), &Limits::default());
    assert_eq!(early, vec![Action::Suggest], "one period and the time metrics need have not passed");
    let due = step(&state, t(1_120), &Limits::default());
    record(&mut state, due);
    assert_eq!(
        state.round.as_ref().map(|r| (r.number, r.window.end, r.why)),
        Some((2, t(1_120), RoundReason::Due))
    );
    assert_eq!(step(&state, t(1_120), &Limits::default()), vec![Action::Collect(Source::ALL[0])]);
    collect_all(&mut state);
    let conclusion = step(&state, t(1_120), &Limits::default());
    record(&mut state, conclusion);
    assert!(state.concluded.as_ref().is_some_and(|c| !c.provisional && !c.revised.is_empty()));
    assert_eq!(step(&state, t(9_999), &Limits::default()), vec![Action::Suggest], "no round without end");
}

#[test]
fn discarding_an_observation_ranks_again_without_it_and_it_stays_discarded_when_measured_again() {
    let mut state = State::default();
    add(&mut state, opened());
    let seen = add(&mut state, deviation(9.0));
    collect_all(&mut state);
    conclude(&mut state);
    assert_eq!(state.standing().count(), 1);
    discard(&mut state, seen);
    conclude(&mut state);
    assert_eq!(state.standing().count(), 0);
    begin_round(&mut state, 1_600);
    let by = Principal::Collector { source: Source::Metrics };
    let items = vec![NewItem { happened_at: t(0), by, because: Vec::new(), body: deviation(12.0) }];
    let revised = revise(&state, Source::Metrics, items, Reading::Whole);
    assert_eq!((revised.items.len(), revised.outdated.clone()), (1, vec![seen]));
    record(&mut state, vec![Action::Record(revised.items)]);
    assert_eq!(state.evidence().count(), 0);
}

#[test]
fn a_source_that_shows_the_same_appends_nothing_and_what_it_no_longer_shows_is_outdated() {
    let mut state = State::default();
    add(&mut state, opened());
    let seen = add(&mut state, deviation(9.0));
    begin_round(&mut state, 1_600);
    let item = |body| NewItem {
        happened_at: t(0),
        by: Principal::Collector { source: Source::Metrics },
        because: Vec::new(),
        body,
    };
    let same = revise(&state, Source::Metrics, vec![item(deviation(9.0))], Reading::Whole);
    assert_eq!((same.items.len(), same.outdated.len()), (0, 0));
    let silent = revise(&state, Source::Metrics, Vec::new(), Reading::Whole);
    assert_eq!(silent.outdated, vec![seen]);
    let failed = revise(&state, Source::Metrics, Vec::new(), Reading::Broken);
    assert_eq!(failed.outdated, vec![], "what nobody could look at is not gone");
    let better = revise(&state, Source::Metrics, vec![item(deviation(12.0))], Reading::Broken);
    assert_eq!(better.outdated, vec![seen]);
    let other = revise(&state, Source::Logs, Vec::new(), Reading::Whole);
    assert_eq!(other.outdated, vec![], "a source speaks for itself only");
}

#[test]
fn a_cause_that_people_ruled_out_is_not_named_again() {
    let mut state = State::default();
    add(&mut state, opened());
    add(&mut state, deviation(9.0));
    collect_all(&mut state);
    conclude(&mut state);
    let named: Vec<ItemId> = state.standing().map(|(id, _)| id).collect();
    named.into_iter().for_each(|id| discard(&mut state, id));
    conclude(&mut state);
    assert_eq!(state.standing().count(), 0);
    assert_eq!(state.concluded.map(|c| c.abstained), Some(vec![Abstention::RuledOut]));
}

#[test]
fn people_are_not_asked_the_same_twice_and_what_no_longer_fits_does_not_run() {
    let (mut state, s, _) = waiting();
    let suggestion = state.suggestions.get(&s).cloned().unwrap();
    let (fresh, outdated) = propose(&state, vec![suggestion.clone()]);
    assert!(fresh.is_empty() && outdated.is_empty(), "the same is kept");
    let (fresh, outdated) = propose(&state, Vec::new());
    assert_eq!((fresh.len(), outdated), (0, vec![s]), "nobody decided about it");
    let digest = state.plan(s).map(|p| p.digest().to_owned()).unwrap();
    let word = Approval { suggestion: s, digest, approved: true, expires_at: t(2_000) };
    let mut approved = state.clone();
    add(&mut approved, Body::Approval(word.clone()));
    let (fresh, outdated) = propose(&approved, vec![suggestion]);
    assert!(fresh.is_empty() && outdated.is_empty(), "what people decided stays");
    let (_, outdated) = propose(&approved, Vec::new());
    assert_eq!(outdated, vec![s], "an approval does not outlive the cause that it was given for");
    state.outdated.insert(s);
    add(&mut state, Body::Approval(word));
    assert_eq!(authorise(&state, s, t(1_600)).map(|_| ()), Err(Refusal::Outdated));
}

#[test]
fn a_discard_outlives_a_round_that_did_not_show_what_was_discarded() {
    let mut state = State::default();
    add(&mut state, opened());
    let seen = add(&mut state, deviation(9.0));
    discard(&mut state, seen);
    begin_round(&mut state, 1_600);
    let outdated = revise(&state, Source::Metrics, Vec::new(), Reading::Whole).outdated;
    assert_eq!(outdated, vec![seen]);
    add(&mut state, Body::Collected(Collected { source: Source::Metrics, records: 0, outdated }));
    begin_round(&mut state, 1_700);
    let by = Principal::Collector { source: Source::Metrics };
    let item = NewItem { happened_at: t(0), by, because: Vec::new(), body: deviation(12.0) };
    let revised = revise(&state, Source::Metrics, vec![item], Reading::Whole);
    record(&mut state, vec![Action::Record(revised.items)]);
    assert_eq!((state.observations.len(), state.evidence().count()), (2, 0));
}

#[test]
fn two_records_of_one_thing_leave_nothing_behind() {
    let mut state = State::default();
    add(&mut state, opened());
    let seen: Vec<ItemId> = [9.0, 10.0].into_iter().map(|z| add(&mut state, deviation(z))).collect();
    begin_round(&mut state, 1_600);
    assert_eq!(revise(&state, Source::Metrics, Vec::new(), Reading::Whole).outdated, seen);
    let by = Principal::Collector { source: Source::Metrics };
    let same = [10.0, 9.0].map(|z| NewItem {
        happened_at: t(0),
        by: by.clone(),
        because: Vec::new(),
        body: deviation(z),
    });
    let revised = revise(&state, Source::Metrics, same.to_vec(), Reading::Whole);
    assert!(revised.items.is_empty() && revised.outdated.is_empty(), "{revised:?}");
}

#[test]
fn ruling_the_lead_out_says_that_another_leads() {
    let mut state = State::default();
    add(&mut state, opened());
    add(&mut state, deviation(9.0));
    collect_all(&mut state);
    conclude(&mut state);
    let lead = state.standing().map(|(id, _)| id).next().unwrap();
    discard(&mut state, lead);
    conclude(&mut state);
    let from = state.hypotheses.get(&lead).map(|h| h.facts().cause.clone());
    let revised = state.concluded.as_ref().map(|c| c.revised.clone()).unwrap();
    assert_eq!(revised, vec![Revision::Lead { from, to: None }]);
}

#[test]
fn while_a_plan_runs_nothing_better_is_asked_about() {
    let (mut state, s, _) = waiting();
    let mut better = state.suggestions.get(&s).cloned().unwrap();
    better.playbook = "q".to_owned();
    better.rank = 0;
    let digest = state.plan(s).map(|p| p.digest().to_owned()).unwrap();
    let event = RunEvent::Intended;
    add(&mut state, Body::Execution(Execution { suggestion: s, digest: digest.clone(), run: None, event }));
    let q = add(&mut state, Body::Suggestion(Box::new(better)));
    assert_eq!(step(&state, t(1_500), &Limits::default()), vec![]);
    let event = RunEvent::Ended { status: RunStatus::Failed };
    add(&mut state, Body::Execution(Execution { suggestion: s, digest, run: None, event }));
    assert_eq!(step(&state, t(1_500), &Limits::default()), vec![Action::AskApproval(q)]);
}
