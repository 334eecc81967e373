//! `tantei logs --baseline`: what a shop's lines show when its payments stop, slow down or fail, in all forms of lines.

use std::io::Write as _;

use serde_json::Value;

use crate::support::{tantei, tantei_ok};

/// How a time differs from a healthy one.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Four of ten requests end before the payment.
    Broken,
    Slow,
    Failing,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Bracketed,
    Text,
    Logfmt,
    Json,
}

const FORMS: [Form; 4] = [Form::Bracketed, Form::Text, Form::Logfmt, Form::Json];

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    fn shuffle(&mut self, lines: &mut [String]) {
        for i in (1..lines.len()).rev() {
            let j = usize::try_from(self.below(u64::try_from(i).unwrap() + 1)).unwrap();
            lines.swap(i, j);
        }
    }
}

fn line(form: Form, trace: &str, second: u64, text: &str, fields: &str) -> String {
    let clock = format!("03:{:02}:{:02}", second / 60 % 60, second % 60);
    match form {
        Form::Bracketed => format!("2026-10-14 {clock} INFO [shop,{trace},1] {text} {fields}"),
        Form::Text => format!("2026-10-14 {clock} INFO {text} (request id: {trace}) {fields}"),
        Form::Logfmt => format!("ts=2026-10-14T{clock}Z level=info msg=\"{text}\" trace_id={trace} {fields}"),
        Form::Json => {
            let fields: String = fields
                .split_whitespace()
                .map(|f| f.split_once('=').unwrap())
                .map(|(key, value)| format!(",\"{key}\":{value}"))
                .collect();
            format!(
                "{{\"time\":\"2026-10-14T{clock}Z\",\"message\":\"{text}\",\"trace_id\":\"{trace}\"{fields}}}"
            )
        }
    }
}

fn shop(form: Form, fault: Fault, requests: u64, seed: u64) -> Vec<String> {
    let mut random = Random(seed);
    let mut lines = Vec::new();
    for n in 0..requests {
        let trace = format!("{:08x}{:08x}{:08x}{seed:08x}", random.below(1 << 31), random.below(1 << 31), n);
        let mut say = |text: &str, fields: &str| lines.push(line(form, &trace, n / 3, text, fields));
        say(&format!("order {} received", random.below(99_999)), "");
        if random.below(10) < 3 {
            say("cache miss for an item", "");
        }
        say("stock reserved", "");
        if fault != Fault::Broken || random.below(10) >= 4 {
            say("payment authorised by the gateway", "");
        }
        let failing = if fault == Fault::Failing { 30 } else { 1 };
        let status = if random.below(100) < failing { 500 } else { 200 };
        let latency = (6 + random.below(12)) * if fault == Fault::Slow { 50 } else { 1 };
        say("request done", &format!("status={status} latency_ms={latency}"));
    }
    lines
}

fn file(lines: &[String]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    lines.iter().for_each(|line| writeln!(file, "{line}").unwrap());
    file
}

fn run(now: &[String], before: &[String], flags: &[&str]) -> String {
    let (now, before) = (file(now), file(before));
    let paths = [now.path().to_str().unwrap(), "--baseline", before.path().to_str().unwrap()];
    tantei_ok(&[&["logs"], &paths[..], flags].concat())
}

fn diff(now: &[String], before: &[String]) -> Vec<Value> {
    let document: Value = serde_json::from_str(&run(now, before, &["--json"])).unwrap();
    document["diff"].as_array().unwrap().clone()
}

fn of<'a>(diff: &'a [Value], change: &str) -> Vec<&'a Value> {
    diff.iter().filter(|d| d["change"] == change).collect()
}

#[test]
fn what_no_longer_follows_within_a_request_is_told_with_its_counts() {
    for form in FORMS {
        let before = shop(form, Fault::None, 200, 1);
        let diff = diff(&shop(form, Fault::Broken, 200, 2), &before);
        let broken = of(&diff, "sequence_broken");
        assert_eq!(broken.len(), 1, "{form:?}: {diff:?}");
        assert_eq!(broken[0], &diff[0], "{form:?}: it comes first");
        let missing = &broken[0]["sequence"][0];
        assert!(missing["template"].as_str().unwrap().contains("payment authorised"), "{form:?}: {missing}");
        assert_eq!((&missing["before"]["with"], &missing["before"]["requests"]), (&200.into(), &200.into()));
        assert_eq!(missing["after"]["requests"], 200);
        assert!((90..150).contains(&missing["after"]["with"].as_u64().unwrap()), "{missing}");
        assert!(of(&diff, "values_changed").is_empty(), "{form:?}: {diff:?}");
    }
}

