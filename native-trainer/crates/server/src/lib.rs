//! The web server behind `dermake serve`: the page, the quantized models it downloads, and answers of models.
//!
//! | Address | What |
//! | --- | --- |
//! | `/…` | the page: what trunk built, from a folder or inside the program, held in memory, compressed once |
//! | `/models` | what is hosted, a list of `{name, manifest, files, classify, …}`; the first is the page's default |
//! | `/models/FOLDER/manifest.json` | a model's manifest |
//! | `/models/FOLDER/FILE[?v=SHA256]` | its weights, streamed from disk, whole or in ranges |
//! | `/v1/classify`, `/v1/annotate`, `/v1/embed`, `/v1/similarity` | answers of the models, where `--infer` is given |
//! | `/v1/openapi.json` | the document that describes them |
//! | `/healthz`, `/readyz`, `/metrics` | alive, welcome, counts |
//!
//! Every path to a file is known before the first request: a request's path is looked up and never becomes a file name.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod access;
mod address;
mod api;
mod assets;
mod conditional;
mod connections;
mod content_type;
mod disk_file;
mod drain;
mod encoding;
mod engines;
mod error;
mod following;
mod head_timeout;
mod headers;
mod host;
mod host_header;
mod infer;
mod limits;
mod linger;
mod metrics;
mod model_names;
mod models;
mod notices;
mod pace;
mod page;
mod rate;
mod shutdown;
mod site;
mod static_site;
mod stored;
mod tls;
mod watched;
mod weights;
mod wrapped_stream;

use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::any;
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use tower_http::trace::TraceLayer;

pub use access::AccessOptions;
use access::{Cors, Guard, method_not_allowed};
use api::Api;
use assets::App;
use connections::Connections;
use dermake_models::demo_model;
use dermake_process::{interrupt, print};
use engines::Engines;
pub use error::Error;
use error::{HttpError, Result};
use following::follow_folders;
pub use host::host_address;
pub use infer::InferOptions;
pub use limits::Limits;
use metrics::Metrics;
use models::Models;
use shutdown::StopRequests;
use site::Site;
pub use static_site::{StaticSite, write_static_site};
pub use tls::TlsOptions;
use watched::{Update, keep_up_to_date};

/// Options of the server.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// The folder that trunk built, with `index.html`; `None` for the page inside the program.
    pub app: Option<PathBuf>,
    /// Folders that `dermake quantize` wrote, their manifests, folders of such folders, or `demo`; the page loads the
    /// first. With none, and none that answers, it is `demo`.
    pub models: Vec<PathBuf>,
    /// Port 0 takes a free one.
    pub address: SocketAddr,
    pub infer: InferOptions,
    pub limits: Limits,
    pub access: AccessOptions,
    pub tls: TlsOptions,
}

impl ServeConfig {
    /// The models to host.
    fn hosted(&self) -> Vec<PathBuf> {
        match self.models.is_empty() && self.infer.models.is_empty() {
            true => vec![demo_model::NAME.into()],
            false => self.models.clone(),
        }
    }
}

/// A server that is ready to listen.
pub struct Server {
    router: Router,
    connections: Arc<Connections>,
    under_way: TaskTracker,
    watched: Vec<Arc<dyn Update>>,
    models: Arc<Models>,
    engines: Option<Arc<Engines>>,
    longest_answer: Duration,
}

impl Server {
    /// Reads the page and the models' manifests, and loads the models that answer.
    ///
    /// # Errors
    /// The page has no `index.html`; a model lacks its manifest or a file of the length that the manifest gives, or
    /// cannot be loaded; a file that an option names cannot be used.
    pub fn new(config: &ServeConfig) -> Result<Self> {
        let tls = config.tls.acceptor()?;
        let guard = Guard::new(&config.access, &config.limits)?;
        warn_of_access(config);
        let app = config.app.as_deref().map_or_else(|| Ok(App::carried()), App::load)?;
        let models = Arc::new(Models::load(&config.hosted())?);
        let (metrics, under_way) = (Arc::new(Metrics::new()), TaskTracker::new());
        let engines = Engines::start(&config.infer, &config.limits, &models, &metrics)?;
        check_files(&models)?;
        let site = Site {
            app,
            models: models.clone(),
            metrics: metrics.clone(),
            engines: engines.clone(),
            is_open_to_pages: config.access.tokens.is_none(),
            under_way: under_way.clone(),
        };
        let certificate = tls.clone().map(|tls| tls as Arc<dyn Update>);
        let watched = guard.watched().into_iter().chain(certificate).collect();
        let router = router(config, site, guard)?;
        let connections = Connections::new(router.clone(), &config.limits, tls, metrics);
        let longest_answer = config.limits.request_timeout();
        Ok(Self { router, connections, under_way, watched, models, engines, longest_answer })
    }

