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
mod state;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::{Json, Router};

use super::access::{self, Guard};
use super::error::HttpError;
pub(super) use state::Api;

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
