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
use tokio::sync::Mutex;
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

/// Certificates by the URL that they came from.
#[derive(Debug, Clone)]
pub struct Verifier {
    client: reqwest::Client,
    kept: Arc<Mutex<BTreeMap<String, Arc<Certificate>>>>,
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
        let kept = pinned.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { client, kept: Arc::new(Mutex::new(kept)) })
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// `Refused` when it is not SNS's, `Unavailable` when its certificate cannot be fetched now.
    pub async fn verify(&self, judged: &Judged, now: Timestamp) -> Result<(), SignatureError> {
        let certificate = self.certificate(judged.cert_url()).await?;
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

    async fn certificate(&self, url: &str) -> Result<Arc<Certificate>, SignatureError> {
        if let Some(certificate) = self.kept.lock().await.get(url) {
            return Ok(Arc::clone(certificate));
        }
        let pem = self.fetch(url).await?;
        let certificate = Certificate::read(&pem)
            .map_err(|e| SignatureError::Refused(format!("the certificate {url} {e}")))?;
        let certificate = Arc::new(certificate);
        let mut kept = self.kept.lock().await;
        if kept.len() < KEPT_MAX {
            kept.insert(url.to_owned(), Arc::clone(&certificate));
        }
        Ok(certificate)
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
