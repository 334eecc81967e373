//! A feed as server-sent events: what is there, then what comes. Each event carries its sequence number, so that a
//! reader that was cut off goes on where it was (`Last-Event-ID`).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use tokio::sync::{broadcast, mpsc};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;

use super::auth::Caller;
use super::investigations::absent;
use super::problem::Problem;
use crate::service::{Pushed, Service};

/// Events that wait for a slow reader: then reading from the store waits, and memory does not grow.
const AHEAD: usize = 64;

/// How often the store is asked although nobody told: a lost message costs at most this long, and so long may a reader
/// stay whose token was revoked (60 seconds are allowed).
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// How often a silent stream says that it lives: proxies cut silent ones.
const ALIVE: Duration = Duration::from_secs(15);

/// The feed as it grows.
pub(super) async fn feed(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    service.investigation(&id).await?.ok_or_else(|| absent(&id))?;
    let last = headers.get("last-event-id").and_then(|h| h.to_str().ok());
    let after = match last {
        None => 0,
        Some(text) => text.parse().map_err(|_| Problem::invalid("`Last-Event-ID` is a sequence number"))?,
    };
    let (sender, receiver) = mpsc::channel(AHEAD);
    // Listening begins before reading: what comes between is not missed.
    let told = service.subscribe();
    tokio::spawn(send(service, id, caller.into_hash(), after, told, sender));
    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(KeepAlive::new().interval(ALIVE)))
}

/// Sends until the reader has gone or may no longer read, or the server stops.
async fn send(
    service: Service,
    id: String,
    token: String,
    mut after: u64,
    mut told: broadcast::Receiver<Pushed>,
    sender: mpsc::Sender<Result<Event, Infallible>>,
) {
    loop {
        // Before anything is sent: nothing that comes after a revocation is seen.
        let may = service.token(&token).await;
        if matches!(may, Ok(None)) {
            return;
        }
        let fresh = match may {
            Ok(_) => service.feed(&id, after).await,
            Err(error) => Err(error),
        };
        match fresh {
            Ok(items) => {
                for item in items {
                    after = item.seq;
                    // One line of JSON: data from outside cannot begin a field of its own.
                    let event = Event::default().id(item.seq.to_string()).event("item").json_data(&item);
                    let Ok(event) = event else { continue };
                    if sender.send(Ok(event)).await.is_err() {
                        return;
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "a feed cannot be read for its readers"),
        }
        tokio::select! {
            goes_on = wait(&id, &mut told, &sender) => if !goes_on { return },
            () = service.stopping() => return,
        }
    }
}

/// Waits until the feed has grown, or may have; `false` when the reader has gone.
async fn wait(
    id: &str,
    told: &mut broadcast::Receiver<Pushed>,
    sender: &mpsc::Sender<Result<Event, Infallible>>,
) -> bool {
    let asked_again = tokio::time::sleep(ASK_AGAIN);
    tokio::pin!(asked_again);
    loop {
        tokio::select! {
            () = sender.closed() => return false,
            () = &mut asked_again => return true,
            pushed = told.recv() => match pushed {
                Ok(pushed) if pushed.investigation != id => {}
                // Behind: everything new is asked for anyway.
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return true,
                Err(broadcast::error::RecvError::Closed) => return false,
            },
        }
    }
}
