//! Checkpoints of a run: a model that open_clip loads as it is, and the state to continue from.
//!
//! A checkpoint is a folder, `RUN/checkpoints/NAME`, written under another name and then renamed. While `last` is
//! replaced by a newer one, the older is `.previous-last`, so that one of them is complete at any moment.

use super::adapters::Adapters;
use super::loop_state::LoopState;
use super::model::TrainedModel;
use super::model_folder::{PARTIAL, PREVIOUS, exchange, sync_all, write_tensors, write_weights};
use super::optimizer::AdamW;
use anyhow::{Context, Result, anyhow, bail, ensure};
use candle_core::{Device, Tensor};
use dermake_files::text_file;
use dermake_models::{WEIGHTS_FILE, map_file};
use shared_model::Error;
use shared_model::weights::FileTensors;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const OPTIMIZER_FILE: &str = "optimizer.safetensors";
const STATE_FILE: &str = "state.json";
/// Prefix of the adapters' names beside the optimizer's moments.
const ADAPTER: &str = "adapter.";
/// The newest checkpoint of a run.
pub const LAST: &str = "last";
/// The checkpoint with the lowest validation loss, or the best figure of early stopping.
pub const BEST: &str = "best";
/// Prefix of the step in the name of a checkpoint that is kept for good.
pub const KEPT: &str = "step-";

/// The checkpoints of one run.
pub struct Checkpoints {
    folder: PathBuf,
    /// The notice about the model that each of them has.
    notice: Option<String>,
}

impl Checkpoints {
    /// The checkpoints below a run's folder.
    pub fn of(run: &Path, notice: Option<String>) -> Self {
        Self { folder: run.join("checkpoints"), notice }
    }

    /// Makes their folder if it is not there, and cleans up after a kill.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn open(&self) -> Result<()> {
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot create {}", self.folder.display()))?;
        self.tidy_up()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The newest checkpoint's state, if there is one.
    pub fn last_state(&self) -> Result<Option<LoopState>> {
        let path = self.path(LAST).join(STATE_FILE);
        if !self.path(LAST).exists() {
            return Ok(None);
        }
        let read = || -> Result<LoopState> {
            let json = text_file::read(&path)?;
            serde_json::from_str(&json).with_context(|| format!("in {}", path.display()))
        };
        read().map(Some).with_context(|| self.unusable_last())
    }

    /// Returns the names of the run's checkpoints other than the newest.
    pub fn others(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.filter(|name| name == BEST || name.starts_with(KEPT)).collect();
        names.sort_unstable();
        names
    }

    /// Returns whether a run has begun to save its checkpoints here.
    pub fn are_begun(&self) -> bool {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        names.any(|name| {
            let name = name.strip_prefix(PARTIAL).or(name.strip_prefix(PREVIOUS)).unwrap_or(&name);
            name == LAST || name == BEST || name.starts_with(KEPT)
        })
    }

    /// Says what to do about a newest checkpoint that cannot be read.
    fn unusable_last(&self) -> String {
        let copy = match self.others().pop() {
            Some(other) => format!("put a copy of the folder {other} in its place, or "),
            None => String::new(),
        };
        format!(
            "the checkpoint {LAST} cannot be used; {copy}begin anew with another --out: {}",
            self.path(LAST).display()
        )
    }

    /// Writes a checkpoint; replaces an older one of this name when the new one is complete.
    ///
    /// # Errors
    /// If it cannot be written, for example on a full disk; the older one is unchanged then.
    pub fn save(&self, name: &str, model: &TrainedModel, optimizer: &AdamW, state: &LoopState) -> Result<()> {
        let partial = self.folder.join(format!("{PARTIAL}{name}"));
        let written = self.write(&partial, model, optimizer, state);
        if let Err(err) = written {
            let _ = fs::remove_dir_all(&partial); // what failed is already being reported
            return Err(err.context(format!("cannot save checkpoint {name} in {}", self.folder.display())));
        }
        exchange(&partial, &self.path(name), &self.previous(name))
            .with_context(|| format!("cannot put checkpoint {name} into {}", self.folder.display()))
    }

    /// Replaces the state of the newest checkpoint, whose weights stay.
    ///
    /// # Errors
    /// If it cannot be written; the older one is unchanged then.
    pub fn update_last(&self, state: &LoopState) -> Result<()> {
        let folder = self.path(LAST);
        let partial = folder.join(format!("{PARTIAL}{STATE_FILE}"));
        let write = || -> Result<()> {
            fs::write(&partial, serde_json::to_vec_pretty(state)?)?;
            fs::File::open(&partial)?.sync_all()?;
            Ok(fs::rename(&partial, folder.join(STATE_FILE))?)
        };
        write().with_context(|| {
            let _ = fs::remove_file(&partial); // what failed is already being reported
            format!("cannot save the state of checkpoint {LAST} in {}", self.folder.display())
        })
    }

