//! The spine on small feeds: what may follow what, what may run, what is asked next.

use std::collections::BTreeMap;

use super::{Action, ApplyError, State, authorise, step};
use crate::limits::Limits;
use crate::model::alarm::{Alarm, Direction};
use crate::model::cause::{Band, Mechanism};
use crate::model::execution::{Approval, Execution, Refusal, RunEvent, RunStatus};
use crate::model::feed::{
    Body, Collected, Concluded, Decision, DecisionKind, FeedItem, Matched, NewItem, Opened, Principal,
};
use crate::model::hypothesis::{Author, Hypothesis, HypothesisFacts};
use crate::model::id::{ItemId, ItemKind};
use crate::model::observation::{
    ChangeEvent, Impact, MetricDeviation, Movement, Observation, Provenance, Signal, Summary,
};
use crate::model::query::{Query, Source};
use crate::model::resource::ResourceId;
use crate::model::suggestion::{Binding, Effect, Origin, Plan, PlanFacts, Risk, SuggestedAction, Suggestion};
use crate::model::text::Untrusted;
use crate::model::time::{TimeSpan, Timestamp};

pub(super) fn t(s: i64) -> Timestamp {
    Timestamp::from_secs(s)
}

pub(super) fn add(state: &mut State, body: Body) -> ItemId {
    let person = matches!(body, Body::Approval(_) | Body::Decision(_));
    let by = if person {
        Principal::Person { name: "yumi".to_owned(), surface: "terminal".to_owned() }
    } else {
        Principal::tantei("test")
    };
    let item = state.seal(NewItem { happened_at: t(0), by, because: Vec::new(), body }, t(1_500));
    state.apply(&item).unwrap();
    let stored = serde_json::to_string(&item).unwrap();
    assert_eq!(
        serde_json::from_str::<FeedItem>(&stored).unwrap(),
        item,
        "what is stored can be read: {stored}"
    );
    item.id
}

pub(super) fn opened() -> Body {
    Body::Opened(Opened {
        investigation: "inv_1".to_owned(),
        alarm: Alarm {
            kind: "metric_alarm".to_owned(),
            title: Untrusted::new("slow"),
            resource: ResourceId::new("front"),
            metric: "m".to_owned(),
            stat: "Average".to_owned(),
            direction: Direction::Above,
            at: t(1_000),
            window: TimeSpan::new(t(900), t(1_500)),
            baseline: vec![TimeSpan::new(t(0), t(900))],
        },
        origin: Untrusted::new("test"),
        tantei: "0".to_owned(),
        playbooks: String::new(),
    })
}

fn observation() -> Body {
    Body::Observation(Box::new(Observation {
        resource: ResourceId::new("back"),
        peer: None,
        source: Source::Changes,
        provenance: Provenance::ControlPlane,
        query: Query::new("bundle", "read", []),
        span: TimeSpan::new(t(990), t(991)),
        since: t(990),
        signal: Signal::Change(ChangeEvent {
            kind: Untrusted::new("deployment"),
            actor: Untrusted::default(),
            summary: Untrusted::default(),
            attributes: BTreeMap::new(),
            before_onset_s: 10,
        }),
    }))
}

/// The alarm's own metric of a resource, `z` spreads beyond its usual range from second 1,000 on.
pub(super) fn measured(resource: &str, z: f64) -> Body {
    Body::Observation(Box::new(Observation {
        resource: ResourceId::new(resource),
        peer: None,
        source: Source::Metrics,
        provenance: Provenance::Metric,
        query: Query::new("bundle", "read", []),
        span: TimeSpan::new(t(900), t(1_500)),
        since: t(1_000),
        signal: Signal::MetricDeviation(Box::new(MetricDeviation {
            namespace: None,
            metric: "m".to_owned(),
            stat: "Average".to_owned(),
            unit: None,
            dimensions: BTreeMap::new(),
            movement: Movement::Up,
            strength: 0.9,
            z,
            baseline: Summary { n: 20, min: 1.0, median: 1.0, p95: 1.2, max: 1.3, mad: 0.1 },
            level: 2.0,
            ratio: Some(2.0),
            beyond_peers: None,
            period_s: 60,
            points: Vec::new(),
            impact: Some(Impact { excess: 100.0, z, requests: 100.0, known_before: true }),
        })),
    }))
}

fn hypothesis(supporting: ItemId) -> Hypothesis {
    Hypothesis::new(HypothesisFacts {
        author: Author::Analysis,
        rank: 1,
        cause: ResourceId::new("back"),
        mechanism: Mechanism::OwnLatency,
        since: None,
        score: 0.9,
        band: Band::Strong,
        reasons: Vec::new(),
        path: Vec::new(),
        supporting: vec![supporting],
        contradicting: Vec::new(),
        trigger: None,
        confirm: Vec::new(),
        refute: Vec::new(),
    })
    .unwrap()
}

