//! The end of a connection whose client still sends a body that was refused.
//!
//! If a server answers and closes while a client sends, the connection is reset, and the client never reads the answer.
//! So only the sending side is closed behind the answer, and what the client still sends is read and dropped for a while.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::Response;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::wrapped_stream::write_as_wrapped;

/// Longest time that is read after the answer.
const LONGEST: Duration = Duration::from_secs(30);

/// Longest wait for more.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Most bytes that are read after the answer.
const MAX_BYTES: u64 = 256 << 20;

/// Bytes that are read at a time.
const CHUNK_BYTES: usize = 16 << 10;

/// Whether a connection lingers at its end. An extension of its requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Linger(Arc<AtomicBool>);

impl Linger {
    /// Lets the connection end with this response, and linger.
    pub(super) fn end_with(&self, response: &mut Response) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A connection that lingers at its end if [`Linger`] says so.
pub(super) struct Lingering<S> {
    stream: S,
    linger: Linger,
    /// What is still read; `None` until the sending side is closed.
    rest: Option<Rest>,
}

struct Rest {
    end: Pin<Box<Sleep>>,
    end_of_pause: Pin<Box<Sleep>>,
    n_bytes: u64,
}

impl<S> Lingering<S> {
    pub(super) fn new(stream: S, linger: Linger) -> Self {
        Self { stream, linger, rest: None }
    }
}

impl Rest {
    fn new() -> Self {
        Self { end: Box::pin(sleep(LONGEST)), end_of_pause: Box::pin(sleep(LONGEST_PAUSE)), n_bytes: 0 }
    }

    /// Reads until the client ends, fails, or has sent enough.
    fn poll(&mut self, stream: &mut (impl AsyncRead + Unpin), context: &mut Context<'_>) -> Poll<()> {
        let mut chunk = [MaybeUninit::uninit(); CHUNK_BYTES];
        while self.n_bytes < MAX_BYTES {
            let mut buffer = ReadBuf::uninit(&mut chunk);
            match Pin::new(&mut *stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    self.n_bytes += buffer.filled().len() as u64;
                    self.end_of_pause.as_mut().reset(Instant::now() + LONGEST_PAUSE);
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => {
                    let is_over = self.end.as_mut().poll(context).is_ready()
                        || self.end_of_pause.as_mut().poll(context).is_ready();
                    return if is_over { Poll::Ready(()) } else { Poll::Pending };
                }
            }
        }
        Poll::Ready(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    write_as_wrapped!();

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.rest.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(context))?;
            if !this.linger.0.load(Ordering::Relaxed) {
                return Poll::Ready(Ok(()));
            }
        }
        this.rest.get_or_insert_with(Rest::new).poll(&mut this.stream, context).map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A client that sends without end.
    struct Endless(u64);

    impl AsyncRead for Endless {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            self.get_mut().0 += buffer.remaining() as u64;
            buffer.initialize_unfilled();
            buffer.set_filled(buffer.capacity());
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn a_client_that_sends_without_end_is_left() {
        let (mut rest, mut client) = (Rest::new(), Endless(0));
        std::future::poll_fn(|context| rest.poll(&mut client, context)).await;
        assert_eq!(client.0, MAX_BYTES);
    }
}
