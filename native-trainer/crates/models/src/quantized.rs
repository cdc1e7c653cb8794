//! The files of a quantized model, and the model on a device.

use crate::source::{LoadedModel, ModelSource};
use anyhow::{Context, Result, bail};
use bytes::Bytes;
use dermake_files::hash;
use shared_model::ZeroShotModel;
use shared_model::manifest::{FileRole, Manifest, ManifestFile};
use shared_model::weights::{Placement, foreign_text};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) const SLOWER_ON_GPU: &str = "this model is computed with candle's kernels, which are slower";

/// The files of a quantized model, each checked against its hash.
pub(crate) struct QuantizedFiles {
    pub manifest: Manifest,
    /// Where they are, for messages.
    folder: PathBuf,
    vision: Bytes,
    classifiers: Bytes,
    text: Bytes,
    tokenizer: BTreeMap<String, Bytes>,
}

impl QuantizedFiles {
    /// Reads all files. `read_file` returns a file's bytes by its name.
    ///
    /// # Errors
    /// When a file is missing or is not the one that the manifest names.
    pub fn read(folder: &Path, read_file: impl Fn(&str) -> Result<Bytes>) -> Result<Self> {
        let json = read_file(Manifest::FILE_NAME)?;
        let path = folder.join(Manifest::FILE_NAME);
        let manifest = Manifest::from_json(&json).with_context(|| format!("in {}", path.display()))?;
        let read_entry = |entry: &ManifestFile| checked(read_file(&entry.file)?, entry, &folder.join(&entry.file));
        let read = |role: FileRole| read_entry(manifest.file(role)?);
        let tokenizer = manifest.files_of(&[FileRole::Tokenizer])?;
        let tokenizer = tokenizer.into_iter().map(|entry| Ok((entry.file.clone(), read_entry(entry)?)));
        Ok(Self {
            vision: read(FileRole::Vision)?,
            classifiers: read(FileRole::Classifiers)?,
            text: read(FileRole::Text)?,
            tokenizer: tokenizer.collect::<Result<_>>()?,
            folder: folder.into(),
            manifest,
        })
    }

    /// Loads both towers onto the CPU or a CUDA device. They compute in f32, whatever dense ones would.
    pub fn on_candle(&self, placement: &Placement) -> Result<ZeroShotModel> {
        if !placement.device.is_cpu() {
            tracing::info!("{SLOWER_ON_GPU}: its weights are quantized");
        }
        let Self { manifest, vision, classifiers, text, tokenizer, .. } = self;
        let load = || {
            let placement = Placement { device: placement.device.clone(), ..Placement::default() };
            let mut model =
                ZeroShotModel::from_quantized(manifest, vision.clone(), classifiers.clone(), placement)?;
            model.add_text(text.clone(), tokenizer)?;
            Ok(model)
        };
        load().map_err(|err: shared_model::Error| anyhow::Error::new(err).context(self.place()))
    }

    /// Loads both towers onto the GPU `wgpu:index`.
    #[cfg(feature = "wgpu")]
    pub fn on_wgpu(&self, index: usize) -> Result<ZeroShotModel> {
        use dermake_wgpu::{Error, WgpuTowers};
        use shared_model::weights::Weights;
        let Self { manifest, vision, classifiers, text, tokenizer, .. } = self;
        let read = |bytes: &Bytes| Weights::from_safetensors(bytes.clone());
        let load = || -> Result<ZeroShotModel, Error> {
            let (config, text) = (manifest.clip_config()?, read(text)?);
            let towers = WgpuTowers::open(index, &config, &read(vision)?, &text)?;
            let gpu = towers.gpu();
            match gpu.is_software() {
                true => tracing::warn!("{} is no GPU: it runs on the CPU, slower than --device cpu", gpu.name()),
                false => tracing::info!("computing on {}", gpu.name()),
            }
            let (towers, classifiers) = (Box::new(towers), classifiers.clone());
            Ok(ZeroShotModel::from_quantized_engine(manifest, towers, classifiers, &text, tokenizer)?)
        };
        load().map_err(|err| match err {
            Error::Model(err) => anyhow::Error::new(err).context(self.place()),
            err => err.into(),
        })
    }

    #[cfg(not(feature = "wgpu"))]
    pub fn on_wgpu(&self, _index: usize) -> Result<ZeroShotModel> {
        bail!("this dermake was built without wgpu; build it with `cargo build --release --features wgpu`")
    }

    /// Returns the model that was loaded from these files.
    pub fn loaded(self: Box<Self>, model: ZeroShotModel) -> LoadedModel {
        let Self { manifest, .. } = *self;
        LoadedModel { model, name: manifest.name.clone(), source: ModelSource::Quantized(Box::new(manifest)) }
    }

    fn place(&self) -> String {
        format!("in {}", self.folder.display())
    }
}

/// Returns the bytes of a file if they are those that the manifest names.
fn checked(bytes: Bytes, entry: &ManifestFile, path: &Path) -> Result<Bytes> {
    if bytes.len() as u64 != entry.bytes {
        if let Some(found) = foreign_text(&bytes) {
            bail!("expected a file of the model, found {found}: {}", path.display());
        }
        bail!("file has {} bytes, the manifest says {}: {}", bytes.len(), entry.bytes, path.display());
    }
    let sha256 = hash::sha256(&bytes);
    if sha256 != entry.sha256 {
        bail!("file has SHA-256 {sha256}, the manifest says {}: {}", entry.sha256, path.display());
    }
    Ok(bytes)
}
