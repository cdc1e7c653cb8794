//! One function per address: runs the model and returns an answer in the form of [`shared_model::api`].

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use candle_core::Tensor;
use shared_model::api::fields::{LABELS, TEMPLATE};
use shared_model::api::{Annotated, Classified, Compared, Embedded};
use shared_model::concepts::{ReadConcepts, Typical, findings};
use shared_model::labels::LabelWarning;
use shared_model::zero_shot;

use super::checks::check_prompts;
use super::encoding::Encoding;
use super::request::ApiRequest;
use super::state::Api;
use crate::engines::Answering;
use crate::error::HttpError;
use crate::infer;

/// An answer, or why there is none.
pub(super) type Answer<T> = Result<Json<T>, HttpError>;

/// `POST /v1/classify`: ranks labels for one photo.
pub(super) async fn classify(api: Arc<Api>, mut parsed: ApiRequest) -> Answer<Classified> {
    const TOP_K: usize = 5;
    let Answering { engine, name: model } = api.engine(&mut parsed.parameters).await?;
    let (labels, templates) = parsed.parameters.labels(&api.limits)?;
    let top_k = parsed.parameters.top_k(TOP_K)?;
    let scale = engine.usable_scale(parsed.parameters.scale(engine.scale())?)?;
    std::mem::take(&mut parsed.parameters).finish()?;
    let photo = parsed.take_photos(1)?;
    if engine.shipped_classifier(&labels.set, &templates).is_none() {
        let (n_labels, n_templates) = (labels.set.class_names.len(), templates.as_slice().len());
        let n_prompts = n_labels * n_templates;
        let what = format!("`{LABELS}`: {n_labels} labels in {n_templates} templates are {n_prompts}");
        let way_out = format!("send fewer labels, or one sentence as `{TEMPLATE}`");
        check_prompts(n_prompts, what, &way_out, &api.limits)?;
    }
    let (features, classifier) =
        tokio::try_join!(photo.features(&engine), answered(engine.classifier(&labels.set, &templates, scale)))?;
    let answer = classifier.answer(&features, top_k)?.remove(0);
    let zero_shot::Answer { predictions, certainty } = answer;
    let (warnings, scale) = (texts(&labels.warnings), classifier.scale());
    let millis = millis_since(parsed.arrived);
    Ok(Json(Classified { model, predictions, certainty, scale, warnings, millis }))
}

/// `POST /v1/annotate`: ranks clinical concepts for one photo.
pub(super) async fn annotate(api: Arc<Api>, mut parsed: ApiRequest) -> Answer<Annotated> {
    const TOP_K: usize = 8;
    let Answering { engine, name: model } = api.engine(&mut parsed.parameters).await?;
    let ReadConcepts { concepts, warnings } = parsed.parameters.concepts(&api.limits)?;
    let typical = parsed.parameters.typical()?;
    let top_k = parsed.parameters.top_k(TOP_K)?;
    let scale = engine.usable_scale(parsed.parameters.scale(engine.scale())?)?;
    std::mem::take(&mut parsed.parameters).finish()?;
    let photo = parsed.take_photos(1)?;
    let (features, scorer) = tokio::try_join!(photo.features(&engine), answered(engine.scorer(&concepts, scale)))?;
    let ranked = scorer.annotate(&features, concepts.len())?.remove(0);
    let concepts = findings(&ranked, top_k, typical.as_ref());
    let (mut warnings, scale) = (texts(&warnings), scorer.scale());
    warnings.extend(typical.as_ref().and_then(Typical::warning));
    let millis = millis_since(parsed.arrived);
    Ok(Json(Annotated { model, concepts, scale, warnings, millis }))
}

/// `POST /v1/embed`: the features of photos or of texts.
pub(super) async fn embed(api: Arc<Api>, mut parsed: ApiRequest) -> Answer<Embedded> {
    let Answering { engine, name: model } = api.engine(&mut parsed.parameters).await?;
    let encoding: Encoding = parsed.parameters.word("encoding")?;
    let texts = parsed.parameters.all_texts(&api.limits)?;
    std::mem::take(&mut parsed.parameters).finish()?;
    let features = match (parsed.has_photos(), texts.is_empty()) {
        (true, true) => parsed.take_photos(api.limits.max_images)?.features(&engine).await?,
        (false, false) => engine.text_features(&texts).await?,
        (true, false) => return Err(HttpError::invalid("photos and texts in one request, expected one of them")),
        (false, true) => {
            return Err(HttpError::invalid("nothing to embed; expected photos as `image`, or `texts`"));
        }
    };
    let embeddings = rows(&features)?.into_iter().map(|feature| encoding.write(feature)).collect();
    Ok(Json(Embedded { model, embeddings, millis: millis_since(parsed.arrived) }))
}

/// `POST /v1/similarity`: the cosine of every photo with every text.
pub(super) async fn similarity(api: Arc<Api>, mut parsed: ApiRequest) -> Answer<Compared> {
    let Answering { engine, name: model } = api.engine(&mut parsed.parameters).await?;
    let texts = parsed.parameters.all_texts(&api.limits)?;
    std::mem::take(&mut parsed.parameters).finish()?;
    if texts.is_empty() {
        return Err(HttpError::invalid("no text to compare with; expected one `text` at least"));
    }
    let photos = parsed.take_photos(api.limits.max_images)?;
    let (images, texts) = tokio::try_join!(photos.features(&engine), answered(engine.text_features(&texts)))?;
    let cosines = images.matmul(&texts.t().map_err(tensor)?).map_err(tensor)?;
    Ok(Json(Compared { model, cosines: rows(&cosines)?, millis: millis_since(parsed.arrived) }))
}

/// Warnings as sentences.
fn texts(warnings: &[LabelWarning]) -> Vec<String> {
    warnings.iter().map(ToString::to_string).collect()
}

/// Awaits a model's answer and converts its error.
async fn answered<T>(answer: impl Future<Output = Result<T, infer::Error>>) -> Result<T, HttpError> {
    Ok(answer.await?)
}

fn rows(features: &Tensor) -> Result<Vec<Vec<f32>>, HttpError> {
    features.to_vec2().map_err(tensor)
}

fn tensor(err: candle_core::Error) -> HttpError {
    shared_model::Error::from(err).into()
}

fn millis_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}
