//! The rules of triage, one by one.

use super::*;
use crate::model::alarm::AlarmState;
use crate::model::resource::ResourceId;
use crate::model::text::Untrusted;

/// Triage that knows `front -> orders -> db`, `front -> search -> cache`, with a clock in seconds.
pub(super) struct Desk {
    pub(super) triage: Triage,
    pub(super) record: Vec<Decision>,
    /// The state as another node has it: folded from the record.
    folded: Triage,
    deliveries: u64,
}

pub(super) fn t(s: i64) -> Timestamp {
    Timestamp::from_secs(1_800_000_000 + s)
}

pub(super) fn here() -> Scope {
    Scope { account: "111111111111".to_owned(), region: "eu-north-1".to_owned() }
}

pub(super) fn there() -> Scope {
    Scope { account: "222222222222".to_owned(), region: "eu-north-1".to_owned() }
}

pub(super) fn link(caller: &str, callee: &str) -> Link {
    let node = |n: &str| Node::resource(here(), ResourceId::new(n));
    Link { caller: node(caller), callee: node(callee) }
}

pub(super) fn key(name: &str) -> AlarmKey {
    AlarmKey { arn: format!("arn:{name}"), contributor: None }
}

impl Desk {
    pub(super) fn new() -> Self {
        let mut it = Self::empty();
        let edges = [("front", "orders"), ("orders", "db"), ("front", "search"), ("search", "cache")];
        it.say(Command::Learn { links: edges.iter().map(|(a, b)| link(a, b)).collect() }, 0);
        it
    }

    pub(super) fn empty() -> Self {
        Self {
            triage: Triage::new(TriageLimits::default()),
            record: Vec::new(),
            folded: Triage::new(TriageLimits::default()),
            deliveries: 0,
        }
    }

    /// A message about the alarm `name`, which watches the resource before the `-` in it.
    pub(super) fn message(&mut self, name: &str, state: AlarmState, at: i64) -> Incoming {
        self.deliveries += 1;
        Incoming {
            delivery: format!("d{}", self.deliveries),
            alarm: key(name),
            name: Untrusted::new(name),
            scope: here(),
            resource: Some(ResourceId::new(name.split('-').next().unwrap())),
            service: None,
            state,
            at: t(at),
            severity: Severity::Medium,
            dedupe: None,
            children: Vec::new(),
            suppressed: None,
        }
    }

    pub(super) fn take(&mut self, incoming: &Incoming, now: i64) -> Outcome {
        let decisions = self.triage.decide(incoming, t(now));
        let received = decisions.iter().find_map(|d| d.outcome().cloned());
        self.note(decisions);
        received.unwrap()
    }

    /// Whatever a test does: the record folds into the same state.
    fn note(&mut self, decisions: Vec<Decision>) {
        decisions.iter().for_each(|d| self.folded.apply(d));
        assert!(self.folded.seq() == self.triage.seq());
        if self.deliveries < 100 {
            assert_eq!(self.folded, self.triage);
        }
        self.record.extend(decisions);
    }

    pub(super) fn fires(&mut self, name: &str, at: i64) -> Outcome {
        let incoming = self.message(name, AlarmState::Alarm, at);
        self.take(&incoming, at + 1)
    }

    pub(super) fn is_ok(&mut self, name: &str, at: i64) -> Outcome {
        let incoming = self.message(name, AlarmState::Ok, at);
        self.take(&incoming, at + 1)
    }

    pub(super) fn say(&mut self, command: Command, now: i64) {
        let decisions = self.triage.command(&command, t(now)).unwrap();
        self.note(decisions);
    }

    pub(super) fn tick(&mut self, now: i64) -> Vec<What> {
        let decisions = self.triage.tick(t(now));
        self.note(decisions.clone());
        decisions.into_iter().map(|d| d.what).collect()
    }

    pub(super) fn of(&self, name: &str) -> u64 {
        self.triage.current(self.triage.alarms()[&key(name)].investigation.unwrap()).0
    }

    pub(super) fn why(&self, name: &str) -> Reason {
        self.triage.alarms()[&key(name)].reason.clone().unwrap()
    }

    pub(super) fn depth(&self, id: u64) -> Depth {
        self.triage.investigations()[&InvestigationId(id)].depth
    }
}

/// Copies of messages that were long forgotten, alarms and investigations without end: the state stays bounded.
#[test]
fn closed_investigations_are_forgotten_in_the_end() {
    let mut desk = Desk::empty();
    for n in 0..i64::try_from(CLOSED_MAX).unwrap() + 200 {
        desk.fires(&format!("r{n}-cpu"), n * 1_000);
        desk.is_ok(&format!("r{n}-cpu"), n * 1_000 + 10);
    }
    assert!(desk.triage.investigations().len() <= CLOSED_MAX + 1);
    assert_eq!(desk.triage.alarms().len(), CLOSED_MAX + 200);
}

