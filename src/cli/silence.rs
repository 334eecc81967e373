//! `tantei silence`: sets, lists and ends silences of a running Tantei.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};
use tantei_engine::model::time::Timestamp;

use super::output;
use super::remote::Server;
use super::serve::runtime;
use crate::clock::SystemClock;
use crate::ports::Clock as _;
use crate::render::escape;

/// Characters of a text in a list.
const SHOWN_MAX: usize = 200;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Silence what is known to come: it is recorded, and investigated only if it still fires at the end.
    Add(Add),
    /// List silences: those that last and those to come, with --all those that are over as well.
    List(List),
    /// End a silence before its time.
    End(End),
}

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    #[command(flatten)]
    server: Server,
    /// Alarms of this name; `*` stands for any text, here and below.
    #[arg(long, value_name = "NAME", required_unless_present_any = ["resource", "service", "account", "region"])]
    alarm: Option<String>,
    /// Alarms of this resource.
    #[arg(long)]
    resource: Option<String>,
    /// Alarms of this service (its tag).
    #[arg(long)]
    service: Option<String>,
    /// Alarms of this account.
    #[arg(long)]
    account: Option<String>,
    /// Alarms of this Region.
    #[arg(long)]
    region: Option<String>,
    /// From when (RFC 3339); from now on without it.
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// Until when (RFC 3339).
    #[arg(long, value_name = "TIME", required_unless_present = "lasts", conflicts_with = "lasts")]
    until: Option<Timestamp>,
    /// For how long, such as 30m, 2h or 1d.
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    lasts: Option<i64>,
    /// Why.
    #[arg(long)]
    reason: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    server: Server,
    /// Those that are over as well.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct End {
    #[command(flatten)]
    server: Server,
    /// The silence.
    id: String,
}

fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || "write it like 30m, 2h or 1d".to_owned();
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let (number, unit) =
        units.iter().find_map(|(c, s)| Some((text.strip_suffix(*c)?, *s))).ok_or_else(wrong)?;
    let number: i64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(unit).filter(|s| *s > 0).ok_or_else(wrong)
}

pub(super) fn run(command: &Command) -> Result<ExitCode> {
    match command {
        Command::Add(args) => add(args),
        Command::List(args) => list(args),
        Command::End(args) => {
            let client = args.server.client()?;
            runtime()?.block_on(client.delete(&format!("/v1/silences/{}", args.id)))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn add(args: &Add) -> Result<ExitCode> {
    let begins = || args.from.unwrap_or_else(|| SystemClock.now());
    let until = args.until.or_else(|| args.lasts.map(|s| begins().plus_secs(s)));
    let mut body = json!({ "until": until, "reason": args.reason });
    let from = args.from.map(|f| f.to_string());
    let given = [
        ("alarm", &args.alarm),
        ("resource", &args.resource),
        ("service", &args.service),
        ("account", &args.account),
        ("region", &args.region),
        ("from", &from),
    ];
    if let Some(fields) = body.as_object_mut() {
        fields.extend(given.iter().filter_map(|(key, v)| Some(((*key).to_owned(), json!(v.as_ref()?)))));
    }
    let client = args.server.client()?;
    let answer = runtime()?.block_on(client.post("/v1/silences", &body))?;
    if args.server.json() {
        output::json(&answer)?;
    } else {
        output::line(answer.get("silence").and_then(Value::as_str).unwrap_or_default())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn list(args: &List) -> Result<ExitCode> {
    let client = args.server.client()?;
    let mut answer = runtime()?.block_on(client.get("/v1/silences"))?;
    let all = answer.get_mut("silences").and_then(Value::as_array_mut);
    if let Some(all) = all {
        all.retain(|s| args.all || s.get("state").and_then(Value::as_str) != Some("past"));
    }
    if args.server.json() {
        output::json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    for silence in answer.get("silences").and_then(Value::as_array).into_iter().flatten() {
        let text = |path: &str| {
            let text = silence.pointer(path).and_then(Value::as_str).unwrap_or_default();
            escape::terminal(text, SHOWN_MAX)
        };
        let matcher = |m: &Value| {
            let part = |key: &str| m.get(key).and_then(Value::as_str).unwrap_or_default();
            escape::terminal(&format!("{}={}", part("field"), part("value")), SHOWN_MAX)
        };
        let matchers = silence.pointer("/silence/matchers").and_then(Value::as_array);
        let what: Vec<String> = matchers.into_iter().flatten().map(matcher).collect();
        output::line(&format!(
            "{}  {}  {} – {}  {}  {}  {}",
            text("/silence/id"),
            text("/state"),
            text("/silence/window/start"),
            text("/silence/window/end"),
            what.join(" "),
            text("/set_by"),
            text("/silence/reason"),
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_are_read_with_their_unit() {
        assert_eq!(["30m", "2h", "1d"].map(|t| seconds(t).unwrap()), [1_800, 7_200, 86_400]);
        for wrong in ["", "2", "h", "-1h", "0m", "1w", "99999999999999999d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
