//! The addresses below `/v1`: photos and texts in, answers of the models out.

mod answers;
mod body;
mod encoding;
mod form;
mod json;
mod openapi;
mod parameters;
mod photo;
#[cfg(test)]
mod properties;
mod request;

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::{Json, Router};
use tokio_util::task::TaskTracker;

use super::access::{self, Guard};
use super::engines::Engines;
use super::error::HttpError;
use super::infer::Engine;
use super::limits::Limits;
use body::BodyReader;
use parameters::Parameters;

/// Shared state of all requests to the models.
pub(super) struct Api {
    engines: Arc<Engines>,
    limits: Limits,
    bodies: BodyReader,
    /// Counts current requests, for the shutdown.
    under_way: TaskTracker,
}

impl Api {
    pub(super) fn new(engines: Arc<Engines>, limits: &Limits, under_way: TaskTracker) -> Self {
        Self { engines, limits: limits.clone(), bodies: BodyReader::new(limits), under_way }
    }

    /// Returns the model that a request names, or the first one.
    async fn engine(&self, parameters: &mut Parameters) -> Result<Arc<Engine>, HttpError> {
        self.engines.find(parameters.one("model")?.as_deref()).await
    }
}

/// Routes of the models, with a timeout for each request. All except the OpenAPI document need access.
pub(super) fn routes(api: Arc<Api>, guard: Arc<Guard>) -> Router {
    let (described, requires_token) = (api.clone(), guard.requires_token());
    let document = async move || Json(openapi::document(&described, requires_token));
    Router::new()
        .route("/v1/classify", post(answers::classify))
        .route("/v1/annotate", post(answers::annotate))
        .route("/v1/embed", post(answers::embed))
        .route("/v1/similarity", post(answers::similarity))
        .layer(from_fn_with_state(api.clone(), within_time))
        .layer(from_fn_with_state(guard, access::guard))
        .route("/v1/openapi.json", get(document))
        .route("/v1/{*rest}", any(async || HttpError::NoSuchAddress))
        .with_state(api)
}

/// Ends a request that takes too long; its entries leave the queue.
async fn within_time(State(api): State<Arc<Api>>, request: Request, next: Next) -> Result<Response, HttpError> {
    let _under_way = api.under_way.token();
    let limit_secs = api.limits.request_timeout_secs;
    let answered = tokio::time::timeout(api.limits.request_timeout(), next.run(request)).await;
    answered.map_err(|_| HttpError::TimedOut { limit_secs })
}

fn millis_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}
