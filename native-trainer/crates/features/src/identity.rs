//! What a feature depends on besides the image. Features of two identities are never mixed.

use anyhow::{Context, Result};
use dermake_device::Precision;
use dermake_files::hash;
use dermake_models::options::ModelOptions;
use dermake_models::{LoadedModel, ModelSource};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shared_model::manifest::Manifest;
use shared_model::preprocess::Reading;

/// Increased whenever the same weights give other features.
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
    /// Whether images were read as photos: turned by their EXIF data and converted to sRGB.
    pub applies_exif: bool,
    arithmetic: u32,
}

impl Identity {
    /// Returns the identity of a model that was loaded with these options. The files of a checkpoint are read and hashed;
    /// the manifest of a quantized model has the hashes of its files.
    ///
    /// # Errors
    /// When a file of the checkpoint has changed since the model was loaded.
    pub fn of(options: &ModelOptions, loaded: &LoadedModel, reading: Reading) -> Result<Self> {
        Ok(Self {
            model_sha256: model_sha256(loaded)?,
            model_name: loaded.name.clone(),
            embed_dim: loaded.model.config.embed_dim,
            precision: options.dtype,
            applies_exif: false,
            arithmetic: ARITHMETIC,
        }
        .with_reading(reading))
    }

    /// Returns the identity of the same model with images that are read in this way.
    pub fn with_reading(self, reading: Reading) -> Self {
        Self { applies_exif: reading == Reading::Photo, ..self }
    }

    /// Describes how the model `self` differs from that of `kept` features; `None` if they are the same.
    pub fn difference(&self, kept: &Self) -> Option<String> {
        let precision = |identity: &Self| format!("{:?}", identity.precision).to_lowercase();
        let mut differing = Vec::new();
        if self.model_sha256 != kept.model_sha256 || self.embed_dim != kept.embed_dim {
            let name = &kept.model_name;
            differing.push(match *name == self.model_name {
                true => format!("another model of the same name, {name}"),
                false => format!("another model, {name} (this one is {})", self.model_name),
            });
        } else if self.model_name != kept.model_name {
            differing.push(format!("a model called {} (this one is called {})", kept.model_name, self.model_name));
        }
        if self.precision != kept.precision {
            differing.push(format!("--dtype {} (this is {})", precision(kept), precision(self)));
        }
        if self.applies_exif != kept.applies_exif {
            differing.push("images with another reading of their EXIF data".into());
        }
        if self.arithmetic != kept.arithmetic {
            differing.push("another version of dermake".into());
        }
        (!differing.is_empty()).then(|| differing.join(" and of "))
    }

    /// A name for a folder: other identities have other ones.
    pub fn key(&self) -> Result<String> {
        let hash = hash::sha256(serde_json::to_vec(self)?);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let last = self.model_name.rsplit('/').next().unwrap_or_default();
        let name: String = last.chars().filter(|&c| is_plain(c)).take(40).collect();
        Ok(format!("{}-{}", name.trim_start_matches('.'), &hash[..16]))
    }
}

fn model_sha256(loaded: &LoadedModel) -> Result<String> {
    let files = match &loaded.source {
        ModelSource::Quantized(manifest) => return manifest_sha256(Manifest::clone(manifest)),
        ModelSource::Dense(files) => files,
    };
    let mut hash = Sha256::new();
    hash.update(serde_json::to_vec(&loaded.model.config.to_json()).context("cannot write the config")?);
    files.each(|bytes| hash.update(bytes))?;
    Ok(format!("{:x}", hash.finalize()))
}

/// Returns the hash of a quantized model, of which its manifest has the hashes of all files. What is measured later, by
/// `dermake calibrate` and `dermake card`, does not change it: features do not depend on that.
///
/// # Errors
/// Only if the program is damaged.
pub fn manifest_sha256(manifest: Manifest) -> Result<String> {
    let lasting = Manifest { calibrations: Vec::new(), card: None, ..manifest };
    Ok(hash::sha256(serde_json::to_vec(&lasting).context("cannot write the manifest")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dermake_models::demo_model;
    use dermake_models::manifest_folder::manifest_of;

    #[test]
    fn what_is_measured_of_a_model_does_not_change_its_identity() {
        let demo = manifest_of(demo_model::NAME).unwrap();
        let bare = Manifest { calibrations: Vec::new(), card: None, ..demo.clone() };
        assert_ne!(demo, bare, "the demo model has a calibration and a card");
        let sha256 = |manifest: &Manifest| manifest_sha256(manifest.clone()).unwrap();
        assert_eq!(sha256(&demo), sha256(&bare));
        assert_ne!(sha256(&demo), sha256(&Manifest { name: "another".into(), ..bare }));
    }

    #[test]
    fn the_identity_is_that_of_the_model_in_memory() {
        let (demo, moved) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let manifest = manifest_of(demo_model::NAME).unwrap();
        for name in manifest.files.iter().map(|file| file.file.as_str()).chain([Manifest::FILE_NAME]) {
            std::fs::write(demo.path().join(name), demo_model::read(name).unwrap()).unwrap();
        }
        let options = ModelOptions {
            model: demo.path().to_str().unwrap().into(),
            arch: None,
            device: "cpu".parse().unwrap(),
            dtype: Precision::F32,
        };
        let loaded = options.open().unwrap();
        std::fs::rename(demo.path(), moved.path().join("model")).unwrap();
        let identity = Identity::of(&options, &loaded, Reading::Photo).unwrap();
        assert_eq!(identity.model_sha256, manifest_sha256(manifest).unwrap());
        assert!(identity.applies_exif && !identity.with_reading(Reading::Reference).applies_exif);
    }

    #[test]
    fn what_differs_is_named() {
        let demo = Identity {
            model_sha256: "a".into(),
            model_name: "demo".into(),
            embed_dim: 64,
            precision: Precision::F32,
            applies_exif: true,
            arithmetic: ARITHMETIC,
        };
        assert_eq!(demo.difference(&demo), None);
        let difference = |kept: Identity| demo.difference(&kept).unwrap();
        let bf16 = Identity { precision: Precision::Bf16, ..demo.clone() };
        assert_eq!(difference(bf16), "--dtype bf16 (this is f32)");
        let make = Identity { model_sha256: "b".into(), model_name: "make".into(), ..demo.clone() };
        assert_eq!(difference(make.clone()), "another model, make (this one is demo)");
        let both = Identity { model_name: "demo".into(), arithmetic: 1, ..make };
        assert_eq!(difference(both), "another model of the same name, demo and of another version of dermake");
    }
}
