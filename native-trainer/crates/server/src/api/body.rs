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

    /// # Errors
    /// - [`HttpError::BodyTooLarge`], before anything is read where the head says so
    /// - [`HttpError::Overloaded`] when the bodies under way leave no room for it
    /// - [`HttpError::BodyTooSlow`], [`HttpError::Malformed`] for one that breaks off
    pub(super) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<HeldBody, HttpError> {
        let limit_bytes = self.limits.max_body_bytes();
        let too_large = || HttpError::BodyTooLarge { limit_mib: self.limits.max_body_mib };
        // A body that does not say its length may turn out to have all that is allowed.
        let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let announced_bytes: usize = length.unwrap_or(limit_bytes);
        if announced_bytes > limit_bytes {
            return Err(too_large());
        }
        let n_permits = permits(announced_bytes);
        let memory = self.memory.clone();
        let mut held = memory.try_acquire_many_owned(n_permits).map_err(|_| HttpError::Overloaded)?;

        let (mut body, mut bytes) = (Limited::new(body, limit_bytes), Vec::new());
        let mut pace = Pace::start(self.limits.body_timeout());
        let too_slow = |TooSlow| HttpError::BodyTooSlow { limit_secs: self.limits.body_timeout_secs };
        while let Some(part) = pace.next(&mut body).await.map_err(too_slow)? {
            let part = part.map_err(|err| match err.downcast_ref::<LengthLimitError>() {
                Some(_) => too_large(),
                None => HttpError::malformed("the body breaks off"),
            });
            bytes.extend_from_slice(&part?);
        }
        let n_unused = n_permits.saturating_sub(permits(bytes.len()));
        drop(held.split(n_unused as usize));
        Ok(HeldBody { bytes: bytes.into(), held })
    }
}

fn permits(n_bytes: usize) -> u32 {
    u32::try_from(n_bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bodies_share_a_memory_and_give_it_back() {
        let limits = Limits { max_body_mib: 1, max_bodies_mib: 2, ..Limits::DEFAULT };
        let reader = BodyReader::new(&limits);
        let read = async |content: Vec<u8>| reader.read(&HeaderMap::new(), Body::from(content)).await;
        let whole = vec![0; 1 << 20];
        let first = read(whole.clone()).await.unwrap();
        let second = read(vec![0; 100]).await.unwrap();
        assert_eq!(read(whole.clone()).await.err(), Some(HttpError::Overloaded));
        drop(first);
        assert_eq!(read(whole.clone()).await.unwrap().bytes.len(), 1 << 20);
        assert_eq!(second.bytes.len(), 100);
        assert_eq!(read(vec![0; (1 << 20) + 1]).await.err(), Some(HttpError::BodyTooLarge { limit_mib: 1 }));
        drop(second);
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