#[test]
fn few_requests_or_lines_without_a_request_break_no_sequence() {
    let before = shop(Form::Logfmt, Fault::None, 200, 1);
    let few = shop(Form::Logfmt, Fault::Broken, 4, 2);
    assert!(of(&diff(&few, &before), "sequence_broken").is_empty());
    let plain = |fault, seed| {
        let lines = shop(Form::Logfmt, fault, 200, seed);
        lines.iter().map(|l| l.replace("trace_id=", "customer=c-")).collect::<Vec<_>>()
    };
    let diff = diff(&plain(Fault::Broken, 2), &plain(Fault::None, 1));
    assert!(of(&diff, "sequence_broken").is_empty(), "{diff:?}");
    assert_eq!(of(&diff, "less_frequent").len(), 1, "{diff:?}");
}

#[test]
fn another_mix_of_requests_breaks_no_sequence() {
    let mut now = shop(Form::Json, Fault::None, 200, 2);
    for n in 0..2_000 {
        now.push(line(Form::Json, &format!("{n:032x}"), n, "health is checked", ""));
    }
    let diff = diff(&now, &shop(Form::Json, Fault::None, 200, 1));
    assert!(diff.len() == 1 && diff[0]["change"] == "new", "a flood makes nothing else rarer: {diff:?}");
}

#[test]
fn a_slower_field_is_told_with_its_name_median_and_tail() {
    for form in FORMS {
        let diff = diff(&shop(form, Fault::Slow, 300, 2), &shop(form, Fault::None, 300, 1));
        assert_eq!(diff.len(), 1, "{form:?}: {diff:?}");
        let values = &diff[0]["values"];
        assert_eq!((&values["field"], &values["unit"]), (&"latency_ms".into(), &"seconds".into()));
        let number = |side: &str, which: &str| values[side][which].as_f64().unwrap();
        assert!((0.01..0.013).contains(&number("before", "median")), "{values}");
        assert!((0.5..0.65).contains(&number("after", "median")), "{values}");
        assert!(number("after", "p95") > 40.0 * number("before", "p95"), "{values}");
    }
}

#[test]
fn another_share_of_outcomes_is_told_whether_it_is_a_pattern_or_a_value() {
    for form in FORMS {
        let diff = diff(&shop(form, Fault::Failing, 300, 2), &shop(form, Fault::None, 300, 1));
        let failed = diff.iter().find(|d| d["template"].as_str().unwrap().contains("status=500")).unwrap();
        assert!(failed["change"] == "more_frequent" || failed["change"] == "new", "{form:?}: {failed}");
    }
    let access = |failing: u64, seed| -> Vec<String> {
        let mut random = Random(seed);
        let mut one = || {
            let status = if random.below(100) < failing { 503 } else { 200 };
            let size = 100 + random.below(900);
            format!("10.0.0.7 - - [14/Oct/2026:03:21:09 +0900] \"GET /v1/orders/7 HTTP/1.1\" {status} {size}")
        };
        (0..2_000).map(|_| one()).collect()
    };
    let diff = diff(&access(20, 2), &access(1, 1));
    assert_eq!(diff.len(), 1, "{diff:?}");
    let values = &diff[0]["values"];
    assert_eq!((&values["unit"], &values["after"]["code"]), (&"code".into(), &503.into()), "{values}");
    assert!(values["before"]["share"].as_f64().unwrap() < 0.03, "{values}");
}

#[test]
fn the_order_of_lines_changes_no_byte() {
    for form in FORMS {
        let (mut before, mut now) = (shop(form, Fault::None, 150, 1), shop(form, Fault::Broken, 150, 2));
        now.extend(shop(form, Fault::Slow, 150, 3));
        let whole = run(&now, &before, &["--json"]);
        let mut random = Random(9);
        random.shuffle(&mut before);
        random.shuffle(&mut now);
        assert_eq!(run(&now, &before, &["--json"]), whole, "{form:?}");
    }
}

