//! A loaded model and what it computes, without Python.

use crate::arrays::Matrix;
use crate::images::Images;
use crate::kept::{Kept, kept};
use anyhow::Result;
use candle_core::Tensor;
use dermake_features::{Encoder, FeatureStore, Identity, default_cache, encode_batches};
use dermake_models::options::ModelOptions;
use dermake_models::{LoadedModel as Loaded, texts};
use shared_model::concepts::{Concept, ConceptScorer};
use shared_model::labels::{LabelSet, Templates};
use shared_model::preprocess::Reading;
use shared_model::zero_shot::Classifier;
use shared_model::{TextBatches, ZeroShotModel};
use std::sync::{Arc, Mutex, PoisonError};

/// A model, what it was loaded with, and the classifiers and scorers that it has made.
pub struct LoadedModel {
    loaded: Loaded,
    options: ModelOptions,
    /// The same with a path from the root.
    absolute: ModelOptions,
    /// Known from the first use of the cache on.
    identity: Mutex<Option<Identity>>,
    classifiers: Kept<(Vec<String>, Vec<String>), Classifier>,
    scorers: Kept<Vec<String>, ConceptScorer>,
}

impl LoadedModel {
    /// Loads a model, and warns of what people must know about it.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub fn load(options: ModelOptions) -> Result<Self> {
        let absolute = options.absolute();
        let loaded = options.open()?;
        dermake_models::warn_of(&loaded.model);
        let (classifiers, scorers) = (Kept::default(), Kept::default());
        Ok(Self { loaded, options, absolute, identity: Mutex::default(), classifiers, scorers })
    }

    pub fn model(&self) -> &ZeroShotModel {
        &self.loaded.model
    }

    pub fn name(&self) -> &str {
        &self.loaded.name
    }

    /// Returns the options that load this model again: those that were given, unless the current folder is another one
    /// since.
    pub fn options(&self) -> &ModelOptions {
        if self.options.absolute().model == self.absolute.model { &self.options } else { &self.absolute }
    }

    /// Features of images, `[n, E]`.
    pub fn features(&self, images: &Images, reading: Reading) -> Result<Matrix> {
        let n_images = images.images.len();
        let mut encoder = Encoder::new(self.model(), reading, None);
        let values = encoder.pictures(n_images, |index| images.decode(index, reading))?;
        Ok(self.matrix(values, n_images))
    }

    /// Features of normalized pixels, `[B, 3, S, S]`.
    pub fn pixel_features(&self, pixel_values: &Tensor) -> Result<Matrix> {
        let values = Encoder::new(self.model(), Reading::Reference, None).pixel_values(pixel_values)?;
        Ok(self.matrix(values, pixel_values.dim(0)?))
    }

    /// Features of texts.
    pub fn text_features(&self, texts: &[String]) -> Result<Matrix> {
        self.encoded(self.model().text_batches(texts)?)
    }

    /// Features of token rows.
    pub fn id_features(&self, input_ids: &[Vec<u32>]) -> Result<Matrix> {
        self.encoded(self.model().id_batches(input_ids)?)
    }

    fn encoded(&self, batches: TextBatches<'_>) -> Result<Matrix> {
        if batches.n_distinct() == 0 {
            return Ok(self.matrix(Vec::new(), 0));
        }
        Matrix::of(&encode_batches(batches, &mut |_, _| {})?)
    }

    fn matrix(&self, values: Vec<f32>, n_rows: usize) -> Matrix {
        Matrix { values, shape: [n_rows, self.model().config.embed_dim] }
    }

    /// The classifier of these labels and templates.
    pub fn kept_classifier(&self, labels: &LabelSet, templates: &Templates) -> Result<Arc<Classifier>> {
        let key = (labels.class_names.clone(), templates.as_slice().to_vec());
        kept(&self.classifiers, key, || {
            if let Some(shipped) = self.model().shipped_classifier(labels, templates) {
                return Ok(shipped.clone());
            }
            let prompts = Classifier::prompts(&labels.class_names, templates);
            texts::warn_of_cut(self.model(), &prompts);
            let features = encode_batches(self.model().text_batches(&prompts)?, &mut |_, _| {})?;
            Ok(Classifier::from_prompts(&labels.class_names, &features)?)
        })
    }

    /// What scores images for these concepts.
    pub fn kept_scorer(&self, concepts: &[Concept], reading: Reading) -> Result<Arc<ConceptScorer>> {
        let names = concepts.iter().map(|concept| concept.name.clone()).collect();
        kept(&self.scorers, names, || {
            Encoder::new(self.model(), reading, self.store(reading)).concept_scorer(concepts, &mut |_, _| {})
        })
    }

    /// The cache of features, which the program uses, too; `None` without a folder for it, and if the model's files have
    /// changed before the first use: whose features these are is then not known.
    fn store(&self, reading: Reading) -> Option<FeatureStore> {
        let cache = default_cache()?;
        match self.identity(reading) {
            Ok(identity) => FeatureStore::open_cache(&cache, &identity),
            Err(err) => {
                tracing::info!("features are not cached: {err:#}");
                None
            }
        }
    }

    /// Which model this is. Its files are hashed once.
    fn identity(&self, reading: Reading) -> Result<Identity> {
        let mut known = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = match known.take() {
            Some(identity) => identity,
            None => Identity::of(&self.options, &self.loaded, reading)?,
        };
        Ok(known.insert(identity.with_reading(reading)).clone())
    }
}

/// Answers each image by itself, so that the last bits do not depend on the others.
pub fn of_each<T>(features: &Tensor, answer: impl Fn(&Tensor) -> shared_model::Result<Vec<T>>) -> Result<Vec<T>> {
    let mut answers = Vec::new();
    for index in 0..features.dim(0)? {
        answers.extend(answer(&features.narrow(0, index, 1)?)?);
    }
    Ok(answers)
}
