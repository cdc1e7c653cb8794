//! The folder of a trained model, as open_clip loads it: weights and config.

use super::model::TrainedModel;
use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use dermake_files::output;
use dermake_models::{CONFIG_FILE, NOTICE_KEY, WEIGHTS_FILE};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Prefix of a folder that is being written.
pub(super) const PARTIAL: &str = ".partial-";
/// Prefix of a folder that is being replaced.
pub(super) const PREVIOUS: &str = ".previous-";

/// Writes a model alone into a folder, which appears when it is complete; what was there is replaced.
///
/// # Errors
/// When it cannot be written, or a value is not finite; what was there is unchanged then.
pub(super) fn write_model(model: &TrainedModel, notice: Option<&str>, folder: &Path) -> Result<()> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or("model");
    let beside = |prefix: &str| folder.with_file_name(format!("{prefix}{name}"));
    let (partial, previous) = (beside(PARTIAL), beside(PREVIOUS));
    let write = || -> Result<()> {
        if partial.exists() {
            fs::remove_dir_all(&partial)?;
        }
        fs::create_dir_all(&partial)?;
        write_weights(model, notice, &partial)?;
        sync_all(&partial)
    };
    if let Err(err) = write() {
        let _ = fs::remove_dir_all(&partial); // what failed is already being reported
        return Err(err.context(format!("cannot save the model in {}", folder.display())));
    }
    exchange(&partial, folder, &previous)
}

/// Puts a new folder into the place of an older one, which is `previous` meanwhile.
///
/// # Errors
/// When a folder cannot be renamed or removed.
pub(super) fn exchange(partial: &Path, place: &Path, previous: &Path) -> Result<()> {
    let cannot = || format!("cannot replace {}", place.display());
    if place.exists() {
        if previous.exists() {
            fs::remove_dir_all(previous).with_context(cannot)?; // of a killed process
        }
        fs::rename(place, previous).with_context(cannot)?;
    }
    fs::rename(partial, place).with_context(cannot)?;
    if previous.exists() {
        fs::remove_dir_all(previous).with_context(cannot)?;
    }
    Ok(())
}

/// Writes weights and config.
///
/// # Errors
/// When a file cannot be written, or a value is not finite.
pub(super) fn write_weights(model: &TrainedModel, notice: Option<&str>, folder: &Path) -> Result<()> {
    check_finite(model)?;
    let weights = model.parameters().iter().map(|(name, value)| (name.clone(), value.clone()));
    write_tensors(weights, notice, &folder.join(WEIGHTS_FILE))?;
    let config = serde_json::to_vec_pretty(&model.config.to_open_clip_json())?;
    Ok(fs::write(folder.join(CONFIG_FILE), config)?)
}

/// Waits until the files of a folder are on the disk: a full one may show only now.
pub(super) fn sync_all(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        fs::File::open(entry?.path())?.sync_all()?;
    }
    Ok(())
}

/// Refuses weights that are not finite: they would replace a checkpoint that the run can continue from.
fn check_finite(model: &TrainedModel) -> Result<()> {
    if model.flat_parameters().sum_all()?.to_scalar::<f32>()?.is_finite() {
        return Ok(());
    }
    for (name, var) in model.parameters() {
        // With an axis: for a scalar, candle would allocate no bytes on a GPU, and the driver may refuse that.
        let sum = var.flatten_all()?.sum_all()?.to_scalar::<f32>()?;
        ensure!(sum.is_finite(), "{name} is not finite: the run has diverged");
    }
    Ok(())
}

/// Writes tensors as safetensors, with a notice about the model in its metadata.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write_tensors(
    tensors: impl Iterator<Item = (String, Tensor)>,
    notice: Option<&str>,
    path: &Path,
) -> Result<()> {
    let copy = |tensor: Tensor| match tensor.device() {
        Device::Cpu => tensor.contiguous(),
        // Copies only the view: `to_device` alone would copy the whole array behind it.
        _ => tensor.force_contiguous()?.to_device(&Device::Cpu),
    };
    let on_cpu = tensors.map(|(name, tensor)| Ok((name, copy(tensor)?)));
    let on_cpu: Vec<(String, Tensor)> = on_cpu.collect::<Result<_>>()?;
    // PyTorch's loaders need this entry.
    let mut metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
    metadata.extend(notice.map(|notice| (NOTICE_KEY.to_string(), notice.to_string())));
    let views = on_cpu.iter().map(|(name, tensor)| (name, tensor));
    safetensors::serialize_to_file(views, Some(metadata), path)
        .map_err(output::write_error)
        .with_context(|| format!("cannot write {}", path.display()))
}
