//! What the loop does, told in metrics and traces: kinds and counts, nothing of what it is about.

use tantei_engine::investigation::Action;
use tantei_engine::model::feed::{Body, FeedItem};
use tantei_engine::model::gap::GapReason;

use crate::telemetry::SPANS;

/// The span of a step.
pub(super) fn span(action: &Action) -> tracing::Span {
    let (name, source) = match action {
        Action::Record(_) => ("record", ""),
        Action::Collect(source) => ("collect", source.name()),
        Action::Suggest => ("suggest", ""),
        Action::AskApproval(_) => ("ask approval", ""),
        Action::Execute(_) => ("execute", ""),
        Action::JudgeRecovery(_) => ("judge recovery", ""),
    };
    let full = format!("{name} {source}");
    tracing::info_span!(target: SPANS, "step", otel.name = full.trim_end(), tantei.source = source)
}

/// Counts an item that was appended.
pub(super) fn appended(item: &FeedItem) {
    metrics::counter!("tantei_feed_items_total", "kind" => kind(&item.body)).increment(1);
    if let Body::Gap(gap) = &item.body {
        let (source, reason) = (gap.source.name(), reason(gap.reason));
        metrics::counter!("tantei_gaps_total", "source" => source, "reason" => reason).increment(1);
    }
}

fn kind(body: &Body) -> &'static str {
    match body {
        Body::Opened(_) => "opened",
        Body::Round(_) => "round",
        Body::Collected(_) => "collected",
        Body::Concluded(_) => "concluded",
        Body::Matched(_) => "matched",
        Body::AlarmTransition(_) => "alarm_transition",
        Body::AlarmHealth(_) => "alarm_health",
        Body::Topology(_) => "topology",
        Body::Observation(_) => "observation",
        Body::Gap(_) => "gap",
        Body::Hypothesis(_) => "hypothesis",
        Body::Suggestion(_) => "suggestion",
        Body::Approval(_) => "approval",
        Body::Execution(_) => "execution",
        Body::Recovery(_) => "recovery",
        Body::Note(_) => "note",
        Body::Decision(_) => "decision",
        Body::Usage(_) => "usage",
    }
}

fn reason(reason: GapReason) -> &'static str {
    match reason {
        GapReason::Absent => "absent",
        GapReason::Malformed => "malformed",
        GapReason::Truncated => "truncated",
        GapReason::Denied => "denied",
        GapReason::Unavailable => "unavailable",
        GapReason::NoBaseline => "no_baseline",
        GapReason::TargetUnseen => "target_unseen",
        GapReason::ClockSkew => "clock_skew",
    }
}
