//! How often an address may ask: alarms at the rate of a storm, wrong tokens and keys at the rate of a person who mistypes.
//!
//! Buckets of tokens by address, in bounded memory. Each node counts for itself. Behind a balancer the address is the one
//! that the configured balancer names, and nobody else's word for it counts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::time::Instant;

use super::connection::Peer;
use super::problem::Problem;
use crate::config::HttpConfig;
use crate::network::Network;

/// Addresses that are counted at one time: a bucket is some hundred bytes. Beyond it those that asked least recently are
/// forgotten, which means: their buckets are full again.
const ADDRESSES_MAX: usize = 10_000;

/// Seconds of its rate that an address may ask at once after it was silent: deliveries come in bursts.
const BURST_S: f64 = 2.0;

/// Bits of an IPv6 address that its owner cannot choose: one customer has at least all that follow.
const V6_BITS: u32 = 64;

/// Tokens that worked, remembered so that somebody else's guesses at the same address do not lock their owners out.
const KNOWN_MAX: usize = 1_000;

/// How long to wait is said to be at most this many seconds.
const WAIT_S_MAX: u64 = 60;

/// The rates of one node.
#[derive(Debug)]
pub(super) struct Rates {
    trusted: Vec<Network>,
    alarms: Mutex<Buckets>,
    wrong: Mutex<Buckets>,
    known: Mutex<BTreeSet<String>>,
}

impl Rates {
    pub(super) fn new(config: &HttpConfig) -> Self {
        let alarms = f64::from(config.alarms_per_second);
        let wrong = f64::from(config.wrong_tokens_per_minute);
        Self {
            trusted: config.trusted_proxies.clone(),
            alarms: Mutex::new(Buckets::new(alarms * BURST_S, alarms)),
            wrong: Mutex::new(Buckets::new(wrong, wrong / 60.0)),
            known: Mutex::new(BTreeSet::new()),
        }
    }

    /// Counts a wrong token or key of this address; refuses when there were too many.
    pub(super) fn wrong(&self, address: IpAddr) -> Result<(), Problem> {
        let taken = locked(&self.wrong).take(address, Instant::now());
        taken.map_err(|wait| too_many_wrong(address, wait))
    }

    /// Refuses a token that never worked here from an address from which too many wrong ones came: it is not even looked up,
    /// so that the answer to a guess tells nothing.
    pub(super) fn may_try(&self, address: IpAddr, hash: &str) -> Result<(), Problem> {
        if locked(&self.known).contains(hash) {
            return Ok(());
        }
        let wait = locked(&self.wrong).wait(address, Instant::now());
        wait.map_or(Ok(()), |wait| Err(too_many_wrong(address, wait)))
    }

    /// Remembers a token that worked. Whether it still does is looked up every time.
    pub(super) fn worked(&self, hash: &str) {
        let mut known = locked(&self.known);
        if !known.contains(hash) {
            if known.len() >= KNOWN_MAX {
                known.clear();
            }
            known.insert(hash.to_owned());
        }
    }

    /// The address of whoever asks: the peer, unless it is a trusted proxy, which says for whom it speaks. A proxy appends to
    /// what it was told, so the last address that is no trusted proxy is the one that nobody could make up.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let trusted = |a: IpAddr| self.trusted.iter().any(|n| n.contains(a));
        let told = headers.get_all("x-forwarded-for").into_iter().filter_map(|h| h.to_str().ok());
        let told: Vec<&str> = told.flat_map(|h| h.split(',')).collect();
        let mut client = peer;
        for next in told.into_iter().rev() {
            if !trusted(client) {
                break;
            }
            let Some(next) = address(next.trim()) else { break };
            client = next;
        }
        client
    }
}

fn too_many_wrong(address: IpAddr, wait_s: u64) -> Problem {
    metrics::counter!("tantei_refused_total", "why" => "wrong tokens").increment(1);
    tracing::warn!(%address, "too many wrong tokens or keys came from this address");
    Problem::too_many(
        "too many wrong tokens or keys came from this address; wait before the next one",
        wait_s,
    )
}

/// An address as proxies write it, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.parse().ok();
    let with_port = || text.parse::<std::net::SocketAddr>().ok().map(|a| a.ip());
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    plain.or_else(with_port).or_else(bracketed)
}

/// The address of whoever asks, as it is counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Client(pub(super) IpAddr);

impl Client {
    /// Of this request; without a connection (in a test of the router alone) everybody is one.
    pub(super) fn of(parts: &Parts) -> Self {
        parts.extensions.get::<Self>().copied().unwrap_or(Self(IpAddr::V6(Ipv6Addr::UNSPECIFIED)))
    }
}

/// Writes down who asks.
pub(super) async fn who(State(rates): State<Arc<Rates>>, mut request: Request, next: Next) -> Response {
    if let Some(ConnectInfo(Peer(peer))) = request.extensions().get::<ConnectInfo<Peer>>() {
        let client = Client(rates.client(peer.ip(), request.headers()));
        request.extensions_mut().insert(client);
    }
    request.extensions_mut().insert(rates);
    next.run(request).await
}

