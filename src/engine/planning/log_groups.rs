//! Which log groups a resource writes to: by AWS's conventions, by name, and as the operator says.

use crate::model::resource::{Resource, ResourceId};

/// How to find log groups of a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wanted {
    /// Groups whose name begins so.
    Prefix(String),
    /// Groups in whose name this occurs, spelled just so.
    Pattern(String),
}

/// What to look for, for one resource: conventions where there are some, otherwise its name.
#[must_use]
pub fn wanted(resource: &Resource) -> Vec<Wanted> {
    let name = resource.id.as_str();
    let prefix = |text: String| vec![Wanted::Prefix(text)];
    match resource.kind.as_deref().unwrap_or_default() {
        "AWS::Lambda::Function" => prefix(format!("/aws/lambda/{name}")),
        "AWS::RDS::DBInstance" => prefix(format!("/aws/rds/instance/{name}/")),
        "AWS::RDS::DBCluster" => prefix(format!("/aws/rds/cluster/{name}/")),
        "AWS::StepFunctions::StateMachine" => prefix(format!("/aws/vendedlogs/states/{name}")),
        "AWS::ApiGateway::RestApi" | "AWS::ApiGatewayV2::Api" => {
            let mut found = prefix(format!("API-Gateway-Execution-Logs_{name}"));
            found.push(Wanted::Pattern(name.to_owned()));
            found
        }
        // Managed services that write no log groups of their own.
        "AWS::SQS::Queue"
        | "AWS::SNS::Topic"
        | "AWS::DynamoDB::Table"
        | "AWS::S3::Bucket"
        | "AWS::Kinesis::Stream"
        | super::naming::REMOTE => Vec::new(),
        // `/ecs/shop/orders`, `/aws/containerinsights/…`, `orders-prod`: everybody names them differently.
        _ if pattern_allowed(name) => vec![Wanted::Pattern(name.to_owned())],
        _ => Vec::new(),
    }
}

/// What `logGroupNamePattern` accepts: 3 to 512 letters, digits, and `.-_/#`.
fn pattern_allowed(name: &str) -> bool {
    (3..=512).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_/#".contains(c))
}

/// Whether a group that was found really is the resource's: its name is a whole word of the group's, so that `orders`
/// does not take the logs of `orders-db`.
#[must_use]
pub fn belongs(group: &str, resource: &ResourceId, wanted: &Wanted) -> bool {
    let name = resource.as_str();
    match wanted {
        Wanted::Prefix(prefix) => match group.strip_prefix(prefix.as_str()) {
            Some("") => true,
            Some(rest) => {
                prefix.ends_with('/') || rest.starts_with(['/', '-']) && !prefix.starts_with("/aws/lambda/")
            }
            None => false,
        },
        // Container Insights holds performance records of the cluster, not what the service wrote.
        Wanted::Pattern(_)
            if group.starts_with("/aws/containerinsights/")
                || group.starts_with("/aws/ecs/containerinsights/") =>
        {
            false
        }
        Wanted::Pattern(_) => group.split('/').any(|segment| segment == name),
    }
}

/// Shortest word that is worth searching for.
const WORD_BYTES_MIN: usize = 4;

/// Words that are searched for: six of a line find hardly anything else.
const WORDS_MAX: usize = 6;

/// The words that every line of a pattern has: what stands outside `<variables>` and `{lists of fields}`. Single words,
/// because a pattern does not keep how they were separated.
#[must_use]
pub fn literal(pattern: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut open = 0_usize;
    // A word that touches a variable is only part of one, but stands in the line all the same.
    for c in pattern.chars().chain([' ']) {
        let part = open == 0 && (c.is_alphanumeric() || "_-.@".contains(c));
        if part {
            word.push(c);
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        match c {
            '<' | '{' => open += 1,
            '>' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    words.retain(|w| w.len() >= WORD_BYTES_MIN);
    words.dedup();
    words.truncate(WORDS_MAX);
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn resource(id: &str, kind: &str) -> Resource {
        Resource { id: ResourceId::new(id), kind: Some(kind.to_owned()), attributes: BTreeMap::new() }
    }

    #[test]
    fn groups_are_found_by_convention_or_by_a_whole_word() {
        for (id, kind, group, own) in [
            ("resize", "AWS::Lambda::Function", "/aws/lambda/resize", true),
            ("resize", "AWS::Lambda::Function", "/aws/lambda/resize-small", false),
            ("orders", "AWS::ECS::Service", "/ecs/shop/orders", true),
            ("orders", "AWS::ECS::Service", "/ecs/shop/orders-db", false),
            ("orders", "AWS::ECS::Service", "/aws/ecs/containerinsights/orders/performance", false),
            ("orders-db", "AWS::RDS::DBInstance", "/aws/rds/instance/orders-db/postgresql", true),
            ("a1b2c3", "AWS::ApiGateway::RestApi", "API-Gateway-Execution-Logs_a1b2c3/prod", true),
        ] {
            let resource = resource(id, kind);
            let found = wanted(&resource).iter().any(|w| belongs(group, &resource.id, w));
            assert_eq!(found, own, "{id} {group}");
        }
        assert!(wanted(&resource("jobs", "AWS::SQS::Queue")).is_empty());
        assert!(wanted(&resource("a b*", "AWS::ECS::Service")).is_empty());
    }

    #[test]
    fn the_fixed_words_of_a_pattern_are_found() {
        let pattern =
            "UTC:<num>(<num>):orders@shop:[<num>]:LOG: process <num> still waiting for {level,message}";
        assert_eq!(literal(pattern), ["orders@shop", "process", "still", "waiting"]);
        assert!(literal("<num> <path>").is_empty());
    }
}