pub(super) fn only(outcome: &Outcome) -> &Only {
    let Outcome::RecordedOnly { why, .. } = outcome else { panic!("{outcome:?}") };
    why
}

#[test]
fn the_same_delivery_is_taken_once() {
    let mut desk = Desk::new();
    let incoming = desk.message("db-cpu", AlarmState::Alarm, 0);
    assert!(matches!(desk.take(&incoming, 1), Outcome::Opened { .. }));
    let again = desk.take(&incoming, 2);
    assert_eq!(again, Outcome::Duplicate { by: Identity::Delivery, investigation: Some(InvestigationId(1)) });
}

#[test]
fn copies_of_a_transition_by_other_ways_collapse() {
    let mut desk = Desk::new();
    desk.fires("db-cpu", 0);
    let again = desk.fires("db-cpu", 0);
    assert_eq!(
        again,
        Outcome::Duplicate { by: Identity::Transition, investigation: Some(InvestigationId(1)) }
    );
    let mut cut = desk.message("db-cpu", AlarmState::Alarm, 0);
    cut.at = Timestamp::from_micros(cut.at.micros() - 1_000);
    let cut = desk.take(&cut, 3);
    assert!(
        matches!(cut, Outcome::Duplicate { by: Identity::Transition, .. }),
        "a millisecond is no news: {cut:?}"
    );
    let mut other = desk.message("db-cpu", AlarmState::Alarm, 0);
    other.alarm.contributor = Some("shard-7".to_owned());
    assert!(matches!(desk.take(&other, 3), Outcome::Joined { .. }), "another contributor is another alarm");
}

#[test]
fn a_late_older_transition_never_closes() {
    let mut desk = Desk::new();
    desk.fires("db-cpu", 100);
    assert_eq!(only(&desk.is_ok("db-cpu", 50)), &Only::Late);
    assert!(desk.tick(1_000).is_empty());
}

#[test]
fn a_late_older_transition_never_reopens() {
    let mut desk = Desk::new();
    desk.fires("db-cpu", 0);
    desk.is_ok("db-cpu", 100);
    desk.tick(500);
    assert_eq!(only(&desk.fires("db-cpu", 50)), &Only::Late);
    assert!(desk.triage.investigations()[&InvestigationId(1)].closed.is_some());
}

#[test]
fn the_same_alarm_again_is_counted() {
    let mut desk = Desk::new();
    desk.fires("db-cpu", 0);
    let again = desk.fires("db-cpu", 60);
    assert_eq!(again, Outcome::Counted { investigation: InvestigationId(1), times: 2 });
    assert_eq!(desk.triage.alarms()[&key("db-cpu")].last_seen, t(61));
}

#[test]
fn what_comes_back_within_a_day_is_a_recurrence() {
    let mut desk = Desk::new();
    for n in 1..=2 {
        let at = i64::from(n) * 10_000;
        desk.fires("db-cpu", at);
        desk.is_ok("db-cpu", at + 60);
        assert!(desk.tick(at + 400).contains(&What::Closed { investigation: InvestigationId(1) }));
        let again = desk.fires("db-cpu", at + 3_600);
        assert_eq!(again, Outcome::Reopened { investigation: InvestigationId(1), recurrence: 2 * n - 1 });
        desk.is_ok("db-cpu", at + 3_700);
        desk.tick(at + 4_200);
    }
    let later = desk.fires("db-cpu", 30_000 + RECUR_S);
    assert_eq!(
        later,
        Outcome::Opened { investigation: InvestigationId(2), follows: Some(InvestigationId(1)) }
    );
}

#[test]
fn a_recurrence_takes_new_members_again() {
    let mut desk = Desk::new();
    desk.fires("db-cpu", 0);
    desk.is_ok("db-cpu", 60);
    desk.fires("db-cpu", 40_000);
    assert!(matches!(desk.fires("orders-errors", 40_010), Outcome::Joined { .. }));
    assert_eq!(desk.of("orders-errors"), 1);
}

#[test]
fn an_alarm_that_flaps_is_one_investigation_and_tells_once() {
    let mut desk = Desk::new();
    for n in 0..6 {
        desk.fires("db-cpu", n * 120);
        desk.is_ok("db-cpu", n * 120 + 60);
    }
    assert_eq!(desk.triage.investigations().len(), 1);
    let marks = desk.record.iter().filter(|d| matches!(&d.what, What::Flapping { flapping: true, .. }));
    assert_eq!(marks.count(), 1);
    let told = desk.record.iter().filter(|d| matches!(&d.what, What::Received { notify: true, .. }));
    assert_eq!(told.count(), 1);
    desk.fires("db-cpu", 10_000);
    assert!(!desk.triage.alarms()[&key("db-cpu")].flapping, "an hour of quiet ends it");
}