fn plan(document: &str) -> Plan {
    let binding = Binding { values: vec!["back".to_owned()], origin: Origin::Constant };
    Plan::seal(PlanFacts {
        document: document.to_owned(),
        document_version: "1".to_owned(),
        parameters: BTreeMap::from([("Name".to_owned(), binding)]),
        targets: vec![ResourceId::new("back")],
        effect: Effect::MutatingLow,
        risk: Risk::Low,
        expires_after_s: 900,
    })
}

/// An investigation that waits for an approval, and the suggestion that it waits for.
pub(super) fn waiting() -> (State, ItemId, ItemId) {
    let mut state = State::default();
    add(&mut state, opened());
    for source in Source::ALL {
        add(&mut state, Body::Collected(Collected { source, records: 0, outdated: Vec::new() }));
    }
    let seen = add(&mut state, observation());
    let cause = add(&mut state, Body::Hypothesis(Box::new(hypothesis(seen))));
    add(
        &mut state,
        Body::Concluded(Concluded {
            abstained: Vec::new(),
            provisional: false,
            revised: Vec::new(),
            outdated: Vec::new(),
        }),
    );
    let suggestion = Suggestion {
        hypothesis: cause,
        playbook: "p".to_owned(),
        rank: 1,
        recommended: true,
        reasons: Vec::new(),
        action: SuggestedAction::Run { plan: plan("Doc") },
    };
    let id = add(&mut state, Body::Suggestion(Box::new(suggestion)));
    add(&mut state, Body::Matched(Matched { considered: 1, suggested: 1, outdated: Vec::new() }));
    (state, id, cause)
}

fn approve(state: &mut State, suggestion: ItemId, digest: &str, approved: bool) {
    let digest = digest.to_owned();
    add(state, Body::Approval(Approval { suggestion, digest, approved, expires_at: t(2_000) }));
}

fn run(state: &mut State, suggestion: ItemId, event: RunEvent) {
    let digest = plan("Doc").digest().to_owned();
    add(state, Body::Execution(Execution { suggestion, digest, run: None, event }));
}

#[test]
fn only_an_approval_of_exactly_this_plan_in_time_lets_it_run_once() {
    let good = plan("Doc").digest().to_owned();
    let other = plan("OtherDoc").digest().to_owned();
    type Course = Box<dyn Fn(&mut State, ItemId, ItemId)>;
    let word = |digest: &str, approved: bool| -> Course {
        let digest = digest.to_owned();
        Box::new(move |state, suggestion, _| approve(state, suggestion, &digest, approved))
    };
    let discard = |which: fn(ItemId, ItemId) -> ItemId, decision: DecisionKind| -> Course {
        Box::new(move |state, suggestion, cause| {
            let item = which(suggestion, cause);
            add(state, Body::Decision(Decision { item, decision }));
        })
    };
    let started: fn() -> Course = || Box::new(|state, s, _| run(state, s, RunEvent::Intended));
    let cases: Vec<(Vec<Course>, i64, Result<(), Refusal>)> = vec![
        (vec![], 1_600, Err(Refusal::NotApproved)),
        (vec![word(&good, true)], 1_600, Ok(())),
        (vec![word(&good, true)], 2_000, Err(Refusal::Expired)),
        (vec![word(&good, false)], 1_600, Err(Refusal::NotApproved)),
        (vec![word(&other, true)], 1_600, Err(Refusal::OtherDigest)),
        (vec![word("", true)], 1_600, Err(Refusal::OtherDigest)),
        (vec![word(&good, true), word(&good, false)], 1_600, Err(Refusal::NotApproved)),
        (vec![word(&other, true), word(&good, true)], 1_600, Ok(())),
        (vec![word(&good, true), started()], 1_600, Err(Refusal::Started)),
        (vec![word(&good, true), discard(|s, _| s, DecisionKind::Discarded)], 1_600, Err(Refusal::Discarded)),
        (vec![word(&good, true), discard(|_, h| h, DecisionKind::Discarded)], 1_600, Err(Refusal::Discarded)),
        (
            vec![
                word(&good, true),
                discard(|s, _| s, DecisionKind::Discarded),
                discard(|s, _| s, DecisionKind::Restored),
            ],
            1_600,
            Ok(()),
        ),
    ];
    for (n, (course, now, expected)) in cases.into_iter().enumerate() {
        let (mut state, suggestion, cause) = waiting();
        for event in course {
            event(&mut state, suggestion, cause);
        }
        assert_eq!(authorise(&state, suggestion, t(now)).map(|_| ()), expected, "case {n}");
        let next = step(&state, t(now), &Limits::default());
        assert_eq!(next.contains(&Action::Execute(suggestion)), expected.is_ok(), "case {n}: {next:?}");
    }
}

