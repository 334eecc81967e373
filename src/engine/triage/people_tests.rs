//! What people say, what is held back, and the cap: rule by rule.

use super::tests::{Desk, key, only, t};
use super::*;
use crate::model::alarm::AlarmState;
use crate::model::text::Untrusted;
use crate::model::time::TimeSpan;

fn silence(end: i64) -> Command {
    let matcher = Matcher { field: Field::Resource, value: "d*".to_owned() };
    let silence = Silence {
        id: "s1".to_owned(),
        matchers: vec![matcher],
        window: TimeSpan::new(t(0), t(end)),
        reason: Untrusted::new("maintenance"),
    };
    Command::Silence { silence, person: "mio".to_owned() }
}

#[test]
fn what_a_silence_covers_is_shown_and_starts_when_it_ends() {
    let mut desk = Desk::new();
    desk.say(silence(1_000), 0);
    assert!(matches!(only(&desk.fires("db-cpu", 10)), Only::Silenced { .. }));
    desk.fires("db-disk", 20);
    desk.is_ok("db-disk", 30);
    assert!(desk.triage.investigations().is_empty());
    assert_eq!(desk.triage.next_due(), Some(t(1_000)));
    let started = desk.tick(1_000);
    assert!(matches!(&started[0], What::Released { outcome: Outcome::Opened { .. }, .. }), "{started:?}");
    assert_eq!(desk.triage.investigations().len(), 1, "what is OK again starts nothing");
    assert!(matches!(desk.fires("orders-errors", 1_010), Outcome::Joined { .. }));
}

#[test]
fn a_silence_can_be_ended_and_replaced() {
    let mut desk = Desk::new();
    desk.say(silence(1_000), 0);
    desk.fires("db-cpu", 10);
    desk.say(silence(2_000), 20);
    assert!(matches!(&desk.tick(1_500)[..], [What::Released { outcome: Outcome::RecordedOnly { .. }, .. }]));
    let end = Command::EndSilence { silence: "s1".to_owned(), person: "yumi".to_owned() };
    desk.say(end.clone(), 1_600);
    assert_eq!(desk.of("db-cpu"), 1);
    let shown = &desk.triage.silences()["s1"];
    assert_eq!((shown.set_by.as_str(), shown.ended_by.as_deref()), ("mio", Some("yumi")));
    assert_eq!(desk.triage.command(&end, t(1_700)), Err(Refused::NoSilence), "it ended");
}

#[test]
fn what_its_source_suppressed_is_held_until_it_says() {
    let mut desk = Desk::new();
    let mut incoming = desk.message("db-cpu", AlarmState::Alarm, 0);
    let reason = Untrusted::new("muted");
    incoming.suppressed = Some(Suppression { reason: reason.clone(), until: Some(t(100)) });
    let outcome = desk.take(&incoming, 1);
    assert_eq!(only(&outcome), &Only::Suppressed { reason, until: Some(t(100)) });
    desk.tick(100);
    assert_eq!(desk.of("db-cpu"), 1);
}

#[test]
fn above_the_cap_investigations_are_folded_and_never_dropped() {
    let mut desk = Desk::empty();
    for n in 0..7 {
        desk.fires(&format!("r{n}-cpu"), n);
    }
    let deep = desk.triage.investigations().values().filter(|i| i.depth == Depth::Deep).count();
    assert_eq!(deep, 5);
    let storm = InvestigationId(7);
    assert_eq!(desk.depth(7), Depth::Storm);
    for n in [5, 6] {
        let id = desk.of(&format!("r{n}-cpu"));
        assert_eq!(desk.depth(id), Depth::Folded(storm), "one overview for the account and region");
    }
    desk.say(Command::Finish { investigation: InvestigationId(1) }, 20);
    assert_eq!(desk.depth(desk.of("r5-cpu")), Depth::Deep, "a free place is given to the oldest");
    let mut critical = desk.message("r9-cpu", AlarmState::Alarm, 30);
    critical.severity = Severity::Critical;
    desk.take(&critical, 31);
    assert_eq!(desk.depth(desk.of("r9-cpu")), Depth::Deep, "the worse goes first");
    for id in [2, 3] {
        desk.say(Command::Finish { investigation: InvestigationId(id) }, 40);
    }
    assert!(desk.triage.investigations()[&storm].closed.is_some());
}