#[test]
fn ok_must_hold_before_it_counts() {
    let mut desk = Desk::new();
    desk.fires("db-cpu", 0);
    desk.is_ok("db-cpu", 100);
    assert_eq!(desk.triage.next_due(), Some(t(101 + HOLD_S)));
    assert!(desk.tick(400).is_empty());
    desk.fires("db-cpu", 400);
    assert!(desk.tick(800).is_empty(), "it fires again");
}

#[test]
fn an_investigation_closes_when_all_members_are_ok() {
    let mut desk = Desk::new();
    desk.fires("db-cpu", 0);
    desk.fires("orders-errors", 10);
    desk.is_ok("db-cpu", 20);
    assert_eq!(desk.tick(400), [What::Recovered { alarm: key("db-cpu") }]);
    desk.is_ok("orders-errors", 420);
    let closed = desk.tick(800);
    assert_eq!(closed.last(), Some(&What::Closed { investigation: InvestigationId(1) }));
}

#[test]
fn missing_data_starts_nothing() {
    let mut desk = Desk::new();
    let incoming = desk.message("db-cpu", AlarmState::InsufficientData, 0);
    assert_eq!(only(&desk.take(&incoming, 1)), &Only::NoData);
    assert!(desk.triage.investigations().is_empty());
}

#[test]
fn callers_go_with_the_deepest_dependency_that_fires() {
    let mut desk = Desk::new();
    desk.fires("db-cpu", 0);
    desk.fires("cache-evictions", 50);
    desk.fires("front-latency", 60);
    desk.fires("orders-errors", 61);
    assert_ne!(desk.of("db-cpu"), desk.of("cache-evictions"));
    assert_eq!(desk.of("orders-errors"), desk.of("db-cpu"));
    let node = |n: &str| Node::resource(here(), ResourceId::new(n));
    assert_eq!(desk.why("orders-errors"), Reason::DependsOn { path: vec![node("orders"), node("db")] });
}

#[test]
fn time_alone_joins_nothing() {
    let mut desk = Desk::new();
    desk.fires("db-cpu", 0);
    desk.fires("mailer-errors", 0);
    desk.fires("search-errors", 1);
    assert_eq!(desk.triage.investigations().len(), 3);
    assert_ne!(desk.of("db-cpu"), desk.of("search-errors"));
}

#[test]
fn a_deeper_dependency_that_begins_to_fire_merges() {
    let mut desk = Desk::new();
    desk.say(Command::Learn { links: vec![link("billing", "db")] }, 0);
    desk.fires("orders-errors", 0);
    desk.fires("billing-errors", 5);
    assert_ne!(desk.of("orders-errors"), desk.of("billing-errors"));
    desk.fires("db-cpu", 20);
    assert_eq!(desk.of("orders-errors"), desk.of("billing-errors"));
    assert_eq!(desk.of("db-cpu"), 1);
    assert_eq!(desk.triage.current(InvestigationId(2)), InvestigationId(1), "both numbers stay valid");
}

#[test]
fn members_move_when_more_speaks_for_another_dependency() {
    let mut desk = Desk::new();
    desk.say(Command::Learn { links: vec![link("front", "billing"), link("billing", "db")] }, 0);
    desk.fires("cache-evictions", 0);
    desk.fires("front-latency", 30);
    assert_eq!(desk.of("front-latency"), desk.of("cache-evictions"));
    for name in ["db-cpu", "orders-errors", "billing-errors"] {
        desk.fires(name, 31);
    }
    assert_eq!(desk.of("front-latency"), desk.of("db-cpu"));
    assert_ne!(desk.of("front-latency"), desk.of("cache-evictions"));
}

#[test]
fn what_begins_too_late_is_another_investigation() {
    let mut desk = Desk::new();
    desk.fires("db-cpu", 0);
    desk.fires("orders-errors", ACCEPT_S + 1);
    assert_ne!(desk.of("db-cpu"), desk.of("orders-errors"));
    let mut desk = Desk::new();
    for n in 0..=3 {
        desk.fires(&format!("db-{n}"), n * 590);
    }
    desk.fires("db-late", 1_900);
    assert_eq!(desk.of("db-3"), 1);
    assert_ne!(desk.of("db-late"), 1, "a group lives half an hour");
}

#[test]
fn a_dependency_of_long_after_explains_nothing() {
    let mut desk = Desk::new();
    desk.fires("orders-errors", 0);
    desk.fires("db-cpu", LAG_S + 20);
    assert_ne!(desk.of("orders-errors"), desk.of("db-cpu"));
}