#[test]
fn a_plan_that_was_altered_where_it_is_stored_does_not_parse() {
    let text = serde_json::to_string(&plan("Doc")).unwrap();
    assert!(serde_json::from_str::<Plan>(&text).is_ok());
    for (from, to) in
        [("Doc", "AWS-TerminateEC2Instance"), ("back", "prod"), ("900", "90000"), ("\"1\"", "\"2\"")]
    {
        let altered = text.replacen(from, to, 1);
        assert_ne!(altered, text);
        assert!(serde_json::from_str::<Plan>(&altered).is_err(), "{from}");
    }
}

#[test]
fn the_spine_asks_runs_and_judges_in_order_and_then_rests() {
    let (mut state, s, _) = waiting();
    let next = |state: &State| step(state, t(1_600), &Limits::default());
    assert_eq!(next(&state), vec![Action::AskApproval(s)]);
    let digest = plan("Doc").digest().to_owned();
    approve(&mut state, s, &digest, true);
    assert_eq!(next(&state), vec![Action::Execute(s)]);
    run(&mut state, s, RunEvent::Intended);
    assert_eq!(next(&state), vec![], "a run that began elsewhere is not begun again");
    run(&mut state, s, RunEvent::Ended { status: RunStatus::Failed });
    assert_eq!(next(&state), vec![], "a failed run is not judged as a fix");
    let (mut state, s, _) = waiting();
    approve(&mut state, s, &digest, true);
    run(&mut state, s, RunEvent::Intended);
    run(&mut state, s, RunEvent::Ended { status: RunStatus::Success });
    assert_eq!(next(&state), vec![Action::JudgeRecovery(s)]);
}

#[test]
fn a_feed_accepts_only_what_follows_and_refers_to_what_exists() {
    let mut state = State::default();
    let new = |body| NewItem { happened_at: t(0), by: Principal::tantei("test"), because: Vec::new(), body };
    let early = state.seal(new(observation()), t(0));
    assert!(matches!(state.apply(&early), Err(ApplyError::Opening(_))));
    let first = state.seal(new(opened()), t(0));
    state.apply(&first).unwrap();
    assert!(matches!(state.apply(&first), Err(ApplyError::OutOfChain(_))));
    let again = state.seal(new(opened()), t(0));
    assert!(matches!(state.apply(&again), Err(ApplyError::Opening(_))));
    let invented = ItemId::new(ItemKind::Observation, 7);
    let uncited = state.seal(new(Body::Hypothesis(Box::new(hypothesis(invented)))), t(0));
    assert!(matches!(state.apply(&uncited), Err(ApplyError::UnknownReference(_, id)) if id == invented));
}

#[test]
fn a_feed_accepts_no_wrong_hash_no_wrong_number_and_no_approval_without_a_person() {
    let (state, suggestion, _) = waiting();
    let by = Principal::tantei("test");
    let new = |body| NewItem { happened_at: t(0), by: by.clone(), because: Vec::new(), body };
    let mut edited = state.seal(new(observation()), t(1_500));
    edited.happened_at = t(7);
    assert!(state.clone().apply(&edited).is_err());
    let mut jumped = state.seal(new(observation()), t(1_500));
    jumped.id = ItemId::new(ItemKind::Observation, 1);
    assert!(state.clone().apply(&jumped).is_err());
    let digest = plan("Doc").digest().to_owned();
    let approval = Body::Approval(Approval { suggestion, digest, approved: true, expires_at: t(2_000) });
    let forged = state.seal(new(approval), t(1_500));
    assert!(matches!(state.clone().apply(&forged), Err(ApplyError::NotAPerson(_))));
}

#[test]
fn an_approval_holds_no_longer_than_its_plan_allows() {
    let (mut state, s, _) = waiting();
    let digest = plan("Doc").digest().to_owned();
    add(
        &mut state,
        Body::Approval(Approval { suggestion: s, digest, approved: true, expires_at: t(9_999_999) }),
    );
    assert!(authorise(&state, s, t(2_399)).is_ok());
    assert_eq!(authorise(&state, s, t(2_400)).map(|_| ()), Err(Refusal::Expired));
}

#[test]
fn a_hypothesis_without_evidence_cannot_be_made_or_read() {
    let seen = ItemId::new(ItemKind::Observation, 1);
    let facts = hypothesis(seen).facts().clone();
    assert!(Hypothesis::new(HypothesisFacts { supporting: Vec::new(), ..facts.clone() }).is_err());
    let note = ItemId::new(ItemKind::Note, 1);
    assert!(Hypothesis::new(HypothesisFacts { supporting: vec![note], ..facts.clone() }).is_err());
    let text = serde_json::to_string(&facts).unwrap().replace("[\"O-1\"]", "[]");
    assert!(serde_json::from_str::<Hypothesis>(&text).is_err());
}
