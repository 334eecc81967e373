//! Secrets that say what they are: tokens with a prefix that their service gave them, wherever they stand.
//!
//! One line of the table a format. Only prefixes stand here, never a value.

use super::bytes::{Text, is_base64, is_hex_lower, is_token, is_word, sorts};
use super::finding::{Finding, Match};
use super::kind::{self, Kind};

/// Of what a token is made after its prefix.
#[derive(Debug, Clone, Copy)]
enum Of {
    Alnum,
    Upper,
    Hex,
    Token,
    Dotted,
    Base64,
}

impl Of {
    fn has(self, b: u8) -> bool {
        match self {
            Self::Alnum => b.is_ascii_alphanumeric(),
            Self::Upper => b.is_ascii_uppercase() || b.is_ascii_digit(),
            Self::Hex => is_hex_lower(b),
            Self::Token => is_token(b),
            Self::Dotted => is_token(b) || b == b'.',
            Self::Base64 => is_base64(b) || b == b'=',
        }
    }
}

/// A format: prefix, shortest and longest rest, of what, name.
type Rule = (&'static str, usize, usize, Of, Kind);

const fn rule(prefix: &'static str, min: usize, max: usize, of: Of, name: &'static str) -> Rule {
    (prefix, min, max, of, Kind::secret(name))
}

/// No token of a service is longer.
const ANY: usize = 4_096;

const UPPER_A: &[Rule] = &[
    rule("AKIA", 16, 16, Of::Upper, "aws-access-key"),
    rule("ASIA", 16, 16, Of::Upper, "aws-access-key"),
    rule("ABSK", 60, ANY, Of::Base64, "aws-bedrock-key"),
    rule("AIza", 35, 35, Of::Token, "google-api-key"),
    rule("AGE-SECRET-KEY-1", 58, 58, Of::Upper, "age-key"),
    rule("AQoDYXdz", 60, ANY, Of::Base64, "aws-session-token"),
    rule("ATATT3", 80, ANY, Of::Base64, "atlassian-token"),
];
const UPPER_E_F_I: &[Rule] = &[
    rule("EAA", 80, ANY, Of::Alnum, "facebook-token"),
    rule("FwoGZXIvYXdz", 60, ANY, Of::Base64, "aws-session-token"),
    rule("FQoGZXIvYXdz", 60, ANY, Of::Base64, "aws-session-token"),
    rule("IQoJb3JpZ2lu", 60, ANY, Of::Base64, "aws-session-token"),
];
const UPPER_G_TO_S: &[Rule] = &[
    rule("GOCSPX-", 20, 40, Of::Token, "google-secret"),
    rule("NRAK-", 27, 27, Of::Upper, "newrelic-key"),
    rule("NRJS-", 19, 19, Of::Hex, "newrelic-key"),
    rule("NRII-", 32, 32, Of::Token, "newrelic-key"),
    rule("NRIQ-", 32, 32, Of::Token, "newrelic-key"),
    rule("PMAK-", 50, 70, Of::Token, "postman-key"),
    rule("SG.", 60, 80, Of::Dotted, "sendgrid-key"),
    rule("SK", 32, 32, Of::Hex, "twilio-key"),
];
const LOWER_A_TO_F: &[Rule] = &[
    rule("bedrock-api-key-", 40, ANY, Of::Base64, "aws-bedrock-key"),
    rule("dapi", 32, 34, Of::Token, "databricks-token"),
    rule("dckr_pat_", 27, 40, Of::Token, "docker-token"),
    rule("dckr_oat_", 20, 40, Of::Token, "docker-token"),
    rule("dop_v1_", 64, 64, Of::Hex, "digitalocean-token"),
    rule("doo_v1_", 64, 64, Of::Hex, "digitalocean-token"),
    rule("dp.pt.", 40, 44, Of::Alnum, "doppler-token"),
    rule("dose", 32, 32, Of::Hex, "databricks-token"),
];
const LOWER_G: &[Rule] = &[
    rule("ghp_", 36, 255, Of::Alnum, "github-token"),
    rule("gho_", 36, 255, Of::Alnum, "github-token"),
    rule("ghu_", 36, 255, Of::Alnum, "github-token"),
    rule("ghs_", 36, 255, Of::Dotted, "github-token"),
    rule("ghr_", 36, 255, Of::Alnum, "github-token"),
    rule("github_pat_", 80, 255, Of::Token, "github-token"),
    rule("glpat-", 20, 300, Of::Dotted, "gitlab-token"),
    rule("gldt-", 20, 64, Of::Token, "gitlab-token"),
    rule("glrt-", 20, 300, Of::Dotted, "gitlab-token"),
    rule("glptt-", 20, 64, Of::Token, "gitlab-token"),
    rule("glcbt-", 20, 64, Of::Token, "gitlab-token"),
    rule("gloas-", 20, 64, Of::Token, "gitlab-token"),
    rule("glsoat-", 20, 64, Of::Token, "gitlab-token"),
    rule("glft-", 20, 64, Of::Token, "gitlab-token"),
    rule("glagent-", 20, 64, Of::Token, "gitlab-token"),
    rule("glsa_", 32, 64, Of::Token, "grafana-token"),
    rule("glc_", 32, 400, Of::Base64, "grafana-token"),
    rule("gsk_", 40, 60, Of::Alnum, "groq-key"),
];
const LOWER_H_TO_N: &[Rule] = &[
    rule("hf_", 30, 60, Of::Alnum, "huggingface-token"),
    rule("hvs.", 20, 300, Of::Token, "vault-token"),
    rule("hvb.", 20, 300, Of::Token, "vault-token"),
    rule("hvr.", 20, 300, Of::Token, "vault-token"),
    rule("key-", 32, 32, Of::Alnum, "mailgun-key"),
    rule("lin_api_", 40, 40, Of::Alnum, "linear-key"),
    rule("nfp_", 36, 40, Of::Alnum, "netlify-token"),
    rule("npm_", 36, 36, Of::Alnum, "npm-token"),
];
const LOWER_P_R: &[Rule] = &[
    rule("pypi-", 40, 400, Of::Token, "pypi-token"),
    rule("pul-", 40, 40, Of::Hex, "pulumi-token"),
    rule("pscale_tkn_", 30, 64, Of::Dotted, "planetscale-token"),
    rule("pscale_pw_", 30, 64, Of::Dotted, "planetscale-token"),
    rule("r8_", 37, 37, Of::Alnum, "replicate-token"),
    rule("rk_live_", 16, 255, Of::Alnum, "stripe-key"),
    rule("rk_test_", 16, 255, Of::Alnum, "stripe-key"),
    rule("rubygems_", 48, 48, Of::Hex, "rubygems-key"),
];
const LOWER_S: &[Rule] = &[
    rule("sk-ant-", 20, 255, Of::Token, "anthropic-key"),
    rule("sk-", 20, 255, Of::Token, "openai-key"),
    rule("sk_live_", 16, 255, Of::Alnum, "stripe-key"),
    rule("sk_test_", 16, 255, Of::Alnum, "stripe-key"),
    rule("sntrys_", 30, 400, Of::Base64, "sentry-token"),
    rule("sntryu_", 40, 80, Of::Hex, "sentry-token"),
    rule("shpat_", 32, 32, Of::Alnum, "shopify-token"),
    rule("shpca_", 32, 32, Of::Alnum, "shopify-token"),
    rule("shppa_", 32, 32, Of::Alnum, "shopify-token"),
    rule("shpss_", 32, 32, Of::Alnum, "shopify-token"),
    rule("sq0atp-", 22, 22, Of::Token, "square-token"),
    rule("sq0csp-", 43, 43, Of::Token, "square-token"),
    rule("sbp_", 40, 40, Of::Hex, "supabase-token"),
    rule("s.", 24, 24, Of::Alnum, "vault-token"),
];
const LOWER_T_TO_X: &[Rule] = &[
    rule("tskey-", 20, 80, Of::Token, "tailscale-key"),
    rule("whsec_", 24, 80, Of::Base64, "stripe-key"),
    rule("xoxe.", 20, 300, Of::Token, "slack-token"),
    rule("xoxb-", 10, 300, Of::Token, "slack-token"),
    rule("xoxp-", 10, 300, Of::Token, "slack-token"),
    rule("xoxa-", 10, 300, Of::Token, "slack-token"),
    rule("xoxr-", 10, 300, Of::Token, "slack-token"),
    rule("xoxs-", 10, 300, Of::Token, "slack-token"),
    rule("xoxo-", 10, 300, Of::Token, "slack-token"),
    rule("xoxe-", 10, 300, Of::Token, "slack-token"),
    rule("xapp-", 10, 300, Of::Token, "slack-token"),
];

fn rules(first: u8) -> &'static [Rule] {
    match first {
        b'A' => UPPER_A,
        b'E' | b'F' | b'I' => UPPER_E_F_I,
        b'G' | b'N' | b'P' | b'S' => UPPER_G_TO_S,
        b'b' | b'd' => LOWER_A_TO_F,
        b'g' => LOWER_G,
        b'h' | b'k' | b'l' | b'n' => LOWER_H_TO_N,
        b'p' | b'r' => LOWER_P_R,
        b's' => LOWER_S,
        b't' | b'w' | b'x' => LOWER_T_TO_X,
        _ => &[],
    }
}

