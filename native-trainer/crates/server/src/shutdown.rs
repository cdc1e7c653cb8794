//! Graceful shutdown: no new connections, answers to all accepted requests, some seconds for downloads.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

#[cfg(unix)]
use futures_util::future::select_all;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use super::connections::Connections;
#[cfg(unix)]
use dermake_process::interrupt;

/// Time for current downloads to finish. A slow one is resumed later.
const GRACE: Duration = Duration::from_secs(3);

/// Listens for Ctrl-C, SIGTERM and the end of the terminal from now on, except for those that the server was started to
/// ignore. The future completes when one of them requests a stop.
pub(super) fn requested() -> impl Future<Output = ()> + Send {
    let stop = stop_request();
    async {
        match stop {
            Ok(stop) => stop.await,
            Err(error) => {
                tracing::warn!("no signal will stop the server gracefully: {error}");
                std::future::pending().await
            }
        }
        tracing::info!("stopping");
    }
}

#[cfg(unix)]
fn stop_request() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |number| signal(SignalKind::from_raw(number));
    let mut signals = interrupt::signals().into_iter().map(listen).collect::<io::Result<Vec<_>>>()?;
    Ok(async move {
        if signals.is_empty() {
            std::future::pending::<()>().await;
        }
        select_all(signals.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
    })
}

#[cfg(not(unix))]
fn stop_request() -> io::Result<impl Future<Output = ()> + Send> {
    Ok(async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!("no signal will stop the server gracefully: {error}");
            std::future::pending::<()>().await;
        }
    })
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
                Err(err) => rest_after(err).await,
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
async fn rest_after(err: io::Error) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if matches!(err.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        return;
    }
    tracing::error!("cannot accept connections: {err}");
    tokio::time::sleep(Duration::from_secs(1)).await;
}
