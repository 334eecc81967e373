//! Checks the signature of an SNS message against SNS's certificate, and confirms subscriptions.
//!
//! What may be believed before that (host and path of the certificate's URL, topic, age) was judged by the engine:
//! nothing is fetched from a URL that was not. Redirects are not followed; what was fetched is kept.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RsaParameters,
    UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tantei_engine::intake::sns::{Confirmation, Judged, SignatureVersion};
use tantei_engine::model::time::Timestamp;
use tokio::sync::{Mutex, Semaphore};
use x509_parser::pem::Pem;
use x509_parser::prelude::X509Certificate;

use crate::ports::{PortError, PortErrorKind, Retry};

/// The name for which SNS's certificates are issued.
const SUBJECT: &str = "sns.amazonaws.com";

/// A certificate is about 2 KB.
const CERTIFICATE_BYTES_MAX: usize = 64 << 10;

/// SNS gives us 15 seconds for the whole answer.
const FETCH_TIMEOUT: Duration = Duration::from_secs(4);

/// Certificates kept: one a Region and year.
const KEPT_MAX: usize = 64;

/// Certificates fetched at one time: a Region has a new one once a year, so who names many is guessing.
const FETCHES_MAX: usize = 4;

/// Seconds in which a URL that failed is not asked again; senders try again later than that.
const FAILED_S: i64 = 5;

/// URLs that failed which are remembered.
const FAILED_MAX: usize = 1_024;

/// Certificates by the URL that they came from.
#[derive(Debug, Clone)]
pub struct Verifier {
    client: reqwest::Client,
    kept: Arc<Mutex<Kept>>,
    fetches: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Kept {
    certificates: BTreeMap<String, Arc<Certificate>>,
    /// URLs that failed, and until when they are not asked again.
    failed: BTreeMap<String, Timestamp>,
}

/// Why a signature is not believed.
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    /// The certificate could not be fetched: the message may be good, the sender should try again.
    #[error(transparent)]
    Unavailable(#[from] PortError),
    /// It is not signed by SNS, or it was changed.
    #[error("{0}")]
    Refused(String),
}

#[derive(Debug)]
struct Certificate {
    key: Vec<u8>,
    from: Timestamp,
    until: Timestamp,
}

impl Verifier {
    /// Knows these certificates (URL → PEM text) and fetches others.
    ///
    /// # Errors
    /// When a certificate cannot be read, or the HTTP client cannot be made.
    pub fn new(pinned: &BTreeMap<String, String>) -> Result<Self, SignatureError> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .https_only(true)
            .timeout(FETCH_TIMEOUT)
            .build()
            .map_err(|e| unavailable("client", &e.to_string()))?;
        let read = |(url, pem): (&String, &String)| {
            Certificate::read(pem.as_bytes())
                .map(|c| (url.clone(), Arc::new(c)))
                .map_err(|e| SignatureError::Refused(format!("the certificate for {url} {e}")))
        };
        let certificates = pinned.iter().map(read).collect::<Result<_, _>>()?;
        let kept = Kept { certificates, failed: BTreeMap::new() };
        Ok(Self { client, kept: Arc::new(Mutex::new(kept)), fetches: Arc::new(Semaphore::new(FETCHES_MAX)) })
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// `Refused` when it is not SNS's, `Unavailable` when its certificate cannot be fetched now.
    pub async fn verify(&self, judged: &Judged, now: Timestamp) -> Result<(), SignatureError> {
        let certificate = self.certificate(judged.cert_url(), now).await?;
        if now < certificate.from || now > certificate.until {
            let (from, until) = (certificate.from, certificate.until);
            return Err(SignatureError::Refused(format!(
                "the certificate {} holds from {from} to {until}, not now",
                judged.cert_url()
            )));
        }
        let signature = STANDARD
            .decode(judged.signature())
            .map_err(|_| SignatureError::Refused("the signature is no base64".to_owned()))?;
        let scheme: &'static RsaParameters = match judged.version() {
            SignatureVersion::One => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            SignatureVersion::Two => &RSA_PKCS1_2048_8192_SHA256,
        };
        UnparsedPublicKey::new(scheme, &certificate.key)
            .verify(judged.string_to_sign().as_bytes(), &signature)
            .map_err(|_| SignatureError::Refused("the signature does not fit the message".to_owned()))
    }

    async fn certificate(&self, url: &str, now: Timestamp) -> Result<Arc<Certificate>, SignatureError> {
        if let Some(certificate) = self.known(url, now).await? {
            return Ok(certificate);
        }
        let closed = |_| unavailable("GetCertificate", "nothing is fetched any more");
        let _place = self.fetches.acquire().await.map_err(closed)?;
        // Somebody else may have asked meanwhile.
        if let Some(certificate) = self.known(url, now).await? {
            return Ok(certificate);
        }
        let fetched = self.fetch(url).await;
        let mut kept = self.kept.lock().await;
        let pem = fetched.inspect_err(|_| {
            if kept.failed.len() >= FAILED_MAX {
                kept.failed.clear();
            }
            kept.failed.insert(url.to_owned(), now.plus_secs(FAILED_S));
        })?;
        let certificate = Certificate::read(&pem)
            .map_err(|e| SignatureError::Refused(format!("the certificate {url} {e}")))?;
        let certificate = Arc::new(certificate);
        if kept.certificates.len() < KEPT_MAX {
            kept.certificates.insert(url.to_owned(), Arc::clone(&certificate));
        }
        Ok(certificate)
    }

