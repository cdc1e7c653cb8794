//! What an earlier `dermake finetune` has left in the folder of a new one.

use super::written::{HEAD_FILES, TUNED_FOLDER, head_name, model_of, tuned_name};
use crate::compare::Evaluated;
use crate::out::ReportFolder;
use crate::own_data::LABELS_KEY;
use anyhow::{Context, Result};
use dermake_models::{CONFIG_FILE, WEIGHTS_FILE};
use std::fs;
use std::path::{Path, PathBuf};

/// An earlier run in a folder.
pub struct EarlierRun {
    tuned: PathBuf,
}

impl EarlierRun {
    /// The run whose head is in a folder, if there is one. Its answers become superseded ones of the report.
    pub fn of(out: &Path, folder: &mut ReportFolder) -> Option<Self> {
        let model = model_of(out)?;
        for name in [head_name(&model), tuned_name(&model)] {
            folder.supersede(LABELS_KEY, &name);
        }
        Some(Self { tuned: out.join(TUNED_FOLDER) })
    }

    /// Removes, once there is a new run with these models, what is left of the earlier one: its answers with a tuned tower,
    /// and that tower if the new one has none. Files of others stay.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn remove(&self, folder: &ReportFolder, models: &[Evaluated], has_tower: bool) -> Result<()> {
        folder.remove_superseded(models)?;
        if has_tower || model_of(&self.tuned).is_none() {
            return Ok(());
        }
        for file in [WEIGHTS_FILE, CONFIG_FILE].into_iter().chain(HEAD_FILES) {
            let path = self.tuned.join(file);
            if path.is_file() {
                fs::remove_file(&path).with_context(|| {
                    format!("cannot remove what an earlier run has written: {}", path.display())
                })?;
            }
        }
        let _ = fs::remove_dir(&self.tuned); // unless something is in it
        Ok(())
    }
}
