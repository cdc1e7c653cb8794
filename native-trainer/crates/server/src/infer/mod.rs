//! Runs inference: one worker thread per model, requests in batches. No HTTP types here.
//!
//! ```text
//! photo ─▶ decode.rs, a few at a time ─┐
//!                                      ├─▶ queue.rs ─▶ worker.rs, one thread a model ─▶ features
//! texts ───────────────────────────────┘
//! ```

mod cache;
mod decode;
mod error;
mod health;
mod options;
mod queue;
mod worker;

use std::sync::Arc;
use std::thread;

use axum::body::Bytes;
use candle_core::{DType, Device, Tensor};
use dermake_models::scale::Scale;
use futures_util::future::try_join_all;
use shared_model::ZeroShotModel;
use shared_model::concepts::{Concept, ConceptScorer};
use shared_model::labels::{ConceptTemplates, LabelSet, Templates};
use shared_model::zero_shot::Classifier;
use tokio::sync::{Semaphore, oneshot};

use super::limits::Limits;
use super::metrics::Metrics;
use cache::ByContent;
use decode::Decoder;
pub(super) use error::Error;
use health::Health;
pub use options::InferOptions;
use queue::{Batching, Feature, Queue};

/// Texts in a batch: enough to use all cores, few enough that photos do not wait long.
const TEXT_BATCH: usize = 32;

/// Number of requests with the largest number of sentences that may wait at the same time.
const TEXT_REQUESTS: usize = 4;

/// A model, its worker thread, and the state that its requests share.
pub(super) struct Engine {
    /// Its name in an address.
    key: String,
    name: String,
    model: Arc<ZeroShotModel>,
    /// Of requests that name none.
    scale: Scale,
    queue: Arc<Queue>,
    health: Arc<Health>,
    decoder: Decoder,
    /// For images that are decoded or wait.
    places: Semaphore,
    n_places: usize,
    classifiers: ByContent<Classifier>,
    scorers: ByContent<ConceptScorer>,
}

impl Engine {
    /// Loads a model, named as in `--model` of the other commands, and starts its thread. Requests call it by `key` or
    /// by its own name.
    ///
    /// # Errors
    /// The model cannot be loaded, or no thread started.
    pub(super) fn start(
        source: &str,
        key: &str,
        options: &InferOptions,
        limits: &Limits,
        metrics: &Arc<Metrics>,
    ) -> anyhow::Result<Self> {
        let (model, name) = options.model(source).load()?;
        check_finite(&model)?;
        options.scale.check(&model)?;
        dermake_models::warn_of(&model);
        let batching = Batching {
            max_images: options.max_batch as usize,
            max_texts: TEXT_BATCH,
            max_wait: options.batch_wait(),
            text_capacity: TEXT_REQUESTS * limits.max_prompts as usize,
        };
        let (model, queue, health) = (Arc::new(model), Arc::new(Queue::new(batching)), Arc::new(Health::default()));
        let worker = (model.clone(), queue.clone(), health.clone(), metrics.clone());
        thread::Builder::new().name(format!("model {key}")).spawn(move || {
            let (model, queue, health, metrics) = worker;
            worker::run(&model, &queue, &health, &metrics);
        })?;
        Ok(Self {
            key: key.to_owned(),
            name,
            decoder: Decoder::new(model.config.preprocess.clone(), limits.max_megapixels, options.decoders()),
            places: Semaphore::new(limits.queue_length as usize),
            n_places: limits.queue_length as usize,
            classifiers: ByContent::new(options.cached_classifiers as usize),
            scorers: ByContent::new(options.cached_classifiers as usize),
            model,
            scale: options.scale,
            queue,
            health,
        })
    }

    /// The scale of requests that name none.
    pub(super) fn scale(&self) -> Scale {
        self.scale
    }

    /// Returns the scale, if the model has it.
    ///
    /// # Errors
    /// [`Error::Scale`].
    pub(super) fn usable_scale(&self, scale: Scale) -> Result<Scale, Error> {
        scale.check(&self.model).map(|()| scale).map_err(Error::Scale)
    }

    /// The key and the own name of this model.
    pub(super) fn names(&self) -> [&str; 2] {
        [&self.key, &self.name]
    }

    /// Unit features `[B, E]` of photos.
    ///
    /// # Errors
    /// [`Error::Photo`] says what is wrong with the first photo that cannot be read; [`Error::QueueFull`],
    /// [`Error::NotFinite`].
    pub(super) async fn image_features(&self, photos: Vec<Bytes>) -> Result<Tensor, Error> {
        let n_photos = u32::try_from(photos.len()).unwrap_or(u32::MAX);
        let full = |_| Error::QueueFull { kind: "images", most: self.n_places };
        let _places = self.places.try_acquire_many(n_photos).map_err(full)?;
        let features = try_join_all(photos.into_iter().enumerate().map(async |(index, photo)| {
            let pixels = self.decoder.decode(photo).await.map_err(|err| match err {
                Error::Input(source) => Error::Photo { index, source },
                err => err,
            })?;
            received(self.queue.push_image(pixels)).await
        }));
        self.rows(features.await?)
    }

