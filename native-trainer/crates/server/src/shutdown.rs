//! Graceful shutdown: no new connections, answers to all accepted requests, some seconds for downloads.

use std::ffi::c_int;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

#[cfg(unix)]
use futures_util::future::select_all;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::task::TaskTracker;

use super::connections::Connections;
use dermake_process::interrupt;

/// Time for current downloads to finish. A slow one is resumed later.
const GRACE: Duration = Duration::from_secs(3);

/// The signals that request a stop, with their numbers: Ctrl-C, SIGTERM and the end of the terminal, except for those
/// that the server was started to ignore.
#[cfg(unix)]
pub(super) struct StopRequests(Vec<(c_int, Signal)>);

#[cfg(not(unix))]
pub(super) struct StopRequests;

impl StopRequests {
    /// Completes when a signal requests a stop; from then on, Ctrl-C or SIGTERM ends the program.
    pub(super) async fn graceful(mut self) {
        self.next().await;
        tokio::spawn(stop_at_once(self));
        tracing::info!("stopping when all requests are answered; press Ctrl-C again to stop at once");
    }
}

#[cfg(unix)]
impl StopRequests {
    /// Listens from now on.
    pub(super) fn listen() -> Self {
        let listen = |number| signal(SignalKind::from_raw(number)).map(|signal| (number, signal));
        let signals = interrupt::signals().into_iter().map(listen).collect::<io::Result<_>>();
        Self(signals.unwrap_or_else(|error| {
            warn_of(&error);
            Vec::new()
        }))
    }

    /// The next one's number.
    pub(super) async fn next(&mut self) -> c_int {
        if self.0.is_empty() {
            return std::future::pending().await;
        }
        let (_, index, _) = select_all(self.0.iter_mut().map(|(_, signal)| Box::pin(signal.recv()))).await;
        self.0[index].0
    }
}

#[cfg(not(unix))]
impl StopRequests {
    /// Listens while [`Self::next`] is awaited.
    pub(super) fn listen() -> Self {
        Self
    }

    /// The number of Ctrl-C.
    pub(super) async fn next(&mut self) -> c_int {
        const INTERRUPT: c_int = 2;
        if let Err(error) = tokio::signal::ctrl_c().await {
            warn_of(&error);
            std::future::pending::<()>().await;
        }
        INTERRUPT
    }
}

fn warn_of(error: &io::Error) {
    tracing::warn!("no signal will stop the server gracefully: {error}");
}

/// Ends the program when the user insists.
async fn stop_at_once(mut requests: StopRequests) {
    while !interrupt::is_insisting(requests.next().await) {}
    interrupt::stop_at_once();
}

/// Serves until `stop`, then until the requests to the models are answered, then at most [`GRACE`] longer.
pub(super) async fn serve_gracefully(
    listener: TcpListener,
    connections: Arc<Connections>,
    under_way: TaskTracker,
    longest_answer: Duration,
    stop: impl Future<Output = ()> + Send,
) {
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => connections.take(stream, address, graceful.watcher()),
                Err(err) => handle_accept_error(err).await,
            },
            () = &mut stop => break,
        }
    }
    drop(listener);
    under_way.close();
    let overdue = async {
        tokio::time::timeout(longest_answer, under_way.wait()).await.ok();
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = graceful.shutdown() => {}
        () = overdue => tracing::info!("some clients did not take their answers in time"),
    }
}

/// Ignores connections that were closed while they waited. If too many files are open, accepts none until some are
/// closed.
async fn handle_accept_error(err: io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(err.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    tracing::error!("cannot accept connections: {err}");
    tokio::time::sleep(Duration::from_secs(1)).await;
}
