//! The small investigation that the renderers' tests tell: one of everything, half of it hostile.

use std::collections::BTreeMap;

use tantei_engine::investigation::{State, ranking};
use tantei_engine::model::alarm::{Alarm, AlarmState, AlarmTransition, Direction};
use tantei_engine::model::cause::{Band, Mechanism};
use tantei_engine::model::execution::{
    Approval, Execution, Recovery, RecoveryMeasure, RunEvent, RunStatus, Verdict,
};
use tantei_engine::model::feed::{
    Body, Collected, Concluded, FeedItem, NewItem, Note, Opened, Principal, Topology,
};
use tantei_engine::model::gap::{Gap, GapReason};
use tantei_engine::model::hypothesis::{Author, Check, Hypothesis, HypothesisFacts, StrengthReason};
use tantei_engine::model::id::ItemId;
use tantei_engine::model::observation::{
    ChangeEvent, Impact, LogPattern, MetricDeviation, Movement, Observation, PatternChange, Provenance,
    Severity, Signal, Summary, TraceLink,
};
use tantei_engine::model::query::{Query, Source};
use tantei_engine::model::resource::{Edge, EdgeKind, EdgeOrigin, Resource, ResourceId};
use tantei_engine::model::suggestion::{
    Binding, Effect, MatchReason, Origin, Plan, PlanFacts, Risk, SuggestedAction, Suggestion,
};
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::{TimeSpan, Timestamp};
use tantei_engine::report::{self, Report};

/// Everything that a surface might mistake for more than text.
pub(super) const HOSTILE: &str = "pool timeout ![x](http://evil.example/p.png) [click](https://evil.example) <img src=x \
    onerror=alert(1)> | evil | **evil** _evil_ `evil` ``evil`` www.evil.example mailto:evil@evil.example \u{1b}[31m \
    \u{202e}live \u{200b}\u{e0041} \n\n# evil\n- evil \\| evil";

/// A name that tries the same.
pub(super) const HOSTILE_NAME: &str = "orders`|](http://evil.example)\u{202e}<b>";

pub(super) struct Case {
    pub(super) state: State,
    pub(super) feed: Vec<FeedItem>,
}

impl Case {
    pub(super) fn add(&mut self, at: i64, by: Principal, body: Body) -> ItemId {
        let at = t(at);
        let item = self.state.seal(NewItem { happened_at: at, by, because: Vec::new(), body }, at);
        self.state.apply(&item).unwrap();
        self.feed.push(item.clone());
        item.id
    }

    pub(super) fn observe(
        &mut self,
        resource: &str,
        peer: Option<&str>,
        since: i64,
        signal: Signal,
    ) -> ItemId {
        let source = match signal {
            Signal::MetricDeviation(_) => Source::Metrics,
            Signal::LogPattern(_) => Source::Logs,
            Signal::TraceLink(_) => Source::Traces,
            Signal::Change(_) => Source::Changes,
        };
        let observation = Observation {
            resource: ResourceId::new(resource),
            peer: peer.map(ResourceId::new),
            source,
            provenance: Provenance::Metric,
            query: Query::new("bundle", "read", []),
            span: window(),
            since: t(since),
            signal,
        };
        self.add(since, Principal::Collector { source }, Body::Observation(Box::new(observation)))
    }

    pub(super) fn report(&self) -> Report {
        report::facts(&self.state, &self.feed, &ranking(&self.state))
    }
}

/// Seconds after 2026-11-24 06:00:00.
pub(super) fn t(s: i64) -> Timestamp {
    Timestamp::from_secs(1_795_500_000 + s)
}

pub(super) fn window() -> TimeSpan {
    TimeSpan::new(t(660), t(840))
}

pub(super) fn metric() -> Signal {
    Signal::MetricDeviation(Box::new(MetricDeviation {
        namespace: None,
        metric: "TargetResponseTime".to_owned(),
        stat: "p99".to_owned(),
        unit: Some("Seconds".to_owned()),
        dimensions: BTreeMap::new(),
        movement: Movement::Up,
        strength: 1.0,
        z: 40.0,
        baseline: Summary { n: 20, min: 0.1, median: 0.12, p95: 0.2, max: 0.3, mad: 0.01 },
        level: 2.41,
        ratio: Some(20.0),
        beyond_peers: None,
        period_s: 10,
        points: vec![(t(700), Some(0.12)), (t(710), None), (t(720), Some(2.4))],
        impact: Some(Impact { excess: 120.0, z: 40.0, requests: 400.0, known_before: true }),
    }))
}

