//! Inference on the server, if the visitor chose it: no weights are fetched, and pixels of the photo leave the device.
//!
//! Only the model's input is sent, S x S pixels. The answer is the same, and neither the rest of the photo nor its
//! metadata is sent.

use super::connection::{RequestContext, Unanswered};
use super::download;
use super::photo::{Photo, Query, png};
use super::protocol::{Computed, Engine, ModelInfo, PhotoId, Reply};
use crate::crop::Crop;
use crate::error::{Error, Result, what::SERVER_ANSWER as WHAT};
use crate::http;
use futures_util::future::{Either, select};
use serde::de::DeserializeOwned;
use shared_model::api::{Classified, Refusal, fields};
use shared_model::config::PreprocessConfig;
use shared_model::labels::Templates;
use std::pin::pin;
use wasm_bindgen::JsValue;
use web_sys::{Blob, FormData};

/// A model that the server runs.
pub struct Remote {
    classify_url: String,
    templates: Vec<String>,
    preprocess: PreprocessConfig,
    /// The pixels of the last photo and its crop that are sent.
    input: Option<(PhotoId, Option<Crop>, Blob)>,
}

impl Remote {
    /// Fetches the model's manifest for its labels, templates and preprocessing.
    ///
    /// # Errors
    /// As [`download::fetch_manifest`]; [`Error::UnusableModel`] for an invalid config.
    pub async fn open(manifest_url: &str, classify_url: String, context: &RequestContext) -> Result<Self> {
        let manifest = download::fetch_manifest(manifest_url).await?;
        let preprocess = manifest.clip_config()?.preprocess;
        context.send(Reply::ManifestRead { model: Box::new(ModelInfo::from(&manifest)) });
        Ok(Self { classify_url, templates: manifest.templates, preprocess, input: None })
    }

    /// Has the server rank labels for a photo, unless a later request arrives first.
    ///
    /// # Errors
    /// The image errors; [`Error::Unreachable`]; [`Error::Labels`] and [`Error::ServerRefused`] if the server refuses.
    pub async fn classify(&mut self, query: &Query, context: &RequestContext) -> Result<Reply, Unanswered> {
        let started = context.now_millis();
        let form = self.form(query, context).await?;
        let sent = pin!(http::post_form(&self.classify_url, &form, WHAT));
        let (status, text) = match select(sent, pin!(context.superseded())).await {
            Either::Left((answer, _)) => answer?,
            Either::Right(_) => return Err(Unanswered::Superseded),
        };
        if status != 200 {
            return Err(refused(status, &text).into());
        }
        let answer: Classified = parsed(&text).ok_or(Error::Refused { what: WHAT.into(), status })?;
        let Classified { predictions, certainty, .. } = answer;
        let millis = context.now_millis() - started;
        let computed = Computed { by: Engine::Server, note: None };
        let finished_at = js_sys::Date::now();
        Ok(Reply::Predictions { predictions, certainty, millis, finished_at, computed, feature: None })
    }

    async fn form(&mut self, query: &Query, context: &RequestContext) -> Result<FormData> {
        let input = self.input(&query.photo, context).await?;
        let form = FormData::new().map_err(failed)?;
        form.append_with_blob(fields::PHOTO, &input).map_err(failed)?;
        let Query { labels, top_k, .. } = query;
        form.append_with_str(fields::LABELS, &labels.to_text()).map_err(failed)?;
        form.append_with_str(fields::TOP_K, &top_k.to_string()).map_err(failed)?;
        // They are left out if they are the server's defaults.
        for template in self.templates.iter().filter(|_| self.templates != Templates::skin().as_slice()) {
            form.append_with_str(fields::TEMPLATE, template).map_err(failed)?;
        }
        Ok(form)
    }

    async fn input(&mut self, photo: &Photo, context: &RequestContext) -> Result<Blob> {
        if let Some((id, crop, input)) = &self.input
            && (*id, *crop) == (photo.id, photo.crop)
        {
            return Ok(input.clone());
        }
        let connection = &context.connection;
        let pixels = photo.model_input(&self.preprocess, connection).await?;
        let input = png(&pixels)?;
        photo.send_view(&pixels, &input, connection);
        self.input = Some((photo.id, photo.crop, input.clone()));
        Ok(input)
    }
}

fn parsed<T: DeserializeOwned>(json: &str) -> Option<T> {
    serde_json::from_str(json).ok()
}

/// Converts the server's refusal to an error.
fn refused(status: u16, text: &str) -> Error {
    match parsed(text) {
        Some(Refusal { code, message }) if code == Refusal::INVALID => Error::Labels { detail: message },
        Some(Refusal { message, .. }) => Error::ServerRefused { message },
        // The answer is not of our server but of a proxy before it.
        None => Error::Refused { what: WHAT.into(), status },
    }
}

fn failed(detail: JsValue) -> Error {
    Error::Computation { detail: format!("{detail:?}") }
}