#[test]
fn what_is_the_same_has_no_difference() {
    for form in FORMS {
        let all = shop(form, Fault::None, 600, 1);
        assert_eq!(diff(&all, &all), Vec::<Value>::new(), "{form:?}: a file and itself");
        let mut mixed = all.clone();
        Random(5).shuffle(&mut mixed);
        let (left, right) = mixed.split_at(mixed.len() / 2);
        assert_eq!(diff(left, right), Vec::<Value>::new(), "{form:?}: lines parted by chance");
        let (left, right) = all.split_at(all.len() / 2);
        assert_eq!(diff(left, right), Vec::<Value>::new(), "{form:?}: two times");
        assert_eq!(
            diff(&shop(form, Fault::None, 90, 7), &all),
            Vec::<Value>::new(),
            "{form:?}: a shorter time"
        );
    }
}

#[test]
fn people_read_it_in_their_language() {
    let (before, now) = (shop(Form::Json, Fault::None, 200, 1), shop(Form::Json, Fault::Broken, 200, 2));
    let english = run(&now, &before, &[]);
    assert!(english.contains("broken sequence") && english.contains("in 200 of 200 requests"), "{english}");
    let japanese = run(&now, &before, &["--lang", "ja"]);
    assert!(japanese.contains("流れの途切れ") && japanese.contains("200 リクエスト"), "{japanese}");
    let slow = run(&shop(Form::Text, Fault::Slow, 200, 2), &shop(Form::Text, Fault::None, 200, 1), &[]);
    assert!(slow.contains("latency_ms: median 1") && slow.contains(" ms → 6"), "{slow}");
}

#[test]
fn a_flood_of_requests_of_one_kind_hides_no_broken_sequence() {
    let before = shop(Form::Text, Fault::None, 200, 1);
    let mut now = shop(Form::Text, Fault::Broken, 200, 2);
    for n in 0..60_000_u64 {
        let trace = format!("{:016x}{n:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        now.push(line(Form::Text, &trace, n / 60, "no such page", ""));
    }
    let diff = diff(&now, &before);
    let broken = of(&diff, "sequence_broken");
    assert_eq!(broken.len(), 1, "{diff:?}");
    let missing = &broken[0]["sequence"][0];
    assert!(missing["template"].as_str().unwrap().contains("payment authorised"), "{missing}");
    assert_eq!(missing["after"]["requests"], 200, "every request of the rare kind is looked at");
}

#[test]
fn patterns_are_told_as_they_are_now_even_behind_a_byte_order_mark() {
    let line = |day: u32, n: u32| format!("2026-10-{day:02} 03:00:{n:02} INFO worker took order {n}");
    let before: Vec<String> = (0..20).map(|n| line(10, n)).collect();
    let mut now: Vec<String> = (0..20).map(|n| line(14, n)).collect();
    now[0].insert(0, '\u{feff}');
    let document: Value = serde_json::from_str(&run(&now, &before, &["--json"])).unwrap();
    assert_eq!(document["patterns"].as_array().unwrap().len(), 1, "{document}");
    let pattern = &document["patterns"][0];
    assert_eq!((&pattern["count"], &document["diff"]), (&20.into(), &Value::Array(Vec::new())));
    assert!(pattern["first"].as_str().unwrap().starts_with("2026-10-14"), "{pattern}");
    let samples = pattern["samples"].as_array().unwrap();
    assert!(samples.iter().all(|s| s.as_str().unwrap().contains("2026-10-14")), "{samples:?}");
}

#[test]
fn a_side_without_lines_is_not_called_the_same() {
    let some = shop(Form::Text, Fault::None, 20, 1);
    assert!(run(&[], &some, &[]).contains("the file has no lines"));
    assert!(run(&some, &[], &[]).contains("the baseline has no lines"));
    assert!(run(&some, &[], &["--lang", "ja"]).contains("基準に行がなく"));
    let twice = tantei(&["logs", "-", "--baseline", "-"]);
    assert!(!twice.status.success());
    assert!(String::from_utf8_lossy(&twice.stderr).contains("standard input can be read once"));
}
