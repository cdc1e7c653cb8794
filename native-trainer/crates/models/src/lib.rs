//! Loads the model that the user named.

#![deny(clippy::print_stdout, clippy::print_stderr)] // they panic; `dermake_process::print` does not

mod checkpoint;
pub mod init;
pub mod manifest_folder;
mod mapped;
pub mod options;
mod quantized;
pub mod scale;
mod source;
pub mod texts;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
pub use checkpoint::{CONFIG_FILE, Checkpoint, NOTICE_KEY, NoConfig, WEIGHTS_FILE};
use dermake_engine::InferenceTowers;
pub use dermake_hub::demo_model;
pub use dermake_hub::title_of;
use dermake_hub::{ModelFiles, WeightsKind};
pub use mapped::map_file;
use quantized::QuantizedFiles;
use shared_model::config::ClipConfig;
use shared_model::weights::Placement;
use shared_model::{Clip, ZeroShotModel};
pub use source::{LoadedModel, ModelSource, StampedFiles};
use std::path::Path;

/// Loads the model that `--model` names.
///
/// Returns the model and its name.
pub fn load(model: &str, architecture: Option<&str>, placement: &Placement) -> Result<(ZeroShotModel, String)> {
    let LoadedModel { model, name, .. } = open(model, architecture, placement)?;
    Ok((model, name))
}

/// As [`load`]; returns also what the model was loaded from.
fn open(model: &str, architecture: Option<&str>, placement: &Placement) -> Result<LoadedModel> {
    let files = match Source::find(model, architecture)? {
        Source::Quantized(files) => return files.on_candle(placement).map(|model| files.loaded(model)),
        Source::Dense(files) => files,
    };
    let source = ModelSource::Dense(StampedFiles::of(&files)?);
    let checkpoint = Checkpoint::open(&files, architecture)?;
    let tokenizer = checkpoint.tokenizer()?;
    let Checkpoint { config, name, notice, weights, is_trained, .. } = checkpoint;
    let place = || format!("in {}", files.weights.display());
    let mut model = if has_kernels(&config, placement) {
        let towers = InferenceTowers::load(&weights, &config, placement).with_context(place)?;
        ZeroShotModel::from_engine(Box::new(towers), config, tokenizer, is_trained, placement.clone())
            .with_logit_scale_of(&weights)?
    } else {
        let clip = Clip::load(weights, &config, placement).with_context(place)?;
        ZeroShotModel::from_clip(clip, tokenizer, is_trained, placement.clone())
    };
    model.notice = notice;
    Ok(LoadedModel { model, name, source })
}

/// Loads the model that `--model` names, an int8 one, onto the GPU `wgpu:index`.
///
/// # Errors
/// When the GPU cannot be used, or its kernels cannot compute the model: nothing else computes it instead.
fn open_on_wgpu(model: &str, architecture: Option<&str>, index: usize) -> Result<LoadedModel> {
    match Source::find(model, architecture)? {
        Source::Quantized(files) => files.on_wgpu(index).map(|model| files.loaded(model)),
        Source::Dense(_) => bail!(
            "the device wgpu computes int8 models; `dermake quantize` makes one, or compute with --device cpu: {model}"
        ),
    }
}

/// The files that `--model` names.
enum Source {
    Quantized(Box<QuantizedFiles>),
    Dense(Box<ModelFiles>),
}

impl Source {
    fn find(model: &str, architecture: Option<&str>) -> Result<Self> {
        let without_architecture = || match architecture {
            Some(given) => bail!("a quantized model has its own architecture; leave out {given}: {model}"),
            None => Ok(()),
        };
        if demo_model::is_name(model) {
            without_architecture()?;
            let files = QuantizedFiles::read(Path::new(demo_model::NAME), demo_model::read)?;
            return Ok(Self::Quantized(Box::new(files)));
        }
        let files = dermake_hub::resolve(model)?;
        if files.weights_kind == WeightsKind::Quantized {
            without_architecture()?;
            let folder = files.weights.parent().unwrap_or(Path::new("."));
            let files = QuantizedFiles::read(folder, |file| read_file(&folder.join(file)))?;
            return Ok(Self::Quantized(Box::new(files)));
        }
        Ok(Self::Dense(Box::new(files)))
    }
}

/// Whether the device is a GPU on which the trainer's kernels compute the model. Other models use candle's there, which
/// the log says.
fn has_kernels(config: &ClipConfig, placement: &Placement) -> bool {
    #[cfg(feature = "cuda")]
    if placement.device.is_cuda() {
        let checked = match config.is_plain() {
            true => dermake_engine::cuda::check_heads(config, placement.dtype),
            false => Err(anyhow::anyhow!("it is not one of open_clip's own ViT-CLIP models")),
        };
        return match checked {
            Ok(()) => true,
            Err(why) => {
                tracing::info!("{}: {why}", quantized::SLOWER_ON_GPU);
                false
            }
        };
    }
    let _ = (config, placement);
    false
}

/// Warns if the model is untrained or has a notice.
pub fn warn_of(model: &ZeroShotModel) {
    if !model.is_trained {
        tracing::warn!("this model was never trained: its answers mean nothing");
    } else if let Some(notice) = &model.notice {
        tracing::warn!("{notice}");
    }
}

/// Reads a file of a quantized model. Its layers compute with these bytes for as long as the model is there, whatever
/// becomes of the file: a map would end the process if the file is cut, and change the weights if it is written over.
fn read_file(path: &Path) -> Result<Bytes> {
    let content = std::fs::read(path).with_context(|| format!("cannot open {}", path.display()))?;
    Ok(content.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use demo_model::{NAME, is_name, read};

    #[test]
    fn a_quantized_model_computes_in_f32_whatever_is_asked_for() {
        let halves = dermake_device::placement("cpu".parse().unwrap(), "bf16".parse().unwrap()).unwrap();
        let (model, _) = load(NAME, None, &halves).unwrap();
        assert_eq!(model.placement().dtype, Placement::default().dtype);
        assert_ne!(model.placement().dtype, halves.dtype);
    }

    #[test]
    fn the_demo_model_loads_whole_and_says_what_it_is() {
        let (model, _) = load(NAME, None, &Placement::default()).unwrap();
        assert!(model.is_trained && model.has_text());
        assert!(model.notice.unwrap().contains("drawn"));
        assert!(is_name("Demo") && !is_name("demos") && !is_name("./demo"));
        assert!(read("../secret").unwrap_err().to_string().contains("no such file"));
    }
}
