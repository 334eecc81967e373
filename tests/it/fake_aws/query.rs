//! STS and SNS: the query protocol, answers in XML. And the clock that every answer tells.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::{Asked, Fake, Fault};

/// The topic that exists.
pub(crate) const TOPIC: &str = "arn:aws:sns:ap-northeast-1:111122223333:alarms";

pub(crate) fn answer(fake: &Fake, body: &str) -> Response {
    let fields: Vec<(&str, &str)> = body.split('&').filter_map(|f| f.split_once('=')).collect();
    let get = |name: &str| fields.iter().find(|(n, _)| *n == name).map(|(_, v)| *v).unwrap_or_default();
    let operation = get("Action");
    let parameters = serde_json::json!(fields);
    fake.asked.lock().unwrap().push(Asked { operation: operation.to_owned(), parameters });
    let fault = fake.faults.lock().unwrap().get(operation).copied();
    let failed = |code: &str, message: &str| {
        let text = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
        );
        (StatusCode::FORBIDDEN, [("content-type", "text/xml")], text).into_response()
    };
    match fault {
        Some(Fault::AccessDenied) if operation.contains("opic") => return failed("AuthorizationError", "no"),
        Some(Fault::AccessDenied) => return failed("AccessDenied", "not authorized"),
        Some(Fault::ExpiredToken) => {
            return failed("ExpiredToken", "The security token included in the request is expired");
        }
        Some(other) => panic!("{other:?} is not spoken here"),
        None => {}
    }
    let text = match operation {
        "GetCallerIdentity" => {
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/tantei</Arn>\
             <UserId>U</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
                .to_owned()
        }
        "AssumeRole" => {
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AKIDOTHER</AccessKeyId>\
             <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
             <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
                .to_owned()
        }
        "GetTopicAttributes" | "ListSubscriptionsByTopic" if get("TopicArn").replace("%3A", ":") != TOPIC => {
            return failed("NotFound", "Topic does not exist");
        }
        "GetTopicAttributes" => {
            "<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes><entry><key>SignatureVersion</key>\
             <value>2</value></entry></Attributes></GetTopicAttributesResult></GetTopicAttributesResponse>"
                .to_owned()
        }
        "ListSubscriptionsByTopic" => format!(
            "<ListSubscriptionsByTopicResponse><ListSubscriptionsByTopicResult><Subscriptions><member>\
             <TopicArn>{TOPIC}</TopicArn><Protocol>https</Protocol><SubscriptionArn>{TOPIC}:s</SubscriptionArn>\
             <Endpoint>https://tantei.example/v1/alarms/sns</Endpoint></member></Subscriptions>\
             </ListSubscriptionsByTopicResult></ListSubscriptionsByTopicResponse>"
        ),
        other => panic!("the fake does not know {other}"),
    };
    ([("content-type", "text/xml")], text).into_response()
}
