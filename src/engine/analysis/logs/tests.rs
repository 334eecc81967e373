//! What the miner makes of lines of all kinds, and what must hold for any lines in any order.

use proptest::prelude::*;

use super::compare::{Change, compare};
use super::{Form, Miner};
use crate::model::observation::Severity;

fn mined(form: Form, lines: &[&str]) -> Vec<(String, u64)> {
    let mut miner = Miner::new(form);
    for line in lines {
        miner.push(line.as_bytes());
    }
    miner.patterns().patterns.into_iter().map(|p| (p.template, p.count)).collect()
}

fn template(form: Form, line: &str) -> String {
    mined(form, &[line]).remove(0).0
}

#[test]
fn variables_become_their_kind_and_words_stay() {
    for (line, expected) in [
        ("pool timeout after 5000ms in use 8/8", "pool timeout after <duration> in use <id>"),
        ("GET /v1/orders/1234 HTTP/1.1 took 0.25s", "GET <path> took <duration>"),
        (
            "conn 10.0.3.17:5432 id 7d444840-9dc0-11d1-b245-5ffdce74fad2 at 0x7ffe",
            "conn <ip> id <uuid> at <hex>",
        ),
        (
            "c.Travel2Controller#115 TraceID: 6f3cbf058c2765548a39ad724905d6a1",
            "c.Travel2Controller#115 TraceID: <hex>",
        ),
        ("接続に失敗しました 再試行 3 回目", "接続に失敗しました 再試行 <num> 回目"),
        ("注文１２３を受付けました", "注文<num>を受付けました"),
        ("see https://example.com/a?b=1, then /var/log/x.log", "see <url>, then <path>"),
        ("mail to a.b@example.com from 00:11:43:e3:ba:c3", "mail to <email> from <mac>"),
        ("since Fri Jun 17 07:07:00 2005 until 2026-11-24 12:00:01", "since <time> until <time>"),
        ("sent 1396 bytes (1.36 KB) in <1 sec", "sent <size> in <duration>"),
        ("failed to resolve an14 an15 an16 an17", "failed to resolve <list>"),
        ("status=404 code: 500 size=404", "status=404 code: 500 size=<num>"),
        ("cpu at 93% of web-7.prod.example.com:8443", "cpu at <percent> of <host>"),
    ] {
        assert_eq!(template(Form::Content, line), expected);
    }
}

#[test]
fn headers_are_left_out_whatever_their_form() {
    for line in [
        "2026-10-14 03:21:09.377 ERROR pool is empty",
        "2026-10-14T03:21:09Z [main] ERROR c.e.shop.Pool - pool is empty",
        "Oct 14 03:21:09 host-1 shopd[123]: pool is empty",
        "[14/Oct/2026:03:21:09 +0900] ERROR pool is empty",
        "- 1129221669 2026.10.14 n1 Oct 14 03:21:09 n1/n1 shopd[1]: pool is empty",
        "261014 032109 148 ERROR shop.Pool: pool is empty",
        "ERROR: pool is empty",
        "<134>Oct 14 03:21:09 host shopd: pool is empty",
        "E1014 03:21:09.377123    1234 pool.go:123] pool is empty",
        r#"ts=2026-10-14T03:21:09Z level=error pool is empty"#,
    ] {
        assert_eq!(template(Form::Raw, line), "pool is empty", "{line}");
    }
}

#[test]
fn a_letter_before_the_date_is_a_level() {
    let mut miner = Miner::new(Form::Raw);
    miner.push(b"W1124 10:12:13.123456 1234 file.go:123] disk of node is slow");
    let pattern = miner.patterns().patterns.remove(0);
    assert_eq!((pattern.template.as_str(), pattern.severity), ("disk of node is slow", Severity::Warning));
    assert_eq!(pattern.first.unwrap().to_string(), "11-24T10:12:13.123");
}

#[test]
fn values_that_moved_too_little_to_matter_are_no_news() {
    let fed = |slow: usize| {
        let mut miner = Miner::new(Form::Content);
        for n in 0..100_000 {
            miner.push(if n < slow { b"order took 900ms" } else { b"order took 5ms" });
        }
        miner
    };
    let values =
        |slow| compare(fed(slow), &fed(1_000)).differences.iter().any(|d| d.change == Change::Values);
    assert!(!values(1_700), "less than a hundredth of the lines is elsewhere");
    assert!(values(9_000));
}

