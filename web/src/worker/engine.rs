//! Runs the model in the worker: loads it, and ranks labels for a photo. No DOM.

use super::concepts::ConceptFeatures;
use super::connection::{Connection, RequestContext, Unanswered};
use super::download::{self, Fetched};
use super::gpu_choice::KnownAnswer;
use super::kept::KeptFeatures;
use super::photo::{Photo, Query};
use super::protocol::{self, Computed, ModelInfo, PhotoId, Progress, Reply, Stage};
use super::webgpu::Gpu;
use crate::crop::Crop;
use crate::error::{Error, Result};
use candle_core::{Device, Tensor};
use futures_util::FutureExt;
use futures_util::future::{Either, LocalBoxFuture, Shared, select};
use shared_model::labels::{LabelSet, Templates};
use shared_model::manifest::{FileRole, Manifest};
use shared_model::preprocess::{RgbImage8, normalized};
use shared_model::weights::Placement;
use shared_model::zero_shot::{Answer, Classifier};
use shared_model::{ImageTrace, ZeroShotModel, unit_length};
use std::collections::HashMap;
use std::pin::pin;
use std::rc::Rc;

/// The model, and caches of what it has computed.
pub struct Engine {
    manifest: Manifest,
    manifest_url: String,
    pub(super) templates: Templates,
    pub(super) model: ZeroShotModel,
    /// Features of the last photo and its crop, so that it is not encoded again for other labels.
    pub(super) photo_features: Option<(PhotoId, Option<Crop>, PhotoFeatures)>,
    /// Computes photos in place of the model's own tower, once it is known to be right and faster.
    gpu: Rc<Gpu>,
    /// Classifiers of all own labels so far, so that only new labels are encoded.
    own_labels: HashMap<String, Classifier>,
    /// Features of the sentences of concepts so far.
    concepts: ConceptFeatures,
    /// Download of the text part. A request that supersedes the one that started it continues it.
    text_download: Option<Shared<LocalBoxFuture<'static, Result<Fetched>>>>,
    /// Features that are kept on the device.
    pub(super) kept: KeptFeatures,
}

/// The features of a photo.
#[derive(Clone)]
pub(super) struct PhotoFeatures {
    /// `[1, E]`, of unit length
    pub(super) features: Tensor,
    /// What maps are made of; `None` if the GPU computed the photo, or the model makes no maps.
    pub(super) trace: Option<ImageTrace>,
    pub(super) computed: Computed,
}

