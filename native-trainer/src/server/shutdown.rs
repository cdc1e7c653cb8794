//! When to stop, and how: no new connections, a moment for the answers under way, then the end.

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// How long answers under way may take to finish. A visitor's slow download resumes elsewhere.
const GRACE: Duration = Duration::from_secs(3);

/// Completes at Ctrl-C or SIGTERM.
pub(super) async fn requested() {
    tokio::select! {
        () = interrupted() => {}
        () = terminated() => {}
    }
    tracing::info!("stopping");
}

async fn interrupted() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!("Ctrl-C will not stop the server: {error}");
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signals) => {
            signals.recv().await;
        }
        Err(error) => {
            tracing::warn!("SIGTERM will not stop the server gracefully: {error}");
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending::<()>().await;
}

/// Serves until `stop`, then at most [`GRACE`] longer.
pub(super) async fn serve_gracefully(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stopping, stopped) = oneshot::channel();
    // Small answers to ranges go out at once instead of waiting to be joined with others.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!("TCP_NODELAY is not set: {error}");
        }
    });
    let graceful = axum::serve(listener, router).with_graceful_shutdown(async move {
        stop.await;
        stopping.send(()).ok();
    });
    let overdue = async {
        match stopped.await {
            Ok(()) => tokio::time::sleep(GRACE).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = graceful => ended,
        () = overdue => Ok(()),
    }
}