pub(super) fn log(text: &str) -> Signal {
    Signal::LogPattern(LogPattern {
        pattern: "p1".to_owned(),
        template: Untrusted::new(&format!("<time> {text}")),
        change: PatternChange::New,
        follower: None,
        severity: Severity::Error,
        count_before: 0,
        count_after: 148,
        per_minute_before: 0.0,
        per_minute_after: 74.0,
        strength: 0.9,
        samples: vec![Untrusted::new(text)],
    })
}

pub(super) fn link() -> Signal {
    Signal::TraceLink(TraceLink {
        calls_before: 400,
        calls_after: 200,
        duration_ms_before: 35.0,
        duration_ms_after: 1_900.0,
        own_ms_before: 30.0,
        own_ms_after: 1_880.0,
        uncovered_ms_before: 1.0,
        uncovered_ms_after: 1.0,
        errors_before: 0,
        errors_after: 24,
        excess_s: 300.0,
        excess_share: 0.8,
        excess_errors: 20.0,
        strength: 1.0,
    })
}

pub(super) fn change(summary: &str) -> Signal {
    Signal::Change(ChangeEvent {
        kind: Untrusted::new("deployment"),
        actor: Untrusted::new("arn:aws:sts::111122223333:assumed-role/ci-deploy/pipeline"),
        summary: Untrusted::new(summary),
        attributes: BTreeMap::new(),
        before_onset_s: 40,
    })
}

pub(super) fn opened(title: &str) -> Opened {
    Opened {
        investigation: "inv_1".to_owned(),
        alarm: Alarm {
            kind: "metric_alarm".to_owned(),
            title: Untrusted::new(title),
            resource: ResourceId::new("shop-alb"),
            metric: "TargetResponseTime".to_owned(),
            stat: "p99".to_owned(),
            direction: Direction::Above,
            at: t(752),
            window: window(),
            baseline: vec![TimeSpan::new(t(0), t(660))],
        },
        origin: Untrusted::new("lab"),
        tantei: "0.1.0".to_owned(),
        playbooks: String::new(),
    }
}

pub(super) fn topology() -> Topology {
    let names = ["shop-alb", "storefront", HOSTILE_NAME];
    let resource = |n: &&str| Resource { id: ResourceId::new(*n), kind: None, attributes: BTreeMap::new() };
    let edge = |from: &str, to: &str| Edge {
        from: ResourceId::new(from),
        to: ResourceId::new(to),
        kind: EdgeKind::Calls,
        origin: EdgeOrigin::Observed,
    };
    let edges = vec![edge("shop-alb", "storefront"), edge("storefront", HOSTILE_NAME)];
    Topology { resources: names.iter().map(resource).collect(), edges }
}

fn hypothesis(seen: [ItemId; 4], gap: ItemId) -> Hypothesis {
    let [alb, log, link, change] = seen;
    let resource = ResourceId::new(HOSTILE_NAME);
    Hypothesis::new(HypothesisFacts {
        author: Author::Analysis,
        rank: 1,
        cause: resource.clone(),
        mechanism: Mechanism::OwnLatency,
        since: Some(t(710)),
        score: 0.9,
        band: Band::Moderate,
        reasons: vec![
            StrengthReason::ExplainsShare { share: 0.83 },
            StrengthReason::KindsAgree { kinds: 3 },
            StrengthReason::CloseSecond { resource: ResourceId::new("storefront") },
            StrengthReason::StandsOut { factor: 3.1 },
            StrengthReason::ChangeBefore { item: change, seconds: 40 },
            StrengthReason::SingleKind,
            StrengthReason::OnlyExternal,
            StrengthReason::Provisional,
            StrengthReason::SourceMissing { item: gap },
        ],
        path: ["shop-alb", "storefront", HOSTILE_NAME].map(ResourceId::new).to_vec(),
        supporting: vec![link, log],
        contradicting: vec![alb],
        trigger: Some(change),
        confirm: vec![
            Check::MetricReturns { item: alb },
            Check::UndoChange { item: change },
            Check::LinesStop { item: log },
            Check::CallsReturn { item: link },
        ],
        refute: vec![Check::OtherEarlier { resource: resource.clone() }, Check::HiddenCallee { resource }],
    })
    .unwrap()
}