impl Engine {
    /// Fetches a model's manifest and vision part; also returns whether the browser has stored them.
    ///
    /// # Errors
    /// As [`download::fetch_files`]; [`Error::UnusableModel`] for files that are not a model.
    pub async fn load(manifest_url: String, context: &RequestContext) -> Result<(Self, bool)> {
        let manifest = download::fetch_manifest(&manifest_url).await?;
        context.send(Reply::ManifestRead { model: Box::new(ModelInfo::from(&manifest)) });
        let on_progress = |progress| context.send(Reply::Progress(progress));
        let fetched = download::fetch_files(&manifest_url, &manifest, &Manifest::FIRST_ROLES, on_progress).await?;
        let (vision, classifiers) = (fetched.file(FileRole::Vision)?, fetched.file(FileRole::Classifiers)?);
        let model = ZeroShotModel::from_quantized(&manifest, vision.clone(), classifiers, Placement::default())?;
        let gpu = Gpu::start(&context.connection, vision, model.config.clone());
        let templates = Templates::new(manifest.templates.clone())?;
        let query = context.connection.scope.location().search();
        let kept = KeptFeatures::new(&manifest, model.config.embed_dim, &query);
        let engine = Self {
            manifest,
            manifest_url,
            templates,
            model,
            photo_features: None,
            gpu,
            own_labels: HashMap::new(),
            concepts: ConceptFeatures::default(),
            text_download: None,
            kept,
        };
        Ok((engine, fetched.is_stored))
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Ranks labels for a photo, unless a later request arrives first.
    ///
    /// # Errors
    /// The image errors; as [`download::fetch_files`] for own labels, which need the text part.
    pub async fn classify(&mut self, query: &Query, context: &RequestContext) -> Result<Reply, Unanswered> {
        let started = context.now_millis();
        let is_whole = query.photo.crop.is_none();
        let is_kept = query.wants_feature && is_whole && context.connection.keeps_features.get();
        let PhotoFeatures { features, computed, .. } = match is_kept {
            true => self.kept_or_new_features(&query.photo, context).await?,
            false => self.photo_features(&query.photo, context).await?,
        };
        let mut millis = context.now_millis() - started;
        let shipped = self.model.shipped_classifier(&query.labels, &self.templates).cloned();
        if shipped.is_none() {
            self.load_text(context).await?;
        }
        let started = context.now_millis();
        let classifier = match shipped {
            Some(classifier) => classifier,
            None => self.own_classifier(&query.labels.class_names, context).await?,
        };
        let classifier = self.model.calibrated(classifier, &self.templates);
        let answer = classifier.answer(&features, query.top_k).map_err(Error::from)?.remove(0);
        let Answer { predictions, certainty } = answer;
        millis += context.now_millis() - started;
        let feature = if query.wants_feature { Some(values(&features)?) } else { None };
        let finished_at = js_sys::Date::now();
        Ok(Reply::Predictions { predictions, certainty, millis, finished_at, computed, feature })
    }

    /// Scores concepts for a photo, unless a later request arrives first.
    ///
    /// # Errors
    /// The image errors; as [`download::fetch_files`] for the text part.
    pub async fn annotate(
        &mut self,
        photo: &Photo,
        names: &[String],
        context: &RequestContext,
    ) -> Result<Reply, Unanswered> {
        let PhotoFeatures { features, .. } = self.photo_features(photo, context).await?;
        self.load_text(context).await?;
        let scorer = self.concepts.scorer(names, &self.model, context).await?;
        let concepts = scorer.annotate(&features, names.len()).map_err(Error::from)?.remove(0);
        Ok(Reply::Concepts { concepts })
    }

    pub(super) async fn photo_features(
        &mut self,
        photo: &Photo,
        context: &RequestContext,
    ) -> Result<PhotoFeatures> {
        if let Some((id, crop, features)) = &self.photo_features
            && (*id, *crop) == (photo.id, photo.crop)
        {
            return Ok(features.clone());
        }
        let (input, pixel_values) = self.pixel_values(photo, context).await?;
        photo.show_view(input, &context.connection);
        let features = self.new_features(&pixel_values, context).await?;
        self.photo_features = Some((photo.id, photo.crop, features.clone()));
        Ok(features)
    }

    /// Computes the features of the square that the model is given.
    pub(super) async fn new_features(
        &self,
        pixel_values: &Tensor,
        context: &RequestContext,
    ) -> Result<PhotoFeatures> {
        match self.gpu_features(pixel_values).await? {
            Some(features) => Ok(features),
            None => self.wasm_features(pixel_values, context).await,
        }
    }

    /// The square that the model is given of a photo, and its values.
    pub(super) async fn pixel_values(
        &self,
        photo: &Photo,
        context: &RequestContext,
    ) -> Result<(RgbImage8, Tensor)> {
        let input = photo.model_input(&self.model.config.preprocess, &context.connection).await?;
        let pixel_values = self.values_of(&input)?;
        Ok((input, pixel_values))
    }

    /// The values of the square that the model is given, `[1, 3, S, S]`.
    pub(super) fn values_of(&self, input: &RgbImage8) -> Result<Tensor> {
        let side = input.width() as usize;
        let pixels = Tensor::from_vec(input.to_planes(), (1, 3, side, side), &Device::Cpu);
        Ok(normalized(&pixels.map_err(shared_model::Error::from)?, &self.model.config.preprocess)?)
    }

    async fn gpu_features(&self, pixel_values: &Tensor) -> Result<Option<PhotoFeatures>> {
        let Some(feature) = self.gpu.feature(&values(pixel_values)?).await else { return Ok(None) };
        let n_values = feature.len();
        let raw = Tensor::from_vec(feature, (1, n_values), &Device::Cpu).map_err(shared_model::Error::from)?;
        let computed = Computed { by: protocol::Engine::Webgpu, note: None };
        Ok(Some(PhotoFeatures { features: unit_length(&raw)?, trace: None, computed }))
    }

    /// Computes a photo as wasm. The first one is the GPU's known answer; if the page's address requests the GPU, that
    /// computes it, too.
    async fn wasm_features(&self, pixel_values: &Tensor, context: &RequestContext) -> Result<PhotoFeatures> {
        let started = context.now_millis();
        let (features, trace) = match self.model.config.vision.makes_maps() {
            true => {
                let (features, trace) = self.model.pixel_features_with_trace(pixel_values)?;
                (features, Some(trace))
            }
            false => (self.model.pixel_features(pixel_values)?, None),
        };
        let known = KnownAnswer {
            pixel_values: values(pixel_values)?,
            feature: values(&features)?,
            millis: context.now_millis() - started,
        };
        let clock = context.connection.clone();
        if self.gpu.check(known, move || clock.now_millis()).await
            && let Some(features) = self.gpu_features(pixel_values).await?
        {
            return Ok(PhotoFeatures { trace, ..features });
        }
        let computed = Computed { by: protocol::Engine::Wasm, note: self.gpu.note() };
        Ok(PhotoFeatures { features, trace, computed })
    }

    /// Loads the text part unless it is loaded. If a later request arrives, it continues the download.
    pub(super) async fn load_text(&mut self, context: &RequestContext) -> Result<(), Unanswered> {
        if self.model.has_text() {
            return Ok(());
        }
        let download = self.text_download.get_or_insert_with(|| {
            let (manifest, url, connection) =
                (self.manifest.clone(), self.manifest_url.clone(), context.connection.clone());
            fetch_text(manifest, url, connection).boxed_local().shared()
        });
        let fetched = match select(download.clone(), pin!(context.superseded())).await {
            Either::Left((fetched, _)) => fetched,
            Either::Right(_) => return Err(Unanswered::Superseded),
        };
        self.text_download = None;
        let fetched = fetched?;
        let (text, tokenizer) = (fetched.file(FileRole::Text)?, fetched.files(FileRole::Tokenizer));
        self.model.add_text(text, &tokenizer).map_err(Error::from)?;
        Ok(())
    }

    /// Encodes one label at a time, so that a later request does not wait for all of them.
    pub(super) async fn own_classifier(
        &mut self,
        class_names: &[String],
        context: &RequestContext,
    ) -> Result<Classifier, Unanswered> {
        let total = class_names.len() as u64;
        for (done, name) in (0..).zip(class_names) {
            if !self.own_labels.contains_key(name) {
                context.send(Reply::Progress(Progress { stage: Stage::Labels, done, total }));
                context.receive_messages().await?;
                let one = LabelSet {
                    key: LabelSet::CUSTOM.into(),
                    title: String::new(),
                    class_names: vec![name.clone()],
                };
                let classifier =
                    self.model.classifier(&one, &self.templates, &mut |_, _| {}).map_err(Error::from)?;
                self.own_labels.insert(name.clone(), classifier);
            }
        }
        let columns: Vec<&Tensor> = class_names.iter().map(|name| self.own_labels[name].weights()).collect();
        let weights = Tensor::cat(&columns, 1).map_err(shared_model::Error::from).map_err(Error::from)?;
        Ok(Classifier::from_weights(class_names, weights).map_err(Error::from)?)
    }
}

pub(super) fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    let values = tensor.flatten_all().and_then(|values| values.to_vec1());
    Ok(values.map_err(shared_model::Error::from)?)
}

/// Fetches the text part. Progress is sent for the latest request, which is the one that waits.
async fn fetch_text(manifest: Manifest, manifest_url: String, connection: Rc<Connection>) -> Result<Fetched> {
    let on_progress = |progress| connection.send(connection.latest_id(), Reply::Progress(progress));
    let fetched = download::fetch_files(&manifest_url, &manifest, &Manifest::TEXT_ROLES, on_progress).await?;
    if fetched.is_stored {
        connection.send(0, Reply::TextStored);
    }
    Ok(fetched)
}