    /// What is kept of a URL.
    async fn known(&self, url: &str, now: Timestamp) -> Result<Option<Arc<Certificate>>, PortError> {
        let kept = self.kept.lock().await;
        if let Some(certificate) = kept.certificates.get(url) {
            return Ok(Some(Arc::clone(certificate)));
        }
        match kept.failed.get(url) {
            Some(until) if now < *until => {
                Err(unavailable("GetCertificate", "it could not be fetched a moment ago"))
            }
            Some(_) | None => Ok(None),
        }
    }

    async fn fetch(&self, url: &str) -> Result<Vec<u8>, PortError> {
        let failed = |e: reqwest::Error| unavailable("GetCertificate", &e.without_url().to_string());
        let mut response = self
            .client
            .get(url)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(failed)?;
        let mut pem = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            pem.extend_from_slice(&chunk);
            if pem.len() > CERTIFICATE_BYTES_MAX {
                return Err(unavailable("GetCertificate", "it is longer than any certificate"));
            }
        }
        Ok(pem)
    }

    /// Confirms a subscription to a configured topic, at a URL that was built here.
    ///
    /// # Errors
    /// When SNS cannot be reached or refuses.
    pub async fn confirm(&self, confirmation: &Confirmation) -> Result<(), PortError> {
        let sent = self.client.get(confirmation.url()).send().await;
        sent.and_then(reqwest::Response::error_for_status)
            .map(drop)
            // The URL holds the token.
            .map_err(|e| unavailable("ConfirmSubscription", &e.without_url().to_string()))
    }
}

impl Certificate {
    /// Reads a PEM file: the first certificate must be SNS's; further ones must each have issued the one before.
    fn read(pem: &[u8]) -> Result<Self, String> {
        let chain: Vec<Pem> = Pem::iter_from_buffer(pem)
            .collect::<Result<_, _>>()
            .map_err(|e| format!("is no PEM file: {e}"))?;
        let chain: Vec<X509Certificate<'_>> = chain
            .iter()
            .map(Pem::parse_x509)
            .collect::<Result<_, _>>()
            .map_err(|e| format!("cannot be read: {e}"))?;
        let leaf = chain.first().ok_or("holds no certificate")?;
        if !names(leaf).any(|name| name == SUBJECT) {
            return Err(format!("was not issued for {SUBJECT}"));
        }
        for pair in chain.windows(2) {
            let [subject, issuer] = pair else { continue };
            if subject.issuer() != issuer.subject() {
                return Err("is followed by one that did not issue it".to_owned());
            }
            subject
                .verify_signature(Some(issuer.public_key()))
                .map_err(|_| "is followed by one that did not sign it".to_owned())?;
        }
        let at = |t: x509_parser::time::ASN1Time| Timestamp::from_secs(t.timestamp());
        let key = leaf.public_key().subject_public_key.data.to_vec();
        Ok(Self { key, from: at(leaf.validity().not_before), until: at(leaf.validity().not_after) })
    }
}

/// The names that a certificate was issued for.
fn names<'a>(certificate: &'a X509Certificate<'_>) -> impl Iterator<Item = &'a str> {
    use x509_parser::extensions::GeneralName;
    let common = certificate.subject().iter_common_name().filter_map(|n| n.as_str().ok());
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let alternative = alternative
        .into_iter()
        .flat_map(|a| &a.value.general_names)
        .filter_map(|n| if let GeneralName::DNSName(name) = n { Some(*name) } else { None });
    common.chain(alternative)
}

fn unavailable(operation: &str, message: &str) -> PortError {
    PortError {
        dependency: "sns".to_owned(),
        operation: operation.to_owned(),
        kind: PortErrorKind::Unavailable,
        retry: Retry::After(Duration::from_secs(1)),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn a_crowd_of_messages_does_not_become_a_crowd_of_fetches() {
        let door = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/certificate.pem", door.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        tokio::spawn({
            let asked = Arc::clone(&asked);
            async move {
                // Everybody is hung up on.
                while door.accept().await.is_ok() {
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        let verifier = Verifier::new(&BTreeMap::new()).unwrap();
        let now = Timestamp::from_secs(1_000);
        let mut crowd = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let (verifier, url) = (verifier.clone(), url.clone());
            crowd.spawn(async move { verifier.certificate(&url, now).await });
        }
        for answer in crowd.join_all().await {
            assert!(matches!(answer, Err(SignatureError::Unavailable(_))), "the senders try again");
        }
        let first = asked.load(Ordering::Relaxed);
        assert!((1..=FETCHES_MAX).contains(&first), "{first}");
        drop(verifier.certificate(&url, now.plus_secs(FAILED_S)).await);
        assert!(asked.load(Ordering::Relaxed) > first, "later it is asked again");
    }
}
