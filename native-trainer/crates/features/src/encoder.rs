//! A model together with the features it has made.

use super::ranks::{RankGroup, encode_texts};
use super::store::FeatureStore;
use super::vision::Vision;
use anyhow::{Result, bail};
use candle_core::{Device, Tensor};
use dermake_models::texts::warn_of_cut;
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
    /// Texts encoded: prompts and captions.
    pub prompts_encoded: u64,
    /// Their encoding, wall clock.
    pub prompt_secs: f64,
}

/// A model with a cache of its features: cached ones are looked up, the others computed and stored.
pub struct Encoder<'a> {
    pub(super) vision: Vision<'a>,
    pub(super) store: Option<FeatureStore>,
    pub(super) ranks: RankGroup,
    pub effort: Effort,
}

impl<'a> Encoder<'a> {
    /// Without a store, nothing is kept.
    pub fn new(model: &'a ZeroShotModel, reading: Reading, store: Option<FeatureStore>) -> Self {
        Self { vision: Vision::new(model, reading), store, ranks: RankGroup::alone(), effort: Effort::default() }
    }

    /// The same that computes with other ranks, which have loaded this model.
    pub fn with_ranks(self, ranks: &RankGroup) -> Self {
        Self { ranks: ranks.clone(), ..self }
    }

    /// The store of features.
    pub fn store(&self) -> Option<&FeatureStore> {
        self.store.as_ref()
    }

    pub fn model(&self) -> &'a ZeroShotModel {
        self.vision.model
    }

    /// Returns unit features `[n, E]` f32 of texts; calls `progress` with the number of encoded texts. Warns of texts that
    /// are cut.
    ///
    /// # Errors
    /// [`Interrupted`](dermake_process::interrupt::Interrupted) after a request to stop; when the store cannot be read or
    /// written; when the model fails.
    pub fn texts(&mut self, texts: &[String], progress: &mut dyn FnMut(usize, usize)) -> Result<Tensor> {
        warn_of_cut(self.model(), texts);
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
            let values = self.encode_texts(&texts, progress)?;
            let rows: Vec<Vec<f32>> = values.chunks_exact(self.embed_dim()).map(<[f32]>::to_vec).collect();
            if let Some(store) = &mut self.store {
                store.add(&contents, &rows.concat())?;
                store.save()?;
            }
            self.effort.prompts_encoded += texts.len() as u64;
            known.extend(contents.into_iter().zip(rows));
        }
        self.effort.prompt_secs += started.elapsed().as_secs_f64();
        let values: Vec<f32> = contents.iter().flat_map(|content| &known[content]).copied().collect();
        Ok(Tensor::from_vec(values, (texts.len(), self.embed_dim()), &Device::Cpu)?)
    }

    /// `[n, E]` row-major, on all ranks.
    fn encode_texts(&self, texts: &[String], progress: &mut dyn FnMut(usize, usize)) -> Result<Vec<f32>> {
        let own = self.ranks.send_texts(texts)?;
        let n_ranks = self.ranks.size();
        let mut of_all = |n_done: usize, _: usize| progress((n_done * n_ranks).min(texts.len()), texts.len());
        let encoded = encode_texts(self.model(), own, &mut of_all, true);
        let (all, _) = self.ranks.receive(encoded, self.embed_dim())?;
        match all.features.len() == texts.len() * self.embed_dim() {
            true => Ok(all.features),
            false => bail!("the text towers gave {} values for {} texts", all.features.len(), texts.len()),
        }
    }

    pub(super) fn embed_dim(&self) -> usize {
        self.vision.model.config.embed_dim
    }
}

/// Key of a text; no file has this content.
fn text_content(text: &str) -> [u8; 32] {
    Sha256::new().chain_update("dermake text\0").chain_update(text).finalize().into()
}
