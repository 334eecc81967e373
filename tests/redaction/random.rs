//! A seeded generator and the alphabets of secrets. No value that looks like a secret stands in this repository.

/// A generator that gives the same for the same seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: &str) -> Self {
        let mixed = seed
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        Self(mixed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(n).unwrap()).unwrap()
    }

    pub(crate) fn within(&mut self, from: usize, to: usize) -> usize {
        from + self.below(to - from + 1)
    }

    pub(crate) fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn of(&mut self, alphabet: &str, n: usize) -> String {
        let alphabet = alphabet.as_bytes();
        (0..n).map(|_| char::from(alphabet[self.below(alphabet.len())])).collect()
    }

    pub(crate) fn hex(&mut self, n: usize) -> String {
        self.of("0123456789abcdef", n)
    }

    pub(crate) fn digits(&mut self, n: usize) -> String {
        self.of("0123456789", n)
    }

    pub(crate) fn upper(&mut self, n: usize) -> String {
        self.of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", n)
    }

    pub(crate) fn lower(&mut self, n: usize) -> String {
        self.of("abcdefghijklmnopqrstuvwxyz", n)
    }

    pub(crate) fn alnum(&mut self, n: usize) -> String {
        self.of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", n)
    }

    pub(crate) fn token(&mut self, n: usize) -> String {
        // Ends in a letter: where a token ends in a hyphen, nobody can tell.
        self.of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", n - 1) + &self.alnum(1)
    }

    pub(crate) fn base64(&mut self, n: usize) -> String {
        self.of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", n - 1) + &self.alnum(1)
    }

    /// What people and password managers come up with.
    pub(crate) fn password(&mut self) -> String {
        let word =
            self.pick(&["Winter", "tiger", "Kyoto", "sunrise", "Passw0rd", "orders", "Sakura", "dragon"]);
        let mark = self.pick(&["!", "#", "$", "_", "-", "*", "@", "%", "+"]);
        match self.below(4) {
            0 => format!("{word}{}{mark}", self.within(10, 2030)),
            1 => {
                let n = self.within(12, 24);
                self.alnum(n) + "7q"
            }
            2 => format!("{}{mark}{}9{}", self.alnum(4), self.alnum(4), self.alnum(3)),
            _ => format!("{}-{}-{}", self.lower(5), self.alnum(5), self.digits(3)),
        }
    }

    pub(crate) fn uuid(&mut self) -> String {
        format!("{}-{}-4{}-a{}-{}", self.hex(8), self.hex(4), self.hex(3), self.hex(3), self.hex(12))
    }
}

/// RFC 4648, with padding.
pub(crate) fn to_base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Everything but letters and digits as `%XX`.
pub(crate) fn to_percent(text: &str) -> String {
    let byte =
        |b: u8| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") };
    text.bytes().map(byte).collect()
}
