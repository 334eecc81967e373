//! The contract of the store: the same promises on SQLite and on PostgreSQL.
//!
//! SQLite runs everywhere. PostgreSQL's half is marked as needing a server; `tests/all` starts one and runs it.

use std::time::Duration;

use tantei::access::{Role, Token};
use tantei::store::{Delivery, Filter, Inbox, Inserted, Lease, Opening, Settled, Store, StoreErrorKind};
use tantei_engine::investigation::State;
use tantei_engine::model::alarm::{Alarm, Direction};
use tantei_engine::model::feed::{Body, FeedItem, NewItem, Note, Opened, Principal, verify};
use tantei_engine::model::resource::ResourceId;
use tantei_engine::model::text::Untrusted;
use tantei_engine::model::time::{TimeSpan, Timestamp};

const LONG: Duration = Duration::from_secs(60);
const OVER: Duration = Duration::ZERO;

fn t(s: i64) -> Timestamp {
    Timestamp::from_secs(s)
}

/// A feed under construction, as a writer holds it.
struct Writer {
    state: State,
    feed: Vec<FeedItem>,
}

impl Writer {
    fn new(id: &str) -> Self {
        let alarm = Alarm {
            kind: "metric_alarm".to_owned(),
            title: Untrusted::new("slow"),
            resource: ResourceId::new("front"),
            metric: "m".to_owned(),
            stat: "Average".to_owned(),
            direction: Direction::Above,
            at: t(1_000),
            window: TimeSpan::new(t(900), t(1_500)),
            baseline: Vec::new(),
        };
        let opened = Opened {
            investigation: id.to_owned(),
            alarm,
            origin: Untrusted::new("test"),
            tantei: "0".to_owned(),
            playbooks: String::new(),
        };
        let mut it = Self { state: State::default(), feed: Vec::new() };
        it.add(Principal::tantei("intake"), Body::Opened(opened));
        it
    }

    fn note(&mut self, text: &str) -> FeedItem {
        let by = Principal::Person { name: "yumi".to_owned(), surface: "terminal".to_owned() };
        self.add(by, Body::Note(Note { text: Untrusted::new(text) }))
    }

    fn add(&mut self, by: Principal, body: Body) -> FeedItem {
        let item =
            self.state.seal(NewItem { happened_at: t(1_000), by, because: Vec::new(), body }, t(1_000));
        self.state.apply(&item).unwrap();
        self.feed.push(item.clone());
        item
    }
}

fn opening(id: &str) -> Opening {
    Opening {
        id: id.to_owned(),
        opened_at: t(1_000),
        resource: "front".to_owned(),
        title: Untrusted::new("slow"),
    }
}

fn delivery(id: &str) -> Delivery {
    Delivery {
        id: id.to_owned(),
        transition: format!("alarm {id}"),
        source: "sns".to_owned(),
        received_at: t(1_000),
        event: "{}".to_owned(),
    }
}

async fn opened(store: &Store, id: &str) -> Writer {
    let writer = Writer::new(id);
    let triage = store.claim_role("triage", "node-a", LONG).await.unwrap().unwrap();
    let settled = Settled {
        delivery: id.to_owned(),
        openings: vec![(opening(id), writer.feed.clone())],
        wake: vec![id.to_owned()],
        ..Settled::default()
    };
    store.settle(&triage, &[settled]).await.unwrap();
    writer
}

async fn a_feed_is_stored_in_order_and_verifies(store: Store) {
    let mut writer = opened(&store, "inv_1").await;
    let items: Vec<FeedItem> = ["one", "two", "three"].iter().map(|n| writer.note(n)).collect();
    store.append("inv_1", None, &items).await.unwrap();
    let stored = store.feed("inv_1", 0).await.unwrap();
    assert_eq!(stored, writer.feed);
    assert_eq!(store.feed("inv_1", 2).await.unwrap().len(), 2);
    let values: Vec<_> = stored.iter().map(|i| serde_json::to_value(i).unwrap()).collect();
    verify(&values).unwrap();
    assert_eq!(store.investigation("inv_1").await.unwrap().unwrap().items, 4);
}

