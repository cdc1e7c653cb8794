//! Shared state of all requests to the models.

use std::sync::Arc;

use tokio_util::task::TaskTracker;

use super::body::BodyReader;
use super::parameters::Parameters;
use crate::engines::{Answering, Engines};
use crate::error::HttpError;
use crate::limits::Limits;

/// Shared state of all requests to the models.
pub(crate) struct Api {
    pub(super) engines: Arc<Engines>,
    pub(super) limits: Limits,
    pub(super) bodies: BodyReader,
    /// Counts current requests, for the shutdown.
    pub(super) under_way: TaskTracker,
}

impl Api {
    pub(crate) fn new(engines: Arc<Engines>, limits: &Limits, under_way: TaskTracker) -> Self {
        Self { engines, limits: limits.clone(), bodies: BodyReader::new(limits), under_way }
    }

    /// Returns the model that a request names, or the first one.
    pub(super) async fn engine(&self, parameters: &mut Parameters) -> Result<Answering, HttpError> {
        self.engines.find(parameters.one("model")?.as_deref()).await
    }
}
