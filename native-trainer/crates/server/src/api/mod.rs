//! The addresses below `/v1`: photos and texts in, answers of the models out.

mod answers;
mod body;
mod checks;
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
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, any, get, post};
use axum::{Json, Router};
use serde::Serialize;

use super::access::{self, Guard};
use super::error::HttpError;
use answers::Answer;
use request::ApiRequest;
pub(super) use state::Api;

/// Routes of the models. All except the OpenAPI document need access.
pub(super) fn routes(api: Arc<Api>, guard: Arc<Guard>) -> Router {
    let (described, requires_token) = (api.clone(), guard.requires_token());
    let document = async move || Json(openapi::document(&described, requires_token));
    Router::new()
        .route("/v1/classify", answering(answers::classify))
        .route("/v1/annotate", answering(answers::annotate))
        .route("/v1/embed", answering(answers::embed))
        .route("/v1/similarity", answering(answers::similarity))
        .layer(from_fn_with_state(guard, access::guard))
        .route("/v1/openapi.json", get(document))
        .route("/v1/{*rest}", any(async || HttpError::NoSuchAddress))
        .with_state(api)
}

/// Returns the handler that reads a request and answers it. The time for the answer begins when the request is there,
/// and after it the request's entries leave the queue.
fn answering<T, A>(
    answer: impl Fn(Arc<Api>, ApiRequest) -> A + Clone + Send + Sync + 'static,
) -> MethodRouter<Arc<Api>>
where
    T: Serialize + 'static,
    A: Future<Output = Answer<T>> + Send + 'static,
{
    post(async move |State(api): State<Arc<Api>>, request: Request| {
        let _under_way = api.under_way.token();
        let parsed = ApiRequest::read(&api.bodies, request).await?;
        let answered = tokio::time::timeout(api.limits.request_timeout(), answer(api.clone(), parsed)).await;
        answered.map_err(|_| HttpError::TimedOut { limit_secs: api.limits.request_timeout_secs })?
    })
}