async fn of_two_writers_one_appends_and_the_other_is_told(store: Store) {
    let mut first = opened(&store, "inv_1").await;
    let mut second = Writer::new("inv_1");
    let (a, b) = (first.note("a"), second.note("b"));
    store.append("inv_1", None, &[a]).await.unwrap();
    let refused = store.append("inv_1", None, std::slice::from_ref(&b)).await.unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Conflict);
    let mut edited = first.note("c");
    edited.happened_at = t(5);
    let refused = store.append("inv_1", None, &[edited]).await.unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Invalid);
    assert_eq!(store.feed("inv_1", 0).await.unwrap().len(), 2);
    let unknown = store.append("inv_9", None, &[b]).await.unwrap_err();
    assert_eq!(unknown.kind, StoreErrorKind::NotFound);
}

async fn work_is_claimed_once_and_a_late_write_is_refused(store: Store) {
    let mut writer = opened(&store, "inv_1").await;
    let old = store.claim("node-a", OVER).await.unwrap().unwrap();
    assert_eq!(old.what, "inv_1");
    let new = store.claim("node-b", LONG).await.unwrap().unwrap();
    assert!(new.fence > old.fence, "the old lease is over: another node takes the work");
    assert_eq!(store.claim("node-c", LONG).await.unwrap(), None);
    let item = writer.note("late");
    let refused = store.append("inv_1", Some(&old), std::slice::from_ref(&item)).await.unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Fenced);
    assert_eq!(store.renew(&old, LONG).await.unwrap_err().kind, StoreErrorKind::Fenced);
    assert_eq!(store.release(&old, 1, None).await.unwrap_err().kind, StoreErrorKind::Fenced);
    store.append("inv_1", Some(&new), &[item]).await.unwrap();
    store.renew(&new, LONG).await.unwrap();
    store.release(&new, 2, None).await.unwrap();
    assert_eq!(store.claim("node-c", LONG).await.unwrap(), None, "it waits for somebody");
    store.wake("inv_1").await.unwrap();
    assert!(store.claim("node-c", LONG).await.unwrap().is_some());
}

async fn what_came_while_somebody_worked_is_not_forgotten(store: Store) {
    let mut writer = opened(&store, "inv_1").await;
    let lease = store.claim("node-a", LONG).await.unwrap().unwrap();
    let word = writer.note("from a person");
    store.append("inv_1", None, &[word]).await.unwrap();
    store.release(&lease, 1, None).await.unwrap();
    assert!(store.claim("node-b", LONG).await.unwrap().is_some());
}

async fn what_a_person_says_is_work_from_the_same_moment(store: Store) {
    let mut writer = opened(&store, "inv_1").await;
    let lease = store.claim("node-a", LONG).await.unwrap().unwrap();
    store.release(&lease, 1, None).await.unwrap();
    assert_eq!(store.claim("node-a", LONG).await.unwrap(), None, "it waits for somebody");
    // Nothing else follows: whoever said it may be cut off here.
    store.append("inv_1", None, &[writer.note("from a person")]).await.unwrap();
    assert!(store.claim("node-a", LONG).await.unwrap().is_some());
}

async fn a_wake_during_work_is_not_forgotten_and_failed_work_is_not_tried_at_once(store: Store) {
    opened(&store, "inv_1").await;
    let lease = store.claim("node-a", LONG).await.unwrap().unwrap();
    store.wake("inv_1").await.unwrap();
    store.release(&lease, 1, None).await.unwrap();
    let again = store.claim("node-a", LONG).await.unwrap().unwrap();
    let later = store.now().await.unwrap().plus_secs(60);
    store.release(&again, u64::MAX, Some(later)).await.unwrap();
    assert_eq!(store.claim("node-a", LONG).await.unwrap(), None, "it failed, and is tried in a minute");
}

async fn what_an_owner_gives_up_is_free_at_once_and_its_late_writes_are_refused(store: Store) {
    let mut writer = opened(&store, "inv_1").await;
    let role = store.claim_role("reconciler", "node-a", LONG).await.unwrap().unwrap();
    let lease = store.claim("node-a", LONG).await.unwrap().unwrap();
    assert_eq!(store.claim_role("reconciler", "node-b", LONG).await.unwrap(), None);
    store.release_all("node-a").await.unwrap();
    assert!(
        store.claim_role("reconciler", "node-b", LONG).await.unwrap().is_some_and(|l| l.fence > role.fence)
    );
    let late = store.append("inv_1", Some(&lease), &[writer.note("late")]).await.unwrap_err();
    assert_eq!(late.kind, StoreErrorKind::Fenced);
    assert!(store.claim("node-b", LONG).await.unwrap().is_some());
}

