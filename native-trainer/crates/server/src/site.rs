//! Addresses besides the models' answers: the page, the hosted models, health and metrics.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use shared_model::api::HostedModel;
use tokio_util::task::TaskTracker;

use super::access::{self, Cors, Guard};
use super::assets::App;
use super::engines::Engines;
use super::error::HttpError;
use super::headers::REVALIDATE;
use super::metrics::{self, Metrics};
use super::models::Models;
use super::page;
use super::weights::Model;

/// Answers of `/readyz` while requests are not welcome.
pub(super) const OBSTACLES: [&str; 3] = ["stopping", "no model answers", "the model fails"];

pub(super) struct Site {
    pub(super) app: App,
    pub(super) models: Arc<Models>,
    pub(super) metrics: Arc<Metrics>,
    /// Engines, if the server answers requests.
    pub(super) engines: Option<Arc<Engines>>,
    /// Whether the page may use them: a page has no token to send.
    pub(super) is_open_to_pages: bool,
    /// Current requests to the models; closed when the server stops.
    pub(super) under_way: TaskTracker,
}

impl Site {
    /// Returns the address where the page may send photos for this model, if it may.
    fn classify_address(&self, model: &Arc<Model>, hosted: &[Arc<Model>]) -> Option<String> {
        let engines = self.engines.as_ref().filter(|_| self.is_open_to_pages)?;
        let engine = engines.of(model, hosted)?;
        let [key, _] = engine.names();
        Some(format!("/v1/classify?model={}", utf8_percent_encode(key, NON_ALPHANUMERIC)))
    }
}

/// Metrics need a token if tokens are required; the rest is open to all, the models also to pages of other sites.
pub(super) fn routes(site: Site, guard: Arc<Guard>, cors: &Cors) -> Router {
    let site = Arc::new(site);
    let counts = get(counts).layer(from_fn_with_state(guard, access::guard_token));
    let models = Router::new()
        .route("/models", get(models_list))
        .route("/models/{folder}/{file}", any(model_file))
        .with_state(site.clone());
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", counts)
        .route("/", get(index))
        .route("/{*path}", any(asset))
        .with_state(site)
        .merge(cors.of_downloads(models))
}

async fn healthz() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], "ok")
}

/// `GET /readyz`: whether the server accepts requests; not while it stops, nor if no model can answer or one fails.
async fn readyz(State(site): State<Arc<Site>>) -> impl IntoResponse {
    let [stopping, no_model, failing] = OBSTACLES;
    let obstacle = match &site.engines {
        _ if site.under_way.is_closed() => Some(stopping),
        Some(engines) if engines.find(None).await.is_err() => Some(no_model),
        Some(engines) if engines.has_failing().await => Some(failing),
        _ => None,
    };
    let status = if obstacle.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    (status, [(header::CACHE_CONTROL, "no-store")], obstacle.unwrap_or("ok"))
}

async fn counts(State(site): State<Arc<Site>>) -> impl IntoResponse {
    let engines = site.engines.as_ref().map(|engines| engines.all()).unwrap_or_default();
    let waiting = engines.iter().map(|one| (one.name.clone(), one.engine.queue_lengths()));
    let abandoned = engines.iter().map(|one| one.engine.n_abandoned()).sum();
    let text = site.metrics.text(waiting, abandoned);
    ([(header::CACHE_CONTROL, "no-store"), (header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text)
}

async fn models_list(State(site): State<Arc<Site>>) -> Result<Response, HttpError> {
    let models = site.models.on_offer().await?;
    if let Some(engines) = site.engines.clone() {
        // The list need not wait until a new model is loaded.
        tokio::spawn(async move { engines.follow().await });
    }
    let entry = |model: &Arc<Model>| model.entry(site.classify_address(model, &models));
    let list: Vec<HostedModel> = models.iter().map(entry).collect();
    Ok(([(header::CACHE_CONTROL, REVALIDATE)], Json(list)).into_response())
}

fn no_text(_: PathRejection) -> HttpError {
    HttpError::malformed("the path is not UTF-8 once it is decoded")
}

async fn model_file(
    State(site): State<Arc<Site>>,
    path: Result<Path<(String, String)>, PathRejection>,
    mut request: Request,
) -> Result<Response, HttpError> {
    let Path((folder, file)) = path.map_err(no_text)?;
    let refusal = read_only(&mut request);
    let (head, _) = request.into_parts();
    let same = || Request::from_parts(head.clone(), Body::empty());
    let model = site.models.find(&folder).await?;
    let mut response = model.respond(&file, same()).await;
    if matches!(response, Err(HttpError::Unreadable)) {
        // It may have been replaced or taken away since the last check.
        let now = site.models.find_now(&folder).await?;
        if !Arc::ptr_eq(&now, &model) {
            response = now.respond(&file, same()).await;
        }
    }
    let response = response?;
    refusal.map_or(Ok(response), Err)
}

async fn index(State(site): State<Arc<Site>>, request: Request) -> Result<Response, HttpError> {
    site.app.respond(page::INDEX, request).await
}

async fn asset(
    State(site): State<Arc<Site>>,
    path: Result<Path<String>, PathRejection>,
    mut request: Request,
) -> Result<Response, HttpError> {
    let Path(path) = path.map_err(no_text)?;
    let refusal = read_only(&mut request);
    let response = site.app.respond(&path, request).await?;
    refusal.map_or(Ok(response), Err)
}

/// Turns a request with another method than GET and HEAD into a lookup. Returns the error for the method, to be sent if
/// the file exists.
fn read_only(request: &mut Request) -> Option<HttpError> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    *request.method_mut() = Method::HEAD;
    Some(HttpError::ReadOnly)
}
