//! Names that announce a secret: `DB_PASSWORD`, `x-api-key`, `client.secret`. What follows them is judged elsewhere.

use super::bytes::{Text, is_word};
use super::kind::{self, Kind};

/// How much a value must look like a secret, beyond standing behind the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    /// People choose them: anything that is no prose.
    Password,
    /// Made by a machine, but short ones exist.
    Secret,
    /// The name alone says little: long and random.
    Random,
    /// Everything between the quotes.
    Whole,
}

/// A name that announces a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    /// Where the name begins.
    pub(super) start: usize,
    /// What kind of value it announces.
    pub(super) kind: Kind,
    /// What is asked of the value.
    pub(super) demand: Demand,
}

/// Longest name that is looked at.
const NAME_MAX: usize = 64;

/// Whether a name that ends before `end` can announce a secret; asked of every word.
#[inline]
pub(super) fn may_end(text: Text<'_>, end: usize) -> bool {
    let last = text.last_three(end);
    matches!(last, (_, b'p', b'w'))
        || matches!(last, (_, b'b', b'y'))
        || matches!(
            last,
            (b'o', b'r', b'd')
                | (b's', b'w', b'd')
                | (b'a', b's', b'e')
                | (b'o', b'd', b'e')
                | (b'p', b'w', b'd')
                | (b'o', b'r', b't')
                | (b'a', b's', b's')
                | (b'u', b't', b'h')
                | (b'r', b'e', b't')
                | (b'k', b'e', b'y')
                | (b'l', b'u', b'e')
                | (b'a', b't', b'a')
                | (b'e', b'x', b't')
                | (b't', b'i', b'd')
                | (b'i', b'a', b'l')
                | (b'a', b'l', b's')
                | (b'e', b't', b's')
                | (b'k', b'e', b'n')
                | (b's', b'r', b'f')
                | (b'j', b'w', b't')
                | (b'i', b'o', b'n')
                | (b'n', b'i', b'd')
                | (b's', b'i', b'd')
                | (b'u', b'r', b'e')
                | (b's', b'i', b'g')
                | (b'r', b'e', b'd')
                | (b'k', b'i', b'e')
                | (b'o', b't', b'p')
                | (b'i', b'n', b'g')
                | (b'a', b'r', b'y')
                | (b'r', b'e', b'r')
                | (b's', b'i', b'c')
        )
        || text.before(end).is_ascii_digit() && matches!(text.at(end), b'=' | b':' | b'"')
}

/// Names of passwords, by their ends.
const PASSWORDS: &[&str] =
    &["password", "passwd", "passphrase", "passcode", "pwd", "passwort", "requirepass", "masterauth"];

/// Names of other secrets, by their ends.
const SECRETS: &[&str] = &[
    "secret",
    "secretkey",
    "secretaccesskey",
    "secretvalue",
    "apisecretkey",
    "signingkey",
    "encryptionkey",
    "privatekey",
    "hmackey",
    "masterkey",
    "cryptkey",
    "aeskey",
    "accountkey",
    "sharedkey",
    "sharedaccesskey",
    "storagekey",
    "clientkeydata",
    "secrettext",
    "secretkeybase",
    "secretid",
    "credential",
    "credentials",
    "secrets",
];

/// Names of keys, by their ends.
const KEYS: &[&str] = &[
    "apikey",
    "accesskey",
    "authkey",
    "licensekey",
    "licencekey",
    "integrationkey",
    "appkey",
    "applicationkey",
    "servicekey",
    "subscriptionkey",
    "sessionkey",
    "functionskey",
    "adminkey",
    "writekey",
    "deploykey",
    "serverkey",
    "consumerkey",
    "webhookkey",
    "apitoken",
    "accesstoken",
    "refreshtoken",
    "authtoken",
    "idtoken",
    "secrettoken",
    "bearertoken",
    "securitytoken",
    "bottoken",
    "usertoken",
    "deploytoken",
    "csrftoken",
    "xsrftoken",
    "csrf",
    "xsrf",
    "csrfmiddlewaretoken",
    "authenticitytoken",
    "jwt",
    "channeltoken",
    "privatetoken",
    "personaltoken",
];