    fn write(&self, folder: &Path, model: &TrainedModel, optimizer: &AdamW, state: &LoopState) -> Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder)?;
        write_weights(model, self.notice.as_deref(), folder)?;
        let mut states = optimizer.state()?;
        if let Some(adapters) = model.adapters() {
            states
                .extend(adapters.tensors()?.into_iter().map(|(name, tensor)| (format!("{ADAPTER}{name}"), tensor)));
        }
        write_tensors(states.into_iter(), None, &folder.join(OPTIMIZER_FILE))?;
        fs::write(folder.join(STATE_FILE), serde_json::to_vec_pretty(state)?)?;
        sync_all(folder)
    }

    fn previous(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{PREVIOUS}{name}"))
    }

    /// Cleans up after a kill: removes unfinished checkpoints, and restores the one that was being replaced.
    fn tidy_up(&self) -> Result<()> {
        let cannot = || format!("cannot tidy up the checkpoints in {}", self.folder.display());
        for entry in fs::read_dir(&self.folder).with_context(cannot)? {
            let (file_name, left) = entry.map(|entry| (entry.file_name(), entry.path())).with_context(cannot)?;
            let file_name = file_name.to_string_lossy();
            if file_name.starts_with(PARTIAL) {
                fs::remove_dir_all(&left).with_context(cannot)?;
            } else if let Some(name) = file_name.strip_prefix(PREVIOUS) {
                let place = self.path(name);
                if place.exists() { fs::remove_dir_all(&left) } else { fs::rename(&left, &place) }
                    .with_context(cannot)?;
            }
        }
        Ok(())
    }

    /// Loads weights and optimizer from the newest checkpoint, whose state is `state`.
    ///
    /// # Errors
    /// When it is damaged or belongs to another model; nothing has changed then.
    pub fn restore(&self, model: &TrainedModel, optimizer: &mut AdamW, state: &LoopState) -> Result<()> {
        self.restore_tensors(model, optimizer, state).with_context(|| self.unusable_last())
    }

    fn restore_tensors(&self, model: &TrainedModel, optimizer: &mut AdamW, state: &LoopState) -> Result<()> {
        let folder = self.path(LAST);
        let read = |file: &str| -> Result<BTreeMap<String, Tensor>> {
            let path = folder.join(file);
            let tensors = FileTensors::read(map_file(&path)?).and_then(|file| file.to_tensors());
            let tensors = tensors.map_err(|err| match err {
                // It was never downloaded, as the error's own advice has it.
                Error::CutShort { found_bytes, expected_bytes } => {
                    anyhow!("the file is cut short: it has {found_bytes} bytes, expected {expected_bytes}")
                }
                err => err.into(),
            });
            tensors.with_context(|| format!("in {}", path.display()))
        };
        let weights = read(WEIGHTS_FILE)?;
        for (name, var) in model.parameters() {
            let found = weights.get(name).map(Tensor::dims);
            if found != Some(var.dims()) {
                bail!("{name} is {found:?}, expected {:?}: {}", var.dims(), folder.display());
            }
        }
        let states = read(OPTIMIZER_FILE)?;
        optimizer
            .restore(&states, state.optimizer_steps.unwrap_or(state.step))
            .with_context(|| format!("in {}", folder.display()))?;
        if let Some(adapters) = model.adapters() {
            restore_adapters(model, adapters, &states, &weights)
                .with_context(|| format!("in {}", folder.display()))?;
            return model.refresh();
        }
        for name in model.parameters().keys() {
            model.set_parameter(name, &weights[name])?;
        }
        model.refresh()
    }
}

/// Sets the adapters, merges them with the weights that the recipe starts from, and compares with the merged `weights`.
fn restore_adapters(
    model: &TrainedModel,
    adapters: &Adapters,
    states: &BTreeMap<String, Tensor>,
    weights: &BTreeMap<String, Tensor>,
) -> Result<()> {
    let of_adapters = states.iter().filter_map(|(name, value)| Some((name.strip_prefix(ADAPTER)?, value)));
    adapters.set(&of_adapters.map(|(name, value)| (name.to_string(), value.clone())).collect())?;
    adapters.merge(model.flat_parameters())?;
    for (name, parameter) in model.parameters() {
        let merged = parameter.force_contiguous()?.to_device(&Device::Cpu)?.flatten_all()?;
        let found = weights[name].flatten_all()?.to_dtype(merged.dtype())?;
        let difference = (&merged - found)?.abs()?.max_all()?.to_scalar::<f32>()?;
        let largest = merged.abs()?.max_all()?.to_scalar::<f32>()?;
        // A little, if another kind of machine multiplied.
        ensure!(
            difference <= 1e-4 * largest,
            "{name} is not the one that the recipe starts from with its adapters: model.from has changed"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests;