/// Whether a token may begin with these two bytes; asked of every word.
#[inline]
pub(super) fn may_begin(first: u8, second: u8) -> bool {
    match first {
        b'A' => matches!(second, b'K' | b'S' | b'B' | b'I' | b'G' | b'Q' | b'T'),
        b'E' => second == b'A',
        b'F' => matches!(second, b'w' | b'Q'),
        b'G' => second == b'O',
        b'I' => second == b'Q',
        b'N' => second == b'R',
        b'P' => second == b'M',
        b'S' => matches!(second, b'G' | b'K'),
        b'b' => second == b'e',
        b'd' => matches!(second, b'a' | b'c' | b'o' | b'p'),
        b'e' => second == b'y',
        b'g' => matches!(second, b'h' | b'i' | b'l' | b's'),
        b'h' => matches!(second, b'f' | b'v'),
        b'k' => second == b'e',
        b'l' => second == b'i',
        b'n' => matches!(second, b'f' | b'p'),
        b'p' => matches!(second, b'y' | b'u' | b's'),
        b'r' => matches!(second, b'8' | b'k' | b'u'),
        b's' => matches!(second, b'k' | b'n' | b'h' | b'q' | b'b' | b'.'),
        b't' => second == b's',
        b'w' => second == b'h',
        b'x' => matches!(second, b'o' | b'a'),
        _ => false,
    }
}

