//! The web server behind `dermake serve`: the page, and the quantized models it downloads.
//!
//! | Address | What |
//! | --- | --- |
//! | `/…` | the page: what trunk built, held in memory, compressed once |
//! | `/models` | what is hosted, as `[{name, manifest}]`; the first is the page's default |
//! | `/models/FOLDER/manifest.json` | a model's manifest |
//! | `/models/FOLDER/FILE[?v=SHA256]` | its weights, streamed from disk, whole or in ranges |
//! | `/healthz` | `ok` |
//!
//! Every path that can be asked for is known before the first request: a request looks its path
//! up and never builds a file name of it.

mod assets;
mod conditional;
mod content_type;
mod encoding;
mod error;
mod headers;
mod shutdown;
mod stored;
mod weights;

use std::future::Future;
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;
use tower_http::trace::TraceLayer;

use assets::App;
use error::HttpError;
pub use error::{Error, Result};
use weights::Models;

/// What to serve, and where.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// The folder that trunk built, with `index.html`.
    pub app: PathBuf,
    /// Folders that `dermake quantize` wrote, or their manifests; the page loads the first.
    pub models: Vec<PathBuf>,
    /// Port 0 takes a free one.
    pub address: SocketAddr,
}

struct Site {
    app: App,
    models: Models,
}

/// Builds the whole site, reading the page and the models' manifests.
///
/// # Errors
/// The page has no `index.html`, or a model lacks its manifest or a file of the length that the
/// manifest gives.
pub fn router(config: &ServeConfig) -> Result<Router> {
    let app = App::load(&config.app)?;
    let models = Models::load(&config.models)?;
    let security = headers::Security::new(app.inline_script_hashes());
    Ok(Router::new()
        .route("/healthz", get(healthz))
        .route("/models", get(models_list))
        .route("/models/{folder}/{file}", get(model_file))
        .route("/", get(index))
        .route("/{*path}", get(asset))
        .method_not_allowed_fallback(async || HttpError::MethodNotAllowed)
        .fallback(async || HttpError::NotFound)
        .with_state(Arc::new(Site { app, models }))
        .layer(axum::middleware::map_response(move |response| {
            let security = security.clone();
            async move { security.apply(response) }
        }))
        .layer(TraceLayer::new_for_http()))
}

/// Serves until Ctrl-C or SIGTERM, with the page's address as the only line on stdout.
///
/// # Errors
/// As [`router`], or the address cannot be listened on.
pub async fn serve(config: ServeConfig) -> Result<()> {
    let router = router(&config)?;
    let bind = |source| Error::Bind { address: config.address, source };
    let listener = TcpListener::bind(config.address).await.map_err(bind)?;
    let url = page_url(listener.local_addr().map_err(bind)?);
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{url}").and_then(|()| stdout.flush()).map_err(Error::Announce)?;
    tracing::info!("serving {} model(s) at {url}", config.models.len());
    serve_until(listener, router, shutdown::requested()).await
}

/// Serves on `listener` until `stop` completes and the requests under way are answered.
///
/// # Errors
/// The listener fails.
pub async fn serve_until(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    shutdown::serve_gracefully(listener, router, stop).await.map_err(Error::Serve)
}

/// The address to open in a browser on this machine.
fn page_url(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}/")
}

async fn healthz() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], "ok")
}

async fn models_list(State(site): State<Arc<Site>>) -> Response {
    ([(header::CACHE_CONTROL, "no-cache")], Json(site.models.list())).into_response()
}

async fn model_file(
    State(site): State<Arc<Site>>,
    Path((folder, file)): Path<(String, String)>,
    request: Request,
) -> Result<Response, HttpError> {
    site.models.respond(&folder, &file, request).await
}

async fn index(State(site): State<Arc<Site>>, request: Request) -> Result<Response, HttpError> {
    site.app.respond(assets::INDEX, request).await
}

async fn asset(
    State(site): State<Arc<Site>>,
    Path(path): Path<String>,
    request: Request,
) -> Result<Response, HttpError> {
    site.app.respond(&path, request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_address_can_be_opened() {
        let url = |address: &str| page_url(address.parse().unwrap());
        assert_eq!(url("127.0.0.1:8080"), "http://127.0.0.1:8080/");
        assert_eq!(url("0.0.0.0:80"), "http://127.0.0.1:80/");
        assert_eq!(url("[::]:80"), "http://[::1]:80/");
    }
}
