//! Is this the URL of an SNS signing certificate? Decided by its text alone, before any name is looked up.
//!
//! No general URL parser: whatever two parsers could read differently is refused, so they cannot disagree.

use super::arn::is_region;
use super::refused::UrlFault;
use crate::limits;

/// The host's Region and domain, when the URL is that of a signing certificate.
///
/// # Errors
/// What is wrong with it.
pub(super) fn judge(url: &str) -> Result<(&str, &str), UrlFault> {
    if url.len() > limits::SNS_URL_BYTES_MAX {
        return Err(UrlFault::Length);
    }
    if url.bytes().any(|b| !b.is_ascii_graphic() || b == b'\\' || b == b'%') {
        return Err(UrlFault::Characters);
    }
    let rest = url.strip_prefix("https://").ok_or(UrlFault::Scheme)?;
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(host_end).ok_or(UrlFault::Host)?;
    if host.contains('@') {
        return Err(UrlFault::User);
    }
    let place = region_and_domain(host.trim_end_matches(|c: char| c.is_ascii_digit() || c == ':'));
    if host.contains(':') {
        // An IPv6 address is a wrong host; a known host with a port is named so.
        return Err(if place.is_some() { UrlFault::Port } else { UrlFault::Host });
    }
    let place = region_and_domain(host).ok_or(UrlFault::Host)?;
    if path.contains(['?', '#']) {
        return Err(UrlFault::Query);
    }
    if is_certificate(path) { Ok(place) } else { Err(UrlFault::Path) }
}

fn region_and_domain(host: &str) -> Option<(&str, &str)> {
    let (region, domain) = host.strip_prefix("sns.")?.split_once('.')?;
    (is_region(region) && matches!(domain, "amazonaws.com" | "amazonaws.com.cn")).then_some((region, domain))
}

fn is_certificate(path: &str) -> bool {
    path.strip_prefix("/SimpleNotificationService-")
        .and_then(|p| p.strip_suffix(".pem"))
        .is_some_and(|id| id.len() == 32 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "/SimpleNotificationService-00112233445566778899aabbccddeeff.pem";

    #[test]
    fn certificates_of_regions_are_taken() {
        for host in [
            "sns.eu-west-3.amazonaws.com",
            "sns.us-gov-east-1.amazonaws.com",
            "sns.cn-northwest-1.amazonaws.com.cn",
        ] {
            assert!(judge(&format!("https://{host}{FILE}")).is_ok(), "{host}");
        }
    }

    #[test]
    fn everything_else_is_named() {
        let good = "https://sns.eu-west-3.amazonaws.com";
        let cases = [
            (format!("{good}{}", "/a".repeat(2_000)), UrlFault::Length),
            (format!("{good}\\@evil.example{FILE}"), UrlFault::Characters),
            (format!("{good}%2f@evil.example{FILE}"), UrlFault::Characters),
            (format!(" {good}{FILE}"), UrlFault::Characters),
            (format!("{good}{FILE}\n"), UrlFault::Characters),
            (format!("https://\u{455}ns.eu-west-3.amazonaws.com{FILE}"), UrlFault::Characters),
            (format!("http://sns.eu-west-3.amazonaws.com{FILE}"), UrlFault::Scheme),
            (format!("HTTPS://sns.eu-west-3.amazonaws.com{FILE}"), UrlFault::Scheme),
            (String::new(), UrlFault::Scheme),
            (format!("{good}@evil.example{FILE}"), UrlFault::User),
            (format!("{good}:443@evil.example{FILE}"), UrlFault::User),
            (format!("{good}:443{FILE}"), UrlFault::Port),
            (format!("{good}:{FILE}"), UrlFault::Port),
            (format!("https://[::1]{FILE}"), UrlFault::Host),
            (format!("https://127.0.0.1{FILE}"), UrlFault::Host),
            (format!("{good}.{FILE}"), UrlFault::Host),
            (format!("{good}.cn.evil.example{FILE}"), UrlFault::Host),
            (format!("https://evil.example#sns.eu-west-3.amazonaws.com{FILE}"), UrlFault::Host),
            (format!("https://sns.s3-us-west-2.amazonaws.com{FILE}"), UrlFault::Host),
            (format!("https://sns-eu-west-3.s3.amazonaws.com{FILE}"), UrlFault::Host),
            (format!("https://SNS.eu-west-3.amazonaws.com{FILE}"), UrlFault::Host),
            (format!("{good}{FILE}?x=1"), UrlFault::Query),
            (format!("{good}{FILE}#x"), UrlFault::Query),
            (format!("{good}/?Action=GetTopicAttributes"), UrlFault::Query),
            (good.to_owned(), UrlFault::Path),
            (format!("{good}/x.pem"), UrlFault::Path),
            (format!("{good}/..{FILE}"), UrlFault::Path),
            (format!("{good}/{FILE}"), UrlFault::Path),
            (format!("{good}{FILE}/../../evil.pem"), UrlFault::Path),
            (
                format!("{good}/SimpleNotificationService-00112233445566778899AABBCCDDEEFF.pem"),
                UrlFault::Path,
            ),
        ];
        for (url, fault) in cases {
            assert_eq!(judge(&url), Err(fault), "{url}");
        }
    }
}