#[test]
fn accounts_stay_apart_but_for_an_edge_between_them() {
    let mut desk = Desk::new();
    desk.fires("db-cpu", 0);
    let mut abroad = desk.message("reports-errors", AlarmState::Alarm, 5);
    abroad.scope = there();
    desk.take(&abroad, 6);
    assert_ne!(desk.of("db-cpu"), desk.of("reports-errors"));
    let caller = Node::resource(there(), ResourceId::new("reports"));
    let callee = Node::resource(here(), ResourceId::new("db"));
    desk.say(Command::Learn { links: vec![Link { caller, callee }] }, 10);
    assert_eq!(desk.of("db-cpu"), desk.of("reports-errors"), "edges that become known later count");
}

#[test]
fn without_edges_the_service_tag_joins() {
    let mut desk = Desk::empty();
    for name in ["a-cpu", "b-cpu"] {
        let mut incoming = desk.message(name, AlarmState::Alarm, 0);
        incoming.service = Some("shop".to_owned());
        desk.take(&incoming, 1);
    }
    assert_eq!(desk.of("a-cpu"), desk.of("b-cpu"));
    assert_eq!(desk.why("b-cpu"), Reason::SameService { service: "shop".to_owned() });
}

#[test]
fn unrelated_dependencies_that_begin_together_have_a_shared_cause() {
    let mut desk = Desk::new();
    desk.say(Command::Learn { links: vec![link("mailer", "queue")] }, 0);
    for name in ["db-1", "cache-1", "queue-1", "db-2", "cache-2"] {
        desk.fires(name, 10);
    }
    assert_eq!(desk.triage.investigations().values().filter(|i| i.closed.is_none()).count(), 3);
    desk.fires("queue-2", 12);
    assert_eq!(desk.triage.investigations().values().filter(|i| i.closed.is_none()).count(), 1);
    desk.fires("orders-errors", 40);
    assert_eq!(desk.of("orders-errors"), 1);
}

#[test]
fn a_dependency_without_an_alarm_is_suspected_when_most_of_its_users_fire() {
    let mut desk = Desk::new();
    desk.say(Command::Learn { links: ["a", "b", "c"].map(|n| link(n, "vault")).to_vec() }, 0);
    desk.fires("a-errors", 0);
    desk.fires("b-errors", 10);
    assert_ne!(desk.of("a-errors"), desk.of("b-errors"));
    desk.fires("c-errors", 12);
    assert_eq!(desk.of("a-errors"), desk.of("b-errors"));
    let node = |n: &str| Node::resource(here(), ResourceId::new(n));
    assert_eq!(desk.why("b-errors"), Reason::DependsOn { path: vec![node("b"), node("vault")] });
    desk.fires("orders-errors", 20);
    assert_ne!(desk.of("orders-errors"), desk.of("a-errors"));
    desk.fires("vault-sealed", 30);
    assert_eq!(desk.of("vault-sealed"), desk.of("a-errors"));
}

#[test]
fn children_go_under_their_composite() {
    let mut desk = Desk::new();
    desk.fires("db-cpu", 0);
    desk.fires("mailer-errors", 1);
    let mut composite = desk.message("shop-down", AlarmState::Alarm, 5);
    composite.children = ["db-cpu", "mailer-errors", "printer-jam"].iter().map(|n| key(n).arn).collect();
    desk.take(&composite, 6);
    desk.fires("printer-jam", 10);
    for name in ["db-cpu", "mailer-errors", "printer-jam"] {
        assert_eq!(desk.of(name), desk.of("shop-down"), "{name}");
    }
    assert_eq!(desk.why("printer-jam"), Reason::ChildOf { composite: key("shop-down").arn });
    assert_eq!(desk.triage.current(InvestigationId(2)), InvestigationId(1));
}

#[test]
fn equal_dedupe_strings_join() {
    let mut desk = Desk::new();
    for name in ["db-cpu", "mailer-errors"] {
        let mut incoming = desk.message(name, AlarmState::Alarm, 0);
        incoming.dedupe = Some("release-7".to_owned());
        desk.take(&incoming, 1);
    }
    assert_eq!(desk.why("mailer-errors"), Reason::SameDedupe { value: "release-7".to_owned() });
    assert_eq!(desk.of("mailer-errors"), 1);
}

#[test]
fn a_clock_that_goes_back_changes_nothing() {
    let mut desk = Desk::new();
    desk.fires("db-cpu", 1_000);
    let incoming = desk.message("db-disk", AlarmState::Alarm, 1_010);
    desk.take(&incoming, 0);
    assert!(desk.record.windows(2).all(|w| w[0].at <= w[1].at && w[0].seq < w[1].seq));
}
