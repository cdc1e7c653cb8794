//! How fast a body must arrive. A slow network is served, and a client that sends almost nothing does not hold a
//! connection for long.

use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use http_body_util::BodyExt;
use tokio::time::{Instant, timeout_at};

/// Slowest average of a body after its first seconds.
pub(super) const MIN_KIB_PER_SEC: u64 = 64;

/// The time of one body: each of its parts has the timeout, and the whole has the timeout and what its bytes take at
/// [`MIN_KIB_PER_SEC`].
pub(super) struct Pace {
    timeout: Duration,
    started: Instant,
    n_bytes: u64,
}

/// A body came too slowly.
#[derive(Debug)]
pub(super) struct TooSlow;

impl Pace {
    /// Begins with a body.
    pub(super) fn start(timeout: Duration) -> Self {
        Self { timeout, started: Instant::now(), n_bytes: 0 }
    }

    /// Returns the body's next bytes; `None` at its end.
    pub(super) async fn next<B>(&mut self, body: &mut B) -> Result<Option<Result<Bytes, B::Error>>, TooSlow>
    where
        B: HttpBody<Data = Bytes> + Unpin,
    {
        let of_bytes = Duration::from_secs_f64(self.n_bytes as f64 / (MIN_KIB_PER_SEC << 10) as f64);
        let of_part = Instant::now() + self.timeout;
        let deadline = of_part.min(self.started + self.timeout + of_bytes);
        let frame = timeout_at(deadline, body.frame()).await.map_err(|_| TooSlow)?;
        // Trailers are no bytes of the body.
        let bytes = frame.map(|frame| frame.map(|frame| frame.into_data().unwrap_or_default()));
        self.n_bytes += bytes.iter().flatten().map(|bytes| bytes.len() as u64).sum::<u64>();
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use futures_util::stream;

    const TIMEOUT: Duration = Duration::from_millis(400);

    /// Reads a body of parts of this length, with a pause before each.
    async fn read(n_parts: usize, part_bytes: usize, pause: Duration) -> Result<u64, TooSlow> {
        let parts = stream::unfold(0, move |n_sent| async move {
            tokio::time::sleep(pause).await;
            (n_sent < n_parts).then(|| (Ok::<_, std::io::Error>(vec![0; part_bytes]), n_sent + 1))
        });
        let mut body = Body::from_stream(parts);
        let mut pace = Pace::start(TIMEOUT);
        while let Some(bytes) = pace.next(&mut body).await? {
            bytes.unwrap();
        }
        Ok(pace.n_bytes)
    }

    #[tokio::test]
    async fn a_slow_body_may_take_longer_than_the_timeout_and_one_that_drips_may_not() {
        assert_eq!(read(6, 32 << 10, TIMEOUT / 4).await.ok(), Some(6 * (32 << 10)));
        assert!(read(1, 1, 3 * TIMEOUT).await.is_err(), "silence");
        assert!(read(100, 1, TIMEOUT / 20).await.is_err(), "a byte now and then");
    }
}