    /// Unit features `[n, E]` of texts.
    ///
    /// # Errors
    /// [`Error::QueueFull`] when they do not all fit.
    pub(super) async fn text_features(&self, texts: &[String]) -> Result<Tensor, Error> {
        // Texts of like length go together, so that little padding is computed.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&index| texts[index].len());
        let answers = self.queue.push_texts(order.iter().map(|&index| texts[index].clone()).collect())?;
        let mut features = vec![Feature::new(); texts.len()];
        for (index, feature) in order.into_iter().zip(try_join_all(answers.into_iter().map(received)).await?) {
            features[index] = feature;
        }
        self.rows(features)
    }

    /// Returns the classifier of these labels that came with the model: no sentence has to be encoded for it.
    pub(super) fn shipped_classifier(&self, labels: &LabelSet, templates: &Templates) -> Option<&Classifier> {
        self.model.shipped_classifier(labels, templates)
    }

    /// Returns the classifier of labels: the model's own, a cached one, or a new one, with a scale that
    /// [`Self::usable_scale`] has returned.
    pub(super) async fn classifier(
        &self,
        labels: &LabelSet,
        templates: &Templates,
        scale: Scale,
    ) -> Result<Classifier, Error> {
        let classifier = match self.shipped_classifier(labels, templates) {
            Some(shipped) => shipped.clone(),
            None => self.new_classifier(labels, templates).await?.as_ref().clone(),
        };
        scale.of(classifier, &self.model, templates).map_err(Error::Scale)
    }

    /// Returns a classifier of texts, cached or new.
    async fn new_classifier(&self, labels: &LabelSet, templates: &Templates) -> Result<Arc<Classifier>, Error> {
        let make = async {
            let prompts = Classifier::prompts(&labels.class_names, templates);
            Ok(Classifier::from_prompts(&labels.class_names, &self.text_features(&prompts).await?)?)
        };
        self.classifiers.get_or_make(cache::key(&[&labels.class_names, templates.as_slice()]), make).await
    }

    /// Returns the scorer of these concepts, cached or new, with a scale that [`Self::usable_scale`] has returned.
    pub(super) async fn scorer(&self, concepts: &[Concept], scale: Scale) -> Result<ConceptScorer, Error> {
        let templates = ConceptTemplates::skin();
        let make = async {
            let features = self.text_features(&ConceptScorer::prompts(concepts, &templates)).await?;
            Ok::<_, Error>(ConceptScorer::new(concepts, &templates, &features)?)
        };
        let content = concepts.iter().flat_map(|concept| [std::slice::from_ref(&concept.name), &concept.terms]);
        let content: Vec<&[String]> = content.collect();
        let scorer = self.scorers.get_or_make(cache::key(&content), make).await?;
        scale.of_concepts(scorer.as_ref().clone(), &self.model).map_err(Error::Scale)
    }

    /// Returns whether the model fails at everything. If it did at last, it computes a picture now: no request may come
    /// that would find out.
    pub(super) async fn is_failing(&self) -> bool {
        if !self.health.is_failing() {
            return false;
        }
        let side = self.model.config.preprocess.image_size;
        let Ok(black) = Tensor::zeros((3, side, side), DType::U8, &Device::Cpu) else { return true };
        received(self.queue.push_image(black)).await.is_err()
    }

    /// Images and texts that wait.
    pub(super) fn queue_lengths(&self) -> (usize, usize) {
        self.queue.lengths()
    }

    pub(super) fn n_abandoned(&self) -> u64 {
        self.queue.n_abandoned()
    }

    fn rows(&self, features: Vec<Feature>) -> Result<Tensor, Error> {
        let shape = (features.len(), self.model.config.embed_dim);
        Ok(Tensor::from_vec(features.concat(), shape, &Device::Cpu).map_err(shared_model::Error::from)?)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Runs both towers once, before the first request.
///
/// # Errors
/// If the result is not finite.
fn check_finite(model: &ZeroShotModel) -> anyhow::Result<()> {
    let size = model.config.preprocess.image_size;
    let gray = Tensor::zeros((1, 3, size, size), DType::F32, &Device::Cpu)?;
    let image = model.pixel_features(&gray)?;
    let text = model.encode_texts(&["skin".to_owned()], &mut |_, _| {})?;
    for (what, feature) in [("a gray picture", image), ("a word", text)] {
        let values: Vec<f32> = feature.to_device(&Device::Cpu)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?;
        anyhow::ensure!(
            values.iter().all(|value| value.is_finite()),
            "the model's answer to {what} is not finite; its weights are damaged, or need a higher precision"
        );
    }
    Ok(())
}

async fn received(answer: oneshot::Receiver<Result<Feature, Error>>) -> Result<Feature, Error> {
    answer.await.unwrap_or(Err(Error::Failed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_model_that_computes_again_is_found_without_a_request() {
        let options = InferOptions { device: Some("cpu".parse().unwrap()), ..InferOptions::DEFAULT };
        let metrics = Arc::new(Metrics::new());
        let engine = Engine::start("demo", "demo", &options, &Limits::DEFAULT, &metrics).unwrap();
        for _ in 0..3 {
            engine.health.count(&[Err(Error::Failed)]);
        }
        assert!(engine.health.is_failing());
        assert!(!engine.is_failing().await);
        assert!(!engine.health.is_failing());
    }
}
