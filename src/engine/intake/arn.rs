//! ARNs and Regions, taken apart strictly: account and Region of an alarm come from here and from nowhere else.

use super::refused::{Refused, shown};
use crate::limits;

/// The parts of an ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arn<'a> {
    pub(super) partition: &'a str,
    pub(super) service: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
    pub(super) resource: &'a str,
}

impl<'a> Arn<'a> {
    /// The parts, when it is an ARN of a Region and an account.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        if text.len() > limits::ARN_BYTES_MAX || text.chars().any(char::is_control) {
            return None;
        }
        let mut parts = text.splitn(6, ':');
        if parts.next() != Some("arn") {
            return None;
        }
        let partition = parts.next().filter(|p| is_partition(p))?;
        let service = parts.next()?;
        let region = parts.next().filter(|r| is_region(r))?;
        let account = parts.next().filter(|a| is_account(a))?;
        let resource = parts.next().filter(|r| !r.is_empty())?;
        Some(Self { partition, service, region, account, resource })
    }
}

/// The parts of an alarm's ARN.
///
/// # Errors
/// `BadArn`, naming `path`.
pub(super) fn of_alarm<'a>(text: &'a str, path: &str) -> Result<Arn<'a>, Refused> {
    Arn::parse(text)
        .filter(|a| {
            a.service == "cloudwatch" && a.resource.strip_prefix("alarm:").is_some_and(|n| !n.is_empty())
        })
        .ok_or_else(|| Refused::BadArn {
            path: path.to_owned(),
            text: shown(text),
            wanted: "a CloudWatch alarm",
        })
}

/// Whether it is 12 digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_partition(text: &str) -> bool {
    text.starts_with("aws") && text.len() <= 16 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}

/// First word of a Region's code. A new Region gets a new direction or number far more often than a new one of these.
const AREAS: [&str; 11] = ["af", "ap", "ca", "cn", "eu", "eusc", "il", "me", "mx", "sa", "us"];

/// What may stand between area and direction.
const SPECIAL: [&str; 6] = ["gov", "iso", "isob", "isoe", "isof", "de"];

const DIRECTIONS: [&str; 9] =
    ["north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest", "central"];

/// Whether it has the shape of a Region's code: `ap-northeast-1`, `us-gov-west-1`. `s3-us-west-2` does not.
pub(super) fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let (area, special, direction, number) = match words.as_slice() {
        [area, direction, number] => (*area, None, *direction, *number),
        [area, special, direction, number] => (*area, Some(*special), *direction, *number),
        _ => return false,
    };
    let numbered = matches!(number.as_bytes(), [b'1'..=b'9'] | [b'1'..=b'9', b'0'..=b'9']);
    AREAS.contains(&area)
        && special.is_none_or(|s| SPECIAL.contains(&s))
        && DIRECTIONS.contains(&direction)
        && numbered
}

/// The domain under which AWS serves a Region of a partition; none when they do not belong together or the
/// partition is not supported.
pub(super) fn domain(partition: &str, region: &str) -> Option<&'static str> {
    let (china, gov) = (region.starts_with("cn-"), region.starts_with("us-gov-"));
    match partition {
        "aws" if !china && !gov => Some("amazonaws.com"),
        "aws-us-gov" if gov => Some("amazonaws.com"),
        "aws-cn" if china => Some("amazonaws.com.cn"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_have_a_shape() {
        for region in
            ["us-east-1", "ap-northeast-3", "us-gov-west-1", "cn-north-1", "me-central-1", "eu-west-12"]
        {
            assert!(is_region(region), "{region}");
        }
        for region in [
            "",
            "us",
            "us-east",
            "us-east-0",
            "us-east-01",
            "us-east-1x",
            "eu-west-9x",
            "s3-us-west-2",
            "US-EAST-1",
            "us-east-123",
            "us-gov-iso-east-1",
            "us--1",
            "-",
            "Asia Pacific (Tokyo)",
            "us-east-1.evil",
        ] {
            assert!(!is_region(region), "{region}");
        }
    }

    #[test]
    fn arns_of_alarms_are_taken_apart() {
        let arn = of_alarm("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a:b/ü", "x").unwrap();
        assert_eq!((arn.partition, arn.region, arn.account), ("aws", "eu-west-1", "123456789012"));
        assert_eq!(arn.resource, "alarm:a:b/ü");
        for text in [
            "",
            "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:",
            "arn:aws:cloudwatch:eu-west-1:123456789012:dashboard:x",
            "arn:aws:sns:eu-west-1:123456789012:alarm:x",
            "arn:aws:cloudwatch:Tokyo:123456789012:alarm:x",
            "arn:aws:cloudwatch:eu-west-1:12345678901:alarm:x",
            "arn:AWS:cloudwatch:eu-west-1:123456789012:alarm:x",
            "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:x\n",
        ] {
            assert!(matches!(of_alarm(text, "x"), Err(Refused::BadArn { .. })), "{text}");
        }
    }

    #[test]
    fn partitions_and_regions_belong_together() {
        assert_eq!(domain("aws", "us-east-1"), Some("amazonaws.com"));
        assert_eq!(domain("aws-cn", "cn-north-1"), Some("amazonaws.com.cn"));
        assert_eq!(domain("aws", "cn-north-1"), None);
        assert_eq!(domain("aws-cn", "us-east-1"), None);
        assert_eq!(domain("aws-us-gov", "us-gov-east-1"), Some("amazonaws.com"));
        assert_eq!(domain("aws-iso", "us-iso-east-1"), None);
    }
}
