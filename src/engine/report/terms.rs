//! The word keys of the model's enumerations.
//!
//! Keys only: the words stand in the word files. Written out, so that a new variant cannot be forgotten.

use crate::model::cause::{Band, Mechanism, PartKind};
use crate::model::execution::{Refusal, RunStatus, Verdict};
use crate::model::query::Source;
use crate::model::suggestion::{Effect, Risk};

/// How far to trust.
#[must_use]
pub(super) fn band(band: Band) -> &'static str {
    match band {
        Band::Weak => "band-weak",
        Band::Moderate => "band-moderate",
        Band::Strong => "band-strong",
    }
}

/// In which way a resource is at fault, as a statement about it.
#[must_use]
pub(super) fn statement(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::OwnLatency => "cause-own-latency",
        Mechanism::OwnErrors => "cause-own-errors",
        Mechanism::Saturation => "cause-saturation",
        Mechanism::CallDelay => "cause-call-delay",
        Mechanism::Behaviour => "cause-behaviour",
        Mechanism::UnobservedDependency => "cause-unobserved-dependency",
        Mechanism::Surge => "cause-surge",
        Mechanism::Unclear => "cause-unclear",
    }
}

/// In which way a resource is at fault, as a noun phrase.
#[must_use]
pub(super) fn mechanism(mechanism: Mechanism) -> &'static str {
    match mechanism {
        Mechanism::OwnLatency => "mechanism-own-latency",
        Mechanism::OwnErrors => "mechanism-own-errors",
        Mechanism::Saturation => "mechanism-saturation",
        Mechanism::CallDelay => "mechanism-call-delay",
        Mechanism::Behaviour => "mechanism-behaviour",
        Mechanism::UnobservedDependency => "mechanism-unobserved-dependency",
        Mechanism::Surge => "mechanism-surge",
        Mechanism::Unclear => "mechanism-unclear",
    }
}

/// Why a plan was not started.
#[must_use]
pub(super) fn refusal(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NoPlan => "refusal-no-plan",
        Refusal::Discarded => "refusal-discarded",
        Refusal::Outdated => "refusal-outdated",
        Refusal::NotApproved => "refusal-not-approved",
        Refusal::OtherDigest => "refusal-other-digest",
        Refusal::Expired => "refusal-expired",
        Refusal::Started => "refusal-started",
        Refusal::Automation { .. } => "refusal-automation",
    }
}

/// A source, as a noun.
#[must_use]
pub(super) fn source(source: Source) -> &'static str {
    match source {
        Source::Alarms => "source-alarms",
        Source::Topology => "source-topology",
        Source::Metrics => "source-metrics",
        Source::Logs => "source-logs",
        Source::Traces => "source-traces",
        Source::Changes => "source-changes",
    }
}

/// A kind of evidence, as a noun.
#[must_use]
pub(super) fn kind(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Impact => "kind-impact",
        PartKind::OwnTime => "kind-own-time",
        PartKind::OwnErrors => "kind-own-errors",
        PartKind::CallDelay => "kind-call-delay",
        PartKind::Saturation => "kind-saturation",
        PartKind::Logs => "kind-logs",
        PartKind::Change => "kind-change",
    }
}

/// A kind of evidence with what was seen, as a sentence.
#[must_use]
pub(super) fn part(kind: PartKind) -> &'static str {
    match kind {
        PartKind::Impact => "part-impact",
        PartKind::OwnTime => "part-own-time",
        PartKind::OwnErrors => "part-own-errors",
        PartKind::CallDelay => "part-call-delay",
        PartKind::Saturation => "part-saturation",
        PartKind::Logs => "part-logs",
        PartKind::Change => "part-change",
    }
}

/// What a run does to the world.
#[must_use]
pub(super) fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::ReadOnly => "effect-read-only",
        Effect::DiagnosticAux => "effect-diagnostic-aux",
        Effect::MutatingLow => "effect-mutating-low",
        Effect::MutatingDisruptive => "effect-mutating-disruptive",
    }
}

/// How much can go wrong.
#[must_use]
pub(super) fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "risk-low",
        Risk::Medium => "risk-medium",
        Risk::High => "risk-high",
    }
}

/// The status of a run or a step.
#[must_use]
pub(super) fn status(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Pending => "status-pending",
        RunStatus::InProgress => "status-in-progress",
        RunStatus::Waiting => "status-waiting",
        RunStatus::Success => "status-success",
        RunStatus::Failed => "status-failed",
        RunStatus::TimedOut => "status-timed-out",
        RunStatus::Cancelled => "status-cancelled",
    }
}

/// A judgement, as a sentence.
#[must_use]
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Recovered => "recovery-recovered",
        Verdict::Improved => "recovery-improved",
        Verdict::NotRecovered => "recovery-not-recovered",
        Verdict::Worse => "recovery-worse",
        Verdict::Unknown => "recovery-unknown",
    }
}