    /// Returns all routes, without the connections.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Serves on `listener` until `stop` completes and the requests under way are answered.
    pub async fn serve_until(self, listener: TcpListener, stop: impl Future<Output = ()> + Send) {
        let Self { connections, under_way, watched, models, engines, longest_answer, .. } = self;
        tokio::select! {
            () = shutdown::serve_gracefully(listener, connections, under_way, longest_answer, stop) => {}
            () = keep_up_to_date(watched) => {}
            () = follow_folders(models, engines) => {}
        }
    }
}

/// Serves until Ctrl-C or SIGTERM, with the page's address as the only line on stdout. A signal while the models are
/// loaded ends the program.
///
/// # Errors
/// As [`Server::new`], or the address cannot be listened on.
pub async fn serve(config: ServeConfig) -> Result<()> {
    // First of all: in a container, a signal that nobody listens for is lost.
    let mut stop = StopRequests::listen();
    let (address, scheme) = (config.address, if config.tls.certificate.is_some() { "https" } else { "http" });
    let bind = |source| Error::Bind { address, source };
    // An address that is taken is told of before a model is downloaded. Connections are refused until it is loaded.
    drop(std::net::TcpListener::bind(address).map_err(bind)?);
    let server = tokio::select! {
        loaded = tokio::task::spawn_blocking(move || Server::new(&config)) => {
            loaded.unwrap_or_else(|err| std::panic::resume_unwind(err.into_panic()))?
        }
        signal = stop.next() => interrupt::end_by(signal),
    };
    let listener = TcpListener::bind(address).await.map_err(bind)?;
    let url = page_url(scheme, listener.local_addr().map_err(bind)?);
    print::summary(&format!("{url}\n")).map_err(Error::Announce)?;
    let n_answering = server.engines.as_ref().map_or(0, |engines| engines.all().len());
    let n_hosted = server.models.known().len();
    tracing::info!("hosting {n_hosted} and answering with {n_answering} model(s) at {url}");
    server.serve_until(listener, stop.graceful()).await;
    Ok(())
}

/// Reads the models' files in the background: those of gigabytes must not delay the start. The first list waits for it.
fn check_files(models: &Arc<Models>) -> Result<()> {
    let models = models.clone();
    let check = std::thread::Builder::new().name("files of models".into()).spawn(move || models.refresh());
    check.map(drop).map_err(Error::Thread)
}

fn router(config: &ServeConfig, site: Site, guard: Arc<Guard>) -> Result<Router> {
    let security = headers::Security::new(site.app.inline_script_hashes());
    let cors = Cors::new(&config.access)?;
    let api_routes = match &site.engines {
        Some(engines) => {
            let api = Api::new(engines.clone(), &config.limits, site.under_way.clone());
            cors.of_requests(api::routes(Arc::new(api), guard.clone()))
        }
        None => Router::new().route("/v1/{*rest}", any(async || HttpError::NoInference)),
    };
    let limits = Arc::new(config.limits.clone());
    let metrics = site.metrics.clone();
    let site_routes = site::routes(site, guard, &cors);
    let routes = site_routes
        .merge(api_routes)
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(async || HttpError::NotFound)
        .layer(from_fn_with_state(limits, drain::drain))
        .layer(from_fn_with_state(metrics, count_answers))
        .layer(axum::middleware::map_response(move |response| {
            let security = security.clone();
            async move { security.apply(response) }
        }))
        .layer(TraceLayer::new_for_http());
    Ok(address::tolerant(routes))
}

/// Warns of tokens that guard little since no model answers.
fn warn_of_access(config: &ServeConfig) {
    if config.access.tokens.is_some() && config.infer.device.is_none() {
        tracing::warn!("--tokens guards /metrics alone, as no model answers without --infer");
    }
}

/// Middleware that counts each answer by its route, never by the path that a visitor typed.
async fn count_answers(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = matched.as_ref().map_or("none", MatchedPath::as_str);
    metrics.count_answer(route, response.status().as_u16(), started.elapsed());
    response
}

/// The address to open in a browser on this machine.
fn page_url(scheme: &str, mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("{scheme}://{address}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_address_can_be_opened() {
        let url = |address: &str| page_url("http", address.parse().unwrap());
        assert_eq!(url("127.0.0.1:8080"), "http://127.0.0.1:8080/");
        assert_eq!(url("0.0.0.0:80"), "http://127.0.0.1:80/");
        assert_eq!(url("[::]:80"), "http://[::1]:80/");
    }
}
