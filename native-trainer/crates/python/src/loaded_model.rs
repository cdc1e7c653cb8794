//! A loaded model and what it computes, without Python.

use crate::arrays::Matrix;
use crate::images::Images;
use crate::kept::{Kept, kept};
use anyhow::Result;
use candle_core::{Device, Tensor};
use dermake_features::{Encoder, FeatureStore, Identity, default_cache};
use dermake_models::options::ModelOptions;
use dermake_process::interrupt::{self, Interrupted};
use shared_model::ZeroShotModel;
use shared_model::concepts::{Concept, ConceptScorer};
use shared_model::labels::{LabelSet, Templates};
use shared_model::preprocess::Reading;
use shared_model::zero_shot::Classifier;
use std::sync::Arc;

/// Texts to encode between two looks at a request to stop.
const TEXTS_AT_ONCE: usize = 512;

/// A model, what it was loaded with, and the classifiers and scorers that it has made.
pub struct LoadedModel {
    pub model: ZeroShotModel,
    pub options: ModelOptions,
    pub name: String,
    classifiers: Kept<(Vec<String>, Vec<String>), Classifier>,
    scorers: Kept<Vec<String>, ConceptScorer>,
}

impl LoadedModel {
    /// Loads a model, and warns of what people must know about it.
    ///
    /// # Errors
    /// When it cannot be loaded.
    pub fn load(options: ModelOptions) -> Result<Self> {
        let (model, name) = options.load()?;
        dermake_models::warn_of(&model);
        Ok(Self { model, options, name, classifiers: Kept::default(), scorers: Kept::default() })
    }

    /// Features of images, `[n, E]`.
    pub fn features(&self, images: &Images, reading: Reading) -> Result<Matrix> {
        let n_images = images.images.len();
        let mut encoder = Encoder::new(&self.model, reading, None);
        let values = encoder.pictures(n_images, |index| images.decode(index, reading))?;
        Ok(Matrix { values, shape: [n_images, self.model.config.embed_dim] })
    }

    /// Features of texts in batches, between which a request to stop is noticed.
    pub fn text_features<T>(
        &self,
        texts: &[T],
        encode: impl Fn(&[T]) -> shared_model::Result<Tensor>,
    ) -> Result<Matrix> {
        let mut values = Vec::new();
        for texts in texts.chunks(TEXTS_AT_ONCE) {
            if interrupt::is_requested() {
                anyhow::bail!(Interrupted);
            }
            values.extend(encode(texts)?.to_device(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?);
        }
        Ok(Matrix { values, shape: [texts.len(), self.model.config.embed_dim] })
    }

    /// The classifier of these labels and templates.
    pub fn kept_classifier(&self, labels: &LabelSet, templates: &Templates) -> Result<Arc<Classifier>> {
        let key = (labels.class_names.clone(), templates.as_slice().to_vec());
        kept(&self.classifiers, key, || Ok(self.model.classifier(labels, templates, &mut |_, _| {})?))
    }

    /// What scores images for these concepts.
    pub fn kept_scorer(&self, concepts: &[Concept], reading: Reading) -> Result<Arc<ConceptScorer>> {
        let names = concepts.iter().map(|concept| concept.name.clone()).collect();
        kept(&self.scorers, names, || {
            Encoder::new(&self.model, reading, self.store(reading)?).concept_scorer(concepts, &mut |_, _| {})
        })
    }

    /// The cache of features, which the program uses, too.
    fn store(&self, reading: Reading) -> Result<Option<FeatureStore>> {
        let Some(cache) = default_cache() else { return Ok(None) };
        let identity = Identity::of(&self.options, &self.model, &self.name, reading)?;
        Ok(FeatureStore::open_cache(&cache, &identity))
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