async fn names_that_a_database_cannot_hold_harm_nobody(store: Store) {
    let inserted = store.receive(&[delivery("a\0b"), delivery("good")]).await.unwrap();
    assert_eq!(inserted, [Inserted::New, Inserted::New]);
    assert_eq!(store.investigation("inv\0").await.unwrap(), None);
    assert!(store.feed("inv\0", 0).await.unwrap().is_empty());
    let triage = store.claim_role("triage", "node-a", LONG).await.unwrap().unwrap();
    let begin = Opening { resource: "a\0b".to_owned(), title: Untrusted::new("x\0y"), ..opening("inv_1") };
    let settled = Settled { openings: vec![(begin, Writer::new("inv_1").feed)], ..Settled::default() };
    store.settle(&triage, &[settled]).await.unwrap();
    assert!(store.investigation("inv_1").await.unwrap().is_some());
    store.failed("good", "why\0").await.unwrap();
    store.quarantine(&Delivery { event: "\0".to_owned(), ..delivery("c") }, "\0").await.unwrap();
}

async fn eight_nodes_claim_every_investigation_exactly_once(store: Store) {
    for k in 0..40 {
        opened(&store, &format!("inv_{k}")).await;
    }
    let work = (0..8).map(|node| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            while let Some(lease) = store.claim(&format!("node-{node}"), LONG).await.unwrap() {
                mine.push(lease.what);
            }
            mine
        })
    });
    let mut claimed = Vec::new();
    for node in work.collect::<Vec<_>>() {
        claimed.extend(node.await.unwrap());
    }
    claimed.sort();
    let mut all: Vec<String> = (0..40).map(|k| format!("inv_{k}")).collect();
    all.sort();
    assert_eq!(claimed, all);
}

async fn a_delivery_is_stored_once_and_waits_until_it_is_settled(store: Store) {
    let inbox = Inbox::open(store.clone());
    let sent = ["a", "b", "a", "c"].map(|id| inbox.put(delivery(id)));
    let mut inserted = Vec::new();
    for answer in sent {
        inserted.push(answer.await.unwrap());
    }
    assert_eq!(inserted, [Inserted::New, Inserted::New, Inserted::Duplicate, Inserted::New]);
    let ids = |w: Vec<tantei::store::Waiting>| w.into_iter().map(|w| w.delivery.id).collect::<Vec<_>>();
    assert_eq!(ids(store.waiting(10).await.unwrap()), ["a", "b", "c"]);
    let triage = store.claim_role("triage", "node-a", LONG).await.unwrap().unwrap();
    let settled = Settled {
        delivery: "b".to_owned(),
        outcome: "{}".to_owned(),
        decisions: vec![(1, "1".to_owned()), (2, "2".to_owned())],
        ..Settled::default()
    };
    store.settle(&triage, &[settled]).await.unwrap();
    assert_eq!(ids(store.waiting(10).await.unwrap()), ["a", "c"]);
    let decisions = store.decisions(0).await.unwrap();
    assert_eq!(decisions, [(1, "1".to_owned()), (2, "2".to_owned())]);
}

async fn one_node_does_the_triage_and_its_successor_shuts_it_out(store: Store) {
    let old = store.claim_role("triage", "node-a", OVER).await.unwrap().unwrap();
    let new = store.claim_role("triage", "node-b", LONG).await.unwrap().unwrap();
    assert_eq!(store.claim_role("triage", "node-a", LONG).await.unwrap(), None);
    let kept = store.claim_role("triage", "node-b", LONG).await.unwrap().unwrap();
    assert_eq!(kept.fence, new.fence, "who keeps it goes on with what it began");
    let settled =
        Settled { delivery: "a".to_owned(), decisions: vec![(1, "1".to_owned())], ..Settled::default() };
    let refused = store.settle(&old, std::slice::from_ref(&settled)).await.unwrap_err();
    assert_eq!(refused.kind, StoreErrorKind::Fenced);
    assert!(store.decisions(0).await.unwrap().is_empty(), "all or nothing");
    store.settle(&new, &[settled]).await.unwrap();
    store.release_role(&new).await.unwrap();
    let next: Option<Lease> = store.claim_role("triage", "node-a", LONG).await.unwrap();
    assert!(next.is_some_and(|l| l.fence > new.fence));
}