/// Refuses alarms of an address that sends too many: its sender tries again.
pub(super) async fn alarms(State(rates): State<Arc<Rates>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Client(address) = Client::of(&parts);
    let taken = locked(&rates.alarms).take(address, Instant::now());
    match taken {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(wait) => {
            metrics::counter!("tantei_refused_total", "why" => "alarms").increment(1);
            let detail = "more alarms come from this address than http.alarms_per_second; send it again";
            Problem::too_many(detail, wait).into_response()
        }
    }
}

/// The content is counters: whoever panicked while changing them left nothing that could not be used.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A bucket: so many tokens at that time.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

/// Buckets by address.
#[derive(Debug)]
struct Buckets {
    full: f64,
    per_second: f64,
    buckets: BTreeMap<IpAddr, Bucket>,
}

impl Buckets {
    fn new(full: f64, per_second: f64) -> Self {
        Self { full: full.max(1.0), per_second, buckets: BTreeMap::new() }
    }

    /// What is in the address's bucket now.
    fn tokens(&self, key: IpAddr, now: Instant) -> f64 {
        let refilled =
            |b: &Bucket| b.tokens + now.saturating_duration_since(b.at).as_secs_f64() * self.per_second;
        self.buckets.get(&key).map_or(self.full, refilled).min(self.full)
    }

    /// Seconds until there is a token; none when there is one now.
    fn wait(&self, address: IpAddr, now: Instant) -> Option<u64> {
        let missing = 1.0 - self.tokens(key(address), now);
        if missing <= 0.0 {
            return None;
        }
        let wait = std::time::Duration::try_from_secs_f64(missing / self.per_second);
        Some(wait.map_or(WAIT_S_MAX, |w| w.as_secs().saturating_add(1)).min(WAIT_S_MAX))
    }

    /// Takes a token, or says how many seconds to wait for one.
    fn take(&mut self, address: IpAddr, now: Instant) -> Result<(), u64> {
        let wait = self.wait(address, now);
        let key = key(address);
        if wait.is_none() {
            let tokens = self.tokens(key, now) - 1.0;
            if !self.buckets.contains_key(&key) {
                self.make_room(now);
            }
            self.buckets.insert(key, Bucket { tokens, at: now });
        }
        wait.map_or(Ok(()), Err)
    }

    /// Forgets the buckets that are full again, and when there are none, the tenth that was used least recently.
    fn make_room(&mut self, now: Instant) {
        if self.buckets.len() < ADDRESSES_MAX {
            return;
        }
        let full: Vec<IpAddr> =
            self.buckets.keys().copied().filter(|k| self.tokens(*k, now) >= self.full).collect();
        for key in full {
            self.buckets.remove(&key);
        }
        if self.buckets.len() >= ADDRESSES_MAX {
            let mut oldest: Vec<(Instant, IpAddr)> = self.buckets.iter().map(|(k, b)| (b.at, *k)).collect();
            oldest.sort();
            for (_, key) in oldest.iter().take(ADDRESSES_MAX / 10) {
                self.buckets.remove(key);
            }
        }
    }
}

/// Whose bucket it is.
fn key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << (128 - V6_BITS)))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_bucket_empties_and_refills_and_each_address_has_its_own() {
        let (mut buckets, start) = (Buckets::new(2.0, 0.1), Instant::now());
        assert_eq!([(); 3].map(|()| buckets.take(ip("192.0.2.1"), start)), [Ok(()), Ok(()), Err(11)]);
        assert_eq!(buckets.take(ip("192.0.2.2"), start), Ok(()));
        assert_eq!(buckets.take(ip("::ffff:192.0.2.1"), start), Err(11), "the same in other writing");
        let later = start + Duration::from_secs(10);
        assert_eq!([(); 2].map(|()| buckets.take(ip("192.0.2.1"), later)), [Ok(()), Err(11)]);
        for k in 0..2 {
            assert_eq!(buckets.take(ip(&format!("2001:db8::{k}")), start), Ok(()));
        }
        assert!(buckets.take(ip("2001:db8::2:3"), start).is_err(), "one customer's");
        assert_eq!(buckets.take(ip("2001:db8:0:1::3"), start), Ok(()));
    }

    #[tokio::test]
    async fn however_many_addresses_ask_the_table_stays_small() {
        let (mut buckets, start) = (Buckets::new(2.0, 0.1), Instant::now());
        for k in 0..3 * u32::try_from(ADDRESSES_MAX).unwrap() {
            let now = start + Duration::from_micros(u64::from(k));
            assert_eq!(buckets.take(IpAddr::V4(k.into()), now), Ok(()));
            assert!(buckets.buckets.len() <= ADDRESSES_MAX);
        }
    }

    #[test]
    fn only_trusted_proxies_say_for_whom_they_speak() {
        let trusted = ["10.0.0.0/8", "2001:db8::/32"].map(|n| n.parse().unwrap()).to_vec();
        let rates = Rates::new(&HttpConfig { trusted_proxies: trusted, ..HttpConfig::default() });
        for (peer, told, client) in [
            ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
            ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "198.51.100.7:4711", "198.51.100.7"),
            ("10.0.0.1", "[2001:db9::1]:4711", "2001:db9::1"),
            ("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
            ("10.0.0.1", "203.0.113.9, nonsense, 10.0.0.2", "10.0.0.2"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("2001:db8::1", "10.1.1.1", "10.1.1.1"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", told.parse().unwrap());
            assert_eq!(rates.client(ip(peer), &headers), ip(client), "{peer} {told}");
        }
    }
}
