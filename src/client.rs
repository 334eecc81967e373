//! Speaks to a running Tantei over its HTTP interface. Shows nothing.

use std::fmt;
use std::io::Write;

use anyhow::{Context, Result, bail};
use reqwest::{Method, Response};
use serde_json::Value;
use tantei_engine::model::feed::FeedItem;

/// How a frame of Zstandard begins that every decoder skips: four bytes of length and anything follow.
pub const SKIPPED_FRAME: [u8; 4] = [0x50, 0x2a, 0x4d, 0x18];

/// A server and the token for it.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    server: String,
    token: String,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the token.
        f.debug_struct("Client").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Client {
    /// For the server at this URL.
    ///
    /// # Errors
    /// When the URL is none, or would send the token in the clear over a network.
    pub fn new(server: &str, token: &str) -> Result<Self> {
        let url = reqwest::Url::parse(server).with_context(|| format!("--server {server} is no URL"))?;
        let local = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        if url.scheme() != "https" && !(url.scheme() == "http" && local) {
            bail!("--server {server}: the token would be readable on the way; use https");
        }
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .context("the HTTP client cannot be made")?;
        Ok(Self { http, server: server.trim_end_matches('/').to_owned(), token: token.to_owned() })
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Response> {
        let request = self.http.request(method, format!("{}{path}", self.server)).bearer_auth(&self.token);
        let request = if let Some(body) = body { request.json(body) } else { request };
        let answer = request.send().await.with_context(|| format!("{} does not answer", self.server))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let problem: Value = answer.json().await.unwrap_or_default();
        let detail = problem.get("detail").and_then(Value::as_str).unwrap_or("no reason was given");
        bail!("{} answers {}: {detail}", self.server, status.as_u16())
    }

    /// Reads a JSON document.
    ///
    /// # Errors
    /// When the server does not answer, refuses, or answers with something else.
    pub async fn get(&self, path: &str) -> Result<Value> {
        let answer = self.send(Method::GET, path, None).await?;
        answer.json().await.context("the answer is no JSON")
    }

    /// The whole feed of an investigation.
    ///
    /// # Errors
    /// When the server does not answer, refuses, or sends something else.
    pub async fn feed(&self, id: &str) -> Result<Vec<FeedItem>> {
        let mut answer = self.get(&format!("/v1/investigations/{id}/feed")).await?;
        let items = answer.get_mut("items").map(Value::take).unwrap_or_default();
        serde_json::from_value(items).context("the server is of another version")
    }

    /// Fetches the bundle of an investigation as an archive. While the server reads, it says how far it is.
    ///
    /// # Errors
    /// When the server does not answer, refuses, or breaks off: then there is no bundle.
    pub async fn bundle(
        &self,
        id: &str,
        out: &mut (impl Write + Send),
        mut progress: impl FnMut(&str),
    ) -> Result<()> {
        let path = format!("/v1/investigations/{id}/bundle");
        let mut answer = self.send(Method::GET, &path, None).await?;
        let cut = "the server broke off: its log says why";
        while let Some(chunk) = answer.chunk().await.context(cut)? {
            // Progress stands in frames that decoders skip.
            let said = chunk.strip_prefix(&SKIPPED_FRAME).and_then(|rest| rest.get(4..));
            if let Some(said) = said.and_then(|s| std::str::from_utf8(s).ok()) {
                progress(said);
            }
            out.write_all(&chunk)?;
        }
        Ok(())
    }

    /// Asks for something to be done; the answer, when there is one.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.send(Method::POST, path, Some(body)).await?;
        Ok(answer.json().await.unwrap_or_default())
    }

    /// Asks for something to be taken away.
    ///
    /// # Errors
    /// When the server does not answer or refuses.
    pub async fn delete(&self, path: &str) -> Result<()> {
        self.send(Method::DELETE, path, None).await.map(drop)
    }

    /// Reads a feed as it grows, until `take` says that it is enough or the server ends.
    ///
    /// # Errors
    /// When the server does not answer, refuses, or sends something else.
    pub async fn watch(&self, id: &str, mut take: impl FnMut(FeedItem) -> Result<bool>) -> Result<()> {
        let path = format!("/v1/investigations/{id}/feed/stream");
        let mut stream = self.send(Method::GET, &path, None).await?;
        let mut rest = Vec::new();
        while let Some(chunk) = stream.chunk().await.context("the stream was cut off")? {
            rest.extend_from_slice(&chunk);
            while let Some(end) = rest.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                let Some(data) = line.strip_prefix(b"data: ") else { continue };
                let item = serde_json::from_slice(data).context("the server sent no feed item")?;
                if !take(item)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_not_shown() {
        let client = Client::new("https://tantei.example", "tantei_secret").unwrap();
        assert!(!format!("{client:?}").contains("secret"));
    }
}
