//! What a feature depends on besides the image: features of two identities are never mixed.

use crate::device::Precision;
use crate::hub::{self, WeightsKind};
use crate::model::{hex, map_file, sha256_hex};
use crate::options::ModelOptions;
use crate::{demo_model, model};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared_model::ZeroShotModel;
use shared_model::api::Manifest;
use shared_model::preprocess::Reading;
use std::path::Path;

/// Raised whenever the same weights give other features.
const ARITHMETIC: u32 = 3;

/// A model as a source of features.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Of weights and config, lower-case hexadecimal.
    pub model_sha256: String,
    /// For people.
    pub model_name: String,
    /// Length E of a feature.
    pub embed_dim: usize,
    pub precision: Precision,
    /// Whether images were read as photos: turned by their EXIF data, converted to sRGB.
    pub applies_exif: bool,
    arithmetic: u32,
}

impl Identity {
    /// Reads and hashes the model's files; those of the model inside the program are known.
    pub fn of(options: &ModelOptions, model: &ZeroShotModel, name: &str, reading: Reading) -> Result<Self> {
        Ok(Self {
            model_sha256: model_sha256(options, model)?,
            model_name: name.into(),
            embed_dim: model.config.embed_dim,
            precision: options.dtype,
            applies_exif: reading == Reading::Photo,
            arithmetic: ARITHMETIC,
        })
    }

    /// A name for a folder: other identities have other ones.
    pub fn key(&self) -> Result<String> {
        let hash = sha256_hex(&serde_json::to_vec(self)?);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let last = self.model_name.rsplit('/').next().unwrap_or_default();
        let name: String = last.chars().filter(|&c| is_plain(c)).take(40).collect();
        Ok(format!("{}-{}", name.trim_start_matches('.'), &hash[..16]))
    }
}

fn model_sha256(options: &ModelOptions, model: &ZeroShotModel) -> Result<String> {
    // A manifest has the hashes of all files of its model.
    if options.model == demo_model::NAME {
        return Ok(sha256_hex(&demo_model::read(Manifest::FILE_NAME)?));
    }
    let files = hub::resolve(&options.model)?;
    if files.weights_kind == WeightsKind::Quantized {
        let folder = files.weights.parent().unwrap_or(Path::new("."));
        return Ok(sha256_hex(&model::map_file(&folder.join(Manifest::FILE_NAME))?));
    }
    let mut hash = Sha256::new();
    hash.update(serde_json::to_vec(&model.config.to_open_clip_json()).context("cannot write the config")?);
    for file in files.weight_files() {
        hash.update(map_file(file)?);
    }
    Ok(hex(&hash.finalize()))
}