/// The token that begins at `i`, where a word begins.
#[inline(never)]
pub(super) fn at(text: Text<'_>, i: usize) -> Match {
    let (first, second) = (text.at(i), text.at(i + 1));
    for rule in rules(first) {
        let prefix = rule.0.as_bytes();
        if prefix.get(1) == Some(&second) && text.has(i, prefix) {
            let found = of_rule(text, i, rule);
            if !matches!(found, Match::None) {
                return found;
            }
        }
    }
    if first == b'e' && text.has(i, b"eyJ") { jwt(text, i) } else { Match::None }
}

/// Whether these bytes begin like a token: what a line break cut may.
pub(super) fn begin(bytes: &[u8]) -> bool {
    let Some(first) = bytes.first() else { return false };
    rules(*first).iter().any(|r| r.0.len() > 2 && bytes.starts_with(r.0.as_bytes()))
        || bytes.starts_with(b"eyJ")
}

fn of_rule(text: Text<'_>, i: usize, (prefix, min, max, of, kind): &Rule) -> Match {
    let start = i + prefix.len();
    let mut end = text.run_max(start, max + 1, |b| of.has(b));
    if text.line_ends(end) && end - start < *min {
        return Match::Open;
    }
    while end > start && matches!(text.at(end - 1), b'.' | b'-') && !text.line_ends(end) {
        end -= 1;
    }
    let length = end - start;
    if length < *min || length > *max {
        return Match::None;
    }
    // Where the length is fixed, another letter means that it is another thing.
    if min == max && is_word(text.at(end)) {
        return Match::None;
    }
    let s = sorts(text.part(start, end));
    let loose = matches!(*prefix, "sk-" | "EAA" | "tskey-" | "key-" | "s.");
    if s.distinct < 5 || (loose && (s.digits < 2 || s.distinct < 10)) {
        return Match::None;
    }
    let found = Finding::plain(text, i, end, *kind);
    Match::Found(if min == max { found.sure() } else { found })
}

