//! Connections: limits of their number and slowness, plain or TLS.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::middleware::from_fn;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::access::Peer;
use super::head_timeout::{HeadTimeout, Requests};
use super::host_header;
use super::limits::Limits;
use super::linger::{Linger, Lingering};
use super::metrics::Metrics;
use super::watched::Watched;

const MAX_HEADERS: usize = 64;

/// Buffer of a request's head and the start of its body, in bytes.
const BUFFER_BYTES: usize = 64 << 10;

/// Answer to a client over the limit of connections.
const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n\
    Connection: close\r\nContent-Length: 73\r\n\r\n\
    {\"code\":\"too_many_connections\",\"message\":\"too many connections are open\"}";

/// Number of clients over the limit that receive an answer; further connections are closed.
const MAX_REFUSALS: usize = 64;

/// Longest time that such a client is read from.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves the requests of all connections.
pub(super) struct Connections {
    router: Router,
    http: http1::Builder,
    tls: Option<Arc<Watched<TlsAcceptor>>>,
    metrics: Arc<Metrics>,
    limits: Limits,
    places: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    of_clients: Arc<Mutex<HashMap<IpAddr, u32>>>,
}

impl Connections {
    pub(super) fn new(
        router: Router,
        limits: &Limits,
        tls: Option<Arc<Watched<TlsAcceptor>>>,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(limits.idle_timeout())
            .max_headers(MAX_HEADERS)
            .max_buf_size(BUFFER_BYTES);
        Arc::new(Self {
            router: router.layer(from_fn(host_header::require)),
            http,
            tls,
            metrics,
            limits: limits.clone(),
            places: Arc::new(Semaphore::new(limits.max_connections as usize)),
            refusals: Arc::new(Semaphore::new(MAX_REFUSALS)),
            of_clients: Arc::default(),
        })
    }

    /// Serves a new connection in its own task, or refuses it.
    pub(super) fn take(self: &Arc<Self>, stream: TcpStream, address: SocketAddr, watcher: Watcher) {
        let peer = address.ip().to_canonical();
        // Small answers to ranges go out at once instead of waiting to be joined with others.
        if let Err(err) = stream.set_nodelay(true) {
            tracing::debug!("TCP_NODELAY is not set: {err}");
        }
        let Some(place) = Place::take(self, peer) else {
            self.metrics.refused_connections.inc();
            return self.refuse(stream);
        };
        let connections = self.clone();
        tokio::spawn(async move {
            let _place = place;
            connections.answer(stream, peer, watcher).await;
        });
    }

    async fn answer(&self, stream: TcpStream, peer: IpAddr, watcher: Watcher) {
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(self.limits.write_timeout()));
        let stream = Box::pin(stream);
        let Some(tls) = &self.tls else { return self.answer_requests(stream, peer, watcher).await };
        match tokio::time::timeout(self.limits.header_timeout(), tls.get().accept(stream)).await {
            Ok(Ok(stream)) => self.answer_requests(stream, peer, watcher).await,
            Ok(Err(err)) => tracing::debug!("no TLS: {err}"),
            Err(_) => tracing::debug!("no TLS in time"),
        }
    }

    async fn answer_requests(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: IpAddr,
        watcher: Watcher,
    ) {
        let (requests, linger) = (Arc::new(Requests::default()), Linger::default());
        let stream = Lingering::new(stream, linger.clone());
        let stream = HeadTimeout::new(stream, requests.clone(), self.limits.header_timeout());
        let service = hyper::service::service_fn(|mut request: Request<Incoming>| {
            requests.count_head();
            request.extensions_mut().insert(Peer(peer));
            request.extensions_mut().insert(linger.clone());
            let answer = self.router.clone().oneshot(request.map(Body::new));
            let requests = requests.clone();
            async {
                let answer = answer.await.unwrap_or_else(|never| match never {});
                Ok::<_, Infallible>(requests.answered_by(answer))
            }
        });
        let connection = self.http.serve_connection(TokioIo::new(stream), service);
        if let Err(err) = watcher.watch(connection).await {
            tracing::debug!("a connection ended early: {err}");
        }
    }

    fn refuse(&self, mut stream: TcpStream) {
        let Ok(permit) = self.refusals.clone().try_acquire_owned() else { return };
        if self.tls.is_some() {
            return; // it would not be understood
        }
        tokio::spawn(async move {
            let _permit = permit;
            let farewell = async {
                stream.write_all(REFUSAL).await?;
                stream.shutdown().await?;
                // Closing on what it has sent would take the answer from the client again.
                tokio::io::copy(&mut (&mut stream).take(BUFFER_BYTES as u64), &mut tokio::io::sink()).await
            };
            tokio::time::timeout(REFUSAL_TIMEOUT, farewell).await.ok();
        });
    }
}

/// Permit of one open connection, until it is dropped.
struct Place {
    connections: Arc<Connections>,
    peer: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    fn take(connections: &Arc<Connections>, peer: IpAddr) -> Option<Self> {
        let permit = connections.places.clone().try_acquire_owned().ok()?;
        let mut of_clients = connections.of_clients.lock().unwrap_or_else(PoisonError::into_inner);
        let of_this = of_clients.entry(peer).or_default();
        if *of_this >= connections.limits.max_connections_per_client {
            return None;
        }
        *of_this += 1;
        connections.metrics.connections.inc();
        Some(Self { connections: connections.clone(), peer, _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.metrics.connections.dec();
        let mut of_clients = self.connections.of_clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut of_this) = of_clients.entry(self.peer) {
            *of_this.get_mut() -= 1;
            if *of_this.get() == 0 {
                of_this.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refusal_has_the_length_that_it_says() {
        let refusal = std::str::from_utf8(REFUSAL).unwrap();
        let (head, body) = refusal.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
        assert!(serde_json::from_str::<shared_model::api::Refusal>(body).is_ok());
    }
}
