//! Reads the whole body of a request, within the limits of its size, its time, and the memory of all bodies.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, header};
use http_body_util::{LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::HttpError;
use crate::limits::Limits;
use crate::pace::{Pace, TooSlow};

/// Bytes of one permit of the shared memory.
const PERMIT_BYTES: usize = 1024;

/// Smallest step in which a body takes memory. What a client announces and does not send takes none.
const STEP_BYTES: usize = 64 << 10;

/// Reads bodies within the limits.
pub(super) struct BodyReader {
    limits: Limits,
    memory: Arc<Semaphore>,
}

/// A body, and its part of the memory until it is dropped.
pub(super) struct HeldBody {
    pub(super) bytes: Bytes,
    pub(super) held: OwnedSemaphorePermit,
}

impl BodyReader {
    pub(super) fn new(limits: &Limits) -> Self {
        let memory = Arc::new(Semaphore::new(limits.max_bodies_bytes() / PERMIT_BYTES));
        Self { limits: limits.clone(), memory }
    }

    /// Takes memory in steps, as the bytes arrive. A body that cannot have its next step is refused and gives back what
    /// it has, so that bodies never wait for each other.
    ///
    /// # Errors
    /// - [`HttpError::BodyTooLarge`], before anything is read where the head says so
    /// - [`HttpError::Overloaded`] when the other bodies leave no room for what has arrived
    /// - [`HttpError::BodyTooSlow`], [`HttpError::Malformed`] for one that breaks off
    pub(super) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<HeldBody, HttpError> {
        let limit_bytes = self.limits.max_body_bytes();
        let too_large = || HttpError::BodyTooLarge { limit_mib: self.limits.max_body_mib };
        let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let most_bytes: usize = announced.unwrap_or(limit_bytes);
        if most_bytes > limit_bytes {
            return Err(too_large());
        }
        let mut growing = GrowingBody { bytes: Vec::new(), held: self.permits(0)?, most_bytes };
        let mut body = Limited::new(body, limit_bytes);
        let mut pace = Pace::start(self.limits.body_timeout());
        let too_slow = |TooSlow| HttpError::BodyTooSlow { limit_secs: self.limits.body_timeout_secs };
        while let Some(part) = pace.next(&mut body).await.map_err(too_slow)? {
            let part = part.map_err(|err| match err.downcast_ref::<LengthLimitError>() {
                Some(_) => too_large(),
                None => HttpError::malformed("the body breaks off"),
            });
            growing.push(&part?, self)?;
        }
        Ok(growing.finish())
    }

    fn permits(&self, n_permits: usize) -> Result<OwnedSemaphorePermit, HttpError> {
        let n_permits = u32::try_from(n_permits).unwrap_or(u32::MAX);
        self.memory.clone().try_acquire_many_owned(n_permits).map_err(|_| HttpError::Overloaded {
            what: format!(
                "the bodies of current requests fill {} MiB, the memory for them",
                self.limits.max_bodies_bytes() >> 20
            ),
        })
    }
}

/// A body whose end has not arrived.
struct GrowingBody {
    bytes: Vec<u8>,
    held: OwnedSemaphorePermit,
    /// Its length if the client announced it, or the limit.
    most_bytes: usize,
}

impl GrowingBody {
    fn push(&mut self, part: &[u8], reader: &BodyReader) -> Result<(), HttpError> {
        let (needed, held) = (self.bytes.len() + part.len(), self.held.num_permits());
        if needed > held * PERMIT_BYTES {
            // Half as much again, so that a long body is moved a few times only.
            let step = STEP_BYTES.max(self.bytes.len() / 2);
            let capacity = (self.bytes.len() + step).min(self.most_bytes).max(needed);
            self.held.merge(reader.permits(capacity.div_ceil(PERMIT_BYTES) - held)?);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(part);
        Ok(())
    }

    /// Gives back the memory that was taken for more.
    fn finish(mut self) -> HeldBody {
        self.bytes.shrink_to_fit();
        let n_unused = self.held.num_permits() - self.bytes.len().div_ceil(PERMIT_BYTES);
        drop(self.held.split(n_unused));
        HeldBody { bytes: self.bytes.into(), held: self.held }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt, stream};
    use std::future::poll_fn;
    use std::pin::Pin;
    use std::task::Poll;

    #[tokio::test]
    async fn bodies_share_a_memory_and_give_it_back() {
        let limits = Limits { max_body_mib: 1, max_bodies_mib: 2, ..Limits::DEFAULT };
        let reader = BodyReader::new(&limits);
        let read = async |content: Vec<u8>| reader.read(&HeaderMap::new(), Body::from(content)).await;
        let whole = vec![0; 1 << 20];
        let first = read(whole.clone()).await.unwrap();
        let second = read(vec![0; 100]).await.unwrap();
        let refused = read(whole.clone()).await.err().unwrap().to_string();
        assert_eq!(
            refused,
            "the bodies of current requests fill 2 MiB, the memory for them; try again a little later"
        );
        drop(first);
        assert_eq!(read(whole.clone()).await.unwrap().bytes.len(), 1 << 20);
        assert_eq!(second.bytes.len(), 100);
        assert_eq!(read(vec![0; (1 << 20) + 1]).await.err(), Some(HttpError::BodyTooLarge { limit_mib: 1 }));
        drop(second);
        assert_eq!(reader.memory.available_permits(), 2 << 10);
    }

    /// Reads what has arrived; returns whether more is awaited.
    async fn is_pending(read: &mut (impl Future + Unpin)) -> bool {
        poll_fn(|context| Poll::Ready(Pin::new(&mut *read).poll(context).is_pending())).await
    }

    /// A body of these parts that does not end.
    fn unfinished(parts: &[usize]) -> Body {
        let parts: Vec<_> = parts.iter().map(|&length| Ok::<_, std::io::Error>(vec![0; length])).collect();
        Body::from_stream(stream::iter(parts).chain(stream::pending()))
    }

    /// Found in use: sixteen clients that announced 16 MiB and sent nothing had all the memory.
    #[tokio::test]
    async fn what_is_announced_and_not_sent_takes_no_memory() {
        let limits = Limits { max_body_mib: 16, max_bodies_mib: 16, ..Limits::DEFAULT };
        let reader = BodyReader::new(&limits);
        let announced = HeaderMap::from_iter([(header::CONTENT_LENGTH, (16 << 20).into())]);
        for headers in [&HeaderMap::new(), &announced] {
            let mut idle: Vec<_> = (0..16).map(|_| Box::pin(reader.read(headers, unfinished(&[100])))).collect();
            for one in &mut idle {
                assert!(is_pending(one).await);
            }
            assert_eq!(reader.memory.available_permits(), (16 << 10) - 16 * (STEP_BYTES / PERMIT_BYTES));
            let whole = reader.read(&HeaderMap::new(), Body::from(vec![0; 8 << 20])).await;
            assert_eq!(whole.unwrap().bytes.len(), 8 << 20);
            drop(idle);
            assert_eq!(reader.memory.available_permits(), 16 << 10);
        }
    }

    #[tokio::test]
    async fn half_received_bodies_do_not_wait_for_each_other() {
        let reader = BodyReader::new(&Limits { max_body_mib: 2, max_bodies_mib: 2, ..Limits::DEFAULT });
        let (headers, half) = (HeaderMap::new(), [128 << 10; 10]);
        let mut first = Box::pin(reader.read(&headers, unfinished(&half)));
        assert!(is_pending(&mut first).await);
        let second = reader.read(&headers, unfinished(&half)).await;
        assert!(matches!(second, Err(HttpError::Overloaded { .. })));
        drop(first);
        assert_eq!(reader.memory.available_permits(), 2 << 10);
    }

    #[tokio::test]
    async fn a_length_over_the_limit_is_refused_unread() {
        let reader = BodyReader::new(&Limits { max_body_mib: 1, ..Limits::DEFAULT });
        let headers = HeaderMap::from_iter([(header::CONTENT_LENGTH, ((1 << 20) + 1).into())]);
        let endless = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
        assert!(matches!(reader.read(&headers, endless).await, Err(HttpError::BodyTooLarge { .. })));
    }
}