async fn poison_is_put_aside_after_five_tries_and_the_others_go_on(store: Store) {
    store.receive(&[delivery("bad"), delivery("good")]).await.unwrap();
    for _ in 0..5 {
        assert!(store.waiting(10).await.unwrap().iter().any(|w| w.delivery.id == "bad"));
        store.failed("bad", "it names no alarm").await.unwrap();
    }
    let waiting: Vec<String> = store.waiting(10).await.unwrap().into_iter().map(|w| w.delivery.id).collect();
    assert_eq!(waiting, ["good"]);
    assert_eq!(store.quarantined(10).await.unwrap(), [("bad".to_owned(), "it names no alarm".to_owned())]);
}

async fn readers_hear_of_what_was_appended(store: Store) {
    let mut writer = opened(&store, "inv_1").await;
    // PostgreSQL begins to listen in the background: told again until it is heard.
    let mut reader = store.subscribe();
    for k in 0..200 {
        let item = writer.note(&format!("note {k}"));
        store.append("inv_1", None, &[item]).await.unwrap();
        let heard = tokio::time::timeout(Duration::from_millis(50), reader.recv()).await;
        if let Ok(Ok(pushed)) = heard {
            assert_eq!(pushed.investigation, "inv_1");
            return;
        }
    }
    panic!("nothing was heard of 200 items");
}

async fn investigations_are_listed_newest_first_by_pages(store: Store) {
    for k in 0..5 {
        let id = format!("inv_{k}");
        let triage = store.claim_role("triage", "node-a", LONG).await.unwrap().unwrap();
        let begin = Opening { opened_at: t(1_000 + k), ..opening(&id) };
        let settled = Settled { openings: vec![(begin, Writer::new(&id).feed)], ..Settled::default() };
        store.settle(&triage, &[settled]).await.unwrap();
    }
    store.set_ended("inv_2", Some(t(2_000)), &delivery("end")).await.unwrap();
    let ids = |l: Vec<tantei::store::Listed>| l.into_iter().map(|i| i.id).collect::<Vec<_>>();
    let first = store.investigations(&Filter { limit: 2, ..Filter::default() }).await.unwrap();
    assert_eq!(ids(first.clone()), ["inv_4", "inv_3"]);
    let after = first.last().map(|i| (i.opened_at, i.id.clone()));
    let second = store.investigations(&Filter { limit: 10, after, ..Filter::default() }).await.unwrap();
    assert_eq!(ids(second), ["inv_2", "inv_1", "inv_0"]);
    let open =
        store.investigations(&Filter { limit: 10, open: Some(true), ..Filter::default() }).await.unwrap();
    assert_eq!(ids(open), ["inv_4", "inv_3", "inv_1", "inv_0"]);
    let other = Filter { limit: 10, resource: Some("nobody".to_owned()), ..Filter::default() };
    assert!(store.investigations(&other).await.unwrap().is_empty());
    let unknown = store.set_ended("inv_9", None, &delivery("nothing")).await.unwrap_err();
    assert_eq!(unknown.kind, StoreErrorKind::NotFound);
    let waiting: Vec<String> = store.waiting(10).await.unwrap().into_iter().map(|w| w.delivery.id).collect();
    assert_eq!(waiting, ["end"], "triage is told of what was done, and of nothing else");
}

async fn a_token_works_until_it_expires_or_is_revoked(store: Store) {
    let now = store.now().await.unwrap();
    let token = |name: &str, expires_at| Token {
        name: name.to_owned(),
        role: Role::Approver,
        created_at: now,
        expires_at,
    };
    store.add_token("h1", &token("yumi", None)).await.unwrap();
    store.add_token("h2", &token("old", Some(now.plus_secs(-1)))).await.unwrap();
    assert_eq!(store.token("h1").await.unwrap().map(|t| t.role), Some(Role::Approver));
    assert_eq!(store.token("h2").await.unwrap(), None);
    assert_eq!(store.token("h3").await.unwrap(), None);
    assert_eq!(store.revoke_tokens("yumi").await.unwrap(), 1);
    assert_eq!(store.token("h1").await.unwrap(), None);
}

