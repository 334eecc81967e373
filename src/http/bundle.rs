//! The bundle of an investigation as an archive. It is read from AWS while the caller waits: the answer begins at once,
//! with frames that say how far it is and that every decoder skips, so that no connection falls asleep.
//!
//! Once the answer has begun a failure can only be told by breaking off: half an archive is none.

use std::io::{self, Write};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;

use super::auth::Caller;
use super::problem::Problem;
use crate::access::Role;
use crate::bundle::archive;
use crate::client::SKIPPED_FRAME;
use crate::service::{RecordingJob, Service};

/// How often it says how far it is.
const TELL: Duration = Duration::from_secs(5);

/// All of a recording: every source has two minutes, and the rest is fast.
const DEADLINE: Duration = Duration::from_secs(900);

/// Pieces that wait for a slow reader.
const AHEAD: usize = 8;

/// Bytes of a piece.
const PIECE: usize = 1 << 16;

/// The telemetry of an investigation as a bundle (`application/zstd`, a tar archive), read again from AWS: it costs what
/// the investigation did. `tantei record ID --on-server` unpacks it; an archive that breaks off is none.
#[utoipa::path(get, path = "/v1/investigations/{id}/bundle", params(("id" = String, Path)), responses(
    (status = 200, body = String, content_type = "application/zstd"), (status = 400, body = Problem),
    (status = 403, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn bundle(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    caller.must_be(Role::Operator)?;
    tracing::info!(investigation = id, person = caller.name(), "the bundle of an investigation is read");
    let job = service.record(&id).await?;
    let (sender, receiver) = mpsc::channel(AHEAD);
    let name: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect();
    let disposition = format!("attachment; filename=\"{name}.tar.zst\"");
    tokio::spawn(send(service, job, name, caller.into_hash(), sender));
    let headers = [(CONTENT_TYPE, "application/zstd".to_owned()), (CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(ReceiverStream::new(receiver))).into_response())
}

type Pieces = mpsc::Sender<io::Result<Bytes>>;

async fn send(service: Service, job: RecordingJob, name: String, token: String, sender: Pieces) {
    let until = Instant::now() + DEADLINE;
    let work = tokio::time::timeout_at(until, answer(&service, job, &name, &token, &sender, until));
    let ended = tokio::select! {
        ended = work => ended,
        () = service.stopping() => Ok(Err(anyhow::anyhow!("the server stops"))),
        () = sender.closed() => return,
    };
    let failure = match ended {
        Ok(Ok(())) => return,
        Ok(Err(error)) => format!("{error:#}"),
        Err(_) => "it took too long".to_owned(),
    };
    tracing::warn!(bundle = name, error = failure, "a bundle could not be sent");
    // Breaks the connection off.
    drop(sender.send(Err(io::Error::other(failure))).await);
}

async fn answer(
    service: &Service,
    mut job: RecordingJob,
    name: &str,
    token: &str,
    sender: &Pieces,
    until: Instant,
) -> anyhow::Result<()> {
    let mut progress = job.progress.clone();
    let recorded = loop {
        let said = progress.borrow_and_update().clone();
        sender.send(Ok(skipped(&said))).await?;
        match tokio::time::timeout(TELL, job.ended()).await {
            Ok(recorded) => break recorded?,
            Err(_) => continue,
        }
    };
    // A token that was revoked meanwhile gets nothing.
    anyhow::ensure!(service.token(token).await?.is_some(), "the token was revoked");
    let (name, sender) = (name.to_owned(), sender.clone());
    tokio::task::spawn_blocking(move || {
        let sending = Sending { sender, until, runtime: Handle::current() };
        let pieces = io::BufWriter::with_capacity(PIECE, sending);
        archive::pack(&recorded.bundle(), &name, pieces)?.flush()?;
        anyhow::Ok(())
    })
    .await?
}

/// A frame of Zstandard that is skipped, with a line in it.
fn skipped(said: &str) -> Bytes {
    let length = u32::try_from(said.len()).unwrap_or_default();
    [&SKIPPED_FRAME[..], &length.to_le_bytes(), said.as_bytes()].concat().into()
}

/// Hands pieces to the answer; waits for a slow reader, but not for ever: others wait for the turn that this one has.
struct Sending {
    sender: Pieces,
    until: Instant,
    runtime: Handle,
}

impl Write for Sending {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let sent = self.sender.send(Ok(Bytes::copy_from_slice(buf)));
        let sent = self.runtime.block_on(async { tokio::time::timeout_at(self.until, sent).await });
        match sent {
            Ok(Ok(())) => Ok(buf.len()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_reads_too_slowly_is_not_waited_for_for_ever() {
        let (sender, mut reader) = mpsc::channel(1);
        let (runtime, until) = (Handle::current(), Instant::now() + Duration::from_millis(50));
        let wrote = tokio::task::spawn_blocking(move || {
            let mut sending = Sending { sender, until, runtime };
            [sending.write(b"one").is_ok(), sending.write(b"two").is_ok()]
        });
        assert_eq!(wrote.await.unwrap(), [true, false]);
        assert_eq!(reader.recv().await.unwrap().unwrap(), "one");
        assert!(reader.recv().await.is_none());
    }
}