#[test]
fn structured_lines_are_known_by_their_text_and_level() {
    let mut miner = Miner::new(Form::Raw);
    let a = miner.push(br#"{"level":"error","msg":"pool timeout after 5000ms","trace":"ab12","status":500}"#);
    let b = miner.push(br#"{"trace":"ff34","msg":"pool timeout after 1ms","status":500,"level":"error"}"#);
    let c = miner.push(br#"{"trace":"ff34","msg":"pool timeout after 1ms","status":200,"level":"error"}"#);
    let patterns = miner.patterns();
    assert_eq!(patterns.index(a), patterns.index(b));
    assert_ne!(patterns.index(a), patterns.index(c));
    assert_eq!(patterns.of(a).unwrap().severity, Severity::Error);
}

#[test]
fn frames_of_a_stack_belong_to_their_first_line() {
    let text = "2026-10-14 03:21:09 ERROR order failed\njava.lang.IllegalStateException: x\n\tat a.b.C.d(C.java:1)\n\
                Caused by: java.io.IOException: y\n\t... 3 more\n2026-10-14 03:21:10 INFO fine";
    let mut miner = Miner::new(Form::Raw);
    let numbers: Vec<u32> = text.lines().map(|l| miner.push(l.as_bytes())).collect();
    assert!(numbers[..5].iter().all(|n| *n == numbers[0]));
    assert_ne!(numbers[5], numbers[0]);
}

#[test]
fn many_words_in_one_place_are_a_variable_and_few_are_events() {
    let names = ["ann", "bob", "eve", "joe", "kim", "lee", "max", "zoe"];
    let lines: Vec<String> = names.iter().map(|n| format!("session opened for {n} now")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(mined(Form::Content, &lines), [("session opened for <word> now".to_owned(), 8)]);
    assert_eq!(mined(Form::Content, &["link is up", "link is down", "link is flapping"]).len(), 3);
}

#[test]
fn a_comparison_finds_what_is_new_gone_and_different() {
    let fill = |lines: &[(&str, usize)]| {
        let mut miner = Miner::new(Form::Content);
        for (line, n) in lines {
            for _ in 0..*n {
                miner.push(line.as_bytes());
            }
        }
        miner
    };
    let before =
        fill(&[("order placed took 5ms", 900), ("cache is warm", 300), ("tick", 1000), ("tock", 40)]);
    let now =
        fill(&[("order placed took 900ms", 900), ("ERROR pool is empty", 50), ("tick", 1000), ("tock", 400)]);
    let found = compare(now, &before);
    let of = |word: &str| {
        let d = found.differences.iter().find(|d| found.joint.patterns[d.pattern].template.contains(word));
        d.map(|d| d.change)
    };
    assert_eq!(of("pool"), Some(Change::New));
    assert_eq!(of("cache"), Some(Change::Gone));
    assert_eq!(of("order"), Some(Change::Values));
    assert_eq!(of("tock"), Some(Change::MoreFrequent));
    assert_eq!(of("tick"), None);
    assert!(found.joint.patterns[found.differences[0].pattern].template.contains("pool"), "errors first");
}

#[test]
fn nodes_that_were_merged_compare_as_one_that_saw_everything() {
    let lines = |from: u32, broken: bool| -> Vec<String> {
        (from..from + 120)
            .flat_map(|n| {
                let id = format!("trace_id={n:032x}");
                let paid = (!broken || n % 2 == 0).then(|| format!("order is paid {id}"));
                let took = if broken { n % 13 * 90 } else { n % 13 };
                [Some(format!("order placed {id} took={took}ms")), paid]
            })
            .flatten()
            .collect()
    };
    let read = |lines: &[String]| {
        let mut miner = Miner::comparing(Form::Content);
        lines.iter().for_each(|line| _ = miner.push(line.as_bytes()));
        miner
    };
    let (before, now) = (lines(1, false), lines(1_000, true));
    let told = |now: Miner, before: &Miner| format!("{:?}", compare(now, before).differences);
    let whole = told(read(&now), &read(&before));
    assert!(whole.contains("change: Sequence") && whole.contains("change: Values"), "{whole}");
    let (left, right) = now.split_at(77);
    for (a, b) in [(left, right), (right, left)] {
        let mut merged = read(a);
        merged.merge(&read(b));
        assert_eq!(told(merged, &read(&before)), whole);
    }
}

#[test]
fn addresses_and_identifiers_behind_a_key_are_no_quantities() {
    let read = |digit: u32| {
        let mut miner = Miner::new(Form::Content);
        for n in 0..200 {
            let line =
                format!("login from rhost={digit}0.1.{n}.7 uid={digit}{n} port={digit}0{n} v={digit}.2.{n}");
            miner.push(line.as_bytes());
        }
        miner
    };
    assert!(compare(read(9), &read(1)).differences.is_empty());
}

#[test]
fn patterns_and_memory_are_bounded_whatever_comes_in() {
    let mut miner = Miner::new(Form::Content);
    let mut x = 1_u64;
    let mut word = || {
        x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let letter = |n: u64| char::from(b'a' + u8::try_from((x >> n) % 26).unwrap());
        [8, 16, 24, 32, 40].map(letter).iter().collect::<String>()
    };
    for _ in 0..40_000 {
        let line = format!("{} {} {} {}", word(), word(), word(), word());
        miner.push(line.as_bytes());
    }
    let patterns = miner.patterns();
    assert!(patterns.patterns.len() <= crate::limits::LOG_PATTERNS_MAX);
    assert_eq!(patterns.patterns.iter().map(|p| p.count).sum::<u64>(), 40_000);
}

/// Lines of a small vocabulary, so that they meet.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let word = prop_oneof![
        "[a-e]{1,2}",
        "(user|status|at|for)=?",
        "[0-9]{1,4}",
        "10\\.0\\.0\\.[0-9]",
        "n[0-9]",
        "\\(\\)",
        "[<>\\[\\]\"']",
    ];
    proptest::collection::vec(proptest::collection::vec(word, 1..6).prop_map(|w| w.join(" ")), 1..120)
}

/// Everything that is known of the patterns, in one comparable form.
fn facts(miner: &Miner) -> Vec<(String, u64, Vec<String>)> {
    miner.patterns().patterns.into_iter().map(|p| (p.template, p.count, p.samples)).collect()
}

fn fed(lines: &[String]) -> Miner {
    let mut miner = Miner::new(Form::Content);
    for line in lines {
        miner.push(line.as_bytes());
    }
    miner
}

proptest! {
    #[test]
    fn the_order_of_lines_does_not_matter(lines in lines(), seed in any::<u64>()) {
        let mut shuffled = lines.clone();
        shuffled.sort_by_key(|l| super::bytes::mix(super::bytes::hash(l.as_bytes()) ^ seed));
        prop_assert_eq!(facts(&fed(&lines)), facts(&fed(&shuffled)));
    }

    #[test]
    fn merging_nodes_gives_what_one_node_would_have_seen(lines in lines(), cut in any::<prop::sample::Index>()) {
        let (left, right) = lines.split_at(cut.index(lines.len()));
        let whole = facts(&fed(&lines));
        for (a, b) in [(left, right), (right, left)] {
            let mut merged = fed(a);
            merged.merge(&fed(b));
            prop_assert_eq!(facts(&merged), whole.clone());
        }
    }

    #[test]
    fn any_bytes_have_a_pattern(lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..40)) {
        for form in [Form::Raw, Form::Content] {
            let mut miner = Miner::new(form);
            let numbers: Vec<u32> = lines.iter().map(|l| miner.push(l)).collect();
            let patterns = miner.patterns();
            prop_assert!(numbers.iter().all(|n| patterns.of(*n).is_some()));
        }
    }
}

/// More different lines than are kept apart: the coarser result must not depend on the order either.
#[test]
fn crowded_tables_do_not_depend_on_order_or_on_how_they_were_merged() {
    let lines: Vec<String> = (0..30_000_u32)
        .map(|n| {
            let letter = |k: u32| char::from(b'a' + u8::try_from((n / k) % 26).unwrap());
            format!("{}x took {}{}{} from {}y", letter(7), letter(1), letter(26), letter(676), letter(11))
        })
        .collect();
    let mut backwards = lines.clone();
    backwards.reverse();
    let whole = facts(&fed(&lines));
    assert_eq!(facts(&fed(&backwards)), whole);
    let (left, right) = lines.split_at(11_000);
    let mut merged = fed(right);
    merged.merge(&fed(left));
    assert_eq!(facts(&merged), whole);
}
