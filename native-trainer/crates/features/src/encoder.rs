//! A model together with the features it has made.

use super::batch_size::BatchSize;
use super::store::FeatureStore;
use anyhow::Result;
use candle_core::{Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared_model::ZeroShotModel;
use shared_model::preprocess::Reading;
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

/// Counts and times of getting features.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Effort {
    /// Images read and encoded now.
    pub images_encoded: u64,
    /// Images whose features were cached.
    pub images_at_hand: u64,
    /// Looking up, reading, decoding and encoding of images, wall clock.
    pub image_secs: f64,
    pub prompts_encoded: u64,
    pub prompt_secs: f64,
}

/// A model with a cache of its features: cached ones are looked up, the others computed and stored.
pub struct Encoder<'a> {
    pub(super) model: &'a ZeroShotModel,
    pub(super) reading: Reading,
    pub(super) store: Option<FeatureStore>,
    pub(super) batch_size: BatchSize,
    pub effort: Effort,
}

impl<'a> Encoder<'a> {
    /// Without a store, nothing is kept.
    pub fn new(model: &'a ZeroShotModel, reading: Reading, store: Option<FeatureStore>) -> Self {
        let batch_size = BatchSize::for_model(&model.config, model.placement());
        Self { model, reading, store, batch_size, effort: Effort::default() }
    }

    /// The store of features.
    pub fn store(&self) -> Option<&FeatureStore> {
        self.store.as_ref()
    }

    pub fn model(&self) -> &'a ZeroShotModel {
        self.model
    }

    /// Returns unit features `[n, E]` f32 of texts; calls `progress` with the number of encoded texts.
    pub fn texts(&mut self, texts: &[String], progress: &mut dyn FnMut(usize, usize)) -> Result<Tensor> {
        let started = Instant::now();
        let contents: Vec<[u8; 32]> = texts.iter().map(|text| text_content(text)).collect();
        let mut known: HashMap<[u8; 32], Vec<f32>> = HashMap::new();
        if let Some(store) = &self.store {
            let features = store.features()?;
            let at_hand = |content: &[u8; 32]| Some((*content, features.row(store.row(content)?).to_vec()));
            known.extend(contents.iter().filter_map(at_hand));
        }
        let mut missing: BTreeMap<[u8; 32], String> = BTreeMap::new(); // in the same order each time
        for (content, text) in contents.iter().zip(texts) {
            if !known.contains_key(content) {
                missing.insert(*content, text.clone());
            }
        }
        if !missing.is_empty() {
            let (contents, texts): (Vec<_>, Vec<_>) = missing.into_iter().unzip();
            let rows: Vec<Vec<f32>> = self.model.encode_texts(&texts, progress)?.to_vec2()?;
            if let Some(store) = &mut self.store {
                store.add(&contents, &rows.concat())?;
                store.save()?;
            }
            self.effort.prompts_encoded += texts.len() as u64;
            known.extend(contents.into_iter().zip(rows));
        }
        self.effort.prompt_secs += started.elapsed().as_secs_f64();
        let values: Vec<f32> = contents.iter().flat_map(|content| &known[content]).copied().collect();
        Ok(Tensor::from_vec(values, (texts.len(), self.model.config.embed_dim), &Device::Cpu)?)
    }
}

/// Key of a text; no file has this content.
fn text_content(text: &str) -> [u8; 32] {
    Sha256::new().chain_update("dermake text\0").chain_update(text).finalize().into()
}
