//! What a server has beside the models' answers: the page, what is hosted, and how it does.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tokio_util::task::TaskTracker;

use super::access::{self, Guard};
use super::api::Api;
use super::assets::{self, App};
use super::error::HttpError;
use super::infer::Engine;
use super::metrics::{self, Metrics};
use super::models::Models;

pub(super) struct Site {
    pub(super) app: App,
    pub(super) models: Arc<Models>,
    pub(super) metrics: Arc<Metrics>,
    /// Where the server answers with models, too.
    pub(super) api: Option<Arc<Api>>,
    /// The requests to the models that are not answered yet; closed once the server stops.
    pub(super) under_way: TaskTracker,
}

/// The counts are for those who have a token, where one is asked for; the rest is for everyone.
pub(super) fn routes(site: Site, guard: Arc<Guard>) -> Router {
    let counts = get(counts).layer(from_fn_with_state(guard, access::guard_token));
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", counts)
        .route("/models", get(models_list))
        .route("/models/{folder}/{file}", get(model_file))
        .route("/", get(index))
        .route("/{*path}", get(asset))
        .with_state(Arc::new(site))
}

async fn healthz() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], "ok")
}

/// Whether more requests are welcome: not once the server stops.
async fn readyz(State(site): State<Arc<Site>>) -> impl IntoResponse {
    let (status, text) = match site.under_way.is_closed() {
        false => (StatusCode::OK, "ok"),
        true => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
    };
    (status, [(header::CACHE_CONTROL, "no-store")], text)
}

async fn counts(State(site): State<Arc<Site>>) -> impl IntoResponse {
    let engines = site.api.as_ref().map(|api| api.engines()).unwrap_or_default();
    for engine in engines {
        site.metrics.set_waiting(engine.name(), engine.queue_lengths());
    }
    site.metrics.set_abandoned(engines.iter().map(Engine::n_abandoned).sum());
    ([(header::CACHE_CONTROL, "no-store"), (header::CONTENT_TYPE, metrics::CONTENT_TYPE)], site.metrics.text())
}

async fn models_list(State(site): State<Arc<Site>>) -> Result<Response, HttpError> {
    let models = site.models.on_offer().await?;
    let list: Vec<_> = models.iter().map(|model| &model.listed).collect();
    Ok(([(header::CACHE_CONTROL, "no-cache")], Json(list)).into_response())
}

async fn model_file(
    State(site): State<Arc<Site>>,
    Path((folder, file)): Path<(String, String)>,
    request: Request,
) -> Result<Response, HttpError> {
    site.models.find(&folder).await?.respond(&file, request).await
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
