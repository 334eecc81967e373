//! Kinds of variables. In a masked line a kind is one control byte, which no text contains: control characters of
//! the input are blanks.

/// What a variable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    /// Anything: different kinds were seen in this place.
    Any = 1,
    /// A number.
    Num,
    /// Hexadecimal digits.
    Hex,
    /// An internet address, with or without its port.
    Ip,
    /// A hardware address.
    Mac,
    /// A UUID.
    Uuid,
    /// A date, a time of day, or both.
    Time,
    /// A number with a unit of time.
    Duration,
    /// A number with a unit of information.
    Size,
    /// A share of hundred.
    Percent,
    /// A file or the path of a request.
    Path,
    /// An address with its scheme.
    Url,
    /// A name of a machine, with or without its port.
    Host,
    /// An address of electronic mail.
    Email,
    /// A name that a machine made.
    Id,
    /// Several names of one kind.
    List,
    /// A word that people chose.
    Word,
}

const ALL: [(Kind, &str); 17] = [
    (Kind::Any, "<*>"),
    (Kind::Num, "<num>"),
    (Kind::Hex, "<hex>"),
    (Kind::Ip, "<ip>"),
    (Kind::Mac, "<mac>"),
    (Kind::Uuid, "<uuid>"),
    (Kind::Time, "<time>"),
    (Kind::Duration, "<duration>"),
    (Kind::Size, "<size>"),
    (Kind::Percent, "<percent>"),
    (Kind::Path, "<path>"),
    (Kind::Url, "<url>"),
    (Kind::Host, "<host>"),
    (Kind::Email, "<email>"),
    (Kind::Id, "<id>"),
    (Kind::List, "<list>"),
    (Kind::Word, "<word>"),
];

impl Kind {
    /// The control byte.
    #[must_use]
    pub fn byte(self) -> u8 {
        self as u8
    }
}

/// Whether a byte of a masked line stands for a variable.
#[inline]
pub(super) fn is_variable(b: u8) -> bool {
    (1..=17).contains(&b)
}

/// A masked line as people read it.
#[must_use]
pub(super) fn render(masked: &[u8]) -> String {
    let mut out = Vec::with_capacity(masked.len() + 32);
    for b in masked {
        match ALL.iter().find(|(k, _)| k.byte() == *b) {
            Some((_, name)) if is_variable(*b) => out.extend_from_slice(name.as_bytes()),
            _ => out.push(*b),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
