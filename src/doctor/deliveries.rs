//! Where alarms come from: topics and their subscriptions, the queue.

use super::access::refused;
use super::{Check, Collected, Status, Topic, now};
use crate::aws::client::Aws;
use crate::aws::spent::Ledger;
use crate::aws::topics::{self, TopicError, TopicFacts};
use crate::aws::{apis, probe};
use crate::config::Config;
use crate::ports::PortErrorKind;

/// Tests every way in that the settings name.
pub(super) async fn all(config: &Config, aws: &Aws, ledger: &Ledger, found: &mut Collected<'_>) {
    for arn in &config.sns.topics {
        found.begins(arn);
        let outcome = topics::topic(aws, arn, now()).await;
        topic(config, arn, outcome, found);
    }
    if let Some(url) = &config.sqs.queue_url {
        queue(aws, ledger, url, found).await;
    }
    let keys = config.eventbridge.key_hashes.len();
    if config.sns.topics.is_empty() && config.sqs.queue_url.is_none() && keys == 0 {
        let (status, says) = if config.aws.reconcile {
            (Status::Warning, "doctor-only-reconciled")
        } else {
            (Status::Problem, "doctor-no-way-in")
        };
        found.add(Check::new(Topic::Delivery, "settings", status, says));
    }
}

fn topic(config: &Config, arn: &str, outcome: Result<TopicFacts, TopicError>, found: &mut Collected<'_>) {
    let check = |status, says| Check::new(Topic::Delivery, arn, status, says);
    let facts = match outcome {
        Ok(facts) => facts,
        // Only `doctor` needs it: alarms are delivered without.
        Err(TopicError::Denied(action)) => {
            found.add(check(Status::Warning, "doctor-topic-unseen").with("action", action));
            return;
        }
        Err(TopicError::NotFound) => {
            found.add(check(Status::Problem, "doctor-topic-missing"));
            return;
        }
        Err(TopicError::Failed(what)) => {
            found.add(check(Status::Warning, "doctor-topic-failed").with("what", what));
            return;
        }
    };
    let queued = config.sqs.queue_url.is_some() && facts.queues > 0;
    found.add(if facts.https > 0 || queued {
        check(Status::Ok, "doctor-topic-fine")
            .with("https", facts.https.to_string())
            .with("queues", facts.queues.to_string())
    } else if facts.pending > 0 {
        check(Status::Problem, "doctor-topic-pending")
    } else {
        check(Status::Problem, "doctor-topic-unsubscribed")
    });
    if facts.https > 0 && facts.signature_version != "2" {
        let status = if config.sns.require_version_2 { Status::Problem } else { Status::Warning };
        found.add(check(status, "doctor-topic-sha1"));
    }
}

async fn queue(aws: &Aws, ledger: &Ledger, url: &str, found: &mut Collected<'_>) {
    match probe::queue(aws, ledger, url).await {
        Ok(facts) => {
            let (status, says) = if facts.dead_letters {
                (Status::Ok, "doctor-queue-fine")
            } else {
                (Status::Warning, "doctor-queue-no-dead-letters")
            };
            let hours = facts.kept.as_secs() / 3_600;
            found.add(Check::new(Topic::Delivery, url, status, says).with("hours", hours.to_string()));
        }
        // Only `doctor` asks for attributes.
        Err(e) if e.kind == PortErrorKind::Denied => {
            let check = Check::new(Topic::Delivery, url, Status::Warning, "doctor-queue-unseen");
            found.add(check.with("action", probe::GET_QUEUE_ATTRIBUTES.action));
        }
        Err(e) => {
            let check = Check::new(Topic::Delivery, url, Status::Problem, "doctor-queue-failed");
            found.add(check.with("what", e.message));
            return;
        }
    }
    let subject = apis::DELETE_MESSAGE.action.to_owned();
    found.add(match probe::deletion(aws, ledger, url).await {
        Ok(()) => Check::new(Topic::Permission, subject, Status::Ok, "doctor-permission-fine"),
        Err(e) => refused(subject, &e),
    });
    let subject = apis::RECEIVE_MESSAGE.action;
    found.add(Check::new(Topic::Permission, subject, Status::Skipped, "doctor-receive-untried"));
}
