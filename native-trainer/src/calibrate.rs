//! `dermake calibrate`: fits a calibration and writes it into the model's manifest.

use anyhow::Result;
use dermake_evaluation::calibrate::{self, CalibrateOptions};
use dermake_models::manifest_folder::ManifestFolder;
use dermake_process::print;
use shared_model::calibration::Calibration;
use std::path::{Path, PathBuf};

/// Calibrates a model, prints how well, and writes the calibration into its manifest if it has one.
///
/// # Errors
/// If the model or the data cannot be used, or the manifest cannot be written.
pub fn calibrate(options: &CalibrateOptions<'_>, as_json: bool) -> Result<()> {
    // Opened first: a folder that cannot be written to is known before the photos are encoded.
    let folder = ManifestFolder::open(&options.model.model)?;
    let calibration = calibrate::calibrate(options)?;
    match &folder {
        Some(folder) => {
            write(folder, &calibration)?;
            tracing::info!("written into {}", folder.path().display());
        }
        None => tracing::warn!(
            "printed only: the model is no folder of `dermake quantize`, whose manifest keeps it: {}",
            options.model.model
        ),
    }
    if as_json {
        return print::summary_json(&[&serde_json::to_vec_pretty(&calibration)?[..], b"\n"].concat());
    }
    print::summary(&calibrate::text(&calibration))
}

/// Writes a calibration in place of an earlier one for the same labels.
fn write(folder: &ManifestFolder, calibration: &Calibration) -> Result<()> {
    folder.change(|manifest| {
        manifest.calibrations.retain(|other| !other.is_of(&calibration.class_names));
        manifest.calibrations.push(calibration.clone());
    })
}

/// Prints what a temperature would change in probabilities that somebody published.
///
/// # Errors
/// If a file cannot be read or has too few rows.
pub fn calibrate_predictions(files: &[PathBuf], classes: Option<&Path>, as_json: bool) -> Result<()> {
    let found = calibrate::calibrate_predictions(files, classes)?;
    if as_json {
        return print::summary_json(&[&serde_json::to_vec_pretty(&found)?[..], b"\n"].concat());
    }
    print::summary(&calibrate::predictions_text(&found))
}
