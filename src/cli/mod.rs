//! The command line: one file a command. Parses arguments once, prints results, decides exit codes.
//!
//! Exit codes: 0 done (also when the cause stays unknown), 1 something outside failed or a check found problems,
//! 2 the arguments or the input make no sense.

mod audit;
mod demo;
mod doctor;
mod document;
mod evaluate;
mod investigate;
mod live;
mod log_table;
mod logs;
mod metrics;
mod output;
mod playbooks;
mod record;
mod redact;
mod remote;
mod serve;
mod silence;
mod strict;
mod token;

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, Parser, Subcommand};

/// Operational investigations for AWS: an alarm in; evidence, ranked causes, runbooks and a report out.
#[derive(Debug, Parser)]
#[command(name = "tantei", version, about, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  tantei demo                                     a recorded incident, from alarm to recovery
  tantei investigate --bundle DIR                 investigate a recorded incident
  tantei investigate --bundle DIR --json          the same for a script
  tantei investigate --bundle DIR --report r.md --lang ja
  tantei evaluate DIR…                            score labelled incidents
  tantei logs now.log --baseline before.log       what is new, gone or different in log lines
  tantei redact app.log                           without secrets and personal data
  tantei metrics cpu.csv --svg cpu.svg            where does this series deviate?
  tantei playbooks check my-playbooks/            check your own playbooks
  tantei serve --config tantei.toml               receive alarms and investigate them
  tantei doctor --config tantei.toml              what a server lacks, and how to mend it
  tantei list | show ID | watch ID | report ID    what a server investigates (TANTEI_SERVER, TANTEI_TOKEN)
  tantei record ID --to DIR                       write an investigation as a bundle, to replay or to pass on
  tantei silence add --alarm 'orders-*' --for 2h --reason 'database upgrade'
  tantei audit verify feed.json                   has this feed been tampered with?

Exit codes: 0 done, 1 failed or problems found, 2 wrong arguments or input.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Investigate a recorded incident: feed, ranked causes, suggestions, report.
    Investigate(investigate::Args),
    /// Score investigations of labelled incidents, per source and per kind of fault.
    Evaluate(evaluate::Args),
    /// Find the patterns of log lines, and what differs from a baseline.
    Logs(logs::Args),
    /// Take secrets and personal data out of text; equal values get equal pseudonyms.
    Redact(redact::Args),
    /// Judge a time series: a score for each point, deviating spans, a picture; or one window against its baseline.
    Metrics(metrics::Args),
    /// List, show or check playbooks.
    #[command(subcommand)]
    Playbooks(playbooks::Command),
    /// Check what was recorded.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Play a recorded incident from alarm to proven recovery, with a simulated runbook.
    Demo(demo::Args),
    /// Receive alarms and investigate them, until told to stop.
    Serve(serve::Args),
    /// List the investigations of a server.
    List(remote::List),
    /// Show the answer of an investigation of a server.
    Show(remote::One),
    /// Follow the feed of an investigation of a server.
    Watch(remote::One),
    /// Print the report of an investigation of a server as Markdown.
    Report(remote::ReportArgs),
    /// Accept an item: it belongs to the incident.
    Accept(remote::Item),
    /// Discard an item: causes are ranked without it.
    Discard(remote::Item),
    /// Take a discard back.
    Restore(remote::Item),
    /// Write a note into a feed.
    Note(remote::NoteArgs),
    /// End an investigation of a server.
    End(remote::One),
    /// Test what a server needs: settings, credentials, every permission, subscriptions, store, clock.
    Doctor(doctor::Args),
    /// Write an investigation as a bundle that can be replayed: its telemetry is read again from AWS.
    Record(record::Args),
    /// Set, list or end silences of a server.
    #[command(subcommand)]
    Silence(silence::Command),
    /// Make, list or revoke access tokens.
    #[command(subcommand)]
    Token(token::Command),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Parses the arguments, runs the command, and reports a failure as one sentence a line.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => e.exit(),
    };
    match run(cli.command) {
        Ok(code) => code,
        Err(e) => output::fail(&e),
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Investigate(args) => investigate::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Logs(args) => logs::run(&args),
        Command::Redact(args) => redact::run(&args),
        Command::Metrics(args) => metrics::run(&args),
        Command::Playbooks(command) => playbooks::run(&command),
        Command::Audit(command) => audit::run(&command),
        Command::Demo(args) => demo::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::List(args) => remote::list(&args),
        Command::Show(args) => remote::show(&args),
        Command::Watch(args) => remote::watch(&args),
        Command::Report(args) => remote::report(&args),
        Command::Accept(args) => remote::decide(&args, "accept"),
        Command::Discard(args) => remote::decide(&args, "discard"),
        Command::Restore(args) => remote::decide(&args, "restore"),
        Command::Note(args) => remote::note(&args),
        Command::End(args) => remote::end(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Record(args) => record::run(&args),
        Command::Silence(command) => silence::run(&command),
        Command::Token(command) => token::run(&command),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "tantei", &mut script);
            output::print(&String::from_utf8_lossy(&script))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
