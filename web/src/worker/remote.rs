//! Has the server look at photos, where the visitor chose so: no weights are fetched, and the photo leaves the device.
//!
//! What is sent is what a model looks at, S x S pixels: the answer is the same, and neither the rest of the photo nor
//! its metadata goes along.

use super::download;
use super::photo::{Photo, Question, png};
use super::protocol::{ModelInfo, PhotoId, Reply};
use super::serve::{Stop, Turn};
use crate::error::{Error, Result};
use crate::http;
use futures_util::future::{Either, select};
use serde::de::DeserializeOwned;
use shared_model::api::{Classified, Refusal, fields};
use shared_model::config::PreprocessConfig;
use shared_model::labels::Templates;
use shared_model::preprocess::resize_and_crop;
use std::pin::pin;
use wasm_bindgen::JsValue;
use web_sys::{Blob, FormData};

const WHAT: &str = "an answer of the server";

/// A model on the server.
pub struct Remote {
    classify_url: String,
    templates: Vec<String>,
    preprocess: PreprocessConfig,
    /// What is sent of the last photo.
    crop: Option<(PhotoId, Blob)>,
}

impl Remote {
    /// Reads what labels and templates the model has.
    ///
    /// # Errors
    /// As [`download::fetch_manifest`]; [`Error::UnusableModel`] for a config that is none.
    pub async fn open(manifest_url: &str, classify_url: String, turn: &Turn) -> Result<Self> {
        let manifest = download::fetch_manifest(manifest_url).await?;
        let preprocess = manifest.clip_config()?.preprocess;
        turn.say(Reply::Opened { model: ModelInfo::from(&manifest) });
        Ok(Self { classify_url, templates: manifest.templates, preprocess, crop: None })
    }

    /// Asks the server a question, unless a later one comes first.
    ///
    /// # Errors
    /// The image errors; [`Error::Unreachable`]; [`Error::Labels`] and [`Error::ServerRefused`] as the server says.
    pub async fn classify(&mut self, question: &Question, turn: &Turn) -> Result<Reply, Stop> {
        let started = turn.now_millis();
        let form = self.form(question, turn).await?;
        let sent = pin!(http::post_form(&self.classify_url, &form, WHAT));
        let (status, text) = match select(sent, pin!(turn.superseded())).await {
            Either::Left((answer, _)) => answer?,
            Either::Right(_) => return Err(Stop::Superseded),
        };
        if status != 200 {
            return Err(refused(status, &text).into());
        }
        let Classified { predictions, .. } = parsed(&text).ok_or(Error::Refused { what: WHAT.into(), status })?;
        Ok(Reply::Predictions { predictions, millis: turn.now_millis() - started })
    }

    async fn form(&mut self, question: &Question, turn: &Turn) -> Result<FormData> {
        let crop = self.crop(&question.photo, turn).await?;
        let form = FormData::new().map_err(broken)?;
        form.append_with_blob(fields::PHOTO, &crop).map_err(broken)?;
        let Question { labels, top_k, .. } = question;
        form.append_with_str(fields::LABELS, &labels.to_text()).map_err(broken)?;
        form.append_with_str(fields::TOP_K, &top_k.to_string()).map_err(broken)?;
        // The server's own where they are the same.
        for template in self.templates.iter().filter(|_| self.templates != Templates::skin().as_slice()) {
            form.append_with_str(fields::TEMPLATE, template).map_err(broken)?;
        }
        Ok(form)
    }

    async fn crop(&mut self, photo: &Photo, turn: &Turn) -> Result<Blob> {
        if let Some((id, crop)) = &self.crop
            && *id == photo.id
        {
            return Ok(crop.clone());
        }
        let image = photo.open(&turn.line).await?;
        let crop = png(&resize_and_crop(&image, &self.preprocess)?)?;
        self.crop = Some((photo.id, crop.clone()));
        Ok(crop)
    }
}

fn parsed<T: DeserializeOwned>(json: &str) -> Option<T> {
    serde_json::from_str(json).ok()
}

/// What the server says of a request that it does not answer.
fn refused(status: u16, text: &str) -> Error {
    match parsed(text) {
        Some(Refusal { code, message }) if code == Refusal::INVALID => Error::Labels { detail: message },
        Some(Refusal { message, .. }) => Error::ServerRefused { message },
        // Something else on the way to it.
        None => Error::Refused { what: WHAT.into(), status },
    }
}

fn broken(detail: JsValue) -> Error {
    Error::Computation { detail: format!("{detail:?}") }
}