async fn only_what_a_snapshot_holds_and_what_does_not_wait_may_go(store: Store) {
    let triage = store.claim_role("triage", "node-a", LONG).await.unwrap().unwrap();
    store.receive(&["a", "b", "waits"].map(delivery)).await.unwrap();
    let settled = |id: &str, seq: i64| Settled {
        delivery: id.to_owned(),
        decisions: vec![(seq, format!("decision {seq}"))],
        ..Settled::default()
    };
    store.settle(&triage, &[settled("a", 1), settled("b", 2), settled("", 3)]).await.unwrap();
    let (now, limit) = (store.now().await.unwrap().plus_secs(60), 10);
    assert!(store.old_decisions(now, limit).await.unwrap().is_empty(), "no snapshot holds them");
    assert_eq!(store.snapshot().await.unwrap(), None);
    store.keep_snapshot(3, "state after 3").await.unwrap();
    store.keep_snapshot(2, "of a node that is behind").await.unwrap();
    assert_eq!(store.snapshot().await.unwrap(), Some((3, "state after 3".to_owned())));
    let long_ago = t(0);
    assert!(store.old_decisions(long_ago, limit).await.unwrap().is_empty(), "they are young");
    let old: Vec<i64> = store.old_decisions(now, limit).await.unwrap().iter().map(|(seq, _)| *seq).collect();
    assert_eq!(old, [1, 2], "the one of the snapshot stays");
    store.delete_decisions(&[1, 2, 3]).await.unwrap();
    assert_eq!(store.decisions(0).await.unwrap(), [(3, "decision 3".to_owned())]);
    let old = store.old_deliveries(now, None, 1).await.unwrap();
    assert_eq!((old.len(), old[0].delivery.id.as_str(), old[0].state.as_str()), (1, "a", "done"));
    let rest = store.old_deliveries(now, Some(&old[0].delivery), limit).await.unwrap();
    assert_eq!(rest.iter().map(|k| k.delivery.id.as_str()).collect::<Vec<_>>(), ["b"]);
    store.delete_deliveries(&["a", "b", "waits"].map(str::to_owned)).await.unwrap();
    assert_eq!(store.delivered().await.unwrap(), ["waits"], "nothing acknowledged is lost");
}

/// Every promise, on either database.
macro_rules! on_both_stores {
    ($($promise:ident),+ $(,)?) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    let folder = tempfile::tempdir().unwrap();
                    let url = format!("sqlite:{}", folder.path().join("tantei.db").display());
                    super::$promise(tantei::store::Store::open(&url).await.unwrap()).await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                #[ignore = "needs PostgreSQL: tests/all starts one"]
                async fn $promise() {
                    let name = concat!(module_path!(), stringify!($promise));
                    super::$promise(crate::support::postgres(name).await).await;
                }
            )+
        }
    };
}

pub(crate) use on_both_stores;

on_both_stores!(
    a_feed_is_stored_in_order_and_verifies,
    of_two_writers_one_appends_and_the_other_is_told,
    work_is_claimed_once_and_a_late_write_is_refused,
    what_came_while_somebody_worked_is_not_forgotten,
    what_a_person_says_is_work_from_the_same_moment,
    a_wake_during_work_is_not_forgotten_and_failed_work_is_not_tried_at_once,
    what_an_owner_gives_up_is_free_at_once_and_its_late_writes_are_refused,
    names_that_a_database_cannot_hold_harm_nobody,
    eight_nodes_claim_every_investigation_exactly_once,
    a_delivery_is_stored_once_and_waits_until_it_is_settled,
    one_node_does_the_triage_and_its_successor_shuts_it_out,
    poison_is_put_aside_after_five_tries_and_the_others_go_on,
    readers_hear_of_what_was_appended,
    investigations_are_listed_newest_first_by_pages,
    a_token_works_until_it_expires_or_is_revoked,
    only_what_a_snapshot_holds_and_what_does_not_wait_may_go,
);