/// Two to five segments of base64url with dots between; the first is a JSON object.
fn jwt(text: Text<'_>, i: usize) -> Match {
    let mut end = text.run(i, is_token);
    if end - i < 10 || text.at(end) != b'.' {
        return if text.line_ends(end) { Match::Open } else { Match::None };
    }
    let mut segments = 1;
    while segments < 5 && text.at(end) == b'.' {
        let next = text.run(end + 1, is_token);
        if next == end + 1 && !text.line_ends(next) {
            break;
        }
        segments += 1;
        end = next;
        if text.line_ends(end) && segments < 3 {
            return Match::Open;
        }
    }
    if segments < 2 || end - i < 30 {
        return Match::None;
    }
    Match::Found(Finding::plain(text, i, end, kind::JWT))
}

/// A token that is known by what stands in its middle: `ID.atlasv1.SECRET`, where the word before the dot ends at `end`.
pub(super) fn terraform(text: Text<'_>, start: usize, end: usize) -> Match {
    if !text.has(end, b".atlasv1.") {
        let tail = text.run(end + 1, is_token);
        let cut = text.line_ends(tail) && b".atlasv1.".starts_with(text.part(end, tail));
        return if cut { Match::Open } else { Match::None };
    }
    let tail = text.run(end + 9, is_token);
    if tail - end < 30 {
        return if text.line_ends(tail) { Match::Open } else { Match::None };
    }
    Match::Found(Finding::plain(text, start, tail, kind::TERRAFORM))
}

/// A bot's token: its number, `:AA` and 33 more; the number ends at `end`.
pub(super) fn telegram(text: Text<'_>, start: usize, end: usize) -> Match {
    if text.at(end) == b':' && text.line_ends(end + 1) && (8..=10).contains(&(end - start)) {
        return Match::Open;
    }
    if !text.has(end, b":A") || !(7..=11).contains(&(end - start)) {
        return Match::None;
    }
    let tail = text.run_max(end + 1, 60, is_token);
    if tail - end < 36 {
        return if text.line_ends(tail) { Match::Open } else { Match::None };
    }
    Match::Found(Finding::plain(text, start, tail, kind::TELEGRAM))
}

/// A secret of Microsoft Entra: three characters, a digit, `Q~`, 31 to 34 more; the tilde stands at `i`.
pub(super) fn entra(text: Text<'_>, i: usize) -> Match {
    let is = |b: u8| is_token(b) || matches!(b, b'.' | b'~');
    if text.before(i) != b'Q' {
        return Match::None;
    }
    let start = text.run_back(i, 5, is);
    let end = text.run_max(i + 1, 40, is);
    if i - start != 5 || !text.at(start + 3).is_ascii_digit() || is(text.before(start)) {
        return Match::None;
    }
    if end - i < 32 {
        return if text.line_ends(end) { Match::Open } else { Match::None };
    }
    Match::Found(Finding::plain(text, start, end, kind::AZURE_SECRET))
}

/// Whether forty characters of base64 may begin at `i`; asked of every word.
#[inline]
pub(super) fn may_be_aws_secret(text: Text<'_>, i: usize) -> bool {
    let is = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'+');
    is(text.at(i + 39)) && is(text.at(i + 20)) && is(text.at(i + 10)) && is(text.at(i + 30))
}

/// A bare AWS secret access key: exactly forty characters of base64 that mix everything.
pub(super) fn aws_secret(text: Text<'_>, i: usize) -> Match {
    let is = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'+');
    if is(text.before(i)) || matches!(text.before(i), b'-' | b'_' | b'.') {
        return Match::None;
    }
    let end = text.run_max(i, 41, is);
    if end - i != 40 || matches!(text.at(end), b'=' | b'-' | b'_' | b'.') {
        return Match::None;
    }
    let s = sorts(text.part(i, end));
    let mixed =
        s.digits >= 2 && s.upper >= 5 && s.lower >= 5 && s.other <= 6 && s.changes >= 16 && s.distinct >= 20;
    if mixed { Match::Found(Finding::plain(text, i, end, kind::AWS_SECRET_KEY).sure()) } else { Match::None }
}