/// Names that say little.
const RANDOM: &[&str] = &[
    "token",
    "routingkey",
    "auth",
    "authorization",
    "sessionid",
    "sessid",
    "session",
    "sessiontoken",
    "signature",
    "sig",
    "connectsid",
    "remembertoken",
    "clientkey",
    "cred",
    "passkey",
    "authentication",
    "cookie",
];

/// Tokens that only say where to go on.
const HARMLESS: &[&str] = &[
    "nexttoken",
    "pagetoken",
    "continuationtoken",
    "clienttoken",
    "requesttoken",
    "idempotencytoken",
    "paginationtoken",
    "synctoken",
    "tasktoken",
    "startingtoken",
    "forwardtoken",
    "backwardtoken",
    "unexpectedtoken",
    "cancellationtoken",
    "changetoken",
    "marker",
    "nosecret",
    "forgotpassword",
    "resetpassword",
    "changepassword",
    "invalidpassword",
    "wrongpassword",
    "badpassword",
    "badauth",
    "needauth",
    "noauth",
    "listsecrets",
    "getsecret",
    "bypass",
];

/// The name that ends before `end`, when it announces a secret.
pub(super) fn ending(text: Text<'_>, end: usize) -> Option<Key> {
    let start = text.run_back(end, NAME_MAX, |b| is_word(b) || matches!(b, b'-' | b'.'));
    let mut name = [0_u8; NAME_MAX];
    let mut length = 0;
    for b in text.part(start, end) {
        if is_word(*b)
            && *b != b'_'
            && let Some(slot) = name.get_mut(length)
        {
            *slot = b.to_ascii_lowercase();
            length += 1;
        }
    }
    let mut name = name.get(..length).unwrap_or_default();
    while let Some((last, rest)) = name.split_last()
        && last.is_ascii_digit()
    {
        name = rest;
    }
    let (kind, demand) = judge(name, text.part(start, end))?;
    Some(Key { start, kind, demand })
}

fn judge(name: &[u8], written: &[u8]) -> Option<(Kind, Demand)> {
    let ends = |words: &[&str]| words.iter().any(|w| name.ends_with(w.as_bytes()));
    if name.len() < 2 || ends(HARMLESS) {
        return None;
    }
    if matches!(name, b"secretstring" | b"secretbinary") {
        return Some((kind::SECRET, Demand::Whole));
    }
    if ends(PASSWORDS)
        || matches!(name, b"pw" | b"dbpw" | b"userpw" | b"rootpw" | b"adminpw" | b"otp" | b"pincode")
    {
        return Some((kind::PASSWORD, Demand::Password));
    }
    // `pass` counts passed tests as well; `bypass`, `compass` are no passwords.
    if name.ends_with(b"pass") {
        let alone = name.len() == 4
            || written.get(written.len().saturating_sub(5)).is_some_and(|b| !b.is_ascii_alphanumeric());
        let known =
            ends(&["dbpass", "userpass", "rootpass", "adminpass", "mysqlpass", "smtppass", "authpass"]);
        return (alone || known).then_some((kind::PASSWORD, Demand::Password));
    }
    if ends(SECRETS) {
        return Some((kind::SECRET, Demand::Secret));
    }
    if ends(KEYS) {
        let kind =
            if name.ends_with(b"token") || name.ends_with(b"jwt") { kind::TOKEN } else { kind::API_KEY };
        return Some((kind, Demand::Secret));
    }
    if ends(RANDOM) || name == b"sid" {
        let session = ends(&["sessionid", "sessid", "session", "sid", "cookie"]);
        let signature = ends(&["signature", "sig"]);
        let kind = match (session, signature) {
            (true, _) => kind::SESSION,
            (_, true) => kind::SIGNATURE,
            _ => kind::TOKEN,
        };
        return Some((kind, Demand::Random));
    }
    None
}
