//! AWS: who we are in each account and Region, and whether every operation is allowed there.

use serde_json::{Value, json};

use super::{Check, Collected, Findings, Places, Status, Topic, deliveries, local, now};
use crate::aws::apis;
use crate::aws::client::{Aws, Place, Timing};
use crate::aws::errors::needed_action;
use crate::aws::spent::Ledger;
use crate::aws::{probe, topics};
use crate::config::Config;

/// A person waits: what does not answer soon is told as such.
fn timing() -> Timing {
    use std::time::Duration;
    Timing {
        attempt: Duration::from_secs(6),
        call: Duration::from_secs(15),
        attempts: 2,
        ..Timing::default()
    }
}

/// Tests AWS.
pub(super) async fn aws(config: &Config, places: &Places, found: &mut Collected<'_>) {
    let ledger = Ledger::default();
    let here = Aws::connect(&places.here, timing()).await;
    found.begins("AWS");
    found.add(match topics::clock(&here).await {
        Ok(theirs) => local::skew("AWS", now().secs_since(theirs)),
        Err(e) => Check::new(Topic::Clock, "AWS", Status::Warning, "doctor-clock-unknown").with("what", e),
    });
    if place(None, &places.here, &here, &ledger, found).await {
        deliveries::all(config, &here, &ledger, found).await;
    }
    for (account, other) in &places.others {
        let aws = Aws::connect(other, timing()).await;
        place(Some(account), other, &aws, &ledger, found).await;
    }
    found.findings.micro_usd = ledger.spent().micro_usd();
}

/// Tests one account and Region; whether its credentials hold.
async fn place(
    account: Option<&str>,
    place: &Place,
    aws: &Aws,
    ledger: &Ledger,
    found: &mut Collected<'_>,
) -> bool {
    let region = aws.region();
    if region.is_empty() {
        found.add(Check::new(Topic::Credentials, "aws.region", Status::Problem, "doctor-no-region"));
        return false;
    }
    let subject = format!("{}/{region}", account.unwrap_or("here"));
    found.begins(probe::GET_CALLER_IDENTITY.action);
    let role = place.role.as_ref().map_or("", |r| r.arn.as_str());
    let (own, arn) = match probe::identity(aws, ledger).await {
        Ok(identity) => identity,
        Err(e) => {
            let says = if role.is_empty() { "doctor-credentials-failed" } else { "doctor-role-failed" };
            let check = Check::new(Topic::Credentials, subject.clone(), Status::Problem, says);
            found.add(check.with("role", role).with("what", e.message));
            found.add(Check::new(Topic::Permission, subject, Status::Skipped, "doctor-permissions-skipped"));
            return false;
        }
    };
    if account.is_some_and(|expected| expected != own) {
        let check = Check::new(Topic::Credentials, subject, Status::Problem, "doctor-other-account");
        found.add(check.with("account", own));
        return false;
    }
    let subject = format!("{own}/{region}");
    let check = Check::new(Topic::Credentials, subject.clone(), Status::Ok, "doctor-credentials-fine");
    found.add(check.with("arn", arn));
    for api in apis::ALL {
        found.begins(api.action);
        found.add(permission(aws, ledger, api, &subject).await);
    }
    true
}

async fn permission(aws: &Aws, ledger: &Ledger, api: &'static apis::Api, place: &str) -> Check {
    let subject = format!("{place} {}", api.action);
    match probe::permission(aws, ledger, api, now()).await {
        None => Check::new(Topic::Permission, subject, Status::Skipped, "doctor-permission-untried"),
        Some(Ok(())) => Check::new(Topic::Permission, subject, Status::Ok, "doctor-permission-fine"),
        Some(Err(e)) => refused(subject, &e),
    }
}

/// A call that failed: for want of a permission, or otherwise.
pub(super) fn refused(subject: String, error: &crate::ports::PortError) -> Check {
    match needed_action(error) {
        Some(action) => {
            let check = Check::new(Topic::Permission, subject, Status::Problem, "doctor-permission-missing");
            Check { missing: Some(action.to_owned()), ..check.with("action", action) }
        }
        None => Check::new(Topic::Permission, subject, Status::Problem, "doctor-call-failed")
            .with("what", error.message.clone()),
    }
}

/// A policy with everything that was found missing, to paste; `None` when nothing was.
#[must_use]
pub fn policy(findings: &Findings) -> Option<Value> {
    let mut actions: Vec<&str> = findings.checks.iter().filter_map(|c| c.missing.as_deref()).collect();
    actions.sort_unstable();
    actions.dedup();
    (!actions.is_empty()).then(|| {
        json!({
            "Version": "2012-10-17",
            "Statement": [{"Sid": "TanteiReads", "Effect": "Allow", "Action": actions, "Resource": "*"}],
        })
    })
}