#[test]
fn a_person_splits_and_rules_do_not_join_again() {
    let mut desk = Desk::new();
    desk.fires("db-cpu", 0);
    desk.fires("orders-errors", 10);
    let split =
        |alarms| Command::Split { investigation: InvestigationId(1), alarms, person: "mio".to_owned() };
    assert_eq!(desk.triage.command(&split(vec![key("x")]), t(20)), Err(Refused::NoMember(1)));
    assert_eq!(desk.triage.command(&split(vec![]), t(20)), Err(Refused::Nothing(1)));
    desk.say(split(vec![key("orders-errors")]), 20);
    assert_eq!(desk.why("orders-errors"), Reason::Person { name: "mio".to_owned() });
    desk.fires("orders-latency", 30);
    desk.fires("db-disk", 31);
    desk.fires("orders-errors", 40);
    assert_eq!(desk.of("orders-errors"), desk.of("orders-latency"));
    assert_ne!(desk.of("orders-errors"), desk.of("db-cpu"));
    assert_eq!(desk.of("db-disk"), desk.of("db-cpu"));
}

#[test]
fn what_fires_after_a_person_ended_it_is_never_hidden_there() {
    let mut desk = Desk::new();
    desk.fires("db-cpu", 0);
    desk.fires("orders-errors", 10);
    let close = Command::Close { investigation: InvestigationId(1), person: "mio".to_owned() };
    desk.say(close.clone(), 20);
    assert!(desk.triage.investigations()[&InvestigationId(1)].closed.is_some());
    assert_eq!(desk.triage.command(&close, t(21)), Err(Refused::NotOpen(1)));
    assert!(matches!(
        desk.fires("orders-latency", 30),
        Outcome::Opened { investigation: InvestigationId(2), .. }
    ));
    // The same alarm says so again: it is a recurrence, as after every other end.
    desk.is_ok("db-cpu", 40);
    let again = desk.fires("db-cpu", 50);
    assert_eq!(again, Outcome::Reopened { investigation: InvestigationId(1), recurrence: 1 });
    // It ends by itself when all of it has recovered, what fired when the person ended it as well.
    for name in ["db-cpu", "orders-errors", "orders-latency"] {
        desk.is_ok(name, 100);
    }
    desk.tick(100 + HOLD_S + 1);
    assert!(desk.triage.investigations().values().all(|i| i.closed.is_some()));
}

#[test]
fn a_person_opens_again_what_ended_and_nothing_else() {
    let mut desk = Desk::new();
    desk.fires("cache-evictions", 0);
    desk.fires("mailer-errors", 6);
    let reopen = |id| Command::Reopen { investigation: InvestigationId(id), person: "mio".to_owned() };
    assert_eq!(desk.triage.command(&reopen(1), t(10)), Err(Refused::NotEnded(1)), "it is open");
    assert_eq!(desk.triage.command(&reopen(9), t(10)), Err(Refused::NotEnded(9)), "there is none");
    let close = |id| Command::Close { investigation: InvestigationId(id), person: "mio".to_owned() };
    desk.say(close(1), 20);
    desk.say(reopen(1), 30);
    assert_eq!(desk.depth(1), Depth::Deep, "it is worked on again");
    assert!(matches!(desk.fires("cache-evictions", 40), Outcome::Counted { .. }));
    let (from, into) = (InvestigationId(2), InvestigationId(1));
    desk.say(Command::Merge { from, into, person: "mio".to_owned() }, 50);
    assert_eq!(desk.triage.command(&reopen(2), t(60)), Err(Refused::NotEnded(2)), "another goes on");
}

#[test]
fn a_person_merges_and_rules_do_not_part_again() {
    let mut desk = Desk::new();
    desk.fires("cache-evictions", 0);
    desk.fires("front-latency", 5);
    desk.fires("mailer-errors", 6);
    let (from, into) = (InvestigationId(2), InvestigationId(1));
    desk.say(Command::Merge { from, into, person: "mio".to_owned() }, 10);
    assert_eq!(desk.of("mailer-errors"), 1);
    for name in ["db-cpu", "orders-errors"] {
        desk.fires(name, 20);
    }
    assert_eq!(desk.of("front-latency"), 1);
    desk.fires("mailer-queue", 30);
    assert_eq!(desk.of("mailer-queue"), 1);
    let same = Command::Merge { from: into, into, person: "mio".to_owned() };
    assert_eq!(desk.triage.command(&same, t(40)), Err(Refused::Same(1)));
}
