//! Connections with patience that ends: who begins a request finishes it soon, who reads an answer goes on reading.
//!
//! Knows nothing of HTTP: the time runs from the first byte that follows an answer, so that one byte a second gains nothing.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

/// From the first byte of a request to the first of its answer: more than an answer may take.
const ASKING: Duration = Duration::from_secs(20);

/// Without a byte in either direction. Streams say something every 15 seconds.
const IDLE: Duration = Duration::from_secs(60);

/// Connections at one time: further ones wait at the door. Enough for the readers of a large company.
const CONNECTIONS_MAX: usize = 8_192;

/// How long one waits for the other end.
#[derive(Debug, Clone, Copy)]
struct Patience {
    asking: Duration,
    idle: Duration,
}

/// Accepts connections whose patience ends.
#[derive(Debug)]
pub(super) struct Patient {
    inner: TcpListener,
    places: Arc<Semaphore>,
    patience: Patience,
}

impl Patient {
    pub(super) fn new(inner: TcpListener) -> Self {
        let patience = Patience { asking: ASKING, idle: IDLE };
        Self { inner, places: Arc::new(Semaphore::new(CONNECTIONS_MAX)), patience }
    }
}

impl Listener for Patient {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // The semaphore is never closed; without a place a connection would still be taken.
        let place = Arc::clone(&self.places).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.inner).await;
        let patience = self.patience;
        let limit = Box::pin(tokio::time::sleep(patience.asking));
        (Connection { stream, asking: false, limit, patience, _place: place }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

impl Connected<IncomingStream<'_, Patient>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Patient>) -> Self {
        Self(*stream.remote_addr())
    }
}

/// A connection whose patience ends.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    /// Something was sent to us that was not answered.
    asking: bool,
    limit: Pin<Box<Sleep>>,
    patience: Patience,
    _place: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// What the stream says, unless it says nothing for too long.
    fn within<T>(&mut self, cx: &mut Context<'_>, said: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if said.is_pending() && self.limit.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        said
    }

    fn answered(&mut self, said: &Poll<io::Result<usize>>) {
        if matches!(said, Poll::Ready(Ok(_))) {
            self.asking = false;
            self.limit = Box::pin(tokio::time::sleep(self.patience.idle));
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let said = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before && !self.asking {
            self.asking = true;
            self.limit = Box::pin(tokio::time::sleep(self.patience.asking));
        }
        self.within(cx, said)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let said = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.answered(&said);
        self.within(cx, said)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let said = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.answered(&said);
        self.within(cx, said)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn accepted(asking: Duration, idle: Duration) -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut patient = Patient { patience: Patience { asking, idle }, ..Patient::new(listener) };
        (patient.accept().await.0, client)
    }

    /// Reads until the connection says that it is over, and why.
    async fn ends(mut connection: Connection) -> io::ErrorKind {
        let mut bytes = [0_u8; 64];
        loop {
            match connection.read(&mut bytes).await {
                Ok(0) => return io::ErrorKind::UnexpectedEof,
                Ok(_) => {}
                Err(error) => return error.kind(),
            }
        }
    }

    #[tokio::test]
    async fn who_sends_a_request_byte_by_byte_is_cut_off() {
        let (connection, mut client) = accepted(Duration::from_millis(200), Duration::from_secs(3_600)).await;
        let drip = tokio::spawn(async move {
            // Each byte comes in time; the request never ends.
            while client.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        assert_eq!(ends(connection).await, io::ErrorKind::TimedOut);
        drip.await.unwrap();
    }

    #[tokio::test]
    async fn who_was_answered_and_says_nothing_more_is_cut_off() {
        let (mut connection, mut client) =
            accepted(Duration::from_secs(3_600), Duration::from_millis(50)).await;
        client.write_all(b"request").await.unwrap();
        let mut bytes = [0_u8; 7];
        connection.read_exact(&mut bytes).await.unwrap();
        connection.write_all(b"answer").await.unwrap();
        assert_eq!(ends(connection).await, io::ErrorKind::TimedOut);
    }
}