fn suggestion(hypothesis: ItemId, change: ItemId) -> Suggestion {
    let binding = |value: &str, origin| Binding { values: vec![value.to_owned()], origin };
    let parameters = BTreeMap::from([
        (
            "Task".to_owned(),
            binding("orders:41", Origin::Change { name: "previous".to_owned(), item: change }),
        ),
        ("Role".to_owned(), binding("arn:aws:iam::1:role/x", Origin::Setting { name: "role".to_owned() })),
        ("Start".to_owned(), binding("now", Origin::Incident { name: "start".to_owned() })),
        ("Count".to_owned(), binding("2", Origin::Constant)),
    ]);
    Suggestion {
        hypothesis,
        playbook: "ecs-rollback-deployment".to_owned(),
        rank: 1,
        recommended: true,
        reasons: vec![
            MatchReason::ResourceKind { kind: "AWS::ECS::Service".to_owned() },
            MatchReason::Mechanism { mechanism: Mechanism::OwnLatency },
            MatchReason::Signal { item: change },
        ],
        action: SuggestedAction::Run {
            plan: Plan::seal(PlanFacts {
                document: "AWS-Rollback".to_owned(),
                document_version: "7".to_owned(),
                parameters,
                targets: vec![ResourceId::new(HOSTILE_NAME)],
                effect: Effect::MutatingLow,
                risk: Risk::Medium,
                expires_after_s: 900,
            }),
        },
    }
}

/// What people and Automation did with the plan.
fn aftermath(case: &mut Case, suggestion: ItemId, alb: ItemId) {
    let person = || Principal::Person { name: HOSTILE.to_owned(), surface: "terminal".to_owned() };
    let digest = case.state.plan(suggestion).unwrap().digest().to_owned();
    let approval = Approval { suggestion, digest: digest.clone(), approved: true, expires_at: t(1_740) };
    case.add(840, person(), Body::Approval(approval));
    let run = |event| Body::Execution(Execution { suggestion, digest: digest.clone(), run: None, event });
    let step = RunEvent::Step {
        name: "Roll".to_owned(),
        action: "aws:executeAwsApi".to_owned(),
        status: RunStatus::Success,
    };
    for event in [RunEvent::Intended, step, RunEvent::Ended { status: RunStatus::Success }] {
        case.add(850, Principal::Automation, run(event));
    }
    case.add(860, person(), Body::Note(Note { text: Untrusted::new(HOSTILE) }));
    let measure = RecoveryMeasure {
        item: alb,
        usual: 0.12,
        incident: 2.41,
        after: Some(0.13),
        back: true,
        back_since: Some(t(900)),
        points: vec![(t(890), Some(2.4)), (t(900), Some(0.13))],
    };
    let recovery = Recovery {
        suggestion: Some(suggestion),
        verdict: Verdict::Recovered,
        alarm_ok_at: Some(t(905)),
        seconds_to_recovery: Some(55),
        measures: vec![measure],
    };
    case.add(960, Principal::tantei("recovery"), Body::Recovery(recovery));
}

/// The investigation.
pub(super) fn case() -> Case {
    let mut case = Case { state: State::default(), feed: Vec::new() };
    case.add(752, Principal::tantei("intake"), Body::Opened(opened(HOSTILE)));
    case.add(752, Principal::tantei("intake"), Body::Topology(topology()));
    let fired = AlarmTransition {
        name: Untrusted::new(HOSTILE_NAME),
        arn: None,
        resource: Some(ResourceId::new("shop-alb")),
        from: Some(AlarmState::Ok),
        to: AlarmState::Alarm,
        at: t(752),
        metric: None,
        threshold: None,
        dimensions: BTreeMap::new(),
        reason: Untrusted::new(HOSTILE),
        query: None,
        provenance: Provenance::ControlPlane,
    };
    case.add(752, Principal::Collector { source: Source::Alarms }, Body::AlarmTransition(fired));
    let alb = case.observe("shop-alb", None, 710, metric());
    let lines = case.observe(HOSTILE_NAME, None, 718, log(HOSTILE));
    let calls = case.observe(HOSTILE_NAME, Some("storefront"), 710, link());
    let change = case.observe(HOSTILE_NAME, None, 670, change(HOSTILE));
    let gap = Gap {
        detail: Untrusted::new(HOSTILE),
        lost: 3,
        ..Gap::new(Source::Logs, GapReason::Malformed, window(), "logs.jsonl:7")
    };
    let gap = case.add(840, Principal::Collector { source: Source::Logs }, Body::Gap(gap));
    let collected = Collected { source: Source::Logs, records: 12, outdated: Vec::new() };
    case.add(840, Principal::Collector { source: Source::Logs }, Body::Collected(collected));
    let h = hypothesis([alb, lines, calls, change], gap);
    let h = case.add(840, Principal::tantei("analysis"), Body::Hypothesis(Box::new(h)));
    let concluded =
        Concluded { abstained: Vec::new(), provisional: true, revised: Vec::new(), outdated: Vec::new() };
    case.add(840, Principal::tantei("analysis"), Body::Concluded(concluded));
    let s = suggestion(h, change);
    let s = case.add(840, Principal::tantei("playbooks"), Body::Suggestion(Box::new(s)));
    aftermath(&mut case, s, alb);
    case
}
